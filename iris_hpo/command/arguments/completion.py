"""Arguments of ``iris-hpo completion``."""

import click

from iris_hpo.command.arguments.options import command
from iris_hpo.command.completing import SHELLS, script_of
from iris_hpo.command.output import show


@command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print the script with which SHELL completes commands, options, searches and candidates.

    bash and zsh: add  eval "$(iris-hpo completion bash)"  or zsh to ~/.bashrc or ~/.zshrc. fish:
    write the script to ~/.config/fish/completions/iris-hpo.fish.
    """
    show(script_of(shell, context.find_root().command))
    return 0
