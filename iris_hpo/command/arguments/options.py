"""Options that several commands have, and the decorator that makes a command."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import click

from iris_hpo.command.completing import complete_folder, complete_search
from iris_hpo.command.output import Command
from iris_hpo.run_settings import (
    SamplingSettings,
    SelectionSettings,
    Setting,
    SettingsGroup,
    SplitSettings,
    WorkSettings,
    settings_of,
)

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

command = partial(click.command, cls=Command)
"""Makes a command of a function."""


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


def json_option(text: str = "Print one JSON object and nothing else.") -> Decorator:
    """Make the option ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help=text)


folders = _options(
    click.option(
        "--data",
        metavar="FOLDER",
        shell_complete=complete_folder,
        help="The data folder.  [default: IRIS_HPO_DATA or data]",
    ),
    click.option(
        "--artifacts",
        metavar="FOLDER|URL",
        shell_complete=complete_folder,
        help="Where results are kept.  [default: IRIS_HPO_ARTIFACTS or artifacts]",
    ),
)
"""Options that name the folders of a project."""

where = _options(
    click.option(
        "--search",
        metavar="NAME",
        shell_complete=complete_search,
        help="A search of the project in this folder.  [default: the only one]",
    ),
    folders,
)
"""Options that name the search and its folders."""

search_settings = _options(
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
    *_described(SamplingSettings, with_defaults=False),
    click.option(
        "--defaults",
        is_flag=True,
        help="Take the search's own settings where none are given, not those of the last run.",
    ),
)
"""Options that decide results."""

work_settings = _options(*_described(WorkSettings, with_defaults=True))
"""Options on how the work is done."""


def as_choices(options: dict[str, Any]) -> dict[str, Any]:
    """Add --kernel to the choices of --set."""
    kernel = options.pop("kernel")
    if kernel is not None:
        options["choices"] = (f"kernel={kernel}", *options["choices"])
    return options
