"""Absence in the registers and in the termly totals of one pupil, compared.

In:  marks and termly totals, as the tables hold them.
Out: a warning with the number of pupils whose marks hold far more absence than their totals.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from riskmodel.data.calendar import term_number
from riskmodel.data.codes import ABSENT, marks_of
from riskmodel.data.read.rows.problems import Problem

__all__ = ["marks_beyond_totals"]

FEWEST, TIMES = 5, 2
"""Half-days that marks hold more than the total, and how many times as many: from both on it is far more;
chosen."""


def marks_beyond_totals(tables: Mapping[str, pd.DataFrame]) -> list[Problem]:
    """Return a warning where marks up to the end of a term hold far more absence than its totals.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Rows by table.

    Returns
    -------
    list of Problem
        One, or none. Fewer marks than the total are no contradiction: registers may not be complete.
    """
    if not {"sessions", "absence_totals"} <= set(tables):
        return []
    totals, marks = (_absent(tables[name]) for name in ("absence_totals", "sessions"))
    totals = totals.sort_values("recorded_on", kind="stable")
    totals = totals.drop_duplicates(["pupil_id", "term_end", "mark"], keep="last")
    totals = totals.assign(term=term_number(totals["term_end"]))
    marks = marks.assign(term=term_number(marks["date"]))[["pupil_id", "term", "date"]]
    by = ["pupil_id", "term"]
    stated = totals.groupby(by, observed=True).agg(n=("sessions", "sum"), end=("term_end", "max"))
    both = marks.merge(stated.reset_index(), on=by)
    both = both[(both["date"] <= both["end"]).to_numpy()]
    found = both.groupby(by, observed=True).agg(marked=("date", "size"), n=("n", "first"))
    far = found[(found["marked"] >= TIMES * found["n"]) & (found["marked"] - found["n"] >= FEWEST)]
    n_pupils = far.index.get_level_values("pupil_id").nunique()
    if not n_pupils:
        return []
    words = (
        f"absence_totals: the registers of {n_pupils} pupils hold at least {TIMES} times the absence of a "
        f"term's totals, and {FEWEST} half-days more. Features use the registers. Find out which is right."
    )
    return [Problem("absence_totals", "marks_beyond_totals", words)]


def _absent(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of which the code is an absence."""
    return rows[rows["mark"].isin(marks_of(*ABSENT)).to_numpy()]
