"""`CandidateSource`: what a search asks of its sampler, and what it makes of the answers."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, cast

from iris_hpo.errors import InputError, NotInstalledError, at_field
from iris_hpo.parts import Part, make_part
from iris_hpo.samplers import (
    MAX_CANDIDATES,
    PARAMETER_FILES,
    SAMPLERS,
    Observation,
    Sampler,
    ask,
    list_candidates,
)
from iris_hpo.samplers.drawing import domains_of
from iris_hpo.samplers.listing import Listing, read_listing
from iris_hpo.samplers.parameter_list import CandidateList
from iris_hpo.space.absent import Absent
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import Candidate, ParameterSpace
from iris_hpo.space.domains import Levels
from iris_hpo.space.values import Value
from iris_hpo.text import counted

STEERED: Final = frozenset({"tpe", "gp", "refine"})
"""Samplers whose candidates depend on scores."""

BLIND: Final = frozenset({"random", "qmc"})
"""Samplers that look at no scores."""

GRID_FIRST: Final = frozenset({"refine"})
"""Adaptive samplers that try the grid first."""


@dataclass(frozen=True, eq=False)
class CandidateSource:
    """The sampler of a search, with the files and the space that it looks in.

    The parameter files are read once and the sampler is made once, so that it can keep what saves
    time: make a source for the time of a run, and another one when files may have changed.

    Parameters
    ----------
    part
        The sampler.
    space
        The axes of the search.
    folder
        The folder of the parameter files.
    seed
        The seed of a sampler whose settings give none.
    limit
        Largest number of candidates.
    default
        The estimator's own values of the axes' parameters, by parameter; tried first, if the axes
        take them.
    is_scored
        Whether there are scores that a sampler may steer by: the mean over folds, or what an
        objective gives itself. The score on the test rows is none.

    Raises
    ------
    InputError
        If the sampler steers by scores, and there are none.
    """

    part: Part
    space: ParameterSpace
    folder: Path
    seed: int = 0
    limit: int = MAX_CANDIDATES
    default: Mapping[str, Value] = field(default_factory=dict[str, Value])
    is_scored: bool = True

    def __post_init__(self) -> None:
        if self.part.use in STEERED and not self.is_scored:
            raise InputError(
                f"the sampler {self.part.use} looks where scores are best, and without folds the "
                "only score is that of the test rows, which judge and do not choose; set folds to "
                "2 or more, or choose the sampler random or qmc",
                field=("sampler",),
            )

    @property
    def is_adaptive(self) -> bool:
        """Whether the sampler is asked again as results come in.

        The sampler ``files`` is not, and another one of the user's own only if there are scores.
        """
        use = self.part.use
        return use != PARAMETER_FILES.use and (self.is_scored or use in BLIND)

    def first(self) -> CandidateList:
        """List the candidates that are registered before any is tried.

        The sampler ``files`` has no others. The other built-in samplers have the explicit ones of
        parameter files and the estimator's default, and ``refine`` has the grid, too; there may be
        none. A sampler of the user's own is asked for them.

        Raises
        ------
        InputError
            If the sampler, or a file, cannot be used.
        """
        if self.part.use not in SAMPLERS or self.part == PARAMETER_FILES:
            return list_candidates(self.part, self.space, self.folder, self.limit)
        with suppress(NotInstalledError):
            self.check()  # settings that it refuses are named before files are
        domains_of(self.looked_in)
        candidates = dict(self.listing.explicit)
        if (default := self._default_candidate()) is not None:
            candidates[default.key] = default
        if self.part.use in GRID_FIRST:
            grid = list_candidates(PARAMETER_FILES, self.space, self.folder, self.limit)
            candidates.update({candidate.key: candidate for candidate in grid})
        if len(candidates) > self.limit:
            raise InputError(
                f"the files in {self.folder} list {counted(len(candidates), 'candidate')}; the "
                f"limit is {self.limit}, set it with max_candidates"
            )
        return CandidateList.of(candidates.values(), self.space)

    def check(self) -> None:
        """Refuse a sampler that cannot be asked.

        Raises
        ------
        InputError
            If it refuses its settings.
        NotInstalledError
            If it needs what is not installed.
        """
        with at_field("sampler"):
            self.sampler  # noqa: B018 - it is made

    def is_in_files(self, candidate: Candidate) -> bool:
        """Whether the files list a candidate, one by one or in a grid, under whatever sampler."""
        if candidate.key in self.listing.explicit:
            return True
        return all(
            isinstance(value, Absent) or (isinstance(axis.domain, Levels) and axis.covers(value))
            for axis, value in zip(self.looked_in.axes, candidate.values, strict=True)
        )

    def covers(self, candidate: Candidate) -> bool:
        """Whether a candidate is where the sampler looks; it is shown no others.

        A sampler of the user's own may look anywhere, if an axis does not say where; ``refine``
        looks between and beyond the numbers of the grid.
        """
        return all(
            isinstance(value, Absent) or axis.covers(value) or self._looks_beyond(axis, value)
            for axis, value in zip(self.looked_in.axes, candidate.values, strict=True)
        )

    def propose(
        self,
        observations: Sequence[Observation],
        running: Sequence[Candidate],
        known: Collection[str] | None = None,
        sampler: Sampler | None = None,
    ) -> tuple[Candidate, ...]:
        """Ask the sampler for the next candidates.

        Parameters
        ----------
        observations, running
            See `iris_hpo.samplers.Sampler.propose`.
        known
            Keys of the candidates that an answer may not have; by default of those that are shown.
        sampler
            The sampler to ask, if it is not the source's own.

        Returns
        -------
        Candidates that are not known, each once, at most as many as there may still be; none if
        there is nothing to try now, or at all if none is running.

        Raises
        ------
        InputError
            If the sampler fails, or proposes candidates of another space.
        """
        if known is None:
            shown = (*(seen.candidate for seen in observations), *running)
            known = {candidate.key for candidate in shown}
        room = self.limit - len(known)
        if room <= 0:
            return ()
        answer = ask(
            self.part.use,
            sampler or self.sampler,
            self.looked_in,
            observations,
            running,
            self.limit,
        )
        return tuple(candidate for candidate in answer if candidate.key not in known)[:room]

    def _looks_beyond(self, axis: Axis, value: Value) -> bool:
        if self.part.use in GRID_FIRST:
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            return is_number and axis.domain is not None and axis.domain.is_ordered
        return self.part.use not in SAMPLERS and axis.domain is None

    @cached_property
    def sampler(self) -> Sampler:
        """The sampler, made once."""
        return cast("Sampler", make_part(self.made_part, SAMPLERS, "sampler", "propose"))

    @property
    def made_part(self) -> Part:
        """The sampler with all settings that it is made with."""
        if self.part.use not in SAMPLERS:
            return self.part
        return Part(self.part.use, {"seed": self.seed, **self.part.settings})

    @cached_property
    def listing(self) -> Listing:
        """What the parameter files list; only the sampler ``files`` needs the folder."""
        if self.part != PARAMETER_FILES and not self.folder.exists():
            return Listing({axis.name: {} for axis in self.space.axes}, {})
        return read_listing(self.folder, self.space)

    @cached_property
    def looked_in(self) -> ParameterSpace:
        """The space with where to look: an axis with parameter files has their values."""
        return self.listing.looked_in(self.space)

    @property
    def unused_places(self) -> tuple[str, ...]:
        """Names of the axes whose parameter files take the place of their range or values."""
        if all(axis.domain is None for axis in self.space.axes):
            return ()  # without a look at the files
        return tuple(
            axis.name
            for axis, looked_in in zip(self.space.axes, self.looked_in.axes, strict=True)
            if axis.low != looked_in.low or not {*axis.values} <= {*looked_in.values}
        )

    @property
    def ranges_without_none(self) -> tuple[str, ...]:
        """Names of the axes that none is a value of, but not where the sampler looks."""
        axes = self.looked_in.axes
        return tuple(axis.name for axis in axes if axis.nullable and axis.low is not None)

    @property
    def ranges_of_one(self) -> tuple[str, ...]:
        """Names of the axes whose step leads from the low end beyond the high one."""
        axes = self.looked_in.axes
        return tuple(
            axis.name
            for axis in axes
            if axis.step is not None and axis.domain and axis.domain.size == 1
        )

    @property
    def sampler_notes(self) -> tuple[str, ...]:
        """What a sampler of Optuna says of its settings; nothing if it is not installed."""
        with suppress(NotInstalledError):
            if self.is_adaptive and self.part.use in SAMPLERS:
                return getattr(self.sampler, "notes", ())
        return ()

    @property
    def unmet_axes(self) -> tuple[str, ...]:
        """Names of the axes that no candidate can have where the sampler looks."""
        axes = enumerate(self.looked_in.axes)
        return tuple(axis.name for at, axis in axes if not self.looked_in.may_have_axis(at))

    def _default_candidate(self) -> Candidate | None:
        """The candidate of the estimator's own values; None if it is not where to look."""
        values = [self.default.get(axis.parameter, Absent.ABSENT) for axis in self.space.axes]
        try:
            candidate = self.space.candidate(values)
        except ValueError:
            return None
        return candidate if self.covers(candidate) else None
