"""How much larger standard errors get when rows that share a state may depend on each other.

Carlson, Incerti & Aronow (2024) re-estimate dyadic articles with the dyadic cluster-robust errors
of Aronow, Samii & Assenova (2015): how large were the published errors beside them, and how many
significant findings stay so.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.registry import Option
from foedus.errors import EstimationError, UsageError
from foedus.studies.measures import MeasureContext, MeasureResult, MeasureRow, measure
from foedus.studies.measures_reliability import share_rows

LEVEL = 0.05


@measure(
    "dyadic_error_ratio",
    says="Ratio of a set of models' standard errors, as usually computed, to dyadic-robust ones, "
    "and the share of significant findings that stay significant.",
    citations=["carlson_incerti_aronow_2024", "aronow_samii_assenova_2015"],
    options={
        "models": Option([], "Models, each a mapping: estimator, formula, terms (those whose "
                         "errors are compared), covariance (what print usually has); where none is "
                         "named, the option usual."),
        "usual": Option("cluster(dyad)", "Covariance that stands for print's.",
                        ("classical", "HC1", "cluster(dyad)")),
    },
    terms=["mean ratio", "median ratio", "smallest ratio", "still significant"],
)  # fmt: skip
def dyadic_error_ratio(context: MeasureContext) -> MeasureResult:
    """Estimate each model on the panel's complete rows and compare the errors of its terms.

    Raises
    ------
    UsageError
        If no model is named, or the study has no such variable.
    EstimationError
        If a model can't be estimated.
    """
    if context.panel is None or not context.options["models"]:
        raise UsageError("dyadic_error_ratio: needs panel: true and models.")
    compared: list[dict[str, object]] = []
    for place, spec in enumerate(context.options["models"], start=1):
        compared.extend(_compare(context.panel, spec, context.options["usual"], place))
    ratio = np.array([row["ratio"] for row in compared], np.float64)
    was = np.array([row["p_usual"] for row in compared], np.float64) < LEVEL
    still = was & (np.array([row["p_dyadic"] for row in compared], np.float64) < LEVEL)
    n = len(ratio)
    spread = float(ratio.std(ddof=1) / np.sqrt(n)) if n > 1 else None
    rows = [
        MeasureRow("mean ratio", float(ratio.mean()), std_error=spread, n=n, how="of the terms"),
        MeasureRow("median ratio", float(np.median(ratio)), n=n, how="of the terms"),
        MeasureRow("smallest ratio", float(ratio.min()), n=n, how="of the terms"),
        *share_rows("still significant", int(still.sum()), int(was.sum())),
    ]
    return MeasureResult(rows, tables={"errors": compared})


def _compare(
    panel: Mapping[str, NDArray[np.float64]], spec: Mapping[str, object], usual: str, place: int
) -> list[dict[str, object]]:
    from foedus.models import estimate
    from foedus.models.formula import parse_formula
    from foedus.models.result import inference

    formula, estimator = str(spec["formula"]), str(spec.get("estimator", "logit"))
    names = parse_formula(formula).names()
    keys = [name for name in ("ccode1", "ccode2", "year") if name in panel and name not in names]
    if lacking := [name for name in names if name not in panel]:
        raise UsageError(
            f"dyadic_error_ratio: {', '.join(lacking)}: not among the study's variables."
        )
    known = ~np.isnan(np.column_stack([panel[name] for name in names])).any(axis=1)
    if not known.any():
        raise EstimationError(f"dyadic_error_ratio: model {place} has no complete row.")
    ours = str(spec.get("covariance", usual))
    result = estimate(
        formula, {name: panel[name][known] for name in [*names, *keys]}, estimator=estimator,
        cov=[ours, "dyadic"],
    )  # fmt: skip
    made = {
        text: inference(result.params, result.std_errors(text), result.df)
        for text in (ours, "dyadic")
    }
    found: list[dict[str, object]] = []
    listed = spec.get("terms")
    for term in listed if isinstance(listed, list) else names[1:]:
        at = list(result.terms).index(term)
        own, dyadic = (float(made[text]["std_error"][at]) for text in (ours, "dyadic"))
        found.append(
            {
                "model": place, "outcome": names[0], "term": term,
                "estimate": float(result.params[at]), "covariance": ours, "se_usual": own,
                "se_dyadic": dyadic, "ratio": own / dyadic,
                "p_usual": float(made[ours]["p_value"][at]),
                "p_dyadic": float(made["dyadic"]["p_value"][at]), "n": result.n_obs,
            }
        )  # fmt: skip
    return found
