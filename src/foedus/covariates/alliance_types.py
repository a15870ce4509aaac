"""Benson's types of alliance: deterrent or compellent, conditional or not, probabilistic.

Benson (2011) reads treaty texts for two things: whether members support each other only to keep
what they have (deterrent) or also in acting first (compellent), and whether support is owed
whatever happens (unconditional), only upon an adversary's attack (conditional), or is left to the
judgement of the giver (probabilistic).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.alliance_facts import ALLIANCE_UNITS, member_years, on_rows
from foedus.covariates.alliance_pledges import (
    CONDITION_OPTIONS,
    GIVERS,
    NUCLEAR,
    PACT_OPTIONS,
    of_pacts,
    unconditioned,
)
from foedus.covariates.atop import PAIRS, RELEASE, SECRET, flag_cube, shared_pledges
from foedus.covariates.atop_third_party import COMMON, THREATS, held_by
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import DyadYears, Rows, Values, missing_of, within_years

AUTHORS = "rep_benson_clinton_2016"
TYPES = {
    "compel_unconditional": "to support it even where it acts first, without a limit",
    "compel_conditional": "to support it where it acts first, under conditions",
    "deter_unconditional": "to support it in a conflict whoever attacks",
    "deter_conditional": "to support it only if it is attacked",
    "deter_probabilistic": "to support it if attacked unprovoked, which is for the giver to judge",
}
CODING = Option(
    "atop",
    "Whose coding. atop: from ATOP's flags; authors: Benson's own reading of 492 alliances of "
    "1816-2000, as Benson & Clinton (2016) publish it (an alliance that isn't among them has no "
    "type).",
    ("atop", "authors"),
)


def type_rules() -> dict[str, pl.Expr]:
    """Return what makes a row of ATOP's member file a pledge of each type.

    ASSUME: the nearest that ATOP's flags come to Benson's reading of the texts. Compellent is a
    pledge of offence, conditional if any limit is set to it (offcon). Deterrent is a pledge of
    defence: unconditional beside a pledge of offence (help is owed whoever attacks), probabilistic
    where it is void for an ally that provoked the attack (defconpr), else conditional on an attack.
    """
    offense, defense = pl.col("offense") == 1, pl.col("defense") == 1
    judged = pl.col("defconpr").fill_null(0) == 1
    limited = pl.col("offcon").fill_null(0) == 1
    return {
        "compel_unconditional": offense & ~limited,
        "compel_conditional": offense & limited,
        "deter_unconditional": defense & offense & ~judged,
        "deter_conditional": defense & ~offense & ~judged,
        "deter_probabilistic": defense & judged,
    }


def authors_rules() -> dict[str, pl.Expr]:
    """Return what makes a row of Benson & Clinton's file each type; no type excludes another."""
    compel, deter = pl.col("compel") == 1, pl.col("deter") == 1
    unconditional, judged = pl.col("unconditional") == 1, pl.col("prob") == 1
    return {
        "compel_unconditional": compel & unconditional,
        "compel_conditional": compel & ~unconditional,
        "deter_unconditional": deter & unconditional & ~judged,
        "deter_conditional": deter & ~unconditional & ~judged,
        "deter_probabilistic": deter & judged,
    }


def authors_types(context: Context) -> pl.DataFrame:
    """Return one row an alliance of the authors' file: atopid and 0/1 for each type."""
    rows = context.tables.get(AUTHORS, "alliances")
    return rows.select(
        "atopid", *(rule.cast(pl.Int8).alias(name) for name, rule in authors_rules().items())
    )


def pledges_of_type(context: Context, rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Keep the pledge rows that are of a type under the option `coding`."""
    if context.options["coding"] == "atop":
        return rows.filter(type_rules()[name])
    listed = authors_types(context).filter(pl.col(name) == 1)["atopid"]
    # A type is the alliance's; the giver must still owe arms of one kind or the other.
    armed = (pl.col("defense") == 1) | (pl.col("offense") == 1)
    return rows.filter(armed & pl.col("atopid").is_in(listed.implode()))


@covariate(
    name="alliance_types",
    title="An alliance's type after Benson",
    columns=[
        ColumnSpec(f"alliance_{name}", "flag", f"1 if any member owes another {says} (in the year; "
                   "of an alliance: in its first).", level="row", absent="missing")
        for name, says in TYPES.items()
    ],
    sources=["atop", AUTHORS],
    citations=["benson_2011", "benson_clinton_2016", "leeds_etal_2002"],
    options={"release": RELEASE, "coding": CODING},
    units=ALLIANCE_UNITS,
    coverage_of=("atop",),
    examples=[
        Example(
            "The Dual Alliance of 1879 promises arms if Russia attacks, and nothing else.",
            {"atopid": 1335},
            {"alliance_deter_conditional": 1, "alliance_deter_unconditional": 0,
             "alliance_compel_unconditional": 0, "alliance_deter_probabilistic": 0},
            unit="alliance",
        ),
        Example(
            "The authors read it in the same way.",
            {"atopid": 1335},
            {"alliance_deter_conditional": 1, "alliance_compel_unconditional": 0},
            unit="alliance",
            options={"coding": "authors"},
        ),
    ],
)  # fmt: skip
def alliance_types(context: Context) -> dict[str, Values]:
    """Make the five types; with the authors' coding an alliance that they don't list is missing.

    Benson (2011, Journal of Politics 73) codes treaty texts; the file at hand is the one that
    Benson & Clinton (2016) publish with their scores. From ATOP's flags (`type_rules`) the
    deterrent types agree with theirs in most alliances, the compellent ones less: a text's aim to
    revise isn't coded by ATOP.
    """
    names = {f"alliance_{name}": name for name in TYPES}
    kinds: dict[str, type] = dict.fromkeys(names, np.int8)
    if context.options["coding"] == "authors":
        facts = authors_types(context).rename({name: shown for shown, name in names.items()})
        return on_rows(context, facts, ("atopid",), kinds)
    rules = type_rules()
    facts = (
        member_years(context)
        .group_by("atopid", "year")
        .agg(rules[name].max().cast(pl.Int8).alias(shown) for shown, name in names.items())
    )
    return on_rows(context, facts, ("atopid", "year"), kinds)


def _authors_years(context: Context) -> tuple[int, int] | None:
    """Return the years that the coding covers, where they are fewer than ATOP's."""
    return context.tables.coverage(AUTHORS) if context.options["coding"] == "authors" else None


@covariate(
    name="pledge_types",
    title="Pledges between the two states by Benson's types",
    columns=[
        ColumnSpec(f"pledge_{name}", "flag", f"1 if state 1 owes state 2 {says}; in undirected "
                   "dyads, either.", collapse="max")
        for name, says in TYPES.items()
    ],
    sources=["atop", AUTHORS],
    citations=["benson_2011", "benson_clinton_2016", "leeds_etal_2002"],
    options={"release": RELEASE, "secret": SECRET, "pairs": PAIRS, "coding": CODING},
    coverage_of=("atop",),
    examples=[
        Example(
            "Germany owes Austria-Hungary support if it is attacked.",
            {"ccode1": 255, "ccode2": 300, "year": 1890},
            {"pledge_deter_conditional": 1, "pledge_compel_unconditional": 0},
        ),
    ],
)  # fmt: skip
def pledge_types(context: Context) -> dict[str, Values]:
    """Make the five flags by direction (Benson 2011); see `alliance_types` for the codings."""
    rows = shared_pledges(context)
    made: dict[str, Values] = {}
    window = _authors_years(context)
    for name in TYPES:
        flags = flag_cube(context, pledges_of_type(context, rows, name))
        if window:
            years = context.system.years
            flags[:, :, (years < window[0]) | (years > window[1])] = missing_of(flags.dtype)
        made[f"pledge_{name}"] = DyadYears(flags)
    return made


# Who of the dyad holds it, and the flag of ATOP that limits it to named adversaries.
HOLDINGS = {
    "challenger_compel_unconditional": ("challenger", "compel_unconditional"),
    "challenger_compel_conditional": ("challenger", "compel_conditional"),
    "target_deter_unconditional": ("target", "deter_unconditional"),
    "target_deter_conditional": ("target", "deter_conditional"),
    "target_deter_probabilistic": ("target", "deter_probabilistic"),
    "challenger_deter_unconditional": ("challenger", "deter_unconditional"),
    "challenger_deter_conditional": ("challenger", "deter_conditional"),
}


def _third_party_columns() -> list[ColumnSpec]:
    columns = []
    for name, (side, kind) in HOLDINGS.items():
        holder, other = ("2", "1") if side == "target" else ("1", "2")
        owed = f"a third state owes {holder}, applicably against {other}, {TYPES[kind]}"
        columns += [
            ColumnSpec(name, "flag", f"1 if {owed}.", collapse="none", level="row"),
            ColumnSpec(f"{name}_n", "count", f"Number of third states: {owed}.", unit="states",
                       collapse="none", level="row"),
            ColumnSpec(f"{name}_cinc", "number", f"Summed CINC of the givers: {owed}; one without "
                       "CINC adds 0.", unit="share, 0-1", collapse="none", level="row"),
        ]  # fmt: skip
    return columns


@covariate(
    name="third_party_types",
    title="Third states' pledges to challenger and target by Benson's types",
    columns=_third_party_columns(),
    sources=["atop", "cow_nmc", AUTHORS],
    citations=["benson_2011", "benson_clinton_2016", "leeds_etal_2002"],
    options={
        "release": RELEASE, "secret": SECRET, "pairs": PAIRS, "coding": CODING, "threats": THREATS,
        "common": COMMON, "givers": GIVERS, "nuclear": NUCLEAR, **PACT_OPTIONS, **CONDITION_OPTIONS,
    },
    units=("directed-dyad-year",),
    coverage_of=("atop",),
    extras=[
        column.name
        for column in _third_party_columns()
        if column.name.startswith("challenger_deter")
    ],
    examples=[
        Example(
            "In 1890 Russia would meet Germany if it attacked Austria-Hungary.",
            {"ccode1": 365, "ccode2": 300, "year": 1890},
            {"target_deter_conditional": 1, "challenger_compel_unconditional": 0},
        ),
        Example(
            "France would not: the treaty names Russia.",
            {"ccode1": 220, "ccode2": 300, "year": 1881},
            {"target_deter_conditional": 0},
        ),
    ],
)  # fmt: skip
def third_party_types(context: Context) -> dict[str, Values]:
    """Make flags, counts and summed CINC of the givers of each type.

    Benson (2011) asks of the challenger's compellent and the target's deterrent alliances; in his
    data an alliance's members hold what it promises, and no adversary is left out. Here the giver's
    own pledge counts, against the states that it binds against (option threats; ignore is his).
    """
    made: dict[str, Values] = {}
    year, cinc_years = context.spine.places[0].year, context.tables.coverage("cow_nmc")
    window = _authors_years(context)
    for name, (side, kind) in HOLDINGS.items():
        if not context.wanted & {name, f"{name}_n", f"{name}_cinc"}:
            continue
        obligation, flag = (
            ("offense", "offcoadv") if kind.startswith("compel") else ("defense", "defcoadv")
        )
        rows = pledges_of_type(context, shared_pledges(context), kind)
        rows = unconditioned(of_pacts(rows, context.options), obligation, context.options)
        held = held_by(context, rows, side, flag)
        columns: Mapping[str, NDArray[np.generic]] = {
            name: (held.count > 0).astype(np.int8),
            f"{name}_n": held.count,
            # ATOP goes on after NMC ends, and there the sum is unknown.
            f"{name}_cinc": within_years(held.cinc, year, cinc_years),
        }
        for column, values in columns.items():
            made[column] = Rows(within_years(values, year, window) if window else values)
    return made
