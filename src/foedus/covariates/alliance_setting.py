"""An alliance in its first year: its strongest member's regime, its threat, its great powers."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl

from foedus.covariates.alliance_facts import on_rows
from foedus.covariates.atop import RELEASE
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import Values
from foedus.panels.alliance_units import HIGHEST_COW_NUMBER, memberships

_UNITED_STATES, _SOVIET_UNION = 2, 365
_CONSTRAINED = 7
_Kind = Literal["flag", "count", "number"]
_SAYS: dict[str, tuple[_Kind, str, str]] = {
    "leader_polity": ("number", "polity2 of the member with the highest CINC.", "score"),
    "leader_constraints": (
        "flag", "1 if that member's executive has an equal or superior beside it (Polity xconst "
        "7), 0 for other codes.", "0/1"),
    "leader_polyarchy": ("number", "V-Dem's electoral democracy index of that member.",
                         "index, 0-1"),
    "setting_polity": ("number", "Mean polity2 of the members for which it is known.", "score"),
    "setting_threat": ("number", "Mean external threat of the members (Leeds & Savun's data).",
                       "share, 0-1"),
    "setting_kappa_min": (
        "number", "Lowest kappa of foreign policy over pairs of members in the first year for "
        "which Haege's file has it (of the whole alliance's time).", "score, at most 1"),
    "setting_majors": ("count", "States that were ever members and were COW major powers in that "
                       "year.", "states"),
    "setting_members_ever": ("count", "States that were ever members.", "states"),
    "setting_linkage": (
        "flag", "1 if the treaty links economic issues (ATOP 4.01 ecaid 3, nomicoop 1, compag 2 or "
        "agprois 2); what it doesn't tell counts as not provided for.", "0/1"),
    "setting_concessions": (
        "count", "How many of five concessions in foreign policy it holds (ATOP 4.01 noothall, "
        "notaiden, thirdcom, divgains, interv).", "concessions"),
    "setting_unconditional": ("flag", "1 if no obligation is under a condition (ATOP 4.01 "
                              "conditio 0).", "0/1"),
    "setting_us": ("flag", "1 if the United States were ever a member and it began in 1945 or "
                   "later.", "0/1"),
    "setting_ussr": ("flag", "1 if the Soviet Union was ever a member and it began in 1945 to "
                     "1991.", "0/1"),
}  # fmt: skip


@covariate(
    name="alliance_setting",
    title="An alliance's members in its first year, by regime, power and threat",
    columns=[
        ColumnSpec(name, kind, says + " In the alliance's first year.", unit=unit, level="row",
                   absent="missing")
        for name, (kind, says, unit) in _SAYS.items()
    ],
    sources=["atop", "cow_states", "cow_nmc", "polity", "democracy", "rep_leeds_savun_2007",
             "fp_similarity", "atop_alliances"],
    citations=["alley_2021_democracy_depth", "leeds_savun_2007", "haege_2011", "leeds_etal_2002"],
    options={"release": RELEASE},
    units=["alliance", "alliance-year", "alliance-member-year"],
    coverage_of=("atop",),
    examples=[
        Example(
            "NATO's strongest founder is the United States, a democracy under constraints.",
            {"atopid": 3180},
            {"leader_polity": 9.0, "leader_constraints": 1, "setting_us": 1},
            unit="alliance",
        ),
        Example(
            "The Warsaw Pact's is the Soviet Union.",
            {"atopid": 3285},
            {"leader_constraints": 0, "setting_us": 0, "setting_ussr": 1},
            unit="alliance",
        ),
    ],
)  # fmt: skip
def alliance_setting(context: Context) -> dict[str, Values]:
    """Make the columns, one value an alliance whatever the year of the row.

    Alley (2021) calls the most capable member in the first year an alliance's leader.
    """
    members = memberships(context.tables, context.options["release"]).filter(
        pl.col("member") <= HIGHEST_COW_NUMBER
    )
    begun = members.group_by("atopid").agg(year=pl.col("start").dt.year().min().cast(pl.Int32))
    first = (
        members.join(begun, on="atopid")
        .filter(pl.col("start").dt.year() == pl.col("year"))
        .select("atopid", "year", ccode=pl.col("member").cast(pl.Int32))
        .unique()
        .sort("atopid", "ccode")
    )
    facts = _with_facts(context, first)
    leaders = facts.sort("atopid", "cinc", descending=[False, True], nulls_last=True).group_by(
        "atopid", maintain_order=True
    )
    made = begun.select("atopid").join(
        leaders.agg(
            leader_polity=pl.col("polity2").first(),
            leader_constraints=(pl.col("xconst").first() == _CONSTRAINED).cast(pl.Int8),
            leader_polyarchy=pl.col("v2x_polyarchy").first(),
            setting_polity=pl.col("polity2").mean(),
            setting_threat=pl.col("lsthreat").mean(),
        ),
        on="atopid",
        how="left",
    )
    kappa = (
        context.tables.get("fp_similarity", "alliance_years")
        .drop_nulls("low_kappa")
        .sort("atopid", "year")
        .group_by("atopid")
        .agg(setting_kappa_min=pl.col("low_kappa").first())
    )
    made = made.join(_ever(context, members, begun), on="atopid", how="left")
    for part in (kappa, _provisions(context)):
        made = made.join(part, on="atopid", how="left")
    made = made.sort("atopid")
    kinds = {
        name: np.int16 if kind == "count" else np.int8 if kind == "flag" else np.float64
        for name, (kind, _, _) in _SAYS.items()
    }
    return on_rows(context, made, ("atopid",), kinds)


def _with_facts(context: Context, first: pl.DataFrame) -> pl.DataFrame:
    """Add capabilities, regimes and threat to members in their alliance's first year."""
    get = context.tables.get
    parts = [
        get("cow_nmc", "state_years").select("ccode", "year", "cinc"),
        get("polity", "state_years").select("ccode", "year", "polity2", "xconst"),
        get("democracy", "state_years").select("ccode", "year", "v2x_polyarchy"),
        get("rep_leeds_savun_2007", "state_years").drop_nulls("ccode").select(
            "ccode", "year", "lsthreat"
        ),
    ]  # fmt: skip
    facts = first
    for part in parts:
        keyed = part.with_columns(pl.col("ccode", "year").cast(pl.Int32))
        facts = facts.join(keyed, on=["ccode", "year"], how="left", validate="m:1")
    return facts.with_columns(pl.col("cinc", "lsthreat", "v2x_polyarchy").fill_nan(None))


def _provisions(context: Context) -> pl.DataFrame:
    """Return what Alley (2021) reads off the treaties, from ATOP's alliance file."""

    def said(column: str) -> pl.Expr:
        return pl.col(column).fill_null(0)

    linkage = (
        (said("ecaid") == 3)
        | (said("nomicoop") == 1)
        | (said("compag") == 2)
        | (said("agprois") == 2)
    )
    held = ("noothall", "notaiden", "thirdcom", "divgains", "interv")
    return context.tables.get("atop_alliances", "alliances").select(
        "atopid",
        setting_linkage=linkage.cast(pl.Int8),
        setting_concessions=pl.sum_horizontal((said(name) > 0).cast(pl.Int16) for name in held),
        setting_unconditional=(pl.col("conditio") == 0).cast(pl.Int8),
    )


def _ever(context: Context, members: pl.DataFrame, begun: pl.DataFrame) -> pl.DataFrame:
    """Return what stands about all states that were ever members."""
    states = members.select("atopid", "member").unique().join(begun, on="atopid")
    majors = context.tables.get("cow_states", "majors").select(
        member=pl.col("ccode").cast(pl.Int64),
        since=pl.col("start").dt.year(),
        until=pl.col("end").dt.year(),
    )
    great = (
        states.with_columns(pl.col("member").cast(pl.Int64))
        .join(majors, on="member")
        .filter(pl.col("year").is_between(pl.col("since"), pl.col("until")))
        .group_by("atopid")
        .agg(setting_majors=pl.col("member").n_unique())
    )
    year = pl.col("year")
    all_of = states.group_by("atopid").agg(
        setting_members_ever=pl.len(),
        setting_us=((pl.col("member") == _UNITED_STATES) & (year >= 1945)).any().cast(pl.Int8),
        setting_ussr=((pl.col("member") == _SOVIET_UNION) & year.is_between(1945, 1991))
        .any()
        .cast(pl.Int8),
    )
    return all_of.join(great, on="atopid", how="left").with_columns(
        pl.col("setting_majors").fill_null(0)
    )
