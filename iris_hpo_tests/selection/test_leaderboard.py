"""The leaderboard: its columns, its bytes, and floats that are read back exactly."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from iris_hpo.selection.leaderboard import leaderboard, read_csv, to_csv
from iris_hpo.selection.rules import Scored, select
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.training.evaluation import Evaluation

IRIS = ParameterSpace([Axis("C", "C", positive=True), Axis("gamma", "G", positive=True)])


def classified(values, correct, folds=(), space=IRIS):
    return Scored(
        space.candidate(values),
        Evaluation(
            score=correct / 4,
            metrics={"accuracy": correct / 4, "balanced_accuracy": 0.5, "macro_f1": 0.1},
            correct=correct,
            total=4,
            interval=(0.25, 0.75),
            fold_scores=tuple(folds),
            seconds=1.5,
            convergence_warnings=0,
        ),
    )


def regressed(values, score, space=IRIS):
    return Scored(
        space.candidate(values),
        Evaluation(
            score=score,
            metrics={"r2": score, "mean_absolute_error": 0.1},
            correct=None,
            total=None,
            interval=None,
            fold_scores=(),
            seconds=1.5,
            convergence_warnings=0,
        ),
    )


def board(candidates, space=IRIS, scoring="accuracy"):
    return leaderboard(select(candidates, space, scoring, "test_score"))


def test_a_leaderboard_has_a_row_per_candidate_best_first():
    assert board([classified((1, 4), 1), classified((0.5, 0.25), 3, [0.5, 1.0])]) == [
        {
            "rank": 1,
            "candidate": "C0.5_G0.25",
            "param_C": 0.5,
            "param_gamma": 0.25,
            "score": 0.75,
            "cv_mean": 0.75,
            "cv_std": 0.25,
            "correct": 3,
            "total": 4,
            "interval_low": 0.25,
            "interval_high": 0.75,
            "balanced_accuracy": 0.5,
            "macro_f1": 0.1,
            "selected": True,
            "champion": True,
        },
        {
            "rank": 2,
            "candidate": "C1.0_G4.0",
            "param_C": 1.0,
            "param_gamma": 4.0,
            "score": 0.25,
            "cv_mean": None,
            "cv_std": None,
            "correct": 1,
            "total": 4,
            "interval_low": 0.25,
            "interval_high": 0.75,
            "balanced_accuracy": 0.5,
            "macro_f1": 0.1,
            "selected": False,
            "champion": False,
        },
    ]


def test_the_same_scores_are_the_same_bytes():
    one, two = classified((1, 4), 1), classified((0.5, 0.25), 3, [0.5, 1.0])
    wanted = (
        b"rank,candidate,param_C,param_gamma,score,cv_mean,cv_std,correct,total,interval_low,"
        b"interval_high,balanced_accuracy,macro_f1,selected,champion\n"
        b"1,C0.5_G0.25,0.5,0.25,0.75,0.75,0.25,3,4,0.25,0.75,0.5,0.1,true,true\n"
        b"2,C1.0_G4.0,1.0,4.0,0.25,,,1,4,0.25,0.75,0.5,0.1,false,false\n"
    )

    assert to_csv(board([one, two])) == wanted
    assert to_csv(board([two, one])) == wanted


def test_a_regression_has_no_counts():
    rows = board([regressed((1, 4), -0.5), regressed((2, 4), 0.9)], scoring="r2")

    assert to_csv(rows) == (
        b"rank,candidate,param_C,param_gamma,score,cv_mean,cv_std,mean_absolute_error,"
        b"selected,champion\n"
        b"1,C2.0_G4.0,2.0,4.0,0.9,,,0.1,true,true\n"
        b"2,C1.0_G4.0,1.0,4.0,-0.5,,,0.1,false,false\n"
    )


def test_another_scoring_is_listed_beside_all_metrics():
    (row,) = board([classified((1, 1), 2)], scoring="f1_macro")

    assert [name for name in row if name in ("score", "accuracy", "macro_f1")] == [
        "score",
        "accuracy",
        "macro_f1",
    ]


def test_other_types_are_written_plainly():
    space = ParameterSpace(
        [
            Axis("depth", "D", type="int", nullable=True),
            Axis("kernel", "K", type="str"),
            Axis("shrink", "S", type="bool"),
        ]
    )
    rows = board([regressed((None, 'a, "b"', True), 0.5, space)], space, "r2")

    assert to_csv(rows).splitlines()[1] == (
        b'1,D~_Ka~2C~20~22b~22_STrue,,"a, ""b""",true,0.5,,,0.1,true,true'
    )


@given(
    st.floats(min_value=0, exclude_min=True, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_floats_are_read_back_exactly(c, score):
    content = to_csv(board([regressed((c, 1), score)], scoring="r2"))

    (row,) = csv.DictReader(io.StringIO(content.decode()))
    assert repr(float(row["param_C"])) == repr(c)
    assert repr(float(row["score"])) == repr(score)
    assert IRIS.parse_key(row["candidate"]).values == (c, 1.0)


def test_candidates_with_other_metrics_leave_cells_blank():
    """An objective of a user's own may give some candidates more metrics than others."""
    rows = board([regressed((1, 1), 0.5), classified((2, 1), 3)], scoring="r2")

    cells = {row["candidate"]: row for row in csv.DictReader(io.StringIO(to_csv(rows).decode()))}

    assert (cells["C2.0_G1.0"]["correct"], cells["C1.0_G1.0"]["correct"]) == ("3", "")
    assert (cells["C2.0_G1.0"]["mean_absolute_error"], cells["C2.0_G1.0"]["macro_f1"]) == (
        "",
        "0.1",
    )


def test_names_of_metrics_are_no_formulas():
    names = ["=1+1", "@SUM(A1)", "'=1", "r2"]
    content = to_csv([{"rank": 1, **dict.fromkeys(names, 0.5)}])
    assert content == b"rank,'=1+1,'@SUM(A1),''=1,r2\n1,0.5,0.5,0.5,0.5\n"
    assert [*read_csv(content)[0]] == ["rank", *names]
