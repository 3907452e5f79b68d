"""Family circumstances by year group: free school meals, social care, early help.

In:  deprivation and stress at home.
Out: the circumstances of each pupil in each year group, at published levels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riskmodel.simulate.parameters import Preset, parameter
from riskmodel.simulate.shapes import GROUPS, Floats, drift, standardise

__all__ = ["SOCIAL", "draw_circumstances"]

SOCIAL = ("", "child_in_need", "child_protection", "looked_after")
"""Kinds of social care by number."""

FSM_SHAPE = np.array([0.85, 0.89, 0.98, 1.05, 1.10, 1.13, 1.10, 1.08, 1.06, 1.0, 0.95, 0.91])
"""Free school meals by year group beside the phase's level: 22% in Year 1, 28% in Year 5, 22.5% in
Year 11 (DfE, absence distributions, 2022/23), between them smoothed."""


def draw_circumstances(
    deprivation: Floats, stress: Floats, preset: Preset, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.int8], NDArray[np.bool_]]:
    """Draw circumstances.

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
    fsm : bool array of shape (n_pupils, 12)
        Eligible for free school meals.
    social : int8 array of shape (n_pupils, 12)
        Index in :data:`SOCIAL`; a looked-after child has no other kind.
    early_help : bool array of shape (n_pupils, 12)
        Early help, never beside social care.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> deprivation, stress = rng.standard_normal((2, 400))
    >>> fsm, social, early_help = draw_circumstances(deprivation, stress, "england", rng)
    >>> bool((early_help & (social > 0)).any())
    False
    """
    poor = drift(standardise(0.9 * deprivation + 0.3 * stress), 0.9, 0.8, rng)
    hardship = standardise(0.8 * stress + 0.6 * rng.standard_normal(len(stress)))
    social = _social(drift(hardship, 0.45, 0.95, rng), drift(hardship, 0.55, 0.55, rng))
    need_of_help = np.where(social > 0, np.inf, drift(hardship, 0.4, 0.5, rng))
    listed = np.full(GROUPS, max(0.0, parameter("vulnerable_list", preset)) / 100)
    early_help = _highest(need_of_help, np.maximum(listed, 0.05)) & (social == 0)
    return _highest(poor, _fsm_shares(preset)), social, early_help


def _fsm_shares(preset: Preset) -> Floats:
    """Return the share of each year group that is eligible for free school meals."""
    levels = [parameter("fsm.primary", preset), parameter("fsm.secondary", preset)]
    means = [FSM_SHAPE[:7].mean(), FSM_SHAPE[7:].mean()]
    return np.asarray(np.repeat(levels, [7, 5]) * (FSM_SHAPE / np.repeat(means, [7, 5])) / 100)


def _social(care: Floats, risk: Floats) -> NDArray[np.int8]:
    """Return the kind of social care by pupil and year group, from two scores of hardship."""
    social = np.zeros(care.shape, dtype=np.int8)
    looked_after = _constant("social.looked_after")
    social[_highest(care, looked_after)] = SOCIAL.index("looked_after")
    # looked-after children and those on plans are counted as in need too
    for kind, wanted in (
        ("child_protection", _constant("social.child_protection") + looked_after),
        ("child_in_need", _constant("social.child_in_need")),
    ):
        risk = np.where(social > 0, np.inf, risk)
        social[_highest(risk, wanted) & (social == 0)] = SOCIAL.index(kind)
    return social


def _constant(name: str) -> Floats:
    """Return a parameter as the same share of every year group."""
    return np.full(GROUPS, parameter(name) / 100)


def _highest(score: Floats, share: Floats) -> NDArray[np.bool_]:
    """Return in every year group the share of pupils with the highest scores."""
    lines = [np.quantile(score[:, g], 1 - share[g], method="higher") for g in range(score.shape[1])]
    return np.asarray(score > np.array(lines))
