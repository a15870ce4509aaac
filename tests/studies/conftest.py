"""A project with a toy study: twelve states, two toy covariates, tables made by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from foedus.config import Config, Project
from foedus.covariates import registry as covariates
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Option, covariate
from foedus.covariates.values import Rows, Values
from foedus.studies import measures
from foedus.studies.design import fingerprint
from foedus.studies.measures import MeasureContext, MeasureResult, MeasureRow, measure
from foedus.studies.published import OPTIONAL, REQUIRED
from foedus.studies.registry import Study, get_study

STATES = tuple(range(10, 130, 10))
YEARS = (1950, 1969)
UNIT = "directed-dyad-year"


@dataclass(frozen=True)
class Facts:
    id: str
    coverage: tuple[int, int] = (1816, 2016)


@dataclass
class HandmadeTables:
    """What the studies ask of Tables, with one real table: the state list."""

    missing: tuple[str, ...] = ()
    simulated: bool = False
    asked: list[str] = field(default_factory=list)

    def get(self, source: str, table: str, release: str | None = None) -> pl.DataFrame:
        self.asked.append(f"{source}/{table}")
        n = len(STATES)
        return pl.DataFrame(
            {
                "ccode": np.array(STATES, np.int32),
                "start": [date(1950, 1, 1)] * n,
                "end": [date(1969, 12, 31)] * n,
            }
        )

    def facts(self, source: str, release: str | None = None) -> Facts:
        return Facts(source if release is None else f"{source}_{release}")

    def coverage(self, source: str, release: str | None = None) -> tuple[int, int]:
        return YEARS if source == "cow_states" else (1950, 1964)

    def provenance(self, sources: Any) -> dict[str, Any]:
        return {
            name: {
                "version": "1",
                "edition": "original",
                "files": [{"name": f"{name}.csv", "sha256": "0" * 64}],
                "accepted_unpinned": False,
                "simulated": self.simulated,
            }
            for name in sources
        }


def _toy_columns(context: Context) -> dict[str, Values]:
    """Make an outcome that falls with treat (-1) and rises with x (+0.5), and what it hangs on."""
    n = context.spine.n_rows
    rng = np.random.default_rng(7)
    x, treat = rng.normal(size=n), (rng.random(n) < 0.4).astype(np.int8)
    noise = rng.random(n)
    index = -1.0 - 1.0 * treat + 0.5 * x
    outcome = (noise < 1 / (1 + np.exp(-index))).astype(np.int8)
    if context.options["coding"] == "strict":
        outcome = (outcome * (rng.random(n) < 0.5)).astype(np.int8)
    gaps = x.copy()
    gaps[rng.random(n) < 0.1] = np.nan
    never = np.zeros(n)
    return {
        "outcome": Rows(outcome),
        "treat": Rows(treat),
        "x": Rows(x),
        "gaps": Rows(gaps),
        "never": Rows(never),
    }


@pytest.fixture
def toys() -> Iterator[None]:
    """Register the toy covariates and measure for one test."""
    # Ours are imported before they are put aside: a module registers only once.
    covariates.registry()
    measures.measures()
    kept = dict(covariates._COVARIATES)
    kept_measures = dict(measures._MEASURES)
    columns = [
        ColumnSpec(name, "number", f"The toy {name}.", level="row", absent="missing")
        for name in ("outcome", "treat", "x", "gaps", "never")
    ]
    covariate(
        name="toy",
        title="Toy",
        columns=columns,
        sources=["cow_states"],
        citations=[],
        options={"coding": Option("loose", "How strict.", ("loose", "strict"))},
        units=(UNIT,),
    )(_toy_columns)
    covariate(
        name="short",
        title="A source that ends in 1964",
        columns=[ColumnSpec("value", "number", "One.", level="row", absent="missing")],
        sources=["short_source"],
        citations=[],
        units=(UNIT,),
    )(lambda context: {"value": Rows(np.ones(context.spine.n_rows))})

    @measure(
        "toy_rate",
        says="Share of rows with the outcome.",
        options={"fail": Option("no", "Fail.", ("no", "yes"))},
        terms=("rate", "gone"),
    )
    def toy_rate(context: MeasureContext) -> MeasureResult:
        assert context.panel is not None
        outcome = context.panel["outcome"]
        share, n = float(outcome.mean()), len(outcome)
        error = float(np.sqrt(share * (1 - share) / n))
        rows = [
            MeasureRow("rate", share, "share", error, n=n, how="binomial"),
            MeasureRow("rate", share, "share", 2 * error, n=n, how="doubled"),
            MeasureRow("gone", None, note="nobody counted it"),
        ]
        return MeasureResult(rows, plots={"rate": {"type": "bars"}}, sentences=["It was counted."])

    yield
    covariates._COVARIATES.clear()
    covariates._COVARIATES.update(kept)
    measures._MEASURES.clear()
    measures._MEASURES.update(kept_measures)


FORMULA = "outcome ~ treat + x"
TOY: dict[str, Any] = {
    "id": "toy_study",
    "cite": "toy_2000",
    "title": "A toy",
    "claims": ["deterrence"],
    "universe": {"unit": UNIT, "years": [1950, 1969]},
    "variables": {
        "outcome": {"from": "toy.outcome"},
        "treat": {"from": "toy.treat", "label": "Treated"},
        "x": {"from": "toy.x"},
        "late": {"expression": "year >= 1960"},
    },
    "sample": {"drop": {"extremes": "x > 2.5"}},
    "models": {
        "main": {
            "estimator": "logit",
            "formula": FORMULA,
            "covariance": ["classical", "cluster(dyad)", "dyadic"],
            "key": ["treat"],
        },
        "late": {
            "estimator": "probit",
            "formula": FORMULA,
            "years": [1960, 1969],
            "where": "ccode1 > 10",
        },
    },
    "measures": {"rate": {"measure": "toy_rate", "panel": True}},
    "effects": {
        "treatment": {
            "model": "main",
            "of": "treat",
            "at": "means where treat == 0",
            "as": "percent_change",
        }
    },
    "choices": {
        "coding": {"variables.outcome.coding": ["loose", "strict"]},
        "gaps": {"variables.x.from": ["toy.x", "toy.gaps"]},
        "extremes": {"sample.drop.extremes": ["x > 2.5", None]},
    },
}
PUBLISHED: list[dict[str, str]] = [
    {"term": "treat", "quantity": "coefficient", "estimate": "-0.95", "std_error": "0.10",
     "n_obs": "2640", "maps_to": "models.main.treat"},
    {"term": "treat", "quantity": "direction", "estimate": "-", "maps_to": "models.main.treat"},
    {"term": "n", "quantity": "count", "estimate": "2624", "maps_to": "models.main.n"},
    {"term": "share", "quantity": "percent", "estimate": "42.0", "n_obs": "2640",
     "maps_to": "sample.share(treat == 1)"},
    {"term": "effect", "quantity": "percent_change", "estimate": "-55",
     "maps_to": "effects.treatment"},
    {"term": "rate", "quantity": "rate_percent", "estimate": "19.9", "n_obs": "500",
     "maps_to": "measures.rate.rate"},
    {"term": "gone", "quantity": "value", "estimate": "3", "maps_to": "measures.rate.gone"},
    {"term": "other", "quantity": "value", "estimate": "3",
     "maps_to": "none: the article prints it for another sample"},
]  # fmt: skip


def published_text(rows: list[dict[str, str]]) -> str:
    """Rows as published.csv, with what is always the same filled in."""
    header = [*REQUIRED, *OPTIONAL]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, header, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({"table": "Table 1", "model": "1", "where_in_print": "p. 1", **row})
    return buffer.getvalue()


def write_study(
    folder: Path,
    content: dict[str, Any],
    rows: list[dict[str, str]] | None = None,
    stamp: str | None = None,
) -> Path:
    """Write a study's three files; the notes carry the right fingerprint unless told otherwise."""
    home = folder / content["id"]
    home.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(content, sort_keys=False)
    (home / "study.yaml").write_text(text, encoding="utf-8")
    (home / "published.csv").write_text(
        published_text(PUBLISHED if rows is None else rows), encoding="utf-8"
    )
    mark = stamp or fingerprint(yaml.safe_load(text))
    (home / "notes.md").write_text(f'---\ndesign: "{mark}"\n---\nNotes.\n', encoding="utf-8")
    return home


@pytest.fixture
def project(tmp_path: Path, toys: None) -> Project:
    """A project folder with the toy study."""
    root = tmp_path / "project"
    (root / "config" / "sources").mkdir(parents=True)
    (root / "config" / "references").mkdir()
    (root / "config" / "references" / "works.yaml").write_text(
        "toy_2000: {author: 'Toy, T.', title: A toy, year: 2000}\n", encoding="utf-8"
    )
    (root / "config" / "claims.yaml").write_text(
        "claims: [{id: deterrence, order: 1, title: D, sentence: S, estimate: E}]\n",
        encoding="utf-8",
    )
    write_study(root / "config" / "studies", TOY)
    return Project(root=root, config=Config(raw_dirs=()), data=tmp_path / "results")


@pytest.fixture
def study(project: Project) -> Study:
    """The toy study."""
    return get_study(project, "toy_study")


@pytest.fixture
def tables() -> Any:
    """The tables that the toy study reads."""
    return HandmadeTables()
