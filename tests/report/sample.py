"""A small project with results in the agreed formats: made-up studies, awkward words, gaps."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from foedus.config import Config, Project

AWKWARD = "Terms <b>&amp; 5 % of $x_1$ #2</b> \\ ~ ^ {z} \"q\" 'a' — √ é"
NAN = math.nan

ESTIMATE_COLUMNS = (
    "study", "claim", "model", "unit", "estimator", "covariance", "term", "estimate", "std_error",
    "statistic", "p_value", "ci_low", "ci_high", "n_obs", "n_events", "n_clusters", "loglik",
)  # fmt: skip
COMPARISON_COLUMNS = (
    "study", "table", "model", "term", "quantity", "published", "published_se", "n_published",
    "rebuilt", "rebuilt_se", "covariance", "n_rebuilt", "verdict", "diagnosis",
)  # fmt: skip
INTEGERS = {"n_obs", "n_events", "n_clusters", "n_published", "n_rebuilt"}
WORDS = {
    "study", "claim", "model", "unit", "estimator", "covariance", "term", "table", "quantity",
    "verdict", "diagnosis", "where_in_print", "maps_to",
}  # fmt: skip


def phi(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))


def estimate(study: str, model: str, covariance: str, term: str, b: float, se: float, **more: Any):
    row = {
        "study": study, "claim": more.pop("claim", "deterrence"), "model": model,
        "unit": more.pop("unit", "directed-dyad-year"), "estimator": more.pop("estimator", "logit"),
        "covariance": covariance, "term": term, "estimate": b, "std_error": se,
        "statistic": b / se if se == se else NAN, "p_value": phi(b / se) if se == se else NAN,
        "ci_low": b - 1.96 * se, "ci_high": b + 1.96 * se, "n_obs": 1053441, "n_events": 2211,
        "n_clusters": 21400, "loglik": -14211.53,
    }  # fmt: skip
    row.update(more)
    return row


def alpha_estimates() -> list[dict[str, Any]]:
    terms = {
        "ptargdef": (-0.0712, 0.062), "pchaloff": (0.311, 0.101), "pchalneu": (0.088, 0.093),
        "ln_distance": (-1.281, 0.021), "capprop": (0.564, 0.083), "Intercept": (4.913, 0.262),
    }  # fmt: skip
    rows = []
    for model, bump in (("table1", 0.0), ("nuclear", 0.15)):
        for covariance, widen in (("classical", 1.0), ("cluster(dyad)", 1.35), ("dyadic", 1.9)):
            for term, (b, se) in terms.items():
                if model == "nuclear" and term == "pchalneu":
                    continue
                rows.append(estimate("alpha_2011", model, covariance, term, b + bump, se * widen))
    return rows


def compare(study: str, table: str, model: str, term: str, quantity: str, published: float, **more):
    row = {
        "study": study, "table": table, "model": model, "term": term, "quantity": quantity,
        "published": published, "published_se": NAN, "n_published": None, "rebuilt": NAN,
        "rebuilt_se": NAN, "covariance": "", "n_rebuilt": None, "verdict": "not comparable",
        "diagnosis": "", "where_in_print": table, "maps_to": "", "rebuilt_p": NAN, "lead": True,
    }  # fmt: skip
    row.update(more)
    return row


def alpha_comparison() -> list[dict[str, Any]]:
    rows = []
    by_term = {(r["model"], r["term"], r["covariance"]): r for r in alpha_estimates()}
    print_ = {
        "ptargdef": (-0.07, 0.06, "exact"), "pchaloff": (-0.08, 0.12, "contradicts"),
        "ln_distance": (-1.3, 0.02, "close"), "capprop": (0.57, 0.08, "close"),
    }  # fmt: skip
    for term, (b, se, verdict) in print_.items():
        for covariance in ("classical", "cluster(dyad)", "dyadic"):
            mine = by_term[("table1", term, covariance)]
            word = "null" if (verdict, covariance) == ("contradicts", "dyadic") else verdict
            rows.append(
                compare(
                    "alpha_2011", "Table 1", "full", term, "coefficient", b, published_se=se,
                    n_published=1077992, n_rebuilt=1053441, rebuilt=mine["estimate"],
                    rebuilt_se=mine["std_error"], rebuilt_p=mine["p_value"], covariance=covariance,
                    verdict=word, lead=covariance == "classical", maps_to=f"models.table1.{term}",
                    diagnosis="release_of_mid moves it most" if verdict == "contradicts" else "",
                )
            )  # fmt: skip
    rows.append(
        compare(
            "alpha_2011", "abstract", "main", "pchalneu", "direction", 1.0, rebuilt=0.088,
            rebuilt_se=0.093, rebuilt_p=0.34, verdict="weaker", covariance="classical",
            maps_to="models.table1.pchalneu",
        )
    )  # fmt: skip
    rows.append(
        compare(
            "alpha_2011", "text", "full", "N", "count", 1077992, rebuilt=1053441,
            verdict="agrees", maps_to="sample.n",
        )
    )  # fmt: skip
    rows.append(compare("alpha_2011", AWKWARD, "m", "x", "percent", 12.5, diagnosis="no data"))
    return rows


ERAS = {"1816-1918": (-0.5, 0.15), "1919-1945": (0.6, 0.2), "1946-1989": (-0.1, 0.1)}


def alpha_subsets() -> list[dict[str, Any]]:
    """The leading term by era: opposite signs, each significant; one era not estimated."""
    shared = {
        "subset": "era_table1_ptargdef", "by": "era", "says": "", "claim": "deterrence",
        "model": "table1", "term": "ptargdef",
        "scale": {"estimator": "logit", "flag": True, "sd": 0.4, "outcome_sd": 0.04},
    }  # fmt: skip
    weights = {era: 1 / se**2 for era, (_, se) in ERAS.items()}
    mean = sum(weights[era] * b for era, (b, _) in ERAS.items()) / sum(weights.values())
    q = sum(weights[era] * (b - mean) ** 2 for era, (b, _) in ERAS.items())
    test = {"test_q": q, "test_df": 2, "test_p": math.exp(-q / 2), "kind": "separate samples"}
    rows = [
        {**shared, "group": era, "covariance": "dyadic", "estimate": b, "std_error": se,
         "p_value": phi(b / se), "n_obs": 90000, "n_events": 300, "left_out": [], **test}
        for era, (b, se) in ERAS.items()
    ]  # fmt: skip
    note = "3 events in 900 rows: fewer than 10 <on one side>."
    return [*rows, {**shared, "group": "1990 on", "covariance": "", "note": note}]


def alpha_portraits() -> list[dict[str, Any]]:
    """Points of every figure of a leading model."""
    shared = {
        "study": "alpha_2011", "model": "table1", "term": "", "series": "in the sample",
        "label": "", "low": None, "high": None, "n": 100, "events": 10,
    }  # fmt: skip
    steps = [place / 10 for place in range(11)]
    rows = [{**shared, "figure": "roc", "x": x, "y": x**0.5} for x in steps]
    rows += [{**shared, "figure": "precision_recall", "x": x, "y": 0.5 - x / 4} for x in steps]
    rows += [
        {**shared, "figure": "calibration", "x": x / 9, "y": x / 10, "low": x / 12,
         "high": x / 8} for x in steps
    ]  # fmt: skip
    rows += [{**shared, "figure": "separation", "x": x, "y": x / 5} for x in steps]
    rows += [
        {**shared, "figure": "measures", "label": name, "x": None, "y": value}
        for name, value in (("auc", 0.8123), ("average_precision", 0.1), ("brier", 0.02))
    ]
    of_term = {**shared, "figure": "influence", "term": "ptargdef", "series": "states"}
    rows += [
        {**of_term, "label": str(code), "x": -0.07 + 0.01 * place, "y": 0.2 * place}
        for place, code in enumerate((2, 200, 365))
    ]
    rows.append({**of_term, "series": "all", "x": -0.0712, "y": None})
    product = {**shared, "figure": "interaction", "term": "ptargdef", "series": "pchaloff"}
    rows += [
        {**product, "x": x, "y": -x, "low": -x - 1, "high": 1 - x, "label": "0.04"}
        for x in (0.0, 1.0)
    ]
    return rows


def alpha_page() -> dict[str, Any]:
    choices = []
    for choice, alternatives in {
        "release_of_mid": ["5.0", "4.2"], "dispute_source": ["mid.initiated", "gml.initiated"],
        "threat_clauses": ["ignore", "apply <5 % & more"], "distance": ["capitals", "minimum"],
    }.items():  # fmt: skip
        for place, alternative in enumerate(alternatives):
            shift = 0.0 if place == 0 else 0.05 * (len(choice) - 10)
            b = -0.0712 + shift
            choices.append(
                {
                    "choice": choice, "alternative": alternative, "path": f"variables.{choice}",
                    "model": "table1", "term": "ptargdef", "estimate": b, "std_error": 0.062,
                    "p_value": phi(b / 0.062), "n_obs": 1053441 - 1000 * place,
                    "declared": place == 0,
                }
            )  # fmt: skip
    choices.append(
        {"choice": "sample", "alternative": "relevant", "path": "universe.where", "model": "table1",
         "term": "ptargdef", "estimate": None, "std_error": None, "p_value": None, "n_obs": None,
         "declared": False, "note": "separation: not estimated"}
    )  # fmt: skip
    return {
        "id": "alpha_2011", "title": "Defence pacts & the start of disputes",
        "cite": "alpha_2011", "claims": ["deterrence", "restraint"], "simulated": False,
        "unit": "directed-dyad-year", "years": [1816, 2000],
        "design": ["One row is a directed pair of states in a year.", AWKWARD],
        "flow": [
            {"step": "universe", "rows_left": 1685310, "rows_lost": 0, "cause": ""},
            {"step": "missing polity", "rows_left": 1301120, "rows_lost": 384190,
             "cause": "no regime score for one of the two"},
            {"step": "missing distance", "rows_left": 1053441, "rows_lost": 247679,
             "cause": "no capital <known>"},
        ],
        "coverage": [
            {"variable": "ptargdef", "source": "alphadata", "release": "5.1", "first": 1815,
             "last": 2018},
            {"variable": "jdem", "source": "betadata", "release": "5", "first": 1800, "last": 2018},
        ],
        "choices": choices,
        "choice_words": {"release_of_mid": "Which release of the dispute data."},
        "effects": [
            {"name": "fig1", "model": "table1", "term": "ptargdef", "at": "means", "from": 0,
             "to": 1, "p0": 0.001738, "p1": 0.001619, "difference": -0.000119,
             "ci_low": -0.00032, "ci_high": 0.00008, "percent_change": -6.9,
             "covariance": "dyadic"},
            {"model": "table1", "term": "pchaloff", "at": "means", "from": 0, "to": 1,
             "p0": 0.0017, "p1": 0.0023, "difference": 0.0006, "ci_low": 0.0002,
             "ci_high": 0.0011, "percent_change": 35.3, "covariance": "dyadic"},
        ],
        "labels": {
            "ptargdef": "Target has a defence pact", "pchaloff": "Challenger has an offence pact",
            "pchalneu": "Challenger holds a neutrality pledge", "ln_distance": "Distance (log)",
            "capprop": "Challenger's share of capabilities", "N": "Directed dyad-years",
        },
        "model_labels": {"table1": "Full sample", "nuclear": "Since 1946"},
        "headline": [
            {"model": "table1", "term": "ptargdef", "claim": "deterrence", "expects": -1},
            {"model": "table1", "term": "pchaloff", "claim": "deterrence", "expects": 1},
        ],
        "scales": [
            {"model": model, "term": term, "estimator": "logit", "flag": True, "sd": 0.4,
             "outcome_sd": 0.04, "outcome": "dispute"}
            for model, term in (
                ("table1", "ptargdef"), ("table1", "pchaloff"), ("nuclear", "ptargdef")
            )
        ],
        "subsets": alpha_subsets(),
        "plots": {
            "by_distance": {"type": "curve", "title": "Probability by distance",
                            "x": [0, 1, 2, 3], "y": [0.02, 0.01, 0.006, 0.004],
                            "lo": [0.015, 0.007, 0.004, 0.002], "hi": [0.026, 0.013, 0.008, 0.006],
                            "xlabel": "log distance", "ylabel": "probability of a dispute"},
            "unknown": {"type": "pie"},
        },
        "assumptions": ["A dispute belongs to the year it begins in."],
    }  # fmt: skip


def beta_rows() -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """A study of rates and a tail: measures, no models."""
    measures = {
        "honour_rate_all": (0.512, 0.041, 151), "honour_rate_before_1945": (0.661, 0.049, 95),
        "honour_rate_since_1945": (0.232, 0.056, 56), "alpha": (1.533, 0.07, 95),
    }  # fmt: skip
    rows = [
        estimate(
            "beta_2018", "", "binomial", term, b, se, claim="reliability", unit="war-joiner",
            estimator="measure", n_obs=n, n_events=None, n_clusters=None, loglik=NAN, p_value=NAN,
        )
        for term, (b, se, n) in measures.items()
    ]  # fmt: skip
    verdicts = ["exact", "close", "agrees", "stronger", "weaker", "exact", "not comparable"]
    comparison = []
    for place in range(34):
        published = 12.0 + 7 * place
        ratio = (1.0, 1.02, 0.97, 1.4, 0.6, 1.0, NAN)[place % 7]
        comparison.append(
            compare(
                "beta_2018", f"Fig{place // 6 + 1}", ["all", "1816-1944", "since 1945"][place % 3],
                f"cases {place}", "count", published, rebuilt=published * ratio, n_published=146,
                n_rebuilt=151, verdict=verdicts[place % 7], covariance="binomial",
                diagnosis="" if place % 7 != 6 else "the article doesn't say which wars",
            )
        )  # fmt: skip
    comparison.append(
        compare(
            "beta_2018", "Fig1", "all", "honour rate %", "percent", 50.0, rebuilt=51.2,
            rebuilt_se=4.1, n_published=146, n_rebuilt=151, verdict="close", covariance="binomial",
            maps_to="measures.honour_rate_all",
        )
    )  # fmt: skip
    sizes = [1000.0 * 1.22**place for place in range(40)]
    page = {
        "id": "beta_2018", "title": "How often promises are kept", "cite": ["alpha_2011"],
        "claims": ["reliability"], "simulated": False, "design": ["Every pledge a war invoked."],
        "flow": [{"step": "pledges", "rows_left": 576, "rows_lost": 0, "cause": ""}],
        "choices": [], "effects": [],
        "tables": {
            "cases_one_by_one": [
                {"alliance": "1045", "code": "kept", "share": 0.512, "wars": 3.0, "note": None},
                {"alliance": "1050", "code": "50 % & more", "share": 0.661, "wars": 12.0},
            ],
            "empty": [],
        },
        "plots": {
            "honour": {
                "type": "bars", "unit": "share", "title": "Share of pledges honoured",
                "labels": ["All", "1816-1944", "Since 1945"], "published": [0.5, 0.663, 0.222],
                "rebuilt": [0.512, 0.661, 0.232], "ci_low": [0.43, 0.56, 0.13],
                "ci_high": [0.59, 0.75, 0.36], "n": [151, 95, 56],
            },
            "tail": {
                "type": "tail", "values_x": sizes,
                "ccdf": [(40 - place) / 40 for place in range(40)], "label": "power law, α = 1.53",
                "fit_x": [sizes[8], sizes[-1]],
                "fit_ccdf": [0.8, 0.8 * (sizes[-1] / sizes[8]) ** -0.53],
                "xlabel": "battle deaths", "xmin": sizes[8],
            },
        },
    }  # fmt: skip
    return rows, comparison, page


def gamma_rows() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A study with no page of its own: only rows, one of them missing its standard error."""
    rows = [
        estimate("gamma_x", "joining", "HC1", "allies", 0.9, 0.2, claim="entrapment",
                 unit="war-joiner", n_obs=5120),
        estimate("gamma_x", "joining", "HC1", AWKWARD, 0.1, NAN, claim="entrapment",
                 unit="war-joiner", n_obs=5120),
    ]  # fmt: skip
    comparison = [
        compare("gamma_x", "p. 7", "joining", "allies", "direction", 1.0, rebuilt=0.9,
                rebuilt_se=0.2, rebuilt_p=phi(4.5), verdict="agrees", covariance="HC1",
                maps_to="models.joining.allies"),
    ]  # fmt: skip
    return rows, comparison


NOTES = """---
fingerprint: abc
---
# What was done

The article reports {{ print("models.table1.ptargdef").published }}; we find
**{{ est("table1", "ptargdef") }}** (SE {{ est("table1", "ptargdef", "dyadic").se }},
p = {{ est("table1", "ptargdef", "dyadic").p }}) on {{ rows("table1") }} rows, after
{{ flow("missing polity") }} with regimes. <script>alert(1)</script> A [link](javascript:alert(1)),
a [work](https://example.org/paper_1) and `code_1`.

| choice | estimate |
|---|---|
| 4.2 | {{ alt("release_of_mid", "4.2") }} |

1. Probability {{ effect("fig1").p0 }} to {{ effect("fig1").p1 }}.
2. Of {{ curve.n }} specifications {{ curve.same_sign }} keep the sign.
"""


def curve_table() -> pa.Table:
    rows = []
    for index in range(48):
        b = -0.25 + 0.011 * index
        rows.append(
            {
                "release_of_mid": ["5.0", "4.2"][index % 2],
                "dispute_source": ["mid.initiated", "gml.initiated"][index // 2 % 2],
                "sample": ["all", "relevant", "since 1946"][index % 3],
                "model": "table1", "term": "ptargdef", "estimate": b, "std_error": 0.06,
                "p_value": phi(b / 0.06), "n_obs": 1000000, "declared": index == 17,
            }
        )  # fmt: skip
    return pa.Table.from_pylist(rows)


def as_table(rows: list[dict[str, Any]], columns: list[str]) -> pa.Table:
    fields = []
    for name in columns:
        if name in WORDS:
            fields.append(pa.field(name, pa.string()))
        elif name in INTEGERS:
            fields.append(pa.field(name, pa.int64()))
        elif name == "lead":
            fields.append(pa.field(name, pa.bool_()))
        else:
            fields.append(pa.field(name, pa.float64()))
    clean = [
        {name: (int(v) if name in INTEGERS and v is not None else v) for name, v in row.items()}
        for row in rows
    ]
    return pa.Table.from_pylist(clean, schema=pa.schema(fields))


def source_yaml(name: str, title: str) -> dict[str, Any]:
    return {
        "id": name, "dataset": name, "version": "5.1", "title": title, "edition": "original",
        "coverage": [1815, 2018], "citation": ["alpha_2011"],
        "terms": f"Free for research. {AWKWARD}",
        "obtained_from": "the project's page", "quirks": ["Zero means missing in <1820."],
        "files": [{"name": f"{name}_5_1.csv", "sha256": "ab" * 32, "bytes": 1234567}],
        "tables": {"members": {"rows": 12345, "key": ["ccode", "year"], "description": "A & B"}},
    }  # fmt: skip


def make_project(root: Path, simulated: bool = False) -> Project:
    """Write the sample project into `root` and return it."""
    config, data = root / "config", root / "results"
    for folder in ("sources", "references", "studies/alpha_2011"):
        (config / folder).mkdir(parents=True)
    for folder in ("studies", "curves", "panels", "estimates"):
        (data / folder).mkdir(parents=True)
    repository = Path(__file__).resolve().parents[2]
    (config / "claims.yaml").write_text((repository / "config/claims.yaml").read_text("utf-8"))
    works = (repository / "config/references/claims.yaml").read_text("utf-8")
    (config / "references/claims.yaml").write_text(works, encoding="utf-8")
    own = {
        "alpha_2011": {
            "author": "Alpha, Ann and Beta, Bo", "year": 2011,
            "journal": "Journal of <Made-up> & Co.",
            "title": "Pacts, 50 % and $ #1", "volume": "7", "number": "1", "pages": "45-65",
        }
    }  # fmt: skip
    (config / "references/studies.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    for name, title in (
        ("alphadata", "Alpha <Treaties> & Obligations"),
        ("betadata", "Beta Regimes"),
    ):
        (config / f"sources/{name}.yaml").write_text(yaml.safe_dump(source_yaml(name, title)))
    study = {
        "id": "alpha_2011", "title": "unused", "universe": {"unit": "directed-dyad-year"},
        "models": {"table1": {"estimator": "logit", "formula": "dispute ~ ptargdef + pchaloff",
                              "key": ["ptargdef"]}},
    }  # fmt: skip
    (config / "studies/alpha_2011/study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    (config / "studies/alpha_2011/notes.md").write_text(NOTES, encoding="utf-8")
    stored = root / "docs/recovery"
    stored.mkdir(parents=True)
    text = (repository / "docs/recovery/studies.csv").read_text("utf-8")
    (stored / "studies.csv").write_text(text, encoding="utf-8")
    _write_results(data, simulated)
    return Project(root=root, config=Config(), data=data)


def _write_results(data: Path, simulated: bool) -> None:
    beta, beta_comparison, beta_page = beta_rows()
    gamma, gamma_comparison = gamma_rows()
    estimates = as_table([*alpha_estimates(), *beta, *gamma], list(ESTIMATE_COLUMNS))
    extra = ["where_in_print", "maps_to", "rebuilt_p", "lead"]
    comparison = as_table(
        [*alpha_comparison(), *beta_comparison, *gamma_comparison], [*COMPARISON_COLUMNS, *extra]
    )
    pq.write_table(estimates, data / "estimates.parquet")
    pq.write_table(comparison, data / "comparison.parquet")
    (data / "estimates.csv").write_text("study\n")
    (data / "comparison.csv").write_text("study\n")
    for page in (alpha_page(), beta_page):
        (data / f"studies/{page['id']}.json").write_text(json.dumps(page), encoding="utf-8")
    pq.write_table(curve_table(), data / "curves/alpha_2011.parquet")
    pq.write_table(
        pa.Table.from_pylist(alpha_portraits()), data / "studies/alpha_2011_portraits.parquet"
    )
    pq.write_table(
        pa.table({"ccode": [2, 20], "year": [1816, 1816]}), data / "panels/state.parquet"
    )
    (data / "panels/state.codebook.html").write_text("<p>codebook</p>")
    provenance = {
        "simulated": simulated, "git_revision": "0123abc",
        "versions": {"numpy": "2.4", "foedus": "0"},
        "sources": [{"id": "alphadata", "file": "alphadata_5_1.csv", "version": "5.1",
                     "sha256": "ab" * 32, "edition": "original"}],
    }  # fmt: skip
    (data / "provenance.json").write_text(json.dumps(provenance), encoding="utf-8")
