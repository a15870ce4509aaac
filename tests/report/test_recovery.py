"""Planted outcomes on the method page: table and figure from the stored results."""

from __future__ import annotations

from pathlib import Path

from foedus.config import Project
from foedus.report.draw import recovery, style
from foedus.report.recovery import STUDIES, recovered, study_recovery

HEAD = (
    "study,kind,what,worlds,asked,terms,found,off,coverage,declared,shared,widest,power,biases,"
    "verdict,why\n"
)


def _stored(root: Path) -> Path:
    path = root / STUDIES
    path.parent.mkdir(parents=True)
    path.write_text(
        HEAD + "a_1,planted,m (logit); n (ols),55,60,3,2,0.4213,0.947,0.9,0.7049,0.9,1,"
        "0.020 -0.421! 0.100,recovered but for 1 of 3,Not found: x.\n"
        "b_2,counts,,0,0,0,0,,,,,,,,counts only,By hand.\n",
        encoding="utf-8",
    )
    return path


def test_studies_are_read_as_shown(tmp_path: Path) -> None:
    assert study_recovery(tmp_path) == []
    path = _stored(tmp_path)
    one, two = study_recovery(tmp_path)
    assert (one["off"], one["coverage"], one["shared"], one["power"]) == ("0.42", "95", "70", "100")
    assert (two["verdict"], two["off"], two["coverage"]) == ("counts only", "", "")
    studies, worlds = recovered(path)
    assert worlds == 30
    assert [study.name for study in studies] == ["a 1"]
    assert studies[0].biases == ((0.02, True), (-0.421, False), (0.1, True))


def test_the_figure_has_a_row_a_study(tmp_path: Path) -> None:
    studies, worlds = recovered(_stored(tmp_path))
    with style.rc():
        figure = recovery.draw(studies, worlds)
        assert figure is not None
        left, right = figure.axes
        assert [label.get_text() for label in left.get_yticklabels()] == ["a 1"]
        assert sorted(x for line in left.lines for x in line.get_xdata() if x) == [
            -0.421, 0.02, 0.1
        ]  # fmt: skip
        assert {round(float(x), 2) for line in right.lines for x in line.get_xdata()} == {
            94.7, 70.49, 90.0, 95.0
        }  # fmt: skip
    assert recovery.draw([], 0) is None


def test_the_method_page_names_every_study(built: Project) -> None:
    page = (built.data / "report" / "method.html").read_text(encoding="utf-8")
    rows = study_recovery(built.root)
    assert rows
    for row in rows:
        assert f'<span class="mono">{row["study"]}</span>' in page
