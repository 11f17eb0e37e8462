"""What pages of made-up selections say."""

import numpy as np

from iris_hpo.reports.page_facts import PageFacts
from iris_hpo.selection.leaderboard import leaderboard
from iris_hpo.selection.rules import Scored, select
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.space.values import Value
from iris_hpo.training.evaluation import Evaluation

C = Axis("C", "C", positive=True, simplest="low")
GAMMA = Axis("gamma", "G", positive=True, simplest="low")
KERNEL = Axis("kernel", "K", type="str", nullable=True)


def facts_of_grid(
    space: ParameterSpace, *values: list[Value], rule: str = "cv", metric: str = "recall"
) -> PageFacts:
    """A page of a grid whose scores depend on the first two axes."""
    scored = [
        Scored(
            candidate,
            Evaluation(
                0.5 + 0.4 * np.cos(at % 7),
                {metric: at / 1000},
                fold_scores=(0.5 + 0.3 * np.sin(at / 5), 0.5 + 0.3 * np.sin(at / 5 + 0.1)),
            ),
        )
        for at, candidate in enumerate(space.grid(values))
    ]
    selection = select(scored, space, "accuracy", rule)
    keys = [row.scored.candidate.key for row in selection.rows]
    return PageFacts(
        title="svm",
        scoring="accuracy",
        rule=rule,
        space=space,
        rows=leaderboard(selection),
        answer=["champion A: expect 0.93", "0.97 on the test rows"],
        as_good=keys[:3],
        seconds={key: 0.1 + at / 100 for at, key in enumerate(keys)},
        order=keys[::-1],
    )


def svm(rule: str = "cv") -> PageFacts:
    """A page of 77 candidates."""
    powers = [2.0**power for power in range(-5, 6)]
    return facts_of_grid(ParameterSpace([C, GAMMA]), powers[:11], powers[:7], rule=rule)


def many() -> PageFacts:
    """A page of 10,000 candidates over two axes."""
    values = [np.geomspace(0.01, 1e4, 100).tolist(), np.geomspace(1e-4, 10, 100).tolist()]
    return facts_of_grid(ParameterSpace([C, GAMMA]), *values)


def mixed() -> PageFacts:
    """A page of 10,000 candidates over four axes, one of names."""
    axes = [C, GAMMA, Axis("depth", "D", type="int", nullable=True), KERNEL]
    values = [np.geomspace(0.01, 1e4, 25).tolist(), np.geomspace(1e-4, 10, 20).tolist()]
    names: list[Value] = ["rbf", "linear", None, "poly"]
    return facts_of_grid(ParameterSpace(axes), *values, [1, 2, 3, 4, None], names)
