"""Arguments of ``iris-hpo report``."""

from pathlib import Path
from typing import Any

import click

from iris_hpo.command.arguments.options import command, json_option, where


@command()
@where
@click.option("--output", type=click.Path(path_type=Path), help="Write here, not to the artifacts.")
@click.option("--open/--no-open", "is_opened", default=True, help="Open it in the browser.")
@json_option("Print one JSON object with the place of the file.")
def report(**options: Any) -> int:
    """Write a page of the last selection, one file that opens without a network.

    It needs Bokeh: pip install 'iris_hpo[report]'.
    """
    from iris_hpo.command.report import write_report

    return write_report(**options)
