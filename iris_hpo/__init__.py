"""Hyperparameter tuning as a Dagster project: every candidate is a tracked partition.

`SearchSpec` describes a search, `build_search` makes its Dagster definitions, and the component
`HyperparameterSearch` makes them from YAML. `load_searches` loads all searches of a folder `defs`,
and `load_study` the results of a search.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from iris_hpo.component import HyperparameterSearch
    from iris_hpo.loading import load_study
    from iris_hpo.orchestration.build import build_search
    from iris_hpo.projects import load_searches
    from iris_hpo.spec import SearchSpec

__all__ = ["HyperparameterSearch", "SearchSpec", "build_search", "load_searches", "load_study"]

_HOMES: Final = {
    "HyperparameterSearch": "iris_hpo.component",
    "SearchSpec": "iris_hpo.spec",
    "build_search": "iris_hpo.orchestration.build",
    "load_searches": "iris_hpo.projects",
    "load_study": "iris_hpo.loading",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``iris-hpo --help`` need not wait."""
    if name not in _HOMES:
        raise AttributeError(f"module 'iris_hpo' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
