"""Figures from numbers that a study made ready: tails, rates with intervals, curves, ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from foedus.report.draw import style
from foedus.report.inputs import Study
from foedus.report.numbers import is_number
from foedus.report.rows import Comparison
from foedus.report.verdicts import verdict_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Plot = Mapping[str, Any]
_MOST = 36


def draw(plot: Plot) -> Figure | None:
    """Draw a plot of studies/<id>.json by its type; None for a type or shape it doesn't know."""
    painters = {"tail": _tail, "bars": _bars, "curve": _curve}
    painter = painters.get(str(plot.get("type")))
    return painter(plot) if painter else None


def _numbers(plot: Plot, name: str) -> list[float]:
    """Return a list of numbers, missing ones as NaN so that places keep their meaning."""
    values = plot.get(name)
    if not isinstance(values, list | tuple):
        return []
    return [float(value) if is_number(value) else float("nan") for value in values]


def _text(plot: Plot, name: str, otherwise: str = "") -> str:
    return style.plain(str(plot.get(name) or otherwise))


def _tail(plot: Plot) -> Figure | None:
    values, ccdf = _numbers(plot, "values_x"), _numbers(plot, "ccdf")
    if not values or len(values) != len(ccdf):
        return None
    drawing = style.figure(3.5)
    axes = drawing.subplots()
    axes.loglog(
        values, ccdf, "o", color=style.BLUE, markersize=3.4, markerfacecolor="none",
        markeredgewidth=0.8, label="observed",
    )  # fmt: skip
    fit_x, fit = _numbers(plot, "fit_x"), _numbers(plot, "fit_ccdf")
    if fit_x and len(fit_x) == len(fit):
        axes.loglog(fit_x, fit, color=style.RED, label=_text(plot, "label", "fitted"))
    for index, other in enumerate(plot.get("alternatives") or ()):
        x, y = _numbers(other, "x"), _numbers(other, "ccdf")
        colour = (style.GREEN, style.PURPLE, style.ORANGE)[index % 3]
        if x and len(x) == len(y):
            axes.loglog(x, y, "--", color=colour, linewidth=1.1, label=_text(other, "label"))
    if is_number(xmin := plot.get("xmin")):
        axes.axvline(xmin, color=style.MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
    low = min((value for value in ccdf if value > 0), default=0.001)
    axes.set_ylim(low / 2, 1.6)
    axes.set_xlabel(_text(plot, "xlabel", "size"))
    axes.set_ylabel(_text(plot, "ylabel", "share at least as large"))
    axes.grid(which="major")
    axes.legend(loc="lower left")
    return drawing


def _bars(plot: Plot) -> Figure | None:
    labels = [str(label) for label in plot.get("labels") or ()]
    sides = {name: _numbers(plot, name) for name in ("published", "rebuilt", "ci_low", "ci_high")}
    if not labels or not (
        len(sides["rebuilt"]) == len(labels) or len(sides["published"]) == len(labels)
    ):
        return None
    scale = 100.0 if plot.get("unit") == "share" else 1.0
    drawing = style.figure(len(labels) * (0.42 if len(labels) <= 8 else 0.25) + 0.95)
    axes = drawing.subplots()
    style.rows_axis(axes, [style.wrap(label, 32) for label in _with_n(plot, labels)])
    _bar_rows(axes, plot, sides, len(labels), scale)
    unit = str(plot.get("unit") or "")
    axes.set_xlabel(_text(plot, "xlabel", "percent" if unit == "share" else unit))
    finite = [scale * v for side in sides.values() for v in side if v == v]
    if all(value >= 0 for value in finite):
        axes.set_xlim(0, 100 if scale == 100 and max(finite, default=0) > 50 else None)
    drawing.legend(loc="outside upper left", ncols=2)
    return drawing


def _with_n(plot: Plot, labels: Sequence[str]) -> list[str]:
    sizes = _numbers(plot, "n")
    if len(sizes) != len(labels):
        return list(labels)
    return [
        f"{label} (n = {size:.0f})" if size == size else label
        for label, size in zip(labels, sizes, strict=True)
    ]


def _bar_rows(
    axes: Axes, plot: Plot, sides: Mapping[str, list[float]], rows: int, scale: float
) -> None:
    rebuilt, published = sides["rebuilt"], sides["published"]
    if len(rebuilt) == rows:
        places = [place + 0.17 for place in range(rows)]
        axes.barh(
            places, [scale * value for value in rebuilt], height=0.3, color=style.SKY,
            label=_text(plot, "rebuilt_label", "rebuilt")
            + (", 95 % interval" if sides["ci_low"] else ""),
        )  # fmt: skip
        _whiskers(axes, places, sides["ci_low"], sides["ci_high"], scale, style.BLUE)
    if len(published) == rows:
        places = [place - 0.17 for place in range(rows)]
        axes.barh(
            places, [scale * value for value in published], height=0.3, color=style.SHADE,
            edgecolor=style.INK, linewidth=0.8, label=_text(plot, "published_label", "in print"),
        )  # fmt: skip
        low, high = _numbers(plot, "published_low"), _numbers(plot, "published_high")
        _whiskers(axes, places, low, high, scale, style.INK)


def _whiskers(
    axes: Axes, places: Sequence[float], low: Sequence[float], high: Sequence[float],
    scale: float, colour: str,
) -> None:  # fmt: skip
    if not len(low) == len(high) == len(places):
        return
    for place, start, end in zip(places, low, high, strict=True):
        if start == start and end == end:
            axes.plot([scale * start, scale * end], [place, place], color=colour, linewidth=1.2)


def _curve(plot: Plot) -> Figure | None:
    listed = plot.get("series")
    series = (
        [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else [plot]
    )
    drawing = style.figure(3.1)
    axes = drawing.subplots()
    drawn = 0
    for index, one in enumerate(series):
        x, y = _numbers(one, "x"), _numbers(one, "y")
        if not x or len(x) != len(y):
            continue
        colour = style.SERIES[index % len(style.SERIES)][0]
        low, high = _numbers(one, "lo"), _numbers(one, "hi")
        if len(low) == len(high) == len(x):
            axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
        axes.plot(x, y, color=colour, label=_text(one, "label") or None)
        drawn += 1
    if not drawn:
        return None
    for name, across in (("vline", axes.axvline), ("hline", axes.axhline)):
        if is_number(line := plot.get(name)):
            across(line, color=style.MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
    axes.set_xlabel(_text(plot, "xlabel"))
    axes.set_ylabel(_text(plot, "ylabel"))
    axes.grid(axis="y")
    axes.margins(x=0.02)
    if any(one.get("label") for one in series):
        axes.legend(loc="best")
    return drawing


def ratio_rows(study: Study) -> list[Comparison]:
    """Return published counts, rates and the like beside which a positive rebuilt one stands."""
    untested = ("coefficient", "direction", "hazard_ratio", "odds_ratio", "correlation")
    return [
        row
        for row in study.leads
        if row.quantity not in untested
        and row.published is not None
        and row.rebuilt is not None
        and row.published > 0
        and row.rebuilt > 0
    ]


def ratios(study: Study) -> Figure | None:
    """Draw rebuilt over published for counts, rates and other numbers without a test."""
    rows = ratio_rows(study)[:_MOST]
    if len(rows) < 2:
        return None
    dense = len(rows) > 14
    drawing = style.figure(len(rows) * (0.15 if dense else 0.27) + 0.85)
    axes = drawing.subplots()
    style.rows_axis(axes, [style.wrap(_row_name(study, row), 46, 1) for row in rows], 7.0)
    style.zero_line(axes, 1.0)
    axes.axvspan(0.95, 1.05, color=style.SHADE, zorder=0)
    seen: set[str] = set()
    for place, row in enumerate(rows):
        verdict = verdict_of(row.verdict)
        ratio = row.rebuilt / row.published if row.rebuilt and row.published else 1.0
        axes.plot([1.0, ratio], [place, place], color=style.GRID, linewidth=2.2, zorder=2)
        axes.plot(
            [ratio], [place], "o", color=verdict.colour, markeredgecolor=style.INK,
            markeredgewidth=0.5, markersize=5.5, zorder=3,
            label=None if verdict.name in seen else f"{verdict.sign} {verdict.name}",
        )  # fmt: skip
        seen.add(verdict.name)
    _ratio_scale(axes, [r.rebuilt / r.published for r in rows if r.rebuilt and r.published])
    drawing.legend(loc="outside upper left", ncols=5)
    return drawing


def _row_name(study: Study, row: Comparison) -> str:
    name = study.label(row.term)
    same = [one for one in study.leads if one.term == row.term]
    if len(same) > 1:
        extra = row.model if len({one.model for one in same}) > 1 else row.table
        return f"{name} ({extra})"
    return name


def _ratio_scale(axes: Axes, values: Sequence[float]) -> None:
    """Use a logarithmic axis with plain labels when some ratio is far from one."""
    axes.set_xlabel("rebuilt ÷ published (grey: within 5 percent)")
    if max(values) < 2 and min(values) > 0.5:
        reach = max(0.1, *(abs(value - 1) for value in values)) * 1.15
        axes.set_xlim(1 - reach, 1 + reach)
        return
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log")
    steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]
    axes.set_xlim(min(0.8, *values) / 1.2, max(1.25, *values) * 1.2)
    axes.xaxis.set_major_locator(FixedLocator(steps))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
