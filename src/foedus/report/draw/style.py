"""The look of every figure: colours safe for the colour-blind, one type size, one way to save."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from foedus.report.draw import kept
from foedus.store import write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.transforms import Bbox

INK = "#1b1f24"
MUTED = "#5b6470"
GRID = "#dde1e6"
PAPER = "#ffffff"
SHADE = "#f1f3f5"
BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
RED = "#D55E00"
PURPLE = "#CC79A7"
SKY = "#56B4E9"

SERIES: tuple[tuple[str, str], ...] = (
    (BLUE, "o"), (RED, "s"), (GREEN, "^"), (PURPLE, "D"), (ORANGE, "v"), (SKY, "P"),
)  # fmt: skip
"""Colour and marker of the first, second, ... series: told apart by shape too."""

WIDTH = 6.0
"""Inches: the text width of the PDF, and a phone's screen at four fifths."""

Place = Literal["outside upper left", "outside lower left"]

FORMATS = ("svg", "pdf", "png")
PLACE_DIGITS, CROP_DIGITS = 5, 3
"""Digits kept of an axes' place (share of the figure) and of the crop (inches)."""

_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 7.0,
    "axes.labelsize": 8.0,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 8.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "legend.handletextpad": 0.4,
    "legend.columnspacing": 1.2,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
    "figure.dpi": 200,
    "text.hinting": "none",
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "svg.hashsalt": "foedus",
    "svg.fonttype": "path",
    # Type 3: the other kind has fontTools cut every figure's font to size, most of the time spent.
    "pdf.fonttype": 3,
    "path.simplify": True,
}

_METADATA: Mapping[str, Mapping[str, Any]] = {
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}


@dataclass(frozen=True)
class Drawn:
    """A figure on disk: results/figures/<name>.{svg,pdf,png}."""

    name: str
    caption: str
    alt: str


@contextmanager
def rc() -> Iterator[None]:
    """Make and save figures inside this context: our settings, and each text laid out once."""
    import matplotlib as mpl

    settings: Any = dict(mpl.rcParamsDefault)
    settings.update(_RC, backend="agg")
    with mpl.rc_context(settings), kept.text_layouts():
        yield


def figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure with room made for labels by itself."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    room = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06, hspace=0.05, wspace=0.04)
    made = Figure(figsize=(width, height), layout=room)
    FigureCanvasAgg(made)
    return made


def wrap(text: str, width: int = 30, lines: int = 3) -> str:
    """Break a label into short lines; what is too long ends in an ellipsis."""
    broken = textwrap.wrap(text, width) or [""]
    if len(broken) > lines:
        broken = [
            *broken[: lines - 1],
            textwrap.shorten(" ".join(broken[lines - 1 :]), width, placeholder="…"),
        ]
    return plain("\n".join(broken))


def plain(text: str) -> str:
    """Escape the dollar sign, which matplotlib would read as mathematics."""
    return text.replace("$", r"\$")


def rows_axis(axes: Axes, labels: list[str], size: float = 8.0) -> None:
    """Set up an axis whose rows are named on the left, first on top, with lines only downwards."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0, pad=6, labelsize=size)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")


def zero_line(axes: Axes, at: float = 0.0) -> None:
    """Draw the line of no effect."""
    axes.axvline(at, color=INK, linewidth=0.8, zorder=1)


def zero_line_across(axes: Axes) -> None:
    """Draw the line of no effect when values run upwards."""
    axes.axhline(0.0, color=INK, linewidth=0.8, zorder=1)


def row_major(handles: Sequence[Line2D], columns: int) -> list[Line2D]:
    """Order legend handles so that they read along rows; matplotlib fills columns first."""
    rows = -(-len(handles) // columns)
    full = len(handles) - (rows - 1) * columns
    places = [
        row * columns + column
        for column in range(columns)
        for row in range(rows if column < full else rows - 1)
    ]
    return [handles[place] for place in places]


def handle(label: str, colour: str, shape: str, hollow: bool = False) -> Line2D:
    """Return a legend entry: a marker on a line."""
    from matplotlib.lines import Line2D

    return Line2D(
        [], [], color=colour, marker=shape, label=plain(label), linewidth=1.2,
        markerfacecolor=PAPER if hollow else colour,
    )  # fmt: skip


def legend(drawing: Figure, handles: Sequence[Line2D], place: Place, columns: int) -> None:
    """Set a legend outside the axes, read along rows."""
    columns = min(len(handles), columns)
    if columns:
        drawing.legend(handles=row_major(handles, columns), loc=place, ncols=columns)


def stamp(drawing: Figure) -> None:
    """Mark a figure made from the simulated world, across it and in its corner."""
    drawing.text(
        0.5, 0.5, "SIMULATED", ha="center", va="center", rotation=18, fontsize=38,
        fontweight="bold", color=RED, alpha=0.13, zorder=100,
    ).set_in_layout(False)  # fmt: skip


def settle(drawing: Figure) -> None:
    """Round the places of all axes to what no eye can see and no arithmetic can move.

    A layout's last digits differ between machines, and matplotlib names the clip paths of an SVG
    by a hash of the unrounded rectangle.
    """
    for axes in drawing.axes:
        counted = axes.get_in_layout()
        axes.set_position(rounded(axes.get_position(), PLACE_DIGITS))
        axes.set_in_layout(counted)  # set_position takes the axes out of the layout


def rounded(box: Bbox, digits: int) -> Bbox:
    """Return a box with rounded corners' coordinates."""
    from matplotlib.transforms import Bbox

    return Bbox.from_extents(*(round(float(value), digits) for value in box.extents))


def save(drawing: Figure, folder: Path, name: str, simulated: bool) -> list[Path]:
    """Write a figure as SVG, PDF and PNG with no date, version or path inside.

    Layout is computed once and then kept, so that the three formats are the same picture.
    """
    if simulated:
        stamp(drawing)
    with kept.ticks():
        whole = _laid_out(drawing)
        return [_written(drawing, whole, folder / f"{name}.{ending}") for ending in FORMATS]


def _laid_out(drawing: Figure) -> Bbox:
    """Lay a figure out for good; return what of it is to be seen, in inches."""
    if (engine := drawing.get_layout_engine()) is not None:
        engine.execute(drawing)
    drawing.set_layout_engine(None)  # an engine, even an idle one, would draw again for each format
    settle(drawing)
    return rounded(drawing.get_tightbbox().padded(0.06), CROP_DIGITS)


def _written(drawing: Figure, whole: Bbox, path: Path) -> Path:
    ending = path.suffix.removeprefix(".")
    buffer = io.BytesIO()
    drawing.savefig(buffer, format=ending, bbox_inches=whole, metadata=dict(_METADATA[ending]))
    write_bytes(path, buffer.getvalue())
    return path
