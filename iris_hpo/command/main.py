"""The command ``iris-hpo``: its arguments. What they do is imported when it is called."""

import io
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from iris_hpo import interrupts, start_up
from iris_hpo.command.output import Command, complain, take_stdout
from iris_hpo.run_settings import (
    DASK,
    SelectionSettings,
    Setting,
    SettingsGroup,
    SplitSettings,
    WorkSettings,
    settings_of,
)

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _options(*decorators: Decorator) -> Decorator:
    def apply(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


def _described(group: SettingsGroup, *, with_defaults: bool) -> Iterator[Decorator]:
    """Make the options of a group of settings."""
    for setting in settings_of(group):
        if setting.is_option:
            yield _option(setting, setting.default if with_defaults else None)


def _option(setting: Setting, default: Any) -> Decorator:
    if setting.type is bool:
        return click.option(setting.option, is_flag=True, default=default, help=setting.text)
    return click.option(
        setting.option,
        type=click.Choice(setting.names) if setting.names else setting.type,
        metavar=setting.metavar,
        default=default,
        show_default=default is not None,
        help=setting.text,
    )


_where = _options(
    click.option(
        "--search",
        metavar="NAME",
        help="A search of the project in this folder.  [default: the only one]",
    ),
    click.option(
        "--data", metavar="FOLDER", help="The data folder.  [default: IRIS_HPO_DATA or data]"
    ),
    click.option(
        "--artifacts",
        metavar="FOLDER|URL",
        help="Where results are kept.  [default: IRIS_HPO_ARTIFACTS or artifacts]",
    ),
)
_search_settings = _options(
    click.option("--kernel", metavar="NAME", help="Short for --set kernel=NAME."),
    click.option(
        "--set",
        "choices",
        multiple=True,
        metavar="NAME=VALUE",
        help="Change a setting of the estimator that the search offers.",
    ),
    *_described(SplitSettings, with_defaults=False),
    *_described(SelectionSettings, with_defaults=False),
    click.option(
        "--defaults",
        is_flag=True,
        help="Take the search's own settings where none are given, not those of the last run.",
    ),
)
_work_settings = _options(*_described(WorkSettings, with_defaults=True))


class _Commands(click.Group):
    command_class = Command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="iris_hpo")
def cli() -> None:
    """Tune hyperparameters with Dagster: every candidate tracked, resumable and explained.

    Exit codes: 0 all is well, 1 some candidates (if all did, nothing is selected) or a check that
    blocks failed, 2 an input cannot be used.
    """


@cli.command()
@_where
@_search_settings
@_work_settings
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def run(**options: Any) -> int:
    """Train and score what is missing or out of date, then select the best candidate."""
    if options["engine"] is None and options["dask_address"]:
        options["engine"] = DASK
    start_up.start_worker_of_first_run(options["engine"], options["search"], options["artifacts"])
    try:
        from iris_hpo.command.run import run_search

        return run_search(**_as_choices(options))
    finally:
        start_up.end_spare_workers()


def _as_choices(options: dict[str, Any]) -> dict[str, Any]:
    """Add --kernel to the choices of --set."""
    kernel = options.pop("kernel")
    if kernel is not None:
        options["choices"] = (f"kernel={kernel}", *options["choices"])
    return options


@cli.command()
@_where
@_search_settings
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(**options: Any) -> int:
    """Count for each asset what is up to date, missing, out of date and failed."""
    from iris_hpo.command.show import show_status

    return show_status(**_as_choices(options))


@cli.command()
@_where
@click.option("--top", type=click.IntRange(1), metavar="N", help="Only the first N rows.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "csv", "json")),
    default="table",
    show_default=True,
)
def leaderboard(**options: Any) -> int:
    """Print the leaderboard of the last selection."""
    from iris_hpo.command.show import show_leaderboard

    return show_leaderboard(**options)


@cli.command()
@_where
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output", type=click.Path(path_type=Path), help="Write here instead of standard output."
)
@click.option(
    "--proba", is_flag=True, help="Write CSV with the probability of each class, a column each."
)
@click.option("--json", "as_json", is_flag=True, help="Write a list in JSON.")
@click.option(
    "--ensemble", is_flag=True, help="Predict with the vote of the selected models, if it was made."
)
def predict(**options: Any) -> int:
    """Predict the rows of FILE with the champion, and print one label or number a line.

    FILE names the features in a header, in any order, or holds them in the order of training; other
    columns, such as the true labels, are ignored. Rows keep their order.
    """
    from iris_hpo.command.predict import predict_file

    return predict_file(**options)


@cli.command()
@_where
@click.option("--output", type=click.Path(path_type=Path), help="Write here, not to the artifacts.")
@click.option("--open/--no-open", "is_opened", default=True, help="Open it in the browser.")
def report(**options: Any) -> int:
    """Write a page of the last selection, one file that opens without a network.

    It needs Bokeh: pip install 'iris_hpo[report]'.
    """
    from iris_hpo.command.report import write_report

    return write_report(**options)


@cli.command()
@_where
@click.option(
    "--to",
    "kind",
    type=click.Choice(("optuna", "mlflow", "csv", "parquet")),
    required=True,
    help="The tool or format.",
)
@click.argument("place", required=False)
def export(**options: Any) -> int:
    """Write the results of the last selection to PLACE, for another tool.

    optuna: a database such as sqlite:///study.db, or a journal file. mlflow: a tracking URI. csv,
    parquet: a file with scikit-learn's cv_results_; csv without PLACE goes to standard output.
    """
    from iris_hpo.command.export import export_results

    return export_results(**options)


@cli.command()
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


@cli.command()
@click.argument("table", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--target", required=True, help="The column to predict: its name or position.")
@click.option("--estimator", metavar="NAME", help="Such as svm; a wrong name lists all.")
@click.option("--task", type=click.Choice(("classification", "regression")))
def init(**options: Any) -> int:
    """Make a project in FOLDER to tune a model on TABLE; task and estimator follow the table."""
    from iris_hpo.command.init import write_project

    return write_project(**options)


def console() -> None:
    """Run the command as a process of its own."""
    start_up.collect_rarely()
    interrupts.watch()
    stdout = take_stdout()
    try:
        main()
    finally:
        start_up.skip_last_collection()
        sys.stdout.flush()
        if stdout.problem:
            complain(f"iris-hpo: {stdout.problem}")
            sys.exit(2)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; a mistake of the user ends it with one message and exit code 2."""
    from iris_hpo.errors import InputError

    code = 0
    try:
        code = cli(arguments, standalone_mode=False) or 0
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
        if not isinstance(error, InputError):
            raise
        complain(f"iris-hpo: {error}")
        sys.exit(2)
    sys.exit(code)


def _end_interrupted(number: int) -> NoReturn:
    interrupts.ignore_more()
    complain("iris-hpo: stopped; finished candidates are kept, run it again to go on")
    sys.exit(128 + number)
