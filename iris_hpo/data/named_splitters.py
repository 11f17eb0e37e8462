"""Splitters with a short name: which there are, what they follow, and which one columns call for.

``--help`` and the component read this module, so it imports nothing heavy.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from iris_hpo.errors import InputError
from iris_hpo.parts import Part
from iris_hpo.run_settings import SplitSettings
from iris_hpo.text import shorten

SHUFFLED: Final = Part("shuffled")
"""The default splitter."""

VERSION: Final = 1
"""Changes when a built-in splitter other than the default divides the same rows differently."""

BY_ROLES: Final = Part("auto")
"""The splitter that the roles of columns call for."""


@dataclass(frozen=True)
class BuiltIn:
    """A splitter that has a short name.

    Attributes
    ----------
    path
        Import path of the class.
    follows
        Names of the `SplitSettings` that it follows, beside the seed.
    description
        The parts, in a sentence for people.
    role
        Role of the column that it needs; empty for none.
    """

    path: str
    follows: tuple[str, ...]
    description: str
    role: str = ""


ALL_SETTINGS: Final = tuple(asdict(SplitSettings()))
"""Names of all `SplitSettings`."""

BUILT_IN: Final[Mapping[str, BuiltIn]] = {
    SHUFFLED.use: BuiltIn(
        "iris_hpo.data.shuffled.Shuffled", ALL_SETTINGS, "Seeded training and test rows."
    ),
    "grouped": BuiltIn(
        "iris_hpo.data.grouped.Grouped",
        ALL_SETTINGS,
        "Seeded training and test rows; those of a group stay together.",
        "group",
    ),
    "time": BuiltIn(
        "iris_hpo.data.by_time.ByTime",
        ("test_size", "folds"),
        "The latest rows are the test rows; folds are fitted to earlier rows than they predict.",
        "time",
    ),
    "given": BuiltIn(
        "iris_hpo.data.given.Given",
        ("folds", "stratify", "repeats"),
        "Training and test rows that a column names.",
        "part",
    ),
}
"""Splitters with a short name."""

SPLITTERS: Final = {name: splitter.path for name, splitter in BUILT_IN.items()}
"""Short names of splitters."""


def names_of_settings(part: Part) -> tuple[str, ...]:
    """Names of the `SplitSettings` that hold with a splitter: only the seed, unless built in."""
    follows = BUILT_IN[part.use].follows if part.use in BUILT_IN else ()
    return tuple(name for name in ALL_SETTINGS if name == "seed" or name in follows)


def choose_splitter(part: Part, columns: Mapping[str, str]) -> Part:
    """Return the splitter that was named, or the one that the roles of columns call for.

    Parameters
    ----------
    columns
        Names of the columns that describe rows, by their role.

    Raises
    ------
    InputError
        If the splitter needs a column that there is not, or columns call for several splitters.
    """
    implied = [name for name, known in BUILT_IN.items() if known.role in columns]
    if {"given", "grouped"} <= {*implied}:
        implied.remove("grouped")  # folds that are drawn beside a given test part keep groups whole
    if part.use == BY_ROLES.use:
        if part.settings:
            raise InputError(
                f"settings belong to one splitter; name it in place of auto: {', '.join(BUILT_IN)}",
                field=("use",),
            )
        if len(implied) > 1:
            roles = [f"{columns[BUILT_IN[name].role]} ({BUILT_IN[name].role})" for name in implied]
            raise InputError(
                f"the columns {', '.join(roles)} call for different splitters; name one: "
                + " or ".join(f"splitter: {name}" for name in implied),
                field=("use",),
            )
        return Part(implied[0]) if implied else SHUFFLED
    role = BUILT_IN[part.use].role if part.use in BUILT_IN else ""
    if role and role not in columns:
        raise InputError(
            f"the splitter {part.use} needs a column with the role {role}; write columns: "
            f"{{<name of the column>: {role}}}",
            field=("use",),
        )
    return part


def may_follow_time(part: Part) -> bool:
    """Whether a splitter divides rows by their time, or may do so as a user's own."""
    return part.use not in BUILT_IN or BUILT_IN[part.use].role == "time"


def refuse_settings(part: Part, given: Iterable[str], written: Callable[[str], str] = str) -> None:
    """Refuse split settings that a splitter does not follow.

    Parameters
    ----------
    given
        Names of the settings.
    written
        How the user writes a name.

    Raises
    ------
    InputError
        For the first name that is not one of `names_of_settings`.
    """
    for name in given:
        if name not in names_of_settings(part):
            raise InputError(
                f"{written(name)}: the splitter {shorten(part.use)} divides the rows by its own "
                f"settings; leave {written(name)} out, or use the splitter {SHUFFLED.use}",
                field=(name,),
            )
