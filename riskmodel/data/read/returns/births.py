"""Days of birth that cannot be right: they are taken out, and the rows are used without them.

In:  rows of a census, a roll or NCCIS.
Out: the same rows, such days missing; how many there were, and in which row the first one is.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.open.opened import Opened
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.faults import BEFORE_BIRTHS
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.sources.nccis import YEARS_OF_BIRTH
from riskmodel.data.read.sources.source import column, is_there

__all__ = ["settle_births"]

OLDEST = 25
"""Years of age above which nobody enters a school: an EHC plan may go on until then."""

ENTRIES = ("entrydate", "admissiondate")
"""First day on a roll, in a census and in a roll."""


def settle_births(frame: pd.DataFrame, one: Opened) -> tuple[pd.DataFrame, list[Problem]]:
    """Take out days of birth that cannot be read, or do not fit the day of entry or of the census.

    A day of entry or census before all days of birth of the file is the one that cannot be right.

    Parameters
    ----------
    frame : DataFrame
        Rows with plain column names.
    one : Opened
        The file that they are of.

    Returns
    -------
    frame : DataFrame
        ``dob`` is missing where it cannot be right; such other days have their fault behind them.
    problems : list of Problem
        A warning for each fault, with the number of rows and the first of them.
    """
    if "dob" not in frame:
        return frame, _parts(frame, one)
    born = read_dates(column(frame, "dob"))
    unread = is_there(column(frame, "dob")) & born.isna()
    frame = _without_early_days(frame, born)
    seen = pd.concat([read_dates(column(frame, name)) for name in ENTRIES], axis=1).min(axis=1)
    census = read_dates(column(frame, "referencedate"))
    is_late = (born > seen) | (born > census)
    is_early = born < seen - pd.DateOffset(years=OLDEST)
    problems = [
        *_counted(one, "dob", unread, "no date{s} between 1950 and 2100. Write YYYY-MM-DD."),
        *_counted(one, "dob", is_late, "later than the day of entry or of the census. Correct it."),
        *_counted(
            one, "dob", is_early, f"over {OLDEST} years before the day of entry. Correct it."
        ),
        *_parts(frame, one),
    ]
    wrong = is_late | is_early
    return (frame.assign(dob=frame["dob"].mask(wrong)) if wrong.any() else frame), problems


def _without_early_days(frame: pd.DataFrame, born: pd.Series) -> pd.DataFrame:
    """Return rows with the fault behind days of entry and census on which nobody of the file was born."""
    for name in {*ENTRIES, "referencedate"} & {*frame}:
        entry = read_dates(frame[name])
        fits = born.between(entry - pd.DateOffset(years=OLDEST), entry)
        is_early = entry < born[fits].min()
        if is_early.any():
            faulty = frame[name].astype("str") + BEFORE_BIRTHS
            frame = frame.assign(**{name: frame[name].astype("object").mask(is_early, faulty)})
    return frame


def _parts(frame: pd.DataFrame, one: Opened) -> list[Problem]:
    """Return the problems of years and months of birth that are none, as in NCCIS."""
    problems = []
    for name, low, high in (("yearofbirth", *YEARS_OF_BIRTH), ("monthofbirth", 1, 12)):
        if name not in frame:
            continue
        number = pd.to_numeric(frame[name], errors="coerce")
        wrong = is_there(frame[name]) & ~number.between(low, high)
        problems += _counted(one, name, wrong, f"no number{{s}} from {low} to {high}. Correct it.")
    return problems


def _counted(one: Opened, name: str, wrong: pd.Series, words: str) -> list[Problem]:
    """Return a warning that counts rows, or none."""
    places = wrong.to_numpy(dtype=bool).nonzero()[0]
    if not len(places):
        return []
    first = one.numbers[places[0]]
    n = f"{len(places)} values of {name} are" if len(places) > 1 else f"1 value of {name} is"
    what, _, remedy = words.format(s="s" if len(places) > 1 else "").partition(". ")
    message = (
        f"{one.name}: {n} {what}, the first in row {first}. The rows are used without it. {remedy}"
    )
    return [Problem(one.name, "bad_birth", message, column=name)]
