"""Definitions of a search that cannot be loaded: they show its message, and other searches work.

If definitions are only validated, as by ``dg check defs``, the error is raised instead.
"""

import hashlib
import logging
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn

import dagster as dg

from iris_hpo.orchestration.champion_io import CHAMPION_RESOURCES
from iris_hpo.orchestration.known_searches import add_broken
from iris_hpo.orchestration.names import CHAMPION, CODE_VERSIONS, failure, log_line
from iris_hpo.text import readable

SEARCH: Final = "search"
PYTHON_FILE: Final = "Python file"
YAML_FILE: Final = "YAML file"
"""Kinds of what cannot be loaded."""

_BROKEN: Final = "broken"
"""What Dagster calls the kind of the assets of such a search, in the graph too."""
_PLAIN: Final = re.compile(r"\w{1,100}", re.ASCII)
_SHOWN: Final = 60


def is_validating() -> bool:
    """Whether Dagster loads the definitions only to find mistakes in them."""
    return bool(os.environ.get("DAGSTER_IS_DEFS_VALIDATION_CLI"))


def build_broken(name: str, message: str, kind: str = SEARCH) -> dg.Definitions:
    """Define what stands in place of a search that cannot be loaded.

    Its assets show the message in the graph, and the sensor shows it as a failed tick. All names of
    a search are there, as a project's own assets, jobs and schedules may use them: without them,
    nothing of the project could be loaded.

    Parameters
    ----------
    kind
        What cannot be loaded: a search, or a file that may define any.
    """
    message = readable(message)
    add_broken(name, message)
    word = _word(name)
    assets = ("parameters",) if kind == PYTHON_FILE else tuple(CODE_VERSIONS)
    keys = [dg.AssetKey([word, asset]) for asset in assets]

    @dg.sensor(
        name=f"{word}_parameter_files_sensor",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Fails because its {kind} cannot be loaded.",
    )
    def sensor() -> NoReturn:
        raise failure(message)

    jobs = {"search": keys[:-1], "select": keys[-1:]} if len(keys) > 1 else {}
    return dg.Definitions(
        assets=[_build_assets(word, keys, f"This {kind} cannot be loaded.", message)],
        jobs=[
            dg.define_asset_job(f"{word}_{job}", dg.AssetSelection.assets(*made))
            for job, made in jobs.items()
        ],
        sensors=[sensor],
        resources=CHAMPION_RESOURCES,
    )


def _build_assets(
    word: str, keys: Sequence[dg.AssetKey], title: str, message: str
) -> dg.AssetsDefinition:
    """Define assets that fail a run which can make nothing else, and are passed over in others."""

    @dg.multi_asset(
        name=f"{word}__broken",
        specs=[
            dg.AssetSpec(
                key,
                group_name=word,
                description=f"{title}\n\n```\n{message}\n```",
                kinds={_BROKEN},
                skippable=True,
            ).with_io_manager_key(CHAMPION)
            for key in keys
        ],
        can_subset=True,
    )
    def broken(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        if not _makes_others(context):
            raise failure(message)
        log_line(context.log, f"{title} {message}", logging.ERROR)
        yield from ()

    return broken


def _makes_others(context: dg.AssetExecutionContext) -> bool:
    """Whether a run has assets that depend on nothing broken."""
    graph = context.job_def.asset_layer.asset_graph
    needed = (
        graph.get_ancestor_asset_keys(key, include_self=True) for key in graph.executable_asset_keys
    )
    return any(not any(_BROKEN in graph.get(key).kinds for key in keys) for keys in needed)


def _word(name: str) -> str:
    """Make a name that Dagster allows, different for each name."""
    if _PLAIN.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9_]', '_', name)[:_SHOWN]}_{digest[:8]}"
