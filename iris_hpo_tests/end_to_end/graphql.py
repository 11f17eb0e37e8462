"""What the UI asks of a Dagster web server, over GraphQL as the UI does."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

REPOSITORY = {"repositoryLocationName": "iris_hpo", "repositoryName": "__repository__"}
UNFINISHED = ("QUEUED", "NOT_STARTED", "MANAGED", "STARTING", "STARTED", "CANCELING")

STATS = """query($asset: AssetKeyInput!) {
  assetNodeOrError(assetKey: $asset) { ... on AssetNode {
    partitionStats { numMaterialized numPartitions numFailed numMaterializing } } } }"""
PARTITIONS = """query($asset: AssetKeyInput!) {
  assetNodeOrError(assetKey: $asset) { ... on AssetNode {
    partitionKeys
    assetPartitionStatuses { ... on DefaultPartitionStatuses { failedPartitions } }
    staleStatusByPartition
    latestMaterializationByPartition {
      partition runId
      metadataEntries { label ... on BoolMetadataEntry { boolValue } } } } } }"""
HISTORY = """query($asset: AssetKeyInput!, $partitions: [String!]) {
  assetNodeOrError(assetKey: $asset) { ... on AssetNode {
    assetMaterializations(partitions: $partitions) {
      partition metadataEntries { label ... on BoolMetadataEntry { boolValue } } } } } }"""
ASSET = """query($asset: AssetKeyInput!) {
  assetNodeOrError(assetKey: $asset) { ... on AssetNode {
    staleStatus
    assetMaterializations(limit: 1) {
      timestamp metadataEntries { label
        ... on IntMetadataEntry { intValue }
        ... on TextMetadataEntry { text } } } } } }"""
RUNS = """query($filter: RunsFilter) {
  runsOrError(filter: $filter) { ... on Runs { results {
    runId status creationTime endTime assetSelection { path } tags { key value } } } } }"""
STEPS = """query($run: ID!) {
  runOrError(runId: $run) { ... on Run { stepStats { stepKey startTime endTime } } } }"""
FAILURES = """query($run: ID!) {
  runOrError(runId: $run) { ... on Run { eventConnection(limit: 1000) { events {
    ... on EngineEvent { error { message } }
    ... on ExecutionStepFailureEvent { error { message } } } } } } }"""
TICKS = """query($sensor: SensorSelector!, $statuses: [InstigationTickStatus!]) {
  sensorOrError(sensorSelector: $sensor) { ... on Sensor { sensorState {
    ticks(limit: 5, statuses: $statuses) { tickId skipReason error { causes { message } } }
  } } } }"""
ADD_PARTITION = """mutation($key: String!, $name: String!, $repository: RepositorySelector!) {
  addDynamicPartition(
    partitionKey: $key, partitionsDefName: $name, repositorySelector: $repository
  ) { __typename } }"""
LAUNCH_RUN = """mutation($parameters: ExecutionParams!) {
  launchPipelineExecution(executionParams: $parameters) { __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { message } } }"""
LAUNCH_BACKFILL = """mutation($parameters: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $parameters) { __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PartitionKeysNotFoundError { partitionKeys }
    ... on PythonError { message } } }"""
BACKFILL = """query($id: String!) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {
    status error { message } runs(limit: 100) { runId status } } } }"""


@dataclass(frozen=True)
class Partitions:
    """What is shown of a partitioned asset, by partition.

    Attributes
    ----------
    keys
        In the order in which they were registered.
    failed
        Whose latest attempt failed.
    stale_status
        ``FRESH``, ``STALE`` or ``MISSING``.
    run_ids, reused
        Of the latest materialisation: its run, and what its metadata says.
    """

    keys: Sequence[str]
    failed: Sequence[str]
    stale_status: Mapping[str, str]
    run_ids: Mapping[str, str]
    reused: Mapping[str, bool]


@dataclass(frozen=True)
class Run:
    """What is shown of a run; times are seconds since the epoch."""

    run_id: str
    status: str
    created: float
    assets: frozenset[str]
    tags: Mapping[str, str]


class GraphQL:
    """A client of one web server."""

    def __init__(self, url: str) -> None:
        self._url = url

    def is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._url}/server_info", timeout=5):
                return True
        except OSError:
            return False

    def partition_stats(self, asset: str) -> tuple[int, int, int]:
        """How many partitions are materialised, have failed, and are there at all."""
        found = self._asset(STATS, asset)["partitionStats"]
        return found["numMaterialized"], found["numFailed"], found["numPartitions"]

    def partitions(self, asset: str) -> Partitions:
        node = self._asset(PARTITIONS, asset)
        keys = node["partitionKeys"]
        latest = [found for found in node["latestMaterializationByPartition"] if found]
        return Partitions(
            keys,
            node["assetPartitionStatuses"]["failedPartitions"],
            dict(zip(keys, node["staleStatusByPartition"], strict=True)),
            {found["partition"]: found["runId"] for found in latest},
            {found["partition"]: _metadata(found)["reused"] for found in latest},
        )

    def times_trained(self, asset: str, partitions: Sequence[str]) -> dict[str, int]:
        """How many materialisations of each partition, of all that there were, reused nothing."""
        node = self._asset(HISTORY, asset, partitions=list(partitions))
        trained = [
            found["partition"]
            for found in node["assetMaterializations"]
            if not _metadata(found)["reused"]
        ]
        return {key: trained.count(key) for key in partitions}

    def stale_status(self, asset: str) -> str:
        """Stale status of an asset without partitions."""
        return self._asset(ASSET, asset)["staleStatus"]

    def latest(self, asset: str) -> tuple[float, dict[str, Any]]:
        """When an asset was last materialised, and the numbers and texts of its metadata."""
        latest = self._asset(ASSET, asset)["assetMaterializations"]
        return (int(latest[0]["timestamp"]) / 1000, _metadata(latest[0])) if latest else (0, {})

    def runs(self, **filters: object) -> list[Run]:
        """The latest first."""
        found = self._post(RUNS, filter=filters)["runsOrError"]["results"]
        return [
            Run(
                one["runId"],
                one["status"],
                one["creationTime"],
                frozenset("/".join(asset["path"]) for asset in one["assetSelection"] or ()),
                {tag["key"]: tag["value"] for tag in one["tags"]},
            )
            for one in found
        ]

    def steps(self, run_id: str) -> dict[str, tuple[float, float]]:
        """When each step of a run started, and when it ended."""
        found = self._post(STEPS, run=run_id)["runOrError"]["stepStats"]
        return {step["stepKey"]: (step["startTime"], step["endTime"]) for step in found}

    def failures(self, run_id: str) -> list[str]:
        """What a run and its steps say about their failure."""
        run = self._post(FAILURES, run=run_id)["runOrError"]
        return [
            event["error"]["message"]
            for event in run["eventConnection"]["events"]
            if event.get("error")
        ]

    def ticks(self, sensor: str, *statuses: str) -> list[dict[str, Any]]:
        """Ticks of a sensor, the latest first."""
        selector = {**REPOSITORY, "sensorName": sensor}
        found = self._post(TICKS, sensor=selector, statuses=statuses or None)
        return found["sensorOrError"]["sensorState"]["ticks"]

    def add_partition(self, key: str) -> None:
        found = self._post(ADD_PARTITION, key=key, name="c_gamma", repository=REPOSITORY)
        added = found["addDynamicPartition"]
        assert added["__typename"] == "AddDynamicPartitionSuccess", added

    def materialize_partition(self, key: str, *assets: str) -> str:
        """Launch a run over one partition; gives its id."""
        parameters = {
            "mode": "default",
            "runConfigData": "{}",
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": key}]},
            "selector": {
                **REPOSITORY,
                "pipelineName": "__ASSET_JOB",
                "assetSelection": [{"path": [asset]} for asset in assets],
                "assetCheckSelection": [],
            },
        }
        launched = self._post(LAUNCH_RUN, parameters=parameters)["launchPipelineExecution"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return launched["run"]["runId"]

    def backfill(self, keys: Sequence[str], *assets: str) -> str:
        """Launch a backfill over a choice of partitions; gives its id."""
        parameters = {
            "assetSelection": [{"path": [asset]} for asset in assets],
            "partitionNames": list(keys),
            "fromFailure": False,
            "tags": [],
        }
        launched = self._post(LAUNCH_BACKFILL, parameters=parameters)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        return launched["backfillId"]

    def backfill_status(self, backfill_id: str) -> dict[str, Any]:
        return self._post(BACKFILL, id=backfill_id)["partitionBackfillOrError"]

    def _asset(self, document: str, asset: str, **variables: object) -> dict[str, Any]:
        return self._post(document, asset={"path": [asset]}, **variables)["assetNodeOrError"]

    def _post(self, document: str, **variables: object) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self._url}/graphql",
            json.dumps({"query": document, "variables": variables}).encode(),
            {"content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{document}\n{error.read().decode()}") from None
        assert not answer.get("errors"), f"{document}\n{json.dumps(answer['errors'], indent=1)}"
        return answer["data"]


def _metadata(materialization: Mapping[str, Any]) -> dict[str, Any]:
    return {
        entry["label"]: value
        for entry in materialization["metadataEntries"]
        for name, value in entry.items()
        if name != "label"
    }
