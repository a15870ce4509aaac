"""What a state did in the past when a pledge of its own fell due, and what another makes of it."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.atop import PAIRS, SECRET
from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.reliability import OPTIONS as RULES
from foedus.covariates.reliability import build_verdicts
from foedus.covariates.similarity import OPTIONS as SIMILARITY
from foedus.covariates.similarity import scores_over_all_years
from foedus.covariates.values import DyadYears, StateYears, Values
from foedus.panels.war_list import load_wars

Floats = NDArray[np.float64]
_RULE_NAMES = tuple(RULES)
WINDOW = Option(
    0, "Years of the past that count; 0: all of them, as far back as the wars go.", least=0
)


def verdicts(context: Context) -> pl.DataFrame:
    """Return every pledge that fell due, kept or not; see `reliability.build_verdicts`."""
    chosen = {name: context.options[name] for name in _RULE_NAMES}

    def make() -> pl.DataFrame:
        members = context.tables.get("atop", "members", release=chosen["release"])
        covered = [
            context.tables.coverage("atop", release=chosen["release"]),
            context.tables.coverage("cow_interstate_wars"),
        ]
        window = max(first for first, _ in covered), min(last for _, last in covered)
        wars = load_wars(context.tables)
        return build_verdicts(members, wars, context.system, chosen, window)

    return context.shared(("verdicts", *chosen.items()), make)


def events(context: Context) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return how many pledges a giver kept to a holder, and broke, by year: (n, n, years) each.

    A war counts in the year in which it began, each partner once a war: broken if any pledge to it
    was, else kept.
    """
    key = ("pledge events", *(context.options[name] for name in _RULE_NAMES))

    def make() -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        once = verdicts(context).group_by("warnum", "year", "giver", "holder").agg(
            pl.col("kept").all()
        )  # fmt: skip
        made = []
        for kept in (True, False):
            rows = once.filter(pl.col("kept") == kept)
            place, _ = dyad_positions(
                context.system,
                *(rows[name].to_numpy() for name in ("giver", "holder", "year")),
            )
            flat = empty_dyads(context.system, np.int16)
            np.add.at(flat, place, 1)
            made.append(dyad_cube(context.system, flat))
        return made[0], made[1]

    return context.shared(key, make)


def past_sum(yearly: NDArray[np.int16], window: int) -> NDArray[np.int32]:
    """Return sums over the years before each year, the last axis: all of them, or the last few."""
    total = np.cumsum(yearly, axis=-1, dtype=np.int32)
    before = np.zeros_like(total)
    before[..., 1:] = total[..., :-1]
    if window:
        before[..., window + 1 :] -= total[..., : -window - 1]
    return before


@covariate(
    name="alliance_record",
    title="A state's record of pledges kept and broken",
    columns=[
        ColumnSpec("past_kept", "count", "Partners to which it kept a pledge that had fallen due "
                   "in a war, summed over wars begun before the year.", unit="pledges",
                   level="state"),
        ColumnSpec("past_broken", "count", "Partners to which it broke one, or that it fought "
                   "while bound.", unit="pledges", level="state"),
        ColumnSpec("past_kept_share", "number", "past_kept over the sum of both; missing if no "
                   "pledge had fallen due.", unit="share, 0-1", level="state", absent="missing"),
        ColumnSpec("past_kept_to", "count", "Wars in which 1 kept a pledge to 2 before the year; "
                   "in undirected dyads, either to the other.", unit="wars", collapse="sum"),
        ColumnSpec("past_broken_to", "count", "Wars in which 1 broke a pledge to 2, or fought it "
                   "while bound.", unit="wars", collapse="sum"),
    ],
    sources=["atop", "cow_interstate_wars", "cow_states"],
    citations=["leeds_long_mitchell_2000", "berkemeier_fuhrmann_2018", "crescenzi_et_al_2012",
               "leeds_etal_2002", "sarkees_wayman_2010"],
    options={**RULES, "window": WINDOW},
    examples=[
        Example(
            "In August 1914 Germany goes to war beside Austria-Hungary; before that Prussia let it "
            "fight alone in 1848, though bound by the German Confederation, and fought it in 1866.",
            {"ccode1": 255, "ccode2": 300, "year": 1915},
            {"past_kept_to": 1, "past_broken_to": 2},
        ),
        Example(
            "A war counts from the year after its first.",
            {"ccode1": 255, "ccode2": 300, "year": 1914},
            {"past_kept_to": 0},
        ),
    ],
)  # fmt: skip
def alliance_record(context: Context) -> dict[str, Values]:
    """Make counts of pledges kept and broken in the past, by state and towards the other state.

    Whether a pledge fell due and was kept follows Leeds, Long & Mitchell (2000) as Berkemeier &
    Fuhrmann (2018) restate it, by the rules and options of `reliability`. The past is the wars
    begun before the year; a state's first years in the system start it at nothing. Wars before 1816
    are not known to the list, so early records are short.
    """
    kept, broken = (past_sum(each, context.options["window"]) for each in events(context))
    by_state = [each.sum(axis=1) for each in (kept, broken)]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = by_state[0] / (by_state[0] + by_state[1])
    return {
        "past_kept": StateYears(by_state[0].astype(np.int32)),
        "past_broken": StateYears(by_state[1].astype(np.int32)),
        "past_kept_share": StateYears(share),
        "past_kept_to": DyadYears(kept),
        "past_broken_to": DyadYears(broken),
    }


def decayed(yearly: Floats, half_life: float) -> Floats:
    """Return for each year the sum of earlier events, each halved every `half_life` years."""
    keep = 0.5 ** (1 / half_life)
    made = np.zeros_like(yearly)
    for year in range(1, yearly.shape[-1]):
        made[..., year] = (made[..., year - 1] + yearly[..., year - 1]) * keep
    return made


def weighted_reputation(history: Floats, weight: Floats) -> Floats:
    """Return what each state has heard of each other one, in one year.

    R[i, j] = sum_k w[j, k] h[i, k] / sum_k w[j, k], over third states k (neither i nor j).

    Parameters
    ----------
    history : float array (m, m)
        h[i, k]: i's history towards k.
    weight : float array (m, m)
        w[j, k]: how much j heeds what k has been through; NaN counts as 0.

    Returns
    -------
    float array (m, m)
        NaN where no third state has any weight.
    """
    heed = np.nan_to_num(weight).copy()
    np.fill_diagonal(heed, 0.0)
    told = history @ heed.T
    np.fill_diagonal(told, 0.0)
    # Of all that j heeds, i itself is left out.
    total = heed.sum(axis=1)[None, :] - heed.T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 1e-12, told / total, np.nan)


@covariate(
    name="alliance_reputation",
    title="A state's reputation as an ally with the other",
    columns=[
        ColumnSpec("reputation", "number", "What 2 makes of 1's record towards third states: mean "
                   "of 1's histories with them (kept 1, broken -1, fading), weighed by how like 2 "
                   "each of them is; in undirected dyads, the mean of both ways.", unit="score",
                   collapse="mean", absent="missing"),
        ColumnSpec("own_history", "number", "1's history with 2 itself, fading likewise.",
                   unit="score", collapse="mean", absent="missing"),
    ],
    sources=["atop", "cow_interstate_wars", "cow_states"],
    citations=["crescenzi_et_al_2012", "leeds_long_mitchell_2000", "signorino_ritter_1999",
               "leeds_etal_2002", "sarkees_wayman_2010"],
    options={
        **RULES,
        "secret": SECRET,
        "pairs": PAIRS,
        "tie": SIMILARITY["tie"],
        "half_life": Option(
            10.0, "Years in which an event loses half of its weight.", least=0.1
        ),
        "weight": Option(
            "similarity",
            "How much a third state's experience counts: by the likeness of its alliance portfolio "
            "and the judge's ((1 + S) / 2), or alike for all.",
            ("similarity", "equal"),
        ),
    },
    examples=[
        Example(
            "In 1915 the United States has heard of what Germany did for Austria-Hungary; towards "
            "the United States itself Germany has no history.",
            {"ccode1": 255, "ccode2": 2, "year": 1915},
            {"own_history": 0.0},
        ),
        Example(
            "What it did for Austria-Hungary a year before counts 0.5^(1/10); 1848 and 1866 count "
            "against it 0.5^6.7 and 0.5^4.9.",
            {"ccode1": 255, "ccode2": 300, "year": 1915},
            {"own_history": 0.5**0.1 - 0.5**6.7 - 0.5**4.9},
        ),
    ],
)  # fmt: skip
def alliance_reputation(context: Context) -> dict[str, Values]:
    """Make reputation by learning from others, and the direct history.

    Crescenzi, Kathman, Kleinberg & Wood (2012) let a state judge another by its record with third
    states, weighed by how much these resemble the judge, the past fading. Their constants of
    fading and their event scores aren't in print; here an event counts 1 or -1, halves in
    `half_life` years, and resemblance is S of alliance portfolios on a scale of 0 to 1.
    """
    kept, broken = events(context)
    history = decayed((kept - broken).astype(np.float64), float(context.options["half_life"]))
    system = context.system
    made = np.full(history.shape, np.nan, np.float32)
    alike = context.options["weight"] == "equal"
    scores = None if alike else scores_over_all_years(context)["s_atop"]
    if "reputation" in context.wanted:
        for at in range(system.n_years):
            who = np.flatnonzero(system.member[:, at])
            grid = np.ix_(who, who)
            weight = np.ones((len(who), len(who)))
            if scores is not None:
                weight = (1 + scores[:, :, at][grid].astype(np.float64)) / 2
            made[:, :, at][grid] = weighted_reputation(history[:, :, at][grid], weight)
    columns: dict[str, Values] = {"own_history": DyadYears(history.astype(np.float32))}
    if "reputation" in context.wanted:
        columns["reputation"] = DyadYears(made)
    return columns
