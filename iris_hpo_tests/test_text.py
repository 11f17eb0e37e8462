"""Texts of others are shown where they can do no harm."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iris_hpo.text import clean


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
