"""Plain text for people: aligned lists and short paragraphs, the same on every terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def listing(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows as aligned columns under a header; the last column runs free."""
    lines = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header) - 1)]
    aligned = [
        [*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]
        for line in lines
    ]
    return "\n".join("  ".join(line).rstrip() for line in aligned)


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return "1 file", "3 files"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
