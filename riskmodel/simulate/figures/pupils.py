"""The pupils of a simulated LA in the last school year of its data.

In:  the tables of a simulated LA.
Out: one row per pupil with the groups by which figures are published.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.calendar import academic_year
from riskmodel.data.tables import Tables
from riskmodel.simulate.shapes import GROUPS

__all__ = ["in_spell_on", "counted_pupils"]


def counted_pupils(tables: Tables) -> pd.DataFrame:
    """Return year group, phase and circumstances of each pupil in the last school year.

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
    pupils, spells, send = tables["pupils"], tables["circumstances"], tables["send"]
    days = dict.fromkeys(("child_in_need", "child_protection", "looked_after"), march)
    circumstances = {
        kind: in_spell_on(spells[spells["kind"] == kind], day, len(pupils))
        for kind, day in (days | {"fsm": census}).items()
    }
    provision = {
        code: in_spell_on(send[send["provision"] == code], census, len(pupils))
        for code in ("K", "E")
    }
    return _traits(pupils, year).assign(
        **_on_rolls(_rolls_of(tables, year), census, len(pupils)),
        **circumstances,
        **provision,
        need=_last_need(send, len(pupils)),
    )


def _traits(pupils: pd.DataFrame, year: int) -> pd.DataFrame:
    """Return sex, ethnic group and language of each pupil, with the school year counted."""
    columns = {
        "male": (pupils["sex"] == "M").to_numpy(),
        "year": year,
        "ethnicity": pupils["ethnicity"].to_numpy(),
        "english": (pupils["first_language"] == "ENG").to_numpy(),
    }
    return pd.DataFrame(columns, index=pd.Index(pupils["pupil_id"]))


def _rolls_of(tables: Tables, year: int) -> pd.DataFrame:
    """Return the rolls of a school year with the kind of school and the year group."""
    kinds = tables["schools"][["school_id", "kind"]].astype({"school_id": "str"})
    rolls = tables["enrolments"].merge(kinds, on="school_id")
    rolls = rolls[
        (rolls["entry_date"] <= pd.Timestamp(year + 1, 7, 31))
        & ~(rolls["leaving_date"] < pd.Timestamp(year, 9, 1))
    ]
    years = year - academic_year(rolls["entry_date"]).to_numpy(int)
    return rolls.assign(group=rolls["year_group"] + years)


def _on_rolls(rolls: pd.DataFrame, census: pd.Timestamp, n: int) -> dict[str, NDArray[np.generic]]:
    """Return year group, stage (12 at special schools), phase and whether on roll, by pupil."""
    number, year_group = rolls["pupil_id"].cat.codes.to_numpy(), rolls["group"].to_numpy()
    mainstream = (rolls["kind"] != "AP").to_numpy()
    special = (rolls["kind"] == "special").to_numpy()
    group, stage, on_roll = np.full(n, -1), np.full(n, -1), np.zeros(n, dtype=bool)
    group[number] = year_group
    stage[number[mainstream]] = np.where(special, GROUPS, year_group)[mainstream]
    now = (rolls["entry_date"] <= census) & ~(rolls["leaving_date"] < census)
    on_roll[number[mainstream & now.to_numpy()]] = True
    phase = np.select([stage == GROUPS, stage >= 7, stage >= 0], [2, 1, 0], -1)
    return {"group": group, "stage": stage, "phase": phase, "on_roll": on_roll & (stage >= 0)}


def _last_need(send: pd.DataFrame, n: int) -> NDArray[np.object_]:
    """Return the primary need last recorded of each pupil; empty for none."""
    known = send.drop_duplicates("pupil_id", keep="last")
    need = np.full(n, "", dtype=object)
    need[known["pupil_id"].cat.codes.to_numpy()] = known["primary_need"].astype("str")
    return need


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

    Examples
    --------
    >>> spells = pd.DataFrame(
    ...     {
    ...         "pupil_id": pd.Categorical(["A", "C"], categories=["A", "B", "C"]),
    ...         "start_date": pd.to_datetime(["2024-09-01", "2024-09-01"]),
    ...         "end_date": pd.to_datetime(["2025-01-14", None]),
    ...     }
    ... )
    >>> in_spell_on(spells, pd.Timestamp("2025-01-15"), 3).tolist()
    [False, False, True]
    """
    now = ((spells["start_date"] <= day) & ~(spells["end_date"] < day)).to_numpy()
    inside = np.zeros(n, dtype=bool)
    inside[spells["pupil_id"].cat.codes.to_numpy()[now]] = True
    return inside
