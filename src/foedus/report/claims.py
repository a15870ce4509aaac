"""The claims under test, as config/claims.yaml states them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from foedus.config import Strict, parse_model, read_yaml


class Answer(Strict):
    """A number that answers a claim where no sign does: a rate, an exponent.

    Attributes
    ----------
    study, model, term : str
        Whose estimate it is; left out of a report whose run hasn't made it.
    says : str
        What the number is, in words.
    unit : "share" or "number"
        A share is shown in percent.
    """

    study: str
    model: str
    term: str
    says: str
    unit: Literal["share", "number"] = "number"


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
    answers: tuple[Answer, ...] = ()


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
