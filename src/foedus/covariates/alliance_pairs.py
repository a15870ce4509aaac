"""Who is promised what in the pacts whose members' obligations vary between their partners.

ATOP's member file has one row a member, and OBVARY 1 where its obligations are not the same towards
all partners; to whom they are owed is in the treaty alone. Here is what these treaties say, for the
obligations that they give to some partners only. ATOP's own dyadic file is coded in the same way:
every cell of `defense` in R's peacesciencer, which is made of it, agrees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Limited:
    """Obligations of a pact that are owed to some partners only.

    Attributes
    ----------
    atopid : int
    obligations : tuple of str
        Columns of ATOP's member file.
    owed : mapping of int to tuple of int
        Giver to the receivers to which it owes them, by COW number; a giver that isn't named owes
        them to every partner.
    reason : str
        What the treaty says.
    """

    atopid: int
    obligations: tuple[str, ...]
    owed: Mapping[int, tuple[int, ...]]
    reason: str


def _all_to(receivers: tuple[int, ...], *givers: int) -> dict[int, tuple[int, ...]]:
    return dict.fromkeys(givers, receivers)


_MIDDLE_STATES = (240, 245, 269, 271, 275)

LIMITED = (
    Limited(
        1100,
        ("defense",),
        {200: (230, 235), 220: (), 230: (235,), 235: (230,)},
        "Quadruple Alliance of 1834: Spain and Portugal expel the pretenders from each other's "
        "land, Britain lends a fleet and arms to both crowns, France only consults; nobody "
        "promises arms to Britain or France.",
    ),
    Limited(
        1110,
        ("defense", "offense"),
        _all_to((640,), 200, 255, 300, 365),
        "Convention of London of 1840: the four powers support the Sultan against Mehmet Ali; "
        "among themselves they only concert.",
    ),
    Limited(
        1120,
        ("defense",),
        _all_to((235,), 200, 220, 230),
        "Protocol of London of 1847: Britain, France and Spain support the Portuguese crown, and "
        "consult each other.",
    ),
    Limited(
        1160,
        ("defense",),
        _all_to((640,), 200, 220, 325),
        "Treaty of Constantinople of 1854, which Sardinia joined in 1855: aid to the Sultan "
        "against Russia.",
    ),
    Limited(
        1190,
        ("defense",),
        _all_to((380,), 200, 220),
        "Treaty of Stockholm of 1855: Britain and France guarantee Sweden-Norway against Russia.",
    ),
    Limited(
        1205,
        ("defense",),
        _all_to((165,), 140, 160),
        "Treaty of Rio de Janeiro of 1859: Argentina and Brazil guarantee Uruguay, which is to "
        "stay neutral between them.",
    ),
    Limited(
        1227,
        ("defense", "neutral"),
        _all_to((300,), *_MIDDLE_STATES),
        "Agreement of 1862: the German middle states bind themselves to Austria, which holds "
        "Venetia against Italy; obligations vary for them and not for Austria, their one partner "
        "outside their own number.",
    ),
    Limited(
        1350,
        ("offense",),
        {255: (325,)},
        "Triple Alliance, second treaty of 1887 on: Germany alone, and to Italy alone, promises to "
        "fight if Italy takes up arms over North Africa; Austria-Hungary is no party to that.",
    ),
    Limited(
        1355,
        ("defense",),
        {255: (300, 360), 300: (255, 360), 360: (255, 300)},
        "Austro-Romanian treaty of 1883: Germany acceded to the pledge of arms; Italy, in 1888, "
        "without giving or being given one.",
    ),
    Limited(
        2130,
        ("defense",),
        {
            **_all_to((211, 220, 255), 200, 325),
            **{211: (220, 255), 220: (211, 255), 255: ()},
        },
        "Locarno, article 4: the other parties help the one whose frontier is violated between "
        "Germany and Belgium, or Germany and France. Britain and Italy are guarantors and are "
        "guaranteed nothing; Germany, a side of either frontier, is never one of the others.",
    ),
    Limited(
        2130,
        ("nonagg",),
        {211: (255,), 220: (255,), 255: (211, 220)},
        "Locarno, article 2: Germany and Belgium, and Germany and France, will not attack each "
        "other.",
    ),
    Limited(
        2555,
        ("defense",),
        _all_to((630,), 200, 365),
        "Tripartite treaty of 1942: Britain and the Soviet Union defend Iran.",
    ),
    Limited(
        3322,
        ("offense", "neutral"),
        _all_to((666,), 200, 220),
        "Protocol of Sevres of 1956: Britain and France answer to Israel for what follows its "
        "attack on Egypt; Britain tells Israel that it won't help Jordan.",
    ),
    Limited(
        3400,
        ("defense",),
        _all_to((352,), 350, 640),
        "Treaty of Alliance of 1960: Greece and Turkey defend Cyprus.",
    ),
    Limited(
        3405,
        ("defense",),
        _all_to((352,), 200, 350, 640),
        "Treaty of Guarantee of 1960: Britain, Greece and Turkey guarantee Cyprus.",
    ),
)


def exceptions() -> pl.DataFrame:
    """Return what isn't owed: atopid, giver, the receivers that are owed, obligation."""
    rows = [
        (one.atopid, giver, list(receivers), obligation)
        for one in LIMITED
        for giver, receivers in one.owed.items()
        for obligation in one.obligations
    ]
    return pl.DataFrame(
        rows,
        schema={
            "atopid": pl.Int32, "giver": pl.Int32, "owed": pl.List(pl.Int32), "name": pl.String,
        },
        orient="row",
    )  # fmt: skip


def without_exceptions(pledges: pl.DataFrame) -> pl.DataFrame:
    """Set to 0 the obligations that a giver owes to other partners of the pact only.

    Parameters
    ----------
    pledges : polars.DataFrame
        One row a (giver, receiver, pact, phase) with the giver's obligations and its obvary.
        Without a column obvary nothing changes.

    Returns
    -------
    polars.DataFrame
        The same rows in the same order.
    """
    # ASSUME: only where ATOP itself says that a member's obligations vary (obvary 1) is the member
    # file overruled; option pairs.
    if "obvary" not in pledges.columns:
        return pledges
    varied = (pl.col("obvary") == 1) & pl.col("atopid").is_in([one.atopid for one in LIMITED])
    chosen = pledges.with_row_index("at").filter(varied)
    if chosen.is_empty():
        return pledges
    limits = exceptions()
    changes = {}
    for (name,), group in limits.group_by("name", maintain_order=True):
        gone = chosen.join(group, on=["atopid", "giver"]).filter(
            ~pl.col("receiver").is_in(pl.col("owed"))
        )["at"]
        values = pledges[str(name)].to_numpy().copy()
        values[gone.to_numpy()] = 0
        changes[str(name)] = pl.Series(str(name), values, dtype=pledges[str(name)].dtype)
    return pledges.with_columns(**changes)
