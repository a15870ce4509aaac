"""Results as tidy rows and as side-by-side tables: text, Markdown, LaTeX, HTML, CSV.

A table shows what it rests on: which covariance made its standard errors, with what small-sample
rule and how many clusters, rows and events used, rows lost and why.
"""

from __future__ import annotations

import csv
import html
import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from foedus.errors import UsageError, nearest
from foedus.models.result import LEVEL, Result

if TYPE_CHECKING:
    import pandas as pd

STARS = {0.05: "*", 0.01: "**", 0.001: "***"}
BELOW = ("std_error", "ci", "p_value", "statistic", "none")
FORMATS = ("text", "md", "tex", "html", "csv")
NO_NUMBER = "n/a"

Results = Result | Sequence[Result] | Mapping[str, Result]


@dataclass(frozen=True, slots=True)
class ModelTable:
    """A table of models side by side.

    Attributes
    ----------
    columns : tuple of str
        The models' names.
    body : tuple of (label, cells)
        Estimates and what stands below them; the label is empty on the lower lines.
    summary : tuple of (label, cells)
        Observations, events, log-likelihood and so on.
    notes : tuple of str
        What the table rests on.
    title : str
        A caption, or "".
    """

    columns: tuple[str, ...]
    body: tuple[tuple[str, tuple[str, ...]], ...]
    summary: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[str, ...]
    title: str = ""

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()

    def render(self, kind: str) -> str:
        """Return the table as text, md, tex, html or csv."""
        makers: dict[str, Callable[[], str]] = {
            "text": self.to_text, "md": self.to_markdown, "tex": self.to_latex,
            "html": self.to_html, "csv": self.to_csv,
        }  # fmt: skip
        if kind not in makers:
            raise UsageError(f'"{kind}" is no kind of table. {nearest(kind, makers)}')
        return makers[kind]()

    def to_text(self) -> str:
        """Return aligned plain text."""
        rows = [("", self.columns), *self.body, *self.summary]
        widths = [max(len(label) for label, _ in rows)]
        widths += [max(len(cells[j]) for _, cells in rows) for j in range(len(self.columns))]

        def line(label: str, cells: Sequence[str]) -> str:
            parts = [label.ljust(widths[0])]
            parts += [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
            return "  ".join(parts).rstrip()

        rule = "-" * (sum(widths) + 2 * len(self.columns))
        lines = [self.title] if self.title else []
        lines += [line("", self.columns), rule]
        lines += [line(*row) for row in self.body]
        lines += [rule, *(line(*row) for row in self.summary), rule, *self.notes]
        return "\n".join(lines) + "\n"

    def to_markdown(self) -> str:
        """Return a Markdown table."""

        def line(label: str, cells: Sequence[str]) -> str:
            return "| " + " | ".join(escape_markdown(cell) for cell in (label, *cells)) + " |"

        lines = [f"**{escape_markdown(self.title)}**", ""] if self.title else []
        lines += [line("", self.columns), "| --- |" + " ---: |" * len(self.columns)]
        lines += [line(*row) for row in (*self.body, *self.summary)]
        lines += ["", *(f"{escape_markdown(note)}  " for note in self.notes)]
        return "\n".join(lines).rstrip() + "\n"

    def to_latex(self) -> str:
        """Return a LaTeX table that needs the package booktabs."""

        def line(label: str, cells: Sequence[str]) -> str:
            return " & ".join([escape_latex(label), *map(escape_latex, cells)]) + r" \\"

        lines = [r"\begin{table}", r"\centering"]
        if self.title:
            lines.append(rf"\caption{{{escape_latex(self.title)}}}")
        columns = "r" * len(self.columns)
        lines += [rf"\begin{{tabular}}{{l{columns}}}", r"\toprule", line("", self.columns)]
        lines += [r"\midrule", *(line(*row) for row in self.body)]
        lines += [r"\midrule", *(line(*row) for row in self.summary), r"\bottomrule"]
        width = 1 + len(self.columns)
        for note in self.notes:
            text = rf"\footnotesize {escape_latex(note)}"
            lines.append(rf"\multicolumn{{{width}}}{{p{{0.9\linewidth}}}}{{{text}}} \\")
        lines += [r"\end{tabular}", r"\end{table}"]
        return "\n".join(lines) + "\n"

    def to_html(self) -> str:
        """Return an HTML table."""

        def line(label: str, cells: Sequence[str], tag: str = "td") -> str:
            inner = "".join(f"<{tag}>{escape_html(cell)}</{tag}>" for cell in cells)
            return f'<tr><th scope="row">{escape_html(label)}</th>{inner}</tr>'

        lines = ['<table class="models">']
        if self.title:
            lines.append(f"<caption>{escape_html(self.title)}</caption>")
        heads = "".join(f'<th scope="col">{escape_html(name)}</th>' for name in self.columns)
        lines.append(f"<thead><tr><td></td>{heads}</tr></thead>")
        lines += ["<tbody>", *(line(*row) for row in self.body), "</tbody>"]
        lines += ["<tbody>", *(line(*row) for row in self.summary), "</tbody>"]
        if self.notes:
            said = "<br>".join(escape_html(note) for note in self.notes)
            lines.append(
                f'<tfoot><tr><td colspan="{1 + len(self.columns)}">{said}</td></tr></tfoot>'
            )
        lines.append("</table>")
        return "\n".join(lines) + "\n"

    def to_csv(self) -> str:
        """Return the table's cells as CSV."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(["", *self.columns])
        for label, cells in (*self.body, *self.summary):
            writer.writerow([label, *cells])
        for note in self.notes:
            writer.writerow([note])
        return buffer.getvalue()


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "\u2212": "$-$",
}  # fmt: skip
_NEGATIVE = re.compile(r"(?<![\w.])-(?=[\d.])")


def escape_latex(text: str) -> str:
    """Return text that LaTeX prints as it is; a number's minus becomes a minus sign."""
    signed = _NEGATIVE.sub("\u2212", " ".join(text.split()))
    return "".join(_LATEX.get(character, character) for character in signed)


def escape_html(text: str) -> str:
    """Return text that a browser shows as it is; a number's minus becomes a minus sign."""
    return html.escape(_NEGATIVE.sub("\u2212", " ".join(text.split())), quote=True)


def escape_markdown(text: str) -> str:
    """Return text that Markdown shows as it is, within a table's cell."""
    plain = " ".join(text.split())
    marked = re.sub(r"([\\`*_{}\[\]|~])", r"\\\1", plain)
    return marked.replace("<", "&lt;").replace(">", "&gt;")


# --- numbers --------------------------------------------------------------------------------


def aic_of(result: Result) -> float | None:
    """Return -2 log-likelihood + 2 parameters (an error variance counts as one)."""
    if result.loglik is None:
        return None
    return -2.0 * result.loglik + 2.0 * _parameters(result)


def bic_of(result: Result) -> float | None:
    """Return -2 log-likelihood + log(rows) parameters."""
    if result.loglik is None:
        return None
    return -2.0 * result.loglik + math.log(result.n_obs) * _parameters(result)


def _parameters(result: Result) -> int:
    made = result.fit.made
    absorbed = round(result.ancillary.get("effects", 0.0))
    return len(result.terms) + absorbed + (0 if made.likelihood else 1)


def format_number(value: float | None, digits: int) -> str:
    """Return a number with so many decimals; very small ones in powers of ten."""
    if value is None or not math.isfinite(value):
        return NO_NUMBER
    if value != 0.0 and abs(value) < 0.5 * 10.0**-digits:
        return f"{value:.{max(digits - 2, 1)}e}"
    return f"{value:,.{digits}f}"


# --- tidy -----------------------------------------------------------------------------------


def named_results(results: Results) -> dict[str, Result]:
    """Return results by name: (1), (2), ... where they have none.

    Raises
    ------
    UsageError
        If there is none, or something else among them.
    """
    if isinstance(results, Result):
        found = {"(1)": results}
    elif isinstance(results, Mapping):
        found = {str(name): result for name, result in results.items()}
    else:
        found = {f"({place})": result for place, result in enumerate(results, 1)}
    if not found:
        raise UsageError("there is no result to make a table of.")
    for name, result in found.items():
        if not isinstance(result, Result):
            raise UsageError(f"{name} is no Result but a {type(result).__name__}.")
    return found


def tidy(results: Results, cov: str | Sequence[str] | None = None) -> pd.DataFrame:
    """Return every estimate of one or several models, one row a model, covariance and term.

    Parameters
    ----------
    results : Result, sequence or mapping of Result
        The models.
    cov : str or sequence of str, optional
        Which covariances; all of each for None.

    Returns
    -------
    DataFrame
        The columns of `Result.table`, then n_obs, n_events, loglik, aic, bic, model, estimator,
        formula.
    """
    import pandas as pd

    parts = []
    for name, result in named_results(results).items():
        table = result.table(cov)
        numbers = {
            "n_obs": result.n_obs, "n_events": result.n_events, "loglik": result.loglik,
            "aic": aic_of(result), "bic": bic_of(result),
        }  # fmt: skip
        for column, value in numbers.items():
            kind: Any = "Int64" if column.startswith("n_") else "float64"
            table[column] = pd.Series([value] * len(table), index=table.index).astype(kind)
        parts.append(table.assign(model=name, estimator=result.estimator, formula=result.formula))
    return pd.concat(parts, ignore_index=True)


# --- side by side ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Column:
    """One column: a model with one of its covariances."""

    name: str
    result: Result
    cov: str

    def numbers(self, level: float) -> dict[str, dict[str, float]]:
        table = self.result.table(self.cov, level)
        return {str(row["term"]): row for row in table.to_dict("records")}  # type: ignore[misc]


def _columns(results: Results, cov: str | Sequence[str] | None) -> list[_Column]:
    named = named_results(results)
    if cov == "each":
        return [
            _Column(name if len(named) > 1 else one, result, one)
            for name, result in named.items()
            for one in result.cov_names
        ]
    if cov is None or isinstance(cov, str):
        asked: list[str | None] = [cov] * len(named)
    else:
        asked = list(cov)
        if len(asked) != len(named):
            raise UsageError(
                f"{len(named)} models, but {len(asked)} covariances; name one for all, or one each."
            )
    return [
        _Column(name, result, result.covariance(one).name)
        for (name, result), one in zip(named.items(), asked, strict=True)
    ]


def _chosen_terms(
    columns: Sequence[_Column],
    terms: Mapping[str, str] | Sequence[str] | None,
    rename: Mapping[str, str],
    omit: str | None,
) -> dict[str, str]:
    """Return the terms shown with their labels, in order; ancillary parameters last."""
    every = dict.fromkeys(term for column in columns for term in column.result.terms)
    if terms is not None:
        labels = dict(terms) if isinstance(terms, Mapping) else {t: t for t in terms}
        unknown = [term for term in labels if term not in every]
        if unknown:
            raise UsageError(f'no model has the term "{unknown[0]}". {nearest(unknown[0], every)}')
        return {term: rename.get(term, label) for term, label in labels.items()}
    pattern = re.compile(omit) if omit else None
    kept = [term for term in every if pattern is None or not pattern.search(term)]
    ordered = sorted(kept, key=lambda term: term.startswith("/"))
    return {term: rename.get(term, term) for term in ordered}


def model_table(
    results: Results,
    *,
    cov: str | Sequence[str] | None = None,
    below: str = "std_error",
    stars: bool | Mapping[float, str] = False,
    digits: int = 3,
    terms: Mapping[str, str] | Sequence[str] | None = None,
    rename: Mapping[str, str] | None = None,
    omit: str | None = None,
    exponentiate: bool = False,
    level: float = LEVEL,
    notes: Sequence[str] = (),
    title: str = "",
) -> ModelTable:
    """Put models side by side.

    Parameters
    ----------
    results : Result, sequence or mapping of Result
        The models; a mapping's keys are their names.
    cov : str or sequence of str, optional
        The covariance of the standard errors, one for all or one a model; the first of each for
        None; "each" gives every covariance a column of its own.
    below : str
        What stands below an estimate: std_error, ci, p_value, statistic or none.
    stars : bool or mapping
        Whether to mark small p-values, or the marks by threshold ({0.1: "+", 0.05: "*"}).
    digits : int
        Decimals.
    terms : mapping or sequence, optional
        The terms to show, in order, with labels where it is a mapping; all for None.
    rename : mapping, optional
        Labels of terms, without leaving any out.
    omit : str, optional
        A regular expression; terms it finds are left out.
    exponentiate : bool
        Whether to show exp(b) with its delta-method error and exponentiated interval: odds,
        hazard or rate ratios.
    level : float
        Of intervals.
    notes : sequence of str
        Further lines below the table.
    title : str
        A caption.

    Returns
    -------
    ModelTable
        With `to_text`, `to_markdown`, `to_latex`, `to_html` and `to_csv`.

    Raises
    ------
    UsageError
        An unknown term, covariance or kind of line below.
    """
    if below not in BELOW:
        raise UsageError(f'"{below}" can\'t stand below an estimate. {nearest(below, BELOW)}')
    columns = _columns(results, cov)
    labels = _chosen_terms(columns, terms, rename or {}, omit)
    marks = STARS if stars is True else dict(stars or {})
    numbers = [column.numbers(level) for column in columns]
    body: list[tuple[str, tuple[str, ...]]] = []
    for term, label in labels.items():
        cells = [_estimate(row.get(term), marks, digits, exponentiate) for row in numbers]
        body.append((label, tuple(cells)))
        if below != "none":
            under = [_under(row.get(term), below, digits, exponentiate) for row in numbers]
            body.append(("", tuple(under)))
    said = [*_notes(columns, below, marks, exponentiate, level), *notes]
    return ModelTable(
        tuple(column.name for column in columns),
        tuple(body),
        tuple(_summary(columns, digits)),
        tuple(said),
        title,
    )


def _estimate(
    row: Mapping[str, float] | None, marks: Mapping[float, str], digits: int, exponentiate: bool
) -> str:
    if row is None:
        return ""
    value = math.exp(row["estimate"]) if exponentiate else row["estimate"]
    mark = ""
    for threshold in sorted(marks, reverse=True):
        if row["p_value"] < threshold:
            mark = marks[threshold]
    return format_number(value, digits) + mark


def _under(row: Mapping[str, float] | None, below: str, digits: int, exponentiate: bool) -> str:
    if row is None:
        return ""
    factor = math.exp(row["estimate"]) if exponentiate else 1.0
    if below == "std_error":
        return f"({format_number(row['std_error'] * factor, digits)})"
    if below == "ci":
        ends = [row["ci_low"], row["ci_high"]]
        shown = [math.exp(end) if exponentiate else end for end in ends]
        return f"[{format_number(shown[0], digits)}, {format_number(shown[1], digits)}]"
    if below == "p_value":
        small = 0.5 * 10.0**-digits
        return (
            f"p < {10.0**-digits:.{digits}f}"
            if row["p_value"] < small
            else (f"p = {format_number(row['p_value'], digits)}")
        )
    return f"[{format_number(row['statistic'], digits)}]"


def _summary(columns: Sequence[_Column], digits: int) -> list[tuple[str, tuple[str, ...]]]:
    """Return the lines below the estimates; a line no model fills is left out."""

    def line(label: str, value: Callable[[_Column], str]) -> tuple[str, tuple[str, ...]]:
        return label, tuple(value(column) for column in columns)

    def number(value: float | None) -> str:
        return "" if value is None else format_number(value, digits)

    def clusters(column: _Column) -> str:
        counts = column.result.covariance(column.cov).clusters
        return ", ".join(f"{count:,}" for count in counts)

    effects = dict.fromkeys(name for c in columns for name in _absorbed(c.result))
    rows = [
        line("Estimator", lambda c: c.result.estimator),
        *[line(f"Effects: {name}", partial(_has_effects, name)) for name in effects],
        line("Observations", lambda c: f"{c.result.n_obs:,}"),
        line("Events", lambda c: "" if c.result.n_events is None else f"{c.result.n_events:,}"),
        line("Log-likelihood", lambda c: number(c.result.loglik)),
        line("AIC", lambda c: number(aic_of(c.result))),
        line("BIC", lambda c: number(bic_of(c.result))),
        line("R2", lambda c: number(c.result.ancillary.get("r2"))),
        line("R2 within", lambda c: number(c.result.ancillary.get("r2_within"))),
        line("Covariance", lambda c: c.cov),
        line("Clusters", clusters),
    ]
    return [row for row in rows if any(row[1])]


def _has_effects(name: str, column: _Column) -> str:
    return "yes" if name in _absorbed(column.result) else "no"


def _absorbed(result: Result) -> tuple[str, ...]:
    return tuple(result.fit.details.get("absorbed", ()))


def _notes(
    columns: Sequence[_Column],
    below: str,
    marks: Mapping[float, str],
    exponentiate: bool,
    level: float,
) -> list[str]:
    said = []
    words = {
        "std_error": "Standard errors in parentheses",
        "ci": f"{100 * level:g} % intervals in brackets",
        "p_value": "p-values below estimates",
        "statistic": "Test statistics in brackets",
        "none": "",
    }
    if words[below]:
        said.append(f"{words[below]}.")
    if exponentiate:
        said.append("Estimates are exp(b).")
    rules: dict[str, str] = {}
    for column in columns:
        made = column.result.covariance(column.cov)
        rules[made.name] = made.convention
    said += [f"{name}: {rule}." for name, rule in rules.items()]
    if marks:
        shown = (
            f"{mark} p < {threshold:g}" for threshold, mark in sorted(marks.items(), reverse=True)
        )
        said.append(", ".join(shown) + ".")
    seen: set[str] = set()
    for column in columns:
        if column.name in seen:
            continue
        seen.add(column.name)
        lost = [f"{count:,} {cause}" for cause, count in column.result.rows_lost.items()]
        if lost:
            said.append(f"{column.name}: rows left out: {'; '.join(lost)}.")
        dropped = [f"{term} ({why})" for term, why in column.result.dropped_terms.items()]
        if dropped:
            said.append(f"{column.name}: terms left out: {'; '.join(dropped)}.")
    return said
