"""`Results`: what is stored of a selection, for those who show it or take it elsewhere.

Nothing is computed again. `iris_hpo.orchestration.results` reads the results of a search.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from iris_hpo.data.dataset import Task
from iris_hpo.known_rules import RULES
from iris_hpo.selection.champion import ChampionCard
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.space.values import Value
from iris_hpo.training.cards import ModelCard, ScoreCard
from iris_hpo.training.metric_names import is_metric


@dataclass(frozen=True)
class Results:
    """What is stored of a selection, verified.

    Attributes
    ----------
    name, task, space
        Name and task of the search, and its space with where the sampler looks.
    champion
        The champion's card.
    rows
        The leaderboard, best first: cells by the names of the columns.
    models, scores
        Card of each candidate of the leaderboard; a candidate that was deleted since has none.
    order
        Keys of the candidates in the order in which their scores were recorded.
    failures
        Reason by the key of each registered candidate that failed and is not in the leaderboard.
    proposals
        ``sampler``, ``number`` and ``results_known`` of each candidate that a sampler proposed, as
        the leaderboard has them: a reset does not delete it.
    read
        Reads a stored file by its name and its digest.
    """

    name: str
    task: Task
    space: ParameterSpace
    champion: ChampionCard
    rows: Sequence[Mapping[str, Value]]
    models: Mapping[str, ModelCard]
    scores: Mapping[str, ScoreCard]
    order: Sequence[str]
    failures: Mapping[str, str]
    proposals: Mapping[str, Mapping[str, str | int]]
    read: Callable[[str, str], bytes]

    @property
    def ranking(self) -> str:
        """Name of the column with the score that ranks."""
        return "cv_mean" if RULES[self.champion.rule].needs_folds else "score"

    @property
    def ranking_title(self) -> str:
        """Description of the score that ranks."""
        return RULES[self.champion.rule].title_of(self.champion.scoring)

    @property
    def keys(self) -> list[str]:
        """Keys of the candidates of the leaderboard, best first."""
        return [str(row["candidate"]) for row in self.rows]

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds that training and scoring took, of each candidate whose cards are stored."""
        return {
            key: card.seconds + self.scores[key].seconds
            for key, card in self.models.items()
            if key in self.scores
        }

    @property
    def metrics(self) -> list[str]:
        """Names of the other metrics of the leaderboard."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return [name for name in names if is_metric(name)]

    def values(self, key: str) -> Mapping[str, Value]:
        """Values of a candidate by its axes; none if it failed because its key is no candidate."""
        try:
            return self.space.named(self.space.parse_key(key))
        except ValueError:
            return {}

    def fold_scores(self, key: str) -> Sequence[float]:
        """Scores of a candidate on the folds; none if another metric than the search's ranks."""
        card = self.scores.get(key)
        return card.fold_scores if card and card.scoring == self.champion.scoring else ()
