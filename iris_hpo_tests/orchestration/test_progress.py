"""What the log of a run says: few lines, and what happened."""

import re

import dagster as dg

from iris_hpo.orchestration.build import build_search
from iris_hpo.orchestration.resources import Counts, LogProgress
from iris_hpo_tests.projects import KEYS, SpecProject, succeed


def lines(project: SpecProject) -> list[str]:
    """What the latest run's own code has logged."""
    run = project.instance.get_runs(limit=1)[0]
    return [
        log.user_message
        for log in project.instance.all_logs(run.run_id)
        if not log.is_dagster_event
    ]


def test_a_short_run_says_what_came_of_it(prepared: SpecProject) -> None:
    succeed(prepared.materialize_candidates())
    assert lines(prepared) == ["6 candidates: 6 trained, 0 reused, 0 failed"]
    succeed(prepared.materialize_candidates())
    assert lines(prepared) == ["6 candidates: 0 trained, 6 reused, 0 failed"]


def test_failures_are_counted(prepared: SpecProject) -> None:
    prepared.instance.add_dynamic_partitions("c_gamma", ["wrong"])
    assert not prepared.run("models", "scores", keys=prepared.registered()).success
    assert "7 candidates: 6 trained, 0 reused, 1 failed" in lines(prepared)


def test_a_warning_is_one_line_with_its_number() -> None:
    counts = Counts(2)
    counts.add_warnings({"old": 600})
    counts.add_warnings({"old": 600, "new": 1})
    assert counts.warnings() == ["old (1,200 times)", "new"]
    counts.add_warnings({f"{number}": 1 for number in range(100)})
    assert len(counts.warnings()) == 21
    assert counts.warnings()[-1] == "other warnings (82 times)"


def test_a_long_run_says_how_far_it_is(prepared: SpecProject) -> None:
    """Here every moment is long enough for a line."""
    prepared.defs = build_search(prepared.spec, progress=LogProgress(seconds=1e-9))
    succeed(prepared.materialize_candidates())
    *on_the_way, last = lines(prepared)
    assert last == "6 candidates: 6 trained, 0 reused, 0 failed"
    numbers: list[int] = []
    for line in on_the_way:
        pattern = r"(\d) of 6 candidates: (\d) trained, 0 reused, 0 failed; \d+ s left"
        found = re.fullmatch(pattern, line)
        assert found, line
        assert found[1] == found[2]
        numbers.append(int(found[1]))
    assert numbers[0] == 1
    assert numbers == sorted(set(numbers))
    assert numbers[-1] < 6, "the summary stands for the last"


def test_the_step_s_own_events_are_one_per_result(prepared: SpecProject) -> None:
    succeed(prepared.materialize_candidates())
    run = prepared.instance.get_runs(limit=1)[0]
    found = prepared.instance.all_logs(
        run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
    )
    assert len(found) == 2 * len(KEYS)
