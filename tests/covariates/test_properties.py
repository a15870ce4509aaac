"""What holds of dyadic columns in any small world: symmetry, collapse, rows, order of input."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus.covariates.assemble import build_panel
from foedus.covariates.registry import registry
from foedus.covariates.values import collapse_directions
from foedus.panels.units import build_spine
from tests.covariates.conftest import SmallTables, members, participants, states
from tests.covariates.test_assemble import contiguity, nmc

YEARS = (1820, 1826)
CCODES = (10, 20, 30, 40)
COVARIATES = (
    "atop", "atop_third_party", "capability_share", "contiguity", "major", "mid", "min_distance",
    "nmc", "polity", "war",
)  # fmt: skip
# capability_share is state 1's share: in a dyad the two directions add up to one.
COMPLEMENTS = {"capability_share"}

pairs = st.tuples(st.sampled_from(CCODES), st.sampled_from(CCODES)).filter(lambda p: p[0] != p[1])
years = st.integers(*YEARS)
flags = st.integers(0, 1)


def _day(year: int, days: int) -> str:
    return (datetime.date(year, 1, 1) + datetime.timedelta(days)).isoformat()


@st.composite
def worlds(draw: st.DrawFn) -> dict[tuple[str, str], pl.DataFrame]:
    """States that come and go, and treaties, disputes, wars and borders among them."""
    spells = [(10, "1816-01-01", "1840-12-31"), (20, "1816-01-01", "1840-12-31")]
    for ccode in (30, 40):
        cuts = sorted(draw(st.lists(st.integers(0, 2500), min_size=2, max_size=2, unique=True)))
        spells.append((ccode, _day(1820, cuts[0]), _day(1820, cuts[1])))
    treaties = []
    for atopid in range(draw(st.integers(0, 3))):
        shared = {name: draw(flags) for name in ("defense", "offense", "neutral", "consul")}
        begun = draw(st.integers(0, 1500))
        for who in draw(st.sets(st.sampled_from(CCODES), min_size=2)):
            treaties.append(
                {"atopid": atopid, "phase": 0, "member": who, "start": _day(1820, begun),
                 "end": _day(1820, begun + draw(st.integers(0, 900))), **shared,
                 "defcoadv": draw(flags), "statthr1": draw(st.sampled_from([0, *CCODES]))}
            )  # fmt: skip
    disputes, wars = [], []
    for number in range(draw(st.integers(0, 3))):
        one, other = draw(pairs)
        begun = draw(st.integers(0, 1500))
        ended = begun + draw(st.integers(0, 700))
        orig = draw(flags)
        disputes += [
            (number, one, 1, 1, _day(1820, begun), _day(1820, ended)),
            (number, other, 0, orig, _day(1820, begun), _day(1820, ended)),
        ]
        wars += [
            (number, ccode, side, 3 - side, _day(1820, begun), _day(1820, ended))
            for ccode, side in ((one, 1), (other, 2))
        ]
    borders = draw(st.dictionaries(pairs.map(sorted).map(tuple), st.integers(1, 5), max_size=3))
    sizes = draw(
        st.dictionaries(st.tuples(st.sampled_from(CCODES), years), st.floats(0, 1), max_size=9)
    )
    days = ["start1", "end1"]
    return {
        ("cow_states", "states"): states(*spells),
        ("cow_states", "majors"): states((10, "1821-05-01", "1823-04-30")),
        ("atop", "members"): members(*treaties),
        ("mid", "participants"): participants(*disputes),
        ("mid", "disputes"): pl.DataFrame(
            [(number, 3, 0) for number in sorted({row[0] for row in disputes})],
            schema={"dispnum": pl.Int32, "hostlev": pl.Int8, "fatality": pl.Int8},
            orient="row",
        ),
        ("cow_interstate_wars", "participants"): pl.DataFrame(
            wars,
            schema={"warnum": pl.Int32, "ccode": pl.Int32, "side": pl.Int8, "initiator": pl.Int8,
                    "start1": pl.String, "end1": pl.String},
            orient="row",
        ).with_columns(
            pl.col(days).str.to_date(), start2=pl.lit(None, pl.Date), end2=pl.lit(None, pl.Date)
        ),
        ("cow_contiguity", "dyad_years"): contiguity(
            *[(a, b, year, code) for (low, high), code in borders.items()
              for a, b in ((low, high), (high, low)) for year in range(YEARS[0], YEARS[1] + 1)]
        ),
        ("cow_mindist", "dyad_years"): pl.DataFrame(
            [(low, high, 1822, 10.0 * code) for (low, high), code in borders.items()],
            schema={"ccode1": pl.Int32, "ccode2": pl.Int32, "year": pl.Int16,
                    "min_distance_km": pl.Float64},
            orient="row",
        ),
        ("cow_nmc", "state_years"): nmc(*[(*key, value) for key, value in sizes.items()]),
        ("polity", "state_years"): pl.DataFrame(
            [(ccode, year, int(value * 20) - 10) for (ccode, year), value in sizes.items()],
            schema={"ccode": pl.Int32, "year": pl.Int16, "polity2": pl.Int8},
            orient="row",
        ),
    }  # fmt: skip


def built(frames: dict[tuple[str, str], pl.DataFrame], unit: str) -> Any:
    tables: Any = SmallTables(frames)
    chosen = [name for name in COVARIATES if unit != "dyad-year" or name != "atop_third_party"]
    panel = build_panel(tables, unit, YEARS, chosen)
    assert panel.n_rows == build_spine(tables, unit, YEARS).n_rows
    assert all(len(values) == panel.n_rows for values in panel.columns.values())
    return panel


def mirrored(panel: Any) -> np.ndarray[Any, Any]:
    """Position of each row's other direction."""
    one, other, year = (panel.columns[key].astype(int) for key in panel.keys)
    code, back = (one * 1000 + other) * 10_000 + year, (other * 1000 + one) * 10_000 + year
    return np.searchsorted(code, back)


@settings(max_examples=25, deadline=None)
@given(worlds(), st.randoms(use_true_random=False))
def test_dyadic_columns_in_any_small_world(
    frames: dict[tuple[str, str], pl.DataFrame], random: Any
) -> None:
    directed, undirected = built(frames, "directed-dyad-year"), built(frames, "dyad-year")
    back = mirrored(directed)
    low = directed.columns["ccode1"] < directed.columns["ccode2"]
    specs = {spec.name: spec for name in COVARIATES for spec in registry()[name].columns}
    for name, values in directed.columns.items():
        spec = specs.get(name) or specs.get(name[:-1])
        if name in directed.keys or spec is None:
            continue
        if spec.level == "state":
            other = name[:-1] + ("2" if name.endswith("1") else "1")
            np.testing.assert_array_equal(values, directed.columns[other][back], err_msg=name)
            np.testing.assert_array_equal(undirected.columns[name], values[low], err_msg=name)
        elif name in COMPLEMENTS:
            np.testing.assert_allclose(values + values[back], np.where(values == values, 1, np.nan))
        elif spec.collapse == "same":
            np.testing.assert_array_equal(values, values[back], err_msg=name)
            np.testing.assert_array_equal(undirected.columns[name], values[low], err_msg=name)
        elif spec.collapse != "none":
            both = collapse_directions(values[low], values[back][low], spec.collapse)
            np.testing.assert_array_equal(undirected.columns[name], both, err_msg=name)
    shuffled = {
        key: frame.sample(fraction=1, shuffle=True, seed=random.randrange(1000))
        for key, frame in frames.items()
    }
    for name, values in built(shuffled, "directed-dyad-year").columns.items():
        np.testing.assert_allclose(values, directed.columns[name], rtol=1e-12, err_msg=name)
