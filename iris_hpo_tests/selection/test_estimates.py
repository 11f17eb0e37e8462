"""The estimate of the champion: by probabilities, by folds, alone, and refused."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from iris_hpo.known_rules import RULES
from iris_hpo.selection import draws as drawing
from iris_hpo.selection import fold_scores, intervals
from iris_hpo.selection.estimates import Evidence, NoEstimate, Reference, assess
from iris_hpo.selection.pooling import units_of
from iris_hpo.selection.rules import Scored, select
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.predictions import Outputs, Predictions
from iris_hpo_tests.selection import plain_bbc
from iris_hpo_tests.selection.drawn_search import SPACES, drawn_case, folds_of


def estimate(selection, evidence):
    return assess(selection, evidence).estimate


def with_probabilities(evidence, labels, seed):
    """An evaluation by log loss, with the classes in the columns of a model."""
    random = np.random.default_rng(seed)

    def outputs(truth):
        values = random.dirichlet(np.ones(3), len(truth)) + (truth[:, None] == labels)
        values /= values.sum(axis=1, keepdims=True)
        return Outputs(labels, {"predict_proba": values})

    truths = [*(evidence.target[rows] for rows in evidence.folds), evidence.test_target]
    given = [outputs(truth) for truth in truths]
    scores = [
        -metrics.log_loss(truth, one.values["predict_proba"], labels=labels)
        for truth, one in zip(truths, given, strict=True)
    ]
    columns = [labels[one.values["predict_proba"].argmax(axis=1)] for one in given]
    predictions = Predictions(tuple(columns[:-1]), columns[-1], tuple(given[:-1]), given[-1])
    return Evaluation(scores[-1], fold_scores=tuple(scores[:-1]), predictions=predictions)


def test_log_loss_takes_the_probabilities():
    evidence, _, _ = drawn_case(1, "accuracy")
    labels = np.arange(3)
    scored = [
        Scored(SPACES[0].candidate((float(c), 1.0)), with_probabilities(evidence, labels, c))
        for c in (1, 2)
    ]

    result = estimate(select(scored, SPACES[0], "neg_log_loss", "cv"), evidence)

    assert result.kind == "bbc"
    assert result.low < result.value < result.high < 0
    means = [np.mean(one.evaluation.fold_scores) for one in scored]
    assert result.value == pytest.approx(max(means), abs=0.2)


def search(scoring="accuracy", rule="cv", *, rows=(24, 6), **changes):
    """A search without groups, and what of its evidence is to be changed."""
    evidence, scored, references = drawn_case(2, scoring, rows=rows)
    evidence = replace(evidence, groups=None, test_groups=None, **changes)
    return select(scored, SPACES[0], scoring, rule), evidence, references


def test_a_champion_is_no_better_than_a_reference_that_predicts_the_same():
    """The defaults may be among the candidates; other draws choose other candidates."""
    selection, evidence, _ = search()
    own = selection.champion.evaluation
    other = next(row.scored.evaluation for row in selection.rows if not row.champion)

    assessment = assess(selection, evidence, [Reference("default", own), Reference("other", other)])

    same, different = assessment.comparisons
    assert (same.gain, same.low, same.high) == (0, 0, 0)
    assert different.low < different.high


def without_predictions(selection, *, scoring=None, rule=None):
    """The same selection, with scores alone."""
    scored = [
        replace(row.scored, evaluation=replace(row.scored.evaluation, predictions=None))
        for row in selection.rows
    ]
    return select(scored, selection.space, scoring or selection.scoring, rule or selection.rule)


def selection_with(selection, change):
    """The same selection with its first evaluation changed."""
    first, *others = [row.scored for row in selection.rows]
    changed = replace(first, evaluation=change(first.evaluation))
    return select([changed, *others], selection.space, selection.scoring, selection.rule)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"is_ordered": True},
            "the order of the rows matters, so that they cannot be drawn",
        ),
        (
            {"folds": ()},
            "it needs predictions for the training rows; set folds to at least 2",
        ),
        (
            {"folds": [np.arange(12), np.arange(12)]},
            "the folds do not validate all training rows equally often",
        ),
        (
            {"groups": np.arange(24) % 6, "test_groups": np.arange(6) // 2 + 6},
            "9 groups are too few to draw from; it needs 10",
        ),
    ],
)
def test_it_is_refused_where_it_does_not_hold(changes, reason):
    selection, evidence, references = search()
    if changes.get("folds"):
        selection = selection_of_two_folds(selection)
    assessment = assess(selection, replace(evidence, **changes), references)

    assert assessment.estimate == NoEstimate(reason)
    assert assessment.as_good is None
    assert assessment.comparisons == ()


def selection_of_two_folds(selection):
    scored = [
        replace(row.scored, evaluation=replace(row.scored.evaluation, fold_scores=(0.5, 0.5)))
        for row in selection.rows
    ]
    return select(scored, selection.space, selection.scoring, selection.rule)


def test_few_rows_are_refused():
    selection, evidence, _ = search(rows=(15, 4))

    assert estimate(selection, evidence) == NoEstimate(
        "19 rows are too few to draw from; it needs 20"
    )


def test_a_candidate_without_scores_of_folds_is_refused():
    selection, evidence, _ = search(rule="test_score")
    selection = selection_with(selection, lambda one: replace(one, fold_scores=()))

    assert estimate(selection, evidence) == NoEstimate(
        "it needs a score of every candidate on each fold"
    )


def test_classes_that_draws_lack_are_refused():
    _, evidence, _ = search("f1_macro", rows=(60, 8))
    rare = np.repeat(np.arange(34), 2).astype(str)
    evidence = replace(evidence, target=rare[:60], test_target=rare[60:])
    units = units_of(evidence, with_test=True)

    with pytest.raises(drawing.RareClassError) as error:
        next(units.draw(0, 10))

    assert (error.value.kind, error.value.units) == (1, 2)


def test_the_rows_of_scores_that_predictions_do_not_give_are_not_drawn():
    """An objective may call another number by the name of a scoring."""
    selection, evidence, _ = search()
    selection = selection_with(
        selection, lambda one: replace(one, fold_scores=tuple(s / 2 for s in one.fold_scores))
    )

    result = estimate(selection, evidence)

    assert result == NoEstimate(
        f"{len(evidence.folds) // evidence.repeats} folds are too few to draw from without "
        "predictions of the rows; set folds to at least 5"
    )


@pytest.mark.parametrize("rule", [name for name, rule in RULES.items() if not rule.scores_itself])
@pytest.mark.parametrize("repeats", [1, 2])
@pytest.mark.usefixtures("few_draws")
def test_folds_are_drawn_where_rows_cannot_be(rule, repeats):
    random = np.random.default_rng(repeats)
    evidence = Evidence(
        "classification",
        np.arange(30) % 2,
        np.arange(6) % 2,
        folds_of(random, 30, 5, repeats),
        seed=3,
    )
    table = random.choice([0.7, 0.75, 0.8], (4, 5 * repeats))
    scored = [
        Scored(
            SPACES[0].candidate((float(c), 1.0)),
            Evaluation(float(random.choice([0.7, 0.8])), fold_scores=tuple(table[c].tolist())),
        )
        for c in range(4)
    ]
    selection = select(scored, SPACES[0], "roc_auc", rule)

    result = estimate(selection, evidence)

    ranges = [range(5), range(5, 10)][:repeats]
    ((drawn, left),) = fold_scores.draw_folds(ranges, 3, 1_000)
    values = []
    for counts, others in zip(drawn, left, strict=True):
        standings = []
        for c, one in enumerate(scored):
            mean = (counts * table[c]).sum() / counts.sum()
            squares = (counts * (table[c] - mean) ** 2).sum() / counts.sum()
            error = np.sqrt(squares / ((counts > 0).sum() - 1)) if (counts > 0).sum() > 1 else 0
            standings.append((mean, error, one.evaluation.score, c))
        winner = plain_bbc.choose(rule, 0.01, standings)
        values.append(table[winner][others > 0].mean())
    assert result.kind == "bbc_folds"
    assert (result.value, result.low, result.high) == pytest.approx(
        plain_bbc.percentiles(values, stretch=1)
    )
    assert result.method.startswith("BBC-CV, 8 draws of the scores of 5 folds")


def test_folds_of_one_repeat_are_drawn():
    ((drawn, left),) = fold_scores.draw_folds([range(5), range(5, 10)], 0, 1_000)

    for draw, (counts, others) in enumerate(zip(drawn, left, strict=True)):
        own = slice(5, 10) if draw % 2 else slice(0, 5)
        assert counts.sum() == counts[own].sum() == 5
        assert (others[own] == (counts[own] == 0)).all()
        assert others.sum() == others[own].sum() > 0


def test_one_candidate_has_the_corrected_t_interval():
    """The numbers are those of Nadeau and Bengio's formula, by hand."""
    evidence = Evidence("regression", np.arange(30.0), np.arange(6.0), np.split(np.arange(30), 5))
    scores = (0.7, 0.8, 0.9, 0.8, 0.8)
    scored = [Scored(SPACES[0].candidate((1.0, 1.0)), Evaluation(0.9, fold_scores=scores))]

    result = estimate(select(scored, SPACES[0], "explained_variance", "cv"), evidence)

    half = stats.t.ppf(0.975, 4) * np.sqrt((1 / 5 + 6 / 24) * np.var(scores, ddof=1))
    assert result.kind == "corrected_t"
    assert result.method == "corrected resampled t interval over 5 folds"
    assert (result.value, result.low, result.high) == pytest.approx((0.8, 0.8 - half, 0.8 + half))


def test_an_interval_ends_where_scores_do():
    assert intervals.within_limits("accuracy", (0.9, -0.1, 1.2)) == (0.9, 0.0, 1.0)
    assert intervals.within_limits("neg_log_loss", (-0.1, -2.0, 0.2)) == (-0.1, -2.0, 0.0)
    assert intervals.within_limits("r2", (-3.0, -9.0, 1.5)) == (-3.0, -9.0, 1.0)
    assert intervals.within_limits("profit", (3.0, -9.0, 15.0)) == (3.0, -9.0, 15.0)


def test_draws_are_of_whole_groups_with_every_class():
    groups = np.repeat(np.arange(12), 3)
    target = np.array(["a", "few", "rare"])[np.r_[1, np.zeros(32, int), 1, 2, 2]]
    evidence = Evidence(
        "classification", target[:30], target[30:], [], groups=groups[:30], test_groups=groups[30:]
    )

    ((drawn, left),) = units_of(evidence, with_test=True).draw(0, 1_000)

    per_group = drawn.reshape(1_000, 12, 3)
    assert (per_group == per_group[:, :, :1]).all()
    assert (per_group[:, :, 0].sum(axis=1) == 12).all()
    assert (left == (drawn == 0)).all()
    for label in np.unique(target):
        assert (drawn[:, target == label].sum(axis=1) > 0).all()
        if label != "rare":  # it is in one group only
            assert (left[:, target == label].sum(axis=1) > 0).all()


def test_the_search_s_seed_decides_the_draws():
    selection, evidence, _ = search()

    assert estimate(selection, evidence) == estimate(selection, evidence)
    assert estimate(selection, evidence) != estimate(selection, replace(evidence, seed=9))
