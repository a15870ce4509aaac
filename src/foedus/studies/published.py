"""Numbers in print: published.csv beside a study, one row a number, its text kept as printed."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from foedus.errors import ConfigError, UsageError, nearest
from foedus.studies.targets import Target, parse_target

REQUIRED = (
    "table", "model", "term", "quantity", "estimate", "std_error", "n_obs", "where_in_print",
    "maps_to",
)  # fmt: skip
OPTIONAL = ("p_value", "z", "ci_low", "ci_high", "note")
TESTED = ("coefficient", "hazard_ratio", "odds_ratio", "percent_change", "correlation", "direction")
UNTESTED = (
    "count", "percent", "rate_percent", "predicted_probability", "exponent", "value", "year",
)  # fmt: skip
QUANTITIES = TESTED + UNTESTED
RATES = ("percent", "rate_percent", "predicted_probability")
SIGNS = {"+": 1.0, "-": -1.0, "\N{MINUS SIGN}": -1.0, "0": 0.0}
_Z = 1.959963984540054
_P = re.compile(r"^(?P<sign>[<>=]?)\s*(?P<value>\d*\.?\d+(e[-+]?\d+)?)$")


@dataclass(frozen=True)
class Published:
    """One number in print.

    Attributes
    ----------
    text : str
        The estimate as printed: its digits decide what "exact" means.
    estimate, std_error : float
        `std_error` is implied by z, or by a coefficient's 95 percent interval, when print gives
        only that; None when print gives none of them.
    error_text, z_text : str
        Standard error and z as printed; "" where print gives none.
    significant : bool or None
        Which side of p = .05 print is on, by its p, its z or its standard error; None if unknown.
    truth : bool
        Not a number in print but the truth of a simulated world.
    """

    table: str
    model: str
    term: str
    quantity: str
    text: str
    estimate: float
    std_error: float | None
    n_obs: int | None
    where_in_print: str
    maps_to: str
    target: Target
    significant: bool | None
    ci_low: float | None = None
    ci_high: float | None = None
    note: str = ""
    error_text: str = ""
    z_text: str = ""
    truth: bool = False

    @property
    def decimals(self) -> int:
        """Decimal places that print gives (negative for 1.2e5)."""
        return decimals(self.text)

    @property
    def tested(self) -> bool:
        """Whether the quantity has a sign and a test."""
        return self.quantity in TESTED


def decimals(text: str) -> int:
    """Return the decimal places of a printed number (negative for 1.2e5)."""
    return -int(Decimal(plain_minus(text)).as_tuple().exponent)


def plain_minus(text: str) -> str:
    """Return a printed number with an ASCII minus and without thousands separators."""
    return text.strip().replace("\N{MINUS SIGN}", "-").replace(",", "")


def read_published(path: Path, origin: str) -> tuple[Published, ...]:
    """Read published.csv.

    Parameters
    ----------
    path : Path
    origin : str
        How the file is named in messages.

    Raises
    ------
    ConfigError
        With row and column, when a column is missing or unknown, or a value can't be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            _check_header(reader.fieldnames or [], origin)
            return tuple(
                _read_row(row, f"{origin}: row {line}") for line, row in enumerate(reader, start=2)
            )
    except UnicodeDecodeError as error:
        raise ConfigError(f"{origin}: not UTF-8 text (byte {error.start}).") from error


def _check_header(header: Sequence[str], origin: str) -> None:
    if lacking := [name for name in REQUIRED if name not in header]:
        raise ConfigError(f"{origin}: column {', '.join(lacking)} is missing.")
    for name in header:
        if name not in REQUIRED + OPTIONAL:
            raise ConfigError(
                f'{origin}: unknown column "{name}". {nearest(name, REQUIRED + OPTIONAL)}'
            )


def _read_row(row: dict[str, str], place: str) -> Published:
    if None in row or None in row.values():
        raise ConfigError(f"{place}: not as many cells as the header has.")
    quantity = row["quantity"].strip()
    if quantity not in QUANTITIES:
        raise ConfigError(
            f'{place}: quantity "{quantity}" is unknown. {nearest(quantity, QUANTITIES)}'
        )
    if not row["where_in_print"].strip():
        raise ConfigError(
            f"{place}: where_in_print is empty; every number needs its place in print."
        )
    try:
        target = parse_target(row["maps_to"])
    except UsageError as error:
        raise ConfigError(f"{place}: maps_to: {error}") from error
    text = row["estimate"].strip()
    estimate = _estimate(text, quantity, place)
    std_error = _number(row, "std_error", place)
    z = _number(row, "z", place)
    if std_error is None and z:
        std_error = abs(estimate / z)
    n_obs = _number(row, "n_obs", place)
    low, high = _number(row, "ci_low", place), _number(row, "ci_high", place)
    if std_error is None and quantity == "coefficient" and low is not None and high is not None:
        # A printed 95 percent interval implies a standard error (to its digits, normal quantile).
        std_error = (high - low) / (2 * _Z)
    return Published(
        table=row["table"].strip(),
        model=row["model"].strip(),
        term=row["term"].strip(),
        quantity=quantity,
        text=text,
        estimate=estimate,
        std_error=std_error,
        n_obs=None if n_obs is None else int(n_obs),
        where_in_print=row["where_in_print"].strip(),
        maps_to=row["maps_to"].strip(),
        target=target,
        significant=_significant(row, quantity, estimate, std_error, (low, high), place),
        ci_low=low,
        ci_high=high,
        note=row.get("note", "").strip(),
        error_text=row["std_error"].strip(),
        z_text=(row.get("z", "") or "").strip(),
    )


def _estimate(text: str, quantity: str, place: str) -> float:
    if quantity == "direction":
        if text not in SIGNS:
            raise ConfigError(f'{place}: a direction is + - or 0, found "{text}".')
        return SIGNS[text]
    try:
        value = float(Decimal(plain_minus(text)))
    except InvalidOperation as error:
        raise ConfigError(f'{place}: estimate "{text}" is not a number.') from error
    if quantity in ("hazard_ratio", "odds_ratio") and value <= 0:
        raise ConfigError(f'{place}: a ratio is above 0, found "{text}".')
    return value


def _number(row: dict[str, str], column: str, place: str) -> float | None:
    text = plain_minus(row.get(column, "") or "")
    if not text:
        return None
    try:
        return float(Decimal(text))
    except InvalidOperation as error:
        raise ConfigError(f'{place}: {column} "{text}" is not a number.') from error


def _significant(
    row: dict[str, str],
    quantity: str,
    estimate: float,
    std_error: float | None,
    interval: tuple[float | None, float | None],
    place: str,
) -> bool | None:
    """Return which side of p = .05 print is on: by its p first, then its z, SE or interval."""
    neutral = 1.0 if quantity in ("hazard_ratio", "odds_ratio") else 0.0
    if text := (row.get("p_value", "") or "").strip():
        return _by_p(text, place)
    z = _number(row, "z", place)
    if z is None and std_error:
        z = (estimate - neutral) / std_error
    if z is not None:
        return abs(z) > _Z
    low, high = interval
    if low is not None and high is not None:
        return not low <= neutral <= high
    return None


def _by_p(text: str, place: str) -> bool:
    matched = _P.match(text)
    if matched is None:
        raise ConfigError(f'{place}: p_value "{text}" is not a number, "<.05" or ">.05".')
    value = float(matched["value"])
    if matched["sign"] == "<":
        return value <= 0.05
    if matched["sign"] == ">":
        return value < 0.05
    return value < 0.05
