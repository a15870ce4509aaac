"""Arrays in, a fitted model out: the numerics never see a formula or a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import linalg, special

from foedus.errors import EstimationError
from foedus.models.arrays import BoolArray, FloatArray, blocks, product_blocks
from foedus.models.covariance import Ingredients, Scores
from foedus.models.families import FAMILIES, Family, NegativeBinomial
from foedus.models.inputs import Inputs, Part
from foedus.models.newton import (
    COMPILED_ROWS,
    LARGE,
    THIN,
    Optimum,
    Problem,
    maximise,
    weighted_square,
)
from foedus.models.predictor import Predictor, SingleIndex
from foedus.models.scaling import (
    collinear_columns,
    constant_column,
    describe_collinear,
    refuse_collinear,
    scale_columns,
    scale_columns_quickly,
)
from foedus.models.separation import (
    PerfectPredictor,
    SeparationError,
    name_some,
    perfect_predictors,
    rows_decided,
)

INFORMATION = ("expected", "observed")
RULES = ("error", "drop")


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model, without its covariances.

    Attributes
    ----------
    estimator : str
        What was fitted.
    names : tuple of str
        The parameters: the first equation's columns by their own names, those of another
        equation as ``zero:x1``, ancillary ones with a stroke: ``/theta``, ``/cut1``, ``/athrho``.
    parts : tuple of Part
        The equations' matrices, rows and columns used.
    y, weights, offset : arrays of the rows used.
    kept : the rows of the input that were used, None for all.
    coef : every parameter.
    loglik : None for estimators without one.
    made : what the covariances are made from.
    predictor : how the model predicts; None for one that doesn't.
    family : of a single-index model, which has fast paths; None for others.
    ancillary : numbers beside the parameters (theta of the negative binomial, sigma of OLS).
    rows_lost, dropped_terms : what was left out for perfect prediction and collinearity, and why.
    df : degrees of freedom of t statistics; None for the normal.
    n_events : rows with the event; None where the word has no meaning.
    details : arrays that belong to the model (a baseline hazard, random effects), by name.
    levels : the outcome's categories.
    """

    estimator: str
    names: tuple[str, ...]
    parts: tuple[Part, ...]
    y: FloatArray
    coef: FloatArray
    loglik: float | None
    made: Ingredients
    predictor: Predictor | None = None
    family: Family | None = None
    weights: FloatArray | None = None
    offset: FloatArray | None = None
    kept: BoolArray | None = None
    iterations: int = 0
    ancillary: dict[str, float] = field(default_factory=dict)
    rows_lost: dict[str, int] = field(default_factory=dict)
    dropped_terms: dict[str, str] = field(default_factory=dict)
    df: float | None = None
    n_events: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
    levels: tuple[str, ...] = ()

    @property
    def X(self) -> FloatArray:  # noqa: N802
        """The first equation's matrix."""
        return self.parts[0].X


@dataclass(slots=True)
class _Data:
    """Rows and columns on their way into a fit."""

    X: FloatArray
    y: FloatArray
    names: list[str]
    weights: FloatArray | None
    offset: FloatArray | None
    kept: BoolArray | None = None
    rows_lost: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)

    def drop_columns(self, reasons: dict[int, str]) -> None:
        for column, why in reasons.items():
            self.dropped[self.names[column]] = why
        self.X = np.delete(self.X, list(reasons), axis=1)
        self.names = [name for j, name in enumerate(self.names) if j not in reasons]

    def keep_rows(self, keep: BoolArray) -> None:
        self.X, self.y = self.X[keep], self.y[keep]
        self.weights = None if self.weights is None else self.weights[keep]
        self.offset = None if self.offset is None else self.offset[keep]
        if self.kept is None:
            self.kept = keep
        else:
            self.kept = self.kept.copy()
            self.kept[self.kept] = keep


def fit_index(inputs: Inputs) -> Fit:
    """Fit a single-index model: logit, probit, cloglog, ols, poisson or negbin.

    Parameters
    ----------
    inputs : Inputs
        Rows and options; `inputs.estimator` names the family. `information` is "expected" (what
        R's glm and MASS::glm.nb report) or "observed" (what Stata's ml reports; for the negative
        binomial that of coefficients and log theta together). `collinear` is "error", or "drop"
        to leave later columns of a collinear set out and say so; `separation` is "error", or
        "drop" to leave out the rows whose outcome is predicted perfectly, with the 0/1 columns
        that do so and any column that is then collinear, and say so: these rows tell nothing
        about the other coefficients.

    Returns
    -------
    Fit
        Coefficients and what covariances are made from.

    Raises
    ------
    EstimationError
        Collinear columns, a separated outcome, no convergence.
    """
    estimator = inputs.estimator
    data = _Data(inputs.X, inputs.y, list(inputs.names), inputs.weights, inputs.offset)
    family: Family = NegativeBinomial(1.0) if estimator == "negbin" else FAMILIES[estimator]
    family.check(data.y)
    if family.binary:
        _mind_separation(data, estimator, inputs.separation)
    problem = _problem(data, inputs.collinear)
    ancillary: dict[str, float] = {}
    if estimator == "negbin":
        family, optimum, ancillary = _fit_negbin(problem, _near(problem, inputs.near))
    elif inputs.separation == "drop":
        problem, optimum = _maximise_unseparated(family, data, problem, inputs.near)
    else:
        optimum = maximise(
            family, problem, near=_near(problem, inputs.near), last_pass=family.canonical
        )
    made, ancillary_more, loglik = _ingredients(family, problem, optimum, inputs.information)
    return Fit(
        estimator=estimator,
        names=tuple(data.names),
        parts=(Part(data.X, tuple(data.names)),),
        y=data.y,
        coef=problem.scaling.matrix() @ optimum.beta,
        loglik=loglik,
        made=made,
        predictor=SingleIndex(family),
        family=family,
        weights=data.weights,
        offset=data.offset,
        kept=data.kept,
        iterations=optimum.iterations,
        ancillary={**ancillary, **ancillary_more},
        rows_lost=data.rows_lost,
        dropped_terms=data.dropped,
        df=ancillary_more.get("df_residual"),
        n_events=None if estimator == "ols" else int((data.y > 0).sum()),
    )


def _mind_separation(data: _Data, estimator: str, rule: str) -> None:
    """Refuse perfect predictors, or leave them out with the rows they decide."""
    while True:
        found = perfect_predictors(data.y, data.X, constant_column(data.X) is not None)
        if not found:
            return
        if rule == "error":
            said = "; ".join(
                f"{data.names[p.column]} = {p.value:g} has outcome {p.outcome:g} "
                f"in all {p.rows} rows"
                for p in found
            )
            raise EstimationError(
                f"{estimator}: the outcome is perfectly predicted (separated): {said}. Leave the "
                'term out, or say separation="drop" to leave it out with the rows it decides.'
            )
        _drop_predictors(data, found)
        FAMILIES[estimator].check(data.y)


def _drop_predictors(data: _Data, found: Sequence[PerfectPredictor]) -> None:
    """Leave out perfect predictors; a row that several decide is counted at the first."""
    keep = np.ones(data.y.size, dtype=bool)
    reasons: dict[int, str] = {}
    for predictor in found:
        decided = rows_decided(data.X, predictor) & keep
        keep &= ~decided
        name = data.names[predictor.column]
        said = f"{name} = {predictor.value:g} has outcome {predictor.outcome:g}"
        reasons[predictor.column] = f"perfect predictor: {said} in all {predictor.rows} rows"
        if decided.any():
            data.rows_lost[f"perfect predictor {said}"] = int(decided.sum())
    data.drop_columns(reasons)
    data.keep_rows(keep)


def _near(problem: Problem, near: Mapping[str, float] | None) -> FloatArray | None:
    """Return given coefficients on the scaled columns; terms that are not given are 0."""
    if near is None:
        return None
    given = np.array([near.get(name, 0.0) for name in problem.names])
    out: FloatArray = linalg.solve(problem.scaling.matrix(), given)
    return out


def _maximise_unseparated(
    family: Family, data: _Data, problem: Problem, near: Mapping[str, float] | None
) -> tuple[Problem, Optimum]:
    """Leave out rows that combinations of terms decide, until a maximum exists."""
    while True:
        try:
            found = maximise(family, problem, near=_near(problem, near), last_pass=family.canonical)
            return problem, found
        except SeparationError as found:
            if bool(found.rows.all()):
                raise
            cause = f"perfect predictor {name_some(found.terms)} (together)"
            data.rows_lost[cause] = data.rows_lost.get(cause, 0) + int(found.rows.sum())
            data.keep_rows(~found.rows)
            family.check(data.y)
            problem = _problem(data, "drop")


def _problem(data: _Data, rule: str) -> Problem:
    """Scale the columns and deal with collinear ones."""
    large, compiled = data.y.size >= LARGE, data.y.size >= COMPILED_ROWS
    scaling = scale_columns_quickly(data.X, THIN) if large else scale_columns(data.X)
    found = collinear_columns(scaling.correlation)
    if found and rule == "drop":
        data.drop_columns(
            {one[0]: f"collinear: {describe_collinear([one], data.names)}" for one in found}
        )
        scaling = scale_columns(data.X)
        found = collinear_columns(scaling.correlation)
    refuse_collinear(found, data.names)
    return Problem(data.y, data.X, data.names, scaling, data.weights, data.offset, compiled)


def _index(problem: Problem, beta: FloatArray) -> FloatArray:
    eta = np.empty(problem.y.size)
    for rows in blocks(eta.size, problem.X.shape[1]):
        eta[rows] = problem.scaling.block(problem.X[rows]) @ beta
    if problem.offset is not None:
        eta += problem.offset
    return eta


@dataclass(frozen=True, slots=True)
class _Last:
    """At the top: log-likelihood, index, score and expected information by row, information.

    The index is None where nobody asks for it: after a compiled pass.
    """

    loglik: float
    eta: FloatArray | None
    score: FloatArray
    expected: FloatArray
    matrix: FloatArray


def _last_pass(family: Family, problem: Problem, beta: FloatArray, information: str) -> _Last:
    """Pass over the rows once more for a model whose two kinds of information differ."""
    n, k = problem.X.shape
    scaling = problem.scaling
    turned = scaling.mild
    A = scaling.matrix()
    own = A @ beta if turned else beta
    compiled = problem.rows_for(family)
    if compiled is not None:
        from foedus.models.passes import sums_of

        score, expected = np.empty(n), np.empty(n)
        loglik, _, matrix = sums_of(
            compiled,
            beta,
            score=score,
            expected=expected,
            of_expected=information == "expected",
        )
        return _Last(loglik, None, score, expected, matrix)
    last = _Last(0.0, np.empty(n), np.empty(n), np.empty(n), np.zeros((k, k)))
    assert last.eta is not None
    loglik = 0.0
    for rows in product_blocks(n, k):
        Z = problem.X[rows] if turned else scaling.block(problem.X[rows])
        eta = Z @ own
        if problem.offset is not None:
            eta += problem.offset[rows]
        y = problem.y[rows]
        ll, score, observed = family.parts(y, eta)
        expected = family.expected(y, eta)
        if problem.weights is not None:
            w = problem.weights[rows]
            ll, score, observed, expected = ll * w, score * w, observed * w, expected * w
        loglik += float(ll.sum())
        last.eta[rows], last.score[rows], last.expected[rows] = eta, score, expected
        last.matrix[:] += weighted_square(Z, expected if information == "expected" else observed)
    matrix = A.T @ last.matrix @ A if turned else last.matrix
    return replace(last, loglik=loglik, matrix=matrix)


def _ingredients(
    family: Family, problem: Problem, optimum: Optimum, information: str
) -> tuple[Ingredients, dict[str, float], float]:
    """Evaluate scores and information at the optimum."""
    n, k = problem.X.shape
    extra, loglik = None, optimum.loglik
    if family.canonical:
        assert optimum.rows is not None
        score, expected = optimum.rows.score, optimum.rows.information
        bread_inverse = optimum.information
    else:
        last = _last_pass(family, problem, optimum.beta, information)
        score, expected, bread_inverse = last.score, last.expected, last.matrix
        loglik = last.loglik
        if isinstance(family, NegativeBinomial) and information == "observed":
            assert last.eta is not None
            extra, bread_inverse = _joint_negbin(family, problem, last.eta, bread_inverse)
    bread = linalg.inv(bread_inverse)
    dispersion, ancillary = 1.0, {}
    if family.name == "ols":
        weights = np.ones(1) if problem.weights is None else problem.weights
        rss = float(np.sum(score * score / weights))
        dispersion = rss / (n - k)
        ancillary = {"sigma": float(np.sqrt(dispersion)), "df_residual": float(n - k)}
        log_weights = 0.0 if problem.weights is None else float(np.log(weights).sum())
        with np.errstate(divide="ignore"):
            loglik = 0.5 * (log_weights - n * (np.log(2 * np.pi * rss / n) + 1.0))
    back = problem.scaling.matrix()
    if extra is not None:
        back = np.hstack([back, np.zeros((k, 1))])
    scores = Scores(problem.X, score, problem.scaling, extra)
    made = Ingredients(scores, bread, back, expected, dispersion, n, k, family.name != "ols")
    return made, ancillary, loglik


# --- negative binomial ---------------------------------------------------------------------


def _theta_parts(
    theta: float, y: FloatArray, mu: FloatArray, weights: FloatArray
) -> tuple[float, FloatArray, float]:
    """Return log-likelihood, its score by row and its second derivative, all for theta."""
    total = theta + mu
    loglik = (
        special.gammaln(theta + y)
        - special.gammaln(theta)
        - special.gammaln(y + 1.0)
        + theta * np.log(theta)
        + special.xlogy(y, mu)
        - (theta + y) * np.log(total)
    )
    score = (
        special.digamma(theta + y)
        - special.digamma(theta)
        + np.log(theta)
        + 1.0
        - np.log(total)
        - (theta + y) / total
    )
    second = (
        special.polygamma(1, theta + y)
        - special.polygamma(1, theta)
        + 1.0 / theta
        - 2.0 / total
        + (theta + y) / total**2
    )
    return float((loglik * weights).sum()), score * weights, float((second * weights).sum())


def _best_theta(y: FloatArray, mu: FloatArray, weights: FloatArray, start: float) -> float:
    """Maximise over theta with the means held."""
    from scipy import optimize

    def slope(log_theta: float) -> float:
        return float(_theta_parts(float(np.exp(log_theta)), y, mu, weights)[1].sum())

    low, high = np.log(start) - 2.0, np.log(start) + 2.0
    while slope(low) < 0 and low > -25:
        low -= 3.0
    while slope(high) > 0:
        high += 3.0
        if high > 18:
            raise EstimationError(
                "negbin: the counts vary no more than a Poisson model says (theta grows without "
                "bound); use the estimator poisson."
            )
    return float(np.exp(optimize.brentq(slope, low, high, xtol=1e-12, rtol=1e-13)))


def _fit_negbin(
    problem: Problem, near: FloatArray | None = None
) -> tuple[Family, Optimum, dict[str, float]]:
    """Alternate between coefficients and theta, as MASS::glm.nb does, until neither moves."""
    weights = np.ones_like(problem.y) if problem.weights is None else problem.weights
    optimum = maximise(FAMILIES["poisson"], problem, near=near)
    theta, steps = 1.0, optimum.iterations
    for _ in range(100):
        mu = np.exp(_index(problem, optimum.beta))
        new = _best_theta(problem.y, mu, weights, theta)
        family = NegativeBinomial(new)
        moved = maximise(family, problem, start=optimum.beta)
        change = float(np.abs(moved.beta - optimum.beta).max())
        steps += moved.iterations
        done = abs(np.log(new / theta)) < 1e-9 and change < 1e-8
        theta, optimum = new, replace(moved, iterations=steps)
        if done:
            break
    else:
        raise EstimationError("negbin did not converge: coefficients and theta keep moving.")
    mu = np.exp(_index(problem, optimum.beta))
    curvature = -_theta_parts(theta, problem.y, mu, weights)[2]
    spread = float(np.sqrt(1.0 / curvature)) if curvature > 0 else float("nan")
    return family, optimum, {"theta": theta, "theta_se": spread, "alpha": 1.0 / theta}


def _joint_negbin(
    family: NegativeBinomial, problem: Problem, eta: FloatArray, inner: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the score of log theta by row and the observed information of all parameters."""
    weights = np.ones_like(problem.y) if problem.weights is None else problem.weights
    theta, mu = family.theta, np.exp(eta)
    _, score, second = _theta_parts(theta, problem.y, mu, weights)
    # d2l / deta dtheta = (y - mu) mu / (theta + mu)^2; the chain rule turns theta into log theta
    cross_factor = weights * theta * (problem.y - mu) * mu / (theta + mu) ** 2
    cross = np.zeros(problem.X.shape[1])
    for rows in blocks(problem.y.size, problem.X.shape[1]):
        cross += cross_factor[rows] @ problem.scaling.block(problem.X[rows])
    corner = -(second * theta**2 + float(score.sum()) * theta)
    joint = np.block([[inner, -cross[:, None]], [-cross[None, :], np.array([[corner]])]])
    return (score * theta)[:, None], joint
