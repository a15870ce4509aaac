"""Every covariate is declared in full: citation, definition, coverage, example, options."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import foedus.covariates
from foedus.covariates.registry import Covariate, applies, for_unit, registry
from foedus.declared import declared_in
from foedus.errors import UsageError
from foedus.panels.units import get_unit, units
from foedus.references import load_references

CONFIG = Path(__file__).resolve().parents[2] / "config"
ENTRIES = list(registry().values())

CONTRACT = {
    "major": ["major"],
    "contiguity": ["conttype", "contiguous"],
    "capital_distance": ["capital_distance_km"],
    "min_distance": ["min_distance_km"],
    "nmc": ["milex", "milper", "irst", "pec", "tpop", "upop", "cinc"],
    "capability_share": ["capability_share"],
    "polity": ["polity2", "joint_democracy"],
    "atop": [
        "atop_defense", "atop_offense", "atop_neutrality", "atop_nonaggression",
        "atop_consultation", "atop_any",
    ],
    "atop_third_party": [
        f"{who}{what}"
        for who in ("target_defense", "challenger_offense", "challenger_neutrality")
        for what in ("", "_n", "_cinc")
    ],
    "mid": [f"mid_{what}" for what in ("onset", "ongoing", "initiated", "hostility", "fatality")],
    "gml": [f"gml_{what}" for what in ("onset", "ongoing", "initiated", "hostility", "fatality")],
    "war": ["war_onset", "war_ongoing", "war_initiated"],
    "peace_years": [
        f"{kind}_peace_years{power}"
        for kind in ("mid", "gml", "war")
        for power in ("", "_sq", "_cu")
    ],
    "similarity": ["s_atop", "s_atop_weighted", "kappa_atop", "pi_atop"],
    "rivalry": ["rivalry_td", "rivalry_tss"],
}  # fmt: skip


@pytest.mark.parametrize("name", CONTRACT)
def test_the_contracts_columns_are_there_by_name(name: str) -> None:
    columns = [spec.name for spec in registry()[name].columns]
    assert [column for column in CONTRACT[name] if column not in columns] == []


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_entry_is_complete(entry: Covariate) -> None:
    works = load_references(CONFIG)
    assert entry.title
    assert entry.citations
    assert [key for key in entry.citations if key not in works] == []
    assert entry.sources
    assert set(entry.choices.values()) <= set(entry.sources)
    assert not entry.choices or tuple(entry.choices) == entry.options["source"].allowed
    for source in entry.sources:
        assert (CONFIG / "sources" / f"{source}.yaml").is_file(), source
    assert entry.examples, "no example rows"
    for spec in entry.columns:
        assert spec.says.endswith("."), f"{spec.name}: the definition is a sentence"
        assert spec.unit
    for option in entry.options.values():
        assert option.says
        assert option.accepts(option.given(option.default))
    assert set(entry.extras) <= {spec.name for spec in entry.columns}
    assert entry.build.__doc__


def test_every_column_tells_its_years() -> None:
    """By its covariate's sources or window, or by the one data set that alone makes it."""
    for entry in registry().values():
        bounded = entry.coverage_of or entry.window or entry.choices
        for spec in entry.columns:
            assert bounded or spec.source in entry.sources, spec.name


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_column_stands_on_some_unit(entry: Covariate) -> None:
    for spec in entry.columns:
        assert any(applies(entry, spec, unit.name, unit.keys) for unit in units().values()), (
            spec.name
        )


@pytest.mark.parametrize("unit", list(units()))
def test_no_two_covariates_make_one_column_on_a_unit(unit: str) -> None:
    keys = get_unit(unit).keys
    seen: dict[str, str] = {}
    for entry in for_unit(unit, keys).values():
        for spec in entry.columns:
            if applies(entry, spec, unit, keys):
                assert spec.name not in seen, f"{spec.name}: {entry.name} and {seen[spec.name]}"
                seen[spec.name] = entry.name


def test_an_option_out_of_its_values_is_refused() -> None:
    with pytest.raises(UsageError, match="apply, named, ignore"):
        registry()["atop_third_party"].resolve_options({"threats": "aply"})


def test_a_list_option_names_the_members_that_are_no_choice() -> None:
    entry = registry()["conflict"]
    assert entry.resolve_options({"several": "first"})["several"] == ("first",)
    assert entry.resolve_options({"several": ["last", "number"]})["several"] == ("last", "number")
    for wrong in (["fist"], "fist", None, [["first"]], 3):
        with pytest.raises(UsageError, match="onset, originators, fatality"):
            entry.resolve_options({"several": wrong})
    history = registry()["conflict_history"]
    assert history.resolve_options({"boundary": None})["boundary"] is None
    with pytest.raises(UsageError, match="knots=None is not a list"):
        history.resolve_options({"knots": None})


def test_only_the_chosen_source_is_read() -> None:
    entry = registry()["conflict"]
    assert entry.sources_under(entry.resolve_options({})) == ("mid",)
    assert entry.sources_under(entry.resolve_options({"source": "gml_2.03"})) == ("gml_mid_2.03",)
    assert entry.sources_said({"ucdp", "onset"}) == {"mid", "ucdp_acd"}


@pytest.mark.parametrize(
    ("name", "option", "value", "wanted"),
    [
        ("alliance_reputation", "half_life", 0, "at least 0.1"),
        ("alliance_reputation", "half_life", "ten", "a number"),
        ("alliance_record", "window", True, "a number of at least 0"),
        ("system_blocs", "alpha", 2, "at least 0 and at most 1.6"),
    ],
)
def test_a_number_out_of_its_bounds_is_refused(
    name: str, option: str, value: object, wanted: str
) -> None:
    with pytest.raises(UsageError, match=wanted):
        registry()[name].resolve_options({option: value})
    assert registry()[name].resolve_options({})[option] is not None


def test_every_covariate_is_found_in_the_text_of_its_module() -> None:
    """Else one name would import all modules; and a name that isn't declared would be found."""
    assert declared_in(foedus.covariates, "covariate") == {
        name: entry.module
        for name, entry in registry().items()
        if entry.module.startswith("foedus.covariates.")
    }


def test_one_covariate_imports_no_other() -> None:
    asked = "from foedus.covariates.registry import get_covariate; get_covariate('polity')"
    told = "import sys; print(*(name for name in sys.modules if 'alliance_' in name))"
    done = subprocess.run(
        [sys.executable, "-c", f"{asked}; {told}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
