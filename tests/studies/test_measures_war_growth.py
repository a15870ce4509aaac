"""Mediation, sizes without ties, tails of groups and chains of allies, answers known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

from foedus.errors import EstimationError, UsageError
from foedus.studies.measures import MeasureContext, MeasureResult, get_measure
from foedus.studies.measures_chain_ganging import _auc, spread
from foedus.studies.measures_war_growth import poisson_mean


def run(name: str, panel: Any, **options: Any) -> dict[str, Any]:
    entry = get_measure(name)
    result: MeasureResult = entry.run(
        MeasureContext(None, entry.resolve_options(options), panel)  # type: ignore[arg-type]
    )
    return {row.term: row for row in reversed(result.rows)}


def wars(n: int = 120, seed: int = 3) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    tie = (rng.random(n) < 0.4).astype(float)
    major = (rng.random(n) < 0.3).astype(float)
    states = 0.7 + 0.5 * tie + 0.2 * major + rng.normal(0, 0.3, n)
    deaths = 8 + 1.5 * states + 0.4 * tie + rng.normal(0, 1.0, n)
    deaths[:3] = np.nan
    joiners = rng.poisson(np.exp(-0.5 + 0.8 * tie + 0.3 * major)).astype(float)
    return {"ln_deaths": deaths, "tie": tie, "ln_states": states, "major": major,
            "n_joiners": joiners, "size": np.exp(deaths)}  # fmt: skip


def test_what_runs_through_a_mediator_is_the_product_of_its_links() -> None:
    panel = wars()
    found = run("mediated_effect", panel, outcome="ln_deaths", treatment="tie",
                mediators=["ln_states"], controls=["major"], draws=200)  # fmt: skip
    a, b = found["treatment on first mediator"], found["first mediator on outcome"]
    through = found["through the mediators"]
    assert through.estimate == pytest.approx(a.estimate * b.estimate)
    known = ~np.isnan(panel["ln_deaths"])
    x = sm.add_constant(np.column_stack([panel[n][known] for n in ("tie", "ln_states", "major")]))
    held = sm.OLS(panel["ln_deaths"][known], x).fit().params
    assert (found["direct"].estimate, b.estimate) == pytest.approx(tuple(held[1:3]))
    assert found["direct"].n == 117
    assert through.ci_low < through.estimate < through.ci_high
    share = found["share through the mediators"].estimate
    assert share == pytest.approx(through.estimate / found["total"].estimate)


def test_a_poisson_mean_is_that_of_statsmodels() -> None:
    panel = wars()
    x = sm.add_constant(np.column_stack([panel["tie"], panel["major"]]))
    model = sm.GLM(panel["n_joiners"], x, family=sm.families.Poisson()).fit(tol=1e-12)
    assert poisson_mean(panel["n_joiners"], x) == pytest.approx(model.params, rel=1e-7)
    with pytest.raises(EstimationError, match="collinear"):
        poisson_mean(panel["n_joiners"], np.column_stack([x, x[:, 1]]))


def test_sizes_without_ties_are_predictions_with_ties_at_zero() -> None:
    panel = wars()
    options = {"ties": ["tie"], "controls": ["major"], "draws": 60}
    found = run("sizes_without_ties", panel, outcome="n_joiners", law="count", **options)
    x = sm.add_constant(np.column_stack([panel["tie"], panel["major"]]))
    b = sm.GLM(panel["n_joiners"], x, family=sm.families.Poisson()).fit(tol=1e-12).params
    bare = np.exp(b[0] + b[2] * panel["major"]).sum()
    assert found["sum without ties"].estimate == pytest.approx(bare)
    assert found["sum by the model"].estimate == pytest.approx(found["sum seen"].estimate)
    assert found["rows with a tie"].estimate == panel["tie"].sum()
    logs = run("sizes_without_ties", panel, outcome="size", law="log", **options)
    # carried back, the change is exp(-b) for tied wars and nothing for others
    assert logs["change"].estimate < 0
    assert logs["rows with a tie"].estimate == panel["tie"][3:].sum()


def test_an_unknown_variable_is_named() -> None:
    with pytest.raises(UsageError, match='"ti" is not a variable'):
        run("tail_groups", wars(), outcome="size", group="ti")


def test_tails_of_two_groups_are_fitted_apart() -> None:
    rng = np.random.default_rng(7)
    group = np.repeat([1.0, 0.0], 150)
    size = 1000 * (1 + np.concatenate([rng.pareto(0.5, 150), rng.pareto(1.5, 150)]))
    found = run("tail_groups", {"size": size, "group": group}, outcome="size", group="group",
                threshold=1000.0, draws=99)  # fmt: skip
    for term, part in (("alpha group", size[:150]), ("alpha others", size[150:])):
        assert found[term].estimate == pytest.approx(1 + 150 / np.log(part / 1000).sum(), rel=1e-6)
    assert found["permutation p"].estimate == pytest.approx(0.01)
    assert found["alpha difference"].estimate < 0


LINE = np.zeros((5, 5), dtype=bool)
LINE[1, 0] = LINE[2, 1] = LINE[3, 2] = True  # 1 owes 0, 2 owes 1, 3 owes 2; 4 owes nobody


@pytest.mark.parametrize(("chance", "expected"), [(0.0, 0), (1.0, 3)])
def test_a_chain_runs_to_its_end_or_not_at_all(chance: float, expected: int) -> None:
    first = np.array([True, False, False, False, False])
    joined = spread(LINE, first, chance, 0.0, 50, np.random.default_rng(1))
    assert (joined == expected).all()


def test_a_chains_mean_is_that_of_its_links() -> None:
    first = np.array([True, False, False, False, False])
    p = 0.4
    joined = spread(LINE, first, p, 0.0, 40_000, np.random.default_rng(1))
    assert joined.mean() == pytest.approx(p + p**2 + p**3, abs=0.012)
    bare = spread(np.zeros_like(LINE), first, p, 0.25, 40_000, np.random.default_rng(2))
    assert bare.mean() == pytest.approx(1.0, abs=0.02)


def test_several_pledges_don_t_make_a_state_likelier_to_follow() -> None:
    owes = np.zeros((4, 4), dtype=bool)
    owes[3, :3] = True
    first = np.array([True, True, True, False])
    joined = spread(owes, first, 0.3, 0.0, 40_000, np.random.default_rng(5))
    assert joined.mean() == pytest.approx(0.3, abs=0.01)


def test_area_under_the_curve_counts_pairs() -> None:
    score = np.array([0.1, 0.4, 0.4, 0.9])
    positive = np.array([False, True, False, True])
    auc, error = _auc(score, positive)
    assert auc == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    assert error > 0
