"""One row of an estimates or a comparison file, typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from foedus.report.numbers import MINUS, is_number, printed

MEASURE = "measure"
Z95 = 1.959963984540054
_MODEL_PATH = re.compile(r"^models\.(?P<model>[^.]+)\.(?P<term>.+)$")


def clean(value: Any) -> Any:
    """Turn every spelling of "missing" (NaN, null, empty text) into None."""
    if isinstance(value, float) and not is_number(value):
        return None
    return None if value == "" else value


@dataclass(frozen=True)
class _Row:
    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Take the columns this row knows; those that are absent keep their defaults."""
        known = {field.name for field in fields(cls)}
        given = {name: clean(value) for name, value in row.items() if name in known}
        return cls(**{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True)
class Estimate(_Row):
    """One term of one model under one covariance (CONTRACT: estimates.csv)."""

    study: str = ""
    claim: str = ""
    model: str = ""
    unit: str = ""
    estimator: str = ""
    covariance: str = ""
    term: str = ""
    estimate: float | None = None
    std_error: float | None = None
    statistic: float | None = None
    p_value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    n_obs: float | None = None
    n_events: float | None = None
    n_clusters: float | None = None
    loglik: float | None = None
    small_sample: str = ""
    label: str = ""

    @property
    def is_measure(self) -> bool:
        """Whether this is a rate, an exponent or another measure rather than a model's term."""
        return self.estimator == MEASURE

    @property
    def significant(self) -> bool:
        """Whether p < .05."""
        return self.p_value is not None and self.p_value < 0.05


@dataclass(frozen=True)
class Comparison(_Row):
    """One published number beside a rebuilt one (CONTRACT: comparison.csv)."""

    study: str = ""
    table: str = ""
    model: str = ""
    term: str = ""
    quantity: str = ""
    published: float | None = None
    published_se: float | None = None
    published_low: float | None = None
    published_high: float | None = None
    n_published: float | None = None
    rebuilt: float | None = None
    rebuilt_se: float | None = None
    rebuilt_p: float | None = None
    covariance: str = ""
    n_rebuilt: float | None = None
    verdict: str = "not comparable"
    diagnosis: str = ""
    reason: str = ""
    where_in_print: str = ""
    maps_to: str = ""
    claim: str = ""
    published_text: str = ""
    lead: bool = True
    basis: str = ""
    print_kind: str = ""
    se_exact: bool | None = None

    @property
    def is_truth(self) -> bool:
        """Whether it is the truth of a simulated world, or a number whose truth isn't known."""
        return self.where_in_print.startswith(("truth.json", "no truth known"))

    @property
    def in_print(self) -> str:
        """The published number as print has it; bare digits are grouped."""
        text = self.published_text.strip()
        if not text or text.isdigit() or self.quantity == "direction":
            return printed(self.published, self.quantity)
        return text.replace("-", MINUS, 1) if text.startswith("-") else text

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What identifies the published number, whatever the covariance."""
        return (self.table, self.model, self.term, self.quantity, self.maps_to)

    @property
    def place(self) -> tuple[str, str] | None:
        """Our (model, term) that the published number maps to, if it maps to a coefficient."""
        match = _MODEL_PATH.match(self.maps_to)
        return (match["model"], match["term"]) if match else None
