"""What a baseline keeps: all that a comparison reads, and no more."""

from __future__ import annotations

from pathlib import Path

from foedus.cli.baseline import keep
from foedus.store import write_csv
from foedus.studies.diff import COMPARED, diff_results


def write(folder: Path, estimate: float, verdict: str) -> None:
    for name, columns in COMPARED.items():
        row = {"estimate": estimate, "verdict": verdict, "study": "toy", "n_obs": 5}
        header = [*columns, "diagnosis"]
        write_csv(folder / name, header, [[row.get(column, "x") for column in header]])


def test_a_kept_baseline_tells_what_moved(tmp_path: Path) -> None:
    made, later, kept = tmp_path / "made", tmp_path / "later", tmp_path / "kept"
    write(made, 0.5, "agrees")
    write(later, -0.5, "contradicts")
    for name in COMPARED:
        keep(made / name, kept / name)
    texts = [path.read_text(encoding="utf-8") for path in kept.rglob("*.csv")]
    assert len(texts) == len(COMPARED)
    assert not any("diagnosis" in text for text in texts)
    assert not diff_results(kept, made).anything
    moved = diff_results(kept, later)
    assert [(one.old, one.new) for one in moved.verdicts] == [("agrees", "contradicts")]
    assert len(moved.estimates) == 1


def test_a_study_that_is_gone_leaves_the_baseline(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    (kept / "estimates").mkdir(parents=True)
    for name in ("gone", "toy"):
        (kept / "estimates" / f"{name}.csv").write_text("old")
    (kept / "estimates.csv").write_text("of an older version: all in one file")
    write(tmp_path / "made", 0.5, "agrees")
    keep(tmp_path / "made" / "estimates.csv", kept / "estimates.csv")
    assert [path.name for path in kept.rglob("*.csv")] == ["toy.csv"]
    assert "0.5" in (kept / "estimates" / "toy.csv").read_text(encoding="utf-8")
