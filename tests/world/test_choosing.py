"""`foedus choose-data`: real data when they are here, else a world, and never one for the other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from foedus.cli.choose_data import _how_to_get
from foedus.cli.front import run
from foedus.world import settings as world_settings


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the default world be a small one."""
    monkeypatch.setattr(world_settings, "DEFAULT_STATES", 14)


def test_without_data_auto_makes_a_world_and_says_so(
    bare: Path, small: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["choose-data", "auto", "--offline"]) == 0
    shown = capsys.readouterr()
    first = shown.out.splitlines()[0]
    assert first.startswith("data: SIMULATED (DATA=auto found no real data")
    assert "14 states" in first
    assert (bare / "results" / "world" / "truth.json").is_file()
    assert "the study oneal_russett_1997_onset is left out" in shown.err


def test_the_world_is_made_once(bare: Path, small: None) -> None:
    assert run(["choose-data", "simulated", "--offline", "--quiet"]) == 0
    truth = bare / "results" / "world" / "truth.json"
    before = truth.stat().st_mtime_ns
    assert run(["choose-data", "simulated", "--offline", "--quiet"]) == 0
    assert truth.stat().st_mtime_ns == before
    (truth.parent / "MIDA 5.0.csv").write_text("cut off")
    assert run(["choose-data", "simulated", "--offline", "--quiet"]) == 0
    assert (truth.parent / "MIDA 5.0.csv").read_text("utf-8").startswith("dispnum,stday")


def test_the_end_of_a_simulated_run_says_how_to_get_real_data(
    bare: Path, small: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["choose-data", "simulated", "--offline", "--quiet"]) == 0
    assert run(["choose-data", "--end"]) == 0
    said = capsys.readouterr().out
    assert "report: " in said
    assert "All of it is SIMULATED" in said
    for words in ("foedus fetch", "foedus doctor", "make report DATA=real", "data/raw"):
        assert words in said, words


def test_steps_that_are_done_are_not_told() -> None:
    home = Path("data/raw")
    assert _how_to_get([], [], home) == []
    assert len(_how_to_get(["a"], [], home)) == 1
    (only,) = _how_to_get([], ["b"], home)
    assert only.startswith("Put 1 data set by hand")
    both = _how_to_get(["a"], ["b", "c"], home)
    assert [one.split()[0] for one in both] == ["`foedus", "Put"]
    assert "the other 2 data sets" in both[1]


def test_real_never_takes_a_world(
    bare: Path, small: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["choose-data", "simulated", "--offline", "--quiet"]) == 0
    assert run(["choose-data", "real", "--offline"]) == 4
    assert "no real data" in capsys.readouterr().err


def test_json_of_a_world_command(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = bare / "mine"
    command = ["world", "--seed", "3", "--states", "14", "--years", "1816", "1880"]
    assert run([*command, "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["seed"] == 3
    assert told["years"] == [1816, 1880]
    assert (out / "truth.json").is_file()
