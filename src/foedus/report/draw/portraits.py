"""Figures of a study's leading models: how well they predict, who carries them, products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from foedus.report.draw import style
from foedus.report.inputs import Study
from foedus.report.numbers import is_number, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = Mapping[str, Any]
MOST_LEFT_OUT = 14
UNITS = {
    "states": "state", "ccode": "state", "warnum": "war", "atopid": "alliance",
    "dispnum": "dispute",
}  # fmt: skip


def rows_of(study: Study, figure: str, model: str, term: str | None = None) -> list[Row]:
    """Return the points of one figure of one model (and term)."""
    return [
        row
        for row in study.portraits
        if row["figure"] == figure
        and row["model"] == model
        and (term is None or row["term"] == term)
    ]


def models_of(study: Study, figure: str) -> list[str]:
    """Return the models that have a figure, in order."""
    return list(dict.fromkeys(r["model"] for r in study.portraits if r["figure"] == figure))


def terms_of(study: Study, figure: str, model: str) -> list[str]:
    """Return the terms for which a model has a figure, in order."""
    return list(dict.fromkeys(row["term"] for row in rows_of(study, figure, model)))


def performance(study: Study, model: str) -> Figure | None:
    """Draw ROC, precision and recall, calibration, and the separation plot below them."""
    if not rows_of(study, "roc", model):
        return None
    drawing = style.figure(3.3)
    grid = drawing.add_gridspec(2, 3, height_ratios=[2.25, 1.0])
    roc, recall, fit = (drawing.add_subplot(grid[0, place]) for place in range(3))
    strip = drawing.add_subplot(grid[1, :])
    _curve(roc, rows_of(study, "roc", model), "ROC", "false alarms", "events found")
    roc.plot([0, 1], [0, 1], color=style.MUTED, linewidth=0.7, linestyle=(0, (3, 2)))
    _curve(
        recall, rows_of(study, "precision_recall", model), "Precision and recall", "events found",
        "share of alarms that are right",
    )  # fmt: skip
    _calibration(fit, rows_of(study, "calibration", model))
    _separation(strip, rows_of(study, "separation", model))
    return drawing


def _curve(axes: Axes, rows: Sequence[Row], title: str, across: str, up: str) -> None:
    axes.plot([r["x"] for r in rows], [r["y"] for r in rows], color=style.BLUE)
    axes.set_title(title)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, None if title != "ROC" else 1)
    axes.grid()
    axes.locator_params(nbins=3)


def _calibration(axes: Axes, rows: Sequence[Row]) -> None:
    x = [100 * row["x"] for row in rows]
    for row, at in zip(rows, x, strict=True):
        axes.plot([at, at], [100 * row["low"], 100 * row["high"]], color=style.BLUE, linewidth=1.0)
    axes.plot(x, [100 * row["y"] for row in rows], "o", color=style.BLUE, markersize=3.4)
    top = max([*x, *(100 * row["high"] for row in rows)], default=1.0)
    axes.plot([0, top], [0, top], color=style.MUTED, linewidth=0.7, linestyle=(0, (3, 2)))
    axes.set_title("Calibration")
    axes.set_xlabel("predicted, percent")
    axes.set_ylabel("observed, percent")
    axes.grid()
    axes.locator_params(nbins=3)


def _separation(axes: Axes, rows: Sequence[Row]) -> None:
    """Draw rows from the lowest prediction to the highest; the shade says how many are events."""
    positions = [row["x"] for row in rows]
    shares = [row["events"] / row["n"] if row["n"] else 0.0 for row in rows]
    most = max(shares, default=0.0) or 1.0
    # One outline, not a bar a strip: some hundred bars take longer than the rest of the figure.
    edges = [place / max(len(rows), 1) for place in range(len(rows) + 1)]
    axes.stairs([share / most for share in shares], edges, color=style.ORANGE, fill=True)
    top = max((row["y"] for row in rows), default=1.0) or 1.0
    axes.plot(positions, [row["y"] / top for row in rows], color=style.INK, linewidth=1.0)
    axes.set_title("Separation: rows from lowest to highest prediction")
    axes.set_xlabel(
        f"share of rows; bars: events (highest strip {number(100 * most, 2)} %), line: prediction "
        f"(highest {number(100 * top, 2)} %)"
    )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.05)
    axes.set_yticks([])


def scores(study: Study, model: str) -> list[tuple[str, dict[str, float]]]:
    """Return measures of prediction by sample and terms."""
    found: dict[str, dict[str, float]] = {}
    for row in rows_of(study, "measures", model):
        found.setdefault(str(row["series"]), {})[str(row["label"])] = row["y"]
    return list(found.items())


def influence(
    study: Study, model: str, term: str, names: Mapping[str, Mapping[str, str]]
) -> Figure | None:
    """Draw the estimate without each of the units that move it most."""
    rows = [
        row
        for row in rows_of(study, "influence", model, term)
        if row["series"] != "all" and is_number(row["y"])
    ]
    whole = full_of(study, model, term)
    if len(rows) < 2 or whole is None:
        return None
    rows.sort(key=lambda row: (-abs(row["y"]), str(row["label"])))
    shown = sorted(rows[:MOST_LEFT_OUT], key=lambda row: row["x"])
    drawing = style.figure(0.19 * len(shown) + 0.8)
    axes = drawing.subplots()
    unit = UNITS.get(str(shown[0]["series"]), str(shown[0]["series"]))
    known = names.get(unit, {})
    labels = [known.get(str(row["label"])) or f"{unit} {row['label']}" for row in shown]
    style.rows_axis(axes, [style.wrap(f"without {one}", 36, 1) for one in labels], 7.0)
    axes.axvline(whole, color=style.INK, linewidth=0.8, linestyle=(0, (3, 2)))
    for place, row in enumerate(shown):
        axes.plot([whole, row["x"]], [place, place], color=style.GRID, linewidth=1.4, zorder=1)
        axes.plot([row["x"]], [place], "o", color=style.BLUE, markersize=4)
    if min(row["x"] for row in shown) < 0 < max(row["x"] for row in shown):
        style.zero_line(axes)
    axes.set_xlabel("estimate; dashed: with all rows")
    axes.margins(x=0.08)
    return drawing


def full_of(study: Study, model: str, term: str) -> float | None:
    """Return the estimate with all rows."""
    rows = rows_of(study, "influence", model, term)
    return next((row["x"] for row in rows if row["series"] == "all"), None)


def interaction(study: Study, model: str, term: str) -> Figure | None:
    """Draw how the effect of a term on the prediction depends on the other part of its product."""
    rows = rows_of(study, "interaction", model, term)
    others = list(dict.fromkeys(str(row["series"]) for row in rows))
    if not rows:
        return None
    drawing = style.figure(2.5)
    axes = drawing.subplots(1, len(others), squeeze=False)[0]
    for other, one in zip(others, axes, strict=True):
        own = sorted((row for row in rows if row["series"] == other), key=lambda row: row["x"])
        x = [row["x"] for row in own]
        style.zero_line_across(one)
        one.fill_between(
            x, [row["low"] for row in own], [row["high"] for row in own], color=style.SHADE,
            linewidth=0,
        )  # fmt: skip
        one.plot(x, [row["y"] for row in own], "o-", color=style.BLUE, markersize=3.4)
        one.set_xlabel(style.wrap(study.label(other), 40, 2))
        one.set_ylabel("change in the prediction")
        one.grid()
        one.locator_params(nbins=5)
    return drawing
