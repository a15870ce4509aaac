"""Tables of the report as CSV (all digits), LaTeX (booktabs) and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import escape

from foedus.report.inputs import Inputs, Study
from foedus.report.names import short_cite
from foedus.report.numbers import MINUS, MISSING, count, number, p_value, printed, rebuilt
from foedus.report.rows import Comparison, Estimate
from foedus.report.verdicts import VERDICTS, tally
from foedus.store import write_csv, write_text

SIMULATED = "SIMULATED: made from a simulated world, not from real data."
_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "≈": r"$\approx$", "×": r"$\times$",
    "÷": r"$\div$", MINUS: "$-$", MISSING: "---", "–": "--", "→": r"$\rightarrow$",
    "≥": r"$\geq$", "≤": r"$\leq$",
    **{sup: rf"$^{{{plain}}}$" for sup, plain in zip("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789", strict=True)},
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table to be shown, and its numbers with all digits.

    Attributes
    ----------
    head : tuple of str
        Column names; the first column is left-aligned, `left` more of them too.
    spans : tuple of (str, int)
        Headings above groups of columns, in order; empty text for none.
    rules : frozenset of int
        Rows above which a thin line stands.
    csv_head, csv_rows
        The same content for machines.
    """

    name: str
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    csv_head: tuple[str, ...]
    csv_rows: tuple[tuple[Any, ...], ...]
    notes: tuple[str, ...] = ()
    spans: tuple[tuple[str, int], ...] = ()
    rules: frozenset[int] = frozenset()
    left: int = 1


NO_COVARIANCE = ("", "none")


def covariances_of(rows: Sequence[Estimate] | Sequence[Comparison]) -> list[str]:
    """Return the covariances that occur, in order."""
    names = dict.fromkeys(row.covariance for row in rows)
    return [name for name in names if name not in NO_COVARIANCE]


def shown_covariances(study: Study) -> list[str]:
    """Return the covariances that get a column beside print: those of models, in order.

    How the standard error of a measure was had (binomial, bootstrap) differs by measure and is
    said beside the number instead.
    """
    models = [row for row in study.estimates if not row.is_measure]
    return covariances_of(models or ([] if study.estimates else study.comparison))


def published_table(inputs: Inputs, study: Study) -> Table | None:
    """Set published against rebuilt: a row a published number, a column a covariance."""
    leads = study.leads
    if not leads:
        return None
    names = shown_covariances(study)
    word = "Truth" if inputs.simulated else "Published"
    by_key = {(row.key, row.covariance): row for row in study.comparison}
    body = []
    for row in leads:
        others = [by_key.get((row.key, name)) for name in names]
        body.append(
            (
                study.label(row.term),
                " · ".join(part for part in (row.table, row.model) if part),
                row.quantity.replace("_", " "),
                _with_se(row.in_print, row.published_se),
                _with_own_se(row, names),
                *(number(other.rebuilt_se) if other else MISSING for other in others),
                count(row.n_published),
                count(row.n_rebuilt),
                row.verdict,
            )
        )
    fields = (
        "table", "model", "term", "quantity", "published", "published_se", "n_published", "rebuilt",
        "rebuilt_se", "rebuilt_p", "covariance", "n_rebuilt", "verdict", "lead", "where_in_print",
        "maps_to", "diagnosis",
    )  # fmt: skip
    return Table(
        name=f"{study.id}_published",
        caption=f"{short_cite(inputs, study)}: {word.lower()} against rebuilt",
        head=(
            "Term", "Where in print", "Quantity", f"{word} (SE)", "Rebuilt",
            *(f"SE {name}" for name in names), "N published", "N rebuilt", "Verdict",
        ),
        rows=tuple(body),
        csv_head=fields,
        csv_rows=tuple(
            tuple(_plain(getattr(row, name)) for name in fields) for row in study.comparison
        ),
        left=3,
    )  # fmt: skip


def _with_own_se(row: Comparison, names: Sequence[str]) -> str:
    text = rebuilt(row.rebuilt, row.quantity, row.published_text)
    if not row.rebuilt_se or row.covariance in names:
        return text
    return f"{text} ({number(row.rebuilt_se)})"


def _with_se(text: str, se: float | None) -> str:
    return text if se is None else f"{text} ({printed(se, 'coefficient')})"


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def model_table(inputs: Inputs, study: Study) -> Table | None:
    """Set all coefficients side by side: a column a model and covariance, (SE) below."""
    rows = [row for row in study.estimates if not row.is_measure]
    if not rows:
        return None
    columns = list(dict.fromkeys((row.model, row.covariance) for row in rows))
    terms = list(dict.fromkeys(row.term for row in rows))
    cells = {(row.term, row.model, row.covariance): row for row in rows}
    body: list[tuple[str, ...]] = []
    for term in terms:
        found = [cells.get((term, *column)) for column in columns]
        body.append((study.label(term), *(number(c.estimate) if c else "" for c in found)))
        body.append(("", *(_in_brackets(cell) for cell in found)))
    first = {
        column: next(r for r in rows if (r.model, r.covariance) == column) for column in columns
    }
    rule = len(body)
    ends = [
        ("N", *(count(first[column].n_obs) for column in columns)),
        ("Events", *(count(first[column].n_events) for column in columns)),
        ("Clusters", *(count(first[column].n_clusters) for column in columns)),
        ("Log-likelihood", *(number(first[column].loglik, 6) for column in columns)),
    ]
    fields = (
        "model", "unit", "estimator", "covariance", "term", "estimate", "std_error", "statistic",
        "p_value", "ci_low", "ci_high", "n_obs", "n_events", "n_clusters", "loglik",
    )  # fmt: skip
    spans = [("", 1)]
    for model in dict.fromkeys(model for model, _ in columns):
        estimator = next(row.estimator for row in rows if row.model == model)
        width = sum(1 for one, _ in columns if one == model)
        spans.append((f"{study.model_label(model)} ({estimator})", width))
    return Table(
        name=f"{study.id}_models",
        caption=f"{short_cite(inputs, study)}: rebuilt models under every covariance",
        head=("", *(covariance or "—" for _, covariance in columns)),
        rows=(*body, *_drop_empty(ends)),
        csv_head=fields,
        csv_rows=tuple(tuple(_plain(getattr(row, name)) for name in fields) for row in rows),
        notes=("Standard errors in parentheses under the covariance named above each column.",),
        spans=tuple(spans),
        rules=frozenset([rule]),
    )


def _in_brackets(row: Estimate | None) -> str:
    return "" if row is None or row.std_error is None else f"({number(row.std_error)})"


def _drop_empty(body: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Leave out rows of a statistic that no model has."""
    return [row for row in body if any(cell not in ("", MISSING) for cell in row[1:])]


def measure_table(inputs: Inputs, study: Study) -> Table | None:
    """List rates, exponents and other measures with their intervals."""
    rows = [row for row in study.estimates if row.is_measure]
    if not rows:
        return None
    fields = (
        "model",
        "term",
        "estimate",
        "std_error",
        "covariance",
        "ci_low",
        "ci_high",
        "p_value",
        "n_obs",
        "n_events",
    )
    return Table(
        name=f"{study.id}_measures",
        caption=f"{short_cite(inputs, study)}: rebuilt measures",
        head=("Measure", "Estimate", "SE", "95 % low", "95 % high", "N", "How the SE is had"),
        rows=tuple(
            (
                study.label(row.term), number(row.estimate), number(row.std_error),
                number(row.ci_low), number(row.ci_high), count(row.n_obs), row.covariance,
            )
            for row in rows
        ),
        csv_head=fields,
        csv_rows=tuple(tuple(_plain(getattr(row, name)) for name in fields) for row in rows),
    )  # fmt: skip


def record_tables(inputs: Inputs, study: Study) -> list[Table]:
    """Return the tables that a study's measures made (cases that two lists code otherwise, say)."""
    found = []
    for name, given in sorted(study.mapping("tables").items()):
        rows = [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []
        head = tuple(dict.fromkeys(str(key) for row in rows for key in row))
        if not head:
            continue
        values = tuple(tuple(row.get(key) for key in head) for row in rows)
        found.append(
            Table(
                name=f"{study.id}_{'_'.join(name.split())}",
                caption=f"{short_cite(inputs, study)}: {name.replace('_', ' ')}",
                head=tuple(key.replace("_", " ") for key in head),
                rows=tuple(tuple(_shown(value) for value in row) for row in values),
                csv_head=head,
                csv_rows=tuple(tuple(_plain(value) for value in row) for row in values),
                left=len(head),
            )
        )
    return found


def _shown(value: Any) -> str:
    """Return a value of a made table as text."""
    if value is None:
        return MISSING
    if isinstance(value, list | tuple):
        return "–".join(_shown(item) for item in value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return count(value) if float(value).is_integer() else number(value)


def choice_table(inputs: Inputs, study: Study) -> Table | None:
    """List every alternative of every choice, one at a time."""
    rows = [row for row in study.part("choices") if isinstance(row, dict)]
    if not rows:
        return None
    fields = (
        "choice",
        "alternative",
        "declared",
        "path",
        "model",
        "term",
        "estimate",
        "std_error",
        "p_value",
        "n_obs",
    )
    return Table(
        name=f"{study.id}_choices",
        caption=f"{short_cite(inputs, study)}: choices one at a time",
        head=("Choice", "Alternative", "Term", "Estimate", "SE", "p", "N"),
        rows=tuple(
            (
                str(row.get("choice", "")).replace("_", " "),
                str(row.get("alternative", "")) + (" (declared)" if row.get("declared") else ""),
                study.label(str(row.get("term", ""))), number(row.get("estimate")),
                number(row.get("std_error")), p_value(row.get("p_value")), count(row.get("n_obs")),
            )
            for row in rows
        ),
        csv_head=fields,
        csv_rows=tuple(tuple(_plain(row.get(name)) for name in fields) for row in rows),
        left=3,
    )  # fmt: skip


def verdict_table(inputs: Inputs) -> Table:
    """Count the verdicts on the published numbers of each study."""
    rows, raw = [], []
    for study in inputs.studies:
        found = tally(row.verdict for row in study.leads)
        counts = [number_of for _, number_of in found.counts]
        rows.append(
            (short_cite(inputs, study), *(str(n) if n else "" for n in counts), str(found.total))
        )
        raw.append((study.id, *counts, found.total))
    whole = tally(row.verdict for study in inputs.studies for row in study.leads)
    totals = [number_of for _, number_of in whole.counts]
    rows.append(("All", *(str(n) for n in totals), str(whole.total)))
    raw.append(("all", *totals, whole.total))
    names = tuple(verdict.name for verdict in VERDICTS)
    return Table(
        name="verdicts",
        caption="Verdicts on published numbers by study, under the declared covariance",
        head=("Study", *names, "all"),
        rows=tuple(rows),
        csv_head=("study", *(name.replace(" ", "_") for name in names), "total"),
        csv_rows=tuple(raw),
        rules=frozenset([len(rows) - 1]),
    )


def study_tables(inputs: Inputs, study: Study) -> list[Table]:
    """Return the tables of one study that it has the numbers for."""
    made = (
        published_table(inputs, study), model_table(inputs, study),
        measure_table(inputs, study), choice_table(inputs, study),
    )  # fmt: skip
    return [*(table for table in made if table is not None), *record_tables(inputs, study)]


def write_tables(tables: Sequence[Table], folder: Path, simulated: bool) -> list[Path]:
    """Write each table in its three formats."""
    paths: list[Path] = []
    for table in tables:
        base = folder / table.name
        extra = ((*table.csv_head, "data"), "simulated") if simulated else (table.csv_head, "")
        rows = [(*row, extra[1]) if simulated else row for row in table.csv_rows]
        write_csv(base.with_suffix(".csv"), extra[0], rows)
        write_text(base.with_suffix(".tex"), latex(table, simulated))
        write_text(base.with_suffix(".html"), html_page(table, simulated))
        paths.extend(base.with_suffix(ending) for ending in (".csv", ".tex", ".html"))
    return paths


def tex_escape(text: str) -> str:
    """Return a text that LaTeX prints as it stands."""
    return "".join(_TEX.get(letter, letter) for letter in text)


def latex(table: Table, simulated: bool) -> str:
    """Return a table as a booktabs tabular with caption, label and notes."""
    align = "l" * table.left + "r" * (len(table.head) - table.left)
    lines = [
        "% needs \\usepackage{booktabs}",
        "\\begin{table}",
        f"\\caption{{{tex_escape(table.caption)}}}",
        f"\\label{{tab:{table.name.replace('_', '-')}}}",
        f"\\begin{{tabular}}{{{align}}}",
        "\\toprule",
    ]
    if table.spans:
        spans = [
            f"\\multicolumn{{{width}}}{{c}}{{{tex_escape(text)}}}" for text, width in table.spans
        ]
        lines.append(" & ".join(spans) + r" \\")
    lines.append(" & ".join(tex_escape(name) for name in table.head) + r" \\")
    lines.append("\\midrule")
    for index, row in enumerate(table.rows):
        if index in table.rules:
            lines.append("\\midrule")
        lines.append(" & ".join(tex_escape(cell) for cell in row) + r" \\")
    lines.extend(["\\bottomrule", "\\end{tabular}"])
    for note in _notes(table, simulated):
        lines.append(f"\\par\\footnotesize {tex_escape(note)}")
    return "\n".join([*lines, "\\end{table}"]) + "\n"


def _notes(table: Table, simulated: bool) -> list[str]:
    return [*table.notes, *([SIMULATED] if simulated else [])]


_RULE = ' class="rule"'
_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;margin:1.5rem;color:#1b1f24;background:#fff}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}caption{text-align:left;"
    "font-weight:600;margin-bottom:.6rem}th,td{padding:.25rem .7rem;text-align:right;"
    "white-space:nowrap}th{border-bottom:1px solid #1b1f24}.l{text-align:left}"
    "thead tr:first-child th{border-top:2px solid #1b1f24}tbody tr:last-child td{border-bottom:"
    "2px solid #1b1f24}tr.rule td{border-top:1px solid #5b6470}.wrap{overflow-x:auto}"
)


def html_page(table: Table, simulated: bool) -> str:
    """Return a table as a page of its own."""
    notes = "".join(f"<p><small>{escape(note)}</small></p>" for note in _notes(table, simulated))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>{escape(table.caption)}</title><style>{_STYLE}</style></head>\n"
        f'<body><div class="wrap">\n{html_table(table)}\n</div>{notes}</body></html>\n'
    )


def html_table(table: Table) -> str:
    """Return a table as an HTML element."""
    lines = [f"<table><caption>{escape(table.caption)}</caption><thead>"]
    if table.spans:
        cells = "".join(
            f'<th colspan="{width}" scope="colgroup" style="text-align:center">{escape(text)}</th>'
            for text, width in table.spans
        )
        lines.append(f"<tr>{cells}</tr>")
    head = "".join(
        f'<th scope="col"{_left(table, place)}>{escape(name)}</th>'
        for place, name in enumerate(table.head)
    )
    lines.append(f"<tr>{head}</tr></thead><tbody>")
    for index, row in enumerate(table.rows):
        cells = "".join(
            f"<td{_left(table, place)}>{escape(cell)}</td>" for place, cell in enumerate(row)
        )
        lines.append(f"<tr{_RULE if index in table.rules else ''}>{cells}</tr>")
    lines.append("</tbody></table>")
    return "\n".join(lines)


def _left(table: Table, place: int) -> str:
    return ' class="l"' if place < table.left else ""
