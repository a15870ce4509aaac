"""Categories: multinomial logit, ordered logit and probit.

Multinomial: P(y = j) = exp(X b_j) / sum_k exp(X b_k), the base's b being 0 (McFadden 1974).
Ordered: y <= c where X b + e lies below the c-th cutpoint (McKelvey and Zavoina 1975). Both are
drawn by laying the categories' chances end to end and looking where the uniform number falls.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from foedus.models.arrays import FloatArray
from foedus.models.drawing import Chance, Drawn, Rule, Truth, index_of, law, planted
from foedus.models.draws.binary import LOGISTIC
from foedus.models.inputs import Inputs


def _base(inputs: Inputs) -> str:
    asked = inputs.options.get("base")
    return inputs.levels[0] if asked is None else str(asked)


def plant_multinomial(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return each category's coefficients; signs begin with plus and minus in turn.

    The base has all rows but `rule.share` at the mean of the indices, the others that in equal
    parts.
    """
    others = [level for level in inputs.levels if level != _base(inputs)]
    centre = float(np.log(rule.share / len(others) / (1.0 - rule.share)))
    made: dict[str, float] = {}
    for place, level in enumerate(others):
        prefix, step = f"{level}:", rule.size * LOGISTIC
        made.update(planted(inputs.parts[0], step, centre, prefix, first=place % 2))
    return made


@law(
    "multinomial", plant=plant_multinomial,
    says="y = j with probability exp(Xb_j) over the sum of all",
)  # fmt: skip
def draw_multinomial(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw from a multinomial logit; the outcome is a number into the levels."""
    base = _base(inputs)
    indices = [
        np.zeros(inputs.n) if level == base else index_of(inputs, truth, prefix=f"{level}:")
        for level in inputs.levels
    ]
    chances = special.softmax(np.column_stack(indices), axis=1)
    return Drawn(_fallen(chances.cumsum(axis=1)[:, :-1], chance))


def _fallen(borders: FloatArray, chance: Chance) -> FloatArray:
    """Return how many borders lie below each row's uniform number."""
    below = chance.uniform(borders.shape[0])[:, None] > borders
    return np.asarray(below.sum(axis=1), dtype=np.float64)


def plant_ordered(inputs: Inputs, rule: Rule) -> dict[str, float]:
    """Return coefficients, and cutpoints that part the rows equally at the mean of the index."""
    probit = inputs.estimator == "ordered_probit"
    made = planted(inputs.parts[0], rule.size * (1.0 if probit else LOGISTIC), None)
    names = inputs.parts[0].names
    mean = float((inputs.parts[0].X @ np.array([made.get(name, 0.0) for name in names])).mean())
    n = len(inputs.levels)
    for cut in range(1, n):
        at = special.ndtri(cut / n) if probit else special.logit(cut / n)
        made[f"/cut{cut}"] = float(f"{mean + float(at):.4g}")
    return made


@law(
    "ordered_probit", "ordered_logit", plant=plant_ordered,
    says="y is the number of cutpoints below Xb + e",
)  # fmt: skip
def draw_ordered(inputs: Inputs, truth: Truth, chance: Chance) -> Drawn:
    """Draw from an ordered probit or logit; the outcome is a number into the levels."""
    function = special.ndtr if inputs.estimator == "ordered_probit" else special.expit
    cuts = np.array([truth[f"/cut{place}"] for place in range(1, len(inputs.levels))])
    borders = function(cuts[None, :] - index_of(inputs, truth)[:, None])
    return Drawn(_fallen(borders, chance))
