"""Militarized interstate disputes, as COW and as Gibler, Miller & Little code them."""

from __future__ import annotations

from foedus.covariates.conflict import (
    DisputeYears,
    dispute_columns,
    gml_dyad_years,
    mid_dyad_years,
)
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import DyadYears, Values

WHO = Option(
    "originators",
    "Who counts as having begun a dispute: pairs of originators only; an originator of the side "
    "that began it, against joiners of the other too (challenger); or any state of that side.",
    ("originators", "challenger", "any"),
)
LEVELS = Option(
    "dispute",
    "Whose hostility and fatality: the whole dispute's, as most studies use, or the higher of the "
    "two states' own in it.",
    ("dispute", "dyad"),
)
# COW's codes; 0 is also what a year without a dispute has.
HOSTILITY = {
    0: "no dispute", 1: "no militarized action", 2: "threat to use force", 3: "display of force",
    4: "use of force", 5: "war",
}  # fmt: skip
FATALITY = {
    0: "none, or no dispute", 1: "1 to 25", 2: "26 to 100", 3: "101 to 250", 4: "251 to 500",
    5: "501 to 999", 6: "1000 and more",
}  # fmt: skip


def _columns(prefix: str, whose: str, again: str = ".") -> list[ColumnSpec]:
    return [
        ColumnSpec(
            f"{prefix}_onset",
            "flag",
            f"1 in the first year in which the two oppose each other in a {whose} dispute" + again,
        ),
        ColumnSpec(
            f"{prefix}_ongoing",
            "flag",
            f"1 if the two oppose each other in a {whose} dispute on any day of the year.",
        ),
        ColumnSpec(
            f"{prefix}_initiated",
            "flag",
            f"1 if state 1 began a {whose} dispute against state 2 this year: side A, both "
            "originators; in undirected dyads, either against the other.",
            collapse="max",
        ),
        ColumnSpec(
            f"{prefix}_hostility",
            "category",
            f"Highest hostility level (0-5) of the two's {whose} disputes of the year; 0 without "
            "one.",
            unit="code 0-5",
            labels=HOSTILITY,
        ),
        ColumnSpec(
            f"{prefix}_fatality",
            "category",
            f"Highest fatality category (0-6) of the two's {whose} disputes of the year; 0 without "
            "one, missing where unknown.",
            unit="code 0-6",
            labels=FATALITY,
        ),
    ]


def dispute_years(context: Context, which: str) -> DisputeYears:
    """Return dispute-dyad-years of "mid" or "gml", made once a build for each release."""
    if which == "gml":
        return context.shared(
            "gml dyad-years", lambda: gml_dyad_years(context.tables.get("gml_mid", "directed"))
        )
    release = context.options.get("release")
    return context.shared(
        ("mid dyad-years", release),
        lambda: mid_dyad_years(context.tables.get("mid", "participants", release=release)),
    )


@covariate(
    name="mid",
    title="COW militarized interstate disputes between the two",
    columns=_columns("mid", "COW MID", "; not in a later one in which they return to it."),
    sources=["mid"],
    citations=["palmer_etal_2022"],
    options={
        "who": WHO,
        "levels": LEVELS,
        "release": Option("5.0", "Release of the MID data.", ("5.0", "4.2")),
    },
    examples=[
        Example(
            "Dispute 3 (1913): Austria-Hungary against Serbia, begun by Austria-Hungary.",
            {"ccode1": 300, "ccode2": 345, "year": 1913},
            {"mid_onset": 1, "mid_ongoing": 1, "mid_initiated": 1},
        ),
        Example(
            "The United States and Canada had no dispute in 1950.",
            {"ccode1": 2, "ccode2": 20, "year": 1950},
            {"mid_onset": 0, "mid_ongoing": 0, "mid_hostility": 0, "mid_fatality": 0},
        ),
    ],
)
def mid(context: Context) -> dict[str, Values]:
    """Make the five `mid_` columns; no dispute is 0 in 1816-2014 and missing after."""
    cubes = dispute_columns(
        context, "mid", dispute_years(context, "mid"), lambda: context.table("mid", "disputes")
    )
    return {name: DyadYears(cube) for name, cube in cubes.items()}


@covariate(
    name="gml",
    title="Gibler-Miller-Little disputes between the two",
    columns=_columns(
        "gml", "GML", ", and in a year in which GML has them return to it (midonset)."
    ),
    sources=["gml_mid"],
    citations=["gibler_miller_little_2016"],
    options={"who": WHO, "levels": LEVELS},
    examples=[
        Example(
            "The United States began a dispute with Britain in 1902 (dispute 2).",
            {"ccode1": 2, "ccode2": 200, "year": 1902},
            {"gml_onset": 1, "gml_initiated": 1},
        ),
        Example(
            "The reverse direction: Britain did not begin it.",
            {"ccode1": 200, "ccode2": 2, "year": 1902},
            {"gml_onset": 1, "gml_initiated": 0},
        ),
    ],
)
def gml(context: Context) -> dict[str, Values]:
    """Make the five `gml_` columns; no dispute is 0 in 1816-2010 and missing after."""
    cubes = dispute_columns(
        context, "gml", dispute_years(context, "gml"), lambda: context.table("gml_mid", "disputes")
    )
    return {name: DyadYears(cube) for name, cube in cubes.items()}
