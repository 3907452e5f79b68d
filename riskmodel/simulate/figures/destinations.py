"""Where leavers were in the winter after Year 11, beside what is published.

In:  the tables and pupils of a simulated LA.
Out: one row per published figure.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.tables import Tables
from riskmodel.simulate.figures.pupils import in_spell_on
from riskmodel.simulate.figures.row import Row, published_share
from riskmodel.simulate.parameters import Preset, parameter, parameters_under

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
    left, neet, unknown = _winter_positions(tables["destinations"], len(pupils))
    male = pupils["male"].to_numpy()
    for sex in ("F", "M"):
        here = left & (male == (sex == "M"))
        yield published_share(f"neet.16.{sex}", neet[here].sum(), here.sum(), preset)
        yield published_share(f"not_known.16.{sex}", unknown[here].sum(), here.sum(), preset)
    groups = _provision_groups(tables["send"], pupils)
    rates = parameters_under("neet_or_not_known")
    # NEET only: the share not known is published for all groups together
    level = np.mean([parameter(f"neet.16.{sex}", preset) for sex in ("F", "M")])
    mean_rate = sum(rates[name] * group[left].mean() for name, group in groups.items())
    for name, group in groups.items():
        target = level * rates[name] / mean_rate
        yield (f"neet.{name}", float(target), neet[left & group].sum(), (left & group).sum(), 100)


def _winter_positions(
    destinations: pd.DataFrame, n: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return who has a winter position, who was NEET and who not known in two months or more."""
    winter = destinations[destinations["confirmed_on"].dt.month.isin([12, 1, 2])]
    who = winter["pupil_id"].cat.codes.to_numpy()
    code = winter["activity_code"].astype("str")
    neet, unknown = (
        np.bincount(who[(code == wanted).to_numpy()], minlength=n) >= 2 for wanted in ("619", "810")
    )
    return np.bincount(who, minlength=n) > 0, neet, unknown


def _provision_groups(send: pd.DataFrame, pupils: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """Return who had no SEN provision, SEN support or a plan in the summer of Year 11."""
    june = pd.Timestamp(int(pupils["year"].iloc[0]), 6, 1)
    support, plan = (
        in_spell_on(send[send["provision"] == code], june, len(pupils)) for code in ("K", "E")
    )
    return {"none": ~support & ~plan, "sen_support": support, "ehc_plan": plan}
