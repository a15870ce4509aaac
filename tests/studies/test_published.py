"""published.csv and its targets: what is read, and what stops with row and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from foedus.errors import ConfigError, UsageError
from foedus.studies.published import read_published
from foedus.studies.targets import Target, parse_target

from .conftest import published_text

ROW = {"term": "x", "quantity": "coefficient", "estimate": "1.00", "maps_to": "models.m.x"}


def read(tmp_path: Path, *rows: dict[str, str]) -> object:
    path = tmp_path / "published.csv"
    path.write_text(published_text(list(rows)), encoding="utf-8")
    return read_published(path, "published.csv")


def test_digits_come_from_the_text(tmp_path: Path) -> None:
    texts = {"50.0": 1, "-0.07": 2, "1077992": 0, ".9662055": 7, "1,482": 0, "−1.30": 2, "2e3": -3}
    rows = read(tmp_path, *({**ROW, "estimate": text} for text in texts))
    assert [row.decimals for row in rows] == list(texts.values())  # type: ignore[attr-defined]
    assert [row.estimate for row in rows][4:6] == [1482.0, -1.3]  # type: ignore[attr-defined]


def test_a_printed_z_implies_the_standard_error(tmp_path: Path) -> None:
    (row,) = read(tmp_path, {**ROW, "estimate": "-0.5", "z": "-2.5"})  # type: ignore[misc]
    assert row.std_error == pytest.approx(0.2)


WRONG = [
    ({"quantity": "coeficient"}, 'row 2: quantity "coeficient" is unknown. Nearest: coefficient'),
    ({"estimate": "0.1*"}, 'row 2: estimate "0.1*" is not a number'),
    ({"std_error": "(0.2)"}, 'row 2: std_error "(0.2)" is not a number'),
    ({"where_in_print": " "}, "row 2: where_in_print is empty"),
    ({"maps_to": "model.m.x"}, "row 2: maps_to"),
    ({"maps_to": "none:"}, '"none" needs its reason'),
    ({"maps_to": "sample.median(x)"}, "of a sample there are"),
    ({"quantity": "direction", "estimate": "down"}, "a direction is + - or 0"),
    ({"quantity": "odds_ratio", "estimate": "-2"}, "a ratio is above 0"),
    ({"p_value": "***"}, 'p_value "***"'),
]


@pytest.mark.parametrize(("cells", "message"), WRONG)
def test_wrong_cells_are_named(tmp_path: Path, cells: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, {**ROW, **cells})
    assert message in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_missing_and_an_unknown_column(tmp_path: Path) -> None:
    path = tmp_path / "published.csv"
    path.write_text("table,model\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="column term, quantity"):
        read_published(path, "published.csv")
    text = published_text([ROW]).replace("p_value", "p_valu")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r'unknown column "p_valu"\. Nearest: p_value'):
        read_published(path, "published.csv")


def test_a_short_row(tmp_path: Path) -> None:
    path = tmp_path / "published.csv"
    path.write_text(published_text([ROW]) + "only,three,cells\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="row 3: not as many cells"):
        read_published(path, "published.csv")


TARGETS = [
    ("models.main.treat", Target("term", "main", "treat")),
    ("models.main.(Intercept)", Target("term", "main", "(Intercept)")),
    ("models.main.log(x)", Target("term", "main", "log(x)")),
    ("models.main.n", Target("fact", "main", "n")),
    ("models.main.loglik", Target("fact", "main", "loglik")),
    ("sample.n", Target("fact", "", "n")),
    ("sample.share(a == 1 | b > 0)", Target("sample", "", "share", "a == 1", "b > 0")),
    ("models.m.mean(x | year == 1920)", Target("sample", "m", "mean", "x", "year == 1920")),
    ("effects.fig1", Target("effect", "fig1")),
    ("effects.fig1.p0", Target("effect", "fig1", "p0")),
    ("measures.rates.all wars, 1816-1944", Target("measure", "rates", "all wars, 1816-1944")),
    ("measures.tail.xmin.discrete", Target("measure", "tail", "xmin.discrete")),
    ("none: not printed", Target("none", reason="not printed")),
]


@pytest.mark.parametrize(("text", "expected"), TARGETS)
def test_targets(text: str, expected: Target) -> None:
    assert parse_target(text) == expected


@pytest.mark.parametrize("text", ["", "models.main", "effects.fig1.p2", "sample.share()", "x.y"])
def test_no_targets(text: str) -> None:
    with pytest.raises(UsageError):
        parse_target(text)
