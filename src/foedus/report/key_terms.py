"""What kind of tie a leading term is, so that estimates of unlike designs aren't taken for one.

A third state's pledge to the target and the two states' own tie may both be said to deter; they
aren't one effect. The kind is read off the covariates that the term is made of; a study on an
author's file, whose columns have no covariate, says it in its headline (`kind:`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from foedus.errors import UsageError
from foedus.studies.expressions import names_in

OTHER = "other"
KINDS: dict[str, str] = {
    "target": "third states' pledges to the target",
    "challenger": "third states' pledges to the challenger",
    "tie": "the two states' own tie",
    "joiner": "a tie to a state in the conflict",
    "sides": "ties among those that fight",
    "likeness": "likeness of the two states' alliances",
    "holdings": "all of a state's or the system's alliances",
    OTHER: "variables that are no ties, and may be unlike among themselves",
}
"""Kinds of leading terms in words; a term that is made of several is the first of them."""

_OF_COLUMN = (
    ("atop_third_party.target", "target"), ("third_party_types.target", "target"),
    ("pledge_age.target", "target"), ("deterrent_balance.", "target"),
    ("partner_mix.", "holdings"), ("partner_place.", "holdings"),
    ("atop_third_party.challenger", "challenger"), ("third_party_types.challenger", "challenger"),
    ("atop.", "tie"), ("alliance_bonds.", "tie"), ("alliance_tether.", "tie"),
    ("alliance_formation.", "tie"), ("cow_alliance.", "tie"), ("pledge_types.", "tie"),
    ("dca.", "tie"), ("war_joiner_ties.", "joiner"), ("dispute_joiner_ties.", "joiner"),
    ("intervention_ties.", "joiner"), ("ucdp_support_ties.", "joiner"),
    ("war_ties.", "sides"), ("war_partners.", "sides"), ("war_coalition.", "sides"),
    ("similarity.", "likeness"), ("leader_similarity.", "likeness"),
    ("partner_counts.", "holdings"), ("partner_bonds.", "holdings"),
    ("allied_weight.", "holdings"), ("state_pacts.", "holdings"), ("system_pacts.", "holdings"),
)  # fmt: skip
"""Beginnings of a covariate's column, the first that fits: what kind of tie it says."""


def kind_of(declared: Mapping[str, Any], line: Mapping[str, Any]) -> str:
    """Return the kind of a headline's term: what it declares, else what its covariates are.

    Parameters
    ----------
    declared : mapping
        study.yaml as it stands.
    line : mapping
        A headline, its term named.
    """
    said = str(line.get("kind") or "") or _declared_kind(declared, line)
    if said:
        return said
    variables = declared.get("variables")
    variables = variables if isinstance(variables, dict) else {}
    _, _, own = str(line.get("term") or "").rpartition(":")
    parts = str(line.get("term") or "").split(":")
    names = parts if all(part in variables for part in parts) else [own]
    found = {kind for name in names for kind in _kinds(variables, name, ())}
    return next((kind for kind in KINDS if kind in found), OTHER)


def _declared_kind(declared: Mapping[str, Any], line: Mapping[str, Any]) -> str:
    """Return the kind that study.yaml's headline of this term declares, else ""."""
    lines = declared.get("headline")
    place = (line.get("model"), line.get("term"))
    for one in lines if isinstance(lines, Sequence) else ():
        if isinstance(one, dict) and _place(one) == place:
            return str(one.get("kind") or "")
    return ""


def _place(line: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return a headline's model and term, also where it names them by `maps_to`."""
    block, _, rest = str(line.get("maps_to") or "").partition(".")
    name, _, part = rest.partition(".")
    return (
        (name, part) if block in ("models", "measures") else (line.get("model"), line.get("term"))
    )


def unit_of(declared: Mapping[str, Any], unit: str) -> str:
    """Return the unit of a study's rows; that of an author's file is what its keys make of it."""
    universe = declared.get("universe")
    if not isinstance(universe, dict) or not universe.get("table"):
        return unit or "no rows"
    rebuild, keys = declared.get("rebuild"), universe.get("keys") or {}
    named = universe.get("attach") or (rebuild.get("unit") if isinstance(rebuild, dict) else None)
    if named:
        return str(named)
    if "ccode1" in keys and "ccode2" in keys:
        return "dyad-year"
    return "state-year" if "ccode" in keys else "author's rows"


def _kinds(variables: Mapping[str, Any], name: str, within: tuple[str, ...]) -> Iterator[str]:
    spec = variables.get(name)
    if not isinstance(spec, dict) or name in within:
        return
    source, expression = spec.get("from"), spec.get("expression")
    if source:
        yield next((kind for start, kind in _OF_COLUMN if str(source).startswith(start)), OTHER)
    elif expression:
        try:
            parts = names_in(str(expression))
        except UsageError:
            return
        for part in parts:
            yield from _kinds(variables, part, (*within, name))
