"""Where leavers were in the winter after Year 11, beside what is published.

In:  the tables and pupils of a simulated LA.
Out: one row per published figure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.data.tables import Tables
from riskmodel.simulate.figures.pupils import in_spell_on
from riskmodel.simulate.figures.row import Row, published_share
from riskmodel.simulate.parameters import (
    Preset,
    parameter,
    parameters_under,
)

__all__ = ["destination_figures"]


def destination_figures(tables: Tables, pupils: pd.DataFrame, preset: Preset) -> Iterator[Row]:
    """Count leavers who were NEET or not known.

    Parameters
    ----------
    tables : Tables
        A simulated LA.
    pupils : DataFrame
        From :func:`~.pupils.counted_pupils`.
    preset : str
        ``"england"`` or ``"bcp"``.

    Yields
    ------
    Row
        One per published figure.
    """
    facts: Any = tables["destinations"]
    winter = facts[facts["confirmed_on"].dt.month.isin([12, 1, 2])]
    who = winter["pupil_id"].cat.codes.to_numpy()
    code = winter["activity_code"].astype("str")
    months = np.bincount(who, minlength=len(pupils))
    neet = np.bincount(who[(code == "619").to_numpy()], minlength=len(pupils)) >= 2
    unknown = np.bincount(who[(code == "810").to_numpy()], minlength=len(pupils)) >= 2
    left = months > 0
    male = pupils["male"].to_numpy()
    for sex in ("F", "M"):
        here = left & (male == (sex == "M"))
        yield published_share(f"neet.16.{sex}", neet[here].sum(), here.sum(), preset)
        yield published_share(f"not_known.16.{sex}", unknown[here].sum(), here.sum(), preset)
    rates = parameters_under("neet_or_not_known")
    provision = tables["send"]
    july = pd.Timestamp(int(pupils["year"].iloc[0]), 6, 1)
    support = in_spell_on(provision[provision["provision"] == "K"], july, len(pupils))
    plan = in_spell_on(provision[provision["provision"] == "E"], july, len(pupils))
    groups = {"none": ~support & ~plan, "sen_support": support, "ehc_plan": plan}
    # NEET only: the share not known is published for all groups together
    level = np.mean([parameter(f"neet.16.{sex}", preset) for sex in ("F", "M")])
    mean_rate = sum(rates[name] * group[left].mean() for name, group in groups.items())
    for name, group in groups.items():
        target = level * rates[name] / mean_rate
        yield (f"neet.{name}", float(target), neet[left & group].sum(), (left & group).sum(), 100)
