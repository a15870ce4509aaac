"""Counts: Poisson, and the negative binomial with variance m + m^2 / theta.

Both are drawn by inverting their distribution at the uniform number, with mean m = exp(X b)
(Cameron and Trivedi 2013, Regression Analysis of Count Data, ch. 2 and 3).
"""

from __future__ import annotations

import numpy as np

from foedus.models.drawing import Chance, Drawn, Rule, Truth, index_of, law, planted
from foedus.models.inputs import Inputs

THETA = "(theta)"
_THETA = 2.0
_MEAN = 2.0


def plant_poisson(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return the coefficients of a Poisson model with a mean of 2."""
    return planted(inputs.parts[0], rule.size, float(np.log(_MEAN)))


def plant_negbin(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return the coefficients of a negative binomial with a mean of 2, and theta."""
    return {**plant_poisson(inputs, rule), THETA: _THETA}


@law("poisson", plant=plant_poisson, says="Poisson with mean exp(Xb)")
def draw_poisson(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw from a Poisson model."""
    from scipy import stats

    mean = np.exp(index_of(inputs, truth))
    return Drawn(np.asarray(stats.poisson.ppf(chance.uniform(inputs.n), mean), dtype=np.float64))


@law("negbin", plant=plant_negbin, says="negative binomial with mean exp(Xb) and theta 2")
def draw_negbin(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw from a negative binomial (NB2)."""
    from scipy import stats

    theta, mean = truth[THETA], np.exp(index_of(inputs, truth))
    drawn = stats.nbinom.ppf(chance.uniform(inputs.n), theta, theta / (theta + mean))
    return Drawn(np.asarray(drawn, dtype=np.float64))
