"""What a simulated world is asked to be."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from foedus.errors import UsageError

FIRST, LAST = 1816, 2016
"""The years that the official lists of states cover; no world reaches beyond them."""
DEFAULT_STATES = 60
DEFAULT_SEED = 1816
MOST_STATES = 700
STREAMS = (
    "places", "spells", "capitals", "power", "regimes", "treaties", "shocks", "disputes", "wars",
    "joiners", "deaths", "details",
)  # fmt: skip
"""Independent streams of random numbers, one a part: a change in one part moves no other."""


@dataclass(frozen=True)
class Settings:
    """Size and seed of a world.

    Attributes
    ----------
    seed : int
    states : int
        States that ever exist; about three in five at a time.
    first_year, last_year : int
        Within 1816 to 2016.
    """

    seed: int = DEFAULT_SEED
    states: int = DEFAULT_STATES
    first_year: int = FIRST
    last_year: int = LAST

    @property
    def n_years(self) -> int:
        """Number of years."""
        return self.last_year - self.first_year + 1

    def streams(self) -> dict[str, np.random.Generator]:
        """Return a generator for each of STREAMS, from the seed alone."""
        children = np.random.SeedSequence(self.seed).spawn(len(STREAMS))
        return {
            name: np.random.Generator(np.random.PCG64(child))
            for name, child in zip(STREAMS, children, strict=True)
        }


def make_settings(
    seed: int = DEFAULT_SEED,
    states: int | None = None,
    years: tuple[int, int] | None = None,
    scale: float | None = None,
) -> Settings:
    """Return checked settings.

    Parameters
    ----------
    seed : int
        At least 0.
    states : int, optional
    years : tuple of int, optional
        First and last year.
    scale : float, optional
        Multiplies the number of dyad-years, states squared times years, by adding states.

    Raises
    ------
    UsageError
        For a number out of range.
    """
    first, last = years or (FIRST, LAST)
    if seed < 0:
        raise UsageError(f"--seed is a whole number from 0 on, not {seed}.")
    if not FIRST <= first <= last <= LAST:
        raise UsageError(
            f"--years {first} {last}: a world lies within {FIRST} and {LAST}, the years of the "
            "official list of states, and ends no earlier than it begins."
        )
    if last - first < 29:
        raise UsageError(f"--years {first} {last}: a world has at least 30 years.")
    if scale is not None and scale <= 0:
        raise UsageError(f"--scale is above 0, not {scale:g}.")
    wanted = DEFAULT_STATES if states is None else states
    if scale is not None:
        wanted = round(wanted * math.sqrt(scale))
    if not 12 <= wanted <= MOST_STATES:
        raise UsageError(
            f"a world has from 12 to {MOST_STATES} states (COW numbers them 2 to 990), not "
            f"{wanted}. Change --states or --scale."
        )
    return Settings(seed, wanted, first, last)
