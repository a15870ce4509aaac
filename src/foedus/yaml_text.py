"""YAML as plain data: no objects, no code, no repeated keys, no text that grows when it is read.

The safe loader makes no objects, but of two equal keys it silently keeps the later one, aliases
within aliases can make a short text stand for gigabytes, and brackets nested thousands deep
overrun its stack. None of our files needs any of these, so they are refused with their line.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import yaml

MOST_BYTES = 4 << 20
DEEPEST = 100

# The same safe loader in C where PyYAML was built with it: five times as fast.
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Safe):  # type: ignore[misc]
    """The safe loader, which also refuses a key that stands twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse a key that stands twice."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode):
                if key_node.value in seen:
                    raise _refusal(f'the key "{key_node.value}" stands twice', key_node.start_mark)
                seen.add(key_node.value)
        found: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return found


def _refusal(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def load_yaml(text: str) -> Any:
    """Return what a YAML text holds.

    Raises
    ------
    yaml.YAMLError
        If it isn't YAML, or holds a repeated key, an alias within an anchor, an object's tag,
        more than 4 MiB or more than 100 levels. `problem` says what is wrong, `problem_mark`
        where, when known.
    """
    if len(text) > MOST_BYTES:
        raise _refusal(f"more than {MOST_BYTES >> 20} MiB of text", None)
    if _depth(text) > DEEPEST:
        raise _refusal(f"brackets nested more than {DEEPEST} deep", None)
    try:
        _refuse_growth(text)
        return yaml.load(text, Loader=_Loader)
    except RecursionError as error:
        raise _refusal("nested too deep", None) from error


def _depth(text: str) -> int:
    """Return an upper bound of how deep brackets nest, whether or not they stand in quotes."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return 0
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    steps = np.isin(codes, [ord("["), ord("{")]).astype(np.int64)
    steps -= np.isin(codes, [ord("]"), ord("}")])
    return int(np.cumsum(steps).max())


def _refuse_growth(text: str) -> None:
    """Refuse an alias inside an anchored list or mapping: a chain of these grows exponentially."""
    if "&" not in text:
        return
    anchored: list[bool] = []
    for event in yaml.parse(text, Loader=_Safe):
        if isinstance(event, yaml.CollectionStartEvent):
            anchored.append(event.anchor is not None)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchored.pop()
        elif isinstance(event, yaml.AliasEvent) and any(anchored):
            raise _refusal(
                f"the alias *{event.anchor} stands inside something with an anchor of its own, "
                "which is not allowed here; write it out",
                event.start_mark,
            )
