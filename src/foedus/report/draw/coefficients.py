"""Coefficients: published against rebuilt, the rebuilt ones under every covariance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from foedus.report.draw import style
from foedus.report.inputs import Study
from foedus.report.rows import Z95, Comparison, Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

SCALES = {
    "coefficient": "coefficient",
    "direction": "coefficient",
    "hazard_ratio": "hazard ratio",
    "odds_ratio": "odds ratio",
    "incidence_rate_ratio": "incidence-rate ratio",
}
"""Quantities that this figure can show, with the name of their scale."""

_NO_EFFECT = {"coefficient": 0.0}
_MOST_ROWS = 26
_WIDE = 25.0
"""Widest to narrowest interval beyond which a panel is drawn in standard errors."""


@dataclass
class Mark:
    """One value with its 95 % interval (None: no interval)."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass
class Line:
    """One term of one panel."""

    label: str
    published: list[Mark] = field(default_factory=list)
    sign: int = 0
    rebuilt: dict[str, Mark] = field(default_factory=dict)
    truth: bool = False


@dataclass
class Panel:
    """The terms of one model on one scale."""

    model: str
    scale: str
    lines: dict[str, Line] = field(default_factory=dict)


def panels(study: Study) -> list[Panel]:
    """Gather what print and we say about each term, by model and scale."""
    made: dict[tuple[str, str], Panel] = {}
    for row in study.leads:
        scale = SCALES.get(row.quantity)
        if scale and row.place:
            _add_published(study, _panel(made, row.place[0], scale), row)
    known = {(panel.model, term) for panel in made.values() for term in panel.lines}
    for model, term in study.key_terms:
        if (model, term) not in known and model in study.models:
            panel = _panel(made, model, "coefficient")
            _add_rebuilt(_line(study, panel, term), study.rows_of(model, term))
    shown = [_filled(panel) for panel in made.values()] or _all_terms(study)
    return [panel for panel in shown if panel.lines]


def _panel(made: dict[tuple[str, str], Panel], model: str, scale: str) -> Panel:
    return made.setdefault((model, scale), Panel(model, scale))


def _line(study: Study, panel: Panel, term: str) -> Line:
    return panel.lines.setdefault(term, Line(study.label(term)))


def _add_published(study: Study, panel: Panel, row: Comparison) -> None:
    assert row.place is not None
    line = _line(study, panel, row.place[1])
    line.truth = line.truth or row.is_truth
    if row.published is not None:
        if row.quantity == "direction":
            line.sign = (row.published > 0) - (row.published < 0)
        else:
            line.published.append(_published_mark(row))
    if panel.scale == "coefficient":
        _add_rebuilt(line, study.rows_of(*row.place))
        return
    for other in study.comparison:
        if other.key == row.key and other.rebuilt is not None:
            line.rebuilt[other.covariance] = _interval(other.rebuilt, other.rebuilt_se)


def _published_mark(row: Comparison) -> Mark:
    assert row.published is not None
    if row.published_low is not None and row.published_high is not None:
        return Mark(row.published, row.published_low, row.published_high)
    return _interval(row.published, row.published_se)


def _interval(value: float, se: float | None) -> Mark:
    if se is None:
        return Mark(value)
    return Mark(value, value - Z95 * se, value + Z95 * se)


def _add_rebuilt(line: Line, rows: list[Estimate]) -> None:
    for row in rows:
        if row.estimate is None:
            continue
        if row.ci_low is not None and row.ci_high is not None:
            line.rebuilt[row.covariance] = Mark(row.estimate, row.ci_low, row.ci_high)
        else:
            line.rebuilt[row.covariance] = _interval(row.estimate, row.std_error)


def _all_terms(study: Study) -> list[Panel]:
    """Fall back on every coefficient but the constant when nothing is singled out."""
    made: dict[tuple[str, str], Panel] = {}
    for row in study.estimates:
        if not row.is_measure and row.term.strip("()").lower() not in ("intercept", "const"):
            panel = _panel(made, row.model, "coefficient")
            _add_rebuilt(_line(study, panel, row.term), [row])
    return [_filled(panel) for panel in made.values()]


def _filled(panel: Panel) -> Panel:
    """Keep the terms that have something to draw."""
    kept = {term: line for term, line in panel.lines.items() if line.published or line.rebuilt}
    return Panel(panel.model, panel.scale, kept)


def in_standard_errors(panel: Panel) -> Panel | None:
    """Return the panel in units of the first rebuilt standard error, if widths differ widely."""
    if panel.scale != "coefficient":
        return None
    units: dict[str, float] = {}
    for term, line in panel.lines.items():
        first = next(iter(line.rebuilt.values()), None)
        if first is None or first.low is None or first.high is None or first.high <= first.low:
            return None
        units[term] = (first.high - first.low) / (2 * Z95)
    if not units or max(units.values()) / min(units.values()) < _WIDE:
        return None
    scaled = Panel(panel.model, "estimate in rebuilt standard errors")
    for term, line in panel.lines.items():
        unit = units[term]
        scaled.lines[term] = Line(
            line.label,
            [_scale(mark, unit) for mark in line.published],
            line.sign,
            {name: _scale(mark, unit) for name, mark in line.rebuilt.items()},
        )
    return scaled


def _scale(mark: Mark, unit: float) -> Mark:
    low = None if mark.low is None else mark.low / unit
    high = None if mark.high is None else mark.high / unit
    return Mark(mark.value / unit, low, high)


def draw(study: Study) -> Figure | None:
    """Draw one panel a model; None when the study has no coefficients."""
    shown: list[Panel] = []
    room = _MOST_ROWS
    for panel in panels(study):
        if room <= 0:
            break
        kept = dict(list(panel.lines.items())[:room])
        room -= len(kept)
        cut = Panel(panel.model, panel.scale, kept)
        shown.append(in_standard_errors(cut) or cut)
    if not shown:
        return None
    covariances = list(
        dict.fromkeys(c for p in shown for ln in p.lines.values() for c in ln.rebuilt)
    )
    step = 0.17 + 0.078 * (len(covariances) + 1)
    heights = [len(panel.lines) * step + 0.55 for panel in shown]
    drawing = style.figure(sum(heights) + 0.45)
    axes = drawing.subplots(len(shown), 1, height_ratios=heights, squeeze=False)[:, 0]
    for panel, one in zip(shown, axes, strict=True):
        _draw_panel(one, study, panel, covariances, len(shown) > 1)
    _legend(drawing, shown, covariances)
    return drawing


def _draw_panel(
    axes: Axes, study: Study, panel: Panel, covariances: list[str], titled: bool
) -> None:
    lines = list(panel.lines.values())
    style.rows_axis(axes, [style.wrap(line.label) for line in lines])
    base = _NO_EFFECT.get(panel.scale, 0.0 if "standard errors" in panel.scale else 1.0)
    style.zero_line(axes, base)
    if "standard errors" in panel.scale:
        axes.axvspan(-Z95, Z95, color=style.SHADE, zorder=0)
    slots = len(covariances) + 1
    for place, line in enumerate(lines):
        offsets = [(index - (slots - 1) / 2) * 0.62 / slots for index in range(slots)]
        for mark in line.published:
            _mark(axes, mark, place + offsets[0], style.INK, "D", hollow=True)
        for index, name in enumerate(covariances):
            if name in line.rebuilt:
                colour, shape = style.SERIES[index % len(style.SERIES)]
                _mark(axes, line.rebuilt[name], place + offsets[index + 1], colour, shape)
        if line.sign and not line.published:
            _arrow(axes, line.sign, place + offsets[0], base)
    if titled:
        axes.set_title(style.wrap(study.model_label(panel.model), 70, 1))
    axes.set_xlabel(panel.scale)
    axes.margins(x=0.06)


def _mark(axes: Axes, mark: Mark, y: float, colour: str, shape: str, hollow: bool = False) -> None:
    if mark.low is not None and mark.high is not None:
        axes.plot([mark.low, mark.high], [y, y], color=colour, linewidth=1.2, zorder=2)
    fill = style.PAPER if hollow else colour
    axes.plot(
        [mark.value], [y], shape, color=colour, markerfacecolor=fill, markersize=4.6,
        markeredgewidth=1.1, zorder=3,
    )  # fmt: skip


def _arrow(axes: Axes, sign: int, y: float, base: float) -> None:
    """Show that print gives only the sign: an arrow from no effect, of no particular length."""
    axes.annotate(
        "", xy=(base, y), xytext=(20 * sign, 0), textcoords="offset points",
        arrowprops={"arrowstyle": "<|-", "color": style.INK, "linewidth": 1.0, "shrinkA": 0,
                    "shrinkB": 0, "mutation_scale": 8},
    )  # fmt: skip


def _legend(drawing: Figure, shown: list[Panel], covariances: list[str]) -> None:
    lines = [line for panel in shown for line in panel.lines.values()]
    handles: list[Line2D] = []
    if any(line.published for line in lines):
        truth = any(line.truth for line in lines)
        handles.append(style.handle("truth" if truth else "in print", style.INK, "D", True))
    if any(line.sign and not line.published for line in lines):
        handles.append(style.handle("in print: sign only", style.INK, ">", True))
    for index, name in enumerate(covariances):
        colour, shape = style.SERIES[index % len(style.SERIES)]
        handles.append(
            style.handle(f"rebuilt, {name}" if name else "rebuilt", colour, shape, False)
        )
    style.legend(drawing, handles, "outside upper left", 4)
