"""What a pupil's score is about: features added up to subjects, and which fact may speak for each.

In:  exact contributions and the pupil's own values.
Out: per pupil and subject the sum, and the feature whose words are true of that sum.

Features of one subject are correlated, and the model may give one of them more and another less
than its share; only their sum says something. The words are those of a member that pushes the
sum's way *and* whose value is on that side of what is typical. A member whose value says the opposite
(good attendance that adds risk, a need that takes it away) never speaks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.explain.composed_sentences import SUSPENSIONS, may_protect
from riskmodel.explain.phrases import NONE, TOLD, phrase_of, place_of, read_words
from riskmodel.features import CATALOGUE

__all__ = ["SubjectTotals", "members_of", "theme_totals", "subject_totals"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SubjectTotals:
    """Subjects of some pupils.

    Attributes
    ----------
    subjects : tuple of str
        Subjects, in the order of :attr:`places`.
    themes : tuple of str
        Theme of each.
    places : int array of shape (n_subjects,)
        Where each comes when reasons are read out.
    totals : float array of shape (n_pupils, n_subjects)
        Calibrated log-odds.
    raising, protecting, present : int arrays of shape (n_pupils, n_subjects)
        Column of the feature that speaks where the subject raises the risk, where it is told as
        a strength, and where it lowers the risk though it is something borne; -1 where none may.
    """

    subjects: tuple[str, ...]
    themes: tuple[str, ...]
    places: NDArray[np.int64]
    totals: Floats
    raising: NDArray[np.int64]
    protecting: NDArray[np.int64]
    present: NDArray[np.int64]


def members_of(names: list[str]) -> dict[str, NDArray[np.int64]]:
    """Return the columns of each subject.

    Parameters
    ----------
    names : list of str
        Features, by column.

    Returns
    -------
    dict of str to int array of shape (n_members,)
        Subjects in the order in which they are read out.
    """
    found: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        found.setdefault(phrase_of(name).subject, []).append(number)
    ordered = sorted(found, key=lambda subject: (place_of(names[found[subject][0]]), subject))
    return {subject: np.array(found[subject]) for subject in ordered}


def subject_totals(
    contributions: pd.DataFrame, features: pd.DataFrame, typical: Floats | None
) -> SubjectTotals:
    """Add up subjects, and find who speaks for each.

    Parameters
    ----------
    contributions : DataFrame of shape (n_pupils, n_features)
        Calibrated log-odds.
    features : DataFrame of shape (n_pupils, n_features)
        The values explained.
    typical : float array of shape (n_features,) or None
        Median of each feature in training; None where it is not known, and then only what is 0
        is told from what is not.

    Returns
    -------
    SubjectTotals
        Subjects in the order in which they are read out.
    """
    names = [str(name) for name in contributions.columns]
    members = members_of(names)
    carried = {row["subject"] for row in read_words("subjects.csv") if row["carried"]}
    parts = contributions.to_numpy()
    shape = (len(parts), len(members))
    totals, chosen = np.zeros(shape), np.full((3, *shape), -1, dtype=np.int64)
    for number, (subject, columns) in enumerate(members.items()):
        columns = columns[parts[:, columns].any(axis=0)]
        if not len(columns):
            continue
        totals[:, number] = parts[:, columns].sum(axis=1)
        values = features.iloc[:, columns].to_numpy(dtype=np.float64)
        usual = np.full(len(columns), np.nan) if typical is None else typical[columns]
        facts = [_sides(names[c], values[:, n], usual[n]) for n, c in enumerate(columns)]
        clear = np.array(
            [names[c] in CATALOGUE and CATALOGUE[names[c]].direction != 0 for c in columns]
        )
        raises, protects, there = (np.column_stack(side) for side in zip(*facts, strict=True))
        if subject == SUSPENSIONS:
            protects &= may_protect(features)[:, None]
        there &= subject in carried
        for side, sign, may in ((0, 1, raises), (1, -1, protects), (2, -1, there)):
            chosen[side, :, number] = _strongest(sign * parts[:, columns], may, clear, columns)
    first = [columns[0] for columns in members.values()]
    themes = (CATALOGUE[names[c]].theme if names[c] in CATALOGUE else "other" for c in first)
    places = np.array([place_of(names[column]) for column in first], dtype=np.int64)
    return SubjectTotals(tuple(members), tuple(themes), places, totals, *chosen)


def _sides(
    name: str, values: Floats, typical: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Say for whom a feature may speak when it raises, when it protects, and as something borne."""
    phrase = phrase_of(name)
    kinds = phrase.kinds(values)
    sayable = np.array([bool(text) for text in phrase.texts])[kinds]
    direction = CATALOGUE[name].direction if name in CATALOGUE else 0
    if direction == 0:
        return sayable, sayable & phrase.strength, sayable & (kinds == TOLD)
    is_flag = phrase.unit == "yes/no"
    above, below = ~(values < typical), ~(values > typical)  # all true where typical is not known
    if direction > 0:
        raises, protects = above & (kinds != NONE), below & ~(is_flag & (kinds == TOLD))
    else:
        raises, protects = (
            below & ~(is_flag & (kinds == TOLD)),
            above & ~(is_flag & (kinds == NONE)),
        )
    if phrase.subject == SUSPENSIONS:
        raises &= kinds == TOLD  # what is missing is a suspension that never was
    return sayable & raises, sayable & protects & phrase.strength, sayable & (kinds == TOLD)


def _strongest(
    push: Floats, may: NDArray[np.bool_], clear: NDArray[np.bool_], columns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the column that pushes most of those that may speak, -1 where none does.

    Features whose direction the catalogue knows speak before others: "authorised absence was 14%"
    adds nothing for a reader where "attendance was 71%" may be said.
    """
    speaker = np.full(len(push), -1, dtype=np.int64)
    for tier in (~clear, clear):  # the second overrides the first
        allowed = np.where(may & tier, push, 0.0)
        best = allowed.argmax(axis=1)
        found = allowed[np.arange(len(push)), best] > 0
        speaker[found] = columns[best[found]]
    return speaker


def theme_totals(contributions: pd.DataFrame) -> pd.DataFrame:
    """Add up contributions by theme.

    Parameters
    ----------
    contributions : DataFrame of shape (n_pupils, n_features)
        Calibrated log-odds.

    Returns
    -------
    DataFrame of shape (n_pupils, n_themes)
        One float column per theme, rows as given; with the base value a row adds up to
        ``logit(risk)``. Features outside the catalogue make the theme ``other``.
    """
    names = [str(name) for name in contributions.columns]
    themes = [CATALOGUE[name].theme if name in CATALOGUE else "other" for name in names]
    return contributions.T.groupby(np.array(themes), sort=False).sum().T
