"""`make dev` says that its port is taken, and ends."""

import os
import socket
import subprocess
import sys

import pytest

from iris_hpo.command.port import problem_of
from iris_hpo_tests.processes import REPOSITORY, free_port


def test_a_free_port_is_no_problem() -> None:
    assert not problem_of(str(free_port()))


def test_a_taken_port_is_named_with_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert problem_of(str(port)) == (
            f"port {port} cannot be used: Address already in use; end what listens on it, or "
            "choose another, for example: make dev PORT=3001"
        )


@pytest.mark.parametrize("port", ["", "x", "0", "65536", "-1", "²"])
def test_an_invalid_port_is_refused(port: str) -> None:
    assert problem_of(port) == f"PORT {port!r} must be a whole number, 1 to 65535"


def test_a_home_that_dagster_misreads_is_no_place_to_serve() -> None:
    """`dagster dev` itself would start, without the settings of the project."""
    check = [sys.executable, "-m", "iris_hpo.command.port", str(free_port())]
    environment = {**os.environ, "DAGSTER_HOME": "/tmp/br[1]/.dagster"}
    result = subprocess.run(
        check, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr.startswith("DAGSTER_HOME '/tmp/br[1]/.dagster' contains [ and ], which")


def test_make_dev_looks_first() -> None:
    lines = (REPOSITORY / "Makefile").read_text().splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("dev:"))
    assert "iris_hpo.command.port $(PORT)" in lines[start + 1]
    assert "dg dev" in lines[start + 2]
