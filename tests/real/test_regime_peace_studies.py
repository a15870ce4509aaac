"""Variables of the studies of dictatorial peace on the real files, against raw rows by pandas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from foedus.sources.tables import Tables
from foedus.studies.frame import Workshop
from foedus.studies.registry import get_study

pytestmark = pytest.mark.real

KEYS = ["ccode1", "ccode2", "year"]
YEARS = (1946, 1960)


def frame(tables: Tables, study: str, *names: str) -> pd.DataFrame:
    design = get_study(tables.project, study).design
    assert design.universe is not None
    short = design.universe.model_copy(update={"years": YEARS})
    made = Workshop(tables).frame(design.model_copy(update={"universe": short}))
    values = pd.DataFrame({name: made.values(name) for name in (*KEYS, *names)})
    return values.astype(dict.fromkeys(KEYS, int))


def advanced_states(real_sources: Path) -> pd.DataFrame:
    """Return states with a greater share of industry than of people, from the raw file."""
    path = next(real_sources.rglob("NMC-60-abridged.csv"))
    rows = pd.read_csv(path).replace(-9, np.nan)
    rows = rows[rows["year"].between(*YEARS)]
    share = {}
    for name in ("irst", "pec", "tpop", "upop"):
        share[name] = rows[name] / rows.groupby("year")[name].transform("sum")
    ahead = share["irst"] + share["pec"] > share["tpop"] + share["upop"]
    known = rows[["irst", "pec", "tpop", "upop"]].notna().all(axis=1)
    return rows.assign(ahead=ahead.where(known))[["ccode", "year", "ahead"]]


@pytest.mark.parametrize("study", ["peceny_beer_sanchezterry_2002", "reiter_stam_2003"])
def test_advanced_economies_are_those_of_the_raw_shares(
    tables: Tables, real_sources: Path, study: str
) -> None:
    got = frame(tables, study, "advanced")
    states = advanced_states(real_sources)
    for side in ("1", "2"):
        got = got.merge(
            states.rename(columns={"ccode": f"ccode{side}", "ahead": f"ahead{side}"}),
            how="left", on=[f"ccode{side}", "year"], validate="many_to_one",
        )  # fmt: skip
    known = got["ahead1"].notna() & got["ahead2"].notna()
    both = got["ahead1"].eq(True) & got["ahead2"].eq(True)
    assert (got.loc[known, "advanced"] == both[known].astype(float)).mean() > 0.999
    assert 0.02 < both[known].mean() < 0.3
    america = states[(states["ccode"] == 2) & (states["year"] == 1950)]
    india = states[(states["ccode"] == 750) & (states["year"] == 1950)]
    assert america["ahead"].item()
    assert not india["ahead"].item()


def test_spline_terms_stand_on_the_quartiles_of_the_rows(tables: Tables) -> None:
    names = ("dispyrs", "spline1", "spline2", "spline3")
    got = frame(tables, "peceny_beer_sanchezterry_2002", *names)
    years = np.sort(got["dispyrs"].dropna().to_numpy())
    n = len(years)
    assert n > 40_000
    for place, name in ((1, "spline1"), (2, "spline2"), (3, "spline3")):
        knot = years[int(place * n / 4 + 0.5) - 1]
        t = got["dispyrs"]
        low, high = years[0], years[-1]
        by_hand = (t - knot).clip(lower=0) ** 3 - (high - knot) / (high - low) * (t - low) ** 3
        assert np.allclose(got[name], by_hand, rtol=1e-12, atol=1e-6)
    assert (got.loc[got["dispyrs"] == 0, "spline1"] == 0).all()
