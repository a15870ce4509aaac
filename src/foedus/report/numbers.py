"""Numbers as text: one way to round, one minus sign, one way to write p."""

from __future__ import annotations

import math
from typing import TypeGuard

MINUS = "\N{MINUS SIGN}"
MISSING = "\N{EM DASH}"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_WHOLE = ("count", "n")


def is_number(value: object) -> TypeGuard[float]:
    """Say whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def number(value: object, digits: int = 3, least: int = 0) -> str:
    """Write a number with `digits` significant digits: "−0.123", "1.51", "12,345".

    Parameters
    ----------
    value : object
        Anything; what is no finite number becomes a dash.
    digits : int
        Significant digits.
    least : int
        Decimals at least (so that a column lines up).
    """
    if not is_number(value):
        return MISSING
    if value == 0:
        return f"{0:.{least}f}" if least else "0"
    size = math.floor(math.log10(abs(value)))
    if size < -4 or size > 12:
        return _scientific(value, digits)
    decimals = max(digits - 1 - size, least, 0)
    return _signed(f"{value:.{decimals}f}", abs(value) >= 10_000)


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa.replace('-', MINUS)}×10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def _signed(text: str, group: bool) -> str:
    whole, _, rest = text.partition(".")
    sign = MINUS if whole.startswith("-") else ""
    whole = whole.lstrip("-")
    if group:
        whole = f"{int(whole):,}"
    return sign + whole + (f".{rest}" if rest else "")


def count(value: object) -> str:
    """Write a whole number, grouped by commas from 10,000 on (so that years stay years)."""
    if not is_number(value):
        return MISSING
    return _signed(f"{value:.0f}", abs(value) >= 10_000)


def percent(share: object, digits: int = 1) -> str:
    """Write a share (0 to 1) as a percentage."""
    if not is_number(share):
        return MISSING
    return f"{100 * share:.{digits}f} %".replace("-", MINUS)


def percent_digits(share: float) -> int:
    """Return the decimals that a percentage needs for two digits: 35 %, 8.2 %, 0.18 %."""
    size = math.floor(math.log10(100 * abs(share))) if share else 1
    return min(max(1 - size, 0), 4)


def p_value(value: object) -> str:
    """Write a p-value to three decimals, "<0.001" below that."""
    if not is_number(value):
        return MISSING
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def p_clause(value: object) -> str:
    """Write "p = 0.012" or "p < 0.001"."""
    text = p_value(value)
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def printed(value: object, quantity: str) -> str:
    """Write a published number as print has it, as far as a float remembers."""
    if quantity == "direction":
        return direction(value)
    if not is_number(value):
        return MISSING
    if quantity == "year":
        return f"{value:g}"
    if quantity in _WHOLE and float(value).is_integer():
        return count(value)
    text = f"{value:.10g}"
    if "e" in text:
        return _scientific(value, len(text.split("e")[0].replace("-", "").replace(".", "")))
    return _signed(text, abs(value) >= 10_000)


def rebuilt(value: object, quantity: str, text: str = "") -> str:
    """Write a rebuilt number in the manner of the quantity, with at least print's decimals.

    Parameters
    ----------
    value : object
    quantity : str
    text : str
        The number as printed; "" where there is none.
    """
    if is_number(value) and quantity == "year":
        return f"{value:g}"
    if is_number(value) and float(value).is_integer() and quantity != "coefficient":
        return count(value)
    _, _, decimals = text.strip().partition(".")
    shown = number(value)
    if is_number(value) and decimals.isdigit() and quantity != "direction":
        has = len(shown.partition(".")[2]) if "e" not in shown else len(decimals)
        if len(decimals) > has:
            return _signed(f"{value:.{len(decimals)}f}", abs(value) >= 10_000)
    return shown


def direction(value: object) -> str:
    """Write a published direction (+1, -1, 0) as a sign."""
    if not is_number(value):
        return MISSING
    return "+" if value > 0 else MINUS if value < 0 else "0"


def alike(*values: object, digits: int = 3) -> list[str]:
    """Write numbers that stand together with the same decimals, enough for the largest of them."""
    sizes = [abs(value) for value in values if is_number(value) and value != 0]
    if not sizes or not 1e-4 <= max(sizes) < 1e6:
        return [number(value, digits) for value in values]
    decimals = max(digits - 1 - math.floor(math.log10(max(sizes))), 0)
    return [
        _signed(f"{value:.{decimals}f}", abs(value) >= 10_000) if is_number(value) else MISSING
        for value in values
    ]


def interval(low: object, high: object) -> str:
    """Write "[0.10, 0.40]", or a dash when an end is missing."""
    if not (is_number(low) and is_number(high)):
        return MISSING
    return f"[{', '.join(alike(low, high))}]"


def plural(value: int, one: str, many: str | None = None) -> str:
    """Write "1 study", "3 studies"."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"
