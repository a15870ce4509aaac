"""The front door: options, exit codes, one paragraph an error, machine-readable output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from foedus import errors
from foedus.cli.environment import ONE_THREAD
from foedus.cli.front import COMMANDS, explain, paragraph, run
from foedus.cli.settings import Command, Group, Settings

CONTRACT = (
    "doctor", "sources", "fetch", "ingest", "units", "covariates", "panel", "estimate", "study",
    "curve", "report", "diff", "world", "new", "cite",
)  # fmt: skip
WITH_GROUPS = [[name] for name in COMMANDS] + [
    ["covariates", "show"], ["estimators", "show"],
    ["study", "list"], ["study", "show"], ["study", "run"],
    ["study", "check"], ["new", "source"], ["new", "covariate"], ["new", "study"],
]  # fmt: skip


def test_every_command_of_the_contract_is_there() -> None:
    assert set(CONTRACT) <= set(COMMANDS)


@pytest.mark.parametrize("words", WITH_GROUPS, ids=" ".join)
def test_every_command_takes_the_common_options(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "--help"]) == 0
    shown = capsys.readouterr().out
    for option in ("--quiet", "--json", "--raw DIR", "--data DIR", "--offline", "--jobs N"):
        assert option in shown, option


def test_bare_foedus_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "Commands:" in capsys.readouterr().out


def test_help_is_quick_and_imports_no_data_library() -> None:
    code = (
        "import sys; from foedus.cli.front import run; run(['--help']); "
        "print(sorted({'numpy','pandas','polars','pyarrow','matplotlib'} & set(sys.modules)))"
    )
    began = time.perf_counter()
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.rstrip().endswith("[]")
    assert time.perf_counter() - began < 2  # 0.15 s on a quiet machine


@pytest.mark.parametrize("words", [["--json", "units"], ["units", "--json"]])
def test_common_options_stand_before_or_after_the_command(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"name", "keys", "says", "sources"} <= set(listed[0])


def test_raw_folders_add_up_and_the_innermost_wins(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    outer = Group("outer", commands={"probe": Command("probe", callback=lambda: None)})
    settings = Settings()
    words = ["--raw", str(tmp_path / "one"), "--jobs", "3", "probe"]
    words += ["--raw", str(tmp_path / "two"), "--jobs", "5"]
    outer.main(words, obj=settings, standalone_mode=False)
    assert settings.raw == [tmp_path / "one", tmp_path / "two"]
    assert settings.jobs == 5


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["sorces"], 'there is no command "sorces". Nearest: sources'),
        (["units", "--jsn"], "no such option: --jsn. Nearest: --json"),
        (["study", "lst"], 'there is no command "lst". Nearest: list'),
        (["panel", "dyad-year", "--out", "x.csv"], "Missing option '--years'"),
        (["panel", "dyad-yeer", "--years", "1900", "1901", "--out", "x.csv"], "dyad-year"),
        (["panel", "dyad-year", "--years", "1900", "1901", "--out", "x.txt"], ".parquet"),
        (["covariates", "show", "atopp"], "Nearest: atop"),
        (["fetch", "--offline"], "--offline forbids it"),
        (["world", "--seed", "1", "--out", "x", "--years", "1900", "1905"], "at least 30 years"),
        (["world", "--seed", "1", "--out", "x", "--scale", "900"], "from 12 to 700 states"),
        (["choose-data", "reel"], "Nearest: real"),
        (["study", "run"], "say --all"),
        (["new", "covariate", "Not-A-Name"], "small letters"),
        (["cite", "atopp"], "Nearest: atop"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_exit_2_and_one_paragraph(
    words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("foedus: error: ")
    assert expected in shown.err
    assert shown.err.count("\n") == 1
    assert "Traceback" not in shown.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError("x"), 2),
        (errors.SourceError("x"), 3),
        (errors.ConfigError("x"), 3),
        (errors.PanelError("x"), 3),
        (errors.MissingDataError("x"), 4),
        (errors.EstimationError("x"), 5),
        (PermissionError(13, "Permission denied", "place"), 2),
        (ValueError("ours"), 1),
    ],
)
def test_exit_codes(error: Exception, code: int) -> None:
    assert explain(error)[0] == code


def test_a_bug_of_ours_says_so() -> None:
    assert "bug in foedus" in explain(ZeroDivisionError("ours"))[1]


def test_an_error_is_one_paragraph() -> None:
    assert paragraph("one\n  two") == "foedus: error: one two"


def test_interrupted_is_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("foedus.panels.units.units", interrupt)
    assert run(["units"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_debug_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_down() -> None:
        raise errors.SourceError("broken")

    monkeypatch.setattr("foedus.panels.units.units", break_down)
    assert run(["units", "--debug"]) == 3
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert shown.rstrip().endswith("foedus: error: broken")


def test_a_closed_pipe_is_no_error() -> None:
    # 20 rounds of output are far more than a pipe holds, so that writing goes on after the close.
    code = (
        "import foedus.panels.units as room, sys; from foedus.cli import main; "
        "one = next(iter(room.units().values())); "
        "room.units = lambda: {str(n): one for n in range(5000)}; main(['units'])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0


def test_threads_are_pinned_unless_said_otherwise() -> None:
    code = (
        "import os; from foedus.cli.environment import pin_environment as pin; pin(); "
        f"print(*[os.environ[name] for name in {ONE_THREAD!r}])"
    )
    surroundings = {key: value for key, value in os.environ.items() if key not in ONE_THREAD}
    surroundings["OMP_NUM_THREADS"] = "7"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=surroundings
    )
    assert out.stdout.split() == ["1", "7", "1", "1", "1"]


def test_without_data_exit_4_names_each_core_file(
    bare: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["choose-data", "real", "--offline"]) == 4
    shown = capsys.readouterr()
    assert shown.err.startswith("foedus: error: no real data")
    for name in (
        "states2016.csv", "atop5_1m.csv", "MIDA 5.0.csv", "Inter-StateWarData_v4.0.csv",
        "contdird.csv", "NMC",
    ):  # fmt: skip
        assert name in shown.err, name
    assert str(bare / "data" / "raw") in shown.err
    assert "run on a simulated world instead" in shown.err
    assert not (bare / "results" / "world").exists()


def test_doctor_answers_without_data(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    state = json.loads(capsys.readouterr().out)
    assert state["real_data"] is False
    assert {one["state"] for one in state["sources"]} == {"missing"}
    assert state["mend"]
    assert run(["doctor"]) == 0
    assert "can't run on real data" in capsys.readouterr().out


def test_doctor_lives_with_a_broken_study(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = next((bare / "config" / "studies").glob("*/study.yaml"))
    broken.write_text("id: [", encoding="utf-8")
    assert run(["doctor"]) == 0
    assert "not valid YAML" in capsys.readouterr().out


def test_sources_lists_states_and_citations(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sources", "atop", "--json"]) == 0
    one = json.loads(capsys.readouterr().out)[0]
    assert one["state"] == "missing"
    assert "Leeds" in " ".join(one["citation"])
    assert run(["sources"]) == 0
    assert "atop5_1m.csv" in capsys.readouterr().out


def test_covariates_by_unit_and_one_in_detail(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["covariates", "--unit", "directed-dyad-year", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    nmc = next(one for one in listed if one["name"] == "nmc")
    assert "cinc1" in nmc["columns_on_unit"]
    assert run(["covariates", "show", "nmc"]) == 0
    assert "Options:" in capsys.readouterr().out


def test_cite_gives_bibtex_of_what_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cite", "nmc", "atop"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("@")
    assert "Stuckey" in shown
    assert "Alliance Treaty Obligations" in shown


def test_estimate_reads_any_panel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    panel = tmp_path / "panel.csv"
    rows = [f"{y},{x},{x % 2}" for y, x in [(0, 1), (1, 2), (0, 3), (1, 4), (1, 1), (0, 2), (1, 5)]]
    panel.write_text("\n".join(["y,x,z", *rows, "1,,0"]) + "\n", encoding="utf-8")
    out = tmp_path / "table.csv"
    words = ["estimate", "y ~ x", "--panel", str(panel), "--estimator", "logit", "--out", str(out)]
    assert run([*words, "--cov", "classical", "--cov", "HC1", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["n_obs"] == 7
    assert shown["rows_lost"] == {"missing x": 1}
    assert [row["covariance"] for row in shown["table"]] == ["classical"] * 2 + ["HC1"] * 2
    assert out.read_text(encoding="utf-8").startswith("term,estimate,std_error")
    assert run(words) == 0
    assert "rows lost, missing x: 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("ending", "held"), [("md", "| x |"), ("tex", r"\toprule"), ("html", '<th scope="row">x</th>')]
)
def test_estimate_writes_tables(
    ending: str, held: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    panel = tmp_path / "panel.csv"
    rows = "\n".join(f"{(x * 7) % 5 % 2},{x % 5},{x // 4}" for x in range(40))
    panel.write_text(f"y,x,dyad\n{rows}\n", encoding="utf-8")
    out = tmp_path / f"table.{ending}"
    words = ["estimate", "y ~ x", "--panel", str(panel), "--estimator", "ols", "--stars"]
    assert run([*words, "--cov", "classical", "--cov", "HC1", "--out", str(out)]) == 0
    text = out.read_text(encoding="utf-8")
    assert held in text
    assert "HC1" in text
    assert "classical" in text
    assert run([*words, "--out", str(tmp_path / "table.docx")]) == 2
    assert "ends in" in capsys.readouterr().err


def test_estimate_takes_options_of_the_estimator(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    panel = tmp_path / "panel.csv"
    rows = "\n".join(f"{(x * 7) % 5 % 2},{x % 5},{x // 4}" for x in range(40))
    panel.write_text(f"y,x,dyad\n{rows}\n", encoding="utf-8")
    words = ["estimate", "y ~ x", "--panel", str(panel), "--estimator", "clogit", "--json"]
    assert run([*words, "--set", "strata=dyad", "--set", "ties=breslow"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [row["term"] for row in shown["table"]] == ["x"]
    assert run(words) == 2
    assert "needs strata=" in capsys.readouterr().err
    for wrong in ("strata", "tie=efron", "ties=other"):
        assert run([*words, "--set", "strata=dyad", "--set", wrong]) == 2
    capsys.readouterr()


def test_estimators_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["estimators", "--json"]) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert listed["logit"]["outcome"] == "binary"
    assert run(["estimators", "show", "clogit"]) == 0
    shown = capsys.readouterr().out
    assert "option strata: " in shown
    assert "needed" in shown
    assert run(["estimators", "show", "logitt"]) == 2
    assert "Nearest: logit" in capsys.readouterr().err


def test_estimate_says_why_it_can_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    panel = tmp_path / "panel.csv"
    rows = "\n".join(f"{x % 2},{x % 2},{x}" for x in range(12))
    panel.write_text(f"y,x,z\n{rows}\n", encoding="utf-8")
    words = ["estimate", "y ~ x", "--panel", str(panel), "--estimator", "logit"]
    assert run(words) == 5
    assert "perfectly predicted" in capsys.readouterr().err
    absent = ["estimate", "y ~ x", "--panel", str(tmp_path / "no.csv"), "--estimator", "logit"]
    assert run(absent) == 4


@pytest.mark.parametrize(("changed", "code"), [(False, 0), (True, 1)])
def test_diff_fails_when_a_verdict_changed(
    changed: bool,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import foedus.studies.diff as room

    def report(old: Path, new: Path) -> Any:
        return SimpleNamespace(
            text=lambda: "text", markdown=lambda: "**md**", json=lambda: "{}",
            verdicts_changed=changed,
        )  # fmt: skip

    monkeypatch.setattr(room, "diff_results", report)
    words = ["diff", str(tmp_path), str(tmp_path)]
    assert run([*words, "--format", "markdown"]) == code
    assert capsys.readouterr().out == "**md**\n"
    assert run([*words, "--json"]) == code
    assert capsys.readouterr().out == "{}\n"


def test_docs_build_with_every_command_and_covariate(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["docs", "--out", str(tmp_path)]) == 0
    commands = (tmp_path / "commands.html").read_text(encoding="utf-8")
    assert all(f"foedus {name}" in commands for name in COMMANDS)
    codebook = (tmp_path / "codebook.html").read_text(encoding="utf-8")
    assert "atop_third_party" in codebook
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'href="method.html"' in index
    assert 'href="CONTRIBUTING.html"' in index
