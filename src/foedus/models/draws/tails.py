"""Heavy tails: Pareto and generalised Pareto outcomes above a threshold.

Pareto: P(Y > y) = (y / threshold)^(1 - alpha), log(alpha - 1) = X b (Clauset, Shalizi and Newman
2009). Generalised Pareto: P(Y - threshold > z) = (1 + shape z / scale)^(-1 / shape), with
log scale = X b (Davison and Smith 1990). All rows are drawn above the threshold.
"""

from __future__ import annotations

import numpy as np

from foedus.errors import UsageError
from foedus.models.drawing import Chance, Drawn, Rule, Truth, index_of, law, planted
from foedus.models.inputs import Inputs

SHAPE = "/shape"
_SHAPE = 0.4
_ALPHA = 1.8
_SCALE = 5000.0


def _threshold(inputs: Inputs) -> float:
    threshold = float(inputs.options["threshold"])
    if threshold <= 0:
        raise UsageError(f"{inputs.estimator}: without a threshold no tail can be drawn.")
    return threshold


def plant_pareto(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return the coefficients of a tail whose exponent is 1.8 at the mean."""
    return planted(inputs.parts[0], rule.size, float(np.log(_ALPHA - 1.0)))


@law("pareto_tail", plant=plant_pareto, says="P(Y > y) = (y / threshold)^(-exp(Xb))")
def draw_pareto(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw from a power law above the threshold."""
    power = np.exp(-index_of(inputs, truth))
    return Drawn(_threshold(inputs) * chance.uniform(inputs.n) ** -power)


def plant_excesses(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return the coefficients of the log scale, 5000 at the mean, and the shape."""
    made = planted(inputs.parts[0], rule.size, float(np.log(_SCALE)))
    return {**made, SHAPE: _SHAPE}


@law("generalized_pareto", plant=plant_excesses, says="excesses with log scale Xb and one shape")
def draw_excesses(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw from a generalised Pareto law above the threshold."""
    shape = truth[SHAPE]
    excess = np.expm1(-shape * np.log(chance.uniform(inputs.n))) / shape
    scale = np.exp(index_of(inputs, truth))
    return Drawn(float(inputs.options["threshold"]) + scale * excess)
