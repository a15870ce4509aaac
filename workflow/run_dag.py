"""Run Snakemake in this folder, one run at a time, after any kind of end of the run before.

Snakemake's own lock is a file that outlives a killed run, and the next run then refuses to start
until somebody unlocks the folder by hand. Here the operating system holds the lock instead: it is
freed when this process and Snakemake itself have ended, however they end (a job that outlives them
writes whole files or none). A second run waits for the first, and then finds its work done.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = Path(".snakemake") / "foedus-run.lock"


def hold(path: Path) -> int:
    """Return the descriptor of a lock that this process and its children hold, waiting for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 200).decode("utf-8", "replace").strip() or "unknown"
        print(
            f"run: another run is at work in this folder (started by process {holder}); waiting "
            "for it to end. Interrupt with Ctrl-C to leave it alone.",
            file=sys.stderr,
            flush=True,
        )
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    os.set_inheritable(descriptor, True)
    return descriptor


def main(arguments: list[str]) -> int:
    """Hold the lock and run Snakemake with the given arguments; return its exit code."""
    descriptor = hold(ROOT / LOCK)
    command = [sys.executable, "-m", "snakemake", "--nolock", *arguments]
    try:
        return subprocess.call(command, cwd=ROOT, pass_fds=(descriptor,))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
