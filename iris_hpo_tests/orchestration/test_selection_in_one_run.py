"""A run that makes candidates goes on with what depends on them."""

from collections import Counter
from collections.abc import Sequence

import dagster as dg
import pytest

from iris_hpo import build_search
from iris_hpo_tests.projects import CANDIDATES, KEYS, SOURCES, SpecProject, succeed

SCORES = dg.AssetKey("scores")
OWN = "scores_are_there"


@dg.asset(deps=[SCORES])
def scores_below() -> None:
    """A user's own asset."""


@dg.asset_check(asset=SCORES)
def scores_are_there() -> dg.AssetCheckResult:
    """Pass: it is a user's own check."""
    return dg.AssetCheckResult(passed=True)


def run_together(
    project: SpecProject,
    *assets: str,
    ends: Sequence[str] = (),
    partition: str | None = None,
) -> dg.ExecuteInProcessResult:
    """Materialise assets of a search, and what a user has put below them, in one run."""
    everything = dg.define_asset_job("everything", dg.AssetSelection.all())
    own = dg.Definitions(assets=[scores_below], asset_checks=[scores_are_there], jobs=[everything])
    defs = dg.Definitions.merge(build_search(project.spec), own)
    names = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
    return defs.resolve_job_def("everything").execute_in_process(
        instance=project.instance,
        asset_selection=[*map(project.names.asset, assets), scores_below.key],
        run_config=project._run_config(  # pyright: ignore[reportPrivateUsage]
            {"candidates": {"engine": "serial"}}
        ),
        partition_key=partition,
        tags=dict(zip(names, ends, strict=False)),
        raise_on_error=False,
    )


def recorded(made: dg.ExecuteInProcessResult) -> Counter[tuple[str, str | None]]:
    """Count the materialisations of a run, by asset and partition."""
    return Counter(
        (event.asset_key.to_user_string() if event.asset_key else "", event.partition)
        for event in made.get_asset_materialization_events()
    )


def once(keys: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, key) for name in CANDIDATES for key in keys]


@pytest.mark.parametrize(
    ("launched", "keys"),
    [
        ({"partition": KEYS[1]}, KEYS[1:2]),
        ({"ends": (KEYS[1], KEYS[3])}, KEYS[1:4]),
    ],
    ids=["a partition", "a range"],
)
def test_a_run_goes_on_below_its_candidates_and_records_each_once(
    prepared: SpecProject, launched: dict[str, str], keys: Sequence[str]
) -> None:
    made = run_together(prepared, *CANDIDATES, "selection", **launched)

    succeed(made)
    assert recorded(made) == Counter([*once(keys), ("selection", None), ("scores_below", None)])
    assert len(prepared.leaderboard()) == len(keys)
    assert OWN in {check.check_name for check in made.get_asset_check_evaluations()}


def test_one_run_makes_all_of_a_search(project: SpecProject) -> None:
    made = run_together(project, *SOURCES, *CANDIDATES, "selection")

    succeed(made)
    others = [(name, None) for name in (*SOURCES, "selection", "scores_below")]
    assert recorded(made) == Counter([*once(KEYS), *others])
    assert len(project.leaderboard()) == len(KEYS)
    assert OWN in {check.check_name for check in made.get_asset_check_evaluations()}
    assert project.plan().is_empty


def test_nothing_is_selected_in_a_run_with_a_failed_candidate(prepared: SpecProject) -> None:
    prepared.instance.add_dynamic_partitions("c_gamma", ["no candidate"])

    made = run_together(prepared, *CANDIDATES, "selection")

    assert not made.success
    assert set(prepared.by_partition("scores")) == set(KEYS)
    assert not prepared.materializations("selection")
