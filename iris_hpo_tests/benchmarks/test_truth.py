"""The simulation of what is true: its data, what it compares with, its averages and its page."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score

from benchmarks.truth.beside import grid_search_champion, nested_intervals, nested_scores
from benchmarks.truth.generators import GENERATORS
from benchmarks.truth.outcomes import Mean, Nested, Outcome, average
from benchmarks.truth.page import BEGIN, END, ENOUGH, PAGE, make_tables, missed, write_page
from benchmarks.truth.search import deliver, describe, divide, run_search, true_score
from benchmarks.truth.vote import judge_vote
from iris_hpo.training.evaluation import evaluate, train

IRIS = GENERATORS[0]
GRID = (0.5, 8.0, 128.0), (0.016, 0.25)
MACHINE = {"date": "today", "processor": "some", "python": "3", "scikit-learn": "1", "numpy": "2"}


@pytest.fixture(scope="module")
def sample():
    return IRIS.sample(0, fresh=300)


@pytest.fixture(scope="module")
def search(sample):
    return run_search(describe(IRIS), sample, *GRID)


def outcome(rule="cv", **changed):
    plain = Outcome("noisy iris", rule, 0.93, 0.95, 0.935, 0.90, 0.97, 0.17, 0.92)
    return replace(plain, **changed)


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda generator: generator.name)
def test_a_seed_gives_its_data_set(generator):
    first, second = (generator.sample(5, fresh=60) for _ in range(2))

    assert first.features.shape[0] == generator.rows
    assert len(first.fresh_target) == 60
    assert (first.features == second.features).all()
    assert not (generator.sample(6, fresh=60).features == first.features).all()


def test_grid_search_chooses_what_it_is_taken_to_choose(search):
    first_folds = search.examples.folds[:5]
    grid = GridSearchCV(
        search.spec.recipe().build(), dict(zip(("C", "gamma"), GRID, strict=True)), cv=first_folds
    ).fit(search.examples.features, search.examples.target)

    key = grid_search_champion(search)

    assert search.spec.space.named(search.spec.space.parse_key(key)) == grid.best_params_
    fresh = np.random.default_rng(0).normal(3, 2, (50, 4))
    assert (search.models[key].predict(fresh) == grid.predict(fresh)).all()


def test_first_folds_are_those_of_the_seed(search):
    target = search.examples.target
    folds = StratifiedKFold(5, shuffle=True, random_state=0).split(target, target)

    for (_, validated), (_, expected) in zip(search.examples.folds[:5], folds, strict=True):
        assert (validated == expected).all()


def test_truth_is_the_score_on_fresh_rows(search, sample):
    model = next(iter(search.models.values()))

    share = np.mean(model.predict(sample.fresh_features) == sample.fresh_target)

    assert true_score(search.spec, model, sample) == share


def test_a_division_uses_every_row_once_and_repeats_the_folds(sample):
    examples = divide(describe(IRIS), sample)

    assert len(examples.folds) == 15

    rows = np.concatenate([examples.features, examples.test_features])
    assert sorted(map(tuple, rows)) == sorted(map(tuple, sample.features))
    assert len(examples.test_target) == 30


def test_nested_cross_validation_is_that_of_scikit_learn(sample):
    spec = describe(IRIS)
    folds = StratifiedKFold(5, shuffle=True, random_state=3)
    grid = GridSearchCV(
        spec.recipe().build(), dict(zip(("C", "gamma"), GRID, strict=True)), cv=folds
    )

    expected = cross_val_score(grid, sample.features, sample.target, cv=folds)

    assert nested_scores(spec, sample, *GRID, seed=3) == pytest.approx(expected)


@pytest.mark.parametrize("generator", [GENERATORS[0], GENERATORS[-1]], ids=lambda one: one.name)
def test_scores_are_those_of_a_run(generator):
    sample = generator.sample(1, fresh=10)
    search = run_search(describe(generator), sample, (0.5, 8.0), (0.016,))
    objective = search.spec.make_objective()

    for entry in search.scored:
        parameters = search.spec.space.parameters(entry.candidate)
        model = train(objective, parameters, search.examples).model
        evaluation = evaluate(objective, model, parameters, search.examples)
        given = entry.evaluation
        for mine, theirs in zip(given.predictions.folds, evaluation.predictions.folds, strict=True):
            np.testing.assert_allclose(mine, theirs)
        np.testing.assert_array_equal(given.predictions.test, evaluation.predictions.test)
        assert given.fold_scores == pytest.approx(evaluation.fold_scores)
        assert given.score == pytest.approx(evaluation.score)
        assert (given.correct, given.total) == (evaluation.correct, evaluation.total)
        assert given.interval == evaluation.interval


def test_a_vote_is_judged_as_its_models_vote(search, sample):
    delivered = deliver(search, "one_standard_error", votes=True)
    selected = [search.models[entry.candidate.key] for entry in delivered.selected]
    assert len(selected) > 2

    vote = judge_vote(search, delivered, outcome("one_standard_error"))

    votes = np.array([model.predict(sample.fresh_features) for model in selected])
    own = search.models[delivered.champion.candidate.key].predict(sample.fresh_features)
    most = [plain_vote(*row) for row in zip(votes.T, own, strict=True)]
    assert vote.truth == np.mean(most == sample.fresh_target)
    assert (vote.generator, vote.rule) == ("noisy iris", "one_standard_error, ensemble")
    assert vote.grid_search == search.truth(grid_search_champion(search), refits=False)
    assert vote.low < vote.value < vote.high
    assert 0 < vote.wilson < 1


def plain_vote(labels, champions):
    counts = Counter(labels.tolist())
    tied = sorted(label for label, count in counts.items() if count == max(counts.values()))
    return champions if champions in tied else tied[0]


def test_nested_intervals_are_those_of_their_papers():
    nested = nested_intervals("noisy iris", [0.9, 0.92, 0.94, 0.96, 0.98], truth=0.9)

    assert nested.mean == pytest.approx(0.94)
    assert nested.plain == pytest.approx(2.7764451 * 0.0316228 / math.sqrt(5))
    assert nested.corrected == pytest.approx(nested.plain * math.sqrt(5 * (1 / 5 + 24 / 96)))
    assert not nested.holds(nested.plain)
    assert nested.holds(nested.corrected)


def test_averages_are_in_points():
    outcomes = [outcome(), outcome(truth=0.89), outcome(rule="test_score", wilson=None)]
    nested = [Nested("noisy iris", 0.9, half / 2, half, 0.9) for half in (0.075, 0.1)]

    cv, test_score = average(outcomes, nested)

    assert (cv.rule, cv.sets, test_score.sets) == ("cv", 2, 1)
    assert cv.bias.value == pytest.approx(2.5)
    assert cv.bias.error == pytest.approx(2.0)
    assert cv.raw_bias.value == pytest.approx(4.0)
    assert cv.covered == 50
    assert (cv.width, cv.wilson) == pytest.approx((7.0, 17.0))
    assert (cv.nested, cv.nested_plain) == pytest.approx((17.5, 8.75))
    assert cv.gain.value == pytest.approx(-1.0)
    assert test_score.wilson is None
    assert math.isnan(test_score.gain.error)


def met():
    """An average that meets every goal."""
    (row,) = average(
        [outcome(), outcome(truth=0.931)], [Nested("noisy iris", 0.9, 0.05, 0.075, 0.9)]
    )
    return replace(row, sets=ENOUGH)


def test_nothing_is_missed_if_goals_are_met():
    assert missed([met()], "cv") == []
    assert "All met." in make_tables([met()], "cv", MACHINE, "")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"bias": Mean(1.1, 0.1)}, "the estimate is +1.1"),
        ({"bias": Mean(-1.6, 0.1)}, "the estimate is -1.6"),
        ({"covered": 92.0}, "holds the truth in 92 of 100"),
        ({"width": 17.0}, "and Wilson's 17.0"),
        ({"width": 15.0}, "and nested cross-validation's 15.0"),
        ({"gain": Mean(-0.1, 0.01)}, "gains -0.1"),
        ({"gain": Mean(0.1, 0.06)}, "sure on 0 of 1"),
    ],
)
def test_a_missed_goal_is_named(changed, words):
    row = replace(met(), **changed)

    assert words in " ".join(missed([row], "cv"))
    assert words in make_tables([row], "cv", MACHINE, "")
    assert words not in make_tables([row], "cv", MACHINE, "", judged=False)


def test_the_gain_of_a_vote_is_in_the_table():
    row = replace(met(), rule="within, ensemble", gain=Mean(-0.3, 0.1))

    tables = make_tables([met(), row], "cv", MACHINE, "")

    assert "| noisy iris | `within`, ensemble | 93.4 | 93.1 | -0.3 ± 0.1 |" in tables
    assert "gains -0.3" not in tables


def test_few_data_sets_are_not_judged():
    row = replace(met(), covered=50.0, sets=ENOUGH - 1)

    tables = make_tables([row], "cv", MACHINE, "")

    assert f"judged with at least {ENOUGH} data sets" in tables
    assert "in 50 of 100" not in tables


def test_the_page_takes_the_tables_between_its_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")

    write_page(page, "new")

    assert page.read_text() == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    page.write_text("no marks")
    with pytest.raises(ValueError, match="no place for the tables"):
        write_page(page, "new")


def test_the_documentation_has_a_place_for_the_tables():
    text = PAGE.read_text()

    assert text.count(BEGIN) == text.count(END) == 1
