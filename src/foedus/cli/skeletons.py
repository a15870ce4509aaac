"""Filled-in skeletons: what `foedus new` writes, ready to run and to be changed."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from foedus.errors import InputError

COVARIATE = '''"""Total population on a log scale (a skeleton: say here what yours is)."""

from __future__ import annotations

import numpy as np

from foedus.covariates.context import Context
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import StateYears, Values


@covariate(
    name="{name}",
    title="Total population, natural logarithm",
    columns=[
        ColumnSpec(
            "{name}",
            "number",
            "Natural logarithm of total population (NMC tpop); missing where NMC has none or 0.",
            unit="log thousands",
            level="state",
            absent="missing",
        )
    ],
    sources=["cow_nmc"],
    citations=["singer_etal_1972"],
    examples=[
        Example(
            "The United States in 1816, with 8,659 thousand people.",
            {{"ccode": 2, "year": 1816}},
            {{"{name}": 9.06635}},
            unit="state-year",
        )
    ],
)
def {name}(context: Context) -> dict[str, Values]:
    """Make `{name}`, a state-level column (in dyads it takes the suffix 1 or 2)."""
    people = capability_cube(context, "tpop")
    with np.errstate(divide="ignore", invalid="ignore"):
        logged = np.where(people > 0, np.log(people), np.nan)
    return {{"{name}": StateYears(logged)}}
'''

COVARIATE_TEST = '''"""What {name} is, on a case small enough to check by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from foedus.covariates.{name} import {name}


def test_log_of_population_and_missing_where_there_is_none() -> None:
    people = np.array([[100.0, 0.0, np.nan]])  # one state, three years
    context = SimpleNamespace(shared=lambda key, make: people, options={{}})
    made = cast(Any, {name}(cast(Any, context))["{name}"]).data
    assert made[0, 0] == math.log(100.0)
    assert np.isnan(made[0, 1:]).all()
'''

SOURCE_YAML = """id: {name}
dataset: {name}
version: "1.0"
title: "{name} (say what it is)"
edition: original
coverage: [{first}, {last}]
citation: [{name}]
terms: "say under which terms its makers give it"
obtained_from: "say where the copy came from"
files:
  - name: "{file}"
    sha256: {sha256}
    bytes: {bytes}
    rows: {rows}
    encoding: {encoding}
    line_end: {line_end}
    final_line_end: {final_line_end}
tables:
  rows: {{rows: {rows}, key: [{key}], description: "One row of the file"}}
quirks: []
"""

REFERENCE = """{name}:
  type: misc
  author: "Family, Given"
  title: "{name} (say what it is)"
  year: 2000
"""

SOURCE = '''"""{name}: say in one line what the data set is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

ROWS = (
{columns}
)


@source("{name}", tables={{"rows": ROWS}})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the file as it is; ranges, codes and missing values are checked by the schema."""
    return {{"rows": read_table(files, facts, "{file}", ROWS)}}
'''

SOURCE_TEST = '''"""{name} reads as pinned, and stops at a broken file."""

from __future__ import annotations

from pathlib import Path

import pytest

from foedus.config import find_root, load_project
from foedus.errors import SourceError
from foedus.sources.registry import reader
from foedus.sources.resolve import locate


def test_reads_the_pinned_file(tmp_path: Path) -> None:
    project = load_project(root=find_root(Path(__file__).parent), data=tmp_path)
    found = locate(project, ["{name}"])["{name}"]
    if not found.usable:
        pytest.skip("the file isn't here")
    table = reader(found.facts).read(found.paths(), found.facts)["rows"]
    assert table.frame.height == found.facts.tables["rows"].rows


def test_a_lost_column_stops(tmp_path: Path) -> None:
    project = load_project(root=find_root(Path(__file__).parent), data=tmp_path)
    facts = locate(project, ["{name}"])["{name}"].facts
    broken = tmp_path / "{file}"
    broken.write_text("other\\n1\\n", encoding="utf-8", newline="")
    with pytest.raises(SourceError):
        reader(facts).read({{"{file}": broken}}, facts)
'''

STUDY = """id: {name}
cite: [{cite}]
title: "{name} (say what is rebuilt)"
claims: [{claim}]
universe:
  unit: directed-dyad-year        # 1 = potential challenger, 2 = target
  years: [1946, 1960]
variables:
  dispute: {{from: mid.mid_initiated, label: "Dispute initiated"}}
  target_pact: {{from: atop_third_party.target_defense, label: "Target has a defence pact"}}
  contiguous: {{from: contiguity.contiguous, label: "Contiguous"}}
models:
  main:
    title: "Logit"
    estimator: logit
    formula: dispute ~ target_pact + contiguous
    covariance: [cluster(dyad), dyadic]
    key: [target_pact]
choices:
  sample:
    says: "Which dyads are at risk"
    sets: {{universe.where: [all, "contiguous == 1"]}}
headline:
  - {{model: main, term: target_pact, expects: -1}}
assumptions:
  - "Say here, a sentence each, what had to be assumed."
"""

PUBLISHED = """table,model,term,quantity,estimate,std_error,n_obs,where_in_print,maps_to
1,main,target_pact,direction,-,,,"p. 1, Table 1",models.main.target_pact
"""

NOTES = """---
design: {fingerprint}
---

What the article says, what it leaves open, what was assumed and why. A paragraph each.

The rebuilt coefficient of a target's defence pact is {{{{ est("main", "target_pact") }}}}.
"""

STUDY_TEST = '''"""{name} is a valid study."""

from __future__ import annotations

from pathlib import Path

from foedus.config import find_root, load_project
from foedus.studies.check import check_study
from foedus.studies.registry import get_study


def test_valid(tmp_path: Path) -> None:
    project = load_project(root=find_root(Path(__file__).parent), data=tmp_path)
    assert check_study(project, get_study(project, "{name}")) == []
'''

EXAMPLE_FILE = "ccode,year,value\n2,1900,1.5\n2,1901,2.5\n20,1900,\n"


@dataclass(frozen=True)
class Facts:
    """What a delimited file shows of itself.

    Attributes
    ----------
    columns : dict of str to str
        Header to type (int32, float64 or text).
    key : tuple of str
        The first columns that together tell the rows apart.
    years : tuple of int
        Least and greatest value of a column called year, else 1816 and 2020.
    """

    encoding: str
    line_end: str
    final_line_end: bool
    rows: int
    columns: dict[str, str]
    key: tuple[str, ...]
    years: tuple[int, int]


def look_at(path: Path) -> Facts:
    """Read a delimited file's own facts.

    Raises
    ------
    InputError
        If it isn't text with a header and at least one row.
    """
    content = path.read_bytes()
    encoding = "utf-8"
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        encoding, text = "cp1252", content.decode("cp1252", errors="replace")
    line_end = "crlf" if "\r\n" in text else "cr" if "\r" in text else "lf"
    rows = list(csv.reader(io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n"))))
    rows = [row for row in rows if row]
    if len(rows) < 2 or any(len(row) != len(rows[0]) for row in rows):
        raise InputError(
            f"{path}: not a table with commas, a header and rows of one length. Write the YAML and "
            "the module by hand, after the example of another source."
        )
    header, *records = rows
    values = {name: [row[place] for row in records] for place, name in enumerate(header)}
    years = [int(value) for value in values.get("year", ()) if value.isdigit()]
    return Facts(
        encoding=encoding,
        line_end=line_end,
        final_line_end=text.endswith(("\n", "\r")),
        rows=len(records),
        columns={name: _kind(found) for name, found in values.items()},
        key=_key(header, values),
        years=(min(years), max(years)) if years else (1816, 2020),
    )


def _kind(values: list[str]) -> str:
    known = [value for value in values if value != ""]
    for kind, read in (("int32", int), ("float64", float)):
        try:
            for value in known:
                read(value)
        except ValueError:
            continue
        if known:
            return kind
    return "text"


def _key(header: list[str], values: dict[str, list[str]]) -> tuple[str, ...]:
    for count in range(1, len(header) + 1):
        chosen = tuple(header[:count])
        rows = list(zip(*(values[name] for name in chosen), strict=True))
        if len(set(rows)) == len(rows):
            return chosen
    return tuple(header)


def column_lines(facts: Facts) -> str:
    """Return the schema's columns as Python text."""
    lines = []
    for name, kind in facts.columns.items():
        required = ", required=True" if name in facts.key else ""
        lines.append(f'    Column("{name}", "{kind}", "Say what {name} is"{required}),')
    return "\n".join(lines)
