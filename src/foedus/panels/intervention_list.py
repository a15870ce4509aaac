"""Wars of a state with a party that is none, as spells of fighting, and who came in from outside.

Three lists are brought to the shape of `WarList`: COW's intra-state wars 4.1 (the release that has
a row for each state that intervened; 5.1 has one a war), COW's extra-state wars 4.0, and the
episodes of UCDP's conflicts that aren't between states. A party that is no state stands under
number 0, so that a war's first and last day are those of all its parties.

Source: Sarkees & Wayman 2010, Resort to War; Gleditsch et al. 2002, UCDP/PRIO Armed Conflict.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.panels.system import day_number
from foedus.panels.war_list import NEVER, WarList
from foedus.sources.state_codes import cow_of_gw
from foedus.sources.tables import Tables

NO_STATE = 0
INTRA, EXTRA = "cow_intrastate_wars_4.1", "cow_extrastate_wars"
WAR_UNITS = ("war-intervener", "war-intervener-year", "war-intervener-month")
UCDP_UNITS = ("ucdp-intervener-year",)
_NO_STATE_SORTS_LAST = 10_000


@dataclass(frozen=True)
class InterventionList(WarList):
    """Spells in wars of a state with a party that is none.

    Attributes
    ----------
    first_party : bool array (spells,)
        Whether the spell is that of a party whose war it is: the state that faces a party that is
        no state, and that party. Every other state in the war has come in from outside, be it on
        the war's first day.
    kind : int array (wars,)
        COW's type of war (2 colonial, 3 imperial, 4 civil for central control, 5 civil over local
        issues, 6 regional, 7 intercommunal), by position in `numbers`; in UCDP's list 1 over
        government, 2 over territory, 3 over both.
    conflict, year : int arrays (wars,)
        In UCDP's list, the conflict and the first year of the episode; else the war's number, and
        the year in which it began.
    outside : bool array (wars,)
        Whether the party that is no state stood outside the state's own land: COW's extra-state
        wars, UCDP's extrasystemic conflicts.
    """

    first_party: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    kind: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    conflict: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    year: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    outside: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))

    @cached_property
    def original(self) -> NDArray[np.bool_]:
        """Whether a spell is that of a party whose war it is."""
        # ASSUME: in a war of a state with a party that is none, each further state is a third one
        # that intervenes, also if it does so on the first day; COW's and UCDP's rows say which
        # state it is that faces that party.
        return self.first_party

    def within(self, days: int) -> NDArray[np.bool_]:
        """Whether a spell is that of a party whose war it is, whatever the number of days."""
        return self.first_party

    @cached_property
    def state_side(self) -> NDArray[np.int64]:
        """Side of the state whose war it is, 0 in wars between parties that are none; (wars,)."""
        side = np.zeros(len(self.numbers), np.int64)
        lead = self.first_party & (self.ccode != NO_STATE)
        side[self.of_spell[lead]] = self.side[lead]
        return side


def cow_spells(tables: Tables) -> pl.DataFrame:
    """Return one row a party a war of COW's two lists, states and others.

    Returns
    -------
    polars.DataFrame
        warnum, ccode (0 for no state), side, start, end (null while it goes on), exact, initiator
        (0), first_party, name, wartype, outside.
    """
    intra = tables.get(INTRA, "participants").select(
        pl.col("warnum").cast(pl.Int64), "warname", "wartype", "sidea", "sideb", "start1", "end1",
        "start2", "end2", "start1_precision", ccode1="ccodea", ccode2="ccodeb", outside=False,
    )  # fmt: skip
    extra = tables.get(EXTRA, "participants").select(
        pl.col("warnum").cast(pl.Int64), "warname", "wartype", "sidea", "sideb", "start1", "end1",
        "start2", "end2", "start1_precision", "ccode1", "ccode2", outside=True,
    )  # fmt: skip
    rows = pl.concat([intra, extra], how="vertical_relaxed")
    # ASSUME: the parties whose war it is are those of the rows that name one on either side; a row
    # with one side only is a state that came in. Israel's and Syria's rows in the intercommunal
    # war of 1978 are such rows, though neither side's first party is a state.
    both = pl.col("sidea").is_not_null() & pl.col("sideb").is_not_null()
    sides = [
        rows.filter(pl.col(party).is_not_null()).select(
            "warnum", "warname", "wartype", "outside",
            pl.col(code).fill_null(NO_STATE).cast(pl.Int64).alias("ccode"),
            pl.lit(side, pl.Int64).alias("side"),
            pl.col("start1").alias("start"),
            # ASSUME: a spell that a truce breaks goes on from its first day to its last one.
            pl.when(pl.col("start2").is_not_null())
            .then(pl.col("end2"))
            .otherwise(pl.col("end1"))
            .alias("end"),
            (pl.col("start1_precision") == "day").alias("exact"),
            both.alias("first_party"),
        )
        for side, party, code in ((1, "sidea", "ccode1"), (2, "sideb", "ccode2"))
    ]  # fmt: skip
    return pl.concat(sides).with_columns(initiator=pl.lit(0, pl.Int64), name=pl.col("warname"))


def ucdp_spells(tables: Tables) -> pl.DataFrame:
    """Return one row a party an episode of UCDP's conflicts that aren't between states.

    Returns
    -------
    polars.DataFrame
        As `cow_spells`, with `warnum` a running number of the episode, and conflict, year (the
        episode's first) and kind.
    """
    rows = tables.get("ucdp_acd", "conflict_years").filter(
        pl.col("type_of_conflict") != "interstate"
    )
    # ASSUME: an episode is what UCDP gives one second start date: from the day on which a conflict
    # reaches 25 deaths in a year until a year passes in which it doesn't.
    episodes = (
        rows.group_by("conflict_id", "start_date2")
        .agg(
            year=pl.col("year").min(),
            last_year=pl.col("year").max(),
            ended=pl.col("ep_end_date").max(),
            over=pl.col("incompatibility").sort_by("year").first(),
            outside=(pl.col("type_of_conflict") == "extrasystemic").any(),
            state=pl.col("gwno_a").sort_by("year").first(),
            exact=(pl.col("start_prec2") <= 1).all(),
        )
        .sort("conflict_id", "start_date2")
        .with_columns(
            warnum=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
            kind=pl.col("over").replace_strict(
                {"government": 1, "territory": 2, "both": 3}, return_dtype=pl.Int64
            ),
            end=pl.coalesce("ended", pl.date(pl.col("last_year"), 12, 31)),
        )
    )
    shared: list[str | pl.Expr] = [
        "warnum", pl.col("conflict_id").cast(pl.Int64).alias("conflict"), "year", "kind", "outside",
        pl.concat_str(pl.lit("conflict "), "conflict_id").alias("name"),
    ]  # fmt: skip
    year = pl.col("year").cast(pl.Int32)
    first = [
        episodes.select(
            *shared,
            cow_of_gw(pl.col("state"), year).cast(pl.Int64).fill_null(NO_STATE).alias("ccode"),
            pl.lit(1, pl.Int64).alias("side"), pl.col("start_date2").alias("start"), "end", "exact",
            pl.lit(True).alias("first_party"),
        ),
        episodes.select(
            *shared, pl.lit(NO_STATE, pl.Int64).alias("ccode"), pl.lit(2, pl.Int64).alias("side"),
            pl.col("start_date2").alias("start"), "end", "exact",
            pl.lit(True).alias("first_party"),
        ),
    ]  # fmt: skip
    entered = (
        tables.get("cow_states", "states")
        .select(pl.col("ccode").cast(pl.Int64), enters="start")
        .with_columns(begins=pl.col("enters").dt.year().cast(rows["year"].dtype))
        .group_by("ccode", "begins")
        .agg(pl.col("enters").min())
    )
    supports = [
        rows.drop_nulls(column)
        .group_by("conflict_id", "start_date2", supporter=column)
        .agg(begins=pl.col("year").min(), leaves=pl.col("year").max())
        .join(episodes, on=["conflict_id", "start_date2"], validate="m:1")
        .with_columns(
            ccode=cow_of_gw(pl.col("supporter"), pl.col("begins").cast(pl.Int32))
            .cast(pl.Int64)
            .fill_null(NO_STATE)
        )
        .join(entered, on=["ccode", "begins"], how="left")
        .select(
            *shared,
            "ccode",
            pl.lit(side, pl.Int64).alias("side"),
            # ASSUME: UCDP gives the years of support, not its days: it begins on the first day of
            # its first year, of the episode, or of the state (South Sudan's, in July 2011).
            pl.max_horizontal("start_date2", pl.date(pl.col("begins"), 1, 1), "enters").alias(
                "start"
            ),
            pl.min_horizontal("end", pl.date(pl.col("leaves"), 12, 31)).alias("end"),
            pl.lit(False).alias("exact"),
            pl.lit(False).alias("first_party"),
        )
        for side, column in ((1, "gwno_a_2nd"), (2, "gwno_b_2nd"))
    ]
    return pl.concat([*first, *supports], how="vertical_relaxed").with_columns(
        initiator=pl.lit(0, pl.Int64)
    )


def _list_of(spells: pl.DataFrame) -> InterventionList:
    """Return spells as a list, sorted by war, first day, side and state (parties of none last)."""
    rows = spells.sort(
        "warnum",
        "start",
        "side",
        pl.when(pl.col("ccode") == NO_STATE).then(_NO_STATE_SORTS_LAST).otherwise(pl.col("ccode")),
    )
    wars = rows.group_by("warnum", maintain_order=True).agg(
        pl.col("kind", "conflict", "year", "outside").first()
    )

    def column(name: str) -> NDArray[Any]:
        return rows[name].to_numpy()

    nothing = np.full(rows.height, NEVER)
    return InterventionList(
        warnum=column("warnum").astype(np.int64),
        ccode=column("ccode").astype(np.int64),
        side=column("side").astype(np.int64),
        start=day_number(rows["start"]),
        end=day_number(rows["end"]),
        pause=nothing,
        resume=nothing,
        exact=column("exact").astype(bool),
        initiator=column("initiator").astype(np.int64),
        outcome=np.full(rows.height, -9, np.int64),
        deaths=np.full(rows.height, np.nan),
        name=column("name").astype(str),
        first_party=column("first_party").astype(bool),
        kind=wars["kind"].to_numpy().astype(np.int64),
        conflict=wars["conflict"].to_numpy().astype(np.int64),
        year=wars["year"].to_numpy().astype(np.int64),
        outside=wars["outside"].to_numpy().astype(bool),
    )


def load_interventions(tables: Tables) -> InterventionList:
    """Return COW's intra-state and extra-state wars as spells."""
    spells = cow_spells(tables).with_columns(
        kind=pl.col("wartype").cast(pl.Int64),
        conflict=pl.col("warnum"),
        year=pl.col("start").min().over("warnum").dt.year().cast(pl.Int64),
    )
    return _list_of(spells)


def load_ucdp(tables: Tables) -> InterventionList:
    """Return the episodes of UCDP's conflicts that aren't between states as spells."""
    return _list_of(ucdp_spells(tables))
