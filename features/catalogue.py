"""The catalogue: what each feature is called, in words, and which function makes it.

In:  builders, plain functions registered with :func:`builder`.
Out: :data:`CATALOGUE`, from which explanations, constraints and the data dictionary are made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from riskmodel.features.facts_as_of import FactsAsOf

__all__ = [
    "BUILDERS",
    "CATALOGUE",
    "Builder",
    "Columns",
    "Feature",
    "add_builders",
    "builder",
    "data_dictionary",
]

Columns: TypeAlias = Mapping[str, NDArray[np.float64]]
"""What a builder returns: feature → one value per row of the spine."""

Make: TypeAlias = "Callable[[FactsAsOf], Columns]"
Theme = Literal["attendance", "behaviour", "needs", "context", "moves", "school", "post-16"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the feature matrix.

    Attributes
    ----------
    name : str
        Column name.
    label : str
        What it is, in words an inclusion officer uses.
    unit : str
        ``share``, ``count``, ``days``, ``weeks``, ``months``, ``yes/no`` and so on.
    theme : str
        Attendance, behaviour, needs, context, moves, school or post-16.
    source : str
        Table it comes from.
    direction : int
        1 if risk rises with it, -1 if it falls, 0 where that is not known; a constraint on trees.
    can_change : bool
        Whether support could change it.
    window : str
        How far back it looks, in words; empty for all the past, or the day itself.
    """

    name: str
    label: str
    unit: str
    theme: Theme
    source: str
    direction: int = 0
    can_change: bool = True
    window: str = ""


@dataclass(frozen=True, slots=True)
class Builder:
    """A function that makes features, and the tables it needs.

    Attributes
    ----------
    make : callable
        What was known at one day → columns, one value per pupil of the spine.
    needs : tuple of str
        Tables without which it is left out.
    names : tuple of str
        Its features.
    """

    make: Make
    needs: tuple[str, ...]
    names: tuple[str, ...]


_FEATURES: dict[str, Feature] = {}

CATALOGUE: Mapping[str, Feature] = MappingProxyType(_FEATURES)
"""Every feature by name, in the order of the matrix; read-only."""

BUILDERS: list[Builder] = []
"""Every builder, in the order of registration."""


def builder(
    features: Sequence[Feature], *, needs: Sequence[str]
) -> Callable[
    [Callable[[FactsAsOf], Mapping[str, NDArray[np.float64]]]],
    Callable[[FactsAsOf], Mapping[str, NDArray[np.float64]]],
]:
    """Register a function that makes features.

    Parameters
    ----------
    features : sequence of Feature
        What the function returns, by name.
    needs : sequence of str
        Tables without which the features are left out.

    Returns
    -------
    callable
        Decorator; the function itself is not changed.

    Raises
    ------
    ValueError
        If a name is taken.
    """
    taken = [feature.name for feature in features if feature.name in CATALOGUE]
    if taken:
        raise ValueError(f"The feature name {taken[0]!r} is taken. Choose another name.")

    def register(make: Make) -> Make:
        _FEATURES.update({feature.name: feature for feature in features})
        BUILDERS.append(Builder(make, tuple(needs), tuple(feature.name for feature in features)))
        return make

    return register


def add_builders(builders: Sequence[Builder]) -> None:
    """Register builders of another process; those that are here already are left out.

    Parameters
    ----------
    builders : sequence of Builder
        From its :data:`BUILDERS`.
    """
    known = {one.names for one in BUILDERS}
    BUILDERS.extend(one for one in builders if one.names not in known)


def data_dictionary() -> pd.DataFrame:
    """Return the catalogue as a table.

    Returns
    -------
    DataFrame
        One row per feature with every attribute of :class:`Feature`.
    """
    return pd.DataFrame([asdict(feature) for feature in CATALOGUE.values()])
