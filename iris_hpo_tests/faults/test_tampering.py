"""Whatever was changed in the artifacts is refused by name, before anything is unpickled.

One who can write artifacts, but not Dagster's event log, gets nothing in: neither code nor a score.
"""

import json
import pickle
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from iris_hpo.iris import iris_search
from iris_hpo.orchestration.build import build_search
from iris_hpo.store.digests import digest_of
from iris_hpo.training import origin
from iris_hpo.training.cards import load_model
from iris_hpo_tests.projects import QUIET, ShippedProject, failure_text

FIRST, SECOND = "C0.5_G1.0", "C8.0_G0.25"
"""The champion, and another that was selected."""

ARGUMENTS = ("run", "--engine", "serial", "--folds", "2")


class Bomb:
    """A pickle that leaves a mark when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.fixture
def bomb(tmp_path: Path) -> Iterator[bytes]:
    """What must never be loaded; at the end it has not been."""
    mark = tmp_path / "exploded"
    content = pickle.dumps(Bomb(mark))
    load_model(content)
    assert mark.exists(), "the bomb must be live, or these tests show nothing"
    mark.unlink()
    yield content
    assert not mark.exists(), "something was unpickled that should not have been"


def edit(path: Path, **fields: object) -> None:
    """Change fields of a card, as somebody would who knows the format."""
    card = json.loads(path.read_text())
    assert set(fields) <= set(card)
    path.write_text(json.dumps({**card, **fields}, indent=1, sort_keys=True) + "\n")


def swap(folder: Path) -> None:
    for ending in ("pkl", "json"):
        one, other = folder / f"model_{FIRST}.{ending}", folder / f"model_{SECOND}.{ending}"
        ours, theirs = one.read_bytes(), other.read_bytes()
        assert ours != theirs
        one.write_bytes(theirs)
        other.write_bytes(ours)


def change_model(artifacts: Path, bomb: bytes) -> None:
    (artifacts / "models" / f"model_{FIRST}.pkl").write_bytes(bomb)


def swap_models_and_cards(artifacts: Path, bomb: bytes) -> None:  # noqa: ARG001
    swap(artifacts / "models")


def forge_card(artifacts: Path, bomb: bytes) -> None:
    change_model(artifacts, bomb)
    card = artifacts / "models" / f"model_{FIRST}.json"
    edit(card, digest=digest_of(bomb), bytes=len(bomb))


def edit_card(artifacts: Path, bomb: bytes) -> None:  # noqa: ARG001
    edit(artifacts / "models" / f"model_{FIRST}.json", support_vectors=1)


def edit_score(artifacts: Path, bomb: bytes) -> None:  # noqa: ARG001
    edit(artifacts / "scores" / "C8.0_G4.0.json", score=1.0, correct=30)


def edit_split(artifacts: Path, bomb: bytes) -> None:  # noqa: ARG001
    edit(artifacts / "split" / "split.json", seed=1)


def edit_rows(artifacts: Path, bomb: bytes) -> None:  # noqa: ARG001
    path = artifacts / "split" / "test.csv"
    path.write_bytes(path.read_bytes().replace(b"Iris-setosa", b"Iris-virginica", 1))


def edit_parameters(artifacts: Path, bomb: bytes) -> None:  # noqa: ARG001
    edit(artifacts / "parameters" / "parameters.json", choices={"kernel": "linear"})


def edit_leaderboard(artifacts: Path, bomb: bytes) -> None:  # noqa: ARG001
    path = artifacts / "selection" / "leaderboard.csv"
    path.write_bytes(path.read_bytes().replace(b"0.96", b"0.99", 1))


def change_champion(artifacts: Path, bomb: bytes) -> None:
    (artifacts / "selection" / "champion.pkl").write_bytes(bomb)


def forge_champion(artifacts: Path, bomb: bytes) -> None:
    change_champion(artifacts, bomb)
    edit(artifacts / "selection" / "champion.json", digest=digest_of(bomb))


PKL, CARD = f"models/model_{FIRST}.pkl", f"models/model_{FIRST}.json"
Tamper = Callable[[Path, bytes], None]


@pytest.mark.parametrize(
    ("tamper", "refusals"),
    [
        (change_model, {"scores": PKL, "selection": PKL}),
        (swap_models_and_cards, {"scores": CARD, "selection": CARD}),
        (forge_card, {"scores": CARD, "selection": CARD}),
        (edit_card, {"scores": CARD, "selection": CARD}),
        (edit_score, {"selection": "scores/C8.0_G4.0.json"}),
        (edit_split, {"scores": "split/split.json", "selection": "split/split.json"}),
        (edit_rows, {"scores": "split/test.csv"}),
        (edit_parameters, {"scores": "parameters/parameters.json"}),
        (edit_leaderboard, {"leaderboard": "selection/leaderboard.csv"}),
        (change_champion, {"predict": "selection/champion.pkl"}),
        (forge_champion, {"predict": "selection/champion.json"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_changed_file_is_refused_by_name_and_run_repairs_it(
    done: ShippedProject, bomb: bytes, tamper: Tamper, refusals: dict[str, str]
) -> None:
    before = {name: content for name, (_, content) in done.files().items()}
    tamper(done.artifacts, bomb)
    for entry, name in refusals.items():
        refusal_text = ENTRIES[entry](done)
        assert f"{done.artifacts / name} is not " in refusal_text, (entry, refusal_text)

    result = done.call(*ARGUMENTS, "--quiet")
    assert result.returncode == 0, result.stderr
    after = {name: content for name, (_, content) in done.files().items()}
    assert set(after) == set(before)
    same = [name for name in before if name.endswith((".pkl", ".csv"))]
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert done.call("status", "--folds", "2").returncode == 0


@cache
def definitions() -> dg.Definitions:
    return build_search(iris_search())


def materialize(project: ShippedProject, asset: str) -> str:
    """Run one asset alone, as from the UI; give what the failed run says."""
    storage = {"data": str(project.data), "artifacts": str(project.artifacts)}
    with project.instance() as instance:
        keys = instance.get_dynamic_partitions("c_gamma")
        ends = {
            "dagster/asset_partition_range_start": keys[0],
            "dagster/asset_partition_range_end": keys[-1],
        }
        alone = asset == "scores"
        result = (
            definitions()
            .resolve_job_def("search" if alone else "select")
            .execute_in_process(
                run_config={
                    "ops": {"candidates": {"config": {"engine": "serial"}}} if alone else {},
                    "resources": {"iris_hpo_storage": {"config": storage}},
                    "loggers": QUIET,
                },
                instance=instance,
                asset_selection=[dg.AssetKey(asset)],
                tags=ends if alone else {},
                raise_on_error=False,
            )
        )
    return failure_text(result)


def command(project: ShippedProject, *arguments: str) -> str:
    result = project.call(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    return result.stderr


def predict(project: ShippedProject) -> str:
    rows = project.root / "rows.csv"
    rows.write_text("5.1,3.5,1.4,0.2\n")
    return command(project, "predict", str(rows))


ENTRIES: dict[str, Callable[[ShippedProject], str]] = {
    "scores": lambda project: materialize(project, "scores"),
    "selection": lambda project: materialize(project, "selection"),
    "leaderboard": lambda project: command(project, "leaderboard"),
    "predict": predict,
}


@pytest.fixture
def other_version(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process believes that it has another scikit-learn."""
    origin._versions_of.cache_clear()
    monkeypatch.setattr(origin, "version", lambda _: "0.0.1")
    yield
    origin._versions_of.cache_clear()


@pytest.mark.usefixtures("other_version")
def test_models_of_another_scikit_learn_are_refused_or_trained_again(done: ShippedProject) -> None:
    assert "the champion was trained with scikit-learn" in predict(done)
    assert "its model was trained on other data, settings or versions" in materialize(
        done, "scores"
    )
    counts = json.loads(done.call("status", "--folds", "2", "--json").stdout)["assets"]
    assert counts["models"]["out of date"] == 6
    found = json.loads(done.call(*ARGUMENTS, "--json").stdout)
    assert (found["trained"], found["reused"]) == (6, 0)
    card = json.loads((done.artifacts / CARD).read_text())
    assert card["versions"]["scikit-learn"] == "0.0.1"


def test_files_planted_before_the_first_run_are_not_trusted(
    undisturbed: ShippedProject, few: ShippedProject, bomb: bytes
) -> None:
    """Cards that say all that they should, of a model that is a bomb and a score that is a lie."""
    for name, (_, content) in undisturbed.files().items():
        (few.artifacts / name).parent.mkdir(parents=True, exist_ok=True)
        (few.artifacts / name).write_bytes(content)
    forge_card(few.artifacts, bomb)
    edit_score(few.artifacts, bomb)
    found = json.loads(few.call(*ARGUMENTS, "--json").stdout)
    assert (found["trained"], found["reused"]) == (6, 0)
    for name in (PKL, "selection/leaderboard.csv"):
        assert (few.artifacts / name).read_bytes() == (undisturbed.artifacts / name).read_bytes()
