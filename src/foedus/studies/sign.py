"""Sign a study's notes: they speak of the declared design as it is, and say what was changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from foedus import store
from foedus.config import read_text
from foedus.errors import UsageError
from foedus.studies.registry import NOTES, Study

CHANGES = "changes"


def sign(study: Study, why: str | None) -> str:
    """Put the declared design's fingerprint into the front matter of notes.md.

    Parameters
    ----------
    study : Study
    why : str or None
        What was changed in the design and why, a line; only a study's first design does without.

    Returns
    -------
    str
        The fingerprint, as it stands there now.

    Raises
    ------
    UsageError
        If the design was changed and no reason is given.
    """
    held, now = study.notes_fingerprint, study.fingerprint
    if held == now:
        return now
    said = " ".join((why or "").split())
    if held is not None and not said:
        raise UsageError(
            f'{study.id}: the design was {held} and is {now}: say what changed with --why "...".'
        )
    content: dict[str, Any] = {**study.notes, "design": now}
    if held is not None:
        content[CHANGES] = [*_listed(study.notes), {"from": held, "to": now, "why": said}]
    _write(study.folder / NOTES, content)
    return now


def _listed(notes: dict[str, Any]) -> list[Any]:
    found = notes.get(CHANGES, [])
    return list(found) if isinstance(found, list) else []


def _write(path: Path, content: dict[str, Any]) -> None:
    import yaml

    text = read_text(path)
    body = text
    if text.startswith("---\n"):
        _, _, rest = text[4:].partition("\n---")
        body = rest.partition("\n")[2]
    front = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    store.write_text(path, f"---\n{front}---\n{body}")
