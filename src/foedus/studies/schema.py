"""What a study file may say: the typed model of config/studies/<id>/study.yaml.

A study names its variables as covariates with options, its sample, its models and measures, and
every ambiguous decision as a choice: dotted paths into this same file with alternatives. The
declared design, the one-at-a-time diagnosis and the specification curve are one machine that is
run with different overrides of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from foedus.config import Strict
from foedus.covariates.assemble import VariableRequest

NAME = r"^[A-Za-z][A-Za-z0-9_]*$"
TABLE = r"^[a-z0-9_.]+\.[a-z0-9_]+$"
_RESERVED = ("from", "transform", "expression", "label", "says")

Scalar = str | int | float | bool | None
TermKind = Literal[
    "target", "challenger", "tie", "joiner", "sides", "likeness", "holdings", "other"
]
EffectScale = Literal["p0", "p1", "difference", "percent_change"]


class KAdSets(Strict):
    """Which sets of states stand as rows of the unit k-ad-year.

    Attributes
    ----------
    sizes : tuple of int
        How many states a set has; sets of several sizes stand below each other.
    events : str
        Which alliances are events: "any", or the kind of obligation (defense, ...).
    controls : int
        Sets that formed none, drawn from each year and size.
    seed : int
        Of the draws.
    lag : int
        Years before the row's own in which states and pairs are looked at, so that an alliance
        doesn't stand among its own causes; a state that was no member then has no facts.
    """

    sizes: tuple[int, ...] = Field((3,), min_length=1)
    events: str = "any"
    controls: int = 100
    seed: int = 1
    lag: int = Field(0, ge=0)

    @field_validator("sizes")
    @classmethod
    def _ascending(cls, sizes: tuple[int, ...]) -> tuple[int, ...]:
        if list(sizes) != sorted(set(sizes)) or sizes[0] < 2:
            raise ValueError("sizes are different numbers from 2 on, in ascending order")
        return sizes


class Universe(Strict):
    """Which rows the study is about before any variable is looked at.

    Attributes
    ----------
    unit : str or None
        A unit of analysis (`foedus units`).
    table : str or None
        Instead of a unit: the rows of an ingested table, ``source.table`` (an author's estimation
        file, ``rep_oneal_russett_1997.dyad_years``), whose columns are known by their names.
    keys : dict of str to str
        With a table: what its key columns are called elsewhere, ``{ccode1: statea, year: year}``.
        Dyadic covariances need ccode1 and ccode2, a model's ``years`` needs year.
    attach : str or None
        With a table: a unit whose covariates its rows also take (``from: nmc.cinc``), met by
        `keys`; a row that has no counterpart in the unit is missing there, none is lost.
    years : tuple of int or None
        First and last year, both included; a table may do without.
    where : str
        ``all``, a named filter (``politically_relevant``) or an expression over the variables.
    system : str
        Whose list of states says who exists: cow, or gw (Gleditsch & Ward 1999; ccode, ccode1 and
        ccode2 are then numbers of that list).
    sets : KAdSets or None
        With the unit k-ad-year: which sets. A variable's column is then one about a state or a
        symmetric pair and how it is put together over the set: ``nmc.cinc_max``.
    """

    unit: str | None = None
    table: str | None = Field(None, pattern=TABLE)
    keys: dict[str, str] = Field(default_factory=dict)
    attach: str | None = None
    years: tuple[int, int] | None = None
    where: str = "all"
    system: Literal["cow", "gw"] = "cow"
    sets: KAdSets | None = None

    @model_validator(mode="after")
    def _one_kind_of_rows(self) -> Universe:
        if (self.unit is None) == (self.table is None):
            raise ValueError("say either unit: or table:, not both")
        if self.unit is not None and self.years is None:
            raise ValueError("years: a unit needs its first and last year")
        if self.unit is not None and self.keys:
            raise ValueError("keys: a unit has keys of its own")
        if self.unit is not None and self.attach is not None:
            raise ValueError("attach: a unit's rows take its covariates anyway")
        if self.sets is not None and self.unit != "k-ad-year":
            raise ValueError("sets: only the unit k-ad-year has them")
        if self.years is not None and self.years[0] > self.years[1]:
            raise ValueError(f"years run backwards: {self.years[0]} to {self.years[1]}")
        return self

    @property
    def takes(self) -> str | None:
        """The unit whose covariates the rows take; None where variables are expressions only."""
        return self.unit or self.attach

    @property
    def rows(self) -> str:
        """What a row is, in a word: the unit, or the table."""
        return self.unit or f"row of {self.table}"


class Variable(BaseModel):
    """A variable of the formulas: a covariate's column under options, or an expression.

    Every key besides from, transform, expression, label and says is an option of the covariate.

    Attributes
    ----------
    source : str or None
        ``covariate.column`` (written ``from:`` in the file).
    expression : str or None
        A derived variable over those declared above it, ``cinc1 / (cinc1 + cinc2)`` or
        ``major1 == 1 or major2 == 1``, instead of `source`; missing where any part is.
    transform : str or None
        log, log1p, sqrt, square, cube or negate.
    label : str or None
        Short words for figures and tables.
    says : str or None
        What the study means by it, for the page; the covariate's own definition stands beside it.
    """

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    source: str | None = Field(None, alias="from", pattern=r"^[a-z0-9_]+\.[A-Za-z0-9_]+$")
    expression: str | None = None
    transform: str | None = None
    label: str | None = None
    says: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Variable:
        if (self.source is None) == (self.expression is None):
            raise ValueError("say either from: covariate.column or expression: ..., not both")
        if any(")" in name for name in self.options):
            raise ValueError("an expression that holds a comma needs quotes in { }")
        if self.expression is not None and self.options:
            raise ValueError(f"an expression takes no options ({', '.join(self.options)})")
        return self

    @property
    def options(self) -> dict[str, Any]:
        """The covariate's options that this variable sets."""
        return dict(self.model_extra or {})

    @property
    def request(self) -> VariableRequest:
        """The variable as the covariates room wants it; only for those with a source."""
        assert self.source is not None
        covariate, column = self.source.split(".", 1)
        return VariableRequest(covariate, column, self.options, self.transform)


class Rebuild(Strict):
    """Variables of an author's file, rebuilt from raw and compared with it row by row.

    Attributes
    ----------
    table : str or None
        The author's table, ``source.table``; the universe's when none is named.
    unit : str
        The unit on which the variables are rebuilt.
    years : tuple of int
    keys : dict of str to expression
        Each key of the unit as an expression over the file's columns (``min(statea, stateb)``);
        the universe's keys when none are given. Undirected pairs are put in order.
    where : str or None
        Which rows of the file are compared.
    expected : str or None
        Which rows of the unit ought to be in the file (a named filter or an expression over the
        variables below); those that aren't there are counted and listed. Not looked at without it.
    variables : dict of str to Variable
        Rebuilt variables. One named like a column of the file is compared with it.
    compare : dict of str to expression
        Further comparisons: a rebuilt variable, and what it is compared with in the file.
    tolerance : dict of str to float
        Largest difference that still agrees, by rebuilt variable; by default one part in 100,000
        (a file's single precision).
    """

    table: str | None = Field(None, pattern=TABLE)
    unit: str
    years: tuple[int, int]
    keys: dict[str, str] = Field(default_factory=dict)
    where: str | None = None
    expected: str | None = None
    variables: dict[str, Variable] = Field(min_length=1)
    compare: dict[str, str] = Field(default_factory=dict)
    tolerance: dict[str, float] = Field(default_factory=dict)


class Sample(Strict):
    """Which rows of the universe are estimated on.

    Attributes
    ----------
    drop : dict of str to expression or null
        Rows to drop, step by step, each with its name in the sample flow; null drops nothing (so
        that a choice can switch a step on). A comparison with a missing value is not true.
    complete_on : "model", "all" or list of variables
        Rows with a missing value are lost: in the variables of each model by itself, in all the
        declared variables, or in those listed besides the model's own.
    """

    drop: dict[str, str | None] = Field(default_factory=dict)
    complete_on: Literal["model", "all"] | tuple[str, ...] = "model"


class ModelSpec(Strict):
    """One regression.

    Attributes
    ----------
    title : str or None
        Short words ("Table 1, probit").
    estimator : str
        As `foedus estimate --estimator` knows it.
    formula : str
        ``outcome ~ term + term``, over the declared variables.
    covariance : tuple of str
        Covariance estimators; the first is the declared one.
    years : tuple of int or None
        First and last year of a sub-period; needs a unit with a year.
    where : str or None
        An expression that keeps part of the sample.
    key : tuple of str
        Terms that the study is about.
    claim : str or None
        Claim that its estimates bear on; the study's first when none is named.
    options : dict
        Further arguments of the estimator.
    """

    title: str | None = None
    estimator: str
    formula: str
    covariance: tuple[str, ...] = Field(("classical",), min_length=1)
    years: tuple[int, int] | None = None
    where: str | None = None
    key: tuple[str, ...] = ()
    claim: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    @field_validator("formula")
    @classmethod
    def _has_sides(cls, formula: str) -> str:
        if formula.count("~") != 1:
            raise ValueError("a formula is: outcome ~ term + term")
        return " ".join(formula.split())

    @property
    def outcome(self) -> str:
        """Left side of the formula."""
        return self.formula.split("~")[0].strip()


class MeasureSpec(Strict):
    """A registered measure (see studies.measures), for studies or parts without a regression.

    Attributes
    ----------
    measure : str
        Name in the registry.
    panel : bool
        Whether it is given the study's sample (the universe's rows and all declared variables).
    basis : "raw" or "file"
        Whether it is made from raw files or re-counts an author's own file, which the tally of
        verdicts keeps apart.
    """

    measure: str
    title: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    panel: bool = False
    claim: str | None = None
    basis: Literal["raw", "file"] = "raw"


class Effect(BaseModel):
    """A change in predicted probability (or expected value) of a model.

    Attributes
    ----------
    of : str
        Variable that changes from `start` (``from:``) to `end` (``to:``).
    at : str or dict
        Where the others stand: ``means``, ``means where EXPR`` (rows of the estimation sample),
        ``observed`` (averaged over all rows), or a mapping that fixes some at a value and leaves
        the rest at their means.
    scale : str
        What the published number is (``as:``): p0, p1, difference or percent_change.
    over : tuple or None
        Also draw the predicted curve of `of` between these two values.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    model: str
    of: str
    start: float = Field(0.0, alias="from")
    end: float = Field(1.0, alias="to")
    at: str | dict[str, float] = "means"
    scale: EffectScale = Field("difference", alias="as")
    over: tuple[float, float] | None = None
    title: str | None = None


class Choice(Strict):
    """An ambiguous decision: the paths it sets and the alternatives, the declared one first.

    Attributes
    ----------
    says : str or None
        What is being chosen, in words.
    sets : dict of dotted path to list
        All lists are of one length; alternative k sets every path to its k-th value. A mapping is
        merged into what stands there (null removes a key); anything else replaces it.
    labels : tuple of str
        Short names of the alternatives; by default the values of the first path.
    """

    says: str | None = None
    sets: dict[str, tuple[Any, ...]] = Field(min_length=1)
    labels: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, content: Any) -> Any:
        """Read ``{path: [..]}`` as ``{sets: {path: [..]}}``."""
        if isinstance(content, dict) and "sets" not in content:
            return {"sets": content}
        return content

    @model_validator(mode="after")
    def _one_length(self) -> Choice:
        lengths = {len(values) for values in self.sets.values()}
        if len(lengths) != 1 or lengths == {1} or lengths == {0}:
            raise ValueError("a choice lists at least two alternatives, as many for each path")
        if self.labels and len(self.labels) != len(self):
            raise ValueError(f"{len(self)} alternatives and {len(self.labels)} labels")
        if len(set(self.names)) != len(self):
            raise ValueError("two alternatives have the same name; give labels")
        return self

    def __len__(self) -> int:
        return len(next(iter(self.sets.values())))

    @property
    def names(self) -> tuple[str, ...]:
        """Short names of the alternatives, the declared one first."""
        if self.labels:
            return self.labels
        return tuple(shown(value) for value in next(iter(self.sets.values())))

    def overrides(self, alternative: int) -> dict[str, Any]:
        """Return path to value for one alternative; the declared one overrides nothing."""
        if alternative == 0:
            return {}
        return {path: values[alternative] for path, values in self.sets.items()}


class Headline(Strict):
    """A number the front page leads with, and the sign that would support the claim.

    Either a term of a model or measure, or (`maps_to`) a published number's target. `kind` says
    what kind of tie the term is where no covariate does: a claim's page has a mean by kind.
    """

    model: str = ""
    term: str = ""
    maps_to: str | None = None
    claim: str | None = None
    expects: Literal[-1, 0, 1] | None = None
    says: str | None = None
    kind: TermKind | None = None

    @model_validator(mode="after")
    def _points_somewhere(self) -> Headline:
        if bool(self.model and self.term) == (self.maps_to is not None):
            raise ValueError("a headline names a model and a term, or maps_to")
        return self


class GroupTerm(Strict):
    """A group whose estimate is a term that the study has: of the model named, or the subset's."""

    model: str | None = None
    term: str


class Subset(Strict):
    """An estimate by group, to see whether a pooled effect hides opposite ones.

    Every headline with a sign is split by era without being asked, and the tie between two states
    by content, formation and management (see studies.subsets); this declares further groups.

    Attributes
    ----------
    by : str
        What the groups differ in.
    model, term : str
        What is estimated in each group.
    groups : dict of str to expression or {model, term}
        The group's name, and which rows of the model's sample it is estimated on (no row should be
        in two groups), or which term stands for it (``{term: tie_offense}``).
    claim : str or None
        Claim it bears on; the headline's of the model and term when none is named.
    """

    by: Literal["era", "content", "formation", "management", "other"]
    model: str
    term: str
    groups: dict[str, str | GroupTerm] = Field(min_length=2)
    claim: str | None = None
    says: str | None = None


class CurveSpec(Strict):
    """What the specification curve follows; the first model's key terms by default."""

    model: str
    terms: tuple[str, ...] = Field(min_length=1)


class Design(Strict):
    """config/studies/<id>/study.yaml.

    Attributes
    ----------
    cite : tuple of str
        Keys in config/references, the work rebuilt first.
    short : str or None
        A word that tells it apart from other studies of the same work in figures and tables.
    own : bool
        Whether the design is the project's own. What print says is then another work's finding,
        set beside it as an expectation, and never a result of this design.
    claims : tuple of str
        Claims it bears on (config/claims.yaml).
    assumptions : tuple of str
        What had to be assumed, a sentence each; notes.md gives the reasons.
    """

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    cite: tuple[str, ...] = Field(min_length=1)
    title: str
    short: str | None = None
    own: bool = False
    claims: tuple[str, ...] = Field(min_length=1)
    universe: Universe | None = None
    variables: dict[str, Variable] = Field(default_factory=dict)
    rebuild: Rebuild | None = None
    sample: Sample = Sample()
    models: dict[str, ModelSpec] = Field(default_factory=dict)
    measures: dict[str, MeasureSpec] = Field(default_factory=dict)
    effects: dict[str, Effect] = Field(default_factory=dict)
    choices: dict[str, Choice] = Field(default_factory=dict)
    curve: CurveSpec | None = None
    headline: tuple[Headline, ...] = ()
    subsets: dict[str, Subset] = Field(default_factory=dict)
    labels: dict[str, str] = Field(default_factory=dict)
    assumptions: tuple[str, ...] = ()

    @field_validator("cite", "claims", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("variables", "models", "measures", "effects", "choices", "subsets")
    @classmethod
    def _plain_names(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in value:
            if not re.match(NAME, name):
                raise ValueError(f'"{name}": names are letters, digits and _, a letter first')
        return value

    @model_validator(mode="after")
    def _something_to_do(self) -> Design:
        if not self.models and not self.measures:
            raise ValueError("a study has models, or measures, or both")
        needs_rows = bool(self.models) or any(spec.panel for spec in self.measures.values())
        if needs_rows and self.universe is None:
            raise ValueError("models and measures of a panel need a universe")
        if self.rebuild is not None and self.rebuilt_table is None:
            raise ValueError("rebuild.table: say with which table the variables are compared")
        return self

    @property
    def leading(self) -> tuple[Headline, ...]:
        """The headlines as terms of models and measures, whatever they name.

        One that names an effect stands for the term that the effect moves, its sign turned where
        the variable falls; what names neither (a share of rows) is left out.
        """
        found = []
        for line in self.headline:
            kind, _, rest = (line.maps_to or "").partition(".")
            name, _, part = rest.partition(".")
            if line.maps_to is None:
                found.append(line)
            elif kind == "effects" and name in self.effects:
                effect = self.effects[name]
                turned = -1 if effect.end < effect.start else 1
                sign = None if line.expects is None else line.expects * turned
                words = {
                    "claim": line.claim, "says": line.says, "expects": sign, "kind": line.kind,
                }  # fmt: skip
                found.append(Headline(model=effect.model, term=effect.of, **words))
            elif part and (
                (kind == "models" and name in self.models)
                or (kind == "measures" and name in self.measures)
            ):
                words = {
                    "claim": line.claim, "says": line.says, "expects": line.expects,
                    "kind": line.kind,
                }  # fmt: skip
                found.append(Headline(model=name, term=part, **words))
        return tuple(found)

    @property
    def rebuilt_table(self) -> str | None:
        """The author's table that rebuilt variables are compared with."""
        if self.rebuild is None:
            return None
        return self.rebuild.table or (self.universe.table if self.universe else None)

    @property
    def units(self) -> list[str]:
        """Units of analysis that the study builds rows of."""
        named = [
            self.universe.takes if self.universe else None,
            self.rebuild.unit if self.rebuild else None,
        ]
        return list(dict.fromkeys(unit for unit in named if unit is not None))

    @property
    def tables(self) -> list[str]:
        """Tables whose rows the study takes as they are."""
        named = [self.universe.table if self.universe else None, self.rebuilt_table]
        return list(dict.fromkeys(table for table in named if table is not None))

    @property
    def declared_covariance(self) -> dict[str, str]:
        """The first covariance of each model."""
        return {name: spec.covariance[0] for name, spec in self.models.items()}


def shown(value: Any) -> str:
    """Return a value of the file in short words, for tables and figures."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={shown(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return "-".join(shown(item) for item in value)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
