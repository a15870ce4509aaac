"""`foedus sources`: the data sets and their state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from foedus.cli.settings import Command, Settings
from foedus.cli.text import listing

if TYPE_CHECKING:
    from foedus.references import Reference
    from foedus.sources.resolve import FoundSource


@click.command("sources", cls=Command)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.pass_obj
def command(settings: Settings, ids: tuple[str, ...]) -> None:
    """List the data sets: version, edition, years, rows, state, file and citation.

    The state is found, missing, wrong checksum, accepted unpinned, or not accepted: no copy of that
    release is pinned, and config doesn't accept it by name. With --json each source comes with all
    its facts.
    """
    from foedus.references import load_references
    from foedus.sources.resolve import locate

    project = settings.project()
    works = load_references(project.config_dir)
    listed = [_entry(one, works) for one in locate(project, ids or None).values()]
    settings.show(listed, lambda: _text(listed))


def _entry(one: FoundSource, works: dict[str, Reference]) -> dict[str, Any]:
    facts = one.facts
    return {
        "id": facts.id,
        "dataset": facts.dataset,
        "version": facts.version,
        "title": facts.title,
        "edition": facts.edition,
        "years": list(facts.coverage),
        "rows": {name: table.rows for name, table in facts.tables.items()},
        "state": one.state,
        "simulated": one.simulated,
        "files": [
            {
                "name": file.facts.name,
                "state": file.state,
                "path": None if file.path is None else str(file.path),
                "sha256": file.facts.sha256,
                "found_sha256": file.sha256,
                "url": file.facts.url or file.facts.page,
            }
            for file in one.files
        ],
        "citation": [works[key].text() if key in works else key for key in facts.citation],
        "citation_keys": list(facts.citation),
        "terms": facts.terms,
        "quirks": list(facts.quirks),
        "optional": facts.optional,
        "adds": facts.adds,
    }


def _text(listed: list[dict[str, Any]]) -> str:
    rows = []
    for one in listed:
        tables = ", ".join(
            f"{name} {'?' if count is None else format(count, ',')}"
            for name, count in one["rows"].items()
        )
        files = ", ".join(file["path"] or file["name"] for file in one["files"])
        years = f"{one['years'][0]}-{one['years'][1]}"
        rows.append((one["id"], one["version"], one["edition"], years, one["state"], tables, files))
    table = listing(("id", "version", "edition", "years", "state", "rows", "file"), rows)
    works = [f"{one['id']}: {one['title']}. {' '.join(one['citation'])}" for one in listed]
    return "\n".join([table, "", *works])
