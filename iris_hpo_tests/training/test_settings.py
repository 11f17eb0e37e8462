"""Settings: nested estimators, functions, tuples, and what cannot be."""

import json
import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from iris_hpo.errors import InputError
from iris_hpo.space.axes import Axis
from iris_hpo.spec import SearchSpec
from iris_hpo.training.choices import Choice
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.fitting import build
from iris_hpo.training.settings import from_yaml, identity, make
from iris_hpo_tests.training import boosters

LOGISTIC = {"estimator": "sklearn.linear_model.LogisticRegression", "settings": {"C": 0.5}}
TREE = {"estimator": "sklearn.tree.DecisionTreeClassifier"}
REGRESSION_TREE = {"estimator": "sklearn.tree.DecisionTreeRegressor"}
NAMED = [["one", LOGISTIC], ["two", TREE]]
NAMED_REGRESSORS = [["one", {"estimator": "sklearn.linear_model.Ridge"}], ["two", REGRESSION_TREE]]

META = [
    ("sklearn.multiclass.OneVsRestClassifier", {"estimator": LOGISTIC}, "estimator__C"),
    ("sklearn.multiclass.OneVsOneClassifier", {"estimator": LOGISTIC}, "estimator__C"),
    ("sklearn.multiclass.OutputCodeClassifier", {"estimator": LOGISTIC}, "estimator__C"),
    ("sklearn.multioutput.ClassifierChain", {"estimator": LOGISTIC}, None),
    ("sklearn.semi_supervised.SelfTrainingClassifier", {"estimator": LOGISTIC}, "estimator__C"),
    ("sklearn.ensemble.BaggingClassifier", {"estimator": TREE}, "estimator__max_depth"),
    ("sklearn.ensemble.AdaBoostClassifier", {"estimator": TREE}, "estimator__max_depth"),
    (
        "sklearn.ensemble.StackingClassifier",
        {"estimators": NAMED, "final_estimator": LOGISTIC, "cv": 2},
        "two__max_depth",
    ),
    ("sklearn.ensemble.VotingClassifier", {"estimators": NAMED}, "two__max_depth"),
    ("sklearn.calibration.CalibratedClassifierCV", {"estimator": LOGISTIC}, "estimator__C"),
    ("sklearn.model_selection.FixedThresholdClassifier", {"estimator": LOGISTIC}, "estimator__C"),
    ("sklearn.feature_selection.RFE", {"estimator": TREE}, "estimator__max_depth"),
    (
        "sklearn.model_selection.GridSearchCV",
        {"estimator": TREE, "param_grid": {"max_depth": [1, 2]}},
        "estimator__min_samples_leaf",
    ),
    (
        "sklearn.compose.TransformedTargetRegressor",
        {
            "regressor": REGRESSION_TREE,
            "func": {"function": "numpy.log1p"},
            "inverse_func": {"function": "numpy.expm1"},
        },
        "regressor__max_depth",
    ),
    ("sklearn.ensemble.StackingRegressor", {"estimators": NAMED_REGRESSORS}, "two__max_depth"),
    ("sklearn.ensemble.VotingRegressor", {"estimators": NAMED_REGRESSORS}, "one__alpha"),
    (
        "sklearn.linear_model.RANSACRegressor",
        {"estimator": REGRESSION_TREE, "min_samples": 0.5},
        "estimator__max_depth",
    ),
]


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples")  # nothing to teach itself
@pytest.mark.parametrize(("path", "settings", "axis"), META, ids=[path for path, _, _ in META])
def test_a_meta_estimator_is_made_and_learns(path, settings, axis, noisy_iris):
    binary = noisy_iris.target != np.unique(noisy_iris.target)[0]
    target = binary.astype(float) if path.endswith("Regressor") else binary
    if "Chain" in path:
        target = np.stack([binary, ~binary], axis=1)
    recipe = Recipe((Step(path, settings),), seed=3)

    built = recipe.build({axis: 1} if axis else {})
    fitted = built.fit(noisy_iris.features, target)

    assert len(fitted.predict(noisy_iris.features)) == len(target)
    if axis:
        assert built.get_params()[axis] == 1
    seeds = [v for name, v in built.get_params().items() if name.endswith("random_state")]
    assert set(seeds) <= {3}
    json.dumps(recipe.identity(), allow_nan=False)


def search(step, **settings):
    basis = {
        "name": "x",
        "home": "",
        "data_file": "x.csv",
        "axes": (Axis("d", "D", "estimator__max_depth", type="int"),),
        "steps": (step,),
    }
    return SearchSpec(**{**basis, **settings})


BAGGING = "sklearn.ensemble.BaggingClassifier"


def test_an_axis_may_be_of_a_nested_estimator():
    spec = search(Step(BAGGING, {"estimator": TREE}))

    assert spec.recipe().build({"estimator__max_depth": 2}).estimator.max_depth == 2


def test_an_axis_of_a_nested_estimator_that_is_fixed_is_refused():
    nested = {**TREE, "settings": {"max_depth": 3}}
    with pytest.raises(InputError) as refusal:
        search(Step(BAGGING, {"estimator": nested}))

    assert refusal.value.field == ("axes", 0, "parameter")
    assert "which the settings fix too" in str(refusal.value)


def refusal_of(path, settings):
    with pytest.raises(InputError) as refusal:
        Recipe((Step(path, settings),)).build()
    return refusal.value


@pytest.mark.parametrize(
    ("path", "settings", "field", "message"),
    [
        (
            BAGGING,
            {"estimator": {"estimator": "sklearn.tree.Oak"}},
            ("settings", "estimator", "estimator"),
            "the estimator 'sklearn.tree.Oak' cannot be imported",
        ),
        (
            BAGGING,
            {"estimator": {**TREE, "settings": {"depth": 2}}},
            ("settings", "estimator", "settings", "depth"),
            "DecisionTreeClassifier has no setting 'depth'; it has ccp_alpha",
        ),
        (
            "sklearn.ensemble.VotingClassifier",
            {"estimators": [["one", TREE], ["two", {"estimator": "nowhere.X"}]]},
            ("settings", "estimators", 1, 1, "estimator"),
            "the estimator 'nowhere.X' cannot be imported (No module named 'nowhere')",
        ),
        (
            "sklearn.preprocessing.FunctionTransformer",
            {"func": {"function": "numpy.log2p"}},
            ("settings", "func", "function"),
            "the function 'numpy.log2p' cannot be imported",
        ),
        (
            "sklearn.preprocessing.FunctionTransformer",
            {"func": {"function": "numpy.pi"}},
            ("settings", "func", "function"),
            "'numpy.pi' is not a function",
        ),
        (
            "sklearn.multiclass.OneVsRestClassifier",
            {"estimator": LogisticRegression()},
            ("settings", "estimator"),
            (
                "a setting is a number, a text, true, false, none, or a list or mapping of such, "
                "not 'LogisticRegression()'; write an estimator as {estimator: import.path, "
                "settings: {...}} and a function as {function: import.path}"
            ),
        ),
        (
            "sklearn.svm.SVC",
            {"tol": math.nan},
            ("settings", "tol"),
            "The 'tol' parameter of SVC must be a float in the range (0.0, inf). Got nan instead.",
        ),
        (
            "sklearn.svm.SVC",
            {"tol": "small"},
            ("settings", "tol"),
            "The 'tol' parameter of SVC must be a float in the range (0.0, inf). Got 'small'",
        ),
        (
            "sklearn.feature_extraction.text.CountVectorizer",
            {"ngram_range": [1, 2]},
            ("settings", "ngram_range"),
            "The 'ngram_range' parameter of CountVectorizer must be an instance of 'tuple'.",
        ),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(path, settings, field, message):
    refusal = refusal_of(path, settings)

    assert str(refusal).startswith(message)
    assert refusal.field == ("steps", 0, *field)


@pytest.mark.parametrize("value", ["x" * 2_000, ["x"] * 2_000], ids=["text", "list"])
def test_a_refused_value_is_cut_in_the_message(value):
    refusal = refusal_of("sklearn.svm.SVC", {"kernel": value})

    assert "The 'kernel' parameter of SVC must be a str among" in str(refusal)
    assert "..." in str(refusal)
    assert len(str(refusal)) < 400


def test_a_choice_that_the_estimator_refuses_is_refused():
    with pytest.raises(InputError) as refusal:
        search(
            Step("sklearn.svm.SVC"),
            axes=(Axis("C", "C"),),
            choices=(Choice("shrinking", "true", ("true", "false")),),
        )

    assert refusal.value.field[:2] == ("choices", 0)
    assert "The 'shrinking' parameter of SVC must be an instance of 'bool'" in str(refusal.value)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1e-3", 0.001),
        ("-2.5E4", -25000.0),
        ("(50,)", (50,)),
        ("(1, 2)", (1, 2)),
        ("(25.0, 1e2)", (25.0, 100.0)),
        ("rbf", "rbf"),
        ("(a, b)", "(a, b)"),
        ("(1)", "(1)"),
        ("e5", "e5"),
        (r"(\d, 1)", r"(\d, 1)"),
        ({"settings": {"tol": "1e-3"}}, {"settings": {"tol": 0.001}}),
        (["1e3", True, None, 3], [1000.0, True, None, 3]),
    ],
)
def test_numbers_and_tuples_that_yaml_takes_for_texts(written, read):
    assert from_yaml(written) == read
    assert type(from_yaml(written)) is type(read)


PLAIN = st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=3)
KEYS = st.integers(0, 3) | st.text(max_size=2)
SETTINGS = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=6,
)


@given(SETTINGS, SETTINGS)
def test_different_settings_have_different_identities(one, two):
    def told(value):
        return json.dumps(identity(value), sort_keys=True, allow_nan=False)

    same = ordered(one) == ordered(two)
    assert (told(one) == told(two)) == same


def ordered(value):
    """A text that differs where values do, in type too, whatever the order of a mapping."""
    if isinstance(value, dict):
        return f"{{{sorted((repr(key), ordered(item)) for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}{[ordered(item) for item in value]}"
    return repr(value)


@given(SETTINGS)
def test_plain_settings_are_themselves(value):
    assert repr(make(value)) == repr(value)


def test_the_identity_of_plain_settings_is_what_it_was():
    settings = {"tol": 0.1, "kernel": "rbf", "class_weight": {"b": 1, "a": 2}, "list": [1, None]}

    assert Recipe((Step("sklearn.svm.SVC", settings),)).identity()["steps"] == [
        ["sklearn.svm.SVC", settings]
    ]


def test_nested_paths_are_of_the_versions():
    step = Step(BAGGING, {"estimator": {"estimator": "pandas.X"}, "f": [{"function": "numpy.log"}]})

    assert step.import_paths == (BAGGING, "pandas.X", "numpy.log")
    assert {"numpy", "pandas", "scikit-learn"} <= set(Recipe((step,)).package_versions())


@pytest.mark.parametrize(
    ("name", "settings", "parameters"),
    [
        ("EverythingByKeyword", {"n_estimators": 20, "max_depth": 3}, {"depth": 2}),
        ("EverythingByKeyword", {}, {"subsample": 0.5}),
        ("SomeByKeyword", {"verbose": -1}, {"depth": 2}),
        ("SomeByKeyword", {}, {"verbose": -1}),
        ("OnlyWhatIsSet", {"verbose": 0}, {"depth": 2}),
        ("OnlyWhatIsSet", {}, {"iterations": 3, "depth": 2}),
    ],
)
def test_constructors_that_take_keywords(name, settings, parameters, noisy_iris):
    steps = (Step("sklearn.preprocessing.StandardScaler"), Step(f"{boosters.__name__}.{name}"))
    alone = Recipe((Step(steps[1].estimator, settings),)).build(parameters)
    piped = Recipe(steps).build(
        {f"{name.lower()}__{key}": value for key, value in parameters.items()}
    )

    assert {**settings, **parameters}.items() <= alone.get_params().items()
    assert parameters.items() <= piped.steps[1][1].get_params().items()
    alone.fit(noisy_iris.features, noisy_iris.target)
    assert alone.tree_.get_depth() == parameters.get("depth", 1)


def test_a_name_that_no_constructor_knows_is_refused():
    recipe = Recipe((Step(f"{boosters.__name__}.OnlyWhatIsSet"),))
    for wrong in ({"deep": 1}, {"depth__x": 1}):
        with pytest.raises(InputError, match="has no parameter"):
            recipe.build(wrong)


@pytest.mark.parametrize(
    ("name", "settings", "parameter", "meant"),
    [
        ("EverythingByKeyword", {"max_dept": 3}, "depth", "max_depth"),
        ("EverythingByKeyword", {}, "max_depht", "max_depth"),
        ("SomeByKeyword", {}, "dept", "depth"),
        ("SomeByKeyword", {"depth": 2}, "bagging_fraction", None),  # an alias is no mistake
        ("OnlyWhatIsSet", {}, "depth", None),
    ],
)
def test_a_misspelt_name_that_a_constructor_takes_is_warned_of(
    name, settings, parameter, meant, noisy_iris
):
    step = Step(f"{boosters.__name__}.{name}", settings)
    piped = Recipe((Step("sklearn.preprocessing.StandardScaler"), step))

    assert [*Recipe((step,)).doubts([parameter])] == [*Recipe((step,)).doubts([parameter])]
    for recipe, prefix in ((Recipe((step,)), ""), (piped, f"{name.lower()}__")):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for value in (1, 2):
                build(recipe, {prefix + parameter: value}, noisy_iris.target)
        said = {str(one.message) for one in caught}
        assert len(said) == (meant is not None)
        assert all(f"did you mean {meant!r}?" in text for text in said)


@pytest.mark.parametrize("wrong", [{"kernal": "rbf"}, {"k" * 20_000: 1}])
def test_a_refused_name_is_shown_with_the_nearest_that_exists(wrong):
    with pytest.raises(InputError) as refusal:
        Recipe((Step("sklearn.svm.SVC", wrong),)).build()

    assert len(str(refusal.value)) < 500
    assert ("did you mean 'kernel'?" in str(refusal.value)) == ("kernal" in wrong)
