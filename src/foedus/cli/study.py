"""`foedus study list|show|run|check|sign`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from foedus.cli.settings import Group, Settings
from foedus.cli.text import listing, plural
from foedus.errors import UsageError

if TYPE_CHECKING:
    from foedus.config import Project
    from foedus.studies.registry import Study


@click.group("study", cls=Group)
def command() -> None:
    """List, show, run, check or sign studies."""


@command.command("list")
@click.pass_obj
def list_studies(settings: Settings) -> None:
    """List the studies: id, years, unit, claims, title."""
    from foedus.studies.registry import load_studies

    listed = [_summary(study) for study in load_studies(settings.project()).values()]
    rows = [
        (
            one["id"],
            one["unit"] or "",
            "-".join(map(str, one["years"] or ())),
            ", ".join(one["claims"]),
            one["title"],
        )
        for one in listed
    ]
    settings.show(listed, listing(("study", "unit", "years", "claims", "title"), rows))


def _summary(study: Study) -> dict[str, Any]:
    design = study.design
    universe = design.universe
    return {
        "id": study.id,
        "title": design.title,
        "unit": universe.rows if universe else None,
        "years": list(universe.years) if universe and universe.years else None,
        "claims": list(design.claims),
        "cite": list(design.cite),
        "models": list(design.models),
        "measures": list(design.measures),
        "choices": list(design.choices),
        "published": len(study.published),
        "folder": str(study.folder),
    }


@command.command("show")
@click.argument("study_id", metavar="ID")
@click.pass_obj
def show(settings: Settings, study_id: str) -> None:
    """Show a study's design: in words, its models, its choices."""
    from foedus.studies.registry import get_study
    from foedus.studies.words import describe

    study = get_study(settings.project(), study_id)
    design = study.design
    sentences = describe(design)
    lines = [f"{study.id}: {design.title}", "", *sentences, ""]
    lines += [
        f"model {name}: {one.estimator}, {one.formula}" for name, one in design.models.items()
    ]
    lines += [f"measure {name}: {one.measure}" for name, one in design.measures.items()]
    lines += [
        f"choice {name}: {', '.join(choice.names)}" for name, choice in design.choices.items()
    ]
    lines.append(plural(len(study.published), "published number"))
    settings.show({**_summary(study), "words": sentences, "design": study.raw}, "\n".join(lines))


@command.command("run")
@click.argument("ids", nargs=-1, metavar="ID...")
@click.option("--all", "every", is_flag=True, help="Every declared study.")
@click.option(
    "--diagnose", is_flag=True, help="Vary choices singly and in pairs for each number not met."
)
@click.option(
    "--curve",
    "most",
    type=click.IntRange(min=1),
    metavar="N",
    help="Also the specification curve, of at most N specifications.",
)
@click.pass_obj
def run(
    settings: Settings, ids: tuple[str, ...], every: bool, diagnose: bool, most: int | None
) -> None:
    """Estimate studies and compare them with print."""
    from foedus.sources.tables import Tables
    from foedus.studies.curve import run_with_curve
    from foedus.studies.run import run_study

    project = settings.project()
    tables = Tables(project)
    done = []
    for study_id in _chosen(project, ids, every):
        with settings.working(f"running {study_id}"):
            if most is None:
                outcome = run_study(project, tables, study_id, diagnose=diagnose)
            else:
                outcome = run_with_curve(project, tables, study_id, most, diagnose)
        done.append(_outcome(study_id, outcome.comparison.to_pylist()))
        for failure in outcome.failed:
            settings.say(f"{study_id}: not estimated: {' '.join(failure.values())}")
        if diagnose:
            for walk in outcome.detail["walks"]:
                settings.say(_walked(study_id, walk))
    settings.done(done, "\n".join(f"{one['id']}: {one['words']}" for one in done))


def _walked(study_id: str, walk: dict[str, Any]) -> str:
    """Say a walk in a line: from where to where, by which changes."""
    from foedus.studies.comparison import number

    start, *steps = walk["steps"]
    way = " -> ".join(f"{step['change']}: {number(step['estimate'])}" for step in steps)
    return (
        f"{study_id}: {walk['maps_to']}: print {walk['published']}, declared "
        f"{number(start['estimate'])}; {way or 'no choice brings it nearer'}"
    )


def _chosen(project: Project, ids: tuple[str, ...], every: bool) -> list[str]:
    from foedus.studies.registry import get_study, load_studies

    if every == bool(ids):
        raise UsageError("name the studies, or say --all for every one of them.")
    if every:
        return list(project.config.studies or load_studies(project))
    return [get_study(project, study_id).id for study_id in ids]


def _outcome(study_id: str, comparison: list[dict[str, Any]]) -> dict[str, Any]:
    verdicts: dict[str, int] = {}
    for row in comparison:
        if row["lead"]:
            verdicts[row["verdict"]] = verdicts.get(row["verdict"], 0) + 1
    counted = ", ".join(f"{count} {name}" for name, count in sorted(verdicts.items()))
    total = plural(sum(verdicts.values()), "published number")
    return {
        "id": study_id,
        "verdicts": verdicts,
        "words": f"{total} compared{': ' + counted if counted else ''}",
    }


@command.command("check")
@click.argument("ids", nargs=-1, metavar="ID...")
@click.option("--all", "every", is_flag=True, help="Every declared study.")
@click.pass_obj
def check(settings: Settings, ids: tuple[str, ...], every: bool) -> None:
    """Say whether study files are valid: names, options, formulas, choices, published numbers."""
    from foedus.errors import ConfigError
    from foedus.studies.check import check_study
    from foedus.studies.registry import get_study

    project = settings.project()
    problems = {
        study_id: check_study(project, get_study(project, study_id))
        for study_id in _chosen(project, ids, every)
    }
    lines = [f"{name}: {'not valid' if found else 'valid'}" for name, found in problems.items()]
    settings.done(problems, "\n".join(lines))
    if any(problems.values()):
        raise ConfigError(" ".join(line for found in problems.values() for line in found))


@command.command("sign")
@click.argument("study_id", metavar="ID")
@click.option("--why", metavar="TEXT", help="What was changed in the design, and why; a line.")
@click.pass_obj
def sign(settings: Settings, study_id: str, why: str | None) -> None:
    """Put the design's fingerprint into the notes, with what was changed since the last one."""
    from foedus.studies.registry import get_study
    from foedus.studies.sign import sign as sign_notes

    study = get_study(settings.project(), study_id)
    now = sign_notes(study, why)
    settings.done(
        {"id": study.id, "from": study.notes_fingerprint, "to": now},
        f"{study.id}: the notes speak of the design {now}",
    )
