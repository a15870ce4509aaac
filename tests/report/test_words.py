"""Numbers as text, tallies, and the words marked in source code."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from foedus.references import load_references
from foedus.report import numbers
from foedus.report.assume import collect_assumptions
from foedus.report.claims import load_claims
from foedus.report.inputs import without_front_matter
from foedus.report.notes import markdown_tree
from foedus.report.rows import Comparison
from foedus.report.says import tallies_by_basis
from foedus.report.site import inline_svg
from foedus.report.tables import tex_escape
from foedus.report.verdicts import VERDICTS, tally, verdict_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-0.0712, "−0.0712"), (1.533, "1.53"), (12345.6, "12,346"), (1823.0, "1823"), (0.0, "0"),
        (1.7e-6, "1.70×10⁻⁶"), (math.nan, "—"), (None, "—"), (True, "—"), (-4.0, "−4.00"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits(value: object, shown: str) -> None:
    assert numbers.number(value) == shown


def test_years_and_counts() -> None:
    assert numbers.printed(1823.0, "count") == "1823"
    assert numbers.printed(1077992.0, "count") == "1,077,992"
    assert numbers.printed(-0.07, "coefficient") == "−0.07"
    assert numbers.printed(-1.0, "direction") == "−"
    assert numbers.printed(0.001738259, "predicted_probability") == "0.001738259"
    assert numbers.plural(1, "study", "studies") == "1 study"


def test_intervals_share_their_decimals() -> None:
    assert numbers.interval(-0.00032, 0.00008) == "[−0.000320, 0.000080]"
    assert numbers.interval(None, 1.0) == "—"


def test_p_values() -> None:
    assert numbers.p_clause(0.0002) == "p < 0.001"
    assert numbers.p_clause(0.0461) == "p = 0.046"


def test_tally_counts_in_order_and_knows_what_stands() -> None:
    found = tally(["weaker", "exact", "exact", "not comparable", "agrees", "not_comparable"])
    assert [(verdict.name, n) for verdict, n in found.present] == [
        ("exact", 2), ("agrees", 1), ("weaker", 1), ("not comparable", 2),
    ]  # fmt: skip
    assert (found.total, found.compared, found.upheld) == (6, 4, 3)
    assert verdict_of("no such word").name == "not comparable"
    assert len({verdict.sign for verdict in VERDICTS}) == len(VERDICTS)


def test_assumptions_are_collected_with_their_continuation(tmp_path: Path) -> None:
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "a.py").write_text(
        "x = 1\n    # ASSUME: a tie is kept\n    # when both sign.\n    y = 2\n# a comment\n"
        "# ASSUME: first\n# ASSUME: second\n",
        encoding="utf-8",
    )
    found = collect_assumptions(package)
    assert [(one.line, one.text) for one in found] == [
        (2, "a tie is kept when both sign."), (6, "first"), (7, "second"),
    ]  # fmt: skip
    assert found[0].file == "src/pkg/a.py"


def test_front_matter_is_dropped_and_lines_kept() -> None:
    assert without_front_matter("---\na: 1\n---\nText\n").splitlines() == ["", "", "", "Text"]
    assert without_front_matter("Text\n---\n") == "Text\n---\n"


def test_markdown_keeps_no_html_and_no_foreign_links() -> None:
    html = str(
        markdown_tree('<img src=x onerror="y"> [a](javascript:b) *c* ![d](http://e/f.png)').html()
    )
    assert "<img" not in html
    assert "javascript" not in html
    assert "<em>c</em>" in html


def test_latex_special_letters() -> None:
    assert tex_escape("a_b & 5% $x$ #1 {y} ~ ^ \\ −") == (
        r"a\_b \& 5\% \$x\$ \#1 \{y\} \textasciitilde{} \textasciicircum{} \textbackslash{} $-$"
    )


def test_inlined_pictures_keep_their_ids_apart() -> None:
    svg = (
        '<?xml version="1.0"?><svg width="1pt" height="2pt" viewBox="0 0 1 2"><defs>'
        '<style>*{a:b}</style><clipPath id="c"/></defs><g clip-path="url(#c)" fill="#1b1f24"/>'
        '<use xlink:href="#c"/></svg>'
    )
    made = str(inline_svg(svg, "one", 'a "b" <c>'))
    assert made.startswith('<svg role="img" aria-label="a &#34;b&#34; &lt;c&gt;"')
    assert 'id="one-c"' in made
    assert "url(#one-c)" in made
    assert 'xlink:href="#one-c"' in made
    assert "var(--fig-ink,#1b1f24)" in made
    assert "<style" not in made
    assert 'width="' not in made


def test_claims_cite_known_works_and_are_numbered() -> None:
    claims = load_claims(ROOT / "config")
    assert [claim.order for claim in claims.values()] == list(range(1, len(claims) + 1))
    works = load_references(ROOT / "config")
    named = {
        key
        for claim in claims.values()
        for key in (*claim.argued_by, *claim.tested_by, *claim.contested_by)
    }
    assert named <= set(works), sorted(named - set(works))


def test_headings_of_notes_go_below_the_pages_own() -> None:
    html = str(markdown_tree("## One\n\ntext\n\n#### Two\n\n## Three").html())
    assert html.replace("\n", "") == "<h3>One</h3><p>text</p><h4>Two</h4><h3>Three</h3>"


def test_a_rebuilt_number_has_at_least_prints_decimals() -> None:
    from foedus.report.numbers import MINUS, MISSING, rebuilt

    assert rebuilt(-0.44019501, "coefficient", "-0.4401953") == f"{MINUS}0.4401950"
    assert rebuilt(1.6677421, "value", "1.6677") == "1.6677"
    assert rebuilt(12.52, "percent", "12") == "12.5"
    assert rebuilt(0.031415, "coefficient", "0.0") == "0.0314"
    assert rebuilt(20448.0, "count", "20448") == "20,448"
    assert rebuilt(None, "value", "1.25") == MISSING


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.35, "35 %"), (0.1, "10 %"), (0.0817, "8.2 %"), (0.0018, "0.18 %"), (1.0, "100 %"),
        (0.0, "0 %"), (-0.0123, "−1.2 %"),
    ],
)  # fmt: skip
def test_a_share_keeps_two_digits(share: float, shown: str) -> None:
    assert numbers.percent(share, numbers.percent_digits(share)) == shown


def test_findings_asked_of_designs_of_our_own_are_counted_apart() -> None:
    def row(basis: str, kind: str, verdict: str) -> Comparison:
        return Comparison(basis=basis, print_kind=kind, verdict=verdict)

    rows = [
        row("file", "replication", "exact"),
        row("raw", "replication", "close"),
        row("raw", "expectation", "agrees"),
        row("raw", "expectation", "null"),
        row("", "expectation", "not comparable"),
    ]
    found = {words: one.total for words, one in tallies_by_basis(rows)}
    assert found == {
        "Re-estimated on the authors' own files": 1,
        "Rebuilt from raw files": 1,
        "Other works' findings, asked of designs of our own": 2,
    }
