"""Contracts: what every part of a kind promises, as tests to run on one of your own.

A contract is a class of tests. Subclass it in a test module with the one method that it lacks,
which makes the thing to test; pytest collects the rest::

    from iris_hpo.testing import EngineContract


    class TestMyEngine(EngineContract):
        def make_engine(self):
            return MyEngine()

Nothing else in the package imports this module or pytest.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from iris_hpo.testing.engines import EngineContract, WorkersContract
    from iris_hpo.testing.objectives import ObjectiveContract
    from iris_hpo.testing.reports import ReportContract
    from iris_hpo.testing.samplers import SamplerContract
    from iris_hpo.testing.splitters import SplitterContract
    from iris_hpo.testing.stores import StoreContract

__all__ = [
    "EngineContract",
    "ObjectiveContract",
    "ReportContract",
    "SamplerContract",
    "SplitterContract",
    "StoreContract",
    "WorkersContract",
]

_HOMES: Final = {
    "EngineContract": "iris_hpo.testing.engines",
    "ObjectiveContract": "iris_hpo.testing.objectives",
    "ReportContract": "iris_hpo.testing.reports",
    "SamplerContract": "iris_hpo.testing.samplers",
    "SplitterContract": "iris_hpo.testing.splitters",
    "StoreContract": "iris_hpo.testing.stores",
    "WorkersContract": "iris_hpo.testing.engines",
}

if "pytest" in sys.modules:  # so that a failed assertion is shown with its values
    sys.modules["pytest"].register_assert_rewrite(
        "iris_hpo.testing.engine_draws", *sorted(set(_HOMES.values()))
    )


def __getattr__(name: str) -> Any:
    """Import a contract when it is first used: worker processes import only the work of its tests.

    Raises
    ------
    ImportError
        If pytest is not installed.
    """
    if name not in _HOMES:
        raise AttributeError(f"module 'iris_hpo.testing' has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        if error.name != "pytest":
            raise
        raise ImportError("iris_hpo.testing needs pytest; pip install pytest") from error


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
