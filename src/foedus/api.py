"""What `import foedus as fd` offers in Python: panels, tables, models, studies, registration.

Each function reads the project that the current folder belongs to (config/config.yaml), as the
command line does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foedus.config import Project, load_project
from foedus.covariates.registry import covariate
from foedus.sources.registry import source

if TYPE_CHECKING:
    import pandas as pd

    from foedus.models import ModelTable, Result
    from foedus.sources.tables import Tables
    from foedus.studies.registry import Study

__all__ = ["covariate", "estimate", "model_table", "panel", "source", "study", "table"]


def open_project(**options: Any) -> Project:
    """Return the project of the current folder, with a user's own covariates registered.

    Parameters
    ----------
    **options : object
        Arguments of `foedus.config.load_project`.
    """
    project = load_project(**options)
    folders = [project.root / "config" / "covariates"]
    folders += [project.root / folder for folder in project.config.covariate_dirs]
    if any(path.suffix in (".yaml", ".py") for folder in folders for path in folder.glob("*")):
        from foedus.covariates.user_files import register_user_covariates

        register_user_covariates(project)
    return project


def _tables(project: Project | None) -> Tables:
    from foedus.sources.tables import Tables

    return Tables(project or open_project())


def panel(
    unit: str,
    years: tuple[int, int],
    covariates: Sequence[str] | str = (),
    where: str | None = None,
    *,
    up: str | None = None,
    system: str = "cow",
    project: Project | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Build a panel.

    Parameters
    ----------
    unit : str
        A unit of analysis: "directed-dyad-year", "state-year", ... (`foedus units`).
    years : tuple of int
        First and last year, both included.
    covariates : sequence of str or "all"
        Names of covariates (`foedus covariates`).
    where : str, optional
        Keep the rows where this expression over the panel's columns is true.
    up : str, optional
        Aggregate a unit by month or day up to "month" or "year", as each column declares.
    system : str
        Whose list says which states exist: "cow", or "gw" (Gleditsch and Ward; keys gwcode).
    project : Project, optional
        From `foedus.api.open_project`; the current folder's by default.
    **options : object
        For "k-ad-year" only: k, events, controls, seed and aggregates, as in
        `foedus.covariates.k_ads.build_k_ads`.

    Returns
    -------
    pandas.DataFrame
        Keys first. ``attrs`` holds unit, provenance, and each column's definition and citation.

    Raises
    ------
    UsageError
        For an unknown unit, covariate or column, with the nearest known one.
    MissingDataError
        If a source isn't found.
    """
    from foedus.covariates.assemble import build_panel

    return build_panel(
        _tables(project), unit, years, covariates, where, up, options, system
    ).to_pandas()


def table(
    source: str, name: str, release: str | None = None, *, project: Project | None = None
) -> pd.DataFrame:
    """Return a table of a data set, read and checked from its raw files.

    Parameters
    ----------
    source : str
        A data set ("atop": its current release) or one release of it ("atop_4.01").
    name : str
        Table of the data set: "members".
    release : str, optional
        A version, when `source` is a data set.
    project : Project, optional

    Returns
    -------
    pandas.DataFrame
        Integers are nullable, days are timestamps. ``attrs`` holds provenance and each column's
        definition.
    """
    from foedus.store import nullable_types

    tables = _tables(project)
    stored = tables.get(source, name, release).to_arrow()
    frame: pd.DataFrame = stored.to_pandas(types_mapper=nullable_types().get, date_as_object=False)
    frame.attrs["provenance"] = tables.metadata(source, name, release)
    frame.attrs["columns"] = tables.columns(source, name, release)
    return frame


def model_table(results: Any, **options: Any) -> ModelTable:
    """Put fitted models side by side, for print.

    Parameters
    ----------
    results : Result, sequence or mapping of Result
        The models; a mapping's keys are their names.
    **options : object
        See `foedus.models.export.model_table`: cov, below, stars, digits, terms, rename, omit,
        exponentiate, level, notes, title.

    Returns
    -------
    ModelTable
        With `to_text`, `to_markdown`, `to_latex`, `to_html`, `to_csv`; a notebook shows it.
    """
    from foedus.models import model_table as make

    return make(results, **options)


def estimate(
    formula: str,
    data: pd.DataFrame | Mapping[str, Any],
    estimator: str = "logit",
    cov: str | Sequence[str] = ("classical",),
    **options: Any,
) -> Result:
    """Estimate one model; see `foedus.models.estimate` for all options.

    Parameters
    ----------
    formula : str
        ``outcome ~ term + term``.
    data : DataFrame or mapping of arrays
        Rows that miss a variable of the formula are left out and counted.
    estimator : str
        A name such as logit, ols or negbin; `foedus.models.ESTIMATORS` lists them.
    cov : str or sequence of str
        classical, HC0 to HC3, ``cluster(a)``, ``cluster(a, b)``, dyadic.
    **options : object
        Further arguments of `foedus.models.estimate`.

    Returns
    -------
    Result
        With ``.coef``, ``.se(cov)``, ``.table()`` and ``.effects()``.

    Raises
    ------
    EstimationError
        If the model can't be estimated: separation, collinearity, no convergence.
    """
    from foedus.models import estimate as fit

    return fit(formula, data, estimator, cov, **options)


@dataclass(frozen=True)
class StudyResult:
    """What a study gave.

    Attributes
    ----------
    estimates : pandas.DataFrame
        One row a term, a model and a covariance.
    comparison : pandas.DataFrame
        One row a published number and a covariance, with its verdict.
    detail : dict
        Sample flow, choices one at a time, effects, as in results/studies/<id>.json.
    """

    estimates: pd.DataFrame
    comparison: pd.DataFrame
    detail: dict[str, Any]


@dataclass(frozen=True)
class StudyHandle:
    """A declared study.

    Attributes
    ----------
    study : Study
        Its declaration.
    project : Project
    """

    study: Study
    project: Project

    @property
    def id(self) -> str:
        """Its id."""
        return self.study.id

    def describe(self) -> str:
        """Return the design in words."""
        from foedus.studies.words import describe

        return "\n".join(describe(self.study.design))

    def check(self) -> list[str]:
        """Return what is wrong with the study's files, nothing when they are valid."""
        from foedus.studies.check import check_study

        return check_study(self.project, self.study)

    def run(self, choices: bool = True) -> StudyResult:
        """Estimate the study, compare it with print, and write its result files.

        Parameters
        ----------
        choices : bool
            Also estimate each alternative choice, one at a time.
        """
        from foedus.studies.run import run_study

        made = run_study(self.project, _tables(self.project), self.id, choices)
        return StudyResult(made.estimates.to_pandas(), made.comparison.to_pandas(), made.detail)

    def curve(self, most: int | None = None) -> pd.DataFrame:
        """Estimate the specification curve, at most `most` specifications, and return it."""
        from foedus.studies.curve import run_curve

        limit = most or self.project.curve_length
        made = run_curve(self.project, _tables(self.project), self.id, limit)
        frame: pd.DataFrame = made.to_pandas()
        return frame


def study(study_id: str, *, data: Path | None = None) -> StudyHandle:
    """Return a declared study by its id.

    Parameters
    ----------
    study_id : str
        As in `foedus study list`.
    data : Path, optional
        Folder of made tables and results; results/ by default.

    Raises
    ------
    UsageError
        For an unknown id, with the nearest known ones.
    """
    from foedus.studies.registry import get_study

    project = open_project(data=data)
    return StudyHandle(get_study(project, study_id), project)
