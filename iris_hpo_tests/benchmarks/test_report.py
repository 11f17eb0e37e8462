"""What the benchmarks write."""

import json
import math
import operator
import re

import pytest

from benchmarks import __main__ as command
from benchmarks.compare import Goal, Ran, Results
from benchmarks.contestants.problem import Score
from benchmarks.environment import REPOSITORY
from benchmarks.picture import bar_limit
from benchmarks.report import (
    BEGIN,
    END,
    PAGE,
    RESULTS,
    page_block,
    table_of,
    update_page,
    write_results,
    written_block,
)
from benchmarks.work import CPU, DRIVER, MEMORY, OURS, TRAINED, WALL, Row, Work

SCORES = [Score(0.5, 0.25, 28, None)]
ROWS = (
    Row("quick", (OURS, WALL), ("slow", WALL), Goal(0.5)),
    Row("thrifty", (OURS, MEMORY), ("slow", MEMORY), Goal(10), operator.sub),
    Row("counted", (OURS, TRAINED), goal=Goal(11, exact=True)),
)


def figures(seconds, peak):
    return {WALL: seconds, CPU: seconds, MEMORY: peak, DRIVER: peak, TRAINED: 11}


def make_work(slow_scores=SCORES):
    return Work(
        "one work",
        3,
        {
            OURS: lambda _: Ran(figures(2.0, 120.0), SCORES),
            "slow": lambda _: Ran(figures(5.0, 100.0), slow_scores),
        },
        ROWS,
    )


@pytest.fixture
def results(tmp_path):
    return command.run_work(make_work(), tmp_path / "runs")


def test_every_contestant_runs_once_per_repetition_and_they_alternate(tmp_path):
    order = []

    def step(name):
        def run(folder):
            order.append((folder.name, name))
            return Ran({"seconds": 1.0})

        return run

    command.run_work(Work("w", 2, {"a": step("a"), "b": step("b")}, ()), tmp_path)

    assert order == [("0", "a"), ("0", "b"), ("1", "a"), ("1", "b")]


def test_slow_contestants_run_in_the_first_repetition_alone(tmp_path):
    steps = dict.fromkeys(("quick", "slow"), lambda _: Ran({"seconds": 1.0}))

    results = command.run_work(Work("w", 3, steps, (), once=("slow",)), tmp_path)

    assert {name: len(runs) for name, runs in results.runs.items()} == {"quick": 3, "slow": 1}


def test_rows_are_judged(results: Results):
    verdicts = [(value.median, met) for value, met in (row.judge(results) for row in ROWS)]

    assert verdicts == [(0.4, True), (20.0, False), (11, True)]


def test_results_are_written(tmp_path, results):
    table = write_results(tmp_path / "out", [make_work()], [results], quick=False)

    assert "| quick | 2.00 s | 5.00 s slow | 0.40 (0.40 to 0.40) | ≤ 0.5 | met |" in table
    assert (
        "| thrifty | 120 MB | 100 MB slow | 20.0 MB (20.0 to 20.0) | ≤ 10 | **missed** |" in table
    )
    assert "| counted | 11 |  |  | exactly 11 | met |" in table
    assert "**one work**, 3 repetitions:" in table
    assert table_of(tmp_path / "out" / "results.md") == table
    raw = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [run[WALL] for run in raw["runs"]["one work"]["slow"]] == [5.0, 5.0, 5.0]
    assert (tmp_path / "out" / "results.png").read_bytes().startswith(b"\x89PNG")


def test_a_quick_run_passes_no_judgement(tmp_path, results):
    table = write_results(tmp_path / "out", [make_work()], [results], quick=True)

    assert "≤ 0.5" in table
    assert "met" not in table
    assert "missed" not in table


@pytest.mark.parametrize(("option", "folder"), [([], "results"), (["--quick"], "build/benchmarks")])
def test_only_a_full_run_touches_the_page(tmp_path, monkeypatch, capsys, option, folder):
    page = tmp_path / "performance.md"
    page.write_text(f"{BEGIN}\n\n{END}\n")
    monkeypatch.setattr(command, "make_works", lambda *_: [make_work()])
    monkeypatch.setattr(command, "REPOSITORY", tmp_path)
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(command, "PAGE", page)

    assert command.main(option) == 0

    written = table_of(tmp_path / folder / "results.md")
    assert written_block(page) == ("" if option else page_block(written))
    assert f"written to {folder}" in capsys.readouterr().out


def test_scores_that_differ_fail_the_benchmark_and_nothing_is_written(
    tmp_path, monkeypatch, capsys
):
    work = make_work([Score(0.5, 0.25, 27, None)])
    monkeypatch.setattr(command, "make_works", lambda *_: [work])
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")

    assert command.main([]) == 1

    assert "benchmarks: scores differ: iris_hpo has" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_bar_is_cut_only_if_it_would_dwarf_the_others():
    assert bar_limit([1.0, 2.0, 10.0]) == math.inf
    assert bar_limit([1.0, 2.0, 11.0]) == 4.0
    assert bar_limit([1.0]) == math.inf


def test_the_table_is_put_between_the_marks_of_a_page(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text(f"before\n\n{BEGIN}\n\n{END}\n\nafter\n")

    update_page(page, "a table")
    update_page(page, "another table")

    block = page_block("another table")
    assert page.read_text() == f"before\n\n{BEGIN}\n\n{block}\n\n{END}\n\nafter\n"
    assert written_block(page) == block


def test_a_page_without_marks_is_refused(tmp_path):
    (tmp_path / "performance.md").write_text("# Nothing\n")

    with pytest.raises(ValueError, match="no place for the table"):
        update_page(tmp_path / "performance.md", "a table")


def test_the_page_shows_the_results_that_are_committed():
    file = RESULTS / "results.md"
    expected = page_block(table_of(file))

    assert written_block(PAGE) == expected


def test_the_readme_gives_times_that_were_measured():
    section = (REPOSITORY / "README.md").read_text().partition("\n## How fast it is\n")[2]
    times = re.compile(r"\d[\d.]* s\b")
    given = times.findall(section.partition("\n## ")[0].replace("\n", " "))

    assert len(given) > 5
    assert set(given) <= set(times.findall(PAGE.read_text()))
