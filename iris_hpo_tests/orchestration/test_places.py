"""Where a search reads and writes: folders, environment, other stores, and its own name."""

from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from upath import UPath

from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.runner import Launcher
from iris_hpo.orchestration.study import Study
from iris_hpo.run_settings import SelectionSettings, WorkSettings
from iris_hpo_tests.projects import KEYS, SpecProject, small_spec


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        (None, None, "project/{default}"),
        (None, "{elsewhere}", "elsewhere"),
        (None, "within", "project/within"),
        (None, "", "project/{default}"),
        ("{elsewhere}", "ignored", "elsewhere"),
    ],
)
def test_what_is_given_wins_over_the_environment_over_the_default(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: str | None,
    environment: str | None,
    expected: str,
) -> None:
    spec = small_spec(tmp_path / "project")
    elsewhere = str(tmp_path / "elsewhere")
    value = given.format(elsewhere=elsewhere) if given is not None else None
    if environment is not None:
        for name in ("IRIS_HPO_DATA", "IRIS_HPO_ARTIFACTS"):
            monkeypatch.setenv(name, environment.format(elsewhere=elsewhere))
    monkeypatch.chdir(tmp_path)

    storage = Storage(data=value, artifacts=value)
    data = tmp_path / expected.format(default="data")
    assert storage.data_file(spec) == data / "noisy_iris.csv"
    assert storage.parameters_folder(spec) == data / "parameters"
    assert storage.store(spec).root == UPath(tmp_path / expected.format(default="artifacts"))


def test_the_environment_moves_a_whole_run(
    project: SpecProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IRIS_HPO_DATA", str(project.root / "data"))
    monkeypatch.setenv("IRIS_HPO_ARTIFACTS", str(tmp_path / "elsewhere"))
    result = project.defs.resolve_job_def("search").execute_in_process(
        instance=project.instance,
        asset_selection=[dg.AssetKey("raw_data"), dg.AssetKey("split")],
    )
    assert result.success
    assert (tmp_path / "elsewhere" / "split" / "train.csv").exists()
    assert not project.artifacts.exists()


def test_artifacts_may_be_anywhere_that_fsspec_reaches(project: SpecProject) -> None:
    root = UPath("memory://bucket/search")
    storage = Storage(data=str(project.root / "data"), artifacts=str(root))

    def launch() -> tuple[int, int]:
        launcher = Launcher(Study(project.spec, project.instance, storage), project.note_progress)
        outcome = launcher.bring_up_to_date(
            project.settings(), SelectionSettings("test_score"), WorkSettings(engine="serial")
        )
        return outcome.counts.trained, outcome.counts.reused

    assert launch() == (6, 0)
    assert {path.name for path in (root / "models").iterdir()} == {
        f"model_{key}.{ending}" for key in KEYS for ending in ("pkl", "json")
    }
    assert (root / "selection" / "champion.pkl").exists()
    assert launch() == (0, 6)
    (root / "models" / f"model_{KEYS[0]}.pkl").write_bytes(b"not a model")
    assert launch() == (1, 5)
    assert not project.artifacts.exists()


def test_a_named_search_has_a_folder_and_partitions_of_its_own(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    folder = tmp_path / "project"
    spec = replace(small_spec(folder), name="wine", partitions="")
    project = SpecProject.create(folder, instance, spec)
    assert project.launch().counts.trained == 6

    assert instance.get_dynamic_partitions("wine_candidates") == list(KEYS)
    assert instance.get_dynamic_partitions("c_gamma") == []
    assert {path.name for path in project.artifacts.iterdir()} >= {"wine"}
    assert (project.artifacts / "wine" / "models" / f"model_{KEYS[0]}.pkl").exists()
    assert not (project.artifacts / "models").exists()
    assert {run.job_name for run in instance.get_runs()} == {"wine_search", "wine_select"}
    assert instance.get_latest_materialization_event(dg.AssetKey(["wine", "selection"]))
    assert project.launch().run_ids == []
