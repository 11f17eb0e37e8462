"""An objective that is a function: ``objective: {function: "package.module:name"}``."""

import csv
import inspect
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from iris_hpo.errors import InputError
from iris_hpo.parts import import_object
from iris_hpo.training.bounded_prints import bounded_prints
from iris_hpo.training.call import Trial
from iris_hpo.training.called import Called, Returned, Site
from iris_hpo.training.code_of_others import without_copies
from iris_hpo.training.kept_process import kept_process
from iris_hpo.training.source_code import loaded_code

STEPS: Final = "steps.csv"
USER_ATTRS: Final = "user_attrs.json"
"""Files of what a function reported, in its folder."""

_CUT: Final = b"... what it printed beyond the first MiB is left out ...\n"
_TRIAL: Final = "trial"
_WITHOUT_RESULT: Final = (
    inspect.iscoroutinefunction,
    inspect.isasyncgenfunction,
    inspect.isgeneratorfunction,
)
_NAMELESS: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, kw_only=True)
class FunctionObjective(Called):
    """Calls a function with a candidate.

    Parameters
    ----------
    function
        ``package.module:name``.
    settings
        Further keyword arguments of the function.
    """

    function: str

    @property
    def import_paths(self) -> tuple[str, ...]:
        """The import path of the function."""
        return (self._path,)

    def identity(self) -> Mapping[str, object]:
        """Return the function's name and settings."""
        return {"function": self.function}

    def describe(self) -> str:
        """Name the function."""
        return self._path.rpartition(".")[2]

    def load(self) -> None:
        """Import the function.

        Raises
        ------
        InputError
            If there is no such function.
        """
        self._imported  # noqa: B018 - imports it

    def check_axes(self, parameters: Sequence[str], *, has_table: bool) -> None:  # noqa: ARG002
        """Refuse axes and settings that the function does not take.

        Raises
        ------
        InputError
            If a call would fail by its arguments.
        """
        arguments = self._arguments(dict.fromkeys(parameters), None)
        twice = [name for name in arguments[1] if name in self.settings]
        if twice:
            raise InputError(
                f"{twice[0]!r} is a setting and the parameter of an axis; leave one out",
                field=("settings",),
            )
        try:
            if signature := self._signature:
                signature.bind(*arguments[0], **arguments[1], **self.settings)
        except TypeError as error:
            raise InputError(
                f"the function {self.function} cannot be called with the axes and settings of the "
                f"search: {error}; it takes either a trial, or a parameter for each axis"
            ) from error

    def call(self, site: Site) -> Returned:
        """Call the function with a trial, or with the parameters by their names."""
        trial = Trial(site.parameters, site.seed, site.data, site.workplace)
        positional, by_name = self._arguments(site.parameters, trial)
        with bounded_prints() as printed, kept_process(), without_copies():
            value = self._imported(*positional, **by_name, **self.settings)
        if inspect.iscoroutine(value):
            value.close()  # it would warn that nobody has awaited it
        _leave(trial)
        return Returned(value, trial.logged + (_CUT if printed.is_cut else b""))

    def __getstate__(self) -> dict[str, object]:
        """All fields; workers import the function."""
        return {name: vars(self)[name] for name in self.__dataclass_fields__}

    @property
    def _path(self) -> str:
        return self.function.replace(":", ".")

    def _arguments(
        self, parameters: Mapping[str, object], trial: Trial | None
    ) -> tuple[tuple[object, ...], dict[str, object]]:
        """The trial alone, if no axis is a parameter of the function; else a value per axis."""
        names = set(self._names) - set(self.settings)
        if self._signature and not names & set(parameters) and not self._takes_any:
            return (trial,), {}
        return (), {**parameters, **({_TRIAL: trial} if _TRIAL in names else {})}

    @cached_property
    def _imported(self) -> Callable[..., object]:
        function = import_function(self.function, "function")
        loaded_code(self.import_paths)
        return function

    @cached_property
    def _signature(self) -> inspect.Signature | None:
        """The signature; None if it cannot be read, as of some functions in compiled code."""
        function = self._imported
        try:
            return inspect.signature(function)
        except (TypeError, ValueError):
            return None

    @cached_property
    def _names(self) -> tuple[str, ...]:
        parameters = self._signature.parameters.values() if self._signature else ()
        return tuple(parameter.name for parameter in parameters if parameter.kind not in _NAMELESS)

    @cached_property
    def _takes_any(self) -> bool:
        """Whether it takes any keyword arguments."""
        parameters: Any = self._signature.parameters.values() if self._signature else ()
        return any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)


def import_function(address: str, field: str) -> Callable[..., object]:
    """Import a function by its address, ``package.module:name``.

    Parameters
    ----------
    field
        The field of the description that holds the address.

    Raises
    ------
    InputError
        If there is no such function.
    """
    module, colon, name = address.partition(":")
    if not (colon and module and name):
        place, _, last = address.rpartition(".")
        advice = f"{place}:{last}" if place and last and not colon else "package.module:name"
        raise InputError(f"the function {address!r} is no address; write {advice}", field=(field,))
    if "." in name:
        raise InputError(
            f"the function {address!r} is part of {name.partition('.')[0]}; write a function at "
            "the top of the module that calls it, and name that one",
            field=(field,),
        )
    function = import_object(
        f"{module}.{name}", "function", "a module of the project: package.module:name", field=field
    )
    if not callable(function):
        raise InputError(f"{address} is no function")
    if any(gives_no_result(function) for gives_no_result in _WITHOUT_RESULT):
        raise InputError(
            f"the function {address} is async or yields, so a call gives no result; write one that "
            "returns it, for example by asyncio.run",
            field=(field,),
        )
    return function


def address_of(function: Callable[..., object]) -> str:
    """Return ``package.module:name`` of a function.

    Raises
    ------
    InputError
        If workers could not import it by this name.
    """
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", repr(function))
    if not module or module == "__main__" or not name.isidentifier():
        raise InputError(
            f"the function {name} cannot be imported by workers; define it at the top of a module "
            "of the project",
            field=("objective",),
        )
    return f"{module}:{name}"


def _leave(trial: Trial) -> None:
    """Leave what was reported as files of the candidate."""
    if trial.steps:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([("step", "value"), *trial.steps])
        (trial.folder / STEPS).write_text(text.getvalue())
    if trial.user_attrs:
        (trial.folder / USER_ATTRS).write_text(json.dumps(trial.user_attrs, indent=1) + "\n")
