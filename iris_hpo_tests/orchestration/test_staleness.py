"""What Dagster itself calls fresh, stale or missing, as the UI shows it."""

import dagster as dg
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget

from iris_hpo_tests.projects import KEYS, SpecProject, succeed

FRESH = dict.fromkeys(KEYS, "FRESH")
STALE = dict.fromkeys(KEYS, "STALE")
MISSING = dict.fromkeys(KEYS, "MISSING")


def test_candidates_are_missing_before_they_are_made(prepared: SpecProject) -> None:
    assert prepared.staleness("models") == MISSING
    assert prepared.staleness("scores") == MISSING


def test_all_is_fresh_after_the_run(finished: SpecProject) -> None:
    assert finished.staleness("models") == FRESH
    assert finished.staleness("scores") == FRESH
    for asset in ("raw_data", "split", "parameters", "selection"):
        assert finished.source_staleness(asset) == "FRESH"


@pytest.mark.slow
def test_the_ui_s_own_query_says_the_same(disk_project: SpecProject) -> None:
    disk_project.materialize_sources()
    succeed(disk_project.materialize_candidates())
    query = """
        query Staleness($key: AssetKeyInput!, $partition: String!) {
            assetNodes(assetKeys: [$key]) {
                staleStatus(partition: $partition)
                dataVersion(partition: $partition)
                partitionStats { numPartitions numMaterialized numFailed }
            }
        }
    """

    def ask(asset: str, partition: str) -> dict[str, object]:
        from dagster_graphql.test.utils import execute_dagster_graphql

        target = LoadableTargetOrigin(module_name="iris_hpo.definitions")
        origin = InProcessCodeLocationOrigin(target, location_name="iris_hpo")
        with WorkspaceProcessContext(
            disk_project.instance, InProcessWorkspaceLoadTarget([origin])
        ) as workspace:
            answer = execute_dagster_graphql(
                workspace.create_request_context(),
                query,
                {"key": {"path": [asset]}, "partition": partition},
            )
        (node,) = answer.data["assetNodes"]
        return dict(node)

    counts = {"numPartitions": 6, "numMaterialized": 6, "numFailed": 0}
    for asset in ("models", "scores"):
        assert ask(asset, KEYS[2]) == {
            "staleStatus": "FRESH",
            "dataVersion": disk_project.by_partition(asset)[KEYS[2]][0].tags[
                "dagster/data_version"
            ],
            "partitionStats": counts,
        }

    disk_project.change_data()
    succeed(disk_project.run("raw_data", "split"))
    assert ask("models", KEYS[2])["staleStatus"] == "STALE"


def test_unchanged_inputs_made_again_leave_all_fresh(scored: SpecProject) -> None:
    scored.materialize_sources()
    assert len(scored.materializations("split")) == 2, "the inputs have new events"
    assert scored.staleness("models") == FRESH
    assert scored.staleness("scores") == FRESH


def test_an_added_parameter_makes_nothing_stale(scored: SpecProject) -> None:
    scored.write_axis("gamma", 0.016, 0.25, 1)
    scored.materialize_sources()
    new = ["C0.5_G1.0", "C8.0_G1.0", "C128.0_G1.0"]
    assert scored.registered() == [*KEYS, *new]
    for asset in ("models", "scores"):
        assert scored.staleness(asset) == {**FRESH, **dict.fromkeys(new, "MISSING")}

    succeed(scored.run("models", "scores", keys=new))
    for asset in ("models", "scores"):
        assert set(scored.staleness(asset).values()) == {"FRESH"}


def test_changed_data_makes_all_stale_until_the_rerun(scored: SpecProject) -> None:
    scored.change_data()
    succeed(scored.run("raw_data"))
    assert scored.source_staleness("split") == "STALE"
    succeed(scored.run("split"))
    assert scored.staleness("models") == STALE
    assert scored.staleness("scores") == STALE
    assert scored.stale_causes("models", KEYS[0]) == {"split"}

    succeed(scored.run("models", "scores", partition=KEYS[1]))
    assert scored.staleness("models") == {**STALE, KEYS[1]: "FRESH"}
    assert scored.staleness("scores") == {**STALE, KEYS[1]: "FRESH"}

    succeed(scored.materialize_candidates())
    assert scored.staleness("models") == FRESH
    assert scored.staleness("scores") == FRESH


def test_models_trained_otherwise_make_their_scores_stale(scored: SpecProject) -> None:
    succeed(scored.run("parameters", parameters={"kernel": "linear"}))
    assert scored.staleness("models") == STALE
    assert scored.stale_causes("models", KEYS[0]) == {"parameters"}

    succeed(scored.run("models", keys=KEYS))
    assert scored.staleness("models") == FRESH
    assert scored.staleness("scores") == STALE
    assert scored.stale_causes("scores", KEYS[0]) == {"models"}

    succeed(scored.run("scores", keys=KEYS))
    assert scored.staleness("scores") == FRESH


def test_equal_models_trained_again_leave_their_scores_fresh(scored: SpecProject) -> None:
    succeed(scored.run("models", keys=KEYS, candidates={"force": True}))
    assert scored.metadata("models", KEYS[0])["reused"] is False
    assert scored.staleness("scores") == FRESH


def test_other_folds_make_results_stale_until_they_are_recorded_again(scored: SpecProject) -> None:
    trained = scored.files("models")
    succeed(scored.run("split", split={"folds": 3}))
    assert scored.staleness("models") == STALE
    succeed(scored.materialize_candidates())
    assert scored.staleness("models") == FRESH
    assert scored.staleness("scores") == FRESH
    assert scored.files("models") == trained, "the training rows are the same"


def test_a_selection_is_stale_when_a_score_changed(searched: SpecProject) -> None:
    assert searched.source_staleness("selection") == "FRESH"
    succeed(searched.run("parameters", parameters={"kernel": "linear"}))
    succeed(searched.materialize_candidates())
    assert searched.source_staleness("selection") == "STALE"
    succeed(searched.run("selection"))
    assert searched.source_staleness("selection") == "FRESH"


def test_versions_are_those_that_users_provide(finished: SpecProject) -> None:
    """Dagster would otherwise hash the run's id in, and nothing would ever stay fresh."""
    for asset in ("models", "scores"):
        for (event,) in finished.by_partition(asset).values():
            assert event.tags["dagster/data_version_is_user_provided"] == "true"


def test_lineage_points_at_the_inputs_events(finished: SpecProject) -> None:
    """A pointer leads to the upstream event: at it, or after it and before the next one."""
    storage = finished.instance.event_log_storage
    models = storage.get_latest_storage_id_by_partition(
        dg.AssetKey("models"), dg.DagsterEventType.ASSET_MATERIALIZATION
    )
    scores = storage.get_latest_storage_id_by_partition(
        dg.AssetKey("scores"), dg.DagsterEventType.ASSET_MATERIALIZATION
    )
    split = finished.instance.fetch_materializations(dg.AssetKey("split"), limit=1).records[0]
    for key in KEYS:
        (score,) = finished.by_partition("scores")[key]
        pointer = int(score.tags["dagster/input_event_pointer/models"])
        assert models[key] <= pointer < scores[key]
        assert int(score.tags["dagster/input_event_pointer/split"]) == split.storage_id
