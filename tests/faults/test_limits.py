"""A full disk, a folder nobody may write to, no memory, other surroundings, two runs at once."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.kills import digests, make_project, run, surroundings

PANEL = (
    "-m", "foedus", "panel", "dyad-year", "--years", "1946", "1949", "--covariates",
    "atop,nmc,polity", "--out", "results/panels/panel.parquet", "--offline",
)  # fmt: skip
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1


@pytest.fixture(scope="module")
def project(repository: Path, real_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with its tables made and no panel."""
    root = make_project(repository, real_sources, tmp_path_factory.mktemp("limits") / "main")
    run(root, ("-m", "foedus", "ingest", "--offline"))
    return root


@pytest.fixture
def panels(project: Path) -> Iterator[Path]:
    """The folder of panels, emptied afterwards."""
    folder = project / "results" / "panels"
    yield folder
    for path in folder.glob("*"):
        path.unlink()


def fail(root: Path, words: tuple[str, ...], first: Callable[[], None]) -> tuple[int, str]:
    """Run a command under a limit that `first` sets; it must fail, with one paragraph at most."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=root, env=surroundings(root), capture_output=True, text=True, check=False,
        preexec_fn=first,
    )  # fmt: skip
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_a_full_disk_leaves_nothing_half_written(project: Path, panels: Path) -> None:
    # A limit on a file's size ends a write as a full disk does: with an error in its middle.
    code, said = fail(
        project, PANEL, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    )
    assert code in (1, 2)
    assert "foedus: error:" in said
    assert "bug" not in said
    assert list(panels.glob("*")) == []
    assert list(panels.glob(".*")) == []


def obey_permissions() -> None:
    """Take from root its right to write anywhere, for this process and what it starts."""
    if os.geteuid() == 0:
        assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0) == 0


def test_a_folder_that_may_not_be_written_to_is_named(project: Path, panels: Path) -> None:
    panels.mkdir(exist_ok=True)
    panels.chmod(0o555)
    try:
        code, said = fail(project, PANEL, obey_permissions)
    finally:
        panels.chmod(0o755)
    assert code == 2
    assert "Permission denied" in said
    assert "panels" in said
    assert list(panels.glob("*")) == []


def test_too_little_memory_is_said_or_kills_but_never_gives_half_a_file(
    project: Path, panels: Path
) -> None:
    words = tuple(
        "1816" if word == "1946" else "2010" if word == "1949" else word for word in PANEL
    )
    most = 900 * 1024 * 1024
    code, _ = fail(project, words, lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most)))
    assert code != 0
    assert list(panels.glob("*.parquet")) == []
    assert run(project, PANEL)


@pytest.mark.parametrize(
    "changed",
    [
        {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C"},
        {"PYTHONHASHSEED": "12345", "POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "2"},
        {"SOURCE_DATE_EPOCH": "1", "PYTHONUTF8": "0", "LC_ALL": "POSIX"},
        {"OPENBLAS_NUM_THREADS": "2", "NUMBA_NUM_THREADS": "2", "PYTHONOPTIMIZE": "1"},
    ],
    ids=["time zone and locale", "hash seed and threads", "epoch and encoding", "more threads"],
)
def test_other_surroundings_give_the_same_bytes(
    project: Path, panels: Path, changed: dict[str, str]
) -> None:
    study = ("-m", "foedus", "study", "run", "small_study", "--offline")
    for words in (PANEL, study):
        run(project, words)
    first = digests(project)
    for folder in ("panels", "estimates", "comparison", "studies"):
        for path in (project / "results" / folder).glob("*"):
            path.unlink()
    for words in (PANEL, study):
        run(project, words, changed)
    assert digests(project) == first


def test_a_clock_set_back_changes_nothing(project: Path, panels: Path) -> None:
    run(project, PANEL)
    first = digests(project)
    for path in (project / "results").rglob("*"):
        os.utime(path, (0, 0))  # everything made seems older than what it was made from
    run(project, ("-m", "foedus", "ingest", "--offline"))
    run(project, PANEL)
    for path in (project / "results").rglob("*"):
        os.utime(path, (2**32, 2**32))  # or made in the future
    run(project, ("-m", "foedus", "ingest", "--offline"))
    run(project, PANEL)
    assert digests(project) == first


def test_two_commands_at_once_in_one_folder_write_whole_files(project: Path, panels: Path) -> None:
    run(project, PANEL)
    first = digests(project)
    running = [
        subprocess.Popen(
            [sys.executable, *words],
            cwd=project, env=surroundings(project), stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for words in (PANEL, PANEL, ("-m", "foedus", "ingest", "--offline"))
    ]  # fmt: skip
    for one in running:
        _, said = one.communicate()
        assert one.returncode == 0, said.decode()
    assert digests(project) == first


def test_a_second_run_of_the_line_waits_for_the_first(project: Path, tmp_path: Path) -> None:
    dry = ("workflow/run_dag.py", "--profile", "config/profiles/local", "--cores", "1", "-n",
           "--config", "results=results")  # fmt: skip
    first = subprocess.Popen(
        [sys.executable, *dry], cwd=project, env=surroundings(project), stdout=subprocess.DEVNULL
    )
    holder = project / ".snakemake" / "foedus-run.lock"
    while not (holder.is_file() and holder.read_text()):
        assert first.poll() is None
    said = run(project, dry)
    assert first.wait() == 0
    assert f"another run is at work in this folder (started by process {first.pid})" in said
