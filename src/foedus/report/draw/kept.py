"""Keep what matplotlib would work out again for each format: most of the time of saving a figure.

A text is laid out some twenty times before its figure is on disk, and the ticks of an axis are
placed some fifteen times: in both rounds of the layout, for the crop, and for each format. The
answers depend on nothing that changes in between, so one serves all. They are matplotlib's own, so
that the files are the same to the byte. It has no door for this: its methods are wrapped inside the
contexts below and put back at their end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axis import Axis, Tick
    from matplotlib.text import Text

MOST = 20_000
"""Layouts of texts kept at once; then the store is emptied, so that memory stays flat."""
PLACES = 4
"""Decimals, in inches, to which an axes' size is the same size in every format."""

Layout = Any
"""What matplotlib returns: the box, the lines with their sizes and places, the corner."""


@contextmanager
def text_layouts() -> Iterator[None]:
    """Lay out each text once a size, a resolution and a kind of renderer inside this context."""
    from matplotlib.text import Text

    with _wrapped(Text, "_get_layout", _layouts):
        yield


@contextmanager
def ticks() -> Iterator[None]:
    """Place an axis's ticks once a view and a size; nothing else of a figure may change here."""
    from matplotlib.axis import Axis

    with _wrapped(Axis, "_update_ticks", _ticks):
        yield


@contextmanager
def _wrapped(owner: type, name: str, wrap: Callable[[Any], Callable[..., Any]]) -> Iterator[None]:
    plain = getattr(owner, name)
    setattr(owner, name, wrap(plain))
    try:
        yield
    finally:
        setattr(owner, name, plain)


def _layouts(plain: Callable[[Text, Any], Layout]) -> Callable[[Text, Any], Layout]:
    held: dict[tuple[Any, ...], Layout] = {}

    def layout(text: Text, renderer: Any) -> Layout:
        key = _text_key(text, renderer)
        if key is None:
            return plain(text, renderer)
        found = held.get(key)
        if found is None:
            if len(held) >= MOST:
                held.clear()
            found = held[key] = plain(text, renderer)
        return found

    return layout


def _text_key(text: Text, renderer: Any) -> tuple[Any, ...] | None:
    """Return all that a text's layout depends on; None where its place is part of that."""
    figure = text.get_figure(root=True)
    if figure is None or text.get_wrap() or text.get_transform_rotates_text():
        return None
    held: Any = text  # some of it has no getter
    # What measures texts: a mixed renderer has a vector renderer inside.
    measures = type(getattr(renderer, "_renderer", renderer))
    return (
        measures, figure.dpi, text.get_text(), hash(text.get_fontproperties()),
        text.get_rotation(), text.get_rotation_mode(), text.get_horizontalalignment(),
        text.get_verticalalignment(), held._multialignment, held._linespacing,
        text.get_parse_math(), text.get_usetex(),
    )  # fmt: skip


def _ticks(plain: Callable[[Axis], list[Tick]]) -> Callable[[Axis], list[Tick]]:
    held: dict[Axis, tuple[tuple[Any, ...], list[Tick]]] = {}

    def placed(axis: Axis) -> list[Tick]:
        key = _axis_key(axis)
        found = held.get(axis)
        if found is None or found[0] != key:
            found = held[axis] = (key, plain(axis))
        return list(found[1])

    return placed


def _axis_key(axis: Axis) -> tuple[Any, ...]:
    """Return what the places and labels of ticks depend on: the view, and the length in inches."""
    figure, box = axis.get_figure(root=True), axis.axes.bbox
    dpi = figure.dpi if figure is not None else 1.0
    sizes = round(box.width / dpi, PLACES), round(box.height / dpi, PLACES)
    return (*axis.get_view_interval(), *sizes)
