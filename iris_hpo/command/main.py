"""The command ``iris-hpo``: how it begins and ends. Its arguments are in `arguments`."""

import importlib
import io
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

import click

from iris_hpo import interrupts, left_behind, process_end, start_up
from iris_hpo.command.arguments import COMMANDS
from iris_hpo.command.completing import COMPLETE_VARIABLE
from iris_hpo.command.output import complain, take_stdout
from iris_hpo.machine import lack, limit_threads

_SENTENCE: Final = 200
"""Largest number of characters of a command's first sentence."""


class _Commands(click.Group):
    """The commands; each is imported when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as its base class
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as its base class
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"iris_hpo.command.arguments.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command with its whole first sentence."""
        with formatter.section("Commands"):
            commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
            rows = [
                (name, command.get_short_help_str(_SENTENCE))
                for name, command in commands.items()
                if command is not None
            ]
            formatter.write_dl(rows)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="iris_hpo")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Tune hyperparameters with Dagster: every candidate tracked, resumable and explained.

    Exit codes: 0 all is well, 1 some candidates (if all did, nothing is selected) or a check that
    blocks failed, 2 an input cannot be used.
    """
    interrupts.set_kept(kept=ctx.invoked_subcommand == "run")


def console() -> None:
    """Run the command as a process of its own."""
    start_up.collect_rarely()
    try:
        interrupts.watch()  # by a thread
    except RuntimeError as error:
        complain(f"iris-hpo: {lack(error) or error}")
        sys.exit(2)
    limit_threads()
    stdout = take_stdout()
    code = 1
    try:
        main()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
        raise
    finally:
        start_up.skip_last_collection()
        sys.stdout.flush()
        if stdout.problem:
            complain(f"iris-hpo: {stdout.problem}")
            code = 2
        left_behind.end_soon(code)
        if stdout.problem:
            sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; a mistake of the user ends it with one message and exit code 2."""
    from iris_hpo.errors import InputError

    code = 0
    try:
        with process_end.no_exit():
            code = cli(arguments, standalone_mode=False, complete_var=COMPLETE_VARIABLE) or 0
    except click.exceptions.Exit as leaving:
        code = leaving.exit_code
    except (click.Abort, KeyboardInterrupt):
        _end_interrupted(interrupts.received() or signal.SIGINT)
    except BaseException as error:
        number = interrupts.received()
        if number is not None:  # the error may come from work that was stopped halfway
            _end_interrupted(number)
        if isinstance(error, click.ClickException):
            shown = io.StringIO()
            error.show(shown)
            complain(shown.getvalue().rstrip("\n"))
            sys.exit(error.exit_code)
        problem = error if isinstance(error, InputError) else lack(error) or _foreign_end(error)
        if problem is None:
            raise
        complain(f"iris-hpo: {problem}")
        sys.exit(2)
    sys.exit(code)


def _foreign_end(error: BaseException) -> str | None:
    """Say which code has ended the command; None if nobody's has, or Click has by itself."""
    from iris_hpo.training.code_of_others import steers

    if isinstance(error, Exception) or steers(error):
        return None
    frames = traceback.extract_tb(error.__traceback__)
    place = [frame for frame in frames if frame.filename != process_end.__file__][-1]
    if Path(place.filename).is_relative_to(Path(click.__file__).parent):
        return None
    act = f"raised {type(error).__name__}: {error}"
    if isinstance(error, SystemExit):
        act = f"called exit ({error.code})"
    return (
        f"{place.filename}:{place.lineno} has {act}; a module that is imported and a model that is "
        "loaded or predicts must not end the command"
    )


def _end_interrupted(number: int) -> NoReturn:
    interrupts.ignore_more()
    complain(interrupts.last_line("stopped"))
    sys.exit(128 + number)
