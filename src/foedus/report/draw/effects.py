"""Predictions before and after a change, and the first difference under every covariance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foedus.report.draw import style
from foedus.report.inputs import Study
from foedus.report.numbers import MINUS, is_number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST = 10
_BINARY = ("logit", "probit", "cloglog", "rare", "firth")


@dataclass(frozen=True)
class Effect:
    """One change: its predictions, and a row a covariance (the declared one first)."""

    name: str
    model: str
    probability: bool
    rows: tuple[Mapping[str, Any], ...]

    @property
    def lead(self) -> Mapping[str, Any]:
        """The row under the declared covariance."""
        return self.rows[0]


def effects(study: Study) -> list[Effect]:
    """Gather the effects that have both predictions, each with all its covariances."""
    found: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in study.part("effects"):
        if isinstance(row, dict) and is_number(row.get("p0")) and is_number(row.get("p1")):
            keys = ("name", "model", "term", "at", "from", "to")
            found.setdefault(tuple(str(row.get(key)) for key in keys), []).append(row)
    return [
        Effect(
            _name(study, rows[0]),
            str(rows[0].get("model") or ""),
            _is_probability(study, rows[0]),
            tuple(rows),
        )
        for rows in found.values()
    ]


def _is_probability(study: Study, row: Mapping[str, Any]) -> bool:
    model = str(row.get("model"))
    names = {one.estimator for one in study.estimates if one.model == model}
    if names:
        return any(name.startswith(_BINARY) for name in names)
    return all(0 <= float(row[end]) <= 1 for end in ("p0", "p1"))


def _name(study: Study, row: Mapping[str, Any]) -> str:
    label = study.label(str(row.get("term", "")))
    start, end = row.get("from"), row.get("to")
    if start is None or end is None:
        return label
    return f"{label}: {_short(start)} → {_short(end)}"


def _short(value: object) -> str:
    return f"{value:.3g}".replace("-", MINUS) if is_number(value) else str(value)


def draw(study: Study) -> Figure | None:
    """Draw probabilities; None when there are none (see `draw_means` for other outcomes)."""
    return _draw(study, [one for one in effects(study) if one.probability], True)


def draw_means(study: Study) -> Figure | None:
    """Draw expected values of outcomes that are no probabilities (counts, logs)."""
    return _draw(study, [one for one in effects(study) if not one.probability], False)


def _draw(study: Study, shown: Sequence[Effect], probability: bool) -> Figure | None:
    shown = shown[:_MOST]
    if not shown:
        return None
    covariances = list(
        dict.fromkeys(str(row.get("covariance") or "") for e in shown for row in e.rows)
    )
    step = 0.34 + 0.07 * len(covariances)
    drawing = style.figure(len(shown) * step + 0.95 + 0.15 * (len(covariances) > 1))
    left, right = drawing.subplots(1, 2, width_ratios=[1.0, 1.05])
    _predictions(left, study, shown, probability)
    _differences(right, shown, covariances, probability)
    if len(covariances) > 1:
        handles = [
            style.handle(name, *style.SERIES[place % len(style.SERIES)])
            for place, name in enumerate(covariances)
        ]
        style.legend(drawing, handles, "outside upper left", 4)
    return drawing


def _predictions(axes: Axes, study: Study, shown: Sequence[Effect], probability: bool) -> None:
    several = len({one.model for one in shown}) > 1
    names = [f"{e.name} ({study.model_label(e.model)})" if several else e.name for e in shown]
    style.rows_axis(axes, [style.wrap(name, 28, 4) for name in names], 7.5)
    scale = 100.0 if probability else 1.0
    for place, one in enumerate(shown):
        p0, p1 = scale * one.lead["p0"], scale * one.lead["p1"]
        axes.plot([p0, p1], [place, place], color=style.MUTED, linewidth=1.4, zorder=2)
        axes.plot([p0], [place], "o", color=style.INK, markerfacecolor=style.PAPER, zorder=3)
        axes.plot([p1], [place], "o", color=style.INK, zorder=4)
    axes.set_title("Predicted probability" if probability else "Expected value")
    axes.set_xlabel("percent; ○ before, ● after" if probability else "○ before, ● after")
    axes.margins(x=0.15)
    axes.locator_params(axis="x", nbins=4)


def _differences(
    axes: Axes, shown: Sequence[Effect], covariances: Sequence[str], probability: bool
) -> None:
    style.rows_axis(axes, ["" for _ in shown])
    style.zero_line(axes)
    scale = 100.0 if probability else 1.0
    for place, one in enumerate(shown):
        for row in one.rows:
            index = covariances.index(str(row.get("covariance") or ""))
            y = place + (index - (len(covariances) - 1) / 2) * 0.55 / len(covariances)
            _one_difference(axes, row, y, scale, index)
        if is_number(change := one.lead.get("percent_change")):
            axes.annotate(
                f"{'+' if change > 0 else ''}{percent(change / 100, 0)}",
                (scale * _difference(one.lead), place - 0.3), xytext=(0, 3),
                textcoords="offset points", ha="center", fontsize=7, color=style.MUTED,
            )  # fmt: skip
    axes.set_title("First difference")
    axes.set_xlabel("percentage points, 95 % interval" if probability else "95 % interval")
    axes.margins(x=0.15)
    axes.locator_params(axis="x", nbins=4)


def _difference(row: Mapping[str, Any]) -> float:
    value = row.get("difference")
    return float(value) if is_number(value) else float(row["p1"] - row["p0"])


def _one_difference(axes: Axes, row: Mapping[str, Any], y: float, scale: float, index: int) -> None:
    colour, shape = style.SERIES[index % len(style.SERIES)]
    low, high = row.get("ci_low"), row.get("ci_high")
    if is_number(low) and is_number(high):
        axes.plot([scale * low, scale * high], [y, y], color=colour, linewidth=1.2, zorder=2)
    axes.plot([scale * _difference(row)], [y], shape, color=colour, markersize=4.2, zorder=3)
