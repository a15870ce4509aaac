"""Estimators, covariances and quantities of interest. This room knows no alliance.

`estimate` takes a formula and a frame; `fit_arrays` and its short forms take arrays. Names are
loaded when first used, so that importing the room costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    ESTIMATORS: tuple[str, ...]
    from foedus.models.estimation import (
        estimate,
        fit_arrays,
        fit_logit,
        fit_negbin,
        fit_ols,
        fit_poisson,
        fit_probit,
    )
    from foedus.models.exp_ratios import ratios
    from foedus.models.export import ModelTable, model_table, tidy
    from foedus.models.influence import leave_one_out
    from foedus.models.interactions import interaction
    from foedus.models.marginal import effects
    from foedus.models.matching import (
        balance_table,
        doubly_robust,
        inverse_propensity,
        match_coarsened,
        match_nearest,
    )
    from foedus.models.performance import (
        calibration,
        precision_recall_curve,
        predict_left_out,
        roc_curve,
        separation_plot,
        with_and_without,
    )
    from foedus.models.pooling import between, pool
    from foedus.models.quantities import first_difference, predict_at
    from foedus.models.registry import all_estimators, estimator_names, find_estimator
    from foedus.models.resampling import pairs_bootstrap, randomization_test, wild_bootstrap
    from foedus.models.result import Result
    from foedus.models.staggered import event_study
    from foedus.models.tail_bootstrap import bootstrap_tail
    from foedus.models.tail_laws import compare_laws, compare_periods, fit_tail
    from foedus.models.tails import bootstrap_power_law, compare_tails, fit_power_law

_HOMES = {
    "leave_one_out": "influence",
    "interaction": "interactions",
    "calibration": "performance",
    "precision_recall_curve": "performance",
    "predict_left_out": "performance",
    "roc_curve": "performance",
    "separation_plot": "performance",
    "with_and_without": "performance",
    "pairs_bootstrap": "resampling",
    "randomization_test": "resampling",
    "wild_bootstrap": "resampling",
    "balance_table": "matching",
    "between": "pooling",
    "pool": "pooling",
    "doubly_robust": "matching",
    "event_study": "staggered",
    "inverse_propensity": "matching",
    "match_coarsened": "matching",
    "match_nearest": "matching",
    "ModelTable": "export",
    "fit_tail": "tail_laws",
    "compare_laws": "tail_laws",
    "compare_periods": "tail_laws",
    "bootstrap_tail": "tail_bootstrap",
    "model_table": "export",
    "tidy": "export",
    "ESTIMATORS": "registry",
    "Result": "result",
    "all_estimators": "registry",
    "bootstrap_power_law": "tails",
    "compare_tails": "tails",
    "effects": "marginal",
    "estimate": "estimation",
    "estimator_names": "registry",
    "find_estimator": "registry",
    "fit_arrays": "estimation",
    "fit_logit": "estimation",
    "fit_negbin": "estimation",
    "fit_ols": "estimation",
    "fit_poisson": "estimation",
    "fit_power_law": "tails",
    "fit_probit": "estimation",
    "first_difference": "quantities",
    "predict_at": "quantities",
    "ratios": "exp_ratios",
}

__all__ = [
    "ESTIMATORS",
    "ModelTable",
    "Result",
    "all_estimators",
    "balance_table",
    "between",
    "bootstrap_power_law",
    "bootstrap_tail",
    "calibration",
    "compare_laws",
    "compare_periods",
    "compare_tails",
    "doubly_robust",
    "effects",
    "estimate",
    "estimator_names",
    "event_study",
    "find_estimator",
    "first_difference",
    "fit_arrays",
    "fit_logit",
    "fit_negbin",
    "fit_ols",
    "fit_poisson",
    "fit_power_law",
    "fit_probit",
    "fit_tail",
    "interaction",
    "inverse_propensity",
    "leave_one_out",
    "match_coarsened",
    "match_nearest",
    "model_table",
    "pairs_bootstrap",
    "pool",
    "precision_recall_curve",
    "predict_at",
    "predict_left_out",
    "randomization_test",
    "ratios",
    "roc_curve",
    "separation_plot",
    "tidy",
    "wild_bootstrap",
    "with_and_without",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name in _HOMES:
        return getattr(import_module(f"foedus.models.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
