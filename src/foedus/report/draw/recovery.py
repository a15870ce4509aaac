"""Planted outcomes: the bias of every coefficient and the coverage of its intervals, by study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foedus.report.draw import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SMALL = 0.25
LEAST_COVERAGE = 40.0
EDGE = 1.0


@dataclass(frozen=True)
class Recovered:
    """One study's planted coefficients.

    Attributes
    ----------
    name : str
    biases : tuple of (float, bool)
        In standard deviations of the estimates; whether chance may explain it or it is small.
    coverage, shared, widest : float or None
        Of 95 percent intervals, in percent: independent rows; rows that share errors, under the
        covariance declared first and the widest declared.
    """

    name: str
    biases: tuple[tuple[float, bool], ...]
    coverage: float | None
    shared: float | None
    widest: float | None


def draw(studies: Sequence[Recovered], worlds: int) -> Figure | None:
    """Draw studies below each other, biases at the left and coverage at the right."""
    if not studies:
        return None
    figure = style.figure(1.1 + 0.128 * len(studies), 7.4)
    left, right = figure.subplots(1, 2, sharey=True)
    style.rows_axis(left, [study.name for study in studies], size=6)
    left.axvspan(-SMALL, SMALL, color=style.SHADE, zorder=0)
    _biases(left, studies)
    style.zero_line(left)
    left.set_xlim(-EDGE - 0.05, EDGE + 0.05)
    left.set_xlabel("bias of each coefficient, in standard\ndeviations (orange: beyond chance)")
    band = 300 * (0.95 * 0.05 / worlds) ** 0.5
    right.axvspan(95 - band, 95 + band, color=style.SHADE, zorder=0)
    right.axvline(95, color=style.INK, lw=0.8)
    for values, sign, colour in (
        ([study.shared for study in studies], "D", style.ORANGE),
        ([study.widest for study in studies], "D", style.GREEN),
        ([study.coverage for study in studies], "o", style.INK),
    ):
        shown = [(place, value) for place, value in enumerate(values) if value is not None]
        at = [max(value, LEAST_COVERAGE) for _, value in shown]
        right.plot(at, [place for place, _ in shown], sign, color=colour, ms=3.2, mew=0)
    right.set_xlim(LEAST_COVERAGE - 1, 101)
    right.tick_params(axis="y", length=0)
    right.grid(axis="x")
    right.set_xlabel(
        "coverage of 95 % intervals, percent\n(black: independent rows;\n"
        "orange, green: rows share errors, the\nstudy's first and widest covariance)"
    )
    return figure


def _biases(axes: Axes, studies: Sequence[Recovered]) -> None:
    for wanted, colour in ((True, style.INK), (False, style.RED)):
        points = [
            (min(max(value, -EDGE), EDGE), place)
            for place, study in enumerate(studies)
            for value, small in study.biases
            if small == wanted
        ]
        across, down = [one for one, _ in points], [place for _, place in points]
        axes.plot(across, down, "o", color=colour, ms=2, alpha=0.7, mew=0)
