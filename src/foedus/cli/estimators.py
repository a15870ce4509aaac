"""`foedus estimators` and `foedus estimators show NAME`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from foedus.cli.settings import Group, Settings
from foedus.cli.text import listing

if TYPE_CHECKING:
    from foedus.models.registry import Estimator


@click.group("estimators", cls=Group, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the estimators: what each is, its kind of outcome, its options."""
    if context.invoked_subcommand is not None:
        return
    from foedus.models import all_estimators

    settings: Settings = context.obj
    listed = [describe(entry) for entry in all_estimators()]
    rows = [(one["name"], one["outcome"], one["title"]) for one in listed]
    settings.show(listed, lambda: listing(("estimator", "outcome", "what it is"), rows))


@command.command("show")
@click.argument("name")
@click.pass_obj
def show(settings: Settings, name: str) -> None:
    """Show one estimator: formula, options with their meaning, covariances, citation."""
    from foedus.models import find_estimator

    one = describe(find_estimator(name))
    settings.show(one, lambda: _text(one))


def describe(entry: Estimator) -> dict[str, Any]:
    """Return an entry of the registry as plain values."""
    from foedus.models.registry import OUTCOMES

    outcomes = [entry.outcome, *entry.second_outcomes]
    return {
        "name": entry.name,
        "title": entry.title,
        "citation": entry.citation,
        "outcome": entry.outcome,
        "outcomes": [f"{kind}: {OUTCOMES[kind]}" for kind in outcomes],
        "formula": _formula(entry),
        "options": [
            {
                "name": option.name,
                "says": option.says,
                "kind": {"value": "setting", "numbers": "column of numbers"}.get(
                    option.kind, "column or columns of groups"
                ),
                "default": option.default,
                "allowed": list(option.allowed) if option.allowed is not None else None,
                "required": option.required,
            }
            for option in entry.options
        ],
        "covariances": list(entry.covariances),
        "weights": entry.weights,
    }


def _formula(entry: Estimator) -> str:
    left = " | ".join([f"y{i or ''}" for i in range(1 + len(entry.second_outcomes))])
    right = " | ".join(["x1 + x2", *(f"terms of {name}" for name in entry.equations)])
    if entry.bars_are_groups:
        right += f" | columns of {entry.bars_are_groups}"
    return f"{left} ~ {right}"


def _text(one: dict[str, Any]) -> str:
    lines = [
        f"{one['name']}: {one['title']}",
        f"formula: {one['formula']}",
        *(f"outcome, {said}" for said in one["outcomes"]),
        f"covariances: {', '.join(one['covariances'])}",
        f"weights: {'yes' if one['weights'] else 'no'}",
    ]
    for option in one["options"]:
        said = f"{option['name']}: {option['says']} ({option['kind']}"
        if option["allowed"]:
            said += f", one of {', '.join(map(str, option['allowed']))}"
        if option["required"]:
            said += ", needed"
        elif option["default"] is not None:
            said += f", {option['default']} unless given"
        lines.append(f"option {said})")
    return "\n".join([*lines, f"citation: {one['citation']}"])
