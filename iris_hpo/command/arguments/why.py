"""Arguments of ``iris-hpo why``."""

from typing import Any

import click

from iris_hpo.command.arguments.options import (
    as_choices,
    command,
    json_option,
    search_settings,
    where,
)
from iris_hpo.command.completing import complete_candidate


@command()
@where
@click.argument("candidate", shell_complete=complete_candidate)
@search_settings
@json_option()
def why(**options: Any) -> int:
    """Explain CANDIDATE: what its results depend on, why they would be made again, its failure."""
    from iris_hpo.command.why import show_why

    return show_why(**as_choices(options))
