"""Do the studies find what is true? Many small worlds, each run through the whole pipeline."""

from __future__ import annotations

import dataclasses
import math
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from foedus.config import Project
from foedus.sources.tables import Tables
from foedus.studies.estimation import Estimation, Memo
from foedus.studies.frame import Workshop
from foedus.studies.registry import Study, get_study
from foedus.studies.truth import against_truth
from foedus.world.build import make
from foedus.world.coefficients import Coefficients
from foedus.world.settings import make_settings

STUDIES = (
    "johnson_leeds_2011", "siverson_king_1979", "war_size_alliances", "clauset_2018",
    "berkemeier_fuhrmann_2018", "leeds_long_mitchell_2000",
)  # fmt: skip
STATES = 24
Z = 1.959963984540054
# A bootstrap of the tail takes longer than all else; its analytic standard error is used instead.
_QUICKER = {
    "clauset_2018": {
        f"measures.{name}.options.draws": 0 for name in ("posted", "rebuilt", "before_1950",
                                                         "since_1950")
    }
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """One truth beside one estimate of it in one world, under one covariance.

    Attributes
    ----------
    seed : int
    study, target, quantity, covariance : str
    truth, estimate : float
    std_error : float or None
        None for what has no sampling error: counts and rates of the world's own book.
    """

    seed: int
    study: str
    target: str
    quantity: str
    covariance: str
    truth: float
    estimate: float
    std_error: float | None


@dataclass(frozen=True)
class Recovered:
    """A truth and its estimates over many worlds.

    Attributes
    ----------
    worlds : int
        Worlds in which it could be estimated.
    truth, mean : float
        Mean over the worlds (a count's truth differs from world to world).
    bias, bias_error : float
        Mean of estimate less truth, and its Monte Carlo standard error.
    sd, mean_se : float or None
        Of the estimates over the worlds, and the mean of their standard errors.
    coverage : float or None
        Share of the worlds whose 95 percent interval holds the truth.
    power : float or None
        Share in which 0 is rejected at .05: the rate of false alarms where the truth is 0.
    exact : float
        Share in which the estimate equals the truth.
    """

    study: str
    target: str
    quantity: str
    covariance: str
    worlds: int
    truth: float
    mean: float
    bias: float
    bias_error: float
    sd: float
    mean_se: float | None
    coverage: float | None
    power: float | None
    exact: float


def recover(
    project: Project,
    seeds: Iterable[int],
    studies: Sequence[str] = STUDIES,
    states: int = STATES,
    truth: Coefficients | None = None,
) -> Iterator[Found]:
    """Draw a world a seed, run each study on its files, and yield truth beside estimate.

    Parameters
    ----------
    project : Project
        Gives the declarations; worlds are made in its data folder and removed again.
    seeds : iterable of int
    studies : sequence of str
    states : int
        Size of a world.
    truth : Coefficients, optional
        Other coefficients than the default ones: for power analysis.
    """
    for seed in seeds:
        folder = project.data / f"recovery-{seed}"
        world = folder / "world"
        try:
            make(make_settings(seed=seed, states=states), world, truth)
            inside = dataclasses.replace(
                project, data=folder, world=world, offline=True, raw_dirs=()
            )
            tables = Tables(inside)
            for name in studies:
                yield from _of_study(seed, against_truth(_study(inside, name), inside), tables)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _study(project: Project, name: str) -> Study:
    study = get_study(project, name)
    overrides = _QUICKER.get(name)
    return dataclasses.replace(study, design=study.variant(overrides)) if overrides else study


def _of_study(seed: int, study: Study, tables: Tables) -> Iterator[Found]:
    estimation = Estimation(Memo(tables, Workshop(tables)), study.design)
    for published in study.published:
        if not math.isfinite(published.estimate):
            continue
        for covariance, rebuilt in estimation.rebuilt(published):
            if rebuilt.value is None:
                continue
            yield Found(
                seed, study.id, published.maps_to, published.quantity, covariance,
                published.estimate, rebuilt.value, rebuilt.std_error,
            )  # fmt: skip


def summarise(found: Iterable[Found]) -> list[Recovered]:
    """Return one row a target and covariance, in the order in which they came."""
    groups: dict[tuple[str, str, str, str], list[Found]] = {}
    for one in found:
        key = (one.study, one.target, one.quantity, one.covariance)
        groups.setdefault(key, []).append(one)
    return [_summary(*key, rows) for key, rows in groups.items()]


def _summary(
    study: str, target: str, quantity: str, covariance: str, rows: Sequence[Found]
) -> Recovered:
    estimate = np.array([row.estimate for row in rows])
    truth = np.array([row.truth for row in rows])
    off = estimate - truth
    n = len(rows)
    sd = float(estimate.std(ddof=1)) if n > 1 else 0.0
    spread = float(off.std(ddof=1)) if n > 1 else 0.0
    tested = quantity not in ("count", "rate_percent") and all(row.std_error for row in rows)
    errors = np.array([row.std_error or math.nan for row in rows])
    return Recovered(
        study=study,
        target=target,
        quantity=quantity,
        covariance=covariance,
        worlds=n,
        truth=float(truth.mean()),
        mean=float(estimate.mean()),
        bias=float(off.mean()),
        bias_error=spread / math.sqrt(n),
        sd=sd,
        mean_se=float(errors.mean()) if tested else None,
        coverage=float((np.abs(off) <= Z * errors).mean()) if tested else None,
        power=float((np.abs(estimate) > Z * errors).mean())
        if tested and quantity == "coefficient"
        else None,
        exact=float((np.abs(off) < 1e-9 * np.maximum(1.0, np.abs(truth))).mean()),
    )


def chosen(rows: Iterable[Mapping[str, str]], covariances: Sequence[str]) -> list[dict[str, str]]:
    """Return the rows of tested quantities under the first covariance given that they have."""
    kept: dict[tuple[str, str], dict[str, str]] = {}
    order = {name: place for place, name in enumerate(covariances)}
    for row in rows:
        if not row["coverage"]:
            continue
        key = (row["study"], row["target"])
        held = kept.get(key)
        far = len(order)
        if held is None or order.get(row["covariance"], far) < order.get(held["covariance"], far):
            kept[key] = dict(row)
    return list(kept.values())
