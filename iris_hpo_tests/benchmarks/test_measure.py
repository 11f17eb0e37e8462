"""Measuring real processes."""

import os
import sys

import pytest

from benchmarks.measure import CommandFailedError, measure

HOLD = "import time; data = bytearray({megabytes} * 10**6); print(len(data)); time.sleep(1)"
SPIN = "import time\nwhile time.process_time() < {seconds}: pass"


def run(code, tmp_path):
    return measure(
        [sys.executable, "-c", code],
        folder=tmp_path,
        environment=os.environ,
        output=tmp_path / "output",
    )


def with_child(code):
    return f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}], check=True)"


def test_a_command_is_timed_until_it_ends(tmp_path):
    measured = run("import time; time.sleep(0.5); print('done')", tmp_path)

    assert measured.seconds >= 0.5
    assert (tmp_path / "output").read_text() == "done\n"


def test_memory_is_that_of_the_whole_tree_and_of_the_driver(tmp_path):
    measured = run(with_child(HOLD.format(megabytes=200)), tmp_path)

    assert measured.peak_mb > 200
    assert measured.driver_mb < 100


def test_memory_of_the_driver_counts_in_both(tmp_path):
    measured = run(HOLD.format(megabytes=200), tmp_path)

    assert measured.peak_mb >= measured.driver_mb > 200


def test_cpu_time_of_children_counts(tmp_path):
    busy = run(with_child(SPIN.format(seconds=1)), tmp_path)
    idle = run(with_child("import time; time.sleep(1)"), tmp_path)

    assert busy.cpu_seconds >= 1 > idle.cpu_seconds


def test_a_command_that_fails_is_told_with_what_it_said(tmp_path):
    with pytest.raises(CommandFailedError, match=r"exit code 3\n(?s:.*)no such thing"):
        run("import sys; print('no such thing', file=sys.stderr); sys.exit(3)", tmp_path)


def test_memory_of_a_command_that_ends_at_once_is_known(tmp_path):
    assert run("pass", tmp_path).driver_mb > 1
