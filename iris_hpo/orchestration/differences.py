"""What a result was made with that is not so now, as the cards and the event log have it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import dagster as dg

from iris_hpo.data.split import CARD as SPLIT_CARD
from iris_hpo.data.split import SplitCard
from iris_hpo.orchestration.names import IDENTITY
from iris_hpo.orchestration.past_events import input_version, latest_of_version
from iris_hpo.orchestration.study import Study
from iris_hpo.samplers.parameter_list import PARAMETERS_CARD, ParametersCard
from iris_hpo.store.cards import AnyCard, read_card
from iris_hpo.store.digests import ArtifactError

_DIVIDING: Final = ("test_size", "seed", "folds", "stratify", "repeats", "splitter")
_COLUMNS: Final = ("feature_names", "target_name", "kinds", "roles")
_SPLIT_NAMES: Final = {
    "data_digest": "data",
    "train_digest": "training rows",
    "test_digest": "test rows",
}
_ABSENT: Final = "-"


@dataclass(frozen=True)
class Difference:
    """Something that decides a result, and has changed since the result was made.

    Attributes
    ----------
    what
        Name of it, such as ``scikit-learn`` or ``setting C of sklearn.svm.SVC``.
    recorded, present
        Its value then and now; a digest, if the values are not stored.
    """

    what: str
    recorded: object
    present: object


def differing(recorded: object, present: object, *path: str | int) -> Iterator[Difference]:
    """Yield where two values of JSON differ; each part that differs is named by its path."""
    if recorded == present:
        return
    if isinstance(recorded, Mapping) and isinstance(present, Mapping):
        for name in [*recorded, *(name for name in present if name not in recorded)]:
            parts = recorded.get(name, _ABSENT), present.get(name, _ABSENT)
            yield from differing(*parts, *path, name)
    elif isinstance(recorded, list) and isinstance(present, list) and len(recorded) == len(present):
        for at, parts in enumerate(zip(recorded, present, strict=True)):
            yield from differing(*parts, *path, at)
    else:
        yield Difference(_name(path), recorded, present)


def _name(path: Sequence[str | int]) -> str:
    """Name a part of the card of the parameters."""
    match path:
        case ("recipe", "steps", int(at), 0, *rest):
            name = f"estimator {at + 1}"
        case ("recipe", "steps", int(at), _, *rest):
            name = f"estimator {at + 1}, setting"
        case ("axes", int(at), *rest):
            name = f"axis {at + 1},"
        case ("recipe", "code", *rest):
            name = "source of"
        case ("choices", *rest):
            name = "setting"
        case _:
            name, rest = "", [part for part in path if part != "recipe"]
    return f"{name} {'.'.join(map(str, rest))}".strip(" ,")


def split_differences(study: Study, version: str, present: SplitCard) -> list[Difference]:
    """Compare the split of a data version with the one that would be made now.

    Parameters
    ----------
    version
        Data version of the split that a result was made with.
    """
    if version == present.version:
        return []
    now = present.content()
    card = _stored(study, SPLIT_CARD, SplitCard, version)
    then = card.content() if card else _recorded_split(study, version)
    for names in (("data_digest",), _DIVIDING, _COLUMNS, tuple(now)):
        differences = [
            Difference(
                _SPLIT_NAMES.get(name, name), then.get(name, _ABSENT), now.get(name, _ABSENT)
            )
            for name in names
            if (card or name in then) and then.get(name) != now.get(name)
        ]
        if differences:  # what follows from them is not named
            return differences
    return [Difference("split", version, present.version)]


def _recorded_split(study: Study, version: str) -> Mapping[str, object]:
    """What the event log has of a split whose card is gone; earlier versions recorded less."""
    made = latest_of_version(study.instance, study.names.asset("split"), version)
    identity = _identity(made)
    if made is None or identity:
        return identity
    data = input_version(made, study.names.asset("raw_data"))
    return {
        **({} if data is None else {"data_digest": data}),
        **{
            name: made.metadata[name].value
            for name in ("seed", "folds", "repeats")
            if name in made.metadata
        },
    }


def parameters_differences(study: Study, version: str, present: ParametersCard) -> list[Difference]:
    """Compare the parameters of a data version with those of now: axes, estimator, scoring."""
    if version == present.version:
        return []
    card = _stored(study, PARAMETERS_CARD, ParametersCard, version)
    key = study.names.asset("parameters")
    then = card.content() if card else _identity(latest_of_version(study.instance, key, version))
    if not then:  # an earlier version recorded no more
        return [Difference("axes, estimator or scoring", version, present.version)]
    return _once(differing({"choices": then.get("choices"), **then}, present.content()))


def _identity(made: dg.AssetMaterialization | None) -> Mapping[str, object]:
    """What the data version of a materialisation follows from; empty if it was not recorded."""
    recorded = made.metadata.get(IDENTITY) if made else None
    value = recorded.value if recorded else None
    return dict(value) if isinstance(value, dict) else {}


def package_differences(
    recorded: Mapping[str, str], present: Mapping[str, str]
) -> list[Difference]:
    """Compare versions of the packages that decide a model."""
    return [
        Difference(name, recorded.get(name, _ABSENT), version)
        for name, version in present.items()
        if recorded.get(name) != version
    ]


def _once(differences: Iterator[Difference]) -> list[Difference]:
    """Leave out settings of the estimator that are named as choices too."""
    kept: list[Difference] = []
    for difference in differences:
        values = difference.recorded, difference.present
        if not any((other.recorded, other.present) == values for other in kept):
            kept.append(difference)
    return kept


def _stored(study: Study, name: str, kind: type[AnyCard], version: str) -> AnyCard | None:
    """The stored card; None if it has another version."""
    try:
        card = read_card(study.store, name, kind)
    except ArtifactError:
        return None
    return card if card.version == version else None
