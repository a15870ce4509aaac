"""How like the system's leader a state's alliances are."""

from __future__ import annotations

import numpy as np

from foedus.covariates.atop import PAIRS, RELEASE, SECRET
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.similarity import scores_over_all_years
from foedus.covariates.values import StateYears, Values

BRITAIN, UNITED_STATES, SINCE = 200, 2, 1946


@covariate(
    name="leader_similarity",
    title="Similarity of a state's alliances to the system leader's",
    columns=[
        ColumnSpec(
            "s_leader",
            "number",
            "S (weighted by CINC, option weighted) of the state's ATOP portfolio and that of the "
            "system's leader: Britain to 1945, the United States since; 1 for the leader itself.",
            unit="score, -1 to 1",
            level="state",
            absent="missing",
        ),
    ],
    sources=["atop", "cow_nmc"],
    citations=["signorino_ritter_1999", "bennett_stam_2000_eugene", "leeds_etal_2002"],
    options={
        "release": RELEASE,
        "secret": SECRET,
        "pairs": PAIRS,
        "tie": Option(
            "ladder",
            "What values a tie, as in similarity.",
            ("ladder", "defense", "any"),
        ),
        "weighted": Option(True, "Whether partners count by their CINC.", (True, False)),
    },
    coverage_of=("atop",),
    examples=[
        Example(
            "The leader is most like itself.",
            {"ccode": 2, "year": 1950},
            {"s_leader": 1.0},
            unit="state-year",
        ),
        Example(
            "Before 1946 it is Britain.",
            {"ccode": 200, "year": 1900},
            {"s_leader": 1.0},
            unit="state-year",
        ),
    ],
)
def leader_similarity(context: Context) -> dict[str, Values]:
    """Make `s_leader`; missing in years in which the leader or the state is no member."""
    # ASSUME: the leader is Britain to 1945 and the United States from 1946 on, as EUGene has it.
    weighted = bool(context.options["weighted"])
    scores = scores_over_all_years(context, weighted)["s_atop_weighted" if weighted else "s_atop"]
    system = context.system
    years = system.first_year + np.arange(system.n_years)
    britain, america = system.index(np.array([BRITAIN, UNITED_STATES]))
    score = np.where(years >= SINCE, scores[:, america, :], scores[:, britain, :])
    return {"s_leader": StateYears(score)}
