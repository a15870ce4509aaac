"""The search without derivatives against R's optim, and the laws that print finds with it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

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
from foedus.models.tails import fit_power_law

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "search_reference.csv"


def banana(p: FloatArray, rows: IntArray) -> FloatArray:
    return np.asarray(100 * (p[:, 1] - p[:, 0] ** 2) ** 2 + (1 - p[:, 0]) ** 2)


def quartic(p: FloatArray, rows: IntArray) -> FloatArray:
    return np.asarray(((p - np.arange(1.0, 5.0)) ** 4).sum(axis=1) + np.abs(p[:, 0] * p[:, 1]))


def edge(p: FloatArray, rows: IntArray) -> FloatArray:
    return np.asarray(np.log1p(np.exp(-p)).sum(axis=1) + 0.3 * p[:, 2] ** 2)


def half(p: FloatArray, rows: IntArray) -> FloatArray:
    return np.where(p[:, 0] < 0.5, np.nan, ((p - 1) ** 2).sum(axis=1) + p[:, 0] ** 4)


CASES = {
    "banana": (banana, [-1.2, 1.0]),
    "quartic": (quartic, [0.0, 0.0, 0.0, 0.0]),
    "edge": (edge, [0.0, 0.0, 0.0]),
    "half": (half, [2.0, -3.0]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_search_ends_where_rs_does(name: str) -> None:
    """Evaluations to the number and places to 1e-11: the same steps, but for the last digits."""
    with REFERENCE.open(newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["name"] == name]
    objective, start = CASES[name]
    found = nelder_mead(objective, np.array([start]))
    assert found.evaluations[0] == int(rows[0]["evaluations"])
    assert found.settled[0] == (rows[0]["code"] == "0")
    assert found.value[0] == pytest.approx(float(rows[0]["value"]), rel=1e-11)
    assert found.x[0] == pytest.approx([float(row["x"]) for row in rows], rel=1e-11)


def test_searches_side_by_side_are_those_one_by_one() -> None:
    starts = np.array([[-1.2, 1.0], [0.0, 0.0], [2.0, 2.0], [1.0, 1.0]])
    together = nelder_mead(banana, starts)
    for at, start in enumerate(starts):
        alone = nelder_mead(banana, start[None])
        assert (alone.x[0] == together.x[at]).all()
        assert alone.evaluations[0] == together.evaluations[at]


def sizes(n: int = 60, samples: int = 3) -> FloatArray:
    rng = np.random.default_rng(11)
    return np.sort(np.ceil(1000 * rng.pareto(0.7, (samples, n)) + 1000), axis=1)


def test_power_laws_without_rounding_are_the_fitted_ones() -> None:
    values = sizes() / 777.7
    found = power_laws(values, rounded=False)
    for at, sample in enumerate(values):
        law = fit_power_law(sample, least=3)
        assert (law.xmin, law.n_tail) == (found.xmin[at], found.n_tail[at])
        assert found.alpha[at] == pytest.approx(law.alpha, rel=1e-12)
        assert found.ks[at] == pytest.approx(law.ks, rel=1e-9)


def by_brute_force(sample: FloatArray, rounded: bool) -> tuple[float, float, float]:
    """Return alpha, threshold and distance, candidate by candidate."""
    best = (np.inf, 0.0, 0.0)
    for xmin in np.unique(sample)[:-2]:
        tail = np.sort(sample[sample >= xmin])
        alpha = 1 + tail.size / np.log(tail / xmin).sum()
        law = 1 - (tail / xmin) ** (1 - alpha)
        if rounded:
            law[tail < np.round(xmin)] = 0
        gap = float(np.abs(law - np.arange(tail.size) / tail.size).max())
        best = min(best, (gap, float(xmin), float(alpha)))
    return best[2], best[1], best[0]


@pytest.mark.parametrize("rounded", [True, False])
def test_power_laws_are_those_of_every_candidate_tried(rounded: bool) -> None:
    rng = np.random.default_rng(8)
    samples = np.round(rng.pareto(0.6, (25, 30)) + 0.2, 2)
    found = power_laws(samples, rounded=rounded)
    for at, sample in enumerate(samples):
        alpha, xmin, ks = by_brute_force(sample, rounded)
        assert found.xmin[at] == xmin
        assert (found.alpha[at], found.ks[at]) == pytest.approx((alpha, ks), rel=1e-9)


def test_rounding_moves_a_threshold_below_one() -> None:
    samples = np.round(np.random.default_rng(8).pareto(0.6, (25, 30)) + 0.2, 2)
    moved = power_laws(samples).xmin != power_laws(samples, rounded=False).xmin
    assert moved.any()


def held_law(values: FloatArray) -> Thresholds:
    """Return the power law of all values, above the smallest."""
    n = values.size
    alpha = 1 + n / np.log(values / values[0]).sum()
    law = 1 - (values / values[0]) ** (1 - alpha)
    ks = np.abs(law - np.arange(n) / n).max()
    return Thresholds(*(np.array([part]) for part in (alpha, values[0], ks, n)))


def test_fits_of_a_true_law_are_uniform_and_of_a_false_one_small() -> None:
    rng = np.random.default_rng(5)
    tails = np.sort(1000 * (1 + rng.pareto(0.8, (60, 100))), axis=1)
    tails[:, 0] = 1000.0
    true = [power_law_fit(values, held_law(values), 100, rng) for values in tails]
    assert stats.kstest(true, "uniform").pvalue > 0.01
    others = np.sort(1000 * (1 + rng.exponential(1, (5, 400))), axis=1)
    assert all(power_law_fit(values, held_law(values), 100, rng) < 0.05 for values in others)


def test_log_normals_are_the_maxima_above_the_smallest_value() -> None:
    values = np.exp(np.random.default_rng(4).normal(8, 1.5, (3, 60)))
    for sample, (mu, sigma) in zip(values, log_normals(values), strict=True):
        least = sample.min()
        best = fit_tail(sample[sample > least], "lognormal", xmin=least)
        law = stats.norm(mu, sigma)
        logs = np.log(sample[sample > least])
        reached = (law.logpdf(logs) - logs - law.logsf(np.log(least))).sum()
        assert reached == pytest.approx(best.loglik, abs=1e-6)
        assert mu == pytest.approx(best.parameters["mu"], abs=1e-3)


def test_inverse_burrs_density_share_and_draws_agree() -> None:
    law = np.array([[2.5, 0.6, 21.0]])
    x = np.geomspace(0.01, 1e6, 4001)
    share = np.exp(burr_log_share(np.log(x), law))[0]
    density = np.exp(burr_log_density(np.log(x), law))[0]
    middle = 0.5 * (density[1:] + density[:-1]) * np.diff(x)
    assert np.cumsum(middle)[-1] == pytest.approx(share[-1] - share[0], abs=1e-4)
    drawn = draw_burr(law[0], 5.0, (1, 20_000), np.random.default_rng(2))[0]
    floor = float(np.exp(burr_log_share(np.log([5.0]), law))[0, 0])
    test = stats.kstest(
        drawn, lambda v: (np.exp(burr_log_share(np.log(v), law))[0] - floor) / (1 - floor)
    )
    assert drawn.min() >= 5.0
    assert test.pvalue > 0.01
    fitted = inverse_burrs(np.sort(drawn)[None, ::20])[0]
    inside = np.log(np.sort(drawn)[::20][1:])
    best = fit_tail(np.exp(inside), "inverse_burr", xmin=0.0).loglik
    # the search ends a little below the maximum
    assert best - 2 < burr_log_density(inside, fitted[None]).sum() <= best


def test_log_normal_draws_and_distances() -> None:
    law = np.array([5.0, 2.0])
    drawn = np.sort(draw_log_normal(law, 30.0, (1, 5_000), np.random.default_rng(3)), axis=1)
    above = stats.lognorm(s=2.0, scale=np.exp(5.0))
    test = stats.kstest(drawn[0], lambda v: 1 - above.sf(v) / above.sf(30.0))
    assert test.pvalue > 0.01
    distance = two_sided_distance(drawn, log_normal_share(drawn, law[None]))[0]
    assert distance == pytest.approx(stats.kstest(drawn[0], above.cdf).statistic, rel=1e-9)
