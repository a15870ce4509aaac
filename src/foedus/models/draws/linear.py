"""Numbers: least squares, without and with the effects of groups.

y = X b + e, e normal with standard deviation 1; with fixed effects each group of each factor adds
a normal effect of its own, which the estimator absorbs (Mundlak 1961).
"""

from __future__ import annotations

from foedus.models.drawing import Chance, Drawn, Rule, Truth, index_of, law, planted
from foedus.models.inputs import Inputs


def plant_ols(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return the coefficients of a linear model whose mean is 0."""
    return planted(inputs.parts[0], rule.size, 0.0)


@law("ols", plant=plant_ols, says="y = Xb + e, e standard normal")
def draw_ols(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw from a linear model."""
    return Drawn(index_of(inputs, truth) + chance.normal(inputs.n))


def plant_effects(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return the coefficients of a linear model whose constant is absorbed."""
    return planted(inputs.parts[0], rule.size, None)


@law(
    "fixed_effects", plant=plant_effects, grouped=True,
    says="y = Xb + an effect of each group + e, all normal with standard deviation 1",
)  # fmt: skip
def draw_effects(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw from a linear model with effects of groups."""
    y = index_of(inputs, truth) + chance.normal(inputs.n)
    for group in inputs.groups["fe"]:
        y = y + chance.effects(group.n)[group.codes]
    return Drawn(y)
