"""Absence, beside what is published of it.

In:  the tables and pupils of a simulated LA.
Out: one row per published figure: rates by phase, code and circumstance, persistent and severe absence.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from riskmodel.data.codes import code_set, codes
from riskmodel.data.tables import Tables
from riskmodel.simulate.attendance import trend
from riskmodel.simulate.figures.pupils import PHASES
from riskmodel.simulate.figures.row import Row, published_share
from riskmodel.simulate.parameters import (
    absence_bands,
    parameters_under,
)

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
    sessions, year = tables["sessions"], int(pupils["year"].iloc[0])
    since = pd.Timestamp(year, 9, 1)
    inside = (sessions["date"] >= since).to_numpy()
    who = sessions["pupil_id"].cat.codes.to_numpy()[inside].astype(np.int64)
    n_codes = len(codes("marks"))
    table = np.bincount(
        who * n_codes + sessions["mark"].cat.codes.to_numpy()[inside],
        minlength=len(pupils) * n_codes,
    ).reshape(len(pupils), n_codes)
    family = code_set("marks")["family"].loc[list(codes("marks"))].to_numpy()
    unauthorised = table[:, family == "unauthorised"].sum(axis=1)
    absent = unauthorised + table[:, family == "authorised"].sum(axis=1)
    possible = absent + table[:, np.isin(family, ["present", "approved_activity"])].sum(axis=1)
    share = absent / np.maximum(possible, 1)
    for number, phase in enumerate(PHASES):
        here = (pupils["phase"] == number).to_numpy() & (possible > 0)
        yield published_share(f"absence.{phase}", absent[here].sum(), possible[here].sum())
        yield published_share(f"persistent.{phase}", (share[here] >= 0.1).sum(), here.sum())
        yield published_share(f"severe.{phase}", (share[here] >= 0.5).sum(), here.sum())
        if phase == "secondary":
            yield published_share(
                "unauthorised.secondary", unauthorised[here].sum(), possible[here].sum()
            )
        published = parameters_under(f"code.{phase}")
        for code in ("L", "I", "M", "O", "G", "C2", "E") if number < 2 else ("I", "O"):
            part = table[here, codes("marks").index(code)].sum()
            yield (f"code.{phase}.{code}", published[code], part, possible[here].sum(), 100)
    yield from _joint_figures(pupils, share, possible)
    for kind in ("child_in_need", "child_protection", "looked_after"):
        here = pupils[kind].to_numpy() & (possible > 0) & (pupils["stage"] >= 0).to_numpy()
        if kind == "child_in_need":  # all children in need: on plans and looked after too
            others = pupils["child_protection"] | pupils["looked_after"]
            here |= others.to_numpy() & (possible > 0) & (pupils["stage"] >= 0).to_numpy()
        yield published_share(f"absence.{kind}", absent[here].sum(), possible[here].sum())


def _joint_figures(
    pupils: pd.DataFrame, share: NDArray[np.float64], possible: NDArray[np.int64]
) -> Iterator[Row]:
    """Count persistent absence by phase, meals, SEN and sex: bands of 2022/23 at the latest level."""
    sen = (pupils["K"] | pupils["E"]).to_numpy()
    for (phase, *traits), bands in absence_bands().items():
        if phase == "special":
            continue
        here = (
            (pupils["phase"] == PHASES.index(phase))
            & (pupils["fsm"] == bool(traits[0]))
            & (sen == bool(traits[1]))
            & (pupils["male"] == bool(traits[2]))
        ).to_numpy() & (possible > 0)
        shift, stretch = trend(phase)
        then = norm.ppf(bands[:2].sum() / bands.sum())
        target = 100 * norm.sf((then - shift) / stretch)
        words = f"{'meals' if traits[0] else 'no_meals'}.{'sen' if traits[1] else 'no_sen'}"
        sex = "M" if traits[2] else "F"
        yield (
            f"persistent.{phase}.{words}.{sex}",
            float(target),
            (share[here] >= 0.1).sum(),
            here.sum(),
            100,
        )
