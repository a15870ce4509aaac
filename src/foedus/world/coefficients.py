"""Every coefficient of the world: what its studies ought to find.

The equations are in docs/world.md. Coefficients here are the marginal ones, those that a model
without random effects estimates: a probit's are those of the latent equation divided by the square
root of 1 plus the variance of its random effects; a logit's are those of the latent equation times
the attenuation of a bridge-distributed effect (Wang & Louis 2003).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Disputes:
    """Who begins a dispute against whom: a probit on directed dyad-years.

    `state_sd` is that of the challenger's and of the target's effect in a year, `dyad_sd` that of
    an effect that both directions of a pair share in a year.
    """

    constant: float = -0.10
    target_defense: float = -0.30
    challenger_defense: float = -0.12
    challenger_offense: float = 0.20
    challenger_neutrality: float = 0.15
    ln_distance: float = -0.22
    capability_share: float = 0.45
    joint_democracy: float = -0.30
    similarity: float = -0.50
    peace: float = -0.020
    peace2: float = 0.00018
    peace3: float = -0.0000006
    state_sd: float = 0.30
    dyad_sd: float = 0.35

    @property
    def inflation(self) -> float:
        """What the latent equation's coefficients are multiples of the marginal ones by."""
        return math.sqrt(1 + 2 * self.state_sd**2 + self.dyad_sd**2)


@dataclass(frozen=True)
class Joining:
    """Which third states enter a war: a logit on wars and potential joiners.

    `attenuation` is phi of the bridge distribution of the war's own effect, 1 for none.
    """

    constant: float = -1.50
    defense: float = 1.80
    offense: float = 0.80
    neutrality: float = -0.30
    nonaggression: float = 0.30
    contiguous: float = 1.00
    major: float = 1.00
    ln_distance: float = -0.30
    attenuation: float = 0.85
    beside_ally: float = 0.90


@dataclass(frozen=True)
class Deaths:
    """Battle deaths of a war: log-linear in what was known at its outset, with a Pareto error.

    deaths = 1000 exp(x'b) V, with P(V > v) = v ** (1 - exponent): given x the tail is a power law
    with that exponent, and so is that of all wars.
    """

    least: float = 1000.0
    exponent: float = 1.60
    tie_defense: float = 0.50
    n_first: float = 0.20
    major_first: float = 0.40
    balance: float = 0.30
    contiguous: float = 0.0


@dataclass(frozen=True)
class Escalation:
    """Which disputes become wars: a logit on disputes."""

    constant: float = -3.00
    contiguous: float = 0.60
    major: float = 0.50


@dataclass(frozen=True)
class Treaties:
    """Which pairs conclude an alliance: a logit on pairs without one, a year.

    `common_enemy` is per state with which both have had a dispute of late, `closure` per ally that
    they share, both as log(1 + n).
    """

    constant: float = -5.60
    common_enemy: float = 0.70
    closure: float = 0.25
    ln_distance: float = -0.35
    likeness: float = 0.40
    major: float = 0.50
    mean_years: float = 14.0
    share_open: float = 0.10
    share_second_phase: float = 0.12
    share_secret: float = 0.06
    share_named: float = 0.30
    share_one_sided: float = 0.12
    defense: float = 0.45
    offense: float = 0.14
    neutrality: float = 0.20
    nonaggression: float = 0.45
    consultation: float = 0.70


@dataclass(frozen=True)
class Coefficients:
    """All coefficients of a world."""

    disputes: Disputes = field(default_factory=Disputes)
    escalation: Escalation = field(default_factory=Escalation)
    joining: Joining = field(default_factory=Joining)
    deaths: Deaths = field(default_factory=Deaths)
    treaties: Treaties = field(default_factory=Treaties)

    def for_size(self, states: int) -> Coefficients:
        """Return the coefficients of a world of another size: only the constants differ.

        A state of a large system isn't more warlike than one of a small system, so that what
        happens to a pair becomes rarer in proportion.
        """
        extra = math.log(states / 60)
        return dataclasses.replace(
            self,
            disputes=_moved(self.disputes, -0.20 * extra),
            escalation=_moved(self.escalation, -0.76394 * extra),
            joining=_moved(self.joining, -0.80 * extra),
            treaties=_moved(self.treaties, -0.90 * extra),
        )

    def as_dict(self) -> dict[str, dict[str, float]]:
        """Return plain values for truth.json."""
        return dataclasses.asdict(self)


def _moved(part: Any, by: float) -> Any:
    return dataclasses.replace(part, constant=round(part.constant + by, 4))


def with_values(base: Coefficients, changes: Mapping[str, Mapping[str, float]]) -> Coefficients:
    """Return coefficients with some changed, by part and name: for power analysis and teaching."""
    parts = {
        name: dataclasses.replace(getattr(base, name), **dict(values))
        for name, values in changes.items()
    }
    return dataclasses.replace(base, **parts)
