"""Splines against R's `splines` package, and formulas that use them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from foedus.errors import EstimationError, UsageError
from foedus.models import estimate
from foedus.models.formula import parse_formula
from foedus.models.splines import spline_basis

X = np.array([0.3, 1, 2, 5, 7, 9, 11, 20, 31])


def basis(natural: bool, **options: object) -> np.ndarray:
    given = {"knots": None, "df": None, "degree": 3, "boundary": None, **options}
    return spline_basis(natural, X, **given).columns(X)  # type: ignore[arg-type]


# splines::ns(x, df = 4), bs(x, df = 5) and bs(x, knots = c(4, 9), degree = 2) of R 4.2, rows 2,
# 5 and 9, printed with 12 digits; ns also at -3 and 40, outside the boundary
NS = [
    [0.00281440515947, -0.0884903702241, 0.194678814493, -0.1061884442689],
    [0.73806710351989, 0.0222733586893, 0.161726580232, -0.0882144983085],
    [0.0, -0.1648351648352, 0.362637362637, 0.8021978021978],
]
NS_OUTSIDE = [
    [0.0, 0.428127973207, -0.941881541054, 0.513753567848],
    [0.0, -0.795329670330, 0.399725274725, 1.395604395604],
]
BS = [
    [0.428276917862363, 0.0383621845276, 0.000322380641622, 0.0, 0.0],
    [0.038142433680961, 0.7268696116857, 0.228452006920905, 0.006535947712418, 0.0],
    [0.0, 0.0, 0.0, 0.0, 1.0],
]
BS_QUADRATIC = [
    [0.32736371040, 0.01522211867, 0.0, 0.0],
    [0.09195402299, 0.84137931034, 0.066666666667, 0.0],
    [0.0, 0.0, 0.0, 1.0],
]


def test_bases_are_those_of_r() -> None:
    rows = [1, 4, 8]
    assert_allclose(basis(True, df=4)[rows], NS, atol=1e-11)
    assert_allclose(basis(False, df=5)[rows], BS, atol=1e-11)
    assert_allclose(basis(False, knots=(4.0, 9.0), degree=2)[rows], BS_QUADRATIC, atol=1e-10)
    made = spline_basis(True, X, knots=None, df=4, degree=3, boundary=None)
    assert_allclose(made.columns(np.array([-3.0, 40.0])), NS_OUTSIDE, atol=1e-11)
    assert np.isnan(made.columns(np.array([np.nan]))).all()


def test_public_basis(shared_dir: Path) -> None:
    stored = pd.read_csv(shared_dir / "samples" / "spline_basis_prd.csv")
    t = stored["t"].to_numpy(dtype=float)
    made = spline_basis(True, t, knots=(1.0, 4.0, 7.0), df=None, degree=3, boundary=None)
    assert_allclose(made.columns(t), stored.drop(columns="t"), atol=1e-12)


def test_b_splines_sum_to_one() -> None:
    whole = basis(False, df=6)
    first = 1.0 - whole.sum(axis=1)
    assert (first > -1e-12).all()
    assert_allclose(first[0], 1.0)


def test_a_formula_learns_its_knots_once() -> None:
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"t": rng.integers(0, 40, 500), "y": rng.normal(size=500)})
    result = estimate("y ~ ns(t, df = 3)", data, "ols")
    assert result.terms[1:] == tuple(f"ns(t, df = 3){j}" for j in (1, 2, 3))
    some = data.iloc[:7]
    assert_allclose(result.predict(some), result.predict()[:7])
    same = estimate("y ~ ns(t, knots = c(13, 27), Boundary.knots = c(0, 39))", data, "ols")
    assert len(same.terms) == 4


@pytest.mark.parametrize(
    "text",
    [
        "y ~ ns(t, nots = c(1, 2))", "y ~ ns(t, knots = x)", "y ~ ns(t, df = c(1, 2))",
        "y ~ ns(t, df = 3, df = 4)", "y ~ log(t, df = 3)", "y ~ ns(t, knots = c(1, ))",
        "y ~ ns(t, df = )", "y ~ ns(t, 3)", "y ~ t = 3", "y ~ c(1, 2)",
    ],
)  # fmt: skip
def test_settings_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        parse_formula(text)


def test_settings_have_one_spelling() -> None:
    terms = parse_formula("y ~ ns( t,knots=c(1,4.0 , 7) ) + poly(x, degree = 2)").terms
    assert terms == (("ns(t, knots = c(1, 4, 7))",), ("poly(x, 2)",))


def test_parts_between_bars() -> None:
    read = parse_formula("y | s ~ x + log(z) | x + w")
    assert [str(one.response) for one in (read, *read.others)] == ["y", "s"]
    assert read.others[0].terms == (("x",), ("w",))
    assert read.names() == ["y", "x", "z", "s", "w"]
    assert str(parse_formula("y ~ x | z").others[0].response) == "y"
    assert parse_formula("y1 | y2 ~ x").others[0].terms == (("x",),)


def test_knots_and_columns_that_can_not_be() -> None:
    with pytest.raises(UsageError, match="must lie between"):
        basis(True, knots=(1.0, 40.0))
    with pytest.raises(UsageError, match="at least 3 columns"):
        basis(False, df=2)
    with pytest.raises(EstimationError, match="more than one value"):
        spline_basis(True, np.ones(5), knots=None, df=3, degree=3, boundary=None)
