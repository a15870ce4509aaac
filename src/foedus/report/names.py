"""What to call a study and a work in running text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from foedus.references import Reference

if TYPE_CHECKING:
    from foedus.report.inputs import Inputs, Study


def works_of(inputs: Inputs, study: Study) -> list[tuple[str, Reference]]:
    """Return the works a study rebuilds that config/references knows, by key."""
    return [(key, inputs.works[key]) for key in study.cite if key in inputs.works]


def short_cite(inputs: Inputs, study: Study) -> str:
    """Return "Johnson & Leeds 2011" for a study named after its work, else the study's title.

    A study's id may say more than its work's key (``rainey_2016_oneal_russett``). One that rests on
    one work alone is called by it too. Two studies of one work are told apart by the word that
    study.yaml gives (`short`), else by what their ids say beyond the work's key.
    """
    return inputs.short_names[study.id]


def short_names(inputs: Inputs) -> dict[str, str]:
    """Return what each study is called, by its id (see `short_cite`)."""
    keys = {study.id: _named_after(inputs, study) for study in inputs.studies}
    shared = Counter(keys.values())
    names = {}
    for study in inputs.studies:
        key = keys[study.id]
        if key is None:
            names[study.id] = study.title
            continue
        name = _told_apart(inputs, key)
        said = ""
        if shared[key] > 1:
            said = str(study.declared.get("short") or study.id.removeprefix(key).strip("_"))
        names[study.id] = f"{name} ({said.replace('_', ' ')})" if said else name
    return names


def _named_after(inputs: Inputs, study: Study) -> str | None:
    """Return the key of the work that a study is called by, None where it goes by its title."""
    named = [key for key in inputs.works if f"{study.id}_".startswith(f"{key}_")]
    # An id may begin like the key of another work of the same author and year: leeds_2003_io is
    # named after leeds_2003b, which it cites first, not after leeds_2003.
    own = [key for key in named if key in study.cite]
    own += [key for key in study.cite[:1] if key in inputs.works and key[:-1] in named and not own]
    works = works_of(inputs, study)
    alone = len(works) == 1 and not any(
        one.cite == study.cite for one in inputs.studies if one.id != study.id
    )
    if own or (named and not alone):
        return max(own or named, key=len)
    return works[0][0] if alone else None


def _told_apart(inputs: Inputs, key: str) -> str:
    """Return a work's short name, with a letter if studies rebuild others of the same name."""
    name = inputs.works[key].short()
    rebuilt = {one for study in inputs.studies for one in study.cite if one in inputs.works}
    alike = sorted(one for one in {*rebuilt, key} if inputs.works[one].short() == name)
    return name if len(alike) == 1 else f"{name}{chr(ord('a') + alike.index(key))}"


def name_works(inputs: Inputs, keys: tuple[str, ...]) -> list[str]:
    """Return short names of works; a key that isn't in config/references stands as it is."""
    return [inputs.works[key].short() if key in inputs.works else key for key in keys]
