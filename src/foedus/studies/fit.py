"""The studies' side of the models room: one model in, its terms under each covariance out.

What comes out is small (coefficients, covariance matrices, how to make the design's columns), so
that a run can hold every alternative it has estimated; the rows themselves stay in the workshop.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foedus.errors import UsageError, nearest
from foedus.models.formula import CONSTANT, Formula, names_in, parse_formula
from foedus.studies.verdict import Rebuilt

if TYPE_CHECKING:
    from foedus.models.design import Design, Labels
    from foedus.models.families import Family
    from foedus.models.result import Result
    from foedus.models.room import Room

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Z95 = 1.959963984540054
OPTIONS = ("weights", "small_sample", "information", "collinear", "separation", "repairs")
"""What `options:` of any model may set (arguments of foedus.models.estimate), besides the options
of its own estimator, which the registry lists."""


@dataclass(frozen=True)
class TermEstimate:
    """One coefficient under one covariance."""

    term: str
    estimate: float
    std_error: float | None
    statistic: float | None
    p_value: float | None
    ci_low: float | None
    ci_high: float | None


@dataclass(frozen=True)
class EffectValue:
    """Predictions at two values of a variable, and the change between them.

    Attributes
    ----------
    p0, p1 : float
        Predicted probability (or mean) before and after.
    difference : float
        p1 - p0, with its delta-method standard error and 95 % interval.
    percent_change : float
        100 (p1 - p0) / p0, with its delta-method standard error.
    """

    p0: float
    p1: float
    p0_se: float
    p1_se: float
    difference_se: float
    percent_se: float
    n: int

    @property
    def difference(self) -> float:
        """The change in the prediction."""
        return self.p1 - self.p0

    @property
    def percent_change(self) -> float:
        """The change as a percentage of the prediction before it."""
        return 100 * (self.p1 - self.p0) / self.p0

    def part(self, name: str) -> Rebuilt:
        """Return one of the numbers, with a test where it has one."""
        values = {
            "p0": (self.p0, self.p0_se),
            "p1": (self.p1, self.p1_se),
            "difference": (self.difference, self.difference_se),
            "percent_change": (self.percent_change, self.percent_se),
        }
        value, error = values[name]
        tested = name in ("difference", "percent_change") and error > 0
        p_value = 2 * float(special.ndtr(-abs(value) / error)) if tested else None
        return Rebuilt(value, error, p_value, self.n)

    def as_row(self) -> dict[str, float]:
        """Return the numbers that the study's page shows."""
        return {
            "p0": self.p0,
            "p1": self.p1,
            "difference": self.difference,
            "ci_low": self.difference - Z95 * self.difference_se,
            "ci_high": self.difference + Z95 * self.difference_se,
            "percent_change": self.percent_change,
            "percent_low": self.percent_change - Z95 * self.percent_se,
            "percent_high": self.percent_change + Z95 * self.percent_se,
        }


@dataclass(frozen=True)
class Fitted:
    """One estimated model, without its rows.

    Attributes
    ----------
    terms : dict
        Covariance to its terms, in the order of the formula.
    vcov : dict
        Covariance to the matrix of the coefficients.
    n_obs, n_events, loglik
        As the models room reports them.
    n_clusters, small_sample : dict
        By covariance.
    rows_lost : dict
        Rows that the estimator left out (perfect predictors), by cause.
    dropped : dict
        Terms left out, with the reason.
    warnings : tuple of str
        What the estimator warned of (few clusters, say).
    """

    terms: dict[str, tuple[TermEstimate, ...]]
    vcov: dict[str, Array]
    params: Array
    names: tuple[str, ...]
    n_obs: int
    n_events: int | None
    loglik: float | None
    n_clusters: dict[str, int | None]
    small_sample: dict[str, str]
    rows_lost: dict[str, int]
    dropped: dict[str, str]
    warnings: tuple[str, ...]
    design: Design
    family: Family | None

    def term(self, covariance: str, name: str) -> TermEstimate | None:
        """Return a term under a covariance; None if the model has none of that name."""
        wanted = CONSTANT if name == "Intercept" else name
        return next((term for term in self.terms[covariance] if term.term == wanted), None)

    def absence(self, name: str) -> str:
        """Say why there is no such term."""
        if name in self.dropped:
            return f"{name} was left out: {self.dropped[name]}."
        return f'the model has no term "{name}". {nearest(name, self.names)}'

    def effect(
        self,
        covariance: str,
        of: str,
        values: tuple[float, float],
        profile: Mapping[str, Array],
    ) -> EffectValue:
        """Return the change in the prediction when one variable moves.

        Parameters
        ----------
        covariance : str
        of : str
            The variable.
        values : tuple of float
            Its value before and after.
        profile : mapping of variable to array
            The other variables: one row (a typical one), or all rows to average over.
        """
        before, slope0 = self.prediction(of, values[0], profile)
        after, slope1 = self.prediction(of, values[1], profile)
        matrix = self.vcov[covariance]
        percent = 100 * (slope1 / before - after * slope0 / before**2)
        return EffectValue(
            p0=before,
            p1=after,
            p0_se=_spread(slope0, matrix),
            p1_se=_spread(slope1, matrix),
            difference_se=_spread(slope1 - slope0, matrix),
            percent_se=_spread(percent, matrix),
            n=self.n_obs,
        )

    def prediction(
        self, of: str, value: float, profile: Mapping[str, Array]
    ) -> tuple[float, Array]:
        """Return the mean prediction with one variable set, and its gradient in the terms."""
        columns: dict[str, Array | Labels] = dict(profile)
        n = len(next(iter(profile.values())))
        columns[of] = np.full(n, value)
        X, names = self.design.matrix(columns, n)
        if tuple(names) != self.names:
            X = X[:, [names.index(term) for term in self.names]]
        if self.family is None:
            raise UsageError("effects are for models of one index; this estimator has several.")
        eta = X @ self.params
        offset = self.design.offset(columns, n)
        if offset is not None:
            eta = eta + offset
        mean = float(self.family.mean(eta).mean())
        gradient = self.family.slope(eta) @ X / n
        return mean, np.asarray(gradient)

    def curve(
        self, covariance: str, of: str, grid: Array, profile: Mapping[str, Array]
    ) -> tuple[list[float], list[float], list[float]]:
        """Return predictions over a grid of one variable, with pointwise 95 % intervals."""
        y, low, high = [], [], []
        for value in grid:
            mean, slope = self.prediction(of, float(value), profile)
            half = Z95 * _spread(slope, self.vcov[covariance])
            y.append(mean)
            low.append(mean - half)
            high.append(mean + half)
        return y, low, high


def _spread(gradient: Array, matrix: Array) -> float:
    return float(np.sqrt(max(float(gradient @ matrix @ gradient), 0.0)))


def fit_model(
    formula: str,
    estimator: str,
    options: Mapping[str, Any],
    covariances: Sequence[str],
    data: Mapping[str, NDArray[Any]],
    near: Fitted | None = None,
    numbering: dict[str, Any] | None = None,
    room: Room | None = None,
) -> Fitted:
    """Estimate one model.

    Parameters
    ----------
    formula, estimator : str
    options : mapping
        See OPTIONS, and the options of the estimator itself.
    covariances : sequence of str
    data : mapping of column to array
        The formula's variables, complete, and the unit's keys (states and years to cluster on).
    near : Fitted, optional
        The same model in another design: where Newton's method begins, if the estimator can.
    numbering : dict, optional
        Of clusters and dyads, shared by fits on the same rows; see foedus.models.estimate.
    room : Room, optional
        Memory for the matrix, shared by all fits of a run: what comes out holds none of it.

    Raises
    ------
    EstimationError
        Separation, collinear terms, no convergence.
    UsageError
        An unknown estimator, covariance or cluster variable.
    """
    from foedus.models import estimate, find_estimator

    chosen = dict(options)
    if near is not None and find_estimator(estimator).starts:
        chosen["near"] = dict(zip(near.names, near.params.tolist(), strict=True))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        result = estimate(
            formula,
            data,
            estimator,
            list(covariances),
            numbering=numbering,
            room=room,
            **chosen,
        )
    assert result.design is not None
    made = {text: result.covariance(text) for text in covariances}
    return Fitted(
        terms={text: _terms(result, text) for text in covariances},
        vcov={text: covariance.vcov for text, covariance in made.items()},
        params=result.params,
        names=result.terms,
        n_obs=result.n_obs,
        n_events=result.n_events,
        loglik=result.loglik,
        n_clusters={text: result.n_clusters[item.name] for text, item in made.items()},
        small_sample={text: item.convention for text, item in made.items()},
        rows_lost=dict(result.rows_lost),
        dropped=dict(result.dropped_terms),
        warnings=tuple(dict.fromkeys(str(item.message) for item in caught)),
        design=result.design,
        family=result.fit.family,
    )


def _terms(result: Result, covariance: str) -> tuple[TermEstimate, ...]:
    from foedus.models.result import inference

    made = inference(result.params, result.std_errors(covariance), result.df)
    columns = ("estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high")
    return tuple(
        TermEstimate(term, *(float(made[name][place]) for name in columns))
        for place, term in enumerate(result.terms)
    )


@lru_cache(maxsize=512)
def parsed(formula: str) -> Formula:
    """Return a formula, parsed once."""
    return parse_formula(formula)


def formula_names(formula: str) -> list[str]:
    """Return a formula's variables, outcome first; empty when it isn't one (see check_model)."""
    try:
        return parsed(formula).names()
    except UsageError:
        return []


def cluster_names(covariances: Sequence[str]) -> list[str]:
    """Return the columns that covariances are clustered on."""
    from foedus.models.covariance import parse_covariance

    found: list[str] = []
    for text in covariances:
        try:
            found.extend(parse_covariance(text).by)
        except UsageError:
            continue
    return list(dict.fromkeys(found))


def outcome_names(formula: str) -> list[str]:
    """Return the variables of a formula's left side."""
    return list(names_in(parsed(formula).response))


def plain_terms(formula: str) -> list[str] | None:
    """Return a formula's coefficients when they are known without data, else None."""
    try:
        read = parsed(formula)
    except UsageError:
        return None
    if any("(" in factor for term in read.terms for factor in term):
        return None
    names = [":".join(term) for term in read.terms]
    return [CONSTANT, *names] if read.constant else names


def check_model(
    formula: str, estimator: str, covariances: Sequence[str], options: Mapping[str, Any]
) -> Iterator[str]:
    """Yield what is wrong with a model, ``field: sentence``, as far as it shows without data."""
    from foedus.models.covariance import parse_covariance

    try:
        parsed(formula)
    except UsageError as error:
        yield f"formula: {error}"
    yield from _check_estimator(estimator, options)
    for text in covariances:
        try:
            parse_covariance(text)
        except UsageError as error:
            yield f"covariance: {error}"
    if len(set(covariances)) != len(covariances):
        yield "covariance: one is named twice."


def _check_estimator(estimator: str, options: Mapping[str, Any]) -> Iterator[str]:
    from foedus.models import find_estimator

    try:
        entry = find_estimator(estimator)
    except UsageError as error:
        yield f"estimator: {error}"
        return
    own = {name: value for name, value in options.items() if name not in OPTIONS}
    known = [*OPTIONS, *(option.name for option in entry.options)]
    for name in own:
        if name not in known:
            yield f'options: "{name}" is not an option of a {estimator}. {nearest(name, known)}'
    try:
        entry.settle({name: value for name, value in own.items() if name in known})
    except UsageError as error:
        yield f"options: {error}"


def option_names(estimator: str, options: Mapping[str, Any]) -> list[str]:
    """Return the columns that a model's options name, weights first; empty if it isn't known."""
    from foedus.models import find_estimator
    from foedus.models.running import option_columns

    weights = options.get("weights")
    try:
        own = option_columns(find_estimator(estimator), options)
    except UsageError:
        own = []
    return [*([weights] if weights else []), *own]
