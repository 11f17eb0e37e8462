"""Functions and programs as objectives: what they get, what they give, what decides a result."""

import io
import json
import pickle
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier

from iris_hpo.data.roles import RowRoles
from iris_hpo.data.split import Examples
from iris_hpo.errors import CandidateError, InputError, WholeRunError
from iris_hpo.parts import Part
from iris_hpo.training import artifacts
from iris_hpo.training.artifacts import pack
from iris_hpo.training.called_objective import CalledObjective
from iris_hpo.training.called_predictor import CalledPredictor
from iris_hpo.training.evaluation import evaluate, train

HERE = "iris_hpo_tests.training.own_functions"
NOTHING = Examples(np.empty((0, 0)), np.empty(0), np.empty((0, 0)), np.empty(0), ())
COLUMNS = ("length", "width", "petal", "petal_width", "class")
XY = {"x": 2.0, "y": 3.0}


def function(name, home=Path(), scoring="", columns=(), seed=0, **settings):
    part = Part("function", {"function": f"{HERE}:{name}", **settings})
    return CalledObjective(part, home, scoring, seed, columns)


def program(*command, home=Path(), columns=(), **settings):
    return CalledObjective(Part("program", {"command": command, **settings}), home, "", 7, columns)


def shell(text, home, columns=(), **settings):
    return program("sh", "-c", text, home=home, columns=columns, **settings)


def score(objective, parameters=XY, examples=NOTHING):
    training = train(objective, parameters, examples)
    return evaluate(objective, training.model, parameters, examples), training


def unpacked(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


class TestFunction:
    def test_it_gets_parameters_and_settings_by_name(self):
        evaluation, training = score(function("plane", settings={"scale": 2.0}))

        assert evaluation.score == 10.0
        assert training.model == 10.0
        assert training.beside == {}

    def test_it_may_get_the_trial_beside_the_parameters(self):
        assert score(function("takes_both", seed=4))[0].score == 9.0

    def test_metrics_stand_beside_the_number_to_rank_by(self):
        evaluation = score(function("with_metrics"))[0]

        assert (evaluation.score, evaluation.metrics) == (6.0, {"sum": 5.0})
        named = score(function("with_metrics", metric="sum"))[0]
        assert (named.score, named.metrics) == (5.0, {"value": 6.0})

    def test_what_it_leaves_is_kept_with_what_it_reported(self):
        evaluation, training = score(function("writes", seed=1))

        assert evaluation.score == 3.0
        assert training.beside["txt"] == b"epoch 1\n"
        files = unpacked(training.beside["zip"])
        assert list(files) == ["a.txt", "deep/weights.bin", "steps.csv", "user_attrs.json"]
        assert files["deep/weights.bin"] == b"\x00\xff"
        assert files["steps.csv"] == b"step,value\n1,0.5\n2,0.25\n"
        assert json.loads(files["user_attrs.json"]) == {"note": ["a", 1]}
        assert score(function("writes", seed=1))[1].beside == training.beside

    def test_it_gets_the_rows_as_frames(self, iris_examples):
        evaluation = score(
            function("counts_rows", columns=COLUMNS, task="classification"), XY, iris_examples
        )[0]

        fit, validated = iris_examples.folds[0]
        assert evaluation.score == len(iris_examples.target)
        assert evaluation.metrics == {
            "test": len(iris_examples.test_target),
            "fit": len(fit),
            "validated": len(validated),
            "columns": 5,
        }

    def test_an_estimator_that_it_returns_is_scored_as_any_other(self, iris_examples):
        objective = function(
            "tree", scoring="accuracy", columns=COLUMNS, task="classification", seed=3
        )

        evaluation, training = score(objective, {"x": 2}, iris_examples)

        own = DecisionTreeClassifier(max_depth=2, random_state=3)
        assert evaluation.fold_scores == tuple(
            cross_val_score(
                own, iris_examples.features, iris_examples.target, cv=iris_examples.folds
            )
        )
        own.fit(iris_examples.features, iris_examples.target)
        assert evaluation.score == own.score(iris_examples.test_features, iris_examples.test_target)
        assert evaluation.total == len(iris_examples.test_target)
        assert evaluation.predictions is not None
        assert list(training.model.feature_names_in_) == list(COLUMNS[:-1])

    def test_rows_that_score_it_are_not_shown_to_it(self, iris_examples):
        objective = function("peeks", scoring="accuracy", columns=COLUMNS, task="classification")

        with pytest.raises(CandidateError, match="the test rows score what the function returns"):
            train(objective, XY, iris_examples)

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (float("nan"), "value is nan, which is no score"),
            (float("inf"), "value is inf, which is no score"),
            (None, "value is None, which is no number"),
            ("0.5", "value is a str, which is no number"),
            (True, "value is a bool, which is no number"),
            ([1.0], "value is a list, which is no number"),
            ({}, "it gave nothing, and no 'value' to rank by"),
            ({"loss": 1.0}, "it gave 'loss', and no 'value' to rank by"),
            ({"value": 1.0, "loss": float("nan")}, "loss is nan, which is no score"),
            ({"value": 1.0, "rank": 2}, "a metric cannot be named 'rank'"),
            ({"value": 1.0, "results_known": 2}, "a metric cannot be named 'results_known'"),
            ({"value": 1.0, 3: 2}, "3 is no name of a metric"),
        ],
    )
    def test_what_is_no_number_is_the_candidates_failure(self, given, message):
        with pytest.raises(CandidateError, match=message):
            train(function("returns", settings={"given": given}), XY, NOTHING)

    def test_a_coroutine_is_no_number(self):
        with pytest.raises(CandidateError, match="value is a coroutine, which is no number"):
            train(function("hides_that_it_sleeps"), XY, NOTHING)

    def test_what_it_raises_is_the_candidates_failure(self):
        with pytest.raises(CandidateError, match="training failed: RuntimeError: diverged"):
            train(function("raises"), XY, NOTHING)

    def test_an_estimator_and_a_number_are_not_taken_for_each_other(self, iris_examples):
        with pytest.raises(CandidateError, match="returned a DecisionTreeClassifier; write scorin"):
            train(function("tree", columns=COLUMNS), {"x": 2}, iris_examples)
        with pytest.raises(CandidateError, match="returned a float, which has no method predict"):
            train(function("plane", scoring="accuracy", columns=COLUMNS), XY, iris_examples)

    @pytest.mark.parametrize(
        ("name", "settings", "message"),
        [
            ("plane", {"settings": {"colour": 1}}, "unexpected keyword argument 'colour'"),
            ("asks_for_more", {"settings": {"a": 1}}, "takes either a trial, or a parameter for"),
            ("plane", {"settings": {"x": 1}}, "'x' is a setting and the parameter of an axis"),
            ("missing", {}, "cannot be imported"),
            ("Model.fit", {}, "'.*:Model.fit' is part of Model; write a function at the top of"),
            ("sleeps", {}, "sleeps is async or yields, so a call gives no result; write one"),
            ("steps", {}, "steps is async or yields, so a call gives no result; write one"),
            ("plane", {"direction": "down"}, "direction 'down': choose maximize or minimize"),
            ("plane", {"metric": "rank"}, "a metric cannot be named 'rank'"),
            ("plane", {"metric": "number"}, "a metric cannot be named 'number', as another column"),
            ("plane", {"inputs": ["none.csv"]}, "the input 'none.csv' of the objective cannot be"),
            ("plane", {"version": "1", "inputs": ["a"]}, "version replaces the inputs too"),
            ("plane", {"settings": {"scale": object()}}, "cannot be written as JSON"),
        ],
    )
    def test_what_cannot_be_called_is_refused_before_any_call(self, name, settings, message):
        with pytest.raises(InputError, match=message):
            function(name, **settings).check(["x", "y"], has_table=False)

    @pytest.mark.parametrize("name", ["first_only", "any_positional"])
    def test_a_function_without_named_parameters_gets_the_trial(self, name):
        objective = function(name)
        objective.check(["x", "y"], has_table=False)

        assert score(objective)[0].score == 2.0

    def test_a_decimal_is_a_number(self):
        given = {"given": Decimal("0.5")}
        assert train(function("returns", settings=given), XY, NOTHING).model == 0.5

    @pytest.mark.parametrize(
        ("act", "message"),
        [
            ("parameter", "for the parameter 'momentum', and the candidate has 'x', 'y'$"),
            ("params", "for the parameter 'momentum', and the candidate has 'x', 'y'$"),
            ("text", r"^report\('low', 1\): the value of step 1 is a str, which is no number; it"),
            ("step", r"^report\(0.5, 'one'\): invalid literal .*; it takes a number, then a whole"),
            ("nan", "^the value of step 1 is nan, which is no score"),
            ("attribute", r"^set_user_attr\('a'\): .*; give what can be written as JSON$"),
        ],
    )
    def test_a_misused_trial_is_the_candidates_failure(self, act, message):
        with pytest.raises(CandidateError, match=message):
            train(function("misuses", settings={"act": act}), XY, NOTHING)

    def test_a_parameter_may_be_looked_for(self):
        assert score(function("looks_for_an_optional_one"))[0].score == 4.0

    def test_workers_get_its_name(self):
        objective = pickle.loads(pickle.dumps(function("plane")))
        assert score(objective)[0].score == 5.0


class TestOptuna:
    def test_its_objective_gets_the_candidates_values(self):
        assert score(function("of_optuna"), {"x": 2.5, "y": 3})[0].score == 5.5
        assert score(function("asks_for_a_choice"), {"x": "b"})[0].score == 2.0

    @pytest.mark.parametrize(
        ("name", "parameters", "message"),
        [
            ("asks_for_more", XY, "asks for 'momentum', which no axis searches"),
            ("asks_for_less", XY, "wants 'x' to be a number from 0 to 1, and a candidate has 2.0"),
            ("of_optuna", {"x": 2.25, "y": 3}, "in steps of 0.5, and a candidate has 2.25"),
            ("of_optuna", {"x": 2.5, "y": 2.5}, "a whole number from 1 to 5, and a candidate has"),
            ("of_optuna", {"x": "a", "y": 3}, "a number from 0 to 10, and a candidate has 'a'"),
            ("bound_of_text", XY, "wants 'x' to be a number from 0 to 1, and '0' is no number"),
            ("asks_for_a_choice", {"x": "c"}, "one of 'a', 'b', and a candidate has 'c'"),
        ],
    )
    def test_what_does_not_fit_the_axes_ends_the_run(self, name, parameters, message):
        with pytest.raises(WholeRunError, match=message):
            train(function(name), parameters, NOTHING)


class TestProgram:
    def test_it_gets_parameters_in_three_ways_and_gives_its_last_line(self, tmp_path):
        evaluation, training = score(
            shell(
                'cp "$IRIS_HPO_PARAMETERS" "$IRIS_HPO_OUTPUT/p.json"; pwd >&2;'
                ' echo "$IRIS_HPO_PARAMETER_y {{x}} $IRIS_HPO_SEED {seed}";'
                ' echo "{\\"value\\": {x}, \\"more\\": 1}"; echo',
                tmp_path,
            )
        )

        assert (evaluation.score, evaluation.metrics) == (2.0, {"more": 1.0})
        assert b"3.0 {x} 7 7\n" in training.beside["txt"]
        assert f"{tmp_path}\n".encode() in training.beside["txt"]
        files = unpacked(training.beside["zip"])
        assert json.loads(files["p.json"]) == XY

    def test_a_result_may_be_a_number_or_a_file(self, tmp_path):
        assert score(shell("echo 1; echo ' 0.25'", tmp_path))[0].score == 0.25
        text = 'echo \'{"value": 4}\' > "$IRIS_HPO_OUTPUT/result.json"; echo done'
        assert score(shell(text, tmp_path))[0].score == 4.0

    def test_it_gets_the_rows_as_files(self, tmp_path, iris_examples):
        objective = program(
            *("awk", "-F", ",", "NR == 1 {{ print $NF }} END {{ print NR - 1 }}"),
            "{train}",
            home=tmp_path,
            columns=COLUMNS,
            task="classification",
        )

        evaluation, training = score(objective, XY, iris_examples)

        assert evaluation.score == len(iris_examples.target)
        assert training.beside["txt"].startswith(b"class\n")
        counted = shell('cat "$IRIS_HPO_TEST" "$IRIS_HPO_FOLDS" | wc -l', tmp_path, COLUMNS)
        validated = sum(len(rows) for _, rows in iris_examples.folds)
        lines = len(iris_examples.test_target) + validated + 2
        assert score(counted, XY, iris_examples)[0].score == lines

    def test_other_braces_of_a_command_are_text(self, tmp_path):
        own = program("sh", "-c", 'echo "$1"; echo 1', "sh", "{ x:1} {a:2} {{x:3}}", home=tmp_path)
        own.check(["x"], has_table=False)

        assert score(own)[1].beside["txt"].startswith(b"{ x:1} {a:2} {{x:3}}\n")

    @pytest.mark.parametrize(
        ("text", "mode", "message"),
        [
            ("#!/bin/sh\necho 1\n", 0o600, r"Permission denied; make it executable \(chmod \+x\)"),
            ("echo 1\n", 0o700, "Exec format error; begin it with a line such as #!/bin/sh"),
            ("#!/no/sh\necho 1\n", 0o700, "the interpreter that its first line names; install it"),
            (None, 0, "No such file or directory$"),
        ],
    )
    def test_a_program_that_cannot_be_started_ends_the_run(self, text, mode, message, tmp_path):
        if text is not None:
            file = tmp_path / "my program"
            file.write_text(text)
            file.chmod(mode)

        with pytest.raises(WholeRunError, match=message):
            train(program("./my program", home=tmp_path), XY, NOTHING)

    def test_a_program_that_prints_nothing_gives_no_result(self, tmp_path):
        with pytest.raises(CandidateError, match=r"it printed nothing, and left no result\.json$"):
            train(shell("echo; exit 0", tmp_path), XY, NOTHING)

    def test_the_value_of_an_absent_axis_is_empty(self, tmp_path):
        text = '[ "$#" = 2 ] && [ -z "$1" ] && [ -z "${IRIS_HPO_PARAMETER_gamma+set}" ] && echo $2'
        own = program("sh", "-c", text, "sh", "{gamma}", "{x}", home=tmp_path)
        own.check(["x", "gamma"], has_table=False)

        assert score(own, {"x": 2.0})[0].score == 2.0

    def test_weights_that_no_column_has_end_the_run(self, tmp_path, iris_examples):
        with pytest.raises(WholeRunError, match="no column has the role weight"):
            train(shell("echo {train_weights}", tmp_path, COLUMNS), XY, iris_examples)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"command": []}, "command is a list of texts"),
            ({"command": ["a", 1]}, "command is a list of texts"),
            ({"command": ["a", "{z}"]}, r"has \{z\}, which names nothing; write one of \{x\}"),
            (
                {"command": ["a", "{x:.2f}"]},
                r"has \{x:.2f\}, and a placeholder has no format; write",
            ),
            ({"command": ["a", "{seed!r}"]}, r"has \{seed!r\}, and a placeholder has no format"),
            ({"command": ["a", "{train}"]}, r"has \{train\}, and the search has no table"),
            ({"command": ["a"], "settings": {"b": 1}}, "a program has no settings"),
            ({"command": ["a"], "time_limit": 0}, "must be a number of seconds above 0"),
        ],
    )
    def test_what_cannot_be_run_is_refused_before_any_run(self, settings, message):
        with pytest.raises(InputError, match=message):
            CalledObjective(Part("program", settings), Path()).check(["x", "y"], has_table=False)


KINDS = ("number", "category", "date", "text")
MIXED_COLUMNS = ("size", "colour", "day", "note", "class")


@pytest.fixture
def mixed():
    """Rows with a missing value in each column, weights, and a category of test rows alone."""
    cells = [
        [1.5, "red", 19_000.0, "first"],
        [np.nan, "", 19_000.5, ""],
        [2.0, "blue", np.nan, "third"],
        [3.0, "red", 0.0, "fourth"],
    ]
    test = [[1.0, "green", 1.0, "fifth"], [2.0, "red", 2.0, ""]]
    target, test_target = np.array(["a", "b", "b", "a"]), np.array(["a", "b"])
    return Examples(
        np.array(cells, dtype=object),
        target,
        np.array(test, dtype=object),
        test_target,
        ((np.array([0, 2, 1]), np.array([3])), (np.array([3, 1]), np.array([0, 2]))),
        RowRoles(weight=np.array([1.0, 2.0, 3.0, 0.5])),
        RowRoles(weight=np.array([4.0, 1.0])),
    )


class TestMixedRows:
    def test_frames_have_categories_dates_and_what_is_missing(self, mixed):
        own = replace(function("shows_columns", columns=MIXED_COLUMNS), kinds=KINDS)

        evaluation, training = score(own, {"x": 1}, mixed)

        files = unpacked(training.beside["zip"])
        assert files["types.txt"].decode().split()[:4] == [
            "float64",
            "category",
            "datetime64[ns]",
            "object",
        ]
        rows = json.loads(files["train.json"])["data"]
        assert [row["size"] for row in rows] == [1.5, None, 2.0, 3.0]
        assert [row["colour"] for row in rows] == ["red", None, "blue", "red"]
        assert [str(row["day"])[:16] for row in rows] == [
            "2022-01-08T00:00",
            "2022-01-08T12:00",
            "None",
            "1970-01-01T00:00",
        ]
        assert [row["note"] for row in rows] == ["first", None, "third", "fourth"]
        assert evaluation.metrics == {"same_levels": 1}

    def test_programs_get_them_as_cells(self, mixed, tmp_path):
        own = replace(shell('cat "$IRIS_HPO_TRAIN"; echo 1', tmp_path, MIXED_COLUMNS), kinds=KINDS)

        log = score(own, XY, mixed)[1].beside["txt"].decode().splitlines()

        assert log[:3] == [
            "size,colour,day,note,class",
            "1.5,red,2022-01-08 00:00:00,first,a",
            ",,2022-01-08 12:00:00,,b",
        ]

    def test_weights_are_given(self, mixed, tmp_path):
        own = replace(function("weighs", columns=MIXED_COLUMNS), kinds=KINDS)
        text = 'cat {train_weights} "$IRIS_HPO_TEST_WEIGHTS" | tr "\\n" " "; echo; echo 1'
        other = replace(shell(text, tmp_path, MIXED_COLUMNS), kinds=KINDS)

        assert score(own, {"x": 1}, mixed)[0].score == 6.5
        assert score(own, {"x": 1}, mixed)[0].metrics == {"test": 5.0}
        log = score(other, XY, mixed)[1].beside["txt"].decode()
        assert log.startswith("weight 1.0 2.0 3.0 0.5 weight 4.0 1.0")

    def test_an_estimator_of_frames_is_scored_on_frames(self, mixed):
        own = function("prepared_tree", scoring="accuracy", columns=MIXED_COLUMNS, **CLASSES)
        own = replace(own, kinds=KINDS)
        alike = replace(mixed, roles=RowRoles(), test_roles=RowRoles())

        evaluation, _ = score(own, {"x": 2}, alike)

        assert [*evaluation.predictions.test] == ["b", "a"], "green counts as missing"
        assert len(evaluation.fold_scores) == 2

    def test_an_estimator_is_fitted_and_scored_by_weight(self, iris_examples):
        rows = len(iris_examples.target), len(iris_examples.test_target)
        weights = [np.linspace(0.1, 3, number) for number in rows]
        roles = [RowRoles(weight=each) for each in weights]
        weighted = replace(iris_examples, roles=roles[0], test_roles=roles[1])
        own = function("weighted_tree", scoring="accuracy", columns=COLUMNS, **CLASSES)

        evaluation, training = score(own, {"x": 2}, weighted)

        tree = DecisionTreeClassifier(max_depth=2, random_state=0)
        tree.fit(iris_examples.features, iris_examples.target, weights[0])
        expected = tree.score(iris_examples.test_features, iris_examples.test_target, weights[1])
        assert evaluation.score == pytest.approx(expected)
        assert len(evaluation.fold_scores) == len(iris_examples.folds)
        assert training.model.tree_.threshold.tolist() == tree.tree_.threshold.tolist()


CLASSES = {"task": "classification"}


@pytest.mark.parametrize(
    ("name", "number"), [("predict_first", "1 prediction"), ("predict_nothing", "0 predictions")]
)
def test_a_function_that_predicts_gives_a_value_for_each_row(name, number):
    predictor = CalledPredictor(f"{HERE}:{name}", None, ["size"], ())

    with pytest.raises(ValueError, match=f"{HERE}:{name} gave {number} for 3 rows"):
        predictor.predict(np.ones((3, 1)))


class TestIdentity:
    def test_source_inputs_and_settings_decide_a_result(self, tmp_path):
        (tmp_path / "rows.csv").write_text("1")
        (tmp_path / "lib").mkdir()
        (tmp_path / "lib" / "part.py").write_text("1")
        objective = function("plane", tmp_path, inputs=["rows.csv", "lib"])
        before = objective.identity()

        assert set(before["code"]) >= {HERE, "rows.csv", "lib"}
        assert "scikit-learn" in before["packages"]
        (tmp_path / "lib" / "__pycache__").mkdir()
        (tmp_path / "lib" / "__pycache__" / "part.pyc").write_text("1")
        assert replace(objective).identity() == before
        (tmp_path / "lib" / "part.py").write_text("2")
        assert replace(objective).identity() != before
        assert function("plane", settings={"scale": 3}).identity() != function("plane").identity()
        assert function("plane", seed=1).identity() != function("plane").identity()

    def test_an_input_that_cannot_be_read_is_named_within_its_folder(self, tmp_path):
        (tmp_path / "lib").mkdir()
        (tmp_path / "lib" / "part").symlink_to("none")

        with pytest.raises(InputError, match=r"'lib' of the objective .*/lib/part: No such file"):
            function("plane", tmp_path, inputs=["lib"]).identity()

    def test_a_version_replaces_source_inputs_and_packages(self):
        identity = function("plane", version="a").identity()

        assert (identity["code"], identity["packages"]) == ({"version": "a"}, {})
        assert function("plane", version="b").identity() != identity

    def test_how_results_are_ranked_decides_none(self):
        turned = function("plane", direction="minimize", metric="height")
        assert turned.identity() == function("plane").identity()

    def test_a_file_that_a_command_names_is_an_input(self, tmp_path):
        (tmp_path / "run.sh").write_text("echo 1")
        objective = program("sh", "run.sh", "{x}", home=tmp_path)

        assert set(objective.code) == {"run.sh"}

    def test_an_input_that_changes_while_a_program_runs_ends_the_run(self, tmp_path):
        (tmp_path / "run.sh").write_text("echo ' ' >> run.sh; echo 1")
        objective = program("sh", "run.sh", home=tmp_path)
        objective = pickle.loads(pickle.dumps(objective))

        with pytest.raises(WholeRunError, match=r"the code of run\.sh .* is not the code"):
            train(objective, XY, NOTHING)


class TestFiles:
    def test_no_file_makes_no_archive(self, tmp_path):
        (tmp_path / "empty").mkdir()
        assert pack(tmp_path) is None

    def test_too_many_and_too_large_are_refused_before_they_are_read(self, tmp_path, monkeypatch):
        with (tmp_path / "large").open("wb") as file:
            file.truncate(1 << 30)  # takes no room

        with pytest.raises(CandidateError, match="holds 1024 MiB; at most 128 MiB are kept"):
            pack(tmp_path)
        (tmp_path / "large").unlink()
        for number in range(3):
            (tmp_path / str(number)).touch()
        monkeypatch.setattr(artifacts, "MOST_FILES", 2)
        with pytest.raises(CandidateError, match="holds 3 files; at most 2"):
            pack(tmp_path)

    def test_what_is_no_file_is_refused(self, tmp_path):
        (tmp_path / "link").symlink_to("/etc/passwd")
        with pytest.raises(CandidateError, match="link in the folder is neither a file nor"):
            pack(tmp_path)
