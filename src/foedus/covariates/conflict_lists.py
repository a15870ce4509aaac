"""Conflicts between two states from eight lists, as one frame of directed conflict-dyad-years.

Each list is brought to the same columns; what a list does not code is a column of nulls, and
`CODES` says which columns it codes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from foedus.covariates.context import Context
from foedus.covariates.wars import war_spells
from foedus.panels.spans import opposing
from foedus.sources.state_codes import cow_of_gw

SCHEMA: dict[str, type[pl.DataType]] = {
    "conflict": pl.Int32,
    "ccode1": pl.Int32,
    "ccode2": pl.Int32,
    "year": pl.Int32,
    "onset": pl.Boolean,
    "side": pl.Int8,
    "originator1": pl.Int8,
    "originator2": pl.Int8,
    "own_hostility": pl.Int8,
    "own_fatality": pl.Int8,
    "dyad_hostility": pl.Int8,
    "dyad_fatality": pl.Int8,
    "revisionist": pl.Int8,
    "revision_type": pl.Int8,
    "hostility": pl.Int8,
    "fatality": pl.Int8,
    "reciprocated": pl.Int8,
    "mindur": pl.Int32,
    "maxdur": pl.Int32,
    "outcome": pl.Int8,
    "settlement": pl.Int8,
    "begun": pl.Int32,
}
KEY = ("conflict", "ccode1", "ccode2", "year")

# What a list of wars lists is at the level of war.
WAR = pl.lit(5, pl.Int8)
_SIDES = frozenset({"side", "originator1", "originator2"})
_OWN = frozenset({"own_hostility", "own_fatality", "dyad_hostility", "dyad_fatality"})
_WHOLE = frozenset({"hostility", "fatality", "reciprocated", "mindur", "maxdur", "outcome",
                    "settlement"})  # fmt: skip
_REVISION = frozenset({"revisionist", "revision_type"})


@dataclass(frozen=True)
class ConflictList:
    """One list of conflicts.

    Attributes
    ----------
    says : str
        What it lists.
    source : str
        Id of its data set.
    codes : frozenset of str
        Columns of `SCHEMA` that it codes, the keys, `onset` and `begun` apart.
    build : callable
        Context -> frame with the columns of `SCHEMA` that it codes.
    """

    says: str
    source: str
    codes: frozenset[str]
    build: Callable[[Context], pl.DataFrame]


def _with_years(pairs: pl.DataFrame) -> pl.DataFrame:
    """One row a year of each row's span `first_year` to `last_year`, both included."""
    return pairs.with_columns(
        year=pl.int_ranges("first_year", pl.col("last_year") + 1, dtype=pl.Int32)
    ).explode("year")


def _first_years(rows: pl.DataFrame) -> pl.DataFrame:
    """Mark the first year of each directed pair in each conflict as its onset."""
    first = pl.col("year").min().over("conflict", "ccode1", "ccode2")
    return rows.with_columns(onset=pl.col("year") == first)


def mid_facts(participants: pl.DataFrame, disputes: pl.DataFrame) -> pl.DataFrame:
    """Return COW disputes: pairs on opposite sides on one day, with the whole dispute's codes.

    Unknown days are read generously: the earliest beginning and the latest end that they allow.
    """
    # ASSUME: a state with several spells in a dispute is an originator, a revisionist, as hostile
    # and as bloodied as in the spell in which it was most so.
    spells = participants.select(
        "ccode", "sidea", "orig", "hostlev", "fatality", "revstate", "revtype1",
        conflict="dispnum", start="start_min", end="end_max",
    )  # fmt: skip
    pairs = opposing(spells, by="conflict", side="sidea")
    rows = (
        _with_years(pairs)
        .group_by(*KEY)
        .agg(
            side=pl.col("sidea1").max(),
            originator1=pl.col("orig1").max(),
            originator2=pl.col("orig2").max(),
            own_hostility=pl.col("hostlev1").max(),
            own_fatality=_known_max("fatality1"),
            dyad_hostility=pl.max_horizontal(pl.col("hostlev1").max(), pl.col("hostlev2").max()),
            dyad_fatality=_both(_known_max("fatality1"), _known_max("fatality2")),
            revisionist=pl.col("revstate1").max(),
            revision_type=pl.col("revtype11").max(),
        )
    )
    return _with_disputes(_first_years(rows), disputes)


def _known_max(column: str) -> pl.Expr:
    """Return the highest value, null if any is unknown."""
    return pl.when(pl.col(column).null_count() == 0).then(pl.col(column).max())


def _both(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Return the higher of two codes, null if either is unknown."""
    return pl.when(one.is_not_null() & other.is_not_null()).then(pl.max_horizontal(one, other))


def _with_disputes(rows: pl.DataFrame, disputes: pl.DataFrame) -> pl.DataFrame:
    whole = disputes.select(
        conflict=pl.col("dispnum").cast(rows["conflict"].dtype),
        hostility="hostlev",
        fatality="fatality",
        reciprocated="recip",
        mindur="mindur",
        maxdur="maxdur",
        outcome="outcome",
        settlement="settle",
        begun=pl.col("styear").cast(pl.Int32) * 12 + pl.col("stmon").fill_null(1),
    ).unique("conflict", keep="first", maintain_order=True)
    return rows.join(whole, on="conflict", how="left")


def gml_facts(directed: pl.DataFrame) -> pl.DataFrame:
    """Return GML's disputes from its own directed dispute-years, as it has them.

    A pair that stands twice in a dispute's year (four rows of 2.03) is read as its first row.
    """
    rows = directed.select(
        "ccode1", "ccode2",
        conflict="dispnum",
        year=pl.col("year").cast(pl.Int32),
        onset=pl.col("midonset") == 1,
        side="sidea1",
        originator1="orig1",
        originator2="orig2",
        own_hostility="hostlev1",
        own_fatality="fatality1",
        dyad_hostility=pl.max_horizontal("hostlev1", "hostlev2"),
        dyad_fatality=_both(pl.col("fatality1"), pl.col("fatality2")),
        revisionist="revstate1",
        revision_type="revtype11",
        hostility="hostlev",
        fatality="fatality",
        reciprocated="recip",
        mindur="mindur",
        maxdur="maxdur",
        outcome="outcome",
        settlement="settle",
    )  # fmt: skip
    month = directed.select(
        conflict="dispnum", year=pl.col("year").cast(pl.Int32), stmon="stmon"
    ).unique(["conflict", "year"], keep="first", maintain_order=True)
    begun = (
        month.sort("conflict", "year")
        .group_by("conflict", maintain_order=True)
        .agg(begun=pl.col("year").first() * 12 + pl.col("stmon").first().fill_null(1))
    )
    return rows.join(begun, on="conflict", how="left").unique(
        KEY, keep="first", maintain_order=True
    )


def war_facts(participants: pl.DataFrame) -> pl.DataFrame:
    """Return COW inter-state wars: pairs that fought on opposite sides on one day.

    An originator was at war on the war's first day; side A are the initiators (COW Initiator), and
    neither side where COW names initiators on both or none.
    """
    spells = war_spells(participants).rename({"warnum": "conflict"})
    first = spells.group_by("conflict").agg(first_day=pl.col("start").min())
    began = spells.group_by("conflict", "ccode").agg(entered=pl.col("start").min())
    part = began.join(first, on="conflict").select(
        "conflict", "ccode", originator=(pl.col("entered") == pl.col("first_day")).cast(pl.Int8)
    )
    pairs = opposing(spells, by="conflict", side="side")
    rows = (
        _with_years(pairs)
        .group_by(*KEY)
        .agg(started1=pl.col("initiator1").max(), started2=pl.col("initiator2").max())
    )
    for state in ("1", "2"):
        named = {"ccode": f"ccode{state}", "originator": f"originator{state}"}
        rows = rows.join(part.rename(named), on=["conflict", f"ccode{state}"], how="left")
    one_began = pl.col("started1") != pl.col("started2")
    rows = rows.join(first, on="conflict").with_columns(
        side=pl.when(one_began).then(pl.col("started1")).cast(pl.Int8),
        hostility=WAR,
        begun=pl.col("first_day").dt.year() * 12 + pl.col("first_day").dt.month(),
    )
    return _first_years(rows)


def iwd_facts(initiations: pl.DataFrame) -> pl.DataFrame:
    """Return IWD's initiations: a state that attacks, its target, and each year of fighting.

    The number is that of the initiation (init_war_id). Joiners' initiations say so; the target is
    the originator that the list names.
    """
    # ASSUME: an initiator fights the target that the list names; its further adversaries and
    # allies are other initiations' business, since the list gives them no dates of their own.
    forward = initiations.select(
        conflict="init_war_id",
        ccode1="init_ccode",
        ccode2="target_ccode",
        year=pl.col("year").cast(pl.Int32),
        side=pl.lit(1, pl.Int8),
        originator1=(1 - pl.col("joiner")).cast(pl.Int8),
        originator2=pl.lit(1, pl.Int8),
        hostility=WAR,
    )
    backward = forward.select(
        "conflict", "year", "hostility", ccode1="ccode2", ccode2="ccode1", side=pl.lit(0, pl.Int8),
        originator1="originator2", originator2="originator1",
    )  # fmt: skip
    rows = _first_years(pl.concat([forward, backward.select(forward.columns)]))
    first = rows.group_by("conflict").agg(begun=pl.col("year").min() * 12)
    return rows.join(first, on="conflict")


def gleditsch_facts(participants: pl.DataFrame) -> pl.DataFrame:
    """Return inter-state wars of Gleditsch's list between states whose sides it tells apart.

    The list has no column of sides. Two states are opponents if they are the only ones in the war,
    or if one is coded a winner and the other a loser; other pairs are left out.
    """
    # ASSUME: pairs of a war that ended undecided among more than two states are not told apart.
    wars = (
        participants.filter(pl.col("warid").str.starts_with("EIW"))
        .with_columns(
            conflict=pl.col("warid").str.extract(r"-(\d+)").cast(pl.Int32),
            ccode=cow_of_gw(pl.col("statenum"), pl.col("sdate1").dt.year()),
        )
        .drop_nulls("ccode")
    )
    states = wars.group_by("conflict").agg(states=pl.col("statenum").n_unique())
    spans = [
        wars.select("conflict", "ccode", "outcome", start=f"sdate{n}", end=f"edate{n}")
        for n in (1, 2)
    ]
    spells = pl.concat(spans).drop_nulls(["start", "end"]).join(states, on="conflict")
    # Every pair first; then those that are told apart.
    pairs = opposing(spells.with_columns(alone=pl.col("ccode")), by="conflict", side="alone")
    # COW's codes: 1 on the winning side, 2 on the losing side.
    decided = pl.col("outcome1").is_in([1, 2]) & pl.col("outcome2").is_in([1, 2])
    won_and_lost = (decided & (pl.col("outcome1") != pl.col("outcome2"))).fill_null(value=False)
    pairs = pairs.filter((pl.col("states1") == 2) | won_and_lost)
    rows = _first_years(_with_years(pairs).select(*KEY).unique(maintain_order=True))
    first = spells.group_by("conflict").agg(day=pl.col("start").min())
    begun = first.select("conflict", begun=pl.col("day").dt.year() * 12 + pl.col("day").dt.month())
    return rows.join(begun, on="conflict").with_columns(hostility=WAR)


def ucdp_facts(conflicts: pl.DataFrame) -> pl.DataFrame:
    """Return UCDP/PRIO inter-state conflicts of 25 deaths or more a year, and wars of 1,000.

    Every state of side A, supporting ones included, opposes every state of side B. An onset is the
    first year of the pair's episode: the year before it did not fight in that conflict.
    """
    between = conflicts.filter(pl.col("type_of_conflict") == "interstate").with_columns(
        pl.col("year").cast(pl.Int32)
    )
    sides = []
    for side in ("a", "b"):
        both = [
            between.select("conflict_id", "year", "intensity_level", "start_date",
                           gwcode=column, first=pl.lit(column == f"gwno_{side}"))
            for column in (f"gwno_{side}", f"gwno_{side}_2nd")
        ]  # fmt: skip
        listed = pl.concat(both).with_columns(ccode=cow_of_gw(pl.col("gwcode"), pl.col("year")))
        sides.append(
            listed.drop_nulls("ccode")
            .group_by("conflict_id", "year", "ccode")
            .agg(
                pl.col("intensity_level").max(),
                pl.col("start_date").min(),
                originator=pl.col("first").max().cast(pl.Int8),
            )
        )
    keys = ["conflict_id", "year"]
    forward = sides[0].join(sides[1], on=keys, suffix="2").filter(
        pl.col("ccode") != pl.col("ccode2")
    )  # fmt: skip
    rows = forward.select(
        conflict="conflict_id", ccode1="ccode", ccode2="ccode2", year="year",
        originator1="originator", originator2="originator2",
        hostility=pl.when(pl.col("intensity_level") == 2).then(5).otherwise(4).cast(pl.Int8),
        begun=pl.col("start_date").dt.year() * 12 + pl.col("start_date").dt.month(),
    )  # fmt: skip
    mirrored = rows.select(
        pl.exclude("ccode1", "ccode2", "originator1", "originator2"),
        ccode1="ccode2", ccode2="ccode1", originator1="originator2", originator2="originator1",
    )  # fmt: skip
    rows = pl.concat([rows, mirrored.select(rows.columns)]).unique(KEY, maintain_order=True)
    gap = pl.col("year").diff().over("conflict", "ccode1", "ccode2", order_by="year")
    return rows.with_columns(onset=gap.is_null() | (gap > 1))


LISTS: dict[str, ConflictList] = {
    "mid": ConflictList(
        "COW militarized interstate disputes 5.0", "mid", _SIDES | _OWN | _WHOLE | _REVISION,
        lambda context: mid_facts(
            context.tables.get("mid", "participants"), context.tables.get("mid", "disputes")
        ),
    ),
    "mid_4.2": ConflictList(
        "COW militarized interstate disputes 4.2", "mid_4.2", _SIDES | _OWN | _WHOLE | _REVISION,
        lambda context: mid_facts(
            context.tables.get("mid_4.2", "participants"), context.tables.get("mid_4.2", "disputes")
        ),
    ),
    "gml": ConflictList(
        "Gibler-Miller-Little disputes 2.2.1", "gml_mid", _SIDES | _OWN | _WHOLE | _REVISION,
        lambda context: gml_facts(context.tables.get("gml_mid", "directed")),
    ),
    "gml_2.03": ConflictList(
        "Gibler-Miller-Little disputes 2.03", "gml_mid_2.03", _SIDES | _OWN | _WHOLE | _REVISION,
        lambda context: gml_facts(context.tables.get("gml_mid_2.03", "directed")),
    ),
    "war": ConflictList(
        "COW inter-state wars 4.0", "cow_interstate_wars", _SIDES | {"hostility"},
        lambda context: war_facts(context.tables.get("cow_interstate_wars", "participants")),
    ),
    "iwd": ConflictList(
        "Interstate War Data 1.2", "iwd", _SIDES | {"hostility"},
        lambda context: iwd_facts(context.tables.get("iwd", "initiation_years")),
    ),
    "gleditsch": ConflictList(
        "Gleditsch's expanded list of wars 2.1, inter-state", "gleditsch_wars",
        frozenset({"hostility"}),
        lambda context: gleditsch_facts(context.tables.get("gleditsch_wars", "participants")),
    ),
    "ucdp": ConflictList(
        "UCDP/PRIO inter-state armed conflicts 25.1", "ucdp_acd",
        frozenset({"originator1", "originator2", "hostility"}),
        lambda context: ucdp_facts(context.tables.get("ucdp_acd", "conflict_years")),
    ),
}  # fmt: skip


def conflict_years(context: Context, name: str) -> pl.DataFrame:
    """Return a list's directed conflict-dyad-years with all columns of `SCHEMA`, made once a build.

    Sorted by year, states and conflict; one row a key.
    """
    return context.shared(("conflict years", name), lambda: _complete(LISTS[name].build(context)))


def _complete(rows: pl.DataFrame) -> pl.DataFrame:
    columns = [
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in SCHEMA.items()
    ]
    return rows.select(columns).sort("year", "ccode1", "ccode2", "conflict")
