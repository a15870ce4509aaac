"""Read everything the report shows: result files, the studies' words, facts of sources, works."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import foedus
from foedus.config import Project, read_text, read_yaml
from foedus.errors import InputError, MissingDataError
from foedus.references import Reference, load_references
from foedus.report.assume import Assumption, collect_assumptions
from foedus.report.claims import Claim, load_claims
from foedus.report.names import short_names
from foedus.report.rows import Comparison, Estimate
from foedus.sources.registry import SourceFacts, project_facts
from foedus.store import read_json, read_parquet, table_metadata

_CURVE_NUMBERS = (
    "model", "term", "estimate", "std_error", "p_value", "n_obs", "declared", "ci_low", "ci_high",
    "study", "claim", "covariance", "estimator", "specification", "n_events", "statistic", "note",
    "n_clusters", "loglik", "unit", "error", "failed",
)  # fmt: skip
"""Columns of curves/<id>.parquet that are no choice."""


@dataclass(frozen=True)
class Curve:
    """A specification curve: one row a specification, and which columns are choices."""

    rows: tuple[Mapping[str, Any], ...]
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Study:
    """Everything known about one study that has results.

    Attributes
    ----------
    page : mapping
        studies/<id>.json; empty when the study didn't write one.
    declared : mapping
        study.yaml as it stands; empty when it isn't found.
    notes : str
        notes.md without its front matter.
    comparison : tuple of Comparison
        One row a published number and covariance; `leads` are those under the declared one.
    portraits : tuple of mapping
        Points of the figures of its leading models (studies/<id>_portraits.parquet).
    """

    id: str
    page: Mapping[str, Any]
    declared: Mapping[str, Any]
    notes: str
    notes_origin: str
    estimates: tuple[Estimate, ...]
    comparison: tuple[Comparison, ...]
    curve: Curve | None
    portraits: tuple[Mapping[str, Any], ...] = ()

    @property
    def title(self) -> str:
        """Title of the study, else its id."""
        return str(self.page.get("title") or self.declared.get("title") or self.id)

    @property
    def cite(self) -> tuple[str, ...]:
        """Keys of the works that the study rebuilds."""
        return _words(self.page.get("cite") or self.declared.get("cite"))

    @property
    def claims(self) -> tuple[str, ...]:
        """Claims it bears on, as declared, else as its estimates say."""
        named = _words(self.page.get("claims") or self.declared.get("claims"))
        if named:
            return named
        found = (part for row in self.estimates for part in row.claim.replace(";", ",").split(","))
        return tuple(dict.fromkeys(part.strip() for part in found if part.strip()))

    @property
    def unit(self) -> str:
        """Unit of analysis."""
        universe = self.declared.get("universe")
        named = universe.get("unit") if isinstance(universe, dict) else None
        first = next((row.unit for row in self.estimates if row.unit), "")
        return str(self.page.get("unit") or named or first)

    @property
    def years(self) -> tuple[int, int] | None:
        """First and last year of its universe."""
        universe = self.declared.get("universe")
        given = self.page.get("years") or (
            universe.get("years") if isinstance(universe, dict) else None
        )
        if isinstance(given, list | tuple) and len(given) == 2:
            return int(given[0]), int(given[1])
        return None

    @property
    def leads(self) -> tuple[Comparison, ...]:
        """The comparison under the declared covariance: one row a published number."""
        first: dict[tuple[str, ...], Comparison] = {}
        for row in self.comparison:
            held = first.get(row.key)
            if held is None or (row.lead and not held.lead):
                first[row.key] = row
        return tuple(first.values())

    def part(self, name: str) -> list[Any]:
        """Return a list of studies/<id>.json, empty when it isn't there."""
        value = self.page.get(name)
        return list(value) if isinstance(value, list | tuple) else []

    def mapping(self, name: str) -> dict[str, Any]:
        """Return a mapping of studies/<id>.json, empty when it isn't there."""
        value = self.page.get(name)
        return dict(value) if isinstance(value, dict) else {}

    def label(self, term: str) -> str:
        """Return a term in words."""
        named = self.mapping("labels").get(term)
        return str(
            named or next((r.label for r in self.estimates if r.term == term and r.label), term)
        )

    def model_label(self, model: str) -> str:
        """Return a model's name in words."""
        return str(self.mapping("model_labels").get(model) or model)

    def rows_of(self, model: str, term: str) -> list[Estimate]:
        """Return a term's estimates, one a covariance, in the order of the file."""
        return [row for row in self.estimates if (row.model, row.term) == (model, term)]

    @property
    def models(self) -> list[str]:
        """Models with coefficients, in order."""
        return list(dict.fromkeys(row.model for row in self.estimates if not row.is_measure))

    @property
    def key_terms(self) -> list[tuple[str, str]]:
        """Terms the study is about: its headline, else `key` of each model in study.yaml."""
        named = [
            (str(item.get("model", "")), str(item.get("term", "")))
            for item in self.part("headline")
            if isinstance(item, dict)
        ]
        models = self.declared.get("models")
        if not named and isinstance(models, dict):
            for model, content in models.items():
                keys = _words(content.get("key")) if isinstance(content, dict) else ()
                named.extend((str(model), term) for term in keys)
        known = {(row.model, row.term) for row in self.estimates}
        return [pair for pair in dict.fromkeys(named) if pair in known]


@dataclass(frozen=True)
class Inputs:
    """Everything the report is made of.

    Attributes
    ----------
    names : mapping
        "state" and "war", each number (as text) to its name, as far as the tables are there.
    """

    project: Project
    claims: Mapping[str, Claim]
    studies: tuple[Study, ...]
    works: Mapping[str, Reference]
    facts: Mapping[str, SourceFacts]
    provenance: Mapping[str, Any]
    assumptions: tuple[Assumption, ...]
    panels: tuple[Mapping[str, Any], ...]
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether anything shown comes from the simulated world."""
        return bool(self.provenance.get("simulated")) or any(
            study.page.get("simulated") for study in self.studies
        )

    @cached_property
    def short_names(self) -> Mapping[str, str]:
        """What each study is called in running text, by its id."""
        return short_names(self)

    def of_claim(self, claim: str) -> list[Study]:
        """Return the studies that bear on a claim."""
        return [study for study in self.studies if claim in study.claims]

    @property
    def claims_met(self) -> list[Claim]:
        """Claims that at least one study bears on, in order."""
        return [claim for claim in self.claims.values() if self.of_claim(claim.id)]

    @property
    def sources_used(self) -> list[dict[str, Any]]:
        """Source files as provenance.json lists them, sorted."""
        listed = self.provenance.get("sources")
        if isinstance(listed, dict):
            listed = [
                {"id": key, **(item if isinstance(item, dict) else {})}
                for key, item in listed.items()
            ]
        rows = [dict(item) for item in listed or () if isinstance(item, dict)]
        return sorted(rows, key=lambda row: (str(row.get("id", "")), str(row.get("file", ""))))


def read_inputs(project: Project) -> Inputs:
    """Read results and config of a project.

    Raises
    ------
    MissingDataError
        If nothing has been estimated yet.
    InputError
        If a result file can't be read.
    """
    estimates = [Estimate.of(row) for row in _collected(project, "estimates")]
    comparison = [Comparison.of(row) for row in _collected(project, "comparison")]
    if not estimates and not comparison:
        raise MissingDataError(
            "there are no results to report: estimates.parquet and comparison.parquet hold no row. "
            "Run `foedus study run --all` first (or `make report`)."
        )
    claims = load_claims(project.config_dir)
    ids = sorted({row.study for row in estimates} | {row.study for row in comparison})
    studies = [_read_study(project, one, estimates, comparison) for one in ids]
    order = {claim: place for place, claim in enumerate(claims)}
    studies.sort(key=lambda one: (min((order.get(c, 99) for c in one.claims), default=99), one.id))
    return Inputs(
        project=project,
        claims=claims,
        studies=tuple(studies),
        works=load_references(project.config_dir),
        facts=project_facts(project),
        provenance=_read_mapping(project.data / "provenance.json"),
        assumptions=tuple(collect_assumptions(Path(foedus.__file__).resolve().parent)),
        panels=tuple(_read_panels(project.data / "panels")),
        names=_read_names(project.data / "tables"),
    )


def _collected(project: Project, name: str) -> list[dict[str, Any]]:
    """Return the rows of a collected file, else of the studies' own files."""
    whole = project.data / f"{name}.parquet"
    paths = [whole] if whole.is_file() else sorted((project.data / name).glob("*.parquet"))
    rows: list[dict[str, Any]] = []
    for path in paths:
        rows.extend(read_parquet(path).to_pylist())
    return rows


def _read_study(
    project: Project, study: str, estimates: Iterable[Estimate], comparison: Iterable[Comparison]
) -> Study:
    folder = _study_folder(project, study)
    notes = folder / "notes.md" if folder else None
    has_yaml = folder is not None and (folder / "study.yaml").is_file()
    declared = read_yaml(folder / "study.yaml") if folder is not None and has_yaml else {}
    text = read_text(notes) if notes is not None and notes.is_file() else ""
    return Study(
        id=study,
        page=_read_mapping(project.data / "studies" / f"{study}.json"),
        declared=declared if isinstance(declared, dict) else {},
        notes=without_front_matter(text),
        notes_origin=f"studies/{study}/notes.md",
        estimates=tuple(row for row in estimates if row.study == study),
        comparison=tuple(row for row in comparison if row.study == study),
        curve=_read_curve(project.data / "curves" / f"{study}.parquet"),
        portraits=tuple(_rows(project.data / "studies" / f"{study}_portraits.parquet")),
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    return read_parquet(path).to_pylist() if path.is_file() else []


_NAMED = {
    "state": ("cow_states/states.parquet", "ccode", "statenme"),
    "war": ("cow_interstate_wars/participants.parquet", "warnum", "warname"),
}


def _read_names(tables: Path) -> dict[str, dict[str, str]]:
    """Return the names of states and wars by number; of several, the last."""
    found: dict[str, dict[str, str]] = {}
    for what, (file, number, name) in _NAMED.items():
        rows = _rows(tables / file)
        found[what] = {str(row[number]): str(row[name]) for row in rows if row.get(name)}
    return found


def _study_folder(project: Project, study: str) -> Path | None:
    homes = [project.config_dir / "studies"]
    homes.extend(project.root / folder for folder in project.config.study_dirs)
    for home in homes:
        for folder in (home / study, home):
            if (folder / "study.yaml").is_file() and (folder.name == study):
                return folder
    return None


def without_front_matter(text: str) -> str:
    """Drop a leading YAML block between two lines of three dashes, keeping line numbers."""
    lines = text.splitlines()
    if lines and lines[0].strip() == "---":
        for index, line in enumerate(lines[1:], start=1):
            if line.strip() == "---":
                return "\n" * (index + 1) + "\n".join(lines[index + 1 :]) + "\n"
    return text


def _read_mapping(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    content = read_json(path)
    if not isinstance(content, dict):
        raise InputError(f"{path.name}: expected a JSON object. Delete it and run again.")
    return content


def _read_curve(path: Path) -> Curve | None:
    if not path.is_file():
        return None
    table = read_parquet(path)
    rows = [row for row in table.to_pylist() if isinstance(row.get("estimate"), float)]
    kept = tuple(row for row in rows if row["estimate"] == row["estimate"])
    names = tuple(name for name in table.column_names if name not in _CURVE_NUMBERS)
    return Curve(kept, names) if kept else None


def _read_panels(folder: Path) -> list[dict[str, Any]]:
    """Return name, rows, columns and metadata of each panel without reading its data."""
    import pyarrow.parquet as pq

    found = []
    for path in sorted(folder.glob("*.parquet")):
        try:
            head = pq.read_metadata(path)
        except (OSError, ValueError) as error:
            raise InputError(f"panels/{path.name}: not a readable parquet file.") from error
        schema = head.schema.to_arrow_schema()
        codebook = path.with_suffix(".codebook.html")
        found.append(
            {
                "name": path.stem,
                "file": path.name,
                "rows": head.num_rows,
                "columns": head.num_columns,
                "codebook": codebook.name if codebook.is_file() else "",
                "metadata": table_metadata(schema),
            }
        )
    return found


def _words(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(item) for item in value)
