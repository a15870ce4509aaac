"""Berkemeier and Fuhrmann's cases: one row an alliance in a war, honoured or violated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows
from foedus.sources.stata import read_stata


def _codings() -> tuple[Column, ...]:
    made = []
    for who, rule in (
        ("BF", "Berkemeier and Fuhrmann's"),
        ("LLM", "Leeds, Long and Mitchell's"),
    ):
        made += [
            Column(f"nonagg{who}", "int8", f"1: non-aggression applies, by {rule} rules"),
            Column(f"consul{who}", "int8", f"1: consultation applies, by {rule} rules"),
            Column(f"cfna{who}", "int8", f"1: the case can't be decided, by {rule} rules"),
            Column(f"dna{who}", "int8", f"1: the obligations don't apply, by {rule} rules"),
            Column(f"honor{who}", "int8", f"1: honoured, by {rule} rules"),
            Column(f"violate{who}", "int8", f"1: violated, by {rule} rules"),
        ]
    return tuple(made)


CASES = (
    Column("warid", "int32", "The authors' own war number", low=1, high=999, required=True),
    Column("atopid", "int32", "ATOP alliance number", low=1000, high=9999, required=True),
    Column("cowwarid", "int32", "COW war number, version 4", low=1, high=999),
    Column("warname", "text", "Name of the war", required=True),
    Column("cowid", "int32", "COW alliance number, version 3", low=1, high=9999),
    Column("multilateral", "int8", "1 if the alliance has more than two members", required=True),
    Column("sample", "int8", "1 if in the authors' sample", required=True),
    Column("sabhon", "int8", "1: honoured, by Sabrosky"),
    Column("sabvio", "int8", "1: violated, by Sabrosky"),
    *_codings(),
    Column("sabroskyhonorbf", "int8", "1: honoured by Sabrosky's reading of BF's coding"),
    Column("sabroskyhonorllm", "int8", "1: honoured by Sabrosky's reading of LLM's coding"),
    Column("defense", "int8", "Any member owed defence", required=True),
    Column("offense", "int8", "Any member owed offence", required=True),
    Column("neutral", "int8", "Any member owed neutrality", required=True),
    Column("nonagg", "int8", "Any member owed non-aggression", required=True),
    Column("consul", "int8", "Any member owed consultation", required=True),
)


@source("rep_berkemeier_fuhrmann_2018", tables={"cases": CASES})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the authors' Stata file."""
    name = "BerkemeierFuhrmannRAP2018_0303.dta"
    return {"cases": read_stata(files[name], CASES, facts)}
