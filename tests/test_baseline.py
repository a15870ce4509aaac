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
        assert "diagnosis" not in (kept / name).read_text(encoding="utf-8")
    assert not diff_results(kept, made).anything
    moved = diff_results(kept, later)
    assert [(one.old, one.new) for one in moved.verdicts] == [("agrees", "contradicts")]
    assert len(moved.estimates) == 1
