"""What every report promises."""

from abc import ABC, abstractmethod

from iris_hpo.reports import Report, is_free
from iris_hpo.selection.rules import Scored, Selection, select
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.testing.randomness import disturb
from iris_hpo.training.evaluation import Evaluation


class ReportContract(ABC):
    """What every report promises."""

    @abstractmethod
    def make_report(self) -> Report:
        """Make the report to test; called twice, it makes one like the first."""

    def make_selections(self) -> dict[str, Selection]:
        """Make what it has to show: one with and one without folds, and a single candidate."""
        return {
            "folds": _select((0.5, 2.0, 8.0), (1, 4, None), folds=3),
            "no folds": _select((0.5, 2.0, 8.0), (1, 4), folds=0),
            "one candidate": _select((2.0,), (None,), folds=0),
        }

    def test_it_makes_files_of_bytes(self) -> None:
        """A mapping from names to contents."""
        for name, selection in self.make_selections().items():
            files = dict(self.make_report().render(selection))

            assert files, name
            assert all(isinstance(content, bytes) for content in files.values()), name

    def test_the_names_of_its_files_are_free(self) -> None:
        """They stand beside the leaderboard and the champion: plain names, and not theirs."""
        for selection in self.make_selections().values():
            taken = [name for name in self.make_report().render(selection) if not is_free(name)]

            assert taken == []

    def test_the_same_selection_gives_the_same_bytes(self) -> None:
        """In any process, whatever other code does with random numbers."""
        for name, selection in self.make_selections().items():
            disturb(1)
            first = dict(self.make_report().render(selection))
            disturb(2)

            assert dict(self.make_report().render(selection)) == first, name


def _select(cs: tuple[float, ...], depths: tuple[int | None, ...], folds: int) -> Selection:
    space = ParameterSpace(
        [Axis("C", "C", positive=True), Axis("depth", "D", type="int", nullable=True)]
    )
    scored = [
        Scored(candidate, _evaluation(correct, folds))
        for correct, candidate in enumerate(space.grid([cs, depths]), start=20)
    ]
    return select(scored, space, "accuracy", "test_score")


def _evaluation(correct: int, folds: int) -> Evaluation:
    score = correct / 30
    return Evaluation(
        score=score,
        metrics={"accuracy": score},
        correct=correct,
        total=30,
        interval=(score - 0.1, score + 0.1),
        fold_scores=tuple(score - fold / 100 for fold in range(folds)),
        seconds=0.5,
        convergence_warnings=0,
    )
