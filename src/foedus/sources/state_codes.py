"""Gleditsch-Ward state numbers read as COW numbers, by year.

The two lists share their numbers but for nine states; they differ far more in when a state is a
member, which is the state system's business, not that of a code.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class GwCode:
    """A Gleditsch-Ward number that COW spells otherwise in some years."""

    gwcode: int
    ccode: int | None
    first: int
    last: int
    reason: str


# Gleditsch & Ward 1999 (and the list's updates) beside COW's list v2016. Where a state changes its
# COW number within a year, the year goes to the number that it has on 31 December.
# ASSUME: years 1990 of Germany and of Yemen are those of the united states.
GW_DIFFERENCES = (
    GwCode(260, 255, 1990, 9999, "The Federal Republic goes on as Germany: COW 255."),
    GwCode(678, 679, 1990, 9999, "The Arab Republic goes on as Yemen: COW 679."),
    GwCode(340, 345, 1816, 9999, "Serbia: COW has it as Yugoslavia, 345, throughout."),
    GwCode(970, 946, 1816, 9999, "Kiribati."),
    GwCode(971, 970, 1816, 9999, "Nauru."),
    GwCode(972, 955, 1816, 9999, "Tonga."),
    GwCode(973, 947, 1816, 9999, "Tuvalu."),
    GwCode(89, None, 1816, 9999, "United Provinces of Central America: no COW state."),
    GwCode(99, None, 1816, 9999, "Great Colombia: no COW state."),
    GwCode(396, None, 1816, 9999, "Abkhazia: no COW state."),
    GwCode(397, None, 1816, 9999, "South Ossetia: no COW state."),
    GwCode(563, None, 1816, 9999, "Transvaal: no COW state."),
    GwCode(564, None, 1816, 9999, "Orange Free State: no COW state."),
    GwCode(711, None, 1816, 9999, "Tibet: no COW state."),
    GwCode(751, None, 1816, 9999, "Hyderabad: no COW state."),
    GwCode(815, None, 1816, 9999, "Vietnam before the French conquest: no COW state."),
)


def cow_of_gw(gwcode: pl.Expr, year: pl.Expr) -> pl.Expr:
    """Return the COW number of a Gleditsch-Ward number in a year; null for one that COW lacks.

    Parameters
    ----------
    gwcode, year : polars.Expr
        Whole numbers; a null number stays null.

    Returns
    -------
    polars.Expr
        Int32.
    """
    ccode = gwcode
    for item in GW_DIFFERENCES:
        here = (gwcode == item.gwcode) & year.is_between(item.first, item.last)
        ccode = pl.when(here).then(pl.lit(item.ccode, pl.Int32)).otherwise(ccode)
    return ccode.cast(pl.Int32)
