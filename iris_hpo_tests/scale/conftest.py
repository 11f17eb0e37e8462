"""Servers that several test modules share."""

from collections.abc import Iterator

import pytest

from iris_hpo_tests.scale.postgres import Postgres, postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server; each test makes its own database."""
    with postgres_server() as server:
        yield server
