"""What treaties provide, read off ATOP's codes: one table for alliances, members and dyads.

ATOP (Leeds et al. 2002; codebook of version 5.1) codes each text's provisions by phase and member.
Here each becomes a fact of a member's row: 0 or 1 (or a number), null where ATOP doesn't know the
text. How facts of rows become one of an alliance, a member or a pair is the covariate's business.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Provision:
    """A provision that a treaty has or lacks.

    Attributes
    ----------
    name : str
        Ending of the column's name.
    says : str
        What the treaty provides; completes "1 if ...".
    needs : tuple of str
        ATOP's variables.
    rule : polars expression
        Over a row of the member file: true, false or null (text unknown).
    """

    name: str
    says: str
    needs: tuple[str, ...]
    rule: pl.Expr


def _above(name: str, least: int = 1) -> pl.Expr:
    return pl.col(name) >= least


def _provision(name: str, says: str, variable: str, rule: pl.Expr | None = None) -> Provision:
    needs = tuple(variable.split())
    whole = rule if rule is not None else pl.any_horizontal(_above(each) for each in needs)
    return Provision(name, says, needs, whole)


PROVISIONS = (
    _provision("conditional", "an obligation is limited by conditions", "conditio"),
    _provision("nonprovocation", "support is void for a member that provoked the conflict",
               "defconpr neuconpr"),
    _provision("threat", "it names a threat, a state or a kind of state", "specthrt"),
    _provision("secret", "the whole treaty is secret", "pubsecr", _above("pubsecr", 2)),
    _provision("asymmetric", "members' obligations differ", "asymm"),
    _provision("fixed_term", "it is made for a number of years", "speclgth",
               pl.col("speclgth") == 1),
    _provision("conditional_term", "it lasts until something comes about", "speclgth",
               pl.col("speclgth") == 2),
    _provision("indefinite", "it says that it lasts indefinitely", "speclgth",
               pl.col("speclgth") == 3),
    _provision("renewal", "it provides for its renewal", "proren"),
    _provision("renounce", "it allows a member to renounce it", "renounce",
               pl.col("renounce").is_in([1, 3])),
    _provision("no_renounce", "it forbids members to renounce it", "renounce",
               pl.col("renounce") == 2),
    _provision("settlement", "it provides for mediation or arbitration among members", "medarb"),
    _provision("military_contact", "officials meet in peace or share a defence policy", "milcon",
               _above("milcon", 2)),
    _provision("integrated_command", "it sets up an integrated command", "intcom"),
    _provision("subordination", "forces of one member come under another's command", "subord"),
    _provision("bases", "it provides for bases or troops in another's land", "base"),
    _provision("military_aid", "it promises military aid", "milaid"),
    _provision("contributions", "it fixes contributions of troops, money or material", "contrib"),
    _provision("organization", "it sets up an organization", "organ1"),
    _provision("economic", "it promises economic aid or concessions in trade", "ecaid"),
    _provision("cooperation", "it provides for cooperation other than military", "nomicoop"),
    _provision("territorial", "it provides for gaining, dividing, leaving or restoring territory",
               "terrres acqterr divgains"),
    _provision("armaments", "it sets levels of armament", "armred"),
    _provision("no_separate_peace", "it forbids a separate peace", "seppeace"),
    _provision("exclusive", "it forbids alliances against a member", "noothall"),
    _provision("intervention", "it speaks of intervention in domestic affairs", "interv"),
    _provision("open", "it provides for adding members", "proadd"),
    _provision("league", "it refers to the League of Nations or the United Nations", "reflnun"),
)  # fmt: skip


@dataclass(frozen=True)
class DepthItem:
    """A part of the depth index: levels of an ATOP code, scaled from 0 to 1."""

    says: str
    variable: str
    value: pl.Expr


def _share(name: str, highest: int) -> pl.Expr:
    return pl.col(name).clip(0, highest) / highest


# Alley's (2021) eight items, each scaled to 0-1, in place of the factor scores that he estimates.
DEPTH_ITEMS = (
    DepthItem("contact in peace or a common defence policy", "milcon", _share("milcon", 3)),
    DepthItem("military aid", "milaid", _above("milaid").cast(pl.Float64)),
    DepthItem("bases", "base", _above("base").cast(pl.Float64)),
    DepthItem("an organization: named, meeting, with a bureaucracy", "organ1", _share("organ1", 3)),
    DepthItem("integrated command", "intcom", _above("intcom").cast(pl.Float64)),
    DepthItem("subordination of forces, in war or in peace too", "subord", _share("subord", 2)),
    DepthItem("fixed contributions", "contrib", _above("contrib").cast(pl.Float64)),
    DepthItem("a companion military agreement", "compag", (pl.col("compag") == 1).cast(pl.Float64)),
)


def depth_index() -> pl.Expr:
    """Return the mean of the eight items of a member's row; null where one is unknown."""
    items = [item.value for item in DEPTH_ITEMS]
    total = items[0]
    for item in items[1:]:
        total = total + item
    return total / len(items)


def institution() -> pl.Expr:
    """Return Leeds & Anac's level of military institutionalization of a member row, 0 to 2."""
    high = (pl.col("milcon") == 3) | (pl.col("intcom") == 1) | (pl.col("base") > 0)
    moderate = (
        (pl.col("milcon") == 2)
        | pl.col("milaid").is_in([3, 4])
        | (pl.col("subord") > 0)
        | (pl.col("contrib") == 1)
        | pl.col("orgpurp1").is_in([1, 4])
        | pl.col("orgpurp2").is_in([1, 4])
    )
    return pl.when(high).then(2).when(high.is_null()).then(None).otherwise(
        pl.when(moderate).then(1).when(moderate.is_null()).then(None).otherwise(0)
    )  # fmt: skip


def formality() -> pl.Expr:
    """Return Leeds & Anac's formality of a member row, 0 to 2."""
    public = (pl.col("estmode") == 1) & (pl.col("pubsecr") != 2)
    organized = pl.col("organ1").is_in([2, 3]) | pl.col("organ2").is_in([2, 3])
    return public.cast(pl.Int8) + organized.cast(pl.Int8)
