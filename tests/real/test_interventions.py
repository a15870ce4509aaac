"""Who came into other states' wars, on the real files, against readings of the raw rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm

from foedus.covariates.assemble import build_panel
from foedus.sources.state_codes import cow_of_gw
from foedus.sources.tables import Tables
from foedus.studies.registry import get_study
from foedus.studies.run import run_design

pytestmark = pytest.mark.real
YEARS = (1816, 2007)


def panel(tables: Tables, unit: str, years: tuple[int, int], *names: str) -> pd.DataFrame:
    return build_panel(tables, unit, years, list(names)).table.to_pandas()


def raw(tables: Tables) -> pd.DataFrame:
    """COW's two lists as they stand in the files, codes called the same."""
    intra = tables.get("cow_intrastate_wars_4.1", "participants").to_pandas()
    extra = tables.get("cow_extrastate_wars", "participants").to_pandas()
    return pd.concat(
        [intra.rename(columns={"ccodea": "ccode1", "ccodeb": "ccode2"}), extra], ignore_index=True
    )


def test_every_state_in_a_one_sided_row_has_intervened(tables: Tables) -> None:
    rows = raw(tables)
    alone = rows[rows.sidea.isna() | rows.sideb.isna()]
    came = {
        (int(row.warnum), int(row.ccode1 if pd.notna(row.ccode1) else row.ccode2))
        for row in alone.itertuples()
    }
    for unit in ("war-intervener", "war-intervener-month"):
        made = panel(tables, unit, YEARS, "intervention")
        joined = made[made.joined == 1]
        assert set(zip(joined.warnum, joined.ccode, strict=True)) == came
        assert len(joined) == len(came)


def test_months_are_those_of_the_war_until_the_entry(tables: Tables) -> None:
    """Six wars by pandas: civil ones, one that goes on, one without a state, with a truce."""
    rows, members = raw(tables), tables.get("cow_states", "states").to_pandas()
    made = panel(tables, "war-intervener-month", YEARS, "intervention")
    for warnum in (506, 718, 720, 482, 807, 332):
        war = rows[rows.warnum == warnum]
        first = war.start1.min()
        ends = war.end2.where(war.start2.notna(), war.end1)
        last = pd.Timestamp("2007-12-31") if ends.isna().any() else ends.max()
        own = {
            int(code)
            for row in war[war.sidea.notna() & war.sideb.notna()].itertuples()
            for code in (row.ccode1, row.ccode2)
            if pd.notna(code)
        }
        entry = {
            int(row.ccode1 if pd.notna(row.ccode1) else row.ccode2): row.start1
            for row in war.sort_values("start1", ascending=False).itertuples()
            if pd.isna(row.sidea) or pd.isna(row.sideb)
        }
        wanted = set()
        for spell in members.itertuples():
            if spell.ccode in own:
                continue
            begin = max(first, spell.start)
            end = min(last, spell.end, entry.get(spell.ccode, last))
            if begin <= end:
                span = pd.period_range(begin, end, freq="M")
                wanted |= {(spell.ccode, month.year, month.month) for month in span}
        got = made[made.warnum == warnum]
        assert set(zip(got.ccode, got.year, got.month, strict=True)) == wanted


def test_pledges_on_the_eve_by_a_reading_of_the_treaties(tables: Tables) -> None:
    rows = raw(tables)
    made = panel(tables, "war-intervener", YEARS, "intervention_ties").set_index(
        ["warnum", "ccode"]
    )
    atop = tables.get("atop", "members").to_pandas()
    for warnum in (554, 720, 743, 766, 905, 476):
        war = rows[rows.warnum == warnum]
        lead = war[war.sidea.notna() & war.sideb.notna()].iloc[0]
        eve = war.start1.min() - pd.Timedelta(1, "D")
        standing = atop[(atop.start <= eve) & (atop.end.isna() | (atop.end >= eve))]
        partners = standing[standing.member == lead.ccode1]
        both = standing.merge(
            partners[["atopid", "phase"]].drop_duplicates(), on=["atopid", "phase"]
        )
        both = both[both.member != lead.ccode1]
        here = made.loc[warnum]
        for column, word in (("defense", "owes_defense"), ("consul", "owes_consultation")):
            owing = set(both[both[column] == 1].member)
            assert set(here.index[here[word] == 1]) == owing & set(here.index)


def test_ucdp_supporters_by_pandas(tables: Tables) -> None:
    made = panel(tables, "ucdp-intervener-year", (1946, 2016), "ucdp_support")
    rows = tables.get("ucdp_acd", "conflict_years").filter(
        pl.col("type_of_conflict") != "interstate"
    )
    wanted = []
    for column in ("gwno_a_2nd", "gwno_b_2nd"):
        year = pl.col("year").cast(pl.Int32)
        first = (
            rows.with_columns(ccode=cow_of_gw(pl.col(column), year))
            .drop_nulls("ccode")
            .group_by("conflict_id", "start_date2", "ccode")
            .agg(pl.col("year").min())
        )
        wanted.append(first.to_pandas().assign(side=column))
    # named on both sides at once (once in the file): the government's
    first = pd.concat(wanted).sort_values(["year", "side"])
    first = first.drop_duplicates(["conflict_id", "start_date2", "ccode"])
    first = first[first.year <= 2016]
    for column, name in (("gwno_a_2nd", "joined_for"), ("gwno_b_2nd", "joined_against")):
        theirs = first[first.side == column]
        ours = made[made[name] == 1]
        assert set(zip(ours.conflict_id, ours.ccode, ours.year, strict=True)) == set(
            zip(theirs.conflict_id, theirs.ccode, theirs.year, strict=True)
        )


@pytest.mark.parametrize(
    ("study", "model", "outcome", "cluster"),
    [
        ("outside_intervention", "for_state", "joined_for", "warnum"),
        ("intervention_since_1946", "for_government", "joined_for", "conflict_id"),
    ],
)
def test_the_leading_logit_is_statsmodels(
    tables: Tables, study: str, model: str, outcome: str, cluster: str
) -> None:
    run = run_design(get_study(tables.project, study), tables, choices=False)
    found = [row for row in run.estimates.to_pylist() if row["model"] == model]
    own = {row["term"]: row for row in found if row["covariance"] == f"cluster({cluster})"}
    if study == "outside_intervention":
        made = panel(tables, "war-intervener", YEARS, "intervention", "intervention_ties",
                     "intervention_setting", "major")  # fmt: skip
        made = made[made.state_party == 1]
        terms = ["owes_defense", "contiguous", "ln_distance", "major", "rival", "outside"]
    else:
        made = panel(tables, "ucdp-intervener-year", (1946, 2016), "ucdp_support",
                     "ucdp_support_ties", "ucdp_support_setting", "major")  # fmt: skip
        made[["elapsed", "joined_before"]] = np.log1p(made[["elapsed", "joined_before"]])
        terms = ["owes_defense", "contiguous", "ln_distance", "major", "elapsed", "joined_before"]
    made["ln_distance"] = np.log1p(made.capital_km)
    rows: Any = made.dropna(subset=[outcome, *terms]).astype({outcome: float})
    X = sm.add_constant(rows[terms].astype(float))
    fit = sm.Logit(rows[outcome], X).fit(
        disp=0, tol=1e-12, cov_type="cluster", cov_kwds={"groups": rows[cluster].to_numpy()}
    )
    for term in terms:
        assert own[term]["n_obs"] == len(rows)
        assert own[term]["estimate"] == pytest.approx(fit.params[term], abs=1e-6)
        # The two small-sample factors differ by (n - 1) / (n - k) at most.
        assert own[term]["std_error"] == pytest.approx(fit.bse[term], rel=2e-3)


def test_pairs_beside_each_other_by_a_count_of_the_rows(tables: Tables) -> None:
    made = panel(tables, "dyad-year", (1990, 2010), "joint_support")
    rows = tables.get("ucdp_acd", "conflict_years").to_dicts()
    beside: dict[tuple[int, Any, int, int], set[int]] = {}
    for row in rows:
        for side, column in ((1, "gwno_a_2nd"), (2, "gwno_b_2nd")):
            if row[column]:
                key = (row["conflict_id"], row["start_date2"], side, row["year"])
                beside.setdefault(key, set()).add(row[column])
    pairs: dict[tuple[int, int, int], bool] = {}
    seen: set[tuple[Any, ...]] = set()
    for key in sorted(beside, key=lambda one: one[3]):
        for one in beside[key]:
            for other in beside[key]:
                if one < other:
                    new = (*key[:3], one, other) not in seen
                    seen.add((*key[:3], one, other))
                    place = (one, other, key[3])
                    pairs[place] = pairs.get(place, False) or new
    cow = {260: 255, 678: 679, 972: 955}  # Germany, Yemen and Tonga have other numbers in COW
    wanted = {
        (*sorted(cow.get(code, code) for code in (one, other)), year): new
        for (one, other, year), new in pairs.items()
        if 1990 <= year <= 2010
    }
    ours = made[made.joint_support == 1]
    found = {
        (row.ccode1, row.ccode2, row.year): bool(row.joint_support_begun)
        for row in ours.itertuples()
    }
    assert found == wanted
    assert len(found) > 1000
