"""The file that a user names for a result."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from iris_hpo.errors import InputError
from iris_hpo.orchestration.study import Study

_STDOUT: Final = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
_SOURCES: Final = (".py", ".toml", ".yaml", ".yml")


def is_stdout(place: Path | str | None) -> bool:
    """Whether a result is for standard output, which `take_stdout` has given another descriptor."""
    return place is None or str(place) in _STDOUT


def refuse_kept(place: Path, study: Study) -> None:
    """Refuse to replace what a search is made of, or what it and Dagster have recorded.

    Raises
    ------
    InputError
        If the file exists and is one of these.
    """
    if not place.is_file():
        return
    real = Path(os.path.realpath(place))
    for what, kept in _kept(study):
        if Path(os.path.realpath(kept)) in (real, *real.parents):
            raise InputError(f"{place} is {what}, and is not replaced; name another file")
    if real.suffix in _SOURCES and Path(os.path.realpath(study.spec.home)) in real.parents:
        raise InputError(f"{place} is part of the project, and is not replaced; name another file")


def _kept(study: Study) -> Iterator[tuple[str, str | Path]]:
    spec, storage = study.spec, study.storage
    if spec.data_file:
        yield "the data of the search", storage.data_file(spec)
    yield "one of the parameter files", storage.parameters_folder(spec)
    yield "an artifact of the search", str(study.store.root)
    yield "a file of the Dagster instance", os.environ["DAGSTER_HOME"]
