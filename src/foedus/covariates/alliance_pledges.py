"""Which pledges count: choices about the pact, its conditions and its giver, shared by covariates.

A choice at its default lets every pledge through. ATOP (Leeds et al. 2002) codes that a pledge is
limited to a place, an ongoing conflict, a number of adversaries, a demand or an unprovoked attack,
but not to which; so such a pledge can be counted or left out, and no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.context import Context, state_cube
from foedus.covariates.major import major_cube
from foedus.covariates.registry import Option
from foedus.errors import UsageError

PACT_OPTIONS: dict[str, Option] = {
    "wartime": Option(
        "include",
        "Pacts made while members were at war (ATOP wartime).",
        ("include", "exclude", "only"),
    ),
    "form": Option(
        "any", "Pacts of two members, of more, or both (ATOP bilat).",
        ("any", "bilateral", "multilateral"),
    ),
    "symmetry": Option(
        "any",
        "Pacts whose members owe the same, or not the same (ATOP asymm).",
        ("any", "symmetric", "asymmetric"),
    ),
    "without": Option(
        "",
        "ATOP numbers of pacts that don't count, separated by commas (the wide ones: "
        "3075,3150,3180,3205).",
    ),
}  # fmt: skip

# Option, its ending in ATOP's names (defcoloc, offcoloc, ...), and what the pledge is limited to.
_CONDITIONS = {
    "location": ("loc", "named places"),
    "ongoing": ("con", "an ongoing or named conflict"),
    "number": ("num", "a given number of adversaries"),
    "demand": ("dem", "a given demand"),
    "provocation": ("pr", "attacks that the holder didn't provoke"),
}
CONDITION_OPTIONS: dict[str, Option] = {
    name: Option(
        "ignore",
        f"Pledges limited to {limit} (ATOP ...co{ending}): counted as if the limit were met, or "
        "left out.",
        ("ignore", "exclude"),
    )
    for name, (ending, limit) in _CONDITIONS.items()
}
_PREFIX = {"defense": "defco", "offense": "offco", "neutrality": "neuco"}
# ATOP spells the limit to unprovoked attacks with an n, and has none on offence.
_SPELLED = {"defcopr": "defconpr", "neucopr": "neuconpr", "offcopr": ""}

GIVERS = Option(
    "any",
    "Whose pledges count: anyone's, COW major powers', others', states' with nuclear weapons, or "
    "democracies' (polity2 of 6 or more).",
    ("any", "major", "minor", "nuclear", "democratic"),
)
NUCLEAR = Option(
    "acquired",
    "From when a state has nuclear weapons: when it is held to have acquired them, or its first "
    "test of one.",
    ("acquired", "tested"),
)
_DEMOCRACY = 6

# No source file at hand lists them. First and last year with nuclear weapons (None: still), by COW
# number. Acquired: Bleek 2017. South Africa dismantled its own in 1991 and never tested one; Israel
# never declared a test. 1974, India's first, was called peaceful.
# ASSUME: Belarus, Kazakhstan and Ukraine, on whose soil Soviet weapons stood until 1995-1996, had
# none of their own: Moscow kept the codes. First tests (1945, 1949, 1952, 1960, 1964, 1974, 1998,
# 2006) stand in every chronology; the years of Israel, South Africa, India and Pakistan, which
# declared nothing at the time, are judgements, and the option `tested` leaves them out.
NUCLEAR_YEARS: dict[str, dict[int, tuple[int, int | None]]] = {
    "acquired": {
        2: (1945, None), 365: (1949, None), 200: (1952, None), 220: (1960, None),
        710: (1964, None), 666: (1967, None), 560: (1979, 1991), 750: (1987, None),
        770: (1987, None), 731: (2006, None),
    },
    "tested": {
        2: (1945, None), 365: (1949, None), 200: (1952, None), 220: (1960, None),
        710: (1964, None), 750: (1974, None), 770: (1998, None), 731: (2006, None),
    },
}  # fmt: skip


def of_pacts(rows: pl.DataFrame, options: Mapping[str, Any]) -> pl.DataFrame:
    """Keep the rows of pacts that the options let through.

    Parameters
    ----------
    rows : polars.DataFrame
        Pledge or member rows with atopid, wartime, bilat and asymm (as far as an option asks).
    options : mapping
        Values of PACT_OPTIONS; one that is absent is at its default.

    Raises
    ------
    UsageError
        If `without` isn't numbers separated by commas.
    """
    kept = {
        "wartime": {"exclude": _flag("wartime") == 0, "only": _flag("wartime") == 1},
        "form": {"bilateral": _flag("bilat") == 1, "multilateral": _flag("bilat") == 0},
        "symmetry": {"symmetric": _flag("asymm") == 0, "asymmetric": _flag("asymm") == 1},
    }
    for name, rules in kept.items():
        rule = rules.get(options.get(name, ""))
        if rule is not None:
            rows = rows.filter(rule)
    without = numbers(str(options.get("without", "")))
    return rows.filter(~pl.col("atopid").is_in(without)) if without else rows


def _flag(name: str) -> pl.Expr:
    # ASSUME: a treaty of which ATOP doesn't know the text lacks what can't be seen in it.
    return pl.col(name).fill_null(0)


def numbers(text: str) -> list[int]:
    """Return the whole numbers of a list separated by commas; UsageError for anything else."""
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise UsageError(
            f'the option without="{text}" is not a list of ATOP numbers such as "3075,3180".'
        ) from error


def unconditioned(
    rows: pl.DataFrame, obligation: str, options: Mapping[str, Any]
) -> pl.DataFrame:  # fmt: skip
    """Leave out pledges of an obligation that are limited in a way the options exclude."""
    for name, (ending, _) in _CONDITIONS.items():
        spelled = _PREFIX[obligation] + ending
        spelled = _SPELLED.get(spelled, spelled)
        if options.get(name) == "exclude" and spelled:
            rows = rows.filter(_flag(spelled) == 0)
    return rows


def nuclear_cube(context: Context, since: str) -> NDArray[np.bool_]:
    """Return which states have nuclear weapons in a year, (n, years)."""
    system = context.system
    armed = np.zeros((system.n_states, system.n_years), dtype=bool)
    for ccode, (first, last) in NUCLEAR_YEARS[since].items():
        state = int(system.index(np.array([ccode]))[0])
        if state >= 0:
            armed[state] = (system.years >= first) & (system.years <= (last or system.last_year))
    return armed


def majors_cube(context: Context) -> NDArray[np.bool_]:
    """Return which states are COW major powers on any day of a year, (n, years)."""
    flags = context.shared(
        "major", lambda: major_cube(context.system, context.tables.get("cow_states", "majors"))
    )
    return np.asarray(flags == 1)


def polity_cube(context: Context) -> NDArray[np.float64]:
    """Return polity2 of each state in each year, (n, years); NaN where unknown."""

    def make() -> NDArray[np.float64]:
        facts = context.tables.get("polity", "state_years").drop_nulls("polity2")
        return state_cube(
            context.system,
            facts["ccode"].to_numpy(),
            facts["year"].to_numpy(),
            facts["polity2"].cast(pl.Float64).to_numpy(),
            "polity/state_years",
        )

    return context.shared("polity2 as numbers", make)


def giver_mask(context: Context, rule: str) -> NDArray[np.bool_]:
    """Return whose pledges count in a year, (n, years): members of the system that fit the rule."""
    member: NDArray[np.bool_] = context.system.member
    if rule in ("major", "minor"):
        return np.asarray(member & (majors_cube(context) == (rule == "major")))
    if rule == "nuclear":
        return member & nuclear_cube(context, context.options["nuclear"])
    if rule == "democratic":
        # A state of unknown regime isn't counted as a democracy.
        return np.asarray(member & (np.nan_to_num(polity_cube(context), nan=-99.0) >= _DEMOCRACY))
    return member
