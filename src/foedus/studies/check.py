"""Is a study valid: everything that can be checked without data, said in one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from foedus.config import Project, read_yaml
from foedus.covariates.registry import get_covariate
from foedus.covariates.where import columns_in
from foedus.errors import ConfigError, FoedusError, UsageError, nearest
from foedus.panels.k_ad_unit import UNIT as K_ADS
from foedus.panels.units import get_unit
from foedus.references import load_references
from foedus.sources.registry import SourceFacts, project_facts
from foedus.studies.check_rebuild import check_rebuild, check_variable
from foedus.studies.design import ABSENT, one_at_a_time, value_at
from foedus.studies.fit import check_model, formula_names, plain_terms
from foedus.studies.frame import NAMED_FILTERS
from foedus.studies.ground import declared_columns
from foedus.studies.k_ad_ground import FACTS as SET_FACTS
from foedus.studies.k_ad_ground import key_names
from foedus.studies.measures import get_measure
from foedus.studies.published import Published
from foedus.studies.registry import NOTES, PUBLISHED, Study
from foedus.studies.schema import Design, Universe, Variable
from foedus.studies.targets import FACTS

Facts = Mapping[str, SourceFacts]


def require_valid(project: Project, study: Study) -> None:
    """Stop if a study isn't valid.

    Raises
    ------
    ConfigError
        One paragraph with every problem found.
    """
    if problems := check_study(project, study):
        raise ConfigError(" ".join(problems))


def check_study(project: Project, study: Study) -> list[str]:
    """Return what is wrong with a study, a sentence a problem; empty when it is valid.

    Checked: unit, covariates, columns, options, expressions, filters, formulas, estimators,
    covariances, measures, effects, choices (paths, declared values, every alternative), targets of
    published numbers, claims, citations, and the fingerprint in notes.md.
    """
    facts = project_facts(project)
    problems = [f"{study.origin}: {said}" for said in check_design(study.design, facts)]
    if list(_universe(study.design, facts)):
        return problems  # without rows there is nothing to check the rest against
    problems += [f"{study.origin}: {said}" for said in _choices(study, facts)]
    problems += [f"studies/{study.id}/{PUBLISHED}: {said}" for said in _published(study, facts)]
    problems += [f"{study.origin}: {said}" for said in _words(project, study)]
    problems += [f"studies/{study.id}/{NOTES}: {said}" for said in _notes(study)]
    return problems


def check_design(design: Design, facts: Facts) -> list[str]:
    """Return what is wrong with a design in itself.

    Parameters
    ----------
    design : Design
    facts : mapping
        Source id to facts, for designs on a source's table.
    """
    problems = list(_universe(design, facts))
    if problems:
        return problems
    own = own_names(design, facts)
    problems += check_rebuild(design, facts)
    problems += _variables(design, own)
    problems += _sample(design, own)
    problems += _models(design, own)
    problems += _measures(design)
    problems += _effects(design, own)
    problems += _pointers(design)
    problems += _subsets(design, own)
    return problems


def own_names(design: Design, facts: Facts) -> tuple[str, ...]:
    """Return what can be named without a declaration: a unit's keys, or a table's columns."""
    universe = design.universe
    if universe is None:
        return ()
    if universe.table is not None:
        return declared_columns(facts, universe)
    return _keys(design)


def _said(error: FoedusError) -> str:
    return " ".join(str(error).split())


def _universe(design: Design, facts: Facts) -> Iterator[str]:
    universe = design.universe
    if universe is None:
        return
    place = "universe.unit" if universe.table is None else "universe.table"
    try:
        if universe.table is not None:
            declared_columns(facts, universe)
            if universe.attach is not None:
                yield from _attached(universe)
        else:
            get_unit(str(universe.unit))
    except FoedusError as error:
        yield f"{place}: {_said(error)}"


def _attached(universe: Universe) -> Iterator[str]:
    keys = get_unit(str(universe.attach)).keys
    for key in keys:
        if key not in universe.keys:
            yield f"universe.keys: {key} of a {universe.attach} isn't named."


def _keys(design: Design) -> tuple[str, ...]:
    universe = design.universe
    if universe is not None and universe.unit == K_ADS:
        return (*key_names(universe), *SET_FACTS)
    return get_unit(universe.unit).keys if universe and universe.unit else ()


def _variables(design: Design, own: tuple[str, ...]) -> Iterator[str]:
    above: list[str] = list(own)
    for name, spec in design.variables.items():
        if name in own:
            yield f"variables.{name}: {name} is already a column of a {design.universe.rows}."  # type: ignore[union-attr]
        try:
            _require_expression(design, spec)
            check_variable(spec, design.universe.takes if design.universe else None, above)
        except UsageError as error:
            yield f"variables.{name}: {_said(error)}"
        above.append(name)


def _require_expression(design: Design, spec: Variable) -> None:
    universe = design.universe
    if universe is not None and universe.takes is None and spec.expression is None:
        raise UsageError(
            f"the rows are those of {universe.table}, so a variable is an expression over its "
            "columns; attach: UNIT takes covariates, or compare them with covariates under rebuild."
        )


def _filter(
    design: Design, own: tuple[str, ...], expression: str | None, place: str
) -> Iterator[str]:
    if expression is None or expression == "all" or expression in NAMED_FILTERS:
        return
    known = [*design.variables, *own]
    try:
        used = columns_in(expression)
    except UsageError as error:
        yield f"{place}: {_said(error)}"
        return
    if not used:
        hint = nearest(expression, [*NAMED_FILTERS, "all"])
        yield f'{place}: "{expression}" names no variable. {hint}'
    for name in sorted(used - set(known)):
        hint = nearest(name, [*known, *NAMED_FILTERS])
        yield f'{place}: "{name}" is not a variable of the study. {hint}'


def _sample(design: Design, own: tuple[str, ...]) -> Iterator[str]:
    if design.universe is not None:
        yield from _filter(design, own, design.universe.where, "universe.where")
    for name, expression in design.sample.drop.items():
        yield from _filter(design, own, expression, f"sample.drop.{name}")
    rule = design.sample.complete_on
    if not isinstance(rule, str):
        for name in rule:
            if name not in [*design.variables, *own]:
                hint = nearest(name, [*design.variables, *own])
                yield f'sample.complete_on: "{name}" is not a variable of the study. {hint}'


def _models(design: Design, own: tuple[str, ...]) -> Iterator[str]:
    known = [*design.variables, *own]
    for name, spec in design.models.items():
        place = f"models.{name}"
        for problem in check_model(spec.formula, spec.estimator, spec.covariance, spec.options):
            yield f"{place}.{problem}"
        for used in formula_names(spec.formula):
            if used not in known:
                hint = nearest(used, known)
                yield f'{place}.formula: "{used}" is not a variable of the study. {hint}'
        if spec.years is not None and "year" not in own:
            yield f"{place}.years: a {design.universe.rows} has no year; use where."  # type: ignore[union-attr]
        yield from _filter(design, own, spec.where, f"{place}.where")


def _measures(design: Design) -> Iterator[str]:
    for name, spec in design.measures.items():
        try:
            get_measure(spec.measure).resolve_options(spec.options)
        except UsageError as error:
            yield f"measures.{name}: {_said(error)}"


def _effects(design: Design, own: tuple[str, ...]) -> Iterator[str]:
    for name, spec in design.effects.items():
        if spec.model not in design.models:
            hint = nearest(spec.model, design.models)
            yield f'effects.{name}.model: "{spec.model}" is no model. {hint}'
            continue
        inside = formula_names(design.models[spec.model].formula)
        fixed = [] if isinstance(spec.at, str) else list(spec.at)
        for used in [spec.of, *fixed]:
            if used not in inside:
                hint = nearest(used, inside)
                yield f'effects.{name}: "{used}" is not in model {spec.model}. {hint}'
        if isinstance(spec.at, str):
            profile, _, condition = spec.at.partition(" where ")
            if profile.strip() not in ("means", "observed"):
                yield f'effects.{name}.at: "{spec.at}" is not means, observed or "means where ...".'
            yield from _filter(design, own, condition.strip() or None, f"effects.{name}.at")


def _pointers(design: Design) -> Iterator[str]:
    """Check what points at a model: headlines and the curve."""
    blocks = [*design.models, *design.measures]
    for headline in design.headline:
        if headline.maps_to is None and headline.model not in blocks:
            yield f'headline: "{headline.model}" is no model. {nearest(headline.model, blocks)}'
    if design.curve is not None and design.curve.model not in blocks:
        hint = nearest(design.curve.model, blocks)
        yield f'curve.model: "{design.curve.model}" is no model. {hint}'


def _subsets(design: Design, own: tuple[str, ...]) -> Iterator[str]:
    for name, spec in design.subsets.items():
        place = f"subsets.{name}"
        if spec.model not in design.models:
            yield f'{place}.model: "{spec.model}" is no model. {nearest(spec.model, design.models)}'
            continue
        for problem in _term(design, spec.model, spec.term):
            yield f"{place}.term: {problem}"
        for group, what in spec.groups.items():
            if isinstance(what, str):
                yield from _filter(design, own, what, f"{place}.groups.{group}")
                continue
            model = what.model or spec.model
            if model not in design.models:
                hint = nearest(model, design.models)
                yield f'{place}.groups.{group}: "{model}" is no model. {hint}'
                continue
            for problem in _term(design, model, what.term):
                yield f"{place}.groups.{group}: {problem}"


def _choices(study: Study, facts: Facts) -> Iterator[str]:
    for name, choice in study.design.choices.items():
        for path, values in choice.sets.items():
            standing = effective(study, path)
            if standing is ABSENT:
                yield f"choices.{name}: nothing stands at {path}, so what is declared is unknown."
            elif not _same(standing, values[0]):
                yield (
                    f"choices.{name}: the first alternative of {path} is {values[0]!r}, but the "
                    f"design declares {standing!r}."
                )
    declared = set(check_design(study.design, facts))
    choices = study.design.choices
    for spec in one_at_a_time(choices)[1:]:
        words = ", ".join(
            f"{name} = {words}"
            for (name, words), pick in zip(spec.words(choices).items(), spec.picks, strict=True)
            if pick
        )
        try:
            found = check_design(study.variant(spec.overrides(list(choices.values()))), facts)
        except ConfigError as error:
            yield f"choices: {words}: {_said(error)}"
            continue
        for problem in found:
            if problem not in declared:
                yield f"choices: {words}: {problem}"


def effective(study: Study, path: str) -> Any:
    """Return what the declared design holds at a path, defaults of options and schema included."""
    standing = value_at(study.raw, path)
    if standing is not ABSENT:
        return standing
    parts = path.split(".")
    if parts[0] == "variables" and len(parts) == 3 and parts[1] in study.design.variables:
        return _default_option(study.design.variables[parts[1]], parts[2])
    if parts[0] == "measures" and len(parts) == 4 and parts[2] == "options":
        return _default_of_measure(study, parts[1], parts[3])
    if parts[:2] == ["sample", "drop"] and len(parts) == 3:
        return None
    current: Any = study.design
    for part in parts:
        current = (
            current.get(part, ABSENT)
            if isinstance(current, dict)
            else getattr(current, part, ABSENT)
        )
        if current is ABSENT:
            return ABSENT
    return current


def _default_option(variable: Variable, option: str) -> Any:
    if option in ("transform", "expression"):
        return getattr(variable, option)
    if variable.source is None:
        return ABSENT
    try:
        options = get_covariate(variable.request.covariate).options
    except UsageError:
        return ABSENT
    return options[option].default if option in options else ABSENT


def _default_of_measure(study: Study, block: str, option: str) -> Any:
    spec = study.design.measures.get(block)
    if spec is None:
        return ABSENT
    try:
        options = get_measure(spec.measure).options
    except UsageError:
        return ABSENT
    return options[option].default if option in options else ABSENT


def _same(standing: Any, value: Any) -> bool:
    """Compare a declared value with a choice's; a mapping need only agree in the keys it names."""
    if isinstance(value, dict) and isinstance(standing, dict):
        return all(_same(standing.get(key), item) for key, item in value.items())
    if isinstance(value, list | tuple) and isinstance(standing, list | tuple):
        return len(value) == len(standing) and all(map(_same, standing, value))
    return bool(standing == value)


def _published(study: Study, facts: Facts) -> Iterator[str]:
    if not study.published:
        yield "it has no number."
    targets = [published.maps_to for published in study.published]
    for headline in study.design.headline:
        if headline.maps_to is not None and headline.maps_to not in targets:
            hint = nearest(headline.maps_to, targets)
            yield f'the headline "{headline.maps_to}" is no maps_to of it. {hint}'
    own = own_names(study.design, facts)
    for row, published in enumerate(study.published, start=2):
        for problem in _target(study.design, own, published):
            yield f"row {row}: maps_to {published.maps_to}: {problem}"


def _target(design: Design, own: tuple[str, ...], published: Published) -> Iterator[str]:
    target = published.target
    if target.kind == "none":
        return
    known: dict[str, Any]
    if target.kind in ("term", "fact", "sample"):
        known = dict(design.models)
    else:
        known = dict(design.effects if target.kind == "effect" else design.measures)
    if target.name and target.name not in known:
        hint = nearest(target.name, known) if known else "There is none."
        yield f'"{target.name}" is not declared. {hint}'
        return
    if target.kind == "term":
        yield from _term(design, target.name, target.part)
    elif target.kind == "sample":
        yield from _filter_or_name(design, own, target.part, target.inside)
        if target.given:
            yield from _filter(design, own, target.given, "its condition")
    elif target.kind == "measure":
        yield from _measure_term(design, target.name, target.part)
    elif target.kind == "fact" and not target.name and target.part in FACTS and not design.universe:
        yield "the study has no universe, so there is no sample."


def _filter_or_name(
    design: Design, own: tuple[str, ...], function: str, inside: str
) -> Iterator[str]:
    if function != "mean":
        yield from _filter(design, own, inside, f"{function}()")
    elif inside not in [*design.variables, *own]:
        yield f'"{inside}" is not a variable of the study. {nearest(inside, design.variables)}'


def _term(design: Design, model: str, term: str) -> Iterator[str]:
    # Terms made by functions or factors are only known once the formula has met data; so are
    # ancillary parameters (/lnsigma) and those of further equations (zero:x).
    if term.startswith("/") or ":" in term:
        return
    known = plain_terms(design.models[model].formula)
    if known is not None and term not in [*known, "Intercept"]:
        yield f'"{term}" is no term of model {model}. {nearest(term, known)}'


def _measure_term(design: Design, block: str, term: str) -> Iterator[str]:
    try:
        terms = get_measure(design.measures[block].measure).terms
    except UsageError:
        return
    if terms and term not in terms:
        yield f'the measure {block} gives no "{term}". {nearest(term, terms)}'


def _words(project: Project, study: Study) -> Iterator[str]:
    works = load_references(project.config_dir)
    for key in study.design.cite:
        if key not in works:
            yield f'cite: "{key}" is not in config/references. {nearest(key, works)}'
    claims = claim_ids(project.config_dir)
    for claim in _claims_named(study.design):
        if claims and claim not in claims:
            yield f'claims: "{claim}" is not a claim. {nearest(claim, claims)}'


def _claims_named(design: Design) -> list[str]:
    named = [*design.claims]
    named += [spec.claim for spec in design.models.values() if spec.claim]
    named += [spec.claim for spec in design.measures.values() if spec.claim]
    named += [headline.claim for headline in design.headline if headline.claim]
    return list(dict.fromkeys(named))


def claim_ids(config_dir: Path) -> list[str]:
    """Return the ids of config/claims.yaml; empty when there is no such file."""
    path = config_dir / "claims.yaml"
    if not path.is_file():
        return []
    content = read_yaml(path)
    listed = content.get("claims", []) if isinstance(content, dict) else []
    return [str(item["id"]) for item in listed if isinstance(item, dict) and "id" in item]


def _notes(study: Study) -> Iterator[str]:
    if study.notes_fingerprint != study.fingerprint:
        found = study.notes_fingerprint or "none"
        yield (
            f"the declared design has changed since the notes were written (they speak of "
            f"{found}; it is {study.fingerprint} now). Say in the notes what was changed and why, "
            f'then sign them: `foedus study sign {study.id} --why "..."`.'
        )
