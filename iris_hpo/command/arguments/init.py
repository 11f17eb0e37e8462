"""Arguments of ``iris-hpo init``."""

from pathlib import Path
from typing import Any

import click

from iris_hpo.command.arguments.options import command, json_option


@command()
@click.argument("table", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--target", required=True, help="The column to predict: its name or position.")
@click.option("--estimator", metavar="NAME", help="Such as svm; a wrong name lists all.")
@click.option("--task", type=click.Choice(("classification", "regression")))
@click.option(
    "--write",
    "written",
    metavar="FIELD",
    multiple=True,
    help="How to read the table, in YAML: columns, header, skip_lines, without_target, "
    "encoding or missing.",
)
@json_option()
def init(**options: Any) -> int:
    """Make a project in FOLDER to tune a model on TABLE; task and estimator follow the table."""
    from iris_hpo.command.init import write_project

    return write_project(**options)
