"""The first search: an SVM on noisy iris, C against gamma."""

from pathlib import Path

from iris_hpo.search.estimators import Step
from iris_hpo.search.space import Axis
from iris_hpo.search.spec import Choice, SearchSpec


def iris_search() -> SearchSpec:
    """Describe the search; the project's folder is where this package lies."""
    return SearchSpec(
        name="",
        home=Path(__file__).resolve().parents[1],
        data_file="noisy_iris.csv",
        axes=(
            Axis("C", symbol="C", positive=True),
            Axis("gamma", symbol="G", positive=True),
        ),
        steps=(Step("sklearn.svm.SVC"),),
        stated_task="classification",
        choices=(
            Choice(
                "kernel",
                default="rbf",
                options=("rbf", "linear", "poly", "sigmoid"),
                description="The SVM's kernel. With `linear`, gamma has no effect.",
            ),
        ),
        rule="test_score",
        partitions="c_gamma",
    )
