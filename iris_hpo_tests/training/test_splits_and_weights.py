"""Scores of mixed tables on every splitter, with groups and weights, are scikit-learn's own."""

from pathlib import Path

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import cross_val_score

from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import read_dataset
from iris_hpo.data.named_splitters import BY_ROLES, choose_splitter
from iris_hpo.data.split import Examples, divide, read_examples, write_split
from iris_hpo.data.splitters import Division, SplitSettings
from iris_hpo.parts import Part
from iris_hpo.store.objects import open_store
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.evaluation import evaluate, train

COLUMNS = {
    "shuffled": {"who": "drop", "when": "drop", "where": "drop"},
    "grouped": {"who": "group", "when": "drop", "where": "drop"},
    "time": {"who": "drop", "when": "time", "where": "drop"},
    "given": {"who": "group", "when": "drop", "where": "part"},
}
FOREST = (Step("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 4}),)
SCALED = (
    Step("sklearn.preprocessing.StandardScaler"),
    Step("sklearn.linear_model.LogisticRegression"),
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
    division = Division(part, SplitSettings(folds=3, repeats=None), "classification")
    card, files = divide(data, division)
    store = open_store(str(folder / "artifacts"))
    write_split(store, card, files)
    assert card.is_made_by(division)
    return read_examples(store, card, "classification"), data.kinds


@pytest.mark.parametrize("weighted", [False])
@pytest.mark.parametrize("splitter", COLUMNS)
@pytest.mark.parametrize("steps", [FOREST, SCALED, SVM], ids=["forest", "logistic", "svm"])
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
    assert len(own) in (3, 9)
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
