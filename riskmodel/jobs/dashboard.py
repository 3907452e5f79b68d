"""The inclusion dashboard of an extract.

In:  extracts, a day, a folder.
Out: the pages.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from riskmodel.cohort import latest_day
from riskmodel.data import Tables
from riskmodel.data.data_span import data_span
from riskmodel.errors import DataError, RequestError
from riskmodel.inclusion import inclusion
from riskmodel.jobs.reading import read_whole
from riskmodel.policy_breaks import PolicyBreak
from riskmodel.report.dashboard.page import write_dashboard
from riskmodel.report.policy_break_words import breaks_of_dashboard
from riskmodel.simulate import preset_of

__all__ = ["make_dashboard"]

logger = logging.getLogger(__name__)

FACTS = ("sessions", "absence_totals", "suspensions", "enrolments")
"""Tables whose days show until when the extracts reach."""


def make_dashboard(
    source: str | Path,
    *,
    out: str | Path,
    as_of: pd.Timestamp | None = None,
    breaks: Sequence[PolicyBreak] = (),
) -> Path:
    """Write the dashboard: a page for the LA and one for each school.

    Parameters
    ----------
    source : str or Path
        Extracts.
    out : str or Path
        Empty or new folder.
    as_of : Timestamp, optional
        Nothing recorded on or after it counts; the day after the last fact was recorded where left
        out.
    breaks : sequence of PolicyBreak
        Changes of policy, from the settings: every page names those that its figures span.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DataError, RequestError
        If there are no schools, or the day does not fit; nothing is written.
    """
    tables = read_whole(source).tables
    recorded = _recorded(tables)
    day = _day(recorded, as_of)
    logger.info("Counting what was recorded before %s", f"{day:%Y-%m-%d}")
    made = inclusion(tables, day)
    if not len(made.facts.schools):
        raise DataError(
            f"{source} holds no school: no table names one. Add enrolments.csv (pupil_id, school_id, "
            "entry_date, status, year_group) or the School Census."
        )
    logger.info("Writing the pages of %d schools", len(made.facts.schools))
    notes = breaks_of_dashboard(breaks, recorded.min(), day)
    write_dashboard(made, out, simulated=preset_of(source) is not None, notes=notes)
    return Path(out)


def _day(recorded: pd.Series, as_of: pd.Timestamp | None) -> pd.Timestamp:
    """Return the day up to which facts count, and refuse one that does not fit."""
    first, last = recorded.min(), data_span(recorded)[1]
    day = last + pd.Timedelta(days=1) if as_of is None else as_of
    latest = latest_day(last)
    if not first < day <= latest:
        raise RequestError(
            f"Nothing can be shown as of {day:%Y-%m-%d}: the first fact was recorded on "
            f"{first:%Y-%m-%d}, the last on {last:%Y-%m-%d}. Name a day after the first and up to "
            f"{latest:%Y-%m-%d}, or add newer extracts."
        )
    return day


def _recorded(tables: Tables) -> pd.Series:
    """Return the days of the facts of all tables together: a census brings few new rolls, months apart."""
    recorded = [
        tables[name]["recorded_on"] for name in FACTS if name in tables and len(tables[name])
    ]
    if not recorded:
        raise DataError(
            f"The extracts hold none of {', '.join(FACTS)}, so there is nothing to show. Add one."
        )
    return pd.concat(recorded)
