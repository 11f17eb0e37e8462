"""Notes on the sampling of a search: what it does not do, although a user may expect it."""

from collections.abc import Iterator, Sequence

from iris_hpo.orchestration.sampling import Sampling
from iris_hpo.run_settings import SamplingSettings
from iris_hpo.samplers.source import CandidateSource
from iris_hpo.text import counted


def sampling_notes(sampling: Sampling, left_out: Sequence[str]) -> list[str]:
    """Say what the sampler and the budget in force do not do, a line each.

    Parameters
    ----------
    left_out
        Registered candidates that the sampler is not shown.
    """
    source = sampling.source
    if not sampling.is_adaptive:
        return [*_on_budget_of_list(sampling), *_on_files(source)]
    return [
        *_on_left_out(source, left_out),
        *_on_files(source),
        *_on_places(source),
        *(f"the sampler {source.part.use}: {note}" for note in source.sampler_notes),
        *_on_gain(sampling),
    ]


def _on_budget_of_list(sampling: Sampling) -> Iterator[str]:
    own = SamplingSettings()
    given = [
        name
        for name in ("candidates", "seconds", "until", "while_it_gains")
        if getattr(sampling.settings, name) != getattr(own, name)
    ]
    if given:
        yield (
            f"the sampler {sampling.part.use} lists all candidates at once, whatever the budget "
            f"({', '.join(given)}); choose another sampler, such as random or tpe"
        )


def _on_left_out(source: CandidateSource, left_out: Sequence[str]) -> Iterator[str]:
    outside = [key for key in left_out if source.space.is_key(key)]
    of_other_axes = [key for key in left_out if not source.space.is_key(key)]
    reasons = {"outside of the present ranges": outside, "of other axes": of_other_axes}
    for why, keys in reasons.items():
        if keys:
            shown = ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")
            yield (
                f"{counted(len(keys), 'registered candidate')} {why}, which the sampler is not "
                f"shown: {shown}"
            )


def _on_files(source: CandidateSource) -> Iterator[str]:
    if names := source.unused_places:
        files = ", ".join(f"{name.lower()}_parameters*.txt" for name in names)
        yield (
            f"values of parameter files are tried instead of the range or the values of "
            f"{' and '.join(names)} in the description; delete {files} to have these"
        )


def _on_places(source: CandidateSource) -> Iterator[str]:
    if names := source.unmet_axes:
        yield (
            f"no candidate where the sampler looks has {' or '.join(names)}: the condition (when) "
            "is never met"
        )
    if names := source.ranges_of_one:
        yield f"the range of {' and '.join(names)} has one value: the step leads beyond its end"
    if names := source.ranges_without_none:
        yield (
            f"none is not in the range of {' and '.join(names)}, and is not tried; list values "
            "instead, none among them, if it should be"
        )


def _on_gain(sampling: Sampling) -> Iterator[str]:
    if sampling.settings.while_it_gains and not sampling.has_folds:
        yield (
            "while_it_gains ends nothing here: it compares with the error of cross-validation, and "
            "there are no scores of folds"
        )
