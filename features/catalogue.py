"""The catalogue: which features there are, and which functions make them.

In:  builders, plain functions registered with :func:`builder`, and ``catalogue.csv``.
Out: :data:`CATALOGUE`, from which explanations, constraints and the data dictionary are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.errors import DataError, RequestError
from riskmodel.features.catalogue_file import Feature, read_features

if TYPE_CHECKING:
    from riskmodel.features.facts_as_of import FactsAsOf

__all__ = [
    "BUILDERS",
    "CATALOGUE",
    "LISTED",
    "NONE_SO_FAR",
    "ON_RECORDS",
    "Builder",
    "Columns",
    "add_builders",
    "builder",
    "check_listed",
    "data_dictionary",
]

Columns: TypeAlias = Mapping[str, NDArray[np.float64]]
"""A builder's answer: feature → one value per row of the spine."""

Make: TypeAlias = "Callable[[FactsAsOf], Columns]"


@dataclass(frozen=True, slots=True)
class Builder:
    """A function that makes features, and the tables it needs.

    Attributes
    ----------
    make : callable
        Facts as of a day → columns, one value per pupil of the spine.
    needs : tuple of str
        Tables without which it is left out.
    features : mapping of str to Feature
        Its features by name, in the order of the matrix.
    unless : tuple of str
        Tables that hold the same in more detail: with one of them it is left out.
    """

    make: Make
    needs: tuple[str, ...]
    features: Mapping[str, Feature]
    unless: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its features."""
        return tuple(self.features)


LISTED = read_features((files("riskmodel.features") / "catalogue.csv").read_text(encoding="utf-8"))
"""Name of a builder → its features in ``catalogue.csv``."""

BUILDERS: list[Builder] = []
"""Every builder, in the order of registration."""


ON_RECORDS = (
    "known_half_days",
    "known_half_days_60_days",
    "results_missing",
    "not_known_share",
    "not_known_now",
)
"""Features that hold how much is known of a pupil, and not what: a lack of records never lowers a risk."""


NONE_SO_FAR = {
    "days_since_suspension": 1,
    "days_since_first_suspension": 1,
    "suspension_gap_last": 1,
    "suspension_gap_mean": 1,
    "suspension_gap_shortest": 1,
    "last_suspension_length": -1,
    "mean_suspension_length": -1,
}
"""Features that are missing because nothing happened so far, which is known → 1 where that is most like the
largest value (a suspension long ago), -1 where most like the smallest (one of no length)."""


class _Catalogue(Mapping[str, Feature]):
    """The features of all builders by name."""

    def __getitem__(self, name: str) -> Feature:
        for one in BUILDERS:
            if name in one.features:
                return one.features[name]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for one in BUILDERS for name in one.features)

    def __len__(self) -> int:
        return sum(len(one.features) for one in BUILDERS)


CATALOGUE: Mapping[str, Feature] = _Catalogue()
"""Every feature by name, in the order of the matrix; read-only."""


def builder(
    features: Sequence[Feature] | None = None,
    *,
    needs: Sequence[str],
    unless: Sequence[str] = (),
) -> Callable[[Make], Make]:
    """Register a function that makes features.

    Parameters
    ----------
    features : sequence of Feature, optional
        Features that the function returns. Where left out: those that ``catalogue.csv`` lists
        under the function's name.
    needs : sequence of str
        Tables without which the features are left out.
    unless : sequence of str
        Tables with which the features are left out.

    Returns
    -------
    callable
        Decorator; the function itself is not changed.

    Raises
    ------
    RequestError
        If the name of a feature is taken, or there are no features.

    Examples
    --------
    >>> @builder([Feature("days", "Days", "count", "moves", "enrolments")], needs=["enrolments"])
    ... def count_days(known):
    ...     return {"days": known.rows * 0.0}
    >>> CATALOGUE["days"].label
    'Days'
    >>> BUILDERS.pop().needs  # taken out again
    ('enrolments',)
    """

    def register(make: Make) -> Make:
        own = LISTED.get(make.__name__, ()) if features is None else features
        _check_names(make.__name__, [feature.name for feature in own])
        named = {one.name: one for one in own}
        BUILDERS.append(Builder(make, tuple(needs), named, tuple(unless)))
        return make

    return register


def _check_names(maker: str, names: Sequence[str]) -> None:
    if not names:
        raise RequestError(
            f"The builder {maker} has no features. Hand them over, @builder([Feature(...)], needs=...), "
            "or list them in catalogue.csv."
        )
    taken = {*CATALOGUE}
    for name in names:
        if name in taken:
            raise RequestError(f"The feature name {name!r} is taken. Choose another name.")
        taken.add(name)


def add_builders(builders: Sequence[Builder]) -> None:
    """Register builders of another process; those that are here already are left out.

    Parameters
    ----------
    builders : sequence of Builder
        From its :data:`BUILDERS`.

    Examples
    --------
    >>> before = len(BUILDERS)
    >>> add_builders(BUILDERS[:2])
    >>> len(BUILDERS) == before
    True
    """
    known = {one.names for one in BUILDERS}
    BUILDERS.extend(one for one in builders if one.names not in known)


def check_listed(listed: Mapping[str, Sequence[Feature]], builders: Sequence[Builder]) -> None:
    """Check that every builder that ``catalogue.csv`` names is registered.

    Parameters
    ----------
    listed : mapping of str to sequence of Feature
        From :func:`riskmodel.features.catalogue_file.read_features`.
    builders : sequence of Builder
        Registered builders.

    Raises
    ------
    DataError
        If one is not: its features would never be made.

    Examples
    --------
    >>> check_listed(LISTED, BUILDERS)
    """
    unknown = [name for name in listed if name not in {one.make.__name__ for one in builders}]
    if unknown:
        raise DataError(
            f"catalogue.csv: no builder is called {unknown[0]!r}, so that "
            f"{listed[unknown[0]][0].name!r} would never be made. Correct the name in the column 'builder'."
        )


def data_dictionary() -> pd.DataFrame:
    """Return the catalogue as a table.

    Returns
    -------
    DataFrame
        One row per feature with every attribute of
        :class:`~riskmodel.features.catalogue_file.Feature`.

    Examples
    --------
    >>> data_dictionary().set_index("name").loc["managed_moves", "label"]
    'Managed moves so far'
    """
    return pd.DataFrame([asdict(feature) for feature in CATALOGUE.values()])
