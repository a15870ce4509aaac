"""Which years each source covers, and which years each study asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foedus.report.draw import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EARLIEST = 1800
"""The axis begins here at the earliest; the years beside a bar say where it truly begins."""

Span = tuple[str, int, int]


def draw(sources: Sequence[Span], studies: Sequence[Span]) -> Figure | None:
    """Draw spans (name, first year, last year) of sources above those of studies."""
    if not sources:
        return None
    parts = [("Sources", sources, style.BLUE), ("Studies", studies, style.RED)]
    shown = [part for part in parts if part[1]]
    heights = [len(spans) * 0.19 + 0.2 for _, spans, _ in shown]
    drawing = style.figure(sum(heights) + 0.75)
    axes = drawing.subplots(len(shown), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for (title, spans, colour), one in zip(shown, axes, strict=True):
        _spans(one, spans, colour)
        one.set_title(title)
        one.tick_params(axis="x", length=0)
    years = [year for _, spans, _ in shown for span in spans for year in span[1:]]
    axes[-1].set_xlim(max(min(years), EARLIEST) - 2, max(years) + 24)
    axes[-1].set_xlabel("year")
    return drawing


def _spans(axes: Axes, spans: Sequence[Span], colour: str) -> None:
    style.rows_axis(axes, [style.wrap(name, 38, 1) for name, _, _ in spans], 7.0)
    for place, (_, first, last) in enumerate(spans):
        axes.barh([place], [last + 1 - first], left=[first], height=0.5, color=colour)
        axes.annotate(
            f"{first}–{last}", (last + 1, place), xytext=(3, 0), textcoords="offset points",
            va="center", fontsize=6.2, color=style.MUTED,
        )  # fmt: skip
