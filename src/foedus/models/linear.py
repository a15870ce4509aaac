"""What linear panel models share at the front: predictions, and columns the effects explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from foedus.errors import EstimationError
from foedus.models.absorb import Absorber, Factor
from foedus.models.arrays import FloatArray, index_of
from foedus.models.inputs import Inputs
from foedus.models.panel_effects import constant_within


@dataclass(frozen=True, slots=True)
class Linear:
    """Predictions of X b alone, without the effects."""

    kinds: tuple[str, ...] = ("link",)

    def predict(
        self,
        params: FloatArray,
        parts: Sequence[FloatArray],
        offset: FloatArray | None,
        kind: str,
    ) -> FloatArray:
        """Return X b by row."""
        return index_of(parts[0], params, offset)


LINEAR = Linear()


def drop_constant(
    inputs: Inputs, factors: Sequence[Factor], said: str
) -> tuple[Inputs, dict[str, str]]:
    """Leave out columns that never vary within the effects, if that is the rule.

    Raises
    ------
    EstimationError
        If there are any and the rule is "error"; they are named.
    """
    X = inputs.X
    flat = constant_within(X, Absorber.of(factors, inputs.weights).residual(X))
    if not flat:
        return inputs, {}
    names = [inputs.names[j] for j in flat]
    if inputs.collinear == "error" or len(flat) == len(inputs.names):
        raise EstimationError(
            f"no variation within effects: {', '.join(names)} is constant given {said}. Leave it "
            'out, or say collinear="drop" to have it left out and named.'
        )
    keep = [j for j in range(X.shape[1]) if j not in flat]
    part = replace(inputs.parts[0], X=X[:, keep], names=tuple(inputs.names[j] for j in keep))
    dropped = dict.fromkeys(names, f"no variation within {said}")
    return replace(inputs, parts=(part, *inputs.parts[1:])), dropped
