"""The import path under which definitions were loaded.

While Dagster loads a code location, it adds its working directory to the import path; afterwards it
takes away that and all that the definitions have added. A search imports modules of the project
later, too: in the ticks of sensors, in runs, and in workers, which get the path of their run.
"""

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def with_present_path(call: Callable[P, T]) -> Callable[P, T]:
    """Let calls put the present import path back, behind what is on the path by then."""
    folders = tuple(sys.path)

    @wraps(call)
    def call_with_path(*arguments: P.args, **named: P.kwargs) -> T:
        sys.path += [folder for folder in folders if folder not in sys.path]
        return call(*arguments, **named)

    return call_with_path
