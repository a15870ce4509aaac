"""What to call a study and a work in running text."""

from __future__ import annotations

from foedus.references import Reference
from foedus.report.inputs import Inputs, Study


def works_of(inputs: Inputs, study: Study) -> list[tuple[str, Reference]]:
    """Return the works a study rebuilds that config/references knows, by key."""
    return [(key, inputs.works[key]) for key in study.cite if key in inputs.works]


def short_cite(inputs: Inputs, study: Study) -> str:
    """Return "Johnson & Leeds 2011" for a study named after its work, else the study's title.

    A study's id may say more than its work's key (``rainey_2016_oneal_russett``). One that rests on
    one work alone is called by it too.
    """
    named = [key for key in inputs.works if f"{study.id}_".startswith(f"{key}_")]
    if named:
        return _told_apart(inputs, max(named, key=len))
    works = works_of(inputs, study)
    alone = len(works) == 1 and not any(
        one.cite == study.cite for one in inputs.studies if one.id != study.id
    )
    return works[0][1].short() if alone else study.title


def _told_apart(inputs: Inputs, key: str) -> str:
    """Return a work's short name, with a letter if studies rebuild others of the same name."""
    name = inputs.works[key].short()
    rebuilt = {one for study in inputs.studies for one in study.cite if one in inputs.works}
    alike = sorted(one for one in {*rebuilt, key} if inputs.works[one].short() == name)
    return name if len(alike) == 1 else f"{name}{chr(ord('a') + alike.index(key))}"


def name_works(inputs: Inputs, keys: tuple[str, ...]) -> list[str]:
    """Return short names of works; a key that isn't in config/references stands as it is."""
    return [inputs.works[key].short() if key in inputs.works else key for key in keys]
