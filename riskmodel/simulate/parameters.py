"""The numbers of the simulated LA, each with its source, and its named random streams.

In:  ``parameters.csv``, a preset, a seed.
Out: :class:`Parameters`; :func:`stream`, a generator per process.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["PRESETS", "Parameters", "Preset", "load_parameters", "stream"]

Preset = Literal["england", "bcp"]
PRESETS: tuple[Preset, ...] = ("england", "bcp")
"""Levels to simulate: the national ones, or those of one urban LA with many exclusions."""


@cache
def _values() -> dict[str, float]:
    with (files("riskmodel.simulate") / "parameters.csv").open(encoding="utf-8") as stream:
        table = pd.read_csv(stream, comment="#")
    return dict(zip(table["name"], table["value"].astype(float), strict=True))


@dataclass(frozen=True)
class Parameters:
    """Numbers of one preset.

    Attributes
    ----------
    preset : str
        ``"england"`` or ``"bcp"``.
    values : dict of str to float
        Every row of the file.
    """

    preset: Preset
    values: dict[str, float]

    def __getitem__(self, name: str) -> float:
        """Return a number that all presets share."""
        return self.values[name]

    def level(self, name: str) -> float:
        """Return a number of this preset.

        Parameters
        ----------
        name : str
            Name without the preset.

        Returns
        -------
        float
            Value.
        """
        return self.values[f"{self.preset}_{name}"]

    def by_year(self, name: str) -> NDArray[np.float32]:
        """Return the published rate of each year group, Reception to Year 11.

        Parameters
        ----------
        name : str
            ``"suspensions"`` or ``"exclusions"``.

        Returns
        -------
        ndarray of shape (12,)
            Per 100 pupils a year.
        """
        return np.array([self.values[f"{name}_year_{year}"] for year in range(12)], np.float32)


def load_parameters(preset: Preset) -> Parameters:
    """Return the numbers of a preset.

    Parameters
    ----------
    preset : str
        ``"england"`` or ``"bcp"``.

    Returns
    -------
    Parameters
        Numbers.
    """
    return Parameters(preset, _values())


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random numbers of one process, independent of all others.

    Parameters
    ----------
    seed : int
        Seed of the simulation.
    name : str
        Name of the process.

    Returns
    -------
    Generator
        Same numbers for the same seed and name.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))
