"""How good a list of a fixed size is, and how good its risks are.

In:  outcomes and scores (arrays, one row per pupil).
Out: one number per metric.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, norm, rankdata
from sklearn.metrics import average_precision_score, roc_auc_score

from riskmodel.data.ratio import ratio
from riskmodel.evaluation.capacity import share_listed

__all__ = [
    "auc_of_ranks",
    "average_precision",
    "expected_over_observed",
    "pairs_in_order",
    "poisson_interval",
    "precision_at_k",
    "precision_gained",
    "ranks_of",
    "recall_at_k",
    "roc_auc",
    "wilson_interval",
]

Z = norm.isf(0.025)
"""Half the width of a 95% interval, in standard errors."""

Floats = NDArray[np.float64]


def precision_at_k(y_true: ArrayLike, y_score: ArrayLike, *, k: int) -> float:
    """Share of the ``k`` highest-scored pupils who had the outcome.

    Parameters
    ----------
    y_true : array-like of shape (n_pupils,)
        1 if the outcome happened within the horizon, 0 if not.
    y_score : array-like of shape (n_pupils,)
        Higher is more at risk; only the order matters.
    k : int
        Capacity in pupils, ``1 <= k <= n_pupils``.

    Returns
    -------
    float
        Between 0 and 1. Pupils who are equal across the k-th place count in proportion: the mean over
        all pseudonyms that they could have (:func:`riskmodel.evaluation.capacity.share_listed`).

    Raises
    ------
    ValueError
        If lengths differ, a score is missing, an outcome is not 0 or 1, or ``k`` is out of range.

    Examples
    --------
    >>> precision_at_k([1, 0, 1, 0], [0.9, 0.8, 0.3, 0.1], k=2)
    0.5
    """
    outcome, score = _checked(y_true, y_score)
    return float(outcome @ share_listed(score, k)) / k


def recall_at_k(y_true: ArrayLike, y_score: ArrayLike, *, k: int) -> float:
    """Share of the pupils who had the outcome that are among the ``k`` highest-scored.

    Parameters
    ----------
    y_true, y_score : array-like of shape (n_pupils,)
        As for :func:`precision_at_k`.
    k : int
        Capacity in pupils, ``1 <= k <= n_pupils``.

    Returns
    -------
    float
        Between 0 and 1, equal pupils as for :func:`precision_at_k`; nan where nobody had the outcome.

    Raises
    ------
    ValueError
        If lengths differ, a score is missing, an outcome is not 0 or 1, or ``k`` is out of range.

    Examples
    --------
    >>> recall_at_k([1, 0, 1, 0], [0.9, 0.8, 0.3, 0.1], k=1)
    0.5
    """
    outcome, score = _checked(y_true, y_score)
    return float(ratio(outcome @ share_listed(score, k), outcome.sum()))


def average_precision(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Mean of the precision at each pupil who had the outcome, equal scores taken as one step.

    Parameters
    ----------
    y_true, y_score : array-like of shape (n_pupils,)
        As for :func:`precision_at_k`.

    Returns
    -------
    float
        Between 0 and 1; the prevalence for scores without information; nan where nobody had the
        outcome.

    Raises
    ------
    ValueError
        If lengths differ, a score is missing, or an outcome is not 0 or 1.

    Examples
    --------
    >>> round(average_precision([1, 0, 1, 0], [0.9, 0.8, 0.3, 0.1]), 4)
    0.8333
    """
    outcome, score = _checked(y_true, y_score)
    return float(average_precision_score(outcome, score)) if outcome.any() else float("nan")


def precision_gained(found: Floats, listed: Floats, gained: Floats) -> Floats:
    """Precision at each step of a ranking, times the outcomes gained at the step.

    The fast path of :func:`average_precision`, for many draws at once: its sum over the steps, divided
    by the number of outcomes, is average precision.

    Parameters
    ----------
    found, listed : arrays of the same shape
        Outcomes and rows from the top down to each step.
    gained : array of the same shape
        Outcomes of the step itself.

    Returns
    -------
    array of the same shape
        0 at a step without outcomes.

    Examples
    --------
    >>> steps = precision_gained(np.array([1.0, 2.0]), np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    >>> round(float(steps.sum()) / 2, 4)
    0.8333
    """
    return np.where(gained > 0, ratio(found, listed) * gained, 0.0)


def roc_auc(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Chance that a pupil with the outcome scores higher than one without.

    Parameters
    ----------
    y_true, y_score : array-like of shape (n_pupils,)
        As for :func:`precision_at_k`.

    Returns
    -------
    float
        Between 0 and 1, ties count half; nan where either group is empty.

    Raises
    ------
    ValueError
        If lengths differ, a score is missing, or an outcome is not 0 or 1.

    Examples
    --------
    >>> roc_auc([1, 0, 1, 0], [0.9, 0.8, 0.3, 0.1])
    0.75
    """
    outcome, score = _checked(y_true, y_score)
    if len(np.unique(outcome)) < 2:
        return float("nan")
    return float(roc_auc_score(outcome, score))


def pairs_in_order(rank_sum: ArrayLike, n_positive: ArrayLike) -> Floats:
    """Pairs of one row with and one without the outcome that a ranking has in order.

    Parameters
    ----------
    rank_sum : array-like of any shape
        Ranks of the rows with the outcome added up; the lowest of all rows has rank 1, ties their mean.
    n_positive : array-like of the same shape
        Rows with the outcome.

    Returns
    -------
    float array of the same shape
        The statistic U of Mann and Whitney; a tie is half a pair.

    Examples
    --------
    >>> float(pairs_in_order(4 + 2, 2))  # ranks 4 and 2 of 4: three of four pairs are in order
    3.0
    """
    positives = np.asarray(n_positive, float)
    return np.asarray(rank_sum, float) - positives * (positives + 1) / 2


def ranks_of(values: Floats) -> Floats:
    """Rank of each row by each column, 1 the lowest, ties their mean.

    Parameters
    ----------
    values : float array of shape (n_rows, n_columns)
        A missing value counts as a value of its own, the lowest.

    Returns
    -------
    float array of shape (n_rows, n_columns)
        Ranks.

    Examples
    --------
    >>> ranks_of(np.array([[5.0], [np.nan], [7.0], [5.0]])).ravel().tolist()
    [2.5, 1.0, 4.0, 2.5]
    """
    return np.asarray(rankdata(np.where(np.isnan(values), -np.inf, values), axis=0))


def auc_of_ranks(rank: Floats, positive: NDArray[np.bool_]) -> Floats:
    """ROC AUC of many scores at once, from their ranks: the fast path of :func:`roc_auc`.

    Parameters
    ----------
    rank : float array of shape (n_rows, n_scores)
        From :func:`ranks_of`.
    positive : bool array of shape (n_rows,)
        Rows with the outcome, or of a group.

    Returns
    -------
    float array of shape (n_scores,)
        Between 0 and 1; nan where all rows are of one kind.

    Examples
    --------
    >>> auc_of_ranks(np.array([[4.0, 1.0], [3.0, 2.0], [2.0, 3.0], [1.0, 4.0]]),
    ...     np.array([True, False, True, False])).tolist()
    [0.75, 0.25]
    """
    n_positive = int(positive.sum())
    won = pairs_in_order(rank[positive].sum(axis=0), n_positive)
    return ratio(won, n_positive * (len(positive) - n_positive))


def expected_over_observed(y_true: ArrayLike, y_prob: ArrayLike) -> float:
    """Sum of the risks divided by the number of outcomes.

    Parameters
    ----------
    y_true : array-like of shape (n_pupils,)
        0 or 1.
    y_prob : array-like of shape (n_pupils,)
        Risks.

    Returns
    -------
    float
        1 is right, above 1 is too high; nan where nobody had the outcome.

    Raises
    ------
    ValueError
        If lengths differ, a risk is missing, or an outcome is not 0 or 1.

    Examples
    --------
    >>> expected_over_observed([1, 0], [0.5, 0.25])
    0.75
    """
    outcome, risk = _checked(y_true, y_prob)
    return float(ratio(risk.sum(), outcome.sum()))


def poisson_interval(count: ArrayLike) -> tuple[Floats, Floats]:
    """Exact 95% interval of the mean of a Poisson count.

    Parameters
    ----------
    count : array-like of any shape
        Events counted; missing stays missing.

    Returns
    -------
    low, high : float arrays of the same shape
        0 is the lower end for a count of 0.

    References
    ----------
    .. [1] Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28, 1936.

    Examples
    --------
    >>> low, high = poisson_interval([0, 10])
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([0.0, 4.8], [3.69, 18.39])
    """
    events = np.asarray(count, float)
    low = np.where(events == 0, 0.0, chi2.ppf(0.025, 2 * np.maximum(events, 1)) / 2)
    return low, np.asarray(chi2.ppf(0.975, 2 * (events + 1)) / 2)


def wilson_interval(successes: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Wilson's 95% score interval of a share.

    Parameters
    ----------
    successes, n : array-like of the same shape
        Counts.

    Returns
    -------
    low, high : float arrays of the same shape
        nan where ``n`` is 0.

    References
    ----------
    .. [1] Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22,
       1927.

    Examples
    --------
    >>> low, high = wilson_interval(1, 2)
    >>> round(float(low), 2), round(float(high), 2)
    (0.09, 0.91)
    """
    total = np.asarray(n, float)
    share, inverse = ratio(successes, total), ratio(1, total)
    width = 1 + Z**2 * inverse
    centre = (share + Z**2 / 2 * inverse) / width
    half = Z / width * np.sqrt(share * (1 - share) * inverse + (Z / 2 * inverse) ** 2)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def _checked(y_true: ArrayLike, y_score: ArrayLike) -> tuple[Floats, Floats]:
    """Return outcomes and scores as arrays, or refuse them."""
    outcome, score = np.asarray(y_true, float), np.asarray(y_score, float)
    if outcome.shape != score.shape or outcome.ndim != 1:
        raise ValueError(
            f"y_true and y_score must be as long as each other; got shapes {outcome.shape} and "
            f"{score.shape}."
        )
    if not np.isin(outcome, [0, 1]).all():
        raise ValueError("y_true must hold 0 and 1 only; drop rows whose outcome is not known.")
    if np.isnan(score).any():
        raise ValueError(f"y_score must not be missing; {int(np.isnan(score).sum())} values are.")
    return outcome, score
