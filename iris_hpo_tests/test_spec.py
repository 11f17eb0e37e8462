"""A search's description: what is filled in, and what is refused when it is written."""

import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.metrics import get_scorer_names

from iris_hpo.data.columns import Layout
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.errors import InputError
from iris_hpo.iris import iris_search
from iris_hpo.parts import Part
from iris_hpo.run_settings import BudgetSettings
from iris_hpo.space.axes import Axis
from iris_hpo.spec import SearchSpec
from iris_hpo.spec_choosing import checked_rule, selection_settings
from iris_hpo.training.choices import Choice
from iris_hpo.training.estimator_search import check_estimator
from iris_hpo.training.estimators import Step

SVM = Step("sklearn.svm.SVC")
SCALE = Step("sklearn.preprocessing.StandardScaler")
C = Axis("C", "C", positive=True)
PIPED_C = Axis("C", "C", "svc__C")
KERNEL = Choice("kernel", "rbf", ("rbf", "linear"))
PIPED_KERNEL = Choice("svc__kernel", "rbf", ("rbf", "linear"))


def search(**settings):
    basis = {"name": "wine", "home": Path(), "data_file": "wine.csv", "axes": (C,), "steps": (SVM,)}
    return SearchSpec(**{**basis, **settings})


def test_the_iris_search_is_the_seeds():
    spec = iris_search()

    assert (spec.name, spec.partitions) == ("", "c_gamma")
    assert [(axis.name, axis.symbol, axis.positive) for axis in spec.axes] == [
        ("C", "C", True),
        ("gamma", "G", True),
    ]
    assert (spec.task, spec.scoring, spec.rule) == ("classification", "accuracy", "test_score")
    assert spec.split == SplitSettings(test_size=0.2, seed=0, folds=5, stratify=None, repeats=1)
    assert (spec.home / "data" / spec.data_file).is_file()
    assert spec.recipe().build().get_params()["kernel"] == "rbf"
    assert spec.recipe({"kernel": "linear"}).build().get_params()["kernel"] == "linear"
    check_estimator(spec.steps, spec.axes, spec.choices)  # scikit-learn agrees


def test_a_search_that_names_only_what_is_known_needs_no_scikit_learn():
    program = (
        "import sys; from iris_hpo.iris import iris_search; spec = iris_search(); "
        "print(spec.task, spec.scoring, 'sklearn' in sys.modules)"
    )

    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert shown.stdout.split() == ["classification", "accuracy", "False"]


@pytest.mark.parametrize(
    ("settings", "partitions"),
    [
        ({"name": "wine"}, "wine_candidates"),
        ({"name": ""}, "search_candidates"),
        ({"name": "wine", "partitions": "grid"}, "grid"),
    ],
)
def test_partitions_are_named_after_the_search(settings, partitions):
    assert search(**settings).partitions == partitions


@pytest.mark.parametrize(
    ("settings", "folder"),
    [
        ({"name": "wine"}, "parameters/wine"),
        ({"name": ""}, "parameters"),
        ({"name": "wine", "parameters_folder": "grid"}, "grid"),
    ],
)
def test_parameter_files_have_a_folder_per_search(settings, folder):
    assert search(**settings).parameters_folder == folder


@pytest.mark.parametrize(
    ("estimator", "task", "scoring"),
    [
        ("sklearn.svm.SVC", "classification", "accuracy"),
        ("sklearn.svm.SVR", "regression", "r2"),
    ],
)
def test_the_scoring_follows_the_task(estimator, task, scoring):
    spec = search(steps=(Step(estimator),))

    assert (spec.task, spec.scoring) == (task, scoring)
    assert search(scoring="f1_macro").scoring == "f1_macro"


def test_a_part_without_settings_may_be_given_by_its_name():
    spec = search(sampler="random", engine="serial", splitter="shuffled")

    assert (spec.sampler, spec.engine, spec.splitter) == tuple(
        map(Part, ("random", "serial", "shuffled"))
    )


def test_parts_and_settings_may_be_given_as_in_yaml():
    spec = search(
        sampler={"use": "random", "settings": {"seed": 1}},
        budget={"candidates": 7, "until": 0.9},
        split={"seed": 3},
        layout={"target": "kind"},
        reports=["heatmap", {"use": "html"}],
    )

    assert spec.sampler == Part("random", {"seed": 1})
    assert spec.budget == BudgetSettings(candidates=7, until=0.9)
    assert (spec.split, spec.layout) == (SplitSettings(seed=3), Layout(target="kind"))
    assert spec.reports == (Part("heatmap"), Part("html"))


def test_axes_steps_choices_and_scorings_may_be_given_as_in_yaml():
    depth = {"name": "depth", "symbol": "D", "parameter": "max_depth", "type": "int"}
    criterion = {"name": "criterion", "default": "gini", "options": ("gini", "entropy")}
    spec = search(
        steps=["sklearn.tree.DecisionTreeClassifier"],
        axes=[depth],
        choices=[criterion],
        scoring={"use": "f1_macro"},
        metrics=["accuracy", {"use": "sklearn.metrics.f1_score", "settings": {"average": "micro"}}],
    )

    assert spec.steps == (Step("sklearn.tree.DecisionTreeClassifier"),)
    assert (spec.axes, spec.choices) == ((Axis(**depth),), (Choice(**criterion),))
    assert spec.scoring == Part("f1_macro")
    assert spec.metrics == ("accuracy", Part("sklearn.metrics.f1_score", {"average": "micro"}))


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        (
            {"budget": {"candidate": 7}},
            ("budget", "candidate"),
            "budget has no 'candidate'; it has candidates, seconds, until, while_it_gains",
        ),
        (
            {"budget": 7},
            ("budget",),
            (
                "budget '7' must be a BudgetSettings or a mapping of candidates, seconds, until, "
                "while_it_gains"
            ),
        ),
        ({"budget": {"candidates": 0}}, ("budget", "candidates"), "candidates 0 must be at least"),
        ({"budget": {"candidates": "7"}}, ("budget",), "budget: '<' not supported between"),
        ({"steps": "sklearn.svm.SVC"}, ("steps",), "steps 'sklearn.svm.SVC' must be a list"),
        ({"axes": [7]}, ("axes",), "axes '7' must be an Axis or a mapping of name, symbol, "),
        ({"axes": [{"name": "c"}]}, ("axes",), "axes: missing 1 required positional argument: "),
        ({"metrics": None}, ("metrics",), "metrics 'None' must be a list"),
        (
            {"sampler": {"use": "tpe", "seed": 1}},
            ("sampler", "seed"),
            "sampler has no 'seed'; it has use, settings",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_has_no_such_form_is_refused(given, field, message):
    with pytest.raises(InputError) as refusal:
        search(**given)

    assert str(refusal.value).startswith(message)
    assert refusal.value.field == field


def test_a_run_may_choose_and_seed():
    spec = search(choices=(KERNEL,), split=SplitSettings(seed=5))

    assert spec.recipe().seed == 5
    assert spec.recipe(seed=0).seed == 0
    assert spec.recipe().build().get_params()["kernel"] == "rbf"
    assert spec.recipe({"kernel": "linear"}).build().get_params()["kernel"] == "linear"


def test_a_choice_of_a_pipeline_is_its_steps():
    spec = search(
        axes=(PIPED_C,),
        steps=(SCALE, Step("sklearn.svm.SVC", {"tol": 0.1})),
        choices=(PIPED_KERNEL,),
    )

    chosen = spec.recipe({"svc__kernel": "linear"})

    assert chosen.steps == (SCALE, Step("sklearn.svm.SVC", {"tol": 0.1, "kernel": "linear"}))
    assert chosen.build({"svc__C": 2.0}).named_steps["svc"].get_params()["kernel"] == "linear"


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"tol": "1"}, "this search has no choice 'tol'; it has kernel"),
        ({"kernel": "cubic"}, "kernel 'cubic' is unknown; choose one of rbf, linear"),
    ],
)
def test_a_choice_that_is_not_offered_is_refused(chosen, message):
    with pytest.raises(InputError) as refusal:
        search(choices=(KERNEL,)).recipe(chosen)

    assert str(refusal.value) == message


def test_a_search_without_choices_says_so():
    with pytest.raises(InputError) as refusal:
        search().recipe({"kernel": "rbf"})

    assert str(refusal.value) == "this search has no choice 'kernel'; it has none"


def test_a_default_is_one_of_the_options():
    with pytest.raises(InputError) as refusal:
        Choice("kernel", "cubic", ("rbf", "linear"))

    assert str(refusal.value) == "kernel 'cubic' is unknown; choose one of rbf, linear"


NAME_RULE = "use lower-case letters, digits and underscores, beginning with a letter, at most 50"


@pytest.mark.parametrize(
    "name", ["Wine", "1wine", "_wine", "a b", "a/b", "a-b", "é", "a\n", "a" * 51]
)
def test_a_name_is_refused_that_no_asset_could_carry(name):
    with pytest.raises(InputError) as refusal:
        search(name=name)

    assert str(refusal.value) == f"search name {name!r}: {NAME_RULE}"


TAKEN_NAMES = ["models", "parameters", "scores", "search", "selection", "split"]


@pytest.mark.parametrize("name", TAKEN_NAMES)
def test_a_name_is_refused_that_the_search_without_one_uses(name):
    with pytest.raises(InputError) as refusal:
        search(name=name)

    assert str(refusal.value) == (
        f"search name {name!r}: the search without a name uses it; choose another"
    )


@pytest.mark.parametrize(
    ("settings", "field", "message"),
    [
        ({"name": "Wine"}, ("name",), f"search name 'Wine': {NAME_RULE}"),
        ({"max_candidates": 0}, ("max_candidates",), "max_candidates 0 must be at least 1"),
        ({"axes": ()}, ("axes",), "a search needs at least one axis"),
        (
            {"axes": (C, Axis("gamma", "C"))},
            ("axes", 1, "symbol"),
            (
                "axes 'C' and 'gamma': the symbols 'C' and 'C' could be confused in a key; "
                "choose symbols that do not begin alike"
            ),
        ),
        (
            {"axes": (C, Axis("c", "D"))},
            ("axes", 1, "name"),
            "two axes are named 'c'; names must differ in more than case",
        ),
        (
            {"axes": (C, Axis("gamma", "G"), Axis("cost", "K", "C"))},
            ("axes", 2, "parameter"),
            "axes 'C' and 'cost' both set the parameter 'C'",
        ),
        (
            {"steps": (SCALE, SVM), "axes": (Axis("svm", "S", "svc"),)},
            ("axes", 0, "parameter"),
            "'svc' is a part of the pipeline, not a parameter of a step; write <step>__<parameter>",
        ),
        ({"steps": ()}, ("steps",), "a search needs an estimator, such as sklearn.svm.SVC"),
        (
            {"steps": (SCALE,)},
            ("steps", 0, "estimator"),
            "StandardScaler is neither a classifier nor a regressor",
        ),
        (
            {"steps": (SCALE, SCALE, SVM)},
            ("steps", 1, "estimator"),
            "two steps of the pipeline are both 'standardscaler'",
        ),
        (
            {"steps": (SCALE, Step("svm"))},
            ("steps", 1, "estimator"),
            (
                "the estimator 'svm' cannot be imported (it is no import path); give the path of a "
                "class, such as sklearn.svm.SVC"
            ),
        ),
        (
            {"steps": (Step(SCALE.estimator, {"x": 1}), SVM), "axes": (PIPED_C,)},
            ("steps", 0, "settings", "x"),
            "StandardScaler has no setting 'x'; it has copy, with_mean, with_std",
        ),
        (
            {"choices": (Choice("C", "1", ("1",)),)},
            ("choices", 0),
            "'C' is both an axis and a choice",
        ),
        ({"choices": (KERNEL, KERNEL)}, ("choices", 1), "two choices are named 'kernel'"),
        (
            {"steps": (Step(SVM.estimator, {"kernel": "rbf"}),), "choices": (KERNEL,)},
            ("choices", 0),
            "choice 'kernel' is offered, but the settings fix it",
        ),
        (
            {"steps": (Step(SVM.estimator, {"C": 2.0}),)},
            ("axes", 0, "parameter"),
            "axis 'C' searches 'C', which the settings fix too",
        ),
        (
            {"steps": (SCALE, Step(SVM.estimator, {"C": 2.0})), "axes": (PIPED_C,)},
            ("axes", 0, "parameter"),
            "axis 'C' searches 'svc__C', which the settings fix too",
        ),
        (
            {"steps": (SCALE, SVM), "axes": (PIPED_C,), "choices": (KERNEL,)},
            ("choices", 0),
            (
                "choice 'kernel' names no setting of a step; "
                "write standardscaler__<setting> or svc__<setting>"
            ),
        ),
        (
            {"choices": (PIPED_KERNEL,)},
            ("choices", 0),
            "choice 'svc__kernel' names no setting of a step; write <setting>",
        ),
        (
            {"split": SplitSettings(stratify=True), "steps": (Step("sklearn.svm.SVR"),)},
            ("stratify",),
            "stratify needs classes; regression targets have none",
        ),
        (
            {"rule": "best"},
            ("rule",),
            (
                "rule 'best' is unknown; choose one of test_score, cv, one_standard_error, within, "
                "own_score"
            ),
        ),
        (
            {"blocking_checks": ("champion_is_within_grid", "better")},
            ("blocking_checks", 1),
            (
                "check 'better' is unknown; choose from better_than_default, better_than_baseline, "
                "champion_is_within_grid, folds_agree, estimate_is_kept, "
                "features_identify_no_rows, no_feature_alone_predicts, features_are_filled, "
                "classes_are_large_enough, scoring_suits_classes, rows_are_apart, "
                "groups_are_apart, time_order_is_kept"
            ),
        ),
        (
            {"rule": "cv", "split": SplitSettings(folds=0)},
            ("rule",),
            "rule 'cv' ranks by cross-validation; set folds to at least 2",
        ),
    ],
)
def test_a_search_that_cannot_work_is_refused_where_it_is_written(settings, field, message):
    with pytest.raises(InputError) as refusal:
        search(**settings)

    assert str(refusal.value) == message
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("settings", "beginning"),
    [
        (
            {"axes": (Axis("gama", "G"),)},
            "SVC has no parameter 'gama'; did you mean 'gamma'? It has C, break_ties, ",
        ),
        (
            {"steps": (SCALE, SVM)},
            "StandardScaler -> SVC has no parameter 'C'; it has memory, standardscaler, ",
        ),
        (
            {"choices": (Choice("kernal", "rbf", ("rbf",)),)},
            "SVC has no setting 'kernal'; did you mean 'kernel'? It has C, break_ties, ",
        ),
    ],
)
def test_a_parameter_that_the_estimator_lacks_is_refused_with_those_it_has(settings, beginning):
    with pytest.raises(InputError) as refusal:
        search(**settings)

    assert str(refusal.value).startswith(beginning)


def test_a_scoring_that_scikit_learn_does_not_know_is_refused():
    with pytest.raises(InputError) as refusal:
        search(scoring="acuracy")

    assert str(refusal.value) == (
        f"scoring 'acuracy' is unknown to scikit-learn; it knows {', '.join(get_scorer_names())}; "
        "or give the import path of a function"
    )


SGD = Step("sklearn.linear_model.SGDClassifier")
ALPHA = (Axis("alpha", symbol="A"),)


def test_a_scoring_that_the_estimator_cannot_serve_is_refused():
    with pytest.raises(InputError, match=r"needs predict_proba, which SGDClassifier does not have"):
        search(steps=(SGD,), axes=ALPHA, scoring="neg_log_loss")

    assert search(steps=(SGD,), axes=ALPHA, scoring="roc_auc", metrics=("f1_macro",))


def test_a_choice_or_an_axis_may_serve_it():
    loss = Choice("loss", "hinge", ("hinge", "log_loss"))
    assert search(steps=(SGD,), axes=ALPHA, choices=(loss,), scoring="neg_log_loss")
    axes = (*ALPHA, Axis("loss", symbol="L", type="str"))
    assert search(steps=(SGD,), axes=axes, scoring="neg_log_loss")


@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro", "roc_auc", "neg_log_loss"])
def test_a_scoring_of_classes_is_refused_where_numbers_are_predicted(scoring):
    with pytest.raises(InputError) as refusal:
        search(steps=(Step("sklearn.svm.SVR"),), scoring=scoring)

    assert str(refusal.value) == (
        f"scoring {scoring!r} is for classes, and this search predicts numbers"
    )
    assert refusal.value.field == ("scoring",)


@pytest.mark.parametrize(
    "scoring", ["r2", "neg_mean_absolute_error", "neg_root_mean_squared_error", "neg_max_error"]
)
def test_a_scoring_of_numbers_is_accepted_where_numbers_are_predicted(scoring):
    assert search(steps=(Step("sklearn.svm.SVR"),), scoring=scoring).scoring == scoring


def test_a_setting_of_another_step_does_not_fix_an_axis():
    spec = search(
        steps=(Step("sklearn.decomposition.PCA", {"tol": 0.5}), SVM),
        axes=(Axis("tol", "T", "svc__tol"),),
    )

    assert spec.recipe().build({"svc__tol": 0.1}).get_params()["pca__tol"] == 0.5


@pytest.mark.parametrize(
    ("stated", "given", "folds", "rule"),
    [
        (None, None, 5, "cv"),
        (None, None, 0, "test_score"),
        (None, "test_score", 5, "test_score"),
        ("test_score", None, 5, "test_score"),
        ("test_score", "cv", 2, "cv"),
        (None, "one_standard_error", 2, "one_standard_error"),
    ],
)
def test_the_rule_is_the_one_given_or_stated_or_cross_validation(stated, given, folds, rule):
    assert checked_rule(search(rule=stated), given, folds) == rule


@pytest.mark.parametrize("rule", ["cv", "one_standard_error"])
def test_a_rule_that_ranks_by_folds_needs_folds(rule):
    spec = search(rule=rule)
    with pytest.raises(InputError) as refusal:
        checked_rule(spec, None, 0)

    assert str(refusal.value) == f"rule {rule!r} ranks by cross-validation; set folds to at least 2"


def test_the_iris_search_alone_keeps_the_test_score():
    assert checked_rule(iris_search(), None, 5) == "test_score"


FOREST = Step("sklearn.ensemble.RandomForestClassifier")


@pytest.mark.parametrize(
    ("steps", "axis", "simplest"),
    [
        ((SVM,), Axis("C", "C"), "low"),
        ((SVM,), Axis("C", "C", simplest="high"), "high"),
        ((SCALE, SVM), Axis("C", "C", "svc__C"), "low"),
        ((FOREST,), Axis("depth", "D", "max_depth", type="int"), "low"),
        ((FOREST,), Axis("leaf", "L", "min_samples_leaf", type="int"), "high"),
        ((FOREST,), Axis("trees", "T", "n_estimators", type="int"), None),
        ((SVM,), Axis("kernel", "K", type="str"), None),
    ],
)
def test_what_is_known_of_an_axis_fills_what_it_leaves_open(steps, axis, simplest):
    spec = search(steps=steps, axes=(axis,))

    assert spec.space.axes[0].simplest == simplest
    assert spec.axes == (axis,)


def test_the_simplest_is_refused_where_nothing_is_known():
    with pytest.raises(InputError) as refusal:
        search(axes=(C, Axis("tol", "T")), rule="one_standard_error")

    assert refusal.value.field == ("axes", 1)
    assert str(refusal.value) == (
        "rule 'one_standard_error' chooses the simplest, and nothing is known of the axis 'tol': "
        "write simplest: low, high or neither to it, or choose the rule cv"
    )


def test_what_is_simple_decides_nothing_about_candidates():
    """So stating it later trains and scores nothing again."""
    assert Axis("a", "A", simplest="low").identity() == Axis("a", "A").identity()
    assert iris_search().axes[0].identity() == {
        "name": "C",
        "symbol": "C",
        "parameter": "C",
        "type": "float",
        "positive": True,
        "nullable": False,
    }


@pytest.mark.parametrize(
    ("data", "field", "message"),
    [
        ({"data_asset": "features"}, ("data",), "give either a data_file or an asset"),
        ({"data_file": ""}, ("data_file",), "give a data_file, or an asset of the project"),
        (
            {"data_file": "", "data_asset": "a//b"},
            ("data", "asset"),
            "the asset 'a//b' has an empty part in its key",
        ),
    ],
)
def test_the_data_is_one_file_or_one_asset(data, field, message):
    with pytest.raises(InputError, match=message) as error:
        search(**data)
    assert error.value.field == field


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"layout": {"target": "grower"}}, ("target",)),
        ({"layout": {"columns": {"day": "drop"}}}, ("columns",)),
        ({"prepare": "none"}, ("prepare",)),
        ({"splitter": Part("grouped")}, ("splitter",)),
        ({"splitter": Part("own.Splitter")}, ("splitter",)),
        ({"task": "classification"}, ("objective", "task")),
        ({"task": "regression"}, ("objective", "task")),
        (
            {"predict": "iris_hpo_tests.training.own_functions:predict_colour"},
            ("objective", "predict"),
        ),
        ({"refit": "train"}, ("refit",)),
        ({"refit": "all"}, ("refit",)),
    ],
)
def test_what_needs_a_table_or_a_model_is_refused_where_there_is_none(settings, field):
    own = {name: settings.pop(name) for name in ("task", "predict") if name in settings}
    part = Part("function", {"function": "iris_hpo_tests.training.own_functions:plane", **own})
    axes = (Axis("x", "X"), Axis("y", "Y"))

    with pytest.raises(InputError, match=f"^{field[-1]}.* leave {field[-1]} out") as refusal:
        search(data_file="", steps=(), axes=axes, objective=part, **settings)

    assert refusal.value.field == field


def test_a_program_may_get_the_rows_of_a_table_as_arguments():
    part = Part("program", {"command": ["sh", "run.sh", "{C}", "{train}", "{test}", "{folds}"]})

    assert search(steps=(), objective=part).called is not None
    with pytest.raises(InputError, match=r"has \{train\}, and the search has no table"):
        search(steps=(), objective=part, data_file="")


def test_an_objective_may_be_given_as_in_yaml():
    name = "iris_hpo_tests.training.own_functions:plane"
    basis = {"data_file": "", "steps": (), "axes": (Axis("x", "X"), Axis("y", "Y"))}
    called = {"function": name, "metric": "height"}

    assert search(**basis, objective=called).objective == Part("function", called)
    program = {"command": ["echo", "{x}"]}
    assert search(**basis, objective=program).objective == Part("program", program)


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        ("plane", "'plane' must be a function, or a mapping with one of function, command, use"),
        ({"function": "a:b", "command": ["a"]}, "give one of function, command, use"),
        ({"metric": "height"}, "give one of function, command, use"),
        ({"use": "a.B", "metric": "height"}, "beside use there are settings alone.*'metric'"),
        ({"command": ["a"], "colour": 1}, "'colour'"),
    ],
)
def test_what_is_no_objective_is_refused(objective, message):
    with pytest.raises(InputError, match=message):
        search(steps=(), objective=objective)


def test_an_asset_needs_no_file():
    spec = search(data_file="", data_asset="warehouse/features")
    assert (spec.data_file, spec.data_asset) == ("", "warehouse/features")


@pytest.mark.parametrize("rule", [None, "cv", "one_standard_error"])
def test_a_share_under_another_rule_is_refused(rule):
    with pytest.raises(InputError) as refusal:
        search(rule=rule, within="2%")

    assert refusal.value.field == ("within",)
    assert str(refusal.value) == (
        f"within '2%' has no effect under the rule {rule or 'cv'!r}; choose the rule 'within', or "
        "leave it out"
    )


def test_a_run_may_leave_the_rule_that_a_share_belongs_to():
    spec = search(rule="within", within="2%")

    assert selection_settings(spec, 5).share == 0.02
    assert selection_settings(spec, 5, "cv").rule == "cv"
    assert selection_settings(search(), 5, "within", within="3%").share == 0.03
    with pytest.raises(InputError, match="'3%' has no effect under the rule 'cv'"):
        selection_settings(spec, 5, "cv", within="3%")


def test_a_run_may_make_an_ensemble_or_leave_it_out():
    assert selection_settings(search(ensemble=True), 5).ensemble
    assert not selection_settings(search(ensemble=True), 5, ensemble=False).ensemble
    assert selection_settings(search(), 5, ensemble=True).ensemble
    assert not selection_settings(search(), 5).ensemble
