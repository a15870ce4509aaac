"""Likeness of alliance portfolios on ATOP obligations: S, tau-b, and chance-corrected kappa and pi.

S is Signorino & Ritter's (1999); tau-b is Kendall's on the same portfolios, as Bueno de Mesquita
(1975) used it; kappa and pi set the squared distance of two portfolios against what chance would
give two states of the same habits (Haege 2011).

All of them are functions of one table: of how many states both portfolios hold a tie of at least
some level. With levels 0 to 3 that is six matrix products a year, and nothing else is counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.alliance_ties import years_asked
from foedus.covariates.atop import PAIRS, RELEASE, SECRET, obligation_cube
from foedus.covariates.context import Context
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import DyadYears, Values
from foedus.panels.regions import regions_of
from foedus.panels.system import StateSystem

Floats = NDArray[np.float64]

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
_TIES: dict[str, tuple[tuple[str, int], ...]] = {
    "ladder": LADDER,
    "defense": (("defense", 1), ("offense", 1)),
    "any": (("any", 1),),
}
OPTIONS: dict[str, Option] = {
    "release": RELEASE,
    "secret": SECRET,
    "pairs": PAIRS,
    "tie": Option(
        "ladder",
        "What values a tie. ladder: 3 defence or offence, 2 neutrality or non-aggression, 1 "
        "consultation, 0 none; defense: 1 defence or offence; any: 1 any obligation.",
        tuple(_TIES),
    ),
    "states": Option(
        "system",
        "Over which partners: all states of the system, or those in the region of either state.",
        ("system", "region"),
    ),
    "distance": Option(
        "absolute",
        "How far two levels are apart in S: their difference, or its square (Haege 2011). Kappa "
        "and pi are on squares always.",
        ("absolute", "squared"),
    ),
}


@dataclass(frozen=True)
class Agreement:
    """How often two portfolios both reach a level, for each pair of states in a year.

    Attributes
    ----------
    highest : int
        Highest level.
    both : list of list of float arrays that broadcast to (m, m)
        both[a][b][i, j]: (weighted) number of partners to which i has a level of at least a and j
        one of at least b; both[0][0] is the number of partners.
    """

    highest: int
    both: list[list[Floats]]

    def first(self, level: int) -> Floats:
        """Partners to which i has at least a level."""
        return self.both[level][0]

    def second(self, level: int) -> Floats:
        """Partners to which j has at least a level."""
        return self.both[0][level]

    @property
    def partners(self) -> Floats:
        """Number (or weight) of all partners."""
        return self.both[0][0]

    def moments(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Return sums of x, y, x squared, y squared and xy over the partners."""
        levels = range(1, self.highest + 1)
        x, y = (_total(side(t) for t in levels) for side in (self.first, self.second))
        # The squares of 1, 2, 3 are the sums of the odd numbers up to 1, 3, 5.
        xx = _total((2 * t - 1) * self.first(t) for t in levels)
        yy = _total((2 * t - 1) * self.second(t) for t in levels)
        xy = _total(self.both[a][b] for a in levels for b in levels)
        return x, y, xx, yy, xy


def _total(parts: Iterable[Floats]) -> Floats:
    total, *rest = parts
    for part in rest:
        total = total + part
    return total


def agreement(
    portfolio: NDArray[np.int8], highest: int, weight: Floats | None = None
) -> Agreement:  # fmt: skip
    """Return the agreement of every two rows of a portfolio matrix (states by partners)."""
    kind: Any = np.float32 if weight is None else np.float64
    # Whole numbers up to 2^24 are exact in float32, and its products are twice as fast.
    reached: list[NDArray[Any]] = [(portfolio >= t).astype(kind) for t in range(1, highest + 1)]
    weighted: list[NDArray[Any]] = (
        reached if weight is None else [part * weight for part in reached]
    )
    alone = [part.sum(axis=1, dtype=np.float64) for part in weighted]
    total = np.array(portfolio.shape[1] if weight is None else weight.sum(), np.float64)
    both: list[list[Floats]] = [[total, *(each[None, :] for each in alone)]]
    both += [[each[:, None]] for each in alone]
    for a in range(highest):
        for b in range(highest):
            if a <= b:
                product = (weighted[a] @ reached[b].T).astype(np.float64)
            else:
                product = both[b + 1][a + 1].T
            both[a + 1].append(product)
    return Agreement(highest, both)


def by_region(
    portfolio: NDArray[np.int8], highest: int, region: NDArray[np.int64], weight: Floats | None
) -> Agreement:
    """Return the agreement of every two states over the partners in the region of either."""
    n = len(region)
    regions = np.unique(region)
    place = np.searchsorted(regions, region)
    parts = []
    for each in regions:
        inside = region == each
        share = None if weight is None else weight[inside]
        parts.append(agreement(portfolio[:, inside], highest, share).both)
    rows, columns = np.arange(n)[:, None], np.arange(n)[None, :]
    apart = place[:, None] != place[None, :]
    both: list[list[Floats]] = []
    for a in range(highest + 1):
        both.append([])
        for b in range(highest + 1):
            stack = np.stack([np.broadcast_to(part[a][b], (n, n)) for part in parts])
            own, other = stack[place[:, None], rows, columns], stack[place[None, :], rows, columns]
            both[a].append(own + apart * other)
    return Agreement(highest, both)


def s_of(counts: Agreement, squared: bool = False) -> Floats:
    """Return S = 1 - 2 d / d_max over weighted partners (Signorino & Ritter 1999, eq. 6)."""
    if squared:
        _, _, xx, yy, xy = counts.moments()
        distance, furthest = xx + yy - 2 * xy, counts.highest**2
    else:
        # |x - y| is how many levels just one of the two reaches.
        levels = range(1, counts.highest + 1)
        distance = _total(
            counts.first(t) + counts.second(t) - 2 * counts.both[t][t] for t in levels
        )
        furthest = counts.highest
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1 - 2 * distance / (furthest * counts.partners))


def chance_of(counts: Agreement) -> tuple[Floats, Floats]:
    """Return kappa and pi.

    With m the portfolios' means and v their variances (divisor N), the observed disagreement is
    mean((x - y)^2). Chance gives v_x + v_y + (m_x - m_y)^2 when each keeps its own habits (Cohen's
    kappa), and v_x + v_y + (m_x - m_y)^2 / 2 when the two share theirs (Scott's pi). The score is
    1 - observed / chance, and 1 for two portfolios that are alike and constant.
    """
    n = counts.partners
    x, y, xx, yy, xy = (each / n for each in counts.moments())
    observed = xx + yy - 2 * xy
    apart = (x - y) ** 2
    own = (xx - x**2) + (yy - y**2)
    return _against_chance(observed, own + apart), _against_chance(observed, own + apart / 2)


def _against_chance(observed: Floats, chance: Floats) -> Floats:
    # A variance that is 0 but for rounding is 0.
    chance = np.where(chance > 1e-12, chance, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        score = 1 - observed / chance
    return np.where(chance > 0, score, 1.0)


def tau_b_of(counts: Agreement) -> Floats:
    """Return Kendall's tau-b; NaN where a portfolio is constant.

    tau-b = (C - D) / sqrt((P - T_x) (P - T_y)), over the P pairs of partners: C that both states
    rank alike, D that they rank oppositely, T_x and T_y tied in the one or the other portfolio.
    """
    top = counts.highest
    none = np.zeros(())
    both = [[*row, none] for row in counts.both] + [[none] * (top + 2)]
    excess: Floats = np.zeros(())
    for a in range(top):
        for b in range(top + 1):
            cell = both[a][b] - both[a + 1][b] - both[a][b + 1] + both[a + 1][b + 1]
            # Of two partners, count the one that i ranks lower: j ranks the other higher or lower.
            excess = excess + cell * (both[a + 1][b + 1] - (both[a + 1][0] - both[a + 1][b]))
    pairs = counts.partners * (counts.partners - 1) / 2
    untied = []
    for side in (counts.first, counts.second):
        held = [side(a) - (side(a + 1) if a < top else 0.0) for a in range(top + 1)]
        untied.append(pairs - _total(each * (each - 1) / 2 for each in held))
    spread = untied[0] * untied[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, excess / np.sqrt(spread), np.nan)


def portfolio_cube(context: Context, tie: str = "ladder") -> NDArray[np.int8]:
    """Return each state's commitment to each other one, int8 (n, n, years), 0 to the highest.

    Undirected: the higher of what the two owe each other. The diagonal is the highest level.
    """
    rungs = _TIES[tie]
    level = np.zeros((context.system.n_states,) * 2 + (context.system.n_years,), np.int8)
    for name, rung in rungs:
        np.maximum(level, obligation_cube(context, name) * np.int8(rung), out=level)
    level = np.maximum(level, level.transpose(1, 0, 2))
    diagonal = np.arange(context.system.n_states)
    level[diagonal, diagonal, :] = max(rung for _, rung in rungs)
    return level


def s_scores(
    system: StateSystem,
    level: NDArray[np.int8],
    weight: Floats,
    highest: int = HIGHEST,
    squared: bool = False,
) -> NDArray[np.float32]:
    """Return S over (state, state, year); NaN where either is not in the system.

    Parameters
    ----------
    level : int8 array (n, n, years)
        Portfolio values 0 to `highest`.
    weight : float array (n, years)
        Weight of each state as a partner; 1 for the unweighted score.
    """
    scores = np.full(level.shape, np.nan, np.float32)
    for year in range(system.n_years):
        members = np.flatnonzero(system.member[:, year])
        if len(members) == 0:
            continue
        at = np.ix_(members, members)
        weights = np.nan_to_num(weight[members, year])
        scores[:, :, year][at] = s_of(agreement(level[:, :, year][at], highest, weights), squared)
    return scores


def chance_corrected(
    system: StateSystem, level: NDArray[np.int8], highest: int = HIGHEST
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return kappa and pi over (state, state, year); NaN where either is not in the system."""
    kappa = np.full(level.shape, np.nan, np.float32)
    pi = np.full(level.shape, np.nan, np.float32)
    for year in range(system.n_years):
        members = np.flatnonzero(system.member[:, year])
        if len(members) == 0:
            continue
        at = np.ix_(members, members)
        counts = agreement(level[:, :, year][at], highest)
        kappa[:, :, year][at], pi[:, :, year][at] = chance_of(counts)
    return kappa, pi


def scores_over_all_years(
    context: Context, weighted: bool = False
) -> dict[str, NDArray[np.float32]]:
    """Return scores over the system in every year, for covariates that look them up.

    Reads the options release, secret, pairs and tie of the context; S is with absolute distances.

    Returns
    -------
    dict of str to float32 array (n, n, years)
        s_atop, kappa_atop and pi_atop; or s_atop_weighted alone.
    """
    options = context.options
    key = tuple(options[name] for name in ("tie", "release", "secret", "pairs"))
    highest = max(rung for _, rung in _TIES[options["tie"]])

    def make() -> dict[str, NDArray[np.float32]]:
        level = context.shared(
            ("portfolio", *key), lambda: portfolio_cube(context, options["tie"])
        )  # fmt: skip
        cinc = np.nan_to_num(capability_cube(context, "cinc")) if weighted else None
        names = ("s_atop_weighted",) if weighted else ("s_atop", "kappa_atop", "pi_atop")
        made = {name: np.full(level.shape, np.nan, np.float32) for name in names}
        for year in range(context.system.n_years):
            members = np.flatnonzero(context.system.member[:, year])
            at = np.ix_(members, members)
            weight = None if cinc is None else cinc[members, year]
            counts = agreement(level[:, :, year][at], highest, weight)
            found = (s_of(counts),) if weighted else (s_of(counts), *chance_of(counts))
            for name, scores in zip(names, found, strict=True):
                made[name][:, :, year][at] = scores
        return made

    return context.shared(("scores over all years", weighted, *key), make)


UNWEIGHTED = ("s_atop", "kappa_atop", "pi_atop", "tau_b_atop")


def _scores(context: Context, names: tuple[str, ...], weighted: bool) -> dict[str, Any]:
    """Return the scores asked for over (state, state, year), in the years that rows look at."""
    system, options = context.system, context.options
    tie = options["tie"]
    treaty = tuple(options[name] for name in ("release", "secret", "pairs"))
    level = context.shared(("portfolio", tie, *treaty), lambda: portfolio_cube(context, tie))
    highest = max(rung for _, rung in _TIES[tie])
    cinc = np.nan_to_num(capability_cube(context, "cinc")) if weighted else None
    region = regions_of(system.ccodes)
    made = {name: np.full(level.shape, np.nan, np.float32) for name in names}
    for year in years_asked(context):
        members = np.flatnonzero(system.member[:, year])
        if len(members) == 0:
            continue
        at = np.ix_(members, members)
        weight = None if cinc is None else cinc[members, year]
        portfolio = level[:, :, year][at]
        counts = (
            agreement(portfolio, highest, weight)
            if options["states"] == "system"
            else by_region(portfolio, highest, region[members], weight)
        )
        squared = options["distance"] == "squared"
        if "s_atop" in made:
            made["s_atop"][:, :, year][at] = s_of(counts, squared)
        if "s_atop_weighted" in made:
            made["s_atop_weighted"][:, :, year][at] = s_of(counts, squared)
        if "kappa_atop" in made:
            made["kappa_atop"][:, :, year][at], made["pi_atop"][:, :, year][at] = chance_of(counts)
            made["tau_b_atop"][:, :, year][at] = tau_b_of(counts)
    return made


@covariate(
    name="similarity",
    title="Similarity of alliance portfolios (S, tau-b, kappa, pi)",
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
        ColumnSpec(
            "tau_b_atop",
            "number",
            "Kendall's tau-b of the two ATOP portfolios; missing where one is constant.",
            unit="score, -1 to 1",
            absent="missing",
        ),
    ],
    sources=["atop", "cow_nmc"],
    citations=["signorino_ritter_1999", "haege_2011", "bueno_de_mesquita_1975", "leeds_etal_2002"],
    options=OPTIONS,
    coverage_of=("atop",),
    extras=["s_atop_weighted", "kappa_atop", "pi_atop", "tau_b_atop"],
    examples=[
        Example(
            "62 members in 1925. The two differ in their ties to themselves (3 + 3) and in the "
            "United States' three partners of the Four-Power Treaty (1 each): 1 - 18 / 186.",
            {"ccode1": 2, "ccode2": 20, "year": 1925},
            {"s_atop": 0.9032258},
        ),
        Example(
            "With squared distances: 1 - 2 (9 + 9 + 3) / (9 * 62).",
            {"ccode1": 2, "ccode2": 20, "year": 1925},
            {"s_atop": 1 - 42 / 558},
            options={"distance": "squared"},
        ),
        Example(
            "Of any obligation as 0 or 1 the two differ five times: 1 - 2 * 5 / 62.",
            {"ccode1": 2, "ccode2": 20, "year": 1925},
            {"s_atop": 1 - 10 / 62},
            options={"tie": "any"},
        ),
    ],
)
def similarity(context: Context) -> dict[str, Values]:
    """Make `s_atop` and, on demand, the weighted S, kappa, pi and tau-b.

    The portfolio is Signorino & Ritter's (1999): one value for each state of the system, a state's
    tie to itself included at the highest. Their ladder is on COW's classes; here consultation
    stands for entente, neutrality and non-aggression are one rung, and offence counts as defence.
    Haege (2011) works on COW ties, valued 0 or 1; option tie has that as well. A state without CINC
    weighs nothing in the weighted S.
    """
    # ASSUME: a portfolio counts offence as defence, and a state's tie to itself as the highest.
    options = tuple(sorted(context.options.items()))
    wanted = context.wanted & set(UNWEIGHTED)
    made: dict[str, Any] = {}
    if wanted:
        # The table is what costs, so that all scores of it are made if any but S is asked for.
        names = ("s_atop",) if wanted == {"s_atop"} else UNWEIGHTED
        made |= context.shared(
            ("similarity", names, options), lambda: _scores(context, names, weighted=False)
        )
    if "s_atop_weighted" in context.wanted:
        made |= context.shared(
            ("similarity weighted", options),
            lambda: _scores(context, ("s_atop_weighted",), weighted=True),
        )
    return {name: DyadYears(scores) for name, scores in made.items()}
