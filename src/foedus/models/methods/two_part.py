"""Counts of two parts, from the inputs of an estimator to its fit: hurdles and zero-inflation."""

from __future__ import annotations

from foedus.models.fit import Fit
from foedus.models.inputs import Inputs


def fit_counts_in_two(inputs: Inputs, kind: str, dist: str) -> Fit:
    """Fit the count and the part after the bar together.

    Parameters
    ----------
    inputs : Inputs
        Two equations: the count's, then that of its zeros.
    kind : str
        "hurdle" or "zero_inflated".
    dist : str
        "poisson" or "negbin".

    Returns
    -------
    Fit
    """
    from foedus.models.methods.counts import fit_two_part_count
    from foedus.models.methods.predict import TwoPartPredictor

    count, zero = inputs.parts
    found = fit_two_part_count(
        kind,
        inputs.y,
        count.X,
        count.names,
        zero.X,
        zero.names,
        dist,
        inputs.weights,
        inputs.offset,
    )
    predictor = TwoPartPredictor(dist, hurdle=kind == "hurdle")
    return found.fit(inputs, predictor, n_events=int((inputs.y > 0).sum()))
