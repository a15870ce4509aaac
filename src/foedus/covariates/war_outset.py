"""How things stood when a war began: its first belligerents, and the treaties of the day before.

Shared by the covariates of wars and of their potential joiners; registers none itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.atop import OBLIGATIONS, RELEASE, SECRET
from foedus.covariates.context import Context
from foedus.covariates.registry import Option
from foedus.covariates.values import missing_of
from foedus.panels.system import day_number
from foedus.panels.war_list import WarList, load_wars
from foedus.sources.tables import Tables

THREATS = Option(
    "apply",
    "Whom a defence, offence or neutrality pledge binds against. apply: the states that the treaty "
    "names, where the obligation is conditional on the adversary; named: the named states wherever "
    "any are named; ignore: anyone.",
    ("apply", "named", "ignore"),
)
FIRST_DAYS = Option(
    0,
    "Belligerents that entered within so many days of the war's first day count as first "
    "belligerents (0: on the first day itself).",
    (0, 1, 7, 30),
)
JOINER_UNITS = ("war-joiner", "war-joiner-year", "war-joiner-month")
TIE_OPTIONS = {"release": RELEASE, "secret": SECRET, "threats": THREATS}
# The flag by which ATOP says that an obligation holds against specific adversaries only.
_ADVERSARY_FLAG = {"defense": "defcoadv", "offense": "offcoadv", "neutrality": "neucoadv"}
KINDS = tuple(OBLIGATIONS)
_WHOLLY_SECRET = 2
DAYS_A_YEAR = 365.2425


@dataclass(frozen=True)
class Outset:
    """One war's first belligerents and the pledges standing the day before its first day.

    Attributes
    ----------
    war : int
        Position of the war in the war list.
    day : int
        The war's first day.
    side : int array (n,)
        Side of each state of the system that was a first belligerent; 0 for all others.
    attacker : int
        Side on which the source's initiators stand.
    giver, receiver : int arrays (pledges,)
        Indices of the two states, both members of the system on the war's first day; one row a
        pact and direction.
    owes : bool array (pledges, 5)
        Whether the giver owes the receiver each of KINDS.
    binds : bool array (pledges, 5)
        Whether it also holds against at least one first belligerent on the other side than the
        receiver's; False where the receiver is no first belligerent.
    pact : int array (pledges,)
        ATOP number.
    since : int array (pledges,)
        First day on which the two were bound under that pact.
    covered : bool
        Whether the treaty data cover the day before the war.
    """

    war: int
    day: int
    side: NDArray[np.int64]
    attacker: int
    giver: NDArray[np.int64]
    receiver: NDArray[np.int64]
    owes: NDArray[np.bool_]
    binds: NDArray[np.bool_]
    pact: NDArray[np.int64]
    since: NDArray[np.int64]
    covered: bool

    @property
    def to_first(self) -> NDArray[np.bool_]:
        """Which pledges are made to a first belligerent by a state that isn't one."""
        return np.asarray((self.side[self.receiver] > 0) & (self.side[self.giver] == 0))

    def age(self) -> NDArray[np.float64]:
        """Years for which each pledge's two states had been bound under its pact."""
        return (self.day - self.since) / DAYS_A_YEAR


def wars_of(context: Context) -> WarList:
    """Return the war list, made once a build."""
    return context.shared("war_list", lambda: load_wars(context.tables))


def outsets(context: Context) -> dict[int, Outset]:
    """Return the outset of every war in the spine by its position, under the context's options."""
    names = ("release", "secret", "threats", "first_days")
    options = {name: context.options.get(name) for name in names}
    key = ("war_outsets", context.spine.unit, *options.values())

    def make() -> dict[int, Outset]:
        wars = wars_of(context)
        treaties = Treaties.load(context)
        chosen = np.unique(context.spine.extra["war"]).tolist()
        return {war: _outset(context, wars, treaties, war) for war in chosen}

    return context.shared(key, make)


@dataclass(frozen=True)
class Treaties:
    """Members of pacts with their days as numbers; an exit that is open counts as never."""

    rows: pl.DataFrame
    first_year: int
    last_day: int

    @classmethod
    def load(cls, context: Context) -> Treaties:
        """Return the treaties under the context's options."""
        return cls.of(context.tables, context.options.get("release"), context.options.get("secret"))

    @classmethod
    def of(cls, tables: Tables, release: str | None = None, secret: str | None = None) -> Treaties:
        """Return the treaties of a release; `secret` may be "exclude"."""
        members = tables.get("atop", "members", release=release)
        if secret == "exclude":
            members = members.filter(pl.col("pubsecr").fill_null(0) != _WHOLLY_SECRET)
        first, last = tables.coverage("atop", release=release)
        last_day = int(np.datetime64(f"{last}-12-31").astype("datetime64[D]").astype(np.int64))
        end = day_number(members["end"])
        rows = members.with_columns(
            from_day=pl.Series(day_number(members["start"])),
            to_day=pl.Series(np.where(members["end"].is_null().to_numpy(), last_day, end)),
        )
        return cls(rows, first, last_day)

    def standing(self, day: int) -> pl.DataFrame:
        """Return one row a pact and ordered pair of members that both stand in it on a day."""
        rows = self.rows.filter((pl.col("from_day") <= day) & (pl.col("to_day") >= day))
        partners = rows.select("atopid", "phase", receiver="member")
        # Two phases share the day on which one follows the other; the later one speaks.
        rows = rows.sort("phase").rename({"member": "giver"})
        pairs = rows.join(partners, on=["atopid", "phase"])
        pairs = pairs.filter(pl.col("giver") != pl.col("receiver"))
        return pairs.unique(["atopid", "giver", "receiver"], keep="last").sort(
            "atopid", "giver", "receiver"
        )

    def since(self, pairs: pl.DataFrame) -> NDArray[np.int64]:
        """Return the first day on which each pair of members stood in the pact together."""
        first = self.rows.group_by("atopid", "member").agg(pl.col("from_day").min())
        dated = (
            pairs.select("atopid", "giver", "receiver")
            .join(
                first.rename({"member": "giver", "from_day": "a"}),
                on=["atopid", "giver"],
                how="left",
            )
            .join(
                first.rename({"member": "receiver", "from_day": "b"}),
                on=["atopid", "receiver"],
                how="left",
            )
            .sort("atopid", "giver", "receiver")
        )
        return np.asarray(np.maximum(dated["a"].to_numpy(), dated["b"].to_numpy()), np.int64)


def first_sides(
    context: Context, wars: WarList, war: int, first_days: int
) -> tuple[NDArray[np.int64], int]:
    """Return the first belligerents' sides over the system's states, and the attackers' side."""
    spells = np.flatnonzero((wars.of_spell == war) & wars.within(first_days))
    side = np.zeros(context.system.n_states, np.int64)
    state = context.system.index(wars.ccode[spells])
    known = state >= 0
    side[state[known]] = wars.side[spells][known]
    attackers = wars.side[spells][wars.initiator[spells] == 1]
    # ASSUME: the attacker is the side of the states that COW names initiators; they never stand
    # on both sides of one war.
    return side, int(attackers[0]) if len(attackers) else 0


def members_on(context: Context, day: int) -> NDArray[np.bool_]:
    """Return which states are members of the system on a day, bool (n,)."""
    system = context.system
    inside = (system.spell_start <= day) & (system.spell_end >= day)
    present = np.zeros(system.n_states, dtype=bool)
    present[system.spell_state[inside]] = True
    return present


def _outset(context: Context, wars: WarList, treaties: Treaties, war: int) -> Outset:
    day = int(wars.first_day[war])
    side, attacker = first_sides(context, wars, war, int(context.options.get("first_days", 0)))
    # ASSUME: the treaties that count are those in force on the day before the war's first day; one
    # signed on the day itself is part of the war.
    pairs = treaties.standing(day - 1)
    giver = context.system.index(pairs["giver"].to_numpy())
    receiver = context.system.index(pairs["receiver"].to_numpy())
    present = members_on(context, day)
    kept = (giver >= 0) & (receiver >= 0)
    kept &= present[giver] & present[receiver]
    pairs_kept = pairs.filter(pl.Series(kept))
    giver, receiver = giver[kept], receiver[kept]
    owes = np.column_stack(
        [pairs_kept[column].fill_null(0).to_numpy() == 1 for column in OBLIGATIONS.values()]
    )
    first_covered = treaties.first_year
    begins = int(np.datetime64(f"{first_covered}-01-01").astype("datetime64[D]").astype(np.int64))
    return Outset(
        war=war,
        day=day,
        side=side,
        attacker=attacker,
        giver=giver,
        receiver=receiver,
        owes=owes,
        binds=owes & _binding(context, pairs_kept, side, receiver),
        pact=pairs_kept["atopid"].to_numpy().astype(np.int64),
        since=treaties.since(pairs_kept),
        covered=begins <= day - 1 <= treaties.last_day,
    )


def _binding(
    context: Context, pairs: pl.DataFrame, side: NDArray[np.int64], receiver: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return whether each obligation holds against the receiver's first opponents, (pledges, 5)."""
    threats = [pairs[name].fill_null(0).to_numpy() for name in ("statthr1", "statthr2")]
    names_any = (threats[0] > 0) | (threats[1] > 0)
    opponent = 3 - side[receiver]
    hits = np.zeros(len(receiver), dtype=bool)
    for threat in threats:
        state = context.system.index(threat)
        hits |= (state >= 0) & (threat > 0) & (side[np.maximum(state, 0)] == opponent)
    rule = context.options.get("threats", "ignore")
    binds = np.ones((len(receiver), len(KINDS)), dtype=bool)
    for place, kind in enumerate(KINDS):
        flag = _ADVERSARY_FLAG.get(kind)
        if flag is None or rule == "ignore":
            continue
        limited = names_any
        if rule == "apply":
            limited = limited & (pairs[flag].fill_null(0).to_numpy() == 1)
        binds[:, place] = ~limited | hits
    return binds & (side[receiver] > 0)[:, None]


def flag_rows(values: NDArray[np.bool_], known: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Return flags as int8, missing where not known."""
    return np.where(known, values, missing_of(np.dtype(np.int8))).astype(np.int8)


def count_rows(values: NDArray[np.int64], known: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return counts as int32, missing where not known."""
    return np.where(known, values, missing_of(np.dtype(np.int32))).astype(np.int32)


def number_rows(values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return numbers, NaN where not known."""
    return np.where(known, values, np.nan)
