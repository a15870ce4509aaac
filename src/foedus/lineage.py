"""What each step of the DAG is made from: source files, declarations, tables and our own modules.

Snakemake doesn't see package code, so each rule lists the modules that its command uses. They are
found by reading the import statements (also those inside functions) of the files in src/foedus,
without running anything. What is only found by name at run time (the module of a data set, of a
covariate, of a measure) is added from the registries.
"""

from __future__ import annotations

import ast
import functools
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import foedus
from foedus.config import TRUTH, Project

if TYPE_CHECKING:
    from foedus.covariates.registry import Covariate
    from foedus.sources.registry import SourceFacts
    from foedus.sources.resolve import FoundSource
    from foedus.studies.registry import Study

PACKAGE = Path(foedus.__file__).resolve().parent
DEFAULT_PANEL = "directed-dyad-year"
OTHER_SYSTEM = "gw_states"
# The list of all units, which imports each of them so that it registers.
_UNITS = "foedus.panels.units"
RECOVERY = tuple(Path("docs") / "recovery" / name for name in ("recovery.csv", "studies.csv"))
_FROM = re.compile(r"^([a-z0-9_]+)\.[A-Za-z0-9_]+$")
_NAMED_FILTERS = {"politically_relevant": ("contiguity", "major")}


def modules(*names: str) -> list[str]:
    """Return the files of modules and of everything in foedus that they import, at any depth.

    Parameters
    ----------
    *names : str
        Modules or packages, ``foedus.studies.run``.

    Returns
    -------
    list of str
        Paths relative to the current folder, sorted. A package stands for its ``__init__.py`` and
        for its templates.
    """
    seen = {one for name in names for one in closure(name)}
    files = {path for name in seen if (path := module_file(name))}
    files.update(path for name in seen for path in _assets(name))
    return sorted(os.path.relpath(path) for path in files)


@functools.cache
def closure(name: str) -> frozenset[str]:
    """Return a module's name and those of all modules of foedus that it imports, at any depth."""
    return _reached(name, imported_by)


def _reached(name: str, imports: Callable[[str], frozenset[str]]) -> frozenset[str]:
    """Return a module and what it leads to at any depth."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        if module_file(one) is None:
            raise ValueError(f"{one} is not a module of foedus")
        seen.add(one)
        waiting.extend(imports(one) - seen)
    return frozenset(seen)


@functools.cache
def module_file(name: str) -> Path | None:
    """Return the file of a module of foedus by its dotted name, or None if there is none."""
    first, *rest = name.split(".")
    if first != "foedus":
        return None
    place = PACKAGE.joinpath(*rest)
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if path.is_file():
            return path
    return None


@functools.cache
def _assets(name: str) -> tuple[Path, ...]:
    """Return what isn't Python in a package's folder: templates, styles."""
    path = module_file(name)
    if path is None or path.name != "__init__.py" or path.parent == PACKAGE:
        return ()
    return tuple(
        file
        for file in path.parent.rglob("*")
        # What Python and numba keep of a module differs from run to run, and says nothing more.
        if file.is_file()
        and file.suffix not in (".py", ".pyi")
        and file.parent.name != "__pycache__"
    )


@functools.cache
def imported_by(name: str) -> frozenset[str]:
    """Return the modules of foedus that a module's text imports, parents of packages included.

    Imports for type checkers alone are left out, as they never run; but not in a package's own
    ``__init__``, where they say what it loads by name when it is asked for.
    """
    path = module_file(name)
    assert path is not None
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in _read(path).imports:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        else:
            origin = _origin(node, package)
            found.add(origin)
            found.update(f"{origin}.{alias.name}" for alias in node.names)
    found.add(package)
    every = {parent for one in found for parent in _parents(one)}
    return frozenset(one for one in every if module_file(one) is not None)


@dataclass(frozen=True)
class _Text:
    """What a module's text says: its import statements that run, and its string constants."""

    imports: tuple[ast.Import | ast.ImportFrom, ...]
    strings: frozenset[str]


@functools.cache
def _read(path: Path) -> _Text:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports: list[ast.Import | ast.ImportFrom] = []
    strings: set[str] = set()
    for node in ast.walk(tree) if path.name == "__init__.py" else _running(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            strings.add(node.value)
    return _Text(tuple(imports), frozenset(strings))


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but those under ``if TYPE_CHECKING:``."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            waiting.extend(node.orelse)
        else:
            waiting.extend(ast.iter_child_nodes(node))


def _is_type_checking(test: ast.expr) -> bool:
    return "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))


def _origin(node: ast.ImportFrom, package: str) -> str:
    if node.level == 0:
        return node.module or ""
    base = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
    return f"{base}.{node.module}" if node.module else base


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts))]


def room(package: str) -> list[str]:
    """Return the dotted names of all modules in a package, one level deep."""
    home = module_file(package)
    assert home is not None
    names = sorted(path.stem for path in home.parent.glob("*.py") if path.name != "__init__.py")
    return [f"{package}.{name}" for name in names]


@dataclass(frozen=True)
class SourceStep:
    """Making the tables of one source.

    Attributes
    ----------
    id : str
    rule : str
        A name that Snakemake takes.
    raw : list of str
        The source files, where they were found.
    facts : list of str
        Its YAML and its corrections.
    tables : list of str
        Tables, relative to the results folder.
    code : list of str
        Files of the modules that read it.
    """

    id: str
    rule: str
    raw: list[str]
    facts: list[str]
    tables: list[str]
    code: list[str]


@dataclass(frozen=True)
class PanelStep:
    """Making the default panel: its covariates, the tables and declarations that it needs."""

    unit: str
    years: tuple[int, int]
    covariates: str
    tables: list[str]
    files: list[str]
    code: list[str]


@dataclass(frozen=True)
class StudyStep:
    """Estimating one study: its own files, the tables it needs, the modules it uses."""

    id: str
    files: list[str]
    tables: list[str]
    code: list[str]
    has_curve: bool


@dataclass(frozen=True)
class Plan:
    """The whole DAG as plain lists.

    Attributes
    ----------
    project : Project
    sources : dict of str to SourceStep
        Sources whose files were found.
    panel : PanelStep
    studies : dict of str to StudyStep
        Studies whose data were found.
    left_out : dict of str to list of str
        Studies that can't run, with the sources they lack.
    report : list of str
        Declarations that the report reads, and modules whose assumptions it lists.
    revision : str
        Git revision of the working copy, empty outside one.
    """

    project: Project
    sources: dict[str, SourceStep]
    panel: PanelStep
    studies: dict[str, StudyStep]
    left_out: dict[str, list[str]]
    report: list[str]
    revision: str


def plan(results: str = "results", root: Path | None = None) -> Plan:
    """Return what a run makes and from what, given the files that are here now.

    Parameters
    ----------
    results : str
        Folder of everything made.
    root : Path, optional
        The project; found from the current folder by default.
    """
    from foedus.api import open_project
    from foedus.sources.resolve import locate
    from foedus.studies.registry import load_studies

    project = open_project(root=root, data=Path(results), offline=True)
    found = locate(project)
    sources = {name: _source_step(project, one) for name, one in found.items() if one.usable}
    wanted = load_studies(project)
    if project.config.studies:
        wanted = {name: _chosen(wanted, name) for name in project.config.studies}
    studies, left_out = {}, {}
    for name, study in wanted.items():
        needed = study_sources(project, study)
        if lacking := sorted(set(needed) - set(sources)):
            left_out[name] = lacking
        else:
            studies[name] = _study_step(project, study, [sources[one] for one in needed])
    return Plan(
        project=project,
        sources=sources,
        panel=_panel_step(project, sources),
        studies=studies,
        left_out=left_out,
        report=_report_files(project),
        revision=git_revision(project.root),
    )


def _chosen(known: Mapping[str, Study], name: str) -> Study:
    from foedus.errors import ConfigError, nearest

    if name not in known:
        raise ConfigError(
            f'config/config.yaml: studies: "{name}" is not a study. {nearest(name, known)}'
        )
    return known[name]


def _source_step(project: Project, one: FoundSource) -> SourceStep:
    from foedus.sources.registry import CORRECTIONS, reader

    facts = one.facts
    homes = [project.config_dir / "sources"]
    homes += [project.root / folder for folder in project.config.source_dirs]
    declared = [home / f"{facts.id}{end}" for home in homes for end in (".yaml", CORRECTIONS)]
    return SourceStep(
        id=facts.id,
        rule="ingest_" + re.sub(r"\W", "_", facts.id),
        raw=[str(path) for path in one.paths().values()],
        facts=_here(path for path in declared if path.is_file()),
        tables=[f"tables/{facts.id}/{name}.parquet" for name in facts.tables],
        code=_reading(reader(facts).module),
    )


def _reading(module: str) -> list[str]:
    """Return the files of the code that reads a source; a user's module is its own file."""
    from foedus.sources.user_code import file_of

    theirs = file_of(module)
    if theirs is None:
        return modules("foedus.sources.ingest", module)
    return sorted([*modules("foedus.sources.ingest"), *_here([theirs])])


def _panel_step(project: Project, sources: Mapping[str, SourceStep]) -> PanelStep:
    from foedus.covariates.registry import for_unit
    from foedus.panels.units import get_unit

    unit = get_unit(DEFAULT_PANEL)
    every = for_unit(unit.name, unit.keys)
    fitting = _panel_covariates(project, every)
    needs = {name: one.sources_said(set()) for name, one in fitting.items()}
    usable = {name: one for name, one in fitting.items() if needs[name] <= set(sources)}
    needed = {*unit.sources, *(source for name in usable for source in needs[name])}
    return PanelStep(
        unit=unit.name,
        years=project.config.years,
        covariates="all" if usable.keys() == _by_default(every).keys() else ",".join(usable),
        tables=[table for name in sorted(needed & set(sources)) for table in sources[name].tables],
        files=_covariate_files(project, usable),
        code=modules(
            "foedus.covariates.assemble",
            "foedus.covariates.export",
            *map(_home, usable.values()),
        ),
    )


def _by_default(every: Mapping[str, Covariate]) -> dict[str, Covariate]:
    """Return what `foedus panel --covariates all` takes."""
    return {name: one for name, one in every.items() if not one.on_request}


def _panel_covariates(project: Project, every: Mapping[str, Covariate]) -> dict[str, Covariate]:
    """Return the default panel's covariates: those that the config lists, and a user's own.

    Raises
    ------
    ConfigError
        If the config names one that the unit doesn't take.
    """
    from foedus.errors import ConfigError, nearest

    asked = project.config.panel.covariates
    if asked == "all":
        return _by_default(every)
    for name in asked:
        if name not in every:
            raise ConfigError(
                f'config/config.yaml: panel: covariates: "{name}" is no covariate of '
                f"{DEFAULT_PANEL}. {nearest(name, every)}"
            )
    return {
        name: one for name, one in every.items() if name in asked or module_file(one.module) is None
    }


def _study_step(project: Project, study: Study, sources: list[SourceStep]) -> StudyStep:
    covariates = study_covariates(study)
    measures = [entry.module for entry in _measures(study)]
    files = sorted(path for path in study.folder.iterdir() if path.is_file())
    if project.world is not None:
        files.append(project.world / TRUTH)
    return StudyStep(
        id=study.id,
        files=_here(files) + _covariate_files(project, covariates),
        tables=[table for step in sources for table in step.tables],
        code=modules("foedus.studies.curve", *measures, *map(_home, covariates.values())),
        has_curve=bool(study.design.choices),
    )


def study_covariates(study: Study) -> dict[str, Covariate]:
    """Return the covariates that a study names, in its design or in any alternative of a choice."""
    from foedus.covariates.registry import registry
    from foedus.studies.subsets import unasked_covariates

    known = registry()
    named: set[str] = set()
    for text in scalars(study.raw):
        if match := _FROM.match(text):
            named.add(match.group(1))
        named.update(_NAMED_FILTERS.get(text, ()))
    named.update(unasked_covariates(study.design))
    return {name: known[name] for name in sorted(named & set(known))}


def study_sources(project: Project, study: Study) -> list[str]:
    """Return the ids of the sources whose tables a study reads, in any alternative of its choices.

    The current release of each data set that its unit, covariates and measures use, and an older
    one where the study's text names its version.
    """
    from foedus.panels.units import get_unit
    from foedus.sources.registry import project_facts, resolve_id
    from foedus.studies.ground import split_table

    facts = project_facts(project)
    said = set(scalars(study.raw))
    datasets = {
        name for entry in study_covariates(study).values() for name in entry.sources_said(said)
    }
    for unit in study.design.units:
        datasets.update(get_unit(unit).sources)
    for table in study.design.tables:
        datasets.add(resolve_id(facts, split_table(table)[0]).dataset)
    for entry in _measures(study):
        datasets.update(_sources_in_code(entry.module, facts))
    if study.design.universe is None or study.design.universe.system != "gw":
        # Measures import what builds either system of states; they read COW's.
        datasets.discard(OTHER_SYSTEM)
    return [
        one.id
        for one in facts.values()
        if one.id in datasets
        or (one.dataset in datasets and said & {one.version, one.id, one.alias})
    ]


def _measures(study: Study) -> list[Any]:
    from foedus.studies.measures import get_measure

    return [get_measure(spec.measure) for spec in study.design.measures.values()]


def _sources_in_code(module: str, facts: Mapping[str, SourceFacts]) -> set[str]:
    """Return the sources that a measure's code names, in its module and the helpers it imports.

    Modules to which only the list of all units leads aren't among the helpers: a study reads the
    sources of its own unit alone, and the unit names them.
    """
    home = f"{PACKAGE / 'sources'}{os.sep}"
    paths = [path for name in _helpers(module) if (path := module_file(name))]
    found = {
        text for path in paths if not str(path).startswith(home) for text in _read(path).strings
    }
    named = {one.id: {one.id, one.alias} for one in facts.values()}
    return {name for name, spellings in named.items() if spellings & found}


@functools.cache
def _helpers(name: str) -> frozenset[str]:
    """Return a module and what it imports at any depth, but for what only `_UNITS` lists."""
    return _reached(name, _own_imports)


def _own_imports(name: str) -> frozenset[str]:
    further = imported_by(name)
    if name != _UNITS:
        return further
    return frozenset(one for one in further if not one.endswith(("_unit", "_units")))


def scalars(content: Any) -> Iterator[str]:
    """Yield every scalar of parsed YAML as text, keys included, at any depth."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield str(key)
            yield from scalars(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from scalars(value)
    elif content is not None:
        yield str(content)


def _home(entry: Covariate) -> str:
    """Return the module of a covariate; one declared in a YAML is built by `user_files`."""
    return entry.module if module_file(entry.module) else "foedus.covariates.user_files"


def _covariate_files(project: Project, covariates: Mapping[str, object]) -> list[str]:
    """Return the YAMLs of those covariates that are declared in one, and their data files."""
    from foedus.config import read_yaml

    homes = [project.root / "config" / "covariates"]
    homes += [project.root / folder for folder in project.config.covariate_dirs]
    files: list[Path] = []
    for path in (path for home in homes for path in sorted(home.glob("*.yaml"))):
        declared = read_yaml(path)
        if declared["name"] in covariates:
            files += [path, path.parent / declared["file"]]
    # Which of a user's Python files makes a covariate is known only when they have run.
    files += [path for home in homes for path in sorted(home.glob("*.py"))]
    return _here(files)


def _report_files(project: Project) -> list[str]:
    """Return the declarations that the report shows, and the modules whose ASSUME it lists."""
    config = project.config_dir
    files = [*config.glob("references/*.yaml"), *config.glob("sources/*.yaml")]
    assuming = [path for path in PACKAGE.rglob("*.py") if "ASSUME:" in path.read_text("utf-8")]
    stored = [path for path in (project.root / one for one in RECOVERY) if path.is_file()]
    return _here([*sorted(files), *sorted(config.glob("*.yaml")), *sorted(assuming), *stored])


def _here(paths: Iterable[Path]) -> list[str]:
    return [os.path.relpath(path) for path in paths]


def git_revision(root: Path) -> str:
    """Return the git revision of a working copy, empty where there is none."""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
