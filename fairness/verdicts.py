"""Is a gap more than chance? One of three verdicts, and the smallest gap that would have been found.

In:  figures of each group and of all others, for the data and for every resample.
Out: rows with difference, ratio, corrected p-value, smallest gap that would be found, and verdict.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom, hypergeom, norm

from riskmodel.data.counted import counted
from riskmodel.data.ratio import ratio
from riskmodel.evaluation.resampling import bounds

__all__ = [
    "DISPARITY",
    "FEWEST_OUTCOMES",
    "NO_EVIDENCE",
    "TOO_FEW",
    "compare_with_others",
    "count_verdicts",
    "fisher_p",
    "holm",
    "judge",
    "level_p",
    "testable",
]

FEWEST_OUTCOMES = 5
"""Pupils that a group, and all others together, need behind a figure for it to be compared; chosen."""

LEVEL, POWER = 0.05, 0.8
"""Chance of any false disparity in one audit; chance with which the detectable gap would be found."""

NO_EVIDENCE, DISPARITY, TOO_FEW = "no evidence", "disparity", "too few to tell"

WORKING = ["error", "chance_p", "furthest", "test"]
"""Columns of a row that only :func:`judge` reads."""

Floats = NDArray[np.float64]


def compare_with_others(
    own: Floats,
    others: Floats,
    pupils: ArrayLike,
    elsewhere: ArrayLike,
    *,
    chance_p: ArrayLike,
    chance_error: ArrayLike,
    furthest: ArrayLike,
) -> pd.DataFrame:
    """Figure of each group beside that of all others.

    Parameters
    ----------
    own, others : arrays of shape (1 + n_draws, n_groups)
        The figure, for the data and for every resample; nan where it is not defined.
    pupils, elsewhere : array-like of int, shape (n_groups,)
        Pupils behind each figure.
    chance_p : array-like of shape (n_groups,)
        The p-value of an exact test on as many pupils; 0 where there is none.
    chance_error : array-like of shape (n_groups,)
        Standard error of the difference if there were no gap, for as many pupils.
    furthest : array-like of shape (n_groups,)
        Largest gap that is possible.

    Returns
    -------
    DataFrame of shape (n_groups, ...)
        ``pupils, pupils_elsewhere, value, others``; ``difference`` (group minus others) and ``ratio``
        with 95% intervals from the resamples; the working columns that :func:`judge` reads.

    Notes
    -----
    Resamples understate the uncertainty of a figure that is 0 or 1 in all of them. So the standard error
    is at least that of as many pupils without a gap, and the p-value at least that of the exact test.

    Examples
    --------
    >>> own, others = np.array([[0.5], [0.4], [0.6]]), np.array([[0.25], [0.25], [0.25]])
    >>> row = compare_with_others(own, others, [20], [80], chance_p=[0.04], chance_error=[0.1],
    ...     furthest=[0.75]).iloc[0]
    >>> float(row["difference"]), float(row["ratio"]), float(row["error"])
    (0.25, 2.0, 0.1)
    """
    difference = own - others
    enough_draws = np.isfinite(difference[1:]).mean(axis=0) >= 1 - 1 / 40
    spread = np.zeros(own.shape[1])
    spread[enough_draws] = np.nanstd(difference[1:, enough_draws], axis=0)
    columns = {
        "pupils": pupils,
        "pupils_elsewhere": elsewhere,
        "value": own[0],
        "others": others[0],
    }
    for name, draws in (("difference", difference), ("ratio", ratio(own, others))):
        low, high = bounds(draws)
        columns |= {name: draws[0], f"{name}_low": low, f"{name}_high": high}
    error = np.fmax(spread, np.asarray(chance_error, dtype=float))
    return pd.DataFrame(columns | {"error": error, "chance_p": chance_p, "furthest": furthest})


def judge(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells of an audit with their verdicts.

    Parameters
    ----------
    cells : DataFrame
        Rows from :func:`compare_with_others`, all of one audit, with ``test``
        (:func:`riskmodel.fairness.rates.label_cells`).

    Returns
    -------
    DataFrame
        Without the working columns, with ``p_value`` (two-sided, corrected after Holm over all
        questions of the audit), ``detectable`` (the gap that would have been found four times in
        five) and ``verdict``: ``disparity``, ``no evidence`` or ``too few to tell``.

    Notes
    -----
    ``too few to tell``: a missing figure, fewer than five pupils on either side, or so few pupils that no
    possible gap would have been found.

    Examples
    --------
    >>> cells = pd.DataFrame({"pupils": [40, 3], "pupils_elsewhere": [400, 437], "test": ["a", "b"],
    ...     "difference": [0.4, 0.4], "error": [0.05, 0.2], "chance_p": 0.0, "furthest": 1.0})
    >>> judge(cells)["verdict"].tolist()
    ['disparity', 'too few to tell']
    """
    gap = cells["difference"].to_numpy(dtype=float)
    error = cells["error"].to_numpy(dtype=float)
    enough = (cells[["pupils", "pupils_elsewhere"]] >= FEWEST_OUTCOMES).all(axis=1).to_numpy()
    tested = enough & np.isfinite(gap)
    from_draws = np.where(gap == 0, 1.0, 2 * norm.sf(ratio(np.abs(gap), error)))
    p = np.fmax(from_draws, cells["chance_p"].to_numpy(dtype=float))
    p_value, n_asked = _corrected(p, tested, cells["test"].to_numpy())
    factor = norm.isf(LEVEL / (2 * max(1, n_asked))) + norm.isf(1 - POWER)
    # where everybody is in one group there is nobody to differ from: undefined, not infinite
    detectable = np.where((error > 0) & np.isfinite(error), factor * error, np.nan)
    blind = detectable > cells["furthest"].to_numpy(dtype=float)
    verdict = np.select(
        [~tested, p_value < LEVEL, blind], [TOO_FEW, DISPARITY, TOO_FEW], NO_EVIDENCE
    )
    return cells.drop(columns=WORKING).assign(
        p_value=p_value, detectable=detectable, verdict=verdict.astype(object)
    )


def _corrected(
    p: Floats, tested: NDArray[np.bool_], questions: NDArray[np.object_]
) -> tuple[Floats, int]:
    """Return p-values corrected over all questions, the largest of each counting, and their number."""
    asked = pd.Series(p[tested]).groupby(questions[tested], sort=True).max()
    corrected = pd.Series(holm(asked.to_numpy()), index=asked.index)
    return np.where(tested, corrected.reindex(questions).to_numpy(dtype=float), np.nan), len(asked)


def holm(p_values: ArrayLike) -> Floats:
    """P-values corrected for their number.

    Parameters
    ----------
    p_values : array-like of shape (n,)
        None missing.

    Returns
    -------
    array of shape (n,)
        Not above 1.

    References
    ----------
    .. [1] Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
       Statistics 6, 1979.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(1.0, steps)
    return corrected


def testable(smallest_p: ArrayLike) -> NDArray[np.bool_]:
    """Whether each test could be significant at all, corrected for the number of those that could.

    Parameters
    ----------
    smallest_p : array-like of shape (n,)
        The smallest p-value that each test can give; nan where there is no test.

    Returns
    -------
    bool array of shape (n,)
        True where the smallest p-value is at most 0.05 ÷ K; at most K are True, with the least K.

    References
    ----------
    .. [1] Tarone, "A modified Bonferroni method for discrete data", Biometrics 46, 1990.

    Examples
    --------
    >>> testable([0.001, 0.03, 0.2, np.nan]).tolist()  # 0.03 is no longer below 0.05 / 2
    [True, False, False, False]
    """
    p = np.asarray(smallest_p, dtype=float)
    for n_tests in range(1, len(p) + 1):
        able = p <= LEVEL / n_tests
        if able.sum() <= n_tests:
            return np.asarray(able)
    return np.zeros(len(p), dtype=bool)


def fisher_p(rate: ArrayLike, other_rate: ArrayLike, n: ArrayLike, other_n: ArrayLike) -> Floats:
    """P-value of Fisher's exact test for two shares, two-sided by doubling.

    Parameters
    ----------
    rate, other_rate : array-like of shape (n_groups,)
        Shares; nan gives 1.
    n, other_n : array-like of int, shape (n_groups,)
        Pupils behind each; rate × n is rounded to whole pupils.

    Returns
    -------
    array
        p-values, not above 1.

    Examples
    --------
    >>> round(float(fisher_p(3 / 3, 0 / 3, 3, 3)), 3)
    0.1
    """
    sizes = np.asarray(n, dtype=float), np.asarray(other_n, dtype=float)
    shares = np.asarray(rate, dtype=float), np.asarray(other_rate, dtype=float)
    hits = [np.rint(np.nan_to_num(s) * size) for s, size in zip(shares, sizes, strict=True)]
    every, all_hits = sizes[0] + sizes[1], hits[0] + hits[1]
    below = hypergeom.cdf(hits[0], every, all_hits, sizes[0])
    above = hypergeom.sf(hits[0] - 1, every, all_hits, sizes[0])
    p = np.minimum(1.0, 2 * np.minimum(below, above))
    return np.where(np.isnan(rate) | np.isnan(other_rate), 1.0, p)


def level_p(
    expected: ArrayLike, other_expected: ArrayLike, observed: ArrayLike, other_observed: ArrayLike
) -> Floats:
    """P-value of equal expected over observed, given how many were observed in all.

    Parameters
    ----------
    expected, other_expected : array-like of shape (n_groups,)
        Sums of risks.
    observed, other_observed : array-like of int, shape (n_groups,)
        Pupils with the outcome.

    Returns
    -------
    array
        Two-sided by doubling, from the binomial distribution of a Poisson count given the sum of two.

    Examples
    --------
    >>> round(float(level_p(1.0, 1.0, 0, 5)), 4)
    0.0625
    """
    hits, n = np.asarray(observed, float), np.asarray(observed, float) + np.asarray(other_observed)
    total = np.asarray(expected, float) + np.asarray(other_expected, float)
    share = np.divide(expected, total, out=np.full(np.shape(total), 0.5), where=total > 0)
    return np.asarray(
        np.minimum(1.0, 2 * np.minimum(binom.cdf(hits, n, share), binom.sf(hits - 1, n, share)))
    )


def count_verdicts(verdicts: pd.DataFrame) -> str:
    """Sentence on how many comparisons had each verdict.

    Parameters
    ----------
    verdicts : DataFrame
        With ``verdict``.

    Returns
    -------
    str
        A sentence.

    Examples
    --------
    >>> sentence = count_verdicts(pd.DataFrame({"verdict": ["disparity", "no evidence"]}))
    >>> sentence.startswith("Of 2 comparisons of a group with all others 1 shows a disparity")
    True
    """
    apart, few = ((verdicts["verdict"] == word).sum() for word in (DISPARITY, TOO_FEW))
    return (
        f"Of {counted(len(verdicts), 'comparison')} of a group with all others "
        f"{apart} {'shows' if apart == 1 else 'show'} a disparity, {len(verdicts) - apart - few} no "
        f"evidence of one, and {few} {'is' if few == 1 else 'are'} too few to tell."
    )
