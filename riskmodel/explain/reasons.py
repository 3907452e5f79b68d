"""The list's reasons: up to three that raise a pupil's risk and two that protect, with their size.

In:  exact contributions and the pupil's own values.
Out: sentences such as "Attendance fell from 96% to 81% in the last 4 school weeks (risk × 1.8)".
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.explain.composed_sentences import tell
from riskmodel.explain.explanation import Explanation
from riskmodel.explain.subjects import SubjectTotals, subject_totals

__all__ = [
    "N_REASONS",
    "N_STRENGTHS",
    "SMALLEST_FACTOR",
    "reasons_in_words",
    "risk_factors",
    "say",
    "write_factor",
]

N_REASONS, N_STRENGTHS = 3, 2

SMALLEST_FACTOR = 1.02
"""A subject is told only if it changes the odds by this factor or more."""

LARGEST_FACTOR = 10.0
"""Factors beyond it are not told in figures: rare facts are known from few pupils."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def reasons_in_words(explanation: Explanation, typical: Floats | None) -> pd.DataFrame:
    """Return reasons and strengths of every pupil, as sentences.

    Parameters
    ----------
    explanation : Explanation
        Contributions and the values explained.
    typical : float array of shape (n_features,) or None
        Median of each feature in training, see :func:`riskmodel.explain.subjects.subject_totals`.

    Returns
    -------
    DataFrame
        ``reason_1`` to ``reason_3``: the three subjects that raise the risk most, circumstances and
        needs first, incidents last. ``strength_1``, ``strength_2``: the two that lower it most.
        Empty text where there is none.
    """
    features, log_odds = explanation.features, explanation.log_odds
    weighed = subject_totals(explanation.contributions, features, typical)
    limit = np.log(SMALLEST_FACTOR)
    raising = np.where(weighed.raising >= 0, weighed.totals, 0.0)
    protecting = np.where(weighed.protecting >= 0, -weighed.totals, 0.0)
    columns: dict[str, NDArray[np.object_]] = {}
    for stem, sign, push, n, speaker in (
        ("reason", 1, raising, N_REASONS, weighed.raising),
        ("strength", -1, protecting, N_STRENGTHS, weighed.protecting),
    ):
        chosen = _largest(push, n, limit)
        if sign > 0:
            chosen = np.sort(chosen, axis=1)  # subjects stand in the order of reading out
        pupil, place = np.nonzero(chosen < push.shape[1])
        subject = chosen[pupil, place]
        words = say(weighed, pupil, subject, speaker[pupil, subject], features, sign)
        factor = risk_factors(log_odds[pupil], weighed.totals[pupil, subject])
        texts = np.full(chosen.shape, "", dtype=object)
        texts[pupil, place] = [
            f"{text} ({write_factor(size)})"
            for text, size in zip(words, factor.tolist(), strict=True)
        ]
        columns |= {f"{stem}_{k + 1}": texts[:, k] for k in range(n)}
    return pd.DataFrame(columns, index=features.index, dtype="str")


def _largest(push: Floats, n: int, limit: float) -> Ints:
    """Return the n subjects that push most, largest first; their number where fewer push enough."""
    n_subjects = push.shape[1]
    padded = np.hstack([push, np.zeros((len(push), n))])
    order = np.argsort(-padded, axis=1, kind="stable")[:, :n]
    enough = np.take_along_axis(padded, order, axis=1) >= limit
    return np.where(enough, order, n_subjects)


def say(
    weighed: SubjectTotals,
    pupil: Ints,
    subject: Ints,
    column: Ints,
    features: pd.DataFrame,
    sign: int,
) -> NDArray[np.object_]:
    """Write the sentences of some pupils and subjects.

    Parameters
    ----------
    weighed : SubjectTotals
        Subjects of the pupils.
    pupil, subject, column : int arrays of shape (n_sentences,)
        Row, subject and the feature that speaks.
    features : DataFrame of shape (n_pupils, n_features)
        The values explained.
    sign : int
        1 if they raise the risk, -1 if they lower it.

    Returns
    -------
    object array of shape (n_sentences,)
        Without a full stop. School effects begin with "At this school".
    """
    made = np.full(len(pupil), "", dtype=object)
    names = [str(name) for name in features.columns]
    for number in np.unique(column):
        here = np.flatnonzero(column == number)
        made[here] = tell(names[number], features.iloc[pupil[here]], sign)
    return made


def risk_factors(log_odds: Floats, total: Floats) -> Floats:
    """Return how many times the risk is what it would be without a subject.

    Parameters
    ----------
    log_odds : float array of shape (n_rows,)
        Calibrated log-odds of the pupil.
    total : float array of shape (n_rows,)
        What the subject adds to them.

    Returns
    -------
    float array of shape (n_rows,)
        ``risk / risk without``: the risk if the subject added nothing, as for the average row of
        the training. A ratio of risks, not of odds: of a high risk, less.

    Examples
    --------
    >>> risk_factors(np.array([0.0]), np.log(np.array([3.0]))).round(3)  # 1/2 against 1/4
    array([2.])
    """
    return np.asarray((1 + np.exp(total - log_odds)) / (1 + np.exp(-log_odds)))


def write_factor(factor: float) -> str:
    """Write how many times the risk; never as if it were 1 or 0, and not beyond what can be known.

    Parameters
    ----------
    factor : float
        Greater than 0.

    Returns
    -------
    str
        ``risk × 1.8``; beyond ten or below a tenth in words.

    Examples
    --------
    >>> write_factor(1.84), write_factor(0.7), write_factor(250.0)
    ('risk × 1.8', 'risk × 0.70', 'more than 10 times the risk')
    """
    if factor > LARGEST_FACTOR:
        return "more than 10 times the risk"
    if factor < 1 / LARGEST_FACTOR:
        return "less than a tenth of the risk"
    if factor >= 1.1:
        return f"risk × {factor:.1f}"
    digits = 2
    while f"{factor:.{digits}f}" == f"{1:.{digits}f}" and digits < 6:
        digits += 1
    return f"risk × {factor:.{digits}f}"
