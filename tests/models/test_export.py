"""Tables of models: what they show, what they escape, that a compiler and a parser take them."""

from __future__ import annotations

import csv
import html.parser
import io
import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import foedus as fd
from foedus.errors import UsageError
from foedus.models import Result, estimate, model_table, tidy
from foedus.models.export import (
    aic_of,
    bic_of,
    escape_html,
    escape_latex,
    escape_markdown,
    format_number,
)


@pytest.fixture(scope="module")
def models(dyads: pd.DataFrame) -> dict[str, Result]:
    short = dyads.assign(share=dyads["share"].where(dyads.index > 4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        one = estimate("y ~ defense + lndist", dyads, "logit", ["classical", "cluster(dyad)"])
        two = estimate("y ~ defense + share", short, "logit", ["dyadic", "HC1"])
    three = estimate("z ~ share | ccode1 + year", dyads, "fixed_effects", "HC1")
    return {"base": one, "with_share": two, "panel": three}


def test_tidy_rows(models: dict[str, Result]) -> None:
    rows = tidy(models)
    assert len(rows) == 3 * 2 + 3 * 2 + 1
    assert list(rows["model"].unique()) == list(models)
    first = rows.iloc[0]
    assert first["aic"] == pytest.approx(-2 * models["base"].loglik + 6)
    assert rows["n_obs"].dtype == "Int64"
    assert rows[rows["model"] == "panel"]["n_events"].isna().all()
    assert tidy([models["base"]])["model"].unique() == ["(1)"]


def test_information_criteria_are_r_s(dyads: pd.DataFrame) -> None:
    """AIC and BIC of lm count the error variance: -2 log-likelihood + 2 (k + 1)."""
    ols = estimate("z ~ share", dyads, "ols")
    assert aic_of(ols) == pytest.approx(-2 * ols.loglik + 2 * 3)
    assert bic_of(ols) == pytest.approx(-2 * ols.loglik + math.log(420) * 3)
    absorbed = estimate("z ~ share | ccode1", dyads, "fixed_effects")
    dummies = estimate("z ~ share + factor(ccode1)", dyads, "ols")
    assert aic_of(absorbed) == pytest.approx(aic_of(dummies))


def test_side_by_side(models: dict[str, Result]) -> None:
    table = model_table(models)
    assert table.columns == ("base", "with_share", "panel")
    labels = [label for label, _ in table.body]
    assert labels == ["(Intercept)", "", "defense", "", "lndist", "", "share", ""]
    place = labels.index("defense")
    base = models["base"]
    assert table.body[place][1][0] == f"{base.coef['defense']:.3f}"
    assert table.body[place + 1][1][0] == f"({base.se()['defense']:.3f})"
    assert table.body[place][1][2] == ""
    summary = dict(table.summary)
    assert summary["Observations"] == ("420", "415", "420")
    assert summary["Covariance"] == ("classical", "dyadic", "HC1")
    assert summary["Clusters"] == ("", "12", "")
    assert summary["Effects: year"] == ("no", "no", "yes")
    assert "with_share: rows left out: 5 missing share." in table.notes
    assert any(note.startswith("dyadic: no small-sample factor") for note in table.notes)


def test_which_covariance(models: dict[str, Result]) -> None:
    table = model_table(models, cov=["cluster(dyad)", "HC1", "HC1"])
    assert dict(table.summary)["Covariance"] == ("cluster(dyad)", "HC1", "HC1")
    each = model_table(models["base"], cov="each")
    assert each.columns == ("classical", "cluster(dyad)")
    with pytest.raises(UsageError, match="3 models, but 2 covariances"):
        model_table(models, cov=["HC1", "HC1"])
    with pytest.raises(UsageError, match="was not computed"):
        model_table(models, cov="HC3")


def test_order_labels_and_omission(models: dict[str, Result]) -> None:
    chosen = model_table(models, terms={"share": "Share", "defense": "Defence pact"})
    assert [label for label, _ in chosen.body if label] == ["Share", "Defence pact"]
    renamed = model_table(models, rename={"share": "Share"}, omit="Intercept|lndist")
    assert [label for label, _ in renamed.body if label] == ["defense", "Share"]
    with pytest.raises(UsageError, match='no model has the term "shares"'):
        model_table(models, terms=["shares"])


@pytest.mark.parametrize("below", ["ci", "p_value", "statistic", "none"])
def test_below(models: dict[str, Result], below: str) -> None:
    table = model_table(models["base"], below=below, digits=4)
    row = models["base"].table("classical").set_index("term").loc["defense"]
    place = [label for label, _ in table.body].index("defense")
    wanted = {
        "ci": f"[{row['ci_low']:.4f}, {row['ci_high']:.4f}]",
        "p_value": f"p = {row['p_value']:.4f}",
        "statistic": f"[{row['statistic']:.4f}]",
    }
    if below == "none":
        assert len(table.body) == 3
    else:
        assert table.body[place + 1][1][0] == wanted[below]
    with pytest.raises(UsageError, match="can't stand below"):
        model_table(models["base"], below="above")


def test_stars_and_ratios(models: dict[str, Result]) -> None:
    base = models["base"]
    table = model_table(base, stars={0.99: "+"}, exponentiate=True)
    place = [label for label, _ in table.body].index("defense")
    value, error = math.exp(base.coef["defense"]), base.se()["defense"]
    assert table.body[place][1][0] == f"{value:.3f}+"
    assert table.body[place + 1][1][0] == f"({value * error:.3f})"
    assert "+ p < 0.99." in table.notes
    assert "Estimates are exp(b)." in table.notes
    assert "*" not in str(model_table(base))
    assert "*** p < 0.001" in str(model_table(base, stars=True))


def test_numbers() -> None:
    assert format_number(1234.5678, 2) == "1,234.57"
    assert format_number(0.0000123, 3) == "1.2e-05"
    assert format_number(0.0, 3) == "0.000"
    assert format_number(float("nan"), 3) == "n/a"
    assert format_number(-0.5, 1) == "-0.5"


class _Cells(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


NASTY = '<script>alert("a|b")</script> & 5 % of $x_1^2$ # {~} \\ *b* `c` [d](e)'


def test_html_shows_text_as_it_is(models: dict[str, Result]) -> None:
    made = model_table({NASTY: models["base"]}, rename={"defense": NASTY}, title=NASTY).to_html()
    assert "<script>" not in made
    parser = _Cells()
    parser.feed(made)
    assert [cell.strip() for cell in parser.cells].count(NASTY) == 2
    assert set(parser.tags) <= {
        "table",
        "caption",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "td",
        "th",
        "br",
    }


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60))
def test_html_of_any_text_reads_back(text: str) -> None:
    parser = _Cells()
    parser.feed(f"<td>{escape_html(text)}</td>")
    parser.close()
    assert parser.tags == ["td"]
    plain = " ".join(text.replace("\x00", "").split())
    got = (parser.cells or [""])[0].replace("\u2212", "-")
    assert (
        got.replace("\x00", "").replace("\ufffd", "")
        == plain.replace("\u2212", "-").replace("\ufffd", "")
        or not plain.isprintable()
    )


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_latex_leaves_no_live_character(text: str) -> None:
    made = escape_latex(text)
    for name in ("textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater",
                 "textbar"):  # fmt: skip
        made = made.replace(f"\\{name}{{}}", "")
    made = made.replace("$-$", "")
    for live in "&%$#_{}":
        made = made.replace(f"\\{live}", "")
    assert not set(made) & set("&%$#_{}~^\\")


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_markdown_keeps_a_cell_a_cell(text: str) -> None:
    made = escape_markdown(text)
    assert "\n" not in made
    assert "|" not in made.replace("\\|", "").replace("\\\\", "") or "\\|" in made
    assert "<" not in made


def test_latex_is_a_table_of_booktabs(models: dict[str, Result]) -> None:
    made = model_table(models, title="Onset & war_1").to_latex()
    assert r"\caption{Onset \& war\_1}" in made
    assert made.count(r"\begin{") == made.count(r"\end{") == 2
    rows = [
        line for line in made.splitlines() if line.endswith(r"\\") and "multicolumn" not in line
    ]
    assert {line.replace(r"\&", "").count("&") for line in rows} == {3}
    assert "$-$" in made


def test_markdown_and_csv_have_a_cell_a_column(models: dict[str, Result]) -> None:
    table = model_table(models)
    lines = [line for line in table.to_markdown().splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in lines} == {5}
    rows = list(csv.reader(io.StringIO(table.to_csv())))
    assert {len(row) for row in rows} == {4, 1}
    values = [row for row in rows if row[0] == "lndist"]
    assert_allclose(float(values[0][1]), models["base"].coef["lndist"], atol=5e-4)


def test_every_kind_renders(models: dict[str, Result]) -> None:
    table = fd.model_table(models)
    for kind in ("text", "md", "tex", "html", "csv"):
        assert "with" in table.render(kind)
    assert str(table) == table.to_text()
    with pytest.raises(UsageError, match="kind of table"):
        table.render("docx")


def test_what_is_no_result_is_refused(models: dict[str, Result]) -> None:
    with pytest.raises(UsageError, match="no result"):
        model_table([])
    with pytest.raises(UsageError, match="no Result but a float"):
        model_table([models["base"], np.float64(1)])  # type: ignore[list-item]
