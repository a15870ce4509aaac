"""Do 95 % intervals cover the truth when states, not rows, are what varies? By simulation.

    python benchmarks/coverage_dyadic.py            writes docs/images/dyadic_coverage.png and .csv
    python benchmarks/coverage_dyadic.py --draws 50 a quick look, printed only

Every unordered dyad of N states is seen in two years. A state has an effect on the outcome and one
on the regressor; both are shared by all of its dyads, as capabilities or regime type would be. The
truth of the linear model is its coefficient; that of the logit is the limit of its estimate, from
large samples, because effects left out of a logit shrink its coefficients.
"""

from __future__ import annotations

import argparse
import csv
import warnings
from pathlib import Path

import numpy as np

from foedus.models import fit_arrays

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
STATES = (20, 40, 80, 120, 160)
COVARIANCES = {
    "classical": "classical",
    "cluster(dyad)": "clustered by dyad",
    "dyadic": "dyadic-robust",
    "jackknife": "dyadic jackknife",
}
EFFECT = 0.5
Z = 1.959963984540054


def draw(rng: np.random.Generator, states: int, years: int = 2):
    """Return the two states of each row, the matrix, and the linear predictor's outcome."""
    first, second = np.triu_indices(states, 1)
    first, second = np.tile(first, years), np.tile(second, years)
    pull, size = rng.normal(scale=0.7, size=states), rng.normal(size=states)
    x = size[first] + size[second] + rng.normal(size=first.size)
    noise = pull[first] + pull[second] + rng.logistic(scale=0.6, size=first.size)
    return first, second, np.column_stack([np.ones(x.size), x]), EFFECT * x + noise


def outcome(estimator: str, latent: np.ndarray) -> np.ndarray:
    return latent if estimator == "ols" else (latent > 1.0).astype(float)


def truth(estimator: str) -> float:
    if estimator == "ols":
        return EFFECT
    rng = np.random.default_rng(99)
    found = []
    for _ in range(12):
        *_, X, latent = draw(rng, 700, years=1)
        found.append(fit_arrays(estimator, X, outcome(estimator, latent)).params[1])
    return float(np.mean(found))


def coverage(estimator: str, states: int, draws: int, seed: int = 1) -> dict[str, float]:
    """Return the share of intervals that hold the truth, by covariance."""
    rng = np.random.default_rng(seed + states)
    true, hits = truth(estimator), dict.fromkeys(COVARIANCES, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(draws):
            first, second, X, latent = draw(rng, states)
            result = fit_arrays(
                estimator, X, outcome(estimator, latent), ["(Intercept)", "x"],
                cov=list(COVARIANCES), sides=(first, second),
            )  # fmt: skip
            for cov in COVARIANCES:
                hits[cov] += abs(result.params[1] - true) < Z * result.std_errors(cov)[1]
    return {cov: hit / draws for cov, hit in hits.items()}


def table(draws: int) -> list[dict[str, object]]:
    rows = []
    for estimator in ("ols", "logit"):
        for states in STATES:
            found = coverage(estimator, states, draws)
            print(estimator, states, found, flush=True)
            rows += [
                {"estimator": estimator, "states": states, "covariance": cov, "coverage": share}
                for cov, share in found.items()
            ]
    return rows


def picture(rows: list[dict[str, object]], path: Path) -> None:
    from foedus.report.draw import style

    looks = {
        "classical": ("#b2182b", "o"), "cluster(dyad)": ("#ef8a62", "s"),
        "dyadic": ("#2166ac", "D"), "jackknife": ("#67a9cf", "^"),
    }  # fmt: skip
    with style.rc():
        drawing = style.figure(3.1, 7.2)
        axes = drawing.subplots(1, 2, sharey=True)
        for panel, (estimator, title) in zip(
            axes, (("ols", "Least squares"), ("logit", "Logit")), strict=True
        ):
            panel.axhspan(92, 97, color="#e6e6e6", zorder=0)
            panel.axhline(95, color="#555555", linewidth=0.8, zorder=1)
            for cov, name in COVARIANCES.items():
                mine = [r for r in rows if r["estimator"] == estimator and r["covariance"] == cov]
                colour, marker = looks[cov]
                panel.plot(
                    [r["states"] for r in mine], [100 * float(r["coverage"]) for r in mine],
                    color=colour, marker=marker, markersize=5, linewidth=1.2, label=name,
                )  # fmt: skip
            panel.set_title(title, loc="left")
            panel.set_xlabel("states")
            panel.set_xticks(STATES)
            panel.set_ylim(0, 102)
        axes[0].set_ylabel("95 % intervals that hold the truth, %")
        handles, labels = axes[0].get_legend_handles_labels()
        drawing.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
        drawing.savefig(path, dpi=150, metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=600)
    draws = parser.parse_args().draws
    rows = table(draws)
    if draws < 600:
        return
    with (IMAGES / "dyadic_coverage.csv").open("w", newline="", encoding="utf-8") as sheet:
        writer = csv.DictWriter(sheet, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    picture(rows, IMAGES / "dyadic_coverage.png")


if __name__ == "__main__":
    main()
