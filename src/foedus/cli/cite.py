"""`foedus cite`: BibTeX of data sets, studies and methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from foedus.cli.settings import Command, Settings
from foedus.errors import UsageError, nearest

if TYPE_CHECKING:
    from foedus.config import Project
    from foedus.references import Reference


@click.command("cite", cls=Command)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.pass_obj
def command(settings: Settings, ids: tuple[str, ...]) -> None:
    """Write BibTeX of every data set, study and method used, or of those named.

    An ID is a source, a study, a covariate or a citation key.
    """
    from foedus.references import cite, load_references

    project = settings.project()
    works = load_references(project.config_dir)
    keys = _keys(project, works, ids)
    found = dict(zip(keys, cite(works, keys), strict=True))
    settings.show(
        {key: work.model_dump(exclude_none=True) for key, work in found.items()},
        "\n".join(work.bibtex(key) for key, work in found.items()).rstrip("\n"),
    )


def _keys(project: Project, works: dict[str, Reference], ids: tuple[str, ...]) -> list[str]:
    from foedus.covariates.registry import registry
    from foedus.sources.registry import project_facts
    from foedus.studies.registry import load_studies

    cited: dict[str, list[str]] = {key: [key] for key in works}
    cited |= {name: list(entry.citations) for name, entry in registry().items()}
    for facts in project_facts(project).values():
        cited[facts.id] = cited[facts.alias] = list(facts.citation)
    cited |= {name: list(study.design.cite) for name, study in load_studies(project).items()}
    for name in ids:
        if name not in cited:
            raise UsageError(
                f'"{name}" is no source, study, covariate or citation key. {nearest(name, cited)}'
            )
    chosen = ids or works
    return list(dict.fromkeys(key for name in chosen for key in cited[name]))
