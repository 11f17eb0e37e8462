"""The default sampler: candidates that parameter files list, and grids of their values.

The values of axes are crossed, and explicit candidates are added; how files are read is in
`listing`. The same folder always gives the same candidates in the same order.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from iris_hpo.errors import InputError
from iris_hpo.samplers import MAX_CANDIDATES, Observation
from iris_hpo.samplers.listing import (
    ParameterFileError,
    Pooled,
    axis_of,
    read_listing,
    visible_files,
)
from iris_hpo.samplers.parameter_list import CandidateList, ordered_values
from iris_hpo.space.absent import Absent
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import Candidate, ParameterSpace
from iris_hpo.space.domains import Levels
from iris_hpo.space.values import Value
from iris_hpo.text import counted


@dataclass(frozen=True)
class ParameterFilesSampler:
    """Proposes what the parameter files of a folder list.

    Parameters
    ----------
    folder
        The folder; a relative path starts at the current folder.
    limit
        Largest number of candidates.
    """

    folder: Path | str
    limit: int = MAX_CANDIDATES

    def propose(
        self,
        space: ParameterSpace,
        observations: Sequence[Observation],  # noqa: ARG002 - the files list all
        running: Sequence[Candidate],  # noqa: ARG002
    ) -> CandidateList:
        """Read all candidates, whatever is known of some."""
        return read_parameter_files(Path(self.folder), space, max_candidates=self.limit)


def read_parameter_files(
    folder: Path, space: ParameterSpace, *, max_candidates: int = MAX_CANDIDATES
) -> CandidateList:
    """Read all parameter files of a folder: ``.txt`` files are crossed, ``.csv`` files explicit.

    Raises
    ------
    ParameterFileError
        For the first value, row or file that cannot be used. Nothing is skipped in silence, except
        hidden files, editors' backups, and files that are neither ``.txt`` nor ``.csv``.
    """
    listing = read_listing(folder, space)
    pooled = _with_own_values(space, listing.pooled)
    explicit = listing.explicit
    _check_axes_have_values(folder, space, pooled, explicit)
    axis_values = ordered_values(space, pooled)
    _check_number(folder, space, axis_values, explicit, max_candidates)
    crossed = {candidate.key: candidate for candidate in _cross(folder, space, axis_values)}
    candidates = {**explicit, **crossed}
    return CandidateList.ordered(candidates, space, axis_values, explicit=len(explicit))


def _with_own_values(space: ParameterSpace, pooled: Pooled) -> Pooled:
    """Return the values of a grid: those of files, else those that the axis lists itself."""
    return {
        axis.name: pooled[axis.name]
        or (
            dict(zip(axis.domain.keys, axis.domain.values, strict=True))
            if isinstance(axis.domain, Levels)
            else {}
        )
        for axis in space.axes
    }


def check_axis_files(folder: Path, axes: Sequence[Axis], sampler: str = "files") -> None:
    """Refuse an axis for which there is no file, and that does not say where to look either.

    Parameters
    ----------
    sampler
        Short name of the sampler; ``files`` and ``refine`` need listed values or a step.

    Raises
    ------
    InputError
        For the first such axis; the message says what to write.
    """
    paths = visible_files(folder) if folder.exists() else []
    if sampler == "files" and any(path.suffix == ".csv" for path in paths):
        return
    named = {axis_of(path, axes).name for path in paths if path.suffix == ".txt"}
    for index, axis in enumerate(axes):
        if axis.name in named or isinstance(axis.domain, Levels):
            continue
        if axis.domain is None:
            or_range = "" if sampler == "files" else ", or give it a range: low and high"
            raise InputError(
                f"the axis {axis.name!r} has no file; write its values, one a line, into "
                f"{folder / f'{axis.name.lower()}_parameters.txt'}{or_range}",
                field=(index,),
            )
        if sampler in ("files", "refine"):
            raise InputError(without_step(axis), field=(index, "low"))


def _check_axes_have_values(
    folder: Path, space: ParameterSpace, pooled: Pooled, explicit: Mapping[str, Candidate]
) -> None:
    empty = [axis.name for axis in space.axes if not pooled[axis.name]]
    if empty and (len(empty) < len(space.axes) or not explicit):
        (axis,) = (axis for axis in space.axes if axis.name == empty[0])
        if axis.domain:
            raise InputError(without_step(axis), field=("axes", space.axes.index(axis), "low"))
        file = f"{empty[0].lower()}_parameters.txt"
        note = f" ({file} is a folder)" if (folder / file).is_dir() else ""
        problem = f"the axis {empty[0]!r} has no values; put them into {file}, one a line{note}"
        raise ParameterFileError(folder, None, problem)


def without_step(axis: Axis) -> str:
    """Say what to do about an axis that has a range, for a grid."""
    return (
        f"the axis {axis.name!r} has a range without a step, and a grid needs listed values; write "
        f"a step to it, or its values into {axis.name.lower()}_parameters.txt, or "
        "choose another sampler, such as random"
    )


def _check_number(
    folder: Path,
    space: ParameterSpace,
    axis_values: Mapping[str, tuple[Value, ...]],
    explicit: Mapping[str, Candidate],
    max_candidates: int,
) -> None:
    """Count candidates before they are made: a grid that is too large may not fit in memory."""
    values = [axis_values[axis.name] for axis in space.axes]
    in_grid = [set(map(axis.encode, axis_values[axis.name])) for axis in space.axes]
    total = space.count(values, max_candidates) + sum(
        any(
            not isinstance(value, Absent) and axis.encode(value) not in keys
            for axis, value, keys in zip(space.axes, candidate.values, in_grid, strict=True)
        )
        for candidate in explicit.values()
    )
    sizes = list(map(len, values))
    if total > max_candidates:
        raise ParameterFileError(
            folder,
            None,
            f"{' x '.join(map(str, sizes))} value{'s' * (sizes != [1])} and "
            f"{counted(len(explicit), 'row')} make {total} candidates"
            f"{' or more' * space.has_conditions}; the limit is "
            f"{max_candidates}, set it with max_candidates",
        )


def _cross(
    folder: Path, space: ParameterSpace, axis_values: Mapping[str, tuple[Value, ...]]
) -> Iterator[Candidate]:
    try:
        yield from space.grid([axis_values[axis.name] for axis in space.axes])
    except ValueError as reason:
        problem = f"a combination of the values {reason}; write shorter ones"
        if not folder.exists():  # the axes list them
            raise InputError(problem, field=("axes",)) from reason
        raise ParameterFileError(folder, None, problem) from reason
