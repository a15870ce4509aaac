"""Substantive choices, marked ``# ASSUME:`` in the source code, collected for the method page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_MARK = re.compile(r"^\s*#\s*ASSUME:\s*(?P<text>.*)$")
_MORE = re.compile(r"^\s*#\s?(?P<text>\S.*)$")


@dataclass(frozen=True)
class Assumption:
    """One marked choice: module path below the package, line, and the words of the comment."""

    file: str
    line: int
    text: str


def collect_assumptions(package: Path) -> list[Assumption]:
    """Read every module of the package for marked comments, sorted by file and line."""
    found: list[Assumption] = []
    for path in sorted(package.rglob("*.py")):
        if path == Path(__file__).resolve():
            continue
        name = f"src/{package.name}/{path.relative_to(package).as_posix()}"
        found.extend(_in_lines(name, path.read_text(encoding="utf-8").splitlines()))
    return sorted(found, key=lambda item: (item.file, item.line))


def _in_lines(name: str, lines: list[str]) -> list[Assumption]:
    found = []
    for index, line in enumerate(lines):
        if match := _MARK.match(line):
            words = [match["text"], *_continued(lines[index + 1 :])]
            found.append(Assumption(name, index + 1, " ".join(words).strip()))
    return found


def _continued(lines: list[str]) -> list[str]:
    """Return the comment lines that go on directly below a mark."""
    words = []
    for line in lines:
        match = _MORE.match(line)
        if match is None or _MARK.match(line):
            break
        words.append(match["text"].strip())
    return words
