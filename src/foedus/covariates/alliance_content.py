"""What an alliance holds: obligations, members, form, secrecy, institutions, beginning and end."""

from __future__ import annotations

import numpy as np
import polars as pl

from foedus.covariates.alliance_facts import ALLIANCE_UNITS, member_years, members_of, on_rows
from foedus.covariates.alliance_provisions import formality, institution
from foedus.covariates.atop import OBLIGATIONS, RELEASE, WORDS
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import Values

_WHEN = "in the year (of an alliance: in its first year)"
# ATOP term 2: ended by a violation of its provisions (1: fulfilled or run out, 3: renegotiated).
_VIOLATED = 2


@covariate(
    name="alliance_content",
    title="An alliance's obligations, members and form",
    columns=[
        *(
            ColumnSpec(f"alliance_{name}", "flag", f"1 if any member owes another {word} {_WHEN} "
                       f"(ATOP {OBLIGATIONS[name]}).", level="row")
            for name, word in WORDS.items()
        ),
        ColumnSpec("alliance_members", "count", f"Members on any day {_WHEN}, those outside the "
                   "COW system included.", unit="states", level="row"),
        ColumnSpec("alliance_bilateral", "flag", "1 if the alliance has two members (ATOP bilat).",
                   level="row", absent="missing"),
        ColumnSpec("alliance_wartime", "flag", "1 if formed while members were at war (ATOP "
                   "wartime).", level="row", absent="missing"),
        ColumnSpec("alliance_secrecy", "category", f"0 public, 1 some articles secret, 2 all of it "
                   f"secret {_WHEN} (ATOP pubsecr).", unit="code 0-2", level="row",
                   absent="missing",
                   labels={0: "public", 1: "secret articles", 2: "wholly secret"}),
        ColumnSpec("alliance_asymmetric", "flag", f"1 if members' obligations differ {_WHEN} "
                   "(ATOP asymm).", level="row", absent="missing"),
    ],
    sources=["atop"],
    citations=["leeds_etal_2002"],
    options={"release": RELEASE},
    units=ALLIANCE_UNITS,
    examples=[
        Example(
            "NATO at its birth: twelve members, a public defence pact.",
            {"atopid": 3180},
            {"alliance_defense": 1, "alliance_offense": 0, "alliance_members": 12,
             "alliance_bilateral": 0, "alliance_wartime": 0, "alliance_secrecy": 0},
            unit="alliance",
        ),
        Example(
            "NATO in 1990: sixteen, and unified Germany besides West Germany.",
            {"atopid": 3180, "year": 1990},
            {"alliance_members": 17},
            unit="alliance-year",
        ),
        Example(
            "The Dual Alliance of 1879: bilateral and secret.",
            {"atopid": 1335},
            {"alliance_bilateral": 1, "alliance_defense": 1, "alliance_secrecy": 2},
            unit="alliance",
        ),
    ],
)  # fmt: skip
def alliance_content(context: Context) -> dict[str, Values]:
    """Make the columns of `alliance_content` from the member rows that stand in the year."""
    # ASSUME: in a year with two phases an alliance has whatever either phase has.
    codes = {
        "alliance_bilateral": "bilat",
        "alliance_wartime": "wartime",
        "alliance_secrecy": "pubsecr",
        "alliance_asymmetric": "asymm",
    }
    flags = {f"alliance_{name}": column for name, column in OBLIGATIONS.items()}
    facts = (
        member_years(context)
        .group_by("atopid", "year")
        .agg(
            *(pl.col(column).max().alias(name) for name, column in {**flags, **codes}.items()),
            alliance_members=pl.col("member").n_unique(),
        )
    )
    kinds: dict[str, type] = dict.fromkeys([*flags, *codes], np.int8)
    return on_rows(context, facts, ("atopid", "year"), {**kinds, "alliance_members": np.int32})


@covariate(
    name="alliance_course",
    title="When and how an alliance began and ended",
    columns=[
        ColumnSpec("alliance_begun", "integer", "Year in which the first members entered it.",
                   unit="year", level="row", absent="missing"),
        ColumnSpec("alliance_ended", "integer", "Year in which the last members left it; missing "
                   "if it is in force when ATOP's coverage ends.", unit="year", level="row",
                   absent="missing"),
        ColumnSpec("alliance_age", "count", "Years since the first members entered it; 0 in the "
                   "first year.", unit="years", level="row",
                   units=("alliance-year", "alliance-member-year")),
        ColumnSpec("alliance_violated", "flag", "1 if it ended (in a row with a year: in that "
                   "year) by a member's violation of its provisions (ATOP term 2), 0 if it ended "
                   "otherwise or has not ended.", level="row"),
    ],
    sources=["atop"],
    citations=["leeds_etal_2002", "leeds_savun_2007"],
    options={"release": RELEASE},
    units=ALLIANCE_UNITS,
    examples=[
        Example(
            "Locarno, of 1925, ended with Germany's march into the Rhineland and its aftermath.",
            {"atopid": 2130},
            {"alliance_begun": 1925, "alliance_ended": 1937, "alliance_violated": 1},
            unit="alliance",
        ),
        Example(
            "In its fifth year it had not.",
            {"atopid": 2130, "year": 1930},
            {"alliance_age": 5, "alliance_violated": 0},
            unit="alliance-year",
        ),
        Example(
            "NATO is in force: it has no last year.",
            {"atopid": 3180},
            {"alliance_begun": 1949, "alliance_ended": None, "alliance_violated": 0},
            unit="alliance",
        ),
    ],
)  # fmt: skip
def alliance_course(context: Context) -> dict[str, Values]:
    """Make the columns of `alliance_course` from an alliance's member rows over all its phases."""
    members = members_of(context)
    last = pl.col("last_year") == pl.col("last_year").max().over("atopid")
    spans = members.group_by("atopid").agg(
        alliance_begun=pl.col("first_year").min(),
        closed=pl.col("last_year").max(),
        open=pl.col("in_force").any(),
    )
    # ASSUME: an alliance ended by violation if any member that was in it to its last year left by
    # one; members that go earlier leave the alliance standing.
    ends = (
        members.filter(last)
        .group_by("atopid")
        .agg(violated=(pl.col("term") == _VIOLATED).fill_null(value=False).any())
    )
    facts = spans.join(ends, on="atopid").with_columns(
        alliance_ended=pl.when(~pl.col("open")).then("closed"),
        alliance_violated=(pl.col("violated") & ~pl.col("open")).cast(pl.Int8),
    )
    wanted = {"alliance_begun": np.int16, "alliance_ended": np.int16, "alliance_violated": np.int8}
    if context.spine.unit == "alliance":
        return on_rows(context, facts, ("atopid",), wanted)
    by_year = member_years(context).select("atopid", "year").unique().join(facts, on="atopid")
    by_year = by_year.with_columns(
        alliance_age=pl.col("year") - pl.col("alliance_begun"),
        alliance_violated=pl.when(pl.col("year") == pl.col("closed"))
        .then("alliance_violated")
        .otherwise(0),
    )
    return on_rows(context, by_year, ("atopid", "year"), {**wanted, "alliance_age": np.int16})


@covariate(
    name="alliance_institution",
    title="An alliance's institutionalization (Leeds & Anac)",
    columns=[
        ColumnSpec("military_institution", "category", "2 with an integrated command, a common "
                   "defence policy or bases; 1 with military contact in peace, training or aid in "
                   "technology, subordination, fixed contributions or a military organization; 0 "
                   "with none of these.", unit="code 0-2", level="row", absent="missing",
                   labels={0: "none", 1: "moderate", 2: "high"}),
        ColumnSpec("alliance_formality", "category", "1 for a treaty that isn't wholly secret, and "
                   "1 more for an organization that meets regularly or has a bureaucracy.",
                   unit="code 0-2", level="row", absent="missing",
                   labels={0: "neither", 1: "one of the two", 2: "both"}),
    ],
    sources=["atop"],
    citations=["leeds_anac_2005", "leeds_etal_2002"],
    options={
        "release": RELEASE,
        "when": Option("ever", "The highest level that the alliance ever reached, as in Leeds & "
                       "Anac, or that of the year.", ("ever", "year")),
    },
    units=ALLIANCE_UNITS,
    examples=[
        Example(
            "NATO has all there is to have.",
            {"atopid": 3180},
            {"military_institution": 2, "alliance_formality": 2},
            unit="alliance",
        ),
        Example(
            "The Franco-Russian agreement of 1859 is secret and has none, as in print.",
            {"atopid": 1215},
            {"military_institution": 0, "alliance_formality": 0},
            unit="alliance",
        ),
    ],
)  # fmt: skip
def alliance_institution(context: Context) -> dict[str, Values]:
    """Make both indices, the highest over phases and members; missing where the text is unknown."""
    levels = {"military_institution": institution(), "alliance_formality": formality()}
    kinds: dict[str, type] = dict.fromkeys(levels, np.int8)
    keys = ("atopid",) if context.options["when"] == "ever" else ("atopid", "year")
    rows = members_of(context) if len(keys) == 1 else member_years(context)
    facts = rows.with_columns(**levels).group_by(keys).agg(pl.col(list(levels)).max())
    return on_rows(context, facts, keys, kinds)
