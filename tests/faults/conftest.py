"""The real files, as tests/real finds them."""

from tests.real.conftest import real_sources

__all__ = ["real_sources"]
