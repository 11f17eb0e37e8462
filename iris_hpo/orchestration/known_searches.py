"""The searches that this process has built, and those that it could not load, by name."""

from collections.abc import Generator
from contextlib import contextmanager

from iris_hpo.spec import SearchSpec

_BUILT: dict[str, list[SearchSpec]] = {}
_BROKEN: dict[str, str] = {}


def built_searches() -> dict[str, SearchSpec]:
    """The searches that this process has built.

    The command imports a project's definitions to find its searches, whether they are written in
    Python or in YAML.
    """
    return {name: specs[-1] for name, specs in _BUILT.items()}


def ambiguous_searches() -> set[str]:
    """Names that this process has built different searches under."""
    return {name for name, specs in _BUILT.items() if any(spec != specs[0] for spec in specs)}


def broken_searches() -> dict[str, str]:
    """Messages of the searches that this process could not load."""
    return dict(_BROKEN)


def add_built(spec: SearchSpec) -> None:
    """Note that a search is built."""
    _BUILT.setdefault(spec.name, []).append(spec)


def add_broken(name: str, message: str) -> None:
    """Note why a search cannot be loaded."""
    _BROKEN[name] = message


def with_partitions_of(spec: SearchSpec) -> list[SearchSpec]:
    """Other searches of the same project with the partitions of this one."""
    return [
        other
        for built in _BUILT.values()
        for other in built
        if (other.home, other.partitions) == (spec.home, spec.partitions)
        and other.name != spec.name
    ]


@contextmanager
def no_searches() -> Generator[None]:
    """Know no search within the block, and afterwards those from before alone."""
    built, broken = dict(_BUILT), dict(_BROKEN)
    _BUILT.clear()
    _BROKEN.clear()
    try:
        yield
    finally:
        _BUILT.clear()
        _BUILT.update(built)
        _BROKEN.clear()
        _BROKEN.update(broken)
