"""R's workspaces: read as data, refused when broken or when they hold code."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.sources.conftest import MakeProject

from foedus.errors import SourceError
from foedus.sources.ingest import ingest
from foedus.sources.rdata import read_rdata
from foedus.sources.tables import Tables

SOURCE = "rep_cranmer_desmarais_menninga_2012"


def integer(value: int) -> bytes:
    return struct.pack(">i", value)


def chars(text: str | None) -> bytes:
    if text is None:
        return integer(9) + integer(-1)
    content = text.encode()
    return integer(9 | 0x8000) + integer(len(content)) + content


def strings(*texts: str | None) -> bytes:
    return integer(16) + integer(len(texts)) + b"".join(map(chars, texts))


def ints(*values: int, attributes: bytes = b"") -> bytes:
    flags = 13 | (0x200 if attributes else 0)
    return integer(flags) + integer(len(values)) + b"".join(map(integer, values)) + attributes


def reals(*values: float, attributes: bytes = b"") -> bytes:
    flags = 14 | (0x200 if attributes else 0)
    return integer(flags) + integer(len(values)) + struct.pack(f">{len(values)}d", *values) + (
        attributes
    )  # fmt: skip


class Writer:
    """Writes what R's save() writes, symbols by reference when they come again."""

    def __init__(self, version: int = 2) -> None:
        self.version = version
        self.symbols: list[str] = []

    def symbol(self, name: str) -> bytes:
        if name in self.symbols:
            return integer(255 | (self.symbols.index(name) + 1) << 8)
        self.symbols.append(name)
        return integer(1) + chars(name)

    def pairs(self, *members: tuple[str, Callable[[], bytes]]) -> bytes:
        """Symbols are numbered as they are written, so that members come as functions."""
        made = b""
        for name, member in members:
            made += integer(2 | 0x400) + self.symbol(name)
            made += member()
        return made + integer(254)

    def listed(self, **members: Callable[[], bytes]) -> bytes:
        made = integer(19 | 0x200) + integer(len(members))
        made += b"".join(member() for member in members.values())
        return made + self.pairs(("names", lambda: strings(*members)))

    def matrix(self, values: np.ndarray, names: list[str], real: bool = True) -> bytes:
        flat = (values if real else values.astype(int)).T.reshape(-1).tolist()
        attributes = self.pairs(
            ("dim", lambda: ints(*values.shape)),
            ("dimnames",
             lambda: integer(19) + integer(2) + strings(*names) + strings(*names)),
        )  # fmt: skip
        return reals(*flat, attributes=attributes) if real else ints(*flat, attributes=attributes)

    def saved(self, **objects: Callable[[], bytes]) -> bytes:
        head = f"RDX{self.version}\nX\n".encode() + integer(self.version) + integer(0) * 2
        if self.version == 3:
            head += integer(5) + b"UTF-8"
        return head + self.pairs(*objects.items())


def networks(names: list[str], above: float = 1) -> bytes:
    """Two years of three states: A and B allied in 1981, A and C as well in 1982."""
    writer = Writer()
    ties = {"1981": [(1, 2)], "1982": [(1, 2), (1, 3)]}
    n = len(names)

    def network(year: str) -> bytes:
        def edge(out: int, into: int) -> bytes:
            return writer.listed(inl=lambda: ints(into), outl=lambda: ints(out))

        def vertex(at: int) -> bytes:
            return writer.listed(
                **{"vertex.names": lambda: strings(names[at])},
                polity=lambda: ints(at),
                cinc=lambda: reals(0.1 * at),
            )

        edges = ties[year]
        return writer.listed(
            mel=lambda: integer(19) + integer(len(edges)) + b"".join(edge(*e) for e in edges),
            val=lambda: integer(19) + integer(n) + b"".join(vertex(at) for at in range(n)),
        )

    def layer(value: float) -> Callable[[], bytes]:
        filled = np.zeros((n, n))
        filled[0, 1] = value
        return lambda: writer.listed(
            **{year: lambda: writer.matrix(filled, names) for year in ties}
        )

    border = np.zeros((n, n))
    border[0, -1] = border[-1, 0] = 1
    return writer.saved(
        allyNet=lambda: writer.listed(**{"1981": lambda: network("1981"),
                                         "1982": lambda: network("1982")}),
        contigMat=lambda: writer.matrix(border, names, real=False),
        lNet=layer(above), LSP=layer(3), warNet=layer(0),
    )  # fmt: skip


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("version", [2, 3])
def test_vectors_lists_and_attributes(
    tmp_path: Path, pack: Callable[[bytes], bytes], version: int
) -> None:
    writer = Writer(version)
    content = writer.saved(
        numbers=lambda: reals(1.5, -2.0),
        flags=lambda: ints(1, -(2**31)),
        words=lambda: strings("\u00e9t\u00e9", None, ""),
        nothing=lambda: integer(254),
        table=lambda: writer.listed(a=lambda: ints(7), b=lambda: writer.listed(c=lambda: ints(8))),
        again=lambda: writer.matrix(np.array([[1, 2], [3, 4]]), ["x", "y"], real=False),
    )
    path = tmp_path / "some.RData"
    path.write_bytes(pack(content))
    made = read_rdata(path)
    assert made["numbers"].data.tolist() == [1.5, -2.0]
    assert made["flags"].data.tolist() == [1, -(2**31)]
    assert made["words"].data == ["\u00e9t\u00e9", None, ""]
    assert made["nothing"].data is None
    assert made["table"].named()["b"].named()["c"].data.tolist() == [8]
    assert made["again"].attributes["dim"].data.tolist() == [2, 2]
    assert made["again"].data.tolist() == [1, 3, 2, 4]


def test_networks_become_tables(tmp_path: Path, make_project: MakeProject) -> None:
    (tmp_path / "raw").mkdir()
    packed = lzma.compress(networks(["AAA", "BBB", "CCC"]))
    (tmp_path / "raw" / "alliances.RData").write_bytes(packed)
    project = make_project(tmp_path / "raw", accept=(SOURCE,))
    ingest(project, [SOURCE])
    tables = Tables(project)
    pairs = tables.get(SOURCE, "dyad_years")
    assert pairs.height == 6
    assert pairs.filter(year=1982).select(pl.exclude("year")).rows() == [
        ("AAA", "BBB", 1, 1, 3, 0, 0), ("AAA", "CCC", 1, 0, 0, 0, 1), ("BBB", "CCC", 0, 0, 0, 0, 0),
    ]  # fmt: skip
    states = tables.get(SOURCE, "state_years")
    assert states.filter(state="CCC", year=1981).select("polity", "cinc").rows() == [(2, 0.2)]


CODE = {3: "a function", 4: "an environment", 6: "a call", 20: "an expression", 21: "byte code"}


@pytest.mark.parametrize("kind", CODE)
def test_what_could_be_run_is_refused(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "evil.RData"
    path.write_bytes(Writer().saved(x=lambda: integer(kind) + integer(0) * 8))
    with pytest.raises(SourceError, match=f"holds {CODE[kind]}, which is no data"):
        read_rdata(path)


WHOLE = networks(["AAA", "BBB", "CCC"])
DEEP = b"".join(integer(19) + integer(1) for _ in range(200))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no workspace"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"RDA2\nA\n2\n", "no workspace"),
        (WHOLE[: len(WHOLE) // 2], "breaks off|longer than the file"),
        (lzma.compress(WHOLE)[:200], "breaks off|damaged"),
        (gzip.compress(WHOLE, mtime=0)[:100], "breaks off|damaged"),
        (lzma.compress(WHOLE)[:60] + b"\x00" * 60 + lzma.compress(WHOLE)[120:], "damaged"),
        (Writer().saved(x=lambda: integer(14) + integer(2**30)), "longer than the file"),
        (Writer().saved(x=lambda: integer(14) + integer(-5)), "longer than the file"),
        (Writer().saved(x=lambda: DEEP + integer(254)), "nested too deeply"),
        (Writer().saved(x=lambda: integer(255 | 9 << 8)), "points nowhere"),
        (b"RDX2\nX\n" + integer(2) + integer(0) * 2 + ints(3), "can't be read"),
    ],
)
def test_a_broken_workspace_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "some.RData"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=words) as caught:
        read_rdata(path)
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)


def test_one_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foedus.sources.rdata._LARGEST", 1000)
    path = tmp_path / "bomb.RData"
    for pack in (lzma.compress, gzip.compress, bz2.compress):
        path.write_bytes(pack(b"RDX2\nX\n" + bytes(100_000)))
        with pytest.raises(SourceError, match="unpacks to more than"):
            read_rdata(path)


@pytest.mark.parametrize(
    "content",
    [
        Writer().saved(other=lambda: ints(1)),
        networks(["AAA", "BBB"]),
        networks(["AAA", "BBB", "CCC"], above=2),
    ],
)
def test_another_workspace_is_refused(
    tmp_path: Path, make_project: MakeProject, content: bytes
) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "alliances.RData").write_bytes(content)
    project = make_project(tmp_path / "raw", accept=(SOURCE,))
    with pytest.raises(SourceError, match=r"alliances\.RData"):
        ingest(project, [SOURCE])
    assert not project.data.exists()


def test_damaged_bytes_never_give_a_traceback(tmp_path: Path) -> None:
    chance = random.Random(5)
    path = tmp_path / "some.RData"
    said = []
    for _ in range(300):
        spoilt = bytearray(WHOLE)
        spoilt[chance.randrange(20, len(spoilt))] = chance.randrange(256)
        path.write_bytes(bytes(spoilt))
        try:
            read_rdata(path)
        except SourceError as error:
            said.append(str(error))
    assert said
    assert [text for text in said if "some.RData" not in text] == []
