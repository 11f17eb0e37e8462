"""Names of an estimator's parameters: which exist, and which are probably misspelt."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from iris_hpo.text import listed

_ALIKE: Final = 0.8  # of 1: how alike a misspelt name is to the one that is meant
_LONGEST: Final = 60  # characters of a name that are compared
_NO_PARAMETER: Final = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


OPEN: Final = inspect.Parameter.empty
"""The value of an argument that a class requires and nothing has given."""


def names_for(name: str, known: Sequence[str]) -> str:
    """List the names that exist, for a message; the nearest first."""
    near = near_name(name, known)
    meant = f"did you mean {near!r}? It" if near else "it"
    return f"{meant} has {listed(known)}"


def near_name(name: str, known: Iterable[str]) -> str | None:
    """Return the name that another is probably a misspelling of; None if there is none."""
    from difflib import get_close_matches

    near = get_close_matches(str(name)[:_LONGEST], known, n=1, cutoff=_ALIKE)
    return near[0] if near else None


def misspelt(estimator: Any, name: str) -> str | None:
    """Return the name that is probably meant by one that an estimator accepts but does not know.

    Constructors with ``**kwargs`` take every name: aliases of their library, but mistakes too.

    Parameters
    ----------
    name
        A parameter, such as ``lgbmclassifier__learning_rte``.

    Returns
    -------
    str or None
        A known name with a similar spelling; None if the name is known, or similar to none.
    """
    owner, _, own = name.rpartition("__")
    part = estimator.get_params().get(owner) if owner else estimator
    known, takes_more = arguments(_kind(part))
    if not takes_more or own in known:
        return None
    try:
        names = {*known, *type(part)().get_params()}
    except Exception:  # noqa: BLE001 - it cannot be made without settings
        return None
    return None if own in names else near_name(own, sorted(names))


def accepts(estimator: object, parameters: Mapping[str, object], name: str) -> bool:
    """Whether an estimator accepts a parameter, even one that its ``get_params`` leaves out.

    Parameters
    ----------
    parameters
        The result of ``get_params``.
    """
    if name in parameters:
        return True
    owner, _, own = name.rpartition("__")
    part = parameters.get(owner) if owner else estimator
    if part is None:
        return False
    known, takes_more = arguments(_kind(part))
    return own in known or takes_more


def _kind(estimator: object) -> type:
    """The class whose constructor decides: of a plain class that one, and not its estimator's."""
    return getattr(estimator, "own_class", type(estimator))


def arguments(kind: type) -> tuple[list[str], bool]:
    """Names of a constructor's arguments, sorted, and whether it accepts others too."""
    parameters = inspect.signature(kind).parameters
    known = sorted(
        name for name, argument in parameters.items() if argument.kind not in _NO_PARAMETER
    )
    kinds = {argument.kind for argument in parameters.values()}
    return known, inspect.Parameter.VAR_KEYWORD in kinds
