"""The list's reasons: up to three that raise a pupil's risk and two that protect, with their size.

In:  exact contributions and the pupil's own values.
Out: sentences such as "Attendance fell from 96% to 81% in the last 4 school weeks (risk × 1.8)".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from riskmodel.explain.composed_sentences import compose_sentences
from riskmodel.explain.explanation import Explanation
from riskmodel.explain.subjects import SubjectTotals, subject_totals

__all__ = [
    "N_REASONS",
    "N_STRENGTHS",
    "SMALLEST_FACTOR",
    "reasons_in_words",
    "risk_factors",
    "write_factor",
    "write_sentences",
]

N_REASONS, N_STRENGTHS = 3, 2

SMALLEST_FACTOR = 1.02
"""Smallest factor of the odds that makes a subject a reason."""

LARGEST_FACTOR = 10.0
"""Largest factor that is written in figures: rare facts are known from few pupils."""

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

    Examples
    --------
    >>> parts = pd.DataFrame({"suspensions_12_months": [1.0]})
    >>> one = Explanation(base_value=-3.0, contributions=parts, features=parts * 2,
    ...                   log_odds=np.array([-2.0]))
    >>> reasons_in_words(one, None)["reason_1"].item()
    'Suspended twice in the last 12 months (risk × 2.5)'
    """
    subjects = subject_totals(
        explanation.contributions,
        explanation.features,
        typical,
        months_held=explanation.months_held,
    )
    raising = np.where(subjects.raising >= 0, subjects.totals, 0.0)
    protecting = np.where(subjects.protecting >= 0, -subjects.totals, 0.0)
    raises = np.sort(_largest(raising, N_REASONS), axis=1)  # in the order of reading out
    protects = _largest(protecting, N_STRENGTHS)
    columns = {
        "reason": _worded(explanation, subjects, raises, subjects.raising, 1),
        "strength": _worded(explanation, subjects, protects, subjects.protecting, -1),
    }
    texts = {
        f"{stem}_{number}": column
        for stem, sentences in columns.items()
        for number, column in enumerate(sentences.T, start=1)
    }
    return pd.DataFrame(texts, index=explanation.features.index, dtype="str")


def _worded(
    explanation: Explanation, subjects: SubjectTotals, chosen: Ints, wording: Ints, sign: int
) -> NDArray[np.object_]:
    """Return the sentences of the chosen subjects with their size; empty where none was chosen."""
    pupil, place = np.nonzero(chosen < len(subjects.subjects))
    subject = chosen[pupil, place]
    sentences = write_sentences(
        explanation.features,
        pupil,
        wording[pupil, subject],
        sign,
        months_held=explanation.months_held,
    )
    factors = risk_factors(explanation.log_odds[pupil], subjects.totals[pupil, subject])
    texts = np.full(chosen.shape, "", dtype=object)
    texts[pupil, place] = [
        f"{sentence} ({write_factor(factor)})"
        for sentence, factor in zip(sentences, factors.tolist(), strict=True)
    ]
    return texts


def _largest(push: Floats, n: int) -> Ints:
    """Return the n subjects that push most, largest first; their number where fewer push enough."""
    limit = np.log(SMALLEST_FACTOR)
    n_subjects = push.shape[1]
    padded = np.hstack([push, np.zeros((len(push), n))])
    order = np.argsort(-padded, axis=1, kind="stable")[:, :n]
    enough = np.take_along_axis(padded, order, axis=1) >= limit
    return np.where(enough, order, n_subjects)


def write_sentences(
    features: pd.DataFrame,
    pupil: Ints,
    column: Ints,
    sign: int,
    *,
    months_held: Mapping[str, float] = MappingProxyType({}),
) -> NDArray[np.object_]:
    """Return the sentences of some pupils, each about one feature.

    Parameters
    ----------
    features : DataFrame of shape (n_pupils, n_features)
        The values explained.
    pupil, column : int arrays of shape (n_sentences,)
        Row of the pupil, and column of the feature whose words are used.
    sign : int
        1 if they raise the risk, -1 if they lower it.
    months_held : mapping of str to float
        Table → months for which it holds facts; a table that is not named goes back far enough.

    Returns
    -------
    object array of shape (n_sentences,)
        Without a full stop. School effects begin with "At this school".

    Examples
    --------
    >>> sunny = pd.DataFrame({"days_of_sunshine": [3.0, 4.0]})
    >>> write_sentences(sunny, np.array([1]), np.array([0]), 1).tolist()
    ['Days of sunshine: 4']
    """
    sentences = np.full(len(pupil), "", dtype=object)
    names = [str(name) for name in features.columns]
    for number in np.unique(column):
        here = np.flatnonzero(column == number)
        values = features.iloc[pupil[here]]
        sentences[here] = compose_sentences(names[number], values, sign, months_held=months_held)
    return sentences


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
        the training. A ratio of risks, not of odds: for a high risk it is smaller.

    Examples
    --------
    >>> risk_factors(np.array([0.0]), np.log(np.array([3.0]))).round(3)  # 1/2 against 1/4
    array([2.])
    """
    return np.asarray(expit(log_odds) / expit(log_odds - total))


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
