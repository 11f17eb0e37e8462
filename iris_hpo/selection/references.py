"""The stored scores of the references, with the champion's learning curve.

They are kept beside a selection, and used again by the next one if the same work would give them.
"""

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field, replace
from operator import itemgetter
from typing import Any, Final

from iris_hpo.selection.estimates import Comparison, Reference
from iris_hpo.store.cards import Card
from iris_hpo.store.digests import ArtifactMismatchError
from iris_hpo.store.folder import ArtifactStore, read_verified
from iris_hpo.training.cards import ScoreCard
from iris_hpo.training.evaluation import cv_mean
from iris_hpo.training.learning_curve import SHARES, LearningCurve, Shares
from iris_hpo.training.predictions import Predictions
from iris_hpo.training.stored_predictions import decode, encode

REFERENCES: Final = "selection/references.json"

_Curve = tuple[str, int, str] | tuple[str, int, str, Shares]


@dataclass(frozen=True)
class ReferenceScores(Card):
    """What is known of the references.

    Attributes
    ----------
    scores
        The fields of the card of each score, by the reference's name.
    failures
        Why others have no score: fingerprint and reason, by name.
    curve
        The champion's learning curve: its fingerprint, the number of repeats with fewer rows, and
        the columns as `iris_hpo.training.stored_predictions.encode` writes them, with the shares
        of the rows if they are those of groups; None without one.
    """

    scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    failures: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    curve: _Curve | None = None

    @property
    def learning_curve(self) -> LearningCurve | None:
        """The champion's learning curve."""
        if self.curve is None:
            return None
        _, fewer, text, *shares = self.curve
        columns = decode(text).folds
        return LearningCurve(columns[:fewer], columns[fewer:], *shares)

    def with_curve(self, fingerprint: str, curve: LearningCurve) -> "ReferenceScores":
        """Return the same with a learning curve, or without one if it is too large to be kept."""
        columns = (*curve.fewer, *curve.more)
        text = encode(Predictions(columns, columns[0][:0]))
        if text is None:
            return replace(self, curve=None)
        kept = fingerprint, len(curve.fewer), text
        return replace(self, curve=kept if curve.shares == SHARES else (*kept, curve.shares))

    @property
    def cards(self) -> Mapping[str, ScoreCard]:
        """The card of each score, by the reference's name."""
        return {name: ScoreCard(**fields) for name, fields in sorted(self.scores.items())}

    @property
    def references(self) -> list[Reference]:
        """The references with a score."""
        return [Reference(name, card.evaluation) for name, card in self.cards.items()]

    def compared(self, comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
        """Describe each reference, by name, and how the champion compares, for its card."""
        gains = {comparison.name: asdict(comparison) for comparison in comparisons}
        scored: list[dict[str, Any]] = [
            {
                "name": name,
                "score": card.score,
                "cv_mean": cv_mean(card.fold_scores),
                **gains.get(name, {}),
            }
            for name, card in self.cards.items()
        ]
        failed = [{"name": name, "reason": reason} for name, (_, reason) in self.failures.items()]
        return sorted([*scored, *failed], key=itemgetter("name"))

    @property
    def names(self) -> Set[str]:
        """The references of which something is known."""
        return self.scores.keys() | self.failures.keys()

    def with_score(self, name: str, card: ScoreCard) -> "ReferenceScores":
        """Return the same with one more score."""
        return replace(self, scores={**self.scores, name: card.content()})

    def with_failure(self, name: str, fingerprint: str, reason: str) -> "ReferenceScores":
        """Return the same with one more failure."""
        return replace(self, failures={**self.failures, name: (fingerprint, reason)})

    def only(self, fingerprints: Mapping[str, str], curve: str | None = None) -> "ReferenceScores":
        """Return what has these fingerprints, by name; all else is out of date."""
        return ReferenceScores(
            {
                name: fields
                for name, fields in self.scores.items()
                if fields["fingerprint"] == fingerprints.get(name)
            },
            {
                name: failure
                for name, failure in self.failures.items()
                if failure[0] == fingerprints.get(name)
            },
            self.curve if self.curve and self.curve[0] == curve else None,
        )


def read_references(store: ArtifactStore, digest: str) -> ReferenceScores:
    """Read the stored scores of the references.

    Raises
    ------
    ArtifactError
        If the file is missing or has another digest.
    """
    content = read_verified(store, REFERENCES, digest)
    try:
        fields: Any = json.loads(content)
        return ReferenceScores(
            fields["scores"],
            {name: (known, reason) for name, (known, reason) in fields["failures"].items()},
            _curve_of(fields["curve"]),
        )
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ArtifactMismatchError(
            f"{store.path(REFERENCES)} was written by another version; run the search again"
        ) from error


def _curve_of(stored: Any) -> _Curve | None:
    if not stored:
        return None
    known, fewer, text, *shares = stored
    return (known, fewer, text, tuple(shares[0])) if shares else (known, fewer, text)
