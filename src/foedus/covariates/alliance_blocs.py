"""How the system splits into blocs, and how much of it alliances take in, by year and region."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.alliance_facts import members_of
from foedus.covariates.alliance_network import GROUPS, Labels, by_first, communities, components
from foedus.covariates.alliance_pledges import majors_cube
from foedus.covariates.alliance_ties import TIE_OPTIONS, each_year_of_ties
from foedus.covariates.atop import OBLIGATIONS
from foedus.covariates.context import Context
from foedus.covariates.nmc import RELEASE as NMC_RELEASE
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.similarity import agreement, portfolio_cube, tau_b_of
from foedus.covariates.system_facts import concentration
from foedus.covariates.values import Rows, StateYears, Values
from foedus.panels.alliance_units import allied_pairs, pair_years
from foedus.panels.regions import regions_of

UNIT = "system-year"
Floats = NDArray[np.float64]


def _row(name: str, says: str, unit: str, kind: str = "number") -> ColumnSpec:
    absent = "zero" if kind == "count" else "missing"
    return ColumnSpec(name, kind, says, unit=unit, level="row", absent=absent)  # type: ignore[arg-type]


@covariate(
    name="system_pacts",
    title="How much of the system a class of pacts takes in (Singer & Small)",
    columns=[
        _row("system_tied_states", "Share of states with a tie.", "share of states, 0-1"),
        _row("system_tied_majors", "Share of COW major powers with a tie.",
             "share of majors, 0-1"),
        _row("system_majors_tied_together", "Share of pairs of major powers that are tied.",
             "share of dyads, 0-1"),
        _row("system_tied_cinc", "Share of the states' summed CINC that states with a tie hold.",
             "share, 0-1"),
        _row("system_mean_partners", "Mean number of partners of a state.", "states"),
        _row("system_pacts", "ATOP pacts in force in which a member owes the obligation of the "
             "tie.", "alliances", "count"),
        _row("system_pacts_begun", "Such pacts that stand in the year and in no year before.",
             "alliances", "count"),
        _row("system_mean_pacts", "Mean number of such pacts that a state of the system is in.",
             "alliances"),
    ],
    sources=["atop", "cow_states", "cow_nmc"],
    citations=["singer_small_1968", "leeds_etal_2002", "singer_etal_1972"],
    options=TIE_OPTIONS,
    units=(UNIT,),
    coverage_of=("atop", "cow_states"),
    examples=[
        Example(
            "In 1900 nine of 42 states have a defence pact, and all major powers but the United "
            "States and Japan.",
            {"year": 1900},
            {"system_tied_states": 9 / 42, "system_mean_partners": 16 / 42,
             "system_tied_majors": 6 / 8, "system_pacts": 6},
            unit=UNIT,
        ),
    ],
)  # fmt: skip
def system_pacts(context: Context) -> dict[str, Values]:
    """Make alliance aggregation by the obligation under option tie.

    Singer & Small (1968) take the percentage of nations, and of major powers, in any alliance and
    in defence pacts, of COW's classes and of the central system; here the obligations are ATOP's
    and the system is the whole one.
    """
    years = context.spine.keys["year"].astype(np.int64)
    made = {name: np.full(len(years), np.nan) for name in _AGGREGATES}
    cinc, major = capability_cube(context, "cinc"), majors_cube(context)
    first, last = context.tables.coverage("cow_nmc")
    for row, year in enumerate(each_year_of_ties(context)):
        allied = np.asarray(year.tied.any(axis=1))
        power = cinc[year.members, year.at]
        top = major[year.members, year.at]
        made["system_tied_states"][row] = allied.mean()
        made["system_mean_partners"][row] = year.tied.sum() / len(allied)
        if top.any():
            made["system_tied_majors"][row] = allied[top].mean()
        if top.sum() > 1:
            among = year.tied[np.ix_(top, top)]
            made["system_majors_tied_together"][row] = among.sum() / (len(among) * (len(among) - 1))
        if first <= years[row] <= last:
            # ASSUME: a state without CINC weighs nothing, in the blocs as in the system.
            made["system_tied_cinc"][row] = np.nansum(power[allied]) / np.nansum(power)
    pacts, begun, each = _pacts(context)
    states = context.system.member[:, years - context.system.first_year].sum(axis=0)
    made["system_mean_pacts"] = each / states
    columns: dict[str, Values] = {name: Rows(values) for name, values in made.items()}
    return columns | {"system_pacts": Rows(pacts), "system_pacts_begun": Rows(begun)}


_AGGREGATES = ("system_tied_states", "system_tied_majors", "system_majors_tied_together",
               "system_tied_cinc", "system_mean_partners")  # fmt: skip


def _pacts(context: Context) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats]:
    """Return by year: pacts with the obligation, those new in it, and memberships in them."""
    first, last = (int(each) for each in context.spine.years)
    tie = context.options["tie"]
    owed = OBLIGATIONS.values() if tie == "any" else [OBLIGATIONS[tie]]
    members = members_of(context)
    if context.options["secret"] == "exclude":
        members = members.filter(pl.col("pubsecr").fill_null(0) != 2)
    members = members.filter(
        pl.any_horizontal(pl.col(name) == 1 for name in owed).any().over("atopid", "phase")
    )
    pairs = allied_pairs(members.select("atopid", "phase", "member", "start", "end"))
    pair, year = pair_years(pairs, (0, last))
    standing = pairs.select("atopid", "giver")[pair].with_columns(year=pl.Series(year)).unique()
    by_pact = standing.select("atopid", "year").unique()
    begun = by_pact.group_by("atopid").agg(pl.col("year").min())
    inside = standing.filter(
        pl.Series(_in_system(context, standing["giver"].to_numpy(), standing["year"].to_numpy()))
    )
    counted = []
    for frame in (by_pact, begun, inside):
        at = frame["year"].to_numpy() - first
        at = at[(at >= 0) & (at <= last - first)]
        counted.append(np.bincount(at, minlength=last - first + 1))
    return counted[0].astype(np.int32), counted[1].astype(np.int32), counted[2].astype(np.float64)


def _in_system(
    context: Context, ccode: NDArray[np.int64], year: NDArray[np.int64]
) -> NDArray[np.bool_]:
    state, at = context.system.index(ccode), year - context.system.first_year
    known = (state >= 0) & (at >= 0) & (at < context.system.n_years)
    inside = np.zeros(len(state), dtype=bool)
    inside[known] = context.system.member[state[known], at[known]]
    return inside


@covariate(
    name="region_pacts",
    title="How much of a state's region a class of pacts takes in",
    columns=[
        ColumnSpec("region_tied_states", "number", "Share of the states of its region that have a "
                   "tie.", unit="share of states, 0-1", level="state", absent="missing"),
        ColumnSpec("region_density", "number", "Share of pairs of states of its region that are "
                   "tied; missing for a region of one state.", unit="share of dyads, 0-1",
                   level="state", absent="missing"),
        ColumnSpec("region_states", "count", "States in its region.", unit="states",
                   level="state"),
    ],
    sources=["atop", "cow_states"],
    citations=["singer_small_1968", "leeds_etal_2002"],
    options=TIE_OPTIONS,
    coverage_of=("atop", "cow_states"),
    examples=[
        Example(
            "In 1949 all states of the Americas have a defence pact: Rio's, and Canada NATO.",
            {"ccode": 140, "year": 1949},
            {"region_tied_states": 1.0, "region_states": 22},
            unit="state-year",
        ),
    ],
)  # fmt: skip
def region_pacts(context: Context) -> dict[str, Values]:
    """Make aggregation over the states of the COW region: the number's hundreds make the region.

    Singer & Small's (1968) percentages for the region: the Americas (to 199), Europe (200-399),
    Africa (400-599), the Middle East with North Africa (600-699), Asia with Oceania (700 on). Ties
    may lead out of the region in the first column.
    """
    system = context.system
    shape = (system.n_states, system.n_years)
    share, density = np.full(shape, np.nan), np.full(shape, np.nan)
    count = np.full(shape, np.iinfo(np.int16).min, np.int16)
    region = regions_of(system.ccodes)
    for year in each_year_of_ties(context):
        allied = np.asarray(year.tied.any(axis=1))
        for each in np.unique(region[year.members]):
            inside = region[year.members] == each
            who, n = year.members[inside], int(inside.sum())
            share[who, year.at] = allied[inside].mean()
            count[who, year.at] = n
            if n > 1:
                density[who, year.at] = year.tied[np.ix_(inside, inside)].sum() / (n * (n - 1))
    return {
        "region_tied_states": StateYears(share),
        "region_density": StateYears(density),
        "region_states": StateYears(count),
    }


BLOCS = Option(
    "communities",
    "What a bloc is: a community of the network, or a component (all that ties connect).",
    ("communities", "components"),
)


def linkage_clusters(tau: Floats) -> Labels:
    """Return clusters by elementary linkage: each state with the state that it is most like.

    McQuitty's typal analysis, which Bueno de Mesquita used: every state is linked to the one with
    which it has the highest tau-b, and a cluster is what links connect. A state whose highest score
    is not above 0, or is unknown, is linked to none. Of several equal ones the first counts.
    """
    n = len(tau)
    scores = np.nan_to_num(tau, nan=-2.0)
    np.fill_diagonal(scores, -2.0)
    linked = np.zeros((n, n), dtype=bool)
    if n > 1:
        nearest = scores.argmax(axis=1)
        likes = scores[np.arange(n), nearest] > 0
        linked[np.flatnonzero(likes), nearest[likes]] = True
    return components(linked | linked.T)


def tightness(tau: Floats, label: Labels) -> tuple[float, float]:
    """Return the mean tau-b within clusters and between them; NaN without such a pair."""
    upper = np.triu_indices(len(tau), 1)
    scores, same = tau[upper], (label[:, None] == label[None, :])[upper]
    known = ~np.isnan(scores)
    within, between = scores[same & known], scores[~same & known]
    return (
        float(within.mean()) if len(within) else np.nan,
        float(between.mean()) if len(between) else np.nan,
    )


def esteban_ray(size: Floats, alpha: float) -> float:
    """Return Esteban & Ray's polarization of groups at equal distance: 1 for two equal groups.

    P = K sum_i sum_j s_i^(1 + alpha) s_j over pairs i != j of groups, s their shares.
    """
    share = size / size.sum()
    raw = (share ** (1 + alpha) * (1 - share)).sum()
    return float(2 ** (1 + alpha) * raw)


_BLOC_COLUMNS = {
    "bloc_largest": "Share of the system that the largest bloc holds.",
    "bloc_second": "Share that the second largest bloc holds; 0 without a second.",
    "bloc_two": "Share that the two largest blocs hold together.",
    "bloc_parity": "The second largest bloc's share over the largest's.",
    "bloc_esteban_ray": "Esteban & Ray's polarization of blocs, states without a tie being blocs "
    "of one; 1 for two equal blocs.",
    "bloc_polarity": "Effective number of blocs: 1 over the sum of squared shares, states without "
    "a tie being blocs of one.",
}


@covariate(
    name="system_blocs",
    title="Polarization of the system into blocs of alliance",
    columns=[
        *(
            _row(name, says, "blocs" if name == "bloc_polarity" else
                 "ratio, 0-1" if name == "bloc_parity" else "index, 0-1")
            for name, says in _BLOC_COLUMNS.items()
        ),
        _row("tau_clusters", "Clusters of two or more by elementary linkage of tau-b scores.",
             "clusters", "count"),
        _row("tau_tightness", "Mean tau-b within clusters.", "score, -1 to 1"),
        _row("tau_discreteness", "Mean tau-b between clusters, reversed: the higher, the further "
             "apart.", "score, -1 to 1"),
    ],
    sources=["atop", "cow_states", "cow_nmc"],
    citations=["bueno_de_mesquita_1975", "bueno_de_mesquita_1978", "esteban_ray_1994",
               "leeds_etal_2002", "singer_etal_1972"],
    options={
        **TIE_OPTIONS,
        "blocs": BLOCS,
        "groups": GROUPS,
        "weight": Option("states", "What a bloc's share is of: states, or their summed CINC.",
                         ("states", "cinc")),
        "among": Option("states", "Whose tau-b scores are clustered: all states' or major powers'.",
                        ("states", "majors")),
        "alpha": Option(1.3, "Esteban & Ray's sensitivity to identification, 0 to 1.6.", least=0,
                        most=1.6),
    },
    units=(UNIT,),
    coverage_of=("atop", "cow_states"),
    examples=[
        Example(
            "In 1900 the largest component is four of 42 states, the second three.",
            {"year": 1900},
            {"bloc_largest": 4 / 42, "bloc_second": 3 / 42, "bloc_two": 7 / 42,
             "bloc_parity": 0.75},
            unit=UNIT,
            options={"blocs": "components"},
        ),
    ],
)  # fmt: skip
def system_blocs(context: Context) -> dict[str, Values]:
    """Make several published measures of polarization, so that none has to be trusted alone.

    Bueno de Mesquita (1975, 1978) clusters states by tau-b of their portfolios and measures how
    tight the clusters are, and how far apart; his clusters come from typal analysis, here
    elementary linkage on our portfolios (see `similarity`). Esteban & Ray's (1994) index is on
    group sizes with every two groups equally far apart. Shares of the largest two blocs are the
    plain form of what most studies of bipolarity mean. The number of COW major powers and
    the concentration of their capabilities are in `system_states`, `system_power` and
    `system_polarity`.
    """
    years = context.spine.keys["year"].astype(np.int64)
    names = [*_BLOC_COLUMNS, "tau_tightness", "tau_discreteness"]
    made = {name: np.full(len(years), np.nan) for name in names}
    clusters = np.zeros(len(years), np.int32)
    options = context.options
    cinc, major = capability_cube(context, "cinc"), majors_cube(context)
    treaty = tuple(options[name] for name in ("release", "secret", "pairs"))
    level = context.shared(("portfolio", "ladder", *treaty), lambda: portfolio_cube(context))
    first, last = context.tables.coverage("cow_nmc")
    for row, year in enumerate(each_year_of_ties(context)):
        powers = np.nan_to_num(cinc[year.members, year.at])
        by_states = options["weight"] == "states"
        if by_states or (first <= years[row] <= last and powers.sum() > 0):
            weight = np.ones(len(powers)) if by_states else powers
            for name, value in _bloc_shares(year.tied, weight, options).items():
                made[name][row] = value
        portfolio = level[:, :, year.at][np.ix_(year.members, year.members)]
        tau = tau_b_of(agreement(portfolio, int(level.max())))
        if options["among"] == "majors":
            top = major[year.members, year.at]
            tau = tau[np.ix_(top, top)]
        label = linkage_clusters(tau)
        sizes = np.unique(label, return_counts=True)[1]
        clusters[row] = int((sizes > 1).sum())
        within, between = tightness(tau, label)
        made["tau_tightness"][row], made["tau_discreteness"][row] = within, -between
    columns: dict[str, Values] = {name: Rows(values) for name, values in made.items()}
    return columns | {"tau_clusters": Rows(clusters)}


def _bloc_shares(
    tied: NDArray[np.bool_], weight: Floats, options: dict[str, object]
) -> dict[str, float]:
    """Return the measures on bloc sizes of one year."""
    label = (
        components(tied)
        if options["blocs"] == "components"
        else communities(tied, str(options["groups"]))
    )
    _, place = np.unique(by_first(label), return_inverse=True)
    share = np.bincount(place, weight) / weight.sum()
    states = np.bincount(place)
    blocs = np.sort(share[states > 1])[::-1]
    largest = float(blocs[0]) if len(blocs) else 0.0
    second = float(blocs[1]) if len(blocs) > 1 else 0.0
    alpha = options["alpha"]
    assert isinstance(alpha, int | float)
    return {
        "bloc_largest": largest,
        "bloc_second": second,
        "bloc_two": largest + second,
        "bloc_parity": second / largest if largest else np.nan,
        "bloc_esteban_ray": esteban_ray(share, float(alpha)),
        "bloc_polarity": float(1 / (share**2).sum()),
    }


@covariate(
    name="system_polarity",
    title="Polarity: how capabilities are spread, and how fast that changes",
    columns=[
        _row("system_herfindahl", "Sum of squared shares of the group's CINC.", "index, 0-1"),
        _row("system_effective_powers", "1 over the sum of squared shares.", "states"),
        _row("system_poles", "States with at least half (option share) of the largest CINC.",
             "states"),
        _row("system_second_share", "The second largest CINC over the largest.", "ratio, 0-1"),
        _row("system_con_change", "CON of the year less CON `lag` years before.",
             "index, -1 to 1"),
        _row("system_move", "MOVE: share of capabilities that changed hands in the group over "
             "`lag` years.", "index, 0-1"),
    ],
    sources=["cow_nmc", "cow_states"],
    citations=["singer_etal_1972", "ray_singer_1973"],
    options={
        "release": NMC_RELEASE,
        "among": Option("majors", "Over whose capabilities: COW's major powers' or all states'.",
                        ("majors", "states")),
        "share": Option(0.5, "Share of the largest CINC from which a state is a pole.", least=0.01,
                        most=1),
        "lag": Option(5, "Years over which change is measured.", least=1),
    },
    units=(UNIT,),
    coverage_of=("cow_nmc",),
    examples=[
        Example(
            "After Waterloo Britain stands alone at 0.337, with Russia at half of that and less.",
            {"year": 1816},
            {"system_poles": 1.0, "system_con_change": None, "system_move": None},
            unit=UNIT,
        ),
    ],
)  # fmt: skip
def system_polarity(context: Context) -> dict[str, Values]:
    """Make indices of the spread of capabilities and its change (Singer, Bremer & Stuckey 1972).

    CON is in `system_power`; its change and MOVE are over `lag` years, as theirs are over five.
    MOVE = sum |s_t - s_t-lag| / (2 (1 - the smallest s_t)), over the states in the group in either
    year; a state outside it holds no share. Theirs leaves out the years around a change of the
    group; here those count as what they are, a movement.
    """
    years = context.spine.keys["year"].astype(np.int64)
    system, options = context.system, context.options
    cinc = capability_cube(context, "cinc", options["release"])
    group = system.member if options["among"] == "states" else system.member & majors_cube(context)
    known = ~(group & np.isnan(cinc)).any(axis=0)
    held = np.where(group, np.nan_to_num(cinc), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = held / held.sum(axis=0)
    shares[:, ~known] = np.nan
    everyone = np.where(system.member, np.nan_to_num(cinc), 0.0)
    everyone[:, np.isnan(np.where(system.member, cinc, np.nan)).all(axis=0)] = np.nan
    top = np.sort(everyone, axis=0)
    at = years - system.first_year
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = (shares**2).sum(axis=0)
        poles = (everyone >= options["share"] * top[-1]).sum(axis=0).astype(np.float64)
        poles[np.isnan(top[-1])] = np.nan
        made = {
            "system_herfindahl": squares[at],
            "system_effective_powers": 1 / squares[at],
            "system_poles": poles[at],
            "system_second_share": (top[-2] / top[-1])[at],
        }
    con = concentration(cinc, group)
    made["system_con_change"] = np.full(len(at), np.nan)
    later = at >= options["lag"]
    made["system_con_change"][later] = con[at[later]] - con[at[later] - options["lag"]]
    made["system_move"] = _movement(shares, group, at, options["lag"])
    return {name: Rows(np.asarray(values, np.float64)) for name, values in made.items()}


def _movement(
    shares: Floats, group: NDArray[np.bool_], at: NDArray[np.int64], lag: int
) -> Floats:  # fmt: skip
    made = np.full(len(at), np.nan)
    for row in np.flatnonzero(at >= lag):
        now, before = shares[:, at[row]], shares[:, at[row] - lag]
        inside = group[:, at[row]]
        room = 2 * (1 - now[inside].min()) if inside.any() else 0.0
        if room > 0:
            made[row] = np.abs(now - before).sum() / room
    return made
