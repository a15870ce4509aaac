"""The report of a small project: complete, linked, escaped, deterministic, equal to its numbers."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foedus.config import Config, Project
from foedus.errors import ConfigError, MissingDataError
from foedus.references import Reference
from foedus.report.build import build_report
from foedus.report.claims import load_claims

from . import sample

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """Reads one page: balance of tags, ids, links, and everything that a browser would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.headings: list[int] = []
        self.pictures: list[dict[str, str | None]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), f"an attribute stands twice in <{tag}>"
        if tag not in VOID:
            self.open.append(tag)
        self._note(tag, given)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> out of place"

    def _note(self, tag: str, given: dict[str, str | None]) -> None:
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a":
            self.links.append(str(given["href"]))
        elif tag in ("use",):
            self.links.append(str(given.get("xlink:href")))
        else:
            self.loaded += [str(given[key]) for key in ("src", "href", "data") if given.get(key)]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "svg":
            self.pictures.append(given)


def pages(project: Project) -> dict[str, Page]:
    folder = project.data / "report"
    return {p.name: Page(p.read_text(encoding="utf-8")) for p in sorted(folder.glob("*.html"))}


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_pages_are_all_there(built: Project) -> None:
    assert set(pages(built)) == {
        "index.html", "data.html", "method.html", "references.html", "study-alpha_2011.html",
        "study-beta_2018.html", "study-gamma_x.html",
        *(f"claim-{claim}.html" for claim in load_claims(built.config_dir)),
    }  # fmt: skip
    assert len(load_claims(built.config_dir)) == 13


def test_every_link_resolves(built: Project) -> None:
    found = pages(built)
    folder = built.data / "report"
    for name, page in found.items():
        for link in page.links:
            if link.startswith(("https://", "http://", "mailto:")):
                continue
            target, _, fragment = link.partition("#")
            path = (folder / unquote(target)) if target else folder / name
            assert path.is_file(), f"{name} links to {link}"
            if fragment and path.suffix == ".html" and path.parent == folder:
                assert fragment in found[path.name].ids, f"{name}: no place {link}"


def test_nothing_is_loaded_from_outside(built: Project) -> None:
    for name, page in pages(built).items():
        assert set(page.loaded) <= {"data:,"}, name
        text = (built.data / "report" / name).read_text(encoding="utf-8")
        assert not re.search(r"@import|url\((?!#)", text), name


def test_ids_are_unique_and_headings_step_down(built: Project) -> None:
    for name, page in pages(built).items():
        twice = {one for one in page.ids if page.ids.count(one) > 1}
        assert not twice, f"{name}: {sorted(twice)[:5]}"
        assert page.headings.count(1) == 1, name
        steps = zip(page.headings, page.headings[1:], strict=False)
        assert all(after - before <= 1 for before, after in steps), name


def test_pictures_have_words(built: Project) -> None:
    found = [picture for page in pages(built).values() for picture in page.pictures]
    assert len(found) > 8
    assert all(picture.get("role") == "img" and picture.get("aria-label") for picture in found)


def test_words_are_escaped(built: Project) -> None:
    text = (built.data / "report/study-alpha_2011.html").read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
    assert "javascript:alert" not in text
    assert "&lt;b&gt;&amp;amp; 5 % of $x_1$ #2&lt;/b&gt;" in text
    assert 'href="https://example.org/paper_1"' in text


def test_notes_are_filled_from_results(built: Project) -> None:
    text = (built.data / "report/study-alpha_2011.html").read_text(encoding="utf-8")
    assert "we find\n<strong>−0.0712</strong> (SE 0.118" in text
    assert "on 1,053,441 rows, after\n1,301,120 with regimes" in text
    assert "Of 48 specifications" in text


def test_a_note_that_names_nothing_stops_with_its_line(tmp_path: Path) -> None:
    project = sample.make_project(tmp_path)
    notes = project.root / "config/studies/alpha_2011/notes.md"
    notes.write_text('---\na: 1\n---\nText.\n\n{{ est("table1", "ptargdeff") }}\n')
    with pytest.raises(ConfigError, match=r"alpha_2011/notes\.md:6: .*ptargdef"):
        build_report(project)
    notes.write_text("one\n{{ nonsense }}\n")
    with pytest.raises(ConfigError, match=r"notes\.md:2: 'nonsense' is undefined"):
        build_report(project)
    notes.write_text("{{ ''.__class__.__mro__ }}\n")
    with pytest.raises(ConfigError, match=r"notes\.md:1: .*unsafe"):
        build_report(project)


def test_a_number_that_could_not_be_estimated_is_said_so_and_no_other(tmp_path: Path) -> None:
    project = sample.make_project(tmp_path)
    notes = project.root / "config/studies/alpha_2011/notes.md"
    notes.write_text('We find {{ est("table9", "ally") }} ({{ est("table9", "ally").se }}).\n')
    with pytest.raises(ConfigError, match=r"no estimate table9\.ally"):
        build_report(project)
    page = project.data / "studies" / "alpha_2011.json"
    told = json.loads(page.read_text(encoding="utf-8"))
    failed = {"kind": "EstimationError", "model": "table9", "reason": "collinear terms: ally."}
    page.write_text(json.dumps({**told, "failed": [failed]}), encoding="utf-8")
    build_report(project)
    text = (project.data / "report/study-alpha_2011.html").read_text(encoding="utf-8")
    assert "We find (not estimated) (" in text
    notes.write_text('{{ est("table8", "ally") }}\n')
    with pytest.raises(ConfigError, match=r"no estimate table8\.ally"):
        build_report(project)


def test_prose_counts_what_the_files_hold(built: Project) -> None:
    rows = pq.read_table(built.data / "comparison.parquet").to_pylist()
    leads = [row for row in rows if row["lead"]]
    upheld = [row for row in leads if row["verdict"] in ("exact", "close", "agrees")]
    compared = [row for row in leads if row["verdict"] != "not comparable"]
    text = (built.data / "report/index.html").read_text(encoding="utf-8")
    assert f"{len(upheld)} of {len(compared)} published numbers that could be compared" in text
    assert f"compared {len(leads)} published numbers" in text


def test_figures_are_in_three_formats(built: Project) -> None:
    folder = built.data / "figures"
    names = {path.stem for path in folder.iterdir()}
    assert names == {
        "verdicts", "coverage", "alpha_2011_coefficients", "alpha_2011_effects",
        "alpha_2011_by_distance", "alpha_2011_choices_table1_ptargdef", "alpha_2011_curve",
        "beta_2018_honour", "beta_2018_tail", "beta_2018_ratios", "gamma_x_coefficients",
        "alpha_2011_performance_table1", "alpha_2011_influence_table1_ptargdef",
        "alpha_2011_interaction_table1_ptargdef", "claim_deterrence", "claim_deterrence_era",
        "claim_heterogeneity_means_era", "recovery",
    }  # fmt: skip
    for name in names:
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (folder / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert "<svg" in (folder / f"{name}.svg").read_text(encoding="utf-8")


def test_table_numbers_are_the_estimates(built: Project) -> None:
    wanted = {
        (r["model"], r["covariance"], r["term"]): (r["estimate"], r["std_error"], r["n_obs"])
        for r in sample.alpha_estimates()
    }
    with (built.data / "tables/alpha_2011_models.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == len(wanted)
    for row in rows:
        b, se, n = wanted[(row["model"], row["covariance"], row["term"])]
        assert float(row["estimate"]) == pytest.approx(b, rel=1e-11)  # twelve digits are written
        assert float(row["std_error"]) == pytest.approx(se, rel=1e-11)
        assert int(row["n_obs"]) == n
    with (built.data / "tables/verdicts.csv").open(encoding="utf-8") as handle:
        counts = {row["study"]: row for row in csv.DictReader(handle)}
    assert counts["gamma_x"]["agrees"] == "1"
    assert counts["all"]["total"] == "43"


def test_a_measures_own_table_is_on_the_page_and_a_file(built: Project) -> None:
    with (built.data / "tables/beta_2018_cases_one_by_one.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["alliance"] for row in rows] == ["1045", "1050"]
    assert [float(row["share"]) for row in rows] == [0.512, 0.661]
    assert [row["note"] for row in rows] == ["", ""]
    assert not list((built.data / "tables").glob("beta_2018_empty.*"))
    shown = (built.data / "tables/beta_2018_cases_one_by_one.html").read_text(encoding="utf-8")
    assert "50 % &amp; more" in shown
    page = (built.data / "report/study-beta_2018.html").read_text(encoding="utf-8")
    assert "Cases one by one (2 rows)" in page
    assert "tables/beta_2018_cases_one_by_one.csv" in page


def test_latex_tables_are_escaped_and_even(built: Project) -> None:
    for path in sorted((built.data / "tables").glob("*.tex")):
        text = path.read_text(encoding="utf-8")
        columns = len(re.search(r"begin\{tabular\}\{([lr]+)\}", text)[1])  # type: ignore[index]
        for line in text.splitlines():
            if line.endswith(r"\\") and "multicolumn" not in line:
                assert len(re.findall(r"(?<!\\)&", line)) == columns - 1, f"{path.name}: {line}"
        body = text.split(r"\toprule")[1]
        assert not re.search(r"(?<!\\)[%#_]", re.sub(r"\$[^$]*\$", "", body)), path.name


def test_tables_as_html_are_well_formed(built: Project) -> None:
    for path in sorted((built.data / "tables").glob("*.html")):
        Page(path.read_text(encoding="utf-8"))


def test_pdf_is_there_without_a_date(built: Project) -> None:
    content = (built.data / "report/report.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"CreationDate" not in content
    assert len(content) > 50_000


def test_two_folders_give_the_same_bytes(built: Project, tmp_path: Path) -> None:
    """And a second build in the same folder touches nothing."""
    again = sample.make_project(tmp_path / "quite" / "another place")
    paths = build_report(again)
    assert digests(again.data) == digests(built.data)
    before = {path: path.stat().st_mtime_ns for path in paths}
    assert build_report(again) == paths
    assert {path: path.stat().st_mtime_ns for path in paths} == before
    for path in built.data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert str(built.root).encode() not in content, path.name


def test_only_our_own_stale_files_are_removed(built: Project, tmp_path: Path) -> None:
    shutil.copytree(built.root, tmp_path / "copy")
    project = Project(root=tmp_path / "copy", data=tmp_path / "copy/results")
    tables = project.data / "tables"
    (tables / "atop").mkdir()
    kept = [tables / "atop/members.parquet", tables / "mine.csv", project.data / "figures/mine.svg"]
    for path in kept:
        path.write_text("kept")
    for name in ("estimates", "comparison"):
        path = project.data / f"{name}.parquet"
        table = pq.read_table(path)
        mask = pa.array([study != "gamma_x" for study in table["study"].to_pylist()])
        pq.write_table(table.filter(mask), path)
    build_report(project)
    assert all(path.read_text() == "kept" for path in kept)
    assert not (project.data / "report/study-gamma_x.html").exists()
    assert not (project.data / "figures/gamma_x_coefficients.svg").exists()
    assert not (tables / "gamma_x_models.csv").exists()
    assert (tables / "beta_2018_measures.csv").exists()


def test_simulated_is_stamped_everywhere(built: Project, tmp_path: Path) -> None:
    project = sample.make_project(tmp_path, simulated=True)
    build_report(project)
    for path in (project.data / "report").glob("*.html"):
        assert "SIMULATED: everything here" in path.read_text(encoding="utf-8"), path.name
    for path in (project.data / "tables").glob("*.*"):
        assert "simulated" in path.read_text(encoding="utf-8").lower(), path.name
    for path in (built.data / "figures").glob("*.png"):
        assert path.read_bytes() != (project.data / "figures" / path.name).read_bytes(), path.name
    for path in (built.data / "report").glob("*.html"):
        assert "SIMULATED" not in path.read_text(encoding="utf-8")


def test_without_results_it_says_what_to_run(tmp_path: Path) -> None:
    project = sample.make_project(tmp_path)
    shutil.rmtree(project.data)
    with pytest.raises(MissingDataError, match="foedus study run --all"):
        build_report(project)


def test_bare_results_are_enough(tmp_path: Path) -> None:
    """Estimates alone: no pages, notes, provenance, claims, sources or references."""
    project = sample.make_project(tmp_path)
    for folder in ("studies", "curves", "panels"):
        shutil.rmtree(project.data / folder)
    (project.data / "provenance.json").unlink()
    (project.data / "comparison.parquet").unlink()
    (project.root / "config/claims.yaml").unlink()
    shutil.rmtree(project.root / "config/studies")
    without_pdf = Config.model_validate({"report": {"pdf": False}})
    build_report(Project(root=project.root, config=without_pdf, data=project.data))
    text = (project.data / "report/index.html").read_text(encoding="utf-8")
    assert "Provenance unknown" in text
    assert "report.pdf" not in text
    assert not (project.data / "report/report.pdf").exists()


def test_manifest_lists_what_was_made(built: Project) -> None:
    listed = json.loads((built.data / "report/manifest.json").read_text())["files"]
    assert listed == sorted(listed)
    assert all((built.data / name).is_file() for name in listed)
    assert "report/index.html" in listed


def test_an_institution_is_named_without_its_braces() -> None:
    work = Reference(title="A List", author="{Some Project}", year=2016)
    assert work.short() == "Some Project 2016"
    assert work.text().startswith("Some Project (2016).")
