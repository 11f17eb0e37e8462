"""Draw the picture of the results: the seconds of each contestant."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.compare import Results, Spread, number
from benchmarks.work import OURS, WALL, WHOLE, Work

_DWARFS: Final = 5
_CUT_AT: Final = 2

_OURS: Final = "#c2410c"
_OURS_ALSO: Final = "#fdba74"
_OTHERS: Final = "#64748b"
_INK: Final = "#1e293b"


def draw(path: Path, works: Sequence[Work], results: Sequence[Results]) -> None:
    """Draw a panel per work, the fastest contestant on top.

    Only contestants that did the whole work are shown.
    """
    from matplotlib.figure import Figure

    panels = [sorted(_times(each).items(), key=lambda item: item[1].median) for each in results]
    figure = Figure(figsize=(9, 0.42 * sum(map(len, panels)) + 1.1 * len(panels)), dpi=120)
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=list(map(len, panels)))
    for ax, panel, work in zip(axes.flat, panels, works, strict=True):
        ax.set_title(work.name, loc="left", fontsize=11, fontweight="bold", color=_INK)
        limit = bar_limit([spread.median for _, spread in panel])
        for place, (name, spread) in enumerate(panel):
            is_cut = spread.median > limit
            ax.barh(place, min(spread.median, limit), height=0.62, color=_colour(name))
            if is_cut:
                ax.text(0.93 * limit, place, "//", color="white", va="center", fontsize=14)
            else:
                ax.plot([spread.low, spread.high], [place, place], color=_INK, linewidth=1)
            ax.annotate(
                f"{number(spread.median)} s{', cut' if is_cut else ''}",
                (min(spread.high, limit), place),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
                color=_INK,
            )
        ax.set_yticks(range(len(panel)), [name for name, _ in panel], fontsize=9)
        for label, (name, _) in zip(ax.get_yticklabels(), panel, strict=True):
            label.set_fontweight("bold" if name == OURS else "normal")
        ax.set_ylim(len(panel) - 0.5, -0.5)
        ax.set_xlim(0, 1.12 * min(limit, max(spread.high for _, spread in panel)))
        ax.spines[["top", "right", "bottom"]].set_visible(False)
        ax.tick_params(length=0)
        ax.set_xticks([])
    figure.suptitle(
        "Seconds from a cold process to the leaderboard; shorter is better",
        x=0.02,
        ha="left",
        fontsize=12,
        color=_INK,
    )
    figure.tight_layout(rect=(0, 0, 1, 0.98))
    figure.savefig(path)


def bar_limit(ordered: Sequence[float]) -> float:
    """Length at which a last bar is cut if it would dwarf the others."""
    *rest, last = ordered
    return _CUT_AT * rest[-1] if rest and last > _DWARFS * rest[-1] else math.inf


def _times(results: Results) -> dict[str, Spread]:
    """Times of the contestants that scored all candidates, or extrapolate that time."""
    candidates = len(results.runs[OURS][0].scores)
    times: dict[str, Spread] = {}
    for name, runs in results.runs.items():
        figure = WHOLE if WHOLE in runs[0].figures else WALL
        if figure == WHOLE or len(runs[0].scores) == candidates:
            times[name] = Spread.of(results.values(name, figure))
    return times


def _colour(name: str) -> str:
    if name == OURS:
        return _OURS
    return _OURS_ALSO if name.startswith(OURS) else _OTHERS
