"""Cards: what every stored file was made of, and how it is trusted.

Beside every model stands its card, which says what it was made of and carries the model's digest;
the card's own version goes into Dagster's event log. So a chain of sha256 leads from the event log
to the bytes, and nothing is unpickled before it was followed.
"""

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeVar, cast

from iris_hpo.search.estimators import Estimator
from iris_hpo.search.evaluation import Evaluation
from iris_hpo.search.space import Value
from iris_hpo.store.artifacts import SMALL, ArtifactMismatchError, ArtifactStore, digest_of

_UNDIGESTED: Final = ("seconds", "run_id")


def fingerprint(**parts: object) -> str:
    """sha256 over everything that decides about a result.

    Two results with one fingerprint are interchangeable.
    """
    return digest_of(_canonical(parts).encode())


@dataclass(frozen=True)
class Card:
    """What a stored file was made of."""

    @property
    def version(self) -> str:
        """sha256 of all fields but ``seconds`` and ``run_id``: equal results, equal versions."""
        content = {name: value for name, value in vars(self).items() if name not in _UNDIGESTED}
        return digest_of(_canonical(content).encode())

    def to_bytes(self) -> bytes:
        """The card as indented JSON."""
        return (json.dumps(vars(self), indent=1, sort_keys=True) + "\n").encode()


@dataclass(frozen=True)
class SplitCard(Card):
    """What `split` made: settings, digests of both parts, and of the data they came from."""

    data_digest: str
    test_size: float
    seed: int
    folds: int
    stratify: bool
    train_rows: int
    test_rows: int
    train_digest: str
    test_digest: str
    feature_names: list[str]
    target_name: str


@dataclass(frozen=True)
class ParametersCard(Card):
    """What `parameters` declared: the axes and the estimator with its settings, not the values.

    A model depends on its own values, which are its key; so a value more makes no model stale.
    """

    axes: list[dict[str, Any]]
    recipe: dict[str, Any]
    choices: dict[str, str]
    scoring: str


@dataclass(frozen=True, kw_only=True)
class ResultCard(Card):
    """What every result of a candidate says of itself.

    Attributes
    ----------
    fingerprint
        Of everything that decided about it.
    seconds, run_id
        How long it took, and the Dagster run that made it.
    """

    key: str
    parameters: dict[str, Value]
    fingerprint: str
    convergence_warnings: int
    seconds: float
    run_id: str


@dataclass(frozen=True, kw_only=True)
class ModelCard(ResultCard):
    """What a model was made of, and the digest of its file."""

    digest: str
    bytes: int
    training_rows: int
    training_digest: str
    support_vectors: int | None
    versions: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class ScoreCard(ResultCard):
    """A candidate's evaluation, and the model and the rows it belongs to."""

    model_version: str
    split_version: str
    parameters_version: str
    scoring: str
    score: float
    metrics: dict[str, float]
    correct: int | None
    total: int | None
    interval: list[float] | None
    fold_scores: list[float]

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation, as selection uses it."""
        return Evaluation(
            self.score,
            self.metrics,
            self.correct,
            self.total,
            (self.interval[0], self.interval[1]) if self.interval else None,
            tuple(self.fold_scores),
            self.seconds,
            self.convergence_warnings,
        )


@dataclass(frozen=True)
class ChampionCard(Card):
    """Which model was chosen, and what it takes to predict with it."""

    key: str
    parameters: dict[str, Value]
    digest: str
    model_version: str
    rule: str
    scoring: str
    score: float
    interval: list[float] | None
    cv_mean: float | None
    tied: int
    leaderboard_digest: str
    edges: list[list[str]]
    feature_names: list[str]
    target_name: str
    versions: dict[str, str]


AnyCard = TypeVar("AnyCard", bound=Card)


def model_name(key: str) -> str:
    """The name of a candidate's model file in the store."""
    return f"models/model_{key}.pkl"


def model_card_name(key: str) -> str:
    """The name of a candidate's model card in the store."""
    return f"models/model_{key}.json"


def score_name(key: str) -> str:
    """The name of a candidate's score in the store."""
    return f"scores/{key}.json"


def read_card(store: ArtifactStore, name: str, kind: type[AnyCard]) -> AnyCard:
    """Read a card.

    Raises
    ------
    ArtifactError
        If it is missing or is not a card of this kind.
    """
    content = store.read(name, limit=SMALL)
    try:
        fields: Any = json.loads(content, parse_constant=_refuse_constant)
        card = kind(**fields)
        _check_undigested(fields)
    except (ValueError, TypeError, RecursionError) as error:
        raise ArtifactMismatchError(
            f"{store.path(name)} is not a {kind.__name__} of this version; run the search again"
        ) from error
    return card


def read_recorded_card(
    store: ArtifactStore, name: str, kind: type[AnyCard], version: str
) -> AnyCard:
    """Read a card that the event log vouches for.

    Raises
    ------
    ArtifactError
        If it is missing, or has changed since its version was recorded.
    """
    card = read_card(store, name, kind)
    try:
        found = card.version
    except RecursionError:  # JSON is written with less depth than it is read with
        found = "unknown"
    if found != version:
        raise ArtifactMismatchError(
            f"{store.path(name)} is not what was recorded (version {found[:12]}, recorded "
            f"{version[:12]}): it was changed or replaced; run the search again"
        )
    return card


def dump_model(estimator: Estimator) -> bytes:
    """Pickle a fitted estimator; `joblib.load` reads it too."""
    return pickle.dumps(estimator, protocol=pickle.HIGHEST_PROTOCOL)


def load_model(content: bytes) -> Estimator:
    """Unpickle a model whose bytes were verified; a pickle can run any code."""
    return cast("Estimator", pickle.loads(content))  # noqa: S301 - verified


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _check_undigested(fields: Mapping[str, object]) -> None:
    """Refuse what no digest would notice; all else that is wrong changes the card's version.

    Raises
    ------
    TypeError
        If a field is not of its type.
    """
    if not isinstance(fields.get("seconds", 0.0), (int, float)):
        raise TypeError("seconds is not a number")
    if not isinstance(fields.get("run_id", ""), str):
        raise TypeError("run_id is not a text")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of a card")
