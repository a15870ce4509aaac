"""Overrides on dotted paths: one machine for alternatives, diagnosis and specification curves.

An override set is a mapping of dotted path to value. Applied to the text of a study (as parsed
YAML), it gives the text of another design, which the same schema then reads.
"""

from __future__ import annotations

import copy
import itertools
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from foedus.config import parse_model
from foedus.errors import ConfigError, UsageError, nearest
from foedus.studies.schema import Choice, Design

ABSENT = object()
"""What `value_at` returns for a path at which nothing stands."""

SUBSTANCE = ("universe", "variables", "sample", "models", "measures", "effects", "rebuild")
_WORDS = frozenset({"title", "label", "says", "claim", "key", "basis"})


def value_at(raw: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a dotted path, or ABSENT."""
    current: Any = raw
    for part in path.split("."):
        if not isinstance(current, Mapping) or part not in current:
            return ABSENT
        current = current[part]
    return current


def with_overrides(raw: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a study's text with values set at dotted paths.

    A mapping is merged into the mapping that stands there, key by key, and a null in it removes
    the key; any other value replaces what stands there. Missing mappings on the way are made.

    Raises
    ------
    UsageError
        If a path leads through something that isn't a mapping, or its first part is unknown.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(raw))
    for path, value in overrides.items():
        _set(changed, path, value)
    return changed


def _set(raw: dict[str, Any], path: str, value: Any) -> None:
    *way, last = path.split(".")
    if way and way[0] not in Design.model_fields:
        raise UsageError(f"{path}: no part of a study. {nearest(way[0], Design.model_fields)}")
    current = raw
    for part in way:
        inner = current.setdefault(part, {})
        if inner is None:
            inner = current[part] = {}
        if not isinstance(inner, dict):
            raise UsageError(f'{path}: "{part}" holds {inner!r}, so nothing can be set below it.')
        current = inner
    standing = current.get(last)
    if isinstance(value, Mapping) and isinstance(standing, dict):
        merged = {**standing, **value}
        current[last] = {key: item for key, item in merged.items() if item is not None}
    else:
        current[last] = copy.deepcopy(value)


def overridden(raw: Mapping[str, Any], overrides: Mapping[str, Any], origin: str) -> Design:
    """Return the design that a study's text with overrides declares.

    Raises
    ------
    ConfigError
        If the result isn't a valid design, with the overrides that made it so.
    """
    if not overrides:
        return parse_model(Design, raw, origin)
    listed = ", ".join(f"{path}={value!r}" for path, value in overrides.items())
    try:
        return parse_model(Design, with_overrides(raw, overrides), origin)
    except (ConfigError, UsageError) as error:
        raise ConfigError(f"{error} This design was made with {listed}.") from error


def fingerprint(raw: Mapping[str, Any]) -> str:
    """Return 12 hex digits that change when the declared design does.

    Counted are universe, variables, sample, models, measures, effects and rebuild, without their
    titles and labels: what changes a number. Choices aren't, as their first alternative stands in
    these.
    """
    substance = {name: _substance(raw[name]) for name in SUBSTANCE if raw.get(name)}
    text = json.dumps(substance, sort_keys=True, ensure_ascii=True, default=str)
    return sha256(text.encode()).hexdigest()[:12]


def _substance(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _substance(item) for key, item in value.items() if key not in _WORDS}
    if isinstance(value, list | tuple):
        return [_substance(item) for item in value]
    return " ".join(value.split()) if isinstance(value, str) else value


@dataclass(frozen=True)
class Specification:
    """One combination of alternatives.

    Attributes
    ----------
    picks : tuple of int
        Position of the alternative of each choice, 0 for the declared one.
    """

    picks: tuple[int, ...]

    @property
    def declared(self) -> bool:
        """Whether every choice is the declared one."""
        return not any(self.picks)

    def overrides(self, choices: Sequence[Choice]) -> dict[str, Any]:
        """Return path to value for all choices."""
        merged: dict[str, Any] = {}
        for choice, pick in zip(choices, self.picks, strict=True):
            merged.update(choice.overrides(pick))
        return merged

    def words(self, choices: Mapping[str, Choice]) -> dict[str, str]:
        """Return the name of each choice's alternative."""
        return {
            name: choice.names[pick]
            for (name, choice), pick in zip(choices.items(), self.picks, strict=True)
        }


def one_at_a_time(choices: Mapping[str, Choice]) -> list[Specification]:
    """Return the declared design, then every single departure from it, in order."""
    width = len(choices)
    listed = [Specification((0,) * width)]
    for place, choice in enumerate(choices.values()):
        for alternative in range(1, len(choice)):
            picks = [0] * width
            picks[place] = alternative
            listed.append(Specification(tuple(picks)))
    return listed


def specifications(choices: Mapping[str, Choice], most: int, seed: int) -> list[Specification]:
    """Return all combinations of alternatives, or a seeded sample of `most` when there are more.

    The declared design comes first and every one-at-a-time departure is in the sample (as many as
    `most` allows); the rest are drawn without repetition, each combination equally likely, and
    sorted.
    """
    sizes = [len(choice) for choice in choices.values()]
    total = _product(sizes)
    if total <= most:
        everything = itertools.product(*(range(size) for size in sizes))
        return [Specification(picks) for picks in everything]
    chosen = dict.fromkeys(one_at_a_time(choices)[:most])
    generator = random.Random(seed)
    while len(chosen) < most:
        chosen.setdefault(Specification(tuple(generator.randrange(size) for size in sizes)))
    first, *rest = sorted(chosen, key=lambda item: item.picks)
    return [first, *rest]


def _product(sizes: Sequence[int]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total
