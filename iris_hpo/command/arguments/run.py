"""Arguments of ``iris-hpo run``."""

from typing import Any

import click

from iris_hpo import start_up
from iris_hpo.command.arguments.options import (
    as_choices,
    command,
    json_option,
    search_settings,
    where,
    work_settings,
)
from iris_hpo.run_settings import DASK


@command()
@where
@search_settings
@work_settings
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@json_option()
def run(**options: Any) -> int:
    """Train and score what is missing or out of date, then select the best candidate."""
    if options["engine"] is None and options["dask_address"]:
        options["engine"] = DASK
    start_up.start_worker_of_first_run(options["engine"], options["search"], options["artifacts"])
    try:
        from iris_hpo.command.run import run_search

        return run_search(**as_choices(options))
    finally:
        start_up.end_spare_workers()
