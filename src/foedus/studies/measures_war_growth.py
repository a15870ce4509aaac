"""Why wars grow: what runs through more belligerents, and what they'd be without alliances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.registry import Option
from foedus.errors import EstimationError, UsageError, nearest
from foedus.models.arrays import BoolArray, FloatArray
from foedus.models.tail_laws import compare_periods
from foedus.studies.measures import SEED, MeasureContext, MeasureResult, MeasureRow, measure

DRAWS = Option(1000, "Bootstrap samples of rows.")
CONTROLS = Option(
    ["n_first", "major_first", "balance", "contiguous"], "Variables that are held in each equation."
)


def _columns(context: MeasureContext, name: str, wanted: Sequence[str]) -> FloatArray:
    """Return the study's variables as columns, rows with a missing one left out.

    Raises
    ------
    UsageError
        If the study has no such variable.
    """
    panel = context.panel or {}
    for one in wanted:
        if one not in panel:
            raise UsageError(
                f'measure {name}: "{one}" is not a variable of the study. {nearest(one, panel)}'
            )
    columns: FloatArray = np.array([panel[one] for one in wanted], dtype=np.float64).T
    return columns[np.isfinite(columns).all(axis=1)]


def _least_squares(y: FloatArray, x: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.lstsq(x, y, rcond=None)[0], dtype=np.float64)


@measure(
    "mediated_effect",
    says="How much of a treatment's effect on an outcome runs through mediators: the total effect, "
    "the effect with the mediators held, and the difference, by least squares.",
    citations=["imai_keele_tingley_2010"],
    options={
        "outcome": Option("ln_deaths", "Outcome."),
        "treatment": Option("tie_defense", "Treatment."),
        "mediators": Option(["ln_states"], "What lies between."),
        "controls": CONTROLS,
        "draws": DRAWS,
    },
    terms=["total", "direct", "through the mediators", "share through the mediators",
           "treatment on first mediator", "first mediator on outcome"],
)  # fmt: skip
def mediated_effect(context: MeasureContext) -> MeasureResult:
    """Take the coefficient without and with the mediators; intervals by resampling the rows."""
    # ASSUME: given the controls, neither the treatment nor the mediator shares an unseen cause
    # with the outcome, and effects are linear without interaction (in logs here).
    options = context.options
    mediators, controls = list(options["mediators"]), list(options["controls"])
    names = [options["outcome"], options["treatment"], *mediators, *controls]
    rows = _columns(context, "mediated_effect", names)
    found = _paths(rows, len(mediators))
    rng = context.rng()
    drawn = np.array([
        _paths(rows[rng.integers(0, len(rows), len(rows))], len(mediators))
        for _ in range(int(options["draws"]))
    ])  # fmt: skip
    how = f"bootstrap, {len(drawn)} draws"
    terms = ("total", "direct", "through the mediators", "treatment on first mediator",
             "first mediator on outcome")  # fmt: skip
    made = [
        _percentile(term, float(value), drawn[:, at], len(rows), how)
        for at, (term, value) in enumerate(zip(terms, found, strict=True))
    ]
    total, through = found[0], found[2]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = drawn[:, 2] / drawn[:, 0]
    low, high = np.quantile(share[np.isfinite(share)], [0.025, 0.975])
    made.append(MeasureRow(
        "share through the mediators", float(through / total), kind="share", ci_low=float(low),
        ci_high=float(high), n=len(rows), how=how,
        note="Means little where the total effect may be 0.",
    ))  # fmt: skip
    return MeasureResult(made)


def _paths(rows: FloatArray, mediators: int) -> FloatArray:
    """Return total, direct and indirect effect, and the first mediator's two links."""
    y, ones = rows[:, 0], np.ones(len(rows))
    controls = rows[:, 2 + mediators :]
    short = np.column_stack([rows[:, 1], ones, controls])
    long = np.column_stack([rows[:, 1], rows[:, 2 : 2 + mediators], ones, controls])
    total = _least_squares(y, short)[0]
    held = _least_squares(y, long)
    first = _least_squares(rows[:, 2], short)[0]
    return np.array([total, held[0], total - held[0], first, held[1]])


def _percentile(term: str, value: float, drawn: NDArray[Any], n: int, how: str) -> MeasureRow:
    """Return a row with percentile interval and the bootstrap's two-sided p-value."""
    low, high = np.quantile(drawn, [0.025, 0.975])
    p = min(1.0, float(2 * min((drawn > 0).mean(), (drawn < 0).mean()) + 1 / len(drawn)))
    return MeasureRow(
        term, value, std_error=float(drawn.std(ddof=1)), ci_low=float(low), ci_high=float(high),
        p_value=p, n=n, how=how,
    )  # fmt: skip


# --- sizes without alliances -----------------------------------------------------------------


@measure(
    "sizes_without_ties",
    says="What wars sum to by a model with their ties as they were, and with every tie set to 0.",
    citations=["cameron_trivedi_2013", "duan_1983"],
    options={
        "outcome": Option("n_joiners", "Outcome."),
        "ties": Option(["tie_defense"], "Variables that are set to 0."),
        "controls": CONTROLS,
        "law": Option(
            "count",
            "Model of the mean. count: exp(X b) by Poisson's likelihood, whatever the variance; "
            "log: least squares of the log, carried back with the mean of the exponentiated "
            "residuals (Duan's smearing).",
            ("count", "log"),
        ),
        "draws": DRAWS,
    },
    terms=["rows with a tie", "sum seen", "sum by the model", "sum without ties", "change",
           "change, percent", "mean change of a war with ties"],
)  # fmt: skip
def sizes_without_ties(context: MeasureContext) -> MeasureResult:
    """Predict every war twice and add up; intervals by resampling wars and fitting anew.

    For the law "log" the outcome is given on its own scale and its log is taken here.
    """
    # ASSUME: nothing but the ties changes when they are removed: the same wars begin, between the
    # same states.
    options = context.options
    ties, controls = list(options["ties"]), list(options["controls"])
    rows = _columns(context, "sizes_without_ties", [options["outcome"], *ties, *controls])
    sums = _sums(rows, rows, len(ties), options["law"])
    rng = context.rng()
    drawn, failed = [], 0
    for _ in range(int(options["draws"])):
        sample = rows[rng.integers(0, len(rows), len(rows))]
        try:
            drawn.append(_sums(sample, rows, len(ties), options["law"]))
        except EstimationError:
            failed += 1
    if len(drawn) < 20:
        raise EstimationError("sizes_without_ties: hardly any resample can be estimated.")
    spread = np.array(drawn)
    tied = int((rows[:, 1 : 1 + len(ties)] > 0).any(axis=1).sum())
    how = f"bootstrap, {len(drawn)} draws"
    with_ties, without = sums
    change = spread[:, 1] - spread[:, 0]
    note = f"{failed} resamples couldn't be estimated." if failed else None
    percent = _percentile("change, percent", 100 * (without / with_ties - 1),
                          100 * (spread[:, 1] / spread[:, 0] - 1), len(rows), how)  # fmt: skip
    return MeasureResult([
        MeasureRow("rows with a tie", float(tied), kind="count", n=len(rows)),
        MeasureRow("sum seen", float(rows[:, 0].sum()), n=len(rows)),
        _percentile("sum by the model", with_ties, spread[:, 0], len(rows), how),
        _percentile("sum without ties", without, spread[:, 1], len(rows), how),
        _percentile("change", without - with_ties, change, len(rows), how),
        MeasureRow("change, percent", percent.estimate, std_error=percent.std_error,
                   ci_low=percent.ci_low, ci_high=percent.ci_high, p_value=percent.p_value,
                   n=len(rows), how=how, note=note),
        _percentile("mean change of a war with ties", (without - with_ties) / max(tied, 1),
                    change / max(tied, 1), tied, how),
    ])  # fmt: skip


def _sums(sample: FloatArray, rows: FloatArray, ties: int, law: str) -> tuple[float, float]:
    """Fit on a sample; return the sums predicted for the rows with and without their ties."""
    x = np.column_stack([np.ones(len(sample)), sample[:, 1:]])
    seen = np.column_stack([np.ones(len(rows)), rows[:, 1:]])
    bare = seen.copy()
    bare[:, 1 : 1 + ties] = 0.0
    if law == "log":
        logs = np.log(sample[:, 0])
        b = _least_squares(logs, x)
        smear = float(np.exp(logs - x @ b).mean())
        return smear * float(np.exp(seen @ b).sum()), smear * float(np.exp(bare @ b).sum())
    b = poisson_mean(sample[:, 0], x)
    return float(np.exp(seen @ b).sum()), float(np.exp(bare @ b).sum())


def poisson_mean(y: FloatArray, x: FloatArray) -> FloatArray:
    """Return the coefficients of E(y) = exp(X b) by Poisson's likelihood, by Newton's method.

    Raises
    ------
    EstimationError
        If there is no finite maximum (a regressor that tells zeros apart, or collinear ones).
    """
    b: FloatArray = np.zeros(x.shape[1])
    b[0] = np.log(max(float(y.mean()), 1e-6))
    for _ in range(60):
        mean = np.exp(np.clip(x @ b, -30, 30))
        information = x.T @ (x * mean[:, None])
        try:
            step = np.linalg.solve(information, x.T @ (y - mean))
        except np.linalg.LinAlgError as error:
            raise EstimationError("a Poisson mean: regressors are collinear.") from error
        b = b + np.clip(step, -2, 2)
        if float(np.abs(step).max()) < 1e-9:
            return b
    raise EstimationError("a Poisson mean: no finite maximum.")


# --- tails of two groups ---------------------------------------------------------------------


@measure(
    "tail_groups",
    says="The tail exponent of an outcome in two groups of rows, above one threshold, and whether "
    "it is the same.",
    citations=["clauset_shalizi_newman_2009"],
    options={
        "outcome": Option("battle_deaths", "Outcome, above 0."),
        "group": Option("tie_defense", "Variable that is 1 for the first group and 0 for the "
                        "second."),
        "threshold": Option(7061.0, "Where the tail begins."),
        "draws": Option(999, "Shufflings of the groups among the rows of the tail."),
    },
    terms=["rows in tail, group", "rows in tail, others", "alpha group", "alpha others",
           "alpha difference", "likelihood ratio p", "permutation p", "share in tail, group",
           "share in tail, others"],
)  # fmt: skip
def tail_groups(context: MeasureContext) -> MeasureResult:
    """Compare the two exponents by likelihood and by shuffling; a smaller one is a heavier tail."""
    options = context.options
    rows = _columns(context, "tail_groups", [options["outcome"], options["group"]])
    x, inside = rows[:, 0], rows[:, 1] == 1
    xmin = float(options["threshold"])
    made = compare_periods(
        x, inside, "powerlaw", xmin=xmin, permutations=int(options["draws"]), seed=SEED
    )
    others, group = made.first, made.second
    gap, error = made.difference["alpha"], made.std_errors["alpha"]
    n = group.n_tail + others.n_tail
    return MeasureResult([
        MeasureRow("rows in tail, group", float(group.n_tail), kind="count"),
        MeasureRow("rows in tail, others", float(others.n_tail), kind="count"),
        _alpha("alpha group", group.parameters["alpha"], group.std_errors["alpha"], group.n_tail),
        _alpha("alpha others", others.parameters["alpha"], others.std_errors["alpha"],
               others.n_tail),
        MeasureRow("alpha difference", gap, std_error=error, ci_low=gap - 1.96 * error,
                   ci_high=gap + 1.96 * error, p_value=made.p_value, n=n, how="likelihood"),
        MeasureRow("likelihood ratio p", made.p_value, n=n),
        MeasureRow("permutation p", made.p_permutation, n=made.permutations),
        _tail_share("share in tail, group", x[inside], xmin),
        _tail_share("share in tail, others", x[~inside], xmin),
    ])  # fmt: skip


def _alpha(term: str, value: float, error: float, n: int) -> MeasureRow:
    return MeasureRow(
        term, value, std_error=error, ci_low=value - 1.96 * error, ci_high=value + 1.96 * error,
        n=n, how="likelihood",
    )  # fmt: skip


def _tail_share(term: str, x: FloatArray, xmin: float) -> MeasureRow:
    above: BoolArray = x >= xmin
    share = float(above.mean())
    error = float(np.sqrt(share * (1 - share) / x.size))
    return MeasureRow(term, share, kind="share", std_error=error, n=x.size,
                      n_events=int(above.sum()), how="binomial")  # fmt: skip
