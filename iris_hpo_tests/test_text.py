"""Texts of others are shown where they can do no harm."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iris_hpo import text as texts
from iris_hpo.machine import lack_of_temporary_room
from iris_hpo.text import clean, counted, one_line, quote_cell, readable, unquote_cell


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("a\rb", r"a\rb"),
        ("abc\u202edef\u2066", r"abc\u202edef\u2066"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("line\u2028break", r"line\u2028break"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("file\udcff", r"file\udcff"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("Żółć, 日本\u3000語, 12\u00a0kg", "Żółć, 日本\u3000語, 12\u00a0kg"),
        (
            "\u0645\u06cc\u200c\u062e\u0648, 👩\u200d🔬",
            "\u0645\u06cc\u200c\u062e\u0648, 👩\u200d🔬",
        ),
    ],
)
def test_what_a_terminal_obeys_is_escaped(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(st.text(st.characters(codec=None)))
def test_no_text_is_obeyed_and_cleaning_again_changes_nothing(text: str) -> None:
    shown = clean(text)
    kept = set(shown) - set("\n\t\u200c\u200d")
    assert not {unicodedata.category(one) for one in kept} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert clean(shown) == shown
    shown.encode()


LONG = st.builds(
    lambda word, times, end: word * times + end,
    st.text(st.characters(codec=None), min_size=1, max_size=5),
    st.integers(1, 20_000),
    st.text(max_size=5),
)


@given(LONG)
def test_a_message_is_short_and_stays_as_it_is(text: str) -> None:
    shown = readable(text)
    lines = shown.split("\n")
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 2_000
    assert max(map(len, shown.split()), default=0) <= 300
    assert readable(shown) == shown == clean(shown)
    if len(text) <= 300:
        assert shown == clean(text) or len(clean(text)) > 300


def test_what_is_long_keeps_its_beginning_and_its_end() -> None:
    word = readable(f"the value {'L' * 20_000} of d.csv: write another")
    assert word.startswith("the value LLL")
    assert word.endswith("LLL of d.csv: write another")
    assert len(word) < 400
    line = readable("begin " + "many words " * 2_000 + "end")
    assert line.startswith("begin many")
    assert line.endswith("words end")
    lines = readable("\n".join(map(str, range(1_000)))).split("\n")
    assert lines[:2] == ["0", "1"]
    assert lines[-1] == "999"
    assert "... (941 lines left out)" in lines


CELLS = st.text() | st.from_regex(r"\A'{0,3}\s*[=+\-@\uff1d].{0,5}\Z")


@given(CELLS)
def test_a_cell_read_back_is_the_text(text: str) -> None:
    assert unquote_cell(quote_cell(text)) == text


@given(CELLS, CELLS)
def test_two_texts_have_two_cells(one: str, other: str) -> None:
    assert (quote_cell(one) == quote_cell(other)) == (one == other)


@given(CELLS)
def test_no_cell_begins_with_a_formula(text: str) -> None:
    """Numbers may have a sign, and a sign alone is no formula."""
    cell = quote_cell(text)
    begins = cell.lstrip()[:1] in {*"=+-@\uff1d\uff0b\uff0d\uff20"} and len(cell.lstrip()) > 1
    if begins:
        float(cell)


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0 axes"), (1, "1 axis"), (2, "2 axes"), (10_000, "10,000 axes")]
)
def test_a_count_of_one_has_a_singular(number: int, shown: str) -> None:
    assert counted(number, "axis", "axes") == shown
    assert counted(number, "row").endswith("row") == (number == 1)


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "@SUM(A1)", "+1+1", "-x", " =1", "\t=1"])
def test_a_formula_has_an_apostrophe(text: str) -> None:
    assert quote_cell(text) == f"'{text}"
    assert quote_cell(f"'{text}") == f"''{text}"


@pytest.mark.parametrize("text", ["-1.5", "+2e-3", "it's", "'quoted'", "-", "a=b", ""])
def test_other_texts_are_their_own_cells(text: str) -> None:
    assert quote_cell(text) == unquote_cell(text) == text


def test_of_an_endless_text_little_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def escape(character: str) -> str:
        seen.append(character)
        return character

    monkeypatch.setattr(texts, "_escape_unprintable", escape)

    shown = readable("begin\n" + "\x1b\n" * 500_000 + "end")

    assert len(seen) < 200_000
    assert shown.startswith("begin\n")
    assert "(499,943 lines left out)" in shown
    assert shown.endswith("\nend")


def test_of_an_endless_error_one_line_is_made_of_begin_and_end() -> None:
    line = one_line(RuntimeError("begin\n" + "a b\n" * 500_000 + "end"))

    assert len(line) < 200_000
    assert line.startswith("begin a b ")
    assert line.endswith("a b end")


class UnwritableError(RuntimeError):
    def __str__(self) -> str:
        raise self


def test_an_error_that_cannot_be_written_is_empty_and_no_lack_of_room() -> None:
    assert one_line(UnwritableError()) == ""
    assert lack_of_temporary_room(UnwritableError()) is None
