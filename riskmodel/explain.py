"""Reasons in plain words: what raises a pupil's risk, and what protects.

In:  exact contributions and the pupil's own values.
Out: up to three reasons and two strengths, and totals per theme.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.assess import Assessment
from riskmodel.features import CATALOGUE

__all__ = ["N_REASONS", "N_STRENGTHS", "reasons", "theme_totals", "word_reasons"]

N_REASONS, N_STRENGTHS = 3, 2

SMALLEST_FACTOR = 1.02
"""A group of features is told only if it changes the odds by this factor or more."""

UNITS_NOT_SAID = ("", "count", "school years", "decile")
"""Units that the label says already."""


def reasons(assessment: Assessment) -> pd.DataFrame:
    """Return reasons and strengths of every pupil.

    Parameters
    ----------
    assessment : Assessment
        Scores with contributions.

    Returns
    -------
    DataFrame
        ``reason_1`` to ``reason_3`` and ``strength_1``, ``strength_2``; empty text where there is
        none.
    """
    return word_reasons(assessment.contributions, assessment.features)


def word_reasons(contributions: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Put contributions into words.

    Parameters
    ----------
    contributions : DataFrame of shape (n_pupils, n_features)
        Calibrated log-odds.
    features : DataFrame of shape (n_pupils, n_features)
        The values explained.

    Returns
    -------
    DataFrame
        ``reason_1`` to ``reason_3``, ``strength_1``, ``strength_2``. Features of one theme and table
        are correlated, so they make one reason: its size is their sum, its words those of the
        member that weighs most.
    """
    groups = _groups(list(map(str, contributions.columns)))
    parts = contributions.to_numpy()
    totals = np.column_stack([parts[:, members].sum(axis=1) for members in groups.values()])
    order = np.argsort(-totals, axis=1, kind="stable")
    members = list(groups.values())
    columns = {}
    for place in range(N_REASONS):
        chosen = order[:, place] if place < totals.shape[1] else None
        columns[f"reason_{place + 1}"] = _words(chosen, totals, members, contributions, features, 1)
    for place in range(N_STRENGTHS):
        chosen = order[:, -1 - place] if place < totals.shape[1] else None
        columns[f"strength_{place + 1}"] = _words(
            chosen, totals, members, contributions, features, -1
        )
    return pd.DataFrame(columns, index=contributions.index, dtype="str")


def _groups(names: list[str]) -> dict[tuple[str, str], NDArray[np.int64]]:
    """Return the columns of each theme and table, by number."""
    groups: dict[tuple[str, str], list[int]] = {}
    for number, name in enumerate(names):
        feature = CATALOGUE.get(name)
        groups.setdefault((feature.theme, feature.source) if feature else (name, ""), []).append(
            number
        )
    return {key: np.array(value) for key, value in groups.items()}


def _words(
    chosen: NDArray[np.int64] | None,
    totals: NDArray[np.float64],
    members: list[NDArray[np.int64]],
    contributions: pd.DataFrame,
    features: pd.DataFrame,
    sign: int,
) -> NDArray[np.object_]:
    """Word the chosen group of each pupil; empty where it does not push in the sign's direction."""
    texts = np.full(len(totals), "", dtype=object)
    if chosen is None:
        return texts
    size = totals[np.arange(len(totals)), chosen]
    tell = sign * size >= np.log(SMALLEST_FACTOR)
    parts, values = contributions.to_numpy(), features.to_numpy()
    for group in np.unique(chosen[tell]):
        rows = np.flatnonzero(tell & (chosen == group))
        columns = members[group]
        strongest = columns[(sign * parts[np.ix_(rows, columns)]).argmax(axis=1)]
        for column in np.unique(strongest):
            here = rows[strongest == column]
            texts[here] = _sentences(
                str(contributions.columns[column]), values[here, column], size[here]
            )
    return texts


def _sentences(name: str, value: NDArray[np.float32], size: NDArray[np.float64]) -> list[str]:
    feature = CATALOGUE.get(name)
    label = feature.label if feature else name.replace("_", " ")
    unit = feature.unit if feature else ""
    factors = np.exp(size)
    return [
        f"{label}: {_value(v, unit)} (odds × {_factor(f)})"
        for v, f in zip(value.tolist(), factors.tolist(), strict=True)
    ]


def _factor(factor: float) -> str:
    """Write a factor so that it is never rounded to 1 or to 0."""
    if factor >= 1.1:
        return f"{factor:.1f}" if factor < 100 else "100 or more"
    return f"{factor:.2f}" if factor >= 0.01 else "0.01 or less"


def _value(value: float, unit: str) -> str:
    """Write a value in its unit."""
    if not np.isfinite(value):
        return "not known"
    if unit == "yes/no":
        return "yes" if value >= 0.5 else "no"
    if unit == "share":
        return f"{value:z.0%}"
    words = "" if unit in UNITS_NOT_SAID else f" {unit}"
    if value == 1 and unit.endswith("s"):
        words = words.removesuffix("s")
    digits = 0 if abs(value) >= 10 or value == round(value) else 1
    return f"{value:z.{digits}f}{words}"


def theme_totals(assessment: Assessment) -> pd.DataFrame:
    """Add up contributions by theme.

    Parameters
    ----------
    assessment : Assessment
        Scores with contributions.

    Returns
    -------
    DataFrame
        One float column per theme, rows as in the scores; with ``base_value`` a row adds up to
        ``logit(risk)``. Features outside the catalogue make the theme ``other``.
    """
    names = [str(name) for name in assessment.contributions.columns]
    themes = [CATALOGUE[name].theme if name in CATALOGUE else "other" for name in names]
    return assessment.contributions.T.groupby(np.array(themes), sort=False).sum().T
