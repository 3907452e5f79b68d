"""Pupils on roll by meals, language, needs and social care, with the published figures.

In:  the pupils of a simulated LA.
Out: one row per published figure.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from riskmodel.simulate.attendance import PHASES
from riskmodel.simulate.figures.row import Row, published_share
from riskmodel.simulate.needs import sen_targets
from riskmodel.simulate.parameters import Preset, parameters_under

__all__ = ["population_figures"]


def population_figures(pupils: pd.DataFrame, preset: Preset) -> Iterator[Row]:
    """Count pupils on roll on census day.

    Parameters
    ----------
    pupils : DataFrame
        From :func:`~.pupils.counted_pupils`.
    preset : str
        ``"england"`` or ``"bcp"``.

    Yields
    ------
    Row
        One per published figure.
    """
    here = pupils[pupils["on_roll"]]
    for number, phase in enumerate(PHASES[:2]):
        part = here[here["phase"] == number]
        yield published_share(f"fsm.{phase}", part["fsm"].sum(), len(part), preset)
    levels = parameters_under("english_additional")
    english = (levels["primary"] + levels["secondary"]) / 2
    yield ("english_additional", english, (~here["english"]).sum(), len(here), 100)
    yield from _provision_figures(here, preset)
    yield from _sen_by_year(here, preset)
    yield from _need_figures(here)
    yield from _care_figures(here, preset)
    yield published_share("special", (here["phase"] == 2).sum(), len(here))


def _provision_figures(here: pd.DataFrame, preset: Preset) -> Iterator[Row]:
    """Count pupils with SEN support and with a plan, and who has a plan."""
    yield published_share("sen_support", here["K"].sum(), len(here), preset)
    yield published_share("ehc_plan", here["E"].sum(), len(here), preset)
    plan = here[here["E"]]
    yield published_share("ehc_share.male", plan["male"].sum(), len(plan))
    if preset == "england":
        yield published_share("ehc_share.fsm", plan["fsm"].sum(), len(plan))


def _sen_by_year(here: pd.DataFrame, preset: Preset) -> Iterator[Row]:
    """Count pupils with SEN by sex and year group."""
    any_sen, _ = sen_targets(preset)
    meals = here["fsm"].mean()
    for sex, first in (("F", 0), ("M", 2)):
        for group in (1, 3, 6, 7, 9, 11):
            part = here[(here["male"] == (sex == "M")) & (here["group"] == group)]
            cells = any_sen[first : first + 2, group]
            target = 100 * float(cells @ np.array([1 - meals, meals]))
            yield (f"sen_year.{sex}.{group}", target, (part["K"] | part["E"]).sum(), len(part), 100)


def _need_figures(here: pd.DataFrame) -> Iterator[Row]:
    """Count types of need among pupils with SEN."""
    need = here.loc[here["K"] | here["E"], "need"]
    shares = parameters_under("need")
    for code in ("MLD", "SLCN", "SEMH", "SPLD", "ASD"):
        target = 100 * shares[code] / sum(shares.values())
        yield (f"need.{code}", target, (need == code).sum(), len(need), 100)


def _care_figures(here: pd.DataFrame, preset: Preset) -> Iterator[Row]:
    """Count children in social care, and those of them who are eligible for free school meals."""
    care = here["child_in_need"] | here["child_protection"] | here["looked_after"]
    yield published_share("social.child_in_need", care.sum(), len(here))
    for kind in ("child_protection", "looked_after"):
        yield published_share(f"social.{kind}", here[kind].sum(), len(here))
    if preset == "england":
        yield published_share("social.fsm", here["fsm"][care].sum(), care.sum())
