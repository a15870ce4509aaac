"""Who breaks a pledge that war makes due: a logit of cases found by rule, with its rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.registry import Option
from foedus.covariates.reliability import OPTIONS, build_verdicts
from foedus.errors import EstimationError
from foedus.models.estimation import estimate
from foedus.panels.alliance_units import alliance_spans, memberships
from foedus.panels.units import load_system
from foedus.panels.war_list import load_wars
from foedus.sources.tables import Tables
from foedus.studies.measures import MeasureContext, MeasureResult, MeasureRow, measure
from foedus.studies.measures_reliability import share_rows

if TYPE_CHECKING:
    import pandas as pd

TERMS = ("power_change", "regime_change", "nondemocracy", "major", "n_members")
_LABELS = {
    "power_change": "Power changed since it was made",
    "regime_change": "Regime changed since it was made",
    "nondemocracy": "Not a democracy",
    "major": "Major power",
    "n_members": "Members of the alliance, log",
}
DEMOCRACY = 6
_CHANGED_REGIME = 3
"""Points of polity2 by which a regime must have moved to have changed, as Polity counts it."""


@measure(
    "violation_by_rule",
    says="Which states break pledges that fell due in war: a logit of a state's cases by rule.",
    citations=["leeds_2003b", "leeds_long_mitchell_2000", "leeds_etal_2002"],
    options={
        **OPTIONS,
        "period": Option("1816-1944", "Wars by the year in which they began.",
                         ("1816-1944", "1816-2003", "1945-2003")),
        "changed": Option(0.10, "Share by which a state's CINC must have changed.", least=0.0),
    },
    terms=(
        *TERMS, "(Intercept)", "cases", "violated", "rate kept", "rate violated",
        "first year", "last year",
    ),
)  # fmt: skip
def violation_by_rule(context: MeasureContext) -> MeasureResult:
    """Return the model's coefficients, with errors clustered by alliance and by war, and rates.

    A case is a state, an alliance and a war in which a pledge of the state to a partner fell due;
    it is violated if any such pledge was broken. Power has changed if the state's CINC moved by
    the share of `changed` since the year in which the alliance began, a regime if its polity2
    moved by three points or more (after Leeds 2003, whose own cases aren't public).
    """
    cases = violation_cases(context.tables, context.options)
    known = cases.drop_nulls(list(TERMS))
    if known.height < 30 or known["violated"].n_unique() < 2:
        raise EstimationError(f"violation_by_rule: {known.height} complete cases are too few.")
    rows = violation_rows(known.select("violated", *TERMS, "atopid", "warnum").to_pandas())
    broken = int(cases["violated"].sum())
    rows += share_rows("rate kept", cases.height - broken, cases.height, "Kept")
    rows += share_rows("rate violated", broken, cases.height, "Violated")
    facts = {"cases": cases.height, "violated": broken}
    rows += [MeasureRow(name, float(value), kind="count") for name, value in facts.items()]
    first, last = (int(name) for name in context.options["period"].split("-"))
    rows += [MeasureRow("first year", float(first)), MeasureRow("last year", float(last))]
    listed = cases.filter(pl.col("violated") == 1).sort("year", "warnum", "atopid", "ccode")
    return MeasureResult(
        rows,
        sentences=["A state has one case for each alliance and war in which it owed something."],
        tables={"Violated pledges": listed.select("year", "warnum", "atopid", "ccode").to_dicts()},
    )


def violation_rows(known: pd.DataFrame) -> list[MeasureRow]:
    """Return the logit of complete cases (violated, the terms, atopid, warnum) in rows."""
    covariances = ["cluster(atopid)", "cluster(warnum)", "classical"]
    result = estimate("violated ~ " + " + ".join(TERMS), known, "logit", covariances)
    rows: list[MeasureRow] = []
    for cov in covariances:
        for line in result.table(cov).to_dict("records"):
            rows.append(
                MeasureRow(
                    str(line["term"]), float(line["estimate"]), std_error=float(line["std_error"]),
                    ci_low=float(line["ci_low"]), ci_high=float(line["ci_high"]),
                    p_value=float(line["p_value"]), n=len(known),
                    n_events=int(known["violated"].sum()), how=cov,
                    label=_LABELS.get(str(line["term"])),
                )
            )  # fmt: skip
    return rows


def violation_cases(tables: Tables, options: dict[str, Any]) -> pl.DataFrame:
    """Return a row a (war, alliance, state that owed something): violated and the terms."""
    first, last = (int(year) for year in options["period"].split("-"))
    release = options["release"]
    members = memberships(tables, release)
    system = load_system(tables)
    due = build_verdicts(members, load_wars(tables), system, options, (first, last))
    begun = alliance_spans(members).select("atopid", begun="first_year")
    sizes = members.group_by("atopid").agg(members=pl.col("member").n_unique())
    cases = (
        due.group_by("warnum", "atopid", "year", "giver")
        .agg(violated=(~pl.col("kept")).any().cast(pl.Int8))
        .rename({"giver": "ccode"})
        .join(begun.with_columns(pl.col("atopid").cast(pl.Int64)), on="atopid", how="left")
        .join(sizes.with_columns(pl.col("atopid").cast(pl.Int64)), on="atopid", how="left")
        .sort("year", "warnum", "atopid", "ccode")
    )
    power = tables.get("cow_nmc", "state_years").select("ccode", "year", "cinc")
    regimes = tables.get("polity", "state_years").select("ccode", "year", "polity2")
    for facts in (power, regimes):
        keyed = facts.with_columns(pl.col("ccode", "year").cast(pl.Int64))
        column = keyed.columns[-1]
        cases = cases.join(keyed, on=["ccode", "year"], how="left", validate="m:1")
        then = keyed.rename({"year": "begun", column: f"{column}_then"})
        cases = cases.join(then, on=["ccode", "begun"], how="left", validate="m:1")
    moved = (pl.col("cinc") / pl.col("cinc_then") - 1).abs()
    turned = (pl.col("polity2") - pl.col("polity2_then")).abs()
    return cases.with_columns(
        power_change=(moved > options["changed"]).cast(pl.Int8),
        regime_change=(turned >= _CHANGED_REGIME).cast(pl.Int8),
        nondemocracy=(pl.col("polity2") < DEMOCRACY).cast(pl.Int8),
        major=pl.Series(_majors(tables, cases)),
        n_members=pl.col("members").log(),
    )


def _majors(tables: Tables, cases: pl.DataFrame) -> NDArray[np.int8]:
    """Return 1 where a case's state was a major power in the year in which the war began."""
    spells = tables.get("cow_states", "majors")
    ccode, year = cases["ccode"].to_numpy(), cases["year"].to_numpy()
    found = np.zeros(cases.height, np.int8)
    for spell in spells.iter_rows(named=True):
        inside = (year >= spell["start"].year) & (year <= spell["end"].year)
        found[(ccode == spell["ccode"]) & inside] = 1
    return found
