"""One row for each pupil, from what every return holds of the pupil.

In:  typed rows of ``pupils`` with the file and row they came from.
Out: one row per pupil, and a verdict on every row that is not used.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import pupils_of
from riskmodel.data.read.returns.row_verdicts import ORIGIN, RowVerdicts
from riskmodel.data.read.rows.versions import CONFLICTING, MERGED, WHEN
from riskmodel.data.schema import NOT_KNOWN, TABLES, as_codes

__all__ = ["pupil_rows"]


def pupil_rows(frame: pd.DataFrame, name: str, verdicts: RowVerdicts) -> pd.DataFrame:
    """Take from each pupil's rows the latest value that is known.

    Rows of another sex or month of birth than the last one may be of another child: nothing is taken
    from them.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, ...)
        Typed rows with ``_file``, ``_place``.
    name : str
        Table name.
    verdicts : RowVerdicts
        Gets a verdict on each row that is not used.

    Returns
    -------
    DataFrame
        One row per pupil.
    """
    content = ["birth_month", "sex", "ethnicity", "first_language"]
    by = ["pupil_id", "_day", *(c for c in content if c in frame), *ORIGIN]
    # rows of no day come first, so that a census counts before them
    ordered = frame.sort_values(by, kind="stable", na_position="first")
    stated = ordered.groupby(["pupil_id", "first_language"], observed=True)
    since = stated["first_language_recorded_on"].transform("min")
    ordered = ordered.assign(first_language_recorded_on=since)
    columns = TABLES[name].names[1:]
    plain = ordered.assign(
        **{c: ordered[c].astype("object").where(ordered[c] != NOT_KNOWN) for c in columns}
    )
    another = _contradictions(plain, ["sex", "birth_month"], verdicts)
    plain = plain[~another]
    last = plain.groupby("pupil_id", observed=True)[columns].last()
    others = [c for c in columns if c not in ("sex", "birth_month") and c not in WHEN]
    same = plain[~_contradictions(plain, others, verdicts)]
    verdicts.add(name, same[same.duplicated("pupil_id", keep="last")], MERGED)
    row = ordered.drop_duplicates("pupil_id", keep="last").set_index("pupil_id")
    made = row[ORIGIN].join(last).reset_index()
    for column in TABLES[name].columns[1:]:
        if column.kind == "code":
            values = pd.Series(made[column.name]).astype("object")
            filled = values.where(values.notna(), NOT_KNOWN) if column.unknown_is_group else values
            made[column.name] = as_codes(filled, column.allowed)
        elif column.kind == "date":
            made[column.name] = pd.to_datetime(made[column.name]).astype("datetime64[s]")
        else:
            made[column.name] = made[column.name].astype("str")
    return made


def _contradictions(
    rows: pd.DataFrame, columns: list[str], verdicts: RowVerdicts
) -> NDArray[np.bool_]:
    """Return the rows that differ from the last known value of their pupil; rows are in order."""
    found = np.zeros(len(rows), dtype=bool)
    pupil = pupils_of(rows)
    for column in columns:
        if column not in rows:
            continue
        known = rows[column].notna().to_numpy()
        last = np.full(len(rows.iloc[:0]["pupil_id"].cat.categories), -1)
        last[pupil[known]] = np.flatnonzero(known)  # the last one stays
        other = np.where(last[pupil] >= 0, last[pupil], np.arange(len(rows)))
        values = pd.factorize(rows[column])[0]
        differs = np.flatnonzero(known & (values != values[other]) & ~found)
        found[differs] = True
        verdicts.add("pupils", rows.iloc[differs], CONFLICTING, rows.iloc[other[differs]], column)
    return found
