"""What changes when a state gains a pact: event studies, and treated rows beside matched ones.

The estimators are those of `foedus.models` (`event_study`, `match_nearest`, `inverse_propensity`,
`doubly_robust`); here a study's sample is brought to what they need. Units take up the treatment
in different years, and an effect that differs between early and late adopters, or grows with time,
turns the two-way regression into an average with negative weights; so the estimators that compare
each cohort with units not treated lead, and the two-way regression stands beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.registry import Option
from foedus.errors import EstimationError, UsageError
from foedus.studies.measures import MeasureContext, MeasureResult, MeasureRow, measure

Array = NDArray[np.float64]
METHODS = ("callaway_santanna", "sun_abraham", "imputation", "twfe")
SAYS = {
    "callaway_santanna": "Callaway & Sant'Anna",
    "sun_abraham": "Sun & Abraham",
    "imputation": "imputation",
    "twfe": "two-way regression",
}
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Adoption:
    """A sample cut to what an event study reads.

    Attributes
    ----------
    rows : int array
        Rows of the panel that are used.
    unit : int array
        Number of each used row's unit.
    cohort : float array
        Year in which the unit is first treated; NaN if it never is.
    treated, never, from_start : int
        Units treated while seen, never treated, and left out because they weren't seen in the year
        before they were treated (or were treated when first seen).
    """

    rows: NDArray[np.int64]
    unit: NDArray[np.int64]
    cohort: Array
    treated: int
    never: int
    from_start: int


def adoption(unit: NDArray[np.int64], time: Array, flag: Array, first: int, last: int) -> Adoption:
    """Find when each unit is first treated, and cut treated units to a window around it.

    Parameters
    ----------
    unit, time, flag : arrays
        Who, when, and whether the treatment holds (NaN: unknown, such a row is left out).
    first, last : int
        First and last year of the window, counted from the year of treatment; units never treated
        keep all their years.

    Raises
    ------
    EstimationError
        If no unit is seen before its treatment, or none is never treated.
    """
    # ASSUME: a treatment once taken up is kept. A pact that ends leaves its holder among the
    # treated: what is measured is the effect of having gained it, whatever became of it.
    known = np.flatnonzero(~np.isnan(flag) & ~np.isnan(time))
    who, when, on = unit[known], time[known], flag[known] == 1
    n = int(unit.max()) + 1 if unit.size else 0
    seen, start = np.full(n, np.inf), np.full(n, np.inf)
    np.minimum.at(seen, who, when)
    np.minimum.at(start, who[on], when[on])
    # effects are changes against the year before, so that year must be seen
    just_before = np.zeros(n, bool)
    just_before[who[when == start[who] - 1]] = True
    from_start = np.isfinite(start) & ((start <= seen) | ~just_before)
    since = when - start[who]
    outside = np.isfinite(since) & ((since < first) | (since > last))
    used = known[~from_start[who] & ~outside]
    cohort = np.where(np.isfinite(start), start, np.nan)[unit[used]]
    treated = int((np.isfinite(start) & ~from_start).sum())
    never = int((np.isfinite(seen) & ~np.isfinite(start)).sum())
    if treated == 0 or never == 0:
        which = "is treated while it is seen" if treated == 0 else "is never treated"
        raise EstimationError(f"event study: no unit {which}.")
    return Adoption(used, unit[used], cohort, treated, never, int(from_start.sum()))


def _panel(context: MeasureContext, who: str) -> Mapping[str, NDArray[Any]]:
    if context.panel is None:
        raise UsageError(f"{who} works on the study's own rows: say panel: true.")
    return context.panel


def _column(panel: Mapping[str, NDArray[Any]], name: str) -> Array:
    if name not in panel:
        raise UsageError(f'"{name}" is not a variable of the study.')
    return np.asarray(panel[name], np.float64)


def _number(panel: Mapping[str, NDArray[Any]], keys: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each distinct combination of keys."""
    columns = np.column_stack([_column(panel, key).astype(np.int64) for key in keys])
    return np.asarray(np.unique(columns, axis=0, return_inverse=True)[1].reshape(-1), np.int64)


def _years(panel: Mapping[str, NDArray[Any]], years: Sequence[int] | None) -> NDArray[np.bool_]:
    time = _column(panel, "year")
    if years is None:
        return np.ones(time.size, bool)
    return np.asarray((time >= years[0]) & (time <= years[1]))


@measure(
    "event_study",
    says="The outcome by years since a unit was first treated, against units never treated, by "
    "estimators for treatments taken up at different times; the years before show whether the two "
    "went alike until then.",
    citations=["callaway_santanna_2021", "sun_abraham_2021", "borusyak_jaravel_spiess_2024"],
    options={
        "outcome": Option("", "Variable that is compared."),
        "treated": Option("", "Variable that is 1 while the treatment holds."),
        "unit": Option(("ccode",), "Keys of the units, [ccode] or [ccode1, ccode2]."),
        "methods": Option(("callaway_santanna", "sun_abraham"), "Estimators, the first leads.",
                          METHODS, many=True),
        "control": Option("never", "For Callaway & Sant'Anna: units never treated, or also those "
                          "not yet treated.", ("never", "not_yet")),
        "before": Option(5, "Years before the treatment that are shown.", least=2),
        "after": Option(10, "Years after it.", least=0),
        "years": Option(None, "First and last year of the rows used; all without."),
        "covariance": Option(("cluster",), "Covariances: cluster (the unit), dyadic.",
                             ("cluster", "dyadic"), many=True),
    },
)  # fmt: skip
def event_study_rows(context: MeasureContext) -> MeasureResult:
    """Return for each estimator the average effect, each year's, the leads' mean and their test.

    Terms are ``average``, ``t-2``, ``t+0`` ..., ``before`` (mean of the leads) and ``leads`` (a
    chi-square that all are 0), of the first estimator; those of others carry its name after a
    comma. Callaway and Sant'Anna's leads are changes from one year to the next, the others' are
    against the year before treatment.
    """
    panel, options = _panel(context, "event_study"), context.options
    inside = np.flatnonzero(_years(panel, options["years"]))
    outcome = _column(panel, options["outcome"])[inside]
    flag = _column(panel, options["treated"])[inside]
    flag = np.where(np.isnan(outcome), np.nan, flag)
    first, last = -int(options["before"]), int(options["after"])
    cut = adoption(
        _number(panel, options["unit"])[inside], _column(panel, "year")[inside], flag, first, last
    )
    data: dict[str, Any] = {
        "y": outcome[cut.rows], "unit": cut.unit, "cohort": cut.cohort,
        "year": _column(panel, "year")[inside][cut.rows],
    }  # fmt: skip
    for key in ("ccode1", "ccode2"):
        if key in panel:
            data[key] = _column(panel, key)[inside][cut.rows]
    rows = [
        _count("units treated", cut.treated),
        _count("units never treated", cut.never),
        _count("units not seen before treatment", cut.from_start),
        _baseline(data),
    ]
    series = []
    for place, method in enumerate(options["methods"]):
        try:
            found = _estimated(data, method, options, (first, last))
        except EstimationError as error:
            if place == 0:
                raise
            rows.append(MeasureRow(f"average, {SAYS[method]}", None, note=str(error)))
            continue
        rows += _rows_of(found, "" if place == 0 else f", {SAYS[method]}", cut)
        series.append(_series(found, SAYS[method]))
    drawn = {
        "type": "curve", "series": series, "vline": -0.5, "hline": 0.0,
        "title": "The outcome by years since the treatment",
        "xlabel": "Years since the treatment", "ylabel": "Change against units never treated",
    }  # fmt: skip
    return MeasureResult(rows, plots={"events": drawn}, sentences=(_said(cut, options),))


def _count(term: str, number: int) -> MeasureRow:
    return MeasureRow(term, float(number), kind="count", n=number)


def _baseline(data: Mapping[str, Any]) -> MeasureRow:
    """Return the treated units' mean in the years before, which effects are to be read against."""
    before = data["year"] < data["cohort"]
    n = int(before.sum())
    mean = float(data["y"][before].mean()) if n else None
    return MeasureRow("mean before treatment", mean, n=n)


def _estimated(
    data: Mapping[str, Any], method: str, options: Mapping[str, Any], window: tuple[int, int]
) -> Any:
    from foedus.models.staggered import event_study

    found = event_study(
        data, "y", unit="unit", time="year", cohort="cohort", method=method,
        control=options["control"], window=window, cov=list(options["covariance"]),
        dyad=("ccode1", "ccode2") if "ccode1" in data else None,
    )  # fmt: skip
    if "average" not in found.terms:
        raise EstimationError(
            "event study: no treated unit can be compared with an untreated one in a year after "
            "its treatment; take a wider window or other controls."
        )
    return found


def _rows_of(found: Any, suffix: str, cut: Adoption) -> list[MeasureRow]:
    from scipy import stats

    rows: list[MeasureRow] = []
    terms = list(found.terms)
    for name in found.covariances:
        V = np.asarray(found.vcov(name))
        how = name.replace("cluster(unit)", "cluster by unit")
        made = {
            term: (float(found.params[j]), float(np.sqrt(V[j, j]))) for j, term in enumerate(terms)
        }
        leads = [j for j, term in enumerate(terms) if term.startswith("t-")]
        if leads:
            weight = np.zeros(len(terms))
            weight[leads] = 1 / len(leads)
            made["before"] = (float(weight @ found.params), float(np.sqrt(weight @ V @ weight)))
        for term in ("average", *(term for term in made if term != "average")):
            value, error = made[term]
            z = value / error if error > 0 else np.nan
            rows.append(MeasureRow(
                f"{term}{suffix}", value, std_error=error, ci_low=value - Z95 * error,
                ci_high=value + Z95 * error, p_value=float(2 * stats.norm.sf(abs(z))),
                n=int(found.n_obs), n_events=cut.treated, how=how,
            ))  # fmt: skip
        if leads:
            part = V[np.ix_(leads, leads)]
            chi = float(found.params[leads] @ np.linalg.pinv(part, hermitian=True)
                        @ found.params[leads])  # fmt: skip
            df = int(np.linalg.matrix_rank(part, hermitian=True))
            rows.append(MeasureRow(
                f"leads{suffix}", chi, p_value=float(stats.chi2.sf(chi, df)), n=df, how=how,
                note=f"chi-square with {df} degrees of freedom that no lead differs from 0",
            ))  # fmt: skip
    # a term's rows stand together, the first covariance leading
    order = list(dict.fromkeys(row.term for row in rows))
    return sorted(rows, key=lambda row: order.index(row.term))


def _series(found: Any, label: str) -> dict[str, Any]:
    V = np.asarray(found.vcov())
    events = [(int(term[1:]), j) for j, term in enumerate(found.terms) if term[0] == "t"]
    if all(event != -1 for event, _ in events):
        events.append((-1, -1))
    x, y, lo, hi = [], [], [], []
    for event, j in sorted(events):
        value = 0.0 if j < 0 else float(found.params[j])
        error = 0.0 if j < 0 else float(np.sqrt(V[j, j]))
        x.append(event)
        y.append(value)
        lo.append(value - Z95 * error)
        hi.append(value + Z95 * error)
    return {"label": label, "x": x, "y": y, "lo": lo, "hi": hi}


def _said(cut: Adoption, options: Mapping[str, Any]) -> str:
    return (
        f"{cut.treated} units are treated while they are seen and {cut.never} never are; "
        f"{cut.from_start} whose year before it isn't seen are left out. Of the treated, "
        f"years from {options['before']} before to {options['after']} after are used."
    )


# --- matched controls -----------------------------------------------------------------------


@measure(
    "matched_controls",
    says="The outcome of treated rows less that of untreated rows made comparable: coarsened exact "
    "matching, weights by the propensity score, and these with a regression (doubly robust).",
    citations=["robins_rotnitzky_zhao_1994"],
    options={
        "outcome": Option("", "Variable that is compared."),
        "treated": Option("", "Variable that is 1 for treated rows, 0 for others."),
        "alike_in": Option((), "Variables that make rows comparable.", many=True),
        "exact": Option((), "Variables that a match must have in common.", many=True),
        "cluster": Option(("ccode1", "ccode2"), "Keys whose combinations are clusters.", many=True),
        "years": Option(None, "First and last year of the rows used; all without."),
    },
    terms=["raw difference", "matched", "weighted", "doubly robust", "rows treated",
           "rows untreated", "largest difference before", "largest difference after"],
)  # fmt: skip
def matched_controls(context: MeasureContext) -> MeasureResult:
    """Return the differences for the treated with errors clustered by unit, and the balance."""
    from foedus.models import matching

    panel, options = _panel(context, "matched_controls"), context.options
    names = list(options["alike_in"])
    X = np.column_stack([_column(panel, name) for name in names])
    y, d = _column(panel, options["outcome"]), _column(panel, options["treated"])
    same = np.column_stack([np.zeros(y.size), *(_column(panel, name) for name in options["exact"])])
    keep = _years(panel, options["years"]) & ~np.isnan(np.column_stack([X, y, d, same])).any(1)
    X, y, d = X[keep], y[keep], d[keep]
    # measured in standard deviations, so that the propensity score's search is well scaled
    X = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
    clusters = _number(panel, options["cluster"])[keep]
    # coarsened before scores are standardised: bins are cut on each variable's own range
    matched = matching.match_coarsened(np.column_stack([X, same[keep]]), d)
    weighted = matching.inverse_propensity(y, X, d, estimand="att")
    robust = matching.doubly_robust(y, X, d, estimand="att")
    everything = np.ones(y.size)
    rows = [
        _difference("raw difference", y, d == 1, everything, clusters),
        _difference("matched", y, d == 1, matched.weights, clusters),
        _row("weighted", weighted.effect, weighted.influence, clusters, y.size, int(d.sum())),
        _row("doubly robust", robust.effect, robust.influence, clusters, y.size, int(d.sum())),
        MeasureRow("rows treated", float((d == 1).sum()), kind="count"),
        MeasureRow("rows untreated", float((d == 0).sum()), kind="count"),
    ]
    balance = matching.balance_table(X, d, matched.weights, names)
    for sample, says in (("all", "before"), ("weighted", "after")):
        part = balance[balance["sample"] == sample]["std_difference"].abs()
        rows.append(MeasureRow(f"largest difference {says}", float(part.max())))
    table = [{str(key): value for key, value in row.items()} for row in balance.to_dict("records")]
    return MeasureResult(rows, tables={"balance": table})


def _difference(
    term: str, y: Array, treated: NDArray[np.bool_], weights: Array, clusters: NDArray[np.int64]
) -> MeasureRow:
    influence = np.zeros(y.size)
    means = []
    for group, sign in ((treated, 1.0), (~treated, -1.0)):
        w = weights * group
        mean = float((w * y).sum() / w.sum())
        influence += sign * w * (y - mean) / w.sum()
        means.append(mean)
    return _row(term, means[0] - means[1], influence, clusters, int((weights > 0).sum()),
                int(treated.sum()))  # fmt: skip


def _row(
    term: str, effect: float, influence: Array, clusters: NDArray[np.int64], n: int, treated: int
) -> MeasureRow:
    from scipy import stats

    error = float(np.sqrt((np.bincount(clusters, weights=influence) ** 2).sum()))
    return MeasureRow(
        term, effect, std_error=error, ci_low=effect - Z95 * error, ci_high=effect + Z95 * error,
        p_value=float(2 * stats.norm.sf(abs(effect) / error)) if error > 0 else None, n=n,
        n_events=treated, how="cluster",
    )  # fmt: skip
