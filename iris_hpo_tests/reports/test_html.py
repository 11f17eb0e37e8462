"""The page of a selection: what it says, that it needs no network, and that texts stay texts."""

import base64
import gzip
import importlib.util
import itertools
import json
import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from iris_hpo.errors import InputError
from iris_hpo.reports.columns import Columns
from iris_hpo.reports.html import Html, make_page
from iris_hpo.reports.importance import importance
from iris_hpo.reports.lists import leaderboard_table
from iris_hpo.reports.page_facts import PageFacts
from iris_hpo.reports.past import PastSelection
from iris_hpo.reports.plots import Plots
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.testing import ReportContract
from iris_hpo_tests.reports.pages import GAMMA, KERNEL, C, facts_of_grid
from iris_hpo_tests.reports.pages import svm as facts_of_svm

HOSTILE = "</script><script>alert('&\"')</script>\u202etxt.exe\u2066"


@cache
def svm() -> PageFacts:
    return replace(facts_of_svm(), warnings=["better candidates may lie beyond"])


@cache
def svm_page() -> bytes:
    return make_page(svm())


def content(page: bytes) -> dict[str, Any]:
    """The JSON that the page's script reads."""
    found = re.search(r'<script type="application/json" id="content">(.*?)</script>', page.decode())
    assert found
    return json.loads(found[1])


def columns_of(page: bytes) -> dict[str, Any]:
    """The table of candidates that the plots share."""

    def decode(column: Any) -> NDArray[Any] | list[Any]:
        if isinstance(column, list):
            return column
        kind = np.dtype(column["dtype"]).newbyteorder("<")
        return np.frombuffer(gzip.decompress(base64.b64decode(column["array"]["data"])), kind)

    def find(value: Any) -> Any:
        if isinstance(value, dict):
            if value.get("name") == "ColumnDataSource" and "candidates" in json.dumps(
                value["attributes"].get("name", "")
            ):
                return value["attributes"]["data"]["entries"]
            value = list(value.values())
        parts = (find(part) for part in value) if isinstance(value, list) else ()
        return next((part for part in parts if part is not None), None)

    return {name: decode(column) for name, column in find(content(page)["document"])}


def own_text(page: bytes) -> str:
    """The page without Bokeh's scripts."""
    return re.sub(r"<script>.*?</script>", "", page.decode(), flags=re.DOTALL)


@pytest.mark.slow
class TestHtml(ReportContract):
    def make_report(self) -> Html:
        return Html()


def test_the_answer_comes_first_and_needs_no_script() -> None:
    facts, page = svm(), own_text(svm_page())

    places = [page.index(text) for text in (facts.answer[0], facts.warnings[0], 'id="leaderboard"')]
    assert places == sorted(places)


def test_the_columns_are_those_of_the_leaderboard() -> None:
    facts, columns = svm(), columns_of(svm_page())

    for name in ("candidate", "rank", "score", "cv_mean"):
        assert list(columns[name]) == [row[name] for row in facts.rows], name
    assert list(columns["ranking"]) == list(columns["cv_mean"])
    assert list(columns["value_0"]) == [row["param_C"] for row in facts.rows]
    assert list(columns["order"]) == list(range(77, 0, -1))
    assert list(columns["metric_0"]) == [row["recall"] for row in facts.rows]
    assert list(columns["state"])[:4] == [3, 1, 1, 0]


@cache
def proposed_svm() -> PageFacts:
    """A page whose first candidate was listed; a sampler proposed the others."""
    facts = svm()
    proposals = [{"sampler": "tpe", "number": at, "results_known": at - 1} for at in range(1, 77)]
    others = [{**row, **facts} for row, facts in zip(facts.rows[1:], proposals, strict=True)]
    return replace(facts, rows=[facts.rows[0], *others])


@cache
def proposed_columns() -> dict[str, Any]:
    return columns_of(make_page(proposed_svm()))


def test_how_a_candidate_was_proposed_is_no_metric() -> None:
    facts, columns = proposed_svm(), proposed_columns()

    assert list(columns["metric_0"]) == [row["recall"] for row in facts.rows]
    assert "metric_1" not in columns


def test_how_a_candidate_was_proposed_stands_at_the_end_of_its_line_and_beside_its_point() -> None:
    plots = Plots(Columns(proposed_svm()))
    fields = ["sampler", "number", "results_known"]

    (plot,) = plots.make()["map"]
    (hover,) = (tool for tool in plot.tools if type(tool).__name__ == "HoverTool")

    assert [column.field for column in leaderboard_table(plots).columns[-3:]] == fields
    assert hover.tooltips[-1] == ("proposed by", "@proposed")
    columns = proposed_columns()
    assert [columns["proposed"][at] for at in (0, 4)] == [
        "listed",
        "tpe, after 4 candidates, with 3 results known",
    ]
    assert [str(columns[name][0]) for name in fields] == ["", "nan", "nan"]
    assert [columns[name][4] for name in fields] == ["tpe", 4, 3]


def test_a_grid_s_page_does_not_speak_of_samplers() -> None:
    columns = columns_of(svm_page())

    assert not {"proposed", "sampler", "number", "results_known"} & set(columns)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.25, "0.2 seconds"), (119, "119.0 seconds"), (7200, "2.0 hours")]
)
def test_time_has_the_unit_that_suits_it(seconds: float, text: str) -> None:
    facts = facts_of_grid(ParameterSpace([C]), [1.0, 2.0])
    keys = [str(row["candidate"]) for row in facts.rows]
    page = own_text(make_page(replace(facts, seconds={keys[0]: seconds})))

    assert f"{text} of training and scoring in all." in page


def test_test_scores_rank_under_their_rule() -> None:
    columns = columns_of(make_page(facts_of_svm("test_score")))

    assert list(columns["ranking"]) == list(columns["score"])


def test_a_page_of_77_candidates_is_small_and_has_all_sections() -> None:
    page = svm_page()

    assert len(page) < 3_000_000
    for section in ("map", "leaderboard", "slices", "parallel", "importance", "history", "time"):
        assert f'<section id="{section}">' in own_text(page), section


def test_what_is_not_known_is_left_out() -> None:
    space = ParameterSpace([C])
    page = own_text(make_page(replace(facts_of_grid(space, [1.0]), seconds={}, order=())))

    assert '<section id="leaderboard">' in page
    for section in ("map", "slices", "history", "time", "importance"):
        assert f'<section id="{section}">' not in page, section


def test_axes_of_texts_and_none_have_a_page() -> None:
    space = ParameterSpace([KERNEL, C, GAMMA])
    facts = facts_of_grid(space, [None, "rbf", "$$x$$"], [1.0, 2.0], [0.1, 0.2])
    columns = columns_of(make_page(facts))

    assert set(columns["text_0"]) == {"none", "rbf", "$$x$$"}
    assert "value_0" not in columns


def test_the_page_asks_the_network_for_nothing() -> None:
    page = svm_page()

    assert b"default-src 'none'" in page
    text = own_text(page)
    assert "src=" not in text
    assert "href=" not in text
    assert "http" not in re.sub(r"http-equiv", "", text)
    assert "@import" not in text


def test_texts_of_others_stay_texts() -> None:
    space = ParameterSpace([KERNEL, C])
    facts = replace(
        facts_of_grid(space, [HOSTILE, "rbf"], [1.0, 2.0], metric="<b>recall</b>"),
        title=HOSTILE,
        answer=[HOSTILE],
        warnings=[HOSTILE],
        failures={HOSTILE: HOSTILE},
        about={HOSTILE: HOSTILE},
        past=[PastSelection("2026-01-01", *[HOSTILE] * 6)],
    )
    page = make_page(facts).decode()

    assert "<script>alert" not in page
    assert '<section id="past">' in page
    assert not {"\u202e", "\u2066"} & set(page)
    assert "\\u202e" in page
    titles = re.findall(r'"title":"([^"]*recall[^"]*)"', page)
    assert titles == ["&lt;b&gt;recall&lt;/b&gt;"]  # the table takes it as HTML


def test_the_same_facts_give_the_same_bytes_whatever_bokeh_made_before() -> None:
    facts = facts_of_grid(ParameterSpace([KERNEL, C]), [None, "rbf"], [1.0, 2.0])
    first = make_page(facts)
    make_page(facts_of_grid(ParameterSpace([C]), [1.0, 2.0]))

    assert make_page(facts) == first


def test_without_bokeh_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(InputError, match=r"pip install 'iris_hpo\[report\]'"):
        Html()


def test_the_axis_that_decides_matters_most() -> None:
    grid = np.array(list(itertools.product(range(10), range(10))), float)
    found = importance([grid[:, 0], grid[:, 1]], grid[:, 0] ** 2)

    assert found.shares[0] > 0.9
    assert sum(found.shares) == pytest.approx(1)


def test_axes_that_decide_only_together_both_matter() -> None:
    grid = np.array(list(itertools.product(range(8), range(8))), float)
    found = importance([grid[:, 0], grid[:, 1]], -np.abs(grid[:, 0] - grid[:, 1]))

    assert min(found.shares) > 0.3


@pytest.mark.parametrize("candidates", [29, 400])
def test_no_importance_from_few_candidates_or_from_noise(candidates: int) -> None:
    random = np.random.default_rng(0)
    found = importance([random.random(candidates) for _ in range(2)], random.random(candidates))

    assert found.shares == ()
    assert "too few" in found.sentence if candidates < 30 else "too little" in found.sentence


@pytest.mark.parametrize(
    ("rule", "title"),
    [
        ("cv", "accuracy, mean over the folds"),
        ("test_score", "accuracy, on the test rows"),
        ("own_score", "accuracy"),
    ],
)
def test_the_score_that_ranks_is_called_what_it_is(rule: str, title: str) -> None:
    assert Columns(replace(svm(), rule=rule)).title == title


@pytest.mark.parametrize(("rule", "title"), [("cv", "test score"), ("own_score", "accuracy")])
def test_the_table_names_the_score_and_leaves_blank_what_is_absent(rule: str, title: str) -> None:
    table = leaderboard_table(Plots(Columns(replace(svm(), rule=rule))))
    columns = {column.field: column for column in table.columns}

    assert columns["score"].title == title
    assert columns["shown_0"].formatter.nan_format == ""


def test_the_titles_of_a_table_stand_above_their_numbers() -> None:
    table = leaderboard_table(Plots(Columns(svm())))
    (style,) = (sheet.css for sheet in table.stylesheets)

    for place, column in enumerate(table.columns, 1):
        is_number = column.field not in ("rank", "candidate", "what")
        assert (column.formatter.text_align == "right") == is_number
        assert (f":nth-child({place})" in style) == is_number


def test_the_table_shows_small_scores_with_powers_of_ten() -> None:
    facts = svm()
    rows = [{**row, "score": -1e-6 * at} for at, row in enumerate(facts.rows)]
    table = leaderboard_table(Plots(Columns(replace(facts, rows=rows))))
    formatters = {column.field: type(column.formatter).__name__ for column in table.columns}

    assert formatters["score"] == "ScientificFormatter"
    assert formatters["cv_mean"] == "NumberFormatter"


def test_a_touch_anywhere_on_its_line_opens_the_filter() -> None:
    (summary,) = re.findall(r"<summary>(.*)</summary>", own_text(svm_page()))

    assert 'id="count"' in summary
    assert not re.search("<(output|input|button|select|a|label)[ >]", summary)  # take the touch


def test_where_the_least_is_best_the_best_so_far_falls_and_has_the_last_colour() -> None:
    columns = Columns(replace(svm(), minimizes=True))
    order, best = columns.best_so_far()

    assert len(order) == 77
    assert (np.diff(best) <= 0).all()
    mapper, usual = Plots(columns).mapper, Plots(Columns(svm())).mapper
    assert (mapper.low, mapper.palette[0]) == (columns.ranking.min(), usual.palette[-1])


def test_the_best_so_far_only_grows() -> None:
    order, best = Columns(svm()).best_so_far()

    assert order.tolist() == list(range(1, 78))
    assert (np.diff(best) >= 0).all()
    assert best[-1] == max(row["cv_mean"] for row in svm().rows)  # pyright: ignore[reportArgumentType]


def test_a_value_that_a_candidate_does_not_have_stands_before_the_others() -> None:
    axes = [
        Axis("kernel", "K", type="str"),
        Axis("gamma", "G", when={"kernel": "rbf"}),
        Axis("shrink", "S", type="str", when={"kernel": "linear"}),
    ]
    facts = facts_of_grid(
        ParameterSpace(axes), ["linear", "rbf"], [0.01, 0.1, 1.0, 10.0, 100.0], ["no", "yes"]
    )
    columns = columns_of(make_page(facts))
    is_linear = np.array(["Klinear" in key for key in columns["candidate"]])

    assert set(np.array(columns["text_1"])[is_linear]) == {"absent"}
    assert set(np.array(columns["text_2"])[~is_linear]) == {"absent"}
    assert np.isnan(columns["value_1"][is_linear]).all()
    assert set(columns["value_1"][~is_linear]) == {0.01, 0.1, 1.0, 10.0, 100.0}
    assert columns["place_1"][is_linear].max() < columns["place_1"][~is_linear].min() - 0.5


def test_scores_that_are_too_large_to_draw_are_drawn_at_the_end() -> None:
    facts = facts_of_grid(ParameterSpace([C, GAMMA]), [1.0, 2.0], [0.1, 0.2])
    rows = [
        {**row, "cv_mean": (-1) ** at * 2.0**1023, "cv_std": 2.0**1023}
        for at, row in enumerate(facts.rows)
    ]
    columns = columns_of(make_page(replace(facts, rows=rows)))

    assert columns["ranking"].tolist() == [1e150, -1e150] * 2
    assert columns["cv_mean"].tolist() == [2.0**1023, -(2.0**1023)] * 2
