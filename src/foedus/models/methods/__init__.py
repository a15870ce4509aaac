"""The numerics behind estimators: arrays in, coefficients, row scores and bread out.

`foedus.models.estimators` registers them; nothing here knows of formulas, frames or options.
"""
