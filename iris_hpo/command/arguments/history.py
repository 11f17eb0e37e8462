"""Arguments of ``iris-hpo history``."""

from typing import Any

import click

from iris_hpo.command.arguments.options import command, json_option, where


@command()
@where
@click.option("--last", type=click.IntRange(1), metavar="N", help="Only the last N selections.")
@json_option()
def history(**options: Any) -> int:
    """List the selections, the latest last, and how each champion compares with the one before."""
    from iris_hpo.command.history import show_history

    return show_history(**options)
