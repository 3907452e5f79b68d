"""The chance of severe absence in the terms to come, from rates of absence in one drawn future.

In:  latent states of the half-terms after a day, suspensions drawn.
Out: the chance that half or more is missed in one of two terms.

Given the rates, the half-days missed in a term are taken as normal. Absence comes in spells, so their
variance is three times that of independent days (autocorrelation 0.5: (1 + 0.5) / (1 - 0.5)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from riskmodel.data.codes import SEVERE
from riskmodel.data.outcomes import TERM_MONTHS
from riskmodel.simulate.attendance import AbsenceSetting
from riskmodel.simulate.calendar import SchoolCalendar
from riskmodel.simulate.life import mean_suspension_days
from riskmodel.simulate.marks import AFTERNOONS, MOST_ABSENT, SPELL, wave
from riskmodel.simulate.shapes import Floats, Ints

__all__ = ["AbsenceAhead", "TermDays", "term_days"]

YEAR = 6
"""Half-terms in a school year."""

TERMS = 2
"""Terms of the horizon."""

_SPREAD = (1 + SPELL) / (1 - SPELL)
"""Variance of the days missed, beside that of independent days."""


@dataclass(frozen=True)
class TermDays:
    """How the school days of half-terms fall into the terms after a day.

    Attributes
    ----------
    days : int array of shape (2, 6)
        School days of each half-term to come that lie in each term.
    in_half_term : int array of shape (6,)
        School days of these half-terms.
    season : float array of shape (6,)
        Mean absence of each beside the pupil's rate.
    """

    days: Ints
    in_half_term: Ints
    season: Floats


def term_days(calendar: SchoolCalendar, as_of: pd.Timestamp, number: int) -> TermDays:
    """Return the school days of the terms after a day; each year is like the first one of the data.

    Parameters
    ----------
    calendar : SchoolCalendar
        School days.
    as_of : Timestamp
        The day of a list, in the first school year or in the August after it.
    number : int
        The last half-term before it, 0 to 5.

    Returns
    -------
    TermDays
        Of the six half-terms that follow.
    """
    first = calendar.half_term < YEAR
    one_year = calendar.days[first].astype("datetime64[D]")
    days = np.append(one_year, one_year + np.timedelta64(52 * 7, "D"))
    half_term = np.append(calendar.half_term[first], calendar.half_term[first] + YEAR)
    starts = [as_of + pd.DateOffset(months=TERM_MONTHS * term) for term in range(TERMS + 1)]
    term = np.searchsorted(np.array(starts, dtype="datetime64[D]"), days, "right") - 1
    ahead = np.arange(number + 1, number + 1 + YEAR)
    counts = [np.bincount(half_term[term == one], minlength=2 * YEAR) for one in range(TERMS)]
    season = np.bincount(calendar.half_term[first], wave(calendar)[first])
    in_half_term = np.bincount(half_term)
    return TermDays(
        np.array(counts)[:, ahead],
        in_half_term[ahead],
        (season / in_half_term[:YEAR])[ahead % YEAR],
    )


class AbsenceAhead:
    """What pupils are expected to miss in the terms ahead, in the future that is being drawn.

    Parameters
    ----------
    n_pupils : int
        Pupils of the LA.
    terms : TermDays
        How half-terms fall into the terms ahead.
    """

    def __init__(self, n_pupils: int, terms: TermDays) -> None:
        self.terms = terms
        self.missed, self.variance, self.days = np.zeros((3, TERMS, n_pupils))

    def add(
        self, rows: Ints, setting: AbsenceSetting, away: Floats, suspensions: Ints, ahead: int
    ) -> None:
        """Add a half-term of some pupils.

        Parameters
        ----------
        rows : int array of shape (n_rows,)
            Pupils.
        setting : AbsenceSetting
            Of the same pupils.
        away : float array of shape (n_rows,)
            Latent state.
        suspensions : int array of shape (n_rows,)
            Suspensions drawn.
        ahead : int
            Which half-term to come, counted from 0.
        """
        for term in np.flatnonzero(self.terms.days[:, ahead]):
            days, share = (
                self.terms.days[term, ahead],
                self._share(setting, away, suspensions, ahead),
            )
            self.missed[term, rows] += days * share
            self.variance[term, rows] += _SPREAD * days * share * (1 - share)
            self.days[term, rows] += days

    def _share(
        self, setting: AbsenceSetting, away: Floats, suspensions: Ints, ahead: int
    ) -> Floats:
        """Return the share of a half-term that pupils are expected to miss."""
        chance = np.minimum(setting.rates(away) * self.terms.season[ahead], MOST_ABSENT)
        share = chance + AFTERNOONS / 2 * chance * (1 - chance)
        out = suspensions * (mean_suspension_days() / self.terms.in_half_term[ahead])
        return np.asarray(share + (1 - share) * np.minimum(out, 1.0))

    def chance(self) -> Floats:
        """Return the chance of severe absence in one of the terms.

        Returns
        -------
        float array of shape (n_pupils,)
            Probability, given what was added.
        """
        beyond = (self.missed - SEVERE * self.days) / np.sqrt(np.maximum(self.variance, 1e-9))
        spared: NDArray[np.float64] = np.where(self.days > 0, norm.sf(beyond), 1.0)
        return np.asarray(1 - spared.prod(axis=0))
