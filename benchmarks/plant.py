"""Planted outcomes: does each study's estimator find the coefficients it was drawn from?

    python benchmarks/plant.py [--worlds 200] [--from 1] [--states 32] [--found DIR] [--out DIR]
    python benchmarks/plant.py --choose     writes config/recovery/planted.csv anew

Adds one file a world to results/planting/ (what stands there isn't run again, but for studies
named by `--again`; several processes may share the folder), then makes the tables and figures of
docs/recovery/ of all worlds that are complete there; `--tables` makes these alone. Designs are read
as it goes: don't change the code while it runs. See docs/method.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from foedus.cli.environment import pin_environment

pin_environment()

import polars as pl  # noqa: E402  (threads are pinned first)

from foedus.config import Project, load_project  # noqa: E402
from foedus.store import write_parquet  # noqa: E402
from foedus.studies.estimation import Estimation  # noqa: E402
from foedus.studies.registry import get_study, load_studies  # noqa: E402
from foedus.world import planted_tables, planting  # noqa: E402
from foedus.world.reviewed import as_texts, names_of, write_rows  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
UNTOLD = planted_tables.UNTOLD


def choose(project: Project) -> None:
    """Write the coefficients to plant, chosen in the reference world."""
    from foedus.lineage import study_sources
    from foedus.sources.resolve import locate

    rows: list[dict[str, str]] = []
    with planting.world_of(project, planting.REFERENCE, planting.REFERENCE_STATES) as (
        inside,
        memo,
    ):
        usable = {name for name, one in locate(inside).items() if one.usable}
        for name, study in sorted(load_studies(inside).items()):
            if set(study_sources(inside, study)) <= usable:
                design = get_study(inside, name).design
                rows += planting.choose(name, Estimation(memo, design))
    path = ROOT / planting.FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_rows(path, planting.COLUMNS, rows)
    print(f"{len(rows)} coefficients in {planting.FILE}", file=sys.stderr)


def run(project: Project, asked: argparse.Namespace) -> None:
    """Run the worlds that aren't there yet."""
    truths = planting.read_truths(ROOT / planting.FILE)
    studies = sorted({study for study, _ in truths})
    asked.found.mkdir(parents=True, exist_ok=True)
    for seed in range(asked.first, asked.first + asked.worlds):
        path = asked.found / f"world-{seed:03d}.parquet"
        held = _held(path, asked.again)
        missing = [study for study in studies if study not in held["study"].unique()]
        if not missing:
            continue
        begun = time.process_time()
        rows = list(planting.planted_world(project, seed, truths, missing, asked.states))
        made = pl.concat([held, pl.DataFrame(planting.as_table(rows))])
        write_parquet(made.sort("study", maintain_order=True).to_arrow(), path)
        print(f"world {seed}: {time.process_time() - begun:.1f} s", file=sys.stderr, flush=True)


def _held(path: Path, again: list[str]) -> pl.DataFrame:
    """Return a world's rows so far, but for studies that are to be run again."""
    if not path.is_file():
        return pl.DataFrame(planting.as_table([]))
    return pl.read_parquet(path).filter(~pl.col("study").is_in(again))


def read_found(folder: Path) -> pl.DataFrame:
    """Return the rows of all worlds that stand in a folder with every study."""
    wanted = {study for study, _ in planting.read_truths(ROOT / planting.FILE)}
    worlds = [pl.read_parquet(path) for path in sorted(folder.glob("world-*.parquet"))]
    return pl.concat([world for world in worlds if wanted == set(world["study"].unique())])


def tables(found: Path, out: Path) -> None:
    """Write tables and figure of all worlds."""
    rows = read_found(found)
    terms = planted_tables.summarise_terms(rows)
    lines = planted_tables.study_lines(rows, terms, planted_tables.read_told(ROOT))
    out.mkdir(parents=True, exist_ok=True)
    of_term, of_study = (names_of(kind) for kind in (planted_tables.Term, planted_tables.StudyLine))
    for name, shared in (("planted", False), ("planted_shared", True)):
        chosen = [term for term in terms if (term.draw == planting.SHARED) == shared]
        write_rows(out / f"{name}.csv", of_term, [as_texts(term) for term in chosen])
    write_rows(out / "studies.csv", of_study, [as_texts(line) for line in lines])
    (out / "planted.md").write_text(markdown(lines, terms, rows), encoding="utf-8")
    draw(out)
    print(f"{rows['seed'].n_unique()} worlds", file=sys.stderr)


def markdown(
    lines: list[planted_tables.StudyLine], terms: list[planted_tables.Term], rows: pl.DataFrame
) -> str:
    """Return the page of the tables: a row a study, and a row a covariance."""
    worlds, kinds = rows["seed"].n_unique(), [line.verdict.split(" but")[0] for line in lines]
    whole = sum(line.verdict == "recovered" for line in lines)
    others = len(list((ROOT / "config" / "studies").glob("*/study.yaml"))) - len(lines)
    planted, found = sum(line.terms for line in lines), sum(line.found for line in lines)
    text = [
        "# Planted outcomes, by study",
        "",
        f"{worlds} simulated worlds, {len(lines)} default studies; {others} others need sources "
        f"that a world doesn't draw. {found} of {planted} planted "
        f"coefficients were found; all of {whole} studies, all but some of "
        f"{kinds.count('recovered') - whole}, none of {kinds.count(planted_tables.LOST)}; "
        f"{kinds.count('counts only')} studies only count, and "
        f"of {kinds.count(UNTOLD)} nothing can be told. How outcomes are drawn, and what "
        "the columns mean, is in [Method](../method.md); `python benchmarks/plant.py` writes this.",
        "",
        "Coverage is that of 95 percent intervals, the mean of the terms: classical ones where "
        "rows are independent; where rows share errors, those that the study declares first and "
        "those of the widest covariance it declares.",
        "",
        "| study | models | estimated | found | largest bias, SD | coverage, % | "
        "shared: first, % | widest, % | power, % | verdict |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for line in lines:
        numbers = ["", "", "", "", "", "", ""]
        if line.kind != "counts":
            off = "" if line.off is None else f"{line.off:.2f}"
            shares = (line.coverage, line.shared, line.widest, line.power)
            percent = ["" if value is None else f"{100 * value:.0f}" for value in shares]
            numbers = [
                f"{line.worlds} of {line.asked}", f"{line.found} of {line.terms}", off, *percent
            ]  # fmt: skip
        own = " (the world's own truth)" if line.kind == "world" else ""
        said = f"{line.verdict}{own}. {line.why}".strip()
        text.append(f"| {line.study} | {line.what} | {' | '.join(numbers)} | {said} |")
    text += [
        "",
        "## By covariance",
        "",
        "Mean coverage of the coefficients' 95 percent intervals, where rows are independent and "
        "where those that share a state, a dyad, a dispute or a war share errors. Worlds have some "
        f"{planting.STATES * 3 // 5} states at a time: few for a variance that is estimated from "
        "states.",
        "",
        "| covariance | coefficients | independent, % | shared, % |",
        "| --- | --- | --- | --- |",
    ]
    for name, n, alone, shared in planted_tables.by_covariance(terms):
        percent = ["" if value is None else f"{100 * value:.0f}" for value in (alone, shared)]
        text.append(f"| {name} | {n} | {' | '.join(percent)} |")
    return "\n".join([*text, ""])


def draw(out: Path) -> None:
    """Draw what studies.csv says."""
    from foedus.report.draw import recovery, style
    from foedus.report.recovery import recovered

    studies, worlds = recovered(out / "studies.csv")
    with style.rc():
        figure = recovery.draw(studies, worlds)
        if figure is not None:
            figure.savefig(out / "planted.png", dpi=150, metadata={"Software": None})


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--from", dest="first", type=int, default=1, help="first seed")
    parser.add_argument("--states", type=int, default=planting.STATES)
    parser.add_argument("--found", type=Path, default=ROOT / "results" / "planting")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "recovery")
    parser.add_argument(
        "--again",
        nargs="*",
        default=[],
        metavar="STUDY",
        help="run these anew: their design changed",
    )
    parser.add_argument("--choose", action="store_true", help="choose the coefficients anew")
    parser.add_argument("--tables", action="store_true", help="only tables and figures")
    parser.add_argument("--no-tables", action="store_true", help="no tables and figures")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = load_project(root=ROOT, data=Path(folder))
        if asked.choose:
            choose(project)
            return
        if not asked.tables:
            run(project, asked)
    if not asked.no_tables:
        tables(asked.found, asked.out)


if __name__ == "__main__":
    main()
