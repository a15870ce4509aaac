"""Which files of results/ the report made, so that it can take away its own and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from foedus.store import read_json, write_json

NAME = "report/manifest.json"
FOLDERS = ("figures", "tables", "report")


def replace_manifest(data: Path, paths: Iterable[Path]) -> None:
    """Remove files that an earlier report made and this one didn't; list this one's.

    Only files directly in figures/, tables/ and report/ that the old list names are ever removed.
    """
    made = sorted({path.relative_to(data).as_posix() for path in paths})
    for name in _listed(data / NAME):
        parts = Path(name).parts
        ours = len(parts) == 2 and parts[0] in FOLDERS and parts[1] not in ("..", ".")
        if ours and name not in made:
            (data / name).unlink(missing_ok=True)
    write_json(data / NAME, {"files": made})


def _listed(path: Path) -> list[str]:
    if not path.is_file():
        return []
    content = read_json(path)
    files = content.get("files") if isinstance(content, dict) else None
    return [str(name) for name in files] if isinstance(files, list) else []
