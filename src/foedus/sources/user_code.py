"""A user's own Python files: functions decorated with ``@fd.covariate`` or ``@fd.source``.

They run because config.yaml names their folder; nothing else makes foedus run a file of a user.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from hashlib import sha256
from pathlib import Path

from foedus.errors import ConfigError, FoedusError

PREFIX = "foedus_user_"


def module_name(path: Path) -> str:
    """Return the name under which a user's file is known: one for each place it stands in."""
    place = sha256(str(path.resolve().parent).encode()).hexdigest()[:8]
    return f"{PREFIX}{place}_{path.stem}"


def run_user_code(folder: Path) -> None:
    """Run each Python file of a folder, once in a process.

    Raises
    ------
    ConfigError
        If a file can't be run, with the line on which it stopped.
    """
    for path in sorted(folder.glob("*.py")):
        _run(path)


def file_of(module: str) -> Path | None:
    """Return the file of a user's module by the name under which it is known, or None."""
    found = sys.modules.get(module) if module.startswith(PREFIX) else None
    return Path(found.__file__) if found is not None and found.__file__ else None


def _run(path: Path) -> None:
    name = module_name(path)
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except FoedusError:
        del sys.modules[name]
        raise
    except Exception as error:
        del sys.modules[name]
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(path)]
        where = f", line {lines[-1]}" if lines else ""
        if isinstance(error, SyntaxError) and error.lineno:
            where = f", line {error.lineno}"
        raise ConfigError(
            f"{path}{where}: the file can't be run: {type(error).__name__}: {error}. Mend it, or "
            "take its folder out of covariate_dirs or source_dirs in config/config.yaml."
        ) from error
