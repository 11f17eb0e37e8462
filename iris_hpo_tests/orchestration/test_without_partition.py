"""The launchpad launches a partitioned job without a partition: that means all candidates."""

import json

import dagster as dg

from iris_hpo.orchestration.failed_candidates import failed_partitions
from iris_hpo_tests.orchestration.test_failing_candidates import BAD, GOOD, picky_project
from iris_hpo_tests.projects import CANDIDATES, KEYS, SOURCES, SpecProject, failure_text, succeed


def test_a_fresh_search_does_all_candidates(project: SpecProject) -> None:
    succeed(project.run(*SOURCES, *CANDIDATES))
    assert set(project.by_partition("scores")) == set(KEYS)
    assert project.partition_status("models")["materialized"] == set(KEYS)
    assert set(project.staleness("scores").values()) == {"FRESH"}
    assert not project.plan().candidates


def test_candidates_alone_are_those_that_are_registered(prepared: SpecProject) -> None:
    succeed(prepared.run(*CANDIDATES))
    assert set(prepared.by_partition("models")) == set(KEYS)


def test_the_run_shows_its_range(prepared: SpecProject) -> None:
    result = prepared.run(*CANDIDATES)
    run = prepared.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags["dagster/asset_partition_range_start"] == KEYS[0]
    assert run.tags["dagster/asset_partition_range_end"] == KEYS[-1]


def test_without_a_candidate_it_says_what_to_do(project: SpecProject) -> None:
    assert failure_text(project.run("models")) == (
        "no candidate is registered; materialise parameters first"
    )


def test_a_failed_candidate_alone_shows_as_failed(project: SpecProject) -> None:
    picky = picky_project(project.root.parent / "picky", project.instance)
    picky.write_axis("gamma", 0.016)
    picky.materialize_sources()
    result = picky.run(*CANDIDATES)
    assert not result.success
    for asset in CANDIDATES:
        assert picky.partition_status(asset) == {"materialized": {GOOD}, "failed": {BAD}}
    failed = failed_partitions(picky.instance, dg.AssetKey("scores"))
    assert failed == {BAD: result.run_id}
    assert json.dumps(BAD)[1:-1] in failure_text(result)
