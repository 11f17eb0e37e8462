"""What every subcommand needs: the search, the instance, the storage, the settings."""

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from iris_hpo.iris import iris_search
from iris_hpo.orchestration.plan import Settings
from iris_hpo.orchestration.storage import Storage
from iris_hpo.search.errors import InputError
from iris_hpo.search.spec import Rule, SearchSpec, check_rule
from iris_hpo.search.splitting import SplitSettings


@dataclass(frozen=True)
class Session:
    """A search on an instance."""

    spec: SearchSpec
    instance: dg.DagsterInstance
    storage: Storage


@contextmanager
def open_session(data: str | None, artifacts: str | None) -> Generator[Session]:
    """Open the search on the instance of DAGSTER_HOME, by default ``.dagster`` of the project."""
    spec = iris_search()
    home = os.environ.setdefault("DAGSTER_HOME", str(spec.home / ".dagster"))
    if not Path(home).is_absolute():
        raise InputError(f"DAGSTER_HOME {home!r} must be an absolute path")
    try:
        Path(home).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"DAGSTER_HOME {home} cannot be made: {error.strerror}") from error
    with dg.DagsterInstance.get() as instance:
        yield Session(spec, instance, Storage(data=_absolute(data), artifacts=_absolute(artifacts)))


def read_settings(
    spec: SearchSpec,
    *,
    kernel: str | None,
    choices: Sequence[str],
    test_size: float | None,
    seed: int | None,
    folds: int | None,
) -> Settings:
    """Complete what was given by the search's defaults.

    Raises
    ------
    InputError
        If a setting does not exist or cannot have this value.
    """
    chosen = {choice.name: choice.default for choice in spec.choices}
    if kernel is not None:
        chosen["kernel"] = kernel
    for choice in choices:
        name, equals, value = choice.partition("=")
        if not equals:
            raise InputError(f"--set {choice!r}: write NAME=VALUE")
        chosen[name] = value
    spec.recipe(chosen)
    default = spec.split
    split = SplitSettings(
        default.test_size if test_size is None else test_size,
        default.seed if seed is None else seed,
        default.folds if folds is None else folds,
        default.stratify,
    )
    return Settings(split, chosen)


def read_rule(spec: SearchSpec, rule: str | None, settings: Settings) -> Rule:
    """The rule that was given, or the search's, if the folds allow it."""
    return check_rule(rule or spec.rule, settings.split.folds)


def _absolute(folder: str | None) -> str | None:
    if folder is None or "://" in folder:
        return folder
    return str(Path(folder).absolute())
