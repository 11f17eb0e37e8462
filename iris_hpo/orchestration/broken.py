"""Definitions of a search that cannot be loaded: they show its message, and other searches work.

If definitions are only validated, as by ``dg check defs``, the error is raised instead.
"""

import hashlib
import os
import re
from typing import Final, NoReturn

import dagster as dg

from iris_hpo.orchestration.known_searches import add_broken
from iris_hpo.orchestration.names import failure
from iris_hpo.text import readable

_PLAIN: Final = re.compile(r"\w{1,100}", re.ASCII)
_SHOWN: Final = 60


def is_validating() -> bool:
    """Whether Dagster loads the definitions only to find mistakes in them."""
    return bool(os.environ.get("DAGSTER_IS_DEFS_VALIDATION_CLI"))


def build_broken(name: str, message: str, kind: str = "search") -> dg.Definitions:
    """Define an asset and a sensor in place of a search that cannot be loaded.

    The asset shows the message in the graph, and the sensor shows the message as a failed tick. The
    asset cannot be materialised, so that a job over all assets of the project does not fail by it.

    Parameters
    ----------
    kind
        What cannot be loaded: a search, or a file that may define any.
    """
    message = readable(message)
    add_broken(name, message)
    word = _word(name)

    parameters = dg.AssetSpec(
        [word, "parameters"],
        group_name=word,
        description=f"This {kind} cannot be loaded.\n\n```\n{message}\n```",
        kinds={"broken"},
    )

    @dg.sensor(
        name=f"{word}_parameter_files_sensor",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Fails because its {kind} cannot be loaded.",
    )
    def sensor() -> NoReturn:
        raise failure(message)

    return dg.Definitions(assets=[parameters], sensors=[sensor])


def _word(name: str) -> str:
    """Make a name that Dagster allows, different for each name."""
    if _PLAIN.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9_]', '_', name)[:_SHOWN]}_{digest[:8]}"
