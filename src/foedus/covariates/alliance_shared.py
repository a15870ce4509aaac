"""What partners two states share, and whose partners stand against the other."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.alliance_bonds import bond_years
from foedus.covariates.alliance_pledges import CONDITION_OPTIONS, PACT_OPTIONS
from foedus.covariates.alliance_ties import TIE_OPTIONS, each_year_of_ties, tie_cube
from foedus.covariates.atop import shared_pledges
from foedus.covariates.atop_third_party import THREATS, holding
from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.rivalry import SOURCES as RIVALRIES
from foedus.covariates.rivalry import rivalry_cube
from foedus.covariates.values import DyadYears, Rows, StateYears, Values, missing_of, take_state
from foedus.panels.spans import each_year

RIVALS = Option(
    "rivalry_tss",
    "List of rivals: strategic rivalries (Thompson, Sakuwa & Suhas) or those of Thompson & Dreyer.",
    ("rivalry_tss", "rivalry_td"),
)


@covariate(
    name="shared_partners",
    title="Partners and pacts that two states share, or that stand against the other",
    columns=[
        ColumnSpec("shared_partners", "count", "Third states of the system tied to both.",
                   unit="states"),
        ColumnSpec("shared_partners_cinc", "number", "Their summed CINC; missing if one's is.",
                   unit="share, 0-1", absent="missing"),
        ColumnSpec("shared_pacts", "count", "ATOP pacts that bind both together with third "
                   "states (bilat 0).", unit="alliances"),
        ColumnSpec("rival_partners", "count", "Third states tied to 1 that are rivals of 2; in "
                   "undirected dyads, of either side's against the other.", unit="states",
                   collapse="sum"),
        ColumnSpec("shared_rivals", "count", "Third states that are rivals of both.",
                   unit="states"),
        ColumnSpec("opposing_pacts", "count", "ATOP pacts of 1, without 2 in them, that name 2 as "
                   "a threat (statthr1, statthr2); in undirected dyads, of either.",
                   unit="alliances", collapse="sum"),
    ],
    sources=["atop", "cow_states", "cow_nmc", "rivalries_tss", "rivalries_td"],
    citations=["leeds_etal_2002", "cranmer_desmarais_menninga_2012", "thompson_sakuwa_suhas_2021",
               "thompson_dreyer_2011"],
    options={**TIE_OPTIONS, "rivals": RIVALS},
    coverage_of=("atop", "cow_states"),
    examples=[
        Example(
            "In 1900 Germany and Austria-Hungary share Italy and Romania; two pacts bind them "
            "with a third.",
            {"ccode1": 255, "ccode2": 300, "year": 1900},
            {"shared_partners": 2, "shared_pacts": 2, "opposing_pacts": 0},
        ),
        Example(
            "The Dual Alliance names Russia, the Triple Alliance France, Romania's pact nobody.",
            {"ccode1": 255, "ccode2": 365, "year": 1900},
            {"opposing_pacts": 1},
        ),
    ],
)  # fmt: skip
def shared_partners(context: Context) -> dict[str, Values]:
    """Make counts of shared partners, of the other's rivals among one's partners, and of pacts.

    Shared partners are the two-paths by which networks of alliance close (Cranmer, Desmarais &
    Menninga 2012); a partner of one that is the other's rival is the enemy of balance theory. The
    rivals are those of the list under option rivals, and the two columns are missing outside its
    years.
    """
    made: dict[str, Values] = {}
    system, wanted = context.system, context.wanted
    if wanted & {"shared_partners", "shared_partners_cinc", "rival_partners", "shared_rivals"}:
        made |= _closure(context)
    if "shared_pacts" in wanted:
        made["shared_pacts"] = DyadYears(_multilateral_pacts(context))
    if "opposing_pacts" in wanted:
        made["opposing_pacts"] = DyadYears(_opposing_pacts(context))
    assert all(values.data.shape[-1] == system.n_years for values in made.values())
    return made


def _closure(context: Context) -> dict[str, Values]:
    shape = tie_cube(context).shape
    count = np.zeros(shape, np.int16)
    strength = np.full(shape, np.nan, np.float32)
    enemies, foes = np.zeros(shape, np.int16), np.zeros(shape, np.int16)
    cinc = capability_cube(context, "cinc")
    first, last = context.tables.coverage("cow_nmc")
    column = context.options["rivals"]
    listed = context.tables.coverage(RIVALRIES[column])
    rivals = rivalry_cube(context, column, "any") == 1
    for year in each_year_of_ties(context):
        grid = np.ix_(year.members, year.members)
        tied = year.tied.astype(np.float64)
        count[:, :, year.at][grid] = np.rint(tied @ tied)
        calendar = context.system.first_year + year.at
        if first <= calendar <= last:
            strength[:, :, year.at][grid] = _strength(tied, cinc[year.members, year.at])
        if not listed[0] <= calendar <= listed[1]:
            enemies[:, :, year.at] = foes[:, :, year.at] = missing_of(enemies.dtype)
            continue
        rival = rivals[:, :, year.at][grid].astype(np.float64)
        enemies[:, :, year.at][grid] = np.rint(tied @ rival)
        foes[:, :, year.at][grid] = np.rint(rival @ rival)
    return {
        "shared_partners": DyadYears(count),
        "shared_partners_cinc": DyadYears(strength),
        "rival_partners": DyadYears(enemies),
        "shared_rivals": DyadYears(foes),
    }


def _strength(tied: NDArray[np.float64], cinc: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the summed CINC of shared partners, NaN where a shared partner's is unknown."""
    total = (tied * np.nan_to_num(cinc)) @ tied.T
    unknown = (tied * np.isnan(cinc)) @ tied.T
    total[unknown > 0.5] = np.nan
    return np.asarray(total)


def _multilateral_pacts(context: Context) -> NDArray[np.int16]:
    bonds = bond_years(context)
    many = bonds.rows["bilat"].to_numpy()[bonds.row] == 0
    atopid = bonds.rows["atopid"].to_numpy().astype(np.int64)[bonds.row][many]
    once = np.unique(bonds.position[many] * 10_000 + atopid) // 10_000
    place, count = np.unique(once, return_counts=True)
    made = empty_dyads(context.system, np.int16)
    made[place] = count
    return dyad_cube(context.system, made)


def _opposing_pacts(context: Context) -> NDArray[np.int16]:
    """Count pacts of the first state in which the second is named as a threat."""
    rows = shared_pledges(context).select(
        "atopid", "giver", "receiver", "first_year", "last_year", "statthr1", "statthr2"
    )
    named = pl.concat(
        [
            rows.select("atopid", "giver", "first_year", "last_year", adversary=column)
            for column in ("statthr1", "statthr2")
        ]
    ).filter(pl.col("adversary").fill_null(0) > 0)
    span, year = each_year(named["first_year"].to_numpy(), named["last_year"].to_numpy())
    pacts = (
        named.select("atopid", "giver", "adversary")[span].with_columns(year=pl.Series(year))
    ).unique()  # fmt: skip
    span, year = each_year(rows["first_year"].to_numpy(), rows["last_year"].to_numpy())
    inside = rows.select("atopid", adversary="receiver")[span].with_columns(year=pl.Series(year))
    pacts = pacts.join(inside.unique(), on=["atopid", "adversary", "year"], how="anti")
    position, _ = dyad_positions(
        context.system,
        pacts["giver"].to_numpy(), pacts["adversary"].to_numpy(), pacts["year"].to_numpy(),
    )  # fmt: skip
    place, count = np.unique(position, return_counts=True)
    made = empty_dyads(context.system, np.int16)
    made[place] = count
    return dyad_cube(context.system, made)


_SHARES = {
    "target_alone_share": "The target's CINC over that of target and challenger.",
    "target_side_share": "CINC of the target and the third states that owe it defence, over that "
    "and the challenger's.",
    "target_allies_share": "CINC of the third states that owe the target defence, over that and "
    "the challenger's; missing if there is none.",
    "sides_share": "CINC of the target and the third states that owe it defence, over that of both "
    "sides, the challenger's being its own and that of the third states that owe it offence.",
}


@covariate(
    name="deterrent_balance",
    title="Capability that pledges add on each side of a dyad",
    columns=[
        *(
            ColumnSpec(name, "number", says, unit="share, 0-1", level="row", collapse="none",
                       absent="missing")
            for name, says in _SHARES.items()
        ),
        ColumnSpec("deterrent_ratio", "number", "CINC of the target's side over the challenger's "
                   "(the sides of sides_share).", unit="ratio", level="row", collapse="none",
                   absent="missing"),
    ],
    sources=["atop", "cow_nmc"],
    citations=["johnson_leeds_wu_2015", "leeds_etal_2002", "singer_etal_1972"],
    options={
        "release": TIE_OPTIONS["release"], "secret": TIE_OPTIONS["secret"],
        "pairs": TIE_OPTIONS["pairs"], "threats": THREATS, **PACT_OPTIONS, **CONDITION_OPTIONS,
    },
    units=("directed-dyad-year",),
    examples=[
        Example(
            "Austria-Hungary holds 28 % of what it and Russia have (0.0424 and 0.1092); with "
            "Germany (0.1315) and Romania (0.0043), which owe it defence against Russia, 62 %.",
            {"ccode1": 365, "ccode2": 300, "year": 1900},
            {"target_alone_share": 0.279608, "target_side_share": 0.620001},
        ),
    ],
)  # fmt: skip
def deterrent_balance(context: Context) -> dict[str, Values]:
    """Make the balance with and without pledges; missing where either state's CINC is.

    Johnson, Leeds & Wu (2015) take the target's chance to win, alone and with its allies, from
    capabilities; the formula isn't printed where we could see it, and shares of CINC stand for it.
    The ratio is the potential deterrent ratio: what a challenger would meet over what it would
    bring, by pledges that bind against the other side (option threats).
    """
    cube = StateYears(capability_cube(context, "cinc"))
    challenger = take_state(cube, context.spine, 0)
    target = take_state(cube, context.spine, 1)
    defenders = holding(context, "target_defense").cinc
    helpers = holding(context, "challenger_offense").cinc
    ours, theirs = target + defenders, challenger + helpers
    with np.errstate(invalid="ignore", divide="ignore"):
        made = {
            "target_alone_share": target / (target + challenger),
            "target_side_share": ours / (ours + challenger),
            "target_allies_share": np.where(
                defenders > 0, defenders / (defenders + challenger), np.nan
            ),
            "sides_share": ours / (ours + theirs),
            "deterrent_ratio": np.where(theirs > 0, ours / theirs, np.nan),
        }
    return {name: Rows(values) for name, values in made.items()}
