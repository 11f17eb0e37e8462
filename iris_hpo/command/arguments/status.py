"""Arguments of ``iris-hpo status``."""

from typing import Any

from iris_hpo.command.arguments.options import (
    as_choices,
    command,
    json_option,
    search_settings,
    where,
)


@command()
@where
@search_settings
@json_option()
def status(**options: Any) -> int:
    """Count for each asset what is up to date, missing, out of date and failed."""
    from iris_hpo.command.show import show_status

    return show_status(**as_choices(options))
