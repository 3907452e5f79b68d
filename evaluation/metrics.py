"""How good a list of a fixed size is, and how good its risks are.

In:  outcomes and scores (arrays, one row per pupil), and row weights.
Out: one number per metric.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, norm

__all__ = [
    "average_precision",
    "expected_over_observed",
    "poisson_interval",
    "precision_at_k",
    "recall_at_k",
    "roc_auc",
    "wilson_interval",
]

Floats = NDArray[np.float64]


def _checked(y_true: ArrayLike, y_score: ArrayLike) -> tuple[Floats, Floats]:
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


def _found_at_k(outcome: Floats, score: Floats, k: int) -> float:
    """Return the outcomes among the k highest scores, ties counted in proportion."""
    if not 1 <= k <= outcome.size:
        raise ValueError(f"k must be between 1 and the number of pupils ({outcome.size}), got {k}.")
    threshold = np.partition(score, -k)[-k]
    above, tied = score > threshold, score == threshold
    return float(outcome[above].sum() + (k - above.sum()) * outcome[tied].mean())


def precision_at_k(y_true: ArrayLike, y_score: ArrayLike, *, k: int) -> float:
    """Share of the ``k`` highest-scored pupils who had the outcome.

    Parameters
    ----------
    y_true : array-like of shape (n_pupils,)
        1 if the outcome happened within the horizon, 0 if not.
    y_score : array-like of shape (n_pupils,)
        Higher is more at risk; only the order matters.
    k : int
        Capacity in pupils.

    Returns
    -------
    float
        Between 0 and 1; ties across the k-th place count in proportion [1]_.

    Raises
    ------
    ValueError
        If lengths differ, a score is missing, an outcome is not 0 or 1, or ``k`` is out of range.

    References
    ----------
    .. [1] McSherry and Najork, "Computing information retrieval performance measures efficiently
       in the presence of tied scores", ECIR 2008.

    Examples
    --------
    >>> precision_at_k([1, 0, 1, 0], [0.9, 0.8, 0.3, 0.1], k=2)
    0.5
    """
    outcome, score = _checked(y_true, y_score)
    return _found_at_k(outcome, score, k) / k


def recall_at_k(y_true: ArrayLike, y_score: ArrayLike, *, k: int) -> float:
    """Share of the pupils who had the outcome that are among the ``k`` highest-scored.

    Parameters
    ----------
    y_true, y_score : array-like of shape (n_pupils,)
        As for :func:`precision_at_k`.
    k : int
        Capacity in pupils.

    Returns
    -------
    float
        Between 0 and 1; nan where nobody had the outcome.

    Raises
    ------
    ValueError
        As for :func:`precision_at_k`.

    Examples
    --------
    >>> recall_at_k([1, 0, 1, 0], [0.9, 0.8, 0.3, 0.1], k=1)
    0.5
    """
    outcome, score = _checked(y_true, y_score)
    found = _found_at_k(outcome, score, k)
    return found / float(outcome.sum()) if outcome.any() else float("nan")


def average_precision(
    y_true: ArrayLike, y_score: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Mean of the precision at each pupil who had the outcome, ties taken as one step.

    Parameters
    ----------
    y_true, y_score : array-like of shape (n_pupils,)
        As for :func:`precision_at_k`.
    sample_weight : array-like of shape (n_pupils,), optional
        Weight of each row; 2 equals a repeated row.

    Returns
    -------
    float
        Between 0 and 1; the prevalence for scores that say nothing; nan where nobody had the
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
    weight = np.ones_like(outcome) if sample_weight is None else np.asarray(sample_weight, float)
    order = np.argsort(-score, kind="stable")
    return float(_average_precision_sorted(outcome[order], score[order], weight[order][None, :])[0])


def _average_precision_sorted(outcome: Floats, score: Floats, weights: Floats) -> Floats:
    """Average precision for many weightings of rows already sorted by falling score."""
    last_of_tie = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    found = np.cumsum(weights * outcome, axis=1)[:, last_of_tie]
    listed = np.cumsum(weights, axis=1)[:, last_of_tie]
    gained = np.diff(found, axis=1, prepend=0.0)
    precision = np.divide(found, listed, out=np.zeros_like(found), where=listed > 0)
    total = found[:, -1]
    return np.divide(
        (precision * gained).sum(axis=1), total, out=np.full(len(total), np.nan), where=total > 0
    )


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
    positives = outcome.sum()
    negatives = outcome.size - positives
    if not positives or not negatives:
        return float("nan")
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    pairs = ranks[outcome == 1].sum() - positives * (positives + 1) / 2
    return float(pairs / (positives * negatives))


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
    return float(risk.sum() / outcome.sum()) if outcome.any() else float("nan")


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


def wilson_interval(
    successes: ArrayLike, n: ArrayLike, *, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Return Wilson's score interval of a share.

    Parameters
    ----------
    successes, n : array-like of the same shape
        Counts.
    confidence : float
        Between 0 and 1.

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
    count, total = np.asarray(successes, float), np.asarray(n, float)
    z = norm.ppf((1 + confidence) / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = count / total
        centre = (share + z**2 / (2 * total)) / (1 + z**2 / total)
        half = (
            z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
        )
        return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
