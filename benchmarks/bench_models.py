"""Seconds and memory of the estimators on 1.5 million directed dyad-years, and of statsmodels.

    python benchmarks/bench_models.py [sample_ddy.csv.gz]

Uses ../shared/samples/sample_ddy.csv.gz beside the repository, or the file named, or else a
synthetic sample of the same size. Set OPENBLAS_NUM_THREADS=1 for the time of one core.
"""

from __future__ import annotations

import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from foedus.models import bootstrap_power_law, estimate, fit_power_law

TERMS = (
    "defense + contig + lndist + jointdem + lncapshare + major1 + major2 + t + t2 + t3 + century"
)
FORMULA = f"y ~ {TERMS}"
COVARIANCES = [
    "classical", "HC0", "HC1", "HC2", "HC3", "cluster(dyad)", "cluster(ddyad)",
    "cluster(ccode1,ccode2)", "dyadic",
]  # fmt: skip


def find_sample() -> Path | None:
    if len(sys.argv) > 1:
        return Path(sys.argv[1])
    for parent in Path(__file__).resolve().parents:
        path = parent / "shared" / "samples" / "sample_ddy.csv.gz"
        if path.is_file():
            return path
    return None


def synthetic(n: int = 1_535_318) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    first = rng.integers(0, 200, n)
    frame = {
        "ccode1": first,
        "ccode2": (first + rng.integers(1, 200, n)) % 200,
        "year": rng.integers(1816, 2011, n),
        "lndist": rng.normal(8, 1, n),
        "lncapshare": rng.normal(-2, 1, n),
        "t": rng.integers(0, 80, n),
    }
    frame |= {
        name: rng.binomial(1, 0.08, n)
        for name in ("defense", "contig", "jointdem", "major1", "major2")
    }
    eta = -4.5 + frame["contig"] - 0.2 * frame["lndist"] - 0.03 * frame["t"]
    return pd.DataFrame({**frame, "y": rng.random(n) < 1 / (1 + np.exp(-eta))}).astype({"y": int})


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(what: str, call: Callable[[], Any]) -> Any:
    began, cpu = time.perf_counter(), time.process_time()
    out = call()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(
        f"{what:46s} {seconds:7.2f} s  {cpu:7.2f} s of processor  peak so far {peak():6.0f} MB",
        flush=True,
    )
    return out


def main() -> None:
    warnings.simplefilter("ignore")
    path = find_sample()
    data = synthetic() if path is None else pd.read_csv(path)
    data["t2"], data["t3"] = data["t"] ** 2 / 100, data["t"] ** 3 / 10_000
    data["century"] = (data["year"] - 1900) / 100
    held = int(data.memory_usage().sum()) / 2**20
    source = "synthetic" if path is None else path.name
    print(f"{source}: {len(data):,} rows, 12 coefficients; the frame holds {held:.0f} MB\n")
    timed("(start: data loaded)", lambda: None)
    for estimator in ("logit", "probit", "cloglog", "ols", "poisson"):
        timed(estimator, lambda e=estimator: estimate(FORMULA, data, e))
    for cov in ("cluster(dyad)", "cluster(ccode1,ccode2)", "dyadic"):
        timed(f"logit, {cov}", lambda c=cov: estimate(FORMULA, data, cov=c))
    result = timed(
        f"logit, all {len(COVARIANCES)} covariances",
        lambda: estimate(FORMULA, data, cov=COVARIANCES),
    )
    timed("average marginal effects (9 variables, dyadic)", lambda: result.effects(cov="dyadic"))
    timed("logit with I(t^2) + C(decade)", lambda: estimate(
        "y ~ contig + lndist + t + I(t^2) + C(decade)",
        data.assign(decade=data["year"] // 20), separation="drop",
    ))  # fmt: skip
    x = np.random.default_rng(1).pareto(0.5, 95) * 7000 + 1000
    law = fit_power_law(x)
    timed("power law, 95 values, 2500 bootstraps", lambda: bootstrap_power_law(x, law, draws=2500))
    against_statsmodels(data, result)


def against_statsmodels(data: pd.DataFrame, result: Any) -> None:
    try:
        from statsmodels.discrete.discrete_model import Logit, Poisson
    except ImportError:
        print("\nstatsmodels is not installed: no comparison")
        return
    print("\nstatsmodels on the same matrix:")
    y, X = result.fit.y, result.fit.X
    fitted = timed("Logit (newton)", lambda: Logit(y, X).fit(disp=0))
    groups = data["ccode1"] * 1000 + data["ccode2"]
    timed("Logit, cluster by directed dyad", lambda: Logit(y, X).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": groups.to_numpy()}
    ))  # fmt: skip
    timed("Poisson (newton)", lambda: Poisson(y, X).fit(disp=0))
    gap = np.abs(fitted.params / result.params - 1).max()
    print(f"largest relative difference of the logit's coefficients: {gap:.1e}")


if __name__ == "__main__":
    main()
