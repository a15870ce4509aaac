"""The sizes of wars and the gaps between them: tail, rate, how long a lull would have to last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.registry import Option
from foedus.covariates.war_outcome import battle_deaths
from foedus.models.tails import (
    PowerLaw,
    bootstrap_power_law,
    compare_tails,
    empirical_survival,
    fit_power_law,
)
from foedus.panels.war_list import load_wars
from foedus.sources.tables import Tables
from foedus.studies.measures import SEED, MeasureContext, MeasureResult, MeasureRow, measure

DATA = Option(
    "posted",
    "Which list of wars. posted: Clauset's file; great_powers: great powers' wars, 1495-1990, "
    "of Cederman, Warren and Sornette; cow: rebuilt from the participants of COW 4.0, unknown "
    "deaths left out of the sum.",
    ("posted", "great_powers", "cow"),
)


@dataclass(frozen=True)
class Wars:
    """Number, year of onset and battle deaths of each war, in order of onset."""

    warnum: NDArray[np.int64]
    year: NDArray[np.int64]
    deaths: NDArray[np.float64]


def war_sizes(tables: Tables, data: str) -> Wars:
    """Return the wars of the author's file, or those rebuilt from COW's participants."""
    if data == "posted":
        posted = tables.get("rep_clauset_2018", "wars").sort("year", "warnum")
        columns = ("warnum", "year", "batdeath")
        number, year, deaths = (posted[name].to_numpy() for name in columns)
        return Wars(number.astype(np.int64), year.astype(np.int64), deaths.astype(np.float64))
    if data == "great_powers":
        listed = tables.get("rep_cederman_2011", "wars").sort("year", "name", "battle_deaths")
        year = listed["year"].cast(int).to_numpy()
        deaths = listed["battle_deaths"].cast(float).fill_null(np.nan).to_numpy()
        return Wars(np.arange(1, len(year) + 1), year, deaths)
    wars = load_wars(tables)
    total, _ = battle_deaths(wars, "known")
    order = np.lexsort((wars.numbers, wars.start_year))
    return Wars(wars.numbers[order], wars.start_year[order], total[order])


@measure(
    "war_list_match",
    says="The author's list of wars against the one rebuilt from COW participants, war by war.",
    citations=["clauset_2018", "sarkees_wayman_2010"],
    terms=["wars posted", "wars rebuilt", "same onset year", "same deaths", "first onset year",
           "last onset year", "deaths of the first war", "deaths of the last war"],
)  # fmt: skip
def war_list_match(context: MeasureContext) -> MeasureResult:
    """Match the two lists by war number and list what differs."""
    posted, rebuilt = (war_sizes(context.tables, data) for data in ("posted", "cow"))
    one, other = (
        pl.DataFrame({"warnum": part.warnum, "year": part.year, "deaths": part.deaths})
        for part in (posted, rebuilt)
    )
    pairs = one.join(other, on="warnum", suffix="_rebuilt").sort("warnum")
    same_year = pairs["year"] == pairs["year_rebuilt"]
    same_deaths = pairs["deaths"] == pairs["deaths_rebuilt"]
    counts = {
        "wars posted": len(posted.warnum),
        "wars rebuilt": len(rebuilt.warnum),
        "same onset year": int(same_year.sum()),
        "same deaths": int(same_deaths.sum()),
        "first onset year": int(rebuilt.year[0]),
        "last onset year": int(rebuilt.year[-1]),
        "deaths of the first war": int(rebuilt.deaths[0]),
        "deaths of the last war": int(rebuilt.deaths[-1]),
    }
    differing = pairs.filter(~(same_year & same_deaths)).to_dicts()
    for line in differing:
        if line["deaths"] - line["deaths_rebuilt"] == -9:
            line["likely_cause"] = "The posted sum includes the code -9 (unknown) as a number."
    return MeasureResult(
        [MeasureRow(term, float(value), kind="count") for term, value in counts.items()],
        tables={"differences": differing},
    )


@measure(
    "war_onsets",
    says="Gaps between the onsets of wars, and whether their rate and sizes are steady.",
    citations=["clauset_2018"],
    options={"data": DATA},
    terms=["gaps", "mean gap", "zero gaps", "largest gap", "wars a year", "KS p, onsets uniform",
           "index of dispersion", "dispersion p", "KS p, sizes before and after 1945",
           "KS p, gaps before and after 1945", "rank correlation of size and year"],
)  # fmt: skip
def war_onsets(context: MeasureContext) -> MeasureResult:
    """Describe the arrival of wars, and test that nothing about it changed."""
    from scipy import stats

    wars = war_sizes(context.tables, context.options["data"])
    gaps = np.diff(wars.year)
    span = int(wars.year[-1] - wars.year[0])
    yearly = np.bincount(wars.year - wars.year[0])
    dispersion = float(yearly.var(ddof=1) / yearly.mean())
    freedom = len(yearly) - 1
    late = wars.year >= 1945
    # The years are whole numbers: spread over the year, so that ties don't count as evidence.
    within = (wars.year - wars.year[0] + 0.5) / (span + 1)
    rank = stats.spearmanr(wars.deaths, wars.year)
    rows = [
        MeasureRow("gaps", float(len(gaps)), kind="count"),
        MeasureRow(
            "mean gap", float(gaps.mean()), std_error=float(gaps.std(ddof=1) / np.sqrt(len(gaps))),
            n=len(gaps), how="standard error of a mean",
        ),
        MeasureRow("zero gaps", float((gaps == 0).sum()), kind="count", n=len(gaps)),
        MeasureRow("largest gap", float(gaps.max()), kind="count", n=len(gaps)),
        MeasureRow("wars a year", len(wars.year) / (span + 1), n=len(wars.year)),
        MeasureRow("KS p, onsets uniform", float(stats.kstest(within, "uniform").pvalue)),
        MeasureRow("index of dispersion", dispersion, n=len(yearly)),
        MeasureRow(
            "dispersion p", float(2 * min(
                stats.chi2.sf(dispersion * freedom, freedom),
                stats.chi2.cdf(dispersion * freedom, freedom),
            )),
        ),
        _same("KS p, sizes before and after 1945", wars.deaths[late], wars.deaths[~late]),
        _same("KS p, gaps before and after 1945", gaps[late[1:]], gaps[~late[1:]]),
        MeasureRow(
            "rank correlation of size and year", float(rank.statistic), p_value=float(rank.pvalue),
            n=len(wars.year),
        ),
    ]  # fmt: skip
    longest = int(gaps.max())
    geometric = 1 / (1 + gaps.mean())
    lengths = np.arange(longest + 1)
    plots = {
        "gaps": {
            "type": "bars",
            "labels": [str(length) for length in lengths],
            "rebuilt": [float((gaps == length).sum()) for length in lengths],
            "published": [float(len(gaps) * geometric * (1 - geometric) ** k) for k in lengths],
            "unit": "count",
            "xlabel": "Years between one onset and the next",
            "rebuilt_label": "observed",
            "published_label": "geometric distribution of the same mean",
        }
    }
    return MeasureResult(rows, plots=plots)


def _same(term: str, one: NDArray[Any], other: NDArray[Any]) -> MeasureRow:
    """Return the p-value of the test that two samples come from one distribution."""
    from scipy import stats

    if min(len(one), len(other)) < 2:
        return MeasureRow(term, None, note="One of the two periods has fewer than two values.")
    return MeasureRow(term, float(stats.ks_2samp(one, other).pvalue), n=len(one) + len(other))


@measure(
    "peace_must_last",
    says=(
        "Years for which wars would have to come as rarely as since the given year before that "
        "rarity stood out from a steady process."
    ),
    citations=["clauset_2018"],
    options={
        "data": DATA,
        "since": Option(1940, "First year of the lull.", (1940, 1945, 1946)),
        "level": Option(0.05, "Share of simulated histories with as few.", (0.05, 0.025)),
        "draws": Option(4000, "Simulated histories."),
        "horizon": Option(400, "Years after the last war that are looked at."),
    },
    terms=["large wars", "large wars before", "large wars in the lull", "years a large war before",
           "years a large war in the lull", "share with as few by the last year, lull alone",
           "years, counted from the first war", "years, counted from the start of the lull"],
)  # fmt: skip
def peace_must_last(context: MeasureContext) -> MeasureResult:
    """Simulate a steady process of wars and ask when the lull, if it went on, would stand out.

    Gaps between onsets are drawn independently from the observed gaps, and each war is large with
    the observed share of large wars (those in the upper quarter of sizes). The lull goes on at its
    own rate of large wars, as a straight line. It stands out in the first year in which the share
    of simulated histories with as few large wars is below the level.
    """
    # ASSUME: the lull is judged by the count of large wars alone, once from the first war on and
    # once from the lull's first year on; the article's own criterion isn't at hand.
    wars = war_sizes(context.tables, context.options["data"])
    options = context.options
    bound = float(np.quantile(wars.deaths, 0.75))
    large = wars.deaths >= bound
    lull = wars.year >= options["since"]
    first, last = int(wars.year[0]), int(wars.year[-1])
    lull_years = last - options["since"] + 1
    rate = float((large & lull).sum() / lull_years)
    rng = context.rng()
    gaps = np.diff(wars.year)
    whole = _simulate(
        rng, gaps, float(large.mean()), last - first + 1 + options["horizon"], options["draws"]
    )
    alone = _simulate(
        rng, gaps, float(large.mean()), lull_years + options["horizon"], options["draws"]
    )
    waits = {
        "years, counted from the first war": _stands_out(
            whole, last - first, float(large.sum()), rate, options
        ),
        "years, counted from the start of the lull": _stands_out(
            alone, lull_years - 1, float((large & lull).sum()), rate, options
        ),
    }
    before = int((large & ~lull).sum())
    rows = [
        MeasureRow(
            "large wars", float(large.sum()), kind="count", n=len(large),
            note=f"At least {bound:,.0f} dead.",
        ),
        MeasureRow("large wars before", float(before), kind="count"),
        MeasureRow("large wars in the lull", float((large & lull).sum()), kind="count"),
        _a_large_war("years a large war before", options["since"] - first, before),
        _a_large_war("years a large war in the lull", lull_years, int((large & lull).sum())),
        MeasureRow(
            "share with as few by the last year, lull alone",
            float((alone[:, lull_years - 1] <= (large & lull).sum()).mean()),
            kind="share",
            n=options["draws"],
        ),
        *(
            MeasureRow(
                term,
                wait,
                n=options["draws"],
                how=f"simulation, {options['draws']} draws",
                note=None if wait is not None else f"Not within {options['horizon']} years.",
            )
            for term, wait in waits.items()
        ),
    ]  # fmt: skip
    plots = {"accumulation": _accumulation(whole, wars, large, rate, options["horizon"])}
    return MeasureResult(rows, plots=plots)


def _a_large_war(term: str, years: int, wars: int) -> MeasureRow:
    if wars == 0:
        return MeasureRow(term, None, note="No large war began in these years.")
    return MeasureRow(term, years / wars, n=wars)


def _simulate(
    rng: np.random.Generator, gaps: NDArray[np.int64], share: float, years: int, draws: int
) -> NDArray[np.int32]:
    """Return cumulated counts of large wars by year, (draws, years); a war begins in the first."""
    most = int(years / gaps.mean() * 1.6) + 60
    onset = np.cumsum(rng.choice(gaps, size=(draws, most)), axis=1)
    onset = np.column_stack([np.zeros(draws, np.int64), onset])
    kept = (onset < years) & (rng.random(onset.shape) < share)
    history = np.nonzero(kept)[0]
    cell = history * years + onset[kept]
    yearly = np.bincount(cell, minlength=draws * years).reshape(draws, years)
    return np.cumsum(yearly, axis=1).astype(np.int32)


def _stands_out(
    counts: NDArray[np.int32], base: int, so_far: float, rate: float, options: Mapping[str, Any]
) -> float | None:
    """Return the first number of further years at which so few large wars would be rare."""
    further = np.arange(options["horizon"])
    observed = so_far + rate * further
    as_few = (counts[:, base + further] <= observed).mean(axis=0)
    rare = np.flatnonzero(as_few < options["level"])
    return float(rare[0]) if len(rare) else None


def _accumulation(
    counts: NDArray[np.int32], wars: Wars, large: NDArray[np.bool_], rate: float, horizon: int
) -> dict[str, Any]:
    first, last = int(wars.year[0]), int(wars.year[-1])
    years = np.arange(first, last + horizon)
    low, middle, high = np.quantile(counts[:, : len(years)], [0.05, 0.5, 0.95], axis=0)
    seen = np.cumsum(np.bincount(wars.year[large] - first, minlength=last - first + 1))
    ahead = seen[-1] + rate * np.arange(1, horizon)
    return {
        "type": "curve",
        "x": years.tolist(),
        "y": middle.tolist(),
        "lo": low.tolist(),
        "hi": high.tolist(),
        "label": "Steady process: median and 90 % band",
        "xlabel": "Year",
        "ylabel": "Large wars since the first",
        "vline": last,
        "series": [
            {
                "label": "Observed, then the lull's rate",
                "x": years.tolist(),
                "y": [*seen.tolist(), *ahead.tolist()],
            }
        ],
        "title": "How long the lull would have to last",
    }


TAIL_TERMS = (
    "wars", "median deaths", "survival exponent", "alpha", "xmin", "wars in tail",
    "share in tail", "KS distance", "goodness-of-fit p", "share of deaths in top fifth",
    "share of deaths in lower four fifths", "lognormal: Vuong z", "exponential: Vuong z",
)  # fmt: skip


@measure(
    "war_tail",
    says="Power law of battle deaths above the threshold that fits best, its fit and its rivals.",
    citations=["clauset_2018", "clauset_shalizi_newman_2009"],
    options={
        "data": DATA,
        "discrete": Option(False, "Whether deaths are fitted as whole numbers.", (False, True)),
        "from_year": Option(1816, "Wars that began in this year or later."),
        "at_least": Option(0, "Deaths from which the tail begins; 0 leaves it to `threshold`."),
        "to_year": Option(2010, "Wars that began in this year or earlier."),
        "threshold": Option(
            "own",
            "Where the tail begins. own: at the least KS distance of these wars; whole: where it "
            "begins for the wars of all years, so that periods compare.",
            ("own", "whole"),
        ),
        "draws": Option(1000, "Bootstrap samples; 0 leaves the bootstrap out."),
    },
    terms=TAIL_TERMS,
)
def war_tail(context: MeasureContext) -> MeasureResult:
    """Fit the tail of battle deaths, test the fit and set it beside two rivals."""
    # ASSUME: a war's size is its battle deaths over its whole course, of states alone; wars are
    # taken as independent draws.
    options = context.options
    wars = war_sizes(context.tables, options["data"])
    inside = (wars.year >= options["from_year"]) & (wars.year <= options["to_year"])
    deaths = wars.deaths[inside & ~np.isnan(wars.deaths)]
    xmin = None
    if options["threshold"] == "whole":
        every = wars.deaths[~np.isnan(wars.deaths)]
        xmin = fit_power_law(every, discrete=options["discrete"]).xmin
    if options["at_least"]:
        xmin = float(options["at_least"])
    law = fit_power_law(deaths, discrete=options["discrete"], xmin=xmin)
    rows = [
        MeasureRow("wars", float(len(deaths)), kind="count"),
        MeasureRow("median deaths", float(np.median(deaths)), n=len(deaths)),
        MeasureRow(
            "survival exponent",
            law.alpha - 1,
            std_error=law.std_error,
            n=law.n_tail,
            how="likelihood, xmin held",
            label="Exponent of the survival function (alpha - 1)",
        ),
        *_fit_rows(deaths, law, int(options["draws"]), xmin is None),
        *_concentration(deaths),
        *_rivals(deaths, law),
    ]
    x, share = empirical_survival(deaths)
    fit_x = np.geomspace(law.xmin, deaths.max(), 60)
    if law.discrete:
        fit_x = np.unique(np.round(fit_x))
    plots = {
        "tail": {
            "type": "tail",
            "values_x": x.tolist(),
            "ccdf": share.tolist(),
            "fit_x": fit_x.tolist(),
            "fit_ccdf": (law.survival(fit_x) * law.n_tail / law.n).tolist(),
            "xmin": law.xmin,
            "alpha": law.alpha,
            "label": f"power law, exponent {law.alpha:.2f}, above {law.xmin:,.0f}",
            "xlabel": "Battle deaths",
        }
    }
    return MeasureResult(rows, plots=plots)


def _fit_rows(
    deaths: NDArray[np.float64], law: PowerLaw, draws: int, searched: bool
) -> list[MeasureRow]:
    """Return exponent, threshold, tail and fit; the bootstrap leads where there is one."""
    tail = law.n_tail
    by_curvature = MeasureRow(
        "alpha", law.alpha, std_error=law.std_error, ci_low=law.alpha - 1.96 * law.std_error,
        ci_high=law.alpha + 1.96 * law.std_error, n=tail, how="likelihood, xmin held",
    )  # fmt: skip
    size = [
        MeasureRow("wars in tail", float(tail), kind="count", n=law.n),
        MeasureRow("share in tail", tail / law.n, kind="share", n=law.n, n_events=tail),
        MeasureRow("KS distance", law.ks, n=tail),
    ]
    if draws <= 0 or not searched:
        why = (
            "No bootstrap was asked for." if searched else "The threshold is held, not found anew."
        )
        return [
            by_curvature,
            MeasureRow("xmin", law.xmin, n=law.n),
            *size,
            MeasureRow("goodness-of-fit p", None, note=why),
        ]
    boot = bootstrap_power_law(deaths, law, draws=draws, seed=SEED)
    how = f"bootstrap, {draws} draws"
    error = float(np.sqrt(boot.p_value * (1 - boot.p_value) / draws))
    return [
        MeasureRow(
            "alpha", law.alpha, std_error=boot.alpha_sd, ci_low=boot.alpha_low,
            ci_high=boot.alpha_high, n=tail, how=how,
        ),
        by_curvature,
        MeasureRow("xmin", law.xmin, std_error=boot.xmin_sd, n=law.n, how=how),
        *size,
        MeasureRow("goodness-of-fit p", boot.p_value, std_error=error, n=tail, how=how),
    ]  # fmt: skip


def _concentration(deaths: NDArray[np.float64]) -> list[MeasureRow]:
    """Return the shares of all deaths that the largest fifth of wars and the rest hold."""
    ordered = np.sort(deaths)
    split = int(np.ceil(0.8 * len(ordered)))
    top = float(ordered[split:].sum() / ordered.sum())
    return [
        MeasureRow("share of deaths in top fifth", top, kind="share"),
        MeasureRow("share of deaths in lower four fifths", 1 - top, kind="share"),
    ]


def _rivals(deaths: NDArray[np.float64], law: PowerLaw) -> list[MeasureRow]:
    rows = []
    for rival in ("lognormal", "exponential"):
        test = compare_tails(deaths, law, rival)
        rows.append(
            MeasureRow(
                f"{rival}: Vuong z", test.statistic, p_value=test.p_value, n=test.n_tail,
                how="Vuong", label=f"Power law against {rival} (positive: power law)",
            )
        )  # fmt: skip
    return rows
