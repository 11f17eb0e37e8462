"""Partitions that a person adds by hand: what is no candidate fails alone and touches nothing."""

import hashlib
import json
from pathlib import Path

import dagster as dg
import pytest

from iris_hpo.orchestration.failed_candidates import failed_partitions
from iris_hpo.orchestration.record import data_versions
from iris_hpo.text import legible
from iris_hpo_tests.projects import ShippedProject

LONG = "C" + "1" * 9_999
HOSTILE = {
    "../../x": "'../../x' is no candidate: a key has the form C<C>_G<gamma>",
    "/etc/passwd": "'/etc/passwd' is no candidate: a key has the form C<C>_G<gamma>",
    "a...b": "'a...b' is no candidate: a key has the form C<C>_G<gamma>",
    "a,b": "'a,b' is no candidate: a key has the form C<C>_G<gamma>",
    " ": "' ' is no candidate: a key has the form C<C>_G<gamma>",
    LONG: f"'{LONG[:60]}...' is no candidate: its 10000 characters are more than 200",
    "C1.0_G\x1b[31m": "'C1.0_G\\x1b[31m' is no candidate: gamma '\\x1b[31m' is not a number",
    "C1.0_G1.0\0": "'C1.0_G1.0\\x00' is no candidate: gamma '1.0\\x00' is not a number",
    "C1.0_G1.0\n": "'C1.0_G1.0\\n' is no candidate: gamma '1.0\\n' is not a number",
    "C../../../x_G1.0": "'C../../../x_G1.0' is no candidate: C '../../../x' is not a number",
    "[/bold]": "'[/bold]' is no candidate: a key has the form C<C>_G<gamma>",
    "C0.5": "'C0.5' is no candidate: a key has the form C<C>_G<gamma>",
    "C0.50_G1.0": "'C0.50_G1.0' is no candidate: it is spelled 'C0.5_G1.0'",
    "C0x1_G1.0": "'C0x1_G1.0' is no candidate: C '0x1' is not a number",
    "Cnan_G1.0": "'Cnan_G1.0' is no candidate: C 'nan' is not a finite number",
    "C-1.0_G1.0": "'C-1.0_G1.0' is no candidate: C '-1.0' is not greater than zero",
    "C٣_G1.0": "'C٣_G1.0' is no candidate: C '٣' is not a number",
}
ARGUMENTS = ("run", "--engine", "serial", "--folds", "2")


def add(project: ShippedProject, *keys: str) -> None:
    with project.instance() as instance:
        instance.add_dynamic_partitions("c_gamma", list(keys))


def around(project: ShippedProject) -> dict[str, str]:
    """Everything in the project's folder but the instance, and what lies beside it."""
    places = [project.root, project.root.parent]
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for place in places
        for path in (place.rglob("*") if place is project.root else place.iterdir())
        if project.root / "home" not in (path, *path.parents)
    }


def test_each_key_fails_alone_with_the_rule_that_it_breaks(done: ShippedProject) -> None:
    before = around(done)
    add(done, *HOSTILE)
    result = done.call(*ARGUMENTS)
    assert result.returncode == 1
    assert "0 trained, 6 reused, 17 failed" in result.stdout
    expected_lines = [
        f"failed: {legible(key)}: {rule}; delete its partition" for key, rule in HOSTILE.items()
    ]
    assert sorted(result.stderr.splitlines()) == sorted(expected_lines)
    assert not set(result.stderr) & {"\x1b", "\0"}
    assert max(map(len, result.stderr.splitlines())) < 300

    changed = {place for place, digest in around(done).items() if before.get(place) != digest}
    selection = str(done.artifacts / "selection")
    assert {place for place in changed if not place.startswith(selection)} == set()
    with done.instance() as instance:
        for asset in ("models", "scores"):
            key = dg.AssetKey(asset)
            assert set(failed_partitions(instance, key)) == set(HOSTILE)
            assert not set(data_versions(instance, key)) & set(HOSTILE)

    note = "note: selected from 6 of 23 candidates (failed 17: "
    for printed in (result.stdout, done.call("leaderboard").stdout):
        assert note in printed
        assert not set(printed) & {"\x1b", "\0"}

    result = done.call("status", "--folds", "2")
    assert result.returncode == 1
    assert not set(result.stdout) & {"\x1b", "\0"}
    assert "'C1.0_G\\x1b[31m'" in result.stdout
    assert "[/bold]" in result.stdout


def test_a_new_candidate_between_them_is_trained(done: ShippedProject) -> None:
    add(done, "../../x", "C0.5", "", "C2.0_G0.5", "C0.50_G1.0")
    result = done.call(*ARGUMENTS, "--json")
    assert result.returncode == 1
    found = json.loads(result.stdout)
    assert (found["trained"], found["reused"]) == (1, 6)
    assert set(found["failed"]) == {"../../x", "C0.5", "", "C0.50_G1.0"}


@pytest.mark.parametrize("keys", [("",), ("", "C2.0_G0.5")])
def test_the_empty_key_fails_at_any_position(done: ShippedProject, keys: tuple[str, ...]) -> None:
    """Dagster takes it for no key at all, so that a range cannot begin or end with it."""
    for key in keys:
        add(done, key)
    result = done.call(*ARGUMENTS, "--json")
    assert result.returncode == 1, result.stderr
    found = json.loads(result.stdout)
    assert set(found["failed"]) == {""}
    assert found["failed"][""].startswith("'' is no candidate")
    assert found["trained"] == int("C2.0_G0.5" in keys)
    assert found["trained"] + found["reused"] + 1 == found["candidates"]


LINKS = ("models", "scores", "selection", "selection/models", "split", "parameters", ".temporary")


@pytest.mark.slow
@pytest.mark.parametrize("name", LINKS)
def test_a_folder_that_is_a_link_is_not_followed_out(
    few: ShippedProject, tmp_path: Path, name: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "999999999-left-behind").write_text("precious")
    (outside / "model_x.pkl").write_text("precious")
    place = few.artifacts / name
    place.parent.mkdir(parents=True)
    place.symlink_to(outside, target_is_directory=True)
    result = few.call(*ARGUMENTS)
    assert result.returncode in (1, 2)
    assert "leads out of the store" in result.stderr
    assert str(place) in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(path.name for path in outside.iterdir()) == [
        "999999999-left-behind",
        "model_x.pkl",
    ]
    assert {path.read_text() for path in outside.iterdir()} == {"precious"}

    place.unlink()
    assert few.call(*ARGUMENTS, "--quiet").returncode == 0


def test_nothing_is_written_by_way_of_a_link(few: ShippedProject, tmp_path: Path) -> None:
    """A file is written beside its place first; there is nothing there yet to be swept away."""
    outside = tmp_path / "outside"
    outside.mkdir()
    few.artifacts.mkdir()
    (few.artifacts / ".temporary").symlink_to(outside, target_is_directory=True)
    changed = outside.stat().st_mtime_ns
    result = few.call(*ARGUMENTS)
    assert result.returncode == 2
    assert "leads out of the store" in result.stderr
    assert outside.stat().st_mtime_ns == changed


@pytest.mark.parametrize(
    "name", ["models/model_C0.5_G1.0.pkl", "scores/C0.5_G1.0.json", "selection/champion.pkl"]
)
def test_a_file_that_is_a_link_is_not_followed_out(
    done: ShippedProject, tmp_path: Path, name: str
) -> None:
    """Not to be read, not even if the bytes there are right, nor to be written."""
    place, outside = done.artifacts / name, tmp_path / "outside"
    place.rename(outside)
    content = outside.read_bytes()
    place.symlink_to(outside)
    result = done.call(*ARGUMENTS, "--force")
    assert result.returncode in (1, 2)
    assert f"{place} leads out of the store, to {outside}; remove the link" in result.stderr
    assert outside.read_bytes() == content
    assert place.is_symlink()
    if name.startswith("selection"):
        rows = tmp_path / "rows.csv"
        rows.write_text("1,2,3,4\n")
        assert "leads out of the store" in done.call("predict", str(rows)).stderr
