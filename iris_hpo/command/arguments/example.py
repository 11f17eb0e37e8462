"""Arguments of ``iris-hpo example``."""

from pathlib import Path

import click

from iris_hpo.command.arguments.options import command


@command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--search",
    type=click.Choice(("iris", "wine", "digits")),
    default="iris",
    show_default=True,
    help="The search of the project.",
)
def example(folder: Path, search: str) -> int:
    """Write a small project that works into FOLDER: a search, its data and its values."""
    from iris_hpo.command.example import write_example
    from iris_hpo.command.output import show

    show(write_example(folder, search))
    return 0
