"""Estimators by import path: what is built, how it is seeded, and what is refused."""

import sys
from importlib.metadata import version

import pytest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from iris_hpo.errors import InputError
from iris_hpo.training.estimators import Recipe, Step

SCALE = Step("sklearn.preprocessing.StandardScaler")
SVM = Step("sklearn.svm.SVC")
FOREST = Step("sklearn.ensemble.RandomForestClassifier")


class NotAnEstimator:
    """A class without parameters."""


class _Hides:
    """An importer that knows of a module as one that is not installed."""

    def __init__(self, module):
        self.module = module

    def find_spec(self, name, *_):
        if name == self.module:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def refusal_of(recipe, parameters=None):
    with pytest.raises(InputError) as refusal:
        recipe.build(parameters)
    return str(refusal.value)


def test_a_single_step_is_the_estimator_itself():
    built = Recipe((Step("sklearn.svm.SVC", {"kernel": "linear"}),)).build({"C": 8.0})

    assert type(built) is SVC
    assert (built.kernel, built.C, built.gamma) == ("linear", 8.0, "scale")


def test_more_steps_are_a_pipeline_with_the_class_names():
    built = Recipe((SCALE, SVM)).build({"svc__C": 8.0, "standardscaler__with_mean": False})

    assert type(built) is Pipeline
    assert [(name, type(step)) for name, step in built.steps] == [
        ("standardscaler", StandardScaler),
        ("svc", SVC),
    ]
    assert built.named_steps["svc"].C == 8.0
    assert built.named_steps["standardscaler"].with_mean is False


def test_every_build_is_a_new_estimator():
    recipe = Recipe((SVM,))

    assert recipe.build({"C": 1.0}) is not recipe.build({"C": 2.0})
    assert recipe.build().C == 1.0


@pytest.mark.parametrize(
    ("steps", "parameters", "name", "seed"),
    [
        ((FOREST,), {}, "random_state", 42),
        ((SCALE, FOREST), {}, "randomforestclassifier__random_state", 42),
        ((Step(FOREST.estimator, {"random_state": 7}),), {}, "random_state", 7),
        ((FOREST,), {"random_state": 3}, "random_state", 3),
    ],
)
def test_an_open_random_state_gets_the_seed(steps, parameters, name, seed):
    assert Recipe(steps, seed=42).build(parameters).get_params()[name] == seed


def test_the_same_seed_learns_the_same(noisy_iris):
    recipe = Recipe((Step(FOREST.estimator, {"n_estimators": 3}),), seed=1)
    one, two = (
        recipe.build()
        .fit(noisy_iris.features, noisy_iris.target)
        .predict_proba(noisy_iris.features)
        for _ in range(2)
    )

    assert one.tolist() == two.tolist()


@pytest.mark.parametrize(
    ("steps", "task"),
    [
        ((SVM,), "classification"),
        ((SCALE, SVM), "classification"),
        ((Step("sklearn.svm.SVR"),), "regression"),
        ((SCALE, Step("sklearn.linear_model.Ridge")), "regression"),
    ],
)
def test_an_estimator_tells_its_task(steps, task):
    assert Recipe(steps).task() == task


@pytest.mark.parametrize("steps", [(SCALE,), (Step("sklearn.cluster.KMeans"),)])
def test_what_neither_classifies_nor_regresses_is_refused(steps):
    recipe = Recipe(steps)
    with pytest.raises(InputError) as refusal:
        recipe.task()

    assert str(refusal.value) == f"{recipe.describe()} is neither a classifier nor a regressor"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("sklearn.svm.SVM", "module 'sklearn.svm' has no attribute 'SVM'"),
        ("sklearn.nowhere.SVC", "No module named 'sklearn.nowhere'"),
        *(
            (path, "it is no import path")
            for path in ("SVC", "", ".", ".svm.SVC", "..SVC", "sklearn..SVC", "sklearn.svm.")
        ),
    ],
)
def test_a_path_that_cannot_be_imported_is_refused(path, reason):
    assert refusal_of(Recipe((Step(path),))) == (
        f"the estimator {path!r} cannot be imported ({reason}); give the path of a class, "
        "such as sklearn.svm.SVC"
    )


@pytest.mark.parametrize(
    "path", ["sklearn.svm", "sklearn.pipeline.make_pipeline", f"{__name__}.NotAnEstimator"]
)
def test_what_is_no_estimator_class_is_refused(path):
    assert refusal_of(Recipe((Step(path),))) == (
        f"{path!r} is neither a scikit-learn estimator class nor one with fit and predict"
    )


@pytest.mark.parametrize(
    ("module", "advice"),
    [
        ("lightgbm", "pip install 'iris_hpo[lightgbm]'"),
        ("xgboost", "pip install xgboost"),
        ("catboost", "pip install catboost"),
    ],
)
def test_a_library_that_is_not_installed_is_one_to_install(monkeypatch, tmp_path, module, advice):
    """Also where a module of the project imports it."""
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Hides(module), *sys.meta_path])
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / f"own_{module}.py").write_text(f"import {module}\n")

    refusal = refusal_of(Recipe((Step(f"{module}.Classifier"),)))
    of_project = refusal_of(Recipe((Step(f"own_{module}.Own"),)))

    assert refusal.endswith(f"cannot be imported (No module named '{module}'); {advice}")
    assert of_project.endswith(f"cannot be imported (No module named '{module}'); {advice}")


def test_a_package_that_a_module_of_the_project_lacks_is_one_to_install(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_lacking.py").write_text("import no_such_package.part\n")

    assert refusal_of(Recipe((Step("own_lacking.Own"),))).endswith(
        "install the package with the module no_such_package"
    )


def test_an_estimator_that_needs_a_setting_is_refused_without():
    assert refusal_of(Recipe((Step("sklearn.ensemble.VotingClassifier"),))) == (
        "'sklearn.ensemble.VotingClassifier' cannot be made: VotingClassifier.__init__() "
        "missing 1 required positional argument: 'estimators'"
    )


def test_a_setting_that_does_not_exist_is_refused():
    recipe = Recipe((Step("sklearn.preprocessing.StandardScaler", {"mean": True}),))

    assert refusal_of(recipe) == (
        "StandardScaler has no setting 'mean'; it has copy, with_mean, with_std"
    )


def test_a_parameter_that_does_not_exist_is_refused_with_those_that_do():
    assert refusal_of(Recipe((SVM,)), {"c": 1.0}) == (
        f"SVC has no parameter 'c'; it has {', '.join(sorted(SVC().get_params()))}"
    )
    assert refusal_of(Recipe((SCALE, SVM)), {"C": 1.0}).startswith(
        "StandardScaler -> SVC has no parameter 'C'; it has memory, standardscaler, "
    )


@pytest.mark.parametrize("name", ["steps", "svc"])
def test_a_whole_step_is_no_parameter(name):
    assert refusal_of(Recipe((SCALE, SVM)), {name: None}) == (
        f"{name!r} is a part of the pipeline, not a parameter of a step; write <step>__<parameter>"
    )


def test_a_recipe_needs_a_step():
    assert refusal_of(Recipe(())) == "a search needs an estimator, such as sklearn.svm.SVC"


def test_two_steps_of_one_class_are_refused():
    assert refusal_of(Recipe((SCALE, SCALE, SVM))) == (
        "two steps of the pipeline are both 'standardscaler'"
    )


def test_the_identity_is_what_decides_about_a_model():
    assert Recipe((Step("sklearn.svm.SVC", {"tol": 0.1, "kernel": "rbf"}),), seed=3).identity() == {
        "steps": [["sklearn.svm.SVC", {"kernel": "rbf", "tol": 0.1}]],
        "seed": 3,
        "packages": {"scikit-learn": version("scikit-learn")},
    }


def test_the_order_of_settings_decides_nothing():
    one = Step(SVM.estimator, {"tol": 0.1, "kernel": "rbf"})
    two = Step(SVM.estimator, {"kernel": "rbf", "tol": 0.1})

    assert list(Recipe((one,)).identity()["steps"][0][1]) == list(
        Recipe((two,)).identity()["steps"][0][1]
    )


def test_versions_are_of_every_package_that_a_step_comes_from():
    steps = (SVM, Step("numpy.ndarray"), Step(f"{__name__}.NotAnEstimator"))

    assert Recipe(steps).package_versions() == {
        "numpy": version("numpy"),
        "pytest": version("pytest"),  # which this module imports
        "scikit-learn": version("scikit-learn"),
    }
