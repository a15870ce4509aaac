"""Planted truths of measures: what a study estimates outside of a formula.

Each entry names a kind of measure, and how a truth is put where it looks: into the outcome of the
study's rows (`foedus.studies.measures` is given the panel with that one column drawn anew), or, for
tails, what the world's own law of deaths says. As in `foedus.world.planting` the measure is then
run with the study's options.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray
from foedus.models.drawing import Chance, Rule, find_law
from foedus.models.estimation import fit_inputs
from foedus.studies.estimation import Estimation
from foedus.studies.measures import MeasureContext, MeasureRow, get_measure
from foedus.studies.schema import Design, MeasureSpec
from foedus.world.coefficients import Coefficients

Truth = Mapping[str, float]
Panel = Mapping[str, NDArray[Any]]
FEW_DRAWS = 99
"""Bootstrap samples and shufflings of a measure here; the studies take up to a thousand."""
FEWEST_DRAWS = 39
"""Where each draw is a fit by itself; p-values of at most .05 still have a chance of .05."""


@dataclass(frozen=True)
class Kind:
    """One kind of measure whose truth can be planted.

    Attributes
    ----------
    values : callable
        The stated truths by term, given the rule: what config/recovery/planted.csv holds.
    run : callable
        Measure, estimation, truths and chance to the measure's rows and the truth of each term
        (terms that aren't among them have none).
    own : bool
        Whether the truth is the world's own and nothing is drawn anew.
    """

    values: Callable[[Estimation, MeasureSpec, Rule], dict[str, float]]
    run: Callable[
        [Estimation, MeasureSpec, Truth, Chance], tuple[list[MeasureRow], dict[str, float]]
    ]
    own: bool = False


def leading_measures(design: Design) -> tuple[str, ...]:
    """Return the measures that a study's headline names, of those whose truth can be planted."""
    named = [line.model for line in design.leading if line.model in design.measures]
    return tuple(name for name in dict.fromkeys(named) if design.measures[name].measure in KINDS)


def _options(spec: MeasureSpec, **changes: Any) -> dict[str, Any]:
    return {**get_measure(spec.measure).resolve_options(spec.options), **changes}


def _fewer(spec: MeasureSpec) -> dict[str, Any]:
    """Return options with few resamples."""
    options = _options(spec)
    return {**options, "draws": min(int(options["draws"]), FEW_DRAWS)}


def _measured(
    estimation: Estimation, spec: MeasureSpec, options: dict[str, Any], panel: Panel | None
) -> list[MeasureRow]:
    made = get_measure(spec.measure).run(MeasureContext(estimation.memo.tables, options, panel))
    return list(made.rows)


def _with(panel: Panel, **columns: FloatArray) -> dict[str, NDArray[Any]]:
    """Return the panel with columns drawn anew, missing where they were."""
    made = dict(panel)
    for name, values in columns.items():
        made[name] = np.where(np.isnan(np.asarray(panel[name], np.float64)), np.nan, values)
    return made


# --- a treatment among matched rows ----------------------------------------------------------


def _plant_matched(estimation: Estimation, spec: MeasureSpec, rule: Rule) -> dict[str, float]:
    probit = _options(spec)["estimator"] == "probit"
    centre = special.ndtri(rule.share) if probit else special.logit(rule.share)
    return {"effect": -rule.size, "(centre)": float(f"{float(centre):.4g}")}


def _run_matched(
    estimation: Estimation, spec: MeasureSpec, truth: Truth, chance: Chance
) -> tuple[list[MeasureRow], dict[str, float]]:
    """Draw the outcome from a model of the treatment alone: strata are alike by design."""
    options, panel = _options(spec), estimation._panel()
    treated = np.asarray(panel[options["treatment"]], np.float64)
    index = truth["(centre)"] + truth["effect"] * np.nan_to_num(treated)
    link = special.ndtr if options["estimator"] == "probit" else special.expit
    drawn = (chance.uniform(index.size) < link(index)).astype(np.float64)
    made = _with(panel, **{options["outcome"]: drawn})
    return _measured(estimation, spec, options, made), {"effect": truth["effect"]}


# --- event studies ---------------------------------------------------------------------------


def _plant_events(estimation: Estimation, spec: MeasureSpec, rule: Rule) -> dict[str, float]:
    return {"average": -2.0 * rule.size, "before": 0.0}


def _run_events(
    estimation: Estimation, spec: MeasureSpec, truth: Truth, chance: Chance
) -> tuple[list[MeasureRow], dict[str, float]]:
    """Draw effects of units and years, and one effect from the year of the treatment on."""
    from foedus.studies.measures_event_study import _number

    options, panel = _options(spec), estimation._panel()
    unit = _number(panel, options["unit"])
    year = np.asarray(panel["year"], np.int64)
    flag = np.asarray(panel[options["treated"]], np.float64)
    inside = np.ones(year.size, dtype=bool)
    if options["years"] is not None:
        inside = (year >= options["years"][0]) & (year <= options["years"][1])
    start = np.full(int(unit.max()) + 1, np.inf)
    np.minimum.at(start, unit[inside & (flag == 1)], year[inside & (flag == 1)])
    since = year - year.min()
    drawn = (
        chance.effects(start.size)[unit]
        + chance.effects(int(since.max()) + 1)[since]
        + truth["average"] * (year >= start[unit])
        + chance.normal(year.size)
    )
    made = _with(panel, **{options["outcome"]: drawn})
    rows = _measured(estimation, spec, options, made)
    known = {}
    for row in rows:
        name = row.term.split(",")[0]
        if name in truth:
            known[row.term] = truth[name]
    return rows, known


# --- broken pledges --------------------------------------------------------------------------


def _cases(estimation: Estimation, spec: MeasureSpec) -> Any:
    from foedus.studies.measures_violation import TERMS, violation_cases

    cases = violation_cases(estimation.memo.tables, _options(spec))
    return cases.drop_nulls(list(TERMS)).to_pandas(), " + ".join(TERMS)


def _plant_violation(estimation: Estimation, spec: MeasureSpec, rule: Rule) -> dict[str, float]:
    known, terms = _cases(estimation, spec)
    inputs, _ = fit_inputs(f"violated ~ {terms}", known, "logit")
    return find_law("logit").plant(inputs, rule)


def _run_violation(
    estimation: Estimation, spec: MeasureSpec, truth: Truth, chance: Chance
) -> tuple[list[MeasureRow], dict[str, float]]:
    """Draw which cases are broken, and estimate the measure's logit on them."""
    from foedus.studies.measures_violation import violation_rows

    known, terms = _cases(estimation, spec)
    if len(known) < 30:
        raise EstimationError(f"violation_by_rule: {len(known)} complete cases are too few.")
    inputs, _ = fit_inputs(f"violated ~ {terms}", known, "logit")
    known["violated"] = find_law("logit").draw(inputs, truth, chance).y
    return violation_rows(known), dict(truth)


# --- wars ------------------------------------------------------------------------------------


def _plant_groups(estimation: Estimation, spec: MeasureSpec, rule: Rule) -> dict[str, float]:
    return {"alpha group": 1.9, "alpha others": 1.6, "alpha difference": 0.3}


def _run_groups(
    estimation: Estimation, spec: MeasureSpec, truth: Truth, chance: Chance
) -> tuple[list[MeasureRow], dict[str, float]]:
    """Draw two power laws above the threshold."""
    options, panel = _fewer(spec), estimation._panel()
    inside = np.asarray(panel[options["group"]], np.float64) == 1
    alpha = np.where(inside, truth["alpha group"], truth["alpha others"])
    drawn = float(options["threshold"]) * chance.uniform(alpha.size) ** (-1.0 / (alpha - 1.0))
    made = _with(panel, **{options["outcome"]: drawn})
    return _measured(estimation, spec, options, made), dict(truth)


def _plant_mediated(estimation: Estimation, spec: MeasureSpec, rule: Rule) -> dict[str, float]:
    return {
        "treatment on first mediator": 0.5,
        "first mediator on outcome": 0.5,
        "direct": 0.5,
        "through the mediators": 0.25,
        "total": 0.75,
    }


def _run_mediated(
    estimation: Estimation, spec: MeasureSpec, truth: Truth, chance: Chance
) -> tuple[list[MeasureRow], dict[str, float]]:
    """Draw the first mediator from the treatment, the outcome from both; errors standard normal."""
    options, panel = _fewer(spec), estimation._panel()
    treated = np.asarray(panel[options["treatment"]], np.float64)
    first = truth["treatment on first mediator"] * treated + chance.normal(treated.size)
    y = truth["direct"] * treated + truth["first mediator on outcome"] * first
    made = _with(
        panel,
        **{options["mediators"][0]: first, options["outcome"]: y + chance.normal(treated.size)},
    )
    return _measured(estimation, spec, options, made), dict(truth)


def _plant_sizes(estimation: Estimation, spec: MeasureSpec, rule: Rule) -> dict[str, float]:
    made = {"(log mean)": float(f"{np.log(2.0):.4g}"), "(theta)": 2.0}
    return {**made, **{f"({name})": 0.5 for name in _options(spec)["ties"]}}


def _run_sizes(
    estimation: Estimation, spec: MeasureSpec, truth: Truth, chance: Chance
) -> tuple[list[MeasureRow], dict[str, float]]:
    """Draw counts whose mean the ties raise; the change is that of this world's wars."""
    from scipy import stats

    options, panel = _fewer(spec), estimation._panel()
    names = [options["outcome"], *options["ties"], *options["controls"]]
    index = np.full(len(panel[names[0]]), truth["(log mean)"])
    for name in options["ties"]:
        index = index + truth[f"({name})"] * np.asarray(panel[name], np.float64)
    used = np.isfinite(np.array([panel[name] for name in names], np.float64)).all(axis=0)
    mean, theta = np.exp(np.nan_to_num(index)), truth["(theta)"]
    drawn = stats.nbinom.ppf(chance.uniform(mean.size), theta, theta / (theta + mean))
    made = _with(panel, **{options["outcome"]: np.asarray(drawn, np.float64)})
    with_ties = float(mean[used].sum())
    without = float(np.exp(truth["(log mean)"]) * used.sum())
    known = {"change, percent": 100.0 * (without / with_ties - 1.0)}
    return _measured(estimation, spec, options, made), known


def _no_change(estimation: Estimation, spec: MeasureSpec, rule: Rule) -> dict[str, float]:
    return {"alpha difference": 0.0}


def _run_periods(
    estimation: Estimation, spec: MeasureSpec, truth: Truth, chance: Chance
) -> tuple[list[MeasureRow], dict[str, float]]:
    """Run it as it is: the world's law of deaths has one exponent in all years."""
    return _measured(estimation, spec, _fewer(spec), None), dict(truth)


def _own_shape(estimation: Estimation, spec: MeasureSpec, rule: Rule) -> dict[str, float]:
    shape = float(f"{1.0 / (Coefficients().deaths.exponent - 1.0):.4g}")
    return {"shape, deaths as they are": shape}


def _run_bounded(
    estimation: Estimation, spec: MeasureSpec, truth: Truth, chance: Chance
) -> tuple[list[MeasureRow], dict[str, float]]:
    """Run it as it is: deaths have a Pareto tail, excesses the shape 1 / (alpha - 1)."""
    rows = _measured(estimation, spec, {**_fewer(spec), "draws": FEWEST_DRAWS}, None)
    return [_with_interval(row) for row in rows], dict(truth)


def _own_chance(estimation: Estimation, spec: MeasureSpec, rule: Rule) -> dict[str, float]:
    return {"change p": 0.5}


def _run_change(
    estimation: Estimation, spec: MeasureSpec, truth: Truth, chance: Chance
) -> tuple[list[MeasureRow], dict[str, float]]:
    """Run it as it is: the world's law never changes, so the p-value is uniform, 0.5 on average."""
    rows = _measured(estimation, spec, {**_options(spec), "draws": FEWEST_DRAWS}, None)
    told = [dataclasses.replace(row, p_value=row.estimate, std_error=None) for row in rows]
    return told, dict(truth)


def _with_interval(row: MeasureRow) -> MeasureRow:
    """Return a row with its normal interval, where it has a standard error and none of its own."""
    if row.estimate is None or row.std_error is None or row.ci_low is not None:
        return row
    half = 1.959963984540054 * row.std_error
    return dataclasses.replace(row, ci_low=row.estimate - half, ci_high=row.estimate + half)


KINDS: dict[str, Kind] = {
    "coarsened_matching": Kind(_plant_matched, _run_matched),
    "event_study": Kind(_plant_events, _run_events),
    "mediated_effect": Kind(_plant_mediated, _run_mediated),
    "sizes_without_ties": Kind(_plant_sizes, _run_sizes),
    "tail_groups": Kind(_plant_groups, _run_groups),
    "violation_by_rule": Kind(_plant_violation, _run_violation),
    "war_bounded_tail": Kind(_own_shape, _run_bounded, own=True),
    "war_change_point": Kind(_own_chance, _run_change, own=True),
    "war_tail_periods": Kind(_no_change, _run_periods, own=True),
}
"""Measures that estimate something with sampling error, by name."""
