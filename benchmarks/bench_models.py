"""Seconds and memory of the estimators on 1.5 million directed dyad-years, and of statsmodels.

    python benchmarks/bench_models.py [sample_ddy.csv.gz]
    python benchmarks/bench_models.py --rows 20000000     a synthetic sample of that size
    python benchmarks/bench_models.py --specifications    1,000 models, extrapolated from 40
    python benchmarks/bench_models.py --specifications --all       ... all of them run
    python benchmarks/bench_models.py --growth            how cost grows, to 20 million rows
    python benchmarks/bench_models.py --passes            compiled passes over rows, and plain ones

Uses ../shared/samples/sample_ddy.csv.gz beside the repository, or the file named, or else a
synthetic sample of the same size. Set OPENBLAS_NUM_THREADS=1 for the time of one core. Ours and
statsmodels' logit run in processes of their own, on the same columns, so that their memory can be
compared; times are the best of three.
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
from foedus.models.influence import leave_one_out

TERMS = (
    "defense + contig + lndist + jointdem + lncapshare + major1 + major2 + t + t2 + t3 + century"
)
FORMULA = f"y ~ {TERMS}"
COVARIANCES = [
    "classical", "HC0", "HC1", "HC2", "HC3", "cluster(dyad)", "cluster(ddyad)",
    "cluster(ccode1,ccode2)", "dyadic",
]  # fmt: skip


def find_sample() -> Path | None:
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        return Path(sys.argv[1])
    for parent in Path(__file__).resolve().parents:
        path = parent / "shared" / "samples" / "sample_ddy.csv.gz"
        if path.is_file():
            return path
    return None


def synthetic(n: int) -> pd.DataFrame:
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


TEN = "y ~ defense + contig + lndist + jointdem + lncapshare + major1 + major2 + t + t2 + t3"


def read(path: Path | None, rows: int) -> pd.DataFrame:
    data = synthetic(rows) if path is None else pd.read_csv(path)
    data["t2"], data["t3"] = data["t"] ** 2 / 100, data["t"] ** 3 / 10_000
    data["century"] = (data["year"] - 1900) / 100
    return data


def best_of(call: Callable[[], Any], times: int = 3) -> tuple[float, float]:
    """Return the shortest wall and processor seconds of some calls."""
    walls, cpus = [], []
    for _ in range(times):
        began, cpu = time.perf_counter(), time.process_time()
        call()
        walls.append(time.perf_counter() - began)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus)


def alone(which: str, data: pd.DataFrame, queue: Any) -> None:
    """Fit one program's logit; report seconds and the memory it added to the data."""
    if which == "statsmodels":
        from statsmodels.discrete.discrete_model import Logit
    small = data.iloc[:20_000]
    estimate(TEN, small, separation="drop")
    before = peak()
    if which == "foedus":
        seconds = best_of(lambda: estimate(TEN, data))
    else:
        names = TEN.partition("~ ")[2].split(" + ")

        def fit() -> Any:
            X = np.ones((len(data), 1 + len(names)))
            for place, name in enumerate(names):
                X[:, place + 1] = data[name]
            return Logit(data["y"].to_numpy(dtype=float), X).fit(disp=0)

        seconds = best_of(fit)
    queue.put((*seconds, peak() - before))


def side_by_side(data: pd.DataFrame) -> None:
    import multiprocessing

    fork = multiprocessing.get_context("fork")
    found = {}
    for which in ("foedus", "statsmodels"):
        queue = fork.Queue()
        child = fork.Process(target=alone, args=(which, data, queue))
        child.start()
        found[which] = queue.get()
        child.join()
        wall, cpu, memory = found[which]
        print(f"logit, {which:11s} {wall:6.2f} s, {cpu:6.2f} s of processor, {memory:5.0f} MB more")
    ours, other = found["foedus"], found["statsmodels"]
    print(
        f"statsmodels / foedus: {other[0] / ours[0]:.1f} in seconds, {other[1] / ours[1]:.1f} in "
        f"processor seconds, {other[2] / ours[2]:.1f} in memory\n",
        flush=True,
    )


GROWTH = (1_250_000, 2_500_000, 5_000_000, 10_000_000, 20_000_000)


def grown(rows: int, queue: Any) -> None:
    """Fit a logit with dyadic errors to a synthetic sample; report seconds and memory.

    The frame holds flags in a byte, codes and years in two, measures in four: what a panel of that
    size is kept in. The fit's own matrix is in double precision.
    """
    data = synthetic(rows)
    small = dict.fromkeys(("defense", "contig", "jointdem", "major1", "major2", "y"), np.int8)
    small |= dict.fromkeys(("ccode1", "ccode2", "year", "t"), np.int16)
    small |= dict.fromkeys(("lndist", "lncapshare"), np.float32)
    data = data.astype(small)
    data["t2"] = (data["t"].astype(np.float32) ** 2 / 100).astype(np.float32)
    data["t3"] = (data["t"].astype(np.float32) ** 3 / 10_000).astype(np.float32)
    held = int(data.memory_usage().sum()) / 2**20
    estimate(TEN, data.iloc[:20_000], separation="drop")
    best = best_of(lambda: estimate(TEN, data, cov="dyadic"), 2 if rows < 10_000_000 else 1)
    queue.put((*best, held, peak()))


def growth() -> None:
    """Print how a logit's cost grows with rows, each size in a process of its own."""
    import multiprocessing

    fork = multiprocessing.get_context("fork")
    for rows in GROWTH:
        queue = fork.Queue()
        child = fork.Process(target=grown, args=(rows, queue))
        child.start()
        wall, cpu, held, most = queue.get()
        child.join()
        print(
            f"{rows:>11,} rows: logit with dyadic errors {wall:6.2f} s, {cpu:6.2f} s of processor, "
            f"{1e9 * cpu / rows:5.0f} ns a row; the frame holds {held:.0f} MB, peak {most:.0f} MB",
            flush=True,
        )


def dyadic_and_the_usual_loop(data: pd.DataFrame) -> None:
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.stats.sandwich_covariance import cov_cluster

    from foedus.models.covariance import Identifiers, covariance_of, parse_covariance

    result = estimate(TEN, data)
    sides = data["ccode1"].to_numpy(), data["ccode2"].to_numpy()
    spec = parse_covariance("dyadic")
    wall, cpu = best_of(lambda: covariance_of(spec, result.fit.made, Identifiers({}, sides)))
    fitted = Logit(result.fit.y, np.ascontiguousarray(result.fit.X)).fit(disp=0)
    states = np.unique(np.concatenate(sides))
    own = np.arange(len(data))

    def one_state(state: int) -> None:
        mine = (sides[0] == state) | (sides[1] == state)
        cov_cluster(fitted, np.where(mine, 0, own + 1))

    one, one_cpu = best_of(lambda: one_state(2), 2)
    print(
        f"dyadic-robust: {wall:.2f} s, {cpu:.2f} s of processor; one clustered sandwich for a "
        f"state (statsmodels) {one:.2f} s, so for {len(states)} states {one * len(states):.0f} s: "
        f"{one * len(states) / wall:.0f} times as long ({one_cpu * len(states) / cpu:.0f} in "
        "processor seconds)\n",
        flush=True,
    )


def left_out(data: pd.DataFrame) -> None:
    result = estimate(TEN, data)
    fit, fit_cpu = best_of(lambda: estimate(TEN, data))
    for steps in (0, 1):
        wall, cpu = best_of(lambda s=steps: leave_one_out(result, data, steps=s), 1)
        gap = leave_one_out(result, data, steps=steps).gap
        print(
            f"without each state, {1 + steps} step(s): {wall:.2f} s = {wall / fit:.1f} fits "
            f"({cpu / fit_cpu:.1f} in processor seconds), at most {gap:.1g} standard errors off",
            flush=True,
        )
    print()


def passes_compiled_and_plain(data: pd.DataFrame) -> None:
    """Print a fit by passes block by block in numpy, and by compiled ones, a matrix's room kept."""
    from foedus.models import fit
    from foedus.models.room import Room

    compiled, shared = fit.COMPILED_ROWS, Room()
    for estimator in ("logit", "probit"):
        near = estimate(TEN.replace(" + contig", ""), data, estimator)

        def again(room: Room | None = None, one: str = estimator, start: Any = near) -> None:
            estimate(TEN, data, one, near=start, room=room)

        fit.COMPILED_ROWS = len(data) + 1
        plain, plain_cpu = best_of(again)
        fit.COMPILED_ROWS = compiled
        wall, cpu = best_of(lambda call=again: call(shared))
        print(
            f"{estimator} from a neighbour's estimates: plain passes {plain:.2f} s "
            f"({plain_cpu:.2f} of processor), compiled {wall:.2f} s ({cpu:.2f} of processor)",
            flush=True,
        )
    print()


def some_formulas(count: int) -> list[str]:
    """Return models of the outcome on some of the ten terms each, all different where they can."""
    names = TEN.partition("~ ")[2].split(" + ")
    rng = np.random.default_rng(0)
    return [
        "y ~ " + " + ".join(n for n, use in zip(names, rng.random(len(names)) < 0.7, strict=True)
                            if use or n in ("defense", "t"))
        for _ in range(count)
    ]  # fmt: skip


def run_some(formulas: list[str], data: pd.DataFrame, start: dict[str, float], queue: Any) -> None:
    """Estimate some models in a process of its own; report its processor seconds."""
    cpu = time.process_time()
    for formula in formulas:
        estimate(formula, data, cov="cluster(dyad)", near=start)
    queue.put(time.process_time() - cpu)


def specifications(data: pd.DataFrame, count: int = 40) -> None:
    """Print how long 1,000 specifications take in two processes (one thread each).

    `count` of them are run, each from the whole model's estimates, unless --all asks for 1,000.
    """
    import multiprocessing

    count = 1000 if "--all" in sys.argv else count
    formulas, fork = some_formulas(count), multiprocessing.get_context("fork")
    queue = fork.Queue()
    began = time.perf_counter()
    whole = estimate(TEN, data)
    start = dict(zip(whole.terms, whole.params.tolist(), strict=True))
    children = [
        fork.Process(target=run_some, args=(formulas[one::2], data, start, queue)) for one in (0, 1)
    ]
    for child in children:
        child.start()
    cpu = sum(queue.get() for _ in children)
    wall = time.perf_counter() - began
    print(
        f"1,000 specifications, clustered errors, two processes: {1000 * wall / count / 60:.1f} "
        f"min ({1000 * cpu / count / 60:.1f} min of processor), from {count} of them\n",
        flush=True,
    )


def main() -> None:
    warnings.simplefilter("ignore")
    if "--growth" in sys.argv:
        growth()
        return
    rows = int(sys.argv[sys.argv.index("--rows") + 1]) if "--rows" in sys.argv else 0
    path = None if rows else find_sample()
    data = read(path, rows or 1_535_318)
    held = int(data.memory_usage().sum()) / 2**20
    source = "synthetic" if path is None else path.name
    print(f"{source}: {len(data):,} rows; the frame holds {held:.0f} MB\n")
    if "--specifications" in sys.argv:
        specifications(data)
        return
    if "--passes" in sys.argv:
        passes_compiled_and_plain(data)
        return
    side_by_side(data)
    if rows:
        return
    dyadic_and_the_usual_loop(data)
    passes_compiled_and_plain(data)
    left_out(data)
    specifications(data)
    timed("(start: data loaded)", lambda: None)
    for estimator in ("logit", "probit", "cloglog", "ols", "poisson"):
        timed(estimator, lambda e=estimator: estimate(FORMULA, data, e))
    for cov in ("cluster(dyad)", "cluster(ccode1,ccode2)", "dyadic", "CR3(ccode1)", "jackknife"):
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
