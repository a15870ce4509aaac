"""Bugs that could be planted in the pipeline, each with the test that must catch it."""

from __future__ import annotations

from dataclasses import dataclass

WORLD = "tests/world/test_against_the_world.py"


@dataclass(frozen=True)
class Planted:
    """One bug: `old` stands exactly once in a file of src/foedus, and `new` takes its place.

    Attributes
    ----------
    name : str
    says : str
        What goes wrong.
    file : str
        Below src/foedus.
    old, new : str
    test : str
        The test that catches it, as pytest names it.
    quick : bool
        Whether the quick run (in .ci/run) plants it.
    """

    name: str
    says: str
    file: str
    old: str
    new: str
    test: str
    quick: bool = False


PLANTED = (
    Planted(
        "direction_swapped",
        "the target of a dispute is taken for the state that began it",
        "covariates/conflict.py",
        'side_a = (long["sidea1"] == 1).to_numpy()',
        'side_a = (long["sidea1"] == 0).to_numpy()',
        f"{WORLD}::test_who_begins_disputes_against_whom",
        quick=True,
    ),
    Planted(
        "joiners_as_originators",
        "a state that comes into a dispute later counts as having begun it",
        "covariates/conflict.py",
        'originators = ((long["orig1"] == 1) & (long["orig2"] == 1)).to_numpy()',
        'originators = (long["orig1"] >= 0).to_numpy()',
        f"{WORLD}::test_who_begins_disputes_against_whom",
        quick=True,
    ),
    Planted(
        "same_side_as_opponents",
        "two states on one side of a dispute count as opponents",
        "panels/spans.py",
        '(pl.col(f"{side}1") != pl.col(f"{side}2")) & (pl.col("ccode1") != pl.col("ccode2"))',
        '(pl.col("ccode1") != pl.col("ccode2"))',
        f"{WORLD}::test_opponents_of_a_dispute_are_its_two_sides",
    ),
    Planted(
        "challenger_is_a_third_party",
        "the challenger's own pledge to the target counts as a third state's (off by one)",
        "covariates/atop_third_party.py",
        "    count[own] -= 1\n",
        "    count[own] -= 0\n",
        f"{WORLD}::test_third_party_pledges[target_defense-target_defense-options0]",
        quick=True,
    ),
    Planted(
        "holder_swapped",
        "pledges to the challenger are taken for pledges to the target",
        "covariates/atop_third_party.py",
        "held = spine.state_positions[1 if target else 0]",
        "held = spine.state_positions[0 if target else 1]",
        f"{WORLD}::test_third_party_pledges[target_defense-target_defense-options0]",
    ),
    Planted(
        "every_named_threat_limits",
        "a treaty that names a threat is held to bind against it alone, whatever it says",
        "covariates/atop_third_party.py",
        "return named & (pl.col(flag).fill_null(0) == 1)",
        "return named",
        f"{WORLD}::test_third_party_pledges[target_defense-target_defense-options0]",
    ),
    Planted(
        "named_threats_lost",
        "pledges that bind against a named state only are dropped",
        "covariates/atop_third_party.py",
        "    if not restricted.is_empty():\n",
        "    if restricted.is_empty():\n",
        f"{WORLD}::test_third_party_pledges[target_defense-target_defense-options0]",
    ),
    Planted(
        "secret_pacts_counted",
        "wholly secret pacts deter, though nobody knows of them",
        "covariates/atop.py",
        "_WHOLLY_SECRET = 2",
        "_WHOLLY_SECRET = 3",
        f"{WORLD}::test_third_party_pledges[target_defense-target_defense-options0]",
    ),
    Planted(
        "phases_mixed_up",
        "a member of one phase of a treaty is paired with those of every phase",
        "panels/alliance_units.py",
        'pairs = members.rename({"member": "giver"}).join(partners, on=["atopid", "phase"])',
        'pairs = members.rename({"member": "giver"}).join(\n'
        '        partners.drop("phase"), on=["atopid"]\n'
        '    ).with_columns(end=pl.max_horizontal("end", "end2"))',
        f"{WORLD}::test_pledges_between_the_two",
    ),
    Planted(
        "last_year_lost",
        "the last year of every spell is dropped (off by one)",
        "panels/spans.py",
        "length = np.maximum(np.asarray(last, np.int64) - first + 1, 0)",
        "length = np.maximum(np.asarray(last, np.int64) - first, 0)",
        f"{WORLD}::test_pledges_between_the_two",
    ),
    Planted(
        "peace_shifted_by_a_year",
        "peace is 1, not 0, in the year after a dispute",
        "covariates/peace_years.py",
        "begun[..., 1:] = np.where(event[..., :-1] == 1, years[1:], np.int16(0))",
        "begun[..., 1:] = np.where(event[..., :-1] == 1, years[:-1], np.int16(0))",
        f"{WORLD}::test_peace_years",
        quick=True,
    ),
    Planted(
        "peace_before_the_pair",
        "peace is counted from the first year of the system, not from the pair's own",
        "covariates/peace_years.py",
        "np.maximum(begun, first[..., None], out=begun)",
        "np.maximum(begun, 0 * first[..., None], out=begun)",
        f"{WORLD}::test_peace_years",
    ),
    Planted(
        "zero_for_missing_democracy",
        "a pair with an unknown regime counts as no pair of democracies",
        "covariates/polity.py",
        "    flags[is_missing(first) | is_missing(second)] = missing_of(flags.dtype)\n",
        "",
        f"{WORLD}::test_joint_democracy_is_missing_where_a_score_is",
        quick=True,
    ),
    Planted(
        "zero_outside_coverage",
        "years after a source ends are filled with 0 or with what is there",
        "covariates/values.py",
        "    bounded[outside] = missing_of(bounded.dtype)\n",
        "    bounded[outside] = 0\n",
        f"{WORLD}::test_outside_a_source_its_columns_are_missing",
        quick=True,
    ),
    Planted(
        "sentinel_as_number",
        "the code -9 of an unknown value is read as a number",
        "sources/schema.py",
        "        values = values.set((values == code).fill_null(value=False), None)\n",
        "        values = values.set((values == code).fill_null(value=False), 0)\n",
        f"{WORLD}::test_unknown_capabilities_stay_unknown",
    ),
    Planted(
        "share_of_the_other",
        "the target's share of capabilities is taken for the challenger's",
        "covariates/nmc.py",
        '"capability_share": Rows(first / (first + second))',
        '"capability_share": Rows(second / (first + second))',
        f"{WORLD}::test_capability_share",
    ),
    Planted(
        "no_tie_to_oneself",
        "S leaves out what a state owes itself",
        "covariates/similarity.py",
        "level[diagonal, diagonal, :] = max(rung for _, rung in rungs)",
        "level[diagonal, diagonal, :] = 0",
        f"{WORLD}::test_similarity_of_portfolios",
    ),
    Planted(
        "one_way_portfolios",
        "S sees only what a state owes, not what it is owed",
        "covariates/similarity.py",
        "level = np.maximum(level, level.transpose(1, 0, 2))",
        "level = np.maximum(level, level)",
        f"{WORLD}::test_similarity_of_portfolios",
    ),
    Planted(
        "capital_of_the_other_day",
        "a year with two capitals takes the later one",
        "covariates/distance.py",
        '["ccode", "start"], descending=[False, when == "start"]',
        '["ccode", "start"], descending=[False, when != "start"]',
        f"{WORLD}::test_distance_between_capitals",
    ),
    Planted(
        "joiners_of_the_first_week",
        "a state that enters a war within a week counts as a first belligerent",
        "panels/war_list.py",
        "return np.asarray(self.start == self.first_day[self.of_spell])",
        "return np.asarray(self.start <= self.first_day[self.of_spell] + 7)",
        f"{WORLD}::test_who_could_join_a_war_and_who_did",
    ),
    Planted(
        "attacker_taken_for_attacked",
        "a defence pledge falls due when its holder attacks",
        "covariates/reliability.py",
        "attacked = spell.side != war.attacker and any(",
        "attacked = spell.side == war.attacker and any(",
        f"{WORLD}::test_kept_and_broken_pledges",
    ),
    Planted(
        "pair_is_multilateral",
        "a pact of two counts as one of many",
        "covariates/reliability.py",
        "multilateral=len({member.ccode for member in bound}) > 2,",
        "multilateral=len({member.ccode for member in bound}) >= 2,",
        f"{WORLD}::test_kept_and_broken_pledges",
    ),
    Planted(
        "unknown_deaths_as_none",
        "a war with unknown deaths gets the sum of the known ones",
        "covariates/war_outcome.py",
        'missing = unknown > 0 if rule == "complete" else unknown == spells',
        "missing = unknown == spells",
        f"{WORLD}::test_sizes_of_wars",
    ),
    Planted(
        "dyads_counted_twice",
        "the dyadic meat keeps what it has counted twice",
        "models/covariance.py",
        "meat: FloatArray = by_state.T @ by_state - by_dyad.T @ by_dyad",
        "meat: FloatArray = by_state.T @ by_state",
        "tests/models/test_covariance.py",
    ),
    Planted(
        "joiner_before_it_was_a_state",
        "a state that enters the system a day after a dispute began could have joined it",
        "panels/dispute_joiner_units.py",
        "inside = (system.spell_start <= day[:, None]) & (system.spell_end >= day[:, None])",
        "inside = (system.spell_start <= day[:, None] + 1) & (system.spell_end >= day[:, None])",
        "tests/panels/test_dispute_joiner_units.py"
        "::test_members_on_the_first_day_that_began_nothing_have_a_row",
    ),
    Planted(
        "side_of_the_last_spell",
        "a state that joins a dispute twice stands on the side that it joined last",
        "panels/dispute_joiner_units.py",
        'sidea=pl.col("sidea").first(),',
        'sidea=pl.col("sidea").last(),',
        "tests/panels/test_dispute_joiner_units.py"
        "::test_a_state_joins_once_on_the_side_of_its_first_spell",
    ),
    Planted(
        "treaty_signed_on_the_first_day",
        "a treaty signed on the day on which a civil war begins counts as standing before it",
        "covariates/interventions.py",
        'outset = extra["start_day"].astype(np.int64) - 1',
        'outset = extra["start_day"].astype(np.int64)',
        "tests/panels/test_intervener_units.py::test_treaties_are_those_of_the_day_before",
    ),
    Planted(
        "supporters_are_parties",
        "a state with troops in another's conflict is a party whose conflict it is",
        "panels/intervention_list.py",
        'pl.lit(False).alias("first_party"),',
        'pl.lit(True).alias("first_party"),',
        "tests/panels/test_intervener_units.py::test_ucdp_supporters_by_year_of_the_episode",
    ),
    Planted(
        "kappa_of_the_wrong_margins",
        "the standard error of kappa takes each coder's margins for the other's",
        "studies/measures_reliability_cases.py",
        "both = row[None, :] + col[:, None]",
        "both = row[:, None] + col[None, :]",
        "tests/studies/test_measures_reliability_cases.py"
        "::test_kappa_of_several_codes_is_statsmodels",
    ),
    Planted(
        "late_starts_forgotten",
        "a Weibull hazard counts time before a spell comes under risk",
        "models/weibull.py",
        "value[late] -= before[0]",
        "value[late] -= 0.0 * before[0]",
        "tests/models/test_weibull_hazard.py"
        "::test_gamma_heterogeneity_is_the_integral_over_the_gamma_density",
    ),
    Planted(
        "years_counted_over_a_gap",
        "years without a pact go on over years in which the pair wasn't there",
        "studies/expressions.py",
        "begins = np.append(True, ~(same & (step == 1)) |",
        "begins = np.append(True, ~(same & (step >= 1)) |",
        "tests/studies/test_expressions.py"
        "::test_years_since_count_the_years_in_a_row_without_the_flag",
    ),
    Planted(
        "value_of_a_set_without_its_missing_member",
        "a set of states has a value although one member's is unknown",
        "covariates/k_ads.py",
        "total = np.add.reduceat(values, starts)",
        "total = np.add.reduceat(np.nan_to_num(values), starts)",
        "tests/studies/test_k_ad_sets.py::test_a_sets_value_is_that_of_its_members_or_missing",
    ),
)
