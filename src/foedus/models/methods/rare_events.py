"""King and Zeng's logit for rare events and case-control samples; fit to arrays.

King and Zeng 2001, Political Analysis 9, "Logistic Regression in Rare Events Data":

- prior correction (eq. 7): with tau the share of events in the population and ybar that in the
  sample, only the constant of an ordinary logit is off, by ln[(1 - tau)/tau * ybar/(1 - ybar)];
- weighting (eq. 8-9): row weights w1 = tau/ybar for events and w0 = (1 - tau)/(1 - ybar) for the
  others;
- bias correction (eq. 16-17): bias = (X'WX)^-1 X'W xi with W = diag(pi (1 - pi) w) and
  xi = 0.5 Q_ii [(1 + w1) pi - w1], Q = X (X'WX)^-1 X', taken off the estimate (w1 = 1 where rows
  are not weighted);
- variance: that of the estimate times (n / (n + k))^2.

The authors' R program (relogit in Zelig) puts w0 where the paper has w1, and does so after prior
correction too; ``bias="zelig"`` repeats that, so that numbers made with it can be checked.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foedus.errors import EstimationError, UsageError
from foedus.models.arrays import FloatArray, product_blocks
from foedus.models.families import FAMILIES
from foedus.models.methods.handover import Estimated, inverse
from foedus.models.newton import Problem, maximise, weighted_square
from foedus.models.scaling import collinear_columns, refuse_collinear, scale_columns

CORRECTIONS = ("prior", "weighting")
BIASES = ("paper", "zelig", "none")


def check_tau(tau: float | None, y: FloatArray) -> float:
    """Return the population's share of events: the sample's own where none is given."""
    if tau is None:
        return float(y.mean())
    if not 0.0 < tau < 1.0:
        raise UsageError(f"tau is the share of events in the population, between 0 and 1: {tau:g}.")
    return float(tau)


def fit_rare_events(
    y: FloatArray,
    X: FloatArray,
    names: Sequence[str],
    tau: float | None = None,
    correct: str = "prior",
    bias: str = "paper",
    offset: FloatArray | None = None,
) -> Estimated:
    """Fit a logit with King and Zeng's corrections.

    Parameters
    ----------
    y, X, names : the outcome (0 or 1), the matrix and its columns' names.
    tau : float, optional
        The share of events in the population; None where the sample is the population.
    correct : str
        "prior" or "weighting": how a sample chosen on the outcome is mended (needs tau).
    bias : str
        Whose small-sample bias is taken off: the paper's, that of Zelig's program, or "none".
    offset : float array, optional
        A term with coefficient 1.

    Returns
    -------
    Estimated
        ``loglik`` is that of the logit (weighted, for "weighting") at its maximum, before the
        corrections. Row scores, too, are taken at that maximum, so that sandwich covariances are
        those of the logit times (n / (n + k))^2.

    Raises
    ------
    EstimationError
        Separation, collinear terms; prior correction of a model without a constant.
    """
    if correct not in CORRECTIONS:
        raise UsageError(f'"{correct}" is no correction: prior or weighting.')
    if bias not in BIASES:
        raise UsageError(f'"{bias}" is no bias correction: paper, zelig or none.')
    family = FAMILIES["logit"]
    family.check(y)
    share = check_tau(tau, y)
    scaling = scale_columns(X)
    refuse_collinear(collinear_columns(scaling.correlation), names)
    ybar, n, k = float(y.mean()), y.size, X.shape[1]
    w1, w0, weights = share / ybar, (1.0 - share) / (1.0 - ybar), None
    if tau is not None and correct == "weighting":
        weights = np.where(y > 0, w1, w0)
    optimum = maximise(family, Problem(y, X, names, scaling, weights, offset))
    used = np.ones(n) if weights is None else weights
    # column by column in memory, as what sums them within clusters reads them
    scores = np.empty((n, k), order="F")
    information, half = np.zeros((k, k)), np.empty((2, n))
    for rows in product_blocks(n, k):
        Z = scaling.block(X[rows])
        eta = Z @ optimum.beta + (0.0 if offset is None else offset[rows])
        p, w = family.mean(eta), family.slope(eta) * used[rows]
        information += weighted_square(Z, w)
        scores[rows] = Z * ((y[rows] - p) * used[rows])[:, None]
        half[:, rows] = p, w
    bread = inverse(information, "rare events logit", names)
    beta = optimum.beta.copy()
    if bias != "none":
        one = w0 if bias == "zelig" else (1.0 if weights is None else w1)
        pull = np.zeros(k)
        for rows in product_blocks(n, k):
            Z = scaling.block(X[rows])
            p, w = half[:, rows]
            q = ((Z @ bread) * Z).sum(axis=1)
            pull += (w * 0.5 * q * ((1.0 + one) * p - one)) @ Z
        beta -= bread @ pull
    facts = {"tau": share, "ybar": ybar}
    if tau is not None and correct == "prior":
        if scaling.constant is None:
            raise EstimationError(
                "rare events logit: prior correction changes the constant, and the formula has "
                "none; use correct=weighting."
            )
        shift = float(np.log((1.0 - share) / share * ybar / (1.0 - ybar)))
        beta[scaling.constant] -= shift * np.sign(X[0, scaling.constant])
        facts["prior_correction"] = shift
    back = scaling.matrix()
    shrink = 1.0 if bias == "none" else n / (n + k)
    return Estimated(
        tuple(names),
        back @ beta,
        optimum.loglik,
        scores,
        bread,
        back * shrink,
        optimum.iterations,
        facts,
    )
