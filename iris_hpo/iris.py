"""The iris search: an SVM on noisy iris, C against gamma."""

from pathlib import Path

from iris_hpo.data.columns import Layout
from iris_hpo.run_settings import SplitSettings
from iris_hpo.space.axes import Axis
from iris_hpo.spec import SearchSpec
from iris_hpo.training.choices import Choice
from iris_hpo.training.estimators import Step


def iris_search() -> SearchSpec:
    """Describe the search; its folder is the checkout, or the current folder if installed."""
    checkout = Path(__file__).resolve().parents[1]
    return SearchSpec(
        name="",
        home=checkout if (checkout / "pyproject.toml").exists() else Path.cwd(),
        data_file="noisy_iris.csv",
        axes=(
            Axis("C", symbol="C", positive=True),
            Axis("gamma", symbol="G", positive=True),
        ),
        steps=(Step("sklearn.svm.SVC"),),
        choices=(
            Choice(
                "kernel",
                default="rbf",
                options=("rbf", "linear", "poly", "sigmoid"),
                description="The SVM's kernel. With `linear`, gamma has no effect.",
            ),
        ),
        split=SplitSettings(repeats=1),
        rule="test_score",
        partitions="c_gamma",
        layout=Layout(without_target="refuse", skip_lines=0),  # a damaged data file is refused
        prepare="none",
    )
