"""`foedus new source|covariate|study NAME`: a filled-in skeleton and its test."""

from __future__ import annotations

import keyword
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foedus.cli.settings import Group, Settings
from foedus.errors import MissingDataError, UsageError

if TYPE_CHECKING:
    from foedus.config import Project

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")


@click.group("new", cls=Group)
def command() -> None:
    """Write a filled-in skeleton and its test; both pass the checks as they are."""


@command.command("source")
@click.argument("name")
@click.option(
    "--file",
    "sample",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The data set's file (delimited by commas): pinned, and its columns read from it.",
)
@click.pass_obj
def source(settings: Settings, name: str, sample: Path | None) -> None:
    """Declare a data set: its YAML, its module, its reference and its test.

    With --file the checksum, the columns and the key are read from the file, and a copy is put
    into data/raw/. Without it a small example file is made there.
    """
    from foedus.cli import skeletons
    from foedus.store import sha256_of, write_text

    project = _repository(settings, name)
    home = sample or project.raw_home / f"{name}.csv"
    if sample is None:
        write_text(home, skeletons.EXAMPLE_FILE)
    facts = skeletons.look_at(home)
    filling = {
        "name": name,
        "file": home.name,
        "sha256": sha256_of(home),
        "bytes": home.stat().st_size,
        "rows": facts.rows,
        "encoding": facts.encoding,
        "line_end": facts.line_end,
        "final_line_end": str(facts.final_line_end).lower(),
        "key": ", ".join(facts.key),
        "first": facts.years[0],
        "last": facts.years[1],
        "columns": skeletons.column_lines(facts),
    }
    places = {
        project.config_dir / "sources" / f"{name}.yaml": skeletons.SOURCE_YAML,
        project.config_dir / "references" / f"{name}.yaml": skeletons.REFERENCE,
        project.root / "src/foedus/sources/datasets" / f"{name}.py": skeletons.SOURCE,
        project.root / "tests/sources" / f"test_{name}.py": skeletons.SOURCE_TEST,
    }
    _write(
        settings,
        {path: text.format(**filling) for path, text in places.items()},
        f"Then say what the columns are, give the reference, and run `foedus ingest {name}`.",
    )
    if sample is not None and not (project.raw_home / sample.name).exists():
        project.raw_home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sample, project.raw_home / sample.name)


@command.command("covariate")
@click.argument("name")
@click.pass_obj
def covariate(settings: Settings, name: str) -> None:
    """Declare a covariate in Python: its module and its test.

    A covariate that only reads a file needs no Python: see CONTRIBUTING.md.
    """
    from foedus.cli import skeletons
    from foedus.covariates.registry import registry

    project = _repository(settings, name)
    if name in registry():
        raise UsageError(f'there is a covariate "{name}" already; choose another name.')
    _write(
        settings,
        {
            project.root / "src/foedus/covariates" / f"{name}.py": skeletons.COVARIATE.format(
                name=name
            ),
            project.root / "tests/covariates" / f"test_{name}.py": skeletons.COVARIATE_TEST.format(
                name=name
            ),
        },
        f"Then try `foedus covariates show {name}`.",
    )


@command.command("study")
@click.argument("name")
@click.pass_obj
def study(settings: Settings, name: str) -> None:
    """Declare a study: its folder with study.yaml, published.csv and notes.md, and its test."""
    import yaml

    from foedus.cli import skeletons
    from foedus.references import load_references
    from foedus.studies.design import fingerprint
    from foedus.studies.registry import study_folders

    _check(name)
    project = settings.project()
    if name in {folder.name for folder in study_folders(project)}:
        raise UsageError(f'there is a study "{name}" already; choose another name.')
    own = project.config.study_dirs
    home = (project.root / own[0] if own else project.config_dir / "studies") / name
    works = load_references(project.config_dir)
    text = skeletons.STUDY.format(
        name=name,
        cite="johnson_leeds_2011" if "johnson_leeds_2011" in works else next(iter(works)),
        claim="deterrence",
    )
    notes = skeletons.NOTES.format(fingerprint=fingerprint(yaml.safe_load(text)))
    files = {
        home / "study.yaml": text,
        home / "published.csv": skeletons.PUBLISHED,
        home / "notes.md": notes,
    }
    tests = project.root / "tests" / "studies"
    if tests.is_dir() and not own:
        files[tests / f"test_{name}.py"] = skeletons.STUDY_TEST.format(name=name)
    _write(settings, files, f"Then run `foedus study check {name}` and `foedus study run {name}`.")


def _check(name: str) -> None:
    if not _NAME.match(name) or keyword.iskeyword(name):
        raise UsageError(
            f'"{name}": a name is small letters, digits and _, a letter first ("my_covariate").'
        )


def _repository(settings: Settings, name: str) -> Project:
    """Return the project, which must be a working copy: modules are added to the package."""
    _check(name)
    project = settings.project()
    if not (project.root / "src" / "foedus").is_dir():
        raise MissingDataError(
            f"{project.root}: not a working copy of foedus, and this adds a module to it. Clone "
            "the repository and run the command there."
        )
    return project


def _write(settings: Settings, files: dict[Path, str], then: str) -> None:
    """Write new files; nothing that stands there is ever overwritten."""
    from foedus.store import write_text

    for path in files:
        if path.exists():
            raise UsageError(f"{path}: stands there already; choose another name.")
    for path, text in files.items():
        write_text(path, text)
    lines = [str(path) for path in files]
    settings.done({"files": lines}, "\n".join([*lines, then]))
