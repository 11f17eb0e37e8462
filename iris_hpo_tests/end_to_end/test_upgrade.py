"""What an earlier version has made is reused, and made the same today."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.projects import DAGSTERS_WARNINGS, ShippedProject, YamlProject, files_below

EARLIER = "8dd3f21"
"""A commit from before the package was laid out anew."""

OF_A_RUN = ("seconds", "run_id")
"""Fields of cards that differ between two runs."""

NEW_IN_SCORES = ("predictions",)
"""Fields of scores that the earlier version did not have."""

NEW_VERSIONS = ("scores", "selection")
"""Assets whose data versions cover such fields."""

NEW_METADATA = ("columns", "identity")
"""Names of metadata that the earlier version did not have."""

OF_CHAMPION = (
    "cv_mean digest edges feature_names interval key leaderboard_digest model_version parameters "
    "rule score scoring target_name tied versions"
)
"""Fields of the champion's card in the earlier version."""

OF_SELECTION = (
    "candidates changed_settings champion champion_version cv_mean edge_of_grid failed heatmap "
    "interval_high interval_low leaderboard missing out_of_date path rule score scored selected "
    "tied"
)
"""Names of a selection's metadata in the earlier version."""

pytestmark = [pytest.mark.slow, *DAGSTERS_WARNINGS]


@dataclass(frozen=True)
class Search:
    """A search of a project, as the command and the instance see it.

    Attributes
    ----------
    name
        Of the search; empty for the iris search.
    """

    project: ShippedProject | YamlProject
    name: str
    candidates: int

    @property
    def options(self) -> tuple[str, ...]:
        return ("--search", self.name) if self.name else ()

    @property
    def artifacts(self) -> Path:
        if isinstance(self.project, YamlProject):
            return self.project.artifacts(self.name)
        return self.project.artifacts

    def call(self, command: str, *arguments: str) -> Any:
        answer = self.project.call(command, *self.options, *arguments, "--json")
        return json.loads(answer.out if isinstance(self.project, YamlProject) else answer.stdout)

    def run(self) -> Mapping[str, Any]:
        return self.call("run", "--engine", "serial")

    def draw_folds_once(self) -> None:
        """Keep to the folds of the earlier version, which drew them once."""
        if self.name:
            path = self.project.root / "defs" / self.name / "defs.yaml"
            path.write_text(f"{path.read_text().rstrip()}\n  repeats: 1\n")

    def run_earlier(self, package: Path) -> None:
        """Run the search by the package as it was."""
        if isinstance(self.project, YamlProject):
            folder = self.project.root
            settings = {"DAGSTER_HOME": str(folder / ".dagster")}
        else:
            folder, settings = package, self.project.environment
        inherited = {name: text for name, text in os.environ.items() if "IRIS_HPO" not in name}
        done = subprocess.run(
            [sys.executable, "-m", "iris_hpo", "run", *self.options, "--engine", "serial"],
            cwd=folder,
            env={**inherited, **settings, "PYTHONPATH": str(package)},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert f"{self.candidates} trained, 0 reused, 0 failed" in done.stdout

    def files(self) -> dict[str, tuple[int, bytes]]:
        """Every artifact with its time of writing and its bytes."""
        return files_below(self.artifacts)

    def results(self) -> dict[str, object]:
        """What is the same in each run: bytes of files, and cards without time and run."""
        found: dict[str, object] = {}
        for name, (_, content) in self.files().items():
            found[name] = content
            if name.endswith(".json"):
                card = json.loads(content)
                others = (*OF_A_RUN, *(NEW_IN_SCORES if name.startswith("scores/") else ()))
                found[name] = {field: card[field] for field in card if field not in others}
        return without_refit(found)

    def records(self) -> dict[tuple[str, str | None], tuple[str, list[str]]]:
        """Data version and names of the metadata of every materialised asset and partition."""
        found: dict[tuple[str, str | None], tuple[str, list[str]]] = {}
        with self.project.instance() as instance:
            for key in instance.all_asset_keys():
                if self.name and key.path[0] != self.name:
                    continue
                for record in instance.fetch_materializations(key, limit=1000).records:
                    made = record.asset_materialization
                    assert isinstance(made, dg.AssetMaterialization)
                    place = key.to_user_string(), made.partition
                    version = str((made.tags or {})["dagster/data_version"])
                    found.setdefault(place, (version, sorted(made.metadata)))
        return found

    def partitions(self) -> list[str]:
        name = f"{self.name}_candidates" if self.name else "c_gamma"
        with self.project.instance() as instance:
            return list(instance.get_dynamic_partitions(name))


def without_refit(results: dict[str, Any]) -> dict[str, object]:
    """What there is without a refit and without references, as in the earlier version."""
    results.pop("selection/references.json", None)
    assert results.pop("selection/heatmap.png")  # its caption now leads with the estimate
    card = results["selection/champion.json"]
    if card.get("refit") == "all":
        results["selection/champion.pkl"] = results[f"selection/models/model_{card['key']}.pkl"]
        card["digest"] = card["scored_digest"]
    results["selection/champion.json"] = {field: card[field] for field in OF_CHAMPION.split()}
    return results


def with_old_versions(records: Mapping[tuple[str, str | None], Any]) -> dict[Any, Any]:
    """Records, without the versions that cover what the earlier version did not have."""
    old: dict[Any, Any] = {}
    for place, (version, names) in records.items():
        asset = place[0].rpartition("/")[2]
        names = [name for name in names if name not in NEW_METADATA]  # noqa: PLW2901
        if asset == "selection":
            names = [name for name in names if name in OF_SELECTION.split()]  # noqa: PLW2901
        old[place] = None if asset in NEW_VERSIONS else version, names
    return old


def unpack(commit: str, folder: Path) -> Path:
    """Write the repository as it was at a commit."""
    archive = subprocess.run(
        ["git", "archive", commit], cwd=REPOSITORY, capture_output=True, check=False
    )
    if archive.returncode != 0:
        pytest.fail(
            f"the commit {commit} is not in this clone; fetch it: git fetch --unshallow",
            pytrace=False,
        )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as it was at the earlier commit."""
    return unpack(EARLIER, tmp_path_factory.mktemp("package"))


def iris(root: Path) -> Search:
    project = ShippedProject.create(root)
    project.write_axis("c", 0.5, 8)
    project.write_axis("gamma", 0.016, 0.25, 1)
    return Search(project, "", 6)


def wine(root: Path) -> Search:
    """Half of its candidates; the large forests would take most of the time."""
    project = YamlProject.of_examples(root)
    project.write_values("wine", n_estimators=[10, 20])
    return Search(project, "wine", 8)


def digits(root: Path) -> Search:
    return Search(YamlProject.of_examples(root), "digits", 6)


def as_it_was(search: Search, package: Path) -> None:
    """Give a project the files that it had at the earlier commit."""
    if isinstance(search.project, YamlProject):
        root = search.project.root
        data = {path: path.read_bytes() for path in (root / "data").rglob("*") if path.is_file()}
        shutil.copytree(package / "examples", root, dirs_exist_ok=True)
        # How the data is written has changed since: its bytes decide what is up to date.
        for path, content in data.items():
            path.write_bytes(content)
    else:
        shutil.copy(package / ".dagster" / "dagster.yaml", search.project.root / "home")


@pytest.mark.parametrize("make", [iris, wine, digits])
def test_results_of_an_earlier_version_are_made_the_same_and_reused(
    make: Callable[[Path], Search], package: Path, tmp_path: Path
) -> None:
    earlier = make(tmp_path / "earlier")
    as_it_was(earlier, package)
    earlier.run_earlier(package)
    today = make(tmp_path / "today")
    for search in (earlier, today):
        search.draw_folds_once()
    assert today.run()["trained"] == today.candidates

    assert today.results() == earlier.results()
    assert today.partitions() == earlier.partitions()
    assert with_old_versions(today.records()) == with_old_versions(earlier.records())

    files, records = earlier.files(), earlier.records()
    states = earlier.call("status")["assets"]
    assert earlier.call("status", "--refit", "train")["assets"]["selection"]["up to date"] == 1
    answer = earlier.run()

    # Under other rules than test_score the champion is now trained on all rows.
    refitted = ["selection"] if make is not iris else []
    for asset, counts in states.items():
        expected = "out of date" if asset in refitted else "up to date"
        assert {state for state, count in counts.items() if count} == {expected}, asset
    assert (answer["trained"], answer["reused"]) == (0, earlier.candidates)
    assert len(answer["runs"]) == len(refitted)
    assert changed(files, earlier.files()) == {*refitted}
    assert changed(records, earlier.records()) == {*refitted}


def changed(before: Mapping[Any, object], after: Mapping[Any, object]) -> set[str]:
    """Assets of the files, or of the records, that were changed or added."""
    names = [name for name in after if before.get(name) != after[name]]
    return {
        name.partition("/")[0] if isinstance(name, str) else name[0].rpartition("/")[2]
        for name in names
    }


def test_a_clone_without_the_commit_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception) as failure:
        unpack("f" * 40, tmp_path)

    assert str(failure.value).endswith("is not in this clone; fetch it: git fetch --unshallow")
