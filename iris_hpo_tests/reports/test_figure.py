"""The figure of a selection: which panels there are, what they show, and the bytes of the PNG."""

import itertools
import random
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from iris_hpo.reports.figure import draw_selection, make_figure
from iris_hpo.reports.scores import color_scale, score_format, spaced, value_labels
from iris_hpo.selection.rules import Scored, Selection, select
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.space.values import Value
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.metrics import wilson_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import Collection
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

C: Final = Axis("C", "C", positive=True, simplest="low")
GAMMA: Final = Axis("gamma", "G", positive=True, simplest="low")
KERNEL: Final = Axis("kernel", "K", type="str", nullable=True)
SVM: Final = ParameterSpace([C, GAMMA])
TOTAL: Final = 30

Point = tuple[Value, ...]


def scored(
    space: ParameterSpace,
    points: Sequence[Point],
    correct: Callable[..., int],
    folds: Sequence[float] = (-0.04, 0.0),
) -> list[Scored]:
    """Score candidates of an accuracy search; the folds lie these amounts from the test score."""
    found: list[Scored] = []
    for point in points:
        right = correct(*point)
        score = right / TOTAL
        evaluation = Evaluation(
            score,
            {"accuracy": score},
            right,
            TOTAL,
            wilson_interval(right, TOTAL),
            tuple(score + fold for fold in folds),
            0.0,
            0,
        )
        found.append(Scored(space.candidate(point), evaluation))
    return found


def selection_of(
    space: ParameterSpace,
    points: Sequence[Point],
    correct: Callable[..., int],
    folds: Sequence[float] = (-0.04, 0.0),
    rule: str = "test_score",
    scoring: str = "accuracy",
) -> Selection:
    return select(scored(space, points, correct, folds), space, scoring, rule)


def svm_correct(c: float, gamma: float) -> int:
    """Best on a ridge, with ties."""
    return round(TOTAL - min(20.0, abs(np.log2(c * gamma * 4)) * 1.4))


def svm_grid(rule: str = "test_score", folds: Sequence[float] = (-0.04, 0.0)) -> Selection:
    points = list(itertools.product(powers(-5, 16, 2), powers(-9, 4, 2)))
    return selection_of(SVM, points, svm_correct, folds, rule)


def powers(start: int, stop: int, step: int = 1) -> list[float]:
    return [2.0**exponent for exponent in range(start, stop, step)]


def titles(figure: "Figure") -> list[str]:
    return [axes.get_title("left") for axes in panels(figure)]


def panels(figure: "Figure") -> list["Axes"]:
    """The axes that show scores, without the colour bar."""
    return [axes for axes in figure.axes if any(map(is_star, axes.lines))]


def drawn(axes: "Axes", kind: str) -> list["Collection"]:
    """What a class of matplotlib draws whose name ends so."""
    return [found for found in axes.collections if type(found).__name__.endswith(kind)]


def cells(axes: "Axes") -> np.ma.MaskedArray:
    (mesh,) = drawn(axes, "QuadMesh")
    return np.ma.asarray(mesh.get_array())


def is_star(line: "Line2D") -> bool:
    return line.get_label() == "champion"


def star(axes: "Axes") -> tuple[float, float]:
    (line,) = filter(is_star, axes.lines)
    (x,), (y,) = line.get_data()
    return float(x), float(y)


def outline(axes: "Axes") -> set[tuple[tuple[float, float], tuple[float, float]]]:
    """The segments around selected cells."""
    (borders,) = (found for found in axes.collections if found.get_label() == "selected")
    ends = np.concatenate([path.vertices for path in borders.get_paths()]).reshape(-1, 2, 2)
    return {tuple(sorted(map(tuple, segment.tolist()))) for segment in ends}


def words(figure: "Figure") -> str:
    return "\n".join(text.get_text() for text in figure.texts)


def legend(figure: "Figure") -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def chunks(png: bytes) -> list[bytes]:
    names: list[bytes] = []
    place = 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        names.append(png[place + 4 : place + 8])
        place += 12 + length
    return names


# The file


def test_a_png_that_is_small_and_carries_no_metadata() -> None:
    png = draw_selection(svm_grid())

    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert 900 < width <= 980, "so wide Dagster shows it without a scroll bar"
    assert 400 < height < 1200
    assert len(png) < 150_000
    assert set(chunks(png)) == {b"IHDR", b"PLTE", b"IDAT", b"IEND"}


def test_same_bytes_for_the_same_scores_in_any_order_under_any_settings() -> None:
    points = list(itertools.product(powers(-2, 3), powers(-2, 3)))
    shuffled = random.Random(0).sample(points, len(points))
    first = draw_selection(selection_of(SVM, points, svm_correct))

    assert draw_selection(selection_of(SVM, points, svm_correct)) == first
    from matplotlib import rc_context, rcParams

    with rc_context({"axes.grid": True, "lines.linewidth": 9, "font.size": 20}):
        again = draw_selection(selection_of(SVM, shuffled, svm_correct))
        assert rcParams["font.size"] == 20
    assert again == first


def test_importing_does_not_import_matplotlib_and_drawing_does_not_import_pyplot() -> None:
    script = """
import sys
from iris_hpo.reports import figure as figures
assert not [name for name in sys.modules if name.split(".")[0] in ("matplotlib", "PIL")]
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.selection.rules import Scored, select
from iris_hpo.space.axes import Axis; from iris_hpo.space.candidates import ParameterSpace
space = ParameterSpace([Axis("C", "C"), Axis("gamma", "G")])
found = [
    Scored(space.candidate((c, 1.0 + c % 2)), Evaluation(c, {}, None, None, None, (), 0.0, 0))
    for c in (1.0, 2.0, 3.0)
]
figures.draw_selection(select(found, space, "r2", "test_score"))
assert "matplotlib" in sys.modules
assert "matplotlib.pyplot" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# Two axes


def test_test_score_and_cross_validation_side_by_side() -> None:
    figure = make_figure(svm_grid())

    assert titles(figure) == ["test score", "cross-validation mean (2 folds)"]
    left, right = (axes.get_position() for axes in panels(figure))
    assert left.x1 < right.x0
    assert (left.y0, left.y1) == (right.y0, right.y1)
    assert all(cells(axes).shape == (11, 7) for axes in panels(figure))
    assert figure.axes[-1].get_ylabel() == "accuracy"


@pytest.mark.parametrize("rule", ["cv", "one_standard_error"])
def test_only_the_panel_that_ranks_under_the_other_rules(rule: str) -> None:
    assert titles(make_figure(svm_grid(rule))) == ["cross-validation mean (2 folds)"]


def test_only_test_scores_without_folds() -> None:
    assert titles(make_figure(svm_grid(folds=()))) == ["test score"]


def test_title_names_axes_scoring_champion_and_rule() -> None:
    selection = svm_grid()
    text = words(make_figure(selection))

    assert "accuracy by C and gamma" in text
    assert f"champion {selection.champion.candidate.key}: test 1.000" in text
    assert f"{len(selection.selected)} of 77 candidates selected by the best test score" in text


def test_title_leads_with_what_is_expected_of_the_champion() -> None:
    selection = replace(svm_grid(), expectation="expect 0.93, between 0.88 and 0.98 (95 %)")
    text = words(make_figure(selection))

    key = selection.champion.candidate.key
    assert f"champion {key}: expect 0.93, between 0.88 and 0.98 (95 %)" in text
    assert text.index("expect 0.93") < text.index("test 1.000")


def test_a_long_key_is_wrapped_and_complete() -> None:
    space = ParameterSpace([KERNEL, C])
    names = ["a" * 90, "b" * 90]
    selection = selection_of(space, list(itertools.product(names, (1.0, 2.0))), lambda *_: 20)
    figure = make_figure(selection)

    assert selection.champion.candidate.key in words(figure).replace("\n", "")
    assert max(map(len, words(figure).splitlines())) < 110


def test_cells_ascend_upwards_by_the_first_axis_and_rightwards_by_the_second() -> None:
    points: list[Point] = [(10.0, 0.1), (2.0, 0.1), (10.0, 0.02), (2.0, 0.02)]
    correct = {(2.0, 0.02): 3, (2.0, 0.1): 6, (10.0, 0.02): 9, (10.0, 0.1): 12}
    selection = selection_of(SVM, points, lambda *point: correct[point], folds=())
    (axes,) = panels(make_figure(selection))

    assert cells(axes).tolist() == [[0.1, 0.2], [0.3, 0.4]]
    assert axes.get_ylim() == (-0.5, 1.5)
    assert axes.get_xlim() == (-0.5, 1.5)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["2", "10"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.02", "0.1"]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("C", "gamma")


def test_missing_combinations_are_blank_and_hatched() -> None:
    points: list[Point] = [(1.0, 0.1), (1.0, 0.2), (2.0, 0.1), (3.0, 0.15)]
    figure = make_figure(selection_of(SVM, points, lambda *_: 10))

    for axes in panels(figure):
        assert np.ma.getmaskarray(cells(axes)).tolist() == [
            [False, True, False],
            [False, True, True],
            [True, False, True],
        ]
        assert axes.patch.get_hatch()
        assert len(axes.texts) == 4
    assert "no score" in legend(figure)


def test_a_full_grid_has_no_hatch() -> None:
    figure = make_figure(svm_grid())

    assert not any(axes.patch.get_hatch() for axes in panels(figure))
    assert legend(figure) == ["champion", "selected"]


def test_a_missing_cross_validation_is_blank_in_its_panel_only() -> None:
    points: list[Point] = list(itertools.product((1.0, 2.0), (1.0, 2.0)))
    found = scored(SVM, points, lambda c, g: int(c * 4 + g))
    found[0] = scored(SVM, points[:1], lambda c, g: int(c * 4 + g), folds=())[0]
    selection = select(found, SVM, "accuracy", "test_score")
    test, cv = panels(make_figure(selection))

    assert not np.ma.is_masked(cells(test))
    assert np.ma.getmaskarray(cells(cv)).tolist() == [[True, False], [False, False]]


def test_the_star_lies_in_the_cell_of_the_champion() -> None:
    selection = svm_grid()
    champion = selection.champion.candidate.values
    row, column = powers(-5, 16, 2).index(champion[0]), powers(-9, 4, 2).index(champion[1])

    for axes in panels(make_figure(selection)):
        x, y = star(axes)
        assert x == column
        assert row < y < row + 0.5  # above the written score
        (text,) = (
            text
            for text in axes.texts
            if text.get_position()[0] == x and row - 0.5 < text.get_position()[1] < row
        )
        assert text.get_text() == f"{cells(axes)[row, column]:.3f}"


def test_selected_cells_are_outlined_as_one_region() -> None:
    points: list[Point] = list(itertools.product((1.0, 2.0, 3.0), (1.0, 2.0, 3.0)))
    best = {(2.0, 2.0), (2.0, 3.0)}
    selection = selection_of(SVM, points, lambda *point: 30 if point in best else 20)

    for axes in panels(make_figure(selection)):
        assert outline(axes) == {
            ((0.5, 0.5), (1.5, 0.5)),
            ((1.5, 0.5), (2.5, 0.5)),
            ((0.5, 1.5), (1.5, 1.5)),
            ((1.5, 1.5), (2.5, 1.5)),
            ((0.5, 0.5), (0.5, 1.5)),
            ((2.5, 0.5), (2.5, 1.5)),
        }


def test_scores_are_written_in_a_colour_that_contrasts() -> None:
    (axes,) = panels(make_figure(svm_grid(folds=())))
    colors = {text.get_text(): text.get_color() for text in axes.texts}

    assert len(axes.texts) == 77
    assert colors["0.333"] == "white"
    assert colors["1.000"] != "white"


def test_a_large_grid_is_not_written_and_its_labels_are_thinned() -> None:
    points = list(
        itertools.product(
            np.geomspace(0.01, 1e4, 200).tolist(), np.geomspace(1e-4, 10, 150).tolist()
        )
    )
    selection = selection_of(SVM, points, svm_correct)
    figure = make_figure(selection)

    for axes in panels(figure):
        assert cells(axes).shape == (200, 150)
        assert not axes.texts
        assert 5 <= len(axes.get_xticks()) <= 20
        assert 5 <= len(axes.get_yticks()) <= 30
    x, y = star(panels(figure)[0])
    assert cells(panels(figure)[0])[int(y), int(x)] == selection.champion.evaluation.score
    assert max(figure.get_size_inches()) < 16


def test_random_candidates_are_points_because_cells_would_be_specks() -> None:
    draws = np.random.default_rng(0).uniform(0.1, 10, (100, 2)).tolist()
    selection = selection_of(SVM, [tuple(draw) for draw in draws], svm_correct, folds=())
    figure = make_figure(selection)
    (axes,) = panels(figure)

    (points,) = drawn(axes, "PathCollection")
    assert not drawn(axes, "QuadMesh")
    assert len(points.get_offsets()) == 100
    assert "no score" not in legend(figure)


def test_two_candidates() -> None:
    selection = selection_of(SVM, [(1.0, 0.1), (2.0, 0.2)], lambda c, _: int(c * 10))
    test, _ = panels(make_figure(selection))

    assert cells(test).tolist() == [[10 / 30, None], [None, 20 / 30]]
    assert star(test)[0] == 1


def test_equal_scores() -> None:
    points = list(itertools.product((1.0, 2.0), (1.0, 2.0)))
    selection = selection_of(SVM, points, lambda *_: 30, folds=(0.0, 0.0))
    figure = make_figure(selection)

    assert figure.axes[-1].get_yticks().tolist() == [1.0]
    assert draw_selection(selection).startswith(b"\x89PNG")


def numbers(space: ParameterSpace, scores: Sequence[float]) -> Selection:
    """A search whose objective gives numbers."""
    grid = space.grid([[1.0, 2.0]] * len(space.axes))
    entries = [Scored(each, Evaluation(scores[at % len(scores)])) for at, each in enumerate(grid)]
    return select(entries, space, "value", "own_score")


@pytest.mark.parametrize(
    "scores", [(2.0**1023,), (2.0**1023, -(2.0**1023), 0.0)], ids=["one", "far apart"]
)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_scores_that_are_too_large_to_draw_are_drawn_at_the_end(
    axes: int, scores: Sequence[float]
) -> None:
    space = ParameterSpace([C, GAMMA, Axis("third", "T")][:axes])
    selection = numbers(space, scores)

    assert draw_selection(selection).startswith(b"\x89PNG")
    assert "scores beyond 1e+150 are drawn as 1e+150" in words(make_figure(selection))


@pytest.mark.parametrize("scores", [(1e-320, 5e-324, 0.0), (1.0, np.nextafter(1.0, 2.0))])
def test_scores_that_hardly_differ_are_drawn(scores: Sequence[float]) -> None:
    selection = numbers(SVM, scores)

    assert draw_selection(selection).startswith(b"\x89PNG")
    assert "beyond" not in words(make_figure(selection))


def test_any_values_are_drawn() -> None:
    flag = Axis("probability", "P", type="bool")
    depth = Axis("depth", "D", type="int", nullable=True)
    space = ParameterSpace([KERNEL, flag, depth])
    kernels = [None, "none", "", "a$b$_{c}", "two\nlines", "核" * 10]
    points = list(itertools.product(kernels, (True, False), (None, 10, 9)))
    selection = selection_of(space, points, lambda kernel, *_: len(kernel or "x"))
    figure = make_figure(selection)

    labels = [label.get_text() for label in panels(figure)[1].get_xticklabels()]
    assert labels == ["none", "''", "a$b$_{c}", "'none'", "'two\\nlines'", "核" * 10]
    assert [label.get_text() for label in panels(figure)[1].get_yticklabels()] == [
        "none",
        "9",
        "10",
    ]
    assert draw_selection(selection).startswith(b"\x89PNG")


# One axis


def line(
    values: Sequence[Value], axis: Axis = C, scoring: str = "accuracy", rule: str = "test_score"
) -> "Axes":
    space = ParameterSpace([axis])
    correct = {value: 10 + index for index, value in enumerate(values)}
    selection = selection_of(
        space,
        [(value,) for value in values],
        lambda value: correct[value],
        rule=rule,
        scoring=scoring,
    )
    (axes,) = make_figure(selection).axes
    return axes


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([0.1, 1.0, 11.0], "log"),
        ([0.1, 1.0, 10.0], "linear"),
        ([1.0, 2.0, 3.0], "linear"),
    ],
)
def test_logarithmic_when_values_span_more_than_a_factor_of_100(
    values: list[Value], scale: str
) -> None:
    assert line(values).get_xscale() == scale


def test_linear_when_a_value_is_not_positive() -> None:
    assert line([0.0, 1.0, 1000.0], Axis("shift", "S")).get_xscale() == "linear"


def test_a_line_for_each_kind_of_score_in_the_order_of_the_values() -> None:
    axes = line([100.0, 1.0, 10.0])
    test, cv = (found for found in axes.lines if str(found.get_label()).count(","))

    assert test.get_xdata().tolist() == [1.0, 10.0, 100.0]
    assert test.get_ydata().tolist() == pytest.approx([11 / 30, 12 / 30, 10 / 30])
    assert cv.get_ydata().tolist() == pytest.approx(
        [11 / 30 - 0.02, 12 / 30 - 0.02, 10 / 30 - 0.02]
    )
    assert test.get_linestyle() == cv.get_linestyle() == "-"
    assert test.get_label() == "test score, 95 % interval"
    assert cv.get_label() == "cross-validation mean (2 folds), ± standard deviation"


def test_the_band_is_the_interval_of_the_test_score() -> None:
    (band,) = drawn(line([1.0, 2.0]), "PolyCollection")
    heights = band.get_paths()[0].vertices[:, 1]

    assert heights.min() == pytest.approx(wilson_interval(10, TOTAL)[0])
    assert heights.max() == pytest.approx(wilson_interval(11, TOTAL)[1])


def test_another_scoring_has_no_band_because_the_interval_is_for_accuracy() -> None:
    axes = line([1.0, 2.0], scoring="f1_macro")

    assert not drawn(axes, "PolyCollection")
    assert axes.get_ylabel() == "f1_macro"


def test_the_marks_are_on_the_score_that_ranks() -> None:
    assert star(line([1.0, 2.0])) == (2.0, 11 / 30)
    assert star(line([1.0, 2.0], rule="cv")) == (2.0, pytest.approx(11 / 30 - 0.02))


def test_other_selected_candidates_are_circled() -> None:
    space = ParameterSpace([C])
    selection = selection_of(space, [(1.0,), (2.0,), (3.0,)], lambda c: 10 if c == 1 else 20)
    (axes,) = make_figure(selection).axes
    (circles,) = (found for found in axes.lines if found.get_label() == "also selected")

    assert star(axes) == (2.0, 20 / 30)
    assert circles.get_xdata().tolist() == [3.0]


@pytest.mark.parametrize(
    ("axis", "values", "labels"),
    [
        (KERNEL, ["rbf", None, "linear"], ["none", "linear", "rbf"]),
        (Axis("shrinking", "S", type="bool"), [True, False], ["false", "true"]),
        (Axis("depth", "D", type="int", nullable=True), [10, 9, None], ["none", "9", "10"]),
    ],
)
def test_categories_are_points(axis: Axis, values: list[Value], labels: list[str]) -> None:
    axes = line(values, axis)

    assert [label.get_text() for label in axes.get_xticklabels()] == labels
    assert {found.get_linestyle() for found in axes.lines} == {"None"}


# Three axes and more


def test_three_axes_make_the_lower_triangle_of_pairs() -> None:
    space = ParameterSpace([C, GAMMA, KERNEL])
    points = list(itertools.product((1.0, 2.0), (0.1, 0.2, 0.3), ("linear", "rbf")))
    correct = {point: index for index, point in enumerate(points, start=1)}
    selection = selection_of(space, points, lambda *point: correct[point])
    figure = make_figure(selection)
    gamma_c, kernel_c, kernel_gamma = (axes for axes in figure.axes[:3])

    assert len(figure.axes) == 4  # with the colour bar
    assert (gamma_c.get_ylabel(), kernel_c.get_ylabel()) == ("gamma", "kernel")
    assert (kernel_c.get_xlabel(), kernel_gamma.get_xlabel()) == ("C", "gamma")
    assert (cells(gamma_c) * TOTAL).round().tolist() == [[2, 8], [4, 10], [6, 12]]
    assert (cells(kernel_c) * TOTAL).round().tolist() == [[5, 11], [6, 12]]
    assert (cells(kernel_gamma) * TOTAL).round().tolist() == [[7, 9, 11], [8, 10, 12]]
    assert [star(axes)[0] for axes in (gamma_c, kernel_c, kernel_gamma)] == [1, 1, 2]
    assert "the best test score over the other axes" in words(figure)


def test_an_axis_with_one_value_is_not_drawn() -> None:
    space = ParameterSpace([C, GAMMA, KERNEL])
    points: list[Point] = [(c, 0.1, kernel) for c in (1.0, 2.0) for kernel in ("linear", "rbf")]
    test, _ = panels(make_figure(selection_of(space, points, lambda *_: 10)))

    assert (test.get_ylabel(), test.get_xlabel()) == ("C", "kernel")


def test_of_more_than_five_axes_the_five_that_matter_most() -> None:
    names = "ABCDEFG"
    space = ParameterSpace([Axis(f"axis{name}", name, type="int") for name in names])
    weights = (3, 0, 4, 1, 5, 6, 2)
    points = list(itertools.product((0, 1), repeat=len(names)))
    selection = selection_of(space, points, lambda *point: int(np.dot(weights, point)))
    figure = make_figure(selection)

    assert len(figure.axes) == 10 + 1
    assert "accuracy by pairs of axisA, axisC, axisE, axisF, axisG" in words(figure)
    assert "5 of 7 varying axes" in words(figure)


# No axis


def test_a_single_candidate_is_written() -> None:
    selection = selection_of(SVM, [(1.0, 0.1)], lambda *_: 29)
    figure = make_figure(selection)

    assert not figure.axes
    assert "C1.0_G0.1: test 0.967" in words(figure)
    assert draw_selection(selection).startswith(b"\x89PNG")


# Labels, formats, colours


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0.5, 1.0, 32768.0], ["0.5", "1", "32768"]),
        ([1e-5, 1e7, 0.001], ["1e-5", "1e7", "0.001"]),
        ([0.12345, 0.12346], ["0.12345", "0.12346"]),
        ([None, True, False, "rbf"], ["none", "true", "false", "rbf"]),
        (["x" * 50, "y"], ["x" * 19 + "…", "y"]),
    ],
)
def test_value_labels_are_brief_and_distinct(values: list[Value], labels: list[str]) -> None:
    assert value_labels(values) == labels


@pytest.mark.parametrize(
    ("scores", "form"),
    [
        ([0.9, 0.95, 1.0], ".3f"),
        ([0.5, 0.99991, 0.99994], ".5f"),
        ([0.5, 0.5], ".3f"),
        ([0.0, 0.0], ".3f"),
        ([-5000.0, -26.4, -26.2], ".2f"),
        ([-2e6, -1e6], ".2e"),
    ],
)
def test_scores_are_written_so_that_the_better_ones_differ(scores: list[float], form: str) -> None:
    assert score_format(np.array(scores)) == form


def test_a_bad_corner_does_not_take_the_colours_of_good_scores() -> None:
    scale = color_scale(np.array([0.33] * 40 + [0.90, 0.94, 0.96, 0.97, 0.98] * 8))

    assert (scale.low, scale.high, scale.clipped) == (0.33, 0.98, False)
    assert ((0.90 - 0.33) / 0.65) ** scale.power < 0.7


def test_even_scores_have_an_even_scale() -> None:
    scale = color_scale(np.linspace(0, 1, 101))

    assert (scale.low, scale.high, scale.clipped) == (0.0, 1.0, False)
    assert scale.power == pytest.approx(1)


def test_a_disaster_shares_the_lowest_colour() -> None:
    scale = color_scale(np.array([-1e9, 0.5, 0.6, 0.7, 0.8]))

    assert scale.clipped
    assert -10 < scale.low < 0.5


def test_scores_that_tie_have_one_colour() -> None:
    scale = color_scale(np.array([0.5, 0.5 + 1e-16, np.nan]))

    assert scale.low == scale.high


def test_spaced_keeps_the_last_place() -> None:
    assert spaced([0.0, 0.1, 0.2, 0.35, 0.4], 0.2) == [0, 2, 4]


def test_a_map_of_a_value_that_a_candidate_does_not_have_says_so() -> None:
    space = ParameterSpace([KERNEL, Axis("gamma", "G", when={"kernel": "rbf"})])
    points: list[Point] = [("linear", 0.0), *(("rbf", gamma) for gamma in (0.1, 1.0, 10.0))]
    figure = make_figure(selection_of(space, points, lambda _, gamma: 20 + int(gamma > 0.5)))

    (panel, *_) = panels(figure)
    assert [label.get_text() for label in panel.get_xticklabels()] == ["absent", "0.1", "1", "10"]
    assert np.ma.getmaskarray(cells(panel)).sum() == 4
