"""Who the pupils of a simulated LA were in the last school year of its data.

In:  the tables of a simulated LA.
Out: one row per pupil with what published figures are broken down by.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.calendar import academic_year
from riskmodel.data.tables import Tables
from riskmodel.simulate.shapes import GROUPS

__all__ = ["PHASES", "in_spell_on", "counted_pupils"]

PHASES = ("primary", "secondary", "special")


def counted_pupils(tables: Tables) -> pd.DataFrame:
    """Return year group, phase, and what every pupil was in the last school year.

    Parameters
    ----------
    tables : Tables
        A simulated LA.

    Returns
    -------
    DataFrame
        One row per pupil, in the order of their numbers.
    """
    last = tables["calendar"]["date"].max()
    year = int(academic_year(pd.Series([last])).iloc[0])
    census, march = pd.Timestamp(year + 1, 1, 15), pd.Timestamp(year + 1, 3, 31)
    who = tables["pupils"].set_index("pupil_id")
    n = len(who)
    frame = pd.DataFrame({"male": (who["sex"] == "M").to_numpy(), "year": year}, index=who.index)
    frame["ethnicity"] = who["ethnicity"].to_numpy()
    frame["english"] = (who["first_language"] == "ENG").to_numpy()
    rolls = tables["enrolments"].merge(
        tables["schools"][["school_id", "kind"]].astype({"school_id": "str"}), on="school_id"
    )
    rolls = rolls[
        (rolls["entry_date"] <= pd.Timestamp(year + 1, 7, 31))
        & ~(rolls["leaving_date"] < pd.Timestamp(year, 9, 1))
    ]
    number = rolls["pupil_id"].cat.codes.to_numpy()
    group = rolls["year_group"].to_numpy() + year - academic_year(rolls["entry_date"]).to_numpy(int)
    stage, on_roll = np.full(n, -1), np.zeros(n, dtype=bool)
    mainstream = (rolls["kind"] != "AP").to_numpy()
    special = (rolls["kind"] == "special").to_numpy()
    stage[number[mainstream]] = np.where(special, GROUPS, group)[mainstream]
    now = (
        mainstream
        & ((rolls["entry_date"] <= census) & ~(rolls["leaving_date"] < census)).to_numpy()
    )
    on_roll[number[now]] = True
    frame["group"] = -1
    frame.iloc[number, frame.columns.get_loc("group")] = group  # type: ignore[index]
    frame["stage"] = stage
    frame["phase"] = np.select([stage == GROUPS, stage >= 7, stage >= 0], [2, 1, 0], -1)
    frame["on_roll"] = on_roll & (stage >= 0)
    for name, day in (
        ("child_in_need", march),
        ("child_protection", march),
        ("looked_after", march),
        ("fsm", census),
    ):
        spells = tables["circumstances"]
        frame[name] = in_spell_on(spells[spells["kind"] == name], day, n)
    for letter in ("K", "E"):
        spells = tables["send"]
        frame[letter] = in_spell_on(spells[spells["provision"] == letter], census, n)
    known = tables["send"].drop_duplicates("pupil_id", keep="last")
    frame["need"] = ""
    frame.loc[known["pupil_id"], "need"] = known["primary_need"].astype("str").to_numpy()
    return frame


def in_spell_on(spells: pd.DataFrame, day: pd.Timestamp, n: int) -> NDArray[np.bool_]:
    """Return which pupils are in a spell on a day.

    Parameters
    ----------
    spells : DataFrame
        ``pupil_id``, ``start_date``, ``end_date``.
    day : Timestamp
        The day.
    n : int
        Pupils there are.

    Returns
    -------
    bool array of shape (n,)
        By number of the pupil.
    """
    now = ((spells["start_date"] <= day) & ~(spells["end_date"] < day)).to_numpy()
    made = np.zeros(n, dtype=bool)
    made[spells["pupil_id"].cat.codes.to_numpy()[now]] = True
    return made
