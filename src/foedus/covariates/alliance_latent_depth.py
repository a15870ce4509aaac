"""Latent depth of an alliance's treaty: one factor behind eight ordered items of cooperation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import optimize, special

from foedus.covariates.alliance_facts import on_rows
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import Values

Floats = NDArray[np.float64]
_ITEMS: dict[str, pl.Expr] = {
    "intcom": pl.col("intcom"),
    # ASSUME: of companion agreements only military ones (ATOP compag 1) count, as in Alley (2021).
    "compag": (pl.col("compag") == 1).cast(pl.Int8),
    "milaid": pl.col("milaid"),
    "milcon": pl.col("milcon"),
    "base": pl.col("base"),
    "organ1": pl.col("organ1"),
    "subord": (pl.col("subord") > 0).cast(pl.Int8),
    "contrib": pl.col("contrib"),
}
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(61)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_WIDEST = 0.995


@dataclass(frozen=True)
class Factor:
    """A one-factor Gaussian copula of ordered items.

    Attributes
    ----------
    loadings : float array, a value an item
        Correlation of the item's normal response with the factor; the first is above 0.
    scores : float array, a value a row
        Mean of the factor given the row's items.
    """

    loadings: Floats
    scores: Floats


def fit_factor(items: NDArray[np.int64]) -> Factor:
    """Fit one normal factor to ordered items, and return each row's expected value of it.

    Each item cuts a normal response at the points that give its shares of categories (Olsson
    1979); the responses share one factor, whose loadings maximise the likelihood of the rows, the
    factor integrated out over 61 nodes. A missing item says nothing about its row.

    Parameters
    ----------
    items : int array, rows by items
        Categories 0, 1, ...; below 0 is missing.
    """
    cuts = [_cuts(column) for column in items.T]

    def log_chances(loadings: Floats) -> Floats:
        """Return each row's log-probability at each node."""
        total = np.zeros((len(items), len(_NODES)))
        for column, edge, loading in zip(items.T, cuts, loadings, strict=True):
            spread = np.sqrt(1.0 - loading**2)
            below = special.ndtr((edge[:, None] - loading * _NODES) / spread)
            chance = np.log(np.maximum(np.diff(below, axis=0), 1e-300))
            known = column >= 0
            total[known] += chance[column[known]]
        return total

    def loss(angles: Floats) -> float:
        chances = log_chances(_WIDEST * np.tanh(angles))
        return -float(special.logsumexp(chances + np.log(_WEIGHTS), axis=1).sum())

    found = optimize.minimize(loss, np.full(items.shape[1], 0.7), method="L-BFGS-B")
    loadings = _WIDEST * np.tanh(found.x)
    loadings *= np.sign(loadings[0]) or 1.0
    weight = special.softmax(log_chances(loadings) + np.log(_WEIGHTS), axis=1)
    return Factor(loadings, weight @ _NODES)


def _cuts(column: NDArray[np.int64]) -> Floats:
    """Return the points that cut a standard normal into an item's shares of categories."""
    known = column[column >= 0]
    shares = np.cumsum(np.bincount(known)) / len(known)
    inner = special.ndtri(np.clip(shares[:-1], 1e-9, 1 - 1e-9))
    return np.concatenate([[-np.inf], inner, [np.inf]])


@covariate(
    name="alliance_latent_depth",
    title="Latent depth of an alliance's treaty",
    columns=[
        ColumnSpec(
            "alliance_latent_depth",
            "number",
            "Expected value of one normal factor behind eight ordered items of military "
            "cooperation (ATOP 4.01: intcom, compag, milaid, milcon, base, organ1, subord, "
            "contrib), over all alliances with an obligation of defence or offence; missing for "
            "others.",
            unit="standard deviations",
            level="row",
            absent="missing",
        ),
    ],
    sources=["atop_alliances"],
    citations=["alley_2021", "leeds_etal_2002", "olsson_1979"],
    units=["alliance", "alliance-year", "alliance-member-year"],
    examples=[
        Example(
            "The pact of France and the Soviet Union of 1935 provides for no cooperation: nothing "
            "is shallower.",
            {"atopid": 2360},
            {"alliance_latent_depth": -0.817369},
            unit="alliance",
        ),
    ],
)
def alliance_latent_depth(context: Context) -> dict[str, Values]:
    """Make `alliance_latent_depth`.

    Alley (2021) draws the factor's scores from a Bayesian Gaussian copula model of the same items;
    here the same model is fitted by maximum likelihood, so that it needs no draws.
    """
    listed = context.tables.get("atop_alliances", "alliances").filter(
        (pl.col("defense") == 1) | (pl.col("offense") == 1)
    )
    items = listed.select(rule.alias(name) for name, rule in _ITEMS.items())
    codes = [
        # Categories that no treaty has are closed up.
        items[name].rank("dense").cast(pl.Int64).fill_null(0).to_numpy() - 1
        for name in items.columns
    ]
    found = fit_factor(np.column_stack(codes))
    facts = listed.select("atopid").with_columns(alliance_latent_depth=pl.Series(found.scores))
    return on_rows(context, facts, ("atopid",), {"alliance_latent_depth": np.float64})
