"""Our own samplers, splitters and reports keep the contracts."""

from pathlib import Path

import pytest

from iris_hpo.data.shuffled import Shuffled
from iris_hpo.data.splitters import SPLITTERS
from iris_hpo.reports import REPORTS
from iris_hpo.reports.figure import HeatMap
from iris_hpo.samplers import SAMPLERS
from iris_hpo.samplers.parameter_files import ParameterFilesSampler
from iris_hpo.testing import ReportContract, SamplerContract, SplitterContract


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


class TestHeatMap(ReportContract):
    def make_report(self) -> HeatMap:
        return HeatMap()


def test_all_parts_that_have_a_short_name_are_tested() -> None:
    names = {*SAMPLERS.values(), *SPLITTERS.values(), *REPORTS.values()}
    tested = {
        f"{part.__module__}.{part.__name__}" for part in (ParameterFilesSampler, Shuffled, HeatMap)
    }

    assert names == tested
