"""One file that stands for many: their names and checksums, rewritten when one of them changes.

A step of the DAG uses some two hundred modules. Snakemake looks at every input of every waiting
job each second; with one input for all of them, it has time for the jobs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from foedus.store import sha256_cached, write_text


def stamp(folder: str | Path, name: str, files: Iterable[str]) -> str:
    """Write the checksums of files to <folder>/<name>.sha256, if they aren't there already.

    Parameters
    ----------
    folder : str or Path
        Made if need be.
    name : str
    files : iterable of str
        Those beside the folder (what the same run made) are shown from the folder's parent, others
        from the current folder: where either stands on this machine isn't told.

    Returns
    -------
    str
        The stamp's path. Its bytes depend on the files' names and contents alone, and its time of
        change moves only when they do.
    """
    path = Path(folder) / f"{name}.sha256"
    text = "".join(
        f"{sha256_cached(Path(file))}  {_shown(Path(file), path.parent.parent)}\n"
        for file in sorted(set(files))
    )
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    return str(path)


def _shown(file: Path, made: Path) -> str:
    """Return a path that reads the same wherever the results and the project stand."""
    whole = Path(os.path.abspath(file))
    for home in (made, Path.cwd()):
        if whole.is_relative_to(os.path.abspath(home)):
            return whole.relative_to(os.path.abspath(home)).as_posix()
    # A folder of the user's own: the checksum says which file it was.
    return f"…/{file.name}"
