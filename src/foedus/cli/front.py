"""`foedus` itself: the list of commands, loaded when called, and how errors are shown."""

from __future__ import annotations

import errno
import importlib
import os
import re
import sys
import textwrap
import traceback

import click

import foedus
from foedus.cli.settings import Group, Settings
from foedus.errors import FoedusError

COMMANDS = {
    "doctor": ("foedus.cli.doctor", "What is installed, what was found, what can run."),
    "sources": ("foedus.cli.sources", "The data sets and their state."),
    "fetch": ("foedus.cli.fetch", "Download source files from the official addresses."),
    "ingest": ("foedus.cli.ingest", "Raw files to checked tables."),
    "units": ("foedus.cli.units", "The units of analysis that can be built."),
    "covariates": ("foedus.cli.covariates", "The covariates that can be built."),
    "panel": ("foedus.cli.panel", "Build a panel with covariates and its codebook."),
    "database": ("foedus.cli.database", "Everything made as views of one file, for SQL."),
    "estimators": ("foedus.cli.estimators", "The estimators, with their options."),
    "estimate": ("foedus.cli.estimate", "Estimate one model on any panel."),
    "study": ("foedus.cli.study", "List, show, run or check studies."),
    "curve": ("foedus.cli.curve", "The specification curve of a study."),
    "collect": ("foedus.cli.collect", "Put all studies' numbers into one table each."),
    "report": ("foedus.cli.report", "Figures, tables, site and PDF."),
    "diff": ("foedus.cli.diff", "What moved between two results folders."),
    "world": ("foedus.cli.world", "A simulated world as source files, with its truth."),
    "new": ("foedus.cli.new", "A skeleton for a source, covariate or study."),
    "cite": ("foedus.cli.cite", "BibTeX of data sets, studies and methods."),
    "docs": ("foedus.cli.docs", "The manual as a site."),
    "baseline": ("foedus.cli.baseline", "Keep the present estimates as the reviewed ones."),
    "choose-data": ("foedus.cli.choose_data", "Say which data a run would use, and why."),
}


NO_MEMORY = "out of memory. Ask for fewer years or covariates, or use a larger machine."
NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


class Front(Group):
    """The group of all commands; a command's module is imported when it is called."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return every command in the order of a run."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import the module of a command and return it."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[name][0])
        found = module.command
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their one line each, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name, (_, says) in COMMANDS.items()])


@click.command(
    cls=Front,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 a comparison differs, 2 the command line is wrong, 3 an input "
    "file breaks a rule, 4 data are missing, 5 a model can't be estimated, 130 interrupted.",
)
@click.version_option(foedus.__version__, prog_name="foedus", message="%(prog)s %(version)s")
def front() -> None:
    """Rebuild the large-n literature on alliances and war from raw public files.

    The options below stand before or after the name of a command.
    """


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; errors become one paragraph."""
    settings = Settings()
    try:
        outcome = front.main(arguments, prog_name="foedus", standalone_mode=False, obj=settings)
        sys.stdout.flush()
        return outcome if isinstance(outcome, int) else 0
    except BrokenPipeError:
        # The reader (`| head`) has seen enough. Python would complain again when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, click.Abort):
        click.echo("foedus: error: interrupted; nothing half-written is left.", err=True)
        return 130
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.format_message())
        return 0
    except Exception as error:
        if settings.debug:
            traceback.print_exc()
        code, text = explain(error)
        click.echo(paragraph(text), err=True)
        return code
    except BaseException as error:
        # What Rust code in polars ends with when a thread or memory can't be had; not an Exception.
        if type(error).__name__ != "PanicException":
            raise
        click.echo(paragraph(f"{NO_MEMORY} (polars: {error})"), err=True)
        return 1


def explain(error: Exception) -> tuple[int, str]:
    """Return the exit code of an error and what to say about it."""
    if isinstance(error, FoedusError):
        return error.exit_code, str(error)
    if isinstance(error, click.ClickException):
        return 2, _usage(error)
    if isinstance(error, MemoryError):
        return 1, NO_MEMORY
    if isinstance(error, OSError):
        return _system(error)
    return 1, (
        f"{type(error).__name__}: {error}. This is a bug in foedus; run the command again with "
        "--debug and report what it prints."
    )


def _system(error: OSError) -> tuple[int, str]:
    """Say what the operating system refused: no room left, or a file that can't be used."""
    said = f"{error.filename}: {error.strerror}." if error.filename is not None else f"{error}."
    if error.errno in NO_ROOM:
        return 1, (
            f"no room to write: {said} Nothing half-written is left; free some space and run the "
            "same command again."
        )
    return 2, said


def _usage(error: click.ClickException) -> str:
    text = error.format_message().rstrip(".") + "."
    context = error.ctx if isinstance(error, click.UsageError) else None
    if isinstance(error, click.NoSuchOption) and error.possibilities:
        text = f"no such option: {error.option_name}. Nearest: {', '.join(error.possibilities)}."
    if context is not None:
        text += f" See `{context.command_path} --help`."
    return text


def paragraph(text: str) -> str:
    """Return an error as one paragraph that starts `foedus: error:`."""
    joined = "foedus: error: " + re.sub(r"\s+", " ", text).strip()
    if not sys.stderr.isatty():
        return joined
    return textwrap.fill(joined, 100, break_long_words=False, break_on_hyphens=False)
