"""The verdicts a published number can get: their order, signs, colours and meaning, stated once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One verdict.

    Attributes
    ----------
    name : str
        As in comparison.csv.
    slug : str
        As in CSS classes.
    sign : str
        One letter, so that the verdict never hangs on colour alone.
    colour : str
        From the Okabe-Ito palette.
    ink : str
        Colour of the sign on that colour.
    says : str
        The rule in words.
    """

    name: str
    slug: str
    sign: str
    colour: str
    ink: str
    says: str


VERDICTS: tuple[Verdict, ...] = (
    Verdict("exact", "exact", "=", "#0072B2", "#ffffff", "equal to the printed digits"),
    Verdict(
        "close", "close", "≈", "#56B4E9", "#1b1f24",
        "same sign and within one published standard error; for counts, rates and exponents "
        "within one published or implied standard error (binomial, Poisson)",
    ),
    Verdict(
        "agrees", "agrees", "✓", "#009E73", "#1b1f24",
        "same sign and the same side of p = .05; for counts, rates and exponents within 5 percent "
        "or inside the published 95 % interval",
    ),
    Verdict(
        "stronger", "stronger", "↑", "#CC79A7", "#1b1f24",
        "same sign, significant at .05 where print was not; without a test: rebuilt is larger",
    ),
    Verdict(
        "weaker", "weaker", "↓", "#E69F00", "#1b1f24",
        "same sign, not significant at .05 where print was; without a test: rebuilt is smaller",
    ),
    Verdict("null", "null", "○", "#6b7280", "#ffffff", "opposite sign, not significant at .05"),
    Verdict(
        "contradicts", "contradicts", "×", "#D55E00", "#1b1f24", "opposite sign and significant",
    ),
    Verdict(
        "not comparable", "not-comparable", "–", "#ffffff", "#5b6470",
        "no rebuilt number can stand beside it; the reason is given",
    ),
)  # fmt: skip

UPHELD = ("exact", "close", "agrees")
"""Verdicts under which the printed number stands."""

_BY_NAME = {verdict.name: verdict for verdict in VERDICTS}


def verdict_of(name: str) -> Verdict:
    """Return a verdict by its name in comparison.csv; an unknown word shows as not comparable."""
    return _BY_NAME.get(name.replace("_", " "), _BY_NAME["not comparable"])


@dataclass(frozen=True)
class Tally:
    """How many published numbers got which verdict."""

    counts: tuple[tuple[Verdict, int], ...]

    @property
    def total(self) -> int:
        """All published numbers."""
        return sum(count for _, count in self.counts)

    @property
    def compared(self) -> int:
        """Published numbers beside which a rebuilt one stands."""
        return sum(count for verdict, count in self.counts if verdict.name != "not comparable")

    @property
    def upheld(self) -> int:
        """Published numbers that stand: exact, close or agrees."""
        return sum(count for verdict, count in self.counts if verdict.name in UPHELD)

    @property
    def present(self) -> list[tuple[Verdict, int]]:
        """Verdicts that occur, in order."""
        return [(verdict, count) for verdict, count in self.counts if count]


def tally(names: Iterable[str]) -> Tally:
    """Count verdicts in their fixed order."""
    found = Counter(verdict_of(name).name for name in names)
    return Tally(tuple((verdict, found[verdict.name]) for verdict in VERDICTS))
