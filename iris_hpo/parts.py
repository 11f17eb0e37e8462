"""Replaceable parts of a search, each named by a short name or an import path, with settings.

Any class with the methods of a kind's protocol can be used. The protocols and their tables of short
names are in the folders of the kinds.
"""

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from iris_hpo.errors import InputError, NotInstalledError
from iris_hpo.text import names_for, shorten

_TO_INSTALL: Final = {
    "catboost": "catboost",
    "lightgbm": "'iris_hpo[lightgbm]'",
    "optuna": "'iris_hpo[optuna]'",
    "torch": "torch",
    "xgboost": "xgboost",
}
"""What to install for modules that searches often name."""


@dataclass(frozen=True)
class Part:
    """A part of a search, as it is given in YAML or Python.

    Parameters
    ----------
    use
        A short name, or the import path of a class.
    settings
        Keyword arguments for the class.
    """

    use: str
    settings: Mapping[str, object] = field(default_factory=dict[str, object])


def make_part(part: Part, names: Mapping[str, str], kind: str, *methods: str) -> object:
    """Import the class of a part and make an instance with its settings.

    Parameters
    ----------
    names
        Short names, with the import path of each.
    kind
        The kind of part, for messages.
    methods
        Names of the methods that the class must have.

    Raises
    ------
    InputError
        If there is no such class, it refuses its settings, or it lacks a method.
    NotInstalledError
        If it needs what is not installed.
    """
    path = names.get(part.use, part.use)
    if "." not in path:
        raise InputError(
            f"{kind} {shorten(part.use)} is unknown; choose one of {', '.join(names)}, or give "
            "the import path of a class",
            field=("use",),
        )
    part_class = import_object(path, kind, "the import path of a class", field="use")
    missing_methods = [name for name in methods if not callable(getattr(part_class, name, None))]
    if missing_methods or not callable(part_class):
        raise InputError(
            f"{shorten(part.use)} is no {kind}: a class with the method "
            f"{' and '.join(missing_methods or methods)} is needed",
            field=("use",),
        )
    _refuse_unknown(part, part_class, kind)
    try:
        return part_class(**part.settings)
    except NotInstalledError as error:
        raise NotInstalledError(
            f"{kind} {shorten(part.use)} cannot be used: {error}", field=("use",)
        ) from error
    except Exception as error:  # the class may be a user's own
        raise InputError(
            f"{kind} {shorten(part.use)} refuses its settings: {error}", field=("settings",)
        ) from error


def _refuse_unknown(part: Part, part_class: Callable[..., object], kind: str) -> None:
    """Refuse settings that a class does not take, where its signature says what it takes."""
    try:
        parameters = inspect.signature(part_class).parameters.values()
    except (TypeError, ValueError):
        return
    if any(parameter.kind == parameter.VAR_KEYWORD for parameter in parameters):
        return
    known = [each.name for each in parameters if each.kind != each.POSITIONAL_ONLY]
    for name in part.settings:
        if name not in known:
            raise InputError(
                f"{kind} {shorten(part.use)} refuses its settings: it has no {name!r}; "
                f"{names_for(name, known)}",
                field=("settings", name),
            )


def import_object(path: str, kind: str, advice: str, *, field: str) -> object:
    """Import the object at a path such as ``sklearn.svm.SVC``.

    Parameters
    ----------
    kind, advice
        The kind of object and what to give instead, for messages.
    field
        The field of the description that holds the path.

    Raises
    ------
    InputError
        If there is no such object.
    """
    module, _, name = path.rpartition(".")
    try:
        if not all(path.split(".")) or not module:
            raise ImportError("it is no import path")
        return getattr(importlib.import_module(module), name)
    except Exception as error:  # importing runs the module
        what_to_do = _what_to_install(error, path) or f"give {advice}"
        reason = str(error) or type(error).__name__
        raise InputError(
            f"the {kind} {path!r} cannot be imported ({reason}); {what_to_do}", field=(field,)
        ) from error


def _what_to_install(error: Exception, path: str) -> str:
    """Say what to install; empty if no package is missing, or it may be misspelt."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    if name in _TO_INSTALL:
        return f"pip install {_TO_INSTALL[name]}"
    if name is None or name.partition(".")[0] == path.partition(".")[0]:
        return ""
    return f"install the package with the module {name}"
