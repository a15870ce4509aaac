"""The pacts in force between two states: how many, how old, how deep, and what they provide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.alliance_provisions import PROVISIONS, depth_index, institution
from foedus.covariates.alliance_terms import RIVALRIES, after_war, rival_years, war_pairs
from foedus.covariates.atop import PAIRS, RELEASE, SECRET, shared_pledges
from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import DyadYears, Values, missing_of
from foedus.panels.spans import each_year

_ANY = "in a pact in force between the two (whatever it promises)"


@dataclass(frozen=True)
class BondYears:
    """Pledge rows by year: where each lies in (giver, receiver, year) arrays.

    Attributes
    ----------
    rows : polars.DataFrame
        `atop.pledges`, with first_bound: the first year in which the pact bound giver and receiver.
    row, year : int64 arrays (row-years,)
        The row in `rows` and the calendar year.
    position : int64 array (row-years,)
        Flat position in (n, n, years).
    """

    rows: pl.DataFrame
    row: NDArray[np.int64]
    year: NDArray[np.int64]
    position: NDArray[np.int64]


def bond_years(context: Context) -> BondYears:
    """Return every pact between two states of the system in every year, made once a build."""
    names = ("release", "secret", "pairs", "listed")
    key = ("bond years", *(context.options.get(name) for name in names))

    def make() -> BondYears:
        bound = ["atopid", "giver", "receiver"]
        rows = shared_pledges(context).with_columns(
            first_bound=pl.col("first_year").min().over(bound)
        )
        row, year = each_year(rows["first_year"].to_numpy(), rows["last_year"].to_numpy())
        position, inside = dyad_positions(
            context.system,
            rows["giver"].to_numpy()[row],
            rows["receiver"].to_numpy()[row],
            year,
        )
        return BondYears(rows, row[inside], year[inside], position)

    return context.shared(key, make)


def flag_of(context: Context, bonds: BondYears, flags: pl.Series) -> NDArray[np.int8]:
    """Return 1 where any pact has it, missing where none has and a text is unknown, else 0."""
    codes = flags.cast(pl.Int8).fill_null(-1).to_numpy()[bonds.row]
    made = empty_dyads(context.system, np.int8)
    made[bonds.position[codes == -1]] = missing_of(made.dtype)
    made[bonds.position[codes == 1]] = 1
    return dyad_cube(context.system, made)


def extreme_of(
    context: Context, bonds: BondYears, values: NDArray[np.float64], largest: bool
) -> NDArray[np.float32]:
    """Return the largest or smallest known value over the pacts of a pair; NaN without one."""
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known] if largest else -values[known], kind="stable")]
    # Later assignments win, and the last one is the extreme.
    made = empty_dyads(context.system, np.float32, np.nan)
    made[bonds.position[order]] = values[order]
    return dyad_cube(context.system, made)


def _pact_count(context: Context, bonds: BondYears) -> NDArray[np.int16]:
    atopid = bonds.rows["atopid"].to_numpy().astype(np.int64)[bonds.row]
    once = np.unique(bonds.position * 10_000 + atopid) // 10_000
    place, count = np.unique(once, return_counts=True)
    made = empty_dyads(context.system, np.int16)
    made[place] = count
    return dyad_cube(context.system, made)


_TERMS = [
    ColumnSpec(f"bond_{each.name}", "flag", f"1 if {each.says} {_ANY} (ATOP "
               f"{', '.join(each.needs)}).", collapse="max")
    for each in PROVISIONS
]  # fmt: skip
# name: (what it is, unit, whether the largest counts).
_NUMBERS = {
    "bond_age": ("Years since the oldest pact in force between the two first bound them both",
                 "years", True),
    "bond_age_youngest": ("Years since the youngest pact in force first bound them both", "years",
                          False),
    "bond_length": ("Longest term that a pact in force fixes (ATOP length); 0 if none fixes one",
                    "months", True),
    "bond_depth": ("Depth of the deepest pact in force (the index of alliance_depth)",
                   "index, 0-1", True),
    "bond_depth_least": ("Depth of the shallowest pact in force", "index, 0-1", False),
    "bond_institution": ("Military institutionalization of the pact in force that has most of it "
                         "(Leeds & Anac)", "code 0-2", True),
    "bond_institution_least": ("Military institutionalization of the pact in force that has least "
                               "of it", "code 0-2", False),
}  # fmt: skip


@covariate(
    name="alliance_bonds",
    title="The pacts in force between the two states",
    columns=[
        ColumnSpec("bond_pacts", "count", "ATOP pacts in force between the two on any day of the "
                   "year.", unit="alliances"),
        ColumnSpec("bond_bilateral", "flag", f"1 if they are the only members {_ANY} (bilat).",
                   collapse="max"),
        ColumnSpec("bond_multilateral", "flag", f"1 if others are members too {_ANY} (bilat).",
                   collapse="max"),
        ColumnSpec("bond_wartime", "flag", "1 if a pact in force was made while members were at "
                   "war (ATOP wartime).", collapse="max"),
        *(
            ColumnSpec(name, "number", f"{says}; missing without a pact, or of a text unknown.",
                       unit=unit, collapse="max" if largest else "min", absent="missing")
            for name, (says, unit, largest) in _NUMBERS.items()
        ),
        *_TERMS,
    ],
    sources=["atop"],
    citations=["leeds_etal_2002", "leeds_anac_2005", "alley_2021"],
    options={"release": RELEASE, "secret": SECRET, "pairs": PAIRS},
    extras=["bond_age_youngest", "bond_depth_least", "bond_institution_least",
            *(spec.name for spec in _TERMS)],
    examples=[
        Example(
            "The United States and Canada in 1960: NATO and NORAD.",
            {"ccode1": 2, "ccode2": 20, "year": 1960},
            {"bond_age": 11, "bond_institution": 2, "bond_multilateral": 1, "bond_bases": 1},
        ),
        Example(
            "Germany and Austria-Hungary in 1900: the Dual and the Triple Alliance, and Romania's.",
            {"ccode1": 255, "ccode2": 300, "year": 1900},
            {"bond_pacts": 3, "bond_age": 21, "bond_bilateral": 1, "bond_secret": 1},
        ),
        Example(
            "France and Brazil have no pact in 1900: no age, and none that is bilateral.",
            {"ccode1": 220, "ccode2": 140, "year": 1900},
            {"bond_pacts": 0, "bond_age": None, "bond_bilateral": 0, "bond_bases": 0},
        ),
    ],
)  # fmt: skip
def alliance_bonds(context: Context) -> dict[str, Values]:
    """Make counts, ages, depth and provisions over the pacts that bind both states in the year.

    A provision is in the dyad if any pact between the two has it, as in the treaty-content
    literature (Leeds & Anac 2005, Alley 2021); of numbers both the largest and the smallest are to
    be had. Unlike dyadic files made from the alliance level, phases count by their own days, and
    two members are bound while both are in the phase.
    """
    # ASSUME: a pact that obliges neither of the two (guarantors of a third state) is still a pact
    # between them.
    bonds = bond_years(context)
    rows, wanted = bonds.rows, context.wanted
    flags = {f"bond_{each.name}": each.rule for each in PROVISIONS}
    flags |= {
        "bond_bilateral": pl.col("bilat") == 1,
        "bond_multilateral": pl.col("bilat") == 0,
        "bond_wartime": pl.col("wartime") == 1,
    }
    made: dict[str, Values] = {}
    if "bond_pacts" in wanted:
        made["bond_pacts"] = DyadYears(_pact_count(context, bonds))
    for name in sorted(wanted & set(flags)):
        found = rows.select(flags[name].alias("flag"))["flag"]
        made[name] = DyadYears(flag_of(context, bonds, found))
    for name in sorted(wanted & set(_NUMBERS)):
        values = _number(bonds, name)
        made[name] = DyadYears(extreme_of(context, bonds, values, _NUMBERS[name][2]))
    return made


def _number(bonds: BondYears, name: str) -> NDArray[np.float64]:
    """Return the number that a column looks at for each pact and year, NaN where unknown."""
    if name.startswith("bond_age"):
        first = bonds.rows["first_bound"].to_numpy().astype(np.int64)[bonds.row]
        return (bonds.year - first).astype(np.float64)
    rule = {"bond_length": pl.col("length"), "bond_depth": depth_index(),
            "bond_institution": institution()}[name.removesuffix("_least")]  # fmt: skip
    values = bonds.rows.select(rule.cast(pl.Float64).fill_null(np.nan).alias("value"))["value"]
    return np.asarray(values.to_numpy()[bonds.row])


@covariate(
    name="alliance_tether",
    title="Pacts that bind rivals, or former enemies",
    columns=[
        ColumnSpec("bond_tether_td", "flag", "1 if a pact in force first bound the two while they "
                   "were rivals (Thompson & Dreyer).", absent="missing", collapse="max"),
        ColumnSpec("bond_tether_tss", "flag", "1 if a pact in force first bound the two while they "
                   "were strategic rivals (Thompson, Sakuwa & Suhas).", absent="missing",
                   collapse="max"),
        ColumnSpec("bond_after_war", "flag", "1 if a pact in force first bound the two at most "
                   "`within` years after they fought each other in a COW inter-state war.",
                   absent="missing", collapse="max"),
        ColumnSpec("bond_after_joint_war", "flag", "1 if it did so after they fought one on the "
                   "same side.", absent="missing", collapse="max"),
    ],
    sources=["atop", "rivalries_td", "rivalries_tss", "cow_interstate_wars"],
    citations=["weitsman_2004", "thompson_dreyer_2011", "thompson_sakuwa_suhas_2021",
               "sarkees_wayman_2010", "leeds_etal_2002"],
    options={
        "release": RELEASE, "secret": SECRET, "pairs": PAIRS,
        "lag": Option(0, "Years before the two were bound in which rivalry is looked at.", (0, 1)),
        "within": Option(5, "Years after a war in which a pact counts as made after it.", least=0),
    },
    coverage_of=("atop",),
    extras=["bond_after_joint_war"],
    examples=[
        Example(
            "The Three Emperors' League of 1881 tethers Austria-Hungary and Russia.",
            {"ccode1": 300, "ccode2": 365, "year": 1882},
            {"bond_tether_td": 1},
        ),
        Example(
            "Without a pact there is no tether.",
            {"ccode1": 220, "ccode2": 255, "year": 1900},
            {"bond_tether_td": 0, "bond_after_war": 0},
        ),
    ],
)  # fmt: skip
def alliance_tether(context: Context) -> dict[str, Values]:
    """Make tethering pacts (Weitsman 2004) and pacts after war, for the two states themselves.

    Weitsman looks at the alliance's adversaries within; here the two states of the dyad are the
    rivals, in the year in which the pact first bound them both. A pact that was made outside the
    years of a list is missing for it, not 0.
    """
    bonds = bond_years(context)
    pairs = bonds.rows.select(ccode1="giver", ccode2="receiver", year="first_bound")
    found: dict[str, pl.Series] = {}
    for short, source in RIVALRIES.items():
        name = f"bond_tether_{short}"
        if name not in context.wanted:
            continue
        lag = context.options["lag"]
        first, last = context.tables.coverage(source)
        rivals = rival_years(pairs, context.tables.get(source, "spells"), lag)
        inside = (pairs["year"] - lag).is_between(first, last)
        found[name] = pl.DataFrame({"rivals": rivals, "inside": inside}).select(
            pl.when("inside").then(pl.col("rivals").cast(pl.Int8))
        )["rivals"]
    if context.wanted & {"bond_after_war", "bond_after_joint_war"}:
        coverage = context.tables.coverage("cow_interstate_wars")
        wars = after_war(pairs, war_pairs(context), context.options["within"], coverage)
        found |= {"bond_after_war": wars["opposed"], "bond_after_joint_war": wars["together"]}
    return {name: DyadYears(flag_of(context, bonds, flags)) for name, flags in found.items()}
