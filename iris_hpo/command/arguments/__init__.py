"""The commands of ``iris-hpo`` and their arguments, a module for each.

``--help`` and shell completion import these modules, so that they import nothing heavy: what a
command does is imported when it is called.
"""

from typing import Final

COMMANDS: Final = (
    "run",
    "status",
    "leaderboard",
    "predict",
    "history",
    "why",
    "search",
    "report",
    "export",
    "reset",
    "init",
    "example",
    "completion",
)
"""The commands, in the order of ``--help``; each is a function in the module of its name."""
