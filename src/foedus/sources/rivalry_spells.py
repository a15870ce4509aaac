"""What the two lists of rivalries share: the one rivalry that outlives a state."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from foedus.sources.schema import Rows

EMPIRE, REPUBLIC, YUGOSLAVIA = 300, 305, 345
LAST_OF_THE_EMPIRE = 1918


def split_at_the_empires_end(rows: Rows) -> Rows:
    """Give the years from 1919 of Austria's rivalry with Yugoslavia to the republic of Austria.

    Both lists have it, 1903-1920, under Austria-Hungary's number, which no state has after 1918.
    Its row becomes two, which share its number; no other row changes.
    """
    # ASSUME: the rivalry's last two years, 1919 and 1920, are Austria's: Miller (2022) does so too.
    frame = rows.frame
    outlives = (
        (pl.col("ccode1") == EMPIRE)
        & (pl.col("ccode2") == YUGOSLAVIA)
        & (pl.col("styear") <= LAST_OF_THE_EMPIRE)
        & (pl.col("endyear") > LAST_OF_THE_EMPIRE)
    )
    both = frame.filter(outlives)
    kind = frame.schema
    before = both.with_columns(endyear=pl.lit(LAST_OF_THE_EMPIRE, kind["endyear"]))
    after = both.with_columns(
        ccode1=pl.lit(REPUBLIC, kind["ccode1"]),
        styear=pl.lit(LAST_OF_THE_EMPIRE + 1, kind["styear"]),
    )
    return replace(
        rows, frame=pl.concat([frame.filter(~outlives), before, after.select(frame.columns)])
    )
