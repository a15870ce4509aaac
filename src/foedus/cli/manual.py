"""The manual: pages in plain Markdown, those that are written and those that are made."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import click

from foedus.cli.front import COMMANDS, front

if TYPE_CHECKING:
    from foedus.config import Project

_LINK = re.compile(r"\]\((?:\.\./|docs/)?([A-Za-z_-]+)\.md(#[^)]*)?\)")
_COMMON = {"quiet", "json", "raw", "data", "offline", "jobs", "debug", "help"}

_STYLE = """
:root{color-scheme:light dark;--ink:light-dark(#1c2430,#e4e8ee);--back:light-dark(#fff,#14181e);
--line:light-dark(#d5dae1,#343c48);--link:light-dark(#14548c,#8cc0f0);--code:light-dark(#f2f4f7,#1e242c)}
body{margin:0;background:var(--back);color:var(--ink);font:17px/1.6 system-ui,sans-serif}
main,nav{max-width:46rem;margin:0 auto;padding:.5rem 1rem}
nav{display:flex;flex-wrap:wrap;gap:.2rem 1rem;border-bottom:1px solid var(--line);font-size:.9rem}
a{color:var(--link)}nav a{text-decoration:none}nav [aria-current]{font-weight:600;color:var(--ink)}
h1{line-height:1.2}h2{margin-top:2rem;border-top:1px solid var(--line);padding-top:1rem}
pre,code{background:var(--code);font-family:ui-monospace,monospace;font-size:.88em}
code{padding:.1em .3em;border-radius:3px}pre{padding:.8rem;overflow-x:auto;border-radius:4px}
pre code{padding:0}img{max-width:100%}
table{border-collapse:collapse;display:block;overflow-x:auto;font-size:.9em}
th,td{border-bottom:1px solid var(--line);padding:.35rem .7rem;text-align:left;vertical-align:top}
""".strip()


def pages(project: Project) -> dict[str, str]:
    """Return page name to Markdown, in the order of the links of docs/index.md.

    Written pages stand in docs/; CONTRIBUTING and CHANGELOG are taken in; `commands` and
    `codebook` are made from the command line and from the registries.
    """
    made = {"commands": commands_page(), "codebook": codebook_page(project)}
    home = project.root / "docs"
    index = (home / "index.md").read_text(encoding="utf-8")
    listed: dict[str, str] = {"index": index}
    for match in _LINK.finditer(index):
        name = match.group(1)
        for path in (home / f"{name}.md", project.root / f"{name}.md"):
            if name not in listed and name not in made and path.is_file():
                listed[name] = path.read_text(encoding="utf-8")
        if name in made:
            listed[name] = made[name]
    return listed


def site(written: dict[str, str]) -> dict[str, str]:
    """Return file name to HTML page, each with links to all the others."""
    from markdown import Markdown

    made = {}
    titles = {name: _title(text, name) for name, text in written.items()}
    for name, text in written.items():
        converter = Markdown(extensions=["tables", "fenced_code", "toc", "sane_lists"])
        body = converter.convert(_LINK.sub(_to_page(set(written)), text))
        links = " ".join(
            f'<a href="{other}.html"{" aria-current=page" if other == name else ""}>{title}</a>'
            for other, title in titles.items()
        )
        made[f"{name}.html"] = (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            f"<title>{titles[name]} - foedus</title>"
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<style>{_STYLE}</style></head>\n<body><nav>{links}</nav>\n<main>\n{body}\n</main>"
            "</body></html>\n"
        )
    return made


def _to_page(known: set[str]) -> Any:
    def replace(match: re.Match[str]) -> str:
        name = match.group(1)
        return f"]({name}.html{match.group(2) or ''})" if name in known else match.group(0)

    return replace


def _title(text: str, name: str) -> str:
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return html.escape(found.group(1)) if found else name


def commands_page() -> str:
    """Return the command reference, from the commands themselves."""
    lines = [
        "# Commands",
        "",
        "Every command takes these options, before or after its name:",
        "",
        *_options(front),
        "",
        f"{front.epilog}",
    ]
    context = click.Context(front, info_name="foedus")
    for name in COMMANDS:
        found = front.get_command(context, name)
        assert found is not None
        lines += _command_lines(found, context, name)
    return "\n".join(lines) + "\n"


def _command_lines(one: click.Command, parent: click.Context, name: str) -> list[str]:
    context = click.Context(one, info_name=name, parent=parent)
    usage = " ".join([context.command_path, *_arguments(one, context)])
    # click marks lines that are not to be wrapped with \b
    says = (one.help or "").replace("\b", "").strip()
    lines = ["", f"## foedus {context.command_path.removeprefix('foedus ')}", ""]
    lines += [f"    {usage}", "", says]
    own = _options(one, leave_out=_COMMON)
    lines += ["", *own] if own else []
    if isinstance(one, click.Group):
        for inner in one.list_commands(context):
            found = one.get_command(context, inner)
            assert found is not None
            lines += _command_lines(found, context, inner)
    return lines


def _arguments(one: click.Command, context: click.Context) -> list[str]:
    pieces = one.collect_usage_pieces(context)
    return [piece for piece in pieces if piece]


def _options(one: click.Command, leave_out: set[str] | None = None) -> list[str]:
    lines = []
    for option in one.params:
        if isinstance(option, click.Option) and option.name not in (leave_out or {"version"}):
            value = f" {option.metavar}" if option.metavar else ""
            if not value and isinstance(option.type, click.Choice):
                value = " " + "|".join(map(str, option.type.choices))
            lines.append(f"- `{option.opts[0]}{value}`: {option.help or ''}")
    return lines


def codebook_page(project: Project) -> str:
    """Return what can be built: units, covariates with their columns and options, sources."""
    from foedus.cli.covariates import describe
    from foedus.covariates.registry import registry
    from foedus.panels.units import units
    from foedus.references import load_references
    from foedus.sources.registry import project_facts

    facts = project_facts(project)
    works = load_references(project.config_dir)
    lines = ["# Codebook", "", "Made from the registries.", "", "## Units", ""]
    lines += ["| unit | keys | what a row is |", "| --- | --- | --- |"]
    lines += [f"| `{one.name}` | {', '.join(one.keys)} | {one.says} |" for one in units().values()]
    lines += ["", "## Covariates", ""]
    for entry in registry().values():
        lines += _covariate_lines(describe(entry, facts, works))
    lines += ["## Sources", "", "| id | version | edition | years | title |"]
    lines += ["| --- | --- | --- | --- | --- |"]
    for one in facts.values():
        years = f"{one.coverage[0]}-{one.coverage[1]}"
        lines.append(f"| `{one.id}` | {one.version} | {one.edition} | {years} | {one.title} |")
    return "\n".join(lines) + "\n"


def _covariate_lines(one: dict[str, Any]) -> list[str]:
    years = f"{one['coverage'][0]}-{one['coverage'][1]}" if one["coverage"] else "any year"
    origin = ", ".join(one["sources"]) or "the spine alone"
    lines = [f"### {one['name']}", "", f"{one['title']}. {years}; from {origin}.", ""]
    lines += ["| column | unit | definition |", "| --- | --- | --- |"]
    for column in one["columns"]:
        demand = " On demand." if column["on_demand"] else ""
        definition = column["definition"].replace("|", "\\|")
        lines.append(f"| `{column['name']}` | {column['unit']} | {definition}{demand} |")
    lines.append("")
    for name, option in one["options"].items():
        allowed = f" One of {', '.join(map(str, option['allowed']))}." if option["allowed"] else ""
        lines.append(f"- Option `{name}` ({option['default']}): {option['says']}{allowed}")
    lines += [f"- {work}" for work in one["citation"]]
    return [*lines, ""]
