"""Covariances of estimates: bread x meat x bread, with one meat for each idea of dependence.

The bread is the inverse information, the meat the covariance of summed scores:

- ``classical``: the bread itself (times the error variance for OLS);
- ``HC0``-``HC3``: rows are independent (White 1980, Econometrica 48; HC2 and HC3 weigh rows by
  their leverage, MacKinnon and White 1985, J. Econometrics 29);
- ``cluster(a)``: rows that share ``a`` may depend on each other (Liang and Zeger 1986,
  Biometrika 73);
- ``cluster(a, b)``: rows that share ``a`` or ``b`` (Cameron, Gelbach and Miller 2011, JBES 29);
- ``dyadic``: rows that share any state, on whichever side (Aronow, Samii and Assenova 2015,
  Political Analysis 23): meat = sum_c S_c S_c' - sum_d S_d S_d', where S_c sums the scores of all
  rows with state c on either side and S_d those of an unordered dyad, all years and both
  directions together, because these pairs were counted once for each of its two states.

- ``dyadic(a, b, c)``, ``dyadic+cluster(year)``, ``driscoll_kraay(year)``, ``CR2(a)``, ``CR3(a)``,
  ``jackknife``: see `foedus.models.dependence`.

``dyad`` names the unordered and ``ddyad`` the directed dyad, made from the two dyad columns.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import numpy.typing as npt

from foedus.errors import EstimationError, UsageError, nearest
from foedus.models.arrays import (
    FloatArray,
    IntArray,
    blocks,
    codes_of,
    group_sums,
    pair_codes,
    shared_codes,
)
from foedus.models.scaling import Scaling

FEW_CLUSTERS = 30
REPAIRS = ("variances", "eigen", "never")
"""When negative eigenvalues are set to 0; see `covariance_of`."""

PLAIN = ("classical", "HC0", "HC1", "HC2", "HC3", "dyadic", "jackknife")
RULES = ("R", "stata", "none", "clusters", "clusters_and_terms")
"""Small-sample rules of clustered covariances; see `small_sample_factor`."""

_PATTERN = re.compile(
    r"(cluster|dyadic|CR2|CR3|driscoll_kraay|jackknife)\s*\(([^;()]*)(?:;\s*([\w]+)\s*)?\)",
    re.IGNORECASE,
)
_WITH_TIME = re.compile(r"dyadic\s*\+\s*cluster\s*\(\s*([^;(),]+?)\s*\)", re.IGNORECASE)
_ALL_KINDS = {
    kind.lower(): kind
    for kind in ("cluster", "dyadic", "CR2", "CR3", "driscoll_kraay", "jackknife")
}
EXAMPLES = (
    *PLAIN, "cluster(dyad)", "cluster(ccode1, ccode2)", "dyadic(a, b, c)", "dyadic+cluster(year)",
    "CR2(ccode)", "CR3(ccode)", "driscoll_kraay(year)", "jackknife(ccode)",
)  # fmt: skip
"""Covariances by name, with column names as they might be."""


@dataclass(frozen=True, slots=True)
class CovarianceSpec:
    """A parsed covariance: its name as reported, kind, variables, small-sample rule, setting."""

    name: str
    kind: str
    by: tuple[str, ...] = ()
    rule: str = "R"
    setting: str = ""


def parse_covariance(text: str, rule: str = "R") -> CovarianceSpec:
    """Read a covariance's name.

    Parameters
    ----------
    text : str
        One of EXAMPLES. A rule may follow the variables of a cluster, ``cluster(dyad; none)``,
        and the number of lags the period of ``driscoll_kraay(year; 3)``.
    rule : str
        The small-sample rule where the text names none.

    Returns
    -------
    CovarianceSpec
        What to compute.

    Raises
    ------
    UsageError
        If the name or the rule is not known.
    """
    stripped = text.strip()
    plain = {name.lower(): name for name in PLAIN}
    if stripped.lower() in plain:
        return CovarianceSpec(plain[stripped.lower()], plain[stripped.lower()], (), _rule(rule))
    with_time = _WITH_TIME.fullmatch(stripped)
    if with_time:
        name = with_time.group(1)
        return CovarianceSpec(f"dyadic+cluster({name})", "dyadic+cluster", (name,), _rule(rule))
    match = _PATTERN.fullmatch(stripped)
    kind = _ALL_KINDS[match.group(1).lower()] if match else ""
    by = tuple(part.strip() for part in match.group(2).split(",")) if match else ()
    setting = (match.group(3) or "") if match else ""
    if not _well_formed(kind, by, setting):
        raise UsageError(f'"{text}" is not a covariance. ' + nearest(stripped, EXAMPLES))
    label = f"{kind}({','.join(by)}{'; ' + setting if setting else ''})"
    own = setting if kind == "cluster" and setting else rule
    return CovarianceSpec(label, kind, by, _rule(own), setting)


def _well_formed(kind: str, by: tuple[str, ...], setting: str) -> bool:
    """Say whether a kind of covariance takes these variables and this setting."""
    if not kind or not all(by) or len(set(by)) != len(by):
        return False
    if kind == "cluster":
        return True
    if kind == "driscoll_kraay":
        return len(by) == 1 and (not setting or setting.isdigit())
    if setting:
        return False
    return len(by) >= 2 if kind == "dyadic" else len(by) == 1


def _rule(rule: str) -> str:
    if rule not in RULES:
        raise UsageError(f'"{rule}" is not a small-sample rule. {nearest(rule, RULES)}')
    return rule


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Who each row is about: cluster variables by name, and the two sides of its dyad.

    ``dyad`` and ``ddyad`` are made from the two sides where these are given, whatever columns
    the data hold. Numbers are made once and kept in ``_cache``, which several fits on the same rows
    may share.
    """

    columns: Mapping[str, npt.ArrayLike]
    sides: tuple[npt.ArrayLike, npt.ArrayLike] | None = None
    side_names: tuple[str, str] = ("ccode1", "ccode2")
    _cache: dict[str, tuple[IntArray, int]] = field(default_factory=dict)

    def states(self) -> tuple[IntArray, IntArray, int]:
        """Return the states of both sides under one numbering, and how many there are."""
        if self.sides is None:
            raise UsageError(
                f"a dyadic covariance needs the columns {self.side_names[0]} and "
                f"{self.side_names[1]}; name the data's own two with the option dyad."
            )
        if "first side" not in self._cache:
            first, second, n_states = shared_codes(*self.sides)
            if bool((first == second).any()):
                row = int(np.flatnonzero(first == second)[0])
                raise EstimationError(
                    f"row {row} of the rows used is a dyad of {np.asarray(self.sides[0])[row]} "
                    "with itself; drop such rows."
                )
            self._cache["first side"] = first, n_states
            self._cache["second side"] = second, n_states
        first, n_states = self._cache["first side"]
        return first, self._cache["second side"][0], n_states

    def members(self, names: Sequence[str]) -> tuple[IntArray, int]:
        """Return the members of each row, sorted, -1 where there is none, and how many exist."""
        from foedus.models.dependence import codes_of_members

        columns = []
        for name in names:
            if name not in self.columns:
                raise UsageError(f'no column "{name}" of members. {nearest(name, self.columns)}')
            values = np.asarray(self.columns[name])
            if values.dtype.kind not in "iuf":
                raise UsageError(f'"{name}" must hold numbers to be a column of members.')
            numbers = values.astype(np.float64)
            columns.append(np.where(np.isnan(numbers), -1, numbers).astype(np.int64))
        return codes_of_members(columns)

    def codes(self, name: str) -> tuple[IntArray, int]:
        """Return the cluster number of each row for a variable, and how many there are."""
        if name not in self._cache:
            if name in ("dyad", "ddyad") and (self.sides is not None or name not in self.columns):
                first, second, n_states = self.states()
                if name == "dyad":
                    first, second = np.minimum(first, second), np.maximum(first, second)
                self._cache[name] = pair_codes(first, second, n_states)
            elif name in self.columns:
                self._cache[name] = codes_of(self.columns[name])
            else:
                known = [*self.columns, "dyad", "ddyad"]
                raise UsageError(f'no column "{name}" to cluster on. {nearest(name, known)}')
        return self._cache[name]

    def crossed(self, names: Sequence[str]) -> tuple[IntArray, int]:
        """Return numbers for the distinct combinations of several variables."""
        if len(names) == 1:
            return self.codes(names[0])
        key = " x ".join(names)
        if key not in self._cache:
            codes = self.crossed(names[:-1])[0]
            other, n_other = self.codes(names[-1])
            self._cache[key] = pair_codes(codes, other, n_other)
        return self._cache[key]


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of all rows, kept as a design matrix, a factor a row and the change of columns.

    `extra` holds further score columns (of an ancillary parameter) that are not multiples of X.
    """

    X: FloatArray
    factor: FloatArray
    scaling: Scaling
    extra: FloatArray | None = None

    def sums(self, codes: IntArray, n_groups: int) -> FloatArray:
        """Return the scores summed within groups, on the scaled columns."""
        total = group_sums(self.X, self.factor, codes, n_groups) @ self.scaling.matrix()
        if self.extra is None:
            return total
        return np.hstack([total, group_sums(self.extra, None, codes, n_groups)])

    def outer(self, shrink: FloatArray | None = None) -> FloatArray:
        """Return the sum over rows of score score', scores divided by `shrink` where given."""
        k = self.X.shape[1] + (0 if self.extra is None else self.extra.shape[1])
        total = np.zeros((k, k))
        for rows, part in self._parts():
            own = part if shrink is None else part / shrink[rows, None]
            total += own.T @ own
        return total

    def _parts(self) -> Iterator[tuple[slice, FloatArray]]:
        for rows in blocks(self.factor.size, self.X.shape[1]):
            part = self.scaling.block(self.X[rows]) * self.factor[rows, None]
            if self.extra is not None:
                part = np.hstack([part, self.extra[rows]])
            yield rows, part


@dataclass(frozen=True, slots=True)
class DenseScores:
    """Scores as a matrix, one row a row of the data or one row a group of rows.

    ``matrix`` has one row a group where ``groups`` gives the group of each row of the data (the
    strata of a conditional logit, the subjects of a mixed model): clusters must then hold whole
    groups.
    """

    matrix: FloatArray
    groups: IntArray | None = None

    def sums(self, codes: IntArray, n_groups: int) -> FloatArray:
        """Return the scores summed within clusters."""
        own = codes if self.groups is None else self.whole_groups(codes)
        return group_sums(self.matrix, None, own, n_groups)

    def whole_groups(self, codes: IntArray) -> IntArray:
        """Return the cluster of each group of rows.

        Raises
        ------
        EstimationError
            If a group's rows are in different clusters.
        """
        assert self.groups is not None
        own = np.zeros(self.matrix.shape[0], dtype=np.int64)
        own[self.groups] = codes
        apart = np.flatnonzero(own[self.groups] != codes)
        if apart.size:
            raise EstimationError(
                f"this estimator's scores belong to whole groups of rows, but {apart.size} rows "
                f"(e.g. row {apart[0]} of the rows used) are in another cluster than the rest of "
                "their group; cluster on something that is constant within groups."
            )
        return own

    def outer(self, shrink: FloatArray | None = None) -> FloatArray:
        """Return the sum of score score'."""
        assert shrink is None
        out: FloatArray = self.matrix.T @ self.matrix
        return out


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What a fit hands to the covariances; matrices are on the scaled columns.

    `back` turns scaled coefficients into those of the user's columns. `information_weight` is
    each row's weight in the information matrix, for leverages; None where there are none.
    `dispersion` is the error variance of OLS and 1 elsewhere. `classical` is the classical
    covariance of the user's columns where it is not the bread times the dispersion, with
    `classical_words` saying what it is; `scores` is None for estimators that have none.
    """

    scores: Scores | DenseScores | None
    bread: FloatArray
    back: FloatArray
    information_weight: FloatArray | None
    dispersion: float
    n: int
    k: int
    likelihood: bool
    classical: FloatArray | None = None
    classical_words: str = ""
    more_leverage: Callable[[], FloatArray] | None = None
    """Leverage of what is not among the columns (absorbed effects), made when asked for."""


def ingredients(
    scores: FloatArray,
    information: FloatArray,
    *,
    groups: IntArray | None = None,
    n: int | None = None,
    k: int | None = None,
    dispersion: float = 1.0,
    likelihood: bool = True,
) -> Ingredients:
    """Make ingredients from scores and an information matrix on the user's own columns.

    Parameters
    ----------
    scores : float array, rows (or groups) by parameters
        Each row's gradient of its log-likelihood (or estimating function), at the estimate, prior
        weights included.
    information : float array, parameters by parameters
        Minus the second derivative of the log-likelihood, expected or observed.
    groups : int array, optional
        The group of each row of the data, where `scores` has one row a group.
    n, k : int, optional
        Rows and parameters in small-sample factors; those of `scores` for None.
    dispersion : float
        The classical covariance is the inverse information times this.
    likelihood : bool
        Whether small-sample rules treat the model as a likelihood model.

    Returns
    -------
    Ingredients
        What `covariance_of` needs; parameters are scaled by the root of their information, so
        that units of measurement play no part in inverses and repairs.

    Raises
    ------
    EstimationError
        If the information has no inverse.
    """
    diagonal = np.diag(information)
    if not np.isfinite(information).all() or (diagonal <= 0).any():
        raise EstimationError(
            "the information matrix is not positive definite at the estimate: the model is not "
            "identified by these rows. Leave terms out, or use a simpler model."
        )
    scale = 1.0 / np.sqrt(diagonal)
    scaled = information * scale[:, None] * scale[None, :]
    try:
        bread: FloatArray = np.asarray(np.linalg.inv(scaled), dtype=np.float64)
    except np.linalg.LinAlgError:
        bread = np.full_like(scaled, np.nan)
    if not np.isfinite(bread).all() or (np.diag(bread) <= 0).any():
        raise EstimationError(
            "the information matrix has no inverse at the estimate: some terms can't be told "
            "apart in these rows. Leave terms out, or use a simpler model."
        )
    return Ingredients(
        DenseScores(scores * scale, groups),
        bread,
        np.diag(scale),
        None,
        dispersion,
        scores.shape[0] if n is None else n,
        scores.shape[1] if k is None else k,
        likelihood,
    )


def given_covariance(vcov: FloatArray, words: str, n: int, *, likelihood: bool) -> Ingredients:
    """Make ingredients of an estimator that has a covariance of its own and no scores."""
    k = vcov.shape[0]
    return Ingredients(None, np.eye(k), np.eye(k), None, 1.0, n, k, likelihood, vcov, words)


@dataclass(frozen=True, slots=True)
class Covariance:
    """One covariance matrix, with how it was made.

    ``clusters`` counts the groups of each cluster variable (states, for dyadic), ``convention``
    says the small-sample rule in words, ``repaired`` whether negative eigenvalues were set to 0.
    """

    name: str
    vcov: FloatArray
    clusters: tuple[int, ...]
    convention: str
    repaired: bool


def small_sample_factor(spec: CovarianceSpec, groups: int, made: Ingredients) -> tuple[float, str]:
    """Return the factor of one cluster dimension and say it in words.

    R: G/(G-1), for OLS times (n-1)/(n-k), as sandwich::vcovCL does by default; each dimension of
    a multi-way cluster has its own G. stata: the same, but with the smallest G in every dimension.
    clusters: G/(G-1) for every model; clusters_and_terms: G/(G-1) (n-1)/(n-k) for every model.
    """
    if spec.rule == "none":
        return 1.0, "no small-sample factor"
    if groups < 2:
        raise EstimationError(f"{spec.name}: there is only {groups} cluster; nothing to estimate.")
    with_terms = spec.rule == "clusters_and_terms" or (
        spec.rule in ("R", "stata") and not made.likelihood
    )
    factor = groups / (groups - 1)
    if with_terms:
        return factor * (made.n - 1) / (made.n - made.k), "G/(G-1) (n-1)/(n-k)"
    return factor, "G/(G-1)"


def _leverage(made: Ingredients) -> FloatArray:
    """Return the diagonal of the (weighted) hat matrix."""
    scores = made.scores
    if not isinstance(scores, Scores) or made.information_weight is None:
        raise UsageError("HC2 and HC3 need leverages, which this estimator has not; use HC1.")
    k = scores.X.shape[1]
    bread = made.bread[:k, :k]
    hat = np.empty(made.n)
    for rows in blocks(made.n, k):
        Z = scores.scaling.block(scores.X[rows])
        hat[rows] = np.einsum("ij,ij->i", Z @ bread, Z)
    hat *= made.information_weight
    if made.more_leverage is not None:
        hat += made.more_leverage()
    return hat


def scores_of(spec: CovarianceSpec, made: Ingredients) -> Scores | DenseScores:
    """Return the scores, or refuse for an estimator that has none."""
    if made.scores is None:
        raise UsageError(
            f"{spec.name} needs scores by row, which this estimator has not; it has the classical "
            "covariance and resampling."
        )
    return made.scores


def _heteroskedastic(spec: CovarianceSpec, made: Ingredients) -> tuple[FloatArray, str]:
    scores = scores_of(spec, made)
    if spec.kind == "HC0":
        if spec.rule == "stata" and made.likelihood:
            return scores.outer() * (made.n / (made.n - 1)), "n/(n-1)"
        return scores.outer(), "no small-sample factor"
    if spec.kind == "HC1":
        return scores.outer() * (made.n / (made.n - made.k)), "n/(n-k)"
    room = 1.0 - _leverage(made)
    if float(room.min()) < 1e-10:
        raise EstimationError(
            f"{spec.kind}: {int((room < 1e-10).sum())} rows have leverage 1 (a term that is "
            "non-zero in a single row), so their scores can't be weighed; use HC1."
        )
    if spec.kind == "HC2":
        return scores.outer(np.sqrt(room)), "scores / sqrt(1 - leverage)"
    return scores.outer(room), "scores / (1 - leverage)"


def _clustered(
    spec: CovarianceSpec, made: Ingredients, ids: Identifiers
) -> tuple[FloatArray, tuple[int, ...], str]:
    """Sum the meats of all combinations of the cluster variables, with alternating sign."""
    counts = tuple(ids.codes(name)[1] for name in spec.by)
    warn_few(spec.name, min(counts), "clusters")
    meat = np.zeros_like(made.bread)
    words = ""
    for size in range(1, len(spec.by) + 1):
        for names in combinations(spec.by, size):
            codes, groups = ids.crossed(names)
            S = scores_of(spec, made).sums(codes, groups)
            factor, words = small_sample_factor(
                spec, min(counts) if spec.rule == "stata" else groups, made
            )
            meat += (1.0 if size % 2 else -1.0) * factor * (S.T @ S)
    if len(spec.by) > 1 and spec.rule != "none":
        words += ", smallest G" if spec.rule == "stata" else ", each dimension its own G"
    return meat, counts, words


def dyadic_meat(
    scores: Scores | DenseScores, ids: Identifiers, within: str | None = None
) -> tuple[FloatArray, int]:
    """Return the meat of the dyadic-robust covariance and the number of states.

    Parameters
    ----------
    scores : Scores or DenseScores
        Scores by row.
    ids : Identifiers
        With the two sides of each row's dyad.
    within : str, optional
        A variable whose values must also be the same in both rows (a year).

    Returns
    -------
    meat : float array
        Sum over states of S_c S_c' less sum over unordered dyads of S_d S_d'.
    n_states : int
        The number of states.
    """
    first, second, n_states = ids.states()
    # one pass over the rows: all else is sums of the few directed dyads
    codes, n_pairs = ids.codes("ddyad") if within is None else ids.crossed(["ddyad", within])
    by_pair = scores.sums(codes, n_pairs)
    sides = np.zeros((2, n_pairs), dtype=np.int64)
    sides[0, codes], sides[1, codes] = first, second
    low, high = sides.min(axis=0), sides.max(axis=0)
    n_groups, dyads = n_states, pair_codes(low, high, n_states)
    if within is not None:
        times, n_times = ids.codes(within)
        time = np.zeros(n_pairs, dtype=np.int64)
        time[codes] = times
        sides = sides * n_times + time
        n_groups *= n_times
        dyads = pair_codes(dyads[0], time, n_times)
    by_state = group_sums(by_pair, None, sides[0], n_groups)
    by_state += group_sums(by_pair, None, sides[1], n_groups)
    by_dyad = group_sums(by_pair, None, *dyads)
    meat: FloatArray = by_state.T @ by_state - by_dyad.T @ by_dyad
    return meat, n_states


def warn_few(name: str, clusters: int, what: str) -> None:
    """Warn of fewer than FEW_CLUSTERS clusters."""
    if clusters < FEW_CLUSTERS:
        warnings.warn(
            f"{name}: only {clusters} {what}; standard errors with fewer than {FEW_CLUSTERS} "
            "are usually too small.",
            stacklevel=2,
        )


def repair(vcov: FloatArray) -> tuple[FloatArray, bool]:
    """Set negative eigenvalues to 0 (Cameron, Gelbach and Miller 2011); say whether any was."""
    values, vectors = np.linalg.eigh(vcov)
    if values.min() >= -1e-12 * max(float(values.max()), 0.0):
        return vcov, False
    mended: FloatArray = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return mended, True


def _meat(
    spec: CovarianceSpec, made: Ingredients, ids: Identifiers
) -> tuple[FloatArray, tuple[int, ...], str]:
    """Return the meat of a kind of covariance, its groups and its convention in words."""
    from foedus.models import dependence

    if spec.kind == "cluster":
        return _clustered(spec, made, ids)
    if spec.kind in ("CR2", "CR3"):
        return dependence.bias_reduced_meat(spec, made, ids)
    if not spec.kind.startswith(("dyadic", "driscoll")):
        meat, words = _heteroskedastic(spec, made)
        return meat, (), words
    scores = scores_of(spec, made)
    if spec.kind == "driscoll_kraay":
        return dependence.driscoll_kraay_meat(spec, scores, ids)
    if spec.kind == "dyadic+cluster":
        meat, clusters, words = dependence.dyadic_and_cluster_meat(scores, ids, spec.by[0])
    elif spec.by:
        meat, clusters, words = dependence.members_meat(scores, ids, spec.by)
    else:
        meat, n_states = dyadic_meat(scores, ids)
        clusters, words = (n_states,), "no small-sample factor"
    if clusters[0] < 4:
        # scores sum to 0 over all rows, and here every two rows share a state
        raise EstimationError(
            f"{spec.name}: all dyads among {clusters[0]} states share a state, so nothing is "
            "independent of anything; at least 4 states are needed."
        )
    warn_few(spec.name, clusters[0], "states")
    return meat, clusters, words


def covariance_of(
    spec: CovarianceSpec, made: Ingredients, ids: Identifiers, repairs: str = "variances"
) -> Covariance:
    """Compute one covariance matrix.

    Parameters
    ----------
    spec : CovarianceSpec
        Which.
    made : Ingredients
        What the fit handed over.
    ids : Identifiers
        Cluster variables and dyads of the rows used.
    repairs : str
        Multi-way and dyadic covariances are differences and may have negative eigenvalues.
        "variances" sets these to 0 where some coefficient's variance is negative, so that no
        standard error is missing, and otherwise leaves the matrix as its definition gives it;
        "eigen" always sets them to 0 (Cameron, Gelbach and Miller 2011), on columns scaled to
        unit variance so that units of measurement play no part; "never" does not (a negative
        variance is then a missing standard error). The words of the convention say either.

    Returns
    -------
    Covariance
        The matrix for the user's columns and how it was made.
    """
    clusters: tuple[int, ...] = ()
    if spec.kind == "classical":
        if made.classical is not None:
            return Covariance(spec.name, made.classical, (), made.classical_words, False)
        words = "s^2 = RSS/(n-k)" if not made.likelihood else "inverse information"
        return Covariance(spec.name, _back(made, made.bread * made.dispersion), (), words, False)
    if spec.kind == "jackknife":
        from foedus.models.dependence import jackknife

        inner, clusters, words = jackknife(spec, made, ids)
    else:
        meat, clusters, words = _meat(spec, made, ids)
        inner = made.bread @ meat @ made.bread
    mended, indefinite = repair(0.5 * (inner + inner.T))
    repaired = indefinite and (
        repairs == "eigen"
        or (repairs == "variances" and bool((np.diag(_back(made, inner)) < 0.0).any()))
    )
    if repaired:
        inner = mended
        words += "; negative eigenvalues set to 0"
    elif indefinite:
        words += "; not positive definite"
    return Covariance(spec.name, _back(made, inner), clusters, words, repaired)


def _back(made: Ingredients, inner: FloatArray) -> FloatArray:
    out: FloatArray = made.back @ inner @ made.back.T
    return 0.5 * (out + out.T)


def ready_ingredients(
    scores: FloatArray, bread: FloatArray, *, n: int | None = None, likelihood: bool = True
) -> Ingredients:
    """Make ingredients from scores and the inverse of an information already made.

    Parameters
    ----------
    scores : float array, rows by parameters
        As in `ingredients`.
    bread : float array
        The classical covariance.
    n : int, optional
        Rows in small-sample factors.
    likelihood : bool
        As in `ingredients`.
    """
    scale = np.sqrt(np.diag(bread))
    return Ingredients(
        DenseScores(scores * scale),
        bread / np.outer(scale, scale),
        np.diag(scale),
        None,
        1.0,
        scores.shape[0] if n is None else n,
        scores.shape[1],
        likelihood,
    )
