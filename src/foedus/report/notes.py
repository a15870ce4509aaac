"""Notes of a study: Markdown whose numbers are filled from results, turned into a safe tree.

The template runs in a sandbox and knows only results; raw HTML is shown as text. The tree is
written as HTML for the site and handed as JSON to the PDF, so that both say the same.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markdown import Markdown
from markupsafe import Markup, escape

from foedus.errors import ConfigError, UsageError, nearest
from foedus.report import numbers
from foedus.report.inputs import Study
from foedus.report.rows import Comparison, Estimate
from foedus.report.shown import curve_summary

_KEPT = {
    "p", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "a", "h1", "h2", "h3", "h4",
    "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "hr", "br",
}  # fmt: skip
_VOID = {"hr", "br"}
_SAFE_LINKS = ("http://", "https://", "#", "mailto:")


@dataclass
class Node:
    """An element with its children: other elements or text."""

    tag: str
    href: str = ""
    children: list[Node | str] = field(default_factory=list)

    def json(self) -> dict[str, Any]:
        """Return the tree as plain values."""
        kids = [kid if isinstance(kid, str) else kid.json() for kid in self.children]
        return {"tag": self.tag, "href": self.href, "children": kids}

    def html(self) -> Markup:
        """Return the tree as HTML; tables get a container that scrolls."""
        inner = Markup("").join(
            escape(kid) if isinstance(kid, str) else kid.html() for kid in self.children
        )
        if self.tag == "root":
            return inner
        if self.tag in _VOID:
            return Markup(f"<{self.tag}/>")
        opened = Markup('<a href="{}">').format(self.href) if self.href else Markup(f"<{self.tag}>")
        whole = opened + inner + Markup(f"</{self.tag}>")
        if self.tag == "table":
            return Markup('<div class="scroll" tabindex="0">{}</div>').format(whole)
        return whole


class _Tree(HTMLParser):
    """Builds Nodes from Markdown's HTML, keeping only elements and links that are safe."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("root")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element that is kept."""
        if tag not in _KEPT:
            return
        href = str(dict(attrs).get("href") or "") if tag == "a" else ""
        if tag == "a" and not href.startswith(_SAFE_LINKS):
            tag, href = "em", ""
        node = Node(tag, href)
        self.open[-1].children.append(node)
        if tag not in _VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost open element."""
        if tag in _KEPT and tag not in _VOID and len(self.open) > 1:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.open[-1].children.append(data)


_TOP_HEADING = 3
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def _lower_headings(root: Node) -> None:
    """Put headings below the page's own, without gaps: whatever level the notes begin with."""
    heads = [node for node in root.children if isinstance(node, Node) and node.tag in _HEADINGS]
    levels = sorted({node.tag for node in heads})
    for node in heads:
        node.tag = f"h{min(6, _TOP_HEADING + levels.index(node.tag))}"


def markdown_tree(text: str) -> Node:
    """Parse Markdown (tables, lists, links; no raw HTML) into a tree."""
    engine = Markdown(extensions=["tables", "sane_lists"], output_format="html")
    engine.preprocessors.deregister("html_block")
    engine.inlinePatterns.deregister("html")
    tree = _Tree()
    tree.feed(engine.convert(text))
    tree.close()
    _lower_headings(tree.root)
    return tree.root


def notes_tree(study: Study) -> Node | None:
    """Fill a study's notes from its results and parse them; None when it has none.

    Raises
    ------
    ConfigError
        When a placeholder names something that isn't in the results; the line is given.
    """
    if not study.notes.strip():
        return None
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.filters.update(
        num=numbers.number, pct=numbers.percent, count=numbers.count, p=numbers.p_value
    )
    try:
        filled = environment.from_string(study.notes).render(_Names(study).context())
    except (TemplateError, UsageError, TypeError, ArithmeticError) as error:
        raise ConfigError(f"{study.notes_origin}:{_line_of(error)}: {error}") from error
    return markdown_tree(filled)


def _line_of(error: Exception) -> int:
    """Return the line of the notes in which a placeholder failed."""
    if isinstance(line := getattr(error, "lineno", None), int):
        return line
    lines = [
        frame.lineno or 0
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == "<template>"
    ]
    return lines[-1] if lines else 1


@dataclass(frozen=True)
class Shown:
    """A number in the notes: shows itself as text, with its companions as attributes."""

    text: str
    value: float | None = None
    se: str = numbers.MISSING
    value_se: float | None = None
    p: str = numbers.MISSING
    value_p: float | None = None
    ci: str = numbers.MISSING
    n: str = numbers.MISSING
    events: str = numbers.MISSING
    loglik: str = numbers.MISSING
    covariance: str = ""
    published: str = numbers.MISSING
    published_se: str = numbers.MISSING
    n_published: str = numbers.MISSING
    n_rebuilt: str = numbers.MISSING
    rebuilt: str = numbers.MISSING
    verdict: str = ""
    diagnosis: str = ""
    p0: str = numbers.MISSING
    p1: str = numbers.MISSING
    difference: str = numbers.MISSING
    percent_change: str = numbers.MISSING

    def __str__(self) -> str:
        """Return the number as text."""
        return self.text


NOT_ESTIMATED = Shown("(not estimated)")
"""Stands in the notes where a model couldn't be estimated; the page says why."""


@dataclass(frozen=True)
class Agreement:
    """How far a rebuilt variable agrees with the author's file, for the notes."""

    text: str
    known: str
    agree: str
    only_in_file: str
    only_rebuilt: str
    correlation: str

    def __str__(self) -> str:
        """Return the share of rows that agree."""
        return self.text


class _Names:
    """The names that notes may use."""

    def __init__(self, study: Study) -> None:
        self.study = study

    def may_lack(self, name: str | None = None) -> bool:
        """Say whether a number may be missing without being a slip in the notes.

        A simulated world may lack what a term needs. On real data only what hangs on a model or a
        measure that couldn't be estimated may be missing, and on any of them without a name.
        """
        failed = {str(row.get("model")) for row in self.study.part("failed")}
        return bool(self.study.page.get("simulated")) or (name in failed if name else bool(failed))

    def context(self) -> dict[str, Any]:
        return {
            "est": self.est, "measure": self.measure, "print": self.printed, "effect": self.effect,
            "alt": self.alt, "rows": self.rows, "flow": self.flow, "curve": self.curve(),
            "agree": self.agree, "matched": self.matched,
            "label": self.study.label, "title": self.study.title,
        }  # fmt: skip

    def est(self, model: str, term: str, covariance: str | None = None) -> Shown:
        rows = self.study.rows_of(model, term)
        if not rows and self.may_lack(model):
            return NOT_ESTIMATED
        if not rows:
            known = [f"{row.model}.{row.term}" for row in self.study.estimates]
            raise UsageError(f"no estimate {model}.{term}. {nearest(f'{model}.{term}', known)}")
        return _estimate(_under(rows, covariance))

    def measure(self, term: str, covariance: str | None = None) -> Shown:
        rows = [row for row in self.study.estimates if row.is_measure and row.term == term]
        if not rows and self.may_lack(term.partition(".")[0]):
            return NOT_ESTIMATED
        if not rows:
            known = [row.term for row in self.study.estimates if row.is_measure]
            raise UsageError(f'no measure "{term}". {nearest(term, known)}')
        return _estimate(_under(rows, covariance))

    def printed(self, maps_to: str, table: str | None = None) -> Shown:
        rows = [
            row
            for row in self.study.leads
            if row.maps_to == maps_to and (table is None or row.table == table)
        ]
        if not rows:
            known = [row.maps_to for row in self.study.leads]
            raise UsageError(f'no published number maps to "{maps_to}". {nearest(maps_to, known)}')
        return _comparison(rows[0])

    def effect(self, name: str) -> Shown:
        rows = [row for row in self.study.part("effects") if isinstance(row, dict)]
        for key in ("name", "term"):
            for row in rows:
                if row.get(key) == name:
                    return _effect(row)
        if self.may_lack():
            return NOT_ESTIMATED
        known = [str(row.get("name") or row.get("term")) for row in rows]
        raise UsageError(f'no effect "{name}". {nearest(name, known)}')

    def alt(
        self, choice: str, alternative: str, term: str | None = None, model: str | None = None
    ) -> Shown:
        rows = [row for row in self.study.part("choices") if isinstance(row, dict)]
        for row in rows:
            same = (str(row.get("choice")), str(row.get("alternative"))) == (choice, alternative)
            if same and term in (None, row.get("term")) and model in (None, row.get("model")):
                return _estimate(Estimate.of(row))
        if self.may_lack():
            return NOT_ESTIMATED
        known = [f"{row.get('choice')}: {row.get('alternative')}" for row in rows]
        raise UsageError(f"no such alternative. {nearest(f'{choice}: {alternative}', known)}")

    def agree(self, variable: str) -> Agreement:
        listed = self.study.mapping("rebuild").get("variables", [])
        for row in listed:
            if row.get("variable") == variable:
                return Agreement(
                    text=numbers.percent(row.get("share"), 1),
                    known=numbers.count(row.get("known_in_both")),
                    agree=numbers.count(row.get("agree")),
                    only_in_file=numbers.count(row.get("only_in_file")),
                    only_rebuilt=numbers.count(row.get("only_rebuilt")),
                    correlation=numbers.number(row.get("correlation"), 4, 4),
                )
        known = [str(row.get("variable")) for row in listed]
        raise UsageError(f'no rebuilt variable "{variable}". {nearest(variable, known)}')

    def matched(self, name: str) -> str:
        counts = self.study.mapping("rebuild").get("counts", {})
        if name not in counts:
            raise UsageError(f'no count "{name}" of the rebuild. {nearest(name, counts)}')
        return numbers.count(counts[name])

    def rows(self, model: str) -> str:
        for row in self.study.estimates:
            if row.model == model:
                return numbers.count(row.n_obs)
        if self.may_lack(model):
            return NOT_ESTIMATED.text
        known = [row.model for row in self.study.estimates]
        raise UsageError(f'no model "{model}". {nearest(model, known)}')

    def flow(self, step: str) -> str:
        for row in self.study.part("flow"):
            if isinstance(row, dict) and row.get("step") == step:
                return numbers.count(row.get("rows_left"))
        known = [str(row.get("step")) for row in self.study.part("flow") if isinstance(row, dict)]
        raise UsageError(f'no step "{step}" in the sample flow. {nearest(step, known)}')

    def curve(self) -> dict[str, str] | None:
        return curve_summary(self.study)


def _under(rows: Sequence[Estimate], covariance: str | None) -> Estimate:
    if covariance is None:
        return rows[0]
    for row in rows:
        if row.covariance == covariance:
            return row
    raise UsageError(
        f'no covariance "{covariance}" here. {nearest(covariance, [r.covariance for r in rows])}'
    )


def _estimate(row: Estimate) -> Shown:
    # A whole number that was counted has no error, and is shown without decimals.
    counted = row.is_measure and row.std_error is None and row.ci_low is None
    whole = counted and row.estimate is not None and float(row.estimate).is_integer()
    return Shown(
        text=numbers.count(row.estimate) if whole else numbers.number(row.estimate),
        value=row.estimate,
        se=numbers.number(row.std_error),
        value_se=row.std_error,
        p=numbers.p_value(row.p_value),
        value_p=row.p_value,
        ci=numbers.interval(row.ci_low, row.ci_high),
        n=numbers.count(row.n_obs),
        events=numbers.count(row.n_events),
        loglik=numbers.number(row.loglik, 6),
        covariance=row.covariance,
    )


def _comparison(row: Comparison) -> Shown:
    return Shown(
        text=numbers.rebuilt(row.rebuilt, row.quantity, row.published_text),
        value=row.rebuilt,
        se=numbers.number(row.rebuilt_se),
        value_se=row.rebuilt_se,
        p=numbers.p_value(row.rebuilt_p),
        value_p=row.rebuilt_p,
        covariance=row.covariance,
        published=row.in_print,
        published_se=numbers.number(row.published_se),
        n_published=numbers.count(row.n_published),
        n_rebuilt=numbers.count(row.n_rebuilt),
        rebuilt=numbers.rebuilt(row.rebuilt, row.quantity, row.published_text),
        verdict=row.verdict,
        diagnosis=row.diagnosis,
    )


def _effect(row: dict[str, Any]) -> Shown:
    change = row.get("percent_change")
    difference = numbers.number(row.get("difference"))
    return Shown(
        text=difference,
        value=row.get("difference"),
        p0=numbers.number(row.get("p0")),
        p1=numbers.number(row.get("p1")),
        difference=difference,
        ci=numbers.interval(row.get("ci_low"), row.get("ci_high")),
        percent_change=numbers.percent(change / 100 if numbers.is_number(change) else None, 0),
    )
