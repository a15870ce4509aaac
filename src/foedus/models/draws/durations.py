"""Durations: Cox's model, accelerated failure times, Weibull hazards with unseen heterogeneity.

A row is followed from its start to the end of its follow-up, which is the one that it has in the
data: an event drawn later is cut off there, so that censoring is the study's own. Rows that come
under risk late are drawn from the law given survival until then. Where a model has no column of
events, every spell runs to its end.

Cox: a constant baseline hazard times exp(X b), so that the time from the start is exponential
with rate (baseline) exp(X b) (Bender, Augustin and Blettner 2005, Statistics in Medicine 24).
Accelerated times: log T = X b + sigma W, W the log of a unit exponential (Weibull) or logistic.
Weibull hazards: survival (1 + theta H)^(-1 / theta), H = (exp(X b) t)^p (Lancaster 1979).
"""

from __future__ import annotations

import numpy as np
from scipy import special

from foedus.models.arrays import FloatArray
from foedus.models.drawing import (
    Chance,
    Drawn,
    Rule,
    Truth,
    follow_up,
    index_of,
    law,
    planted,
    timed,
)
from foedus.models.draws.binary import GUMBEL, LOGISTIC
from foedus.models.inputs import Inputs

BASELINE = "(baseline)"
SIGMA = "/lnsigma"
SHAPE = "shape:(Intercept)"
THETA = "/lntheta"
_SIGMA = float(np.log(0.8))
_SHAPE = 0.2
_THETA = float(np.log(0.5))
_CENTRE = 3.0
"""Mean log duration of accelerated times that nothing cuts off."""


def _length(inputs: Inputs) -> float:
    """Return the mean time under risk."""
    began, stop, _ = follow_up(inputs)
    return float((stop - began).mean())


def plant_cox(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return coefficients, and a baseline under which a mean row has the event at `rule.share`."""
    made = planted(inputs.parts[0], rule.size * GUMBEL, None)
    names = inputs.parts[0].names
    mean = float((inputs.parts[0].X @ np.array([made.get(name, 0.0) for name in names])).mean())
    rate = -np.log1p(-rule.share) / _length(inputs) * np.exp(-mean)
    return {**made, BASELINE: float(f"{rate:.4g}")}


@law("cox", plant=plant_cox, says="hazard (baseline) exp(Xb)")
def draw_cox(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw from proportional hazards with a constant baseline."""
    began, _, _ = follow_up(inputs)
    rate = truth[BASELINE] * np.exp(index_of(inputs, truth))
    return timed(began - np.log(chance.uniform(inputs.n)) / rate, inputs)


def plant_times(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return the coefficients of accelerated times, and the log of sigma.

    The mean of the index is the log of the mean follow-up where spells are cut off, else 3.
    """
    spread = GUMBEL if inputs.estimator == "aft_weibull" else LOGISTIC
    centre = float(np.log(_length(inputs))) if "event" in inputs.numbers else _CENTRE
    step = rule.size * spread * float(np.exp(_SIGMA))
    return {**planted(inputs.parts[0], step, centre), SIGMA: round(_SIGMA, 4)}


@law("aft_weibull", "aft_loglogistic", plant=plant_times, says="log T = Xb + sigma W")
def draw_times(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw accelerated failure times; spells begin at 0."""
    u = chance.uniform(inputs.n)
    weibull = inputs.estimator == "aft_weibull"
    w: FloatArray = np.log(-np.log(u)) if weibull else special.logit(u)
    return timed(np.exp(index_of(inputs, truth) + np.exp(truth[SIGMA]) * w), inputs)


def plant_weibull(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return the coefficients of rate and shape; the shape is one for all rows.

    The rate at the mean of the index has the cumulated hazard reach -log(1 - share) at the mean
    end of follow-up.
    """
    p = np.exp(_SHAPE)
    centre = float(np.log(-np.log1p(-rule.share)) / p - np.log(inputs.y.mean()))
    made = planted(inputs.parts[0], rule.size * GUMBEL / p, centre)
    made[SHAPE] = _SHAPE
    if inputs.options.get("heterogeneity") == "gamma":
        made[THETA] = round(_THETA, 4)
    return made


@law(
    "weibull_hazard", plant=plant_weibull,
    says="survival (1 + theta H)^(-1/theta), H = (exp(Xb) t)^p, given survival to the start",
)  # fmt: skip
def draw_weibull(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw from a Weibull hazard, each row given that it lasted until it came under risk."""
    began, _, _ = follow_up(inputs)
    eta = index_of(inputs, truth)
    p = np.exp(index_of(inputs, truth, 1))
    rate = p * eta if inputs.options.get("form") == "rate" else eta
    entered = np.exp(rate) * began**p
    more = -np.log(chance.uniform(inputs.n))
    if THETA in truth:
        theta = np.exp(truth[THETA])
        # S(t) = u S(start): 1 + theta H(t) = (1 + theta H(start)) u^(-theta)
        total = ((1.0 + theta * entered) * np.exp(theta * more) - 1.0) / theta
    else:
        total = entered + more
    return timed((total * np.exp(-rate)) ** (1.0 / p), inputs)
