"""DiGiuseppe and Poast's state-years: spending, threats, and allies by regime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import described, state, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

_WHO = {
    "": "any state",
    "_dem": "a democracy",
    "_nodem": "a non-democracy",
    "_MP": "a major power",
    "_demMP": "a democratic major power",
    "_nodemMP": "a non-democratic major power",
    "_MinP": "a minor power",
    "_demMinP": "a democratic minor power",
    "_nodemMinP": "a non-democratic minor power",
    "_dembi": "a democracy, by a bilateral treaty",
    "_nodembi": "a non-democracy, by a bilateral treaty",
    "_demmulti": "a democracy, by a multilateral treaty",
    "_nodemmulti": "a non-democracy, by a multilateral treaty",
}
_PACTS = {
    "defense": "a defence pact",
    "atopally": "an ATOP alliance of any kind",
    "offense": "an offence pact",
    "neutral": "a neutrality pact",
    "nonagg": "a non-aggression pact",
    "consul": "a consultation pact",
}


def _pacts() -> tuple[Column, ...]:
    lines = [
        f"{pact}{who}|1: {says} with {whom}"
        for pact, says in _PACTS.items()
        for who, whom in _WHO.items()
        if pact == "defense" or who in ("", "_dem", "_nodem")
    ]
    lines += [
        f"{power}{pact}|1: {says} with {whom}"
        for pact, says in _PACTS.items()
        for power, whom in (("US", "the United States"), ("USSR", "the Soviet Union"))
    ]
    lines += [
        f"{kind}{pact}_form|1: {_PACTS[pact]} is formed in the year{whom}"
        for pact in ("defense", "atopally")
        for kind, whom in (("", ""), ("dem_", " with a democracy"), ("nodem_", " with another"))
    ]
    return described("\n".join(lines))


_FLAGS = """
majpow1|1: a major power
asymm|1: an alliance with unlike obligations
pure_consul|1: consultation pacts only
pure_consul_dem|1: consultation pacts only, with a democracy
pure_consul_nodem|1: consultation pacts only, with a non-democracy
nato|1: member of NATO
bilateral|1: a bilateral alliance
multilateral|1: a multilateral alliance
atwar|1: at war with another state
civilwar|1: civil war
coldwar|1: year of the Cold War
def_form|1: a defence pact is formed
arableauge|1: member of the Arab League
warsaw|1: member of the Warsaw Pact
_defense2|1: a second marker of a defence pact
dem_NONNATO|1: a defence pact with a democracy outside NATO
nondem_NONNATO|1: a defence pact with a non-democracy outside NATO
predemalliance|1: year before an alliance with a democracy
prenondemalliance|1: year before an alliance with a non-democracy
defense_dem1|1: a defence pact with a democracy in the year before
defense_nodem1|1: a defence pact with a non-democracy in the year before
"""
_COUNTS = """
rivalry|Number of rivals
defense_dem_cnt|Number of democratic defence allies
defense_nodem_cnt|Number of other defence allies
milcoor|Military coordination of the alliances, 0 to 3
dem_neighbor|Number of democratic neighbours
nondem_neighbor|Number of other neighbours
"""
_AMOUNTS = """
cap_1|Share of the system's capabilities (CINC)
defense_capsum|Summed capabilities of the defence allies
defense_capsum_dem|Summed capabilities of the democratic defence allies
defense_capsum_nodem|Summed capabilities of the other defence allies
defense_milsum|Summed military spending of the defence allies
defense_milsum_dem|Summed military spending of the democratic defence allies
defense_milsum_nodem|Summed military spending of the other defence allies
atopally_capsum|Summed capabilities of the allies
atopally_milsum|Summed military spending of the allies
rivalcap|Summed capabilities of the rivals
rivalmil|Summed military spending of the rivals
defense_MILEX_dem|Spending of the democratic defence allies
defense_MILEX_nodem|Spending of the other defence allies
defense_MILEXnoUS_dem|Spending of the democratic defence allies but the United States
defense_MILEXnoNATO_dem|Spending of the democratic defence allies outside NATO
lnrivalmil|Logarithm of rivalmil
PN6|Probability of conflict with neighbours, as the authors name it (PN6)
LNRGDP|Logarithm of GDP
LNFOES|Logarithm of the foes' spending
LNFRIENDS|Logarithm of the friends' spending
CWPRBCOW|Probability of civil war
lnrivalcap|Logarithm of rivalcap
lnUSmil|Logarithm of the spending of the United States, for its allies
lnUSSRmil|Logarithm of the spending of the Soviet Union, for its allies
natomil|Spending of NATO, for its members
NATOmil|Spending of NATO, 0 for other states
lnNATOmil|Logarithm of NATOmil
LNdefense_capsum_nodem|Logarithm of defense_capsum_nodem
LNdefense_capsum_dem|Logarithm of defense_capsum_dem
LNdefense_MILEX_dem|Logarithm of defense_MILEX_dem
LNdefense_MILEX_nodem|Logarithm of defense_MILEX_nodem
LNdefense_MILEXnoUS_dem|Logarithm of defense_MILEXnoUS_dem
LNdefense_MILEXnoNATO_dem|Logarithm of defense_MILEXnoNATO_dem
defense_capsum1|defense_capsum of the year before
MILGDP|Military spending over GDP
threatenv|Summed capabilities of the states that may threaten
"""
_SCORES = """
LMILEX|Logarithm of military spending
LMILEX1|Logarithm of military spending of the year before
LMILGDP|Logarithm of MILGDP
polity_neighbor_weight|Mean polity score of the neighbours, weighted
polity_neighbor|Mean polity score of the neighbours
"""

COLUMNS = (
    state("ccode", "COW state number", required=False),
    year(),
    state("gwno", "Gleditsch-Ward state number", required=False),
    Column("DEMOC", "int8", "Polity score", low=-10, high=10),
    *_pacts(),
    *described(_FLAGS),
    *described(_COUNTS, "int16", low=0, high=200),
    *described(_AMOUNTS, "float64", low=0),
    *described(_SCORES, "float64", low=-20, high=20),
)


@source("rep_digiuseppe_poast_2016", tables={"state_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the authors' file."""
    return {"state_years": read_table(files, facts, "dg-poast2016.csv", COLUMNS)}
