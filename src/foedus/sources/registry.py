"""What data sets there are: facts from config/sources/<id>.yaml, readers from datasets/.

A new data set is two files, its YAML and its module; nothing else names it. Importing this module
reads nothing and imports no data library; a reader's module is imported when its data are read.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from foedus.config import Project, Strict, parse_model, read_yaml
from foedus.errors import ConfigError, UsageError, nearest
from foedus.sources.user_code import run_user_code

if TYPE_CHECKING:
    from foedus.sources.schema import Column, Rows

CORRECTIONS = ".corrections.yaml"
UNPINNED = "unpinned"
DATASETS = "foedus.sources.datasets"

Scalar = int | float | str
Code = Annotated[Scalar, Field(union_mode="left_to_right")]


class FileFacts(Strict):
    """One file of a data set as its project releases it.

    A file whose bytes nobody here has seen has ``sha256: unpinned``, and neither bytes nor rows: it
    is read only when config accepts its source by name (`accept_unpinned`).

    `url` is the official address of the file itself or of a zip that holds it (at any depth, by
    name); `page` is the landing page where a person downloads it when there is no such address.
    """

    name: str
    sha256: str = Field(pattern=rf"^([0-9a-f]{{64}}|{UNPINNED})$")
    bytes: int | None = Field(None, gt=0)
    rows: int | None = Field(None, description="Records in the file, its header not counted")
    encoding: Literal["utf-8", "cp1252", "binary"] = "utf-8"
    line_end: Literal["lf", "crlf", "cr"] = "lf"
    final_line_end: bool = True
    separator: str = ","
    multiline: bool = Field(False, description="Quoted fields may hold line ends")
    url: str | None = None
    page: str | None = None
    note: str = Field("", description="What to know when downloading it by hand")
    redirect_hosts: tuple[str, ...] = ()

    @property
    def pinned(self) -> bool:
        """Whether the bytes of the release are known."""
        return self.sha256 != UNPINNED


class TableFacts(Strict):
    """One table that is made of a data set's files."""

    rows: int | None = Field(None, description="Rows made of the pinned files")
    key: tuple[str, ...] = Field(min_length=1)
    description: str


class CodeList(Strict):
    """A closed list of codes, for one column (its own name) or several."""

    columns: tuple[str, ...] = ()
    values: dict[Code, str]


class CodeMap(Strict):
    """A source's own state code read as a COW code, for the years in which that is right."""

    code: int
    ccode: int
    first: int
    last: int
    reason: str


class Correction(Strict):
    """One known error of a source: where it stands, what must still be wrong, what to set."""

    file: str
    where: dict[str, Code] = Field(min_length=1)
    column: str
    expect: Code
    set: Code
    reason: str
    reported: str = "no"


class CorrectionFile(Strict):
    """config/sources/<id>.corrections.yaml."""

    corrections: tuple[Correction, ...]


class SourceFacts(Strict):
    """Everything about a data set that isn't code.

    Attributes
    ----------
    id, dataset, version
        `id` is the dataset for its current release, dataset_version for an older one.
    edition
        ``original``: the bytes its project released; ``derived``: another project's extract.
    coverage
        First and last year the source speaks about. Absence means no (0) inside, missing outside.
    directed
        Whether a row (1, 2) says something else than (2, 1); None when rows are no dyads.
    missing_codes
        Column (or ``*`` for all numeric columns) to the codes that mean "missing" and why.
    codes
        Closed code lists. A code that isn't here stops the build.
    code_map
        State codes of the source's own that COW spells otherwise, with the years and the reason.
    adds
        For an optional source (one that isn't pinned): what it would add.
    """

    id: str = Field(pattern=r"^[a-z0-9_.]+$")
    dataset: str = Field(pattern=r"^[a-z0-9_]+$")
    version: str
    title: str
    edition: Literal["original", "derived"]
    coverage: tuple[int, int]
    directed: bool | None = None
    citation: tuple[str, ...] = Field(min_length=1)
    terms: str
    obtained_from: str
    files: tuple[FileFacts, ...] = Field(min_length=1)
    tables: dict[str, TableFacts] = Field(min_length=1)
    missing_codes: dict[str, dict[Code, str]] = Field({})
    codes: dict[str, CodeList] = Field({})
    code_map: tuple[CodeMap, ...] = ()
    quirks: tuple[str, ...] = ()
    adds: str = ""
    corrections: tuple[Correction, ...] = Field((), exclude=True)

    @model_validator(mode="after")
    def _consistent(self) -> SourceFacts:
        if self.coverage[0] > self.coverage[1]:
            raise ValueError(f"coverage runs backwards: {self.coverage[0]} to {self.coverage[1]}")
        if self.id not in (self.dataset, self.alias):
            raise ValueError(f'id must be "{self.dataset}" or "{self.alias}"')
        if self.optional != bool(self.adds):
            raise ValueError("adds: an unpinned source, and no other, says what it would add")
        if not self.optional and not all(table.rows for table in self.tables.values()):
            raise ValueError("tables: a pinned source says how many rows each table has")
        return self

    @property
    def optional(self) -> bool:
        """Whether a user must bring the files and accept them: nothing needs such a source."""
        return not all(file.pinned for file in self.files)

    @property
    def alias(self) -> str:
        """The id with its version, which always names this release: ``atop_5.1``."""
        return f"{self.dataset}_{self.version}".replace(" ", "_").lower()

    def file(self, name: str) -> FileFacts:
        """Return the facts of one file by its name."""
        return next(item for item in self.files if item.name == name)

    def table(self, name: str) -> TableFacts:
        """Return the facts of one table.

        Raises
        ------
        UsageError
            If the source has no such table.
        """
        if name not in self.tables:
            raise UsageError(f'{self.id} has no table "{name}". {nearest(name, self.tables)}')
        return self.tables[name]

    def codes_of(self, column: str) -> Mapping[Scalar, str] | None:
        """Return the closed code list of a column, or None when it has none."""
        for name, listed in self.codes.items():
            if column in (listed.columns or (name,)):
                return listed.values
        return None

    def missing_of(self, column: str) -> Mapping[Scalar, str]:
        """Return the missing codes of a column: its own, else those of all columns."""
        return self.missing_codes.get(column, self.missing_codes.get("*", {}))


def _path_of(folder: Path, name: str) -> Path:
    return folder / f"{name}.yaml"


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return names, sizes and times of the YAML files: what decides whether to read them again."""
    found = []
    for path in sorted(folder.glob("*.yaml")):
        stat = path.stat()
        found.append((path.name, stat.st_size, stat.st_mtime_ns))
    return tuple(found)


def load_facts(config_dir: Path) -> dict[str, SourceFacts]:
    """Read every config/sources/<id>.yaml with its corrections.

    Parameters
    ----------
    config_dir : Path
        The folder that holds sources/.

    Returns
    -------
    dict
        Source id to facts, sorted by id.

    Raises
    ------
    ConfigError
        If a file breaks a rule, its name isn't its id, or a corrections file has no source.
    """
    folder = config_dir / "sources"
    return dict(_load(folder, _stamp(folder)))


@functools.lru_cache(maxsize=16)
def _load(folder: Path, stamp: tuple[tuple[str, int, int], ...]) -> Mapping[str, SourceFacts]:
    facts: dict[str, SourceFacts] = {}
    names = [name for name, _, _ in stamp]
    for name in names:
        if not name.endswith(CORRECTIONS):
            one = _load_one(folder, name.removesuffix(".yaml"))
            facts[one.id] = one
    for name in names:
        if name.endswith(CORRECTIONS) and name.removesuffix(CORRECTIONS) not in facts:
            raise ConfigError(
                f"sources/{name}: there is no source of that name beside it. "
                f"{nearest(name.removesuffix(CORRECTIONS), facts)}"
            )
    return facts


def _load_one(folder: Path, name: str) -> SourceFacts:
    path = _path_of(folder, name)
    origin = f"sources/{path.name}"
    content = read_yaml(path)
    corrections = folder / f"{name}{CORRECTIONS}"
    if isinstance(content, dict) and corrections.is_file():
        listed = parse_model(CorrectionFile, read_yaml(corrections), f"sources/{corrections.name}")
        content = {**content, "corrections": [item.model_dump() for item in listed.corrections]}
    facts = parse_model(SourceFacts, content, origin)
    if facts.id != name:
        raise ConfigError(f'{origin}: id is "{facts.id}"; the file name says "{name}".')
    for item in facts.corrections:
        if item.file not in {file.name for file in facts.files}:
            raise ConfigError(f"sources/{corrections.name}: {facts.id} has no file {item.file}.")
    return facts


def resolve_id(
    facts: Mapping[str, SourceFacts], source: str, release: str | None = None
) -> SourceFacts:
    """Return the facts that `source` (an id, a dataset, a dataset_version) and `release` name.

    Raises
    ------
    UsageError
        If there is no such source or release; the nearest known names are given.
    """
    if release is not None:
        for one in facts.values():
            if source in (one.dataset, one.id) and one.version == str(release):
                return one
        known = [one.version for one in facts.values() if one.dataset == source]
        raise UsageError(
            f'there is no release "{release}" of source "{source}". '
            + (nearest(str(release), known) if known else nearest(source, facts))
        )
    if source in facts:
        return facts[source]
    for one in facts.values():
        if source == one.alias:
            return one
    raise UsageError(f'there is no source "{source}". {nearest(source, facts)}')


ReadFunction = Callable[[Mapping[str, Path], SourceFacts], "dict[str, Rows]"]


@dataclass(frozen=True)
class Reader:
    """A data set's code: its `read` function, the columns of each table, and of odd files.

    `layouts` has the columns of a file (by its name) that isn't laid out like its table.
    """

    read: ReadFunction
    tables: Mapping[str, tuple[Column, ...]]
    module: str
    layouts: Mapping[str, tuple[Column, ...]]


_READERS: dict[str, Reader] = {}


def source(
    *ids: str,
    tables: Mapping[str, Iterable[Column]],
    layouts: Mapping[str, Iterable[Column]] | None = None,
) -> Callable[[ReadFunction], ReadFunction]:
    """Register the function that reads one or several releases of a data set.

    Parameters
    ----------
    *ids : str
        Source ids, each with its YAML.
    tables : mapping of table name to columns
        The schema of each table that the function returns.
    layouts : mapping of file name to columns, optional
        The columns of a file that isn't laid out like its table: a wide one, say.

    Returns
    -------
    callable
        A decorator for ``read(files, facts) -> {table: schema.Rows}``, where `files` maps the
        names in the YAML to paths.
    """

    def register(read: ReadFunction) -> ReadFunction:
        schemas = {name: tuple(columns) for name, columns in tables.items()}
        laid_out = {name: tuple(columns) for name, columns in (layouts or {}).items()}
        for one in ids:
            _READERS[one] = Reader(read, schemas, read.__module__, laid_out)
        return read

    return register


def reader(facts: SourceFacts) -> Reader:
    """Return the registered reader of a source, importing its module if need be.

    Raises
    ------
    ConfigError
        If no module registers the id.
    """
    if facts.id not in _READERS:
        _discover(facts.dataset)
    if facts.id not in _READERS:
        raise ConfigError(
            f'sources/{facts.id}.yaml: no reader is registered for "{facts.id}". Write '
            f'src/foedus/sources/datasets/{facts.dataset}.py with @source("{facts.id}", ...).'
        )
    return _READERS[facts.id]


def _discover(dataset: str) -> None:
    """Import the module named like the data set; else all of them, since a module may hold two."""
    package = importlib.import_module(DATASETS)
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    for name in [dataset] if dataset in names else names:
        importlib.import_module(f"{DATASETS}.{name}")


def project_facts(project: Project) -> dict[str, SourceFacts]:
    """Return the facts of all sources that a project knows: ours, and those of `source_dirs`.

    A user's folder holds ID.yaml for each source and a Python file whose function reads it,
    decorated with ``@fd.source("ID", ...)``.

    Raises
    ------
    ConfigError
        If a folder isn't there, a YAML breaks a rule, an id is taken, or a file can't be run.
    """
    facts = load_facts(project.config_dir)
    for named in project.config.source_dirs:
        folder = project.root / named
        if not folder.is_dir():
            raise ConfigError(f"config/config.yaml: source_dirs: {named} is not a folder.")
        theirs = _load(folder, _stamp(folder))
        for taken in facts.keys() & theirs.keys():
            raise ConfigError(f"{named}/{taken}.yaml: there is a source {taken} already.")
        facts.update(theirs)
        run_user_code(folder)
    return dict(sorted(facts.items()))


def as_dict(facts: SourceFacts) -> dict[str, Any]:
    """Return the facts as plain JSON-ready values, for ``foedus sources --json``."""
    return facts.model_dump(mode="json")
