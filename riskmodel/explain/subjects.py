"""Subjects: features added up to what they are about, and whose words each subject gets.

In:  exact contributions and the pupil's own values.
Out: per pupil and subject the sum, and the feature whose words are true of that sum.

Features of one subject are correlated. The model may give one of them more and another less than its
share; only their sum has a meaning. A subject gets the words of a feature that pushes in the direction
of the sum *and* whose value is on that side of what is typical. A feature whose value is on the other
side (good attendance that adds risk, a need that lowers it) never gives the words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.explain.composed_sentences import SUSPENSIONS, may_protect
from riskmodel.explain.history import goes_back_enough, months_needed, months_on_record
from riskmodel.explain.phrases import NONE, SOME, phrase_of, place_of, read_words
from riskmodel.features import CATALOGUE

__all__ = ["SubjectTotals", "members_of", "theme_totals", "subject_totals"]

OF_SCHOOL = "school"
"""Theme of the features that count the other pupils of a school."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class SubjectTotals:
    """What each subject adds for some pupils, and whose words it gets.

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
        Column of the feature that gives the words: where the subject raises the risk, where it is a
        strength, and where it lowers the risk though it is something borne; -1 where none fits.
    """

    subjects: tuple[str, ...]
    themes: tuple[str, ...]
    places: Ints
    totals: Floats
    raising: Ints
    protecting: Ints
    present: Ints


def members_of(names: list[str]) -> dict[str, Ints]:
    """Return the columns of each subject.

    Parameters
    ----------
    names : list of str
        Features, by column.

    Returns
    -------
    dict of str to int array of shape (n_members,)
        Subjects in the order in which they are read out.

    Examples
    --------
    >>> {subject: columns.tolist() for subject, columns in members_of(["rainy_days", "ice"]).items()}
    {'ice': [1], 'rainy days': [0]}
    """
    found: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        found.setdefault(phrase_of(name).subject, []).append(number)
    ordered = sorted(found, key=lambda subject: (place_of(names[found[subject][0]]), subject))
    return {subject: np.array(found[subject]) for subject in ordered}


def subject_totals(
    contributions: pd.DataFrame,
    features: pd.DataFrame,
    typical: Floats | None,
    *,
    months_held: Mapping[str, float] = MappingProxyType({}),
) -> SubjectTotals:
    """Return the sum of each subject, and the feature that gives its words.

    Parameters
    ----------
    contributions : DataFrame of shape (n_pupils, n_features)
        Calibrated log-odds.
    features : DataFrame of shape (n_pupils, n_features)
        The values explained.
    typical : float array of shape (n_features,) or None
        Median of each feature in training; None where it is not known. Then only 0 is
        distinguished from other values.
    months_held : mapping of str to float
        Table → months for which it holds facts. A table that is not named goes back far enough.

    Returns
    -------
    SubjectTotals
        Subjects in the order in which they are read out.
    """
    names = [str(name) for name in contributions.columns]
    members = members_of(names)
    is_held = np.array([goes_back_enough(name, months_held) for name in names], dtype=bool)
    parts = contributions.to_numpy()
    shape = (len(parts), len(members))
    totals, wording = np.zeros(shape), np.full((3, *shape), -1, dtype=np.int64)
    for number, (subject, columns) in enumerate(members.items()):
        used = columns[parts[:, columns].any(axis=0)]
        if len(used):
            totals[:, number] = parts[:, used].sum(axis=1)
            wording[:, :, number] = _wording(
                subject, used, parts[:, used], features, typical, is_held[used]
            )
    firsts = [names[columns[0]] for columns in members.values()]
    themes = tuple(_theme_of(name) for name in firsts)
    places = np.array([place_of(name) for name in firsts], dtype=np.int64)
    return SubjectTotals(tuple(members), themes, places, totals, *wording)


def _wording(
    subject: str,
    columns: Ints,
    parts: Floats,
    features: pd.DataFrame,
    typical: Floats | None,
    is_held: Bools,
) -> Ints:
    """Return for each side and pupil the column that gives a subject its words, -1 where none fits.

    Shape (3, n_pupils). The sides are: it raises the risk, it protects, it is borne.
    """
    names = [str(features.columns[column]) for column in columns]
    values = features.iloc[:, columns].to_numpy(dtype=np.float64)
    usual = np.full(len(columns), np.nan) if typical is None else typical[columns]
    fits = [_fits(names[n], values[:, n], usual[n]) for n in range(len(columns))]
    raises, protects, borne = (np.column_stack(side) for side in zip(*fits, strict=True))
    protects &= _is_on_record(names, values, features) & is_held
    if subject == SUSPENSIONS:
        protects &= may_protect(features)[:, None]
    borne &= subject in _carried()
    for side in (raises, protects, borne):
        side &= _rests_on_facts(parts, values)[:, None]
    clear = np.array([_direction_of(name) != 0 for name in names])
    sides = ((parts, raises), (-parts, protects), (-parts, borne))
    return np.stack([_strongest(push, fit, clear, columns) for push, fit in sides])


def _rests_on_facts(parts: Floats, values: Floats) -> Bools:
    """Return for whom what is known makes up half or more of what the subject adds."""
    known, whole = np.where(np.isnan(values), 0.0, parts).sum(axis=1), parts.sum(axis=1)
    return np.asarray(2 * known * np.sign(whole) >= np.abs(whole))


def _is_on_record(names: list[str], values: Floats, features: pd.DataFrame) -> Bools:
    """Return where a record goes back far enough for nothing on it to be a strength."""
    kinds = np.column_stack([phrase_of(n).kinds(v) for n, v in zip(names, values.T, strict=True)])
    needed = np.array([months_needed(name) for name in names])
    return np.asarray((kinds != NONE) | (months_on_record(features)[:, None] >= needed))


@cache
def _carried() -> frozenset[str]:
    """Return the subjects that the pupil or the family bears."""
    return frozenset(row["subject"] for row in read_words("subjects.csv") if row["carried"])


def _theme_of(name: str) -> str:
    return CATALOGUE[name].theme if name in CATALOGUE else "other"


def _direction_of(name: str) -> int:
    return CATALOGUE[name].direction if name in CATALOGUE else 0


def _fits(name: str, values: Floats, typical: float) -> tuple[Bools, Bools, Bools]:
    """Return for whom a feature's words fit: where it raises, where it protects, where it is borne."""
    phrase = phrase_of(name)
    kinds = phrase.kinds(values)
    texts = (*phrase.texts, "")  # what is missing is neither reason nor strength
    has_text = np.array([bool(text) and _may_be_reason(name) for text in texts])[kinds]
    borne = has_text & (kinds == SOME)
    # few suspensions of other pupils are no strength of this one
    raises, protects = has_text, has_text & phrase.strength & (_theme_of(name) != OF_SCHOOL)
    direction = _direction_of(name)
    if direction:
        higher, lower = _beyond_typical(values, typical, kinds, is_flag=phrase.unit == "yes/no")
        worse, better = (higher, lower) if direction > 0 else (lower, higher)
        raises, protects = raises & worse, protects & better
    if name in CATALOGUE and direction >= 0:
        raises = raises & (kinds != NONE)  # what is not there raises nothing
    return raises, protects, borne


def _may_be_reason(name: str) -> bool:
    return name not in CATALOGUE or CATALOGUE[name].may_be_reason


def _beyond_typical(
    values: Floats, typical: float, kinds: Ints, *, is_flag: bool
) -> tuple[Bools, Bools]:
    """Return where values are not below, and not above, what is typical."""
    higher, lower = ~(values < typical), ~(values > typical)  # all true where it is not known
    if is_flag:
        higher, lower = higher & (kinds != NONE), lower & (kinds != SOME)
    return higher, lower


def _strongest(push: Floats, fits: Bools, clear: Bools, columns: Ints) -> Ints:
    """Return the column that pushes most among those whose words fit, -1 where there is none.

    Features whose direction the catalogue knows come before others: "authorised absence was 14%" adds
    nothing for a reader of "attendance was 71%".
    """
    wording = np.full(len(push), -1, dtype=np.int64)
    for tier in (~clear, clear):  # the second overrides the first
        allowed = np.where(fits & tier, push, 0.0)
        best = allowed.argmax(axis=1)
        found = allowed[np.arange(len(push)), best] > 0
        wording[found] = columns[best[found]]
    return wording


def theme_totals(contributions: pd.DataFrame) -> pd.DataFrame:
    """Return the contributions of each theme, added up.

    Parameters
    ----------
    contributions : DataFrame of shape (n_pupils, n_features)
        Calibrated log-odds.

    Returns
    -------
    DataFrame of shape (n_pupils, n_themes)
        One float column per theme, rows as given; with the base value a row adds up to
        ``logit(risk)``. Features outside the catalogue make the theme ``other``.

    Examples
    --------
    >>> theme_totals(pd.DataFrame({"fsm_now": [0.25], "fsm_ever": [0.5]})).values.tolist()
    [[0.75]]
    """
    names = [str(name) for name in contributions.columns]
    themes = [_theme_of(name) for name in names]
    return contributions.T.groupby(np.array(themes), sort=False).sum().T
