"""The planted bugs can still be planted, and the tests that catch them still exist.

`python tests/mutations/run.py` plants them all; .ci/run plants the quick ones.
"""

from __future__ import annotations

import pytest

from tests.conftest import ROOT
from tests.mutations.planted import PLANTED, Planted


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_a_bug_can_be_planted_and_its_test_is_there(bug: Planted) -> None:
    text = (ROOT / "src" / "foedus" / bug.file).read_text(encoding="utf-8")
    assert text.count(bug.old) == 1, f"{bug.name}: the code has changed; plant the bug anew"
    assert bug.old != bug.new
    path, _, name = bug.test.partition("::")
    tests = (ROOT / path).read_text(encoding="utf-8")
    assert not name or f"def {name.partition('[')[0]}(" in tests


def test_there_are_enough_and_each_has_its_own_name() -> None:
    assert len(PLANTED) >= 15
    assert len({bug.name for bug in PLANTED}) == len(PLANTED)
    assert sum(bug.quick for bug in PLANTED) >= 4
