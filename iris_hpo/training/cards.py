"""Cards of a candidate's results, and the fingerprints by which results are reused."""

import pickle
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from typing import Final

from iris_hpo.space.values import Value
from iris_hpo.store.cards import Card, fingerprint
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.metrics import METRICS_VERSION
from iris_hpo.training.search_objective import SearchObjective
from iris_hpo.training.stored_predictions import StoredPredictions, encode


@dataclass(frozen=True, kw_only=True)
class ResultCard(Card):
    """Card of one result of a candidate.

    Attributes
    ----------
    fingerprint
        sha256 of everything that decided the result.
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
    """Card of a model: what it was made of, and the digest of its file.

    Attributes
    ----------
    training_digest
        sha256 of the training rows' file; the version of the split if more of it decides.
    beside
        Digests of the files beside the model, by suffix: ``zip`` is what a call left in its folder,
        ``txt`` its log. None, and not stored, if there are none.
    iterations
        Number of iterations of a model that stops early: the median of the best numbers of the
        folds. None, and not stored, for others.
    source
        Digests of the modules of no release that it was made with. None, and not stored, without
        such modules, and in cards of earlier versions.
    """

    digest: str
    bytes: int
    training_rows: int
    training_digest: str
    support_vectors: int | None
    versions: dict[str, str]
    beside: dict[str, str] | None = None
    iterations: int | None = None
    source: dict[str, str] | None = None

    def content(self) -> dict[str, object]:
        """Return the fields that are stored."""
        content = dict(super().content())
        for name in ("beside", "iterations", "source"):
            if content[name] is None:
                del content[name]
        return content

    @property
    def files_beside(self) -> dict[str, str]:
        """Digests of the files beside the model, by name."""
        return {
            beside_name(self.key, suffix): digest for suffix, digest in (self.beside or {}).items()
        }


@dataclass(frozen=True, kw_only=True)
class ScoreCard(ResultCard):
    """Card of a score: the evaluation, and the model and the rows it belongs to.

    Attributes
    ----------
    predictions
        What `iris_hpo.training.stored_predictions.encode` returned; None, and not stored, if there
        are no predictions. Cards of earlier versions have none.
    fold_metrics
        The values of other scorings for each fold; None, and not stored, without others.
    """

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
    predictions: str | None = None
    fold_metrics: dict[str, list[float]] | None = None

    def content(self) -> dict[str, object]:
        """Return the fields that are stored."""
        content = super().content()
        return {
            name: content[name] for name in content if content[name] is not None or name in _OLD
        }

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
            StoredPredictions(self.predictions) if self.predictions else None,
            {name: tuple(values) for name, values in (self.fold_metrics or {}).items()},
        )


_OLD: Final = frozenset(one.name for one in fields(ScoreCard) if one.default is MISSING)
"""Fields that the cards of all versions store."""


TRAINING_VERSION: Final = "1"
"""Part of a model's fingerprint: raise it when training changes what a model is."""


@dataclass(frozen=True)
class Conditions:
    """What candidates are trained and scored under; with their parameters, this decides results.

    Parameters
    ----------
    objective
        How to train and score.
    training_digest
        sha256 of what is trained on: the training rows' file, or the version of the split.
    split_version, parameters_version
        Data versions of the assets that candidates stand on.
    """

    objective: SearchObjective
    training_digest: str
    split_version: str
    parameters_version: str

    def model_fingerprint(self, parameters: Mapping[str, Value]) -> str:
        """Compute the fingerprint of the model with these parameters."""
        return fingerprint(base=self._model_base, parameters=dict(parameters))

    def score_fingerprint(self, model_version: str) -> str:
        """Compute the fingerprint of the score of a model."""
        identity = self.objective.scoring_identity()
        return fingerprint(
            model=model_version,
            split=self.split_version,
            parameters=self.parameters_version,
            scoring=self.objective.scoring,
            metrics=METRICS_VERSION,
            **({"scorings": dict(identity)} if identity else {}),
        )

    def score_card(
        self,
        key: str,
        parameters: Mapping[str, Value],
        model_version: str,
        evaluation: Evaluation,
        run_id: str,
    ) -> ScoreCard:
        """Make the card of a score."""
        return ScoreCard(
            key=key,
            parameters=dict(parameters),
            fingerprint=self.score_fingerprint(model_version),
            model_version=model_version,
            split_version=self.split_version,
            parameters_version=self.parameters_version,
            scoring=self.objective.scoring,
            score=evaluation.score,
            metrics=dict(evaluation.metrics),
            correct=evaluation.correct,
            total=evaluation.total,
            interval=list(evaluation.interval) if evaluation.interval else None,
            fold_scores=list(evaluation.fold_scores),
            convergence_warnings=evaluation.convergence_warnings,
            seconds=evaluation.seconds,
            run_id=run_id,
            predictions=encode(evaluation.predictions) if evaluation.predictions else None,
            fold_metrics={name: list(values) for name, values in evaluation.fold_metrics.items()}
            or None,
        )

    @cached_property
    def _model_base(self) -> str:
        return fingerprint(
            training=self.training_digest, recipe=self.objective.identity(), code=TRAINING_VERSION
        )


def model_name(key: str) -> str:
    """Name of a candidate's model file in the store."""
    return f"models/model_{key}.pkl"


def beside_name(key: str, suffix: str) -> str:
    """Name of a file beside a candidate's model in the store."""
    return f"models/model_{key}.{suffix}"


def model_card_name(key: str) -> str:
    """Name of a candidate's model card in the store."""
    return f"models/model_{key}.json"


def score_name(key: str) -> str:
    """Name of a candidate's score in the store."""
    return f"scores/{key}.json"


def dump_model(model: object) -> bytes:
    """Pickle a model; `joblib.load` reads it too."""
    return pickle.dumps(model, protocol=pickle.HIGHEST_PROTOCOL)


def load_model(content: bytes) -> object:
    """Unpickle a model whose bytes were verified; a pickle can run any code."""
    return pickle.loads(content)  # noqa: S301 - verified
