"""Family circumstances by year group: free school meals, social care, early help.

In:  deprivation and stress at home.
Out: who is in which circumstances in which year group, at published levels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riskmodel.simulate.parameters import Preset, parameter
from riskmodel.simulate.shapes import GROUPS, Floats, Ints, drift, standardise

__all__ = ["SOCIAL", "draw_circumstances"]

SOCIAL = ("", "child_in_need", "child_protection", "looked_after")
"""Kinds of social care by number."""

FSM_SHAPE = np.array([0.85, 0.89, 0.98, 1.05, 1.10, 1.13, 1.10, 1.08, 1.06, 1.0, 0.95, 0.91])
"""Free school meals by year group beside the phase's level: 22% in Year 1, 28% in Year 5, 22.5% in
Year 11 (DfE, absence distributions, 2022/23), between them smoothed."""


def draw_circumstances(
    deprivation: Floats, stress: Floats, first_group: Ints, preset: Preset, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.int8], NDArray[np.bool_]]:
    """Draw circumstances.

    Parameters
    ----------
    deprivation, stress : float arrays of shape (n_pupils,)
        Standard normal.
    first_group : int array of shape (n_pupils,)
        Year group in the first school year.
    preset : str
        ``"england"`` or ``"bcp"``.
    rng : Generator
        Source of randomness.

    Returns
    -------
    fsm : bool array of shape (n_pupils, 12)
        Eligible for free school meals.
    social : int8 array of shape (n_pupils, 12)
        Place in :data:`SOCIAL`; who is looked after is that alone.
    early_help : bool array of shape (n_pupils, 12)
        Early help, never beside social care.
    """
    poor = drift(standardise(0.9 * deprivation + 0.3 * stress), 0.9, 0.8, rng)
    level = np.repeat(
        [parameter("fsm.primary", preset), parameter("fsm.secondary", preset)], [7, 5]
    )
    shape = FSM_SHAPE / np.repeat([FSM_SHAPE[:7].mean(), FSM_SHAPE[7:].mean()], [7, 5])
    fsm = _highest(poor, level * shape / 100)
    hardship = standardise(0.8 * stress + 0.6 * rng.standard_normal(len(stress)))
    care = drift(hardship, 0.45, 0.95, rng)
    risk = drift(hardship, 0.55, 0.55, rng)
    social = np.zeros((len(stress), GROUPS), dtype=np.int8)
    social[_highest(care, _constant("social.looked_after"))] = 3
    known = _constant("social.looked_after")
    for kind in ("child_protection", "child_in_need"):
        # looked-after children and those on plans are counted as in need too
        wanted = _constant(f"social.{kind}") + (known if kind == "child_protection" else 0.0)
        risk = np.where(social > 0, np.inf, risk)
        chosen = _highest(risk, wanted) & (social == 0)
        social[chosen] = SOCIAL.index(kind)
    help_ = np.where(social > 0, np.inf, drift(hardship, 0.4, 0.5, rng))
    listed = np.full(GROUPS, max(0.0, parameter("vulnerable_list", preset)) / 100)
    early_help = _highest(help_, np.maximum(listed, 0.05)) & (social == 0)
    return fsm, social, early_help


def _constant(name: str) -> Floats:
    return np.full(GROUPS, parameter(name) / 100)


def _highest(score: Floats, share: Floats) -> NDArray[np.bool_]:
    """Choose in every year group the share of pupils with the highest scores."""
    lines = [np.quantile(score[:, g], 1 - share[g], method="higher") for g in range(score.shape[1])]
    return np.asarray(score > np.array(lines))
