"""Who an alliance's members are: capabilities and regimes, and a member's place among them."""

from __future__ import annotations

import numpy as np
import polars as pl

from foedus.covariates.alliance_facts import ALLIANCE_UNITS, member_years, on_rows
from foedus.covariates.alliance_pledges import polity_cube
from foedus.covariates.atop import OBLIGATIONS, RELEASE
from foedus.covariates.context import Context
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import Values


def member_facts(context: Context) -> pl.DataFrame:
    """Return one row a member of an alliance in a year, with its CINC and polity2.

    Columns: atopid, member, year, in_system (whether it was a COW member in the year), cinc and
    polity2 (null where unknown).
    """

    def make() -> pl.DataFrame:
        rows = member_years(context).select("atopid", "member", "year").unique(maintain_order=True)
        system = context.system
        state = system.index(rows["member"].to_numpy())
        at_year = rows["year"].to_numpy() - system.first_year
        known = (state >= 0) & (at_year >= 0) & (at_year < system.n_years)
        inside = np.zeros(rows.height, dtype=bool)
        inside[known] = system.member[state[known], at_year[known]]
        columns = {}
        for name, cube in (
            ("cinc", capability_cube(context, "cinc")),
            ("polity2", polity_cube(context)),
        ):
            values = np.full(rows.height, np.nan)
            values[inside] = cube[state[inside], at_year[inside]]
            columns[name] = pl.Series(values).fill_nan(None)
        return rows.with_columns(in_system=pl.Series(inside), **columns)

    return context.shared(("alliance member facts", context.options.get("release")), make)


def _summed_cinc() -> pl.Expr:
    """Return the summed CINC of the members in the system; null if one's is unknown, or none is."""
    unknown = (pl.col("in_system") & pl.col("cinc").is_null()).any() | ~pl.col("in_system").any()
    return pl.when(~unknown).then(pl.col("cinc").sum())


@covariate(
    name="alliance_power",
    title="Capabilities and regimes of an alliance's members",
    columns=[
        ColumnSpec("alliance_cinc", "number", "Summed CINC of the members on any day of the year "
                   "(of an alliance: of its first year) that were in the COW system; missing if "
                   "one's is.", unit="share, 0-1", level="row", absent="missing"),
        ColumnSpec("alliance_polity_mean", "number", "Mean polity2 of the members for which it is "
                   "known.", unit="score", level="row", absent="missing"),
        ColumnSpec("alliance_polity_min", "integer", "Lowest polity2 of the members for which it "
                   "is known.", unit="score", level="row", absent="missing"),
        ColumnSpec("alliance_polity_known", "count", "Members for which polity2 is known.",
                   unit="states", level="row"),
    ],
    sources=["atop", "cow_nmc", "polity"],
    citations=["leeds_etal_2002", "singer_etal_1972", "marshall_gurr_2020"],
    options={"release": RELEASE},
    units=ALLIANCE_UNITS,
    coverage_of=("atop",),
    examples=[
        Example(
            "The Dual Alliance in 1900: Germany and Austria-Hungary.",
            {"atopid": 1335, "year": 1900},
            {"alliance_cinc": 0.173924, "alliance_polity_mean": -1.5, "alliance_polity_min": -4,
             "alliance_polity_known": 2},
            unit="alliance-year",
        ),
    ],
)  # fmt: skip
def alliance_power(context: Context) -> dict[str, Values]:
    """Make the columns of `alliance_power`, over the members that stand in the year."""
    facts = (
        member_facts(context)
        .group_by("atopid", "year")
        .agg(
            alliance_cinc=_summed_cinc(),
            alliance_polity_mean=pl.col("polity2").mean(),
            alliance_polity_min=pl.col("polity2").min(),
            alliance_polity_known=pl.col("polity2").count(),
        )
    )
    first, last = context.tables.coverage("polity")
    facts = facts.with_columns(
        alliance_polity_known=pl.when(pl.col("year").is_between(first, last)).then(
            "alliance_polity_known"
        )
    )
    return on_rows(
        context,
        facts,
        ("atopid", "year"),
        {
            "alliance_cinc": np.float64,
            "alliance_polity_mean": np.float64,
            "alliance_polity_min": np.int8,
            "alliance_polity_known": np.int32,
        },
    )


@covariate(
    name="alliance_membership",
    title="A member's own place in an alliance",
    columns=[
        *(
            ColumnSpec(f"member_{name}", "flag", f"1 if the member owes any partner the obligation "
                       f"{name} on any day of the year (ATOP {column}).", level="row")
            for name, column in OBLIGATIONS.items()
        ),
        ColumnSpec("member_years", "count", "Years since it first entered the alliance; 0 in the "
                   "first.", unit="years", level="row"),
        ColumnSpec("member_left", "flag", "1 in the year in which it left the alliance for good.",
                   level="row"),
        ColumnSpec("member_cinc_share", "number", "Its CINC over the summed CINC of the members in "
                   "the COW system.", unit="share, 0-1", level="row", absent="missing"),
    ],
    sources=["atop", "cow_nmc"],
    citations=["leeds_etal_2002", "singer_etal_1972"],
    options={"release": RELEASE},
    units=("alliance-member-year",),
    coverage_of=("atop",),
    examples=[
        Example(
            "Britain at Locarno: it owes defence, and has made no promise of non-aggression.",
            {"atopid": 2130, "ccode": 200, "year": 1930},
            {"member_defense": 1, "member_nonaggression": 0, "member_years": 5, "member_left": 0},
            unit="alliance-member-year",
        ),
        Example(
            "Germany leaves it in 1936.",
            {"atopid": 2130, "ccode": 255, "year": 1936},
            {"member_left": 1},
            unit="alliance-member-year",
        ),
    ],
)  # fmt: skip
def alliance_membership(context: Context) -> dict[str, Values]:
    """Make the columns of `alliance_membership` for each member-year."""
    own = {f"member_{name}": column for name, column in OBLIGATIONS.items()}
    keys = ["atopid", "member", "year"]
    standing = (
        member_years(context)
        .group_by(keys)
        .agg(
            *(pl.col(column).max().alias(name) for name, column in own.items()),
            open=pl.col("in_force").any(),
        )
        .with_columns(
            member_years=pl.col("year") - pl.col("year").min().over("atopid", "member"),
            member_left=(
                (pl.col("year") == pl.col("year").max().over("atopid", "member")) & ~pl.col("open")
            ).cast(pl.Int8),
        )
    )
    shares = member_facts(context).select(
        *keys,
        member_cinc_share=pl.col("cinc") / _summed_cinc().over("atopid", "year"),
    )
    facts = standing.join(shares, on=keys, how="left").rename({"member": "ccode"})
    kinds: dict[str, type] = {**dict.fromkeys(own, np.int8), "member_left": np.int8}
    kinds |= {"member_years": np.int16, "member_cinc_share": np.float64}
    return on_rows(context, facts, ("atopid", "ccode", "year"), kinds)
