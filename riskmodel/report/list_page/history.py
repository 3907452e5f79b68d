"""What happened to the pupils of a list: attendance by week, and one timeline of schools and incidents.

In:  the LA's facts, of which only those recorded before ``as_of`` are used; the pupils asked for.
Out: shares per pupil and week; frames of spells and of events.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.data.codes import ATTENDED, POSSIBLE, code_set
from riskmodel.data.ratio import ratio

__all__ = ["TIMELINE_MONTHS", "WEEKS", "Weeks", "events", "known_of", "spells", "weekly_attendance"]

WEEKS, TIMELINE_MONTHS = 52, 36
"""Length of the attendance chart and of the timeline."""

ELSEWHERE = ("alternative_provision", "home_educated", "managed_move", "part_time_timetable")
"""Circumstances that the timeline shows."""

DEPARTURES = {
    "transferred": "Left {school} for another school",
    "managed_move": "Left {school}, a managed move",
    "permanently_excluded": "Left {school}, permanently excluded",
    "home_educated": "Left {school} to be educated at home",
    "left_area": "Left {school} and the area",
    "destination_unknown": "Left {school}, destination not known",
    "other": "Left {school}",
}
"""Leaving reason → its words; the end of a phase is not an event."""

SPELL_COLUMNS = ["pupil_id", "start", "end", "kind", "text"]
EVENT_COLUMNS = ["pupil_id", "day", "kind", "text"]

CATEGORIES = {"SUSP": "Suspended", "LNCH": "Suspended at lunchtime", "PERM": "Permanently excluded"}


@dataclass(frozen=True, kw_only=True)
class Weeks:
    """Attendance by week.

    Attributes
    ----------
    first : Timestamp
        Monday of the first week.
    share : float array of shape (n_pupils, n_weeks)
        Share of possible half-days attended; missing where no half-day was possible or known.
    is_holiday : bool array of shape (n_weeks,)
        Weeks without a school day.
    """

    first: pd.Timestamp
    share: NDArray[np.float64]
    is_holiday: NDArray[np.bool_]


def weekly_attendance(tables: Tables, pupils: list[str], *, as_of: pd.Timestamp) -> Weeks | None:
    """Return the attendance of some pupils by week.

    Parameters
    ----------
    tables : Tables
        The LA's facts.
    pupils : list of str
        ``pupil_id``.
    as_of : Timestamp
        Marks dated and recorded before it count.

    Returns
    -------
    Weeks or None
        The last :data:`WEEKS` weeks before ``as_of``; None where no mark is known in them.
    """
    if "sessions" not in tables:
        return None
    first = _first_monday(as_of)
    marks = tables.unreplaced("sessions", as_of)
    known = marks["date"].between(first, as_of, inclusive="left") & (marks["recorded_on"] < as_of)
    if not known.any():
        return None
    marks = marks[known.to_numpy()]
    return Weeks(
        first=first,
        share=_share_of_weeks(marks, _rows(tables, pupils), len(pupils), first),
        is_holiday=np.bincount(_week(_school_days(tables, marks, as_of), first), minlength=WEEKS)
        == 0,
    )


def _first_monday(as_of: pd.Timestamp) -> pd.Timestamp:
    """Return the Monday on which the first of the last weeks begins."""
    monday = as_of.normalize() - pd.Timedelta(days=as_of.weekday())
    return monday - pd.Timedelta(weeks=WEEKS - 1 if as_of.weekday() else WEEKS)


def _share_of_weeks(
    marks: pd.DataFrame, rows: NDArray[np.int64], n_pupils: int, first: pd.Timestamp
) -> NDArray[np.float64]:
    """Return the share of possible half-days attended, a row per pupil and a column per week."""
    row = rows[marks["pupil_id"].cat.codes.to_numpy()]
    own = row >= 0
    family = code_set("marks")["family"].reindex(marks["mark"].cat.categories).to_numpy()
    of_mark = marks["mark"].cat.codes.to_numpy()[own]
    place = row[own] * WEEKS + _week(marks["date"].to_numpy()[own], first)
    attended, possible = (
        np.bincount(place[wanted[of_mark]], minlength=n_pupils * WEEKS).reshape(-1, WEEKS)
        for wanted in (np.isin(family, ATTENDED), np.isin(family, POSSIBLE))
    )
    return ratio(attended, possible)


def _school_days(
    tables: Tables, marks: pd.DataFrame, as_of: pd.Timestamp
) -> NDArray[np.datetime64]:
    """Return the school days of the weeks: of the calendar, or without one the days with marks."""
    if "calendar" not in tables:
        return marks["date"].to_numpy()
    days = tables["calendar"]["date"]
    return days[days.between(_first_monday(as_of), as_of, inclusive="left")].to_numpy()


def _week(days: NDArray[np.datetime64], first: pd.Timestamp) -> NDArray[np.int64]:
    return ((days - first.to_datetime64()) // np.timedelta64(7, "D")).astype(np.int64)


def _rows(tables: Tables, pupils: list[str]) -> NDArray[np.int64]:
    """Return the row asked for of each pupil of the LA; -1 for the others, also at the end."""
    rows = np.full(len(tables.pupils.categories) + 1, -1)
    numbers = tables.pupils.categories.get_indexer(pd.Index(pupils, dtype=object))
    rows[numbers] = np.where(numbers >= 0, np.arange(len(pupils)), -1)
    rows[-1] = -1
    return rows


def known_of(tables: Tables, pupils: list[str], *, as_of: pd.Timestamp) -> Tables:
    """Return what was known of some pupils.

    Parameters
    ----------
    tables : Tables
        The LA's facts.
    pupils : list of str
        ``pupil_id``.
    as_of : Timestamp
        Only what was recorded before it.

    Returns
    -------
    Tables
        Enrolments, suspensions and circumstances, as far as the LA holds them.
    """
    own = {}
    for name in ("enrolments", "suspensions", "circumstances"):
        if name in tables:
            frame = tables[name]
            own[name] = frame[frame["pupil_id"].isin(pupils).to_numpy()]
    return Tables(own).as_known(as_of)


def spells(known: Tables, names: dict[str, str], *, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return where pupils were: spells on a roll, and education elsewhere.

    Parameters
    ----------
    known : Tables
        From :func:`known_of`.
    names : dict of str to str
        School → its name.
    as_of : Timestamp
        The end of the timeline.

    Returns
    -------
    DataFrame
        ``pupil_id, start, end, kind, text``; ``kind`` is ``school`` or ``elsewhere``. Cut to the
        last :data:`TIMELINE_MONTHS` months.

    Examples
    --------
    >>> spells(Tables({}), {}, as_of=pd.Timestamp("2025-08-01")).columns.tolist()
    ['pupil_id', 'start', 'end', 'kind', 'text']
    """
    parts = []
    if "enrolments" in known:
        parts.append(_at_school(known["enrolments"], names))
    if "circumstances" in known:
        parts.append(_elsewhere(known["circumstances"]))
    return _cut_spells(_stacked(parts, SPELL_COLUMNS), as_of)


def _stacked(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Return the rows of all parts; the columns alone where there are none."""
    filled = [part for part in parts if len(part)]
    return pd.concat(filled) if filled else pd.DataFrame(columns=columns)


def _at_school(rolls: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Return the spells on a roll."""
    columns = {
        "pupil_id": rolls["pupil_id"].astype("str"),
        "start": rolls["entry_date"],
        "end": rolls["leaving_date"],
        "kind": "school",
        "text": _named(rolls["school_id"], names),
    }
    return pd.DataFrame(columns)


def _elsewhere(circumstances: pd.DataFrame) -> pd.DataFrame:
    """Return the spells of education away from a school's roll."""
    away = circumstances[circumstances["kind"].isin(ELSEWHERE).to_numpy()]
    columns = {
        "pupil_id": away["pupil_id"].astype("str"),
        "start": away["start_date"],
        "end": away["end_date"],
        "kind": "elsewhere",
        "text": away["kind"].astype("str").map(code_set("circumstances")["label"]).astype("str"),
    }
    return pd.DataFrame(columns)


def _cut_spells(spells: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return spells in order, cut to the timeline."""
    first = as_of - pd.DateOffset(months=TIMELINE_MONTHS)
    end = spells["end"].where(spells["end"] < as_of, as_of)
    start = spells["start"].mask(spells["start"] < first, first)
    inside = (spells["start"] < as_of) & (end >= first)
    cut = spells.assign(start=start, end=end)[inside.to_numpy()]
    return cut.sort_values(["pupil_id", "start", "end", "text"], ignore_index=True)[SPELL_COLUMNS]


def _named(school: pd.Series, names: dict[str, str]) -> pd.Series:
    """Return the names of schools; the number where there is no name."""
    return school.astype("str").map(lambda number: names.get(number, number)).astype("str")


def events(known: Tables, names: dict[str, str], *, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return what happened on a day: suspensions, exclusions, moves.

    Parameters
    ----------
    known : Tables
        From :func:`known_of`.
    names : dict of str to str
        School → its name.
    as_of : Timestamp
        The end of the timeline.

    Returns
    -------
    DataFrame
        ``pupil_id, day, kind, text`` of the last :data:`TIMELINE_MONTHS` months, by day; ``kind`` is
        ``incident`` or ``move``.

    Examples
    --------
    >>> events(Tables({}), {}, as_of=pd.Timestamp("2025-08-01")).columns.tolist()
    ['pupil_id', 'day', 'kind', 'text']
    """
    parts = []
    if "suspensions" in known:
        parts.append(_incidents(known["suspensions"]))
    if "enrolments" in known:
        parts += [_joined(known["enrolments"], names), _left(known["enrolments"], names)]
    made = _stacked(parts, EVENT_COLUMNS)
    first = as_of - pd.DateOffset(months=TIMELINE_MONTHS)
    made = made[made["day"].between(first, as_of, inclusive="left").to_numpy()]
    return made.sort_values(["pupil_id", "day", "kind", "text"], ignore_index=True)[EVENT_COLUMNS]


def _incidents(suspensions: pd.DataFrame) -> pd.DataFrame:
    """Return suspensions and exclusions, with their length."""
    is_permanent = (suspensions["category"] == "PERM").to_numpy()
    half_days = suspensions["sessions"].astype("float64")
    length = half_days.map(" for {:g} half-days".format).astype("str")
    length = length.mask((half_days == 1).to_numpy(), " for 1 half-day")
    length = length.mask(half_days.isna().to_numpy() | is_permanent, "")
    # the reasons of suspensions are not repeated: a card tells a story, it is no charge sheet
    columns = {
        "pupil_id": suspensions["pupil_id"].astype("str"),
        "day": suspensions["start_date"],
        "kind": "incident",
        "text": suspensions["category"].astype("str").map(CATEGORIES).astype("str") + length,
    }
    return pd.DataFrame(columns)


def _joined(rolls: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Return the schools that pupils joined after their first."""
    entry = rolls["entry_date"]
    is_first = entry == rolls.groupby("pupil_id", observed=True)["entry_date"].transform("min")
    columns = {
        "pupil_id": rolls["pupil_id"].astype("str"),
        "day": entry,
        "kind": "move",
        "text": "Joined " + _named(rolls["school_id"], names),
    }
    return pd.DataFrame(columns)[~is_first.to_numpy()]


def _left(rolls: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Return the schools that pupils left, with the reason."""
    if "leaving_reason" not in rolls:
        return pd.DataFrame(columns=EVENT_COLUMNS)
    reasons = rolls["leaving_reason"].astype("str")
    words = [
        DEPARTURES[reason].replace("{school}", name) if reason in DEPARTURES else None
        for reason, name in zip(reasons, _named(rolls["school_id"], names), strict=True)
    ]
    columns = {
        "pupil_id": rolls["pupil_id"].astype("str"),
        "day": rolls["leaving_date"],
        "kind": "move",
        "text": words,
    }
    return pd.DataFrame(columns).dropna()
