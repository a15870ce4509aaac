"""What the estimates of a claim say together: counts, means, tests, and a verdict by one rule.

The pooled mean takes one estimate a study (see `Evidence.pooled`) as if studies were independent.
They aren't: they share states, years and often whole files. So the mean's interval is too short by
an amount nobody knows, and the largest that it could be is said beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from foedus.models.pooling import Between, Pooled, benjamini_hochberg, between, holm, pool
from foedus.report.evidence import Bearing, Evidence, GroupPoint, GroupTest, Point
from foedus.report.key_terms import KINDS as TERM_KINDS
from foedus.report.numbers import interval, number, p_clause, percent, plural
from foedus.report.rows import Z95

LEVEL = 0.05
BEYOND = 1000
FAR = math.log(BEYOND)
"""Odds ratios beyond a thousand are as good as without bound, and are written so."""
LEAST_TO_PREDICT = 5
"""Studies below which nothing is said of one more: with so few, tau2 is hardly known."""
KINDS = ("era", "content", "formation", "management", "other")
SUPPORTED = "supported"
AGAINST = "against"
MIXED = "mixed"
UNDECIDED = "undecided"
NONE = "no estimate"
WORDS = {
    SUPPORTED: "The estimates support the claim",
    AGAINST: "The estimates speak against the claim",
    MIXED: "The estimates point both ways",
    UNDECIDED: "The estimates leave the claim undecided",
    NONE: "No estimate that says which sign would support the claim bears on it",
}
RULE = (
    "Supported: the pooled 95 % interval (of a lone study, its own) is above 1 and no leading "
    "estimate is against the claim after Holm's correction; against: the mirror image; mixed: "
    "after Holm's correction at least one estimate is for and one against it; else undecided."
)


@dataclass(frozen=True)
class Adjusted:
    """A leading estimate with its p-values adjusted within the claim's family."""

    bearing: Bearing
    p: float
    holm: float
    bh: float

    @property
    def sign(self) -> int:
        """1 if it is on the claim's side, -1 if not."""
        return 1 if self.bearing.point.value > 0 else -1


@dataclass(frozen=True)
class GroupMean:
    """A group's mean over studies (of one study, its own estimate)."""

    by: str
    group: str
    point: Point
    k: int


@dataclass(frozen=True)
class Apart:
    """Whether a claim's groups differ, over all studies that have them.

    Attributes
    ----------
    means : tuple of GroupMean
        By group, in order.
    test : Between or None
        Of the means; None with fewer than two.
    tests : tuple of (GroupTest, float)
        Each study's own test, with Holm's p among them.
    """

    by: str
    means: tuple[GroupMean, ...]
    test: Between | None
    tests: tuple[tuple[GroupTest, float], ...]

    @property
    def apart(self) -> list[GroupTest]:
        """Studies whose groups differ after Holm's correction."""
        return [test for test, p in self.tests if p < LEVEL]

    @property
    def opposite(self) -> list[GroupTest]:
        """Studies in which two groups have opposite effects, each with p < .05."""
        return [test for test, _ in self.tests if test.opposite]


@dataclass(frozen=True)
class DesignMean:
    """The mean of the estimates of one design: one kind of term on one unit.

    Attributes
    ----------
    kind, unit : str
    bearings : tuple of Bearing
        One a study, as in the mean of all.
    pooled : Pooled or None
        None of a lone study, whose own estimate then stands for the design.
    """

    kind: str
    unit: str
    bearings: tuple[Bearing, ...]
    pooled: Pooled | None

    @property
    def words(self) -> str:
        """The design in words."""
        return f"{TERM_KINDS.get(self.kind, self.kind)}, {self.unit}"

    @property
    def value(self) -> float:
        """Mean, or the lone estimate, as a log odds ratio."""
        return self.pooled.estimate if self.pooled else self.bearings[0].point.value

    @property
    def se(self) -> float:
        """Its standard error."""
        return self.pooled.std_error if self.pooled else float(self.bearings[0].point.se or 0.0)

    @property
    def p(self) -> float | None:
        """Its p-value."""
        return self.pooled.p_value if self.pooled else self.bearings[0].point.p

    @property
    def ends(self) -> tuple[float, float]:
        """Its 95 % interval."""
        if self.pooled is not None:
            return self.pooled.ci_low, self.pooled.ci_high
        return self.value - Z95 * self.se, self.value + Z95 * self.se

    @property
    def shown(self) -> str:
        """Odds ratio and interval."""
        return f"{odds(self.value)} {odds_interval(*self.ends)}"


@dataclass(frozen=True)
class Synthesis:
    """Everything that is said of a claim's estimates together.

    Attributes
    ----------
    robust, classical : Pooled or None
        The mean of all designs, under the errors that count and under classical ones.
    designs : tuple of DesignMean
        The same estimates by design.
    apart : Between or None
        The test that the designs' means are one; None of one design.
    """

    evidence: Evidence
    adjusted: tuple[Adjusted, ...]
    robust: Pooled | None
    classical: Pooled | None
    groups: tuple[Apart, ...]
    designs: tuple[DesignMean, ...] = ()
    apart: Between | None = None

    @property
    def pooled(self) -> list[Bearing]:
        """The estimates behind the mean."""
        return self.evidence.pooled

    @property
    def single(self) -> Point | None:
        """The lone estimate where there is but one to pool."""
        return self.pooled[0].point if len(self.pooled) == 1 else None

    @property
    def mean(self) -> tuple[float, float, float] | None:
        """Mean and its 95 % interval: pooled, or of the lone estimate."""
        if self.robust is not None:
            return self.robust.estimate, self.robust.ci_low, self.robust.ci_high
        one = self.single
        if one is None or one.low is None or one.high is None:
            return None
        return one.value, one.low, one.high

    @property
    def verdict(self) -> str:
        """One of the words of this module, by RULE."""
        if not self.evidence.leading:
            return NONE
        sure = [one for one in self.adjusted if one.holm < LEVEL]
        on, off = sum(one.sign > 0 for one in sure), sum(one.sign < 0 for one in sure)
        if on and off:
            return MIXED
        mean = self.mean
        if mean is None:
            return SUPPORTED if on else AGAINST if off else UNDECIDED
        if mean[1] > 0 and not off:
            return SUPPORTED
        return AGAINST if mean[2] < 0 and not on else UNDECIDED


def synthesise(evidence: Evidence) -> Synthesis:
    """Pool, adjust and test the estimates of a claim."""
    pooled = evidence.pooled
    with_classical = [one for one in pooled if one.classical is not None and one.classical.se]
    tested = [one for one in evidence.leading if one.point.p is not None]
    p_values = [float(one.point.p or 0.0) for one in tested]
    adjusted = [
        Adjusted(one, p, by_holm, by_bh)
        for one, p, by_holm, by_bh in zip(
            tested, p_values, holm(p_values), benjamini_hochberg(p_values), strict=True
        )
    ]
    designs = means_by_design(pooled)
    return Synthesis(
        evidence,
        tuple(adjusted),
        pool_points([one.point for one in pooled]),
        pool_points([one.classical for one in with_classical if one.classical is not None]),
        tuple(apart for by in KINDS if (apart := _apart(evidence, by)) is not None),
        designs,
        between([one.value for one in designs], [one.se for one in designs])
        if len(designs) > 1
        else None,
    )


def means_by_design(pooled: Sequence[Bearing]) -> tuple[DesignMean, ...]:
    """Pool estimates of one kind of term on one unit; kinds and units in a fixed order."""
    order = list(TERM_KINDS)
    kept: dict[tuple[str, str], list[Bearing]] = {}
    for one in sorted(pooled, key=lambda row: (order.index(row.kind), row.unit)):
        kept.setdefault(one.design, []).append(one)
    return tuple(
        DesignMean(kind, unit, tuple(rows), pool_points([one.point for one in rows]))
        for (kind, unit), rows in kept.items()
    )


def pool_points(points: Sequence[Point]) -> Pooled | None:
    """Pool two or more points; None with fewer."""
    known = [(one.value, one.se) for one in points if one.se]
    if len(known) < 2:
        return None
    return pool([value for value, _ in known], [float(se) for _, se in known if se])


def _apart(evidence: Evidence, by: str) -> Apart | None:
    own = [test for test in evidence.tests if test.by == by]
    if not own:
        return None
    adjusted = holm([test.p for test in own])
    # As in the mean of all: a study once, and a file once.
    counted = {one.study for one in evidence.pooled}
    first: dict[tuple[str, str], GroupPoint] = {}
    for one in own:
        for point in one.points if one.study in counted else ():
            first.setdefault((one.study, point.group), point)
    names = list(dict.fromkeys(point.group for one in own for point in one.points))
    means = tuple(
        _mean(by, name, [p.point for (_, group), p in first.items() if group == name])
        for name in _ordered(names)
    )
    known = [(one.point.value, one.point.se) for one in means if one.point.se]
    test = None
    if len(known) > 1:
        test = between([value for value, _ in known], [se for _, se in known])
    return Apart(by, means, test, tuple(zip(own, adjusted, strict=True)))


def _ordered(names: Sequence[str]) -> list[str]:
    """Return eras by their years, other groups as they come."""
    return sorted(names) if all(name[:4].isdigit() for name in names) else list(names)


def _mean(by: str, group: str, points: Sequence[Point]) -> GroupMean:
    made = pool_points(points)
    if made is None:
        return GroupMean(by, group, points[0], len(points))
    return GroupMean(by, group, Point(made.estimate, made.std_error, made.p_value), made.k)


def share_interval(hits: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    share, z2 = hits / n, Z95 * Z95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(middle - half, 0.0), min(middle + half, 1.0)


# -------------------------------------------------------------------------------------- sentences
def odds(value: float) -> str:
    """Write a log odds ratio as an odds ratio."""
    if abs(value) >= FAR:
        return f"above {BEYOND:g}" if value > 0 else f"below {1 / BEYOND:g}"
    return number(math.exp(value))


def odds_interval(low: float, high: float) -> str:
    """Write an interval of log odds ratios as one of odds ratios, far ends as such."""
    if max(abs(low), abs(high)) < FAR:
        return interval(math.exp(low), math.exp(high))
    ends = [
        f"below {1 / BEYOND:g}" if one <= -FAR else f"above {BEYOND:g}" if one >= FAR else odds(one)
        for one in (low, high)
    ]
    return f"[{', '.join(ends)}]"


def odds_of(point: Point) -> str:
    """Write a point as an odds ratio with its interval, as far as that is known."""
    if point.low is None or point.high is None:
        return odds(point.value)
    return f"{odds(point.value)} {odds_interval(point.low, point.high)}"


def verdict_sentence(found: Synthesis, covariance: str) -> str:
    """Say the verdict and what it rests on."""
    word = f"{WORDS[found.verdict]}."
    if found.verdict == NONE:
        return word
    return " ".join(
        [word, *(part for part in (counts(found, covariance), mean_words(found)) if part)]
    )


def counts(found: Synthesis, covariance: str) -> str:
    """Count where leading estimates point, before and after correction."""
    leading = found.adjusted
    if not leading:
        return ""
    raw = _sides([(one.sign, one.p) for one in leading])
    held = _sides([(one.sign, one.holm) for one in leading])
    shared = _sides([(one.sign, one.bh) for one in leading])
    said = (
        f"Of {plural(len(leading), 'leading estimate')}, {raw[0]} for it and {raw[1]} against it "
        f"have p < .05 ({covariance} errors where a study has them)"
    )
    if len(leading) > 1:
        said += (
            f"; {held[0]} and {held[1]} after Holm's correction, {shared[0]} and {shared[1]} after "
            "Benjamini and Hochberg's"
        )
    return said + "."


def _sides(rows: Sequence[tuple[int, float]]) -> tuple[int, int]:
    return (
        sum(sign > 0 and p < LEVEL for sign, p in rows),
        sum(sign < 0 and p < LEVEL for sign, p in rows),
    )


def mean_words(found: Synthesis) -> str:
    """Say the pooled odds ratio, or the lone one."""
    made = found.robust
    if made is None:
        one = found.single
        if one is None:
            return ""
        return (
            f"The one estimate on the common scale is an odds ratio of {odds_of(one)} (above 1 "
            "supports the claim)."
        )
    return (
        f"The mean of {plural(made.k, 'study', 'studies')} is an odds ratio of "
        f"{odds(made.estimate)} {odds_interval(made.ci_low, made.ci_high)}, above 1 supporting the "
        f"claim ({p_clause(made.p_value)}; random effects, REML, Knapp and Hartung)."
    )


def spread_words(found: Synthesis) -> str:
    """Say how far studies differ: tau, I2, Q, the prediction interval."""
    made = found.robust
    if made is None:
        return ""
    said = (
        f"Studies differ by more than chance in {percent(made.i2, 0)} of their spread (I²; "
        f"τ² {number(made.tau2)}, Q {number(made.q)} on {made.k - 1} degrees of freedom, "
        f"{p_clause(made.q_p)})."
    )
    ends = predicted(made)
    if ends is None:
        said += f" Below {LEAST_TO_PREDICT} studies nothing is said of what one more would find."
    else:
        said += (
            " The effect that one more study of the kind would have lies, with 95 % chance, in "
            f"{odds_interval(*ends)}."
        )
    return said


def designs_words(found: Synthesis) -> str:
    """Say the mean of each design, whether they are one, and what spread is left within them."""
    if len(found.designs) < 2:
        return ""
    means = "; ".join(
        f"{one.words} {one.shown} ({plural(len(one.bearings), 'study', 'studies')})"
        for one in found.designs
    )
    said = f"The mean of all takes unlike designs together. By design, as odds ratios: {means}."
    if found.apart is not None:
        said += (
            f" That the designs have one mean is "
            f"{'rejected' if found.apart.p_value < LEVEL else 'not rejected'} "
            f"(Q {number(found.apart.q)} on {found.apart.df} degrees of freedom, "
            f"{p_clause(found.apart.p_value)})."
        )
    spread = [f"{percent(one.pooled.i2, 0)} ({one.words})" for one in found.designs if one.pooled]
    if spread:
        said += f" Spread beyond chance within a design (I²): {', '.join(spread)}."
    return said


def predicted(made: Pooled | None) -> tuple[float, float] | None:
    """Return the prediction interval, where there are studies enough for one."""
    if made is None or made.k < LEAST_TO_PREDICT:
        return None
    if made.predict_low is None or made.predict_high is None:
        return None
    return made.predict_low, made.predict_high


def limits_words(found: Synthesis) -> str:
    """Say how far the mean can be trusted: shared files, dependence, classical errors."""
    made = found.robust
    if made is None:
        return ""
    chosen = {id(one) for one in found.pooled}
    left = [
        one for one in found.evidence.leading
        if one.can_be_pooled and id(one) not in chosen
    ]  # fmt: skip
    parts = [
        "The mean takes studies as independent, which they aren't: they share states, years and "
        "often disputes or wars. Whatever their dependence, the standard error of the mean is at "
        f"most {number(made.bound)} on the log scale, an interval of "
        f"{odds_interval(made.estimate - Z95 * made.bound, made.estimate + Z95 * made.bound)}."
    ]
    if left:
        parts.append(
            f"Left out of it: {plural(len(left), 'leading estimate')} of studies already in it or "
            "on an author's file that an earlier study is estimated on."
        )
    if found.classical is not None:
        one = found.classical
        parts.append(
            f"With classical errors {plural(one.k, 'study', 'studies')} would give "
            f"{odds(one.estimate)} {odds_interval(one.ci_low, one.ci_high)}."
        )
    return " ".join(parts)


def apart_words(apart: Apart) -> str:
    """Say whether groups differ, over studies and within them."""
    names = {
        "era": "eras", "content": "kinds of promise", "formation": "ways of formation",
        "management": "kinds of management", "other": "groups",
    }  # fmt: skip
    what = names[apart.by]
    parts = []
    if apart.test is not None:
        means = ", ".join(
            f"{one.group} {odds_of(one.point)} ({plural(one.k, 'study', 'studies')})"
            for one in apart.means
        )
        parts.append(
            f"Odds ratios by {what}: {means}; that they are one is "
            f"{'rejected' if apart.test.p_value < LEVEL else 'not rejected'} "
            f"(Q {number(apart.test.q)} on {apart.test.df} degrees of freedom, "
            f"{p_clause(apart.test.p_value)})."
        )
    n, differ, opposite = len(apart.tests), len(apart.apart), len(apart.opposite)
    said = (
        f"Within studies, {differ} of {plural(n, 'test')} find that {what} differ (p < .05 after "
        f"Holm's correction)"
    )
    if opposite:
        names_of = "; ".join(dict.fromkeys(test.short for test in apart.opposite))
        said += f"; in {opposite} two groups have opposite effects, each with p < .05 ({names_of})"
    return " ".join([*parts, said + "."])
