"""The verdict overview: one tile a published number, a row a study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foedus.report.draw import style
from foedus.report.inputs import Study
from foedus.report.verdicts import VERDICTS, Verdict, verdict_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_A_LINE, LEAST_A_LINE = 30, 18


def draw(studies: Sequence[Study], names: Sequence[str]) -> Figure | None:
    """Draw every study's tiles, ordered by verdict, wrapped where there are many.

    Parameters
    ----------
    studies : sequence of Study
    names : sequence of str
        How to call each study on the left.
    """
    order = {verdict.name: place for place, verdict in enumerate(VERDICTS)}
    found = [
        sorted((verdict_of(row.verdict) for row in study.leads), key=lambda one: order[one.name])
        for study in studies
    ]
    kept = [(name, tiles) for name, tiles in zip(names, found, strict=True) if tiles]
    if not kept:
        return None
    longest = max(len(tiles) for _, tiles in kept)
    per_line = max(LEAST_A_LINE, -(-longest // -(-longest // MOST_A_LINE)))
    lines = [-(-len(tiles) // per_line) for _, tiles in kept]
    gap = 0.45
    rows = sum(lines) + gap * (len(kept) - 1)
    tile = 4.2 / per_line
    drawing = style.figure(rows * tile + 0.62)
    axes = drawing.subplots()
    top, ticks = 0.0, []
    for (_, tiles), deep in zip(kept, lines, strict=True):
        _tiles(axes, tiles, top, per_line)
        ticks.append(top + deep / 2)
        top += deep + gap
    axes.set_yticks(ticks, [style.wrap(name, 30, 2) for name, _ in kept])
    axes.set_xlim(-0.2, per_line)
    axes.set_ylim(rows, -0.15)
    axes.set_aspect("equal", anchor="W")
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0, pad=4)
    for side in axes.spines.values():
        side.set_visible(False)
    used = [verdict for verdict in VERDICTS if any(verdict in tiles for _, tiles in kept)]
    _legend(drawing, used)
    return drawing


def _tiles(axes: Axes, tiles: Sequence[Verdict], top: float, per_line: int) -> None:
    for index, verdict in enumerate(tiles):
        _tile(axes, verdict, index % per_line, top + index // per_line)


def _tile(axes: Axes, verdict: Verdict, x: float, y: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    hollow = verdict.colour == style.PAPER
    axes.add_patch(
        FancyBboxPatch(
            (x + 0.07, y + 0.07), 0.86, 0.86, boxstyle="round,pad=0,rounding_size=0.14",
            facecolor=verdict.colour, edgecolor=style.MUTED if hollow else verdict.colour,
            linewidth=0.5,
        )
    )  # fmt: skip
    axes.text(
        x + 0.5, y + 0.5, verdict.sign, ha="center", va="center_baseline", fontsize=6.5,
        color=verdict.ink,
    )  # fmt: skip


def _legend(drawing: Figure, used: Sequence[Verdict]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [], [], marker="s", linestyle="", markersize=6.5, markerfacecolor=verdict.colour,
            markeredgecolor=style.MUTED if verdict.colour == style.PAPER else verdict.colour,
            markeredgewidth=0.5, label=f"{verdict.sign} {verdict.name}",
        )
        for verdict in used
    ]  # fmt: skip
    style.legend(drawing, handles, "outside lower left", 5)
