"""An RO-Crate 1.1 beside the results: what the files are, what they were made from, by what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foedus.config import Project

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
PROFILE = "https://w3id.org/ro/crate/1.1"
LICENCE = "https://spdx.org/licenses/MIT"
FALLBACK_DATE = "2026-01-01"
"""Where no revision dates the results: RO-Crate wants a day, and none comes from a clock."""

JSON, PARQUET = "application/json", "application/vnd.apache.parquet"
_FILES = {
    "estimates.csv": ("Every estimate", "text/csv"),
    "estimates.parquet": ("Every estimate", PARQUET),
    "comparison.csv": ("Published against rebuilt, with verdicts", "text/csv"),
    "comparison.parquet": (
        "Published against rebuilt, with verdicts",
        PARQUET,
    ),
    "provenance.json": ("Sources, versions, configuration", JSON),
}


def crate_metadata(
    project: Project, provenance: Mapping[str, Any], studies: Sequence[str]
) -> dict[str, Any]:
    """Return ro-crate-metadata.json as a flat JSON-LD graph.

    Parameters
    ----------
    project : Project
    provenance : mapping
        As in provenance.json.
    studies : sequence of str
        Ids of the studies whose files belong to the crate.
    """
    files = [*_result_files(), *_study_files(project, studies)]
    sources = _source_files(provenance)
    graph = [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": PROFILE},
        },
        _root(project, provenance, files),
        *files,
        *sources,
        _software(provenance),
        _action(files, sources),
        {"@id": LICENCE, "@type": "CreativeWork", "name": "MIT License"},
    ]
    return {"@context": CONTEXT, "@graph": graph}


def _root(
    project: Project, provenance: Mapping[str, Any], files: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    words = "simulated data" if provenance["simulated"] else "public source files"
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": project.config.report.title,
        "description": (
            f"Estimates of studies of alliances and war, rebuilt from {words}, and their "
            "comparison with print. datePublished is the day of the code's revision: no date in "
            "these results comes from the clock."
        ),
        "datePublished": provenance["revision_date"] or FALLBACK_DATE,
        "license": {"@id": LICENCE},
        "hasPart": [{"@id": file["@id"]} for file in files],
        "mentions": {"@id": "#run"},
    }


def _result_files() -> list[dict[str, Any]]:
    return [
        {"@id": name, "@type": "File", "name": words, "encodingFormat": kind}
        for name, (words, kind) in _FILES.items()
    ]


def _study_files(project: Project, studies: Sequence[str]) -> list[dict[str, Any]]:
    found = []
    for study in studies:
        for name in (
            f"estimates/{study}.parquet",
            f"comparison/{study}.parquet",
            f"studies/{study}.json",
        ):
            if (project.data / name).is_file():
                kind = JSON if name.endswith("json") else PARQUET
                words = f"{name.split('/')[0]} of {study}"
                found.append({"@id": name, "@type": "File", "name": words, "encodingFormat": kind})
    return found


def _source_files(provenance: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the raw files as entities outside the crate, by checksum."""
    return [
        {
            "@id": f"#source-{row['id']}-{row['sha256'][:12]}",
            "@type": "CreativeWork",
            "name": f"{row['id']}: {row['file']}",
            "version": row["version"],
            "identifier": f"sha256:{row['sha256']}",
        }
        for row in provenance["sources"]
    ]


def _software(provenance: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@id": "#foedus",
        "@type": "SoftwareApplication",
        "name": "foedus",
        "version": provenance["versions"]["foedus"],
        "softwareVersion": provenance["git_revision"],
    }


def _action(
    files: Sequence[Mapping[str, Any]], sources: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    return {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "foedus report",
        "instrument": {"@id": "#foedus"},
        "object": [{"@id": source["@id"]} for source in sources],
        "result": [{"@id": file["@id"]} for file in files],
    }
