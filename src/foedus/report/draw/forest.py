"""Forest plots of a claim: leading estimates in print and rebuilt, their mean, and groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from foedus.report.draw import style
from foedus.report.evidence import Bearing, Point
from foedus.report.numbers import count
from foedus.report.synthesis import Apart, DesignMean, Synthesis, predicted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from foedus.models.pooling import Pooled

Line = Bearing | DesignMean | str
"""A line of the forest plot: an estimate, a design's mean, or a design's name above its own."""
NOT_POOLED = "further leading estimates, in no mean"
MOST_ROWS = 60
MOST_GROUP_ROWS = 16
REACH = 2.6
"""Log odds ratios beyond this (13-fold) leave the axis; an arrow says so."""

TICKS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
NEAR_TICKS = (0.5, 0.6, 0.8, 1.0, 1.25, 1.6, 2.0)
"""Ticks of an axis that reaches less than threefold."""
GROUP_COLOURS = tuple(style.SERIES)
SIDES = "odds ratio · left: against the claim, right: for it"


def draw(found: Synthesis, covariance: str, truth: bool = False) -> Figure | None:
    """Draw every leading estimate of a claim on the common scale, and what has no place on it.

    Parameters
    ----------
    found : Synthesis
    covariance : str
        The report's covariance, for the legend.
    truth : bool
        Whether what stands beside is a simulated world's truth.
    """
    rows = found.evidence.leading[:MOST_ROWS]
    common = _lines([one for one in rows if one.measure is not None], found)
    own = [one for one in rows if one.measure is None]
    if not rows:
        return None
    extra = 1.5 if found.robust is not None else 0.0
    heights = [0.44 * (n + more) + 0.62 for n, more in ((len(common), extra), (len(own), 0.0)) if n]
    drawing = style.figure(sum(heights) + 0.5)
    axes = list(drawing.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0])
    if common:
        _common(axes.pop(0), common, found)
    if own:
        _own(axes.pop(0), own)
    _legend(drawing, rows, covariance, truth, found.robust is not None)
    return drawing


def _lines(rows: Sequence[Bearing], found: Synthesis) -> list[Line]:
    """Return the lines of the plot: estimates, and of several designs also head and mean of each.

    Estimates keep their order within a design; those of a design that isn't pooled stand last.
    """
    means = {(one.kind, one.unit): one for one in found.designs}
    if len(means) < 2:
        return list(rows)
    others = [one for one in rows if one.design not in means]
    lines: list[Line] = []
    for place, mean in means.items():
        lines.append(mean.words)
        lines += [one for one in rows if one.design == place]
        if mean.pooled is not None:
            lines.append(mean)
    if others:
        lines += [NOT_POOLED, *others]
    return lines


def _reach(rows: Sequence[Bearing], mean: Pooled | None) -> float:
    """Return how far the axis goes: to the widest interval, but no farther than REACH."""
    sizes = [0.5]
    for one in rows:
        for point in (one.point, one.published, one.classical):
            if point is not None:
                sizes += [abs(v) for v in (point.value, point.low, point.high) if v is not None]
    if mean is not None:
        sizes += [abs(mean.ci_low), abs(mean.ci_high)]
    sizes += [abs(end) for end in predicted(mean) or ()]
    return min(max(sizes) * 1.05, REACH)


def _common(axes: Axes, lines: Sequence[Line], found: Synthesis) -> None:
    rows = [one for one in lines if isinstance(one, Bearing)]
    reach = _reach(rows, found.robust)
    pooled = {id(one) for one in found.pooled}
    labels = [_line_label(one, pooled, found) for one in lines]
    mean = found.robust
    if mean is not None:
        labels.append(f"Mean of {mean.k} studies")
    style.rows_axis(axes, labels, 7.0)
    style.zero_line(axes)
    for place, one in enumerate(lines):
        if isinstance(one, Bearing):
            _row(axes, one, place, reach)
        elif isinstance(one, str):
            axes.get_yticklabels()[place].set_fontweight("bold")
        elif one.pooled is not None:
            _mean(axes, one.pooled, place, reach)
    if mean is not None:
        _mean(axes, mean, len(lines), reach)
        axes.axhline(len(lines) - 0.5, color=style.MUTED, linewidth=0.6)
    _odds_axis(axes, reach)


def _line_label(one: Line, pooled: set[int], found: Synthesis) -> str:
    if isinstance(one, Bearing):
        return _label(one, id(one) in pooled or found.robust is None)
    if isinstance(one, str):
        return style.wrap(f"{one[:1].upper()}{one[1:]}", 52, 2)
    return f"Mean of {len(one.bearings)} studies of this design"


def _odds_axis(axes: Axes, reach: float) -> None:
    axes.set_xlim(-reach, reach)
    ticks = NEAR_TICKS if reach < math.log(3.0) else TICKS
    shown = [tick for tick in ticks if abs(math.log(tick)) <= reach]
    axes.set_xticks([math.log(tick) for tick in shown], [f"{tick:g}" for tick in shown])
    axes.set_xlabel(SIDES)


def _label(one: Bearing, pooled: bool) -> str:
    mark = "" if pooled else " †"
    return f"{style.wrap(one.short + mark, 44, 1)}\n{style.wrap(one.says, 46, 2)}"


def _row(axes: Axes, one: Bearing, place: int, reach: float) -> None:
    if one.published is not None:
        _point(axes, one.published, place - 0.26, style.INK, "D", reach, hollow=True)
    elif one.printed_sign:
        _sign(axes, one.printed_sign, place - 0.26)
    if one.classical is not None and one.lead != "classical":
        _point(axes, one.classical, place, style.BLUE, "o", reach)
    colour, shape = (style.BLUE, "o") if one.lead == "classical" else (style.RED, "s")
    _point(
        axes, one.point, place + (0.0 if one.lead == "classical" else 0.26), colour, shape, reach
    )


def _point(
    axes: Axes, point: Point, y: float, colour: str, shape: str, reach: float, hollow: bool = False
) -> None:
    low = point.value if point.low is None else point.low
    high = point.value if point.high is None else point.high
    axes.plot(
        [max(low, -reach), min(high, reach)], [y, y], color=colour, linewidth=1.1, zorder=2,
        solid_capstyle="butt",
    )  # fmt: skip
    for end, beyond, arrow in ((reach, high > reach, ">"), (-reach, low < -reach, "<")):
        if beyond:
            axes.plot([end * 0.985], [y], arrow, color=colour, markersize=3.2, zorder=3)
    if abs(point.value) <= reach:
        axes.plot(
            [point.value], [y], shape, color=colour, markersize=4.2, markeredgewidth=1.0,
            markerfacecolor=style.PAPER if hollow else colour, zorder=4,
        )  # fmt: skip


def _sign(axes: Axes, sign: int, y: float) -> None:
    axes.annotate(
        "", xy=(0.0, y), xytext=(18 * sign, 0), textcoords="offset points",
        arrowprops={"arrowstyle": "<|-", "color": style.INK, "linewidth": 0.9, "shrinkA": 0,
                    "shrinkB": 0, "mutation_scale": 7},
    )  # fmt: skip


def _mean(axes: Axes, mean: Pooled, place: int, reach: float) -> None:
    """Draw the mean as a diamond on its interval, with the prediction interval behind it."""
    ends = predicted(mean)
    if ends is not None:
        axes.plot(
            [max(ends[0], -reach), min(ends[1], reach)], [place, place],
            color=style.MUTED, linewidth=1.0, linestyle=(0, (3, 2)), zorder=1,
        )  # fmt: skip
    low, high = max(mean.ci_low, -reach), min(mean.ci_high, reach)
    axes.fill(
        [low, mean.estimate, high, mean.estimate], [place, place - 0.24, place, place + 0.24],
        color=style.GREEN, zorder=3, linewidth=0,
    )  # fmt: skip


def _own(axes: Axes, rows: Sequence[Bearing]) -> None:
    style.rows_axis(axes, [_label(one, True) for one in rows], 7.0)
    style.zero_line(axes)
    values = [1.0]
    for one in rows:
        for point in (one.point, one.published):
            if point is not None:
                values += [abs(v) for v in (point.value, point.low, point.high) if v is not None]
    reach = min(max(values) * 1.1, 12.0)
    for place, one in enumerate(rows):
        _row(axes, one, place, reach)
    axes.set_xlim(-reach, reach)
    axes.set_xlabel("no odds ratio: in the estimate's own standard errors")


def _legend(
    drawing: Figure, rows: Sequence[Bearing], covariance: str, truth: bool, mean: bool
) -> None:
    handles = []
    if any(one.published is not None for one in rows):
        handles.append(style.handle("truth" if truth else "in print", style.INK, "D", True))
    if any(one.published is None and one.printed_sign for one in rows):
        handles.append(style.handle("in print: sign only", style.INK, ">", True))
    if any(one.classical is not None for one in rows):
        handles.append(style.handle("rebuilt, classical errors", style.BLUE, "o"))
    if any(one.lead != "classical" for one in rows):
        name = f"rebuilt, {covariance} (else declared)"
        handles.append(style.handle(name, style.RED, "s"))
    if mean:
        handles.append(style.handle("mean", style.GREEN, "d"))
    style.legend(drawing, handles, "outside upper left", 3)


def draw_groups(apart: Apart) -> Figure | None:
    """Draw each study's estimates by group side by side, and their means below."""
    tests = [test for test, _ in apart.tests][:MOST_GROUP_ROWS]
    names = [one.group for one in apart.means]
    if not tests or not names:
        return None
    slots = len(names)
    step = max(0.4, 0.13 * slots + 0.14)
    drawing = style.figure(step * (len(tests) + 1) + 1.15)
    axes = drawing.subplots()
    labels = [f"{style.wrap(test.short, 44, 1)}\n{style.wrap(test.says, 46, 2)}" for test in tests]
    style.rows_axis(axes, [*labels, "Means"], 7.0)
    style.zero_line(axes)
    values = [0.5]
    for test in tests:
        for one in test.points:
            values += [abs(v) for v in (one.point.value, one.point.low, one.point.high) if v]
    reach = min(max(values) * 1.05, REACH)
    offsets = [(index - (slots - 1) / 2) * 0.74 / slots for index in range(slots)]
    for place, test in enumerate(tests):
        for one in test.points:
            index = names.index(one.group)
            colour, shape = GROUP_COLOURS[index % len(GROUP_COLOURS)]
            _point(axes, one.point, place + offsets[index], colour, shape, reach)
    for index, mean in enumerate(apart.means):
        colour, shape = GROUP_COLOURS[index % len(GROUP_COLOURS)]
        _point(axes, mean.point, len(tests) + offsets[index], colour, shape, reach)
    axes.axhline(len(tests) - 0.5, color=style.MUTED, linewidth=0.6)
    _odds_axis(axes, reach)
    handles = [
        style.handle(name, *GROUP_COLOURS[index % len(GROUP_COLOURS)])
        for index, name in enumerate(names)
    ]
    style.legend(drawing, handles, "outside upper left", 3)
    return drawing


def draw_means(rows: Sequence[tuple[str, Apart]]) -> Figure | None:
    """Draw the means of groups for every claim that has any: do they turn the sign."""
    names = list(dict.fromkeys(one.group for _, apart in rows for one in apart.means))
    names = sorted(names) if all(name[:4].isdigit() for name in names) else names
    if not rows or not names:
        return None
    step = max(0.42, 0.13 * len(names) + 0.14)
    drawing = style.figure(step * len(rows) + 1.05)
    axes = drawing.subplots()
    style.rows_axis(axes, [style.wrap(title, 34, 2) for title, _ in rows], 7.5)
    style.zero_line(axes)
    values = [0.5]
    for _, apart in rows:
        for one in apart.means:
            values += [abs(v) for v in (one.point.value, one.point.low, one.point.high) if v]
    reach = min(max(values) * 1.05, REACH)
    for place, (_, apart) in enumerate(rows):
        for one in apart.means:
            index = names.index(one.group)
            colour, shape = GROUP_COLOURS[index % len(GROUP_COLOURS)]
            y = place + (index - (len(names) - 1) / 2) * 0.74 / len(names)
            _point(axes, one.point, y, colour, shape, reach)
            at = min(max(one.point.high or one.point.value, -reach), reach)
            axes.annotate(
                count(one.k), (at, y), xytext=(4, 0), textcoords="offset points", va="center",
                fontsize=5.6, color=style.MUTED, annotation_clip=False,
            )  # fmt: skip
    _odds_axis(axes, reach)
    handles = [
        style.handle(name, *GROUP_COLOURS[index % len(GROUP_COLOURS)])
        for index, name in enumerate(names)
    ]
    style.legend(drawing, handles, "outside upper left", 4)
    return drawing
