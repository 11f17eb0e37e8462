"""`iris-hpo predict` on tables as people keep them, and what it writes."""

import csv
import io
import json
import random
from pathlib import Path

import numpy as np
import pytest
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from iris_hpo.command.predict import _column, _labels, _predictions, _table
from iris_hpo.errors import InputError
from iris_hpo.text import unquote_cell
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject

pytestmark = DAGSTERS_WARNINGS

DRAWN = random.Random(4)
WORDS = ["warm", "dry", "loud", "quiet", "small", "large", "heavy", "light"]


def row_of(table: str, number: int) -> dict[str, object]:
    """A row of a table of texts, of missing values, or of dates."""
    is_yes = number % 2
    if table == "texts":
        words = [WORDS[is_yes], *(DRAWN.choice(WORDS) for _ in range(4)), f"no{number}"]
        return {"colour": ["red", "blue"][is_yes], "note": " ".join(words), "label": is_yes}
    if table == "missing":
        size = "" if number % 5 == 0 else DRAWN.gauss(3 * is_yes, 1)
        origin = ["", "here", "there"][number % 3]
        return {"size": size, "origin": origin, "label": ["NA", "=no"][is_yes]}
    day = f"{2000 + 9 * is_yes}-0{1 + number % 9}-1{number % 9}"
    return {"day": day, "level": DRAWN.random(), "label": f"{10 * is_yes + DRAWN.random():.3f}"}


UNSEEN = {
    "texts": {"colour": "green", "note": "never read before"},
    "missing": {"size": "", "origin": "elsewhere"},
    "dates": {"day": "", "level": "0.5"},
}


def write_csv(path: Path, rows: list[dict[str, object]], names: list[str]) -> str:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore", restval="?")
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("table", ["texts", "missing", "dates"])
def test_a_table_goes_through_predict(project: YamlProject, table: str) -> None:
    rows = [row_of(table, number) for number in range(60)]
    names = list(rows[0])
    write_csv(project.root / "data" / "d.csv", rows, names)
    kind = "Regressor" if table == "dates" else "Classifier"
    project.write_search(
        "s",
        data_file="d.csv",
        target="label",
        estimator=f"sklearn.tree.DecisionTree{kind}",
        axes=[{"name": "max_depth", "symbol": "D", "type": "int"}],
        folds=2,
    )
    project.write_values("s", max_depth=[2, 3])
    project.run("s")
    new = [row_of(table, 61), {**UNSEEN[table], "label": ""}, row_of(table, 62)]
    path = write_csv(project.root / "new.csv", new, ["extra", *names[::-1]])

    def predict(*arguments: str) -> str:
        answer = project.call("predict", path, "--search", "s", *arguments)
        assert answer.code == 0, answer.err
        return answer.out

    predicted = predict().splitlines()
    assert len(predicted) == 3
    as_json = json.loads(predict("--json"))
    if table == "dates":
        assert as_json == list(map(float, predicted))
        assert float(predicted[0]) - float(predicted[2]) > 6
        refused = project.call("predict", path, "--search", "s", "--proba")
        assert (refused.code, refused.err) == (
            2,
            "iris-hpo: this search predicts numbers, which have no probabilities\n",
        )
    else:
        assert as_json == predicted
        assert predicted[0] != predicted[2]
        assert set(predicted) <= {str(row["label"]) for row in rows}
        table_of = list(csv.DictReader(io.StringIO(predict("--proba"))))
        shares = [{unquote_cell(k): float(v) for k, v in row.items()} for row in table_of]
        assert json.loads(predict("--proba", "--json")) == shares
        assert [max(share, key=share.__getitem__) for share in shares] == predicted
        assert all(sum(share.values()) == pytest.approx(1) for share in shares)
    write_csv(Path(path), new[::-1], names[:-1])
    assert predict().splitlines() == predicted[::-1]


def test_probabilities_have_a_column_per_class_that_no_spreadsheet_runs() -> None:
    text = _table(["=1+2", 'a,"b"', "0"], np.array([[0.1, 0.2, 0.7]]), as_json=False)

    assert text == '\'=1+2,"a,""b""",0\n0.1,0.2,0.7\n'
    assert _table(["a", "b"], np.empty((0, 2)), as_json=False) == "a,b\n"
    assert _table(["a", "b"], np.empty((0, 2)), as_json=True) == "[]\n"


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (
            SVC(),
            "gives no probabilities: it has decision values, which are no probabilities; leave",
        ),
        (
            object(),
            "gives no probabilities: it predicts classes only; leave out --proba, or search",
        ),
        (DecisionTreeClassifier(), "without an attribute classes_, which names the columns of its"),
    ],
)
def test_what_has_no_probabilities_of_classes_is_refused(model: object, reason: str) -> None:
    with pytest.raises(InputError) as refusal:
        _labels(model)

    assert reason in str(refusal.value)


@pytest.mark.parametrize(
    ("values", "task", "lines", "as_json"),
    [
        (np.array(["1", "NA", "é"]), "classification", "1\nNA\né\n", ["1", "NA", "\u00e9"]),
        (np.array([0.1, 2e-300, np.inf]), "regression", "0.1\n2e-300\ninf\n", [0.1, 2e-300, None]),
        (np.array([3, 4]), "classification", "3\n4\n", ["3", "4"]),
        (np.array([]), "regression", "", []),
    ],
)
def test_predictions_are_lines_or_a_list(values, task, lines, as_json) -> None:
    assert _column(values, task, as_json=False) == lines
    assert json.loads(_column(values, task, as_json=True)) == as_json


def test_no_rows_have_no_predictions() -> None:
    model = DecisionTreeClassifier().fit([[0], [1]], ["a", "b"])

    assert len(_predictions(model, np.empty((0, 1)))) == 0


def test_a_prediction_of_several_lines_is_refused_where_each_is_a_line() -> None:
    predicted = np.array(["a", "b\nc"])

    with pytest.raises(InputError, match=r"predicts 'b\\nc', and each prediction is one line; add"):
        _column(predicted, "classification", as_json=False)
    assert _column(predicted, "classification", as_json=True) == '["a", "b\\nc"]\n'
