"""Our own samplers, splitters, objectives and reports keep the contracts."""

from pathlib import Path

import pytest

from iris_hpo.data.by_time import ByTime
from iris_hpo.data.dataset import Dataset
from iris_hpo.data.given import Given
from iris_hpo.data.grouped import Grouped
from iris_hpo.data.named_splitters import SPLITTERS
from iris_hpo.data.shuffled import Shuffled
from iris_hpo.reports import REPORTS
from iris_hpo.reports.figure import HeatMap
from iris_hpo.reports.html import Html
from iris_hpo.samplers import SAMPLERS
from iris_hpo.samplers.by_optuna import GpSampler, TpeSampler
from iris_hpo.samplers.parameter_files import ParameterFilesSampler
from iris_hpo.samplers.qmc import SobolSampler
from iris_hpo.samplers.random import RandomSampler
from iris_hpo.samplers.refine import RefineSampler
from iris_hpo.testing import ObjectiveContract, ReportContract, SamplerContract, SplitterContract
from iris_hpo.training import OBJECTIVES
from iris_hpo.training.estimator_objective import EstimatorObjective
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo_tests.data.rows_with_roles import SIXTY


class TestParameterFiles(SamplerContract):
    @pytest.fixture(autouse=True)
    def _files(self, tmp_path: Path) -> None:
        (tmp_path / "c_parameters.txt").write_text("0.5\n8\n0.50\n")
        (tmp_path / "depth_parameters.txt").write_text("1\nnone\n")
        (tmp_path / "more.csv").write_text("C,depth\n8,1\n9,3\n")
        self.folder = tmp_path

    def make_sampler(self) -> ParameterFilesSampler:
        return ParameterFilesSampler(folder=self.folder, limit=10)


class TestShuffled(SplitterContract):
    def make_splitter(self) -> Shuffled:
        return Shuffled(folds=3)


class TestShuffledWithoutFolds(SplitterContract):
    def make_splitter(self) -> Shuffled:
        return Shuffled(folds=0, stratify=False)


class TestGrouped(SplitterContract):
    def make_splitter(self) -> Grouped:
        return Grouped(folds=3)

    def make_data(self) -> Dataset:
        return SIXTY


class TestGroupedRepeats(SplitterContract):
    def make_splitter(self) -> Grouped:
        return Grouped(folds=3, stratify=False, repeats=2)

    def make_data(self) -> Dataset:
        return SIXTY


class TestTime(SplitterContract):
    def make_splitter(self) -> ByTime:
        return ByTime(folds=3)

    def make_data(self) -> Dataset:
        return SIXTY


class TestTimeWithGap(SplitterContract):
    def make_splitter(self) -> ByTime:
        return ByTime(folds=2, gap=2, window=8)

    def make_data(self) -> Dataset:
        return SIXTY


class TestGiven(SplitterContract):
    def make_splitter(self) -> Given:
        return Given(folds=3)

    def make_data(self) -> Dataset:
        return SIXTY


class TestForest(ObjectiveContract):
    parameters = ({"n_estimators": 2}, {"n_estimators": 3})

    def make_objective(self) -> EstimatorObjective:
        forest = Step("sklearn.ensemble.RandomForestClassifier")
        return EstimatorObjective(Recipe((forest,)), "accuracy", "classification")


class TestSvm(ObjectiveContract):
    parameters = ({"C": 0.5, "gamma": 0.25}, {"C": 8.0, "gamma": 0.25})

    def make_objective(self) -> EstimatorObjective:
        return EstimatorObjective(Recipe((Step("sklearn.svm.SVC"),)), "f1_macro", "classification")


class TestProbabilities(ObjectiveContract):
    parameters = ({"C": 0.5}, {"C": 8.0})

    def make_objective(self) -> EstimatorObjective:
        logistic = Step("sklearn.linear_model.LogisticRegression")
        return EstimatorObjective(Recipe((logistic,)), "neg_log_loss", "classification")


class TestRidge(ObjectiveContract):
    parameters = ({"alpha": 0.5}, {"alpha": 2.0})

    def make_objective(self) -> EstimatorObjective:
        return EstimatorObjective(Recipe((Step("sklearn.linear_model.Ridge"),)), "r2", "regression")


class TestHeatMap(ReportContract):
    def make_report(self) -> HeatMap:
        return HeatMap()


def test_all_parts_that_have_a_short_name_are_tested() -> None:
    names = {*SAMPLERS.values(), *SPLITTERS.values(), *REPORTS.values(), *OBJECTIVES.values()}
    tested = {
        f"{part.__module__}.{part.__name__}"
        for part in (
            ParameterFilesSampler,
            # In samplers/test_adaptive_samplers; `gp` needs torch.
            *(RandomSampler, SobolSampler, TpeSampler, GpSampler, RefineSampler),
            *(Shuffled, Grouped, ByTime, Given),
            HeatMap,
            Html,  # in reports/test_html
            EstimatorObjective,
        )
    }

    assert names == tested
