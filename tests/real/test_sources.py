"""The official files: pinned rows, and each known quirk read as it should be."""

from __future__ import annotations

import csv
import gzip
import os
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from foedus.config import Config, Project
from foedus.sources.ingest import ingest, table_path
from foedus.sources.registry import load_facts, reader
from foedus.sources.resolve import has_core, locate
from foedus.sources.tables import Tables

pytestmark = pytest.mark.real

ROOT = Path(__file__).resolve().parents[2]
# Optional sources are files that nobody here has: see tests/sources/test_optional.py.
FACTS = {name: one for name, one in load_facts(ROOT / "config").items() if not one.optional}
SHARED = next(
    (
        folder.parent / "shared"
        for folder in (ROOT, *ROOT.parents)
        if (folder.parent / "shared" / "sources" / "MANIFEST.csv").is_file()
    ),
    None,
)


@pytest.fixture(scope="module")
def shared() -> Path:
    if SHARED is None:
        message = f"../shared isn't here: the files of {len(FACTS)} sources go unread"
        if os.environ.get("FOEDUS_REQUIRE_REAL"):
            pytest.fail(message)
        pytest.skip(message)
    return SHARED


@pytest.fixture(scope="module")
def project(shared, tmp_path_factory) -> Project:
    data = tmp_path_factory.mktemp("results")
    return Project(ROOT, Config(), data, (shared / "sources",), offline=True)


@pytest.fixture(scope="module")
def tables(project) -> Tables:
    return Tables(project)


def test_every_file_is_found_and_pinned(project):
    for name, found in locate(project).items():
        assert found.state == ("missing" if found.facts.optional else "found"), name
    assert has_core(project)


def test_facts_agree_with_the_manifest(shared):
    with (shared / "sources" / "MANIFEST.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    manifest = {(row["sha256"], Path(row["path"]).name): row for row in rows}
    for facts in FACTS.values():
        for file in facts.files:
            row = manifest[file.sha256, file.name]
            assert int(row["bytes"]) == file.bytes
            if row["rows"]:
                assert int(row["rows"]) == file.rows
    derived = {facts.id for facts in FACTS.values() if facts.edition == "derived"}
    assert derived <= {
        facts.id
        for facts in FACTS.values()
        if any(manifest[file.sha256, file.name]["edition"] == "derived" for file in facts.files)
    }


def test_all_ingest_with_the_pinned_rows_and_the_same_bytes(project):
    reports = ingest(project)
    assert {report.id for report in reports} == set(FACTS)
    for report in reports:
        assert not report.notes
        assert report.rows == {n: t.rows for n, t in FACTS[report.id].tables.items()}
    small = [report.id for report in reports if report.id not in ("cow_mindist", "cow_igo")]
    before = {p: p.read_bytes() for r in reports for p in r.paths.values() if r.id in small}
    ingest(project, small, force=True)
    for path, content in before.items():
        assert path.read_bytes() == content, path.name


@pytest.mark.parametrize("name", sorted(FACTS))
def test_values_keep_to_their_lists_and_types(name, project, tables):
    for table, columns in reader(FACTS[name]).tables.items():
        frame = tables.get(name, table)
        key = list(FACTS[name].table(table).key)
        assert not frame.select(pl.struct(key).is_duplicated().any()).item()
        assert frame.equals(frame.sort(key, nulls_last=True, maintain_order=True))
        notes = tables.columns(name, table)
        for column in (column for column in columns if column.keep):
            assert notes[column.name]["definition"]
            assert notes[column.name]["missing"]
            if column.required:
                assert not frame[column.name].has_nulls()
        assert table_path(project, name, table).is_file()


def one(frame: pl.DataFrame, **where: object) -> dict[str, object]:
    found = frame.filter(**where)
    assert found.height == 1, (where, found.height)
    return found.row(0, named=True)


def test_states_are_spells(tables):
    states = tables.get("cow_states", "states")
    france = states.filter(ccode=220)
    assert france["spell"].to_list() == [1, 2]
    assert france["end"].to_list()[0] == date(1942, 11, 11)
    assert france["start"].to_list() == [date(1816, 1, 1), date(1944, 8, 25)]
    assert states["ccode"].n_unique() == 217
    # The state-year list of the same release follows from the spells.
    years = states.select(
        "ccode", year=pl.int_ranges(pl.col("start").dt.year(), pl.col("end").dt.year() + 1)
    ).explode("year")
    system = tables.get("cow_states", "system").select("ccode", pl.col("year").cast(pl.Int64))
    assert years.unique().sort("ccode", "year").equals(system.sort("ccode", "year"))


def test_atop_in_force_at_the_end_of_coverage(tables):
    members = tables.get("atop", "members")
    assert members["in_force"].sum() == 1146
    assert members.filter("in_force")["end"].null_count() == 1146
    assert members.filter(~pl.col("in_force"))["end"].null_count() == 0
    assert members.filter("in_force")["yrexit"].null_count() == 1146


def test_atop_unknown_days_are_months(tables):
    members = tables.get("atop", "members")
    assert members["start_precision"].value_counts(sort=True).rows() == [
        ("day", 2505),
        ("month", 5),
    ]
    assert members.filter(end_precision="month").height == 31
    row = one(members, atopid=1115, member=200)
    assert (row["start"], row["end"]) == (date(1844, 6, 1), date(1846, 6, 29))
    row = one(members, atopid=1040, member=210)
    assert (row["end"], row["end_precision"]) == (date(1820, 3, 31), "month")


def test_atop_member_that_left_and_came_back(tables):
    members = tables.get("atop", "members")
    egypt = members.filter(atopid=3205, member=651)
    assert egypt["start"].to_list() == [date(1950, 6, 17), date(1989, 5, 22)]
    assert egypt["in_force"].to_list() == [False, True]
    key = ["atopid", "member", "phase"]
    assert members.select(pl.struct(key).is_duplicated().sum()).item() == 6


def test_atop_phases_change_obligations_and_share_their_day(tables):
    members = tables.get("atop", "members")
    triple = members.filter(atopid=1350, member=255).sort("phase")
    assert triple["offense"].to_list() == [0, 1, 1, 1]
    assert triple["end"].to_list()[:-1] == triple["start"].to_list()[1:]


def test_atop_phases_can_run_side_by_side(tables):
    members = tables.get("atop", "members").filter(atopid=3610)
    by_phase = {phase: sorted(frame["member"]) for (phase,), frame in members.group_by("phase")}
    # Romania with Czechoslovakia, then with each of its successors.
    assert by_phase == {1: [315, 360], 2: [317, 360], 3: [316, 360]}
    assert members.filter(member=360, phase=3)["start"].to_list() == [date(1993, 1, 1)]
    assert members.filter(member=360, phase=2)["end"].to_list() == [date(1993, 9, 24)]


def test_atop_cowsys_speaks_of_the_first_day_only(tables):
    members = tables.get("atop", "members")
    lebanon = one(members, atopid=3015, member=660)
    assert (lebanon["cowsys"], lebanon["in_force"]) == (0, True)
    first = tables.get("cow_states", "states").filter(ccode=660)["start"].min()
    assert first is not None
    assert first > lebanon["start"]
    listed = tables.get("cow_states", "states")["ccode"].unique().implode()
    strangers = members.filter(~pl.col("member").is_in(listed))["member"].unique()
    assert strangers.to_list() == [8152]


def test_mid_unknown_days_and_repeated_participants(tables):
    disputes = tables.get("mid", "disputes")
    row = one(disputes, dispnum=2)
    assert row["stday"] is None
    assert (row["start_min"], row["start_max"]) == (date(1902, 7, 1), date(1902, 7, 31))
    participants = tables.get("mid", "participants")
    twice = participants.select(pl.struct("dispnum", "ccode").is_duplicated().sum()).item()
    assert twice == 52
    for first, last in (("start_min", "start_max"), ("end_min", "end_max")):
        assert (disputes[first] <= disputes[last]).all()
        assert (participants[first] <= participants[last]).all()
    assert set(participants["dispnum"]) == set(disputes["dispnum"])


def test_gml_months_that_held_a_day_are_corrected(tables):
    assert one(tables.get("gml_mid", "disputes"), dispnum=1272)["stmon"] == 11
    directed = tables.get("gml_mid", "directed")
    assert directed.filter(dispnum=3514)["endmon"].unique().to_list() == [12]
    assert directed["stmon"].max() == 12
    mirror = directed.select("dispnum", ccode1="ccode2", ccode2="ccode1", year="year")
    assert directed.join(mirror, on=["dispnum", "ccode1", "ccode2", "year"], how="anti").is_empty()


def test_interstate_wars_agree_with_clauset(tables):
    wars = tables.get("cow_interstate_wars", "participants")
    assert wars["warnum"].n_unique() == 95
    assert one(wars, warnum=139, ccode=2)["batdeath"] == 405400
    assert wars["batdeath"].null_count() == 1
    assert set(wars["initiator"]) == {0, 1}
    assert wars["start2"].null_count() == 318
    assert wars.filter(pl.struct("warnum", "ccode").is_duplicated())["warnum"].unique().sort(
    ).to_list() == [108, 139]  # fmt: skip
    spanish = wars.filter(transfrom="404, 410")["warname"].unique().to_list()
    assert spanish == ["Spanish-American"]
    ours = wars.group_by("warnum").agg(
        pl.col("start1").dt.year().min().alias("year"), pl.col("batdeath").sum()
    )
    check = ours.join(tables.get("rep_clauset_2018", "wars"), on="warnum", suffix="_clauset")
    assert check.height == 95
    assert check.filter(pl.col("year") != pl.col("year_clauset")).is_empty()
    # Clauset's sum of war 170 holds the code -9 (unknown) of one participant as a number.
    differ = check.filter(pl.col("batdeath") != pl.col("batdeath_clauset"))
    assert differ.select("warnum", "batdeath", "batdeath_clauset").rows() == [(170, 13875, 13866)]


def test_contiguity_is_symmetric_and_keeps_the_closest_type(tables):
    pairs = tables.get("cow_contiguity", "dyad_years")
    mirror = pairs.rename({"ccode1": "ccode2", "ccode2": "ccode1"}).select(pairs.columns)
    assert pairs.join(mirror, on=pairs.columns, how="anti").is_empty()
    assert pairs.filter(pl.col("conttype") != pl.col("conttype_max")).height == 58
    row = one(pairs, ccode1=365, ccode2=640, year=1991)
    assert (row["conttype"], row["conttype_max"]) == (1, 5)


def test_nmc_unknown_is_missing_and_shares_sum_to_one(tables):
    nmc = tables.get("cow_nmc", "state_years")
    assert nmc["milex"].null_count() == 2217
    assert nmc["milper"].min() == 0
    sums = nmc.group_by("year").agg(pl.col("cinc").sum())["cinc"]
    # Shares are averaged over what is known, so that a year with gaps sums to more than 1.
    assert sums.min() > 1 - 1e-4
    assert sums.max() < 1.08


def test_polity_reads_its_codes_as_cow_codes(tables):
    polity = tables.get("polity", "state_years")
    assert one(polity, ccode=365, year=1950)["polity_ccode"] == 364
    assert one(polity, ccode=365, year=1922)["polity_ccode"] == 365
    assert one(polity, ccode=300, year=1914)["country"] == "Austria"
    assert one(polity, ccode=341, year=2010)["country"] == "Montenegro"
    assert one(polity, ccode=347, year=2010)["country"] == "Kosovo"
    assert one(polity, ccode=345, year=2006)["country"] == "Serbia"
    assert one(polity, ccode=325, year=1859)["country"] == "Sardinia"
    assert one(polity, ccode=816, year=2000)["polity_ccode"] == 818
    assert one(polity, ccode=625, year=2013)["country"] == "Sudan-North"
    assert one(polity, ccode=626, year=2013)["country"] == "South Sudan"
    assert polity.filter(pl.col("polity_ccode").is_null()).is_empty()
    assert set(polity["polity"].drop_nulls()) <= set(range(-10, 11))
    assert polity.filter(ccode=2)["year"].max() == 2018
    assert one(polity, ccode=522, year=2013)["eyear"] == 2013
    left_out = tables.get("polity", "unmatched")
    assert polity.height + left_out.height == 17574
    assert left_out.filter(pl.col("reason").str.contains("no COW state in that year")).height == 18


def test_polity_agrees_with_another_packages_scores(shared, tables):
    """{peacesciencer}'s extract: every score both have is the same, but for known mix-ups there."""
    path = shared / "sources" / "democracy_gdp" / "derived" / "cw_democracy.csv.gz"
    theirs = pl.read_csv(
        gzip.decompress(path.read_bytes()), null_values="NA", infer_schema_length=None
    ).select(pl.col("ccode", "year").cast(pl.Int32), theirs=pl.col("polity2"))
    ours = tables.get("polity", "state_years").select(
        "ccode", pl.col("year").cast(pl.Int32), "polity2", "polity_ccode"
    )
    both = theirs.join(ours, on=["ccode", "year"], how="inner")
    assert both.filter(pl.col("theirs").is_not_null() & pl.col("polity2").is_null()).is_empty()
    differ = both.filter(pl.col("theirs") != pl.col("polity2"))
    # There 341 is Kosovo, 626 Sudan and 1993 the older Ethiopia.
    assert set(differ["ccode"]) == {341, 530, 626}
    only_ours = both.filter(pl.col("theirs").is_null() & pl.col("polity2").is_not_null())
    mapped = {item.ccode for item in FACTS["polity"].code_map}
    assert set(only_ours.filter(pl.col("year") >= 1816)["ccode"]) <= mapped


def test_polity_iv_gives_the_samples_joint_democracy(shared, tables):
    """Another package's joint democracy (both polity2 at least 6) in 1.5 million dyad-years."""
    path = shared / "samples" / "sample_ddy.csv.gz"
    if not path.is_file():
        pytest.skip("no samples here")
    columns = ["ccode1", "ccode2", "year", "jointdem"]
    dyads = pl.read_csv(gzip.decompress(path.read_bytes()), columns=columns)
    scores = tables.get("polity_iv_v2015", "state_years").select(
        pl.col("ccode", "year").cast(pl.Int64), dem=pl.col("polity2") >= 6
    )
    for side in ("1", "2"):
        dyads = dyads.join(
            scores.rename({"ccode": f"ccode{side}", "dem": f"dem{side}"}),
            on=[f"ccode{side}", "year"],
            how="left",
        )
    joint = (pl.col("dem1") & pl.col("dem2")).fill_null(value=False).cast(pl.Int64)
    assert dyads.filter(joint != pl.col("jointdem")).is_empty()


def test_capitals_and_distances(tables):
    spells = tables.get("capitals", "spells")
    germany = spells.filter(ccode=255).sort("start")
    assert germany["capital"].to_list()[0] == "Berlin"
    distance = tables.get("cow_mindist", "dyad_years")
    assert (distance["ccode1"] < distance["ccode2"]).all()
    assert distance["min_distance_km"].max() < 20038


def test_stata_file_keeps_missing_apart_from_no(tables):
    cases = tables.get("rep_berkemeier_fuhrmann_2018", "cases")
    assert cases.height == 576
    assert cases["honorBF"].drop_nulls().unique().to_list() == [1]
    assert cases.filter(sample=1).height == 204


def test_intrastate_wars_have_spells_and_open_ends(tables):
    wars = tables.get("cow_intrastate_wars", "wars")
    going_on = wars.filter(pl.col("end1").is_null())
    assert going_on["outcome"].to_list() == [5] * 12
    assert [wars[f"start{number}"].drop_nulls().len() for number in (1, 2, 3, 4)] == [420, 31, 2, 1]
    row = one(wars, warnum=798.0)
    assert (row["end1"], row["end1_precision"]) == (date(1979, 11, 30), "month")
    assert one(wars, warnum=572.0)["deaths"] == 618000
    older = tables.get("cow_intrastate_wars_4.1", "participants")
    assert older["warnum"].n_unique() == 334
    for number, end in ((585, date(1866, 10, 31)), (682, date(1919, 5, 31))):
        assert one(older, warnum=number)["end1"] == end
    assert one(older, warnum=623, sidea="Korea")["start1"] == date(1894, 2, 1)


def test_defence_agreements_know_what_isnt_known(tables):
    pacts = tables.get("dca", "agreements")
    known = dict(pacts["sign_precision"].value_counts().rows())
    assert known == {"day": 1697, "month": 42, "year": 132}
    assert pacts["terminated"].null_count() == 1099
    assert (pacts["sign_min"] <= pacts["sign_max"]).all()
    odd = pacts.filter(pl.col("ccode1") >= pl.col("ccode2"))["dcaid"].to_list()
    assert odd == ["DCADv1.0-0297", "DCADv1.0-1625", "DCADv1.0-1847"]


def test_crises_span_the_days_they_may_mean(tables):
    crises = tables.get("icb", "crises")
    cuba = one(crises, crisname="CUBAN MISSILES")
    assert (cuba["start_min"], cuba["end_max"]) == (date(1962, 10, 16), date(1962, 11, 20))
    assert one(crises, crisno=474)["viol"] is None
    assert crises.filter(start_precision="month").height == 19


def test_alliances_agree_with_their_members_and_with_leeds_and_anac(tables):
    alliances = tables.get("atop_alliances", "alliances")
    assert set(alliances["atopid"]) == set(tables.get("atop_4.01", "members")["atopid"])
    assert alliances.filter(pl.col("in_force") != pl.col("endyr").is_null()).is_empty()
    cases = tables.get("rep_leeds_anac_2005", "cases").join(
        alliances.select("atopid", now="milinst", formal_now="formal"), on="atopid", how="left"
    )
    assert (cases["milinst"] != cases["now"]).sum() == 1
    assert (cases["formal"] != cases["formal_now"]).sum() == 6


def test_wide_sheets_become_long(tables):
    spending = tables.get("sipri_milex", "country_years")
    assert one(spending, country="Algeria", year=1963)["milex"] == 66.4
    assert one(spending, country="USA", year=2018)["milex"] == 648798.3
    assert spending["country"].n_unique() == 169
    rivals = tables.get("rep_alley_fuhrmann_2021", "rivals_milex")
    assert one(rivals, ccode=710, year=2019)["milex"] == 257010
    korea = one(tables.get("rep_alley_fuhrmann_2021", "fatalities"), year=1950)
    assert (korea["fatalities_combined"], korea["fatalities_DMDC"]) == (12487, None)


def test_repeated_rows_are_numbered(tables):
    risk = tables.get("rep_conflict_risk", "state_years")
    assert (risk["repeat"].max(), risk.filter(repeat=1).height) == (8, 7485)
    conflicts = tables.get("conflict_catalogue", "conflicts")
    assert conflicts.filter(repeat=2).height == 5
    assert one(conflicts, name="China (Hebei, Liaoning), 1444")["endyear"] == 1444


def test_lists_of_wars_against_each_other(tables):
    great = tables.get("great_power_wars", "wars")
    assert great.equals(tables.get("rep_cederman_2011", "wars"))
    parties = tables.get("gleditsch_wars", "participants").filter(warid="EIW2.1-144")
    assert parties["statenum"].to_list() == [135, 145, 155, 160]
    both = tables.get("rep_williams_2024", "wars").join(
        tables.get("rep_clauset_2018", "wars"), on="warnum", suffix="_cow"
    )
    differ = both.filter(pl.col("batdeath") != pl.col("batdeath_cow"))
    assert (both.height, differ.height) == (95, 14)
    assert (differ["batdeath"] > differ["batdeath_cow"]).all()


def test_organizations_of_pairs_and_states(tables):
    assert one(tables.get("cow_igo", "state_years"), ccode=2, year=2000)["sum_igo_full"] == 88
    pairs = tables.get("cow_igo", "dyad_years")
    assert one(pairs, ccode1=2, ccode2=20, year=2000)["dyadigos"] == 73
    assert (pairs["ccode1"] < pairs["ccode2"]).all()


def test_published_dyad_years_keep_their_layout(tables):
    onset = tables.get("rep_oneal_russett_1997", "dyad_years")
    assert onset["dispute"].sum() == 405
    assert (onset["dyadid"] == 1000 * onset["statea"] + onset["stateb"]).all()
    later = tables.get("rep_russett_oneal_2001", "dyad_years")
    assert not set(later["year"]) & {*range(1914, 1920), *range(1939, 1946)}
    assert later["opena"].null_count() == 1204
    disputes = tables.get("rep_miller_gibler_2011", "disputes")
    assert (disputes["allied"].null_count(), disputes["alliance"].null_count()) == (34, 34)
    conflicts = tables.get("ucdp_acd", "conflict_years")
    assert conflicts.select("conflict_id", "year").n_unique() == 2752


def test_contiguity_spells_agree_with_its_years(tables):
    spells = tables.get("cow_contiguity_spells", "spells").filter(pl.col("conttype") > 0)
    years = spells.select(
        "ccode1",
        "ccode2",
        "conttype",
        year=pl.int_ranges(pl.col("start").dt.year(), pl.col("end_month").dt.year() + 1),
    ).explode("year")
    closest = years.group_by("ccode1", "ccode2", "year").agg(pl.col("conttype").min())
    listed = tables.get("cow_contiguity", "dyad_years").with_columns(pl.col("year").cast(pl.Int64))
    both = listed.join(closest, on=["ccode1", "ccode2", "year"], how="full", suffix="_spell")
    assert both.filter(pl.col("conttype") != pl.col("conttype_spell")).is_empty()
    assert both.filter(pl.col("conttype").is_null() | pl.col("conttype_spell").is_null()).is_empty()


def test_networks_of_an_r_workspace_are_rs(tables):
    """Sums and a mean that R gives of the same file (tests/reference/networks.R)."""
    source = "rep_cranmer_desmarais_menninga_2012"
    pairs = tables.get(source, "dyad_years")
    sums = pairs.select(
        pl.col("allied", "allied_before", "shared_before", "dispute", "contiguous").sum()
    )
    assert sums.row(0) == (13155, 12925, 72255, 3414, 10140)
    # A year's lagged network is the network of the year before.
    later = pairs.select("state1", "state2", "allied_before", year=pl.col("year") - 1)
    both = pairs.join(later, on=["state1", "state2", "year"], suffix="_next")
    assert both.height == 19 * 13366
    assert (both["allied"] == both["allied_before_next"]).all()
    states = tables.get(source, "state_years")
    assert states["polity"].sum() == 2096
    assert abs(states["cinc"].sum() - 17.983631) < 1e-9


def test_rivalries_stand_under_the_number_of_their_year(tables):
    """No rivalry-year is lost to a number that COW gave to another state of the same name."""
    td = tables.get("rivalries_td", "spells").rename({"rivalryno": "number"})
    tss = tables.get("rivalries_tss", "spells").rename({"tssr_id": "number"})
    columns = ["number", "ccode1", "ccode2", "styear", "endyear"]
    assert td.filter(number=79).select(columns).rows() == [
        (79, 300, 345, 1903, 1918), (79, 305, 345, 1919, 1920),
    ]  # fmt: skip
    assert tss.filter(number=76).select(columns).rows() == [
        (76, 300, 345, 1903, 1918), (76, 305, 345, 1919, 1920),
    ]  # fmt: skip
    assert tss.filter(number=19).select(columns).row(0) == (19, 255, 300, 1740, 1870)
    assert td.filter(number=153).select(columns).row(0) == (153, 678, 680, 1967, 1990)
    # No year of a state under one number while COW has the same state under another.
    system = tables.get("cow_states", "system").select("ccode", "year")
    years = set(system.iter_rows())
    same = ({300, 305}, {678, 679})
    for spells in (td, tss):
        for column in ("ccode1", "ccode2"):
            rows = spells.select(column, pl.int_ranges("styear", pl.col("endyear") + 1).alias("y"))
            for state, year in rows.explode("y").iter_rows():
                # In 1990 both Yemens of that name were members, one after the other.
                others = {one for family in same if state in family for one in family} - {state}
                assert (state, year) in years or not any((one, year) in years for one in others)
