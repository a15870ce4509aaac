"""Multinomial logit: each category's log-odds against a base category."""

from __future__ import annotations

from foedus.errors import UsageError, nearest
from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.registry import Option, estimator


@estimator(
    "multinomial",
    title="multinomial logit, terms CATEGORY:TERM",
    citation="McFadden 1974, in Zarembka, Frontiers in Econometrics",
    outcome="categories",
    options=(Option("base", "the category compared with; the first for none"),),
)
def fit(inputs: Inputs) -> Fit:
    """Fit by Newton's method (`foedus.models.methods.categories`)."""
    from foedus.models.methods.categories import check_categories, fit_multinomial
    from foedus.models.methods.predict import MultinomialPredictor

    codes = check_categories(inputs.y, inputs.levels, inputs.estimator, 2)
    asked = inputs.options.get("base")
    said = inputs.levels[0] if asked is None else str(asked)
    if said not in inputs.levels:
        raise UsageError(f'the outcome has no category "{said}". {nearest(said, inputs.levels)}')
    base = inputs.levels.index(said)
    found = fit_multinomial(
        codes, inputs.levels, inputs.X, inputs.names, inputs.weights, inputs.offset, base
    )
    return found.fit(inputs, MultinomialPredictor(base))
