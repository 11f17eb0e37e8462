"""What stands in place of a search whose YAML cannot be used, until its message is shown."""

import dagster as dg
from pydantic import BaseModel

from iris_hpo.component.places import located_error, shown_name
from iris_hpo.orchestration.broken import build_broken


class BrokenSearch(dg.Component):
    """Component in place of a search whose YAML cannot be used.

    Parameters
    ----------
    name
        Name of the search, or of its folder.
    message
        What is wrong, with file and line.
    """

    def __init__(self, name: str, message: str) -> None:
        self._name = name
        self._message = message

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Make what shows the message."""
        return build_broken(shown_name(context, self._name), self._message)


class Refused(BaseModel):
    """Attributes that are not those of a search, with what is wrong in them."""

    name: str
    problems: list[tuple[tuple[str | int, ...], str]]

    def explain(self, context: dg.ComponentLoadContext) -> BrokenSearch:
        """Find the lines of the mistakes."""
        messages = [str(located_error(context, field, problem)) for field, problem in self.problems]
        return BrokenSearch(self.name or context.path.name, "\n".join(messages))
