"""An objective that is a program in any language: ``objective: {command: [...]}``."""

import csv
import errno
import io
import json
import os
import re
import signal
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from iris_hpo.data.split import Examples
from iris_hpo.errors import CandidateError, InputError, WholeRunError
from iris_hpo.space.values import Value
from iris_hpo.text import shorten
from iris_hpo.training.call import Data
from iris_hpo.training.called import Called, Returned, Site
from iris_hpo.training.process_group import Ended, run_program

RESULT: Final = "result.json"
"""The file of a result, in the output folder."""

_PREFIX: Final = "IRIS_HPO_"
_OF_TABLE: Final = ("train", "test", "folds", "train_weights", "test_weights")
"""Files with the rows; weights only where a column has them."""

_WITHOUT_TABLE: Final = ("seed", "parameters", "output")
_PLACES: Final = (*_WITHOUT_TABLE, *_OF_TABLE)
"""What a program is given beside the parameters, as placeholders and in its environment."""

_PLACEHOLDER: Final = re.compile(r"(\{)?\{([A-Za-z_]\w*)\}(?(1)\})", re.ASCII)
_FORMATTED: Final = re.compile(r"(?<!\{)\{([A-Za-z_]\w*)[:!][^{}]*\}", re.ASCII)
"""A placeholder with a format, as Python has it."""

_LARGEST_RESULT: Final = 1 << 20
_TAIL: Final = 400
"""Number of bytes of standard error that a failure quotes."""


@dataclass(frozen=True, kw_only=True)
class ProgramObjective(Called):
    """Runs a program for each candidate, in the project's folder.

    Parameters
    ----------
    command
        The program and its arguments. ``{name}`` is replaced by a parameter, the seed or the path
        of a file, and by nothing where the axis is absent; ``{{name}}`` is the text itself.
    time_limit
        Seconds after which the program is ended; None for no limit.
    """

    command: Sequence[str]
    time_limit: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.command or {*map(type, self.command)} != {str}:
            raise InputError("command is a list of texts: the program, then its arguments")
        if self.settings:
            raise InputError("a program has no settings; write them into its command")
        if self.time_limit is not None and not self.time_limit > 0:
            raise InputError(f"time_limit {self.time_limit} must be a number of seconds above 0")

    @property
    def words(self) -> Sequence[str]:
        """The words of the command."""
        return self.command

    def identity(self) -> Mapping[str, object]:
        """Return the command."""
        return {"command": list(self.command)}

    def describe(self) -> str:
        """Name the program."""
        return f"run of {Path(self.command[0]).name}"

    def load(self) -> None:
        """Import nothing: a program is started for each candidate."""

    def __getstate__(self) -> dict[str, object]:
        """All fields, without the rows that were written last."""
        return {name: vars(self)[name] for name in self.__dataclass_fields__}

    def check_axes(self, parameters: Sequence[str], *, has_table: bool) -> None:
        """Refuse placeholders that name nothing or have a format, and those of missing rows.

        Raises
        ------
        InputError
            Names the placeholder.
        """
        for name in parameters:
            if name in _PLACES:
                raise InputError(f"the axis {name!r} has the name of a placeholder of its own")
        places = _PLACES if has_table else _WITHOUT_TABLE
        _fill(self.command, dict.fromkeys((*parameters, *places), ""))
        for match in filter(None, map(_FORMATTED.search, self.command)):
            if match[1] in (*parameters, *_PLACES):
                raise InputError(
                    f"the command has {match[0]}, and a placeholder has no format; write "
                    f"{{{match[1]}}} and let the program round the value, or put a space after "
                    "the brace if this is text",
                    field=("command",),
                )

    @cached_property
    def _written(self) -> list[tuple[Examples, Mapping[str, bytes]]]:
        """The rows that were written last, and their files; every candidate has the same."""
        return []

    def _row_files(self, data: Data) -> Mapping[str, bytes]:
        if not self._written or self._written[0][0] is not data.examples:
            self._written[:] = [(data.examples, _write_rows(data))]
        return self._written[0][1]

    def call(self, site: Site) -> Returned:
        """Run the program, and read its result.

        Raises
        ------
        CandidateError
            If the program fails, or gives no result.
        """
        values = {name: _spelt(value) for name, value in site.parameters.items()}
        places = _places(site, {} if site.data is None else self._row_files(site.data))
        environment = {
            **os.environ,
            **{f"{_PREFIX}PARAMETER_{name}": value for name, value in values.items()},
            **{f"{_PREFIX}{name.upper()}": value for name, value in places.items()},
        }
        command = _fill(self.command, {**values, **places}, is_checked=True)
        try:
            ended = run_program(command, site.home, environment, self.time_limit)
        except (OSError, ValueError) as error:
            raise WholeRunError(
                f"the program {command[0]!r} cannot be started in {site.home}: "
                f"{_obstacle(error, site.home / command[0])}"
            ) from error
        if ended.code or not ended.in_time:
            raise CandidateError(_failure(ended))
        return Returned(_result(site.workplace.folder, ended.output), ended.log)


def _obstacle(error: OSError | ValueError, program: Path) -> str:
    """Why a program cannot be started, and what to do."""
    if not isinstance(error, OSError):
        return str(error)
    reason = error.strerror or str(error)
    if error.errno == errno.EACCES and program.is_file():
        return f"{reason}; make it executable (chmod +x), or name its interpreter before it"
    if error.errno == errno.ENOEXEC:
        return (
            f"{reason}; begin it with a line such as #!/bin/sh, or name its interpreter before it"
        )
    if error.errno == errno.ENOENT and program.is_file():
        return f"{reason}: the interpreter that its first line names; install it, or name another"
    return reason


def _places(site: Site, row_files: Mapping[str, bytes]) -> dict[str, str]:
    root = site.workplace.root
    parameters = root / "parameters.json"
    parameters.write_text(json.dumps(dict(site.parameters), indent=1) + "\n")
    for name, content in row_files.items():
        (root / f"{name}.csv").write_bytes(content)
    return {
        "seed": str(site.seed),
        "parameters": str(parameters),
        "output": str(site.workplace.folder),
        **{name: str(root / f"{name}.csv") for name in row_files},
    }


def _write_rows(data: Data) -> dict[str, bytes]:
    """Write the rows as files, by the names of their placeholders."""
    folds = [(at, int(row)) for at, (_, rows) in enumerate(data.examples.folds, 1) for row in rows]
    texts = {
        "train": data.train.to_csv(index=False),
        "test": data.test.to_csv(index=False),
        "folds": _csv([("fold", "row"), *folds]),
    }
    for name, weights in (("train_weights", data.weights), ("test_weights", data.test_weights)):
        if weights is not None:
            texts[name] = _csv([("weight",), *((repr(weight),) for weight in weights.tolist())])
    return {name: text.encode() for name, text in texts.items()}


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _fill(
    command: Sequence[str], values: Mapping[str, str], *, is_checked: bool = False
) -> list[str]:
    """Fill the placeholders; in a checked command, what has no value is an axis that is absent."""

    def replace(match: re.Match[str]) -> str:
        name = match[2]
        if match[1]:
            return f"{{{name}}}"
        if name in values:
            return values[name]
        if is_checked and name in _OF_TABLE:
            raise WholeRunError(f"the command has {match[0]}, and no column has the role weight")
        if is_checked:
            return ""
        if name in _OF_TABLE:
            raise InputError(
                f"the command has {match[0]}, and the search has no table", field=("command",)
            )
        known = ", ".join(f"{{{each}}}" for each in values)
        raise InputError(
            f"the command has {match[0]}, which names nothing; write one of {known}, or "
            f"{{{match[0]}}} for the text itself",
            field=("command",),
        )

    return [_PLACEHOLDER.sub(replace, word) for word in command]


def _spelt(value: Value) -> str:
    """A value as parameter files have it."""
    if isinstance(value, str):
        return value
    return str(value).lower() if value is None or isinstance(value, bool) else repr(value)


def _failure(ended: Ended) -> str:
    if not ended.in_time:
        how = f"was ended by its time limit, after {ended.seconds:.1f} s"
    elif ended.code < 0:
        name = signal.Signals(-ended.code).name if -ended.code in _SIGNALS else str(-ended.code)
        how = f"was ended by the signal {name} after {ended.seconds:.1f} s"
    else:
        how = f"ended with exit code {ended.code} after {ended.seconds:.1f} s"
    tail = " ".join(ended.errors[-_TAIL:].decode(errors="replace").split())
    return f"the program {how}{f': {tail}' if tail else ', and wrote nothing to standard error'}"


_SIGNALS: Final = frozenset(int(each) for each in signal.Signals)


def _result(folder: Path, output: bytes) -> object:
    file = folder / RESULT
    if file.is_file():
        with file.open("rb") as opened:
            content, where = opened.read(_LARGEST_RESULT + 1), RESULT
    else:
        lines = [line for line in output.splitlines() if line.strip()]
        if not lines:
            raise CandidateError(
                f"the program gave no result: it printed nothing, and left no {RESULT}"
            )
        content, where = lines[-1], "the last line of its output"
    if len(content) > _LARGEST_RESULT:
        raise CandidateError(f"the program gave no result: {where} has more than 1 MiB")
    try:
        # As text: json takes bytes with a NUL among them for another encoding.
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        shown = content[:100].decode(errors="replace")
        raise CandidateError(
            f"the program gave no result: {where} is {shown!r}, and neither a number nor a JSON "
            "object"
        ) from error


def _without_repeats(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """Make an object of its names and values; a name that it has twice has no one value."""
    values = dict(pairs)
    if len(values) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise CandidateError(
            f"the program gave no result: it gave {shorten(twice)} more than once; give each name "
            "one value"
        )
    return values
