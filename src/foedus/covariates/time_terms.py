"""Terms of duration in models of onset: powers, natural cubic splines, and decay.

Beck, Katz & Tucker 1998 (splines of the years of peace), Carter & Signorino 2010 (its cubic), and
the decay that Raknerud & Hegre 1997 use instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Option
from foedus.covariates.values import Rows, is_missing
from foedus.errors import UsageError

KNOTS = Option(
    (1, 4, 7),
    "Inner knots of the natural cubic spline, in years: three, ascending (1, 4, 7: Beck, Katz & "
    "Tucker 1998).",
    many=True,
)
BOUNDARY = Option(
    None,
    "The spline's two outer knots, in years; by default the least and greatest value among the "
    "panel's rows. Beyond them it is a straight line.",
    many=True,
)
HALF_LIFE = Option(
    8, "Years in which the decay function 2^(-years / half-life) halves.", least=0.01
)
BTSCS_KNOTS = Option(
    None,
    "Knots of the terms that Tucker's btscs makes, in years: three, ascending; by default the "
    "quartiles of the years among the panel's rows, as its nspline(3) has them.",
    many=True,
)
OPTIONS = {
    "knots": KNOTS,
    "boundary": BOUNDARY,
    "btscs_knots": BTSCS_KNOTS,
    "half_life": HALF_LIFE,
}
_ORDER = 4
N_TERMS = 4
N_BTSCS = 3


def term_columns(name: str) -> list[ColumnSpec]:
    """Return the declarations of a duration's terms: powers, two splines' terms and the decay."""
    splines = [
        ColumnSpec(
            f"{name}_s{term}",
            "number",
            f"Term {term} of {N_TERMS} of a natural cubic spline of {name} (options knots, "
            "boundary).",
            "basis",
        )
        for term in range(1, N_TERMS + 1)
    ]
    cubes = [
        ColumnSpec(
            f"{name}_btscs{term}",
            "number",
            f"Term {term} of {N_BTSCS} that Tucker's btscs puts beside {name} for a natural cubic "
            "spline (option btscs_knots).",
            "years³",
        )
        for term in range(1, N_BTSCS + 1)
    ]
    return [
        ColumnSpec(f"{name}_sq", "number", f"{name} squared.", "years²"),
        ColumnSpec(f"{name}_cu", "number", f"{name} cubed.", "years³"),
        *splines,
        *cubes,
        ColumnSpec(
            f"{name}_decay", "number", f"2^(-{name} / half-life) (option half_life).", "share, 0-1"
        ),
    ]


def duration_terms(context: Context, name: str, length: NDArray[np.integer]) -> dict[str, Rows]:
    """Return those terms of a duration by row that are wanted; missing stays missing.

    Raises
    ------
    UsageError
        For knots or a half-life that can't be used.
    """
    wanted = {spec.name for spec in term_columns(name)} & context.wanted
    if not wanted:
        return {}
    years = length.astype(np.float64)
    years[is_missing(length)] = np.nan
    made = {f"{name}_sq": years**2, f"{name}_cu": years**3}
    if any(term.startswith(f"{name}_s") and term != f"{name}_sq" for term in wanted):
        terms = spline_terms(years, context.options["knots"], context.options["boundary"])
        made |= {f"{name}_s{term + 1}": terms[:, term] for term in range(N_TERMS)}
    if any(term.startswith(f"{name}_btscs") for term in wanted):
        terms = btscs_terms(years, context.options["btscs_knots"])
        made |= {f"{name}_btscs{term + 1}": terms[:, term] for term in range(N_BTSCS)}
    if f"{name}_decay" in wanted:
        made[f"{name}_decay"] = decay(years, context.options["half_life"])
    return {term: Rows(made[term]) for term in sorted(wanted)}


def natural_spline(
    values: NDArray[np.float64], knots: Sequence[float], boundary: Sequence[float]
) -> NDArray[np.float64]:
    """Return the basis of a natural cubic spline, without an intercept: (values, knots + 1).

    The basis is the one of R's ``splines::ns``: cubic B-splines, the first left out, turned so that
    the second derivative is 0 at the outer knots. NaN gives NaN.

    Parameters
    ----------
    values : float array (values,)
    knots : sequence of float
        Inner knots, ascending, inside the outer ones.
    boundary : sequence of float
        The two outer knots.
    """
    from scipy.interpolate import BSpline
    from scipy.linalg import qr

    low, high = map(float, boundary)
    places = np.r_[[low] * _ORDER, np.asarray(knots, float), [high] * _ORDER]
    n_basis = len(places) - _ORDER
    splines = BSpline(places, np.eye(n_basis), _ORDER - 1)
    bent = splines.derivative(2)([low, high])[:, 1:]
    turn = qr(bent.T)[0][:, 2:]
    inside = np.clip(values, low, high)
    made = splines(inside)[:, 1:]
    # Outside the outer knots each column goes on in a straight line.
    slopes = splines.derivative(1)([low, high])[:, 1:]
    past = np.nan_to_num(values - inside)[:, None]
    made = made + np.where(past < 0, past * slopes[0], past * slopes[1])
    return np.asarray(made @ turn)


def spline_terms(
    years: NDArray[np.float64], knots: Sequence[float], boundary: Sequence[float] | None
) -> NDArray[np.float64]:
    """Return the four spline terms of years of peace by row: (rows, 4), NaN where years are.

    Raises
    ------
    UsageError
        If the knots are not three, not ascending, or not inside the outer ones.
    """
    known = years[~np.isnan(years)]
    if len(known) == 0:
        return np.full((len(years), N_TERMS), np.nan)
    outer = (float(known.min()), float(known.max())) if boundary is None else boundary
    if len(outer) != 2 or not all(map(_is_number, (*outer, *knots))):
        raise UsageError(
            f"knots {list(knots)}, boundary {list(outer)}: three inner and two outer knots are "
            "needed, all of them numbers."
        )
    low, high = outer
    places = [low, *knots, high]
    if len(knots) != N_TERMS - 1 or any(b <= a for a, b in pairwise(places)):
        raise UsageError(
            f"knots {list(knots)} between {low:g} and {high:g}: three knots are needed, ascending "
            "and inside the outer ones (option boundary)."
        )
    distinct, at = np.unique(years, return_inverse=True)
    return natural_spline(distinct, knots, (low, high))[at]


def btscs_terms(years: NDArray[np.float64], knots: Sequence[float] | None) -> NDArray[np.float64]:
    """Return the terms that btscs puts beside the years themselves: (rows, 3), NaN where years are.

    Years are whole numbers. Term j is (t - k_j)^3 above knot k_j, and 0 below it, less
    (k_n - k_j) / (k_n - k_0) times (t - k_0)^3, where k_0 and k_n are the least and the greatest
    value among the rows (Sasieni 1994, Natural cubic splines, Stata Technical Bulletin 22; Tucker's
    btscs 4.0.4). With the years and a constant the terms span the natural cubic splines of these
    knots, so that a model says the same in this basis as in any other; its coefficients, and the
    years' own, have a scale only in this one.

    Raises
    ------
    UsageError
        If the knots are not three, not ascending, or not inside the years' range.
    """
    is_known = ~np.isnan(years)
    # Whole years are few: they are counted, never sorted, and the terms made once for each.
    whole = years[is_known].astype(np.int64)
    if len(whole) == 0:
        return np.full((len(years), N_BTSCS), np.nan)
    low, high = int(whole.min()), int(whole.max())
    counts = np.bincount(whole - low)
    places = _quartiles(counts, low) if knots is None else knots
    if len(places) != N_BTSCS or not all(map(_is_number, places)):
        raise UsageError(f"btscs_knots {list(places)}: three numbers are needed.")
    if any(b <= a for a, b in pairwise([low, *places, high])):
        raise UsageError(
            f"btscs_knots {list(places)} between {low:g} and {high:g}: three knots are needed, "
            "ascending and inside the years' range."
        )
    at = np.asarray(places, float)
    distinct = np.arange(low, high + 1, dtype=np.float64)
    past = np.maximum(distinct[:, None] - at, 0.0)
    terms = past**3 - (high - at) / (high - low) * (distinct[:, None] - low) ** 3
    made = np.full((len(years), N_BTSCS), np.nan)
    made[is_known] = terms[whole - low]
    return made


def _quartiles(counts: NDArray[np.integer], low: int) -> list[float]:
    """Return the three quartiles of counted years as btscs takes them: values, never means."""
    reached = np.cumsum(counts)
    n = int(reached[-1])
    places = [max(int(term * n / (N_BTSCS + 1) + 0.5), 1) for term in range(1, N_BTSCS + 1)]
    return [float(low + np.searchsorted(reached, place)) for place in places]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def decay(years: NDArray[np.float64], half_life: float) -> NDArray[np.float64]:
    """Return 2^(-years / half_life): 1 in the year after a conflict, then towards 0."""
    return np.asarray(np.exp2(-years / half_life))
