"""Trade, organizations, leaders, territory, regimes, relevance: on tables small enough to read."""

from __future__ import annotations

import datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus.covariates.assemble import VariableRequest, build_variables
from foedus.errors import UsageError
from tests.covariates.conftest import SmallTables, states

DAY = datetime.date.fromisoformat
COVERAGES = {
    "cow_trade": (1818, 1836), "rep_russett_oneal_2001": (1818, 1836), "cow_igo": (1816, 1836),
    "gdp_population": (1816, 1836), "archigos": (1818, 1836), "polity": (1800, 1836),
    "cow_territorial_change": (1816, 1836), "territorial_threat": (1816, 1836),
    "arms_races": (1818, 1836), "democracy": (1816, 1836), "icb": (1818, 1836),
    "cow_contiguity": (1816, 1836), "cow_nmc": (1816, 1836),
}  # fmt: skip


def small(**frames: pl.DataFrame) -> SmallTables:
    members = states(*[(ccode, "1816-01-01", "1840-12-31") for ccode in (10, 20, 30)])
    named = {tuple(key.split("__")): frame for key, frame in frames.items()}
    tables = SmallTables({("cow_states", "states"): members, **named})  # type: ignore[dict-item]
    tables.coverages |= COVERAGES
    return tables


def column(
    tables: SmallTables, unit: str, name: str, years: tuple[int, int] = (1816, 1837), **options: Any
) -> dict[Any, Any]:
    covariate, _, of = name.partition(".")
    panel = build_variables(
        tables,  # type: ignore[arg-type]
        unit,
        years,
        {"value": VariableRequest(covariate, of, options)},
    )
    made = panel.table.to_pydict()
    keys = [made[key] for key in panel.keys]
    rows = list(zip(*keys, strict=True)) if len(keys) > 1 else keys[0]
    return dict(zip(rows, made["value"], strict=True))


LEADERS = pl.DataFrame(
    [
        ("a", 10, 1780, "M", "1818-01-01", "1820-06-30", "Regular", "Irregular"),
        ("b", 10, 1790, "F", "1820-06-30", "1822-03-01", "Irregular", "Regular"),
        ("c", 10, None, "M", "1822-03-01", "1836-12-31", "Regular", "Still in Office"),
    ],
    schema=["obsid", "gwcode", "yrborn", "gender", "start", "end", "entry", "exit"],
    orient="row",
).with_columns(pl.col("start", "end").str.to_date(), pl.col("yrborn").cast(pl.Int16))


def test_leaders_by_year() -> None:
    tables = small(archigos__leaders=LEADERS)

    def of_10(name: str, **options: Any) -> list[Any]:
        made = column(tables, "state-year", f"leader.{name}", (1817, 1823), **options)
        return [made[10, year] for year in range(1817, 1824)]

    assert of_10("leaders") == [None, 1, 1, 2, 1, 2, 1]
    assert of_10("leader_new") == [None, 1, 0, 1, 0, 1, 0]
    assert of_10("leader_irregular_entry") == [None, 0, 0, 1, 0, 0, 0]
    assert of_10("leader_irregular_exit") == [None, 0, 0, 1, 0, 0, 0]
    assert of_10("leader_female") == [None, 0, 0, 1, 1, 0, 0]
    assert of_10("leader_tenure") == [None, 364, 729, 184, 549, 305, 670]
    assert of_10("leader_tenure", day="january") == [None, 0, 365, 730, 185, 550, 306]
    assert of_10("leader_age") == [None, 38, 39, 30, 31, None, None]


def test_who_is_in_office_when_the_list_ends_has_not_left() -> None:
    tables = small(archigos__leaders=LEADERS)
    exits = column(tables, "state-year", "leader.leader_irregular_exit", (1836, 1837))
    assert (exits[10, 1836], exits[10, 1837], exits[20, 1836]) == (0, None, None)


CHANGES = pl.DataFrame(
    [
        (1820, 10, 1, 20, 0, 1), (1820, 10, 0, 20, 0, 0), (1821, 20, 0, 10, 1, 0),
        (1822, 30, 1, None, None, 0), (1837, 10, 1, 20, 1, 1),
    ],
    schema={"year": pl.Int16, "gainer": pl.Int32, "gaintype": pl.Int8, "loser": pl.Int32,
            "losetype": pl.Int8, "conflict": pl.Int8},
    orient="row",
)  # fmt: skip


def test_territory_that_changes_hands() -> None:
    tables = small(cow_territorial_change__changes=CHANGES)
    gained = column(tables, "directed-dyad-year", "territorial_change.territory_gained")
    assert (gained[10, 20, 1820], gained[20, 10, 1820], gained[20, 10, 1821]) == (2, 0, 1)
    assert (gained[10, 20, 1836], gained[10, 20, 1837]) == (0, None)
    conquered = column(tables, "dyad-year", "territorial_change.territory_conquered")
    assert (conquered[10, 20, 1820], conquered[10, 20, 1821]) == (1, 0)
    either = column(tables, "dyad-year", "territorial_change.territory_gained")
    assert (either[10, 20, 1820], either[10, 20, 1821]) == (2, 1)
    lost = column(tables, "state-year", "territorial_change.territories_lost")
    assert (lost[20, 1820], lost[30, 1822]) == (2, 0)
    homeland = {"homeland": "homeland"}
    gained = column(tables, "state-year", "territorial_change.territories_gained", **homeland)
    assert (gained[10, 1820], gained[30, 1822], gained[20, 1821]) == (1, 1, 0)
    lost = column(tables, "state-year", "territorial_change.territories_lost", **homeland)
    assert (lost[20, 1820], lost[10, 1821]) == (0, 1)


def test_pairs_of_organizations_and_dependence() -> None:
    igo = pl.DataFrame({"ccode1": [10, 10], "ccode2": [20, 30], "year": [1820, 1820],
                        "dyadigos": [4, None]})  # fmt: skip
    totals = pl.DataFrame({"ccode": [10], "year": [1820], "sum_igo_full": [5],
                           "sum_igo_anytype": [7]})  # fmt: skip
    shares = pl.DataFrame({"statea": [10], "stateb": [20], "year": [1820], "dependa": [0.25],
                           "dependb": [0.5]})  # fmt: skip
    tables = small(cow_igo__dyad_years=igo, cow_igo__state_years=totals,
                   rep_russett_oneal_2001__dyad_years=shares)  # fmt: skip
    shared = column(tables, "directed-dyad-year", "igo.igo_shared")
    assert (shared[20, 10, 1820], shared[10, 20, 1820], shared[10, 30, 1820]) == (4, 4, None)
    assert shared[10, 20, 1821] is None
    assert column(tables, "state-year", "igo.igo_memberships_any")[10, 1820] == 7
    depends = column(tables, "directed-dyad-year", "trade_dependence.trade_dependence")
    assert (depends[10, 20, 1820], depends[20, 10, 1820]) == (0.25, 0.5)
    assert depends[10, 30, 1820] is None
    weak = column(tables, "dyad-year", "trade_dependence.trade_dependence")
    assert weak[10, 20, 1820] == 0.25


@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("trade.trade_total",
         {"cow_trade__state_years": {"imports": [1.0, 2.0, None], "exports": [3.0, None, 5.0]}}),
        ("wealth.gdp", {"gdp_population__state_years": {"pwtrgdp": [4.0, None, None]}}),
        ("democracy.polyarchy", {"democracy__state_years": {"v2x_polyarchy": [4.0, None, None]}}),
        ("territorial_threat.territorial_threat",
         {"territorial_threat__state_years": {"lterrthreat": [4.0, None, None]}}),
    ],
)  # fmt: skip
def test_a_figure_of_a_state_is_its_own_and_never_zero_without_a_row(
    name: str, frames: dict[str, dict[str, list[Any]]]
) -> None:
    key = {"ccode": [10, 20, 10], "year": [1820, 1820, 1837]}
    tables = small(**{table: pl.DataFrame({**key, **more}) for table, more in frames.items()})
    made = column(tables, "state-year", name)
    assert (made[10, 1820], made[20, 1820], made[30, 1820]) == (4.0, None, None)
    assert made[10, 1837] is None
    both = column(tables, "dyad-year", f"{name}2")
    assert (both[20, 30, 1820], both[10, 20, 1820]) == (None, None)


def test_arms_races_last_from_their_first_to_their_last_year() -> None:
    spells = pl.DataFrame({"ccode1": [20], "ccode2": [10], "styear": [1820], "endyear": [1822]})
    tables = small(arms_races__spells=spells)
    made = column(tables, "directed-dyad-year", "arms_race.arms_race")
    years = range(1817, 1825)
    assert [made[10, 20, year] for year in years] == [None, 0, 0, 1, 1, 1, 0, 0]
    assert [made[20, 10, year] for year in years] == [None, 0, 0, 1, 1, 1, 0, 0]
    assert (made[10, 20, 1836], made[10, 20, 1837]) == (0, None)


POLITY = pl.DataFrame(
    [(10, 1820, 6), (20, 1820, -6), (30, 1820, 5), (10, 1821, -7), (20, 1821, -6)],
    schema={"ccode": pl.Int32, "year": pl.Int16, "polity2": pl.Int8},
    orient="row",
)


def test_regimes_and_their_distance() -> None:
    tables = small(polity__state_years=POLITY)
    kind = column(tables, "state-year", "regime_type.regime_type")
    assert [kind[ccode, 1820] for ccode in (10, 20, 30)] == [3, 1, 2]
    assert (kind[30, 1821], kind[10, 1837]) == (None, None)
    for name, expected in (
        ("mixed_regimes", 1), ("joint_autocracy", 0), ("polity_low", -6), ("polity_high", 6),
        ("polity_distance", 12),
    ):  # fmt: skip
        made = column(tables, "directed-dyad-year", f"regime_type.{name}")
        assert (made[10, 20, 1820], made[20, 10, 1820]) == (expected, expected)
        assert made[10, 30, 1821] is None
    joint = column(tables, "dyad-year", "regime_type.joint_autocracy")
    assert joint[10, 20, 1821] == 1
    strict = column(tables, "state-year", "regime_type.regime_type", democracy=7, autocracy=-7)
    assert [strict[ccode, 1820] for ccode in (10, 20, 30)] == [2, 2, 2]
    with pytest.raises(UsageError, match="must be above"):
        column(tables, "state-year", "regime_type.regime_type", democracy=-6)


def test_relevance_by_water_or_power() -> None:
    near = pl.DataFrame(
        {"ccode1": [10, 20], "ccode2": [20, 10], "year": [1820, 1820], "conttype": [4, 4]}
    )
    majors = pl.DataFrame({"ccode": [30], "start": [DAY("1819-05-01")], "end": [DAY("1819-06-01")]})
    tables = small(cow_contiguity__dyad_years=near, cow_states__majors=majors)
    name = "political_relevance.politically_relevant"
    made = column(tables, "directed-dyad-year", name)
    assert (made[10, 20, 1820], made[20, 10, 1820], made[10, 20, 1819]) == (1, 1, 0)
    assert (made[10, 30, 1819], made[30, 10, 1819], made[10, 30, 1820]) == (1, 1, 0)
    assert (made[10, 20, 1836], made[10, 20, 1837]) == (0, None)
    assert column(tables, "dyad-year", name, conttype=3)[10, 20, 1820] == 0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_parity_is_symmetric_and_at_most_one(shares: list[float]) -> None:
    nmc = pl.DataFrame({"ccode": [10, 20, 30], "year": [1820] * 3, "cinc": shares})
    tables = small(cow_nmc__state_years=nmc)
    years = (1820, 1820)
    parity = column(tables, "directed-dyad-year", "capability_ratio.capability_parity", years)
    ratio = column(tables, "directed-dyad-year", "capability_ratio.log_capability_ratio", years)
    for (one, other, year), value in parity.items():
        assert value == parity[other, one, year]
        assert value is None or 0 <= value <= 1
        assert ratio[one, other, year] is None or ratio[one, other, year] >= 0


def test_crises_of_the_system() -> None:
    crises = pl.DataFrame(
        {
            "start_min": [DAY("1820-11-01"), DAY("1820-01-01"), None],
            "end_max": [DAY("1821-02-01"), None, None],
            "viol": [4, 1, 1],
        },
        schema_overrides={"viol": pl.Int8},
    )
    tables = small(icb__crises=crises)
    expected = {"": [2, 1, 0], "_begun": [2, 0, 0], "_violent": [1, 0, 0]}
    for name, counts in expected.items():
        made = column(tables, "system-year", f"system_crises.system_crises{name}")
        assert [made[year] for year in (1820, 1821, 1822)] == counts
        assert (made[1817], made[1818], made[1837]) == (None, 0, None)


PAIR = st.tuples(
    st.sampled_from([10, 20, 30]), st.sampled_from([10, 20, 30]), st.integers(1816, 1824),
    st.integers(0, 4),
)  # fmt: skip


def world(rows: list[tuple[int, int, int, int]]) -> dict[str, pl.DataFrame]:
    """Tables of every covariate of pairs, from one list of (state, state, year, number)."""
    pairs = pl.DataFrame(
        rows, schema=["ccode1", "ccode2", "year", "number"], orient="row"
    ).filter(pl.col("ccode1") != pl.col("ccode2"))  # fmt: skip
    once = pairs.filter(pl.col("ccode1") < pl.col("ccode2")).unique(
        ["ccode1", "ccode2", "year"], keep="first", maintain_order=True
    )
    both = pl.concat([once, once.select(ccode1="ccode2", ccode2="ccode1", year="year",
                                        number="number")])  # fmt: skip
    whole = pl.Int32
    return {
        "cow_igo__dyad_years": once.select("ccode1", "ccode2", "year", dyadigos="number"),
        "cow_igo__state_years": pl.DataFrame(
            schema={"ccode": whole, "year": whole, "sum_igo_full": whole, "sum_igo_anytype": whole}
        ),
        "arms_races__spells": once.select(
            "ccode1", "ccode2", styear="year", endyear=pl.col("year") + pl.col("number")
        ),
        "cow_contiguity__dyad_years": both.select("ccode1", "ccode2", "year", conttype="number"),
        "cow_states__majors": pl.DataFrame(
            {"ccode": [30], "start": [DAY("1818-01-01")], "end": [DAY("1819-06-01")]}
        ),
        "cow_territorial_change__changes": pairs.select(
            "year", gainer="ccode1", loser="ccode2", gaintype=pl.lit(1), losetype=pl.lit(0),
            conflict=(pl.col("number") > 2).cast(pl.Int8),
        ),
    }  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(PAIR, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_order_is_nothing_and_symmetric_is_symmetric(rows: list[Any], shuffled: Any) -> None:
    from foedus.covariates.assemble import build_panel
    from foedus.covariates.registry import get_covariate

    names = ["igo", "arms_race", "political_relevance", "territorial_change"]

    def panel(tables: SmallTables) -> pl.DataFrame:
        made = build_panel(tables, "directed-dyad-year", (1816, 1825), names)  # type: ignore[arg-type]
        frame = pl.from_arrow(made.table)
        assert isinstance(frame, pl.DataFrame)
        return frame

    tables = small(**world(rows))
    frame = panel(tables)
    assert frame.height == 6 * 10
    for key, table in list(tables.frames.items()):
        tables.frames[key] = table.sample(
            fraction=1, shuffle=True, seed=shuffled.randrange(1000)
        ) if table.height else table  # fmt: skip
    assert panel(tables).equals(frame, null_equal=True)
    symmetric = [
        spec.name
        for name in names
        for spec in get_covariate(name).columns
        if spec.name in frame.columns and spec.collapse == "same"
    ]
    assert set(symmetric) == {"igo_shared", "arms_race", "politically_relevant"}
    turned = frame.rename({"ccode1": "ccode2", "ccode2": "ccode1"}).sort("ccode1", "ccode2", "year")
    assert turned.select(symmetric).equals(frame.select(symmetric), null_equal=True)
