"""Three laws of war sizes, fitted, tested and compared as print has them; before and since 1950.

Williams 2024 fits the power law, the inverse Burr and the log-normal to the sizes of wars on three
scales, with R's search and poweRlaw's thresholds (`foedus.models.searched_laws`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special

from foedus.covariates.registry import Option
from foedus.models.arrays import FloatArray, IntArray
from foedus.models.search import nelder_mead
from foedus.models.searched_laws import (
    Thresholds,
    burr_log_density,
    burr_log_share,
    draw_burr,
    draw_log_normal,
    inverse_burrs,
    log_normal_share,
    log_normals,
    power_law_fit,
    power_laws,
    two_sided_distance,
)
from foedus.models.tail_laws import fit_tail
from foedus.sources.tables import Tables
from foedus.studies.measures import MeasureContext, MeasureResult, MeasureRow, measure
from foedus.studies.war_scales import MILLION, SCALE, Sizes, cow_sizes

DATA = Option(
    "williams",
    "Whose wars. williams: the author's file, in which the deaths of some wars are counted more "
    "than once; cow: rebuilt from the participants of COW 4.0 and the populations of the NMC.",
    ("williams", "cow"),
)
THRESHOLD = Option(
    "rounded",
    "How the distance of a power law is taken. rounded: as the R package poweRlaw does, with a law "
    "that is 0 below the rounded threshold; exact: the law from its threshold on.",
    ("rounded", "exact"),
)
DRAWS = Option(500, "Bootstrap samples of each test.")
LAWS = ("power law", "inverse Burr", "log-normal")
PAIRS = (("power law", "inverse Burr"), ("power law", "log-normal"), ("inverse Burr", "log-normal"))


def sizes(tables: Tables, data: str, scale: str) -> Sizes:
    """Return the wars of the author's file, or those rebuilt from COW and the NMC."""
    if data == "cow":
        return cow_sizes(tables, scale)
    wars = tables.get("rep_williams_2024", "wars").sort("year", "warnum")
    number, year, deaths, world, share = (
        wars[name].to_numpy() for name in ("warnum", "year", "batdeath", "wpop", "batdeathpc")
    )
    size = {
        "severity": deaths.astype(np.float64),
        "prevalence": MILLION * deaths / world,
        "intensity": MILLION * share,
    }[scale]
    return Sizes(number.astype(np.int64), year.astype(np.int64), size)


@dataclass(frozen=True)
class _Fits:
    """The three laws of one sample of sizes."""

    x: FloatArray
    power: Thresholds
    burr: FloatArray
    normal: FloatArray

    @classmethod
    def of(cls, x: FloatArray, rounded: bool) -> _Fits:
        values = np.sort(x)[None]
        return cls(
            values[0], power_laws(values, rounded=rounded), inverse_burrs(values),
            log_normals(values),
        )  # fmt: skip

    def log_density(self, law: str, x: FloatArray, least: float) -> FloatArray:
        """Return a law's log density above a threshold, its parameters as they stand."""
        log_x, log_least = np.log(x), np.log([least])
        if law == "power law":
            alpha = float(self.power.alpha[0])
            rise = log_x - log_least
            return np.asarray(np.log(alpha - 1.0) - log_least - alpha * rise)
        if law == "inverse Burr":
            below = burr_log_share(log_least, self.burr)[0, 0]
            return np.asarray(burr_log_density(log_x, self.burr)[0] - np.log(-np.expm1(below)))
        mu, sigma = self.normal[0]
        z = (log_x - mu) / sigma
        above = special.log_ndtr((mu - log_least) / sigma)
        return np.asarray(-0.5 * z * z - log_x - np.log(sigma) - 0.5 * np.log(2 * np.pi) - above)

    def share(self, law: str) -> FloatArray:
        """Return F at every value, not conditional on a threshold (not of the power law)."""
        if law == "inverse Burr":
            return np.exp(burr_log_share(np.log(self.x), self.burr))
        return log_normal_share(self.x[None], self.normal)


TERMS = (
    "wars", "wars without a size", "share of deaths in top fifth",
    "share of deaths in lower four fifths",
    "power law: threshold", "power law: share of wars above it", "power law: alpha",
    "power law: distance", "power law: fit p",
    "inverse Burr: alpha", "inverse Burr: theta", "inverse Burr: mu",
    "inverse Burr: distance", "inverse Burr: fit p",
    "inverse Burr: log-likelihood lost by the search",
    "log-normal: mu", "log-normal: sigma", "log-normal: distance", "log-normal: fit p",
    *(f"{first} against {second}{what}" for first, second in PAIRS for what in ("", ": p")),
)  # fmt: skip


@measure(
    "war_laws",
    says="Power law, inverse Burr and log-normal of war sizes, their fit, and Vuong's tests of "
    "one against the other.",
    citations=["williams_2024", "clauset_shalizi_newman_2009", "vuong_1989", "cunen_etal_2020"],
    options={
        "data": DATA,
        "scale": SCALE,
        "threshold": THRESHOLD,
        "share_at": Option(
            "own",
            "At which threshold the share of wars above it is counted. own: this scale's; "
            "prevalence: that of the scale of prevalence, as the manuscript's code has it.",
            ("own", "prevalence"),
        ),
        "drawn_from": Option(
            "whole",
            "What synthetic wars are drawn from in the tests of fit of the inverse Burr and the "
            "log-normal. whole: the law; above: the law above the smallest war.",
            ("whole", "above"),
        ),
        "draws": DRAWS,
    },
    terms=TERMS,
)
def war_laws(context: MeasureContext) -> MeasureResult:
    """Fit the three laws, test each, and compare them above the threshold that they share."""
    options = context.options
    wars = sizes(context.tables, options["data"], options["scale"])
    fits = _Fits.of(wars.size, options["threshold"] == "rounded")
    n, rng = wars.size.size, context.rng()
    rows = [
        MeasureRow("wars", float(n), kind="count"),
        MeasureRow("wars without a size", float(wars.unknown), kind="count"),
        *_concentration(fits.x),
        *_power_rows(context, fits, rng),
        *_burr_rows(fits, rng, options),
        *_normal_rows(fits, rng, options),
        *(row for first, second in PAIRS for row in _vuong(fits, first, second)),
    ]
    return MeasureResult(rows, plots={"laws": _plot(fits, options["scale"])})


def _concentration(x: FloatArray) -> list[MeasureRow]:
    lower = float(x[x <= np.quantile(x, 0.8)].sum() / x.sum())
    return [
        MeasureRow("share of deaths in top fifth", 1 - lower, kind="share"),
        MeasureRow("share of deaths in lower four fifths", lower, kind="share"),
    ]


def _power_rows(context: MeasureContext, fits: _Fits, rng: np.random.Generator) -> list[MeasureRow]:
    options, law = context.options, fits.power
    n, tail = fits.x.size, int(law.n_tail[0])
    alpha, xmin = float(law.alpha[0]), float(law.xmin[0])
    counted = xmin
    if options["share_at"] == "prevalence":
        other = sizes(context.tables, options["data"], "prevalence").size[None]
        counted = float(power_laws(other, rounded=options["threshold"] == "rounded").xmin[0])
    above = int((fits.x >= counted).sum())
    return [
        MeasureRow("power law: threshold", xmin, n=n),
        MeasureRow("power law: share of wars above it", above / n, kind="share", n=n,
                   n_events=above),
        MeasureRow("power law: alpha", alpha, std_error=(alpha - 1) / np.sqrt(tail), n=tail,
                   how="likelihood, threshold held"),
        MeasureRow("power law: distance", float(law.ks[0]), n=tail),
        _p_row("power law: fit p", power_law_fit(fits.x, law, options["draws"], rng), options),
    ]  # fmt: skip


def _burr_rows(
    fits: _Fits, rng: np.random.Generator, options: Mapping[str, Any]
) -> list[MeasureRow]:
    alpha, theta, mu = fits.burr[0].tolist()
    n, draws = fits.x.size, int(options["draws"])
    distance = two_sided_distance(fits.x[None], fits.share("inverse Burr"))[0]
    least = _least(fits, options)
    drawn = np.sort(draw_burr(fits.burr[0], least, (draws, n), rng), axis=1)
    refit = inverse_burrs(drawn)
    apart = two_sided_distance(drawn, np.exp(burr_log_share(np.log(drawn), refit)))
    inside = fits.x[fits.x > fits.x[0]]
    reached = float(burr_log_density(np.log(inside), fits.burr).sum())
    how = "where R's search ends"
    return [
        MeasureRow("inverse Burr: alpha", alpha, n=n, how=how),
        MeasureRow("inverse Burr: theta", theta, n=n, how=how),
        MeasureRow("inverse Burr: mu", mu, n=n, how=how),
        MeasureRow("inverse Burr: distance", float(distance), n=n),
        _p_row("inverse Burr: fit p", float((apart >= distance).mean()), options),
        MeasureRow("inverse Burr: log-likelihood lost by the search",
                   fit_tail(inside, "inverse_burr", xmin=0.0).loglik - reached, n=n,
                   note="The maximum, found by another search, less the value in print's place."),
    ]  # fmt: skip


def _normal_rows(
    fits: _Fits, rng: np.random.Generator, options: Mapping[str, Any]
) -> list[MeasureRow]:
    mu, sigma = fits.normal[0].tolist()
    n, draws = fits.x.size, int(options["draws"])
    distance = two_sided_distance(fits.x[None], fits.share("log-normal"))[0]
    drawn = draw_log_normal(fits.normal[0], _least(fits, options), (draws, n), rng)
    drawn = np.sort(drawn, axis=1)
    apart = two_sided_distance(drawn, log_normal_share(drawn, log_normals(drawn)))
    return [
        MeasureRow("log-normal: mu", mu, n=n, how="likelihood above the smallest war"),
        MeasureRow("log-normal: sigma", sigma, n=n, how="likelihood above the smallest war"),
        MeasureRow("log-normal: distance", float(distance), n=n),
        _p_row("log-normal: fit p", float((apart >= distance).mean()), options),
    ]


def _least(fits: _Fits, options: Mapping[str, Any]) -> float:
    # the smallest positive number stands for no threshold at all
    return float(fits.x[0]) if options["drawn_from"] == "above" else float(np.finfo(float).tiny)


def _p_row(term: str, p: float, options: Mapping[str, Any]) -> MeasureRow:
    draws = int(options["draws"])
    return MeasureRow(
        term, p, std_error=float(np.sqrt(p * (1 - p) / draws)), n=draws,
        how=f"bootstrap, {draws} draws",
    )  # fmt: skip


def _vuong(fits: _Fits, first: str, second: str) -> list[MeasureRow]:
    """Return Vuong's statistic above the higher of the two laws' thresholds, and its p-value."""
    least = float(fits.power.xmin[0]) if "power law" in (first, second) else float(fits.x[0])
    tail = fits.x[fits.x >= least]
    gap = fits.log_density(first, tail, least) - fits.log_density(second, tail, least)
    z = float(np.sqrt(tail.size) * gap.mean() / gap.std(ddof=1))
    p = float(2 * special.ndtr(-abs(z)))
    term = f"{first} against {second}"
    return [
        MeasureRow(term, z, p_value=p, n=tail.size, how="Vuong",
                   label=f"{term} (positive: {first})"),
        MeasureRow(f"{term}: p", p, n=tail.size, how="Vuong"),
    ]  # fmt: skip


def _plot(fits: _Fits, scale: str) -> dict[str, Any]:
    x, xmin = fits.x, float(fits.power.xmin[0])
    fit_x = np.geomspace(xmin, x[-1], 60)
    alpha = float(fits.power.alpha[0])
    return {
        "type": "tail",
        "values_x": x.tolist(),
        "ccdf": (1 - np.arange(x.size) / x.size).tolist(),
        "fit_x": fit_x.tolist(),
        "fit_ccdf": ((fit_x / xmin) ** (1 - alpha) * int(fits.power.n_tail[0]) / x.size).tolist(),
        "xmin": xmin,
        "alpha": alpha,
        "label": f"power law, exponent {alpha:.2f}, above {xmin:,.0f}",
        "xlabel": "Battle deaths" if scale == "severity" else "Battle deaths a million people",
    }


PERIOD_TERMS = tuple(
    f"{law}: {what}" for law in LAWS for what in ("before", "since", "difference", "difference p")
)


@measure(
    "war_laws_periods",
    says="One parameter of each law before and since a year, and whether the two differ, by "
    "resampling the wars of each period.",
    citations=["williams_2024", "braumoeller_2019", "cunen_etal_2020"],
    options={
        "data": DATA,
        "scale": SCALE,
        "threshold": THRESHOLD,
        "last_before": Option(1950, "Last year of the first period.", (1944, 1945, 1949, 1950)),
        "draws": DRAWS,
    },
    terms=PERIOD_TERMS,
)
def war_laws_periods(context: MeasureContext) -> MeasureResult:
    """Compare the power law's exponent, the inverse Burr's mu and the log-normal's mu."""
    options = context.options
    wars = sizes(context.tables, options["data"], options["scale"])
    late = wars.year > options["last_before"]
    rng = context.rng()
    rows: list[MeasureRow] = []
    # one draw of wars for all laws, so that they are judged on the same resamples
    parts = [wars.size[~late], wars.size[late]]
    drawn = [rng.choice(part, size=(int(options["draws"]), part.size)) for part in parts]
    for law in LAWS:
        before, since = (float(_parameter(law, part[None], options)[0]) for part in parts)
        one, other = (_parameter(law, part, options) for part in drawn)
        rows += _compared(law, before, since, one, other, [part.size for part in parts])
    return MeasureResult(rows)


def _parameter(law: str, samples: FloatArray, options: Mapping[str, Any]) -> FloatArray:
    if law == "power law":
        return power_laws(samples, rounded=options["threshold"] == "rounded").alpha
    if law == "inverse Burr":
        return inverse_burrs(samples)[:, 2]
    return log_normals(samples)[:, 0]


def _compared(
    law: str, before: float, since: float, one: NDArray[Any], other: NDArray[Any],
    n: Sequence[int],
) -> list[MeasureRow]:  # fmt: skip
    """Return both values, their difference with its percentile interval, and the two-sided p."""
    gap = other - one
    low, high = np.quantile(gap, [0.025, 0.975])
    p = float(2 * min((gap > 0).mean(), (gap < 0).mean()))
    how = f"bootstrap, {gap.size} draws"
    return [
        MeasureRow(f"{law}: before", before, n=n[0]),
        MeasureRow(f"{law}: since", since, n=n[1]),
        MeasureRow(f"{law}: difference", since - before, std_error=float(gap.std(ddof=1)),
                   ci_low=float(low), ci_high=float(high), p_value=p, n=sum(n), how=how),
        MeasureRow(f"{law}: difference p", p, n=sum(n), how=how),
    ]  # fmt: skip


REGRESSORS = ("(Intercept)", "pop", "maj", "dem")
PARTS = ("mu", "alpha", "theta")


@measure(
    "inverse_burr_search",
    says="Inverse Burr regression of all three parameters on population, major powers and "
    "democracy, where R's search ends, and how far that is from the maximum.",
    citations=["actuwar_2025", "nelder_mead_1965"],
    options={
        "major": Option(
            "any",
            "What is said of major powers. any: whether one fights; share: their share of the "
            "belligerents; number: how many fight.",
            ("any", "share", "number"),
        ),
        "draws": Option(40, "Bootstrap samples for standard errors."),
        "further": Option(6, "Times that the search is taken up again where it ended."),
    },
    terms=[
        "wars", "evaluations", "log-likelihood at the end", "log-likelihood of the best found",
        *(f"{part}: {name}" for part in PARTS for name in REGRESSORS),
        *(f"{part}: {name}, best found" for part in PARTS for name in REGRESSORS),
    ],
)  # fmt: skip
def inverse_burr_search(context: MeasureContext) -> MeasureResult:
    """Search from zeros for 500 evaluations, as the package does; then go on."""
    options = context.options
    y, x = _regression_data(context.tables, options["major"])
    n, k = x.shape
    log_y = np.log(y)
    rng = context.rng()
    draws = int(options["draws"])
    taken = np.vstack([np.arange(n), rng.integers(0, n, (draws, n))])

    def loss(points: FloatArray, rows: IntArray) -> FloatArray:
        mu, alpha, theta = (
            np.einsum("rnk,rk->rn", x[taken[rows]], points[:, at * k : at * k + k])
            for at in range(3)
        )
        logs = log_y[taken[rows]]
        with np.errstate(all="ignore"):
            u = np.exp(theta) * (logs - mu)
            each = alpha + theta - logs + np.exp(alpha) * u
            each -= (np.exp(alpha) + 1.0) * np.logaddexp(0.0, u)
        # R takes the log of a density that may be 0: such a place is infinitely bad there too
        out: FloatArray = -np.where(each < -745.0, -np.inf, each).sum(axis=1)
        return out

    found = nelder_mead(loss, np.zeros((draws + 1, 3 * k)))
    spread = found.x[1:].std(axis=0, ddof=1)
    best = found.x[:1]
    for _ in range(int(options["further"])):
        best = nelder_mead(loss, best, tolerance=1e-12, most=4000).x
    names = [f"{part}: {name}" for part in PARTS for name in REGRESSORS]
    how = f"where the search ends; bootstrap, {draws} draws"
    rows = [
        MeasureRow("wars", float(n), kind="count"),
        MeasureRow("evaluations", float(found.evaluations[0]), kind="count"),
        MeasureRow("log-likelihood at the end", -float(found.value[0]), n=n),
        MeasureRow(
            "log-likelihood of the best found", -float(loss(best, np.zeros(1, int))[0]), n=n
        ),
        *(
            MeasureRow(name, float(b), std_error=float(se), p_value=_two_sided(b / se), n=n,
                       how=how)
            for name, b, se in zip(names, found.x[0], spread, strict=True)
        ),
        *(
            MeasureRow(f"{name}, best found", float(b), n=n, how="search taken up again")
            for name, b in zip(names, best[0], strict=True)
        ),
    ]  # fmt: skip
    return MeasureResult(rows)


def _two_sided(z: float) -> float:
    return float(2 * special.ndtr(-abs(z)))


def _regression_data(tables: Tables, major: str) -> tuple[FloatArray, FloatArray]:
    """Return the deaths of the file's wars, and 1, log population, majors and mean Polity."""
    wars = tables.get("rep_williams_2024", "wars").sort("warnum")
    fights = tables.get("cow_interstate_wars", "participants")
    majors = tables.get("cow_states", "majors").select("ccode", first="start", last="end")
    entered = fights.group_by("warnum", "ccode").agg(pl.col("start1").min())
    spells = entered.join(majors, on="ccode", how="left").with_columns(
        power=(pl.col("start1") >= pl.col("first")) & (pl.col("start1") <= pl.col("last"))
    )
    by_state = spells.group_by("warnum", "ccode").agg(pl.col("power").fill_null(False).any())
    reduced = {
        "any": pl.col("power").any().cast(pl.Float64),
        "share": pl.col("power").mean(),
        "number": pl.col("power").sum().cast(pl.Float64),
    }[major]
    joined = wars.join(by_state.group_by("warnum").agg(maj=reduced), on="warnum", how="left")
    # ASSUME: a war whose belligerents have no Polity score counts 0, as the package's data do by
    # summing the known scores.
    columns = (
        np.ones(joined.height),
        np.log(joined["tpop"].cast(pl.Float64).to_numpy()),
        joined["maj"].to_numpy(),
        joined["mea_polity2"].fill_null(0.0).to_numpy(),
    )
    return joined["batdeath"].cast(pl.Float64).to_numpy(), np.column_stack(columns)
