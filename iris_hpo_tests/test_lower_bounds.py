"""The lower bounds of setup.cfg are the versions that `make lowest` tests together."""

import re
from configparser import ConfigParser

import pytest
from packaging.requirements import Requirement

from iris_hpo_tests.processes import REPOSITORY

TESTED_EXTRAS = ("dask", "optuna", "parquet", "postgres", "s3")


def lines_of(text: str) -> list[str]:
    stripped = (line.strip() for line in text.splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


def requirements() -> list[Requirement]:
    setup = ConfigParser()
    setup.read(REPOSITORY / "setup.cfg")
    extras = setup["options.extras_require"]
    texts = [setup["options"]["install_requires"], *(extras[name] for name in TESTED_EXTRAS)]
    return [Requirement(line) for text in texts for line in lines_of(text)]


def pinned() -> dict[str, str]:
    lines = lines_of((REPOSITORY / "constraints-lowest.txt").read_text())
    return dict(line.split("==") for line in lines)


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_a_lower_bound_is_tested(requirement: Requirement) -> None:
    version = pinned()[requirement.name]
    assert requirement.specifier.contains(version)
    for bound in requirement.specifier:
        if bound.operator == ">=":
            assert re.fullmatch(rf"{re.escape(bound.version)}(\.0)*", version)


def test_dagster_is_of_the_minor_version_whose_inner_parts_are_used() -> None:
    bounds = {found.name: str(found.specifier) for found in requirements()}

    assert bounds["dagster"] == bounds["dagster-webserver"] == "<1.14,>=1.13.18"
