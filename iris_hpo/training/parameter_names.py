"""Names of an estimator's parameters: which exist, and which are probably misspelt."""

import inspect
from collections.abc import Mapping
from typing import Any, Final

from iris_hpo.text import near_name

_NO_PARAMETER: Final = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


OPEN: Final = inspect.Parameter.empty
"""The value of an argument that a class requires and nothing has given."""


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
