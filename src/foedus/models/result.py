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
        The coefficients (also as a pandas Series: `coef`).
    covariances : dict
        Name -> Covariance (matrix, clusters, small-sample convention, whether repaired).
    n_obs, n_events : int
        Rows used; rows with outcome 1 (binary outcomes), with a positive count (count models),
        None for OLS.
    loglik : float
        At the estimate.
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
    """

    estimator: str
    formula: str
    terms: tuple[str, ...]
    params: FloatArray
    covariances: dict[str, Covariance]
    n_obs: int
    n_events: int | None
    loglik: float
    rows_lost: dict[str, int]
    dropped_terms: dict[str, str]
    ancillary: dict[str, float]
    iterations: int
    df: float | None
    fit: Fit = field(repr=False)
    design: Design | None = field(default=None, repr=False)
    columns: Columns = field(default_factory=dict, repr=False)
    kept: BoolArray | None = field(default=None, repr=False)
    converged: bool = True

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

    def new_matrix(self, newdata: Any) -> tuple[FloatArray, FloatArray | None, BoolArray]:
        """Make the model's columns from new rows.

        Returns
        -------
        X, offset, complete
            The matrix and offset of the complete rows, and which rows these are.
        """
        if self.design is None:
            X = np.asarray(newdata, dtype=np.float64)
            complete: BoolArray = np.asarray(np.isfinite(X).all(axis=1))
            return X, None, complete
        formula = self.design.formula
        own = set(dict.fromkeys(formula.names())) - set(_only_response(self.design))
        read = {name: read_column(newdata, name) for name in formula.names() if name in own}
        complete = np.ones(_rows(read, newdata), dtype=bool)
        for column in read.values():
            complete &= ~missing_in(column)
        taken = {name: take_rows(column, complete) for name, column in read.items()}
        X, offset = self.evaluate(taken, int(complete.sum()))
        return X, offset, complete

    def evaluate(self, columns: Columns, n: int) -> tuple[FloatArray, FloatArray | None]:
        """Return the matrix (dropped terms left out) and offset of columns."""
        assert self.design is not None
        X, names = self.design.matrix(columns, n)
        if tuple(names) != self.terms:
            X = X[:, [names.index(term) for term in self.terms]]
        return X, self.design.offset(columns, n)

    def predict(self, newdata: Any = None, kind: str = "response") -> FloatArray:
        """Predict outcomes.

        Parameters
        ----------
        newdata : frame, optional
            Rows with the formula's columns; the estimation sample for None.
        kind : str
            "response" (a probability, a mean) or "link" (the index X b).

        Returns
        -------
        float array
            One value a row; NaN where a variable is missing.
        """
        if kind not in ("response", "link"):
            raise UsageError(f'"{kind}" is not a kind of prediction: "response" or "link".')
        if newdata is None:
            X, offset, complete = self.fit.X, self.fit.offset, np.ones(self.n_obs, dtype=bool)
        else:
            X, offset, complete = self.new_matrix(newdata)
        eta = X @ self.params if offset is None else X @ self.params + offset
        out = np.full(complete.size, np.nan)
        filled = eta if kind == "link" else self.fit.family.mean(eta)
        if newdata is not None and self.design is None:
            return filled
        out[complete] = filled
        return out

    def effects(
        self,
        terms: Sequence[str] | None = None,
        cov: str | None = None,
        kind: str = "auto",
        level: float = LEVEL,
    ) -> pd.DataFrame:
        """Return average marginal effects on the outcome's scale; see `quantities.effects`."""
        from foedus.models.quantities import effects

        return effects(self, terms, cov=cov, kind=kind, level=level)


def _series(values: FloatArray, terms: Sequence[str], name: str) -> pd.Series[float]:
    import pandas as pd

    return pd.Series(values, index=list(terms), name=name)


def _only_response(design: Design) -> list[str]:
    """Return columns that only the outcome uses; a prediction does not need them."""
    from foedus.models.formula import names_in

    formula = design.formula
    right = {n for t in formula.terms for f in t for n in names_in(formula.factors[f])}
    right |= {name for offset in formula.offsets for name in names_in(offset)}
    return [name for name in formula.names() if name not in right]


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
