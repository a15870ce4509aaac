"""Conduct of allies in war, and where a parabola turns, on cases small enough to count."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from foedus.errors import UsageError
from foedus.studies.measures import MeasureContext, get_measure
from tests.covariates.conftest import SmallTables, day, members, states


def run(name: str, tables: Any, panel: Any = None, **options: Any) -> dict[str, Any]:
    entry = get_measure(name)
    result: Any = entry.run(MeasureContext(tables, entry.resolve_options(options), panel))
    rows = result if isinstance(result, list) else result.rows
    return {row.term: row for row in reversed(rows)}


def fighter(ccode: int, side: int, start: str, warnum: int = 1) -> dict[str, Any]:
    return {
        "warnum": warnum, "ccode": ccode, "side": side, "start1": day(start),
        "end1": day("1850-12-31"), "start2": None, "end2": None, "initiator": 0, "outcome": 1,
        "batdeath": 100, "warname": "made",
    }  # fmt: skip


def pact(atopid: int, *codes: int, start: str = "1840-01-01", **kinds: int) -> list[dict[str, Any]]:
    return [
        {"atopid": atopid, "phase": 1, "member": code, "start": start, "end": "1860-12-31", **kinds}
        for code in codes
    ]


@pytest.fixture
def tables() -> SmallTables:
    """War 1: 10 against 20; 30 joins 10, 40 joins 20. Pacts 1 to 5 of `pact`.

    10 and 30 fight side by side, 10 and 40 against each other (two pacts bind them), 20 and 50 are
    allied and 50 stays out. 20 and 40 are allied only after 20 was at war. 60 is no state yet.
    """
    rows = [
        *pact(1, 10, 30, defense=1),
        *pact(2, 10, 40, nonagg=1),
        *pact(3, 10, 40, consul=1),
        *pact(4, 20, 50, defense=1),
        *pact(5, 20, 40, defense=1, start="1850-02-01"),
        *pact(6, 10, 60, defense=1),
    ]
    spells = [(code, "1816-01-01", "1870-12-31") for code in (10, 20, 30, 40, 50)]
    fights = [
        fighter(10, 1, "1850-01-10"),
        fighter(20, 2, "1850-01-10"),
        fighter(30, 1, "1850-03-01"),
        fighter(40, 2, "1850-03-01"),
    ]
    schema = {"start2": pl.Date, "end2": pl.Date}
    return SmallTables(
        {
            ("cow_states", "states"): states(*spells, (60, "1855-01-01", "1870-12-31")),
            ("atop", "members"): members(*rows),
            ("cow_interstate_wars", "participants"): pl.DataFrame(fights, schema_overrides=schema),
        }
    )


def test_pairs_of_allies_by_hand(tables: SmallTables) -> None:
    found = run("ally_conduct", tables)
    assert found["occasions"].estimate == 3
    assert [found[f"n {name}"].estimate for name in ("beside", "stayed out", "against")] == [
        1,
        1,
        1,
    ]
    assert found["share beside"].estimate == pytest.approx(1 / 3)
    assert found["wars"].estimate == 1


def test_alliances_and_defence_pacts(tables: SmallTables) -> None:
    """By alliance the two pacts of 10 and 40 are two; defence pacts leave them out."""
    by_pact = run("ally_conduct", tables, count="alliances")
    assert by_pact["occasions"].estimate == 4
    assert by_pact["n against"].estimate == 2
    defence = run("ally_conduct", tables, kind="defense")
    assert [defence[f"n {name}"].estimate for name in ("beside", "stayed out", "against")] == [
        1, 1, 0,
    ]  # fmt: skip


def test_wars_outside_the_years_are_none(tables: SmallTables) -> None:
    found = run("ally_conduct", tables, first=1851)
    assert found["occasions"].estimate == 0
    assert found["share beside"].estimate is None


def test_wars_that_a_third_state_joined(tables: SmallTables) -> None:
    """30 and 40 enter 50 days after the war began; all four lost a hundred."""
    found = run("war_expansion", tables)
    assert (found["wars"].estimate, found["wars expanded"].estimate) == (1, 1)
    assert found["share of deaths"].estimate == 1
    frame = tables.frames["cow_interstate_wars", "participants"]
    first_day = frame.filter(pl.col("ccode") < 30)
    lone = first_day.with_columns(warnum=pl.lit(2), batdeath=pl.Series([None, 1200]))
    tables.frames["cow_interstate_wars", "participants"] = pl.concat(
        [frame, lone], how="vertical_relaxed"
    )
    found = run("war_expansion", tables)
    assert found["share expanded"].estimate == pytest.approx(0.5)
    assert found["share of deaths"].estimate == pytest.approx(400 / 1600)
    assert found["deaths unknown"].estimate == 1
    assert run("war_expansion", tables, last=1849)["share of deaths"].estimate is None


def hill(n: int = 3000) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    share, other = rng.random(n), rng.normal(size=n)
    chance = 1 / (1 + np.exp(-(-2 + 8 * share - 10 * share**2 + 0.5 * other)))
    return {
        "y": (rng.random(n) < chance).astype(float), "share": share, "other": other,
        "place": np.repeat(np.arange(n // 3), 3).astype(float),
    }  # fmt: skip


def test_a_turning_point_by_the_delta_method_on_statsmodels_fit() -> None:
    """The numbers of statsmodels, and the slope of -b1 / 2 b2 by small differences."""
    panel = hill()
    found = run("turning_point", None, panel, outcome="y", of="share", controls="other",
                cluster="place")  # fmt: skip
    x = np.column_stack([np.ones(len(panel["y"])), panel["share"], panel["share"] ** 2,
                         panel["other"]])  # fmt: skip
    kwds = {"groups": panel["place"], "use_correction": True}
    fit = sm.Logit(panel["y"], x).fit(disp=0, cov_type="cluster", cov_kwds=kwds, tol=1e-12)
    one, two = fit.params[1:3]
    assert found["turning point"].estimate == pytest.approx(-one / (2 * two), rel=1e-6)
    assert found["linear"].std_error == pytest.approx(fit.bse[1], rel=2e-3)
    step = 1e-5
    slope = [
        (-(one + step) / (2 * two) + one / (2 * two)) / step,
        (-one / (2 * (two + step)) + one / (2 * two)) / step,
    ]
    error = np.sqrt(slope @ fit.cov_params()[1:3, 1:3] @ slope)
    # The clusters' small-sample factors of the two programs differ.
    assert found["turning point"].std_error == pytest.approx(error, rel=5e-3)
    point = found["turning point"].estimate
    assert found["turning ratio"].estimate == pytest.approx((1 - point) / point)
    assert abs(point - 0.4) < 3 * found["turning point"].std_error


def test_a_turning_point_needs_variables_of_the_study() -> None:
    with pytest.raises(UsageError, match="no variable"):
        run("turning_point", None, hill(), outcome="y", of="shar")
    with pytest.raises(UsageError, match="panel: true"):
        run("turning_point", None, None, outcome="y", of="share")
