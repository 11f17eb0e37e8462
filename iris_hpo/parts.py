"""Replaceable parts of a search: each is named by a short name or an import path, with settings.

The short names of a kind stand in a table beside its protocol; any class with the same methods can
take their place.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from iris_hpo.errors import InputError
from iris_hpo.text import shorten


@dataclass(frozen=True)
class Part:
    """A part, as it is named in YAML or Python.

    Parameters
    ----------
    use
        A short name, or the import path of a class.
    settings
        What the class is made with, by keyword.
    """

    use: str
    settings: Mapping[str, object] = field(default_factory=dict[str, object])


def make_part(part: Part, names: Mapping[str, str], kind: str, *methods: str) -> object:
    """Make a part.

    Parameters
    ----------
    names
        Short names, and the import path of each.
    kind
        What messages call it.
    methods
        What it must be able to do.

    Raises
    ------
    InputError
        If there is no such class, it refuses its settings, or it lacks a method.
    """
    path = names.get(part.use, part.use)
    if "." not in path:
        raise InputError(
            f"{kind} {shorten(part.use)} is unknown; choose one of {', '.join(names)}, or give "
            "the import path of a class",
            field=("use",),
        )
    found = import_object(path, kind, "the import path of a class", field="use")
    missing = [name for name in methods if not callable(getattr(found, name, None))]
    if missing or not callable(found):
        raise InputError(
            f"{shorten(part.use)} is no {kind}: a class with the method "
            f"{' and '.join(missing or methods)} is needed",
            field=("use",),
        )
    try:
        return found(**part.settings)
    except Exception as error:  # the class may be a user's own
        raise InputError(
            f"{kind} {shorten(part.use)} refuses its settings: {error}", field=("settings",)
        ) from error


def import_object(path: str, kind: str, advice: str, *, field: str) -> object:
    """Import what a path such as ``sklearn.svm.SVC`` names.

    Parameters
    ----------
    kind, advice
        What messages call it, and what they say to give.
    field
        Where it was given.

    Raises
    ------
    InputError
        If there is no such thing.
    """
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as error:  # importing runs the module
        raise InputError(
            f"the {kind} {path!r} cannot be imported ({error}); give {advice}", field=(field,)
        ) from error
