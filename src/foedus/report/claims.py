"""The claims under test, as config/claims.yaml states them."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from foedus.config import Strict, parse_model, read_yaml


class Claim(Strict):
    """One claim of the literature.

    `argued_by`, `tested_by` and `contested_by` are keys of config/references.
    """

    id: str = Field(pattern=r"^[a-z_]+$")
    order: int = Field(ge=1)
    title: str
    sentence: str
    argued_by: tuple[str, ...] = ()
    tested_by: tuple[str, ...] = ()
    contested_by: tuple[str, ...] = ()
    estimate: str = Field(description="What has to be estimated to test it")
    data: tuple[str, ...] = ()


class ClaimFile(Strict):
    """config/claims.yaml."""

    claims: tuple[Claim, ...]


def load_claims(config_dir: Path) -> dict[str, Claim]:
    """Read config/claims.yaml, in the order it gives; empty when there is no such file.

    Raises
    ------
    ConfigError
        If the file breaks a rule.
    """
    path = config_dir / "claims.yaml"
    if not path.is_file():
        return {}
    listed = parse_model(ClaimFile, read_yaml(path), "config/claims.yaml").claims
    return {claim.id: claim for claim in sorted(listed, key=lambda item: (item.order, item.id))}
