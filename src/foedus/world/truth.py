"""What each study ought to find in a world: its coefficients and its own counts, by target.

A target is written as published.csv's `maps_to` (``models.table1.ptargdef``). Only what the world
knows is here: coefficients of a model that is the generating one, and facts that it counted itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from foedus.world.coefficients import Coefficients
from foedus.world.ledger import Entry
from foedus.world.war_files import book_cases, posted_wars
from foedus.world.wars import War

TERMS_OF_DISPUTES = {
    "(Intercept)": "constant",
    "ptargdef": "target_defense",
    "pchalally": "challenger_defense",
    "pchaloff": "challenger_offense",
    "pchalneu": "challenger_neutrality",
    "ln_distance": "ln_distance",
    "capprop": "capability_share",
    "jdem": "joint_democracy",
    "s_un_glo": "similarity",
    "peaceyrs": "peace",
    "t2": "peace2",
    "t3": "peace3",
}
TERMS_OF_JOINING = {
    "(Intercept)": "constant",
    "allied_defense": "defense",
    "allied_offense": "offense",
    "allied_neutrality": "neutrality",
    "allied_nonaggression": "nonaggression",
    "contiguous": "contiguous",
    "major": "major",
    "ln_distance": "ln_distance",
}
TERMS_OF_DEATHS = ("tie_defense", "n_first", "major_first", "balance", "contiguous")
_PERIODS = {"all": (0, 9999), "1816-1944": (0, 1944), "1945-2003": (1945, 9999)}
_TAILS = ("posted", "posted_discrete", "rebuilt", "before_1950", "since_1950")


def studies(
    truth: Coefficients, wars: Sequence[War], book: Sequence[Entry]
) -> dict[str, list[dict[str, Any]]]:
    """Return study id to rows of `maps_to`, `quantity`, `value` and `where`."""
    cases = book_cases(book)
    early = [entry for entry in cases if entry.year <= 1944]
    return {
        "johnson_leeds_2011": [
            _row(f"models.table1.{term}", "coefficient", getattr(truth.disputes, name),
                 f"coefficients.disputes.{name}")
            for term, name in TERMS_OF_DISPUTES.items()
        ],
        "siverson_king_1979": [
            _row(f"models.by_pledge.{term}", "coefficient", getattr(truth.joining, name),
                 f"coefficients.joining.{name}")
            for term, name in TERMS_OF_JOINING.items()
        ],
        "war_size_alliances": [
            _row("models.deaths.(Intercept)", "coefficient",
                 math.log(truth.deaths.least) + 1 / (truth.deaths.exponent - 1),
                 "log(coefficients.deaths.least) + 1 / (coefficients.deaths.exponent - 1)"),
            *(
                _row(f"models.deaths.{term}", "coefficient", getattr(truth.deaths, term),
                     f"coefficients.deaths.{term}")
                for term in TERMS_OF_DEATHS
            ),
        ],
        "clauset_2018": [
            *(
                _row(f"measures.{name}.alpha", "exponent", truth.deaths.exponent,
                     "coefficients.deaths.exponent")
                for name in _TAILS
            ),
            _row("measures.match.wars posted", "count", len(posted_wars(wars)), "counted"),
            _row("measures.match.wars rebuilt", "count", len(wars), "counted"),
        ],
        "berkemeier_fuhrmann_2018": [
            *_counts("authors", cases),
            *_counts("rule", cases),
            *_counts("rule_lenient", cases, lenient=True),
            _row("measures.agreement.kappa of opportunity", "value", 1.0, "by construction"),
            _row("measures.agreement.kappa of honour", "value", 1.0, "by construction"),
        ],
        "leeds_long_mitchell_2000": [
            *_counts("rule", early, periods=("all",)),
            *_counts("successors", cases, periods=("1816-1944",)),
        ],
    }  # fmt: skip


def _row(target: str, quantity: str, value: float, where: str) -> dict[str, Any]:
    return {"maps_to": target, "quantity": quantity, "value": value, "where": where}


def _counts(
    measure: str,
    book: Sequence[Entry],
    lenient: bool = False,
    periods: Sequence[str] = tuple(_PERIODS),
) -> list[dict[str, Any]]:
    """Return cases, opportunities, honoured ones and their rate, by period."""
    rows = []
    for period in periods:
        first, last = _PERIODS[period]
        inside = [entry for entry in book if first <= entry.year <= last]
        chances = [entry for entry in inside if entry.invoked]
        kept = sum(entry.one_honoured if lenient else entry.honoured for entry in chances)
        counted = {
            "cases": len(inside),
            "does not apply": len(inside) - len(chances),
            "opportunities": len(chances),
            "honoured": kept,
        }
        rows += [
            _row(f"measures.{measure}.{word} {period}", "count", count, "the world's own book")
            for word, count in counted.items()
        ]
        if chances:
            rows.append(
                _row(
                    f"measures.{measure}.rate {period}", "rate_percent", 100 * kept / len(chances),
                    "the world's own book",
                )
            )  # fmt: skip
    return rows
