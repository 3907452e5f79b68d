"""Who is on roll: meals, language, needs, social care, beside what is published.

In:  the pupils of a simulated LA.
Out: one row per published figure.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from riskmodel.simulate.figures.pupils import PHASES
from riskmodel.simulate.figures.row import Row, published_share
from riskmodel.simulate.needs import sen_targets
from riskmodel.simulate.parameters import (
    Preset,
    parameter,
    parameters_under,
)

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
    english = (
        parameter("english_additional.primary") + parameter("english_additional.secondary")
    ) / 2
    yield ("english_additional", english, (~here["english"]).sum(), len(here), 100)
    for name, letter in (("sen_support", "K"), ("ehc_plan", "E")):
        yield (name, parameter(name, preset), here[letter].sum(), len(here), 100)
        part = here[here[letter]]
        if name == "ehc_plan":
            yield published_share("ehc_share.male", part["male"].sum(), len(part))
            if preset == "england":
                yield published_share("ehc_share.fsm", part["fsm"].sum(), len(part))
    any_sen, _ = sen_targets(preset)
    meals = here["fsm"].mean()
    for sex in ("F", "M"):
        for group in (1, 3, 6, 7, 9, 11):
            part = here[(here["male"] == (sex == "M")) & (here["group"] == group)]
            cells = any_sen[2 * (sex == "M") : 2 * (sex == "M") + 2, group]
            target = 100 * float(cells @ np.array([1 - meals, meals]))
            yield (f"sen_year.{sex}.{group}", target, (part["K"] | part["E"]).sum(), len(part), 100)
    with_sen = here[here["K"] | here["E"]]
    shares = parameters_under("need")
    for code in ("MLD", "SLCN", "SEMH", "SPLD", "ASD"):
        target = 100 * shares[code] / sum(shares.values())
        yield (f"need.{code}", target, (with_sen["need"] == code).sum(), len(with_sen), 100)
    care = here["child_in_need"] | here["child_protection"] | here["looked_after"]
    yield published_share("social.child_in_need", care.sum(), len(here))
    for kind in ("child_protection", "looked_after"):
        yield published_share(f"social.{kind}", here[kind].sum(), len(here))
    if preset == "england":
        yield published_share("social.fsm", here["fsm"][care].sum(), care.sum())
    yield published_share("special", (here["phase"] == 2).sum(), len(here))
