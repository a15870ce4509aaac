"""When two states are bound and unbound, and whether a state's pact is answered by another."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.alliance_bonds import bond_years
from foedus.covariates.alliance_facts import members_of
from foedus.covariates.alliance_shared import RIVALS
from foedus.covariates.atop import (
    LISTED,
    OBLIGATIONS,
    PAIRS,
    RELEASE,
    SECRET,
    WORDS,
    obligation_cube,
)
from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.rivalry import SOURCES as RIVALRIES
from foedus.covariates.rivalry import rivalry_cube
from foedus.covariates.values import DyadYears, StateYears, Values, missing_of
from foedus.panels.spans import each_year

_VIOLATED = 2
RENEWALS = Option(
    "include",
    "Pacts between two states that already owed each other the same: they are formations too, or "
    "not (exclude: only if the obligation didn't stand between them in the year before).",
    ("include", "exclude"),
)


def _owed(name: str) -> pl.Expr:
    if name == "any":
        return pl.any_horizontal(pl.col(column) == 1 for column in OBLIGATIONS.values())
    return pl.col(OBLIGATIONS[name]) == 1


def _formed(context: Context, name: str) -> NDArray[np.int8]:
    """Return 1 where a pact binds two for the first time and 1 owes 2 the obligation in it."""
    bonds = bond_years(context)
    owed = bonds.rows.select(_owed(name).alias("owed"))["owed"].fill_null(value=False).to_numpy()
    first = bonds.rows["first_bound"].to_numpy().astype(np.int64)
    new = owed[bonds.row] & (bonds.year == first[bonds.row])
    flags = empty_dyads(context.system, np.int8)
    flags[bonds.position[new]] = 1
    made = dyad_cube(context.system, flags)
    if context.options["renewals"] == "exclude":
        before = obligation_cube(context, name)[:, :, :-1] == 1
        made[:, :, 1:][before] = 0
    return made


def _ended(context: Context, violated: bool) -> NDArray[np.int8]:
    """Return 1 where a pact between two ends in the year (by violation), symmetric.

    Of a pact's phases only the last that binds the two counts: one that another follows goes on.
    """
    bound = ["atopid", "giver", "receiver"]
    rows = bond_years(context).rows.with_columns(
        last_day=pl.col("to_day").max().over(bound),
    )
    window = context.tables.coverage("atop", release=context.options["release"])
    last = rows.filter(pl.col("to_day") == pl.col("last_day"))
    # In force to the last day of ATOP's years is not ended.
    ended = last.filter(pl.col("to_day") < pl.date(window[1], 12, 31))
    if violated:
        ended = ended.filter(pl.col("term") == _VIOLATED)
    flags = empty_dyads(context.system, np.int8)
    year = ended["to_day"].dt.year().to_numpy()
    for one, other in (("giver", "receiver"), ("receiver", "giver")):
        place, _ = dyad_positions(
            context.system, ended[one].to_numpy(), ended[other].to_numpy(), year
        )
        flags[place] = 1
    return dyad_cube(context.system, flags)


@covariate(
    name="alliance_formation",
    title="Formation and end of pacts between the two states",
    columns=[
        ColumnSpec("formation", "flag", "1 if in the year a pact binds the two for the first time "
                   "in which either owes the other any obligation."),
        *(
            ColumnSpec(f"formation_{name}", "flag", "1 if in the year a pact binds the two for the "
                       f"first time in which 1 owes 2 {word}; in undirected dyads, either.",
                       collapse="max")
            for name, word in WORDS.items()
        ),
        ColumnSpec("termination", "flag", "1 if in the year a pact ends that bound the two."),
        ColumnSpec("termination_violation", "flag", "1 if one ends by a violation of its "
                   "provisions (ATOP term 2)."),
    ],
    sources=["atop"],
    citations=["leeds_etal_2002", "lai_reiter_2000", "gibler_wolford_2006", "leeds_savun_2007"],
    options={
        "release": RELEASE, "secret": SECRET, "pairs": PAIRS, "listed": LISTED,
        "renewals": RENEWALS,
    },
    examples=[
        Example(
            "Germany and Austria-Hungary make the Dual Alliance in 1879.",
            {"ccode1": 255, "ccode2": 300, "year": 1879},
            {"formation": 1, "formation_defense": 1, "formation_offense": 0, "termination": 0},
        ),
        Example(
            "The Triple Alliance of 1882 is a new pact of the two; what is new is the offence that "
            "neither owes the other.",
            {"ccode1": 255, "ccode2": 300, "year": 1882},
            {"formation": 1, "formation_defense": 1},
        ),
        Example(
            "Defence stood between them before it.",
            {"ccode1": 255, "ccode2": 300, "year": 1882},
            {"formation_defense": 0},
            options={"renewals": "exclude"},
        ),
        Example(
            "Locarno ends for Germany and France in 1936, by violation.",
            {"ccode1": 220, "ccode2": 255, "year": 1936},
            {"termination": 1, "termination_violation": 1},
        ),
    ],
)  # fmt: skip
def alliance_formation(context: Context) -> dict[str, Values]:
    """Make formation by obligation, and ends.

    Lai & Reiter (2000) ask who is allied, Gibler & Wolford (2006) who becomes so; formation is the
    first year of a pact between the two, an accession by either included. A pact whose phases
    follow each other is one pact. Missing in ATOP's first year too: whether what stands then is
    new isn't known.
    """
    made: dict[str, Values] = {}
    wanted = context.wanted
    start = context.tables.coverage("atop", release=context.options["release"])[0]
    for name in ("any", *OBLIGATIONS):
        column = "formation" if name == "any" else f"formation_{name}"
        if column not in wanted:
            continue
        flags = _formed(context, name)
        if name == "any":
            flags = np.maximum(flags, flags.transpose(1, 0, 2))
        flags[:, :, context.system.years <= start] = missing_of(flags.dtype)
        made[column] = DyadYears(flags)
    for column, violated in (("termination", False), ("termination_violation", True)):
        if column in wanted:
            made[column] = DyadYears(_ended(context, violated))
    return made


ACCESSION = Option(
    "include",
    "A state that joins a pact that others made before: a new pact of its own, or not.",
    ("include", "exclude"),
)
TIE = Option(
    "any", "Obligation that a member owes in the pacts that count.", (*OBLIGATIONS, "any")
)  # fmt: skip


def entries(context: Context) -> pl.DataFrame:
    """Return when each state first enters each pact that counts: atopid, member, year, left.

    A pact counts if any member owes the obligation under option tie in the phase that it enters.
    """
    rows = members_of(context)
    if context.options["secret"] == "exclude":
        rows = rows.filter(pl.col("pubsecr").fill_null(0) != 2)
    owed = _owed(context.options["tie"]).any().over("atopid", "phase")
    spans = rows.filter(owed).group_by("atopid", "member").agg(
        year=pl.col("first_year").min(),
        left=pl.col("last_year").max(),
        open=pl.col("in_force").any(),
        violated=(
            (pl.col("term") == _VIOLATED) & (pl.col("last_year") == pl.col("last_year").max())
        ).any(),
    )  # fmt: skip
    if context.options["accession"] == "exclude":
        spans = spans.filter(pl.col("year") == pl.col("year").min().over("atopid"))
    return spans.sort("atopid", "member")


def _by_state(
    context: Context, ccode: NDArray[np.int64], year: NDArray[np.int64]
) -> NDArray[np.int16]:
    """Count events by state and year, (n, years)."""
    system = context.system
    state, at = system.index(ccode), year - system.first_year
    inside = (state >= 0) & (at >= 0) & (at < system.n_years)
    made = np.zeros((system.n_states, system.n_years), np.int16)
    np.add.at(made, (state[inside], at[inside]), 1)
    return made


def new_pacts_without(context: Context) -> NDArray[np.int16]:
    """Return how many pacts the first state enters in a year in which the second isn't then."""
    system = context.system
    entered = entries(context)
    every = _by_state(context, entered["member"].to_numpy(), entered["year"].to_numpy())
    inside = (
        members_of(context)
        .select("atopid", other="member", from_year="first_year", to_year="last_year")
        .join(entered.select("atopid", "member", "year"), on="atopid")
        .filter(pl.col("year").is_between(pl.col("from_year"), pl.col("to_year")))
        .select("atopid", "member", "other", "year")
        .unique()
    )
    place, _ = dyad_positions(
        system, inside["member"].to_numpy(), inside["other"].to_numpy(), inside["year"].to_numpy()
    )
    joint = empty_dyads(system, np.int16)
    np.add.at(joint, place, 1)
    return np.asarray(every[:, None, :] - dyad_cube(system, joint))


def within_next(yearly: NDArray[np.int16], ahead: int) -> NDArray[np.bool_]:
    """Return whether anything happens in the `ahead` years after each year, the last axis."""
    total = np.cumsum(yearly, axis=-1, dtype=np.int32)
    later = np.repeat(total[..., -1:], total.shape[-1], axis=-1)
    later[..., : total.shape[-1] - ahead] = total[..., ahead:]
    return np.asarray(later - total > 0)


AHEAD = (1, 3, 5, 10)
_OPTIONS = {"release": RELEASE, "secret": SECRET, "tie": TIE, "accession": ACCESSION}


@covariate(
    name="state_pacts",
    title="Pacts that a state enters and leaves",
    columns=[
        ColumnSpec("new_pacts", "count", "ATOP pacts that it enters in the year.",
                   unit="alliances", level="state"),
        ColumnSpec("ended_pacts", "count", "Pacts that it leaves in the year, or that end.",
                   unit="alliances", level="state"),
        ColumnSpec("violated_pacts", "count", "Those of them that end by violation (ATOP term 2 in "
                   "its own row).", unit="alliances", level="state"),
        ColumnSpec("standing_pacts", "count", "Pacts that it is in on any day of the year.",
                   unit="alliances", level="state"),
    ],
    sources=["atop", "cow_states"],
    citations=["leeds_etal_2002", "leeds_savun_2007", "singer_small_1968"],
    options=_OPTIONS,
    coverage_of=("atop", "cow_states"),
    examples=[
        Example(
            "Austria-Hungary enters the Triple Alliance in 1882.",
            {"ccode": 300, "year": 1882},
            {"new_pacts": 1, "ended_pacts": 0},
            unit="state-year",
        ),
        Example(
            "The Three Emperors' League runs out in 1887; nothing ends a year later.",
            {"ccode": 300, "year": 1888},
            {"ended_pacts": 0},
            unit="state-year",
        ),
    ],
)  # fmt: skip
def state_pacts(context: Context) -> dict[str, Values]:
    """Make counts of pacts by state and year; phases of one pact are one.

    Leeds & Savun (2007) tell ends by violation from others by ATOP's term, which speaks of the
    phase in the member's row and not of who broke it.
    """
    entered = entries(context)
    closed = entered.filter(~pl.col("open"))
    broken = closed.filter(pl.col("violated").fill_null(value=False))
    span, year = each_year(entered["year"].to_numpy(), entered["left"].to_numpy())
    return {
        "new_pacts": StateYears(
            _by_state(context, entered["member"].to_numpy(), entered["year"].to_numpy())
        ),
        "ended_pacts": StateYears(
            _by_state(context, closed["member"].to_numpy(), closed["left"].to_numpy())
        ),
        "violated_pacts": StateYears(
            _by_state(context, broken["member"].to_numpy(), broken["left"].to_numpy())
        ),
        "standing_pacts": StateYears(
            _by_state(context, entered["member"].to_numpy()[span], year)
        ),
    }  # fmt: skip


@covariate(
    name="counter_alliance",
    title="Whether a pact is answered: alliances against it in the years after",
    columns=[
        *(
            ColumnSpec(f"rival_pact_{ahead}", "flag", f"1 if in the {ahead} years after this one a "
                       "rival of the state (of this year) enters a pact without it; missing if "
                       "ATOP doesn't cover them.", level="state", absent="missing")
            for ahead in AHEAD
        ),
        *(
            ColumnSpec(f"counter_pact_{ahead}", "flag", f"1 if in the {ahead} years after this one "
                       "2 enters a pact in which 1 isn't; in undirected dyads, either without the "
                       "other; missing if ATOP doesn't cover them.", collapse="max",
                       absent="missing")
            for ahead in AHEAD
        ),
    ],
    sources=["atop", "cow_states", "rivalries_tss", "rivalries_td"],
    citations=["weitsman_2004", "singer_small_1968", "leeds_etal_2002",
               "thompson_sakuwa_suhas_2021", "thompson_dreyer_2011"],
    options={**_OPTIONS, "rivals": RIVALS},
    coverage_of=("atop", "cow_states"),
    examples=[
        Example(
            "After the Dual Alliance of 1879 Russia makes pacts only with Germany in them for ten "
            "years; France and Russia come together in 1891.",
            {"ccode1": 255, "ccode2": 365, "year": 1886},
            {"counter_pact_1": 0, "counter_pact_5": 1},
        ),
        Example(
            "The years after 2016 aren't all known.",
            {"ccode1": 2, "ccode2": 365, "year": 2012},
            {"counter_pact_5": None, "counter_pact_10": None},
        ),
    ],
)  # fmt: skip
def counter_alliance(context: Context) -> dict[str, Values]:
    """Make outcomes of the security dilemma: does a pact of a state breed one of its rivals.

    To be read beside `state_pacts` new_pacts or `alliance_formation` in the same row: what follows
    a year with a new pact against what follows a year without (Weitsman 2004 on the paradox of
    cohesion within and insecurity without; Singer & Small 1968 on alliances breeding alliances). No
    column says that the later pact was made because of the earlier one.
    """
    without = new_pacts_without(context)
    system = context.system
    last = min(
        context.tables.coverage("atop", release=context.options["release"])[1], system.last_year
    )
    column = context.options["rivals"]
    listed = context.tables.coverage(RIVALRIES[column])
    rivals = rivalry_cube(context, column, "any") == 1 if _states_asked(context) else None
    made: dict[str, Values] = {}
    for ahead in AHEAD:
        names = (f"rival_pact_{ahead}", f"counter_pact_{ahead}")
        if not context.wanted & set(names):
            continue
        later = within_next(without, ahead)
        unknown = system.years + ahead > last
        if rivals is not None:
            flags = (rivals & later.transpose(1, 0, 2)).any(axis=1).astype(np.int8)
            outside = (system.years < listed[0]) | (system.years > listed[1])
            flags[:, unknown | outside] = missing_of(flags.dtype)
            made[names[0]] = StateYears(flags)
        answered = later.transpose(1, 0, 2).astype(np.int8)
        answered[:, :, unknown] = missing_of(answered.dtype)
        made[names[1]] = DyadYears(answered)
    return made


def _states_asked(context: Context) -> bool:
    return any(name.startswith("rival_pact") for name in context.wanted)
