"""The studies there are: folders with study.yaml, published.csv and notes.md, ours and a user's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from foedus.config import Project, parse_model, read_text, read_yaml
from foedus.errors import ConfigError, UsageError, nearest
from foedus.studies.design import fingerprint, overridden
from foedus.studies.published import Published, read_published
from foedus.studies.schema import Design

STUDY, PUBLISHED, NOTES = "study.yaml", "published.csv", "notes.md"


@dataclass(frozen=True)
class Study:
    """One declared study.

    Attributes
    ----------
    id : str
    folder : Path
    raw : dict
        study.yaml as parsed; overrides are applied to it.
    design : Design
        The declared design.
    published : tuple of Published
    notes : dict
        Front matter of notes.md; ``design`` holds the fingerprint that the notes speak of.
    """

    id: str
    folder: Path
    raw: dict[str, Any]
    design: Design
    published: tuple[Published, ...]
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """How the study's file is named in messages."""
        return f"studies/{self.id}/{STUDY}"

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the declared design."""
        return fingerprint(self.raw)

    @property
    def notes_fingerprint(self) -> str | None:
        """Fingerprint that notes.md was written for."""
        found = self.notes.get("design")
        return None if found is None else str(found)

    def variant(self, overrides: Mapping[str, Any]) -> Design:
        """Return the design under overrides on dotted paths."""
        return overridden(self.raw, overrides, self.origin)


def load_studies(project: Project) -> dict[str, Study]:
    """Read every study of the project: config/studies/ and the folders of `study_dirs`.

    Returns
    -------
    dict
        Study id to study, sorted by id.

    Raises
    ------
    ConfigError
        If a file breaks a rule (file, dotted path, nearest name), a folder isn't named after its
        study, or two folders hold one id.
    """
    found: dict[str, Study] = {}
    for folder in study_folders(project):
        study = load_study(folder)
        if study.id in found:
            raise ConfigError(
                f"{study.origin}: the study {study.id} stands in two folders; rename one of them."
            )
        found[study.id] = study
    return dict(sorted(found.items()))


def get_study(project: Project, study_id: str) -> Study:
    """Return one study, reading only its own folder.

    Raises
    ------
    UsageError
        For an unknown id, with the nearest known ones.
    """
    folders = {folder.name: folder for folder in study_folders(project)}
    if study_id not in folders:
        raise UsageError(
            f'"{study_id}" is not a study. {nearest(study_id, folders)} See `foedus study list`.'
        )
    return load_study(folders[study_id])


def study_folders(project: Project) -> Iterator[Path]:
    """Yield the folders that hold a study.yaml: ours, then each of `study_dirs`, sorted."""
    homes = [project.config_dir / "studies"]
    for named in project.config.study_dirs:
        home = project.root / named
        if not home.is_dir():
            raise ConfigError(f"config/config.yaml: study_dirs: {named} is not a folder.")
        homes.append(home)
    for home in homes:
        if (home / STUDY).is_file():
            yield home
        elif home.is_dir():
            yield from sorted(path.parent for path in home.glob(f"*/{STUDY}"))


def load_study(folder: Path) -> Study:
    """Read one study's folder.

    Raises
    ------
    ConfigError
        If a file is missing or breaks a rule.
    """
    origin = f"studies/{folder.name}/{STUDY}"
    raw = _keyed(read_yaml(folder / STUDY))
    design = parse_model(Design, raw, origin)
    if design.id != folder.name:
        raise ConfigError(f'{origin}: id is "{design.id}"; the folder says "{folder.name}".')
    for name in (PUBLISHED, NOTES):
        if not (folder / name).is_file():
            raise ConfigError(f"studies/{folder.name}/{name}: missing; every study has one.")
    published = read_published(folder / PUBLISHED, f"studies/{folder.name}/{PUBLISHED}")
    notes = front_matter(folder / NOTES, f"studies/{folder.name}/{NOTES}")
    return Study(design.id, folder, raw, design, published, notes)


def _keyed(content: Any) -> Any:
    """Return parsed YAML in which every key is text (YAML reads ``on:`` or ``1:`` as others)."""
    if isinstance(content, dict):
        return {str(key): _keyed(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_keyed(item) for item in content]
    return content


def front_matter(path: Path, origin: str) -> dict[str, Any]:
    """Return the YAML between the first two lines of three dashes, empty when there is none.

    Raises
    ------
    ConfigError
        If it isn't a mapping.
    """
    text = read_text(path)
    if not text.startswith("---\n"):
        return {}
    block, closed, _ = text[4:].partition("\n---")
    if not closed:
        raise ConfigError(f"{origin}: the front matter has no second line of three dashes.")
    try:
        # The base loader reads every value as text: a fingerprint of digits stays one.
        content = yaml.load(block, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{origin}: the front matter is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{origin}: the front matter is not a mapping of keys.")
    return dict(content)
