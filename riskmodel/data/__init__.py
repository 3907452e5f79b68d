"""Ground floor: what a fact is, how it is read, and what was known when.

The public names below are imported when first used, so that the command line, which only needs the
names of the outcomes, prints its help quickly.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riskmodel.data.contract import pandera_schema
    from riskmodel.data.schema import NOT_KNOWN, TABLES
    from riskmodel.data.tables import Tables

__all__ = ["NOT_KNOWN", "TABLES", "Tables", "pandera_schema"]


def __getattr__(name: str) -> Any:
    """Import a public name from its module when it is first used."""
    if name not in __all__:
        raise AttributeError(f"module 'riskmodel.data' has no attribute {name!r}")
    home = {"Tables": "tables", "pandera_schema": "contract"}.get(name, "schema")
    return getattr(import_module(f"riskmodel.data.{home}"), name)


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *__all__})
