"""AR(1) errors and panel-corrected standard errors against loops over the definition."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from foedus.errors import EstimationError
from foedus.models import estimate

FORMULA = "y ~ x + z"


def simulate(seed: int, units: int = 12, years: int = 25, rho: float = 0.6) -> pd.DataFrame:
    """Errors that are correlated over time and, within a year, between units."""
    rng = np.random.default_rng(seed)
    shock = rng.normal(size=(years, units)) + rng.normal(size=(years, 1))
    error = np.empty_like(shock)
    error[0] = shock[0] / np.sqrt(1 - rho**2)
    for t in range(1, years):
        error[t] = rho * error[t - 1] + shock[t]
    x = rng.normal(size=(years, 1)) + 0.7 * rng.normal(size=(years, units))
    z = np.cumsum(rng.normal(size=(years, units)), axis=0)
    year, unit = np.meshgrid(np.arange(years) + 1950, np.arange(units), indexing="ij")
    flat = {"unit": unit, "year": year, "x": x, "z": z, "y": 1 + 0.5 * x - 0.2 * z + error}
    return pd.DataFrame({name: values.ravel() for name, values in flat.items()})


@pytest.fixture(scope="module")
def gaps() -> pd.DataFrame:
    """An unbalanced panel with gaps, one unit alone in a year and rows in no order."""
    data = simulate(3)
    keep = np.random.default_rng(4).random(len(data)) < 0.85
    data = data[keep & ((data["unit"] != 5) | (data["year"] == 1960))]
    return data.sample(frac=1.0, random_state=1).reset_index(drop=True)


def by_hand(data: pd.DataFrame, rho: str, how: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    X = np.column_stack([np.ones(len(data)), data["x"], data["z"]])
    y = data["y"].to_numpy()
    e = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    place = {(u, t): i for i, (u, t) in enumerate(zip(data["unit"], data["year"], strict=True))}
    found: dict[int, float] = {}
    for unit in sorted(set(data["unit"])):
        rows = {t: i for (u, t), i in place.items() if u == unit}
        pairs = [(rows[t], rows[t - 1]) for t in rows if t - 1 in rows]
        if not pairs:
            continue
        if how == "regression":
            value = sum(e[a] * e[b] for a, b in pairs) / sum(e[b] ** 2 for _, b in pairs)
        else:
            changes = sum((e[a] - e[b]) ** 2 for a, b in pairs)
            value = 1 - changes / sum(e[i] ** 2 for i in rows.values()) / 2
        found[unit] = min(max(value, -0.9999), 0.9999)
    mean = sum(found.values()) / len(found)
    new_X, new_y = np.empty_like(X), np.empty_like(y)
    for (unit, t), i in place.items():
        r = found.get(unit, mean) if rho == "unit" else mean
        before = place.get((unit, t - 1))
        if before is None:
            scale = (1 - r * r) ** 0.5
            new_X[i], new_y[i] = scale * X[i], scale * y[i]
        else:
            new_X[i], new_y[i] = X[i] - r * X[before], y[i] - r * y[before]
    bread = np.linalg.inv(new_X.T @ new_X)
    b = bread @ new_X.T @ new_y
    left = new_y - new_X @ b
    units = data["unit"].to_numpy()
    years = data["year"].to_numpy()
    omega = np.zeros((len(y), len(y)))
    for i in range(len(y)):
        for j in range(len(y)):
            if years[i] != years[j]:
                continue
            both = [
                (place[units[i], t], place[units[j], t])
                for t in set(years)
                if (units[i], t) in place and (units[j], t) in place
            ]
            omega[i, j] = sum(left[a] * left[c] for a, c in both) / len(both)
    V = bread @ new_X.T @ omega @ new_X @ bread
    return b, np.sqrt(np.diag(V)), left


@pytest.mark.parametrize("rho", ["common", "unit"])
@pytest.mark.parametrize("how", ["regression", "durbin_watson"])
def test_is_its_definition(gaps: pd.DataFrame, rho: str, how: str) -> None:
    b, spread, _ = by_hand(gaps, rho, how)
    made = estimate(FORMULA, gaps, "prais_winsten", unit="unit", time="year", rho=rho, rho_from=how)
    assert_allclose(made.params, b, rtol=1e-10)
    assert_allclose(made.std_errors(), spread, rtol=1e-9)
    assert "Beck and Katz" in made.covariance().convention


def test_intervals_cover_where_those_of_least_squares_do_not() -> None:
    inside, usual = 0, 0
    for seed in range(150):
        data = simulate(seed)
        for name, estimator, options in (
            ("corrected", "prais_winsten", {"unit": "unit", "time": "year"}),
            ("usual", "ols", {}),
        ):
            made = estimate(FORMULA, data, estimator, **options)
            place = made.terms.index("x")
            hit = abs(made.params[place] - 0.5) < 1.96 * made.std_errors()[place]
            inside += int(hit and name == "corrected")
            usual += int(hit and name == "usual")
    # 150 draws have a standard error of 2 points; errors from 25 years are a little too small
    assert 0.88 <= inside / 150 <= 0.99
    assert usual / 150 < 0.85


def test_what_it_refuses(gaps: pd.DataFrame) -> None:
    twice = pd.concat([gaps, gaps.iloc[:1]])
    with pytest.raises(EstimationError, match="a unit has two rows at one time"):
        estimate(FORMULA, twice, "prais_winsten", unit="unit", time="year")
    with pytest.raises(EstimationError, match="whole numbers"):
        estimate(FORMULA, gaps.assign(year=gaps["year"] + 0.5), "prais_winsten",
                 unit="unit", time="year")  # fmt: skip
    alone = gaps[gaps["year"] % 2 == 0]
    with pytest.raises(EstimationError, match="no unit has two consecutive rows"):
        estimate(FORMULA, alone, "prais_winsten", unit="unit", time="year")
