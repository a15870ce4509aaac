"""Every error a user can meet, each with the exit code that CONTRACT promises.

A message is one paragraph: what is wrong, where (file, row, column, value), which rule is
broken, and what to do about it. A programming mistake of ours is an ``assert``, never one of these.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FoedusError(Exception):
    """Base of all errors that are shown to a user without a traceback."""

    exit_code = 1


class UsageError(FoedusError):
    """The command line, a name or an option is wrong (exit 2)."""

    exit_code = 2


class InputError(FoedusError):
    """An input file breaks a rule (exit 3)."""

    exit_code = 3


class SourceError(InputError):
    """A source file breaks the rules of its schema (exit 3)."""


class ConfigError(InputError):
    """config.yaml, a study's or a covariate's YAML breaks a rule (exit 3)."""


class PanelError(InputError):
    """A join or a panel would break a rule: repeated keys, overwritten columns, changed rows."""


class MissingDataError(FoedusError):
    """Data are missing, or present in a version nobody accepted (exit 4)."""

    exit_code = 4


class EstimationError(FoedusError):
    """A model can't be estimated: separation, collinearity, no convergence (exit 5)."""

    exit_code = 5


def nearest(name: str, known: Iterable[str], most: int = 3) -> str:
    """Return a clause that names the nearest known names, or lists a few when none is near.

    Parameters
    ----------
    name : str
        What the user wrote.
    known : iterable of str
        What would have been right.
    most : int
        How many names to show.

    Returns
    -------
    str
        A sentence to append to an error message.
    """
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=most, cutoff=0.5)
    if close:
        return "Nearest: " + ", ".join(close) + "."
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"Known: {shown}."
