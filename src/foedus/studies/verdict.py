"""The verdict on a published number, by rules that never look at the study.

With a test (coefficients, ratios, percentage changes, correlations, directions): exact, close,
agrees, weaker or stronger, contradicts, null. Without one (counts, rates, exponents, values):
exact, close, agrees, and stronger or weaker as the rebuilt number is larger or smaller; a year is
close within one and agrees within five.

The truth of a simulated world has no standard error, so that the rebuilt one's takes its place:
close within one, agrees within the 95 percent interval, else as above.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from foedus.studies.published import RATES, Published, decimals, plain_minus

Verdict = Literal[
    "exact", "close", "agrees", "weaker", "stronger", "contradicts", "null", "not comparable"
]
VERDICTS: tuple[Verdict, ...] = (
    "exact", "close", "agrees", "weaker", "stronger", "contradicts", "null", "not comparable",
)  # fmt: skip
LEVEL = 0.05
Z = 1.959963984540054
NEAR = 0.05
"""Share of the printed number within which one without a test still agrees."""
NEAR_YEARS = 5.0
"""Years within which a date still agrees; within one it is close."""


@dataclass(frozen=True)
class Rebuilt:
    """The rebuilt counterpart of a published number, on the published number's own scale.

    Attributes
    ----------
    value : float or None
        None when it couldn't be had; `reason` says why.
    std_error, p_value : float or None
    n : int or None
        Rows or cases behind it.
    reason : str
    """

    value: float | None
    std_error: float | None = None
    p_value: float | None = None
    n: int | None = None
    reason: str = ""


def verdict(published: Published, rebuilt: Rebuilt) -> Verdict:
    """Return the verdict on one published number."""
    if rebuilt.value is None or not math.isfinite(rebuilt.value):
        return "not comparable"
    if published.quantity == "direction":
        return _by_sign(published.estimate, rebuilt.value, True, rebuilt.p_value)
    if exact(published, rebuilt.value):
        return "exact"
    if published.truth and rebuilt.std_error:
        errors = abs(rebuilt.value - published.estimate) / rebuilt.std_error
        if errors <= Z:
            return "close" if errors <= 1 else "agrees"
    if published.tested and rebuilt.p_value is not None:
        return _tested(published, rebuilt.value, rebuilt.p_value)
    return _untested(published, rebuilt.value)


def exact(published: Published, value: float) -> bool:
    """Whether a value rounds to the printed digits (a half may round either way)."""
    return rounds_to(value, published.text)


def rounds_to(value: float, text: str) -> bool:
    """Whether a value rounds to a printed number's digits (a half may round either way)."""
    printed = float(plain_minus(text))
    half = 0.5 * 10.0 ** (-decimals(text))
    slack = 1e-9 * max(half, abs(printed))
    return abs(value - printed) <= half + slack


def error_is_exact(published: Published, rebuilt: Rebuilt) -> bool | None:
    """Whether the rebuilt standard error rounds to the printed one, or else z to the printed z.

    None where print gives neither or the rebuilt number has no standard error.
    """
    if rebuilt.value is None or not rebuilt.std_error:
        return None
    if published.error_text:
        return rounds_to(rebuilt.std_error, published.error_text)
    if published.z_text:
        return rounds_to(abs(rebuilt.value / rebuilt.std_error), published.z_text.lstrip("-\u2212"))
    return None


def _tested(published: Published, value: float, p_value: float) -> Verdict:
    neutral = 1.0 if published.quantity in ("hazard_ratio", "odds_ratio") else 0.0
    printed, found = published.estimate - neutral, value - neutral
    near = published.std_error is not None and abs(found - printed) <= published.std_error
    if near and printed * found > 0:
        return "close"
    # Print that doesn't show its test is taken to report a finding, as a bare sign in print does.
    significant = True if published.significant is None else published.significant
    return _by_sign(printed, found, significant, p_value)


def _by_sign(
    printed: float, found: float, significant_in_print: bool, p_value: float | None
) -> Verdict:
    significant = p_value is not None and p_value < LEVEL
    if printed == 0:
        # Print says "no effect": the same finding is an insignificant one of either sign.
        return "stronger" if significant else "agrees"
    if printed * found > 0:
        if significant == significant_in_print:
            return "agrees"
        return "stronger" if significant else "weaker"
    return "contradicts" if significant else "null"


def _untested(published: Published, value: float) -> Verdict:
    distance = abs(value - published.estimate)
    if published.quantity == "year":
        if distance <= NEAR_YEARS:
            return "close" if distance <= 1 else "agrees"
        return "stronger" if value > published.estimate else "weaker"
    scale = implied_error(published)
    if scale is not None and distance <= scale:
        return "close"
    low, high = published.ci_low, published.ci_high
    inside = low is not None and high is not None and low <= value <= high
    if not inside and low is None and published.std_error is not None:
        inside = distance <= Z * published.std_error
    if inside or distance <= NEAR * abs(published.estimate):
        return "agrees"
    return "stronger" if value > published.estimate else "weaker"


def implied_error(published: Published) -> float | None:
    """Return the printed standard error, else that implied by a rate's n or by a count."""
    if published.std_error is not None:
        return published.std_error
    if published.quantity == "count":
        return math.sqrt(max(published.estimate, 0.0))
    if published.quantity in RATES and published.n_obs:
        unit = 1.0 if published.quantity == "predicted_probability" else 100.0
        share = min(max(published.estimate / unit, 0.0), 1.0)
        return unit * math.sqrt(share * (1 - share) / published.n_obs)
    return None
