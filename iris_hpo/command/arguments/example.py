"""Arguments of ``iris-hpo example``."""

from pathlib import Path

import click

from iris_hpo.command.arguments.options import command, json_option


@command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--search",
    type=click.Choice(("iris", "wine", "digits")),
    default="iris",
    show_default=True,
    help="The search of the project.",
)
@json_option()
def example(folder: Path, search: str, *, as_json: bool) -> int:
    """Write a small project that works into FOLDER: a search, its data and its values."""
    from iris_hpo.command.example import show_example

    return show_example(folder, search, as_json=as_json)
