"""Outcomes that are 0 or 1: logit, probit, complementary log-log, with and without groups.

y = 1 where the uniform number lies below F(X b): F logistic (Cox 1958, JRSS B 20), normal (Bliss
1934, Science 79) or 1 - exp(-exp(.)) (Prentice and Gloeckler 1978, Biometrics 34). Rare-events
and penalised logits are other estimates of the logit's coefficients (King and Zeng 2001, Political
Analysis 9; Firth 1993, Biometrika 80). In the conditional logit each stratum has a constant of its
own, drawn here from a normal distribution, which the estimator conditions out (Chamberlain 1980).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from foedus.errors import UsageError
from foedus.models.arrays import FloatArray
from foedus.models.drawing import Chance, Drawn, Rule, Truth, index_of, law, planted
from foedus.models.inputs import Inputs

LOGISTIC = np.pi / np.sqrt(3.0)
GUMBEL = np.pi / np.sqrt(6.0)
"""Standard deviations of the latent errors of logit and cloglog; the probit's is 1."""
CENTRE = "(mean of strata)"
SPREAD = "/lnsigma"
_SPREAD = -0.5
_RHO = 0.3
"""Planted atanh of the correlation between two equations."""

Link = Callable[[FloatArray], FloatArray]


def _bernoulli(eta: FloatArray, link: Link, chance: Chance) -> FloatArray:
    return np.asarray(chance.uniform(eta.size) < link(eta), dtype=np.float64)


def _cloglog(eta: FloatArray) -> FloatArray:
    made: FloatArray = -np.expm1(-np.exp(np.minimum(eta, 500.0)))
    return made


def plant_logit(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return the coefficients of a logit."""
    return planted(inputs.parts[0], rule.size * LOGISTIC, float(special.logit(rule.share)))


def plant_probit(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return the coefficients of a probit."""
    return planted(inputs.parts[0], rule.size, float(special.ndtri(rule.share)))


def plant_cloglog(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return the coefficients of a complementary log-log model."""
    centre = float(np.log(-np.log1p(-rule.share)))
    return planted(inputs.parts[0], rule.size * GUMBEL, centre)


@law("logit", "relogit", "firth", plant=plant_logit, says="y = 1 with probability 1/(1+exp(-Xb))")
def draw_logit(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw from a logit."""
    return Drawn(_bernoulli(index_of(inputs, truth), special.expit, chance))


@law("probit", plant=plant_probit, says="y = 1 with probability Phi(Xb)")
def draw_probit(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw from a probit."""
    return Drawn(_bernoulli(index_of(inputs, truth), special.ndtr, chance))


@law("cloglog", plant=plant_cloglog, says="y = 1 with probability 1 - exp(-exp(Xb))")
def draw_cloglog(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw from a complementary log-log model: events of a proportional hazard in intervals."""
    return Drawn(_bernoulli(index_of(inputs, truth), _cloglog, chance))


def plant_conditional(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return the coefficients of a conditional logit, and the mean of the strata's constants."""
    made = planted(inputs.parts[0], rule.size * LOGISTIC, None)
    mean = float((inputs.parts[0].X @ _ordered(inputs, made)).mean())
    return {**made, CENTRE: float(f"{float(special.logit(rule.share)) - mean:.4g}")}


def _ordered(inputs: Inputs, made: Truth) -> FloatArray:
    return np.array([made.get(name, 0.0) for name in inputs.parts[0].names])


@law(
    "clogit", plant=plant_conditional, grouped=True,
    says="logit with a constant of each stratum, normal with standard deviation 1",
)  # fmt: skip
def draw_conditional(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw from a logit whose strata have constants of their own."""
    strata = inputs.group("strata")
    if strata is None:
        raise UsageError("clogit: no strata to draw constants for.")
    constants = truth.get(CENTRE, 0.0) + chance.effects(strata.n)
    return Drawn(
        _bernoulli(index_of(inputs, truth) + constants[strata.codes], special.expit, chance)
    )


def plant_mixed(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return the coefficients of a logit with random intercepts, and their log spread."""
    return {**plant_logit(inputs, rule), SPREAD: _SPREAD}


@law(
    "mixed_logit", plant=plant_mixed, grouped=True,
    says="logit with a normal intercept of each group",
)  # fmt: skip
def draw_mixed(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw from a logit with normal random intercepts of one group."""
    eta = index_of(inputs, truth)
    for group in inputs.groups["groups"]:
        eta = eta + np.exp(truth[SPREAD]) * chance.effects(group.n)[group.codes]
    return Drawn(_bernoulli(eta, special.expit, chance))


def plant_selection(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return the coefficients of both equations: half of the selected rows have the outcome."""
    return {
        **planted(inputs.parts[0], rule.size, 0.0),
        **planted(inputs.parts[1], rule.size, float(special.ndtri(rule.share))),
        "/athrho": _RHO,
    }


@law(
    "selection_probit", "bivariate_probit", plant=plant_selection,
    says="two probits whose errors are correlated; the first is seen where the second is 1",
)  # fmt: skip
def draw_selection(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw both outcomes of two probits (Van de Ven and Van Praag 1981, J. Econometrics 17)."""
    rho = np.tanh(truth["/athrho"])
    second = chance.normal(inputs.n)
    first = rho * second + np.sqrt(1.0 - rho**2) * chance.normal(inputs.n)
    return Drawn(
        np.asarray(index_of(inputs, truth) + first > 0, dtype=np.float64),
        second=np.asarray(index_of(inputs, truth, 1) + second > 0, dtype=np.float64),
    )
