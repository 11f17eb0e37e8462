"""Choosing the best: ranks, ties, the champion of each rule, and edges."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from iris_hpo.errors import InputError
from iris_hpo.known_rules import RULES
from iris_hpo.selection.choosing import tie_ranks
from iris_hpo.selection.rules import Scored, drop_limits, select
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.training.evaluation import Evaluation

IRIS = ParameterSpace(
    [
        Axis("C", "C", positive=True, simplest="low"),
        Axis("gamma", "G", positive=True, simplest="low"),
    ]
)


def scored(values, correct=0, folds=(), *, score=None, total=30, space=IRIS):
    """A candidate with so many test rows right, or with a score that counts nothing."""
    counts = (correct, total) if score is None else (None, None)
    return Scored(
        space.candidate(values),
        Evaluation(
            score=correct / total if score is None else score,
            metrics={},
            correct=counts[0],
            total=counts[1],
            interval=None,
            fold_scores=tuple(folds),
            seconds=0.0,
            convergence_warnings=0,
        ),
    )


def keys(found):
    return [one.candidate.key for one in found]


def ranking(selection):
    return {row.scored.candidate.key: row.rank for row in selection.rows}


def test_the_best_test_score_wins():
    selection = select(
        [scored((1, 1), 20), scored((2, 1), 29), scored((3, 1), 28)], IRIS, "accuracy", "test_score"
    )

    assert selection.rule == "test_score"
    assert keys(selection.selected) == ["C2.0_G1.0"]
    assert selection.champion.candidate.key == "C2.0_G1.0"
    assert [(row.rank, row.selected, row.champion) for row in selection.rows] == [
        (1, True, True),
        (2, False, False),
        (3, False, False),
    ]


def test_all_ties_are_selected_and_cross_validation_names_the_champion():
    selection = select(
        [
            scored((1, 1), 29, [0.9, 0.8]),
            scored((2, 1), 29, [0.9, 0.9]),
            scored((3, 1), 28, [1.0, 1.0]),
            scored((4, 1), 29, [0.9, 0.9]),
        ],
        IRIS,
        "accuracy",
        "test_score",
    )

    assert keys(selection.selected) == ["C2.0_G1.0", "C4.0_G1.0", "C1.0_G1.0"]
    assert selection.champion.candidate.key == "C2.0_G1.0"
    assert ranking(selection) == {
        "C2.0_G1.0": 1,
        "C4.0_G1.0": 1,
        "C1.0_G1.0": 1,
        "C3.0_G1.0": 4,
    }


@pytest.mark.parametrize("rule", [*RULES])
def test_a_full_tie_goes_to_the_smaller_c_and_then_gamma(rule):
    points = [(10, 0.1), (9, 20), (9, 3), (10, 0.01)]

    selection = select([scored(point, 29, [0.9, 0.9]) for point in points], IRIS, "accuracy", rule)

    assert selection.champion.candidate.key == "C9.0_G3.0"
    assert len(selection.selected) == 4
    assert keys(row.scored for row in selection.rows) == [
        "C9.0_G3.0",
        "C9.0_G20.0",
        "C10.0_G0.01",
        "C10.0_G0.1",
    ]


def test_without_folds_a_tie_goes_to_the_smaller_c():
    selection = select(
        [scored((3, 1), 29), scored((2, 1), 29), scored((1, 1), 28)], IRIS, "accuracy", "test_score"
    )

    assert keys(selection.selected) == ["C2.0_G1.0", "C3.0_G1.0"]
    assert selection.champion.candidate.key == "C2.0_G1.0"
    assert selection.champion.cv_mean is None
    assert selection.champion.cv_std is None


def test_a_champion_without_folds_yields_to_one_with():
    selection = select(
        [scored((1, 1), 29), scored((2, 1), 29, [0.1, 0.1])], IRIS, "accuracy", "test_score"
    )

    assert selection.champion.candidate.key == "C2.0_G1.0"


def test_counts_tie_by_their_integers_not_by_their_share():
    one, two = (scored((c, 1), 29) for c in (1, 2))
    two = replace(two, evaluation=replace(two.evaluation, score=two.evaluation.score + 1e-6))

    assert len(select([one, two], IRIS, "accuracy", "test_score").selected) == 2
    assert len(select([one, two], IRIS, "top_k_accuracy", "test_score").selected) == 1


@pytest.mark.parametrize(
    ("score", "tied"),
    [
        (0.9, True),
        (0.9 - 1e-10, True),
        (math.nextafter(0.9, 0), True),
        (0.9 - 1e-8, False),
        (0.9 + 1e-8, False),
    ],
)
def test_scores_that_count_nothing_tie_within_the_tolerance(score, tied):
    selection = select(
        [scored((1, 1), score=score), scored((2, 1), score=0.9)], IRIS, "roc_auc", "test_score"
    )

    assert (len(selection.selected) == 2) is tied
    assert (sorted(ranking(selection).values()) == [1, 1]) is tied


def test_the_tolerance_grows_with_the_scores():
    selection = select(
        [
            scored((1, 1), score=-1e6),
            scored((2, 1), score=-1e6 - 1e-4),
            scored((3, 1), score=-1e6 - 1e-2),
        ],
        IRIS,
        "neg_mean_squared_error",
        "test_score",
    )

    assert keys(selection.selected) == ["C1.0_G1.0", "C2.0_G1.0"]


def test_scores_of_errors_are_negative_and_the_greatest_wins():
    selection = select(
        [
            scored((1, 1), score=-3.0, folds=[-4.0, -2.0]),
            scored((2, 1), score=-0.5, folds=[-0.6, -0.4]),
            scored((3, 1), score=-1.0, folds=[-0.3, -0.3]),
        ],
        IRIS,
        "neg_mean_absolute_error",
        "test_score",
    )

    assert selection.champion.candidate.key == "C2.0_G1.0"
    assert ranking(selection) == {"C2.0_G1.0": 1, "C3.0_G1.0": 2, "C1.0_G1.0": 3}


@pytest.mark.parametrize(
    ("rule", "champion"),
    [("test_score", "C3.0_G1.0"), ("cv", "C2.0_G1.0"), ("one_standard_error", "C1.0_G1.0")],
)
def test_each_rule_has_its_own_champion(rule, champion):
    candidates = [
        scored((1, 1), 25, [0.90, 0.94]),
        scored((2, 1), 26, [0.90, 0.96]),
        scored((3, 1), 29, [0.80, 0.80]),
    ]

    assert select(candidates, IRIS, "accuracy", rule).champion.candidate.key == champion


@pytest.mark.parametrize("rule", ["cv", "one_standard_error", "within"])
def test_the_test_score_decides_nothing_if_cross_validation_ranks(rule):
    """Else the test score of the champion would no longer be an honest estimate."""
    folds = [0.9, 0.9]

    selection = select(
        [scored((1, 1), 10, folds), scored((2, 1), 30, folds)], IRIS, "accuracy", rule
    )

    assert keys(selection.selected) == ["C1.0_G1.0", "C2.0_G1.0"]
    assert selection.champion.candidate.key == "C1.0_G1.0"


def test_one_standard_error_by_hand():
    """The best has mean 0.90 and deviations 0.1, -0.1, 0, 0.

    Its variance is 0.02 / (4 - 1), its standard error sqrt(0.02 / 3 / 4) = 0.0408, and so the
    threshold 0.8592.
    """
    best = scored((8, 1), 20, [1.0, 0.8, 0.9, 0.9])
    inside = scored((4, 1), 20, [0.86] * 4)
    outside = scored((2, 1), 20, [0.859] * 4)
    worst = scored((1, 1), 30, [0.5] * 4)

    selection = select([best, inside, outside, worst], IRIS, "accuracy", "one_standard_error")

    assert keys(selection.selected) == ["C8.0_G1.0", "C4.0_G1.0"]
    assert selection.champion.candidate.key == "C4.0_G1.0"
    assert ranking(selection) == {
        "C8.0_G1.0": 1,
        "C4.0_G1.0": 2,
        "C2.0_G1.0": 3,
        "C1.0_G1.0": 4,
    }


def test_one_standard_error_counts_the_folds_of_one_repeat():
    """Two repeats of 2 folds, with the variance of `test_one_standard_error_by_hand`.

    Only 2 of the folds count, so the standard error is sqrt(0.02 / 3 / 2) = 0.0577, and the
    threshold 0.8423.
    """
    best = scored((8, 1), 20, [1.0, 0.8, 0.9, 0.9])
    inside = scored((4, 1), 20, [0.843] * 4)
    outside = scored((2, 1), 20, [0.842] * 4)

    selection = select([best, inside, outside], IRIS, "accuracy", "one_standard_error", repeats=2)

    assert keys(selection.selected) == ["C8.0_G1.0", "C4.0_G1.0"]


def test_means_over_folds_tie_in_spite_of_rounding():
    """0.1 + 0.2 + 0.3 and 0.3 + 0.2 + 0.1 differ in the last bit."""
    one, two = [0.1, 0.2, 0.3], [0.3, 0.2, 0.1]
    first, second = scored((1, 1), 1, one), scored((2, 1), 1, two)
    assert first.cv_mean != second.cv_mean

    selection = select([first, second], IRIS, "accuracy", "cv")

    assert ranking(selection) == {"C1.0_G1.0": 1, "C2.0_G1.0": 1}
    assert selection.champion.candidate.key == "C1.0_G1.0"


COUNTS = st.lists(st.integers(0, 6), min_size=1, max_size=12)


@given(COUNTS)
def test_ranks_are_those_of_scikit_learns_searches(counts):
    candidates = [scored((index + 1, 1), count) for index, count in enumerate(counts)]

    found = ranking(select(candidates, IRIS, "accuracy", "test_score"))

    wanted = rankdata([-count for count in counts], method="min")
    assert [found[one.candidate.key] for one in candidates] == wanted.tolist()


@given(
    table=st.lists(
        st.tuples(
            st.sampled_from([1, 2, 3, 10]),
            st.sampled_from([0.5, 1, 20]),
            st.integers(0, 3),
            st.lists(st.sampled_from([0.5, 0.7, 0.9]), min_size=3, max_size=3),
        ),
        min_size=1,
        max_size=12,
        unique_by=lambda row: row[:2],
    ),
    rule=st.sampled_from([*RULES]),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_work_decides_nothing(table, rule, order):
    candidates = [scored((c, gamma), count, folds) for c, gamma, count, folds in table]
    shuffled = list(candidates)
    order.shuffle(shuffled)

    selection = select(candidates, IRIS, "accuracy", rule)

    assert select(shuffled, IRIS, "accuracy", rule) == selection
    assert len(selection.rows) == len(candidates)
    assert sum(row.champion for row in selection.rows) == 1
    assert selection.champion in selection.selected
    assert selection.rows[0].rank == 1
    assert selection.rows[0].selected


@given(COUNTS)
def test_the_selected_are_exactly_those_with_the_best_count(counts):
    candidates = [scored((index + 1, 1), count) for index, count in enumerate(counts)]

    selection = select(candidates, IRIS, "accuracy", "test_score")

    assert {one.evaluation.correct for one in selection.selected} == {max(counts)}
    assert len(selection.selected) == counts.count(max(counts))


@pytest.mark.parametrize(
    ("champion", "edges"),
    [
        ((2, 2), ()),
        ((1, 2), (("C", "lowest"),)),
        ((3, 2), (("C", "highest"),)),
        ((2, 1), (("gamma", "lowest"),)),
        ((3, 1), (("C", "highest"), ("gamma", "lowest"))),
    ],
)
def test_a_champion_on_the_edge_of_the_grid_is_reported(champion, edges):
    candidates = [
        scored((c, gamma), 30 if (c, gamma) == champion else 10)
        for c in (1, 2, 3)
        for gamma in (1, 2, 3)
    ]

    assert select(candidates, IRIS, "accuracy", "test_score").edges == edges


@pytest.mark.parametrize(
    ("limits", "edges"),
    [
        ((1, math.inf), {1: (), 3: (("C", "highest"),)}),
        ((-math.inf, 3), {1: (("C", "lowest"),), 3: ()}),
        ((0.5, 3.5), {1: (("C", "lowest"),), 3: (("C", "highest"),)}),
    ],
)
def test_an_axis_has_no_edge_where_nothing_can_be_tried_beyond(limits, edges):
    for champion, expected in edges.items():
        candidates = [scored((c, 1), 30 if c == champion else 10) for c in (1, 2, 3)]

        selection = select(candidates, IRIS, "accuracy", "test_score")

        assert drop_limits(selection, {"C": limits}).edges == expected


def test_an_axis_with_one_value_has_no_edge():
    candidates = [scored((c, 1), c) for c in (1, 2, 3)]

    assert select(candidates, IRIS, "accuracy", "test_score").edges == (("C", "highest"),)


def test_only_numbers_have_edges():
    space = ParameterSpace(
        [
            Axis("depth", "D", type="int", nullable=True),
            Axis("kernel", "K", type="str"),
            Axis("shrink", "S", type="bool"),
        ]
    )
    unlimited = [
        scored(values, count, space=space)
        for values, count in [((None, "z", True), 9), ((3, "a", False), 1), ((5, "b", False), 1)]
    ]
    limited = [*unlimited, scored((3, "z", True), 10, space=space)]

    assert select(unlimited, space, "accuracy", "test_score").edges == ()
    assert select(limited, space, "accuracy", "test_score").edges == (("depth", "lowest"),)


def test_mean_and_deviation_over_folds_are_numpys():
    one = scored((1, 1), 1, [0.5, 0.75, 1.0])

    assert one.cv_mean == np.mean([0.5, 0.75, 1.0]) == 0.75
    assert one.cv_std == np.std([0.5, 0.75, 1.0])


@pytest.mark.parametrize("rule", ["cv", "one_standard_error", "within"])
def test_a_rule_that_ranks_by_folds_refuses_candidates_without(rule):
    with pytest.raises(InputError) as refusal:
        select([scored((1, 1), 1, [0.5, 0.5]), scored((2, 1), 1)], IRIS, "accuracy", rule)

    assert str(refusal.value) == (
        f"rule {rule!r} ranks by cross-validation, and C2.0_G1.0 has no fold scores; "
        "choose the rule test_score, or set folds to at least 2"
    )


def test_nothing_to_select_from_is_refused():
    with pytest.raises(ValueError, match=r"^there is no scored candidate to select from$"):
        select([], IRIS, "accuracy", "test_score")


TREE = ParameterSpace([Axis("max_depth", "D", type="int", nullable=True, simplest="low")])
RIDGE = ParameterSpace([Axis("alpha", "A", positive=True, simplest="high")])


@pytest.mark.parametrize(
    ("space", "values", "champion"),
    [
        (RIDGE, [0.001, 0.01, 0.1, 1, 10, 100], "A100.0"),
        (TREE, [2, 4, 8, None], "D2"),
        (TREE, [None, 8], "D8"),
        (ParameterSpace([Axis("k", "K", type="int", simplest="high")]), [1, 5, 9], "K9"),
    ],
)
def test_the_simplest_is_at_the_end_that_the_axis_names(space, values, champion):
    """The means rise with the position, all within one standard error of the best."""
    candidates = [
        scored((value,), folds=[0.8 + index / 1e4, 0.9, 1.0], space=space)
        for index, value in enumerate(values)
    ]

    for order in (candidates, candidates[::-1]):
        selection = select(order, space, "accuracy", "one_standard_error")
        assert len(selection.selected) == len(values)
        assert selection.champion.candidate.key == champion


def test_of_the_equally_simple_the_better_mean_wins():
    space = ParameterSpace(
        [
            Axis("kernel", "K", type="str", simplest="neither"),
            Axis("C", "C", simplest="low"),
        ]
    )
    candidates = [
        scored(("linear", 1), folds=[0.80, 0.9, 1.0], space=space),
        scored(("rbf", 1), folds=[0.81, 0.9, 1.0], space=space),
        scored(("rbf", 2), folds=[0.82, 0.9, 1.0], space=space),
    ]

    selection = select(candidates, space, "accuracy", "one_standard_error")

    assert selection.champion.candidate.key == "Krbf_C1.0"


@pytest.mark.parametrize(
    ("axis", "write"),
    [
        (Axis("rate", "R"), "low, high or neither"),
        (Axis("kernel", "K", type="str"), "neither"),
    ],
)
def test_the_simplest_is_refused_if_the_simple_end_is_unknown(axis, write):
    space = ParameterSpace([Axis("C", "C", simplest="low"), axis])
    candidate = scored((1, 1.0 if axis.type == "float" else "rbf"), folds=[1, 1], space=space)
    with pytest.raises(InputError) as refusal:
        select([candidate], space, "accuracy", "one_standard_error")

    assert str(refusal.value) == (
        "rule 'one_standard_error' chooses the simplest, and nothing is known of the axis "
        f"{axis.name!r}: write simplest: {write} to it, or choose the rule cv"
    )
    assert refusal.value.field == ("axes", 1)
    assert select([candidate], space, "accuracy", "cv").champion is candidate


FOLDS = st.lists(st.integers(0, 10), min_size=5, max_size=5)


@given(
    counts=st.lists(FOLDS, min_size=2, max_size=6),
    rule=st.sampled_from([*RULES]),
    random=st.randoms(use_true_random=False),
)
def test_the_order_of_the_folds_decides_nothing(counts, rule, random):
    def outcome(rows):
        candidates = [
            scored((1 + index, 1), 9, [count / 10 for count in row])
            for index, row in enumerate(rows)
        ]
        selection = select(candidates, IRIS, "accuracy", rule)
        return (
            [(row.scored.candidate.key, row.rank, row.selected) for row in selection.rows],
            selection.champion.candidate.key,
        )

    shuffled = [random.sample(row, len(row)) for row in counts]

    assert outcome(shuffled) == outcome(counts)


@pytest.mark.parametrize("rule", ["cv", "one_standard_error", "within"])
@given(counts=st.lists(FOLDS, min_size=2, max_size=6))
def test_equal_means_tie_exactly_if_whole_numbers_are_equal(rule, counts):
    candidates = [
        scored((1 + index, 1), 9, [count / 10 for count in row]) for index, row in enumerate(counts)
    ]

    selection = select(candidates, IRIS, "accuracy", rule)

    wanted = rankdata([-sum(row) for row in counts], method="min")
    found = ranking(selection)
    assert [found[one.candidate.key] for one in candidates] == wanted.tolist()
    if rule == "cv":
        best = [sum(row) for row in counts].index(max(map(sum, counts)))
        assert selection.champion is candidates[best]


def test_three_equal_means_are_decided_by_simplicity_alone():
    rows = [(8, 6, 10), (10, 6, 8), (8, 8, 8)]
    for one, two, three in (rows, rows[::-1], [rows[2], rows[0], rows[1]]):
        candidates = [
            scored((index, 1), folds=[count / 10 for count in row])
            for index, row in enumerate((one, two, three), start=1)
        ]

        selection = select(candidates, IRIS, "accuracy", "one_standard_error")

        assert ranking(selection) == {"C1.0_G1.0": 1, "C2.0_G1.0": 1, "C3.0_G1.0": 1}
        assert selection.champion.candidate.key == "C1.0_G1.0"


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1.0, 1e12])
def test_the_unit_of_the_target_decides_nothing(scale):
    """A squared error of tiny numbers is tiny, and its differences too."""
    errors = [3.0, 2.0, 2.5]
    candidates = [
        scored((1 + index, 1), score=-error * scale, folds=[-error * scale] * 2)
        for index, error in enumerate(errors)
    ]

    for rule in ("test_score", "cv"):
        selection = select(candidates, IRIS, "neg_mean_squared_error", rule)
        assert keys(selection.selected) == ["C2.0_G1.0"]
        assert [row.rank for row in selection.rows] == [1, 2, 3]


@pytest.mark.parametrize(
    ("best", "within", "selected", "champion"),
    [
        (0.9, 0.01, ["C4.0_G1.0", "C3.0_G1.0"], "C3.0_G1.0"),
        (0.9, 0.03, ["C4.0_G1.0", "C3.0_G1.0", "C2.0_G1.0"], "C2.0_G1.0"),
        (0.9, 0.0, ["C4.0_G1.0"], "C4.0_G1.0"),
        (-2.0, 0.005, ["C4.0_G1.0", "C3.0_G1.0"], "C3.0_G1.0"),  # an error, so less is worse
    ],
)
def test_within_selects_by_the_share_of_the_best(best, within, selected, champion):
    below = {1: 0.1, 2: 0.02, 3: 0.005, 4: 0.0}
    candidates = [scored((c, 1), score=0.0, folds=[best - less] * 3) for c, less in below.items()]

    selection = select(candidates, IRIS, "r2", "within", within=within)

    assert keys(selection.selected) == selected
    assert selection.champion.candidate.key == champion
    assert selection.within == within


def test_the_end_of_the_share_is_within_it():
    candidates = [scored((c, 1), 9, [mean] * 3) for c, mean in ((1, 0.891), (2, 0.9))]

    selection = select(candidates, IRIS, "accuracy", "within")

    assert selection.champion.candidate.key == "C1.0_G1.0"


@given(
    st.lists(st.lists(st.integers(-9, 9), min_size=7, max_size=7), min_size=1, max_size=4),
    st.sampled_from([0.0, 0.5, -3.0, 1e-12, 1e12]),
)
def test_ties_are_measured_from_their_first(steps, level):
    """The steps are smaller than the tolerance, so neighbours tie although the ends do not."""
    size = abs(level) or 1.0
    scores = np.array([[level + step * 4e-10 * size for step in row] for row in steps])

    ranks = tie_ranks(scores)

    for row, given_ranks in zip(scores.tolist(), ranks.tolist(), strict=True):
        tolerance = min(1.0, max(map(abs, row)))
        leader, rank = math.inf, 0
        for place, at in enumerate(sorted(range(7), key=lambda at: -row[at])):
            if not place or row[at] < leader - 1e-9 * max(abs(leader), tolerance):
                leader, rank = row[at], place + 1
            assert given_ranks[at] == rank
