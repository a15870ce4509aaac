"""Kill a command at a moment of its run, give it again, and compare with an undisturbed run."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from foedus.lineage import plan
from tests.faults.slow_server import serving

STUDY = "small_study"
COMPARED = ("results", "data")


@dataclass(frozen=True)
class Step:
    """A command that can be killed.

    Attributes
    ----------
    name : str
    words : tuple of str
        What follows the Python interpreter.
    """

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What one kill left: when it struck, whether it struck at all, and what then differed."""

    step: str
    after: float
    struck: bool
    differing: tuple[str, ...]


STEPS = (
    Step("ingest", ("-m", "foedus", "ingest", "--offline")),
    Step(
        "panel",
        ("-m", "foedus", "panel", "directed-dyad-year", "--years", "1946", "1960", "--covariates",
         "all", "--out", "results/panels/panel.parquet", "--offline"),
    ),
    Step("study", ("-m", "foedus", "study", "run", STUDY, "--offline")),
    Step("report", ("-m", "foedus", "report", "--offline")),
)  # fmt: skip
FEW = "atop,atop_third_party,gml,mid,nmc,peace_years,similarity,war"
"""Covariates of the panel where few sources are at hand, in place of all."""
BETWEEN = (
    ("-m", "foedus", "curve", STUDY, "--max", "4", "--offline"),
    ("-m", "foedus", "collect", "--offline"),
)
"""What the report needs besides, run undisturbed before it."""

DAG = Step(
    "whole line",
    ("workflow/run_dag.py", "--profile", "config/profiles/local", "--cores", "2", "--config",
     "results=results"),
)  # fmt: skip


def make_project(repository: Path, raw: Path, root: Path) -> Path:
    """Copy the project without its studies, with one small study and a short default panel."""
    for name in ("config", "src", "workflow"):
        shutil.copytree(repository / name, root / name)
    _compile(root)
    shutil.copy(repository / "Snakefile", root)
    shutil.rmtree(root / "config" / "studies")
    config = root / "config" / "config.yaml"
    text = config.read_text(encoding="utf-8")
    for old, new in (
        ("years: [1816, 2010]", "years: [1946, 1950]"),
        ("../shared/sources", str(raw)),
        ("max_specifications: 64", "max_specifications: 4"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    config.write_text(text, encoding="utf-8")
    run(root, ("-m", "foedus", "new", "study", STUDY))
    return root


def keep_needed(root: Path, raw: Path, kept: Path) -> None:
    """Give a project only the source files that its panel and study read, as links in `kept`."""
    made = plan(root=root)
    tables = {*made.panel.tables, *(one for study in made.studies.values() for one in study.tables)}
    for source in made.sources.values():
        if tables.intersection(source.tables):
            (kept / source.id).mkdir(parents=True)
            for file in map(Path, source.raw):
                (kept / source.id / file.name).symlink_to(file.resolve())
    config = root / "config" / "config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(str(raw), str(kept)), encoding="utf-8")


def _compile(root: Path) -> None:
    """Compile the package once: commands that may write no bytecode would do so each time.

    Copies keep the files' times, by which Python knows that bytecode is of its source.
    """
    command = [sys.executable, "-m", "compileall", "-q", str(root / "src")]
    subprocess.run(command, check=True, capture_output=True)


def surroundings(root: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a command in a project's copy, with our own source files."""
    found = {**os.environ, "PYTHONPATH": str(root / "src"), "FOEDUS_ROOT": str(root)}
    found.pop("FOEDUS_RAW", None)
    return {**found, **(more or {})}


def run(root: Path, words: Sequence[str], more: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and return what it said; it must end well."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=root, env=surroundings(root, more), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def run_and_kill(root: Path, words: Sequence[str], after: float) -> bool:
    """Run a command and kill it with all its children `after` seconds; say whether it still ran."""
    running = subprocess.Popen(
        [sys.executable, *words],
        cwd=root, env=surroundings(root), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        running.wait(after)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        return True
    return False


def digests(root: Path) -> dict[str, str]:
    """Return the sha256 of every file made, hidden and temporary ones included."""
    found = {}
    for folder in COMPARED:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file():
                name = path.relative_to(root).as_posix()
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def differing(first: Mapping[str, str], second: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of files that only one has, or that differ."""
    names = sorted({*first, *second})
    return tuple(name for name in names if first.get(name) != second.get(name))


def moments(points: int, lasts: float) -> list[float]:
    """Return moments spread over a run's time, the first soon after its start."""
    return [lasts * (at + 0.4) / points for at in range(points)]


def strike(before: Path, scratch: Path, step: Step, points: int) -> Iterator[Outcome]:
    """Kill a step at `points` moments, each in a fresh copy of `before`, and run it again.

    Parameters
    ----------
    before : Path
        A project in which everything that the step needs is made; left with the step done.
    scratch : Path
        Folder for the copies.
    step : Step
    points : int

    Yields
    ------
    Outcome
        One a moment, with the files that differ from those of the undisturbed run.
    """
    pristine = scratch / "pristine"
    shutil.copytree(before, pristine, symlinks=True)
    lasts = _seconds_of(before, step)
    undisturbed = digests(before)
    copy = scratch / "copy"
    if points > 1:
        # The first run also reads our packages from the disk: moments after the end strike nothing.
        # A single moment is early enough in either.
        shutil.copytree(pristine, copy, symlinks=True)
        lasts = min(lasts, _seconds_of(copy, step))
        shutil.rmtree(copy)
    for after in moments(points, lasts):
        shutil.copytree(pristine, copy, symlinks=True)
        struck = run_and_kill(copy, step.words, after)
        run(copy, step.words)
        yield Outcome(step.name, after, struck, differing(digests(copy), undisturbed))
        shutil.rmtree(copy)
    shutil.rmtree(pristine)


def _seconds_of(root: Path, step: Step) -> float:
    began = time.monotonic()
    run(root, step.words)
    return time.monotonic() - began


def _of_few(step: Step) -> Step:
    return replace(step, words=tuple(FEW if word == "all" else word for word in step.words))


def strike_all(
    repository: Path, raw: Path, scratch: Path, points: int, few: bool = False
) -> Iterator[Outcome]:
    """Kill each step of a small project at `points` moments, in the order of the line.

    Parameters
    ----------
    repository : Path
        The working copy.
    raw : Path
        Folder of source files.
    scratch : Path
        Empty folder to work in.
    points : int
        Moments a step; the whole line, which takes longest, gets half as many.
    few : bool
        Ingest only the sources that the project's panel and study read, not all.

    Yields
    ------
    Outcome
        One a moment.
    """
    served = scratch / "fetching"
    with serving(served):
        fetch = Step("fetch", (str(Path(__file__).with_name("fetch_once.py")),))
        # The fetched project declares its own source; our package is the working copy's.
        shutil.copytree(repository / "src", served / "src")
        _compile(served)
        yield from strike(served, scratch / "fetch", fetch, points)
    root = make_project(repository, raw, scratch / "line")
    if few:
        keep_needed(root, raw, scratch / "raw")
    shutil.copytree(root, scratch / "untouched")
    for step in map(_of_few, STEPS) if few else STEPS:
        if step.name == "report":
            for words in BETWEEN:
                run(root, words)
        yield from strike(root, scratch / step.name, step, points)
    yield from strike(scratch / "untouched", scratch / "dag", DAG, max(1, points // 2))
