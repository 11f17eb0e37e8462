"""The forms in which Python may give parts and settings of a `SearchSpec`, as YAML does.

What a field means and refuses belongs to its class.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, TypeVar, cast

from iris_hpo.data.columns import Layout
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.errors import InputError, at_field
from iris_hpo.parts import Part
from iris_hpo.run_settings import BudgetSettings
from iris_hpo.text import shorten
from iris_hpo.training.early_stopping import EarlyStopping

PARTS: Final = ("engine", "splitter", "sampler")
"""Fields with a part."""

SETTINGS: Final = {
    "layout": Layout,
    "split": SplitSettings,
    "budget": BudgetSettings,
    "early_stopping": EarlyStopping,
}
"""Fields with settings, and the class of each."""

Kind = TypeVar("Kind")


def in_full(name: str, given: object) -> object:
    """Return the value of a field: a name becomes a part, a mapping a part or settings.

    Raises
    ------
    InputError
        If it is nothing of the kind.
    """
    if given is None:
        return None
    if name == "reports" and isinstance(given, (list, tuple)):
        return tuple(_made(name, Part, one) for one in cast("tuple[object, ...]", given))
    if name in PARTS:
        return _made(name, Part, given)
    return _made(name, SETTINGS[name], given) if name in SETTINGS else given


def _made(name: str, kind: type[Kind], given: object) -> Kind:
    if isinstance(given, kind):
        return given
    known = [one.name for one in fields(kind)]  # pyright: ignore[reportArgumentType]
    if isinstance(given, str) and kind is Part:
        given = {"use": given}
    if not isinstance(given, Mapping):
        raise InputError(
            f"{name} {shorten(str(given))} must be a {kind.__name__} or a mapping of "
            f"{', '.join(known)}",
            field=(name,),
        )
    settings: dict[str, Any] = {
        str(key): value for key, value in cast("Mapping[object, object]", given).items()
    }
    for key in settings:
        if key not in known:
            raise InputError(
                f"{name} has no {shorten(key)}; it has {', '.join(known)}", field=(name, key)
            )
    with at_field(name):
        try:
            return kind(**settings)
        except TypeError as error:
            raise InputError(f"{name}: {error}") from error
