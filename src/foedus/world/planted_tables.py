"""What planted outcomes say: a row a coefficient, and a row a study, over all worlds that were run.

A coefficient counts as found if the mean of its estimates lies within a quarter of their standard
deviation of the truth, or within three Monte Carlo errors of it, and its 95 percent interval holds
the truth in a share of the worlds that fits 95 percent (within three Monte Carlo errors). For that
the covariance is the one whose assumptions the draw fulfils: the classical one where rows are
independent, else the first that the study declares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scipy import special

from foedus.yaml_text import load_yaml

if TYPE_CHECKING:
    import polars as pl

STUDIES = Path("config") / "recovery" / "studies.yaml"
KEY = ("study", "model", "estimator", "draw", "term", "covariance")
SMALL, ERRORS = 0.25, 3.0
"""Bias in standard deviations that is called small; Monte Carlo errors that chance may explain."""
TAIL = 0.00135
"""Chance that a normal number lies three standard deviations or more above its mean."""
UNTOLD = "can't be told"
LOST = "not recovered"
FEWEST = 20
"""Worlds below which nothing is said of a coefficient."""


@dataclass(frozen=True)
class Term:
    """A planted coefficient under one covariance, over the worlds.

    Attributes
    ----------
    worlds : int
        Worlds in which it was estimated.
    truth : float
        Its mean over the worlds, where a truth depends on the world's rows.
    bias, bias_error : float
        Mean of estimate less truth, and its Monte Carlo standard error.
    sd, mean_se : float or None
        Standard deviation of the estimates, and mean of their standard errors.
    coverage, power : float or None
        Shares of the worlds whose 95 percent interval holds the truth, and in which 0 is rejected
        at .05.
    """

    study: str
    model: str
    estimator: str
    draw: str
    term: str
    covariance: str
    worlds: int
    truth: float
    bias: float
    bias_error: float
    sd: float
    mean_se: float | None
    coverage: float | None
    power: float | None

    @property
    def off(self) -> float:
        """Bias in standard deviations of the estimates."""
        return self.bias / self.sd if self.sd > 0 else 0.0

    @property
    def unbiased(self) -> bool:
        """Whether the bias is small or may be chance."""
        return abs(self.off) < SMALL or abs(self.bias) < ERRORS * self.bias_error

    @property
    def covers(self) -> bool:
        """Whether chance may make this share of intervals that hold the truth of 95 percent.

        By the binomial distribution, at the chance of three standard errors of a normal one.
        """
        if self.coverage is None:
            return True
        held = round(self.coverage * self.worlds)
        few = float(special.bdtr(held, self.worlds, 0.95))
        many = 1.0 - float(special.bdtr(held - 1, self.worlds, 0.95)) if held else 1.0
        return min(few, many) > TAIL


@dataclass(frozen=True)
class StudyLine:
    """What is known of one study's estimators.

    Attributes
    ----------
    kind : str
        planted, world (its own truth) or counts.
    what : str
        Models and measures with their estimators.
    worlds, asked : int
        Model estimates that came about in the independent draw, and how many were asked for.
    terms, found : int
        Coefficients with enough worlds, and how many of them were found.
    off : float or None
        Largest bias, in standard deviations of the estimates.
    coverage, declared : float or None
        Mean coverage in the independent draw, of the classical intervals and of those that the
        study declares first.
    shared, widest : float or None
        Mean coverage in the draw with shared errors, of the intervals that the study declares
        first and of those that allow for most dependence of those it declares.
    power : float or None
        Median power of the coefficients in the independent draw.
    biases : str
        Each coefficient's bias in standard deviations of its estimates, with a mark of exclamation
        where it is neither small nor may be chance.
    verdict : str
        recovered; recovered but for some; not recovered; can't be told; counts only.
    why : str
        What stopped the rest, and what is to be said besides.
    """

    study: str
    kind: str
    what: str
    worlds: int
    asked: int
    terms: int
    found: int
    off: float | None
    coverage: float | None
    declared: float | None
    shared: float | None
    widest: float | None
    power: float | None
    biases: str
    verdict: str
    why: str


def summarise_terms(rows: pl.DataFrame) -> list[Term]:
    """Return one row a coefficient, draw and covariance, in the order in which they came.

    Parameters
    ----------
    rows : polars.DataFrame
        Of `foedus.world.planting.Planted`, all worlds below each other.
    """
    import polars as pl

    off = pl.col("estimate") - pl.col("truth")
    made = (
        rows.filter(pl.col("estimate").is_not_null())
        .group_by(KEY, maintain_order=True)
        .agg(
            worlds=pl.len(),
            truth=pl.col("truth").mean(),
            bias=off.mean(),
            bias_error=off.std() / pl.len().sqrt(),
            sd=off.std(),
            mean_se=pl.col("std_error").mean(),
            coverage=pl.col("covered").cast(pl.Float64).mean(),
            power=pl.col("rejected").cast(pl.Float64).mean(),
        )
        .with_columns(pl.col("bias_error", "sd").fill_null(0.0))
        .sort("study", maintain_order=True)
    )
    return [Term(**row) for row in made.iter_rows(named=True)]


def study_lines(
    rows: pl.DataFrame, terms: Sequence[Term], told: Mapping[str, Mapping[str, str]]
) -> list[StudyLine]:
    """Return one row a study, counts included, by name.

    Parameters
    ----------
    rows : polars.DataFrame
    terms : sequence of Term
        Of the same rows.
    told : mapping
        Of `read_told`.
    """
    import polars as pl

    made = [_counts(study, says) for study, says in told["counts"].items()]
    for study in sorted(rows["study"].unique().to_list()):
        own = rows.filter(pl.col("study") == study)
        made.append(
            _line(study, own, [term for term in terms if term.study == study], told["notes"])
        )
    return sorted(made, key=lambda line: line.study)


def read_told(root: Path) -> dict[str, dict[str, str]]:
    """Return what config/recovery/studies.yaml says: counts and notes by study."""
    read: Any = load_yaml((root / STUDIES).read_text(encoding="utf-8"))
    return {part: dict(read.get(part) or {}) for part in ("counts", "notes")}


def _counts(study: str, says: str) -> StudyLine:
    none = None
    return StudyLine(
        study, "counts", "", 0, 0, 0, 0, none, none, none, none, none, none, "", "counts only", says
    )


def by_covariance(terms: Sequence[Term]) -> list[tuple[str, int, float | None, float | None]]:
    """Return mean coverage by covariance: its name, coefficients, independent and shared draw.

    Coefficients are those with at least FEWEST worlds in the independent draw.
    """
    found: dict[str, tuple[list[float], list[float]]] = {}
    for term in terms:
        if term.draw == "world" or term.coverage is None or term.worlds < FEWEST:
            continue
        found.setdefault(term.covariance, ([], []))[term.draw == "shared"].append(term.coverage)
    rows = [(name, len(a), _mean(a), _mean(b)) for name, (a, b) in found.items()]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def _line(study: str, rows: pl.DataFrame, terms: list[Term], notes: Mapping[str, str]) -> StudyLine:
    import polars as pl

    first = rows.filter(pl.col("draw") != "shared")
    fits = first.unique(["seed", "model"])
    asked, done = fits.height, fits.filter(pl.col("reason") == "").height
    alone = [term for term in terms if term.draw != "shared" and term.worlds >= FEWEST]
    shared = [term for term in terms if term.draw == "shared" and term.worlds >= FEWEST]
    first_told = leading(alone)
    found = [term for term in first_told if term.unbiased and term.covers]
    missed = [term for term in first_told if term not in found]
    verdict = UNTOLD if not first_told else "recovered"
    if missed:
        verdict = f"recovered but for {len(missed)} of {len(first_told)}" if found else LOST
    few = [] if first_told else [f"No coefficient was estimated in {FEWEST} worlds."]
    why = [*few, *_missed(missed), *_reasons(first, asked), *filter(None, [notes.get(study, "")])]
    return StudyLine(
        study=study,
        kind="world" if set(rows["draw"].unique()) == {"world"} else "planted",
        what="; ".join(_what(rows)),
        worlds=done,
        asked=asked,
        terms=len(first_told),
        found=len(found),
        off=max((abs(term.off) for term in first_told), default=None),
        coverage=_mean([term.coverage for term in first_told]),
        declared=_mean([term.coverage for term in leading(alone, classical=False)]),
        shared=_mean([term.coverage for term in leading(shared, classical=False)]),
        widest=_mean([term.coverage for term in _widest(shared)]),
        power=_median([term.power for term in first_told if term.truth != 0]),
        biases=" ".join(f"{term.off:.3f}{'' if term.unbiased else '!'}" for term in first_told),
        verdict=verdict,
        why=" ".join(why),
    )


def _what(rows: pl.DataFrame) -> list[str]:
    pairs = rows.unique(["model", "estimator"], maintain_order=True)
    return [f"{one['model']} ({one['estimator']})" for one in pairs.iter_rows(named=True)]


def leading(terms: Sequence[Term], classical: bool = True) -> list[Term]:
    """Return each coefficient once, under the classical covariance or the one declared first."""
    held: dict[tuple[str, str], Term] = {}
    for term in terms:
        key = (term.model, term.term)
        if key not in held or (classical and term.covariance == "classical"):
            held[key] = term
    return list(held.values())


def _widest(terms: Sequence[Term]) -> list[Term]:
    """Return each coefficient once, under the covariance that allows for most dependence."""
    held: dict[tuple[str, str], Term] = {}
    for term in sorted(terms, key=lambda one: -_reach(one.covariance)):
        held.setdefault((term.model, term.term), term)
    return list(held.values())


def _reach(covariance: str) -> int:
    """Return 3 for states that share, 2 for several groups, 1 for one, 0 for none."""
    if covariance.startswith("dyadic"):
        return 3
    return (1 + covariance.count(",")) if covariance.startswith("cluster") else 0


def _missed(terms: Sequence[Term]) -> list[str]:
    """Say which coefficients aren't found, and how far off they are."""
    said = []
    for term in terms:
        parts = [] if term.unbiased else [f"bias {term.off:+.2f} SD"]
        if not term.covers and term.coverage is not None:
            parts.append(f"coverage {100 * term.coverage:.0f} %")
        said.append(f"{term.term} of {term.model} ({', '.join(parts)})")
    return [f"Not found: {'; '.join(said)}."] if said else []


def _reasons(rows: pl.DataFrame, asked: int) -> list[str]:
    """Say why models weren't estimated, the most common reasons with how often each."""
    import polars as pl

    lost = rows.filter(pl.col("reason") != "").unique(["seed", "model"])
    if lost.is_empty():
        return []
    kinds = lost.with_columns(kind=pl.col("reason").map_elements(kind_of, pl.String))
    counted = kinds.group_by("model", "kind").len().sort("len", "model", "kind", descending=True)
    said = [
        f"{one['model']}, {one['len']} world{'s' if one['len'] > 1 else ''}: {one['kind']}"
        for one in counted.head(3).iter_rows(named=True)
    ]
    return [f"No estimate in {lost.height} of {asked}: {'; '.join(said)}."]


def kind_of(reason: str) -> str:
    """Return why a model couldn't be estimated, in a few words that worlds have in common."""
    for sign, kind in (
        ("perfectly predicted", "a rare term decides the outcome (separation)"),
        ("separated", "a rare term decides the outcome (separation)"),
        ("infinity", "a rare term decides the outcome (separation)"),
        ("collinear", "a term never varies or is collinear"),
        ("was left out", "a term never varies or is collinear"),
        ("never treated", "no unit without the treatment"),
        ("flat in the direction", "the likelihood is flat"),
        ("did not converge", "no convergence"),
        ("too few", "too few rows"),
        ("no row", "no rows"),
    ):
        if sign in reason:
            return kind
    return reason[:80].rstrip(" .")


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _median(values: Sequence[float | None]) -> float | None:
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    return (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2
