"""The spells of a COW war list: a state or party fights up to four times in one war."""

from __future__ import annotations

from collections.abc import Sequence

from foedus.sources import dates
from foedus.sources.schema import Column, Rows

_NTH = ("first", "second", "third", "fourth")
WORDS = ("Month", "Day", "Year")
"""What the headers call the parts of a date; intra-state wars 5.1 cut them to two letters."""


def spell_columns(
    number: int, words: tuple[str, str, str] = WORDS, *, ends_known: bool = False
) -> list[Column]:
    """Return the columns of one spell as the file has them.

    Parameters
    ----------
    number : int
        1 for the first spell, which every row has.
    words : tuple of str
        What the headers call month, day and year.
    ends_known : bool
        Whether the first spell's year of end is always known: no war of the list goes on.
    """
    which = _NTH[number - 1]
    month, day, year = words
    made = []
    for name, verb in (("start", "begins"), ("end", "ends")):
        header = name.capitalize()
        required = number == 1 and (name == "start" or ends_known)
        goes_on = "; missing while it goes on" if name == "end" and not ends_known else ""
        made += [
            Column(f"{name}month{number}", "int8", f"Month in which the {which} spell {verb}",
                   f"{header}{month}{number}", low=1, high=12),
            Column(f"{name}day{number}", "int8", f"Day on which the {which} spell {verb}",
                   f"{header}{day}{number}", low=1, high=31),
            Column(f"{name}year{number}", "int16",
                   f"Year in which the {which} spell {verb}{goes_on}",
                   f"{header}{year}{number}", within_coverage=True, required=required),
        ]  # fmt: skip
    return made


def spell_dates(number: int) -> list[Column]:
    """Return the columns that `with_spells` makes of one spell's parts."""
    which = _NTH[number - 1]
    start, end = f"start{number}", f"end{number}"
    return [
        Column(start, "date", f"First day that the {which} spell's beginning may mean",
               derived=True),
        Column(end, "date", f"Last day that the {which} spell's end may mean", derived=True),
        Column(f"{start}_precision", "text", f"How much of {start} is known", derived=True),
        Column(f"{end}_precision", "text", f"How much of {end} is known", derived=True),
    ]  # fmt: skip


def with_spells(rows: Rows, numbers: Sequence[int]) -> Rows:
    """Make the dates of each spell; one that goes on has no end.

    Parameters
    ----------
    rows : Rows
        With the columns of `spell_columns` and the lines they were read from.
    numbers : sequence of int
        The spells that a row may have.

    Returns
    -------
    Rows
        With the columns of `spell_dates`.

    Raises
    ------
    SourceError
        On a day that doesn't exist, or an end before its beginning.
    """
    assert rows.raw is not None
    frame = rows.frame
    for number in numbers:
        begin, finish = (
            tuple(f"{end}{part}{number}" for part in ("year", "month", "day"))
            for end in ("start", "end")
        )
        frame = frame.with_columns(
            dates.earliest(*begin).alias(f"start{number}"),
            dates.latest(*finish).alias(f"end{number}"),
            dates.precision(*begin).alias(f"start{number}_precision"),
            dates.precision(*finish).alias(f"end{number}_precision"),
        )
        dates.check_exists(rows.raw, frame, f"start{number}", *begin)
        dates.check_exists(rows.raw, frame, f"end{number}", *finish)
        dates.check_order(rows.raw, frame, f"start{number}", f"end{number}")
    return Rows(frame, rows.raw)
