"""Territorial changes, threat to territory, arms races."""

from __future__ import annotations

import numpy as np
import polars as pl

from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.registry import ALL_DYADS, ColumnSpec, Example, Option, covariate
from foedus.covariates.state_facts import number, state_numbers
from foedus.covariates.values import DyadYears, StateYears, Values
from foedus.panels.spans import each_year


@covariate(
    name="territorial_change",
    title="Territory that changes hands",
    columns=[
        ColumnSpec(
            "territory_gained",
            "count",
            "Territories that state 1 gains from state 2 this year (COW Territorial Change); in "
            "undirected dyads, either from the other.",
            unit="territories",
            collapse="sum",
        ),
        ColumnSpec(
            "territory_conquered",
            "flag",
            "1 if state 1 gains one from state 2 by conflict between organized forces (conflict); "
            "in undirected dyads, either.",
            collapse="max",
        ),
        ColumnSpec(
            "territories_gained", "count", "Territories that the state gains this year, from any "
            "state or none.", unit="territories", level="state",
        ),
        ColumnSpec(
            "territories_lost", "count", "Territories that the state loses this year, to any state "
            "or none.", unit="territories", level="state",
        ),
    ],
    sources=["cow_territorial_change"],
    citations=["tir_etal_1998"],
    options={
        "homeland": Option(
            "any",
            "Which territories: any, or those that are homeland of who gains or loses them.",
            ("any", "homeland"),
        ),
    },
    examples=[
        Example(
            "The United States gains Florida from Spain in 1819.",
            {"ccode1": 2, "ccode2": 230, "year": 1819},
            {"territory_gained": 1, "territory_conquered": 0, "territories_gained1": 1},
        ),
        Example(
            "Spain gains nothing from the United States, and loses two territories that year.",
            {"ccode1": 230, "ccode2": 2, "year": 1819},
            {"territory_gained": 0, "territories_gained1": 0, "territories_lost1": 2},
        ),
    ],
)  # fmt: skip
def territorial_change(context: Context) -> dict[str, Values]:
    """Make counts and a flag; no change is 0 in 1816-2018 and missing after."""
    changes = context.table("cow_territorial_change", "changes")
    homeland = context.options["homeland"] == "homeland"
    gains = changes.filter(pl.col("gaintype") == 1) if homeland else changes
    losses = changes.filter(pl.col("losetype") == 1) if homeland else changes
    made: dict[str, Values] = {}
    for name, rows, who in (
        ("territories_gained", gains, "gainer"),
        ("territories_lost", losses, "loser"),
    ):
        if name in context.wanted:
            made[name] = StateYears(_counted(context, rows, who))
    if context.spine.dyadic:
        for name, rows in (
            ("territory_gained", gains),
            ("territory_conquered", gains.filter(pl.col("conflict") == 1)),
        ):
            if name in context.wanted:
                made[name] = DyadYears(_from_to(context, rows, flag=name.endswith("conquered")))
    return made


def _counted(context: Context, rows: pl.DataFrame, who: str) -> np.ndarray:
    system = context.system
    known = rows.drop_nulls(who)
    state = system.index(known[who].to_numpy())
    year = known["year"].to_numpy().astype(np.int64) - system.first_year
    inside = (state >= 0) & (year >= 0) & (year < system.n_years)
    cube = np.zeros((system.n_states, system.n_years), np.int16)
    np.add.at(cube, (state[inside], year[inside]), 1)
    return cube


def _from_to(context: Context, rows: pl.DataFrame, flag: bool) -> np.ndarray:
    known = rows.drop_nulls(["gainer", "loser"])
    position, _ = dyad_positions(
        context.system, known["gainer"].to_numpy(), known["loser"].to_numpy(),
        known["year"].to_numpy(),
    )  # fmt: skip
    cube = empty_dyads(context.system, np.int8 if flag else np.int16)
    if flag:
        cube[position] = 1
    else:
        np.add.at(cube, position, 1)
    return dyad_cube(context.system, cube)


@covariate(
    name="territorial_threat",
    title="Latent external threat to territory",
    columns=[
        number("territorial_threat", "Mean of the simulated threat to the state's territory "
               "(option model).", "latent scale"),
        number("territorial_threat_sd", "Its standard deviation.", "latent scale"),
    ],
    sources=["territorial_threat"],
    citations=["miller_2022_threat"],
    options={
        "model": Option(
            "all",
            "The file's estimates without a prefix, or those with the prefix m.",
            ("all", "m"),
        ),
    },
    extras=["territorial_threat_sd"],
    examples=[
        Example(
            "The United States in 1885.",
            {"ccode": 2, "year": 1885},
            {"territorial_threat": 0.48544582, "territorial_threat_sd": 0.08130460},
            unit="state-year",
        ),
        Example(
            "By the other model.",
            {"ccode": 2, "year": 1885},
            {"territorial_threat": 0.45521893},
            unit="state-year",
            options={"model": "m"},
        ),
    ],
)  # fmt: skip
def territorial_threat(context: Context) -> dict[str, Values]:
    """Make the mean and, on demand, its standard deviation; no row is missing."""
    prefix = "m_" if context.options["model"] == "m" else ""
    columns = {
        "territorial_threat": f"{prefix}lterrthreat", "territorial_threat_sd": f"{prefix}sd",
    }  # fmt: skip
    facts = context.table("territorial_threat", "state_years")
    return state_numbers(context, facts, columns, "territorial_threat/state_years")


@covariate(
    name="arms_race",
    title="Arms races of rivals",
    columns=[
        ColumnSpec(
            "arms_race",
            "flag",
            "1 if the two are in an arms race in any part of the year (Gibler, Rider & Hutchison).",
        )
    ],
    sources=["arms_races"],
    citations=["gibler_rider_hutchison_2005"],
    units=ALL_DYADS,
    examples=[
        Example(
            "The United Kingdom and Russia, 1854 to 1856.",
            {"ccode1": 200, "ccode2": 365, "year": 1855},
            {"arms_race": 1},
        ),
        Example(
            "Not in 1857.", {"ccode1": 200, "ccode2": 365, "year": 1857}, {"arms_race": 0},
        ),
    ],
)  # fmt: skip
def arms_race(context: Context) -> dict[str, Values]:
    """Make `arms_race`; no race is 0 in 1854-1984 and missing outside."""
    # ASSUME: pairs that are no rivals, in which races were not looked for, were in none.
    spells = context.table("arms_races", "spells")
    span, year = each_year(spells["styear"].to_numpy(), spells["endyear"].to_numpy())
    first, second = spells["ccode1"].to_numpy()[span], spells["ccode2"].to_numpy()[span]
    cube = empty_dyads(context.system, np.int8)
    for sender, receiver in ((first, second), (second, first)):
        position, _ = dyad_positions(context.system, sender, receiver, year)
        cube[position] = 1
    return {"arms_race": DyadYears(dyad_cube(context.system, cube))}
