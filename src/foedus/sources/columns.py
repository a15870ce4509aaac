"""Columns of one type written as lines, for tables with too many of them to spell each out."""

from __future__ import annotations

from foedus.sources.schema import Column, Kind


def described(
    text: str,
    kind: Kind = "int8",
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    required: bool = False,
    thousands: bool = False,
) -> tuple[Column, ...]:
    """Return one column a line of `text`, all of one type, unit and range.

    Parameters
    ----------
    text : str
        Lines ``name|definition``, or ``name=Header|definition`` where the file's header differs.
    kind, unit, low, high, required, thousands
        As in `schema.Column`.

    Returns
    -------
    tuple of Column
    """
    made = []
    for line in text.strip().splitlines():
        names, definition = line.strip().split("|", 1)
        name, _, header = names.partition("=")
        made.append(
            Column(
                name,
                kind,
                definition,
                header,
                unit=unit,
                low=low,
                high=high,
                required=required,
                thousands=thousands,
            )
        )
    return tuple(made)


def state(name: str, definition: str, raw: str = "", *, required: bool = True) -> Column:
    """Return a column of COW state numbers."""
    return Column(name, "int32", definition, raw, low=1, high=999, required=required)


def year(definition: str = "Year", name: str = "year", raw: str = "") -> Column:
    """Return a column of years within the source's coverage, never missing."""
    return Column(name, "int16", definition, raw, within_coverage=True, required=True)
