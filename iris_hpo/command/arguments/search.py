"""Arguments of ``iris-hpo search``."""

from typing import Any

from iris_hpo.command.arguments.options import command, folders, json_option


@command()
@folders
@json_option()
def search(**options: Any) -> int:
    """List the searches of the project: their models, candidates, states and champions."""
    from iris_hpo.command.searches import show_searches

    return show_searches(**options)
