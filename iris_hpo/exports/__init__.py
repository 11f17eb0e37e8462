"""Take-away: the results of a selection in the form of other tools.

Each kind of export has a module. What is stored is read elsewhere; nothing is computed again.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final, cast

from iris_hpo.errors import InputError
from iris_hpo.selection.results import Results

Export = Callable[[Results, str], str]
"""Writes results to a place, and returns a line that says what was written."""

EXPORTS: Final[Mapping[str, str]] = {
    "optuna": "iris_hpo.exports.optuna_study.to_optuna",
    "mlflow": "iris_hpo.exports.mlflow_runs.to_mlflow",
    "csv": "iris_hpo.exports.cv_results.to_csv_file",
    "parquet": "iris_hpo.exports.cv_results.to_parquet_file",
}
"""The kinds of exports, with the import path of each."""

_EXTRAS: Final = {
    "optuna": ("optuna",),
    "mlflow": ("mlflow", "alembic"),
    "parquet": ("pyarrow",),
}
"""Packages that a kind needs, of the extra of the same name."""


def export_of(kind: str) -> Export:
    """Return the function that makes a kind of export.

    Raises
    ------
    InputError
        If a package that it needs is not installed.
    """
    try:
        for package in _EXTRAS.get(kind, ()):
            import_module(package)
    except ImportError as error:
        raise InputError(
            f"the export to {kind} needs a package that cannot be imported ({error}): "
            f"pip install 'iris_hpo[{kind}]'"
        ) from error
    module, _, name = EXPORTS[kind].rpartition(".")
    return cast("Export", getattr(import_module(module), name))
