"""The specification curve: every defensible specification, sorted, and the choices that make it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from foedus.report.draw import style
from foedus.report.inputs import Curve, Study
from foedus.report.numbers import is_number
from foedus.report.rows import Z95

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_LEVELS = 40


def main_rows(study: Study, curve: Curve) -> list[Mapping[str, Any]]:
    """Return the specifications of the study's leading term, sorted by estimate."""
    pairs = [(row.get("model"), row.get("term")) for row in curve.rows]
    wanted: tuple[Any, Any] = pairs[0]
    for key in study.key_terms:
        if any(pair in (key, (None, key[1]), (None, None)) for pair in pairs):
            wanted = next(p for p in pairs if p in (key, (None, key[1]), (None, None)))
            break
    rows = [row for row, pair in zip(curve.rows, pairs, strict=True) if pair == wanted]
    return sorted(rows, key=lambda row: (row["estimate"], _text(row, curve.choices)))


def _text(row: Mapping[str, Any], choices: Sequence[str]) -> str:
    return "|".join(str(row.get(name)) for name in choices)


def draw(study: Study) -> Figure | None:
    """Draw sorted estimates above the matrix of choices."""
    if study.curve is None:
        return None
    rows = main_rows(study, study.curve)
    levels = _levels(rows, study.curve.choices)
    deep = sum(len(values) + 0.8 for _, values in levels)
    drawing = style.figure(1.9 + 0.145 * deep + 0.35)
    if not levels:
        _estimates(drawing.subplots(), rows)
        return drawing
    top, bottom = drawing.subplots(2, 1, height_ratios=[1.9, 0.145 * deep], sharex=True)
    _estimates(top, rows)
    _matrix(bottom, rows, levels)
    return drawing


def _levels(
    rows: Sequence[Mapping[str, Any]], choices: Sequence[str]
) -> list[tuple[str, list[str]]]:
    """Return the choices that vary, each with its alternatives, as many as have room."""
    found, room = [], _MOST_LEVELS
    for name in choices:
        values = list(dict.fromkeys(str(row.get(name)) for row in rows))
        if 1 < len(values) <= room:
            found.append((name, sorted(values)))
            room -= len(values)
    return found


def _estimates(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    style.zero_line_across(axes)
    size = max(1.2, min(4.0, 220 / len(rows)))
    for place, row in enumerate(rows):
        p, se = row.get("p_value"), row.get("std_error")
        colour = style.BLUE if is_number(p) and p < 0.05 else style.MUTED
        if is_number(se):
            ends = [row["estimate"] - Z95 * se, row["estimate"] + Z95 * se]
            axes.plot([place, place], ends, color=colour, linewidth=0.7, alpha=0.55)
        axes.plot([place], [row["estimate"]], "o", color=colour, markersize=size)
        if row.get("declared"):
            axes.plot(
                [place], [row["estimate"]], "D", color=style.RED, markersize=6,
                markerfacecolor="none", markeredgewidth=1.3, zorder=5,
            )  # fmt: skip
            axes.annotate(
                "declared", (place, row["estimate"]), xytext=(7, -9), color=style.RED,
                textcoords="offset points", fontsize=7,
            )  # fmt: skip
    axes.set_ylabel("estimate, 95 % interval")
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.grid(axis="y")
    axes.margins(x=0.02)


def _matrix(
    axes: Axes, rows: Sequence[Mapping[str, Any]], levels: Sequence[tuple[str, list[str]]]
) -> None:
    y, ticks = 0.0, []
    size = max(1.0, min(3.2, 200 / len(rows)))
    for name, values in levels:
        ticks.append((y, name.replace("_", " "), True))
        y += 0.9
        for value in values:
            on = [place for place, row in enumerate(rows) if str(row.get(name)) == value]
            axes.plot(on, [y] * len(on), "s", color=style.INK, markersize=size)
            ticks.append((y, value, False))
            y += 0.9
        y += 0.25
    axes.set_yticks([at for at, _, _ in ticks], [style.wrap(t, 34, 1) for _, t, _ in ticks])
    for (_, _, head), label in zip(ticks, axes.get_yticklabels(), strict=True):
        label.set_fontweight("bold" if head else "normal")
        label.set_fontsize(6.8)
    axes.tick_params(axis="y", length=0, pad=4)
    axes.set_ylim(y - 0.3, -0.6)
    axes.set_xticks([])
    axes.set_xlabel("specifications, sorted by estimate (blue: p < .05)")
    for side in axes.spines.values():
        side.set_visible(False)
