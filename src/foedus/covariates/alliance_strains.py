"""What strains an alliance: power that shifts among its members, regimes, wars that end, threats.

Unit: an alliance (in its first year), its years, or its members' years. The columns are those of
models of alliance duration (Bennett 1997; Leeds & Savun 2007), over the members of the year that
are in the COW system.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.alliance_cohesion import members_in_system, pairs_of
from foedus.covariates.alliance_facts import ALLIANCE_UNITS, on_rows
from foedus.covariates.alliance_pledges import polity_cube
from foedus.covariates.atop import PAIRS, RELEASE, SECRET, obligation_cube
from foedus.covariates.conflict_choice import EXCLUDE, SOURCE, SOURCES
from foedus.covariates.context import Context
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.rivalry import rivalry_cube
from foedus.covariates.shared_enemies import WINDOW, common_enemies
from foedus.covariates.values import Values
from foedus.panels.system import year_of
from foedus.panels.war_list import NEVER, load_wars


def _spec(name: str, kind: str, says: str, unit: str = "0/1") -> ColumnSpec:
    return ColumnSpec(name, kind, says, unit=unit, level="row", absent="missing")  # type: ignore[arg-type]


@covariate(
    name="alliance_strains",
    title="What strains an alliance: power, regimes, wars that end, threats in common",
    columns=[
        _spec("alliance_concentration", "number", "Concentration of CINC among the members: 0 if "
              "all have the same, 1 if one has everything (Ray & Singer 1973); missing for a lone "
              "member and where one's CINC is unknown.", "index, 0-1"),
        _spec("alliance_power_shift", "number", "Mean over members of the absolute change of CINC "
              "since the member's first year in the alliance.", "share, 0-1"),
        _spec("alliance_power_shift_year", "number", "Mean over members of the absolute change of "
              "CINC since the year before.", "share, 0-1"),
        _spec("alliance_regime_change", "flag", "1 if polity2 of a member differs from the year "
              "before by at least `change`; missing where no member's change is known."),
        _spec("alliance_war_ended", "flag", "1 if a member's part in a COW inter-state war ends in "
              "the year."),
        _spec("alliance_mutual_threat", "number", "Share of pairs of members with an enemy in "
              "common: a third state with which both were in conflict in the `window` years before "
              "(option source).", "share, 0-1"),
        _spec("alliance_security", "number", "Mean over members of 100 times the CINC of the "
              "member and of the states that owe it defence, over that and its rivals' CINC "
              "(option rivals).", "percent"),
        _spec("alliance_security_gain", "number", "Mean over members of how much of that the "
              "other members' pledges add.", "percent"),
    ],
    sources=["atop", "cow_states", "cow_nmc", "polity", "cow_interstate_wars", "rivalries_tss",
             "rivalries_td", *dict.fromkeys(SOURCES.values())],
    choices=SOURCES,
    citations=["bennett_1997", "leeds_savun_2007", "ray_singer_1973", "singer_etal_1972"],
    options={
        "release": RELEASE, "secret": SECRET, "pairs": PAIRS,
        "change": Option(3, "Least change of polity2 that makes a change of regime.", least=1),
        "source": SOURCE, "exclude": EXCLUDE, "window": WINDOW,
        "rivals": Option("rivalry_tss", "List of rivals: strategic rivalries (Thompson, Sakuwa & "
                         "Suhas) or those of Thompson & Dreyer.", ("rivalry_tss", "rivalry_td")),
    },
    units=ALLIANCE_UNITS,
    coverage_of=("atop", "cow_states"),
    examples=[
        Example(
            "Germany has three quarters of what it and Austria-Hungary have.",
            {"atopid": 1335, "year": 1900},
            {"alliance_concentration": 0.512443},
            unit="alliance-year",
        ),
    ],
)  # fmt: skip
def alliance_strains(context: Context) -> dict[str, Values]:
    """Make the columns over the members of each year that are in the system."""
    members = members_in_system(context)
    facts = members.select("atopid", "year").unique(maintain_order=True)
    wanted = context.wanted
    kinds: dict[str, type] = {}
    for columns, make in (
        (("alliance_concentration", "alliance_power_shift", "alliance_power_shift_year"), _power),
        (("alliance_regime_change",), _regimes),
        (("alliance_war_ended",), _wars_ended),
        (("alliance_mutual_threat",), _threats),
        (("alliance_security", "alliance_security_gain"), _security),
    ):
        if wanted & set(columns):
            facts = facts.join(make(context, members), on=["atopid", "year"], how="left")
            kinds |= {
                name: np.int8 if name.endswith(("change", "ended")) else np.float64
                for name in columns
            }
    return on_rows(context, facts, ("atopid", "year"), kinds)


def _at(cube: NDArray[np.float64], members: pl.DataFrame, back: int = 0) -> pl.Series:
    at = members["at"].to_numpy() - back
    found = cube[members["state"].to_numpy(), np.maximum(at, 0)]
    return pl.Series(np.where(at >= 0, found, np.nan)).fill_nan(None)


def _power(context: Context, members: pl.DataFrame) -> pl.DataFrame:
    """Return concentration and changes of CINC, missing where one member's is unknown."""
    cube = capability_cube(context, "cinc")
    rows = members.with_columns(cinc=_at(cube, members), last=_at(cube, members, 1)).sort(
        "atopid", "state", "year"
    )
    first = pl.col("cinc").first().over("atopid", "state")
    share = pl.col("cinc") / pl.col("cinc").sum()
    n = pl.len()
    spread = (share.pow(2).sum() - 1 / n) / (1 - 1 / n)
    known = pl.col("cinc").is_not_null().all()
    return (
        rows.with_columns(
            shift=(pl.col("cinc") - first).abs(), step=pl.col("cinc") - pl.col("last")
        )
        .sort("atopid", "year", "state")
        .group_by("atopid", "year", maintain_order=True)
        .agg(
            alliance_concentration=pl.when(known & (n > 1)).then(spread.clip(0, 1).sqrt()),
            alliance_power_shift=pl.when(pl.col("shift").is_not_null().all()).then(
                pl.col("shift").mean()
            ),
            alliance_power_shift_year=pl.when(pl.col("step").is_not_null().all()).then(
                pl.col("step").mean()
            ),
        )
    )


def _regimes(context: Context, members: pl.DataFrame) -> pl.DataFrame:
    cube = polity_cube(context)
    moved = (_at(cube, members) - _at(cube, members, 1)).abs() >= context.options["change"]
    return (
        members.with_columns(moved=moved)
        .group_by("atopid", "year")
        .agg(alliance_regime_change=pl.col("moved").max().cast(pl.Int8))
    )


def _wars_ended(context: Context, members: pl.DataFrame) -> pl.DataFrame:
    system = context.system
    first, last = context.tables.coverage("cow_interstate_wars")
    wars = load_wars(context.tables)
    known = wars.end != NEVER
    state, at = system.index(wars.ccode[known]), year_of(wars.end[known]) - system.first_year
    inside = (state >= 0) & (at >= 0) & (at < system.n_years)
    ended = np.zeros((system.n_states, system.n_years), bool)
    ended[state[inside], at[inside]] = True
    found = ended[members["state"].to_numpy(), members["at"].to_numpy()]
    return (
        members.with_columns(ended=pl.Series(found))
        .group_by("atopid", "year")
        .agg(over=pl.col("ended").max().cast(pl.Int8))
        .select(
            "atopid", "year",
            alliance_war_ended=pl.when(pl.col("year").is_between(first, last)).then("over"),
        )
    )  # fmt: skip


def _threats(context: Context, members: pl.DataFrame) -> pl.DataFrame:
    shared = common_enemies(context, context.options["window"])
    first, last = context.tables.coverage(SOURCES[context.options["source"]])
    pairs = pairs_of(members)
    found = shared[pairs["state"].to_numpy(), pairs["other"].to_numpy(), pairs["at"].to_numpy()] > 0
    return (
        pairs.with_columns(threat=pl.Series(found))
        .filter(pl.col("year").is_between(first, last))
        .group_by("atopid", "year")
        .agg(alliance_mutual_threat=pl.col("threat").mean())
    )


def _security(context: Context, members: pl.DataFrame) -> pl.DataFrame:
    """Return each alliance's mean security, and what the other members' pledges add to it.

    # ASSUME: Bennett (1997) measures security by capabilities of friends and foes, in a formula
    # that isn't at hand; friends are here the states that owe defence, foes the rivals. A state
    # without a rival is as secure as can be. One whose CINC is unknown adds nothing to its side.
    """
    cinc = np.nan_to_num(capability_cube(context, "cinc"))
    owed = obligation_cube(context, "defense")
    friends = np.einsum("jiy,jy->iy", owed, cinc)
    foes = np.einsum("ijy,jy->iy", rivalry_cube(context, context.options["rivals"], "any"), cinc)
    both = members.join(members.select("atopid", "year", other="state"), on=["atopid", "year"])
    both = both.filter(pl.col("state") != pl.col("other"))
    state, other, at = (both[name].to_numpy() for name in ("state", "other", "at"))
    # What a member gets from the other members it would have to do without.
    own = (
        both.with_columns(given=pl.Series(cinc[other, at] * owed[other, state, at]))
        .sort("atopid", "year", "state", "other")
        .group_by("atopid", "year", "state", maintain_order=True)
        .agg(pl.col("given").sum())
    )
    rows = members.join(own, on=["atopid", "year", "state"], how="left", maintain_order="left")
    state, at = rows["state"].to_numpy(), rows["at"].to_numpy()
    side = cinc[state, at] + friends[state, at]
    alone = side - rows["given"].fill_null(0.0).to_numpy()
    against = foes[state, at]
    with np.errstate(invalid="ignore"):
        whole, without = (100 * part / (part + against) for part in (side, alone))
    return (
        rows.with_columns(
            whole=pl.Series(whole).fill_nan(None),
            gain=pl.Series(np.maximum(whole - without, 0.0)).fill_nan(None),
        )
        .group_by("atopid", "year", maintain_order=True)
        .agg(alliance_security=pl.col("whole").mean(), alliance_security_gain=pl.col("gain").mean())
    )
