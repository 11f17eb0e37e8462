"""Arguments of ``iris-hpo export``."""

from typing import Any

import click

from iris_hpo.command.arguments.options import command, json_option, where
from iris_hpo.command.completing import complete_file


@command()
@where
@click.option(
    "--to",
    "kind",
    type=click.Choice(("optuna", "mlflow", "csv", "parquet")),
    required=True,
    help="The tool or format.",
)
@click.argument("place", required=False, shell_complete=complete_file)
@json_option("Print one JSON object that says what was written; it needs PLACE.")
def export(**options: Any) -> int:
    """Write the results of the last selection to PLACE, for another tool.

    optuna: a database such as sqlite:///study.db, or a journal file. mlflow: a tracking URI. csv,
    parquet: a file with scikit-learn's cv_results_; csv without PLACE goes to standard output.
    """
    from iris_hpo.command.export import export_results

    return export_results(**options)
