"""Releases of which no copy is at hand: read from made files, used only when accepted by name."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from tests.sources.conftest import MakeProject

from foedus.cli.front import front
from foedus.config import Project
from foedus.covariates.assemble import VariableRequest, build_variables, column_names
from foedus.errors import ConfigError, MissingDataError, SourceError
from foedus.sources.fetch import fetch
from foedus.sources.ingest import ingest
from foedus.sources.registry import SourceFacts, load_facts
from foedus.sources.resolve import locate
from foedus.sources.tables import Tables

USA = "2\tUSA\tUnited States\t01:01:1816\t31:12:2017"
OPTIONAL = (
    "cow_alliances", "cow_diplomatic_exchange", "cow_dyadic_wars", "cow_nmc_7.0_official",
    "cow_states_2024", "cow_trade_dyads", "gw_states",
)  # fmt: skip

FILES = {
    "cow_alliances": {
        "alliance_v4.1_by_directed_yearly.csv": """\
version4id,ccode1,state_name1,ccode2,state_name2,dyad_st_day,dyad_st_month,dyad_st_year,dyad_end_day,dyad_end_month,dyad_end_year,left_censor,right_censor,defense,neutrality,nonaggression,entente,year,version
3180,2,United States of America,20,Canada,4,4,1949,,,,0,1,1,0,0,0,1950,4.1
3180,20,Canada,2,United States of America,4,4,1949,,,,0,1,1,0,0,0,1950,4.1
3999,2,United States of America,20,Canada,1,1,1950,31,12,1950,0,0,0,0,0,1,1950,4.1
3998,200,United Kingdom,220,France,1,1,1950,31,12,1950,0,0,0,0,1,0,1950,4.1
"""
    },
    "cow_dyadic_wars": {
        "directed_dyadic_war.csv": """\
warnum,disno,dyindex,statea,stateb,warstrtmnth,warstrtday,warstrtyr,warendmnth,warenday,warendyr,year,warolea,waroleb,wardyadrolea,wardyadroleb,outcomea,batdtha,batdthb,changes_1,changes_2,batdths,durindx
1,-9,1,220,230,4,7,1823,11,13,1823,1823,1,3,1,3,1,400,600,0,0,1000,221
1,-9,1,230,220,4,7,1823,11,13,1823,1823,3,1,3,1,2,600,400,0,0,1000,221
"""
    },
    "cow_diplomatic_exchange": {
        "Diplomatic_Exchange_2006v1.csv": """\
ccode1,ccode2,year,DR_at_1,DR_at_2,DE,version
2,200,1817,2,2,1,2006.1
2,640,1817,0,0,0,2006.1
"""
    },
    "cow_trade_dyads": {
        "Dyadic_COW_4.0.csv": """\
ccode1,ccode2,year,importer1,importer2,flow1,flow2,smoothflow1,smoothflow2,smoothtotrade,spike1,spike2,dip1,dip2,trdspike,tradedip,bel_lux_alt_flow1,bel_lux_alt_flow2,china_alt_flow1,china_alt_flow2,source1,source2,version
2,20,1920,USA,Canada,611.86,735.48,611.86,735.48,1347.34,0,0,0,0,0,0,-9,-9,-9,-9,3,3,4
2,31,1973,USA,Bahamas,-9,-9,-9,-9,-9,-9,-9,-9,-9,-9,-9,-9,-9,-9,-9,-9,-9,4
"""
    },
    "gw_states": {
        "iisystem.dat": (
            "2\tUSA\tUnited States of America\t01:01:1816\t31:12:2017\n"
            "255\tGMY\tGermany (Prussia)\t01:01:1816\t07:05:1945\n"
            "260\tGFR\tGerman Federal Republic\t21:09:1949\t31:12:2017\n"
            "340\tSER\tSerbia\t13:07:1878\t01:12:1918\n"
            "340\tSER\tSerbia\t05:06:2006\t31:12:2017\n"
        )
    },
    "cow_states_2024": {
        "statelist2024.csv": """\
stateabb,ccode,statenme,styear,stmonth,stday,endyear,endmonth,endday,version
USA,2,United States of America,1816,1,1,2024,12,31,2024
FRN,220,France,1816,1,1,1942,11,11,2024
FRN,220,France,1944,8,25,2024,12,31,2024
""",
        "majors2024.csv": """\
stateabb,ccode,styear,stmonth,stday,endyear,endmonth,endday,version
USA,2,1898,8,13,2024,12,31,2024
""",
        "system2024.csv": "stateabb,ccode,year,version\nUSA,2,2024,2024\nFRN,220,2024,2024\n",
    },
    "cow_nmc_7.0_official": {
        "NMC-70-abridged.csv": """\
stateabb,ccode,year,milex,milper,irst,pec,tpop,upop,cinc,version
USA,2,2022,-9,1395,80535,2500000,338290,150000,0.13,2024
"""
    },
}


@pytest.fixture(scope="module")
def facts(repository: Path) -> dict[str, SourceFacts]:
    return load_facts(repository / "config")


def put(folder: Path, source: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES[source].items():
        (folder / name).write_text(text)
    return folder


def read(source: str, tmp_path: Path, make_project: MakeProject) -> Tables:
    project = make_project(put(tmp_path / "raw", source), accept=(source,))
    (report,) = ingest(project, [source])
    assert report.state == "accepted unpinned"
    assert report.notes == ()
    return Tables(project)


def test_these_are_the_optional_sources(facts: dict[str, SourceFacts]) -> None:
    assert tuple(sorted(name for name, one in facts.items() if one.optional)) == OPTIONAL
    for name in OPTIONAL:
        assert facts[name].adds.endswith(".")
        for file in facts[name].files:
            assert file.page, "where a user gets it"
            assert file.url is None, "nothing is downloaded that can't be checked"
    assert set(FILES) == set(OPTIONAL)


@pytest.mark.parametrize("source", OPTIONAL)
def test_a_file_that_is_there_is_not_used_until_it_is_accepted(
    source: str, tmp_path: Path, make_project: MakeProject
) -> None:
    raw = put(tmp_path / "raw", source)
    project = make_project(raw)
    assert locate(project, [source])[source].state == "not accepted"
    with pytest.raises(MissingDataError, match=f"accept_unpinned: .{source}.") as caught:
        ingest(project, [source])
    assert caught.value.exit_code == 4
    # A run of everything that is at hand passes it over.
    assert source not in {report.id for report in ingest(project)}


@pytest.mark.parametrize("source", OPTIONAL)
def test_a_missing_one_says_where_to_get_it_and_stops_nothing(
    source: str, tmp_path: Path, make_project: MakeProject, facts: dict[str, SourceFacts]
) -> None:
    (tmp_path / "raw").mkdir()
    project = make_project(tmp_path / "raw")
    page = facts[source].files[0].page
    with pytest.raises(MissingDataError, match=str(page)):
        ingest(project, [source])
    assert source not in {report.id for report in ingest(project)}


def test_everything_made_of_one_is_stamped(tmp_path: Path, make_project: MakeProject) -> None:
    tables = read("cow_alliances", tmp_path, make_project)
    assert tables.metadata("cow_alliances", "directed_years")["accepted_unpinned"] is True


def test_dyadic_wars(tmp_path: Path, make_project: MakeProject) -> None:
    wars = read("cow_dyadic_wars", tmp_path, make_project).get("cow_dyadic_wars", "dyad_years")
    assert wars.filter(statea=220).select("wardyadrolea", "batdtha", "disno").rows() == [
        (1, 400, None)
    ]


def test_diplomatic_exchange(tmp_path: Path, make_project: MakeProject) -> None:
    tables = read("cow_diplomatic_exchange", tmp_path, make_project)
    pairs = tables.get("cow_diplomatic_exchange", "dyad_years")
    assert pairs.select("dr_at_1", "dr_at_2", "de").rows() == [(2, 2, 1), (0, 0, 0)]


def test_trade_of_pairs(tmp_path: Path, make_project: MakeProject) -> None:
    trade = read("cow_trade_dyads", tmp_path, make_project).get("cow_trade_dyads", "dyad_years")
    assert trade.filter(ccode2=20)["smoothtotrade"].to_list() == [1347.34]
    unknown = trade.filter(ccode2=31).drop("ccode1", "ccode2", "year")
    assert all(unknown[name].null_count() == 1 for name in unknown.columns)


def test_states_of_2024(tmp_path: Path, make_project: MakeProject) -> None:
    tables = read("cow_states_2024", tmp_path, make_project)
    spells = tables.get("cow_states", "states", release="2024")
    assert spells.filter(ccode=220)["spell"].to_list() == [1, 2]
    assert tables.get("cow_states_2024", "majors")["end"].dt.year().to_list() == [2024]


def test_gleditsch_and_wards_states(tmp_path: Path, make_project: MakeProject) -> None:
    spells = read("gw_states", tmp_path, make_project).get("gw_states", "states")
    assert spells.filter(gwcode=340).select("spell", "start", "end").rows() == [
        (1, datetime.date(1878, 7, 13), datetime.date(1918, 12, 1)),
        (2, datetime.date(2006, 6, 5), datetime.date(2017, 12, 31)),
    ]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("2\tUSA\tUnited States\t30:02:1816\t31:12:2017\n", "line 1, column first_day.*30:02:1816"),
        ("2\tUSA\tUnited States\t01:01:1816\t31:12:1815\n", "line 1, column end.*before"),
        ("2\tUSA\tUnited States\t01:01:1816\n", "another number of fields"),
        (f"{USA}\tmore\n", "another number of fields"),
        (f"{USA}\n{USA}\n", "lines 1 and 2, column gwcode"),
        (f"{USA}\n2\tUSA\tUnited States\t01:01:1900\t31:12:1901\n", "line"),
        ("two\tUSA\tUnited States\t01:01:1816\t31:12:2017\n", "line 1, column gwcode.*two"),
        ("2999\tUSA\tUnited States\t01:01:1816\t31:12:2017\n", "line 1, column gwcode.*2999"),
        ("\tUSA\tUnited States\t01:01:1816\t31:12:2017\n", "line 1, column gwcode"),
        ("2\t\tUnited States\t01:01:1816\t31:12:2017\n", "line 1, column abbreviation"),
        ("2\tUSA\tUnited States\t1816-01-01\t31:12:2017\n", "line 1, column first_day"),
        (USA.replace("\t", ",") + "\n", "another number of fields"),
        ("", "empty"),
        ("<!DOCTYPE html><html><body>404</body></html>\n", "web page"),
    ],
)
def test_a_broken_list_of_states_is_refused(
    wrong: str,
    words: str,
    tmp_path: Path,
    make_project: MakeProject,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(FILES, "gw_states", {"iisystem.dat": wrong})
    with pytest.raises(SourceError, match=words):
        read("gw_states", tmp_path, make_project).get("gw_states", "states")


def test_capabilities_as_released(tmp_path: Path, make_project: MakeProject) -> None:
    tables = read("cow_nmc_7.0_official", tmp_path, make_project)
    row = tables.get("cow_nmc", "state_years", release="7.0 official").row(0, named=True)
    assert (row["milex"], row["milper"], row["cinc"]) == (None, 1395, 0.13)


def test_cows_alliances_are_a_covariate_when_they_are_there(
    tmp_path: Path, make_project: MakeProject
) -> None:
    tables = read("cow_alliances", tmp_path, make_project)

    class WithStates:
        """The made table, and a state list of three."""

        project = tables.project
        facts, coverage = tables.facts, tables.coverage

        def get(self, source: str, table: str, release: str | None = None) -> pl.DataFrame:
            if source == "cow_states":
                return pl.DataFrame(
                    {"ccode": [2, 20, 200, 220], "start": ["1920-01-10"] * 4,
                     "end": ["2016-12-31"] * 4}
                ).with_columns(pl.col("start", "end").str.to_date())  # fmt: skip
            return tables.get(source, table, release)

        def provenance(self, sources: Any) -> dict[str, Any]:
            return {}

    def value(column: str, unit: str, key: tuple[int, int, int]) -> int | None:
        panel = build_variables(
            WithStates(), unit, (key[2], key[2]),  # type: ignore[arg-type]
            {"value": VariableRequest("cow_alliance", column)},
            where=f"ccode1 == {key[0]} and ccode2 == {key[1]}",
        )  # fmt: skip
        made: int | None = panel.table["value"].to_pylist()[0]
        return made

    assert value("cow_defense", "directed-dyad-year", (2, 20, 1950)) == 1
    assert value("cow_entente", "directed-dyad-year", (2, 20, 1950)) == 1
    assert value("cow_entente", "directed-dyad-year", (20, 2, 1950)) == 0
    assert value("cow_entente", "dyad-year", (2, 20, 1950)) == 1
    assert value("cow_allied", "directed-dyad-year", (20, 2, 1950)) == 1
    assert value("cow_nonaggression", "directed-dyad-year", (220, 200, 1950)) == 0
    assert value("cow_defense", "directed-dyad-year", (2, 20, 1951)) == 0
    assert value("cow_defense", "directed-dyad-year", (2, 20, 2012)) == 0
    assert value("cow_defense", "directed-dyad-year", (2, 20, 2013)) is None


def test_all_covariates_do_not_ask_for_it(repository: Path) -> None:
    assert "cow_alliance" not in column_names("dyad-year", "all")
    assert "cow_defense" in column_names("dyad-year", ["cow_alliance"])["cow_alliance"]


def test_fetch_of_everything_leaves_them_alone(tmp_path: Path, make_project: MakeProject) -> None:
    project = make_project(tmp_path / "raw")
    online = Project(project.root, project.config, project.data, project.raw_dirs, offline=False)
    with pytest.raises(MissingDataError, match="by hand"):
        fetch(online, ["cow_dyadic_wars"])


def test_doctor_says_what_they_would_add(bare: Path) -> None:
    result = CliRunner().invoke(front, ["doctor", "--json"])
    assert result.exit_code == 0
    state = json.loads(result.stdout)
    assert tuple(one["id"] for one in state["optional"]) == OPTIONAL
    assert {one["state"] for one in state["optional"]} == {"missing"}
    assert not [line for line in state["mend"] if line.startswith(OPTIONAL)]
    text = CliRunner().invoke(front, ["doctor"]).stdout
    for name in OPTIONAL:
        assert f"accept_unpinned: [{name}]" in text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("adds: \"who", "note: \"who"), "adds"),
        (("sha256: unpinned", "sha256: unpined"), "sha256"),
    ],
)  # fmt: skip
def test_an_optional_source_is_declared_whole(
    tmp_path: Path, repository: Path, change: tuple[str, str], says: str
) -> None:
    text = (repository / "config" / "sources" / "cow_dyadic_wars.yaml").read_text()
    assert change[0] in text
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "cow_dyadic_wars.yaml").write_text(text.replace(*change))
    with pytest.raises(ConfigError, match=says):
        load_facts(tmp_path)
