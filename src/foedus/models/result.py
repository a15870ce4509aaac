"""What an estimator returns: frozen, with a table, effects and predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from foedus.errors import UsageError, nearest
from foedus.models.arrays import BoolArray, FloatArray
from foedus.models.covariance import (
    REPAIRS,
    Covariance,
    CovarianceSpec,
    Identifiers,
    covariance_of,
    parse_covariance,
)
from foedus.models.design import Columns, Design, Labels, missing_in, read_column, take_rows
from foedus.models.fit import Fit
from foedus.models.formula import CONSTANT, Formula, names_in

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Result:
    """A fitted model.

    Attributes
    ----------
    estimator, formula : str
        What was fitted.
    terms : tuple of str
        Names of the coefficients; the constant is ``(Intercept)``.
    params : float array
        The coefficients (also as a pandas Series: `coef`), those of a second equation after those
        of the first (``zero:x1``), ancillary parameters last (``/theta``).
    covariances : dict
        Name -> Covariance (matrix, clusters, small-sample convention, whether repaired).
    n_obs, n_events : int
        Rows used; rows with outcome 1 (binary outcomes), with a positive count (count models),
        None for OLS.
    loglik : float or None
        At the estimate; None for estimators that maximise no likelihood.
    rows_lost : dict
        Rows left out by cause: ``missing <column>`` in formula order, ``not finite <term>``,
        ``perfect predictor <term>``.
    dropped_terms : dict
        Terms left out on request, with the reason.
    ancillary : dict
        theta, theta_se, alpha (negative binomial); sigma, df_residual (OLS).
    converged, iterations
        converged is always True: a model that does not converge is an error, never a result.
    df : float or None
        Degrees of freedom of t statistics: n - k for OLS, None (normal) elsewhere.
    asked : dict
        The options it was estimated with, weights among them, so that it can be estimated again.
    """

    estimator: str
    formula: str
    terms: tuple[str, ...]
    params: FloatArray
    covariances: dict[str, Covariance]
    n_obs: int
    n_events: int | None
    loglik: float | None
    rows_lost: dict[str, int]
    dropped_terms: dict[str, str]
    ancillary: dict[str, float]
    iterations: int
    df: float | None
    fit: Fit = field(repr=False)
    designs: tuple[Design, ...] = field(default=(), repr=False)
    columns: Columns = field(default_factory=dict, repr=False)
    kept: BoolArray | None = field(default=None, repr=False)
    converged: bool = True
    asked: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def design(self) -> Design | None:
        """How the first equation's matrix is made; None for a model of arrays."""
        return self.designs[0] if self.designs else None

    @property
    def equations(self) -> dict[str, tuple[str, ...]]:
        """Terms by equation: "" is the first, "/" holds the ancillary parameters."""
        found: dict[str, list[str]] = {}
        named = [part.equation for part in self.fit.parts if part.equation]
        for term in self.terms:
            home = "/" if term.startswith("/") else ""
            home = next((name for name in named if term.startswith(f"{name}:")), home)
            found.setdefault(home, []).append(term)
        return {name: tuple(terms) for name, terms in found.items()}

    @property
    def cov_names(self) -> tuple[str, ...]:
        """The covariances computed, the declared (first) one first."""
        return tuple(self.covariances)

    @property
    def coef(self) -> pd.Series[float]:
        """Coefficients by term."""
        return _series(self.params, self.terms, "estimate")

    @property
    def n_clusters(self) -> dict[str, int | None]:
        """Clusters by covariance: the smallest number of a multi-way cluster, states if dyadic."""
        return {n: min(c.clusters) if c.clusters else None for n, c in self.covariances.items()}

    @property
    def small_sample(self) -> dict[str, str]:
        """The small-sample convention of each covariance, in words."""
        return {name: cov.convention for name, cov in self.covariances.items()}

    def covariance(self, cov: str | None = None) -> Covariance:
        """Return a covariance by name; the first one computed for None.

        Raises
        ------
        UsageError
            If it was not among those asked for.
        """
        if cov is None:
            return next(iter(self.covariances.values()))
        name = cov if cov in self.covariances else parse_covariance(cov).name
        if name not in self.covariances:
            raise UsageError(
                f'covariance "{cov}" was not computed. {nearest(cov, self.covariances)}'
            )
        return self.covariances[name]

    def vcov(self, cov: str | None = None) -> FloatArray:
        """Return the covariance matrix of the coefficients."""
        return self.covariance(cov).vcov

    def std_errors(self, cov: str | None = None) -> FloatArray:
        """Return standard errors as an array, in the order of `terms`."""
        with np.errstate(invalid="ignore"):
            out: FloatArray = np.sqrt(np.diag(self.vcov(cov)))
        return out

    def se(self, cov: str | None = None) -> pd.Series[float]:
        """Return standard errors by term."""
        return _series(self.std_errors(cov), self.terms, "std_error")

    def index_of(self, term: str) -> int:
        """Return the place of a term among the coefficients.

        Raises
        ------
        UsageError
            If the model has no such term.
        """
        if term == "Intercept" and "(Intercept)" in self.terms:
            term = "(Intercept)"
        if term not in self.terms:
            raise UsageError(f'the model has no term "{term}". {nearest(term, self.terms)}')
        return self.terms.index(term)

    def table(self, cov: str | Sequence[str] | None = None, level: float = LEVEL) -> pd.DataFrame:
        """Return a tidy table, one row a term, one block a covariance.

        Parameters
        ----------
        cov : str or sequence of str, optional
            Which covariances; all for None.
        level : float
            Of the confidence intervals.

        Returns
        -------
        DataFrame
            term, estimate, std_error, statistic, p_value, ci_low, ci_high, covariance, n_clusters,
            small_sample.
        """
        import pandas as pd

        asked = [cov] if isinstance(cov, str) else list(cov or self.covariances)
        parts = []
        for name in asked:
            made = self.covariance(name)
            block = inference(self.params, self.std_errors(name), self.df, level)
            block["covariance"] = [made.name] * len(self.terms)
            block["n_clusters"] = [self.n_clusters[made.name]] * len(self.terms)
            block["small_sample"] = [made.convention] * len(self.terms)
            parts.append(pd.DataFrame({"term": list(self.terms), **block}))
        table = pd.concat(parts, ignore_index=True)
        table["n_clusters"] = table["n_clusters"].astype("Int64")
        return table

    def new_matrices(self, newdata: Any) -> tuple[list[FloatArray], FloatArray | None, BoolArray]:
        """Make every equation's columns from new rows.

        Returns
        -------
        matrices, offset, complete
            The matrices and the first equation's offset for the complete rows, and which these
            are. For a model of arrays `newdata` is the matrix, or a sequence of one an equation.
        """
        if self.design is None:
            given = newdata if isinstance(newdata, (list, tuple)) else [newdata]
            matrices = [np.asarray(X, dtype=np.float64) for X in given]
            complete: BoolArray = np.asarray(np.isfinite(np.hstack(matrices)).all(axis=1))
            return matrices, None, complete
        formulas = [design.formula for design in self.designs]
        wanted = dict.fromkeys(name for one in formulas for name in right_names(one))
        read = {name: read_column(newdata, name) for name in wanted}
        complete = np.ones(_rows(read, newdata), dtype=bool)
        for column in read.values():
            complete &= ~missing_in(column)
        taken = {name: take_rows(column, complete) for name, column in read.items()}
        n = int(complete.sum())
        return self.matrices(taken, n), self.designs[0].offset(taken, n), complete

    def matrices(self, columns: Columns, n: int) -> list[FloatArray]:
        """Return every equation's matrix of columns, terms that were dropped left out."""
        made = []
        for design, part in zip(self.designs, self.fit.parts, strict=True):
            X, names = design.matrix(columns, n)
            if tuple(names) != part.names:
                X = X[:, [names.index(name) for name in part.names]]
            made.append(X)
        return made

    def evaluate(self, columns: Columns, n: int) -> tuple[FloatArray, FloatArray | None]:
        """Return the first equation's matrix (dropped terms left out) and offset of columns."""
        assert self.design is not None
        return self.matrices(columns, n)[0], self.design.offset(columns, n)

    def predict(self, newdata: Any = None, kind: str = "response") -> FloatArray:
        """Predict outcomes.

        Parameters
        ----------
        newdata : frame, optional
            Rows with the formula's columns; the estimation sample for None.
        kind : str
            "response" (a probability, a mean; for categories one column each, in the order of
            `fit.levels`), "link" (the index X b), or another kind the estimator has.

        Returns
        -------
        float array
            One value (or row of values) a row; NaN where a variable is missing.
        """
        predictor = self.fit.predictor
        if predictor is None:
            raise UsageError(f"a {self.estimator} predicts nothing.")
        if kind not in predictor.kinds:
            known = " or ".join(f'"{one}"' for one in predictor.kinds)
            raise UsageError(f'"{kind}" is not a kind of prediction: {known}.')
        if newdata is None and self._has_emptied_rows():
            newdata = self.columns
        if newdata is None:
            matrices = [part.X for part in self.fit.parts]
            return predictor.predict(self.params, matrices, self.fit.offset, kind)
        matrices, offset, complete = self.new_matrices(newdata)
        filled = predictor.predict(self.params, matrices, offset, kind)
        if self.design is None:
            return filled
        out = np.full((complete.size, *filled.shape[1:]), np.nan)
        out[complete] = filled
        return out

    def _has_emptied_rows(self) -> bool:
        """Return whether rows that were not selected hold zeros in the first equation's matrix."""
        first = self.fit.parts[0]
        if len(self.fit.parts) < 2 or CONSTANT not in first.names or self.design is None:
            return False
        return bool((first.X[:, first.names.index(CONSTANT)] == 0.0).any())

    def effects(
        self,
        terms: Sequence[str] | None = None,
        cov: str | None = None,
        kind: str = "auto",
        level: float = LEVEL,
    ) -> pd.DataFrame:
        """Return average marginal effects on the outcome's scale; see `marginal.effects`."""
        from foedus.models.marginal import effects

        return effects(self, terms, cov=cov, kind=kind, level=level)


def _series(values: FloatArray, terms: Sequence[str], name: str) -> pd.Series[float]:
    import pandas as pd

    return pd.Series(values, index=list(terms), name=name)


def right_names(formula: Formula) -> list[str]:
    """Return the columns that one equation's right side uses, in the formula's order."""
    right = {n for t in formula.terms for f in t for n in names_in(formula.factors[f])}
    right |= {name for offset in formula.offsets for name in names_in(offset)}
    return [name for name in formula.own_names() if name in right]


def _rows(read: Mapping[str, Any], newdata: Any) -> int:
    for column in read.values():
        return int(column.codes.size if isinstance(column, Labels) else column.size)
    return len(newdata)


def inference(
    estimate: FloatArray, std_error: FloatArray, df: float | None, level: float = LEVEL
) -> dict[str, Any]:
    """Return estimate, std_error, statistic, p_value, ci_low and ci_high.

    Normal for df None, else Student's t. A standard error of 0 gives a missing statistic.
    """
    point = 0.5 + level / 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(std_error > 0, estimate / std_error, np.nan)
    size = -np.abs(statistic)
    tail = special.ndtr(size) if df is None else special.stdtr(df, size)
    half = float(special.ndtri(point) if df is None else special.stdtrit(df, point)) * std_error
    return {
        "estimate": estimate,
        "std_error": std_error,
        "statistic": statistic,
        "p_value": 2.0 * tail,
        "ci_low": estimate - half,
        "ci_high": estimate + half,
    }


def covariances_for(
    fit: Fit, specs: Sequence[CovarianceSpec], ids: Identifiers, repairs: str
) -> dict[str, Covariance]:
    """Compute every covariance asked for, in order."""
    if repairs not in REPAIRS:
        raise UsageError(f'"{repairs}" is no way to repair. {nearest(repairs, REPAIRS)}')
    return {spec.name: covariance_of(spec, fit.made, ids, repairs) for spec in specs}
