"""The comparison of samplers: its functions are those of the literature, its table is readable."""

import math
from dataclasses import replace

import pytest

from benchmarks.samplers.__main__ import make_table
from benchmarks.samplers.contestants import CONTESTANTS, refine
from benchmarks.samplers.problems import branin, hartmann, make_problems, rosenbrock

PROBLEMS = {problem.name: problem for problem in make_problems()}
HARTMANN = (0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573)


@pytest.mark.parametrize(
    ("score", "name"),
    [
        (branin(-3.14159265, 12.275), "Branin"),
        (branin(3.14159265, 2.275), "Branin"),
        (hartmann(*HARTMANN), "Hartmann 6"),
        (rosenbrock(1, 1, 1, 1, 1), "Rosenbrock 5"),
    ],
)
def test_the_best_of_a_function_is_that_of_the_literature(score, name):
    assert score == pytest.approx(PROBLEMS[name].best, abs=1e-4)


def test_a_table_gives_the_means_of_a_search():
    problem = PROBLEMS["SVM on wine"]
    values = [axis.domain.values for axis in problem.space.axes]
    scores = [problem.score(problem.space.named(each)) for each in problem.space.grid(values)]

    assert len(scores) == 15 * 15 * 3
    assert max(scores) == problem.best
    assert min(scores) > 0.2


@pytest.mark.parametrize("contestant", CONTESTANTS)
def test_each_looks_with_its_seed(contestant):
    look, problem = CONTESTANTS[contestant], PROBLEMS["Branin"]
    bests = [look(problem, 12, seed) for seed in (1, 1, 2)]

    assert bests[0] == bests[1]
    assert max(bests) <= problem.best


@pytest.mark.parametrize(
    ("name", "grid"), [("SVM on noisy iris", 6 * 5), ("SVM on wine", 4 * 4 * 3)]
)
def test_refine_halves_the_steps_down_to_those_of_a_table(name, grid):
    problem, asked = PROBLEMS[name], []
    noting = replace(problem, score=lambda values: asked.append(values) or problem.score(values))

    best = refine(noting, 100, 4)

    assert best == problem.best == max(map(problem.score, asked))
    assert grid / 2 < grid < len(asked) <= 100
    steps = [math.log2(values["C"] / 0.03125) for values in asked]
    assert all(step == int(step) for step in steps)
    assert {step % 4 for step in steps[:10]} == {steps[0] % 4}
    assert {step % 4 for step in steps} == {0, 1, 2, 3}


def test_the_table_has_medians_quartiles_and_whether_ours_differs_from_optunas():
    scores = {name: [-0.4, -0.5, -0.7] for name in CONTESTANTS}
    ours = {"tpe": [-9.0, -9.5, -9.9], "refine": [-0.4] * 3}
    table = make_table({"Branin": {**scores, **ours}}, 10)

    assert "after 10 candidates: the median of 3 seeds" in table
    assert table.splitlines()[-1] == (
        "| Branin | 0.102 (0.0521 to 0.202) | 0.102 (0.0521 to 0.202) | "
        "0.00211 (0.00211 to 0.00211) | 9.1 (8.85 to 9.3) | 0.102 (0.0521 to 0.202) | 0.10 |"
    )
