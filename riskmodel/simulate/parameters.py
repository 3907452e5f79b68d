"""The parameters, and what shapes years, reasons and weeks.

In:  ``parameters.csv``.
Out: numbers by name; curves by year group, half-term and reason, each with its source.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

__all__ = ["PEX_BY_YEAR", "REASON_SHARES", "SEASON", "SUSPENSIONS_BY_YEAR", "parameter"]

SUSPENSIONS_BY_YEAR = np.array(
    [0.49, 1.04, 1.28, 1.56, 1.79, 2.14, 2.44, 7.68, 11.40, 13.55, 14.35, 8.76]
)
"""Suspensions per 100 pupils, Reception to Year 11 (DfE, 2016/17); only the shape is used."""

PEX_BY_YEAR = np.array([0.8, 1.8, 2.1, 2.9, 4.3, 4.1, 4.1, 11.4, 20.7, 29.5, 35.5, 15.5])
"""Permanent exclusions per 10,000 pupils, Reception to Year 11 (DfE, 2016/17); shape only."""

SEASON = np.array([1.15, 1.15, 1.0, 1.0, 0.85, 0.85])
"""Half-terms: the autumn holds 36% to 39% of a year's exclusions (DfE, 2023/24)."""

REASON_SHARES = {"DB": 0.48, "VA": 0.15, "PP": 0.16, "PA": 0.07, "VP": 0.04, "DA": 0.03, "DM": 0.02,
                 "OW": 0.02, "RA": 0.01, "TH": 0.01, "BU": 0.01}  # fmt: skip
"""Reasons of suspensions: DfE 2016/17 with DB at about half as in 2023/24; the rest in proportion."""


@cache
def _table() -> pd.Series:
    with (files("riskmodel.simulate") / "parameters.csv").open(encoding="utf-8") as stream:
        return pd.read_csv(stream, comment="#", index_col="name")["value"]


def parameter(name: str) -> float:
    """Return a parameter.

    Parameters
    ----------
    name : str
        As in ``parameters.csv``.

    Returns
    -------
    float
        Its value.
    """
    return float(_table()[name])
