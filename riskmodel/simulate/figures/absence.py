"""Absence, beside what is published of it.

In:  the tables and pupils of a simulated LA.
Out: one row per published figure: rates by phase, code and circumstance, persistent and severe absence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from riskmodel.data.codes import ABSENT, PERSISTENT, POSSIBLE, SEVERE, code_set, codes
from riskmodel.data.tables import Tables
from riskmodel.simulate.attendance import PHASES, trend
from riskmodel.simulate.figures.row import Row, published_share
from riskmodel.simulate.parameters import absence_bands
from riskmodel.simulate.shapes import Floats, Ints

__all__ = ["absence_figures"]


def absence_figures(tables: Tables, pupils: pd.DataFrame) -> Iterator[Row]:
    """Count half-days and pupils by how much they were absent.

    Parameters
    ----------
    tables : Tables
        A simulated LA.
    pupils : DataFrame
        From :func:`~.pupils.counted_pupils`.

    Yields
    ------
    Row
        One per published figure.
    """
    half_days = _half_days(tables["sessions"], pupils)
    for number, phase in enumerate(PHASES):
        here = (pupils["phase"] == number).to_numpy() & (half_days.possible > 0)
        yield from _phase_figures(phase, half_days, here)
    yield from _joint_figures(pupils, half_days)
    yield from _care_figures(pupils, half_days)


@dataclass(frozen=True)
class _HalfDays:
    """Half-days of the school year by pupil; ``by_code`` has one column per code of the register."""

    by_code: Ints
    absent: Ints
    unauthorised: Ints
    possible: Ints

    @property
    def share(self) -> Floats:
        """Share of possible half-days missed."""
        return self.absent / np.maximum(self.possible, 1)


def _half_days(sessions: pd.DataFrame, pupils: pd.DataFrame) -> _HalfDays:
    """Return every pupil's half-days of the school year that is counted."""
    inside = (sessions["date"] >= pd.Timestamp(int(pupils["year"].iloc[0]), 9, 1)).to_numpy()
    who = sessions["pupil_id"].cat.codes.to_numpy()[inside].astype(np.int64)
    n_codes = len(codes("marks"))
    key = who * n_codes + sessions["mark"].cat.codes.to_numpy()[inside]
    table = np.bincount(key, minlength=len(pupils) * n_codes).reshape(len(pupils), n_codes)
    family = code_set("marks")["family"].loc[list(codes("marks"))].to_numpy()
    kinds = (ABSENT, ("unauthorised",), POSSIBLE)
    return _HalfDays(table, *(table[:, np.isin(family, kind)].sum(axis=1) for kind in kinds))


def _phase_figures(phase: str, half_days: _HalfDays, here: NDArray[np.bool_]) -> Iterator[Row]:
    """Count absence of the pupils of a phase, overall and by code."""
    possible, share = half_days.possible[here].sum(), half_days.share[here]
    yield published_share(f"absence.{phase}", half_days.absent[here].sum(), possible)
    yield published_share(f"persistent.{phase}", (share >= PERSISTENT).sum(), here.sum())
    yield published_share(f"severe.{phase}", (share >= SEVERE).sum(), here.sum())
    if phase == "secondary":
        unauthorised = half_days.unauthorised[here].sum()
        yield published_share("unauthorised.secondary", unauthorised, possible)
    for code in ("I", "O") if phase == "special" else ("L", "I", "M", "O", "G", "C2", "E"):
        part = half_days.by_code[here, codes("marks").index(code)].sum()
        yield published_share(f"code.{phase}.{code}", part, possible)


def _joint_figures(pupils: pd.DataFrame, half_days: _HalfDays) -> Iterator[Row]:
    """Count persistent absence by phase, meals, SEN and sex: bands of 2022/23 at the latest level."""
    for (phase, *traits), bands in absence_bands().items():
        if phase == "special":
            continue
        here = _with_traits(pupils, phase, traits) & (half_days.possible > 0)
        persistent = (half_days.share[here] >= PERSISTENT).sum()
        yield (_joint_name(phase, traits), _joint_target(phase, bands), persistent, here.sum(), 100)


def _with_traits(pupils: pd.DataFrame, phase: str, traits: list[int]) -> NDArray[np.bool_]:
    """Return which pupils of a phase have the given meals, SEN and sex (1 or 0)."""
    fsm, sen, male = map(bool, traits)
    here = (pupils["phase"] == PHASES.index(phase)) & (pupils["fsm"] == fsm)
    here &= ((pupils["K"] | pupils["E"]) == sen) & (pupils["male"] == male)
    return here.to_numpy()


def _joint_name(phase: str, traits: list[int]) -> str:
    """Return the name of the figure of one group."""
    fsm, sen, male = traits
    meals, needs = "meals" if fsm else "no_meals", "sen" if sen else "no_sen"
    return f"persistent.{phase}.{meals}.{needs}.{'M' if male else 'F'}"


def _joint_target(phase: str, bands: Floats) -> float:
    """Return the percentage persistently absent in the latest year, from bands of an earlier one."""
    shift, stretch = trend(phase)
    then = norm.ppf(bands[:2].sum() / bands.sum())
    return float(100 * norm.sf((then - shift) / stretch))


def _care_figures(pupils: pd.DataFrame, half_days: _HalfDays) -> Iterator[Row]:
    """Count absence of children in social care; those on plans or looked after are in need too."""
    counted = (half_days.possible > 0) & (pupils["stage"] >= 0).to_numpy()
    kinds = ["child_in_need", "child_protection", "looked_after"]
    groups = {kind: pupils[kind].to_numpy() for kind in kinds}
    groups["child_in_need"] = pupils[kinds].any(axis=1).to_numpy()
    for kind, group in groups.items():
        here = group & counted
        absent, possible = half_days.absent[here].sum(), half_days.possible[here].sum()
        yield published_share(f"absence.{kind}", absent, possible)
