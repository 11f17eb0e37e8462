"""The command, in this process or as one of its own."""

import io
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass

import pytest

from iris_hpo.command.main import main

Process = subprocess.Popen[str]


@dataclass(frozen=True)
class Answer:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str


@contextmanager
def environment_of(settings: Mapping[str, str | None]) -> Generator[pytest.MonkeyPatch]:
    """Set environment variables, or unset those that are None, for a command in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value or "")  # so that what the command sets is taken back
            if value is None:
                patch.delenv(name)
        # It would import what this process has imported long ago.
        patch.setattr("iris_hpo.engines.start_ahead", lambda *_, **__: None)
        yield patch


def call_command(surroundings: AbstractContextManager[object], arguments: Sequence[str]) -> Answer:
    """Run ``iris-hpo`` in this process, which saves the seconds of its imports."""
    out, err = io.StringIO(), io.StringIO()
    with (
        surroundings,
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as leaving,
    ):
        main(arguments)
    return Answer(int(leaving.value.code or 0), out.getvalue(), err.getvalue())


def finish(process: Process) -> Answer:
    """Wait for a process."""
    out, _ = process.communicate(timeout=240)
    return Answer(process.returncode, out, out)
