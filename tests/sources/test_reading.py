"""Odd bytes and honest dates: line ends, quotes over lines, sentinels, spans, corrections."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from foedus.errors import SourceError
from foedus.sources import dates, reading
from foedus.sources.reading import ROW, Raw
from foedus.sources.registry import Correction, SourceFacts
from foedus.sources.schema import Column, Rows, check_unique, read_table

FACTS = {
    "id": "mine", "dataset": "mine", "version": "1", "title": "Mine", "edition": "original",
    "coverage": (1900, 1950), "citation": ("me",), "terms": "-", "obtained_from": "-",
    "files": ({"name": "mine.csv", "sha256": "0" * 64, "bytes": 1},),
    "tables": {"rows": {"rows": 1, "key": ("a",), "description": "-"}},
}  # fmt: skip
A = Column("a", "int32", "a", required=True)


def facts(**changed) -> SourceFacts:
    file = {**FACTS["files"][0], **changed.pop("file", {})}
    return SourceFacts.model_validate({**FACTS, "files": (file,), **changed})


def read(tmp_path, content: bytes, columns, **changed) -> pl.DataFrame:
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    return read_table({"mine.csv": path}, facts(**changed), "mine.csv", columns).frame


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_any_line_end(tmp_path, end):
    frame = read(tmp_path, end.join([b"a,b", b"1,2", b"3,4", b""]), (A, Column("b", "int8", "b")))
    assert frame.rows() == [(0, 1, 2), (1, 3, 4)]


def test_byte_order_mark_is_no_part_of_the_header(tmp_path):
    assert read(tmp_path, b"\xef\xbb\xbfa\n1\n", (A,))["a"].to_list() == [1]


def test_header_names_lose_blanks_and_repeats_are_numbered(tmp_path):
    columns = (A, Column("b", "int8", "b", "a#2"))
    assert read(tmp_path, b"a ,a\n1,2\n", columns).row(0) == (0, 1, 2)


def test_thousands_and_nothing_else(tmp_path):
    columns = (A, Column("n", "int32", "n", thousands=True))
    frame = read(tmp_path, b'a,n\n1,"1,250"\n2,"12,345,678"\n3,-1\n', columns)
    assert frame["n"].to_list() == [1250, 12345678, -1]
    with pytest.raises(SourceError, match='line 2, column n: found "12,50"'):
        read(tmp_path, b'a,n\n1,"12,50"\n', columns)
    with pytest.raises(SourceError, match='column n: found "1,250"'):
        read(tmp_path, b'a,n\n1,"1,250"\n', (A, Column("n", "int32", "n")))


def test_missing_codes_belong_to_their_columns(tmp_path):
    columns = (A, Column("b", "int8", "b"), Column("score", "int8", "s"), Column("t", "text", "t"))
    missing = {"*": {-9: "unknown", "NA": "unknown"}, "score": {-66: "gap"}, "t": {"-9": "none"}}
    frame = read(
        tmp_path, b"a,b,score,t\n1,-9,-9,-9\n2,NA,-66,x\n3,,,\n", columns, missing_codes=missing
    )
    assert frame["b"].to_list() == [None, None, None]
    assert frame["score"].to_list() == [-9, None, None]
    assert frame["t"].to_list() == [None, "x", None]


@pytest.mark.parametrize("value", ["nan", "inf", "1e400", "1.2.3", "0x10"])
def test_odd_numbers_are_no_numbers(tmp_path, value):
    with pytest.raises(SourceError, match="line 2, column x"):
        read(tmp_path, f"a,x\n1,{value}\n".encode(), (A, Column("x", "float64", "x")))


def test_value_too_large_for_its_type(tmp_path):
    with pytest.raises(SourceError, match='found "400" where the rule asks for a value from -128'):
        read(tmp_path, b"a,b\n1,400\n", (A, Column("b", "int8", "b")))


def test_line_numbers_count_quoted_line_ends(tmp_path):
    content = b'a,t\n1,"two\nlines"\n2,x\nmany,y\n'
    with pytest.raises(SourceError, match="line 5, column a"):
        read(tmp_path, content, (A, Column("t", "text", "t")), file={"multiline": True})


def test_blank_line_inside_is_refused(tmp_path):
    with pytest.raises(SourceError, match="line 3"):
        read(tmp_path, b"a,b\n1,2\n\n3,4\n", (A, Column("b", "int8", "b")))


def test_open_quote_is_refused(tmp_path):
    with pytest.raises(SourceError, match="line 2: a quote"):
        read(tmp_path, b'a,b\n1,"2\n3,4\n', (A, Column("b", "text", "b")))


def test_quote_that_swallows_a_line_is_refused(tmp_path):
    with pytest.raises(SourceError, match="line 3: a quote"):
        read(tmp_path, b'a,b\n1,2\n3,"4\n5,6"\n', (A, Column("b", "text", "b")))


def test_unknown_code_says_what_to_do(tmp_path):
    codes = {"b": {"values": {1: "yes", 0: "no"}}}
    with pytest.raises(SourceError) as caught:
        read(tmp_path, b"a,b\n1,1\n2,7\n3,8\n", (A, Column("b", "int8", "b")), codes=codes)
    text = str(caught.value)
    assert 'line 3, column b: found "7"' in text
    assert "known codes 1, 0 (2 rows break this rule)" in text
    assert 'Unknown: "7", "8"' in text
    assert "codes in sources/mine.yaml" in text


def test_repeated_key_names_both_lines():
    raw = Raw(None, ("a",), pl.DataFrame(), "")
    rows = Rows(pl.DataFrame({ROW: [0, 1, 2], "a": [5, 6, 5]}), raw)
    with pytest.raises(SourceError, match="lines 2 and 4, column a: the key a 5 stands 2 times"):
        check_unique(rows, ["a"], facts(), "rows")


PARTS = ("y", "m", "d")


@pytest.mark.parametrize(
    ("parts", "first", "last", "known"),
    [
        ((1914, 7, 28), date(1914, 7, 28), date(1914, 7, 28), "day"),
        ((1914, 7, None), date(1914, 7, 1), date(1914, 7, 31), "month"),
        ((1904, 2, None), date(1904, 2, 1), date(1904, 2, 29), "month"),
        ((1914, None, None), date(1914, 1, 1), date(1914, 12, 31), "year"),
        ((1914, None, 5), date(1914, 1, 1), date(1914, 12, 31), "year"),
        ((None, None, None), None, None, None),
    ],
)
def test_an_unknown_day_is_a_span(parts, first, last, known):
    frame = pl.DataFrame([parts], schema=dict.fromkeys(PARTS, pl.Int16), orient="row")
    found = frame.select(
        first=dates.earliest(*PARTS), last=dates.latest(*PARTS), known=dates.precision(*PARTS)
    )
    assert found.row(0) == (first, last, known)


def test_a_day_that_does_not_exist_is_refused(tmp_path):
    frame = pl.DataFrame({ROW: [0], "y": [1913], "m": [2], "d": [30]})
    frame = frame.with_columns(made=dates.earliest(*PARTS))
    with pytest.raises(SourceError, match='found "1913-2-30"'):
        dates.check_exists(Raw(tmp_path, (), frame, ""), frame, "made", *PARTS)


CORRECTION = {
    "file": "mine.csv", "where": {"a": 2}, "column": "b", "expect": 9, "set": 5, "reason": "slip",
}  # fmt: skip


def correct(tmp_path, content, **changed):
    item = Correction.model_validate({**CORRECTION, **changed})
    columns = (A, Column("b", "int8", "b"))
    return read(tmp_path, content, columns, corrections=(item,))


def test_correction_is_applied(tmp_path):
    assert correct(tmp_path, b"a,b\n1,9\n2,9\n")["b"].to_list() == [9, 5]


def test_correction_stops_when_the_error_is_gone(tmp_path):
    with pytest.raises(SourceError) as caught:
        correct(tmp_path, b"a,b\n1,9\n2,5\n")
    text = str(caught.value)
    assert 'line 3, column b: found "5" where sources/mine.corrections.yaml' in text
    assert 'expects the error "9" (a 2)' in text
    assert "remove or rewrite the correction" in text


@pytest.mark.parametrize(
    ("change", "says"),
    [({"where": {"a": 3}}, "no row of"), ({"column": "c"}, "no column c")],
)
def test_correction_that_finds_nothing_stops(tmp_path, change, says):
    with pytest.raises(SourceError, match=says):
        correct(tmp_path, b"a,b\n1,9\n2,9\n", **change)


def test_unreadable_file(tmp_path):
    with pytest.raises(SourceError, match="can't be read"):
        reading.read_bytes(tmp_path)
