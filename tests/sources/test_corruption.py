"""Whatever is wrong with a file, the answer is one paragraph, exit 3, and nothing half-written."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.sources import handmade as hand
from tests.sources.conftest import ROOT

from foedus.errors import SourceError
from foedus.sources.ingest import ingest
from foedus.sources.registry import FileFacts, SourceFacts, load_facts, reader

# A workspace of R is no table: see test_rdata.py.
FACTS = {
    name: one
    for name, one in load_facts(ROOT / "config").items()
    if not any(file.name.endswith(".RData") for file in one.files)
}
# A file without a header can't be spoilt in it: test_optional.py spoils that one in its own ways.
HEADERLESS = {"gw_states"}
FACTS = {name: facts for name, facts in FACTS.items() if name not in HEADERLESS}
FILES = [(one.id, file.name) for one in FACTS.values() for file in one.files]


def lay_out(folder: Path, facts: SourceFacts, spoilt: dict[str, bytes]) -> None:
    """Write all files of a source: the spoilt one as given, the others handmade."""
    folder.mkdir(parents=True)
    for file in facts.files:
        content = spoilt.get(file.name)
        if content is None:
            content = hand.handmade(facts, file).encode()
        (folder / file.name).write_bytes(content)


def check_message(error: SourceError, file: FileFacts, says: tuple[str, ...]) -> None:
    text = str(error)
    assert error.exit_code == 3
    assert "\n" not in text
    assert "Traceback" not in text
    assert len(text) < 900
    assert file.name in text
    for word in says:
        assert word in text, f"{word!r} not in: {text}"


@pytest.mark.parametrize("source", sorted(FACTS))
def test_handmade_file_in_the_official_layout_is_read(source, tmp_path, make_project):
    facts = FACTS[source]
    lay_out(tmp_path / "raw", facts, {})
    project = make_project(tmp_path / "raw", accept=(source,))
    (report,) = ingest(project, [source])
    assert report.state == "accepted unpinned"
    first = next(iter(facts.tables))
    if not reader(facts).layouts:  # a wide file has another number of records than its table
        assert report.rows[first] == hand.ROWS
    said = any("the pinned release has" in note for note in report.notes)
    assert said is not facts.optional


@pytest.mark.parametrize("kind", sorted(hand.SPOILERS))
@pytest.mark.parametrize(("source", "name"), FILES)
def test_spoilt_handmade_file(source, name, kind, tmp_path, make_project):
    facts = FACTS[source]
    file = facts.file(name)
    spoilt = hand.SPOILERS[kind](hand.handmade(facts, file), facts)
    if spoilt is None:
        return  # this layout can't be spoilt that way: no code list, no compression
    lay_out(tmp_path / "raw", facts, {name: spoilt.content})
    project = make_project(tmp_path / "raw", accept=(source,))
    with pytest.raises(SourceError) as caught:
        ingest(project, [source])
    check_message(caught.value, file, spoilt.says)
    assert not project.data.exists()


OFFICIAL = [(source, name) for source, name in FILES if FACTS[source].file(name).pinned]


@pytest.mark.real
@pytest.mark.parametrize(("source", "name"), OFFICIAL)
def test_spoilt_cut_out_of_the_official_file(source, name, tmp_path, make_project, shared):
    facts = FACTS[source]
    file = facts.file(name)
    sheet = hand.cut_out(next(shared.rglob(name)), facts, file)
    if len(sheet.rows) < hand.ROWS:
        return  # a file of one or two records: the handmade one stands for it
    for kind, spoiler in hand.SPOILERS.items():
        spoilt = spoiler(sheet, facts)
        if spoilt is None or (kind == "out_of_range" and name.endswith(".dta")):
            continue
        raw = tmp_path / kind
        lay_out(raw, facts, {name: spoilt.content})
        project = make_project(raw, accept=(source,))
        with pytest.raises(SourceError) as caught:
            ingest(project, [source])
        check_message(caught.value, file, spoilt.says)
        assert not project.data.exists()


TEXT = sorted({source for source, name in FILES if not name.endswith((".dta", ".xlsx"))})


@pytest.mark.parametrize("source", TEXT)
def test_a_damaged_byte_never_gives_a_traceback(source, tmp_path, make_project):
    """Whatever a byte is changed to, the file is either still valid or refused in one paragraph."""
    facts = FACTS[source]
    project = make_project(tmp_path / "raw", accept=(source,))
    lay_out(tmp_path / "raw", facts, {})
    chance = random.Random(source)
    refusals = []
    for file in facts.files:
        path = tmp_path / "raw" / file.name
        if path.suffix in (".dta", ".xlsx"):
            continue  # a changed byte there is another number: nothing to refuse
        whole = path.read_bytes()
        for _ in range(12):
            spoilt = bytearray(whole)
            at = chance.randrange(len(spoilt))
            spoilt[at : at + chance.choice([0, 1, 1, 5])] = bytes(
                chance.choice([chance.randrange(256), *b'",;\r\n-9']) for _ in range(1)
            )
            path.write_bytes(bytes(spoilt))
            try:
                ingest(project, [source], force=True)
            except SourceError as error:
                refusals.append((file.name, str(error)))
        path.write_bytes(whole)
    assert refusals
    for name, text in refusals:
        assert name in text
        assert "\n" not in text
