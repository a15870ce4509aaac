"""Who comes into wars of a state with a party that is none, and what binds them to that state.

One set of columns for COW's intra-state and extra-state wars and one for UCDP's conflicts.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.atop import OBLIGATIONS, RELEASE, SECRET, WORDS
from foedus.covariates.context import Context
from foedus.covariates.distance import between_capitals, capital_of_year
from foedus.covariates.nmc import RELEASE as NMC_RELEASE
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.rivalry import rivalry_cube
from foedus.covariates.values import Rows, Values, missing_of
from foedus.covariates.war_clock import joined_before
from foedus.covariates.war_joiner_place import contiguity_of_years
from foedus.covariates.war_outset import Treaties
from foedus.panels.fine_units import period_of
from foedus.panels.intervention_list import (
    EXTRA,
    INTRA,
    NO_STATE,
    UCDP_UNITS,
    WAR_UNITS,
    InterventionList,
    load_interventions,
    load_ucdp,
)
from foedus.panels.system import first_day, year_of

_BY_PERIOD = (*WAR_UNITS[1:], *UCDP_UNITS)
_SPAIN, _ITALY, _BRITAIN, _RUSSIA, _HUNGARIAN, _SPANISH = 230, 325, 200, 365, 554, 718
_UNKNOWN = missing_of(np.dtype(np.int8))


def _list(context: Context) -> InterventionList:
    def load() -> InterventionList:
        ucdp = context.spine.unit in UCDP_UNITS
        return load_ucdp(context.tables) if ucdp else load_interventions(context.tables)

    return context.shared("intervention_list", load)


def _governments(context: Context) -> NDArray[np.int64]:
    """Return the index of the state whose war each is, -1 in wars without one; (wars,)."""
    wars = _list(context)
    # ASSUME: where two states face the party outside the system in one war (France and Spain in
    # Morocco, 1913), the one that did so first is the state whose war it is.
    lead = np.flatnonzero(wars.first_party & (wars.ccode != NO_STATE))[::-1]
    government = np.full(len(wars.numbers), -1, np.int64)
    government[wars.of_spell[lead]] = context.system.index(wars.ccode[lead])
    return government


def _known(values: NDArray[np.bool_], known: NDArray[np.bool_]) -> Rows:
    return Rows(np.where(known, values, _UNKNOWN).astype(np.int8))


# --- coming in ------------------------------------------------------------------------------


def _flag(name: str, says: str, units: tuple[str, ...] = ()) -> ColumnSpec:
    return ColumnSpec(name, "flag", says, level="row", units=units)


def _count(name: str, says: str, unit: str) -> ColumnSpec:
    return ColumnSpec(name, "count", says, unit=unit, level="row", units=_BY_PERIOD)


_JOINING = [
    _flag("joined", "1 if the state came into the war; on units by year or month, in that one."),
    _flag("joined_for", "1 if it came in on the side of the state whose war it is; missing in "
          "wars between parties none of which is a state."),
    _flag("joined_against", "1 if it came in on the other side; missing likewise."),
    ColumnSpec("delay_days", "integer", "Days from the war's first day to its entry; missing if it "
               "stayed out.", unit="days", level="row", absent="missing"),
    ColumnSpec("war_year", "integer", "Year in which the war (the episode) began.", unit="year",
               level="row", absent="missing"),
    _flag("state_party", "1 if a party whose war it is is a state of the system."),
    _flag("outside", "1 if the other party stands outside the state's own land: COW's extra-state "
          "wars, UCDP's extrasystemic conflicts."),
    _flag("over_government", "1 if the war is over who governs: COW's war type 4; UCDP's "
          "incompatibility government, or both."),
    _count("elapsed", "Whole years (units by month: months) since the war's first; 0 in it.",
           "years or months"),
    _count("joined_before", "States that came in in an earlier year (month).", "states"),
    _count("joined_before_side1", "Of them, those on side A.", "states"),
    _count("joined_before_side2", "Of them, those on side B.", "states"),
    ColumnSpec("entry_dated", "flag", "1 if the day of the entry is known, 0 if its month or year "
               "is, which is read as its first day (always 0 in UCDP's list, which gives years); "
               "missing in rows without an entry.", level="row", absent="missing",
               units=_BY_PERIOD),
]  # fmt: skip


def _joining(context: Context) -> dict[str, Values]:
    extra, wars = context.spine.extra, _list(context)
    war = extra["war"].astype(np.int64)
    joined, side = extra["joined"].astype(bool), extra["joined_side"].astype(np.int64)
    own = wars.state_side[war]
    delay = extra["join_day"].astype(np.int64) - extra["start_day"].astype(np.int64)
    made: dict[str, Values] = {
        "joined": Rows(joined.astype(np.int8)),
        "joined_for": _known(joined & (side == own), own > 0),
        "joined_against": _known(joined & (side != own), own > 0),
        "delay_days": Rows(
            np.where(joined, delay, missing_of(np.dtype(np.int32))).astype(np.int32)
        ),
        "war_year": Rows(extra["start_year"].astype(np.int32)),
        "state_party": Rows((_governments(context)[war] >= 0).astype(np.int8)),
        "outside": Rows(wars.outside[war].astype(np.int8)),
        "over_government": Rows(_over_government(context)[war].astype(np.int8)),
    }
    if "elapsed" in extra:
        made |= _clock(context, war)
    return made


def _over_government(context: Context) -> NDArray[np.bool_]:
    kind = _list(context).kind
    return np.isin(kind, (1, 3) if context.spine.unit in UCDP_UNITS else (4,))


def _clock(context: Context, war: NDArray[np.int64]) -> dict[str, Values]:
    extra, wars = context.spine.extra, _list(context)
    states = wars.states
    late = ~states.original & (states.ccode != NO_STATE)
    of_war = np.searchsorted(wars.numbers, states.warnum)[late]
    start, side = states.start[late], states.side[late]
    monthly = context.spine.unit.endswith("month")
    entered = period_of(start, "month") if monthly else year_of(start)
    period = extra["period"].astype(np.int64)
    made: dict[str, Values] = {
        "elapsed": Rows(extra["elapsed"].astype(np.int32)),
        "joined_before": Rows(joined_before(war, period, of_war, entered)),
    }
    for number in (1, 2):
        on = side == number
        made[f"joined_before_side{number}"] = Rows(
            joined_before(war, period, of_war[on], entered[on])
        )
    key = wars.warnum * 10_000 + wars.ccode
    ccode = context.spine.keys["ccode"].astype(np.int64)
    vague = np.isin(wars.numbers[war] * 10_000 + ccode, key[~wars.exact])
    dated = np.where(extra["joined"].astype(bool), ~vague, _UNKNOWN)
    return made | {"entry_dated": Rows(dated.astype(np.int8))}


@covariate(
    name="intervention",
    title="Coming into an intra-state or extra-state war",
    columns=_JOINING,
    sources=[INTRA, EXTRA],
    citations=["sarkees_wayman_2010"],
    units=WAR_UNITS,
    examples=[
        Example(
            "Russia came into Austria's war with Hungary in 1849, on Austria's side.",
            {"warnum": _HUNGARIAN, "ccode": _RUSSIA},
            {"joined": 1, "joined_for": 1, "joined_against": 0, "state_party": 1, "outside": 0},
            unit="war-intervener",
        ),
        Example(
            "Italy fought against Spain's government in the Spanish Civil War, from 30 July 1936.",
            {"warnum": _SPANISH, "ccode": _ITALY},
            {"joined": 1, "joined_for": 0, "joined_against": 1, "delay_days": 12},
            unit="war-intervener",
        ),
        Example(
            "Britain stayed out of it.",
            {"warnum": _SPANISH, "ccode": _BRITAIN},
            {"joined": 0, "joined_for": 0, "joined_against": 0, "delay_days": None},
            unit="war-intervener",
        ),
    ],
)
def intervention(context: Context) -> dict[str, Values]:
    """Make the columns of `intervention`."""
    return _joining(context)


@covariate(
    name="ucdp_support",
    title="Troops in a UCDP conflict of a government with a party that is no state",
    columns=_JOINING,
    sources=["ucdp_acd"],
    citations=["gleditsch_etal_2002"],
    units=UCDP_UNITS,
    examples=[
        Example(
            "Cuba's troops are with Angola's government from 1975.",
            {"conflict_id": 327, "ccode": 40, "year": 1975},
            {"joined": 1, "joined_for": 1},
            unit="ucdp-intervener-year",
        ),
    ],
)
def ucdp_support(context: Context) -> dict[str, Values]:
    """Make the columns of `ucdp_support`."""
    return _joining(context)


# --- ties -----------------------------------------------------------------------------------

_EVE = (
    "on the eve of the war (in UCDP's conflicts: of the row's year, or of the episode in its "
    "first year)"
)
_TIES = [
    _flag("owes_any", "1 if it owes the state whose war it is any of ATOP's five obligations "
          f"{_EVE}; missing where no party is a state."),
    *(
        _flag(f"owes_{kind}", f"1 if it owes it {word}, whoever the enemy; missing likewise.")
        for kind, word in WORDS.items()
    ),
    _flag("owes_defense_open", "1 if it owes it defence and ATOP doesn't limit the pledge to "
          "adversaries that the treaty names, so that rebels may be meant; missing likewise."),
    _flag("is_owed_defense", "1 if the state whose war it is owes it defence; missing likewise."),
]  # fmt: skip
_OPTIONS = {"release": RELEASE, "secret": SECRET}


def _eve(context: Context) -> NDArray[np.int64]:
    """Return the day as of which each row's treaties are looked at."""
    extra = context.spine.extra
    outset = extra["start_day"].astype(np.int64) - 1
    if context.spine.unit not in UCDP_UNITS:
        return outset
    new_year = first_day(context.spine.keys["year"].astype(np.int64))
    return np.maximum(new_year - 1, outset)


def _pledges(treaties: Treaties) -> pl.DataFrame:
    """Return what members of one phase of a pact owe each other, with the days they share."""
    side = ["atopid", "phase", "from_day", "to_day"]
    named = (pl.col("statthr1").fill_null(0) > 0) | (pl.col("statthr2").fill_null(0) > 0)
    givers = treaties.rows.select(
        *side,
        giver="member",
        **{kind: pl.col(column).fill_null(0) == 1 for kind, column in OBLIGATIONS.items()},
        limited=(pl.col("defcoadv").fill_null(0) == 1) & named,
    )
    partners = treaties.rows.select(
        "atopid", "phase", receiver="member", since="from_day", until="to_day"
    )
    # ASSUME: two phases share the day on which one follows the other; here both may speak on it.
    return (
        givers.join(partners, on=["atopid", "phase"])
        .filter(pl.col("giver") != pl.col("receiver"))
        .select(
            "giver", "receiver", *OBLIGATIONS, "limited",
            first=pl.max_horizontal("from_day", "since"),
            last=pl.min_horizontal("to_day", "until"),
        )
        .filter(pl.col("first") <= pl.col("last"))
    )  # fmt: skip


def _owed(pledges: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """Return, for each giver, receiver and day asked for, what was owed on that day."""
    return (
        asked.join(pledges, on=["giver", "receiver"])
        .filter((pl.col("first") <= pl.col("day")) & (pl.col("day") <= pl.col("last")))
        .group_by("giver", "receiver", "day")
        .agg(
            pl.col(*OBLIGATIONS).any(),
            defense_open=(pl.col("defense") & ~pl.col("limited")).any(),
        )
    )


def _ties(context: Context) -> dict[str, Values]:
    system = context.system
    government = _governments(context)[context.spine.extra["war"].astype(np.int64)]
    treaties = Treaties.load(context)
    day = _eve(context)
    begins = first_day(np.array([treaties.first_year]))[0]
    known = (government >= 0) & (day >= begins) & (day <= treaties.last_day)
    rows = pl.DataFrame(
        {
            "own": context.spine.keys["ccode"].astype(np.int64),
            "government": np.where(government >= 0, system.ccodes[government], -1),
            "day": day,
        }
    )
    pledges = _pledges(treaties).with_columns(pl.col("giver", "receiver").cast(pl.Int64))
    # Months of one war ask the same: each question is put once.
    asked = rows.unique()
    owes = _owed(pledges, asked.rename({"own": "giver", "government": "receiver"}))
    owed = _owed(pledges, asked.rename({"own": "receiver", "government": "giver"}))
    met = rows.join(
        owes.rename({"giver": "own", "receiver": "government"}),
        on=["own", "government", "day"], how="left", maintain_order="left",
    ).join(
        owed.select(own="receiver", government="giver", day="day", owed="defense"),
        on=["own", "government", "day"], how="left", maintain_order="left",
    )  # fmt: skip

    def column(name: str) -> NDArray[np.bool_]:
        return met[name].fill_null(False).to_numpy().astype(bool)

    kinds = {kind: column(kind) for kind in OBLIGATIONS}
    return {
        "owes_any": _known(np.any(list(kinds.values()), axis=0), known),
        **{f"owes_{kind}": _known(values, known) for kind, values in kinds.items()},
        "owes_defense_open": _known(column("defense_open"), known),
        "is_owed_defense": _known(column("owed"), known),
    }


@covariate(
    name="intervention_ties",
    title="A potential intervener's treaties with the state whose war it is",
    columns=_TIES,
    sources=["atop", INTRA, EXTRA],
    citations=["leeds_etal_2002", "sarkees_wayman_2010"],
    options=_OPTIONS,
    units=WAR_UNITS,
    coverage_of=("atop",),
    examples=[
        Example(
            "On the eve of its civil war nobody had promised Spain defence.",
            {"warnum": _SPANISH, "ccode": _BRITAIN},
            {"owes_any": 0, "owes_defense": 0},
            unit="war-intervener",
        ),
    ],
)
def intervention_ties(context: Context) -> dict[str, Values]:
    """Make the columns of `intervention_ties`; no pact is 0 in ATOP's years, missing outside."""
    return _ties(context)


@covariate(
    name="ucdp_support_ties",
    title="A potential supporter's treaties with the government of a UCDP conflict",
    columns=_TIES,
    sources=["atop", "ucdp_acd"],
    citations=["leeds_etal_2002", "gleditsch_etal_2002"],
    options=_OPTIONS,
    units=UCDP_UNITS,
    coverage_of=("atop",),
    examples=[
        Example(
            "Cuba owed Angola nothing when it sent its troops: they had no treaty.",
            {"conflict_id": 327, "ccode": 40, "year": 1975},
            {"owes_any": 0},
            unit="ucdp-intervener-year",
        ),
    ],
)
def ucdp_support_ties(context: Context) -> dict[str, Values]:
    """Make the columns of `ucdp_support_ties`; no pact is 0 in ATOP's years, missing outside."""
    return _ties(context)


# --- place and power ------------------------------------------------------------------------

_SETTING = [
    _flag("contiguous", "1 if it shares a land or river border with the state whose war it is; "
          "missing where no party is a state."),
    ColumnSpec("capital_km", "number", "Great-circle distance between their capitals.", unit="km",
               level="row", absent="missing"),
    _flag("rival", "1 if the two are rivals; missing where no party is a state."),
    ColumnSpec("government_cinc", "number", "CINC of the state whose war it is.",
               unit="share, 0-1", level="row", absent="missing"),
]  # fmt: skip
_SETTING_OPTIONS = {
    "list": Option("rivalry_td", "Which list of rivalries.", ("rivalry_td", "rivalry_tss")),
    "nmc": NMC_RELEASE,
}
_SETTING_SOURCES = ["cow_contiguity", "capitals", "rivalries_td", "rivalries_tss", "cow_nmc"]
_SETTING_CITATIONS = ["stinnett_etal_2002", "miller_2022", "thompson_dreyer_2011",
                      "thompson_sakuwa_suhas_2021", "singer_etal_1972"]  # fmt: skip


def _setting(context: Context) -> dict[str, Values]:
    """Return facts of the pair in the year the war began; in UCDP's conflicts, in the row's."""
    system, extra = context.system, context.spine.extra
    government = _governments(context)[extra["war"].astype(np.int64)]
    state = context.spine.places[0].state
    by_row = context.spine.unit in UCDP_UNITS
    year = context.spine.keys["year"] if by_row else extra["start_year"]
    at = year.astype(np.int64) - system.first_year
    inside = (government >= 0) & (state >= 0) & (at >= 0) & (at < system.n_years)
    one, other, when = (np.where(inside, part, 0) for part in (state, government, at))
    touching = np.zeros(len(state), bool)
    types = contiguity_of_years(context)
    for moment in np.unique(when[inside]).tolist():
        rows = np.flatnonzero(inside & (when == moment))
        touching[rows] = types(moment)[one[rows], other[rows]] == 1
    which = context.options["list"]
    rivals = context.shared(("rivals", which), lambda: rivalry_cube(context, which, "any"))
    cinc = capability_cube(context, "cinc", context.options["nmc"])
    return {
        "contiguous": _known(touching, inside),
        "capital_km": Rows(np.where(inside, _capital_km(context, one, other, when), np.nan)),
        "rival": _known(rivals[one, other, when] > 0, inside),
        "government_cinc": Rows(np.where(inside, cinc[other, when], np.nan)),
    }


def _capital_km(
    context: Context,
    one: NDArray[np.int64],
    other: NDArray[np.int64],
    when: NDArray[np.int64],
) -> NDArray[np.float64]:
    spells = context.tables.get("capitals", "spells")
    capital = context.shared(
        "war_capitals", lambda: capital_of_year(context.system, spells, "start")
    )
    return between_capitals(spells, capital[one, when], capital[other, when])


@covariate(
    name="intervention_setting",
    title="A potential intervener's distance from the state whose war it is, and their quarrels",
    columns=_SETTING,
    sources=[*_SETTING_SOURCES, INTRA, EXTRA],
    citations=[*_SETTING_CITATIONS, "sarkees_wayman_2010"],
    options=_SETTING_OPTIONS,
    units=WAR_UNITS,
    coverage_of=("cow_contiguity",),
    examples=[
        Example(
            "Portugal borders Spain, Italy doesn't.",
            {"warnum": _SPANISH, "ccode": 235},
            {"contiguous": 1},
            unit="war-intervener",
        ),
    ],
)
def intervention_setting(context: Context) -> dict[str, Values]:
    """Make the columns of `intervention_setting`."""
    return _setting(context)


@covariate(
    name="ucdp_support_setting",
    title="A potential supporter's distance from the government of a UCDP conflict, and quarrels",
    columns=_SETTING,
    sources=[*_SETTING_SOURCES, "ucdp_acd"],
    citations=[*_SETTING_CITATIONS, "gleditsch_etal_2002"],
    options=_SETTING_OPTIONS,
    units=UCDP_UNITS,
    coverage_of=("cow_contiguity",),
    examples=[
        Example(
            "Zambia borders Angola in 1976.",
            {"conflict_id": 327, "ccode": 551, "year": 1976},
            {"contiguous": 1},
            unit="ucdp-intervener-year",
        ),
    ],
)
def ucdp_support_setting(context: Context) -> dict[str, Values]:
    """Make the columns of `ucdp_support_setting`."""
    return _setting(context)
