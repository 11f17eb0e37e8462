"""The tags by which Dagster knows versions and inputs of what a run logs by itself.

Dagster writes these for outputs. Events that are logged one by one, as each candidate finishes,
have to carry them, or nothing would ever be stale. The names are Dagster's own
(``dagster/_core/definitions/data_version.py``); they stand here and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import dagster as dg

DATA_VERSION: Final = "dagster/data_version"
CODE_VERSION: Final = "dagster/code_version"
_USER_PROVIDED: Final = "dagster/data_version_is_user_provided"


@dataclass(frozen=True)
class Input:
    """An upstream materialisation.

    Attributes
    ----------
    version
        Its data version.
    pointer
        Its storage id in the event log, or any id between it and the next of the same partition.
    code_version
        Of the asset when it was made, where it is known.
    """

    version: str
    pointer: int
    code_version: str = ""


def _input_version_tag(key: dg.AssetKey) -> str:
    return f"dagster/input_data_version/{key.to_user_string()}"


def _input_pointer_tag(key: dg.AssetKey) -> str:
    return f"dagster/input_event_pointer/{key.to_user_string()}"


def lineage_tags(
    data_version: str, code_version: str, inputs: Mapping[dg.AssetKey, Input]
) -> dict[str, str]:
    """All tags of a materialisation."""
    tags = {DATA_VERSION: data_version, CODE_VERSION: code_version, _USER_PROVIDED: "true"}
    for key, found in inputs.items():
        tags[_input_version_tag(key)] = found.version
        tags[_input_pointer_tag(key)] = str(found.pointer)
    return tags
