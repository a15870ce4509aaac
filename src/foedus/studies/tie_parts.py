"""The parts of a tie between two states: by what is promised, how it came about, how it is run.

A study's leading variable may say no more than that two states are allied. Within the study's own
model it is replaced by its parts, so that whether they act alike can be tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from foedus.covariates.registry import get_covariate
from foedus.errors import UsageError
from foedus.studies.expressions import names_in
from foedus.studies.schema import Design, Headline, Variable

DYADS = ("dyad-year", "directed-dyad-year")
TIES = "atop"
BONDS = "alliance_bonds"
OWED = {
    "defence": "atop.atop_defense",
    "offence": "atop.atop_offense",
    "neutrality": "atop.atop_neutrality",
    "non-aggression": "atop.atop_nonaggression",
    "consultation": "atop.atop_consultation",
}
INSTITUTION = "the military institutions of the pact that has most of them (Leeds and Anac 2005)"


@dataclass(frozen=True)
class Split:
    """A tie's parts within one model.

    Attributes
    ----------
    by, says : str
        What the parts differ in.
    variables : dict
        The parts' declarations, after those of what they are made from.
    groups : dict of str to str
        A part's name to its variable.
    """

    by: Literal["content", "formation", "management"]
    says: str
    variables: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, str]


def splits(design: Design, line: Headline) -> list[Split]:
    """Return the ways in which a headline's variable splits; none unless it is a tie of a dyad.

    The groups of formation and of management exclude each other; the five obligations don't, so
    that each stands beside the others in one model.
    """
    universe = design.universe
    if universe is None or universe.unit not in DYADS or universe.system != "cow":
        return []
    pledges = _pledges(design, line.term)
    if not pledges:
        return []
    found = []
    if len(pledges) > 1 or pledges[0].source == f"{TIES}.atop_any":
        found.append(_content(line.term, dict(pledges[0].options)))
    # Bonds are those of ATOP's current release; where every declared variable must be known, their
    # missing values would cost rows.
    if design.sample.complete_on != "all" and all(_is_current(one) for one in pledges):
        found += [_formation(line.term), _management(line.term)]
    return found


def _pledges(design: Design, name: str) -> list[Variable]:
    """Return the pledges (columns of ATOP's ties) that a variable is made of, and nothing else."""
    spec = design.variables.get(name)
    if spec is None or spec.transform:
        return []
    if spec.source is not None:
        return [spec] if spec.source.startswith(f"{TIES}.") else []
    assert spec.expression is not None
    parts = [_pledges(design, one) for one in names_in(spec.expression)]
    return [one for part in parts for one in part] if all(parts) else []


def _is_current(spec: Variable) -> bool:
    """Return whether a pledge is that of the release that bonds are taken from."""
    entry = get_covariate(TIES)
    try:
        return entry.resolve_options(spec.options) == entry.resolve_options({})
    except UsageError:
        return False


def _content(tie: str, options: Mapping[str, Any]) -> Split:
    parts = {f"{tie}__c{i}": {"from": source, **options} for i, source in enumerate(OWED.values())}
    return Split(
        "content",
        "what the pact promises; one may promise several things, so each stands beside the others",
        parts,
        dict(zip(OWED, parts, strict=True)),
    )


def _formation(tie: str) -> Split:
    war, many = f"{tie}__war", f"{tie}__many"
    needed = {
        war: {"from": f"{BONDS}.bond_wartime"},
        many: {"from": f"{BONDS}.bond_multilateral"},
    }
    groups = {
        "made in war": f"{tie} == 1 and {war} == 1",
        "made in peace by two": f"{tie} == 1 and {war} == 0 and {many} == 0",
        "made in peace by several": f"{tie} == 1 and {war} == 0 and {many} == 1",
    }
    return _exclusive("formation", "how the pact came about", tie, needed, groups)


def _management(tie: str) -> Split:
    held = f"{tie}__held"
    needed = {held: {"from": f"{BONDS}.bond_institution"}}
    # The code is missing where there is no pact, and must not cost those rows.
    groups = {
        "no or low institution": f"{tie} == 1 and otherwise({held}, 0) < 1",
        "moderate institution": f"{tie} == 1 and otherwise({held}, 0) == 1",
        "high institution": f"{tie} == 1 and otherwise({held}, 0) >= 2",
    }
    return _exclusive("management", INSTITUTION, tie, needed, groups)


def _exclusive(
    by: Literal["formation", "management"],
    says: str,
    tie: str,
    needed: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, str],
) -> Split:
    parts = {f"{tie}__{by[0]}{i}": {"expression": text} for i, text in enumerate(groups.values())}
    return Split(by, says, {**needed, **parts}, dict(zip(groups, parts, strict=True)))
