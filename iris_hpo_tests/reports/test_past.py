"""The page's section on past selections."""

import re

from iris_hpo.reports.past import PastSelection, past_section


def test_each_selection_is_a_row_with_the_champion_before() -> None:
    past = [
        PastSelection(
            "2026-01-02 10:00", "B", "expect 0.9", "run2", "cv", "a" * 64, "better than A"
        ),
        PastSelection("2026-01-01 10:00", "A", "expect 0.8", "run1"),
    ]

    section = past_section(past)

    assert section.startswith('<section id="past">')
    _, *rows = re.findall(r"<tr>(.*)</tr>", section)
    cells = [re.sub("<[^>]*>", "", cell) for cell in re.split("(?=<td)", rows[0])[1:]]
    assert cells == [
        *("2026-01-02 10:00", "B", "expect 0.9", "better than A", "cv"),
        *("aaaaaaaaaaaa", "run2"),
    ]
    assert "A" in rows[1]
    assert past_section([]) == ""
