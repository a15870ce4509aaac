"""A declared design in sentences, for `foedus study show` and the study's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foedus.covariates.k_ads import set_columns
from foedus.covariates.registry import get_covariate
from foedus.errors import UsageError
from foedus.panels.units import get_unit
from foedus.studies.frame import NAMED_FILTERS
from foedus.studies.measures import get_measure
from foedus.studies.schema import Design, Effect, MeasureSpec, ModelSpec, Variable, shown


def describe(design: Design) -> list[str]:
    """Return the design, a sentence a decision, from the rows to the effects."""
    sentences = _rows(design)
    sentences += [_variable(name, spec) for name, spec in design.variables.items()]
    sentences += _sample(design)
    sentences += [_model(name, spec) for name, spec in design.models.items()]
    sentences += [_measure(name, spec) for name, spec in design.measures.items()]
    sentences += [_effect(name, spec) for name, spec in design.effects.items()]
    return sentences


def _rows(design: Design) -> list[str]:
    universe = design.universe
    if universe is None:
        return []
    span = f", {universe.years[0]} to {universe.years[1]}" if universe.years else ""
    said = [f"A row is a {universe.rows}{span}."]
    if universe.unit is not None:
        said[0] += f" {get_unit(universe.unit).says}"
    if universe.sets is not None:
        sizes = ", ".join(map(str, universe.sets.sizes))
        said.append(
            f"Sets have {sizes} states; events are alliances with obligations: "
            f"{universe.sets.events}; {universe.sets.controls} other sets of each size and year "
            "are drawn."
            + (
                f" States and pairs are looked at {universe.sets.lag} year(s) before."
                if universe.sets.lag
                else ""
            )
        )
    if universe.attach is not None:
        said.append(f"Its rows also take what is known of a {universe.attach} with the same keys.")
    if universe.where != "all":
        named = NAMED_FILTERS.get(universe.where)
        said.append(f"Kept are rows with {named.says if named else universe.where}.")
    return said


def _variable(name: str, spec: Variable) -> str:
    if spec.expression is not None:
        said = f"{name} is {spec.expression}"
    else:
        said = f"{name} is {_source(spec)}"
    if spec.transform:
        said += f", transformed: {spec.transform}"
    return said + "." + (f" {spec.says}" if spec.says else "")


def _source(spec: Variable) -> str:
    request = spec.request
    options = ", ".join(f"{key} {shown(value)}" for key, value in request.options.items())
    said = f"{request.covariate}.{request.column}" + (f" ({options})" if options else "")
    definition = _definition(request.covariate, request.column)
    return said + (f": {definition.rstrip('.')}" if definition else "")


def _definition(covariate: str, column: str) -> str:
    try:
        entry = get_covariate(covariate)
    except UsageError:
        return ""
    for spec in entry.columns:
        if column in (spec.name, spec.name + "1", spec.name + "2"):
            return spec.says
    found = set_columns(entry).get(column)
    return found.says if found else ""


def _sample(design: Design) -> list[str]:
    if design.universe is None:
        return []
    said = [
        f"Dropped as {name}: rows with {expression}."
        for name, expression in design.sample.drop.items()
        if expression is not None
    ]
    rule = design.sample.complete_on
    if rule == "model":
        said.append("A row with a missing value in any variable of a model is lost to that model.")
    elif rule == "all":
        said.append("A row with a missing value in any declared variable is lost to every model.")
    else:
        said.append(f"A row with a missing value in a model or in {', '.join(rule)} is lost.")
    return said


def _model(name: str, spec: ModelSpec) -> str:
    said = f"Model {name}: {spec.estimator} of {spec.formula}"
    if spec.years:
        said += f", {spec.years[0]} to {spec.years[1]}"
    if spec.where:
        said += f", rows with {spec.where}"
    first, *others = spec.covariance
    said += f"; standard errors {first}"
    return said + (f", and besides {', '.join(others)}." if others else ".")


def _measure(name: str, spec: MeasureSpec) -> str:
    try:
        says = get_measure(spec.measure).says
    except UsageError:
        says = spec.measure
    options = f" ({shown(spec.options)})" if spec.options else ""
    return f"Measure {name}: {says.rstrip('.')}{options}."


def _effect(name: str, spec: Effect) -> str:
    at = spec.at if isinstance(spec.at, str) else f"{shown(spec.at)}, others at their means"
    return (
        f"Effect {name}: {spec.of} from {spec.start:g} to {spec.end:g} in model {spec.model}, "
        f"the other variables at: {at}."
    )


def choice_words(design: Design) -> dict[str, str]:
    """Return a sentence for each choice: what it decides, and between what."""
    return {name: _choice(name, choice) for name, choice in design.choices.items()}


def _choice(name: str, choice: Any) -> str:
    first, *others = choice.names
    says = choice.says or name.replace("_", " ").capitalize()
    return f"{says.rstrip('.')}: declared {first}; alternatives {', '.join(others)}."


def labels(design: Design) -> dict[str, str]:
    """Return terms in short words: the variables' labels and the study's own."""
    found = {name: spec.label for name, spec in design.variables.items() if spec.label}
    return {**found, **design.labels}


def model_labels(design: Design) -> dict[str, str]:
    """Return models and measures in short words."""
    titles: dict[str, str | None] = {name: spec.title for name, spec in design.models.items()}
    titles.update({name: spec.title for name, spec in design.measures.items()})
    return {name: title for name, title in titles.items() if title}


def coverage_rows(notes: Mapping[str, Any], design: Design) -> list[dict[str, Any]]:
    """Return where each variable comes from and which years its sources cover."""
    rows = []
    for name, spec in design.variables.items():
        note = notes.get(name)
        if spec.expression is not None or note is None:
            rows.append({"variable": name, "covariate": "expression", "source": spec.expression})
            continue
        years = note.coverage
        rows.append(
            {
                "variable": name,
                "covariate": spec.source,
                "source": ", ".join(note.sources),
                "release": shown(note.options.get("release", "")),
                "first": years[0] if years else None,
                "last": years[1] if years else None,
                "note": shown({k: v for k, v in note.options.items() if k != "release"}),
            }
        )
    return rows
