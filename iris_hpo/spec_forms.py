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
from iris_hpo.space.axes import Axis
from iris_hpo.text import shorten
from iris_hpo.training.choices import Choice
from iris_hpo.training.early_stopping import EarlyStopping
from iris_hpo.training.estimators import Step

PARTS: Final = ("engine", "splitter", "sampler")
"""Fields with a part."""

LISTS: Final = {
    "axes": Axis,
    "steps": Step,
    "choices": Choice,
    "metrics": Part,
    "reports": Part,
}
"""Fields with a list, and the class of its items."""

_NAMED: Final = {Part: "use", Step: "estimator"}
"""Classes of which a name alone makes an instance, and the field of that name."""

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
    if given is None and name not in LISTS:
        return None
    if name in LISTS:
        if not isinstance(given, (list, tuple)):
            raise InputError(f"{name} {shorten(str(given))} must be a list", field=(name,))
        return tuple(_item(name, one) for one in cast("tuple[object, ...]", given))
    if name in PARTS:
        return _made(name, Part, given)
    if name == "scoring":
        return _item(name, given)
    return _made(name, SETTINGS[name], given) if name in SETTINGS else given


def _item(name: str, given: object) -> object:
    """Return an item of a list, or a scoring, which may stay a name."""
    if name in ("scoring", "metrics") and isinstance(given, str):
        return given
    return _made(name, LISTS.get(name, Part), given)


def _made(name: str, kind: type[Kind], given: object) -> Kind:
    if isinstance(given, kind):
        return given
    known = [one.name for one in fields(kind)]  # pyright: ignore[reportArgumentType]
    if isinstance(given, str) and kind in _NAMED:
        given = {_NAMED[kind]: given}
    if not isinstance(given, Mapping):
        raise InputError(
            f"{name} {shorten(str(given))} must be {_with_article(kind)} or a mapping of "
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
            reason = str(error).removeprefix(f"{kind.__name__}.__init__() ")
            raise InputError(f"{name}: {reason}") from error


def _with_article(kind: type) -> str:
    return f"{'an' if kind.__name__[0] in 'AE' else 'a'} {kind.__name__}"
