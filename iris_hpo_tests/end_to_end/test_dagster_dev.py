"""A real `dagster dev`, left alone: files drive the search, the UI's own requests work too.

The tests are steps on one server, in order: each begins where the one before
has ended, and says so.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from iris_hpo_tests.end_to_end.dev import CANDIDATES, Dev, dagster_dev
from iris_hpo_tests.projects import ShippedProject

pytestmark = pytest.mark.slow

FINE = "gamma_parameters_fine.txt"
BAD_KEY = "C0.50_G1.0"
EXPLICIT = {"C1.5_G0.05", "C3.0_G0.09", "C20.0_G0.02"}


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """Started once."""
    project = ShippedProject.create(tmp_path_factory.mktemp("dev"))
    with dagster_dev(project, {"IRIS_HPO_SENSOR_SECONDS": "3"}) as started:
        yield started


def test_a_new_instance_searches_and_selects_by_itself(dev: Dev) -> None:
    selection = dev.wait_for_selection()
    assert (selection["scored"], selection["candidates"]) == (77, 77)
    assert (selection["missing"], selection["out_of_date"], selection["failed"]) == ("none",) * 3
    for found in dev.partitions(77).values():
        assert set(found.stale_status.values()) == {"FRESH"}
        assert set(found.reused.values()) == {False}
    assert len(dev.offered_models()) == selection["tied"]
    runs = dev.wait_for_runs(*(run.run_id for run in dev.ui.runs()))
    assert [(run.status, len(run.assets)) for run in runs] == [("SUCCESS", 5), ("SUCCESS", 1)]


def test_a_new_value_trains_its_11_candidates_only(dev: Dev) -> None:
    before = dev.partitions(77)
    file = dev.project.parameters / FINE
    run = dev.follow("parameter_files_sensor", lambda: file.write_text("0.1\n"))
    for asset, found in dev.partitions(88).items():
        new = found.run_ids.keys() - before[asset].run_ids.keys()
        assert len(new) == 11
        assert all(key.endswith("_G0.1") for key in new)
        assert found.run_ids == {**before[asset].run_ids, **dict.fromkeys(new, run.run_id)}
        assert {found.reused[key] for key in new} == {False}
        assert set(found.stale_status.values()) == {"FRESH"}
    dev.wait_for_selection(scored=88, candidates=88)
    assert any(key.endswith("_G0.1") for key in dev.offered_models())


def test_a_removed_value_is_forgotten_and_comes_back_without_training(dev: Dev) -> None:
    before = dev.partitions(88)
    file = dev.project.parameters / FINE
    file.unlink()
    dev.wait_for_selection(scored=77, candidates=77)
    kept = dev.partitions(77)
    offered = dev.offered_models()
    assert offered
    assert offered <= set(kept["models"].keys)
    assert not any(key.endswith("_G0.1") for key in offered)

    run = dev.follow("parameter_files_sensor", lambda: file.write_text("0.1\n"))
    for asset, found in dev.partitions(88).items():
        back = found.run_ids.keys() - kept[asset].run_ids.keys()
        assert back == {key for key in before[asset].keys if key.endswith("_G0.1")}
        assert found.run_ids == {**kept[asset].run_ids, **dict.fromkeys(back, run.run_id)}
        assert {found.reused[key] for key in back} == {True}
        assert set(dev.ui.times_trained(asset, sorted(back)).values()) == {1}


def test_a_bad_line_changes_nothing_until_it_is_corrected(dev: Dev) -> None:
    """Then a new value is crossed with the others, and explicit candidates of a table are not."""
    before = dev.partitions(88)
    file = dev.project.parameters / FINE
    file.write_text("0.1\nO.12\n")
    table = dev.project.parameters / "around_the_best.csv"
    table.write_text("C,gamma\n1.5,0.05\n3,0.09\n20,0.02\n")
    expected = f"{file}, line 2: gamma 'O.12' is not a number"

    def said() -> bool | None:
        ticks = dev.ui.ticks("parameter_files_sensor", "FAILURE")
        causes = [cause["message"] for tick in ticks for cause in tick["error"]["causes"]]
        return any(expected in message for message in causes) or None

    dev.wait("failed tick that names file, line and value", said)
    dev.wait_for_selection(scored=88, candidates=88)  # of the chapter before
    assert dev.partitions(88) == before

    since = time.time()
    file.write_text("0.1\n0.12\n")
    requested = dev.wait_for_request("parameter_files_sensor", since)
    # Someone who does not want to wait, at the same time as the sensor's run.
    command = dev.project.command("run", "--json")
    assert command.returncode == 0, command.stderr
    summary = json.loads(command.stdout)
    assert (summary["candidates"], summary["failed"]) == (102, {})
    assert [run.status for run in dev.wait_for_runs(requested.run_id)] == ["SUCCESS"]
    for asset, found in dev.partitions(102).items():
        new = found.run_ids.keys() - before[asset].run_ids.keys()
        assert len(new) == 14
        assert {key for key in new if not key.endswith("_G0.12")} == EXPLICIT
        assert before[asset].run_ids.items() <= found.run_ids.items()
        assert set(dev.ui.times_trained(asset, sorted(new)).values()) == {1}
    dev.wait_for_selection(scored=102, candidates=102)


def test_new_data_trains_everything_again(dev: Dev) -> None:
    keys = dev.partitions(102)["models"].keys
    file = dev.project.data / "noisy_iris.csv"
    rows = [line.split(",") for line in file.read_text().splitlines()]
    data = "".join(f"{float(first) + 0.05},{','.join(rest)}\n" for first, *rest in rows)
    run = dev.follow("raw_data_sensor", lambda: file.write_text(data))
    for found in dev.partitions(102).values():
        assert found.run_ids == dict.fromkeys(keys, run.run_id)
        assert set(found.reused.values()) == {False}
        assert set(found.stale_status.values()) == {"FRESH"}
    assert {dev.ui.stale_status(name) for name in ("raw_data", "split", "parameters")} == {"FRESH"}


def test_the_uis_own_backfill_and_single_partition_succeed(dev: Dev) -> None:
    before = dev.partitions(102)
    keys = before["models"].keys
    chosen, single, another = [keys[3], keys[40], keys[41]], keys[60], keys[70]
    backfill = dev.ui.backfill(chosen, *CANDIDATES)
    first = dev.ui.materialize_partition(single, *CANDIDATES)
    second = dev.ui.materialize_partition(another, *CANDIDATES)

    def takes_turns() -> bool | None:
        found = {run.run_id: run.status for run in dev.ui.runs(runIds=[first, second])}
        return found == {first: "STARTED", second: "QUEUED"} or None

    dev.wait("run that is shown as queued while another works", takes_turns)
    assert [run.status for run in dev.wait_for_runs(first, second)] == ["SUCCESS"] * 2

    def completed() -> dict[str, Any] | None:
        found = dev.ui.backfill_status(backfill)
        return None if found["status"] == "REQUESTED" else found

    done = dev.wait("end of the backfill", completed)
    assert done["status"] == "COMPLETED_SUCCESS", done
    assert [run["status"] for run in done["runs"]] == ["SUCCESS"] * 2  # one a contiguous range
    for asset, found in dev.partitions(102).items():
        old, new = before[asset].run_ids, found.run_ids
        assert {key for key in keys if new[key] != old[key]} == {*chosen, single, another}
        assert {new[key] for key in chosen} == {run["runId"] for run in done["runs"]}
        assert (new[single], new[another]) == (first, second)
        assert {found.reused[key] for key in (*chosen, single, another)} == {True}
        assert set(found.stale_status.values()) == {"FRESH"}


def test_a_failing_candidate_is_named_and_the_others_are_kept(dev: Dev) -> None:
    before = dev.partitions(102)
    dev.ui.add_partition(BAD_KEY)
    run_id = dev.ui.materialize_partition(BAD_KEY, *CANDIDATES)
    assert [run.status for run in dev.wait_for_runs(run_id)] == ["FAILURE"]
    (message,) = dev.ui.failures(run_id)
    assert f"{BAD_KEY}: '{BAD_KEY}' is no candidate: it is spelled 'C0.5_G1.0'" in message
    for asset in CANDIDATES:
        assert dev.ui.partition_stats(asset) == (102, 1, 103)
        found = dev.ui.partitions(asset)
        assert found.failed == [BAD_KEY]
        assert found.run_ids == before[asset].run_ids

    found = dev.wait_for_selection(
        scored=102, candidates=103, out_of_date="none", failed=f"1: {BAD_KEY}"
    )
    offered = dev.offered_models()
    assert len(offered) == found["tied"]
    assert found["champion"] in offered <= set(before["models"].keys)
    status = dev.project.call("status", "--json")
    assert status.returncode == 1
    summary = json.loads(status.stdout)
    assert summary["failed"] == [BAD_KEY]
    scores = {"up to date": 102, "missing": 0, "out of date": 0, "failed": 1}
    assert summary["assets"]["scores"] == scores
    assert summary["assets"]["selection"]["up to date"] == 1


def test_nothing_was_asked_twice_and_searches_took_turns(dev: Dev) -> None:
    assert dev.ui.partition_stats("scores") == (102, 1, 103)
    runs = dev.wait_for_runs(*(run.run_id for run in dev.ui.runs()))
    assert Counter(run.status for run in runs if run.status != "SUCCESS") == {"FAILURE": 1}
    # 77 at first, 11 more, two for the removal, 11 again, 11 corrected with three explicit ones.
    assert len(dev.requests("parameter_files_sensor")) == 6
    assert len(dev.requests("raw_data_sensor")) == 1
    for sensor in ("raw_data_sensor", "selection_sensor"):
        assert dev.ui.ticks(sensor, "FAILURE") == []
    for tick in dev.ui.ticks("parameter_files_sensor", "FAILURE"):
        (cause,) = tick["error"]["causes"]
        assert "gamma 'O.12' is not a number" in cause["message"]
    worked = sorted(
        dev.ui.steps(run.run_id)["candidates"] for run in runs if "scores" in run.assets
    )
    assert len(worked) >= 10  # and one more if the command found something left to do
    assert all(end <= start for (_, end), (start, _) in pairwise(worked))
