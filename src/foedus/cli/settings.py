"""The options that every command takes, before or after its name, and what follows from them."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from foedus.config import Project
    from foedus.sources.tables import Tables


@dataclass
class Settings:
    """What the common options say.

    Attributes
    ----------
    quiet : bool
        No progress and no messages but errors.
    json : bool
        Standard output is one JSON value; messages go to standard error.
    raw : list of Path
        Folders searched for source files, besides those of the environment and the config.
    data : Path or None
        Folder of made tables; results/ of the project by default.
    offline : bool
    jobs : int or None
    debug : bool
        Show the traceback of an error.
    """

    quiet: bool = False
    json: bool = False
    raw: list[Path] = field(default_factory=list)
    data: Path | None = None
    offline: bool = False
    jobs: int | None = None
    debug: bool = False

    def project(self) -> Project:
        """Return the project that the options, the environment and the config describe."""
        from foedus.api import open_project

        return open_project(
            data=self.data, raw=self.raw, offline=self.offline, jobs=self.jobs, quiet=self.quiet
        )

    def tables(self) -> Tables:
        """Return the project's tables, ingested when asked for the first time."""
        from foedus.sources.tables import Tables

        return Tables(self.project())

    def say(self, text: str) -> None:
        """Tell the user something on standard error, unless --quiet."""
        if not self.quiet:
            click.echo(text, err=True)

    def show(self, value: Any, text: Callable[[], str] | str) -> None:
        """Write what was asked for: `value` as JSON with --json, else `text` for people."""
        if self.json:
            click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))
        else:
            click.echo(text if isinstance(text, str) else text())

    def done(self, value: Any, text: str) -> None:
        """Say what was made; as `show`, but --quiet keeps the text back."""
        if self.json or (text and not self.quiet):
            self.show(value, text)

    def progress(self) -> Callable[[str], None] | None:
        """Return a function that shows one line of progress, None when nobody is watching."""
        return self.say if self._watched() else None

    @contextlib.contextmanager
    def working(self, doing: str) -> Iterator[None]:
        """Show a spinner on a terminal's standard error while something takes its time."""
        if not self._watched():
            yield
            return
        from rich.console import Console

        with Console(stderr=True).status(doing):
            yield

    def _watched(self) -> bool:
        return not self.quiet and sys.stderr.isatty()


def _plain(value: Any) -> Any:
    """Turn what JSON doesn't know (paths, sets, numpy scalars, models) into what it does."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)


def _store(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep a common option that was given; the innermost place wins, --raw adds up."""
    settings = context.ensure_object(Settings)
    assert parameter.name is not None
    if parameter.name == "raw":
        settings.raw.extend(value)
    elif value not in (None, False):
        setattr(settings, parameter.name, value)


def common_options() -> list[click.Option]:
    """Return fresh copies of the options that every command takes."""
    folder = click.Path(file_okay=False, path_type=Path)
    listed: list[tuple[list[str], dict[str, Any]]] = [
        (["--quiet"], {"is_flag": True, "help": "No progress, no messages but errors."}),
        (["--json"], {"is_flag": True, "help": "Machine-readable standard output."}),
        (
            ["--raw"],
            {
                "multiple": True,
                "type": click.Path(exists=True, file_okay=False, path_type=Path),
                "metavar": "DIR",
                "help": "Also look for source files in this folder (repeatable).",
            },
        ),
        (
            ["--data"],
            {"type": folder, "metavar": "DIR", "help": "Folder of made tables [results/]."},
        ),
        (["--offline"], {"is_flag": True, "help": "Never ask an official address."}),
        (
            ["--jobs"],
            {
                "type": click.IntRange(min=1),
                "metavar": "N",
                "help": "Work on at most N things at once.",
            },
        ),
        (["--debug"], {"is_flag": True, "help": "Show the traceback of an error."}),
    ]
    return [
        click.Option(names, expose_value=False, callback=_store, **rest) for names, rest in listed
    ]


class Command(click.Command):
    """A command that takes the common options after its name."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        taken = {parameter.name for parameter in self.params}
        self.params.extend(option for option in common_options() if option.name not in taken)


class Group(click.Group):
    """A command with commands of its own, each with the common options, in the order declared."""

    command_class = Command
    group_class = type

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.params.extend(common_options())

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names in the order in which a newcomer needs them."""
        return list(self.commands)

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; for an unknown one name the nearest."""
        from foedus.errors import nearest

        name = arguments[0]
        if self.get_command(context, name) is None and not name.startswith("-"):
            known = self.list_commands(context)
            context.fail(f'there is no command "{name}". {nearest(name, known)}')
        return super().resolve_command(context, arguments)
