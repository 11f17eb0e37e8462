"""All contestants work on the rows that iris_hpo works on."""

import numpy as np
import pytest

from benchmarks.contestants.problem import Problem, read_rows
from benchmarks.works import FULL, GAMMA, IRIS, QUICK, C, make_works


@pytest.mark.parametrize("folds", [0, 5])
def test_rows_are_divided_as_iris_hpo_divides_them(folds, noisy_iris, iris_examples):
    rows = read_rows(Problem(IRIS, C, GAMMA, folds))

    assert np.array_equal(rows.features[rows.train], iris_examples.features)
    assert np.array_equal(rows.features[rows.test], iris_examples.test_features)
    names = np.unique(noisy_iris.target)
    assert np.array_equal(names[rows.target[rows.train]], iris_examples.target)
    expected = iris_examples.folds if folds else []
    assert len(rows.folds) == len(expected)
    for (fitted, validated), (fit, validate) in zip(rows.folds, expected, strict=True):
        assert np.array_equal(fitted, rows.train[fit])
        assert np.array_equal(validated, rows.train[validate])


def test_a_problem_is_read_as_it_was_written(tmp_path):
    problem = Problem(IRIS, (0.031, 32768.0), (1e-5,), folds=3, jobs=2)
    problem.write(tmp_path / "problem.json")

    assert Problem.read(tmp_path / "problem.json") == problem


@pytest.mark.parametrize("size", [FULL, QUICK])
def test_every_row_compares_steps_of_its_work(size):
    for work in make_works(size, "digits.csv"):
        named = {row.ours[0] for row in work.rows}
        named |= {row.theirs[0] for row in work.rows if row.theirs}
        assert named <= set(work.steps)


def test_the_full_size_is_that_of_the_goals():
    names = [work.name for work in make_works(FULL, "digits.csv")]

    assert names[0].startswith("77 candidates, 5 folds")
    assert names[1].startswith("1,024 candidates")
    assert names[2].startswith("digits (1,797 x 64), 77 candidates, 5 folds, 2 workers")
    assert all(work.repetitions >= 3 for work in make_works(FULL, "digits.csv"))


def test_the_quick_size_leaves_out_what_its_first_work_has():
    small, many, *_ = make_works(QUICK, "digits.csv")
    whole = make_works(FULL, "digits.csv")[1]

    assert set(whole.steps) - set(many.steps) - set(small.steps) == {"GridSearchCV, n_jobs=2"}
    assert list(many.steps) == ["iris_hpo", "iris_hpo, 8 times the candidates"]
    assert {row.theirs[0] for row in many.rows} == {"iris_hpo"}
