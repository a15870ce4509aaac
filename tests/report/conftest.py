"""One sample report for all tests of this folder, built once."""

from __future__ import annotations

import pytest

from foedus.config import Project
from foedus.report.build import build_report

from . import sample


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the sample project with its report."""
    project = sample.make_project(tmp_path_factory.mktemp("one"))
    build_report(project)
    return project
