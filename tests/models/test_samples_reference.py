"""Estimators on the public samples against R (tests/reference/make_samples.R)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from foedus.models import estimate
from tests.models.test_estimators_reference import REFERENCE, options_of

STORED = pd.read_csv(REFERENCE / "samples_reference.csv", keep_default_na=False)
for _name in ("estimate", "std_error", "loglik", "n"):
    STORED[_name] = pd.to_numeric(STORED[_name], errors="coerce")
MODELS = list(dict.fromkeys(zip(STORED["sample"], STORED["model"], strict=True)))

# optim stops short of the maximum, by some 1e-5 of a standard error, and pscl's standard errors
# are its differences with a step of 1e-3 in the user's units
TOLERANCES = {"zeroinfl": (1e-4, 3e-4), "hurdle": (1e-4, 3e-4), "multinomial": (1e-4, 1e-6)}
"""In estimates (as shares of a standard error) and standard errors, by the model's first word."""


@pytest.mark.filterwarnings("ignore:quantile:UserWarning")
@pytest.mark.parametrize(("sample", "model"), MODELS)
def test_matches_r(sample: str, model: str, shared_dir: Path) -> None:
    stored = STORED[(STORED["sample"] == sample) & (STORED["model"] == model)]
    first = stored.iloc[0]
    data = pd.read_csv(shared_dir / "samples" / f"sample_{sample}.csv.gz")
    if first["where"]:
        data = data.query(first["where"])
    result = estimate(
        first["formula"],
        data,
        first["estimator"],
        cov=list(stored["cov"].unique()),
        **options_of(first["options"]),
    )
    loose, rtol_se = TOLERANCES.get(model.split()[0], (0.0, 1e-5))
    assert result.n_obs == first["n"]
    if np.isfinite(first["loglik"]):
        assert result.loglik is not None
        assert_allclose(result.loglik, first["loglik"], rtol=1e-9)
    for cov, block in stored.groupby("cov", sort=False):
        ours = pd.DataFrame(
            {"b": result.params, "se": result.std_errors(str(cov))}, index=result.terms
        ).loc[list(block["term"])]
        gap = np.abs(ours["b"].to_numpy() - block["estimate"].to_numpy())
        allowed = 1e-6 * block["estimate"].abs() + loose * block["std_error"]
        assert (gap <= allowed.to_numpy()).all(), (cov, gap, allowed)
        assert_allclose(ours["se"], block["std_error"], rtol=rtol_se, err_msg=str(cov))
