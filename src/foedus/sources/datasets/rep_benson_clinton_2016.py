"""Benson and Clinton's scores of alliances, with the treaty provisions they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from foedus.sources.columns import described
from foedus.sources.reading import ROW, read_delimited
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, typed

ROW_NAMES = "rowname"
_SHARES = """
macowe|the authors' coding macowe of a treaty provision, explained in the article
maconc|the authors' coding maconc of a treaty provision, explained in the article
maconp|the authors' coding maconp of a treaty provision, explained in the article
nmacowe|the authors' coding nmacowe of a treaty provision, explained in the article
nmaconc|the authors' coding nmaconc of a treaty provision, explained in the article
nmaconp|the authors' coding nmaconp of a treaty provision, explained in the article
nmaroir|the authors' coding nmaroir of a treaty provision, explained in the article
condother|other conditions
speclength|the treaty fixes its length
condlength|the length is conditional
milcontact|military contact
"""
_FLAGS = """
renounceok|1: the treaty may be renounced
renounceproh|1: renouncing is forbidden
renouncecond|1: renouncing is conditional
commondef|1: common defence
"""
_TYPES = """
compel|1: compellent promise
prob|1: probabilistic promise
deter|1: deterrent promise
deterministic|1: deterministic promise
unconditional|1: unconditional promise
"""

COLUMNS = (
    Column(ROW_NAMES, "int32", "Row number in the authors' original file", low=1,
           required=True, keep=False),
    Column("atopid", "int32", "ATOP alliance number", low=1000, high=9999, required=True),
    Column("polity", "float64", "Difference of the members' polity scores, scaled by the authors",
           low=0, high=10, required=True),
    Column("s_wt_glo", "float64", "Global S score of the members, weighted", low=-1, high=1,
           required=True),
    Column("maxmajpow", "int8", "1: a member is a major power", required=True),
    *described(
        """
consultatop|1: consultation
nagatop|1: non-aggression
neutatop|1: neutrality
defenseatop|1: defence
offenseatop|1: offence
secrecy|1: secret in part or whole
conditio|1: some obligation is conditional
intcom|1: integrated command
""",
        required=True,
    ),
    Column("base", "int8", "Bases", required=True),
    Column("contrib", "int8", "1: fixed contributions", required=True),
    Column("ecaid", "int8", "1: economic aid", required=True),
    Column("milaid", "int8", "Military aid", required=True),
    Column("organ1", "int8", "Organizations", required=True),
    Column("specthrt", "int8", "1: a threat is named", required=True),
    *described(_SHARES, "float64", low=0, high=1, required=True),
    *described(_FLAGS, required=True),
    Column("lallycount", "float64", "Logarithm of the number of members", low=0, high=10,
           unit="log states", required=True),
    Column("lsumcap", "float64", "Logarithm of the members' summed capabilities", low=-20, high=20,
           unit="log", required=True),
    Column("ldistance", "float64", "Logarithm of the members' distance", low=0, high=20,
           unit="log", required=True),
    *described(_TYPES, required=True),
    Column("capacity_score", "float64", "Score of potential military capacity",
           "PotMilCapacity.score", low=-10, high=10, required=True),
    Column("depth_score", "float64", "Score of depth", "Depth.score", low=-10, high=10,
           required=True),
    Column("scope_score", "float64", "Score of scope", "Scope.score", low=-10, high=10,
           required=True),
    Column("indx", "int32", "Row number", low=1, required=True),
)  # fmt: skip


@source("rep_benson_clinton_2016", tables={"alliances": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the authors' file, whose first column (R's row names) has no header."""
    raw = read_delimited(files["benson-clinton-scores.csv"], facts)
    header = tuple(name or ROW_NAMES for name in raw.header)
    named = raw.frame.rename(dict(zip(raw.frame.columns, (ROW, *header), strict=True)))
    raw = replace(raw, header=header, frame=named)
    return {"alliances": Rows(typed(raw, COLUMNS, facts), raw)}
