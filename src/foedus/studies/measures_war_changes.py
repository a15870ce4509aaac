"""Has the law of war sizes changed, and what does its tail hold: on COW's inter-state wars."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.registry import Option
from foedus.models.arrays import FloatArray
from foedus.models.change_points import burr_changes, burr_maxima
from foedus.models.searched_laws import burr_log_share, draw_burr, two_sided_distance
from foedus.models.tail_laws import compare_periods, fit_tail
from foedus.models.tails import fit_power_law
from foedus.studies.measures import SEED, MeasureContext, MeasureResult, MeasureRow, measure
from foedus.studies.war_scales import MILLION, PERIOD, SCALE, Sizes, cow_sizes, world_population

TINY = float(np.finfo(float).tiny)
GRID = 5
"""Every so many wars a change is tried in the bootstrap, and in the statistic that it judges."""


def _sizes(context: MeasureContext) -> Sizes:
    options = context.options
    wars = cow_sizes(context.tables, options["scale"])
    return wars.within(options["from_year"], options["to_year"])


@measure(
    "war_change_point",
    says="The year in which one inverse Burr law of war sizes most likely gave way to another, "
    "and how surely it did.",
    citations=["cunen_etal_2020", "sarkees_wayman_2010"],
    options={
        "scale": SCALE,
        **PERIOD,
        "least": Option(10, "Fewest wars before and since a change."),
        "draws": Option(100, "Synthetic histories without a change, and synthetic samples of the "
                        "test of fit."),
    },
    terms=["wars", "last year before the change", "first year since the change",
           "log-likelihood gained", "change p", "no change: fit p", "no change: distance",
           "median before", "median since", "tail exponent before", "tail exponent since"],
)  # fmt: skip
def war_change_point(context: MeasureContext) -> MeasureResult:
    """Profile the change over the years between wars, and test it on histories without one.

    A change is tried between any two wars that began in different years. The test's statistic is
    the largest gain over every fifth of these places, for the data and for synthetic wars alike.
    """
    # ASSUME: all three parameters change together and at once; wars are independent draws in the
    # order of their onset.
    wars, options = _sizes(context), context.options
    least, draws = int(options["least"]), int(options["draws"])
    n, rng = wars.size.size, context.rng()
    new_year = np.flatnonzero(np.diff(wars.year) > 0) + 1
    places = new_year[(new_year >= least) & (new_year <= n - least)]
    (found,) = burr_changes(wars.size[None], places)
    (whole,), _ = burr_maxima(np.log(wars.size)[None], np.ones((1, n), dtype=bool))
    grid = places[::GRID]
    drawn = draw_burr(whole, TINY, (draws, n), rng)
    (seen,) = burr_changes(wars.size[None], grid, quick=True)
    gains = np.array([one.gain for one in burr_changes(drawn, grid, quick=True)])
    p = float((gains >= seen.gain).mean())
    distance, fit = _burr_fit(wars.size, whole, drawn)
    how = f"bootstrap, {draws} draws"
    before, since = wars.size[: found.at], wars.size[found.at :]
    rows = [
        MeasureRow("wars", float(n), kind="count"),
        MeasureRow("last year before the change", float(wars.year[found.at - 1]), n=n),
        MeasureRow("first year since the change", float(wars.year[found.at]), n=n),
        MeasureRow("log-likelihood gained", found.gain, p_value=p, n=n, how=how),
        _share("change p", p, draws),
        _share("no change: fit p", fit, draws),
        MeasureRow("no change: distance", distance, n=n),
        MeasureRow("median before", float(np.median(before)), n=before.size),
        MeasureRow("median since", float(np.median(since)), n=since.size),
        MeasureRow("tail exponent before", float(found.before[1]) + 1, n=before.size,
                   note="theta + 1: the exponent of the density that the law tends to."),
        MeasureRow("tail exponent since", float(found.since[1]) + 1, n=since.size,
                   note="theta + 1: the exponent of the density that the law tends to."),
    ]  # fmt: skip
    plots = {
        "profile": {
            "type": "curve",
            "x": wars.year[found.candidates].tolist(),
            "y": found.profile.tolist(),
            "label": "Log-likelihood gained by two laws",
            "xlabel": "First year of the second law",
            "ylabel": "Log-likelihood gained",
            "vline": int(wars.year[found.at]),
            "title": "Where the law of war sizes changes",
        }
    }
    return MeasureResult(rows, plots=plots)


def _burr_fit(x: FloatArray, law: FloatArray, drawn: FloatArray) -> tuple[float, float]:
    """Return the distance of a sample from its law, and the share of draws farther from theirs."""
    ordered = np.sort(x)[None]
    distance = two_sided_distance(ordered, np.exp(burr_log_share(np.log(ordered), law[None])))[0]
    drawn = np.sort(drawn, axis=1)
    refit, _ = burr_maxima(np.log(drawn), np.ones(drawn.shape, dtype=bool), quick=True)
    apart = two_sided_distance(drawn, np.exp(burr_log_share(np.log(drawn), refit)))
    return float(distance), float((apart >= distance).mean())


def _share(term: str, p: float, draws: int) -> MeasureRow:
    error = float(np.sqrt(p * (1 - p) / draws))
    return MeasureRow(term, p, std_error=error, n=draws, how=f"bootstrap, {draws} draws")


@measure(
    "war_tail_periods",
    says="The exponent of the tail before and since a year, above the threshold of all wars, and "
    "tests that it is the same.",
    citations=["braumoeller_2019", "clauset_shalizi_newman_2009"],
    options={
        "scale": SCALE,
        **PERIOD,
        "last_before": Option(1944, "Last year of the first period.", (1944, 1949, 1950)),
        "draws": Option(999, "Shufflings of the periods among the wars of the tail."),
    },
    terms=["threshold", "wars in tail before", "wars in tail since", "alpha before",
           "alpha since", "alpha difference", "likelihood ratio p", "permutation p"],
)  # fmt: skip
def war_tail_periods(context: MeasureContext) -> MeasureResult:
    """Compare the two periods' exponents by likelihood and by shuffling."""
    wars, options = _sizes(context), context.options
    late = wars.year > options["last_before"]
    xmin = fit_power_law(wars.size).xmin
    made = compare_periods(
        wars.size, late, "powerlaw", xmin=xmin, permutations=options["draws"], seed=SEED
    )
    n = (made.first.n_tail, made.second.n_tail)
    gap, error = made.difference["alpha"], made.std_errors["alpha"]
    return MeasureResult([
        MeasureRow("threshold", xmin, n=wars.size.size),
        MeasureRow("wars in tail before", float(n[0]), kind="count"),
        MeasureRow("wars in tail since", float(n[1]), kind="count"),
        *(
            MeasureRow(f"alpha {when}", fit.parameters["alpha"], std_error=fit.std_errors["alpha"],
                       n=fit.n_tail, how="likelihood, threshold held")
            for when, fit in (("before", made.first), ("since", made.second))
        ),
        MeasureRow("alpha difference", gap, std_error=error, ci_low=gap - 1.96 * error,
                   ci_high=gap + 1.96 * error, p_value=made.p_value, n=sum(n),
                   how="likelihood, threshold held"),
        MeasureRow("likelihood ratio p", made.p_value, n=sum(n)),
        MeasureRow("permutation p", made.p_permutation, n=made.permutations),
    ])  # fmt: skip


@measure(
    "war_risk",
    says="The chance that one of the next wars kills at least a share of the world's people in "
    "battle, by the tail's law.",
    citations=["braumoeller_2019", "clauset_shalizi_newman_2009"],
    options={
        "wars": Option(50, "How many wars are to come (Braumoeller: 50 in a century)."),
        "share": Option(0.01, "Share of the world's population that such a war kills in battle."),
        "world_year": Option(2016, "Year whose population turns the share into dead."),
        "by": Option(
            "prevalence",
            "Whose law is carried on. prevalence: that of deaths a million of the world's people; "
            "severity: that of battle deaths, to the number that the share is in world_year.",
            ("prevalence", "severity"),
        ),
        **PERIOD,
        "draws": Option(1000, "Resamples of the wars for the interval."),
    },
    terms=["chance of such a war", "dead of such a war, millions", "threshold", "alpha",
           "wars in tail", "chance that one war is such"],
)  # fmt: skip
def war_risk(context: MeasureContext) -> MeasureResult:
    """Extrapolate the power law of war sizes."""
    # ASSUME: wars are independent draws from one law, before and since 1945.
    options = context.options
    wars = cow_sizes(context.tables, options["by"]).within(options["from_year"], options["to_year"])
    dead = options["share"] * world_population(context.tables, options["world_year"])
    bound = MILLION * options["share"] if options["by"] == "prevalence" else dead
    law = fit_power_law(wars.size)
    one = _beyond(wars.size, bound)
    some = 1 - (1 - one) ** options["wars"]
    rng = context.rng()
    drawn = rng.choice(wars.size, size=(int(options["draws"]), wars.size.size))
    spread = 1 - (1 - np.array([_beyond(sample, bound) for sample in drawn])) ** options["wars"]
    low, high = np.quantile(spread, [0.025, 0.975])
    n = wars.size.size
    return MeasureResult([
        MeasureRow("chance of such a war", some, kind="share", std_error=float(spread.std(ddof=1)),
                   ci_low=float(low), ci_high=float(high), n=n,
                   how=f"bootstrap, {len(spread)} draws"),
        MeasureRow("dead of such a war, millions", dead / MILLION,
                   note=f"World population of {options['world_year']}, states of the system."),
        MeasureRow("threshold", law.xmin, n=n, label="Threshold of the tail"),
        MeasureRow("alpha", law.alpha, std_error=law.std_error, n=law.n_tail,
                   how="likelihood, threshold held"),
        MeasureRow("wars in tail", float(law.n_tail), kind="count"),
        MeasureRow("chance that one war is such", one, kind="share", n=n),
    ])  # fmt: skip


def _beyond(sizes: FloatArray, bound: float) -> float:
    """Return the chance that a war lies beyond a bound far in the tail."""
    law = fit_power_law(sizes)
    return float(law.n_tail / law.n * law.survival(np.array([max(bound, law.xmin)]))[0])


@measure(
    "war_bounded_tail",
    says="The tail of battle deaths that can't exceed the world's population: its shape on an "
    "unbounded scale, and the mean that it implies.",
    citations=["cirillo_taleb_2016"],
    options={
        "bound": Option(7.2, "Upper bound of a war's deaths, in billions (the world's people)."),
        "threshold": Option(25_000.0, "Deaths from which the tail begins."),
        "world_year": Option(2014, "Year whose population is set beside the bound."),
        **PERIOD,
        "draws": Option(100, "Resamples for intervals."),
    },
    terms=["world population, billions", "wars in tail", "shape, bounded scale undone",
           "shape, deaths as they are", "mean of the tail", "mean by the law",
           "mean by the law over that of the data"],
)  # fmt: skip
def war_bounded_tail(context: MeasureContext) -> MeasureResult:
    """Fit excesses on the scale on which the bound lies at infinity, and carry the mean back."""
    options = context.options
    wars = cow_sizes(context.tables, "severity").within(options["from_year"], options["to_year"])
    low, high = float(options["threshold"]), 1e9 * float(options["bound"])
    tail = wars.size[wars.size >= low]
    shape, scale = _dual(tail, low, high)
    plain = fit_tail(tail, "generalized_pareto", xmin=low)
    law_mean = _shadow_mean(shape, scale, low, high)
    rng = context.rng()
    drawn = [_dual(rng.choice(tail, tail.size), low, high) for _ in range(int(options["draws"]))]
    shapes = np.array([one[0] for one in drawn])
    ratios = np.array([_shadow_mean(*one, low, high) for one in drawn]) / tail.mean()
    how = f"bootstrap, {len(drawn)} draws"
    people = world_population(context.tables, options["world_year"])
    return MeasureResult([
        MeasureRow("world population, billions", people / 1e9),
        MeasureRow("wars in tail", float(tail.size), kind="count", n=wars.size.size),
        _with_spread("shape, bounded scale undone", shape, shapes, tail.size, how),
        MeasureRow("shape, deaths as they are", plain.parameters["shape"],
                   std_error=plain.std_errors["shape"], n=tail.size, how="likelihood"),
        MeasureRow("mean of the tail", float(tail.mean()), n=tail.size),
        MeasureRow("mean by the law", law_mean, n=tail.size),
        _with_spread("mean by the law over that of the data", law_mean / float(tail.mean()),
                     ratios, tail.size, how),
    ])  # fmt: skip


def _with_spread(term: str, value: float, drawn: NDArray[Any], n: int, how: str) -> MeasureRow:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return MeasureRow(
        term, value, std_error=float(drawn.std(ddof=1)), ci_low=float(low), ci_high=float(high),
        n=n, how=how,
    )  # fmt: skip


def _dual(tail: FloatArray, low: float, high: float) -> tuple[float, float]:
    """Return shape and scale of the excesses of low - high log((high - y) / (high - low))."""
    excess = -high * np.log((high - tail) / (high - low))
    fit = fit_tail(excess[excess > 0], "generalized_pareto", xmin=0.0)
    return fit.parameters["shape"], fit.parameters["scale"]


def _shadow_mean(shape: float, scale: float, low: float, high: float) -> float:
    """Return the mean of the bounded tail: its survival function integrated from low to high."""
    y = low + np.geomspace(1.0, high - low, 20_000) * (1 - 1e-12)
    excess = -high * np.log((high - y) / (high - low))
    inside = np.maximum(1 + shape * excess / scale, TINY)
    survival = np.exp(-np.log(inside) / shape) if abs(shape) > 1e-9 else np.exp(-excess / scale)
    return float(low + 1.0 + np.trapezoid(survival, y))
