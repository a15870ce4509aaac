"""Coding choices one at a time: the estimate under each alternative beside the declared one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foedus.report.draw import style
from foedus.report.inputs import Study
from foedus.report.numbers import count, is_number
from foedus.report.rows import Z95

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_ROWS = 40


@dataclass(frozen=True)
class Group:
    """All alternatives for one term of one model."""

    model: str
    term: str
    rows: tuple[Mapping[str, Any], ...]

    @property
    def declared(self) -> float | None:
        """The estimate as declared."""
        return next((r["estimate"] for r in self.rows if r.get("declared") and _has(r)), None)

    def move(self, row: Mapping[str, Any]) -> float | None:
        """How far an alternative moves the estimate from the declared one."""
        if self.declared is None or not _has(row):
            return None
        return float(row["estimate"] - self.declared)

    @property
    def largest(self) -> Mapping[str, Any] | None:
        """The alternative that moves the estimate most."""
        moved = [
            (abs(move), row)
            for row in self.rows
            if not row.get("declared") and (move := self.move(row)) is not None
        ]
        return max(moved, key=lambda pair: pair[0])[1] if moved else None


def _has(row: Mapping[str, Any]) -> bool:
    return is_number(row.get("estimate"))


def groups(study: Study) -> list[Group]:
    """Gather the alternatives by (model, term), the study's own key terms first."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in study.part("choices"):
        if isinstance(row, dict):
            key = (str(row.get("model", "")), str(row.get("term", "")))
            found.setdefault(key, []).append(row)
    first = {pair: place for place, pair in enumerate(study.key_terms)}
    order = sorted(found, key=lambda pair: first.get(pair, len(first)))
    return [Group(*pair, tuple(found[pair])) for pair in order]


def draw(study: Study, group: Group) -> Figure | None:
    """Draw one term: as declared on top, then every alternative, what moves it most first."""
    declared = [row for row in group.rows if row.get("declared") and _has(row)][:1]
    others = [row for row in group.rows if not row.get("declared") and _has(row)]
    if not others:
        return None
    others.sort(key=lambda row: -abs(group.move(row) or 0.0))
    shown = [*declared, *others[:_MOST_ROWS]]
    drawing = style.figure(len(shown) * 0.205 + 0.7)
    axes = drawing.subplots()
    style.rows_axis(axes, [style.wrap(_name(row), 44, 1) for row in shown], 7.2)
    if group.model in study.models:
        style.zero_line(axes)
    if group.declared is not None:
        axes.axvline(group.declared, color=style.BLUE, linewidth=0.9, linestyle=(0, (4, 2)))
    for place, row in enumerate(shown):
        _draw_row(axes, row, place, _colour(group, row))
    label = style.plain(study.label(group.term))
    axes.set_xlabel(f"{label}: estimate, 95 % interval")
    return drawing


def _name(row: Mapping[str, Any]) -> str:
    if row.get("declared"):
        return "as declared"
    return f"{row.get('choice', '')}: {row.get('alternative', '')}".replace("_", " ")


def _colour(group: Group, row: Mapping[str, Any]) -> str:
    if row.get("declared"):
        return style.BLUE
    return style.RED if row is group.largest else style.MUTED


def _draw_row(axes: Axes, row: Mapping[str, Any], place: int, colour: str) -> None:
    ends = _ends(row)
    if ends:
        axes.plot(ends, [place, place], color=colour, linewidth=1.2)
    p = row.get("p_value")
    solid = not is_number(p) or p < 0.05
    axes.plot(
        [row["estimate"]], [place], "o", color=colour, markersize=4.6,
        markerfacecolor=colour if solid else style.PAPER,
    )  # fmt: skip
    if is_number(row.get("n_obs")):
        axes.annotate(
            f"n = {count(row['n_obs'])}", (1.0, place), xycoords=("axes fraction", "data"),
            xytext=(4, 0), textcoords="offset points", va="center", fontsize=6.5,
            color=style.MUTED,
        )  # fmt: skip


def _ends(row: Mapping[str, Any]) -> list[float] | None:
    low, high, se = row.get("ci_low"), row.get("ci_high"), row.get("std_error")
    if is_number(low) and is_number(high):
        return [low, high]
    return [row["estimate"] - Z95 * se, row["estimate"] + Z95 * se] if is_number(se) else None
