"""Ranked early-intervention lists for permanent exclusion and NEET, with reasons and audit.

The public names below are imported when first used, so that ``import riskmodel`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riskmodel.assess import Assessment, rank
    from riskmodel.cohort import build_spine, snapshots
    from riskmodel.data import Tables
    from riskmodel.data.check import check
    from riskmodel.data.read import read
    from riskmodel.features import build
    from riskmodel.jobs import Run, make_list, promote
    from riskmodel.jobs.train import train
    from riskmodel.labels import label
    from riskmodel.model import RiskModel
    from riskmodel.report import write_list

__all__ = [
    "Assessment",
    "RiskModel",
    "Run",
    "Tables",
    "build",
    "build_spine",
    "check",
    "label",
    "make_list",
    "promote",
    "rank",
    "read",
    "snapshots",
    "train",
    "write_list",
]

__version__ = "0.1.0"

_HOME = {
    "Assessment": "assess",
    "RiskModel": "model",
    "Run": "jobs",
    "Tables": "data",
    "build": "features",
    "build_spine": "cohort",
    "check": "data.check",
    "label": "labels",
    "make_list": "jobs",
    "promote": "jobs",
    "rank": "assess",
    "read": "data.read",
    "snapshots": "cohort",
    "train": "jobs",
    "write_list": "report",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module 'riskmodel' has no attribute {name!r}")
    return getattr(import_module(f"riskmodel.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return [*__all__, "__version__"]
