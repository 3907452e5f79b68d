"""What a source is: the columns by which its files are known, and the facts they make.

In:  a raw frame with plain column names.
Out: facts per table, each with the row of the file it came from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd

from riskmodel.data.calendar import academic_year
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.problems import Problem

__all__ = [
    "NAMES",
    "Context",
    "Source",
    "column",
    "first_there",
    "is_there",
    "last_year",
    "plain",
    "postcode_key",
    "school_year",
    "spells",
    "with_plain_columns",
]

NAMES = ("surname", "forename", "middlenames", "preferredsurname")
"""Columns of names, which are compared as they are written: a child may be called Null."""

Facts = Mapping[str, pd.DataFrame]
"""Table → facts in the columns of the schema; the index is the position of the row in the file."""

Headings = tuple[Mapping[str, str], list[Problem]]
"""Columns that are days → names they are read under; what could not be read of them."""


@dataclass
class Context:
    """What one file must know of the others.

    Attributes
    ----------
    censuses : DataFrame
        Index ``schoolcensustableid``; ``school_id``, ``day`` of each census return.
    pupil_of_row : Series of shape (n_pupil_rows,)
        COLLECT ``…tableid`` of a pupil row → ``pupil_id``.
    census_of_row : Series of shape (n_pupil_rows,)
        COLLECT ``…tableid`` of a pupil row → ``schoolcensustableid``.
    entry_of_row : Series of shape (n_pupil_rows,)
        COLLECT ``…tableid`` of a pupil row → day of entry to the school.
    deciles : DataFrame
        Index postcode without blanks; ``idaci_decile``, ``imd_decile``.
    school_of_number : Series of shape (n_schools,)
        Establishment number → ``school_id``.
    group_of_activity : Series of shape (n_codes,)
        NCCIS activity code → group, where the LA groups some otherwise than the code set.
    assessments : DataFrame
        Index ``requeststableid`` of SEN2; ``outcome`` and ``day`` of the assessment, as written.
    two_children : frozenset of str
        Pupils whose UPN two children have: no row of theirs can be used.
    births : Series of shape (n_pupils,)
        ``pupil_id`` → month of birth, once the files that name pupils are read.
    """

    censuses: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(
            {"school_id": pd.Series(dtype="str"), "day": pd.Series(dtype="datetime64[s]")}
        )
    )
    pupil_of_row: pd.Series = field(default_factory=lambda: pd.Series(dtype="str"))
    census_of_row: pd.Series = field(default_factory=lambda: pd.Series(dtype="str"))
    entry_of_row: pd.Series = field(default_factory=lambda: pd.Series(dtype="datetime64[s]"))
    deciles: pd.DataFrame = field(default_factory=pd.DataFrame)
    school_of_number: pd.Series = field(default_factory=lambda: pd.Series(dtype="str"))
    group_of_activity: pd.Series = field(default_factory=lambda: pd.Series(dtype="str"))
    assessments: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame({"outcome": [], "day": []}, dtype="str")
    )
    two_children: frozenset[str] = frozenset()
    births: pd.Series = field(default_factory=lambda: pd.Series(dtype="datetime64[s]"))


@dataclass(frozen=True, kw_only=True)
class Source:
    """A kind of file.

    Attributes
    ----------
    name : str
        In words.
    columns : frozenset of str
        Plain names of columns that together only this kind of file has.
    facts : callable, optional
        Raw frame and context → facts; None for files that only help to read others.
    upn : str
        Plain name of the column with the UPN, or empty.
    aliases : mapping of str to str
        Other plain names, seen over the years → the name used here.
    names_pupils : bool
        Whether its files name the pupils; rows of all others must join to a pupil of these.
    headings : callable, optional
        For a layout with a column per day: names of columns and what messages call the file → names of
        those that are days with the names they are read under, and problems. A file is of the source only
        if two or more are.
    unused : str
        Why nothing of its files can be used, as a sentence; empty for files that are read.
    doubt : callable, optional
        Rows with plain column names, and the name of the file → why they may be of another kind, and what
        would make it certain; empty where nothing shows that.
    """

    name: str
    columns: frozenset[str]
    facts: Callable[[pd.DataFrame, Context], Facts] | None = None
    upn: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)
    names_pupils: bool = False
    headings: Callable[[Iterable[str], str], Headings] | None = None
    unused: str = ""
    doubt: Callable[[pd.DataFrame, str], str] | None = None

    def is_of(self, names: Iterable[str]) -> bool:
        """Return whether a file with columns of these names is of this kind.

        Parameters
        ----------
        names : iterable of str
            As the file writes them.

        Returns
        -------
        bool
            Whether all of ``columns`` are among them, and days where the layout has a column per day.
        """
        names = list(names)
        found = {self.aliases.get(plain(name), plain(name)) for name in names}
        return self.columns <= found and (
            self.headings is None or len(self.headings(names, "")[0]) >= FEWEST_DAYS
        )

    def unsure(self, raw: pd.DataFrame, name: str) -> str:
        """Return why a file with these columns may be of another kind, and what would make it certain.

        Parameters
        ----------
        raw : DataFrame
            As the file holds it.
        name : str
            Name of the file.

        Returns
        -------
        str
            Empty where nothing shows that.
        """
        return self.doubt(with_plain_columns(raw, self.aliases), name) if self.doubt else ""


FEWEST_DAYS = 2
"""Columns that are days from which a file is a grid; one alone may be the day of an export."""

SYMBOLS = {"/": "slash", "\\": "backslash", "#": "hash"}
"""Attendance codes that stand as names of columns and hold no letter."""


@lru_cache(maxsize=10_000)
def plain(name: str) -> str:
    """Return a column name without case, blanks and punctuation.

    Parameters
    ----------
    name : str
        As a file writes it.

    Returns
    -------
    str
        Letters and digits only; ``percent`` for its sign.

    Examples
    --------
    >>> plain("LA (code)"), plain("I (%)")
    ('lacode', 'ipercent')
    """
    words = name.strip().lower().replace("%", "percent")  # a share is no count
    words = re.sub(r"(^|_)([/\\#])$", lambda sign: SYMBOLS[sign[2]], words)  # also T_Reason_/
    return re.sub(r"[^a-z0-9]", "", words)


def with_plain_columns(raw: pd.DataFrame, aliases: Mapping[str, str]) -> pd.DataFrame:
    """Return a frame with plain column names, known aliases replaced.

    Parameters
    ----------
    raw : DataFrame
        As the file holds it.
    aliases : mapping of str to str
        Other plain names → names.

    Returns
    -------
    DataFrame
        The same values; a column whose plain name comes twice keeps its first place only.
    """
    names = [aliases.get(plain(str(name)), plain(str(name))) for name in raw.columns]
    renamed = raw.set_axis(names, axis=1)
    return renamed.loc[:, ~renamed.columns.duplicated()]


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column, or an empty one where the file has none of the name.

    Parameters
    ----------
    frame : DataFrame
        Raw rows with plain column names.
    name : str
        Plain name.

    Returns
    -------
    Series
        As long as the frame.
    """
    if name in frame:
        return frame[name]
    return pd.Series(np.nan, index=frame.index, dtype="object")


def is_there(values: pd.Series) -> pd.Series:
    """Return which values are neither missing nor blank.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        As a file holds them.

    Returns
    -------
    Series of bool
        True also for what cannot be read, so that the reader sets it aside and reports it.

    Examples
    --------
    >>> is_there(pd.Series(["2024-09-02", "soon", " ", None])).tolist()
    [True, True, False, False]
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        filled = [bool(str(one).strip()) for one in values.cat.categories.tolist()]
        found = np.array([*filled, False])[values.cat.codes.to_numpy()]
        return pd.Series(found, index=values.index, name=values.name)
    return values.notna() & (values.astype("str").str.strip() != "").fillna(False)


def first_there(frame: pd.DataFrame, names: Iterable[str]) -> pd.Series:
    """Return of each row the value of the first column that is there and holds one.

    Parameters
    ----------
    frame : DataFrame
        Raw rows with plain column names.
    names : iterable of str
        Plain names, the one that counts before others first.

    Returns
    -------
    Series of object, shape (n_rows,)
        Missing where no column holds a value.

    Examples
    --------
    >>> frame = pd.DataFrame({"urn": ["900001", " "], "estab": ["4001", "4002"]})
    >>> first_there(frame, ("urn", "estab")).tolist()
    ['900001', '4002']
    """
    found = pd.Series(np.nan, index=frame.index, dtype="object")
    for name in names:
        if name in frame:
            found = found.fillna(frame[name].astype("object").where(is_there(frame[name])))
    return found


def postcode_key(values: pd.Series) -> pd.Series:
    """Return postcodes without blanks, in capitals.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        As files hold them.

    Returns
    -------
    Series of str
        What is the same for all ways to write one postcode; missing where missing.

    Examples
    --------
    >>> postcode_key(pd.Series(["ab1 2cd", " AB12CD "])).tolist()
    ['AB12CD', 'AB12CD']
    """
    return values.astype("str").str.replace(" ", "").str.upper()


def spells(
    frame: pd.DataFrame,
    kind: pd.Series | str,
    start: str,
    end: str,
    recorded: pd.Series | None = None,
    *,
    lag_days: int,
) -> pd.DataFrame:
    """Return spells of a circumstance, each end known the day after it, once the spell is known.

    Parameters
    ----------
    frame : DataFrame
        Raw rows with ``pupil_id``.
    kind : Series of shape (n_rows,) or str
        Kind of circumstance.
    start, end : str
        Columns of the first and last day; a file may lack the second.
    recorded : Series of datetime64, shape (n_rows,), optional
        When each spell was recorded.
    lag_days : int
        Days after the first on which a spell counts as known, where ``recorded`` is left out.

    Returns
    -------
    DataFrame
        Raw rows of ``circumstances``.
    """
    first, last = read_dates(frame[start]), read_dates(column(frame, end))
    known = first + pd.Timedelta(days=lag_days) if recorded is None else recorded
    end_known = pd.concat([last + pd.Timedelta(days=1), known], axis=1).max(axis=1)
    return pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "kind": kind,
            "start_date": frame[start],
            "end_date": column(frame, end),
            "recorded_on": known,
            "end_recorded_on": end_known.where(last.notna()),
        }
    )


def school_year(dates: pd.Series) -> pd.Series:
    """Return the calendar year in which each date's school year began.

    Parameters
    ----------
    dates : Series of datetime64, shape (n_rows,)
        Dates; missing ones stay missing.

    Returns
    -------
    Series of float64
        Years.
    """
    return academic_year(dates).astype("float64")


def last_year(written: pd.Series) -> pd.Series:
    """Return the calendar year in which each school year ends.

    Parameters
    ----------
    written : Series of shape (n_rows,)
        ``2021/2022``, ``2021/22``, ``21/22``, ``202122``, or the year in which it ends alone.

    Returns
    -------
    Series of float64
        Missing where it is none of these, or where the two years do not follow each other.

    Examples
    --------
    >>> last_year(pd.Series(["2021/2022", "23/24", "2019.00", "2021/2023"])).tolist()
    [2022.0, 2024.0, 2019.0, nan]
    """
    text = written.astype("object").astype("str").str.strip().str.replace(r"\.0+$", "", regex=True)
    text = text.str.replace(r"^(\d\d)[/\\–-](\d\d)$", r"20\1/\2", regex=True)
    parts = text.str.extract(r"^(?P<first>\d{4})(?:[\s/\\–-]*(?P<last>\d{4}|\d{2}))?$")
    first, last = (pd.to_numeric(parts[name]).astype("float64") for name in ("first", "last"))
    follows = (last == first + 1) | (last == (first + 1) % 100)
    return (first + 1).where(follows, first.where(parts["last"].isna()))
