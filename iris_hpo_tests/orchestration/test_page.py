"""What the page of a selection says: what is stored and recorded, and the same on every run."""

import re
from dataclasses import replace
from html import unescape

import pytest

from iris_hpo.orchestration.page import page_facts
from iris_hpo.orchestration.results import read_results
from iris_hpo.parts import Part
from iris_hpo.selection.sentences import champion_lines
from iris_hpo_tests.projects import KEYS, SpecProject, succeed


def test_results_are_those_that_are_stored(finished: SpecProject) -> None:
    results = read_results(finished.study())

    assert set(results.keys) == set(KEYS) == set(results.order)
    assert results.champion == finished.study().champion()
    for row in results.rows:
        key = str(row["candidate"])
        assert row["score"] == results.scores[key].score
        assert len(results.fold_scores(key)) == 2
        assert results.seconds[key] > 0
    assert results.failures == {}


def test_the_metadata_begin_with_the_answer_the_picture_and_the_page(drawn: SpecProject) -> None:
    metadata = drawn.metadata("selection")

    first = [name for name in metadata if name in ("expectation", "heatmap", "report")]
    assert first == list(metadata)[: len(first)]
    assert str(metadata["report"]).startswith("`iris-hpo report")


def test_the_page_says_what_the_command_says_and_what_it_was_made_from(
    finished: SpecProject,
) -> None:
    facts = page_facts(finished.study())
    champion = finished.study().champion()

    assert facts.answer == champion_lines(champion, "classification", len(KEYS))
    assert finished.study().data_digest in facts.about["data"]
    assert facts.about["rows"] == "120 to train, 30 to test"
    assert facts.about["folds"] == "2"
    assert [past.champion for past in facts.past] == [champion.key]
    assert finished.run_ids() >= {facts.past[0].run_id, facts.about["runs of the scores"]}


@pytest.mark.slow
def test_a_search_can_make_the_page_with_each_selection(scored: SpecProject) -> None:
    spec = replace(scored.spec, reports=(Part("heatmap"), Part("html")))
    project = replace(scored, spec=spec)
    pages: list[bytes] = []
    for _ in range(2):
        succeed(project.run("selection"))
        pages.append((project.artifacts / "selection" / "report.html").read_bytes())

    assert pages[0] == pages[1]
    page = unescape(re.sub(r"<script>.*?</script>", "", pages[0].decode(), flags=re.DOTALL))
    metadata = project.metadata("selection")
    assert str(metadata["expectation"]) in page
    assert list(metadata)[:3] == ["expectation", "heatmap", "report"]
    assert metadata["report"] == str(project.artifacts / "selection" / "report.html")
    assert 'id="time"' not in page
