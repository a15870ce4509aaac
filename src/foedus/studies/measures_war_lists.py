"""Sizes of wars by several lists: inter-state wars of COW, and all wars of Gleditsch's list.

Gleditsch 2004 expands COW's lists; release 2.1 has inter-state wars and wars within states (and
against parties outside the system), with deaths by state.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.registry import Option
from foedus.models.arrays import FloatArray
from foedus.models.change_points import segment_changes
from foedus.models.tails import fit_power_law
from foedus.sources.tables import Tables
from foedus.studies.measures import MeasureContext, MeasureResult, MeasureRow, measure
from foedus.studies.war_scales import MILLION, Sizes, cow_sizes, world_population

PER = 10.0
"""Deaths a million over deaths a hundred thousand."""

LIST = Option(
    "cow",
    "Which wars. cow: COW 4.0's inter-state wars; gleditsch_interstate: inter-state wars of "
    "Gleditsch's list; gleditsch: all of its wars, within states and inter-state.",
    ("cow", "gleditsch_interstate", "gleditsch"),
)
SCALE = Option(
    "severity",
    "What a war's size is: battle deaths, or battle deaths a million of the world's population in "
    "the year the war began.",
    ("severity", "prevalence"),
)


def gleditsch_wars(tables: Tables) -> pl.DataFrame:
    """Return Gleditsch's wars: warid, warname, cow number, kind, year, deaths, unknown.

    `deaths` sums the known deaths of a war's rows, null where none is known; `unknown` counts the
    rows whose deaths are unknown; `warnum` is COW's number, of inter-state wars that are its too.
    """
    rows = tables.get("gleditsch_wars", "participants")
    return (
        rows.with_columns(
            interstate=pl.col("warid").str.starts_with("EIW"),
            warnum=pl.col("newcow").str.extract(r"^IW-(\d+)$").cast(pl.Int64),
        )
        .group_by("warid", maintain_order=True)
        .agg(
            pl.col("warname").first(),
            pl.col("warnum").first(),
            pl.col("interstate").first(),
            year=pl.col("sdate1").min().dt.year().cast(pl.Int64),
            states=pl.col("statenum").n_unique(),
            deaths=pl.when(pl.col("deaths").is_not_null().any()).then(pl.col("deaths").sum()),
            unknown=pl.col("deaths").is_null().sum(),
        )
        .sort("year", "warid")
    )


def listed_sizes(tables: Tables, which: str, scale: str) -> Sizes:
    """Return the wars of a list with their sizes in order of their onset.

    `unknown` counts those left out: wars without any known deaths, or with none at all (0), which
    have no size in a law of positive sizes.
    """
    if which == "cow":
        return cow_sizes(tables, scale)
    wars = gleditsch_wars(tables)
    if which == "gleditsch_interstate":
        wars = wars.filter("interstate")
    kept = wars.filter(pl.col("deaths") > 0)
    year, deaths = kept["year"].to_numpy(), kept["deaths"].cast(pl.Float64).to_numpy()
    if scale == "prevalence":
        known = {int(one): world_population(tables, int(one)) for one in np.unique(year)}
        deaths = MILLION * deaths / np.array([known[int(one)] for one in year])
    return Sizes(np.arange(kept.height), year, deaths, wars.height - kept.height)


THRESHOLDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)


@measure(
    "war_exceedance",
    says="Of the wars begun before and since a year, the share that killed more than so many of "
    "every 100,000 people in the world, and whether the shares differ.",
    citations=["spagat_vanweezel_2020", "gleditsch_2004"],
    options={
        "list": LIST,
        "last_before": Option(1949, "Last year of the first period.", (1944, 1949)),
    },
    terms=[
        "wars", "wars left out", "thresholds with a difference",
        *(f"{what} above {bound:g}" for bound in THRESHOLDS
          for what in ("share before", "share since", "difference", "p")),
    ],
)  # fmt: skip
def war_exceedance(context: MeasureContext) -> MeasureResult:
    """Compare two shares at each threshold by Fisher's exact test."""
    from scipy import stats

    options = context.options
    wars = listed_sizes(context.tables, options["list"], "prevalence")
    size, late = wars.size / PER, wars.year > options["last_before"]
    rows = [
        MeasureRow("wars", float(size.size), kind="count"),
        MeasureRow("wars left out", float(wars.unknown), kind="count",
                   note="No known deaths, or none at all."),
    ]  # fmt: skip
    found = 0
    shares: dict[str, list[float]] = {"before": [], "since": []}
    for bound in THRESHOLDS:
        above = size > bound
        table = [[int((above & part).sum()), int((~above & part).sum())] for part in (~late, late)]
        p = float(stats.fisher_exact(np.array(table)).pvalue)
        found += p < 0.05
        share = [hits / (hits + rest) for hits, rest in table]
        totals = [sum(line) for line in table]
        error = float(np.sqrt(sum(s * (1 - s) / n for s, n in zip(share, totals, strict=True))))
        gap = share[1] - share[0]
        rows += [
            MeasureRow(f"share before above {bound:g}", share[0], kind="share", n=totals[0],
                       n_events=table[0][0]),
            MeasureRow(f"share since above {bound:g}", share[1], kind="share", n=totals[1],
                       n_events=table[1][0]),
            MeasureRow(f"difference above {bound:g}", gap, std_error=error, p_value=p,
                       ci_low=gap - 1.96 * error, ci_high=gap + 1.96 * error,
                       n=sum(totals), how="two binomials; p of Fisher's test"),
            MeasureRow(f"p above {bound:g}", p, n=sum(totals), how="Fisher's exact test"),
        ]  # fmt: skip
        shares["before"].append(share[0])
        shares["since"].append(share[1])
    rows.append(MeasureRow("thresholds with a difference", float(found), kind="count",
                           n=len(THRESHOLDS)))  # fmt: skip
    plots = {
        "shares": {
            "type": "bars",
            "labels": [f"above {bound:g}" for bound in THRESHOLDS],
            "rebuilt": shares["since"],
            "published": shares["before"],
            "unit": "share",
            "rebuilt_label": f"since {options['last_before'] + 1}",
            "published_label": f"to {options['last_before']}",
            "title": "Share of wars by the dead of every 100,000 people in the world",
        }
    }
    return MeasureResult(rows, plots=plots)


@measure(
    "war_segments",
    says="The years in which the distribution of war sizes changes, by the best split into any "
    "number of segments.",
    citations=["fagan_etal_2020", "haynes_fearnhead_eckley_2017"],
    options={
        "list": LIST,
        "scale": SCALE,
        "penalty": Option(3.0, "Cost of a change, in logs of the number of wars."),
        "least": Option(5, "Fewest wars of a segment."),
        "near": Option([1835, 1910, 1950, 1994], "Years to which the nearest change is told."),
    },
)
def war_segments(context: MeasureContext) -> MeasureResult:
    """List the changes, and the nearest one to each year that is asked for."""
    options = context.options
    wars = listed_sizes(context.tables, options["list"], options["scale"])
    starts = segment_changes(
        wars.size, penalty=options["penalty"] * np.log(wars.size.size), least=options["least"]
    )
    years = wars.year[starts]
    rows = [
        MeasureRow("wars", float(wars.size.size), kind="count"),
        MeasureRow("wars left out", float(wars.unknown), kind="count",
                   note="No known deaths, or none at all."),
        MeasureRow("changes", float(len(years)), kind="count", n=wars.size.size),
    ]  # fmt: skip
    for year in options["near"]:
        term = f"change nearest {year}"
        if not len(years):
            rows.append(MeasureRow(term, None, note="No change is found."))
            continue
        nearest = int(years[np.abs(years - int(year)).argmin()])
        rows.append(MeasureRow(term, float(nearest), n=wars.size.size))
    edges = [0, *starts.tolist(), wars.size.size]
    segments = [_segment(wars, first, last) for first, last in itertools.pairwise(edges)]
    return MeasureResult(rows, tables={"segments": segments})


def _segment(wars: Sizes, first: int, last: int) -> dict[str, Any]:
    part = wars.size[first:last]
    return {
        "from": int(wars.year[first]),
        "to": int(wars.year[last - 1]),
        "wars": last - first,
        "median": float(np.median(part)),
        "largest": float(part.max()),
    }


@measure(
    "war_concentration",
    says="How much of all battle deaths a few wars hold, and how fast wars thin out with size.",
    citations=["richardson_1960", "gleditsch_2004"],
    options={
        "list": LIST,
        "from_year": Option(1816, "Wars that began in this year or later."),
        "to_year": Option(2010, "Wars that began in this year or earlier."),
        "at_least": Option(1000.0, "Deaths from which the tail begins."),
    },
    terms=["wars", "wars left out", "share of deaths in the two largest",
           "share of wars with four fifths of deaths", "alpha above the bound",
           "alpha, own threshold", "own threshold"],
)  # fmt: skip
def war_concentration(context: MeasureContext) -> MeasureResult:
    """Order the wars by size and cumulate."""
    options = context.options
    listed = listed_sizes(context.tables, options["list"], "severity")
    wars = listed.within(options["from_year"], options["to_year"])
    ordered = np.sort(wars.size)[::-1]
    share = np.cumsum(ordered) / ordered.sum()
    holding = int(np.searchsorted(share, 0.8)) + 1
    held = fit_power_law(ordered[ordered >= options["at_least"]], xmin=float(options["at_least"]))
    own = fit_power_law(ordered)
    return MeasureResult([
        MeasureRow("wars", float(ordered.size), kind="count"),
        MeasureRow("wars left out", float(listed.unknown), kind="count",
                   note="No known deaths, or none at all; of the whole list."),
        MeasureRow("share of deaths in the two largest", float(share[1]), kind="share"),
        MeasureRow("share of wars with four fifths of deaths", holding / ordered.size,
                   kind="share", n_events=holding, n=ordered.size),
        MeasureRow("alpha above the bound", held.alpha, std_error=held.std_error, n=held.n_tail,
                   how="likelihood"),
        MeasureRow("alpha, own threshold", own.alpha, std_error=own.std_error, n=own.n_tail,
                   how="likelihood, threshold held"),
        MeasureRow("own threshold", own.xmin, n=ordered.size),
    ])  # fmt: skip


# --- one war, several lists ------------------------------------------------------------------


def deaths_by_list(tables: Tables) -> pl.DataFrame:
    """Return one row a COW inter-state war: its deaths and dates by every list at hand.

    Columns: warnum, warname, year, states, deaths_cow, unknown_cow (rows without deaths),
    zero_cow (participants with none), deaths_gleditsch, unknown_gleditsch, deaths_clauset,
    year_gleditsch, year_clauset, iwd (number of the Interstate War Data's war, which has no deaths)
    and year_iwd.
    """
    rows = tables.get("cow_interstate_wars", "participants")
    cow = (
        rows.group_by("warnum")
        .agg(
            pl.col("warname").first(),
            year=pl.col("start1").min().dt.year().cast(pl.Int64),
            states=pl.col("ccode").n_unique(),
            deaths_cow=pl.when(pl.col("batdeath").is_not_null().any()).then(
                pl.col("batdeath").cast(pl.Int64).sum()
            ),
            unknown_cow=pl.col("batdeath").is_null().sum(),
            zero_cow=(pl.col("batdeath") == 0).sum(),
        )
        .with_columns(pl.col("warnum").cast(pl.Int64))
        .sort("warnum")
    )
    other = (
        gleditsch_wars(tables)
        .filter(pl.col("warnum").is_not_null())
        .group_by("warnum")
        .agg(
            deaths_gleditsch=pl.when(pl.col("deaths").is_not_null().any()).then(
                pl.col("deaths").sum()
            ),
            unknown_gleditsch=pl.col("unknown").sum(),
            year_gleditsch=pl.col("year").min(),
        )
    )
    posted = tables.get("rep_clauset_2018", "wars").select(
        pl.col("warnum").cast(pl.Int64),
        deaths_clauset=pl.col("batdeath").cast(pl.Int64),
        year_clauset=pl.col("year").cast(pl.Int64),
    )
    made = cow.join(other, on="warnum", how="left").join(posted, on="warnum", how="left")
    return made.join(_interstate_war_data(tables, rows), on="warnum", how="left").sort("warnum")


def _interstate_war_data(tables: Tables, cow: pl.DataFrame) -> pl.DataFrame:
    """Match the Interstate War Data's wars to COW's by the states that fight in both at a time.

    The two lists have numbers of their own. A COW war is given the IWD war with which it shares
    the most states that are at war in both on a day, the lower number in a tie.
    """
    rows = tables.get("iwd", "initiation_years")
    sides = [
        rows.select(iwd="larger_war_id", ccode=name, first=pl.col("start1"), last=pl.col("end1"))
        for name in ("init_ccode", "target_ccode")
    ]
    there = pl.concat(sides).drop_nulls().group_by("iwd", "ccode").agg(
        pl.col("first").min(), pl.col("last").max()
    )  # fmt: skip
    here = cow.select("warnum", "ccode", "start1", "end1", "end2").with_columns(
        until=pl.coalesce("end2", "end1", pl.lit(None, pl.Date))
    )
    shared = (
        here.join(there, on="ccode")
        .filter((pl.col("start1") <= pl.col("last")) & (pl.col("until") >= pl.col("first")))
        .group_by("warnum", "iwd")
        .agg(common=pl.col("ccode").n_unique())
        .sort("warnum", "common", "iwd", descending=[False, True, False])
        .unique("warnum", keep="first", maintain_order=True)
    )
    began = there.group_by("iwd").agg(year_iwd=pl.col("first").min().dt.year().cast(pl.Int64))
    return shared.join(began, on="iwd", how="left").select(
        pl.col("warnum").cast(pl.Int64), pl.col("iwd").cast(pl.Int64), "year_iwd"
    )


@measure(
    "war_deaths_reconciled",
    says="Battle deaths and dates of each inter-state war by COW 4.0, Gleditsch's list, Clauset's "
    "posted file and the Interstate War Data, with every disagreement.",
    citations=["sarkees_wayman_2010", "gleditsch_2004", "clauset_2018",
               "reiter_stam_horowitz_2016"],
    options={"tolerance": Option(0.1, "Share by which two numbers may differ and still agree.")},
    terms=["wars", "wars in Gleditsch's list", "wars in Clauset's file",
           "wars in the Interstate War Data", "wars with unknown deaths of a state",
           "wars with a state without deaths", "same deaths in Gleditsch's list",
           "near deaths in Gleditsch's list", "same deaths in Clauset's file",
           "same year in Gleditsch's list", "same year in the Interstate War Data",
           "rank correlation of deaths with Gleditsch's list",
           "wars with a disagreement"],
)  # fmt: skip
def war_deaths_reconciled(context: MeasureContext) -> MeasureResult:
    """Set the lists side by side, count agreement, and list the wars on which they differ."""
    from scipy import stats

    wars = deaths_by_list(context.tables)
    ours, theirs = wars["deaths_cow"], wars["deaths_gleditsch"]
    there, posted, iwd = (
        wars[name].is_not_null() for name in ("year_gleditsch", "deaths_clauset", "iwd")
    )
    near = _near(ours, theirs, float(context.options["tolerance"]))
    same, same_posted = (ours == theirs).fill_null(False), (ours == wars["deaths_clauset"])
    same_year = (wars["year"] == wars["year_gleditsch"]).fill_null(False)
    same_iwd = (wars["year"] == wars["year_iwd"]).fill_null(False)
    both = wars.drop_nulls(["deaths_cow", "deaths_gleditsch"])
    rank = stats.spearmanr(both["deaths_cow"], both["deaths_gleditsch"])
    odd = wars.filter(
        ~(near & same_posted.fill_null(False) & same_year & same_iwd) | (wars["unknown_cow"] > 0)
    )
    counts = {
        "wars": wars.height,
        "wars in Gleditsch's list": int(there.sum()),
        "wars in Clauset's file": int(posted.sum()),
        "wars in the Interstate War Data": int(iwd.sum()),
        "wars with unknown deaths of a state": int((wars["unknown_cow"] > 0).sum()),
        "wars with a state without deaths": int((wars["zero_cow"] > 0).sum()),
        "same deaths in Gleditsch's list": int(same.sum()),
        "near deaths in Gleditsch's list": int(near.sum()),
        "same deaths in Clauset's file": int(same_posted.fill_null(False).sum()),
        "same year in Gleditsch's list": int(same_year.sum()),
        "same year in the Interstate War Data": int(same_iwd.sum()),
        "wars with a disagreement": odd.height,
    }
    rows = [MeasureRow(term, float(value), kind="count") for term, value in counts.items()]
    rows.append(MeasureRow(
        "rank correlation of deaths with Gleditsch's list", float(rank.statistic),
        p_value=float(rank.pvalue), n=both.height,
    ))  # fmt: skip
    lines = odd.with_columns(
        why=pl.struct(odd.columns).map_elements(_why, return_dtype=pl.String)
    ).to_dicts()
    return MeasureResult(rows, tables={"disagreements": lines, "wars": wars.to_dicts()})


def _near(ours: pl.Series, theirs: pl.Series, tolerance: float) -> pl.Series:
    """Say which pairs of numbers are near; one that is unknown isn't."""
    one, other = _floats(ours), _floats(theirs)
    with np.errstate(invalid="ignore"):
        return pl.Series(np.abs(one - other) <= tolerance * np.maximum(one, other))


def _floats(values: pl.Series) -> FloatArray:
    out: NDArray[np.float64] = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return out


def _why(row: dict[str, Any]) -> str:
    """Say in words on what the lists differ about a war."""
    said = []
    if row["unknown_cow"]:
        said.append(f"COW doesn't know the deaths of {row['unknown_cow']} participant(s)")
    if row["deaths_clauset"] is not None and row["deaths_clauset"] != row["deaths_cow"]:
        gap = row["deaths_clauset"] - row["deaths_cow"]
        said.append(f"Clauset's file has {gap:+,} dead")
    if row["year_gleditsch"] is None:
        said.append("not in Gleditsch's list under COW's number")
    elif row["deaths_gleditsch"] is None:
        said.append("Gleditsch's list knows no deaths")
    elif row["deaths_gleditsch"] != row["deaths_cow"]:
        said.append(f"Gleditsch's list has {row['deaths_gleditsch'] - row['deaths_cow']:+,.0f}")
    if row["year_gleditsch"] is not None and row["year_gleditsch"] != row["year"]:
        said.append(f"begins in {row['year_gleditsch']} there")
    if row["iwd"] is None:
        said.append("no war of the Interstate War Data shares its states and days")
    elif row["year_iwd"] != row["year"]:
        said.append(f"part of a war that begins in {row['year_iwd']} in the Interstate War Data")
    return "; ".join(said)
