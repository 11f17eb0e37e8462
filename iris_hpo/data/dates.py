"""Dates in cells: days since 1970-01-01, whatever the order in which a date is written."""

import re
from collections.abc import Sequence
from datetime import datetime, time
from functools import lru_cache
from typing import Final

import numpy as np

DATES: Final = {
    "date": ("year", "month", "day"),
    "date (month first)": ("month", "day", "year"),
    "date (day first)": ("day", "month", "year"),
}
"""Kinds of dates, and the order of their parts."""

_MONTHS: Final = tuple(
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
_PART: Final = r"(\d{1,4}|[A-Za-z]{3,9})"
_DATE: Final = re.compile(
    rf"{_PART}(?:[-/.]|\.?,? ){_PART}(?:(?:[-/.]|\.?,? )(\d{{1,4}}))?"
    r"(?:[ T](\d?\d:\d\d[\d:.]*)(?: ?([AaPp])[Mm]| ?(Z|UTC|GMT|[+-]\d\d:?\d\d))?)?",
    re.ASCII,
)
_ISO: Final = re.compile(
    r"(?:[1-9]\d{3}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?(?:\n|\Z))+", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - dates in tables have no time zone


def all_days(cells: Sequence[str], kind: str) -> list[float] | None:
    """Days since 1970-01-01 of each cell; None if one is not a date of the kind."""
    if days_of(cells[0], kind) is None:
        return None
    if kind == "date" and _ISO.fullmatch("\n".join(cells)):
        try:
            moments = np.array(cells, dtype="datetime64[us]")
        except ValueError:  # such as a month 13
            return None
        days: list[float] = (moments.astype(np.int64) / 1_000_000 / 86_400).tolist()
        return days
    days = list[float]()
    for cell in cells:
        if (day := days_of(cell, kind)) is None:
            return None
        days.append(day)
    return days


def days_of(cell: str, kind: str) -> float | None:
    """Days since 1970-01-01; None if it is not a date of the kind.

    A month may be a name, such as ``Jan``, and a date that begins with the year may have no day.
    """
    matched = _DATE.fullmatch(cell)
    if matched is None:
        return None
    *date, hour, half, zone = matched.groups()
    try:
        day = _day(*date, kind)
        at = _time(hour, half or "") if hour else time()
    except ValueError:
        return None
    seconds = (datetime.combine(day, at) - _EPOCH).total_seconds()
    return (seconds - _seconds_ahead(zone or "")) / 86_400


def _time(text: str, half: str) -> time:
    """Read a time, of half a day if ``half`` is the letter of AM or PM."""
    at = time.fromisoformat(text if text[1].isdigit() else f"0{text}")
    if not half:
        return at
    if not 1 <= at.hour <= 12:
        raise ValueError(text)
    return at.replace(hour=at.hour % 12 + 12 * (half in "pP"))


def _seconds_ahead(zone: str) -> int:
    """Seconds by which a time zone such as ``+02:00`` is ahead of UTC; 0 for a name of UTC."""
    if zone[:1] not in ("+", "-"):
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return 60 * minutes if zone[0] == "+" else -60 * minutes


@lru_cache(maxsize=10_000)
def _day(first: str, second: str, third: str | None, kind: str) -> datetime:
    """Read the parts of a date; many times share a day."""
    parts = dict(zip(DATES[kind], (first, second, third), strict=True))
    if kind == "date":
        parts["day"] = parts["day"] or "1"
    year, day = int(parts["year"] or ""), int(parts["day"] or "")
    if year < 1000:  # two digits have no century
        raise ValueError(year)
    return datetime(year, _month(parts["month"] or ""), day)  # noqa: DTZ001 - as above


def _month(text: str) -> int:
    """Read a month: a number, or a name, which may be cut after three letters."""
    names = [at for at, name in enumerate(_MONTHS, 1) if name.startswith(text.lower())]
    return names[0] if names else int(text)
