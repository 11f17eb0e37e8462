"""The export to MLflow, read back by its client."""

import json
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sklearn.svm import SVC

from iris_hpo.errors import InputError
from iris_hpo.exports.mlflow_runs import CANDIDATE, VERSION, to_mlflow
from iris_hpo.exports.optuna_study import to_optuna
from iris_hpo.store.digests import digest_of
from iris_hpo.training.cards import dump_model, load_model
from iris_hpo_tests.exports.results import FAILED, PROPOSALS, champion_model, make_results

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _warnings_of_mlflow() -> Iterator[None]:
    """Those of MLflow's own dependencies are no concern of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)  # MLflow keeps artifacts in the folder of the process
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def client_of(place: str) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(place, place)


def runs_of(place: str) -> list[Any]:
    client = client_of(place)
    return list(client.search_runs([client.get_experiment_by_name("svm").experiment_id]))


def test_every_candidate_is_a_run_and_the_champion_is_registered(place: str) -> None:
    results = make_results()
    note = to_mlflow(results, place)
    runs = {run.data.tags.get(CANDIDATE): run for run in runs_of(place)}
    parent = runs.pop(None)

    assert "wrote 7 runs, kept 0, deleted 0" in note
    assert set(runs) == {*results.keys, FAILED}
    rows = {row["candidate"]: row for row in results.rows}
    for key in results.keys:
        run, card = runs[key], results.scores[key]
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.data.metrics["score"] == card.score
        assert run.data.metrics["cv_mean"] == rows[key]["cv_mean"]
        assert run.data.metrics["f1 _macro_"] == card.metrics["f1 (macro)"]
        assert run.data.params == {
            name: str(value)
            for name, value in results.space.named(results.space.parse_key(key)).items()
        }
        files = {file.path for file in client_of(place).list_artifacts(run.info.run_id)}
        assert files == {"model.pkl", "model.json", "score.json"}
    assert runs[FAILED].info.status == "FAILED"
    assert parent.data.metrics["estimate_value"] == 0.9311

    import mlflow.pyfunc

    model = client_of(place).get_model_version("svm", "1")
    assert model.source.startswith(f"{parent.info.artifact_uri}/champion-")  # as the UI expects
    loaded = mlflow.pyfunc.load_model(model.source)
    assert loaded.metadata.signature.inputs.input_names() == ["length", "width"]
    assert loaded.metadata.signature.outputs.to_dict()[0]["type"] == "string"
    import pandas as pd

    assert list(loaded.predict(pd.DataFrame({"length": [1.0], "width": [0.0]}))) == ["a"]


def test_runs_say_how_they_were_proposed(place: str) -> None:
    to_mlflow(make_results(), place)
    note = to_mlflow(make_results(proposals=PROPOSALS), place)
    tags = {run.data.tags.get(CANDIDATE): run.data.tags for run in runs_of(place)}

    assert "wrote 2 runs, kept 5" in note
    names = ("sampler", "number", "results_known")
    told = {key: [own.get(f"iris_hpo/{name}") for name in names] for key, own in tags.items()}
    assert told.pop("C80.0_Klinear") == ["tpe", "4", "3"]
    assert told.pop(FAILED) == ["random", "6", "6"]
    assert {*map(tuple, told.values())} == {(None, None, None)}


def test_a_second_export_writes_what_changed_and_nothing_else(place: str) -> None:
    results = make_results()
    to_mlflow(results, place)
    before = {run.info.run_id for run in runs_of(place)}

    assert "wrote 0 runs, kept 7, deleted 0" in to_mlflow(results, place)
    assert {run.info.run_id for run in runs_of(place)} == before
    assert len(client_of(place).search_model_versions("name='svm'")) == 1

    key = results.keys[-1]
    scores = {**results.scores, key: replace(results.scores[key], fingerprint="other")}
    changed = replace(results, scores=scores, failures={})
    assert "wrote 1 run, kept 5, deleted 1" in to_mlflow(changed, place)
    assert len(runs_of(place)) == 7


def copy_runs(place: str) -> None:
    """Leave what two exports at once do: a second run for all, with a second version."""
    client, copies = client_of(place), {}
    for run in sorted(runs_of(place), key=lambda run: CANDIDATE in run.data.tags):
        parent = copies.get(run.data.tags.get("mlflow.parentRunId"))
        tags = {**run.data.tags, **({"mlflow.parentRunId": parent} if parent else {})}
        copy = client.create_run(run.info.experiment_id, tags=tags).info.run_id
        copies[run.info.run_id] = copy
    (version,) = client.search_model_versions("name='svm'")
    client.create_model_version("svm", version.source, copies[version.run_id], tags=version.tags)


@pytest.mark.parametrize("alias", ["", "best"])
def test_what_two_exports_at_once_wrote_twice_is_deleted(place: str, alias: str) -> None:
    to_mlflow(make_results(), place)
    copy_runs(place)
    client = client_of(place)
    if alias:
        for number in ("1", "2"):
            client.set_registered_model_alias("svm", f"{alias}{number}", number)

    assert "wrote 0 runs, kept 7, deleted 8" in to_mlflow(make_results(), place)

    runs = {run.data.tags.get(CANDIDATE): run for run in runs_of(place)}
    parent = runs.pop(None).info.run_id
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {parent}
    assert len(runs) == len(runs_of(place)) - 1 == 7
    versions = client.search_model_versions("name='svm'")
    assert len(versions) == (2 if alias else 1)
    assert parent in {version.run_id for version in versions}


def test_a_moved_project_writes_nothing_into_its_old_folder(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_mlflow(make_results(failures={}), place)
    moved = tmp_path.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))
    monkeypatch.chdir(moved)

    with pytest.raises(InputError, match=f"keeps its files in {tmp_path}/mlruns/1: the database"):
        to_mlflow(make_results(), f"sqlite:///{moved}/mlflow.db")

    assert not tmp_path.exists()


def test_a_champion_is_registered_once_by_an_export_that_is_stopped_and_repeated(
    place: str,
) -> None:
    to_mlflow(make_results(), place)
    (parent,) = (run.info.run_id for run in runs_of(place) if CANDIDATE not in run.data.tags)
    client_of(place).delete_tag(parent, VERSION)  # the last that is written

    assert to_mlflow(make_results(), place).endswith("is version 1 of the model svm")
    assert len(client_of(place).search_model_versions("name='svm'")) == 1


def test_a_version_keeps_its_model_when_the_next_champion_comes(place: str) -> None:
    results = make_results(failures={})
    content = dump_model(SVC(C=3.5).fit([[0.0, 1.0], [1.0, 0.0]], ["b", "a"]))
    digest = digest_of(content)
    contents = {digest: content, results.champion.digest: champion_model()}
    champion = replace(results.champion, digest=digest)

    for each in (results.champion, champion, results.champion):
        to_mlflow(
            replace(results, champion=each, read=lambda _name, digest: contents[digest]), place
        )

    versions = client_of(place).search_model_versions("name='svm'", order_by=["version_number"])
    models = [load_model(Path(version.source, "model.pkl").read_bytes()) for version in versions]
    assert [model.C for model in models] == [8.0, 3.5, 8.0]
    (parent,) = (run for run in runs_of(place) if CANDIDATE not in run.data.tags)
    (described,) = json.loads(parent.data.tags["mlflow.log-model.history"])
    assert described["artifact_path"] == Path(versions[-1].source).name


def test_a_champion_that_cannot_be_registered_is_never_called_registered(place: str) -> None:
    content = dump_model({"gain": 3.5})
    results = make_results(failures={}, read=lambda _name, _digest: content)
    notes = [to_mlflow(results, place).rpartition("; ")[2] for _ in range(2)]

    assert notes == ["the champion is a dict, which MLflow's registry cannot hold"] * 2


def test_what_calls_left_is_attached_and_a_number_is_not_registered(place: str) -> None:
    results = make_results(folds=0)
    content = {"zip": b"files", "txt": b"log", "pkl": dump_model(0.5)}
    digests = {name: digest_of(each) for name, each in content.items()}
    beside = {name: digests[name] for name in ("zip", "txt")}
    models = {
        key: replace(card, digest=digests["pkl"], beside=beside)
        for key, card in results.models.items()
    }
    results = replace(
        results,
        champion=replace(results.champion, rule="own_score"),
        models=models,
        read=lambda name, digest: content[name.rpartition(".")[2]] * (digest in digests.values()),
    )

    note = to_mlflow(results, place).rpartition("; ")[2]

    (run,) = (run for run in runs_of(place) if run.data.tags.get(CANDIDATE) == results.keys[0])
    files = {file.path for file in client_of(place).list_artifacts(run.info.run_id)}
    assert files == {"model.pkl", "model.json", "score.json", "files.zip", "log.txt"}
    path = client_of(place).download_artifacts(run.info.run_id, "files.zip")
    assert Path(path).read_bytes() == b"files"
    assert "what its calls left is attached to the runs of the candidates" in note
    assert not client_of(place).search_model_versions("name='svm'")


def test_a_server_that_is_not_there_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    with pytest.raises(InputError, match="cannot be used by MLflow") as caught:
        to_mlflow(make_results(), "http://me:secret@127.0.0.1:9")

    assert "the tracking URI http://me:***@127.0.0.1:9 cannot be used" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("sqlite:///notes.txt", "file is not a database"),
        ("sqlite:////dev/null", "it is a device, not a regular file"),
        ("sqlite:///folder", "it is a folder, not a file"),
        ("sqlite:///missing/mlflow.db", "unable to open database file"),
        ("notes.txt", "it is no database and no server; give one, such as sqlite:///mlflow.db"),
        ("/dev/null", "it is no database and no server; give one, such as sqlite:///mlflow.db"),
        ("folder", "it is no database and no server; give one, such as sqlite:///mlflow.db"),
    ],
)
def test_a_place_that_is_no_tracking_uri_is_named_at_once_with_the_reason(
    uri: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("notes.txt").write_text("a text\n" * 1000)

    with pytest.raises(InputError) as caught:
        to_mlflow(make_results(), uri)

    assert str(caught.value) == f"the tracking URI {uri} cannot be used by MLflow: {reason}"
    assert Path("notes.txt").read_text() == "a text\n" * 1000


def test_the_database_of_another_program_stays_as_it_is(place: str) -> None:
    to_optuna(make_results(), place)
    file = Path(place.removeprefix("sqlite:///"))
    before = file.read_bytes()

    with pytest.raises(InputError, match="MLflow: it is the database of another program"):
        to_mlflow(make_results(), place)

    assert file.read_bytes() == before


def test_a_database_that_is_away_is_asked_once() -> None:
    uri = "postgresql://me:secret@127.0.0.1:9/runs"

    with pytest.raises(InputError, match=r"postgresql://me:\*\*\*@127.0.0.1:9/runs cannot be used"):
        to_mlflow(make_results(), uri)


def test_what_cannot_be_read_is_no_fault_of_the_tracking_uri(place: str) -> None:
    def read(name: str, _digest: str) -> bytes:
        raise InputError(f"{name} is damaged")

    with pytest.raises(InputError, match=r"^models/.* is damaged$"):
        to_mlflow(replace(make_results(), read=read), place)
