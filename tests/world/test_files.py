"""A world's files are the official ones in layout, and its checksums bypass no pin."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from foedus.config import load_project
from foedus.errors import InputError, MissingDataError, UsageError
from foedus.sources.ingest import ingest
from foedus.sources.reading import read_bytes
from foedus.sources.registry import FileFacts, project_facts
from foedus.sources.resolve import locate
from foedus.sources.tables import Tables
from foedus.world import layout
from foedus.world.build import make, write
from foedus.world.coefficients import Coefficients, with_values
from foedus.world.settings import make_settings
from tests.conftest import ROOT
from tests.world.conftest import SMALL, Made

ENDS = {"lf": b"\n", "crlf": b"\r\n", "cr": b"\r"}


def _facts(made: Made) -> dict[str, FileFacts]:
    return {
        file.name: file for source in project_facts(made.project).values() for file in source.files
    }


def test_every_file_is_one_of_an_official_source(made: Made) -> None:
    written = {path.name for path in made.folder.iterdir()} - {"truth.json"}
    assert written <= set(_facts(made))
    assert len(written) == 28


def test_line_ends_encodings_and_last_lines_are_as_released(made: Made) -> None:
    facts = _facts(made)
    for path in sorted(made.folder.iterdir()):
        file = facts.get(path.name)
        if file is None or file.encoding == "binary":
            continue
        content = read_bytes(path)
        content.decode(file.encoding)
        end = ENDS[file.line_end]
        assert content.endswith(end) == file.final_line_end, path.name
        bare = content.replace(b"\r\n", b"")
        if file.line_end == "crlf":
            assert not {10, 13} & set(bare), path.name
        else:
            other = b"\r" if file.line_end == "lf" else b"\n"
            assert other not in content, path.name


def test_headers_are_those_of_the_real_files(made: Made, real_headers: dict[str, bytes]) -> None:
    facts = _facts(made)
    assert len(real_headers) > 20
    for name, header in real_headers.items():
        mine = read_bytes(made.folder / name).split(ENDS[facts[name].line_end], 1)[0]
        assert mine == header, name


@pytest.fixture
def real_headers(made: Made) -> dict[str, bytes]:
    """First line of each real file that a world writes; skips where the real ones aren't."""
    mirror = ROOT.parent / "shared" / "sources"
    if not mirror.is_dir():
        pytest.skip("the real files are not here")
    project = dataclasses.replace(made.project, world=None, raw_dirs=(mirror,))
    written = {path.name for path in made.folder.iterdir()}
    found = {}
    for one in locate(project).values():
        for file in one.files:
            if file.path is None or file.facts.name not in written:
                continue
            if file.facts.encoding != "binary":
                content = read_bytes(file.path)
                end = ENDS[file.facts.line_end]
                found[file.facts.name] = content.removeprefix(b"\xef\xbb\xbf").split(end, 1)[0]
    return found


def test_every_source_passes_the_checks_of_the_real_one(made: Made, tmp_path: Path) -> None:
    project = dataclasses.replace(made.project, data=tmp_path)
    reports = ingest(project)
    assert len(reports) >= 19
    assert all(report.simulated and report.state == "found" for report in reports)
    assert all(
        count > 0 for r in reports for table, count in r.rows.items() if table != "unmatched"
    )
    assert Tables(project).metadata("atop", "members")["simulated"] is True


def test_a_file_changed_by_hand_is_refused(made: Made, tmp_path: Path) -> None:
    world = tmp_path / "world"
    shutil.copytree(made.folder, world)
    path = world / "majors2016.csv"
    path.write_bytes(path.read_bytes().replace(b"2016", b"2015", 1))
    project = dataclasses.replace(made.project, world=world, data=tmp_path / "data")
    assert locate(project)["cow_states"].state == "wrong checksum"
    with pytest.raises(MissingDataError, match=r"majors2016\.csv is not the file that the world"):
        Tables(project).get("cow_states", "states")


def test_a_world_is_not_taken_for_real_data(made: Made, tmp_path: Path) -> None:
    """Its checksums count only where the project has a world; the pinned ones stay."""
    mirror = tmp_path / "mirror"
    shutil.copytree(made.folder, mirror / "sources")
    project = dataclasses.replace(
        made.project, world=None, raw_dirs=(mirror,), data=tmp_path / "data"
    )
    found = locate(project)
    assert found["atop"].state == "wrong checksum"
    assert not any(one.usable for one in found.values())


def test_real_files_are_not_mixed_with_a_world(made: Made, tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "great_power_wars.csv").write_text("a\n1\n")
    project = load_project(root=made.project.root, raw=[real, made.folder], data=tmp_path)
    assert project.world == made.folder.resolve()
    assert project.offline
    found = locate(project)
    assert found["great_power_wars"].state == "missing"
    assert all(file.path is None or file.simulated for one in found.values() for file in one.files)


def test_a_results_folder_with_a_world_uses_it(made: Made, tmp_path: Path) -> None:
    shutil.copytree(made.folder, tmp_path / "world")
    project = load_project(root=made.project.root, data=tmp_path)
    assert project.world == (tmp_path / "world").resolve()


def test_a_truth_that_no_world_wrote_stops(made: Made, tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text('{"simulated": false, "files": {}}', "utf-8")
    project = dataclasses.replace(made.project, world=tmp_path)
    with pytest.raises(InputError, match="isn't what `foedus world` writes"):
        locate(project)


def test_simulated_files_never_land_among_others(made: Made, tmp_path: Path) -> None:
    (tmp_path / "states2016.csv").write_text("real\n")
    with pytest.raises(UsageError, match="holds files that no world wrote"):
        write(made.world, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["states2016.csv"]


def test_a_world_is_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "world"
    make(make_settings(seed=1, states=14, years=(1816, 1900)), folder)
    (folder / "left_over.csv").write_text("x")
    other = make(make_settings(seed=2, states=14, years=(1816, 1900)), folder)
    assert {path.name for path in folder.iterdir()} == {"truth.json", *other["files"]}
    assert [path.name for path in tmp_path.iterdir()] == ["world"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"seed": -1}, "from 0 on"),
        ({"years": (1800, 1900)}, "within 1816 and 2016"),
        ({"years": (1950, 1960)}, "at least 30 years"),
        ({"states": 11}, "from 12 to 700"),
        ({"scale": 0.0}, "above 0"),
        ({"scale": 500.0}, "from 12 to 700"),
    ],
)
def test_impossible_worlds_are_refused(asked: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        make_settings(**asked)  # type: ignore[arg-type]


def test_scale_multiplies_states_squared() -> None:
    assert make_settings(scale=4).states == 2 * make_settings().states


def test_truth_holds_every_coefficient_and_count(made: Made) -> None:
    told = json.loads((made.folder / "truth.json").read_text("utf-8"))
    assert told["simulated"] is True
    assert told["seed"] == SMALL.seed
    assert told["coefficients"] == Coefficients().for_size(SMALL.states).as_dict()
    assert told["counts"]["wars"] == len(made.world.conflicts.wars)
    changed = with_values(Coefficients(), {"disputes": {"target_defense": -0.05}})
    assert changed.as_dict()["disputes"]["target_defense"] == -0.05


@pytest.mark.parametrize(
    ("values", "places", "wanted"),
    [([0.5, 0.0, 1e-9, 2.0], 9, ["0.5", "0", "0.000000001", "2"])],
)
def test_numbers_as_text(values: list[float], places: int, wanted: list[str]) -> None:
    import numpy as np

    assert layout.decimals(np.array(values), places) == wanted
    assert layout.with_point(np.array([0.0, 932.5]), 6) == ["0.0", "932.5"]
