"""The fitted recipe as plain arrays: what a model file holds and what makes a margin.

In:  rows of features.
Out: a base value, each feature's exact contribution, and the margin of every bag.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskmodel.training.trees import ShallowTrees

__all__ = ["Ensemble", "Linear"]


@dataclass(frozen=True, kw_only=True)
class Linear:
    """A bagged logistic regression on squashed, standardised features.

    A feature enters as ``(arcsinh((x - centre) / scale) - mean) / spread``, a missing one with the
    value that it counts as.

    Attributes
    ----------
    centre, scale, mean, spread : float arrays of shape (n_features,)
        The transformation, learned from training rows; the centre is the median.
    counts_as : float array of shape (n_features,)
        The value that a missing one counts as.
    coefficient : float array of shape (n_members, n_features)
        Log-odds per standard deviation.
    intercept : float array of shape (n_members,)
        Log-odds at the mean.

    Examples
    --------
    >>> one = np.ones(1)
    >>> linear = Linear(
    ...     centre=3 * one, scale=one, mean=one, spread=one, counts_as=3 * one,
    ...     coefficient=np.array([[2.0]]), intercept=-one,
    ... )
    >>> base, contributions, members = linear.explain(np.array([[3.0], [np.nan]], np.float32))
    >>> base, contributions.ravel().tolist(), members.ravel().tolist()
    (-1.0, [-2.0, -2.0], [-3.0, -3.0])
    >>> linear.scaled(0.5).coefficient.tolist()
    [[1.0]]
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    counts_as: NDArray[np.float64]
    coefficient: NDArray[np.float64]
    intercept: NDArray[np.float64]

    def take(self, features: NDArray[np.int64]) -> Linear:
        """Return the part of some features.

        Parameters
        ----------
        features : int array of shape (n_chosen,)
            Their columns.

        Returns
        -------
        Linear
            A copy with these columns only.
        """
        columns = {
            f.name: getattr(self, f.name)[..., features]
            for f in fields(self)
            if f.name != "intercept"
        }
        return Linear(**columns, intercept=self.intercept.copy())

    def put(self, features: NDArray[np.int64], part: Linear) -> Linear:
        """Return all features, those of a part with its coefficients and the others with none.

        Parameters
        ----------
        features : int array of shape (n_chosen,)
            Columns of the part.
        part : Linear
            Its coefficients.

        Returns
        -------
        Linear
            As many columns as this one.
        """
        coefficient = np.zeros_like(self.coefficient)
        coefficient[:, features] = part.coefficient
        return replace(self, coefficient=coefficient, intercept=part.intercept)

    def scaled(self, weight: float) -> Linear:
        """Return the regression with its log-odds times a weight.

        Parameters
        ----------
        weight : float
            Weight.

        Returns
        -------
        Linear
            The same transformation.
        """
        return replace(
            self, coefficient=weight * self.coefficient, intercept=weight * self.intercept
        )

    def fill(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return features, every missing one with the value that it counts as.

        Parameters
        ----------
        X : float array of shape (n_pupils, n_features)
            Features; missing values are nan.

        Returns
        -------
        float array of shape (n_pupils, n_features)
            None is missing.

        Examples
        --------
        >>> one = np.ones(1)
        >>> linear = Linear(
        ...     centre=one, scale=one, mean=one, spread=one, counts_as=3 * one, coefficient=one[None],
        ...     intercept=one,
        ... )
        >>> linear.fill(np.array([[1.0], [np.nan]], np.float32)).ravel().tolist()
        [1.0, 3.0]
        """
        return np.where(np.isnan(X), self.counts_as.astype(X.dtype), X)

    def transform(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return standardised features.

        Parameters
        ----------
        X : float array of shape (n_pupils, n_features)
            Features; missing values are nan.

        Returns
        -------
        float array of shape (n_pupils, n_features)
            With mean 0 over the training rows.
        """
        squashed = np.arcsinh((self.fill(X).astype(np.float64) - self.centre) / self.scale)
        return np.asarray((squashed - self.mean) / self.spread)

    def explain(
        self, X: NDArray[np.float32]
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """Return base value, contributions and the margin of every bag.

        Parameters
        ----------
        X : float array of shape (n_pupils, n_features)
            Features.

        Returns
        -------
        base : float
            Log-odds of the average training row, averaged over bags.
        contributions : array of shape (n_pupils, n_features)
            Log-odds, averaged over bags.
        members : array of shape (n_pupils, n_members)
            Log-odds.
        """
        used = np.flatnonzero(self.coefficient.any(axis=0))
        part = self.take(used)
        standardised = part.transform(X[:, used])
        contributions = np.zeros(X.shape, order="F")
        members = standardised @ part.coefficient.T
        contributions[:, used] = standardised * part.coefficient.mean(0)
        return float(self.intercept.mean()), contributions, members + self.intercept


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """The whole recipe: a linear part and trees, both weighted already, added up.

    Attributes
    ----------
    linear : Linear
        The linear part.
    trees : ShallowTrees
        The trees of all bags.
    tree_base : float array of shape (n_members,)
        Log-odds that each bag adds to its trees.
    """

    linear: Linear
    trees: ShallowTrees
    tree_base: NDArray[np.float64]

    def explain(
        self, X: NDArray[np.float32]
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """Return base value, exact contributions and the margin of every bag.

        Parameters
        ----------
        X : float array of shape (n_pupils, n_features)
            Features, columns as in training.

        Returns
        -------
        base : float
            Log-odds.
        contributions : array of shape (n_pupils, n_features)
            ``base + contributions.sum(axis=1)`` is the mean of ``members`` over bags.
        members : array of shape (n_pupils, n_members)
            Uncalibrated log-odds of every bag.
        """
        filled = self.linear.fill(X)  # what is missing counts the same here and in trees
        base, contributions, members = self.linear.explain(filled)
        tree_base, tree_parts, tree_members = self.trees.explain(filled, len(self.tree_base))
        contributions += tree_parts
        members += tree_members
        return (
            base + tree_base + float(self.tree_base.mean()),
            contributions,
            members + self.tree_base,
        )

    def of_bag(self, number: int) -> Ensemble:
        """Return what one bag learned, as a recipe of its own.

        Parameters
        ----------
        number : int
            The bag.

        Returns
        -------
        Ensemble
            One bag; contributions averaged over all bags are those of the whole.
        """
        linear = replace(
            self.linear,
            coefficient=self.linear.coefficient[[number]],
            intercept=self.linear.intercept[[number]],
        )
        trees = self.trees.take(np.flatnonzero(self.trees.member == number)).of_member(0)
        return Ensemble(linear=linear, trees=trees, tree_base=self.tree_base[[number]])

    def interactions(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return exact Shapley interaction values, for a few pupils.

        Parameters
        ----------
        X : float array of shape (n_pupils, n_features)
            Features, columns as in training.

        Returns
        -------
        array of shape (n_pupils, n_features, n_features)
            Uncalibrated log-odds; symmetric; rows add up to the contributions.
        """
        filled = self.linear.fill(X)
        values = self.trees.interactions(filled, len(self.tree_base))
        diagonal = np.arange(X.shape[1])
        values[:, diagonal, diagonal] += self.linear.explain(filled)[1]  # a sum has no interactions
        return values

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return every number of the recipe, ready for ``numpy.savez``.

        Returns
        -------
        dict of str to array, each of the shape stated above
            Names ``linear.*``, ``trees.*``, ``tree_base``; no object arrays.
        """
        arrays = {
            f"{part}.{field.name}": np.asarray(getattr(getattr(self, part), field.name))
            for part, kind in (("linear", Linear), ("trees", ShallowTrees))
            for field in fields(kind)
        }
        return arrays | {"tree_base": self.tree_base}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Ensemble:
        """Rebuild the recipe from :meth:`to_arrays`.

        Parameters
        ----------
        arrays : dict of str to array, each of the shape stated above
            As written.

        Returns
        -------
        Ensemble
            The same recipe, number for number.

        Raises
        ------
        ValueError
            If an array is missing, or is not of the kind and shape that the others ask for.
        """
        _check_arrays(arrays)
        linear = Linear(**{f.name: arrays[f"linear.{f.name}"] for f in fields(Linear)})
        trees = ShallowTrees(**{f.name: arrays[f"trees.{f.name}"] for f in fields(ShallowTrees)})
        return cls(linear=linear, trees=trees, tree_base=arrays["tree_base"])


def _check_arrays(arrays: dict[str, NDArray[Any]]) -> None:
    """Refuse arrays that are not those of one recipe, before anything is worked out from them."""
    wanted = {
        *(f"linear.{f.name}" for f in fields(Linear)),
        "tree_base",
        *(f"trees.{f.name}" for f in fields(ShallowTrees)),
    }
    if wanted - set(arrays):
        raise ValueError(f"there is no {min(wanted - set(arrays))}")
    m, n = np.atleast_2d(arrays["linear.coefficient"]).shape[:2]
    t = arrays["trees.member"].size
    shapes = dict.fromkeys(wanted, ("f", (n,))) | {
        "linear.coefficient": ("f", (m, n)),
        "linear.intercept": ("f", (m,)),
        "tree_base": ("f", (m,)),
        "trees.feature": ("i", (t, 3)),
        "trees.threshold": ("f", (t, 3)),
        "trees.missing_left": ("b", (t, 3)),
        "trees.value": ("f", (t, 4)),
        "trees.cover": ("f", (t, 4)),
        "trees.member": ("i", (t,)),
    }
    for name, (kind, shape) in shapes.items():
        found = arrays[name]
        if found.dtype.kind != kind or found.shape != shape:
            raise ValueError(
                f"{name} is {found.dtype} of shape {found.shape}, not {kind} of {shape}"
            )
        if kind == "f" and name != "trees.threshold" and not np.isfinite(found).all():
            raise ValueError(f"{name} holds numbers that are not finite")
    for name, low, high in (("trees.feature", -1, n), ("trees.member", 0, m)):
        if not ((arrays[name] >= low) & (arrays[name] < high)).all():
            raise ValueError(f"{name} names what is not there")
