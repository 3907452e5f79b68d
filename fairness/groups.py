"""The groups that a list is audited by, as known on the day of the list.

In:  tables and a spine.
Out: one column per characteristic; "not known" is always a group.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import NOT_KNOWN, Tables
from riskmodel.data.codes import code_set

__all__ = ["groups_at"]


def groups_at(tables: Tables, spine: pd.DataFrame) -> pd.DataFrame:
    """Return the group of each row of the spine.

    Parameters
    ----------
    tables : Tables
        The LA's facts.
    spine : DataFrame
        ``pupil_id``, ``as_of``.

    Returns
    -------
    DataFrame
        Aligned with the spine: ``sex``, ``ethnicity`` (major group), ``religion`` where recorded,
        ``sen`` and ``fsm`` where the tables are there.
    """
    pupils = tables["pupils"].set_index("pupil_id").reindex(spine["pupil_id"])
    major = code_set("ethnicities")["major"]
    columns: dict[str, object] = {
        "sex": pupils["sex"].astype("str").map({"F": "Girls", "M": "Boys"}),
        "ethnicity": pupils["ethnicity"].astype("str").map(major),
    }
    if pupils["religion"].notna().any():
        columns["religion"] = pupils["religion"]
    groups = pd.DataFrame({name: np.asarray(column) for name, column in columns.items()})
    if "send" in tables:
        groups["sen"] = _state(tables, spine, "send", "provision",
                               {"K": "SEN support", "E": "EHC plan"}, "No SEN")  # fmt: skip
    if "circumstances" in tables and (tables["circumstances"]["kind"] == "fsm").any():
        groups["fsm"] = _state(tables, spine, "circumstances", "kind", {"fsm": "Eligible"},
                               "Not eligible")  # fmt: skip
    return groups.astype("object").where(groups.notna(), NOT_KNOWN)


def _state(
    tables: Tables,
    spine: pd.DataFrame,
    table: str,
    column: str,
    words: dict[str, str],
    otherwise: str,
) -> NDArray[np.object_]:
    """Return the words of the spell each pupil is in on the day; the later in ``words`` wins."""
    result = np.full(len(spine), otherwise, dtype=object)
    for day in spine["as_of"].unique():
        known = tables.as_known(pd.Timestamp(day))[table]
        now = known[((known["start_date"] < day) & ~(known["end_date"] < day)).to_numpy()]
        here = (spine["as_of"] == day).to_numpy()
        for code, word in words.items():
            inside = spine["pupil_id"].isin(now["pupil_id"][now[column] == code]).to_numpy()
            result[here & inside] = word
    return result
