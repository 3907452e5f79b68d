"""The published rates that drive the simulator, each with its source and year.

In:  ``parameters.csv`` and ``absence_bands.csv``.
Out: numbers by name and preset.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Preset", "absence_bands", "parameter", "parameters_under", "published"]

Preset = Literal["england", "bcp"]


def _read(name: str) -> pd.DataFrame:
    with (files("riskmodel.simulate") / name).open(encoding="utf-8") as stream:
        return pd.read_csv(stream, comment="#")


@cache
def published() -> pd.DataFrame:
    """Return every parameter with its source.

    Returns
    -------
    DataFrame
        Index ``name``; ``england``, ``bcp`` (as England where the file leaves it empty),
        ``year``, ``source``.

    Examples
    --------
    >>> published().columns.tolist()
    ['england', 'bcp', 'year', 'source']
    """
    table = _read("parameters.csv").set_index("name")
    return table.assign(bcp=table["bcp"].fillna(table["england"]))


@cache
def _values(preset: Preset) -> dict[str, float]:
    return {str(name): float(value) for name, value in published()[preset].items()}


def parameter(name: str, preset: Preset = "england") -> float:
    """Return a parameter.

    Parameters
    ----------
    name : str
        As in ``parameters.csv``.
    preset : str
        ``"england"`` or ``"bcp"``.

    Returns
    -------
    float
        Its value.

    Examples
    --------
    >>> 40 < parameter("male") < 60
    True
    """
    return _values(preset)[name]


def parameters_under(prefix: str, preset: Preset = "england") -> dict[str, float]:
    """Return the parameters whose names begin with a prefix and a full stop.

    Parameters
    ----------
    prefix : str
        Such as ``"need"``.
    preset : str
        ``"england"`` or ``"bcp"``.

    Returns
    -------
    dict of str to float
        Rest of the name → value, in the order of the file.

    Examples
    --------
    >>> list(parameters_under("english_additional"))
    ['primary', 'secondary']
    """
    start = f"{prefix}."
    return {
        name.removeprefix(start): value
        for name, value in _values(preset).items()
        if name.startswith(start)
    }


@cache
def absence_bands() -> dict[tuple[str, int, int, int], NDArray[np.float64]]:
    """Return the distribution of absence in each group of pupils.

    Returns
    -------
    dict
        (phase, free school meals, any SEN, male) → percent of pupils in ten bands of 5 percentage
        points and in the one above 50%.

    Examples
    --------
    >>> len(absence_bands()["primary", 0, 0, 1])
    11
    """
    table = _read("absence_bands.csv")
    bands = table.drop(columns=["phase", "fsm", "sen", "male"]).to_numpy(dtype=float)
    groups = zip(table["phase"], table["fsm"], table["sen"], table["male"], bands, strict=True)
    return {(str(p), int(f), int(s), int(m)): shares for p, f, s, m, shares in groups}
