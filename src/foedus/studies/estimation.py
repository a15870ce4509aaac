"""One design estimated: models, effects and measures, each made once a run however often asked for.

What a model depends on is in its signature, so the same object serves the declared design, every
alternative and every specification: only what an override touches is estimated again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from foedus.errors import EstimationError, FoedusError, MissingDataError, UsageError
from foedus.models.room import Room
from foedus.sources.tables import Tables
from foedus.studies.fit import EffectValue, Fitted, fit_model, formula_names
from foedus.studies.frame import Array, Frame, Rows, Workshop, digest
from foedus.studies.measures import MeasureContext, MeasureResult, get_measure
from foedus.studies.published import RATES, Published
from foedus.studies.schema import Design, ModelSpec
from foedus.studies.targets import Target
from foedus.studies.verdict import Rebuilt

NO_COVARIANCE = "none"
CAUGHT = (EstimationError, MissingDataError, UsageError)
"""What makes one model or alternative fail and no more; a broken input file stops the run."""


@dataclass
class Memo:
    """What has been estimated in a run, by signature."""

    tables: Tables
    workshop: Workshop
    fits: dict[str, Fitted | FoedusError] = field(default_factory=dict)
    measures: dict[str, MeasureResult | FoedusError] = field(default_factory=dict)
    samples: dict[str, Rebuilt] = field(default_factory=dict)
    means: dict[str, float] = field(default_factory=dict)
    room: Room = field(default_factory=Room)
    """Where the matrix of one fit after the other is made."""
    first: dict[tuple[str, str], Fitted] = field(default_factory=dict)
    """The first estimates of each model (its name and estimator): where those of other designs
    begin. The first is always the declared design's, so the order of the others plays no part."""


class Estimation:
    """One design under estimation.

    Parameters
    ----------
    memo : Memo
    design : Design
    lead_only : bool
        Only the first covariance of each model: all that alternatives need.
    """

    def __init__(self, memo: Memo, design: Design, lead_only: bool = False) -> None:
        self.memo = memo
        self.design = design
        self.lead_only = lead_only
        self._frame: Frame | None = None

    @property
    def frame(self) -> Frame:
        """Rows and variables; only for designs with a universe."""
        if self._frame is None:
            self._frame = self.memo.workshop.frame(self.design)
        return self._frame

    def covariances(self, spec: ModelSpec) -> tuple[str, ...]:
        """Return the covariance estimators that are asked for."""
        return spec.covariance[:1] if self.lead_only else spec.covariance

    def rows(self, model: str) -> Rows:
        """Return the rows of a model."""
        return self.frame.rows(self.design.models[model])

    def fit(self, model: str) -> Fitted:
        """Return a model's estimates.

        Raises
        ------
        EstimationError, MissingDataError, UsageError
            If it can't be had; the same error each time.
        """
        spec = self.design.models[model]
        signature = self._model_signature(spec)
        covariances = self.covariances(spec)
        held = self.memo.fits.get(signature)
        if isinstance(held, FoedusError):
            raise held
        if held is None or not set(covariances) <= set(held.terms):
            # Two models may differ in their covariances alone: what is held keeps all it has had.
            wanted = covariances if held is None else (*held.terms, *covariances)
            try:
                held = self._fit(model, spec, tuple(dict.fromkeys(wanted)))
            except CAUGHT as error:
                self.memo.fits[signature] = error
                raise
            self.memo.fits[signature] = held
        return held

    def _model_signature(self, spec: ModelSpec) -> str:
        frame = self.frame
        return digest(
            [
                frame.rows_signature(spec),
                spec.estimator,
                spec.formula,
                spec.options,
                {name: frame.signature(name) for name in frame.of_model(spec)},
            ]
        )

    def _fit(self, model: str, spec: ModelSpec, covariances: tuple[str, ...]) -> Fitted:
        rows = self.rows(model)
        if rows.count == 0:
            lost = max(rows.flow, key=lambda step: step.rows_lost)
            raise EstimationError(f"{model}: no row is left; most are lost at {lost.cause}.")
        fitted = fit_model(
            formula=spec.formula,
            estimator=spec.estimator,
            options=spec.options,
            covariances=covariances,
            data=self.data_of(model),
            near=self.memo.first.get((model, spec.estimator)),
            numbering=self.frame.numbering(covariances, rows),
            room=self.memo.room,
        )
        self.memo.first.setdefault((model, spec.estimator), fitted)
        return fitted

    def data_of(self, model: str) -> dict[str, Any]:
        """Return the columns that a model is estimated from: the unit's keys and its variables."""
        rows = self.rows(model)
        names = self.frame.of_model(self.design.models[model])
        return {**self.frame.keys(rows), **self.frame.complete(names, rows)}

    def effect(self, name: str) -> dict[str, EffectValue]:
        """Return an effect under each covariance.

        Raises
        ------
        EstimationError, MissingDataError, UsageError
            If its model can't be had, or no row satisfies its ``at``.
        """
        spec = self.design.effects[name]
        fitted = self.fit(spec.model)
        profile = self._profile(name)
        covariances = self.covariances(self.design.models[spec.model])
        return {
            covariance: fitted.effect(covariance, spec.of, (spec.start, spec.end), profile)
            for covariance in covariances
        }

    def _profile(self, name: str) -> dict[str, Array]:
        """Return where an effect's variables stand: one typical row, or all rows."""
        spec = self.design.effects[name]
        model = self.design.models[spec.model]
        at, condition = _at(spec.at)
        names = formula_names(model.formula)
        if at == "observed":
            return self._inside(name, names, condition)
        fixed = {} if isinstance(at, str) else at
        return {
            variable: np.array([fixed.get(variable, self._mean_of(name, variable, condition))])
            for variable in names
        }

    def _inside(self, effect: str, names: Sequence[str], condition: str | None) -> dict[str, Array]:
        """Return variables on the rows that an effect speaks of."""
        model = self.design.effects[effect].model
        rows = self.rows(model)
        data = self.frame.data(names, rows)
        if condition is None:
            return data
        mask = self.frame.fits(condition, rows)
        if not mask.any():
            raise EstimationError(f"effect {effect}: no row of {model} has {condition}.")
        return {variable: values[mask] for variable, values in data.items()}

    def _mean_of(self, effect: str, variable: str, condition: str | None) -> float:
        """Return a variable's mean on an effect's rows, worked out once for all that share it."""
        frame = self.frame
        signature = digest(
            [
                frame.rows_signature(self.design.models[self.design.effects[effect].model]),
                frame.filter_signature(condition),
                frame.signature(variable),
            ]
        )
        held = self.memo.means.get(signature)
        if held is None:
            held = float(self._inside(effect, [variable], condition)[variable].mean())
            self.memo.means[signature] = held
        return held

    def curve_of(self, name: str, points: int = 41) -> dict[str, Any] | None:
        """Return the predicted curve of an effect that says ``over``, ready to draw."""
        spec = self.design.effects[name]
        if spec.over is None:
            return None
        fitted = self.fit(spec.model)
        model = self.design.models[spec.model]
        grid = np.linspace(spec.over[0], spec.over[1], points)
        y, low, high = fitted.curve(model.covariance[0], spec.of, grid, self._profile(name))
        return {
            "type": "curve",
            "title": spec.title or name,
            "x": grid.tolist(),
            "y": y,
            "lo": low,
            "hi": high,
            "xlabel": self.frame.label(spec.of),
            "ylabel": f"Predicted {self.frame.label(model.outcome)}",
        }

    def measure(self, block: str) -> MeasureResult:
        """Return the rows of a measure.

        Raises
        ------
        EstimationError, MissingDataError, UsageError
            If it can't be had.
        """
        spec = self.design.measures[block]
        entry = get_measure(spec.measure)
        options = entry.resolve_options(spec.options)
        signature = digest([spec.measure, options, self._panel_signature() if spec.panel else None])
        held = self.memo.measures.get(signature)
        if held is None:
            panel = self._panel() if spec.panel else None
            try:
                held = entry.run(MeasureContext(self.memo.tables, options, panel))
            except CAUGHT as error:
                held = error
            self.memo.measures[signature] = held
        if isinstance(held, FoedusError):
            raise held
        return held

    def _panel_signature(self) -> Any:
        frame = self.frame
        names = {name: frame.signature(name) for name in self.design.variables}
        return [frame.rows_signature(None), names]

    def _panel(self) -> dict[str, Any]:
        frame = self.frame
        rows = frame.rows(None)
        return {**frame.keys(rows), **frame.data(self.design.variables, rows)}

    def rebuilt(self, published: Published) -> list[tuple[str, Rebuilt]]:
        """Return the rebuilt counterpart of a published number under each covariance.

        What can't be had comes back as one row without a value, with the reason.
        """
        target = published.target
        try:
            makers = {
                "term": self._term,
                "fact": self._fact,
                "sample": self._of_sample,
                "effect": self._of_effect,
                "measure": self._of_measure,
                "none": self._nothing,
            }
            return makers[target.kind](target, published)
        except CAUGHT as error:
            return [(NO_COVARIANCE, Rebuilt(None, reason=one_line(error)))]

    def _nothing(self, target: Target, published: Published) -> list[tuple[str, Rebuilt]]:
        return [(NO_COVARIANCE, Rebuilt(None, reason=target.reason))]

    def _term(self, target: Target, published: Published) -> list[tuple[str, Rebuilt]]:
        fitted = self.fit(target.name)
        found = []
        for covariance in self.covariances(self.design.models[target.name]):
            term = fitted.term(covariance, target.part)
            if term is None:
                reason = fitted.absence(target.part)
                return [(covariance, Rebuilt(None, n=fitted.n_obs, reason=reason))]
            value, error = term.estimate, term.std_error
            if published.quantity in ("hazard_ratio", "odds_ratio"):
                value = math.exp(value)
                error = None if error is None else value * error
            elif published.quantity == "percent_change":
                # Of a hazard, of odds, of a rate: what exp(b) says in percent.
                error = None if error is None else 100 * math.exp(value) * error
                value = 100 * math.expm1(value)
            found.append((covariance, Rebuilt(value, error, term.p_value, fitted.n_obs)))
        return found

    def _model_of(self, target: Target) -> str:
        return target.name or next(iter(self.design.models), "")

    def _fact(self, target: Target, published: Published) -> list[tuple[str, Rebuilt]]:
        model = self._model_of(target)
        if target.part == "n" and (not model or not target.name):
            rows = self._rows_of(model)
            return [(NO_COVARIANCE, Rebuilt(float(rows.count), n=rows.count))]
        fitted = self.fit(model)
        covariance = self.design.models[model].covariance[0]
        values = {
            "n": fitted.n_obs,
            "n_events": fitted.n_events,
            "n_clusters": fitted.n_clusters.get(covariance),
            "loglik": fitted.loglik,
        }
        value = values[target.part]
        if value is None:
            reason = f"{model} has no {target.part} under {covariance}."
            return [(NO_COVARIANCE, Rebuilt(None, n=fitted.n_obs, reason=reason))]
        return [(NO_COVARIANCE, Rebuilt(float(value), n=fitted.n_obs))]

    def _rows_of(self, model: str) -> Rows:
        return self.rows(model) if model else self.frame.rows(None)

    def _of_sample(self, target: Target, published: Published) -> list[tuple[str, Rebuilt]]:
        # An alternative that touches neither the rows nor what is counted in them has the same.
        frame, model = self.frame, self._model_of(target)
        inside = frame.signature if target.part == "mean" else frame.filter_signature
        signature = digest(
            [
                frame.rows_signature(self.design.models[model] if model else None),
                target.part,
                inside(target.inside),
                frame.filter_signature(target.given or None),
                _unit(published),
            ]
        )
        held = self.memo.samples.get(signature)
        if held is None:
            held = self._sample_fact(target, published)
            self.memo.samples[signature] = held
        return [(NO_COVARIANCE, held)]

    def _sample_fact(self, target: Target, published: Published) -> Rebuilt:
        rows = self._rows_of(self._model_of(target))
        if target.part == "mean":
            values = self.frame.data([target.inside], rows)[target.inside]
            if target.given:
                values = values[self.frame.fits(target.given, rows)]
            return _mean(values[~np.isnan(values)])
        fits = self.frame.fits(target.inside, rows)
        if target.given:
            fits = fits[self.frame.fits(target.given, rows)]
        count, n = int(np.count_nonzero(fits)), len(fits)
        if target.part == "count":
            return Rebuilt(float(count), n=n)
        if n == 0:
            return Rebuilt(None, reason=f"no row has {target.given}.")
        unit = _unit(published)
        share = count / n
        error = math.sqrt(share * (1 - share) / n)
        return Rebuilt(unit * share, unit * error, n=n)

    def _of_effect(self, target: Target, published: Published) -> list[tuple[str, Rebuilt]]:
        part = target.part or self.design.effects[target.name].scale
        return [
            (covariance, value.part(part)) for covariance, value in self.effect(target.name).items()
        ]

    def _of_measure(self, target: Target, published: Published) -> list[tuple[str, Rebuilt]]:
        result = self.measure(target.name)
        rows = [row for row in result.rows if row.term == target.part]
        if not rows:
            reason = f"the measure {target.name} gives no {target.part}."
            return [(NO_COVARIANCE, Rebuilt(None, reason=reason))]
        found = []
        for row in rows:
            unit = _unit(published) if row.kind == "share" else 1.0
            value = None if row.estimate is None else unit * row.estimate
            error = None if row.std_error is None else unit * row.std_error
            found.append((row.how, Rebuilt(value, error, row.p_value, row.n, row.note or "")))
        return found


def _unit(published: Published) -> float:
    """Return 100 for what print gives in percent."""
    in_percent = published.quantity in RATES and published.quantity != "predicted_probability"
    return 100.0 if in_percent else 1.0


def _mean(values: Array) -> Rebuilt:
    n = len(values)
    if n == 0:
        return Rebuilt(None, reason="no row has a value.")
    error = float(values.std(ddof=1) / math.sqrt(n)) if n > 1 else None
    return Rebuilt(float(values.mean()), error, n=n)


def _at(at: str | Mapping[str, float]) -> tuple[str | Mapping[str, float], str | None]:
    """Split ``means where EXPR`` into the profile and its condition."""
    if not isinstance(at, str):
        return at, None
    profile, _, condition = at.partition(" where ")
    return profile.strip(), condition.strip() or None


def one_line(error: BaseException) -> str:
    """Return an error's message as one line."""
    return " ".join(str(error).split())
