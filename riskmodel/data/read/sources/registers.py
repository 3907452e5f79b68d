"""Attendance: marks half-day by half-day, strings of marks, and termly totals by code.

In:  one row per half-day; or per pupil and start date; or per pupil and term, a column per code.
Out: sessions; termly totals.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.codes import ABSENT, codes, marks_of
from riskmodel.data.read.rows.convert import read_dates, read_numbers
from riskmodel.data.read.rows.faults import NO_CENSUS_MONTH, NO_DAYS, NO_MARK_OF_DIGIT, ON_WEEKENDS
from riskmodel.data.read.rows.tidy import MISSING, NOTHING, tidy_column
from riskmodel.data.read.sources.census import DAYS_TO_LA, term_end
from riskmodel.data.read.sources.source import Context, Facts, Source, is_there, plain

__all__ = ["POSSIBLE_NAMES", "SOURCES", "more_than_possible", "unsure_pairs"]

NO_MARK = ["", " ", "-", "#"]
"""What stands in a string where there was no half-day for the pupil: not yet marked, or closed."""

PARTED = re.compile(r"(?:[^\s,]{2}|  )(?: (?:[^\s,]{2}|  ))+ ?")
"""A string that may part days of two marks, or of none, by one blank each."""

PAIRS = re.compile(r"[^\s,]{2}(?: [^\s,]{2})+ ?")
"""One that may do so and holds two marks for every day."""

SINGLE = {
    chr(0xE000 + place): code
    for place, code in enumerate(one for one in codes("marks") if re.fullmatch(r"[A-Z]\d", one))
}
"""Character for private use → the code of a letter and a digit that it stands for in a string."""

DIGIT = re.compile(r"^[^,]*\d[^,]*$")
"""A string without commas in which a digit is part of no code."""

CODES = {plain(code): code for code in codes("marks")}
"""Plain name of a column → attendance code."""

BITS = {code: 1 << place for place, code in enumerate(codes("marks"))}
"""Attendance code → its bit in the number that holds which codes of a row are zero."""

FEWEST_COUNTED = 3
"""Rows from which numbers that go up by one are no half-days."""

POSSIBLE_NAMES = ("possiblesessions", "sessionspossible", "possiblemarks")
"""Plain names of columns with the possible half-days of a term."""

OLD_CODES = {f"treason{name}": name for name in CODES}
"""Columns of before 2020, as in ``T_Reason_I``."""


HALVES = {
    name: half
    for half, word in (("am", "morning"), ("pm", "afternoon"))
    for name in (
        word,
        *(f"{one}{part}" for one in (half, word) for part in ("mark", "code", "session")),
    )
}
"""Other plain names of columns with the marks of mornings, and of afternoons."""


def _marks(frame: pd.DataFrame, context: Context) -> Facts:
    sessions = frame[["pupil_id", "date", "session", "mark"]].copy()
    if "received" in frame:
        sessions["recorded_on"] = frame["received"]
    return {"sessions": sessions}


def _both_halves(frame: pd.DataFrame, context: Context) -> Facts:
    """Take the two marks of each day; an empty one is none."""
    halves = [
        frame.assign(session=half, mark=frame[half.lower()])[is_there(frame[half.lower()])]
        for half in ("AM", "PM")
    ]
    return _marks(pd.concat(halves), context)


def _strings(frame: pd.DataFrame, context: Context) -> Facts:
    """Lay out strings of marks, two a day from a start date.

    Whether a string counts on over weekends differs between systems. If most strings that reach a weekend
    by counting every day hold no mark on it, every day is counted, and the others are set aside: their
    start may be mistyped. Else only Monday to Friday is counted.
    """
    as_given, text = _strings_of(frame), _in_single_characters(_strings_of(frame))
    read_as = _layouts(text)
    for bad, fault in (
        (read_as == "unclear", NO_DAYS),
        (text.str.contains(DIGIT), NO_MARK_OF_DIGIT),
    ):
        if bad.any():  # no day of such a string is known
            written = frame["attendancestartdate"].astype("object").mask(bad, as_given + fault)
            frame = frame.assign(attendancestartdate=written)
    text = text.mask(read_as == "pairs", text.map(_without_parting))
    parts = text.str.split(",").where(text.str.contains(",", regex=False), text.map(list))
    marks = parts.explode().fillna("").str.strip().replace(SINGLE, regex=True)
    number = marks.groupby(level=0).cumcount().to_numpy()
    start = (
        read_dates(frame["attendancestartdate"]).loc[marks.index].to_numpy().astype("datetime64[D]")
    )
    dated = ~np.isnat(start)
    every_day = start + number // 2
    weekday = (every_day.astype("int64") + 3) % 7  # 1970-01-01 was a Thursday
    marked = ~marks.isin(NO_MARK).to_numpy()
    off, is_daily = _on_weekends(marks.index, number, marked, dated & (weekday >= 5))
    days = every_day
    if is_daily and off.any():
        is_off = marks.index.isin(off.index[off])
        days[is_off], dated = np.datetime64("NaT"), dated & ~is_off
        written = frame["attendancestartdate"].astype("object")
        with_fault = written.mask(frame.index.isin(off.index[off]), as_given + ON_WEEKENDS)
        frame = frame.assign(attendancestartdate=with_fault)
    elif off.any():
        days = start.copy()
        days[dated] = np.busday_offset(start[dated], number[dated] // 2, roll="forward")
    if (
        not dated.all()
    ):  # a start that cannot be read is one fault of a string, not one of each mark
        marked &= dated | ~pd.Series(marks.index).where(marked).duplicated().to_numpy()
    sessions = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"].loc[marks.index],
            "date": _days_or_start(days.astype("datetime64[s]"), frame, marks.index),
            "session": np.where(number % 2, "PM", "AM"),
            "mark": marks,
        }
    )
    if "received" in frame:
        sessions["recorded_on"] = frame["received"].loc[marks.index]
    return {"sessions": sessions[marked]}


def _strings_of(frame: pd.DataFrame) -> pd.Series:
    return frame["attendancemarks"].astype("object").fillna("").astype("str")


def _in_single_characters(text: pd.Series) -> pd.Series:
    """Return strings in which one character stands for a code of a letter and a digit."""
    return text.replace({f"(?i){code}": one for one, code in SINGLE.items()}, regex=True)


def _on_weekends(
    strings: pd.Index,
    number: NDArray[np.integer[Any]],
    marked: NDArray[np.bool_],
    weekend: NDArray[np.bool_],
) -> tuple[pd.Series, bool]:
    """Return which strings hold marks on weekends by counting every day, and whether few do.

    Only strings with marks on a weekend or after it show anything.
    """
    table = pd.DataFrame({"marked": marked, "weekend": weekend}, index=strings)
    last = pd.Series(np.where(marked, number, -1), index=strings).groupby(level=0).transform("max")
    off = (table["marked"] & table["weekend"]).groupby(level=0).any()
    reaches = (table["weekend"] & (number <= last)).groupby(level=0).any()
    return off, bool(2 * off.sum() < reaches.sum())


def unsure_pairs(frame: pd.DataFrame) -> pd.Series:
    r"""Return which strings of marks are read as pairs, although nothing but the blanks shows it.

    Parameters
    ----------
    frame : DataFrame
        Rows with ``attendancemarks``.

    Returns
    -------
    Series of bool
        One per row.

    Examples
    --------
    >>> unsure_pairs(pd.DataFrame({"attendancemarks": ["II NN II"]})).tolist()
    [True]
    >>> unsure_pairs(pd.DataFrame({"attendancemarks": ["II NN II", "/\\ /\\"]})).tolist()
    [False, False]
    """
    text = _in_single_characters(_strings_of(frame))
    leanings = _leanings(text)
    is_even = text.str.rstrip().str.len() % 2 == 0  # an odd number is no string of whole days
    return text.str.fullmatch(PAIRS) & is_even & (leanings == 0) & (leanings.sum() == 0)


def more_than_possible(frame: pd.DataFrame) -> pd.Series:
    """Return which rows of attendance by code hold more absence than possible half-days.

    Parameters
    ----------
    frame : DataFrame
        Rows with ``possible`` and a column per code.

    Returns
    -------
    Series of bool
        One per row; False where the possible half-days are not known.

    Examples
    --------
    >>> more_than_possible(pd.DataFrame({"possible": ["140", "140"], "i": ["150", "9"]})).tolist()
    [True, False]
    """
    absent = [name for name in frame if CODES.get(str(name)) in marks_of(*ABSENT)]
    numbers = frame[absent].apply(read_numbers)
    return numbers.sum(axis=1) > read_numbers(frame["possible"])


def _layouts(text: pd.Series) -> pd.Series:
    r"""Return of each string whether it is of ``pairs`` parted by blanks, of ``halves``, or ``unclear``.

    Where ``/`` and ``\`` leave both possible, the other strings of the file decide; where they do not,
    single blanks throughout part pairs, and more than one are a day without marks. A string of neither
    kind is unclear in a file of pairs, and where all blanks would have to part days.
    """
    leanings = _leanings(text)
    file = leanings.sum()
    tied = text.str.fullmatch(PARTED) & (leanings == 0)
    is_pairs = (leanings > 0) | (tied & (file > 0 if file else text.str.fullmatch(PAIRS)))
    is_blank_within = text.str.strip().str.contains(" ", regex=False)
    parted = text.map(_fits_without_blanks) | (file > 0)
    unclear = is_blank_within & ~is_pairs & ~text.str.contains(",", regex=False) & parted
    return pd.Series(np.select([is_pairs, unclear], ["pairs", "unclear"], "halves"), text.index)


def _leanings(text: pd.Series) -> pd.Series:
    """Return 1 for each string that only pairs explain, -1 for one that only half-days do, else 0."""
    of_days, of_halves = (pd.Series([_fit(one, n) for one in text], text.index) for n in (3, 2))
    whole, no_blank = text.str.fullmatch(PARTED), ~text.str.strip().str.contains(r"[ ,]")
    other = -((text.str.len() > 2) & (no_blank | (of_halves > 0))).astype("int64")
    return (of_days - of_halves).clip(-1, 1).where(whole, other)


def _fit(marks: str, step: int) -> int:
    r"""Return how many more of ``/`` in mornings and ``\`` in afternoons are right than wrong."""
    morning, afternoon = marks[::step], marks[1::step]
    right = morning.count("/") + afternoon.count("\\")
    return right - morning.count("\\") - afternoon.count("/")


def _fits_without_blanks(marks: str) -> bool:
    r"""Return whether whole days have ``/`` and ``\`` right without the blanks only."""
    n = marks.count("/") + marks.count("\\")
    whole = all(len(days) % 2 == 0 for days in marks.split())
    return whole and _fit(marks, 2) < n == _fit(marks.replace(" ", ""), 2)


def _without_parting(marks: str) -> str:
    """Return two marks a day without the blanks between days."""
    return "".join(day for place, day in enumerate(marks) if place % 3 != 2)


def _days_or_start(
    days: NDArray[np.datetime64], frame: pd.DataFrame, places: pd.Index
) -> NDArray[np.datetime64] | NDArray[np.object_]:
    """Return days, and in place of a missing one the start as the file has it."""
    missing = np.isnat(days)
    if not missing.any():
        return days
    start = frame["attendancestartdate"].loc[places].to_numpy(dtype=object)
    return np.where(missing, start, pd.Series(days).astype("object").to_numpy())


def _totals(frame: pd.DataFrame, context: Context) -> Facts:
    """Turn columns of codes into rows; the columns are summed, totals of a school are not trusted."""
    here = [name for name in CODES if name in frame and not _numbers_rows(frame, name)]
    frame = _with_one_row_per_term(frame, here)
    long = frame[here].set_axis([CODES[name] for name in here], axis=1)
    long = long.melt(var_name="mark", value_name="sessions", ignore_index=False)
    long = long.assign(sessions=tidy_column(long["sessions"], MISSING | NOTHING))
    number = pd.to_numeric(long["sessions"], errors="coerce")
    is_given, is_zero = is_there(long["sessions"]).to_numpy(), (number == 0).to_numpy()
    zeros = long["mark"].map(BITS).where(is_zero, 0).groupby(level=0).sum()
    long = long[is_given & ~is_zero]
    if "termend" in frame:
        end, known = read_dates(frame["termend"]), None
    else:
        day = read_dates(frame["referencedate"])
        end, known = term_end(day), day + pd.Timedelta(days=DAYS_TO_LA)
    totals = long.assign(pupil_id=frame["pupil_id"].loc[long.index], term_end=end.loc[long.index])
    written = frame["termend" if "termend" in frame else "referencedate"].loc[long.index]
    if known is not None:  # a day that is read, but of no census
        other_month = known.loc[long.index].notna() & totals["term_end"].isna()
        written = written.astype("object").mask(
            other_month, written.astype("str") + NO_CENSUS_MONTH
        )
    unread = totals["term_end"].isna() & is_there(written)
    if unread.any():  # a day that cannot be read is one fault of a row, not one of each code
        totals["term_end"] = totals["term_end"].astype("object").mask(unread, written)
        totals = totals[~unread | ~totals.index.duplicated()]
    if known is not None:
        totals["recorded_on"] = known.loc[totals.index]
    totals["_zeros"] = zeros.loc[totals.index]
    return {"absence_totals": totals}


def _with_one_row_per_term(frame: pd.DataFrame, here: list[str]) -> pd.DataFrame:
    """Return rows of which those of one pupil and term at several schools, each named, are added up."""
    if "urn" not in frame:
        return frame
    day = "termend" if "termend" in frame else "referencedate"
    urn, numbers = (
        frame["urn"].astype("object").where(is_there(frame["urn"])),
        frame[here].apply(read_numbers),
    )
    is_plain = (numbers.notna() | ~frame[here].apply(is_there)).all(axis=1) & urn.notna()
    terms = frame.assign(_urn=urn, _plain=is_plain).groupby(
        ["pupil_id", day], observed=True, dropna=False
    )
    each = terms["_urn"].transform("nunique") == terms["_urn"].transform("size")
    several = each & terms["_plain"].transform("all") & (terms["_urn"].transform("size") > 1)
    if not several.any():
        return frame
    key = [frame["pupil_id"], frame[day]]
    sums = numbers.groupby(key, observed=True, dropna=False).transform("sum", min_count=1)
    cells = frame[here].astype("object").mask(several, sums.astype("object"), axis=0)
    return frame.assign(**cells)[~several | ~frame.duplicated(["pupil_id", day])]


def _numbers_rows(frame: pd.DataFrame, name: str) -> bool:
    """Return whether a column ``#`` numbers the rows: it stands first, or goes up by one."""
    if name != "hash":
        return False
    number = pd.to_numeric(frame[name], errors="coerce")
    counts = len(number) >= FEWEST_COUNTED and bool((number.diff().iloc[1:] == 1).all())
    return list(frame)[0] == name or counts


_WIDE = (
    OLD_CODES
    | dict.fromkeys(("termlysessionspossible", *POSSIBLE_NAMES), "possible")
    | {
        "termenddate": "termend",
        "censusdate": "referencedate",
        "censusday": "referencedate",
    }
)

SOURCES = (
    Source(
        name="Register marks",
        upn="upn",
        facts=_marks,
        columns=frozenset({"upn", "date", "session", "mark"}),
        aliases={"attendancecode": "mark", "code": "mark", "ampm": "session"},
    ),
    Source(
        name="Register marks, morning and afternoon",
        upn="upn",
        facts=_both_halves,
        columns=frozenset({"upn", "date", "am", "pm"}),
        aliases=HALVES | {"attendancedate": "date", "registerdate": "date"},
    ),
    Source(
        name="Register marks, strings",
        upn="upn",
        facts=_strings,
        columns=frozenset({"upn", "attendancestartdate", "attendancemarks"}),
        aliases={"marks": "attendancemarks", "startdate": "attendancestartdate"},
    ),
    Source(
        name="Attendance by code, term end given",
        upn="upn",
        facts=_totals,
        aliases=_WIDE,
        columns=frozenset({"upn", "termend", "i", "m", "o"}),
    ),
    Source(
        name="Attendance by code, census day given",
        upn="upn",
        facts=_totals,
        aliases=_WIDE,
        columns=frozenset({"upn", "referencedate", "i", "m", "o"}),
    ),
)
"""Attendance."""
