"""Surroundings under which the same inputs give the same bytes, set before numpy is imported."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ONE_THREAD = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
)
FIXED = {
    "SOURCE_DATE_EPOCH": "315532800",  # 1980-01-01, the oldest date that a zip file can hold
    "MPLBACKEND": "Agg",
    # Asked for huge pages, Linux tidies memory until it has some: a fifth of a second of two, and
    # more on a machine that has been busy. Models take no longer without.
    "NUMPY_MADVISE_HUGEPAGE": "0",
}


def pin_environment() -> None:
    """Pin threads, dates and the plotting backend, unless the caller has set them.

    Sums over several threads are added in another order and differ in the last digit; the DAG
    runs jobs side by side instead. Figures and PDFs take their date from SOURCE_DATE_EPOCH.
    matplotlib's settings are read from the environment's own folder, not from the user's.
    """
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    for name, value in FIXED.items():
        os.environ.setdefault(name, value)
    if os.access(sys.prefix, os.W_OK):
        os.environ.setdefault("MPLCONFIGDIR", str(Path(sys.prefix) / "matplotlib"))
