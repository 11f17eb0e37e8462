"""The stored files of a selection: the selected models, the champion and its card."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Final

from iris_hpo.data.split import SplitCard
from iris_hpo.run_settings import ALL, TRAIN
from iris_hpo.selection.estimates import Assessment, Estimate, NoEstimate
from iris_hpo.selection.fold_test import FoldTest
from iris_hpo.selection.references import ReferenceScores
from iris_hpo.selection.rules import Selection
from iris_hpo.space.values import Value
from iris_hpo.store.cards import Card
from iris_hpo.store.digests import digest_of
from iris_hpo.training.cards import ModelCard
from iris_hpo.training.final_fits import Refitted

MINIMIZE = "minimize"
CHAMPION = "selection/champion.pkl"
CHAMPION_CARD = "selection/champion.json"


@dataclass(frozen=True)
class ChampionCard(Card):
    """The card of the champion: which model was chosen, and what predictions with it need.

    Fields with the default None are not stored if they are None: cards of earlier versions have
    none of them.

    Attributes
    ----------
    digest
        The sha256 of ``champion.pkl``.
    model_version, score, interval, cv_mean
        The version of the card of the model that was scored, and its scores.
    versions
        Versions of Python and of the packages that ``champion.pkl`` was trained with.
    source
        Digests of the modules of no release that it was trained with.
    refit
        ``all`` if ``champion.pkl`` was trained again, on the training and the test rows; ``train``,
        or None, if it is the model that was scored.
    training_rows
        Number of rows that ``champion.pkl`` was trained on.
    scored_digest
        The sha256 of the model that was scored, which is among the selected models.
    refit_fingerprint
        sha256 of everything that decides the model that was trained again.
    estimate
        The champion's score on new rows: ``value``, ``low`` and ``high`` of its 95 % interval, in
        units of the scoring, ``method`` and ``kind``.
    estimate_reason
        Why there is no estimate.
    as_good
        Keys of the candidates that do not differ from the champion beyond chance, with its own.
    references
        What the champion was compared with: ``name``, ``score`` and ``cv_mean``; ``value``, how
        much higher the champion is (``gain``), and a 95 % interval (``low``, ``high``), if the same
        rows can be compared; or ``reason``, why there is no score.
    references_digest
        The sha256 of the file with the scores of the references.
    test_rows
        Number of rows that the score is over.
    fold_test
        The champion's errors by fold (`iris_hpo.selection.fold_test.FoldTest`): ``shares`` and
        ``p_value``; None without predictions of folds.
    ensemble
        The vote of the selected models: ``digest`` and ``bytes`` of its file, number of ``models``,
        ``estimate`` or ``estimate_reason`` as above; None without one.
    direction
        ``minimize`` if the least score is the best.
    has_files
        Whether the champion has files beside its model.
    iterations
        Number of iterations of ``champion.pkl``, if it stops early: the median of the best numbers
        of the folds.
    """

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
    refit: str | None = None
    training_rows: int | None = None
    scored_digest: str | None = None
    refit_fingerprint: str | None = None
    estimate: dict[str, Any] | None = None
    estimate_reason: str | None = None
    as_good: list[str] | None = None
    references: list[dict[str, Any]] | None = None
    references_digest: str | None = None
    test_rows: int | None = None
    fold_test: dict[str, Any] | None = None
    kinds: list[str] | None = None  # of the features, as in the split
    ensemble: dict[str, Any] | None = None
    direction: str | None = None
    has_files: bool | None = None
    iterations: int | None = None
    source: dict[str, str] | None = None

    def content(self) -> dict[str, object]:
        """Return the fields that are stored."""
        content = super().content()
        return {
            name: content[name] for name in content if content[name] is not None or name in _OLD
        }


_OLD: Final = frozenset(one.name for one in fields(ChampionCard) if one.default is MISSING)
"""Fields that all versions store."""


@dataclass(frozen=True)
class Made:
    """All that a selection consists of.

    Attributes
    ----------
    selection
        The choice.
    models
        Card and content of every selected model, verified.
    table, reports
        Contents of the leaderboard and of the reports, these by the names of their files.
    refitted
        The champion, trained on all rows; None without a refit.
    references
        What is known of the references.
    assessment
        How good the champion is.
    fold_test
        The champion's errors by fold; None without predictions of folds.
    ensemble
        The pickled vote of the selected models; None without one.
    """

    selection: Selection
    models: Mapping[str, tuple[ModelCard, bytes]]
    table: bytes
    reports: Mapping[str, bytes]
    refitted: Refitted | None
    references: ReferenceScores
    assessment: Assessment
    fold_test: FoldTest | None
    ensemble: bytes | None = None

    @property
    def scored(self) -> tuple[ModelCard, bytes]:
        """The champion's model that was scored."""
        return self.models[self.selection.champion.candidate.key]


def champion_card(made: Made, split: SplitCard) -> ChampionCard:
    """Make the card of a selection's champion."""
    selection, (card, _), refitted = made.selection, made.scored, made.refitted
    champion = selection.champion
    return ChampionCard(
        key=card.key,
        parameters=card.parameters,
        digest=digest_of(refitted.content) if refitted else card.digest,
        model_version=card.version,
        rule=selection.rule,
        scoring=selection.scoring,
        score=champion.evaluation.score,
        # An evaluation has the interval of the accuracy, whatever the scoring is.
        interval=list(champion.evaluation.interval)
        if champion.evaluation.interval and selection.scoring == "accuracy"
        else None,
        cv_mean=champion.cv_mean,
        tied=len(selection.selected),
        leaderboard_digest=digest_of(made.table),
        feature_names=split.feature_names,
        kinds=split.kinds,
        target_name=split.target_name,
        edges=[list(edge) for edge in selection.edges],
        versions=refitted.versions if refitted else card.versions,
        refit=ALL if refitted else TRAIN,
        training_rows=refitted.rows if refitted else card.training_rows,
        scored_digest=card.digest,
        refit_fingerprint=refitted.fingerprint if refitted else None,
        references=made.references.compared(made.assessment.comparisons),
        references_digest=digest_of(made.references.to_bytes()),
        test_rows=split.test_rows,
        fold_test=asdict(made.fold_test) if made.fold_test else None,
        as_good=None if made.assessment.as_good is None else list(made.assessment.as_good),
        ensemble=_described_ensemble(made),
        **_estimated(made.assessment.estimate),
        direction=MINIMIZE if selection.minimizes else None,
        has_files=True if card.beside else None,
        iterations=card.iterations,
        source=card.source,
    )


def _described_ensemble(made: Made) -> dict[str, Any] | None:
    if made.ensemble is None or made.assessment.of_vote is None:
        return None
    return {
        "digest": digest_of(made.ensemble),
        "bytes": len(made.ensemble),
        "models": len(made.models),
        **_estimated(made.assessment.of_vote),
    }


def _estimated(estimate: Estimate | NoEstimate) -> dict[str, Any]:
    """Fields with an estimate, or with the reason why there is none."""
    known = isinstance(estimate, Estimate)
    return {
        "estimate": asdict(estimate) if known else None,
        "estimate_reason": None if known else estimate.reason,
    }


def edge_warning(edges: Sequence[Sequence[str]]) -> str:
    """Warning that the champion is on the edge of the grid; empty if it is not."""
    if not edges:
        return ""
    where = " and ".join(f"the {end} {axis}" for axis, end in edges)
    return f"the champion has {where} of all that were tried: better candidates may lie beyond"
