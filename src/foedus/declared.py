"""Which module declares what, read from the modules' text: to find one without importing all.

A room's entries (covariates, measures) are declared by a decorator with their name. Importing every
module of a room to find one entry takes longer than many a command does.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from types import ModuleType


@functools.cache
def declared_in(room: ModuleType, decorator: str) -> dict[str, str]:
    """Return the module that declares each name.

    Parameters
    ----------
    room : module
        A package; its own modules are read, not those of packages within.
    decorator : str
        What stands at the start of a line, after an @, with the name as its first argument.

    Returns
    -------
    dict of str to str
        Name to dotted module.
    """
    declares = re.compile(rf'^@{decorator}\(\s*(?:name=)?"(\w+)"', re.MULTILINE)
    found: dict[str, str] = {}
    for folder in room.__path__:
        for path in sorted(Path(folder).glob("*.py")):
            for name in declares.findall(path.read_text(encoding="utf-8")):
                found[name] = f"{room.__name__}.{path.stem}"
    return found
