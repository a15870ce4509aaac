"""External threat by capabilities of states that might be hostile (Leeds & Savun)."""

from __future__ import annotations

from foedus.covariates.context import Context
from foedus.covariates.registry import Example, covariate
from foedus.covariates.state_facts import number, state_numbers
from foedus.covariates.values import Values


@covariate(
    name="external_threat",
    title="External threat (Leeds & Savun's own data)",
    columns=[
        number("external_threat", "Summed CINC of the states that could reach it and whose foreign "
               "policy is unlike its own (lsthreat).", "share, 0-1"),
    ],
    sources=["rep_leeds_savun_2007"],
    citations=["leeds_savun_2007"],
    examples=[
        Example(
            "The first row of the file: the United States in 1816.",
            {"ccode": 2, "year": 1816},
            {"external_threat": 0.639195},
            unit="state-year",
        )
    ],
)  # fmt: skip
def external_threat(context: Context) -> dict[str, Values]:
    """Make `external_threat`; a state-year without a row is missing."""
    # Seven rows of the file name no state.
    facts = context.table("rep_leeds_savun_2007", "state_years").drop_nulls("ccode")
    columns = {"external_threat": "lsthreat"}
    return state_numbers(context, facts, columns, "rep_leeds_savun_2007/state_years")
