"""What an alliance's treaty provides, how deep it goes, and what its members were before it."""

from __future__ import annotations

import numpy as np
import polars as pl

from foedus.covariates.alliance_facts import ALLIANCE_UNITS, member_years, members_of, on_rows
from foedus.covariates.alliance_provisions import DEPTH_ITEMS, PROVISIONS, Provision, depth_index
from foedus.covariates.atop import RELEASE
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import Values
from foedus.panels.spans import opposing
from foedus.panels.war_list import NEVER, load_wars

BENSON_CLINTON = "rep_benson_clinton_2016"
WHEN = Option(
    "year",
    "What stands in the year (of an alliance: in its first), or whatever the treaty ever provided.",
    ("year", "ever"),
)


def _asked(provision: Provision) -> bool:
    # `alliance_content` has this one.
    return provision.name != "asymmetric"


@covariate(
    name="alliance_terms",
    title="What an alliance's treaty provides",
    columns=[
        *(
            ColumnSpec(f"alliance_{each.name}", "flag", f"1 if {each.says} (ATOP "
                       f"{', '.join(each.needs)}).", level="row", absent="missing")
            for each in PROVISIONS if _asked(each)
        ),
        ColumnSpec("alliance_length", "count", "Length that the treaty fixes (ATOP length); 0 for "
                   "none.", unit="months", level="row", absent="missing"),
    ],
    sources=["atop"],
    citations=["leeds_etal_2002"],
    options={"release": RELEASE, "when": WHEN},
    units=ALLIANCE_UNITS,
    examples=[
        Example(
            "NATO was made for twenty years and had no bases at first.",
            {"atopid": 3180},
            {"alliance_fixed_term": 1, "alliance_length": 240, "alliance_bases": 0,
             "alliance_secret": 0},
            unit="alliance",
        ),
        Example(
            "Since the agreement on its forces of 1951 it has.",
            {"atopid": 3180, "year": 1960},
            {"alliance_bases": 1},
            unit="alliance-year",
        ),
        Example(
            "The Rio pact lasts indefinitely, may be renounced and settles members' disputes.",
            {"atopid": 3075},
            {"alliance_indefinite": 1, "alliance_renounce": 1, "alliance_settlement": 1,
             "alliance_fixed_term": 0},
            unit="alliance",
        ),
    ],
)  # fmt: skip
def alliance_terms(context: Context) -> dict[str, Values]:
    """Make the provisions of the treaty, the highest over members and phases of the year.

    Definitions are the codebook's (Leeds et al. 2002, ATOP 5.1), cut to yes or no: any level above
    none counts, but for contact in peace (milcon 2 and 3) and whole secrecy (pubsecr 2). Missing
    where ATOP doesn't know the text.
    """
    shown = {f"alliance_{each.name}": each.rule for each in PROVISIONS if _asked(each)}
    facts = _over_members(
        context, [rule.max().cast(pl.Int8).alias(name) for name, rule in shown.items()]
        + [pl.col("length").max().alias("alliance_length")],
    )  # fmt: skip
    kinds: dict[str, type] = {**dict.fromkeys(shown, np.int8), "alliance_length": np.int16}
    return on_rows(context, facts, _keys(context), kinds)


def _keys(context: Context) -> tuple[str, ...]:
    return ("atopid",) if context.options["when"] == "ever" else ("atopid", "year")


def _over_members(context: Context, made: list[pl.Expr]) -> pl.DataFrame:
    keys = _keys(context)
    rows = members_of(context) if len(keys) == 1 else member_years(context)
    return rows.group_by(keys).agg(made)


_LIMITS = {
    "defense": "defcon",
    "offense": "offcon",
    "neutrality": "neucon",
    "consultation": "concon",
}


@covariate(
    name="member_terms",
    title="Limits to what a member owes in an alliance",
    columns=[
        *(
            ColumnSpec(f"member_{name}_limited", "flag", "1 if what the member owes of "
                       f"{name} is limited by conditions (ATOP {code}).", level="row",
                       absent="missing")
            for name, code in _LIMITS.items()
        ),
        ColumnSpec("member_nonprovocation", "flag", "1 if the member owes nothing to one that "
                   "provoked the conflict (ATOP defconpr, neuconpr).", level="row",
                   absent="missing"),
        ColumnSpec("member_varies", "flag", "1 if what the member owes varies between its partners "
                   "or over time within the phase (ATOP obvary).", level="row", absent="missing"),
    ],
    sources=["atop"],
    citations=["leeds_etal_2002"],
    options={"release": RELEASE},
    units=("alliance-member-year",),
    examples=[
        Example(
            "What Germany owes in the Dual Alliance is limited to an attack by Russia.",
            {"atopid": 1335, "ccode": 255, "year": 1890},
            {"member_defense_limited": 1, "member_offense_limited": 0, "member_varies": 0},
            unit="alliance-member-year",
        ),
    ],
)  # fmt: skip
def member_terms(context: Context) -> dict[str, Values]:
    """Make the member's own limits, the highest over its rows of the year."""
    rules = {f"member_{name}_limited": pl.col(code) for name, code in _LIMITS.items()}
    rules["member_nonprovocation"] = pl.max_horizontal("defconpr", "neuconpr")
    rules["member_varies"] = pl.col("obvary")
    facts = (
        member_years(context)
        .group_by("atopid", "member", "year")
        .agg(rule.max().alias(name) for name, rule in rules.items())
        .rename({"member": "ccode"})
    )
    return on_rows(context, facts, ("atopid", "ccode", "year"), dict.fromkeys(rules, np.int8))


@covariate(
    name="alliance_depth",
    title="Depth, scope and capacity of an alliance",
    columns=[
        ColumnSpec("alliance_depth", "number", "Mean of eight items of military cooperation, each "
                   "0 to 1: " + "; ".join(f"{item.says} ({item.variable})" for item in DEPTH_ITEMS)
                   + ".", unit="index, 0-1", level="row", absent="missing"),
        *(
            ColumnSpec(f"alliance_{name}_bc", "number", f"Benson & Clinton's score of {says}.",
                       unit="score", level="row", absent="missing")
            for name, says in (("depth", "depth"), ("scope", "scope"),
                               ("capacity", "potential military capacity"))
        ),
    ],
    sources=["atop", BENSON_CLINTON],
    citations=["alley_2021", "benson_clinton_2016", "leeds_etal_2002"],
    options={"release": RELEASE, "when": WHEN},
    units=ALLIANCE_UNITS,
    coverage_of=("atop",),
    extras=["alliance_scope_bc", "alliance_capacity_bc"],
    examples=[
        Example(
            "The Dual Alliance provides for no cooperation in peace; the authors score it low too.",
            {"atopid": 1335},
            {"alliance_depth": 0.0},
            unit="alliance",
        ),
    ],
)  # fmt: skip
def alliance_depth(context: Context) -> dict[str, Values]:
    """Make a depth index from ATOP's items and take over Benson & Clinton's scores.

    Alley (2021) takes depth from the same eight items by a Bayesian factor model, Benson & Clinton
    (2016) from others by an item-response model. The index weighs the items alike, so that anyone
    can work it out from the treaty. Of Benson & Clinton's scores there is one an alliance, for the
    492 that they list; others are missing, whatever the year.
    """
    facts = _over_members(context, [depth_index().max().alias("alliance_depth")])
    made = on_rows(context, facts, _keys(context), {"alliance_depth": np.float64})
    names = {"alliance_depth_bc", "alliance_scope_bc", "alliance_capacity_bc"} & context.wanted
    if names:
        scores = context.tables.get(BENSON_CLINTON, "alliances").select(
            "atopid",
            alliance_depth_bc="depth_score",
            alliance_scope_bc="scope_score",
            alliance_capacity_bc="capacity_score",
        )
        made |= on_rows(context, scores, ("atopid",), dict.fromkeys(sorted(names), np.float64))
    return made


RIVALRIES = {"td": "rivalries_td", "tss": "rivalries_tss"}


def founders(context: Context) -> pl.DataFrame:
    """Return pairs of founding members, both orders: atopid, ccode1, ccode2, year.

    Founders are the members that entered an alliance on its first day.
    """
    first = (
        members_of(context)
        .filter(pl.col("start") == pl.col("start").min().over("atopid"))
        .select("atopid", ccode="member", year="first_year")
        .unique(maintain_order=True)
    )
    pairs = first.join(first, on=["atopid", "year"], suffix="2").rename({"ccode": "ccode1"})
    return pairs.filter(pl.col("ccode1") != pl.col("ccode2"))


def rival_years(pairs: pl.DataFrame, spells: pl.DataFrame, lag: int) -> pl.Series:
    """Return for each pair whether it was a rivalry `lag` years before its year."""
    both = pl.concat(
        [
            spells.select(ccode1=one, ccode2=other, from_year="styear", to_year="endyear")
            for one, other in (("ccode1", "ccode2"), ("ccode2", "ccode1"))
        ]
    ).with_columns(pl.all().cast(pl.Int64))
    asked = pairs.select(pl.col("ccode1", "ccode2", "year").cast(pl.Int64)).with_row_index("row")
    when = pl.col("year") - lag
    rows = (
        asked.join(both, on=["ccode1", "ccode2"])
        .filter(when.is_between(pl.col("from_year"), pl.col("to_year")))["row"]
        .unique()
    )
    return asked["row"].is_in(rows.implode())


def war_pairs(context: Context) -> pl.DataFrame:
    """Return pairs of states that fought in an inter-state war: same side or not, and their years.

    Columns: ccode1, ccode2, together (1 the same side, 0 opposite), first_year, last_year of the
    days that they shared.
    """
    wars = load_wars(context.tables)
    spells = pl.DataFrame(
        {"warnum": wars.warnum, "ccode": wars.ccode, "side": wars.side, "start": wars.start,
         "end": np.where(wars.end == NEVER, wars.start, wars.end)}
    ).with_columns(pl.col("start", "end").cast(pl.Int32).cast(pl.Date))  # fmt: skip
    columns = ("ccode1", "ccode2", "together", "first_year", "last_year")
    against = opposing(spells, "warnum", "side").with_columns(together=pl.lit(0, pl.Int8))
    # Sides renamed by state make partners "opposing", so that one piece of code pairs both.
    partners = opposing(spells.with_columns(party=pl.col("ccode")), "warnum", "party")
    partners = partners.filter(pl.col("side1") == pl.col("side2"))
    beside = partners.with_columns(together=pl.lit(1, pl.Int8))
    return pl.concat([against.select(columns), beside.select(columns)]).unique()


def after_war(
    pairs: pl.DataFrame, wars: pl.DataFrame, within: int, coverage: tuple[int, int]
) -> dict[str, pl.Series]:
    """Return for each pair and year whether a war of the two ended shortly before.

    Returns
    -------
    dict
        "opposed" and "together": 1 if they fought on opposite sides (the same side) until at most
        `within` years before, wars of the year itself included; 0 if not; null where the years
        looked at aren't all covered and none is found.
    """
    asked = pairs.select(pl.col("ccode1", "ccode2", "year").cast(pl.Int64)).with_row_index("row")
    known = wars.with_columns(pl.all().cast(pl.Int64))
    since = pl.col("year") - within
    met = asked.join(known, on=["ccode1", "ccode2"]).filter(
        (pl.col("first_year") <= pl.col("year")) & (pl.col("last_year") >= since)
    )
    covered = asked["year"].is_between(coverage[0] + within, coverage[1])
    made = {}
    for name, together in (("opposed", 0), ("together", 1)):
        rows = met.filter(pl.col("together") == together)["row"].unique()
        found = asked["row"].is_in(rows.implode())
        made[name] = (
            pl.DataFrame({"found": found, "covered": covered})
            .select(
                pl.when("found").then(1).when("covered").then(0).otherwise(None).cast(pl.Int8)
            )
            .to_series()
        )  # fmt: skip
    return made


@covariate(
    name="alliance_origin",
    title="What an alliance's founders were to each other before it",
    columns=[
        ColumnSpec("alliance_tether_td", "flag", "1 if two founders were rivals when they made it "
                   "(Thompson & Dreyer).", level="row", absent="missing"),
        ColumnSpec("alliance_tether_tss", "flag", "1 if two founders were strategic rivals when "
                   "they made it (Thompson, Sakuwa & Suhas).", level="row", absent="missing"),
        ColumnSpec("alliance_after_war", "flag", "1 if two founders had fought each other in a COW "
                   "inter-state war that ended at most `within` years before, or still did.",
                   level="row", absent="missing"),
        ColumnSpec("alliance_after_joint_war", "flag", "1 if two founders had fought such a war on "
                   "one side.", level="row", absent="missing"),
        ColumnSpec("alliance_founders", "count", "Members that entered it on its first day.",
                   unit="states", level="row"),
    ],
    sources=["atop", "rivalries_td", "rivalries_tss", "cow_interstate_wars"],
    citations=["weitsman_2004", "thompson_dreyer_2011", "thompson_sakuwa_suhas_2021",
               "sarkees_wayman_2010", "leeds_etal_2002"],
    options={
        "release": RELEASE,
        "lag": Option(0, "Years before the founding in which rivalry is looked at.", (0, 1)),
        "within": Option(5, "Years after a war in which an alliance counts as made after it.",
                         least=0),
    },
    units=ALLIANCE_UNITS,
    coverage_of=("atop",),
    examples=[
        Example(
            "The League of the Three Emperors of 1881 binds Austria-Hungary to its rival Russia.",
            {"atopid": 1340},
            {"alliance_tether_td": 1, "alliance_founders": 3},
            unit="alliance",
        ),
        Example(
            "Germany and Austria-Hungary, rivals until 1870, were none in 1879.",
            {"atopid": 1335},
            {"alliance_tether_td": 0, "alliance_after_war": 0},
            unit="alliance",
        ),
    ],
)  # fmt: skip
def alliance_origin(context: Context) -> dict[str, Values]:
    """Make tethering (Weitsman 2004) and origins in war, over pairs of founders.

    Weitsman calls tethering what states do that ally with an adversary to manage it; the adversary
    is here a rival on either list in the year of the founding (option lag: the year before).
    Missing where the founding lies outside the years of the list, or of the wars.
    """
    pairs = founders(context)
    made = {}
    for short, source in RIVALRIES.items():
        spells = context.tables.get(source, "spells")
        first, last = context.tables.coverage(source)
        rivals = rival_years(pairs, spells, context.options["lag"])
        inside = (pairs["year"] - context.options["lag"]).is_between(first, last)
        listed = pl.DataFrame({"rivals": rivals, "inside": inside})
        made[f"alliance_tether_{short}"] = listed.select(
            pl.when("inside").then(pl.col("rivals").cast(pl.Int8))
        )["rivals"]
    coverage = context.tables.coverage("cow_interstate_wars")
    wars = after_war(pairs, war_pairs(context), context.options["within"], coverage)
    made |= {"alliance_after_war": wars["opposed"], "alliance_after_joint_war": wars["together"]}
    facts = (
        pairs.with_columns(**made)
        .group_by("atopid")
        .agg(
            # 1 if any pair is; null if none is and one is unknown.
            *(
                pl.when(pl.col(name).max() == 1)
                .then(1)
                .when(pl.col(name).is_null().any())
                .then(None)
                .otherwise(0)
                .cast(pl.Int8)
                .alias(name)
                for name in made
            ),
            alliance_founders=pl.col("ccode1").n_unique(),
        )
    )
    kinds: dict[str, type] = {**dict.fromkeys(made, np.int8), "alliance_founders": np.int32}
    return on_rows(context, facts, ("atopid",), kinds)
