"""The works that data sets, covariates, studies and methods rest on.

They stand in config/references/*.yaml, one mapping of citation key to fields a file, and are
written out as BibTeX or as one line of text; nothing is cited whose key isn't there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import Field

from foedus.config import Strict, parse_model, read_yaml
from foedus.errors import ConfigError, nearest

_BIBTEX_FIELDS = (
    "author", "title", "journal", "booktitle", "publisher", "year", "volume", "number", "pages",
    "doi", "url", "note",
)  # fmt: skip
_BIBTEX_ESCAPES = {"&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_"}


class Reference(Strict):
    """One work: the fields of a BibTeX entry.

    `author` joins names with " and ", family name first, as BibTeX does.
    """

    type: str = Field("article", description="BibTeX entry type")
    author: str
    title: str
    year: int
    journal: str | None = None
    booktitle: str | None = None
    publisher: str | None = None
    volume: str | None = None
    number: str | None = None
    pages: str | None = None
    doi: str | None = None
    url: str | None = None
    note: str | None = None

    @property
    def families(self) -> list[str]:
        """Family names of the authors, in order."""
        return [_bare(name.split(",")[0]) for name in self.author.split(" and ")]

    def short(self) -> str:
        """Return "Johnson & Leeds 2011"."""
        names = self.families
        if len(names) > 3:
            return f"{names[0]} et al. {self.year}"
        listed = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " & " + names[-1]
        return f"{listed} {self.year}"

    def text(self) -> str:
        """Return the work as one line of a reference list."""
        names = "; ".join(_bare(name) for name in self.author.split(" and "))
        place = self.journal or self.booktitle or self.publisher or ""
        issue = f" {self.volume}" if self.volume else ""
        issue += f"({self.number})" if self.number else ""
        issue += f": {self.pages}" if self.pages else ""
        parts = [f"{names} ({self.year}). {self.title.rstrip('.')}."]
        if place:
            parts.append(f"{place}{issue}.")
        if self.doi:
            parts.append(f"doi:{self.doi}")
        elif self.url:
            parts.append(self.url)
        if self.note:
            parts.append(f"[{self.note}]")
        return " ".join(parts)

    def bibtex(self, key: str) -> str:
        """Return the work as a BibTeX entry under `key`."""
        lines = [f"@{self.type}{{{key},"]
        for field in _BIBTEX_FIELDS:
            value = getattr(self, field)
            if value is not None:
                text = str(value)
                if field not in ("doi", "url"):
                    text = "".join(_BIBTEX_ESCAPES.get(letter, letter) for letter in text)
                lines.append(f"  {field} = {{{text}}},")
        return "\n".join([*lines, "}"]) + "\n"


def load_references(config_dir: Path) -> dict[str, Reference]:
    """Read every config/references/*.yaml.

    Raises
    ------
    ConfigError
        If a file is malformed or a key stands in two files.
    """
    works: dict[str, Reference] = {}
    for path in sorted((config_dir / "references").glob("*.yaml")):
        content = read_yaml(path) or {}
        if not isinstance(content, dict):
            raise ConfigError(
                f"references/{path.name}: expected a mapping of keys to works, found "
                f"{type(content).__name__}."
            )
        for key, fields in content.items():
            if key in works:
                raise ConfigError(f"{path.name}: the key {key} stands in two reference files.")
            works[key] = parse_model(Reference, fields, f"references/{path.name}: {key}")
    return works


def cite(works: Mapping[str, Reference], keys: Iterable[str]) -> list[Reference]:
    """Return the works of `keys`, in that order.

    Raises
    ------
    ConfigError
        For a key that isn't in config/references.
    """
    found = []
    for key in keys:
        if key not in works:
            raise ConfigError(f'"{key}" is not in config/references. {nearest(key, works)}')
        found.append(works[key])
    return found


def _bare(name: str) -> str:
    """Return a name without the braces that hold an institution's together, as in BibTeX."""
    return name.strip().removeprefix("{").removesuffix("}")
