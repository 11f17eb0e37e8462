"""Arguments of ``iris-hpo leaderboard``."""

from typing import Any

import click

from iris_hpo.command.arguments.options import command, json_option, where


@command()
@where
@click.option("--top", type=click.IntRange(1), metavar="N", help="Only the first N rows.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "csv", "json")),
    default="table",
    show_default=True,
)
@json_option("Short for --format json.")
def leaderboard(**options: Any) -> int:
    """Print the leaderboard of the last selection."""
    from iris_hpo.command.show import show_leaderboard

    if options.pop("as_json"):
        options["form"] = "json"
    return show_leaderboard(**options)
