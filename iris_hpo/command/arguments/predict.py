"""Arguments of ``iris-hpo predict``."""

from pathlib import Path
from typing import Any

import click

from iris_hpo.command.arguments.options import command, json_option, where


@command()
@where
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output", type=click.Path(path_type=Path), help="Write here instead of standard output."
)
@click.option(
    "--proba", is_flag=True, help="Write CSV with the probability of each class, a column each."
)
@json_option("Write a list in JSON.")
@click.option(
    "--ensemble", is_flag=True, help="Predict with the vote of the selected models, if it was made."
)
def predict(**options: Any) -> int:
    """Predict the rows of FILE with the champion, and print one label or number a line.

    FILE names the features in a header, in any order, or holds them in the order of training; other
    columns, such as the true labels, are ignored. Rows keep their order.
    """
    from iris_hpo.command.predict import predict_file

    return predict_file(**options)
