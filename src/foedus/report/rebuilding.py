"""What a study's page shows of rebuilt variables, of walks towards print and of changed designs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foedus.report.inputs import Study
from foedus.report.numbers import MISSING, count, is_number, number, percent, plural
from foedus.report.verdicts import verdict_of

View = dict[str, Any]


def rebuild_view(study: Study) -> View | None:
    """Return agreement with the author's file by variable, unmatched rows, where they disagree.

    None for studies that rebuild no author's file.
    """
    content = study.mapping("rebuild")
    if not content:
        return None
    if "note" in content:
        return {"sentence": str(content["note"]), "variables": [], "groups": []}
    counts = content.get("counts", {})
    return {
        "sentence": _matched(str(content.get("table", "")), counts),
        "variables": [_variable(row) for row in content.get("variables", [])],
        "groups": _groups(study, content.get("first", [])),
        "disagreeing": plural(int(content.get("disagreeing", 0)), "row"),
    }


def _matched(table: str, counts: Mapping[str, Any]) -> str:
    said = (
        f"Of {plural(int(counts.get('rows_in_file', 0)), 'row')} of {table}, "
        f"{count(counts.get('rows_matched'))} have a row among those rebuilt and "
        f"{count(counts.get('rows_only_in_file'))} have none."
    )
    if counts.get("rows_expected") is not None:
        said += (
            f" Of {count(counts['rows_expected'])} rebuilt rows that ought to be in the file, "
            f"{count(counts.get('rows_only_rebuilt'))} are not."
        )
    return said


def _variable(row: Mapping[str, Any]) -> View:
    """Return one comparison; flags show who says yes alone, others means and correlation."""
    is_flag = "only_in_file" in row
    if is_flag:
        kappa = number(row["kappa"], 3, 3) if is_number(row.get("kappa")) else MISSING
        likeness = (
            f"only in the file {count(row['only_in_file'])}, only rebuilt "
            f"{count(row['only_rebuilt'])}; kappa {kappa}"
        )
    elif "mean_in_file" in row:
        correlation = row.get("correlation")
        likeness = f"mean {number(row['mean_in_file'])} against {number(row['mean_rebuilt'])}"
        if is_number(correlation):
            likeness += f"; correlation {number(correlation, 4, 4)}"
    else:
        likeness = str(row.get("note", ""))
    return {
        "label": str(row.get("label") or row.get("variable")),
        "name": str(row.get("variable")),
        "in_file": str(row.get("in_file")),
        "known": count(row.get("known_in_both")),
        "agree": count(row.get("agree")),
        "share": percent(row.get("share"), 1),
        "not_rebuilt": count(row.get("not_rebuilt")),
        "missing_in_file": count(row.get("missing_in_file")),
        "likeness": likeness,
    }


def _groups(study: Study, rows: list[Any]) -> list[View]:
    """Return the disagreeing rows shown, gathered by variable and kind."""
    fixed = ("variable", "kind", "rows", "in_file", "rebuilt", "difference", "first", "last")
    found: dict[tuple[str, str], list[View]] = {}
    keys: list[str] = []
    for row in rows:
        keys = keys or [name for name in row if name not in fixed]
        place = (str(row.get("variable") or ""), str(row.get("kind")))
        found.setdefault(place, []).append(
            {
                "keys": [_plain(row.get(name)) for name in keys],
                "years": _years(row),
                "rows": count(row.get("rows")),
                "in_file": _plain(row.get("in_file")),
                "rebuilt": _plain(row.get("rebuilt")),
            }
        )
    return [
        {
            "title": f"{study.label(variable)}: {kind}" if variable else kind.capitalize(),
            "keys": keys,
            "rows": listed,
        }
        for (variable, kind), listed in found.items()
    ]


def _years(row: Mapping[str, Any]) -> str:
    first, last = row.get("first"), row.get("last")
    if first is None:
        return ""
    return str(first) if first == last else f"{first}\N{EN DASH}{last}"


def _plain(value: Any) -> str:
    if value is None:
        return MISSING
    if is_number(value):
        return str(int(value)) if float(value).is_integer() else number(value)
    return str(value)


def walk_views(study: Study) -> list[View]:
    """Return the walk from the declared design towards print of each number that isn't met."""
    return [_walk(study, walk) for walk in study.part("walks") if isinstance(walk, dict)]


def _walk(study: Study, walk: Mapping[str, Any]) -> View:
    steps = [
        {
            "change": str(step.get("change") or "as declared"),
            "estimate": number(step["estimate"]) if is_number(step.get("estimate")) else MISSING,
            "se": number(step["std_error"]) if is_number(step.get("std_error")) else "",
            "n": count(step.get("n_obs")),
            "verdict": str(step.get("verdict", "")),
            "slug": verdict_of(str(step.get("verdict", ""))).slug,
        }
        for step in walk.get("steps", [])
    ]
    place = ", ".join(part for part in (walk.get("table"), walk.get("model")) if part)
    return {
        "label": study.label(str(walk.get("term", ""))),
        "place": place,
        "print": str(walk.get("published", "")),
        "steps": steps,
        "sentence": _walked(walk),
    }


def _walked(walk: Mapping[str, Any]) -> str:
    """Say in a sentence how far the walk came."""
    steps = walk.get("steps", [])
    tried = plural(int(walk.get("tried", 0)), "change")
    if len(steps) < 2:
        return f"None of the declared alternatives brings it nearer to print ({tried} tried)."
    first, last = steps[0], steps[-1]
    return (
        f"{plural(len(steps) - 1, 'change')} take it from {number(first['estimate'])} to "
        f"{number(last['estimate'])}; print has {walk.get('published')} ({tried} tried)."
    )


def change_words(study: Study) -> list[str]:
    """Return what was changed in the declared design since it was first signed, and why."""
    listed = study.page.get("design_changes") or []
    return [
        f"{item.get('from', '')} to {item.get('to', '')}: {item.get('why', '')}"
        for item in listed
        if isinstance(item, dict)
    ]
