"""What a published number is compared with: the `maps_to` column of published.csv, parsed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from foedus.errors import UsageError

Kind = Literal["term", "fact", "sample", "effect", "measure", "none"]
FACTS = ("n", "n_events", "n_clusters", "loglik")
FUNCTIONS = ("count", "share", "mean")
EFFECT_PARTS = ("p0", "p1", "difference", "percent_change")
_CALL = re.compile(r"^(?P<name>\w+)\((?P<inside>.*)\)$")


@dataclass(frozen=True)
class Target:
    """One place among the rebuilt numbers.

    Attributes
    ----------
    kind : str
        term (a coefficient), fact (n, loglik ... of a model), sample (a count, share or mean over
        a model's rows), effect, measure, or none.
    name : str
        Model, effect or measure block; "" means the first model (``sample.…``).
    part : str
        Term, fact, function or part of an effect ("" = the effect's own scale).
    inside : str
        Expression or variable of a sample function.
    given : str
        Condition of a share (``share(dispute == 1 | ptargdef == 1)``), "" without.
    reason : str
        Why there is nothing to compare with.
    """

    kind: Kind
    name: str = ""
    part: str = ""
    inside: str = ""
    given: str = ""
    reason: str = ""


def parse_target(text: str) -> Target:
    """Parse maps_to.

    Raises
    ------
    UsageError
        If the text has none of the known forms.
    """
    stripped = text.strip()
    if stripped.startswith("none"):
        return _nothing(stripped)
    head, _, rest = stripped.partition(".")
    if head == "sample" and rest:
        return _of_rows("", rest, stripped)
    name, _, part = rest.partition(".")
    if head == "models" and name and part:
        is_rows = bool(_CALL.match(part)) and _CALL.match(part)["name"] in FUNCTIONS  # type: ignore[index]
        if part in FACTS or is_rows:
            return _of_rows(name, part, stripped)
        return Target("term", name, part)
    if head == "effects" and name:
        if part and part not in EFFECT_PARTS:
            raise UsageError(
                f'"{stripped}": an effect has {", ".join(EFFECT_PARTS)}, not "{part}".'
            )
        return Target("effect", name, part)
    if head == "measures" and name and part:
        return Target("measure", name, part)
    raise UsageError(
        f'"{stripped}" is not a target: write models.MODEL.TERM, models.MODEL.n, '
        "sample.share(EXPRESSION), effects.NAME, measures.BLOCK.TERM, or none: REASON."
    )


def _nothing(text: str) -> Target:
    reason = text.removeprefix("none").lstrip(":").strip()
    if not reason:
        raise UsageError('"none" needs its reason: none: the article prints no ...')
    return Target("none", reason=reason)


def _of_rows(model: str, part: str, text: str) -> Target:
    if part in FACTS:
        return Target("fact", model, part)
    call = _CALL.match(part)
    if call is None or call["name"] not in FUNCTIONS:
        raise UsageError(
            f'"{text}": of a sample there are {", ".join(FACTS)} and '
            f"{', '.join(name + '(...)' for name in FUNCTIONS)}."
        )
    inside, _, given = call["inside"].partition("|")
    if not inside.strip():
        raise UsageError(f'"{text}": {call["name"]}() needs an expression.')
    return Target("sample", model, call["name"], inside.strip(), given.strip())
