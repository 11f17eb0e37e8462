"""Templates of Dagster's YAML: a search takes its fields as they are written, and refuses them."""

import re
from typing import Final

from iris_hpo.text import shorten

_TEMPLATE: Final = re.compile(r"\{\{\s*env\b.*?\}\}")


def refused_template(value: object) -> str:
    """Say what to do about the first template of a text; empty if it has none."""
    template = _TEMPLATE.search(value) if isinstance(value, str) else None
    if template is None:
        return ""
    return (
        f"{shorten(template[0])} is a template, and a search has none; write the value, or "
        "describe the search in Python (iris_hpo.build_search)"
    )
