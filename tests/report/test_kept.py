"""What is kept while a figure is saved changes no byte, and matplotlib is as before afterwards."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

from foedus.report.draw import kept, style


def mixed() -> Figure:
    """Two axes that a layout moves: a long label, two lines, a slope, a logarithm, a legend."""
    drawing = style.figure(3.0)
    left, right = drawing.subplots(1, 2)
    style.rows_axis(left, [style.wrap("a pledge to come to the other's defence", 12), "none"])
    left.plot([0.1, 250.0], [0, 1], "o", color=style.BLUE)
    right.loglog([1, 1e5], [0.001, 1], color=style.RED)
    right.set_xticks([10, 1000], ["ten dead", "a thousand dead"], rotation=35)
    right.annotate("twice", (10, 0.1), xytext=(3, 4), textcoords="offset points", va="center")
    right.annotate("twice", (1000, 0.1), fontsize=5.6)
    style.legend(drawing, [style.handle("in print", style.INK, "D")], "outside upper left", 2)
    return drawing


def saved(folder: Path) -> dict[str, bytes]:
    """Return the bytes of two figures by file name."""
    with style.rc():
        for name in ("first", "second"):
            style.save(mixed(), folder, name, simulated=name == "second")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_what_is_kept_changes_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = saved(tmp_path / "kept")
    monkeypatch.setattr(kept, "text_layouts", nullcontext)
    monkeypatch.setattr(kept, "ticks", nullcontext)
    plain = saved(tmp_path / "plain")
    assert len(ours) == 6
    assert ours == plain


def test_a_text_is_laid_out_once_a_size_and_renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    plain = Text._get_layout

    def counted(text: Text, renderer: Any) -> Any:
        asked.append(text.get_text())
        return plain(text, renderer)

    monkeypatch.setattr(Text, "_get_layout", counted)
    with style.rc():
        drawing = mixed()
        for _ in range(3):
            drawing.draw_without_rendering()
        assert asked.count("ten dead") == 1
        assert asked.count("twice") == 2  # in two sizes
        drawing.axes[1].set_xticks([10], ["ten dead"], rotation=50)
        drawing.draw_without_rendering()
        assert asked.count("ten dead") == 2


def test_ticks_follow_a_changed_view() -> None:
    with style.rc():
        drawing = mixed()
        axis = drawing.axes[0].xaxis
        with kept.ticks():
            before = [tick.get_loc() for tick in axis._update_ticks()]
            drawing.axes[0].set_xlim(0, 1)
            after = [tick.get_loc() for tick in axis._update_ticks()]
    assert max(before) > 100
    assert max(after) <= 1


def test_matplotlib_is_put_back_even_after_an_error() -> None:
    methods = Text._get_layout, Axis._update_ticks
    seen = []

    def broken() -> None:
        with style.rc(), kept.ticks():
            seen.append((Text._get_layout, Axis._update_ticks))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert (Text._get_layout, Axis._update_ticks) == methods
    assert seen[0][0] is not methods[0]
    assert seen[0][1] is not methods[1]
