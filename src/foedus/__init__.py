"""foedus: the large-n literature on military alliances and war, rebuilt from raw public files.

``import foedus as fd`` gives `fd.panel`, `fd.table`, `fd.estimate`, `fd.model_table`, `fd.study`,
and the decorators `fd.covariate` and `fd.source`. They are loaded when first used, so that
importing costs nothing.
"""

import importlib

__version__ = "0.1.0"

_OFFERED = ("covariate", "estimate", "model_table", "panel", "source", "study", "table")


def __getattr__(name: str) -> object:
    """Load a public name from foedus.api."""
    if name in _OFFERED:
        return getattr(importlib.import_module("foedus.api"), name)
    raise AttributeError(f"module 'foedus' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List what the package offers."""
    return [*_OFFERED, "__version__"]
