"""What moved between two results folders: estimates, verdicts, row counts, source versions."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foedus import store
from foedus.errors import InputError, MissingDataError

RELATIVE = 1e-6
"""Differences below this share of a number are noise of another BLAS, not news."""
SHOWN = 40
_ESTIMATE_KEY = ("study", "model", "estimator", "covariance", "term")
_COMPARISON_KEY = ("study", "table", "model", "term", "quantity", "covariance")
_NUMBERS = ("estimate", "std_error")
_COUNTS = ("n_obs", "n_events", "n_clusters")

Row = Mapping[str, str]
Key = tuple[str, ...]
COMPARED = {
    "estimates.csv": (*_ESTIMATE_KEY, *_NUMBERS, *_COUNTS),
    "comparison.csv": (*_COMPARISON_KEY, "published", "rebuilt", "verdict"),
}
"""Columns of the result files that a comparison reads; a baseline keeps these."""

PARTED = ("estimates.csv",)
"""Of these a baseline has one file a study, in a folder of the table's name."""


@dataclass(frozen=True)
class Moved:
    """One thing that differs: where, what, before and after (None: not there)."""

    place: str
    what: str
    old: str | None
    new: str | None

    @property
    def by(self) -> str:
        """How far a number moved, in words; empty for words and for what came or went."""
        try:
            old, new = float(self.old or ""), float(self.new or "")
        except ValueError:
            return ""
        if old == 0:
            return f"{new - old:+.4g}"
        return f"{new - old:+.4g} ({100 * (new - old) / abs(old):+.3g} %)"

    def words(self) -> str:
        """Return the change as one line."""
        if self.old is None:
            return f"{self.place}: {self.what} is new: {self.new}"
        if self.new is None:
            return f"{self.place}: {self.what} is gone (was {self.old})"
        by = f", {self.by}" if self.by else ""
        return f"{self.place}: {self.what} {self.old} -> {self.new}{by}"


@dataclass(frozen=True)
class DiffReport:
    """What moved, by kind."""

    verdicts: tuple[Moved, ...] = ()
    estimates: tuple[Moved, ...] = ()
    counts: tuple[Moved, ...] = ()
    sources: tuple[Moved, ...] = ()
    setting: tuple[Moved, ...] = ()
    compared: dict[str, int] = field(default_factory=dict)

    @property
    def verdicts_changed(self) -> bool:
        """Whether any verdict changed, came or went."""
        return bool(self.verdicts)

    @property
    def anything(self) -> bool:
        """Whether anything moved at all."""
        return any(moved for _, moved in self.parts())

    def parts(self) -> list[tuple[str, tuple[Moved, ...]]]:
        """Return (title, changes) in the order of importance."""
        return [
            ("Verdicts", self.verdicts),
            ("Estimates", self.estimates),
            ("Row counts", self.counts),
            ("Sources", self.sources),
            ("Versions and settings", self.setting),
        ]

    def headline(self) -> str:
        """Return the summary in one sentence."""
        counted = ", ".join(f"{len(moved)} {title.lower()}" for title, moved in self.parts())
        looked = ", ".join(f"{count} {name}" for name, count in self.compared.items())
        return f"Moved: {counted}. Compared: {looked}."

    def text(self) -> str:
        """Return the report as plain text."""
        lines = [self.headline()]
        for title, moved in self.parts():
            if moved:
                lines += ["", f"{title} ({len(moved)})"]
                lines += [f"  {item.words()}" for item in moved[:SHOWN]]
                lines += _rest(moved, "  ")
        return "\n".join(lines) + "\n"

    def markdown(self) -> str:
        """Return the report as Markdown, for a comment."""
        lines = [self.headline()]
        for title, moved in self.parts():
            if moved:
                lines += [
                    "",
                    f"### {title} ({len(moved)})",
                    "",
                    "| where | what | old | new | by |",
                ]
                lines += ["|---|---|---|---|---|"]
                lines += [_table_row(item) for item in moved[:SHOWN]]
                lines += ["", *_rest(moved, "")]
        return "\n".join(lines) + "\n"

    def json(self) -> str:
        """Return the whole report as JSON."""
        content = {
            "verdicts_changed": self.verdicts_changed,
            "compared": self.compared,
            **{
                title.lower().replace(" ", "_"): [
                    {"place": m.place, "what": m.what, "old": m.old, "new": m.new} for m in moved
                ]
                for title, moved in self.parts()
            },
        }
        return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _rest(moved: Sequence[Moved], indent: str) -> list[str]:
    more = len(moved) - SHOWN
    return [f"{indent}... and {more} more; `--format json` lists all."] if more > 0 else []


def _table_row(moved: Moved) -> str:
    cells = [moved.place, moved.what, moved.old or "", moved.new or "", moved.by]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def diff_results(old: Path, new: Path) -> DiffReport:
    """Compare two results folders.

    Parameters
    ----------
    old, new : Path
        Folders with estimates.csv (or its parts, estimates/ID.csv) and comparison.csv;
        provenance.json and studies/*.json are compared where both have them.

    Returns
    -------
    DiffReport
        `verdicts_changed` decides the exit code.

    Raises
    ------
    MissingDataError
        If a folder has no results.
    InputError
        If a file there can't be read.
    """
    was, now = (_read(folder, "estimates.csv", _ESTIMATE_KEY) for folder in (old, new))
    before, after = (_read(folder, "comparison.csv", _COMPARISON_KEY) for folder in (old, new))
    provenance = [_json(folder / "provenance.json") for folder in (old, new)]
    return DiffReport(
        verdicts=tuple(_moved(before, after, ("verdict",))),
        estimates=tuple(_moved(was, now, _NUMBERS)),
        counts=(*_moved(was, now, _COUNTS, lead_only=True), *_flows(old, new)),
        sources=tuple(_mapping_moved(*map(_sources, provenance))),
        setting=tuple(_mapping_moved(*map(_setting, provenance))),
        compared={"estimates": len(now), "published numbers": len(after)},
    )


def _read(folder: Path, name: str, key: Sequence[str]) -> dict[Key, Row]:
    rows: dict[Key, Row] = {}
    for path in _files(folder, name):
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            if lacking := set(key) - set(reader.fieldnames or ()):
                raise InputError(f"{path}: column {', '.join(sorted(lacking))} is missing.")
            for row in reader:
                place = tuple(row[name] for name in key)
                while place in rows:  # two numbers of one name: the second is told by a mark
                    place = (*place, "again")
                rows[place] = row
    return rows


def _files(folder: Path, name: str) -> list[Path]:
    """Return the table's file, or its parts."""
    path = folder / name
    if path.is_file():
        return [path]
    parts = sorted(path.with_suffix("").glob("*.csv")) if name in PARTED else []
    if not parts:
        raise MissingDataError(
            f"{path}: no such file; a results folder has estimates.csv and comparison.csv. "
            "Make them with `foedus report`."
        )
    return parts


def _moved(
    old: Mapping[Key, Row], new: Mapping[Key, Row], columns: Sequence[str], lead_only: bool = False
) -> list[Moved]:
    """Return the differences in some columns; with `lead_only`, once a model."""
    found: list[Moved] = []
    seen: set[tuple[str, ...]] = set()
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        for column in columns:
            was = None if before is None else before.get(column) or ""
            now = None if after is None else after.get(column) or ""
            if was is not None and now is not None and same(was, now):
                continue
            if lead_only and ((*key[:2], column) in seen or was is None or now is None):
                continue
            seen.add((*key[:2], column))
            place = " / ".join(part for part in (key[:2] if lead_only else key) if part)
            found.append(Moved(place, column, was, now))
            if was is None or now is None:
                break
    return found


def same(old: str, new: str) -> bool:
    """Whether two cells say the same, numbers up to the noise of another machine."""
    if old == new:
        return True
    try:
        first, second = float(old), float(new)
    except ValueError:
        return False
    return math.isclose(first, second, rel_tol=RELATIVE, abs_tol=1e-12)


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    content = store.read_json(path)
    return content if isinstance(content, dict) else {}


def _sources(provenance: Mapping[str, Any]) -> dict[str, str]:
    """Return version and checksum of each source file."""
    listed = provenance.get("sources") or []
    return {
        f"{row['id']} / {row['file']}": f"{row['version']} ({str(row['sha256'])[:12]})"
        for row in listed
        if isinstance(row, dict)
    }


def _setting(provenance: Mapping[str, Any]) -> dict[str, str]:
    found = {f"package {name}": str(v) for name, v in (provenance.get("versions") or {}).items()}
    found |= {f"design of {name}": str(v) for name, v in (provenance.get("studies") or {}).items()}
    if "simulated" in provenance:
        found["simulated"] = str(provenance["simulated"])
    return found


def _mapping_moved(old: Mapping[str, str], new: Mapping[str, str]) -> list[Moved]:
    """Return differences of two mappings; nothing when one of the two folders has no provenance."""
    if not old or not new:
        return []
    return [
        Moved(name, "version", old.get(name), new.get(name))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _flows(old: Path, new: Path) -> list[Moved]:
    """Return the steps of sample flows whose rows moved, for studies that both folders have."""
    found = []
    for path in sorted((new / "studies").glob("*.json")):
        before, after = _flow(old / "studies" / path.name), _flow(path)
        if not before or not after:
            continue
        for step in dict.fromkeys([*before, *after]):
            if before.get(step) != after.get(step):
                place = f"{path.stem} / {step}"
                found.append(Moved(place, "rows_left", before.get(step), after.get(step)))
    return found


def _flow(path: Path) -> dict[str, str]:
    steps = _json(path).get("flow") or []
    return {
        " / ".join(part for part in (step.get("model"), step["step"]) if part): str(
            step["rows_left"]
        )
        for step in steps
    }
