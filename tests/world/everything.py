"""Run the pipeline on a world in a process of its own: ``python -m tests.world.everything``.

Arguments: the world's folder, a data folder, the repository. Makes every table, the default panel
of the directed dyad-years, and two studies without their choices.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main(world: Path, data: Path, root: Path) -> None:
    """Make everything below the data folder."""
    from foedus import store
    from foedus.config import load_project
    from foedus.covariates.assemble import build_panel
    from foedus.covariates.export import write_panel
    from foedus.sources.ingest import ingest
    from foedus.sources.tables import Tables
    from foedus.studies.registry import get_study
    from foedus.studies.run import run_design

    project = load_project(root=root, raw=[world], data=data)
    ingest(project)
    tables = Tables(project)
    wanted = ["atop", "atop_third_party", "capital_distance", "capability_share", "contiguity",
              "mid", "nmc", "peace_years", "polity", "similarity", "war"]  # fmt: skip
    panel = build_panel(tables, "directed-dyad-year", (1816, 2010), wanted)
    write_panel(panel, data / "panel.parquet")
    for name in ("johnson_leeds_2011", "leeds_long_mitchell_2000"):
        run = run_design(get_study(project, name), tables, choices=False)
        store.write_parquet(run.estimates, data / f"{name}.parquet")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
