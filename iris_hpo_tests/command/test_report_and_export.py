"""The arguments of ``iris-hpo report`` and ``iris-hpo export``."""

import csv
import io
import os
import webbrowser
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from iris_hpo.command import export, report, show
from iris_hpo_tests.projects import ShippedProject

PAGE = "<!doctype html>"

Opened = list[str]


class Browser(webbrowser.BaseBrowser):
    """A browser with windows, which notes what is opened."""

    def __init__(self, opened: Opened) -> None:
        super().__init__()
        self.opened = opened

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002
        self.opened.append(url)
        return True


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Addresses that a browser was asked to open; the page is an empty one."""
    opened: Opened = []
    monkeypatch.setattr(webbrowser, "get", lambda: Browser(opened))
    monkeypatch.setattr(report, "make_page", lambda facts: f"{PAGE}{facts.title}".encode())
    return opened


def test_the_report_lies_beside_the_leaderboard_and_is_opened(
    searched: ShippedProject, opened: Opened
) -> None:
    answer = searched.call("report")

    file = searched.artifacts / "selection" / "report.html"
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, f"{file}\n", "")
    assert opened == [file.as_uri()]
    assert file.read_text() == f"{PAGE}search"
    file.unlink()


def test_the_report_is_written_where_it_is_asked_for(
    searched: ShippedProject, opened: Opened, tmp_path: Path
) -> None:
    file = tmp_path / "page.html"

    answer = searched.call("report", "--no-open", "--output", str(file))

    assert (answer.returncode, answer.stdout, opened) == (0, f"{file}\n", [])
    assert file.read_text().startswith(PAGE)
    assert not (searched.artifacts / "selection" / "report.html").exists()


def test_a_browser_in_the_terminal_is_not_opened(
    searched: ShippedProject, opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    browser = webbrowser.GenericBrowser("false")
    monkeypatch.setattr(browser, "open", opened.append)
    monkeypatch.setattr(webbrowser, "get", lambda: browser)

    answer = searched.call("report", "--output", str(tmp_path / "page.html"))

    assert (answer.returncode, opened) == (0, [])


def test_an_export_goes_to_standard_output_or_into_a_file(
    searched: ShippedProject, tmp_path: Path
) -> None:
    file = tmp_path / "results.csv"

    text = searched.call("export", "--to", "csv").stdout
    answer = searched.call("export", "--to", "csv", str(file))

    assert answer.returncode == 0
    assert str(file) in answer.stdout
    assert file.read_text() == text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [bool(row["reason"]) for row in rows] == [False, False, True]


@pytest.mark.parametrize(
    ("kind", "turn"), [("optuna", "alone"), ("mlflow", "alone"), ("csv", "beside others")]
)
def test_exports_to_another_tool_take_turns(
    searched: ShippedProject, monkeypatch: pytest.MonkeyPatch, kind: str, turn: str
) -> None:
    def export(_results: object, _place: str) -> str:
        lock = FileLock(Path(os.environ["DAGSTER_HOME"], ".iris-hpo-export.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return "alone"
        lock.release()
        return "beside others"

    monkeypatch.setattr("iris_hpo.command.export.export_of", lambda _kind: export)
    answer = searched.call("export", "--to", kind, "place")

    assert (answer.stdout, answer.stderr) == (f"{turn}\n", "")


def test_a_command_that_trains_nothing_only_says_that_it_was_stopped(
    searched: ShippedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_kind: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("iris_hpo.command.export.export_of", interrupted)
    answer = searched.call("export", "--to", "csv")

    assert (answer.returncode, answer.stderr.strip()) == (130, "iris-hpo: stopped")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("report --output {}/missing/page.html", "{}/missing/page.html cannot be written: No such"),
        ("export --to csv {}/missing/t.csv", "{}/missing/t.csv cannot be written: No such file"),
        ("export --to optuna", "say where to: iris-hpo export --to optuna PLACE"),
        ("export", "Missing option '--to'"),
        ("export --to excel t.xls", "Invalid value for '--to': 'excel' is not one of"),
    ],
)
def test_a_mistake_is_one_message(
    searched: ShippedProject, opened: Opened, arguments: str, message: str, tmp_path: Path
) -> None:
    answer = searched.call(*arguments.format(tmp_path).split())

    assert (answer.returncode, answer.stdout) == (2, "")
    assert message.format(tmp_path) in answer.stderr
    assert opened == []


def test_what_is_out_of_date_is_shown_with_a_note(
    searched: ShippedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (show, export):
        monkeypatch.setattr(module, "outdated_note", lambda study: f"old {study.names.pool}")

    table = searched.call("leaderboard", "--top", "1")
    assert table.stdout.splitlines()[-1] == "note: old search"
    for arguments in (["leaderboard", "--format", "json"], ["export", "--to", "csv"]):
        answer = searched.call(*arguments)
        assert answer.returncode == 0
        assert answer.stderr.splitlines()[-1] == "note: old search"
