"""The recipe for rare outcomes: a ridge logistic start and shallow monotone trees, bagged.

In:  features, labels of which one in a hundred to one in a thousand is 1, the pupil of each row.
Out: :class:`RareOutcomeClassifier`, whose fitted state is an :class:`~.ensemble.Ensemble` of arrays.

With 30 to 300 positives the prior does most of the work. Each bag is a case-control sample: the
pupils with the outcome, drawn with replacement, and a few times as many rows of other pupils. In
each bag a logistic regression with a strong ridge and boosted trees of two levels, monotone where
the catalogue knows the direction, are fitted to the same rows, and their log-odds averaged. The
intercept is corrected for the sampling [1]_; slope and level are set later, out of time.

A frequent related outcome helps a rare one: for one pupil permanently excluded, many lose weeks to
suspension, by much the same path. Trees fitted to that outcome are added with a fixed weight. Being
sums of trees, they keep contributions exact.

References
----------
.. [1] King and Zeng, "Logistic regression in rare events data", Political Analysis 9, 2001.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from riskmodel.training.ensemble import Ensemble, Linear
from riskmodel.training.feature_selection import choose_features, learn_transformation
from riskmodel.training.lightgbm_trees import boost, from_lightgbm
from riskmodel.training.sampling import case_control_sample, related_sample
from riskmodel.training.trees import ShallowTrees

__all__ = ["RareOutcomeClassifier"]


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """All rows in the forms that bags draw from, laid out once."""

    regressors: NDArray[np.float64]
    values: NDArray[np.float32]
    directions: list[int]
    outcome: NDArray[np.int64]
    owners: NDArray[np.int64]
    related: NDArray[np.int64] | None
    log_odds: float


@dataclass(frozen=True)
class _Bag:
    """What one case-control sample taught."""

    coefficients: NDArray[np.float64]
    intercept: float
    trees: list[ShallowTrees]
    tree_base: float


class RareOutcomeClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Bagged logistic regression and boosted shallow trees, for rare outcomes.

    Parameters
    ----------
    n_bags : int
        Case-control samples; their spread gives the interval of a risk.
    negatives_per_positive : int
        Rows without the outcome per row with it, in a bag.
    ridge : float
        Inverse strength of the penalty of the logistic regression (``C`` of scikit-learn).
    n_trees : int
        Trees of a bag.
    learning_rate : float
        Shrinkage of each tree.
    max_depth : int
        1 or 2 levels.
    min_leaf : int
        Fewest rows in a leaf.
    tree_weight : float
        Share of the trees in the log-odds, 0 to 1.
    n_features : int
        Most features used: those whose mean differs most for rows with the outcome, near duplicates
        left out; the others are not used.
    related_weight : float
        Log-odds of the outcome per log-odds of the related outcome, where one is given to ``fit``.
    monotone : mapping of str to int, optional
        Feature → 1 (risk never falls as it grows), -1, or 0; the trees are held to it.
    bounded : collection of str, optional
        Features whose direction the regression is held to as well: a coefficient of the other sign is 0.
    none_so_far : mapping of str to int, optional
        Features that are missing because there was none so far → 1 where they then count as the largest
        value that was seen, -1 as the smallest. Other missing values count as the median.
    random_state : int
        Seed.

    Attributes
    ----------
    ensemble_ : Ensemble
        All that was learned, as arrays.
    classes_ : array of shape (2,)
        The two labels, the second is the outcome.
    """

    def __init__(
        self,
        *,
        n_bags: int = 10,
        negatives_per_positive: int = 20,
        ridge: float = 0.0003,
        n_trees: int = 80,
        learning_rate: float = 0.06,
        max_depth: int = 2,
        min_leaf: int = 30,
        tree_weight: float = 0.5,
        n_features: int = 120,
        related_weight: float = 0.5,
        monotone: Mapping[str, int] | None = None,
        bounded: Collection[str] | None = None,
        none_so_far: Mapping[str, int] | None = None,
        random_state: int = 0,
    ) -> None:
        self.n_bags = n_bags
        self.negatives_per_positive = negatives_per_positive
        self.ridge = ridge
        self.n_trees = n_trees
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.min_leaf = min_leaf
        self.tree_weight = tree_weight
        self.n_features = n_features
        self.related_weight = related_weight
        self.monotone = monotone
        self.bounded = bounded
        self.none_so_far = none_so_far
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        """Return the tags: missing values are welcome, and there are two classes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags

    def fit(
        self,
        X: ArrayLike | pd.DataFrame,
        y: ArrayLike,
        pupils: ArrayLike | None = None,
        related: ArrayLike | None = None,
        stands_for: ArrayLike | None = None,
    ) -> Self:
        """Fit the bags.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Features; missing values are nan.
        y : array-like of shape (n_rows,)
            Two classes; the larger label is the outcome.
        pupils : array-like of shape (n_rows,), optional
            Pupil of each row; every row a pupil of its own where left out.
        related : array-like of shape (n_rows,), optional
            0 or 1: a frequent related outcome over the same horizon.
        stands_for : array-like of shape (n_rows,), optional
            Rows that each row stands for, where others were left out; 1 each where left out. Only the
            level of the log-odds depends on it.

        Returns
        -------
        Self
            The fitted estimator.

        Raises
        ------
        ValueError
            If the labels hold fewer or more than two classes.
        """
        checked, answers = validate_data(
            self, X, y, dtype=np.float32, ensure_all_finite="allow-nan"
        )
        check_classification_targets(answers)
        self.classes_, outcome = _two_classes(answers)
        values: NDArray[np.float32] = np.asarray(checked, dtype=np.float32)
        ends = self._of_mapping(self.none_so_far, np.arange(values.shape[1]))
        everything = learn_transformation(values, self.n_bags, ends)
        chosen = choose_features(everything, values, outcome, self.n_features)
        linear = everything.take(chosen)
        values = linear.fill(values[:, chosen])
        rows = _Rows(
            regressors=linear.transform(values),
            values=values,
            directions=self._directions(chosen),
            outcome=outcome,
            owners=_owners(pupils, len(outcome)),
            related=self._varying(related),
            log_odds=_mean_log_odds(outcome, stands_for),
        )
        self.ensemble_ = self._gather(self._fit_bags(rows), everything, chosen)
        return self

    def _fit_bags(self, rows: _Rows) -> list[_Bag]:
        """Return the fitted bags, each with a seed of its own."""
        seeds = np.random.SeedSequence(self.random_state).spawn(self.n_bags)
        # bags are small: one thread each is faster than all threads on one after the other, and a
        # bag's numbers do not depend on how many there are
        with threadpool_limits(1, user_api="blas"):
            return list(
                Parallel(n_jobs=-1, prefer="threads")(
                    delayed(self._fit_bag)(rows, seed) for seed in seeds
                )
            )

    def _varying(self, related: ArrayLike | None) -> NDArray[np.int64] | None:
        """Return the related outcome, None where it has no weight or does not vary."""
        if related is None or not self.related_weight:
            return None
        outcome = np.asarray(related).astype(np.int64)
        return outcome if 0 < outcome.mean() < 1 else None

    def _gather(self, bags: list[_Bag], everything: Linear, chosen: NDArray[np.int64]) -> Ensemble:
        """Put what all bags learned of the chosen features into arrays over all features."""
        linear, trees = everything.take(chosen), []
        forbidden = -np.array(self._directions(chosen)) * self._is_bounded(chosen)
        for number, bag in enumerate(bags):
            linear.coefficient[number] = np.where(
                forbidden * bag.coefficients > 0, 0, bag.coefficients
            )
            linear.intercept[number] = bag.intercept
            trees += [part.of_member(number) for part in bag.trees]
        stacked = _stack(trees)
        absent = stacked.feature < 0
        return Ensemble(
            linear=everything.put(chosen, linear.scaled(1 - self.tree_weight)),
            trees=replace(stacked, feature=np.where(absent, -1, chosen[stacked.feature])),
            tree_base=self.tree_weight * np.array([bag.tree_base for bag in bags]),
        )

    def _directions(self, chosen: NDArray[np.int64]) -> list[int]:
        """Return the direction in which each chosen feature may act."""
        return self._of_mapping(self.monotone, chosen)

    def _of_mapping(
        self, mapping: Mapping[str, int] | None, chosen: NDArray[np.int64]
    ) -> list[int]:
        """Return the value of each chosen feature in a mapping, 0 where it has none."""
        return [int((mapping or {}).get(name, 0)) for name in self._names(chosen)]

    def _is_bounded(self, chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.array([name in (self.bounded or ()) for name in self._names(chosen)], dtype=bool)

    def _names(self, chosen: NDArray[np.int64]) -> Any:
        return getattr(self, "feature_names_in_", np.arange(self.n_features_in_))[chosen]

    def _fit_bag(self, all_rows: _Rows, seed: np.random.SeedSequence) -> _Bag:
        """Fit one case-control sample: regression, trees, trees of the related outcome."""
        rng = np.random.default_rng(seed)
        rows = case_control_sample(
            all_rows.outcome, all_rows.owners, self.negatives_per_positive, rng
        )
        outcome = all_rows.outcome[rows]
        shift = all_rows.log_odds - float(logit(outcome.mean()))
        # Few columns, many rows: Newton's steps are exact and three times as fast as lbfgs here.
        model = LogisticRegression(C=self.ridge, solver="newton-cholesky", tol=1e-6)
        model.fit(all_rows.regressors[rows], outcome)
        grown, base = self._grow(all_rows, rows, outcome, rng)
        trees = [grown.scaled(self.tree_weight)]
        if all_rows.related is not None:
            rows = related_sample(all_rows.related, rng)
            helper, _ = self._grow(all_rows, rows, all_rows.related[rows], rng, faster=2)
            trees.append(helper.scaled(self.related_weight))
        return _Bag(model.coef_[0], float(model.intercept_[0]) + shift, trees, base + shift)

    def _grow(
        self,
        all_rows: _Rows,
        rows: NDArray[np.int64],
        outcome: NDArray[np.int64],
        rng: np.random.Generator,
        faster: int = 1,
    ) -> tuple[ShallowTrees, float]:
        """Grow the trees; ``faster`` takes as many times fewer and larger steps."""
        booster, base = boost(
            all_rows.values[rows],
            outcome,
            all_rows.directions,
            max_depth=self.max_depth,
            n_trees=max(1, self.n_trees // faster),
            learning_rate=min(1.0, faster * self.learning_rate),
            min_leaf=min(self.min_leaf, max(1, len(outcome) // 10)),
            seed=int(rng.integers(2**31)),
        )
        return from_lightgbm(booster), base

    def decision_function(self, X: ArrayLike | pd.DataFrame) -> NDArray[np.float64]:
        """Return uncalibrated log-odds; they order rows and are not yet a risk.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Features.

        Returns
        -------
        array of shape (n_rows,)
            Log-odds, averaged over bags.
        """
        return np.asarray(self._explain(X)[2].mean(axis=1))

    def explain(self, X: ArrayLike | pd.DataFrame) -> tuple[float, pd.DataFrame]:
        """Return what each feature adds to the log-odds of each row, exactly.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Features.

        Returns
        -------
        base_value : float
            Uncalibrated log-odds of the average training row.
        contributions : DataFrame of shape (n_rows, n_features)
            ``base_value`` and a row's contributions add up to :meth:`decision_function`.
        """
        base_value, contributions, _ = self._explain(X)
        names = getattr(self, "feature_names_in_", np.arange(self.n_features_in_))
        index = X.index if isinstance(X, pd.DataFrame) else None
        return base_value, pd.DataFrame(contributions, index=index, columns=names)

    def _explain(
        self, X: ArrayLike | pd.DataFrame
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """Return base value, contributions and the log-odds of every bag, of rows that are checked."""
        check_is_fitted(self)
        values = validate_data(
            self, X, dtype=np.float32, ensure_all_finite="allow-nan", reset=False
        )
        return self.ensemble_.explain(values)

    def predict_proba(self, X: ArrayLike | pd.DataFrame) -> NDArray[np.float64]:
        """Return uncalibrated probabilities of the two classes.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Features.

        Returns
        -------
        array of shape (n_rows, 2)
            Rows add up to 1.
        """
        chance = expit(self.decision_function(X))
        return np.column_stack([1 - chance, chance])

    def predict(self, X: ArrayLike | pd.DataFrame) -> NDArray[np.generic]:
        """Return the likelier class of each row.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Features.

        Returns
        -------
        array of shape (n_rows,)
            Labels as given to :meth:`fit`.
        """
        margin = self.decision_function(X)
        return np.asarray(self.classes_[(margin > 0).astype(int)])


def _stack(bags: list[ShallowTrees]) -> ShallowTrees:
    """Put the trees of all bags behind each other."""
    names = ("feature", "threshold", "missing_left", "value", "cover", "member")
    return ShallowTrees(
        **{name: np.concatenate([getattr(bag, name) for bag in bags]) for name in names}
    )


def _two_classes(answers: NDArray[np.generic]) -> tuple[NDArray[np.generic], NDArray[np.int64]]:
    """Return the two labels, and for each row which of them it has; refuse another number of labels."""
    classes, outcome = np.unique(answers, return_inverse=True)
    if len(classes) != 2:
        raise ValueError(
            f"y must hold two classes, 1 class or more than two cannot be fitted; got "
            f"{len(classes)}. Only binary classification is supported."
        )
    return classes, outcome


def _owners(pupils: ArrayLike | None, n_rows: int) -> NDArray[np.int64]:
    """Return the number of each row's pupil; every row has its own where no pupils are given."""
    return np.arange(n_rows) if pupils is None else pd.factorize(np.asarray(pupils))[0]


def _mean_log_odds(outcome: NDArray[np.int64], stands_for: ArrayLike | None) -> float:
    """Return the log-odds of the share of rows with the outcome, each row weighted."""
    weights = None if stands_for is None else np.asarray(stands_for)
    return float(logit(np.average(outcome, weights=weights)))
