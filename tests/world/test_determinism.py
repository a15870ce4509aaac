"""The same bytes whatever the threads, the locale, the time zone, the hash seed, the folder."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from foedus.world import layout
from foedus.world.build import draw, files
from tests.conftest import ROOT
from tests.world.conftest import SMALL, Made

THREADS = (
    "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS", "FOEDUS_THREADS",
)  # fmt: skip
HERE = {
    **dict.fromkeys(THREADS, "1"), "PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8",
    "LANG": "C.UTF-8",
}  # fmt: skip
THERE = {
    **dict.fromkeys(THREADS, "2"), "PYTHONHASHSEED": "4242", "TZ": "Asia/Kathmandu",
    "LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0",
}  # fmt: skip


def _run(world: Path, data: Path, settings: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.world.everything", str(world), str(data), str(ROOT)],
        cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def here(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything, made under the settings of `make`."""
    data = tmp_path_factory.mktemp("here") / "data"
    _run(made.folder, data, HERE)
    return data


def file_hashes(folder: Path, *patterns: str) -> dict[str, str]:
    """Return the sha256 of the files below a folder: by default every table and the panel."""
    wanted = patterns or ("tables/*/*.parquet", "panel.parquet")
    paths = [path for pattern in wanted for path in folder.glob(pattern)]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(paths)
    }


def read_estimates(folder: Path) -> pl.DataFrame:
    """Return the estimates of the two studies."""
    names = ("johnson_leeds_2011", "leeds_long_mitchell_2000")
    frames = [pl.read_parquet(folder / f"{name}.parquet") for name in names]
    return pl.concat(frames)


def nearly_equal(one: pl.DataFrame, other: pl.DataFrame) -> None:
    """Assert that estimates are equal within 1e-9, and the rest of their rows entirely."""
    numbers = ["estimate", "std_error", "statistic", "ci_low", "ci_high", "loglik"]
    assert one.drop(*numbers, "p_value").equals(other.drop(*numbers, "p_value"))
    for name in numbers:
        off = (one[name] - other[name]).abs() / one[name].abs().clip(lower_bound=1.0)
        assert float(off.drop_nulls().max() or 0.0) < 1e-9, name


def test_two_settings_give_the_same_bytes(made: Made, here: Path, tmp_path: Path) -> None:
    world = tmp_path / "a folder of another name" / "Welt"
    shutil.copytree(made.folder, world)
    data = tmp_path / "elsewhere"
    _run(world, data, THERE)
    one, other = file_hashes(here), file_hashes(data)
    assert len(one) > 20
    assert one == other
    nearly_equal(read_estimates(here), read_estimates(data))


def test_the_order_of_rows_in_the_files_is_no_matter(
    made: Made, here: Path, tmp_path: Path
) -> None:
    world = tmp_path / "shuffled"
    shutil.copytree(made.folder, world)
    told = json.loads((world / "truth.json").read_text("utf-8"))
    shuffled = ("atop5_1m.csv", "MIDB 5.0.csv", "states2016.csv", "contdird.csv", "p5v2018.csv",
                "NMC-60-abridged.csv", "Inter-StateWarData_v4.0.csv")  # fmt: skip
    for name in shuffled:
        path = world / name
        path.write_bytes(_shuffled(path.read_bytes()))
        told["files"][name]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (world / "truth.json").write_text(json.dumps(told), "utf-8")
    data = tmp_path / "data"
    _run(world, data, HERE)
    for path in sorted(here.glob("tables/*/*.parquet")):
        other = data / path.relative_to(here)
        assert pl.read_parquet(path).equals(pl.read_parquet(other)), path.name
    assert pl.read_parquet(here / "panel.parquet").equals(pl.read_parquet(data / "panel.parquet"))
    nearly_equal(read_estimates(here), read_estimates(data))


def _shuffled(content: bytes) -> bytes:
    """Shuffle a file's records, keeping its header, line ends and last line's end."""
    end = b"\r\n" if b"\r\n" in content else b"\r" if b"\r" in content else b"\n"
    closed = content.endswith(end)
    header, *records = content.removesuffix(end).split(end)
    random.Random(5).shuffle(records)
    return end.join([header, *records]) + (end if closed else b"")


def test_a_seed_gives_the_same_world_under_other_settings(made: Made, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from foedus.world.build import make; "
        "from foedus.world.settings import make_settings; "
        f"make(make_settings(seed={SMALL.seed}, states={SMALL.states}), pathlib.Path(sys.argv[1]))"
    )
    folder = tmp_path / "again"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        cwd=tmp_path, env={**os.environ, **THERE}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads((folder / "truth.json").read_text("utf-8"))
    assert told == json.loads((made.folder / "truth.json").read_text("utf-8"))


def test_another_seed_gives_another_world(made: Made) -> None:
    from foedus.world.settings import make_settings

    other = dict(files(draw(make_settings(seed=SMALL.seed + 1, states=SMALL.states))))
    mine = {path.name: path.read_bytes() for path in made.folder.iterdir()}
    assert other["MIDB 5.0.csv"] != mine["MIDB 5.0.csv"]
    assert other["states2016.csv"] != mine["states2016.csv"]


def test_gzip_is_stored_and_readable() -> None:
    import gzip

    for content in (b"", b"a,b\n1,2\n", bytes(range(256)) * 1000):
        assert gzip.decompress(layout.gzipped(content)) == content
