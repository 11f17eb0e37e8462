"""The command, as a user runs it."""

import csv
import io
import itertools
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.svm import SVC

from iris_hpo import engines
from iris_hpo.command import run, session
from iris_hpo.command.main import cli
from iris_hpo.data.columns import Layout
from iris_hpo.data.dataset import read_dataset
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.iris import iris_search
from iris_hpo.orchestration.runner import Launcher
from iris_hpo_tests.projects import ShippedProject

C = [0.031, 0.125, 0.5, 2.0, 8.0, 32.0, 128.0, 512.0, 2048.0, 8192.0, 32768.0]
GAMMA = [0.001, 0.004, 0.016, 0.063, 0.25, 1.0, 4.0]
KEYS = [f"C{c!r}_G{gamma!r}" for c, gamma in itertools.product(C, GAMMA)]


def leaderboard(project: ShippedProject) -> list[dict[str, str]]:
    text = (project.artifacts / "selection" / "leaderboard.csv").read_text()
    return list(csv.DictReader(io.StringIO(text)))


def test_run_makes_77_models_scores_and_a_leaderboard(searched: ShippedProject) -> None:
    models = {path.name for path in (searched.artifacts / "models").iterdir()}
    assert {name for name in models if name.endswith(".pkl")} == {
        f"model_{key}.pkl" for key in KEYS
    }
    scores = {path.name for path in (searched.artifacts / "scores").iterdir()}
    assert scores == {f"{key}.json" for key in KEYS}
    rows = leaderboard(searched)
    assert {row["candidate"] for row in rows} == set(KEYS)
    selected = {f"model_{row['candidate']}.pkl" for row in rows if row["selected"] == "true"}
    assert selected == {path.name for path in (searched.artifacts / "selection/models").iterdir()}
    assert not (searched.artifacts / ".temporary").exists() or not any(
        (searched.artifacts / ".temporary").iterdir()
    )


def test_run_says_what_it_did(searched: ShippedProject) -> None:
    lines = (searched.root / "first.txt").read_text().splitlines()
    champion = next(row for row in leaderboard(searched) if row["champion"] == "true")
    text = "\n".join(lines)
    assert "77 trained, 0 reused, 0 failed" in text
    assert f"champion {champion['candidate']}: expect 0." in text
    assert "0.9667 on the 30 test rows it was chosen by" in text
    assert "candidates tie at the best" in text
    assert f"files: {searched.artifacts / 'selection'}" in text
    assert "\x1b" not in text


def test_instance_shows_one_event_per_candidate_and_asset(searched: ShippedProject) -> None:
    with searched.instance() as instance:
        for asset in ("models", "scores"):
            key = dg.AssetKey([asset])
            records = instance.fetch_materializations(key, limit=1000).records
            assert sorted(str(record.partition_key) for record in records) == sorted(KEYS)
            versions = {
                record.asset_materialization.tags["dagster/data_version"]
                for record in records
                if record.asset_materialization and record.asset_materialization.tags
            }
            assert len(versions) == 77


def test_second_run_trains_nothing_and_rewrites_nothing(searched: ShippedProject) -> None:
    before = searched.files()
    result = searched.call("run", "--json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["trained"], found["reused"], found["failed"]) == (0, 77, {})
    assert found["runs"] == []
    assert searched.files() == before


@pytest.mark.parametrize(
    ("arguments", "foreign"),
    [
        (["run", "--help"], ("dagster", "pydantic", "sklearn", "numpy")),
        (["status"], ("sklearn", "scipy", "matplotlib")),
        pytest.param(["leaderboard"], ("sklearn", "scipy", "matplotlib"), marks=pytest.mark.slow),
        # With nothing left to do.
        pytest.param(["run"], ("sklearn", "scipy", "matplotlib"), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_nothing_is_imported_that_is_not_needed(
    searched: ShippedProject, arguments: list[str], foreign: tuple[str, ...]
) -> None:
    result = searched.process("-X", "importtime", "-m", "iris_hpo", *arguments)
    assert result.returncode == 0, result.stderr
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert "click" in imported
    assert not imported.intersection(foreign)


def test_the_process_of_a_first_run_leaves_scikit_learn_to_its_workers(
    searched: ShippedProject,
) -> None:
    imported = (searched.root / "imported.txt").read_text().split()
    assert "matplotlib" in imported
    assert not {"sklearn", "scipy", "pandas"}.intersection(imported)


@pytest.mark.parametrize(
    ("options", "started"),
    [
        ("--artifacts={}/empty", 1),
        ("--artifacts={}/done", 0),
        ("--artifacts={}/done --search=own", 1),
        ("--artifacts={}/done --search=other", 0),
        ("--artifacts={}/empty --engine=serial", 0),
        ("--artifacts=s3://bucket/done", 0),
        ("--search=other", 0),
        ("--search=own", 1),
    ],
)
def test_a_worker_starts_with_the_command_if_there_surely_is_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: str, started: int
) -> None:
    (tmp_path / "pyproject.toml").touch()
    for done in ("done/selection", "done/other/selection", "artifacts/other/selection"):
        (tmp_path / done).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    calls: list[int] = []
    monkeypatch.setattr(engines, "start_ahead", lambda **_: calls.append(1))
    monkeypatch.setattr(run, "run_search", lambda **_: 0)

    code = cli.main(["run", *options.format(tmp_path).split()], standalone_mode=False)

    assert (code, len(calls)) == (0, started)


def test_status_counts_what_is_up_to_date(searched: ShippedProject) -> None:
    result = searched.call("status", "--json")
    assert result.returncode == 0, result.stderr
    counts = json.loads(result.stdout)["assets"]
    assert {name: found["up to date"] for name, found in counts.items()} == {
        "raw_data": 1,
        "split": 1,
        "parameters": 1,
        "models": 77,
        "scores": 77,
        "selection": 1,
    }
    table = searched.call("status").stdout
    assert " ".join(table.splitlines()[0].split()) == "asset up to date missing out of date failed"


def test_a_selection_of_results_that_are_out_of_date_is_out_of_date(
    searched: ShippedProject,
) -> None:
    counts = json.loads(searched.call("status", "--json", "--kernel", "linear").stdout)["assets"]

    assert counts["scores"]["out of date"] == 77
    assert (counts["selection"]["up to date"], counts["selection"]["out of date"]) == (0, 1)


def test_leaderboard_prints_table_csv_and_json(searched: ShippedProject) -> None:
    rows = leaderboard(searched)
    assert (
        searched.call("leaderboard", "--format", "csv").stdout
        == (searched.artifacts / "selection" / "leaderboard.csv").read_text()
    )
    first = json.loads(searched.call("leaderboard", "--format", "json", "--top", "3").stdout)
    for row, typed in zip(rows[:3], first, strict=True):
        texts = {name: str(value) for name, value in typed.items()}
        assert {name: text.lower() for name, text in texts.items()} == {
            name: text.lower() for name, text in row.items()
        }
    assert (first[0]["rank"], first[0]["param_C"], first[0]["champion"]) == (1, 32.0, True)
    shown = searched.call("leaderboard", "--top", "2").stdout
    lines, table = (part.splitlines() for part in shown.split("\n\n"))
    assert lines[0].startswith(f"champion {rows[0]['candidate']}: expect 0.")
    assert len(table) == 3
    assert rows[0]["candidate"] in table[1]


def test_predict_labels_rows_with_the_champion(searched: ShippedProject, tmp_path: Path) -> None:
    text = (searched.artifacts / "split" / "test.csv").read_text()
    test_rows = list(csv.reader(io.StringIO(text)))[1:]
    champion = next(row for row in leaderboard(searched) if row["champion"] == "true")
    file = tmp_path / "rows.csv"
    file.write_text("".join(",".join(row[1:-1]) + "\n" for row in test_rows))
    labels = searched.call("predict", str(file)).stdout.split()
    correct = sum(label == row[-1] for label, row in zip(labels, test_rows, strict=True))
    assert correct == int(champion["correct"])
    output = tmp_path / "labels.txt"
    assert searched.call("predict", str(file), "--output", str(output)).stdout == ""
    assert output.read_text().split() == labels


@pytest.fixture(scope="module")
def grid_search() -> tuple[GridSearchCV, dict[tuple[float, float], float]]:
    """scikit-learn's own search on the same rows and folds, and its scores on the test rows."""
    spec = iris_search()
    dataset = read_dataset(spec.home / "data" / spec.data_file, Layout(), "classification")
    indices = list(range(len(dataset.target)))
    train, test = train_test_split(indices, test_size=0.2, random_state=0, stratify=dataset.target)
    train, test = sorted(train), sorted(test)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    search = GridSearchCV(SVC(random_state=0), {"C": C, "gamma": GAMMA}, cv=folds, refit=False)
    search.fit(dataset.features[train], dataset.target[train])
    on_test = {
        (c, gamma): SVC(C=c, gamma=gamma)
        .fit(dataset.features[train], dataset.target[train])
        .score(dataset.features[test], dataset.target[test])
        for c, gamma in itertools.product(C, GAMMA)
    }
    return search, on_test


def test_every_score_is_scikit_learns(
    searched: ShippedProject, grid_search: tuple[GridSearchCV, dict[tuple[float, float], float]]
) -> None:
    search, on_test = grid_search
    results = search.cv_results_
    means = {
        (parameters["C"], parameters["gamma"]): (mean, std)
        for parameters, mean, std in zip(
            results["params"], results["mean_test_score"], results["std_test_score"], strict=True
        )
    }
    for row in leaderboard(searched):
        point = float(row["param_C"]), float(row["param_gamma"])
        assert float(row["score"]) == on_test[point]
        assert (float(row["cv_mean"]), float(row["cv_std"])) == means[point]


@pytest.mark.slow
def test_serial_in_another_folder_gives_the_same_leaderboard(
    searched: ShippedProject, project: ShippedProject
) -> None:
    # A process of its own: which texts share their memory, and so a pickle's bytes, depends on
    # what a process did before.
    result = project.command("run", "--engine", "serial", "--quiet")
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    for name in ("leaderboard.csv", "heatmap.png", "champion.pkl"):
        ours = (project.artifacts / "selection" / name).read_bytes()
        assert ours == (searched.artifacts / "selection" / name).read_bytes(), name


def small(project: ShippedProject) -> ShippedProject:
    (project.parameters / "c_parameters.txt").write_text("0.5\n8\n")
    (project.parameters / "gamma_parameters.txt").write_text("0.25\n1\n4\n")
    return project


@pytest.fixture
def without_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the search make no report: drawing takes longer than all else that few values need."""
    search = replace(iris_search(), reports=())
    monkeypatch.setattr(session, "find_search", lambda *_: search)


@pytest.mark.usefixtures("without_reports")
def test_only_new_values_are_trained_and_removed_ones_are_forgotten(
    project: ShippedProject,
) -> None:
    small(project)
    fine = project.parameters / "gamma_parameters_fine.txt"
    assert project.call("run", "--engine", "serial", "--folds", "0").returncode == 0
    fine.write_text("0.5\n")
    found = json.loads(project.call("run", "--engine", "serial", "--folds", "0", "--json").stdout)
    assert (found["candidates"], found["trained"], found["reused"]) == (8, 2, 6)
    with project.instance() as instance:
        runs = {
            str(record.partition_key): record.run_id
            for record in instance.fetch_materializations(dg.AssetKey("models"), limit=50).records
        }
    assert len(set(runs.values())) == 2
    assert {runs["C0.5_G0.5"], runs["C8.0_G0.5"]} == {found["runs"][0]}
    fine.unlink()
    found = json.loads(project.call("run", "--engine", "serial", "--folds", "0", "--json").stdout)
    assert (found["candidates"], found["trained"], found["reused"]) == (6, 0, 6)
    assert len(leaderboard(project)) == 6
    fine.write_text("0.5\n")
    found = json.loads(project.call("run", "--engine", "serial", "--folds", "0", "--json").stdout)
    assert (found["candidates"], found["trained"], found["reused"]) == (8, 0, 8)


@pytest.mark.usefixtures("without_reports")
def test_a_failing_candidate_is_named_and_the_others_are_kept(project: ShippedProject) -> None:
    small(project)
    with project.instance() as instance:
        instance.add_dynamic_partitions("c_gamma", ["C0.50_G1.0"])
    result = project.call("run", "--engine", "serial", "--folds", "0")
    assert result.returncode == 1
    assert "6 trained, 0 reused, 1 failed" in result.stdout
    assert result.stderr.splitlines() == [
        (
            "failed: C0.50_G1.0: 'C0.50_G1.0' is no candidate: it is spelled 'C0.5_G1.0'; "
            "delete its partition"
        )
    ]
    assert len(leaderboard(project)) == 6
    status = project.call("status", "--folds", "0", "--json")
    assert status.returncode == 1
    assert json.loads(status.stdout)["failed"] == ["C0.50_G1.0"]


def break_parameters(project: ShippedProject) -> None:
    (project.parameters / "c_parameters.txt").write_text("0.5\nabc\n")


def break_data(project: ShippedProject) -> None:
    (project.data / "noisy_iris.csv").write_text("1,2,3,4,a\n1,x,3,4,b\n")


def remove_data(project: ShippedProject) -> None:
    shutil.rmtree(project.data)


@pytest.mark.parametrize(
    ("break_it", "arguments", "message"),
    [
        (
            break_parameters,
            "run",
            (
                "{data}/parameters/c_parameters.txt, line 2: C 'abc' is not a number; write a "
                "finite number greater than zero such as 0.25 or 1e-3, one a line"
            ),
        ),
        (
            break_data,
            "run",
            (
                "{data}/noisy_iris.csv, line 2, column 2: 'x' is not a number; encode it as one or "
                "drop the column"
            ),
        ),
        (remove_data, "run", "{data}/noisy_iris.csv: the data cannot be read: No such file"),
        (None, "run --folds 1", "folds 1 must be 0 (off) or at least 2"),
        (None, "run --seed -1", "seed -1 must lie between 0 and 4294967295"),
        (None, "run --test-size 1", "test_size 1.0 must lie between 0 and 1, such as 0.2"),
        (
            None,
            "run --kernel cubic",
            "kernel 'cubic' is unknown; choose one of rbf, linear, poly, sigmoid",
        ),
        (None, "run --set cubic", "--set 'cubic': write NAME=VALUE"),
        (None, "run --set gamma=2", "this search has no choice 'gamma'; it has kernel"),
        (None, "run --jobs -1", "jobs -1 must be 0 (one per core) or a number of processes"),
        (
            None,
            "run --rule cv --folds 0",
            "rule 'cv' ranks by cross-validation; set folds to at least 2",
        ),
        (None, "leaderboard", "nothing was selected yet; run the search first"),
        (None, "predict no.csv", "nothing was selected yet; run the search first"),
    ],
)
def test_bad_input_gives_one_message_and_exit_code_2(
    project: ShippedProject,
    break_it: Callable[[ShippedProject], None] | None,
    arguments: str,
    message: str,
) -> None:
    if break_it:
        break_it(project)
    result = project.call(*arguments.split())
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("iris-hpo: " + message.format(data=project.data))
    assert not project.artifacts.exists()


@pytest.mark.usefixtures("without_reports")
def test_a_slow_event_log_is_noted_once(project: ShippedProject) -> None:
    """Ours is not: that a run says nothing else, the test of a failing candidate shows."""
    (project.parameters / "c_parameters.txt").write_text("1\n")
    (project.parameters / "gamma_parameters.txt").write_text("0.1\n")
    (project.root / "home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    result = project.call("run", "--engine", "serial", "--folds", "2")
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("event_log_storage in dagster.yaml can name") == 1
    assert "event_log_storage" not in project.call("run", "--json", "--folds", "2").stdout


@pytest.mark.usefixtures("without_reports")
@pytest.mark.parametrize("change", ["rows", "no file", "nothing"])
def test_data_that_changes_while_a_run_works_is_noted(
    project: ShippedProject, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    small(project)
    file = project.data / "noisy_iris.csv"
    work = Launcher.bring_up_to_date

    def change_meanwhile(*given: Any) -> Any:
        outcome = work(*given)
        if change == "rows":
            file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
        elif change == "no file":
            file.unlink()
        return outcome

    monkeypatch.setattr(Launcher, "bring_up_to_date", change_meanwhile)
    result = project.call("run", "--engine", "serial", "--folds", "2", "--json")
    assert (result.returncode, bool(json.loads(result.stdout))) == (0, True)
    note = (
        "iris-hpo: note: the data changed while this run worked, and its results follow from the "
        "rows of before: run the search again\n"
    )
    assert result.stderr == (note if change != "nothing" else "")


@pytest.mark.slow
def test_settings_of_the_last_run_are_kept(project: ShippedProject) -> None:
    small(project)
    given = ["--rule", "cv", "--folds", "2", "--kernel", "linear"]
    assert project.call("run", "--engine", "serial", *given).returncode == 0

    def state(*options: str) -> tuple[set[str], list[str]]:
        found = json.loads(project.call("status", "--json", *options).stdout)
        stale = {name for name, count in found["assets"].items() if count["out of date"]}
        return stale, found["kept"]

    stale, kept = state()
    assert stale == set()
    assert [line.partition(";")[0] for line in kept] == [
        "settings of the last run: folds 2 (the search's default: 5)",
        "settings of the last run: kernel linear (the search's default: rbf)",
        "settings of the last run: rule cv (the search's default: test_score)",
    ]
    assert kept[0] in project.call("status").stdout
    assert json.loads(project.call("run", "--json").stdout)["runs"] == []
    assert state("--rule", "test_score") == ({"selection"}, kept[:2])
    assert state("--folds", "0")[1] == [kept[1]]  # no folds, no rule cv
    assert {"split", "parameters"} <= state("--defaults")[0]
    assert project.call("run", "--engine", "serial", "--defaults").returncode == 0
    assert state() == (set(), [])


@pytest.mark.usefixtures("without_reports")
def test_a_setting_that_was_never_given_follows_the_search(
    project: ShippedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(project)
    assert project.call("run", "--engine", "serial", "--folds", "2").returncode == 0
    changed = replace(
        iris_search(), rule="cv", split=SplitSettings(0.3, 0, 3, repeats=1), reports=()
    )
    monkeypatch.setattr(session, "find_search", lambda *_: changed)
    found = json.loads(project.call("status", "--json").stdout)
    assert found["assets"]["split"]["out of date"] == 1
    assert [line.partition(";")[0] for line in found["kept"]] == [
        "settings of the last run: folds 2 (the search's default: 3)"
    ]
    project.call("run", "--engine", "serial")
    card = json.loads((project.artifacts / "selection" / "champion.json").read_text())
    split = json.loads((project.artifacts / "split" / "split.json").read_text())
    assert (card["rule"], split["test_size"], split["folds"]) == ("cv", 0.3, 2)
