"""Ranges, listed values and conditions of axes in YAML: what they make, and what is refused."""

from pathlib import Path

import pytest
from dagster.components.core.component_tree import ComponentTreeException

from iris_hpo.command.project import find_search
from iris_hpo.samplers.source import CandidateSource
from iris_hpo.spec import SearchSpec
from iris_hpo_tests.generality.searches import line_of
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, YamlProject, cause_of

pytestmark = DAGSTERS_WARNINGS

SVM = """\
type: iris_hpo.HyperparameterSearch

attributes:
  name: wine
  data_file: wine.csv
  estimator: sklearn.svm.SVC
  sampler: random
  axes:
    - name: C
      symbol: C
      low: 1e-3
      high: 1000
      log: true
    - name: kernel
      symbol: K
      type: str
      values: [rbf, poly, linear]
    - name: gamma
      symbol: G
      low: 0.01
      high: 1
      log: true
      when: {kernel: [rbf, poly]}
    - name: degree
      symbol: D
      type: int
      low: 2
      high: 4
      step: 1
      when: {kernel: poly}
"""


@pytest.fixture
def project(tmp_path: Path) -> YamlProject:
    made = YamlProject.create(tmp_path / "project")
    made.write_data("wine.csv", [["x", "grower"], *([at, at % 2] for at in range(20))])
    return made


def spec_of(project: YamlProject, text: str = SVM) -> SearchSpec:
    project.write_yaml("wine", text)
    with project.entered():
        return find_search("wine", project.root)


def test_ranges_conditions_and_values_are_read(project: YamlProject) -> None:
    spec = spec_of(project)
    source = CandidateSource(spec.sampler, spec.space, Path("/nowhere"), default={"C": 1.0})
    (candidate,) = source.propose((), ())

    assert [axis.domain is not None for axis in spec.axes] == [True] * 4
    assert spec.space.candidate([1, "linear", 1, 2]).key == "C1.0_Klinear"
    assert source.covers(candidate)
    assert spec.axes[0].low == 0.001


def refusal(project: YamlProject, text: str) -> tuple[Path, str]:
    path = project.write_yaml("wine", text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_IS_DEFS_VALIDATION_CLI", "1")
        with pytest.raises(ComponentTreeException) as refused:
            project.load()
    return path, cause_of(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "marker", "message"),
    [
        ("high: 1000", "high: 1e-4", "high: 1e-4", "high 0.0001 must be greater than low 0.001"),
        ("low: 0.01", "low: small", "low: small", "axis 'gamma': low 'small' is not a number"),
        ("low: 1e-3", "low: -1e-3", "low: -1e-3", "low -0.001 must be greater than zero for log"),
        ("values: [rbf, poly, linear]", "values: [rbf, 3]", "values", "values '3' is not a text"),
        (
            "{kernel: poly}",
            "{kernels: poly}",
            "kernels: poly",
            "axis 'degree': when names 'kernels', which is no axis before it; list the axis",
        ),
        ("      step: 1\n", "      step: 0\n", "step: 0", "step 0 must be greater than 0"),
        (
            "sampler: random",
            "sampler: files",
            "low: 1e-3",
            "the axis 'C' has a range without a step, and a grid needs listed values; write a step",
        ),
        (
            "      low: 1e-3\n      high: 1000\n      log: true\n",
            "",
            "- name: C",
            "the axis 'C' has no file; write its values, one a line, into ",
        ),
        (
            "sampler: random",
            "sampler: {use: random, settings: {trials: 3}}",
            "trials",
            "sampler 'random' refuses its settings: it has no 'trials'; it has seed",
        ),
        ("sampler: random", "sampler: bayes", "sampler: bayes", "sampler 'bayes' is unknown"),
    ],
)
def test_a_mistake_is_refused_with_its_line(
    project: YamlProject, old: str, new: str, marker: str, message: str
) -> None:
    assert SVM.count(old) == 1
    text = SVM.replace(old, new)
    path, said = refusal(project, text)

    assert message in said
    assert f"{path}:{line_of(text, marker.strip())}" in said
