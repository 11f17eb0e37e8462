"""Where candidates come from.

A sampler is any class with the method of `Sampler`; a search names its sampler in ``sampler``.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, cast

from iris_hpo.errors import InputError, NotInstalledError
from iris_hpo.parts import Part, make_part
from iris_hpo.samplers.parameter_list import CandidateList
from iris_hpo.space.candidates import Candidate, ParameterSpace
from iris_hpo.text import counted, shorten

SAMPLERS: Final = {
    "files": "iris_hpo.samplers.parameter_files.ParameterFilesSampler",
    "random": "iris_hpo.samplers.random.RandomSampler",
    "qmc": "iris_hpo.samplers.qmc.SobolSampler",
    "tpe": "iris_hpo.samplers.by_optuna.TpeSampler",
    "gp": "iris_hpo.samplers.by_optuna.GpSampler",
    "refine": "iris_hpo.samplers.refine.RefineSampler",
}
"""Short names of samplers."""

PARAMETER_FILES: Final = Part("files")
"""The default sampler: the parameter files of the search."""

MAX_CANDIDATES: Final = 100_000
"""Default limit of candidates: the number of partitions that Dagster recommends for one asset."""


@dataclass(frozen=True)
class Observation:
    """What is known of a candidate that was tried.

    Attributes
    ----------
    candidate
        The candidate.
    score
        Its score in the search's scoring, larger is better: the mean over the folds, or the score
        that the objective gives itself. None if the candidate failed.
    fold_scores
        The score of each fold; empty if there are none.
    number
        Its position, from 0, among all candidates that the sampler is shown, in the order in which
        they were proposed. Positions that no observation has are those of the running candidates.
    """

    candidate: Candidate
    score: float | None
    fold_scores: tuple[float, ...] = ()
    number: int = 0


class Sampler(Protocol):
    """Proposes the candidates of a search.

    A sampler is a pure function of its settings and its arguments: what it knows, it is shown. It
    may keep what saves time, such as a model of the scores, if a sampler that is made later, in
    another process, gives the same answer to the same arguments.
    """

    def propose(
        self,
        space: ParameterSpace,
        observations: Sequence[Observation],
        running: Sequence[Candidate],
    ) -> Sequence[Candidate]:
        """Return the candidates to try next, at least one unless there is none.

        A search first asks without observations: these candidates are registered at once. Then it
        asks whenever a worker is free. ``()`` while candidates are running means "nothing now", and
        ``()`` while none is running ends the search. Candidates that are shown already are left out
        of an answer, so a sampler that always gives the same list ends, too.

        Parameters
        ----------
        space
            The axes. ``space.candidate(values)`` makes a candidate, and raises ValueError for
            values that the axes do not take. ``axis.domain`` says where to look; an axis with
            parameter files has their values.
        observations
            The candidates that were tried, in the order of their numbers. Those outside of the
            space in which to look are not among them.
        running
            The candidates that are proposed but not yet tried, in their order.

        Raises
        ------
        InputError
            If the sampler cannot use what the user gave; users see the message as it is.
        """
        ...


def sampler_names(own: Part) -> tuple[str, ...]:
    """Name the samplers that a run can choose: the short names, and the search's own."""
    return (*SAMPLERS, own.use) if own.use not in SAMPLERS else tuple(SAMPLERS)


def check_sampler(part: Part) -> None:
    """Refuse a sampler that is unknown or cannot be made.

    Only who asks it needs the package that it may lack: results can be read without.

    Raises
    ------
    InputError
        If it is unknown, or refuses its settings.
    """
    if part.use != PARAMETER_FILES.use:
        with suppress(NotInstalledError):
            make_part(part, SAMPLERS, "sampler", "propose")
    elif part.settings:
        raise InputError(
            f"the sampler {part.use} has no settings here; the search has parameters_folder and "
            "max_candidates",
            field=("settings",),
        )


def list_candidates(part: Part, space: ParameterSpace, folder: Path, limit: int) -> CandidateList:
    """List all candidates that a sampler names without results: ask it once.

    Parameters
    ----------
    folder
        The folder of the parameter files; only the sampler ``files`` needs it.
    limit
        Largest number of candidates.

    Raises
    ------
    InputError
        If the sampler fails, or proposes no candidates, too many, or those of another space.
    """
    check_sampler(part)
    settings = part.settings
    if part.use == PARAMETER_FILES.use:
        settings = {"folder": folder, "limit": limit}
    sampler = cast("Sampler", make_part(Part(part.use, settings), SAMPLERS, "sampler", "propose"))
    proposed = ask(part.use, sampler, space, (), (), limit)
    if isinstance(proposed, CandidateList):
        return proposed
    if not proposed:
        raise InputError(
            f"the sampler {part.use} proposes no candidates; a search needs at least one"
        )
    return CandidateList.of(proposed, space)


def ask(
    use: str,
    sampler: Sampler,
    space: ParameterSpace,
    observations: Sequence[Observation],
    running: Sequence[Candidate],
    limit: int,
) -> Sequence[Candidate]:
    """Ask a sampler, and check the answer.

    Returns
    -------
    Distinct candidates, with their values as the axes hold them.

    Raises
    ------
    InputError
        If the sampler fails, or proposes too many candidates, or those of another space.
    """
    try:
        proposed = sampler.propose(space, observations, running)
        if use in SAMPLERS and isinstance(proposed, CandidateList):
            return proposed
        return _checked(use, proposed, space, limit)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # one that exits would end the command unseen
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(
            f"the sampler {use} failed: {reason}; correct it, or name another one in sampler"
        ) from error


def _checked(use: str, proposed: object, space: ParameterSpace, limit: int) -> list[Candidate]:
    """Return distinct candidates, with their values as the axes hold them."""
    if not isinstance(proposed, Iterable):
        raise InputError(
            f"the sampler {use} proposes {shorten(str(proposed))}; it must return a sequence of "
            "candidates"
        )
    candidates: dict[str, Candidate] = {}
    for candidate in cast("Iterable[object]", proposed):
        if not isinstance(candidate, Candidate):
            raise InputError(
                f"the sampler {use} proposes {shorten(str(candidate))}, which is no candidate; "
                "make candidates with space.candidate(values)"
            )
        candidates[candidate.key] = _of_space(use, candidate, space)
        if len(candidates) > limit:
            raise InputError(
                f"the sampler {use} proposes more than {counted(limit, 'candidate')}; that is the "
                "limit, set it with max_candidates"
            )
    return list(candidates.values())


def _of_space(use: str, candidate: Candidate, space: ParameterSpace) -> Candidate:
    try:
        own = space.candidate(candidate.values)
    except ValueError as reason:
        problem = f"it {reason}"
    else:
        if own.key == candidate.key:
            return own
        problem = f"in this one its key is {shorten(own.key)}"
    raise InputError(
        f"the sampler {use} proposes {shorten(candidate.key)}, a candidate of another space: "
        f"{problem}; make candidates with space.candidate(values)"
    )
