"""A search that cannot be made: it is shown with its message, and the others of the project work.

Where definitions are only validated, as by ``dg check defs``, the error is raised instead.
"""

import hashlib
import os
import re
from typing import Final, NoReturn

import dagster as dg

from iris_hpo.orchestration.names import failure
from iris_hpo.text import readable

_PLAIN: Final = re.compile(r"\w{1,100}", re.ASCII)
_SHOWN: Final = 60

_BROKEN: dict[str, str] = {}


def broken_searches() -> dict[str, str]:
    """Messages of the searches that this process could not make, by name."""
    return dict(_BROKEN)


def is_validating() -> bool:
    """Whether Dagster loads the definitions only to find mistakes in them."""
    return bool(os.environ.get("DAGSTER_IS_DEFS_VALIDATION_CLI"))


def build_broken(name: str, message: str) -> dg.Definitions:
    """Define what stands for a search that cannot be made: all of it fails with the message.

    An asset shows the message in the graph, and a sensor shows it as a failed tick.
    """
    message = readable(message)
    _BROKEN[name] = message
    word = _word(name)

    def fail() -> NoReturn:
        raise failure(message)

    @dg.asset(
        key=[word, "parameters"],
        group_name=word,
        description=f"This search cannot be loaded.\n\n```\n{message}\n```",
        kinds={"broken"},
    )
    def parameters() -> None:
        fail()

    @dg.sensor(
        name=f"{word}_parameter_files_sensor",
        target=parameters,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Fails because its search cannot be loaded.",
    )
    def sensor() -> None:
        fail()

    return dg.Definitions(assets=[parameters], sensors=[sensor])


def _word(name: str) -> str:
    """Make a name that Dagster allows, another one for each name."""
    if _PLAIN.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9_]', '_', name)[:_SHOWN]}_{digest[:8]}"
