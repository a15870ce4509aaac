"""Estimators of categories, counts, strata, clusters and quantiles against R.

The numbers are made by tests/reference/make_estimators.R.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from foedus.models import estimate

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
STORED = pd.read_csv(REFERENCE / "estimators_reference.csv", keep_default_na=False)
for _name in ("estimate", "std_error", "loglik", "n"):
    STORED[_name] = pd.to_numeric(STORED[_name], errors="coerce")
MODELS = list(STORED["model"].unique())

# R prints 12 digits. Estimates and standard errors agree to 1e-8 or better but for these:
TOLERANCES = {
    # pscl's standard errors are numerical second derivatives of optim's, its estimates optim's
    "zeroinfl": (1e-5, 5e-5),
    "hurdle": (1e-6, 5e-5),
    # the references' own second derivatives are differences (steps of 1e-4)
    "beta": (1e-8, 1e-6),
    "negbin1": (1e-8, 1e-6),
    "truncated": (1e-8, 1e-5),
    # nnet's optim stops short of the maximum
    "multinomial": (1e-6, 1e-7),
    # glm's Fisher scoring converges linearly for links that are not canonical
    "inverse_gaussian": (1e-6, 1e-7),
    "gaussian": (1e-7, 1e-7),
    "binomial": (1e-6, 1e-6),
    "gamma": (1e-7, 1e-8),
    # lme4's Hessian is a difference of the deviance
    "mixed": (5e-6, 1e-4),
}


def data_for(where: str) -> pd.DataFrame:
    """The columns that make_estimators.R derives from models_data.csv."""
    d = pd.read_csv(REFERENCE / "models_data.csv")
    d["e"] = np.exp(d["z"])
    d["cat"] = np.searchsorted([0.5, 1.5, 2.5], d["z"], side="right")
    d["few"] = d["count"] * (d["year"] != 1903)
    d["share2"] = np.clip(d["share"] * 1.2 - 0.1, 0.0, 1.0)
    d["sep"] = d["defense"] * (d["y"] == 1)
    if where == "sorted":
        return d.sort_values(["ccode1", "year", "ccode2"])
    return d.query(where) if where else d


def options_of(text: str) -> dict[str, Any]:
    """``tau=0.5;se=iid;groups=a+b`` as keywords."""
    found: dict[str, Any] = {}
    for pair in filter(None, text.split(";")):
        name, value = pair.split("=")
        if "+" in value:
            found[name] = value.split("+")
        elif name == "points":
            found[name] = int(value)
        else:
            found[name] = float(value) if value.replace(".", "").isdigit() else value
    return found


@pytest.mark.filterwarnings("ignore:.*clusters:UserWarning")
@pytest.mark.filterwarnings("ignore:quantile:UserWarning")
@pytest.mark.parametrize("model", MODELS)
def test_matches_r(model: str) -> None:
    stored = STORED[STORED["model"] == model]
    first = stored.iloc[0]
    family = next((name for name in TOLERANCES if model.startswith(name)), "")
    rtol_b, rtol_se = TOLERANCES.get(family, (1e-8, 1e-8))
    result = estimate(
        first["formula"],
        data_for(first["where"]),
        first["estimator"],
        cov=list(stored["cov"].unique()),
        **options_of(first["options"]),
    )
    assert result.n_obs == first["n"]
    if np.isfinite(first["loglik"]):
        assert result.loglik is not None
        # 12 digits are printed; lme4's own log-likelihood is good to about 1e-9
        assert_allclose(result.loglik, first["loglik"], rtol=1e-8 if "mixed" in model else 1e-10)
    beside = stored[stored["std_error"] == 0].drop_duplicates("term")
    for _, row in beside.iterrows():
        assert_allclose(result.ancillary[row["term"]], row["estimate"], rtol=1e-8)
    for cov, block in stored[stored["std_error"] != 0].groupby("cov", sort=False):
        ours = pd.DataFrame(
            {"b": result.params, "se": result.std_errors(str(cov))}, index=result.terms
        ).loc[list(block["term"])]
        assert_allclose(ours["b"], block["estimate"], rtol=rtol_b, err_msg=str(cov))
        assert_allclose(ours["se"], block["std_error"], rtol=rtol_se, err_msg=str(cov))
