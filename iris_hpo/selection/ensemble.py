"""The vote of the selected models as one predictor.

Which models are selected is decided in `rules`; what is expected of their vote is computed from
predictions, in `votes` and `estimates`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iris_hpo.data.dataset import Features, Task
from iris_hpo.selection.votes import NUMBERS, PROBABILITIES, TIE_BREAK, VOTES, Vote
from iris_hpo.training.cards import load_model
from iris_hpo.training.evaluation import Evaluation

ENSEMBLE: Final = "selection/ensemble.pkl"

_PROBABILITIES: Final = "predict_proba"


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Models that vote; each is unpickled when it is needed, so one is in memory at a time.

    Parameters
    ----------
    models
        The pickled models, verified.
    champion
        Position of the champion among them.
    vote
        ``classes``: the class with the most votes, of several the champion's, else the first;
        ``numbers``: the mean; ``probabilities``: the class with the greatest mean probability.
    """

    models: tuple[bytes, ...]
    champion: int
    vote: Vote

    @property
    def classes_(self) -> NDArray[np.generic]:
        """Classes of the models, in the order of the columns of `predict_proba`."""
        champion: Any = load_model(self.models[self.champion])
        return np.asarray(champion.classes_)

    def predict(self, features: Features) -> NDArray[np.generic]:
        """Predict rows.

        Returns
        -------
        array of shape (rows,)
        """
        if self.vote == PROBABILITIES:
            return self.classes_[self.predict_proba(features).argmax(axis=1)]
        predictions = (
            np.asarray(model.predict(features)).reshape(len(features)) for model in self._models()
        )
        if self.vote == NUMBERS:
            return self._mean(predictions)
        votes: dict[Any, NDArray[np.float64]] = {}
        for at, predicted in enumerate(predictions):
            weight = 1 + TIE_BREAK * (at == self.champion)
            for label in np.unique(predicted).tolist():
                of_label = votes.setdefault(label, np.zeros(len(features)))
                of_label[predicted == label] += weight
        labels = sorted(votes)
        most = np.argmax([votes[label] for label in labels], axis=0)
        return np.array(labels)[most]

    def predict_proba(self, features: Features) -> NDArray[np.float64]:
        """Return the mean of the models' probabilities, shape (rows, classes)."""
        return self._mean(np.asarray(model.predict_proba(features)) for model in self._models())

    def _mean(self, values: Iterator[NDArray[Any]]) -> NDArray[np.float64]:
        total = next(values).astype(np.float64)
        for one in values:
            total += one
        return total / len(self.models)

    def _models(self) -> Iterator[Any]:
        return map(load_model, self.models)


def make_ensemble(
    models: Sequence[bytes], champion: int, task: Task, evaluation: Evaluation
) -> Ensemble:
    """Let models vote: by probabilities where the scoring takes them, else by predictions.

    Parameters
    ----------
    evaluation
        The champion's.
    """
    predictions = evaluation.predictions
    outputs = None if predictions is None else predictions.test_outputs
    by_probabilities = outputs is not None and _PROBABILITIES in outputs.values
    return Ensemble(tuple(models), champion, PROBABILITIES if by_probabilities else VOTES[task])
