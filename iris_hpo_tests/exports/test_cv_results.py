"""The export as a table: the columns and numbers of scikit-learn's searches."""

import json
from pathlib import Path

import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from iris_hpo.errors import InputError
from iris_hpo.exports import EXPORTS, export_of
from iris_hpo.exports.cv_results import cv_results, to_csv_file, to_parquet_file
from iris_hpo.selection.leaderboard import read_csv
from iris_hpo.training.metric_names import check_metric
from iris_hpo_tests.exports.results import FAILED, PROPOSALS, SHRINKING, make_results


def test_columns_are_called_as_scikit_learn_calls_them() -> None:
    search = GridSearchCV(make_pipeline(SVC()), {"svc__C": [1], "svc__kernel": ["rbf"]}, cv=3)
    theirs = set(search.fit(*load_iris(return_X_y=True)).cv_results_)
    ours = set(cv_results(make_results())[0])

    assert theirs - ours == {"std_fit_time", "mean_score_time", "std_score_time"}


def test_numbers_are_those_of_the_search() -> None:
    results = make_results()

    for row in cv_results(results)[:-1]:
        card = results.scores[str(row["candidate"])]
        assert [row[f"split{at}_test_score"] for at in range(3)] == card.fold_scores
        assert row["mean_test_score"] == pytest.approx(sum(card.fold_scores) / 3)
        assert row["score"] == card.score
        assert row["f1 (macro)"] == card.metrics["f1 (macro)"]
        assert json.loads(str(row["params"])) == card.parameters
        assert (row["mean_fit_time"], row["score_seconds"]) == (0.25, 0.25)


def test_no_metric_can_be_named_as_another_column() -> None:
    """A column of a metric would take the place of the other."""
    results = make_results(proposals=PROPOSALS)
    columns = {name for row in (*results.rows, *cv_results(results)) for name in row}

    assert len(columns) > 20
    for name in columns - {"f1 (macro)"}:
        with pytest.raises(ValueError, match="another column"):
            check_metric(name)
    check_metric("f1 (macro)")


def test_what_a_candidate_does_not_have_is_blank() -> None:
    rows = cv_results(make_results(more=[SHRINKING], failures={}))

    assert {row["param_svc__kernel"]: row["param_shrink"] for row in rows[::-1]} == {
        None: None,
        "linear": True,
    }
    for row in rows:
        has_axis = row["param_svc__kernel"] == "linear"
        assert ("shrink" in json.loads(str(row["params"]))) == has_axis
        assert len(str(row["candidate"]).split("_")) == 2 + has_axis
    assert [*rows[0]][1:4] == ["param_svc__C", "param_svc__kernel", "param_shrink"]


def test_without_folds_the_test_rows_are_the_only_split() -> None:
    row = cv_results(make_results(folds=0))[0]

    assert row["split0_test_score"] == row["mean_test_score"] == row["score"]
    assert row["std_test_score"] == 0.0


def test_csv_and_parquet_hold_the_same(tmp_path: Path) -> None:
    import pandas as pd

    results, csv_file, parquet_file = make_results(), tmp_path / "t.csv", tmp_path / "t.parquet"
    assert (
        to_csv_file(results, str(csv_file))
        == f"wrote 7 candidates, 1 of them failed, to {csv_file}"
    )
    to_parquet_file(results, str(parquet_file))
    texts, frame = read_csv(csv_file.read_bytes()), pd.read_parquet(parquet_file)

    assert list(frame.columns) == list(texts[0])
    scores = frame["mean_test_score"].tolist()[:-1]
    assert [float(row["mean_test_score"]) for row in texts[:-1]] == scores
    assert frame["param_svc__kernel"].isna().sum() == 3
    assert texts[-1]["reason"] == frame["reason"].iloc[-1] == "ValueError: no kernel"
    assert (texts[-1]["mean_test_score"], texts[-1]["params"]) == (
        "",
        '{"svc__C": 8.0, "svc__kernel": "rbf"}',
    )


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing/t\.csv cannot be written: No such file"):
        to_csv_file(make_results(), str(tmp_path / "missing" / "t.csv"))


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)

    with pytest.raises(InputError, match=r"pip install 'iris_hpo\[optuna\]'"):
        export_of("optuna")


def test_the_command_offers_every_kind() -> None:
    from iris_hpo.command.arguments.export import export

    kind = next(parameter for parameter in export.params if parameter.name == "kind")

    assert list(kind.type.choices) == list(EXPORTS)  # pyright: ignore[reportAttributeAccessIssue]


def test_how_candidates_were_proposed_is_told(tmp_path: Path) -> None:
    results = make_results(proposals=PROPOSALS)
    to_csv_file(results, str(tmp_path / "t.csv"))
    rows = read_csv((tmp_path / "t.csv").read_bytes())

    told = {row["candidate"]: (row["sampler"], row["number"], row["results_known"]) for row in rows}
    proposed = {key: told.pop(key) for key in PROPOSALS}
    assert proposed == {"C80.0_Klinear": ("tpe", "4", "3"), FAILED: ("random", "6", "6")}
    assert set(told.values()) == {("", "", "")}
    assert "sampler" not in cv_results(make_results())[0]
