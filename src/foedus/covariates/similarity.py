"""Likeness of alliance portfolios on ATOP obligations: S, and the chance-corrected kappa and pi.

S is Signorino & Ritter's (1999); kappa and pi set the squared distance of two portfolios against
what chance would give two states of the same habits (Haege 2011).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.atop import PAIRS, RELEASE, SECRET, obligation_cube
from foedus.covariates.context import Context
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import DyadYears, Values
from foedus.panels.system import StateSystem

# The usual ladder of commitment: consultation 1, neutrality or non-aggression 2, defence (or
# offence) 3; no pact 0. A state's tie to itself is the highest.
LADDER = (
    ("consultation", 1),
    ("neutrality", 2),
    ("nonaggression", 2),
    ("defense", 3),
    ("offense", 3),
)
HIGHEST = 3


def portfolio_cube(context: Context) -> NDArray[np.int8]:
    """Return each state's highest commitment to each other one, int8 (n, n, years), 0 to 3.

    Undirected: the higher of what the two owe each other. The diagonal is 3.
    """
    level = np.zeros((context.system.n_states,) * 2 + (context.system.n_years,), np.int8)
    for name, rung in LADDER:
        np.maximum(level, obligation_cube(context, name) * np.int8(rung), out=level)
    level = np.maximum(level, level.transpose(1, 0, 2))
    diagonal = np.arange(context.system.n_states)
    level[diagonal, diagonal, :] = HIGHEST
    return level


def s_scores(
    system: StateSystem, level: NDArray[np.int8], weight: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return S over (state, state, year); NaN where either is not in the system.

    S = 1 - 2 * sum_k w_k |p_ik - p_jk| / (d_max * sum_k w_k), k over all members of the system in
    the year, the two included (Signorino & Ritter 1999, eq. 6).

    The sum of absolute differences of whole numbers 0..3 is the sum over rungs t = 1, 2, 3 of how
    often just one of the two reaches t, and that is a matrix product.

    Parameters
    ----------
    level : int8 array (n, n, years)
        Portfolio values 0..3.
    weight : float array (n, years)
        Weight of each state as a partner; 1 for the unweighted score.
    """
    scores = np.full(level.shape, np.nan, np.float32)
    for year in range(system.n_years):
        members = np.flatnonzero(system.member[:, year])
        if len(members) == 0:
            continue
        portfolio = level[:, :, year][np.ix_(members, members)]
        weights = np.nan_to_num(weight[members, year])
        distance = _weighted_distance(portfolio, weights)
        total = weights.sum()
        with np.errstate(invalid="ignore", divide="ignore"):
            score = 1 - 2 * distance / (HIGHEST * total)
        scores[:, :, year][np.ix_(members, members)] = score
    return scores


def chance_corrected(
    system: StateSystem, level: NDArray[np.int8]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return kappa and pi over (state, state, year); NaN where either is not in the system.

    With x, y the two portfolios over the N members of the system, m their means and v their
    variances (divisor N), the observed disagreement is mean((x - y)^2). Chance gives
    v_x + v_y + (m_x - m_y)^2 when each keeps its own habits (Cohen's kappa), and
    v_x + v_y + (m_x - m_y)^2 / 2 when the two share theirs (Scott's pi). The score is
    1 - observed / chance, and 1 for two portfolios that are alike and constant.
    """
    kappa = np.full(level.shape, np.nan, np.float32)
    pi = np.full(level.shape, np.nan, np.float32)
    for year in range(system.n_years):
        members = np.flatnonzero(system.member[:, year])
        if len(members) == 0:
            continue
        at = np.ix_(members, members)
        portfolio = level[:, :, year][at].astype(np.float64)
        mean, spread = portfolio.mean(axis=1), portfolio.var(axis=1)
        square = spread + mean**2
        cross = portfolio @ portfolio.T / len(members)
        observed = square[:, None] + square[None, :] - 2 * cross
        apart = (mean[:, None] - mean[None, :]) ** 2
        own = spread[:, None] + spread[None, :]
        kappa[:, :, year][at] = _against_chance(observed, own + apart)
        pi[:, :, year][at] = _against_chance(observed, own + apart / 2)
    return kappa, pi


def _against_chance(
    observed: NDArray[np.float64], chance: NDArray[np.float64]
) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        score = 1 - observed / chance
    return np.where(chance > 0, score, 1.0)


def _weighted_distance(
    portfolio: NDArray[np.int8], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    distance = np.zeros(portfolio.shape, np.float64)
    for rung in range(1, HIGHEST + 1):
        reached = (portfolio >= rung).astype(np.float64)
        weighted = reached * weights
        both = weighted @ reached.T
        alone = weighted.sum(axis=1)
        distance += alone[:, None] + alone[None, :] - 2 * both
    return distance


@covariate(
    name="similarity",
    title="Similarity of alliance portfolios (S, kappa, pi)",
    columns=[
        ColumnSpec(
            "s_atop",
            "number",
            "Unweighted S of the two states' ATOP portfolios over all members of the system.",
            unit="score, -1 to 1",
            absent="missing",
        ),
        ColumnSpec(
            "s_atop_weighted",
            "number",
            "S weighted by each partner's CINC.",
            unit="score, -1 to 1",
            absent="missing",
        ),
        ColumnSpec(
            "kappa_atop",
            "number",
            "Cohen's kappa of the two ATOP portfolios, squared distances.",
            unit="score, at most 1",
            absent="missing",
        ),
        ColumnSpec(
            "pi_atop",
            "number",
            "Scott's pi of the two ATOP portfolios, squared distances.",
            unit="score, at most 1",
            absent="missing",
        ),
    ],
    sources=["atop", "cow_nmc"],
    citations=["signorino_ritter_1999", "haege_2011", "leeds_etal_2002"],
    options={"release": RELEASE, "secret": SECRET, "pairs": PAIRS},
    coverage_of=("atop",),
    extras=["s_atop_weighted", "kappa_atop", "pi_atop"],
    examples=[
        Example(
            "62 members in 1925. The two differ in their ties to themselves (3 + 3) and in the "
            "United States' three partners of the Four-Power Treaty (1 each): 1 - 18 / 186.",
            {"ccode1": 2, "ccode2": 20, "year": 1925},
            {"s_atop": 0.9032258},
        )
    ],
)
def similarity(context: Context) -> dict[str, Values]:
    """Make `s_atop` and, on demand, `s_atop_weighted`, `kappa_atop` and `pi_atop`."""
    # ASSUME: a portfolio counts offence as defence, and a state's tie to itself as defence.
    options = tuple(context.options[name] for name in ("release", "secret", "pairs"))
    level = context.shared(("portfolio", *options), lambda: portfolio_cube(context))
    made: dict[str, Values] = {}
    if "s_atop" in context.wanted:
        equal = np.ones(context.system.member.shape)
        made["s_atop"] = DyadYears(s_scores(context.system, level, equal))
    if "s_atop_weighted" in context.wanted:
        cinc = capability_cube(context, "cinc")
        made["s_atop_weighted"] = DyadYears(s_scores(context.system, level, cinc))
    if context.wanted & {"kappa_atop", "pi_atop"}:
        kappa, pi = chance_corrected(context.system, level)
        made["kappa_atop"], made["pi_atop"] = DyadYears(kappa), DyadYears(pi)
    return made
