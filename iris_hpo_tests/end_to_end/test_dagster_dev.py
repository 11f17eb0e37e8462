"""A real `dagster dev`, left alone: files drive the search, the UI's own requests work too.

The tests are chapters of one story on one server, told in order: each begins where the one before
has ended, and says so.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest

from iris_hpo_tests.end_to_end.conftest import REPOSITORY, Project, make_project
from iris_hpo_tests.end_to_end.graphql import WAITING, WORKING, GraphQL, Partitions, Run

pytestmark = pytest.mark.slow

T = TypeVar("T")

CANDIDATES = ("models", "scores")
FINE = "gamma_parameters_fine.txt"
BAD_KEY = "C0.50_G1.0"

# The test's own patience; how runs are queued and worked on stays as shipped.
IMPATIENCE = """
run_queue:
  dequeue_interval_seconds: 1
code_servers:
  wait_for_local_processes_on_shutdown: true
"""


@dataclass(frozen=True)
class Dev:
    """A running `dagster dev` and the project that it works on."""

    project: Project
    ui: GraphQL
    process: "subprocess.Popen[bytes]"
    log: Path

    def wait(self, what: str, look: Callable[[], T | None], seconds: float = 120) -> T:
        """Look twice a second until there is something."""
        end = time.monotonic() + seconds
        while (found := look()) is None:
            assert self.process.poll() is None, f"dagster dev has ended\n{self._last_lines()}"
            assert time.monotonic() < end, f"no {what} in {seconds} s\n{self._last_lines()}"
            time.sleep(0.5)
        return found

    def wait_for_scores(self, materialized: int) -> dict[str, Partitions]:
        """Wait until that many candidates are trained and scored; gives both assets."""

        def look() -> dict[str, Partitions] | None:
            done, failed, registered = self.ui.partition_stats("scores")
            assert not failed, self._failures()
            if (done, registered) != (materialized, materialized):
                return None
            return {asset: self.ui.partitions(asset) for asset in CANDIDATES}

        return self.wait(f"{materialized} scores", look)

    def wait_for_selection(self, *, after: float = 0, **expected: object) -> dict[str, Any]:
        """Wait until the latest selection says this; gives all that it says."""

        def look() -> dict[str, Any] | None:
            made, found = self.ui.latest("selection")
            return found if made > after and expected.items() <= found.items() else None

        return self.wait(f"selection with {expected}", look)

    def wait_for_runs(self, *run_ids: str) -> list[Run]:
        """Wait until these have ended; gives them as they were created."""

        def look() -> list[Run] | None:
            runs = self.ui.runs(runIds=run_ids)
            unfinished = [run for run in runs if run.status in (*WAITING, *WORKING)]
            return None if unfinished else sorted(runs, key=lambda run: run.created)

        return self.wait(f"end of runs {run_ids}", look)

    def requested_by(self, sensor: str) -> list[Run]:
        return self.ui.runs(tags=[{"key": "dagster/sensor_name", "value": sensor}])

    def offered_models(self) -> set[str]:
        """Whose models lie in the folder of the selected."""
        files = (self.project.artifacts / "selection" / "models").iterdir()
        return {path.name.removeprefix("model_").removesuffix(".pkl") for path in files}

    def _failures(self) -> str:
        failed = self.ui.runs(statuses=["FAILURE"])
        return "\n".join(message for run in failed for message in self.ui.failures(run.run_id))

    def _last_lines(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-60:])


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """Started once; afterwards none of its processes is left."""
    project = make_project(tmp_path_factory.mktemp("dev"))
    with (project.root / "home" / "dagster.yaml").open("a") as settings:
        settings.write(IMPATIENCE)
    port, log = _free_port(), project.root / "dev.log"
    with log.open("wb") as output:
        # In a session of its own: so all its processes can be told, and none inherits from a
        # shell's background job to ignore the signals that would end it.
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(port)],
            cwd=REPOSITORY,
            env=project.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with _stopping(process):
        started = Dev(project, GraphQL(f"http://127.0.0.1:{port}"), process, log)
        started.wait("web server", lambda: started.ui.is_up() or None)
        yield started


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _stopping(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        end = time.monotonic() + 60
        while _is_anyone_left(process) and time.monotonic() < end:
            time.sleep(0.1)
        if _is_anyone_left(process):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            pytest.fail("dagster dev did not stop within 60 s of SIGTERM and was killed")


def _is_anyone_left(process: "subprocess.Popen[bytes]") -> bool:
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_left_alone_it_searches_and_selects(dev: Dev) -> None:
    selection = dev.wait_for_selection(scored=77)
    assert selection["candidates"] == 77
    assert (selection["missing"], selection["out_of_date"], selection["failed"]) == ("none",) * 3
    for asset in CANDIDATES:
        assert dev.ui.partition_stats(asset) == (77, 0, 77)
        assert set(dev.ui.partitions(asset).stale_status.values()) == {"FRESH"}
    assert len(dev.offered_models()) == selection["tied"]
    runs = dev.wait_for_runs(*(run.run_id for run in dev.ui.runs()))
    assert [(run.status, len(run.assets)) for run in runs] == [("SUCCESS", 5), ("SUCCESS", 1)]


def test_a_new_value_trains_its_11_candidates_only(dev: Dev) -> None:
    before = dev.wait_for_scores(77)
    (dev.project.parameters / FINE).write_text("0.1\n")
    after = dev.wait_for_scores(88)
    for asset in CANDIDATES:
        new = after[asset].run_ids.keys() - before[asset].run_ids.keys()
        assert len(new) == 11
        assert all(key.endswith("_G0.1") for key in new)
        assert {key: run for key, run in after[asset].run_ids.items() if key not in new} == (
            before[asset].run_ids
        )
        assert {after[asset].reused[key] for key in new} == {False}
        assert set(after[asset].stale_status.values()) == {"FRESH"}
    dev.wait_for_selection(scored=88, candidates=88)
    assert any(key.endswith("_G0.1") for key in dev.offered_models())


def test_a_removed_value_is_forgotten_and_comes_back_without_training(dev: Dev) -> None:
    before = dev.wait_for_scores(88)
    file = dev.project.parameters / FINE
    file.unlink()
    dev.wait_for_selection(scored=77, candidates=77)
    kept = dev.wait_for_scores(77)
    offered = dev.offered_models()
    assert offered
    assert offered <= set(kept["models"].keys)
    assert not any(key.endswith("_G0.1") for key in offered)

    file.write_text("0.1\n")
    after = dev.wait_for_scores(88)
    for asset in CANDIDATES:
        back = set(after[asset].keys) - set(kept[asset].keys)
        assert len(back) == 11
        recorded = dev.wait(
            f"record of what came back in {asset}",
            lambda asset=asset, back=back: _recorded_anew(dev, asset, back, before[asset]),
        )
        assert {recorded.reused[key] for key in back} == {True}
        assert dev.ui.times_trained(asset, sorted(back)) == dict.fromkeys(sorted(back), 1)
        assert {key: recorded.run_ids[key] for key in kept[asset].keys} == kept[asset].run_ids


def _recorded_anew(dev: Dev, asset: str, keys: set[str], before: Partitions) -> Partitions | None:
    """The partitions, once all of these have another run than before."""
    now = dev.ui.partitions(asset)
    return None if any(now.run_ids[key] == before.run_ids[key] for key in keys) else now


def test_explicit_candidates_are_not_crossed(dev: Dev) -> None:
    before = dev.wait_for_scores(88)
    table = dev.project.parameters / "around_the_best.csv"
    table.write_text("C,gamma\n1.5,0.05\n3,0.09\n20,0.02\n")
    after = dev.wait_for_scores(91)
    for asset in CANDIDATES:
        new = after[asset].run_ids.keys() - before[asset].run_ids.keys()
        assert new == {"C1.5_G0.05", "C3.0_G0.09", "C20.0_G0.02"}
        assert {after[asset].reused[key] for key in new} == {False}
        assert before[asset].run_ids.items() <= after[asset].run_ids.items()


def test_a_bad_line_changes_nothing_until_it_is_corrected(dev: Dev) -> None:
    before = dev.wait_for_scores(91)
    file = dev.project.parameters / FINE
    file.write_text("0.1\nO.12\n")
    expected = f"{file}, line 2: gamma 'O.12' is not a number"
    dev.wait(
        "skipped tick that names file, line and value",
        lambda: next(
            (
                tick
                for tick in dev.ui.ticks("parameter_files_sensor", "SKIPPED")
                if tick["skipReason"].startswith(expected)
            ),
            None,
        ),
    )
    dev.wait_for_selection(scored=91, candidates=91)  # what the chapter before has started
    assert {asset: dev.ui.partitions(asset) for asset in CANDIDATES} == before
    requested = len(dev.requested_by("parameter_files_sensor"))

    file.write_text("0.1\n0.12\n")
    run = dev.wait(
        "run for the corrected file",
        lambda: next(iter(dev.requested_by("parameter_files_sensor")[:-requested]), None),
    )
    # Someone who does not want to wait, at the same time as the sensor's run.
    command = dev.project.command("run", "--json")
    assert command.returncode == 0, command.stderr
    said = json.loads(command.stdout)
    assert (said["candidates"], said["failed"]) == (102, {})

    assert [run.status for run in dev.wait_for_runs(run.run_id)] == ["SUCCESS"]
    after = dev.wait_for_scores(102)
    for asset in CANDIDATES:
        new = sorted(set(after[asset].keys) - set(before[asset].keys))
        assert len(new) == 11
        assert dev.ui.times_trained(asset, new) == dict.fromkeys(new, 1)
    dev.wait_for_selection(scored=102, candidates=102)


def test_new_data_trains_everything_anew(dev: Dev) -> None:
    before = dev.wait_for_scores(102)
    file = dev.project.data / "noisy_iris.csv"
    rows = [line.split(",") for line in file.read_text().splitlines()]
    file.write_text("".join(f"{float(first) + 0.05},{','.join(rest)}\n" for first, *rest in rows))
    for asset in CANDIDATES:
        after = dev.wait(
            f"all {asset} anew",
            lambda asset=asset: _recorded_anew(dev, asset, set(before[asset].keys), before[asset]),
        )
        assert set(after.reused.values()) == {False}
        assert len(set(after.run_ids.values())) == 1
        assert list(after.stale_status.values()) == ["FRESH"] * 102
    assert {dev.ui.stale_status(name) for name in ("raw_data", "split", "parameters")} == {"FRESH"}


def test_the_uis_own_backfill_and_single_partition_succeed(dev: Dev) -> None:
    before = dev.wait_for_scores(102)
    keys = before["models"].keys
    chosen, single, another = [keys[3], keys[40], keys[41]], keys[60], keys[70]
    backfill = dev.ui.backfill(chosen, *CANDIDATES)
    first = dev.ui.materialize_partition(single, *CANDIDATES)
    second = dev.ui.materialize_partition(another, *CANDIDATES)

    # Two at once: one works, the other is shown as queued.
    dev.wait(
        "run that waits for another",
        lambda: (
            {run.run_id: run.status for run in dev.ui.runs(runIds=[first, second])}
            == {first: "STARTED", second: "QUEUED"}
            or None
        ),
    )
    assert [run.status for run in dev.wait_for_runs(first, second)] == ["SUCCESS"] * 2

    def completed() -> dict[str, Any] | None:
        found = dev.ui.backfill_status(backfill)
        return found if found["status"] not in ("REQUESTED", "FAILING", "CANCELING") else None

    done = dev.wait("end of the backfill", completed)
    assert done["status"] == "COMPLETED_SUCCESS", done
    assert [run["status"] for run in done["runs"]] == ["SUCCESS"] * 2

    after = dev.wait_for_scores(102)
    for asset in CANDIDATES:
        latest = after[asset].run_ids
        moved = {key for key in keys if latest[key] != before[asset].run_ids[key]}
        assert moved == {*chosen, single, another}
        assert {latest[key] for key in chosen} == {run["runId"] for run in done["runs"]}
        assert {after[asset].reused[key] for key in moved} == {True}
        assert set(after[asset].stale_status.values()) == {"FRESH"}


def test_a_failing_candidate_is_named_and_the_rest_stands(dev: Dev) -> None:
    before = dev.wait_for_scores(102)
    last_scored = max(run.ended or 0 for run in dev.ui.runs() if "scores" in run.assets)
    dev.wait_for_selection(after=last_scored, scored=102, out_of_date="none", failed="none")
    assert dev.ui.stale_status("selection") == "FRESH"
    offered = dev.offered_models()

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

    dev.wait_for_selection(scored=102, candidates=103, failed=f"1: {BAD_KEY}")
    assert dev.offered_models() == offered
    status = dev.project.call("status", "--json")
    assert status.returncode == 1
    told = json.loads(status.stdout)
    assert told["failed"] == [BAD_KEY]
    assert told["assets"]["scores"] == {
        "up to date": 102,
        "missing": 0,
        "out of date": 0,
        "failed": 1,
    }
    assert told["assets"]["selection"]["up to date"] == 1


def test_nothing_was_asked_twice_and_searches_took_turns(dev: Dev) -> None:
    assert dev.ui.partition_stats("scores") == (102, 1, 103)
    runs = dev.ui.runs()
    assert Counter(run.status for run in runs if run.status != "SUCCESS") == {"FAILURE": 1}
    sensors = Counter(run.tags.get("dagster/sensor_name") for run in runs)
    # 77 at first, 11 more, two for the removal, 11 again, three explicit ones, 11 corrected.
    assert sensors["parameter_files_sensor"] == 7
    assert sensors["raw_data_sensor"] == 1
    for sensor in ("parameter_files_sensor", "raw_data_sensor", "selection_sensor"):
        assert dev.ui.ticks(sensor, "FAILURE") == []
    worked = sorted(run.steps["candidates"] for run in runs if "candidates" in run.steps)
    assert len(worked) >= 11  # and one more if the command found something left to do
    assert all(end <= start for (_, end), (start, _) in pairwise(worked))
