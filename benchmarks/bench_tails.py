"""Seconds of a tail's goodness-of-fit bootstrap: 2,500 draws on 95 wars, each as one run.

    python benchmarks/bench_tails.py [draws]

The 95 values are drawn from a power law like that of wars' battle deaths and rounded to whole
deaths. The power law finds its threshold anew in each draw; the other laws keep theirs. The time
is the best of two and may not be more than `LIMIT` seconds a run, or the script ends with 1.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import numpy as np

from foedus.models import bootstrap_power_law, fit_power_law
from foedus.models.tail_bootstrap import bootstrap_tail
from foedus.models.tail_laws import LAWS, fit_tail

LIMIT = 20.0
WARS = 95


def deaths() -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.floor(1000.0 * (1.0 - rng.random(WARS)) ** (-1.0 / 0.53))


def seconds(run: Callable[[], object]) -> float:
    taken = []
    for _ in range(2):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return min(taken)


def main() -> int:
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 2500
    x, worst = deaths(), 0.0
    print(f"{WARS} values, {draws:,} draws a run, processor seconds of one core")
    for kind in ("values", "whole numbers"):
        discrete = kind != "values"
        law = fit_power_law(x, discrete=discrete)
        runs = {
            "power law, threshold found in each draw": lambda law=law: bootstrap_power_law(
                x, law, draws=draws
            )
        }
        for name in LAWS:
            fit = fit_tail(x, name, xmin=1000.0, discrete=discrete)
            runs[f"{name}, threshold held"] = lambda fit=fit: bootstrap_tail(x, fit, draws=draws)
        for says, run in runs.items():
            took = seconds(run)
            worst = max(worst, took)
            print(f"{says:45s} {kind:14s} {took:6.2f} s", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"slowest run {worst:.2f} s (limit {LIMIT:.0f} s), peak memory {peak:.0f} MB")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
