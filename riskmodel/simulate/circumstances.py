"""Family circumstances by year group: free school meals, social care, early help.

In:  deprivation and stress at home.
Out: the circumstances of each pupil in each year group, at published levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskmodel.simulate.parameters import Preset, parameter
from riskmodel.simulate.shapes import GROUPS, Drift, Floats, Ints, drift, standardise

__all__ = ["SOCIAL", "Circumstances", "Hardship", "draw_hardship"]

SOCIAL = ("", "child_in_need", "child_protection", "looked_after")
"""Kinds of social care by number."""

FSM_SHAPE = np.array([0.85, 0.89, 0.98, 1.05, 1.10, 1.13, 1.10, 1.08, 1.06, 1.0, 0.95, 0.91])
"""Free school meals by year group beside the phase's level: 22% in Year 1, 28% in Year 5, 22.5% in
Year 11 (DfE, absence distributions, 2022/23), between them smoothed."""


@dataclass(frozen=True)
class Hardship:
    """The scores behind circumstances, and above which line of each a pupil has them.

    Attributes
    ----------
    poverty, care, risk, help : Drift
        Scores behind free school meals, being looked after, other social care, early help.
    lines : dict of str to float array of shape (12,)
        Kind of circumstances → the line in each year group.
    """

    poverty: Drift
    care: Drift
    risk: Drift
    help: Drift
    lines: dict[str, Floats]

    def redrawn(self, known: Ints, rng: np.random.Generator) -> Hardship:
        """Return the scores drawn again after the year group that is known; the lines stay.

        Parameters
        ----------
        known : int array of shape (n_pupils,)
            Last year group of which each pupil's circumstances are known.
        rng : Generator
            Source of randomness.

        Returns
        -------
        Hardship
            The same up to that year group.
        """
        drawn = {name: getattr(self, name).redrawn(known, rng) for name in DRIFTS}
        return Hardship(**drawn, lines=self.lines)

    def circumstances(self) -> Circumstances:
        """Return the circumstances that the scores and the lines give.

        Returns
        -------
        Circumstances
            By pupil and year group.
        """
        social = np.zeros(self.care.score.shape, dtype=np.int8)
        for kind in ("looked_after", "child_protection", "child_in_need"):
            score = self.care.score if kind == "looked_after" else self.risk.score
            social[(score > self.lines[kind]) & (social == 0)] = SOCIAL.index(kind)
        early_help = (self.help.score > self.lines["early_help"]) & (social == 0)
        return Circumstances(self.poverty.score > self.lines["fsm"], social, early_help)


DRIFTS = ("poverty", "care", "risk", "help")


@dataclass(frozen=True)
class Circumstances:
    """Family circumstances of every pupil in every year group.

    Attributes
    ----------
    fsm : bool array of shape (n_pupils, 12)
        Eligible for free school meals.
    social : int8 array of shape (n_pupils, 12)
        Index in :data:`SOCIAL`; a looked-after child has no other kind.
    early_help : bool array of shape (n_pupils, 12)
        Early help, never beside social care.
    """

    fsm: NDArray[np.bool_]
    social: NDArray[np.int8]
    early_help: NDArray[np.bool_]


def draw_hardship(
    deprivation: Floats, stress: Floats, preset: Preset, rng: np.random.Generator
) -> Hardship:
    """Draw the scores behind circumstances, and set the lines so that shares are as published.

    Parameters
    ----------
    deprivation, stress : float arrays of shape (n_pupils,)
        Standard normal.
    preset : str
        ``"england"`` or ``"bcp"``.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Hardship
        Scores and lines.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> deprivation, stress = rng.standard_normal((2, 400))
    >>> made = draw_hardship(deprivation, stress, "england", rng).circumstances()
    >>> bool((made.early_help & (made.social > 0)).any())
    False
    """
    poverty = drift(standardise(0.9 * deprivation + 0.3 * stress), 0.9, 0.8, rng)
    hardship = standardise(0.8 * stress + 0.6 * rng.standard_normal(len(stress)))
    care, risk = drift(hardship, 0.45, 0.95, rng), drift(hardship, 0.55, 0.55, rng)
    help_ = drift(hardship, 0.4, 0.5, rng)
    lines = _lines(poverty.score, care.score, risk.score, help_.score, preset)
    return Hardship(poverty, care, risk, help_, lines)


def _lines(
    poverty: Floats, care: Floats, risk: Floats, help_: Floats, preset: Preset
) -> dict[str, Floats]:
    """Return the line of each kind in every year group.

    The lines depend on each other. A pupil with one kind of social care takes a place of the next,
    since looked-after children and those on plans are counted as in need too.
    """
    looked_after, in_need = _constant("social.looked_after"), _constant("social.child_in_need")
    on_plans = _constant("social.child_protection") + looked_after
    lines = {
        "fsm": _line_above(poverty, _fsm_shares(preset)),
        "looked_after": _line_above(care, looked_after),
    }
    above = care > lines["looked_after"]
    for kind, share in (("child_protection", on_plans), ("child_in_need", in_need)):
        lines[kind] = _line_above(np.where(above, np.inf, risk), share)
        above = above | (risk > lines[kind])
    helped = np.maximum(parameter("vulnerable_list", preset) / 100, 0.05)
    lines["early_help"] = _line_above(np.where(above, np.inf, help_), np.full(GROUPS, helped))
    return lines


def _fsm_shares(preset: Preset) -> Floats:
    """Return the share of each year group that is eligible for free school meals."""
    levels = [parameter("fsm.primary", preset), parameter("fsm.secondary", preset)]
    means = [FSM_SHAPE[:7].mean(), FSM_SHAPE[7:].mean()]
    return np.asarray(np.repeat(levels, [7, 5]) * (FSM_SHAPE / np.repeat(means, [7, 5])) / 100)


def _constant(name: str) -> Floats:
    """Return a parameter as the same share of every year group."""
    return np.full(GROUPS, parameter(name) / 100)


def _line_above(score: Floats, share: Floats) -> Floats:
    """Return, per year group, the line above which the given share of pupils has its scores."""
    return np.array(
        [np.quantile(score[:, g], 1 - share[g], method="higher") for g in range(score.shape[1])]
    )
