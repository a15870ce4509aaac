"""What a run builds and where it looks: one typed model, defaults stated once, unknown keys stop.

Config is read here and handed down as arguments; nothing deeper than the command line and the DAG
asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from foedus.errors import ConfigError, nearest
from foedus.yaml_text import load_yaml

ROOT_ENV = "FOEDUS_ROOT"
RAW_ENV = "FOEDUS_RAW"
TRUTH = "truth.json"
"""What marks a folder as a simulated world, and holds the checksums of its files."""
WORLD = "world"
"""Name of the folder in the results in which `make report` makes its world."""

Model = TypeVar("Model", bound=BaseModel)


class Strict(BaseModel):
    """A frozen model that forbids unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReportOptions(Strict):
    """How the replication report is made."""

    title: str = Field("Alliances and war: a replication report", description="Title of the report")
    pdf: bool = Field(True, description="Also typeset report.pdf")
    covariance: str = Field("dyadic", description="Covariance that the front page leads with")


class CurveOptions(Strict):
    """How far a specification curve goes in the default run."""

    max_specifications: int = Field(64, ge=1, description="At most so many specifications a study")
    in_a_world: int = Field(16, ge=1, description="The same in a simulated world")


PANEL = (
    "atop", "atop_third_party", "capability_share", "capital_distance", "contiguity", "gml",
    "major", "mid", "min_distance", "nmc", "peace_years", "political_relevance", "polity",
    "rivalry", "similarity", "war",
)  # fmt: skip
"""Covariates of the default panel where the config says nothing: those of the usual designs."""


class PanelOptions(Strict):
    """What the default panel holds."""

    covariates: tuple[str, ...] | Literal["all"] = Field(
        PANEL, description="Covariates by name, or all; a user's own are always in"
    )


class Config(Strict):
    """config/config.yaml.

    Attributes
    ----------
    years : tuple of int
        First and last year of the panels that the default run builds.
    studies : tuple of str
        Studies to run; empty means all that are declared.
    study_dirs, covariate_dirs, source_dirs : tuple of str
        A user's own folders of studies, covariates and sources, read besides ours.
    raw_dirs : tuple of str
        Mirrors of source files, searched to any depth by file name; relative to the project root.
    accept_unpinned : tuple of str
        Ids of sources whose file may differ from the pinned checksum; stamped on all they make.
    """

    years: tuple[int, int] = (1816, 2010)
    studies: tuple[str, ...] = ()
    study_dirs: tuple[str, ...] = ()
    covariate_dirs: tuple[str, ...] = ()
    source_dirs: tuple[str, ...] = ()
    raw_dirs: tuple[str, ...] = ("../shared/sources",)
    accept_unpinned: tuple[str, ...] = ()
    report: ReportOptions = ReportOptions()
    curves: CurveOptions = CurveOptions()
    panel: PanelOptions = PanelOptions()


@dataclass(frozen=True)
class Project:
    """Where everything of one run lives.

    Attributes
    ----------
    root : Path
        Folder that holds config/ (the repository, or a user's own project).
    config : Config
    data : Path
        Made tables, panels, estimates (results/ by default).
    raw_dirs : tuple of Path
        Folders searched for source files, in order, besides <root>/data/raw.
    offline : bool
        Never ask an official address.
    jobs : int
        Processes or threads at most.
    quiet : bool
        No progress, no messages but errors.
    world : Path or None
        A simulated world that takes the place of all source files: then nothing else is looked at,
        nothing is downloaded, and all that is made says SIMULATED.
    """

    root: Path
    config: Config = field(default_factory=Config)
    data: Path = Path("results")
    raw_dirs: tuple[Path, ...] = ()
    offline: bool = False
    jobs: int = 1
    quiet: bool = False
    world: Path | None = None

    @property
    def config_dir(self) -> Path:
        """Folder of sources/, studies/ and covariates/: the project's, else the package's own."""
        own = self.root / "config"
        return own if (own / "sources").is_dir() else Path(__file__).parent / "_config"

    @property
    def curve_length(self) -> int:
        """Specifications at most in a study's curve, where the command doesn't say."""
        curves = self.config.curves
        return curves.max_specifications if self.world is None else curves.in_a_world

    @property
    def raw_home(self) -> Path:
        """Folder of a user's own copies of source files, where `fetch` writes."""
        return self.root / "data" / "raw"


def read_text(path: Path) -> str:
    """Read one text file that a user writes, with LF line ends and without a byte-order mark.

    Raises
    ------
    ConfigError
        When it isn't UTF-8 text or can't be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: not UTF-8 text (byte {error.start}). Save it as UTF-8."
        ) from error
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}.") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ConfigError(f"{path}:{line}: holds a NUL byte, so it isn't text. Save it as UTF-8.")
    return text


def read_yaml(path: Path) -> Any:
    """Read one YAML file safely (no objects, no code).

    Raises
    ------
    ConfigError
        With file, line and column when the text isn't YAML.
    """
    text = read_text(path)
    try:
        return load_yaml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"{path}{where}: not valid YAML: {problem}.") from error


def parse_model(model: type[Model], content: Any, origin: str) -> Model:
    """Validate parsed YAML against a model, saying where and which rule on failure.

    Parameters
    ----------
    model : type of pydantic model
    content : object
        What the YAML held.
    origin : str
        File name shown in messages.

    Raises
    ------
    ConfigError
        One paragraph: the file, the dotted path of each wrong value, the rule, and for an unknown
        key the nearest known one.
    """
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise ConfigError(f"{origin}: expected a mapping of keys, found {type(content).__name__}.")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = [_problem(model, item) for item in error.errors()]
        raise ConfigError(f"{origin}: " + " ".join(problems)) from error


def _problem(model: type[BaseModel], item: Any) -> str:
    place = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        known = _fields_at(model, item["loc"][:-1])
        return f"{place}: unknown key. {nearest(str(item['loc'][-1]), known)}"
    shown = repr(item.get("input"))
    return f"{place}: {item['msg']} (found {shown[:80]})."


def _fields_at(model: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    current: Any = model
    for part in path:
        fields = getattr(current, "model_fields", {})
        if part not in fields:
            continue
        current = _inner_model(fields[part].annotation) or current
    return list(getattr(current, "model_fields", {}))


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _inner_model(inner)
        if found is not None:
            return found
    return None


def find_root(start: Path | None = None) -> Path:
    """Return the project folder: FOEDUS_ROOT, else the nearest one up with config/config.yaml.

    Falls back to the repository that an editable install was made from, else to the current folder
    (an installed package then uses the config it carries).
    """
    if named := os.environ.get(ROOT_ENV):
        return Path(named).resolve()
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "config" / "config.yaml").is_file():
            return folder
    repository = Path(__file__).resolve().parents[2]
    return repository if (repository / "config" / "config.yaml").is_file() else here


def load_config(root: Path) -> Config:
    """Read <root>/config/config.yaml; a project without one gets the defaults."""
    path = root / "config" / "config.yaml"
    if not path.is_file():
        return Config()
    return parse_model(Config, read_yaml(path), "config/config.yaml")


def is_world(folder: Path) -> bool:
    """Say whether a folder is a simulated world."""
    return (folder / TRUTH).is_file()


def load_project(
    root: Path | None = None,
    data: Path | None = None,
    raw: Sequence[Path] = (),
    offline: bool = False,
    jobs: int | None = None,
    quiet: bool = False,
) -> Project:
    """Put together what a run needs from the project folder, the environment and the arguments.

    Raw folders keep the contract's order: `raw` arguments first among the mirrors (they are the
    most explicit), then FOEDUS_RAW, then config's raw_dirs. <root>/data/raw comes before all.

    A world made by `foedus world` takes the place of all of them if it is one of the folders given
    by `raw` or FOEDUS_RAW, or stands in the data folder (where `make report` puts it).
    """
    home = root.resolve() if root else find_root()
    config = load_config(home)
    from_env = [Path(part) for part in os.environ.get(RAW_ENV, "").split(os.pathsep) if part]
    from_config = [(home / folder).resolve() for folder in config.raw_dirs]
    named = [*[Path(folder).resolve() for folder in raw], *from_env]
    made = (data or home / "results").resolve()
    world = next((folder for folder in [*named, made / WORLD] if is_world(folder)), None)
    return Project(
        root=home,
        config=config,
        data=made,
        raw_dirs=(*named, *from_config),
        world=world,
        offline=offline or world is not None,
        jobs=jobs or os.cpu_count() or 1,
        quiet=quiet,
    )
