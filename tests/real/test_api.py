"""The Python front door on the real files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import foedus as fd
from foedus.api import open_project


def test_panel_and_table_carry_their_metadata(real_sources: Path, tmp_path: Path) -> None:
    project = open_project(data=tmp_path, raw=[real_sources], offline=True)
    panel = fd.panel("state-year", (1914, 1915), ["nmc"], project=project)
    row = panel[(panel.ccode == 2) & (panel.year == 1914)].iloc[0]
    assert row.cinc == pytest.approx(0.20636405)  # as the file has it
    assert panel.attrs["unit"] == "state-year"
    assert panel.attrs["columns"]["cinc"]["sources"] == "cow_nmc"
    members = fd.table("atop", "members", project=project)
    assert len(members) == 2510
    assert members.attrs["provenance"]["version"] == "5.1"
    assert members["member"].dtype == pd.Int32Dtype()
    assert members["start"].dtype.kind == "M"
    older = fd.table("atop", "members", release="4.01", project=project)
    assert older.attrs["provenance"]["version"] == "4.01"
