"""Each file that a user writes, spoilt in each way we know: the same answer, or one paragraph.

What stands here: config.yaml, a study's three files, a user's covariate with its data, and the
declarations of a source, of claims and of references. `run` is the command line in this process.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from foedus.cli.front import run
from foedus.covariates import registry

STUDY = "leeds_long_mitchell_2000"
Spoil = Callable[[bytes], bytes]

COVARIATE = """name: embassy
title: Embassies
file: embassy.csv
key: [ccode1, ccode2, year]
directed: true
columns:
  embassy: {says: "1 has an embassy in 2", unit: "0/1", kind: flag, collapse: max}
absent: zero
coverage: [1960, 2013]
citation: "Family, Given (2014). Title of the data set."
"""
EMBASSIES = "ccode1,ccode2,year,embassy\n2,20,1970,1\n20,2,1970,1\n200,220,1971,0\n"

FILES = {
    "config/config.yaml": ["doctor"],
    f"config/studies/{STUDY}/study.yaml": ["study", "check", STUDY],
    f"config/studies/{STUDY}/published.csv": ["study", "check", STUDY],
    f"config/studies/{STUDY}/notes.md": ["study", "check", STUDY],
    "config/sources/cow_states.yaml": ["sources"],
    "config/covariates/embassy.yaml": ["covariates", "show", "embassy"],
    "config/references/claims.yaml": ["cite", STUDY],
}
"""Each file with a command that reads it."""

PROSE, HARMLESS = [f"config/studies/{STUDY}/notes.md"], ["half a line"]
"""Any text may follow in prose."""

YAML_FILES = [name for name in FILES if name.endswith(".yaml")]

REFUSED: dict[str, Spoil] = {
    "latin-1 letters": lambda text: text + b"# caf\xe9\n",
    "a NUL byte": lambda text: text[:40] + b"\0" + text[40:],
    "UTF-16": lambda text: text.decode().encode("utf-16"),
    "a web page": lambda _: b"<!DOCTYPE html><html><body>Please log in</body></html>",
    "gzip": lambda text: gzip.compress(text, mtime=0),
    "half a line": lambda text: text.rstrip() + b'\n"unclosed: [',
}
"""Ways to spoil any of the files that must be refused."""

REFUSED_YAML: dict[str, Spoil] = {
    "a key twice": lambda text: text + b"\n" + _first_key(text) + b": again\n",
    "an unknown key": lambda text: text + b"\nno_such_key: 1\n",
    "a list": lambda _: b"- one\n- two\n",
    "a tab for indent": lambda text: text + b"\nmore:\n\tdeep: 1\n",
    "code in a tag": lambda text: text + b"\nmore: !!python/object/apply:os.system [exit]\n",
    "aliases of aliases": lambda text: text + _laughs(),
    "brackets without end": lambda text: text + b"\nmore: " + b"[" * 50_000,
    "two documents": lambda text: text + b"\n---\nsecond: 1\n",
}

UNHARMED: dict[str, Spoil] = {
    "CRLF": lambda text: text.replace(b"\n", b"\r\n"),
    "no final newline": lambda text: text.rstrip(b"\n"),
    "a mark of byte order": lambda text: b"\xef\xbb\xbf" + text,
    "mixed line ends": lambda text: text.replace(b"\n", b"\r\n", 2),
}
"""Ways that change nothing a reader should mind."""


def _first_key(text: bytes) -> bytes:
    lines = [line for line in text.splitlines() if line[:1].isalpha() and b":" in line]
    return lines[0].split(b":")[0]


def _laughs() -> bytes:
    lines = [b"more0: &m0 [ha, ha]"]
    lines += [
        b"more%d: &m%d [%s]" % (n, n, b", ".join([b"*m%d" % (n - 1)] * 9)) for n in range(1, 12)
    ]
    return b"\n" + b"\n".join(lines) + b"\n"


@pytest.fixture(autouse=True)
def own_registry() -> Iterator[None]:
    """Leave the registry of covariates as it was: a project's own would stay in it."""
    before = dict(registry.registry())  # imports ours first
    yield
    registry._COVARIATES.clear()
    registry._COVARIATES.update(before)


@pytest.fixture
def spoil(bare: Path) -> Callable[[str, Spoil], None]:
    """A project with a user's covariate, and a function that spoils one of its files."""
    folder = bare / "config" / "covariates"
    (folder / "embassy.yaml").write_text(COVARIATE, encoding="utf-8")
    (folder / "embassy.csv").write_text(EMBASSIES, encoding="utf-8")
    for study in (bare / "config" / "studies").iterdir():
        if study.name != STUDY:
            shutil.rmtree(study)

    def change(name: str, how: Spoil) -> None:
        path = bare / name
        path.write_bytes(how(path.read_bytes()))

    return change


def ask(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = run(["--offline", "--json", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def check_refusal(code: int, said: str, name: str) -> None:
    assert code == 3, said
    assert said.startswith("foedus: error:")
    assert Path(name).name in said or Path(name).parent.name in said
    assert "Traceback" not in said
    assert "bug" not in said
    assert len(said) < 3000


@pytest.mark.parametrize(
    ("name", "how"),
    [(name, how) for name in FILES for how in REFUSED if name not in PROSE or how not in HARMLESS]
    + [(name, how) for name in YAML_FILES for how in REFUSED_YAML],
)
def test_a_spoilt_file_is_refused_by_name(
    name: str,
    how: str,
    spoil: Callable[[str, Spoil], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(name, {**REFUSED, **REFUSED_YAML}[how])
    code, _, said = ask(FILES[name], capsys)
    check_refusal(code, said, name)


@pytest.mark.parametrize("how", UNHARMED)
@pytest.mark.parametrize("name", FILES)
def test_other_line_ends_change_nothing(
    name: str,
    how: str,
    spoil: Callable[[str, Spoil], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = ask(FILES[name], capsys)
    assert before[0] == 0, before
    spoil(name, UNHARMED[how])
    assert ask(FILES[name], capsys) == before


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_never_gives_a_traceback(
    name: str, spoil: Callable[[str, Spoil], None], capsys: pytest.CaptureFixture[str], bare: Path
) -> None:
    whole = (bare / name).read_bytes()
    for at in range(7, len(whole), max(1, len(whole) // 12)):
        for byte in (b"\0", b"\xff", b'"', b"["):
            spoil(name, lambda _, at=at, byte=byte: whole[:at] + byte + whole[at + 1 :])
            code, out, said = ask(FILES[name], capsys)
            assert code in (0, 2, 3), said
            assert "Traceback" not in said
            assert "bug in foedus" not in said
            assert code != 0 or json.loads(out) is not None
