"""Arguments of ``iris-hpo reset``."""

from typing import Any

import click

from iris_hpo.command.arguments.options import command, json_option, where


@command()
@where
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
@json_option()
def reset(**options: Any) -> int:
    """Delete the candidates that a sampler proposed, so that it begins again.

    Candidates of the parameter files stay, and so do stored results: they are used again where the
    sampler proposes the same.
    """
    from iris_hpo.command.reset import reset_search

    return reset_search(**options)
