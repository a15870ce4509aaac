"""`foedus covariates` and `foedus covariates show NAME`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from foedus.cli.settings import Group, Settings

if TYPE_CHECKING:
    from foedus.covariates.registry import Covariate
    from foedus.references import Reference
    from foedus.sources.registry import SourceFacts


@click.group("covariates", cls=Group, invoke_without_command=True)
@click.option("--unit", metavar="UNIT", help="Only those that have a column on this unit.")
@click.pass_context
def command(context: click.Context, unit: str | None) -> None:
    """List the covariates: columns, definitions, coverage and citation."""
    if context.invoked_subcommand is not None:
        return
    from foedus.covariates.registry import for_unit, registry
    from foedus.panels.units import get_unit

    settings: Settings = context.obj
    settings.project()  # registers the user's own covariates
    entries = for_unit(unit, get_unit(unit).keys) if unit else registry()
    listed = _describe(settings, entries, unit)
    settings.show(listed, lambda: "\n\n".join(_text(one) for one in listed))


@command.command("show")
@click.argument("name")
@click.pass_obj
def show(settings: Settings, name: str) -> None:
    """Show one covariate: columns, options with their meaning, examples."""
    from foedus.covariates.registry import get_covariate

    settings.project()  # registers the user's own covariates
    entry = get_covariate(name)
    one = _describe(settings, {entry.name: entry}, None)[0]
    settings.show(one, lambda: _text(one) + _details(one))


def _describe(
    settings: Settings, entries: dict[str, Covariate], unit: str | None
) -> list[dict[str, Any]]:
    from foedus.references import load_references
    from foedus.sources.registry import project_facts

    project = settings.project()
    facts = project_facts(project)
    works = load_references(project.config_dir)
    return [describe(entry, facts, works, unit) for entry in entries.values()]


def describe(
    entry: Covariate,
    facts: dict[str, SourceFacts],
    works: dict[str, Reference],
    unit: str | None = None,
) -> dict[str, Any]:
    """Return a covariate's declaration as plain values, with coverage and citations looked up."""
    from foedus.covariates.assemble import column_names

    bounding = entry.coverage_under(entry.resolve_options({}))
    windows = [facts[name].coverage for name in bounding if name in facts]
    windows += [entry.window] if entry.window else []
    names = column_names(unit, [entry.name])[entry.name] if unit else None
    return {
        "name": entry.name,
        "title": entry.title,
        "columns": [
            {
                "name": spec.name,
                "kind": spec.kind,
                "unit": spec.unit,
                "level": spec.level,
                "collapse": spec.collapse,
                "definition": spec.says,
                "on_demand": spec.name in entry.extras,
            }
            for spec in entry.columns
        ],
        **({"columns_on_unit": names} if names is not None else {}),
        "units": list(entry.units),
        "sources": list(entry.sources),
        "coverage": [max(a for a, _ in windows), min(b for _, b in windows)] if windows else None,
        "citation": [works[key].text() if key in works else key for key in entry.citations]
        + ([entry.says_citation] if entry.says_citation else []),
        "citation_keys": list(entry.citations),
        "options": {
            name: {
                "default": option.default,
                "says": option.says,
                "allowed": None if option.allowed is None else list(option.allowed),
            }
            for name, option in entry.options.items()
        },
        "examples": [
            {
                "says": one.says,
                "unit": one.unit,
                "ask": dict(one.ask),
                "expect": dict(one.expect),
                "options": dict(one.options),
            }
            for one in entry.examples
        ],
    }


def _text(one: dict[str, Any]) -> str:
    years = f"{one['coverage'][0]}-{one['coverage'][1]}" if one["coverage"] else "any year"
    lines = [
        f"{one['name']}: {one['title']} ({years}; from {', '.join(one['sources']) or 'no source'})"
    ]
    for column in one["columns"]:
        demand = " On demand." if column["on_demand"] else ""
        lines.append(f"  {column['name']} [{column['unit']}]: {column['definition']}{demand}")
    lines += [f"  {work}" for work in one["citation"]]
    return "\n".join(lines)


def _details(one: dict[str, Any]) -> str:
    lines = ["", "", "Options:" if one["options"] else "No options."]
    for name, option in one["options"].items():
        allowed = f" (one of {', '.join(map(str, option['allowed']))})" if option["allowed"] else ""
        lines.append(f"  {name}={option['default']}: {option['says']}{allowed}")
    lines.append("Examples:" if one["examples"] else "No examples.")
    for example in one["examples"]:
        asked = ", ".join(f"{key} {value}" for key, value in example["ask"].items())
        answer = ", ".join(
            f"{key} = {'missing' if value is None else value}"
            for key, value in example["expect"].items()
        )
        lines.append(f"  {example['says']} {example['unit']}, {asked}: {answer}")
    return "\n".join(lines)


@command.command("check")
@click.argument("name")
@click.option("--unit", metavar="UNIT", help="By default the unit that the file's rows are about.")
@click.option("--years", nargs=2, type=int, metavar="A B", help="By default those it covers.")
@click.pass_obj
def check(settings: Settings, name: str, unit: str | None, years: tuple[int, int] | None) -> None:
    """Compare a covariate's own file with the rows of a unit: matched, unmatched, repeated.

    For covariates that a YAML of yours declares. What is found is kept for the report.
    """
    from foedus.covariates.user_coverage import coverage_of, keep
    from foedus.covariates.user_coverage import describe as in_words
    from foedus.covariates.user_files import declared_covariate, user_covariates
    from foedus.errors import UsageError, nearest

    tables = settings.tables()
    found = declared_covariate(tables.project, name)
    if found is None:
        known = [one.name for _, one in user_covariates(tables.project)]
        raise UsageError(f'no YAML of yours declares a covariate "{name}". {nearest(name, known)}')
    path, declared = found
    coverage = coverage_of(tables, declared, path, unit, years or None)
    keep(tables.project, coverage)
    settings.show(coverage.as_dict(), lambda: "\n".join(in_words(coverage)))
