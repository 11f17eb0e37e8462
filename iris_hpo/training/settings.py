"""Settings of estimators: read from YAML, made into objects, written as an identity.

Beside plain values a setting is a nested estimator, ``{estimator: import.path, settings: {...}}``,
or a function, ``{function: import.path}``, at any depth of lists and mappings.
"""

import inspect
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeGuard, cast

from iris_hpo.errors import InputError, at_field
from iris_hpo.parts import import_object
from iris_hpo.text import NUMBER, names_for, one_line, shorten
from iris_hpo.training.parameter_names import arguments

_ESTIMATOR: Final = "estimator"
_SETTINGS: Final = "settings"
_FUNCTION: Final = "function"

_POWER_OF_TEN: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+", re.ASCII)
_TUPLE: Final = re.compile(rf"\(\s*{NUMBER}\s*(,\s*{NUMBER}\s*)*,?\s*\)", re.ASCII)
_WHOLE: Final = re.compile(r"[+-]?\d+", re.ASCII)

_SHOWN: Final = 60  # characters of a value in a message


def from_yaml(value: object) -> object:
    """Read the numbers and tuples that YAML takes for texts: ``1e-3`` and ``(1, 2)``.

    Raises
    ------
    InputError
        For a key that YAML takes for a truth value.
    """
    if isinstance(value, str):
        if _POWER_OF_TEN.fullmatch(value):
            return float(value)
        if "," in value and _TUPLE.fullmatch(value):
            items = value.strip("()").split(",")
            return tuple(_number(item.strip()) for item in items if item.strip())
        return value
    if isinstance(value, Mapping):
        mapping = cast("Mapping[Any, object]", value)
        if any(isinstance(key, bool) for key in mapping):
            raise InputError(
                "YAML reads a key such as yes, no, on, off, true or false as a truth value; quote "
                "it, spelt as in the data: {'yes': 5, 'no': 1}"
            )
        return {key: from_yaml(item) for key, item in mapping.items()}
    if isinstance(value, (list, tuple)):
        items = [from_yaml(item) for item in cast("list[object]", value)]
        return tuple(items) if isinstance(value, tuple) else items
    return value


def make(value: object) -> object:
    """Make what a setting describes; every call makes new objects.

    Raises
    ------
    InputError
        For an import path or a setting that does not exist, and for an object.
    """
    if is_estimator(value):
        return construct(str(value[_ESTIMATOR]), value.get(_SETTINGS) or {})
    if _is_function(value):
        return _import_function(str(value[_FUNCTION]))
    if isinstance(value, Mapping):
        mapping = cast("Mapping[Any, object]", value)
        return {key: _make_at(key, item) for key, item in mapping.items()}
    if isinstance(value, (list, tuple)):
        items = cast("list[object]", value)
        made = [_make_at(index, item) for index, item in enumerate(items)]
        # Named estimators, as in StackingClassifier's list, are pairs in scikit-learn.
        named = len(items) > 1 and isinstance(items[0], str) and any(map(is_estimator, items))
        return tuple(made) if isinstance(value, tuple) or named else made
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise InputError(
        f"a setting is a number, a text, true, false, none, or a list or mapping of such, not "
        f"{shorten(repr(value))}; write an estimator as "
        "{estimator: import.path, settings: {...}} and a function as {function: import.path}"
    )


def construct(path: str, settings: Mapping[str, object]) -> object:
    """Make an object of a class by its import path.

    Raises
    ------
    InputError
        For an import path or a setting that does not exist, or a setting that cannot be.
    """
    named_class = import_class(path)
    if not inspect.isclass(named_class):
        raise InputError(f"{shorten(path)} is not a class", field=(_ESTIMATOR,))
    made = make_arguments(named_class, settings)
    try:
        instance = named_class(**made)
    except Exception as error:  # abstract, a setting that it requires is left open, or wrong
        raise InputError(
            f"{path!r} cannot be made: {one_line(error)}", field=(_ESTIMATOR,)
        ) from error
    _check_values(instance, made)
    return instance


def make_arguments(kind: type, settings: Mapping[str, object]) -> dict[str, object]:
    """Make the arguments of a constructor.

    Raises
    ------
    InputError
        For a setting that does not exist or cannot be made.
    """
    if not isinstance(cast("object", settings), Mapping):
        raise InputError(
            f"the settings of {kind.__name__} are not names with values", field=(_SETTINGS,)
        )
    known, takes_more = arguments(kind)
    made: dict[str, object] = {}
    for name, value in settings.items():
        if name not in known and not takes_more:
            raise InputError(
                f"{kind.__name__} has no setting {shorten(str(name))}; {names_for(name, known)}",
                field=(_SETTINGS, name),
            )
        with at_field(_SETTINGS, name):
            made[name] = make(value)
    return made


def states(settings: Mapping[str, object], parameter: str) -> bool:
    """Whether settings give a parameter its value, such as ``estimator__max_depth``."""
    if parameter in settings:
        return True
    owner, _, rest = parameter.partition("__")
    nested = settings.get(owner)
    if not rest or not is_estimator(nested):
        return False
    return states(cast("Mapping[str, object]", nested.get(_SETTINGS) or {}), rest)


def identity(value: object) -> object:
    """Write a setting as JSON: different settings differently."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if isinstance(value, Mapping):
        mapping = cast("Mapping[Any, object]", value)
        if all(isinstance(key, str) for key in mapping):
            return {key: identity(item) for key, item in sorted(mapping.items())}
        items = [[identity(key), identity(item)] for key, item in mapping.items()]
        return {"items": sorted(items, key=repr)}
    if isinstance(value, list):
        return [identity(item) for item in cast("list[object]", value)]
    if isinstance(value, tuple):
        return {"tuple": [identity(item) for item in cast("tuple[object, ...]", value)]}
    return value


def import_paths(value: object) -> Iterator[str]:
    """Give the import path of every estimator and function in a setting."""
    if is_estimator(value):
        yield str(value[_ESTIMATOR])
        yield from import_paths(value.get(_SETTINGS))
    elif _is_function(value):
        yield str(value[_FUNCTION])
    elif isinstance(value, Mapping):
        for item in cast("Mapping[Any, object]", value).values():
            yield from import_paths(item)
    elif isinstance(value, (list, tuple)):
        for item in cast("list[object]", value):
            yield from import_paths(item)


def import_class(path: str) -> object:
    """Import the object at a path such as ``sklearn.svm.SVC``.

    Raises
    ------
    InputError
        If there is no such thing.
    """
    advice = "the path of a class, such as sklearn.svm.SVC"
    return import_object(path, _ESTIMATOR, advice, field=_ESTIMATOR)


def is_estimator(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a setting describes a nested estimator."""
    return (
        isinstance(value, Mapping)
        and isinstance(cast("Mapping[Any, object]", value).get(_ESTIMATOR), str)
        and set(cast("Mapping[Any, object]", value)) <= {_ESTIMATOR, _SETTINGS}
    )


def _is_function(value: object) -> TypeGuard[Mapping[str, Any]]:
    return (
        isinstance(value, Mapping)
        and isinstance(cast("Mapping[Any, object]", value).get(_FUNCTION), str)
        and set(cast("Mapping[Any, object]", value)) == {_FUNCTION}
    )


def _make_at(place: str | int, value: object) -> object:
    with at_field(place):
        return make(value)


def _import_function(path: str) -> object:
    function = import_object(path, _FUNCTION, "its path, such as numpy.log1p", field=_FUNCTION)
    if not callable(function):
        raise InputError(f"{shorten(path)} is not a function", field=(_FUNCTION,))
    return function


def _check_values(estimator: Any, settings: Mapping[str, object]) -> None:
    """Refuse what scikit-learn's own classes would refuse in every fit."""
    if type(estimator).__module__.partition(".")[0] != "sklearn" or not settings:
        return
    check = getattr(estimator, "_validate_params", None)
    if check is None or not hasattr(estimator, "_parameter_constraints"):
        return
    try:
        check()
    except (ValueError, TypeError) as error:
        message = str(error)
        name = next((name for name in settings if message.startswith(f"The {name!r} ")), None)
        if name is not None:  # else the message is about a parameter that an axis may set
            message = message.replace(repr(settings[name]), _short(settings[name]))
            raise InputError(" ".join(message.split()), field=(_SETTINGS, name)) from error


def _short(value: object) -> str:
    """Show a value as Python writes it, a long one cut."""
    written = repr(value)
    if len(written) <= _SHOWN:
        return written
    return shorten(value if isinstance(value, str) else written, _SHOWN)


def _number(text: str) -> int | float:
    return int(text) if _WHOLE.fullmatch(text) else float(text)
