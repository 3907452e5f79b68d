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
from riskmodel.data.codes import code_set
from riskmodel.data.ratio import ratio

__all__ = ["TIMELINE_MONTHS", "WEEKS", "Weeks", "events", "known_of", "spells", "weekly_attendance"]

WEEKS, TIMELINE_MONTHS = 52, 36
"""Length of the attendance chart and of the timeline."""

ATTENDED = ("present", "approved_activity")
"""Families of marks that are attendance (DfE, Working together to improve school attendance)."""

ELSEWHERE = ("alternative_provision", "home_educated", "managed_move", "part_time_timetable")
"""Circumstances that stand on the timeline."""

DEPARTURES = {
    "transferred": "Left {school} for another school",
    "managed_move": "Left {school}, a managed move",
    "permanently_excluded": "Left {school}, permanently excluded",
    "home_educated": "Left {school} to be educated at home",
    "left_area": "Left {school} and the area",
    "destination_unknown": "Left {school}, destination not known",
    "other": "Left {school}",
}
"""Leaving reason → what is said; the end of a phase goes without saying."""

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
    """Add up the marks of some pupils by week.

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
    monday = as_of.normalize() - pd.Timedelta(days=as_of.weekday())
    first = monday - pd.Timedelta(weeks=WEEKS - 1 if as_of.weekday() else WEEKS)
    marks = tables["sessions"]
    known = marks["date"].between(first, as_of, inclusive="left") & (marks["recorded_on"] < as_of)
    if not known.any():
        return None
    row = _rows(tables, pupils)[marks["pupil_id"].cat.codes.to_numpy()]
    own = known.to_numpy() & (row >= 0)
    family = code_set("marks")["family"].reindex(marks["mark"].cat.categories).to_numpy()
    of_mark = marks["mark"].cat.codes.to_numpy()[own]
    place = row[own] * WEEKS + _week(marks["date"].to_numpy()[own], first)
    attended, possible = (
        np.bincount(place[wanted[of_mark]], minlength=len(pupils) * WEEKS).reshape(-1, WEEKS)
        for wanted in (np.isin(family, ATTENDED), family != "not_possible")
    )
    share = ratio(attended, possible)
    if "calendar" in tables:
        every = tables["calendar"]["date"]
        days = every[every.between(first, as_of, inclusive="left")].to_numpy()
    else:
        days = marks["date"].to_numpy()[known.to_numpy()]
    is_holiday = np.bincount(_week(days, first), minlength=WEEKS) == 0
    return Weeks(first=first, share=share, is_holiday=is_holiday)


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
    """
    parts = []
    if "enrolments" in known:
        rolls = known["enrolments"]
        school = rolls["school_id"].astype("str")
        parts.append(
            pd.DataFrame({"pupil_id": rolls["pupil_id"].astype("str"), "start": rolls["entry_date"],
                          "end": rolls["leaving_date"], "kind": "school",
                          "text": school.map(lambda name: names.get(name, name)).astype("str")})
        )  # fmt: skip
    if "circumstances" in known:
        lived = known["circumstances"]
        lived = lived[lived["kind"].isin(ELSEWHERE).to_numpy()]
        words = lived["kind"].astype("str").map(code_set("circumstances")["label"]).astype("str")
        parts.append(
            pd.DataFrame({"pupil_id": lived["pupil_id"].astype("str"), "start": lived["start_date"],
                          "end": lived["end_date"], "kind": "elsewhere", "text": words})
        )  # fmt: skip
    columns = ["pupil_id", "start", "end", "kind", "text"]
    if not parts:
        return pd.DataFrame(columns=columns)
    made = pd.concat(parts, ignore_index=True)
    first = as_of - pd.DateOffset(months=TIMELINE_MONTHS)
    made["end"] = made["end"].where(made["end"] < as_of, as_of)
    made = made[((made["start"] < as_of) & (made["end"] >= first)).to_numpy()]
    made["start"] = made["start"].mask(made["start"] < first, first)
    return made.sort_values(["pupil_id", "start", "end", "text"], ignore_index=True)[columns]


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
    """
    parts = []
    if "suspensions" in known:
        parts.append(_incidents(known["suspensions"]))
    if "enrolments" in known:
        parts += _moves(known["enrolments"], names)
    columns = ["pupil_id", "day", "kind", "text"]
    if not parts:
        return pd.DataFrame(columns=columns)
    made = pd.concat(parts, ignore_index=True)
    first = as_of - pd.DateOffset(months=TIMELINE_MONTHS)
    made = made[made["day"].between(first, as_of, inclusive="left").to_numpy()]
    return made.sort_values(["pupil_id", "day", "kind", "text"], ignore_index=True)[columns]


def _incidents(suspensions: pd.DataFrame) -> pd.DataFrame:
    is_permanent = (suspensions["category"] == "PERM").to_numpy()
    half_days = suspensions["sessions"].to_numpy(dtype=float)
    length = (
        pd.Series(half_days, index=suspensions.index)
        .map(" for {:g} half-days".format)
        .astype("str")
    )
    length = length.mask(half_days == 1, " for 1 half-day").mask(
        np.isnan(half_days) | is_permanent, ""
    )
    # the reasons of suspensions are not repeated: a card tells a story, it is no charge sheet
    text = suspensions["category"].astype("str").map(CATEGORIES).astype("str") + length
    return pd.DataFrame({"pupil_id": suspensions["pupil_id"].astype("str"),
                         "day": suspensions["start_date"], "kind": "incident", "text": text})  # fmt: skip


def _moves(rolls: pd.DataFrame, names: dict[str, str]) -> list[pd.DataFrame]:
    pupil, school = rolls["pupil_id"].astype("str"), rolls["school_id"].astype("str")
    school = school.map(lambda name: names.get(name, name)).astype("str")
    is_first = rolls["entry_date"] == rolls.groupby("pupil_id", observed=True)[
        "entry_date"
    ].transform("min")
    joined = pd.DataFrame({"pupil_id": pupil, "day": rolls["entry_date"], "kind": "move",
                           "text": "Joined " + school})  # fmt: skip
    parts = [joined[~is_first.to_numpy()]]
    if "leaving_reason" in rolls:
        said = rolls["leaving_reason"].astype("str").map(DEPARTURES)
        text = [template.replace("{school}", name) if isinstance(template, str) else None
                for template, name in zip(said, school, strict=True)]  # fmt: skip
        left = pd.DataFrame({"pupil_id": pupil, "day": rolls["leaving_date"], "kind": "move",
                             "text": text})  # fmt: skip
        parts.append(left.dropna())
    return parts
