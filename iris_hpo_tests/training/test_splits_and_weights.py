"""Scores of mixed tables on every splitter, with groups and weights, are scikit-learn's own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.metrics import accuracy_score, get_scorer
from sklearn.model_selection import KFold, cross_val_score
from sklearn.svm import SVC

from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import read_dataset
from iris_hpo.data.named_splitters import BY_ROLES, choose_splitter
from iris_hpo.data.roles import RowRoles
from iris_hpo.data.split import Examples, divide, read_examples, write_split
from iris_hpo.data.splitters import Division, SplitSettings
from iris_hpo.errors import InputError
from iris_hpo.parts import Part
from iris_hpo.selection.evidence import Evidence
from iris_hpo.selection.pooling import agrees, build_pool
from iris_hpo.selection.row_metrics import ROW_METRICS
from iris_hpo.store.objects import open_store
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.evaluation import Evaluation, evaluate, train
from iris_hpo.training.named_objective import NamedObjective
from iris_hpo.training.row_weights import check_weights
from iris_hpo.training.scorers import scorings_by_name
from iris_hpo.training.svm_folds import SharedFolds

COLUMNS = {
    "shuffled": {"who": "drop", "when": "drop", "where": "drop"},
    "grouped": {"who": "group", "when": "drop", "where": "drop"},
    "time": {"who": "drop", "when": "time", "where": "drop"},
    "given": {"who": "group", "when": "drop", "where": "part"},
}
TREE = (Step("sklearn.tree.DecisionTreeClassifier", {"max_depth": 3}),)
SCALED = (
    Step("sklearn.preprocessing.StandardScaler"),
    Step("sklearn.linear_model.RidgeClassifier"),
)
SVM = (Step("sklearn.preprocessing.StandardScaler"), Step("sklearn.svm.SVC"))


def write_table(path: Path, rows: int = 90) -> None:
    draw = np.random.default_rng(5)
    lines = ["size,colour,who,when,how,where,kind"]
    for row in range(rows):
        size = "" if row % 11 == 0 else f"{draw.normal():.3f}"
        colour = draw.choice(["red", "blue", ""])
        kind = "a" if draw.random() < (0.7 if colour == "red" else 0.3) else "b"
        when = f"2024-{1 + row * 7 % 12:02}-{1 + row % 9:02}"
        where = "test" if row % 5 == 0 else "train"
        lines.append(f"{size},{colour},g{row // 5},{when},{1 + row % 4 / 2},{where},{kind}")
    path.write_text("\n".join(lines) + "\n")


def examples_of(folder: Path, splitter: str, weighted: bool) -> tuple[Examples, tuple[str, ...]]:  # noqa: FBT001
    """Read, divide, store and read back a mixed table."""
    write_table(folder / "table.csv")
    columns = {**COLUMNS[splitter], "how": "weight" if weighted else "drop"}
    layout = Layout("kind", columns=columns)
    data = read_dataset(folder / "table.csv", layout, "classification", mixed=True)
    part = choose_splitter(BY_ROLES, layout.row_roles)
    assert part == Part(splitter)
    division = Division(
        part,
        SplitSettings(folds=3, repeats=1 if splitter == "shuffled" else None),
        "classification",
    )
    card, files = divide(data, division)
    store = open_store(str(folder / "artifacts"))
    write_split(store, card, files)
    assert card.is_made_by(division)
    return read_examples(store, card, "classification"), data.kinds


@pytest.mark.parametrize("splitter", COLUMNS)
@pytest.mark.parametrize(
    ("steps", "weighted"),
    [
        pytest.param(TREE, False, id="tree"),
        pytest.param(SCALED, True, id="weighted ridge"),
        pytest.param(TREE, True, marks=pytest.mark.slow, id="weighted tree"),
        pytest.param(SVM, False, marks=pytest.mark.slow, id="svm"),
        pytest.param(SVM, True, marks=pytest.mark.slow, id="weighted svm"),
    ],
)
def test_scores_are_those_of_cross_val_score(tmp_path, splitter, weighted, steps) -> None:
    examples, kinds = examples_of(tmp_path, splitter, weighted)
    scoring = "accuracy" if steps is SVM else "f1_macro"
    recipe = Recipe(steps, 0, kinds)
    objective = EstimatorObjective(recipe, scoring, "classification")

    model = train(objective, {}, examples).model
    evaluation = evaluate(objective, model, {}, examples)

    weights, given = examples.roles.weight, {}
    with config_context(enable_metadata_routing=weighted):
        pipeline, scorer = recipe.prepared(recipe.build()), get_scorer(scoring)
        fitted = clone(pipeline)
        if weighted:
            last = pipeline
            while hasattr(last, "steps"):
                for _, step in last.steps[:-1]:
                    if hasattr(step, "set_fit_request"):
                        step.set_fit_request(**dict.fromkeys(["sample_weight"], False))
                last = last.steps[-1][1]
            last.set_fit_request(sample_weight=True)
            scorer.set_score_request(sample_weight=True)
            given = {"sample_weight": weights}
        own = cross_val_score(
            pipeline,
            examples.features,
            examples.target,
            cv=list(examples.folds),
            scoring=scorer,
            params=given,
        )
    assert len(own) == 3
    assert evaluation.fold_scores == tuple(own.tolist())
    argument = (
        {}
        if weights is None
        else {
            f"estimator__{'' if len(steps) == 1 else steps[-1].name + '__'}sample_weight": weights
        }
    )
    fitted.fit(examples.features, examples.target, **argument)
    test = {} if weights is None else {"sample_weight": examples.test_roles.weight}
    assert evaluation.score == scorer(fitted, examples.test_features, examples.test_target, **test)


def weighted_examples(columns: int, target: np.ndarray) -> Examples:
    """Make 120 weighted rows, of which 30 are for the test."""
    draw = np.random.default_rng(1)
    features = draw.normal(size=(120, columns)) + (target == target[0])[:, None] / 4
    weights = draw.choice([0.5, 1.0, 3.0], 120)
    folds = list(KFold(3).split(features[:90]))
    train, test = RowRoles(weight=weights[:90]), RowRoles(weight=weights[90:])
    return Examples(features[:90], target[:90], features[90:], target[90:], folds, train, test)


CLASSES = np.random.default_rng(2).choice(["a", "b", "c"], 120)


def test_all_rows_together_keep_their_weights() -> None:
    examples = weighted_examples(3, CLASSES)

    weights = examples.together().roles.weight

    assert weights is not None
    assert weights.tolist() == [
        weight
        for roles in (examples.roles, examples.test_roles)
        for weight in roles.arrays["weight"]
    ]


def test_svms_on_a_shared_kernel_are_weighted() -> None:
    examples = weighted_examples(60, CLASSES)
    assert examples.roles.weight is not None
    shared = SharedFolds(Recipe((Step("sklearn.svm.SVC"),)), examples, scorings_by_name("accuracy"))

    for number, (fit, rows) in enumerate(examples.folds):
        made = shared.fit_and_score(0.01, number, {"C": 0.6, "gamma": 0.01})

        assert made is not None
        weights = examples.roles.weight
        own = SVC(C=0.6, gamma=0.01)
        own.fit(examples.features[fit], examples.target[fit], sample_weight=weights[fit])
        predicted = own.predict(examples.features[rows])
        assert made[1].value == accuracy_score(
            examples.target[rows], predicted, sample_weight=weights[rows]
        )
        assert made[1].predicted is not None
        assert made[1].predicted.tolist() == predicted.tolist()


@pytest.mark.parametrize(
    ("estimator", "scoring"),
    [
        *(("sklearn.tree.DecisionTreeClassifier", name) for name in ROW_METRICS["classification"]),
        *(("sklearn.tree.DecisionTreeRegressor", name) for name in ROW_METRICS["regression"]),
    ],
)
def test_the_estimate_weighs_rows_as_the_scores_do(estimator: str, scoring: str) -> None:
    is_class = estimator.endswith("Classifier")
    target = CLASSES if is_class else np.random.default_rng(3).normal(size=120)
    if scoring == "f1":
        target = np.array(["0", "1"])[(target == "a").astype(int)]
    examples = weighted_examples(3, target)
    task = "classification" if is_class else "regression"
    objective = EstimatorObjective(Recipe((Step(estimator, {"max_depth": 3}),)), scoring, task)
    evaluation = evaluate(objective, train(objective, {}, examples).model, {}, examples)
    evidence = Evidence(
        task,
        examples.target,
        examples.test_target,
        [rows for _, rows in examples.folds],
        weights=examples.roles.weight,
        test_weights=examples.test_roles.weight,
    )

    pool = build_pool([evaluation], evidence, scoring, with_test=True)
    plain = build_pool([evaluation], replace(evidence, weights=None), scoring, with_test=True)

    assert pool is not None
    assert agrees(pool, [evaluation])
    assert plain is not None
    assert not agrees(plain, [evaluation])
    assert evaluation.correct is None


@pytest.mark.parametrize(
    ("steps", "scoring", "message"),
    [
        ((Step("sklearn.neighbors.KNeighborsClassifier"),), "accuracy", "KNeighborsClassifier tak"),
        (
            (Step("sklearn.svm.SVC"), Step("sklearn.neighbors.KNeighborsClassifier")),
            "accuracy",
            "SVC -> KNeighborsClassifier takes no weights .*, or leave the weights out by columns",
        ),
        (SCALED, "mutual_info_score", "the scoring mutual_info_score takes no weights of rows"),
    ],
)
def test_what_takes_no_weights_is_refused_with_what_to_write(steps, scoring, message) -> None:
    with pytest.raises(InputError, match=message) as refused:
        check_weights(Recipe(steps), scorings_by_name(scoring), "how")

    assert refused.value.field == ("columns", "how")


@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc", "neg_log_loss", "f1_macro"])
def test_what_takes_weights_is_accepted(scoring: str) -> None:
    check_weights(Recipe(SCALED), scorings_by_name(scoring), "how")
    check_weights(Recipe((Step("sklearn.linear_model.Ridge"),)), scorings_by_name("r2"), "how")


class PlainMean:
    """Predicts the mean."""

    task = "regression"
    scoring = "closeness"

    def identity(self) -> dict[str, object]:
        return {}

    def train(self, parameters, features, target):  # noqa: ARG002
        return float(np.mean(target))

    def score(self, model, parameters, examples):  # noqa: ARG002
        weights = examples.test_roles.weight
        return Evaluation(-float(np.average(abs(examples.test_target - model), weights=weights)))


class WeightedMean(PlainMean):
    """Predicts the weighted mean."""

    def train(self, parameters, features, target, weights=None):  # noqa: ARG002
        return float(np.average(target, weights=weights))


def test_an_objective_gets_weights_if_it_takes_them() -> None:
    examples = weighted_examples(3, np.random.default_rng(3).normal(size=120))
    plain, weighted = (
        NamedObjective(Part(f"{__name__}.{kind.__name__}")) for kind in (PlainMean, WeightedMean)
    )

    model = train(weighted, {}, examples).model

    assert (plain.takes_weights, weighted.takes_weights) == (False, True)
    assert model == np.average(examples.target, weights=examples.roles.weight)
    assert model != np.mean(examples.target)
    assert evaluate(weighted, model, {}, examples).score < 0
