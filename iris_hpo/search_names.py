"""Names of searches, which prefix assets, jobs, files and partitions."""

import re
from typing import Final

from iris_hpo.errors import InputError

TAKEN: Final = ("models", "parameters", "scores", "search", "selection", "split")
"""What the one search without a prefix calls its folders and its partitions."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,49}", re.ASCII)


def check_search_name(name: str) -> None:
    """Refuse what cannot be the name of a search.

    Raises
    ------
    InputError
        If it is not empty, and has other characters, is too long, or is taken.
    """
    if name and not _NAME.fullmatch(name):
        raise InputError(
            f"search name {name!r}: use lower-case letters, digits and underscores, "
            "beginning with a letter, at most 50"
        )
    if name in TAKEN:
        raise InputError(f"search name {name!r}: the search without a name uses it; choose another")
