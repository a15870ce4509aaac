"""`foedus estimate`: one model on any panel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from foedus.cli.settings import Command, Settings
from foedus.cli.text import listing, plural
from foedus.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from foedus.models import Result
    from foedus.models.registry import Option


ROWS = (".csv", ".parquet", ".json")
TABLES = (".tex", ".html", ".md")


@click.command("estimate", cls=Command)
@click.argument("formula")
@click.option(
    "--panel",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A .parquet, .csv, .csv.gz or .dta file.",
)
@click.option(
    "--estimator",
    required=True,
    metavar="E",
    help="logit, probit, ols, negbin, ...; `foedus estimators` lists them.",
)
@click.option(
    "--cov",
    "covariances",
    multiple=True,
    metavar="C",
    help="classical, HC0 to HC3, cluster(a), cluster(a, b) or dyadic; repeat it for several.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write it: .csv, .parquet, .json (tidy rows); .tex, .html, .md (a table).",
)
@click.option(
    "--set",
    "settings_of_estimator",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the estimator (event=failed, fe=dyad,year); repeat it for several.",
)
@click.option("--stars", is_flag=True, help="Mark small p-values in .tex, .html and .md.")
@click.pass_obj
def command(
    settings: Settings,
    formula: str,
    panel: Path,
    estimator: str,
    covariances: tuple[str, ...],
    out: Path | None,
    settings_of_estimator: tuple[str, ...],
    stars: bool,
) -> None:
    """Estimate FORMULA (outcome ~ term + term) on the rows of a panel.

    Rows that miss a variable are left out and counted by cause. Perfect predictors and collinear
    terms are named, and stop the command.
    """
    from foedus.models import estimate, model_table, tidy

    if out is not None and out.suffix not in (*ROWS, *TABLES):
        raise UsageError(f"{out}: --out takes a file that ends in {', '.join((*ROWS, *TABLES))}.")
    options = estimator_options(estimator, settings_of_estimator)
    with settings.working(f"{estimator} on {panel.name}"):
        result = estimate(
            formula, read_panel(panel), estimator, covariances or ("classical",), **options
        )
    table = result.table()
    if out is not None and out.suffix in ROWS:
        write_table(tidy(result), out)
    elif out is not None:
        from foedus.store import write_text

        write_text(out, model_table(result, cov="each", stars=stars).render(out.suffix[1:]))
    shown = {
        "formula": result.formula,
        "estimator": result.estimator,
        "n_obs": result.n_obs,
        "n_events": result.n_events,
        "loglik": result.loglik,
        "rows_lost": result.rows_lost,
        "dropped_terms": result.dropped_terms,
        "ancillary": result.ancillary,
        "table": table.astype(object).where(table.notna(), None).to_dict("records"),
    }
    settings.show(shown, lambda: describe(result, table))


def estimator_options(estimator: str, given: tuple[str, ...]) -> dict[str, Any]:
    """Return an estimator's options from NAME=VALUE, each read as its kind says.

    Raises
    ------
    UsageError
        If a part has no "=", or the estimator no such option.
    """
    from foedus.models import find_estimator

    entry = find_estimator(estimator)
    options: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f'--set takes NAME=VALUE, not "{text}".')
        option = entry.option(name.strip())
        options[option.name] = _option_value(option, value.strip())
    return options


def _option_value(option: Option, value: str) -> Any:
    if option.kind == "groups":
        return [part.strip() for part in value.split(",")]
    if option.kind == "value" and isinstance(option.default, bool):
        if value not in ("true", "false"):
            raise UsageError(f"--set {option.name}: true or false, not {value}.")
        return value == "true"
    if option.kind == "value" and isinstance(option.default, (int, float)):
        try:
            return type(option.default)(value)
        except ValueError:
            raise UsageError(f"--set {option.name}: a number, not {value}.") from None
    return value


def read_panel(path: Path) -> object:
    """Return a panel file as a frame, by its ending.

    Raises
    ------
    MissingDataError
        If there is no such file.
    UsageError
        For any other ending.
    InputError
        If the file isn't what its ending says.
    """
    from foedus.errors import InputError, MissingDataError
    from foedus.store import read_parquet

    if not path.is_file():
        raise MissingDataError(f"{path}: no such panel. Make one with `foedus panel`.")
    if path.name.endswith(".parquet"):
        return read_parquet(path)
    import pandas as pd

    try:
        if path.name.endswith((".csv", ".csv.gz")):
            return pd.read_csv(path)
        if path.name.endswith(".dta"):
            return pd.read_stata(path, convert_categoricals=False)
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: can't be read as a panel: {error}.") from error
    raise UsageError(f"{path}: a panel is a .parquet, .csv, .csv.gz or .dta file.")


def write_table(table: pd.DataFrame, out: Path) -> None:
    """Write a table of estimates by the ending of `out`."""
    import pyarrow as pa

    from foedus import store

    rows = table.astype(object).where(table.notna(), None)
    if out.suffix == ".parquet":
        store.write_parquet(pa.Table.from_pandas(table, preserve_index=False), out)
    elif out.suffix == ".json":
        store.write_json(out, rows.to_dict("records"))
    else:
        store.write_csv(out, list(rows.columns), rows.to_numpy().tolist())


def describe(result: Result, table: pd.DataFrame) -> str:
    """Return a fitted model as text: what was estimated, each term, what was lost."""
    events = f", {plural(result.n_events, 'event')}" if result.n_events is not None else ""
    head = [
        f"{result.estimator}: {result.formula}",
        f"{plural(result.n_obs, 'row')}{events}, log-likelihood {result.loglik:.6g}",
        "",
    ]
    rows = [
        (
            row.term,
            f"{row.estimate:.6g}",
            f"{row.std_error:.6g}",
            f"{row.statistic:.3f}",
            f"{row.p_value:.4g}",
            row.covariance,
        )
        for row in table.itertuples()
    ]
    columns = ("term", "estimate", "std. error", "statistic", "p", "covariance")
    lost = [f"rows lost, {cause}: {count:,}" for cause, count in result.rows_lost.items()]
    dropped = [f"left out, {term}: {why}" for term, why in result.dropped_terms.items()]
    notes = ["", *lost, *dropped] if lost or dropped else []
    return "\n".join([*head, listing(columns, rows), *notes])
