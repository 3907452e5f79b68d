"""What an id means: ids of rows are unique within a return, and may begin at 1 in the next one.

In:  files that define ids (censuses, pupils), and files whose rows hang on these ids.
Out: ids that mean one thing each; rows whose id still means two things are set aside.

While no id means two things, ids link files wherever they lie. As soon as one does, a file is linked
only within its return: with the files in the same workbook, archive or folder. If an id means two things
among these too, those count whose names hold the same numbers and terms (``2024_autumn``, a URN), and
of these, if need be, those whose names hold the same days.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskmodel.data.identity import may_identify
from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile, set_aside_rows

__all__ = [
    "Holder",
    "is_repeated",
    "is_without_pupils",
    "link_within_returns",
    "may_hang_on",
    "nearest",
    "of_same_return",
    "of_own_return",
    "place_and_label",
    "scope_ids",
    "set_ambiguous_aside",
]

TERMS = {"aut": "autumn", "spr": "spring", "sum": "summer"}
"""Short names of terms, as file names have them."""

BUNDLE = re.compile(r"\.(?:zip|xlsx|xlsm|xls|xlsb|ods)$", re.IGNORECASE)
"""The end of the name of an archive or a workbook, which holds files or sheets."""

SECOND_HALF = re.compile(r"summer[\W_]*half[\W_]*term[\W_]*2", re.IGNORECASE)
"""A table of the census whose name holds a term and a number that are not those of the return."""


PART = re.compile(r"part[\W_]*\d+", re.IGNORECASE)
"""A part of a table, in its name: no number of a return."""

DAY = re.compile(r"(?<!\d)(?:\d{8}|\d{4}([-_.])\d\d?\1\d\d?|\d\d?([-_.])\d\d?\2\d{4})(?!\d)")
"""What may be a day in a name, such as that of export."""

YEARS = frozenset(map(str, range(1990, 2100)))
"""Years that names of returns hold."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A file that defines ids.

    Attributes
    ----------
    file : ReturnFile
        The file.
    ids : Series of str, shape (n_rows,)
        Ids of its rows, with the frame's index.
    meaning : Series of str, shape (n_rows,)
        What each of them means.
    """

    file: ReturnFile
    ids: pd.Series
    meaning: pd.Series

    def table(self) -> pd.DataFrame:
        """Return each id and meaning once, with the row of the file.

        Returns
        -------
        DataFrame
            ``id``, ``meaning``, ``row``; a missing id means nothing.
        """
        columns = {"id": self.ids, "meaning": self.meaning, "row": self.ids.index}
        return pd.DataFrame(columns).dropna(subset=["id"]).drop_duplicates(["id", "meaning"])


def scope_ids(
    holders: Sequence[Holder], users: Iterable[ReturnFile], column: str, log: ReadLog, words: str
) -> None:
    """Make every id mean one thing: where one means two, write the return's file into the ids.

    Parameters
    ----------
    holders : sequence of Holder
        Files that define the ids; the column gets the new ids.
    users : iterable of ReturnFile
        Files whose rows hang on the ids; the column gets the new ids, missing where none is meant.
    column : str
        Plain name of the column with the ids.
    log : ReadLog
        Gets the rows set aside.
    words : str
        What an id means, in the plural.
    """
    if is_repeated(holders):
        link_within_returns(holders, users, column, log, words)


def link_within_returns(
    holders: Sequence[Holder], users: Iterable[ReturnFile], column: str, log: ReadLog, words: str
) -> None:
    """Write the return's file into all ids, and link each file within its return only.

    Parameters
    ----------
    holders : sequence of Holder
        Files that define the ids; the column gets the new ids.
    users : iterable of ReturnFile
        Files whose rows hang on the ids; the column gets the new ids, missing where none is meant.
    column : str
        Plain name of the column with the ids.
    log : ReadLog
        Gets the rows set aside.
    words : str
        What an id means, in the plural.
    """
    for number, holder in enumerate(holders):
        holder.file.frame[column] = _written(number, holder).reindex(holder.file.frame.index)
    for one in users:
        near = _together(one.name, [holder.file.name for holder in holders])
        near &= np.array([_may_hold(holder, one.name) for holder in holders], dtype=bool)
        own = _narrowed(one.name, holders, near)
        ids = one.frame[column].astype("str")
        among: list[int] = np.flatnonzero(own if own.any() else near).tolist()
        set_ambiguous_aside(log, one, ids, [holders[n] for n in among], words)
        if not own.any():
            one.frame[column] = None
            continue
        table = pd.concat(
            [holders[n].table().assign(new=_written(n, holders[n])) for n in among],
            ignore_index=True,
        )
        known = table[~_ambiguous(table)].drop_duplicates("id").set_index("id")["new"]
        one.frame[column] = ids.map(known)


def of_same_return(name: str, holders: Sequence[Holder]) -> np.ndarray:
    """Return which files that define ids count for a file: names choose only while an id means two things.

    Parameters
    ----------
    name : str
        Name of the file, with the folders, archives and workbooks it lies in.
    holders : sequence of Holder
        Files to choose from.

    Returns
    -------
    bool array of shape (n_holders,)
        Those with most places in common. If an id means two things in them, of these those named alike;
        then those that hold the same days in their names, too.
    """
    return _narrowed(name, holders, _together(name, [holder.file.name for holder in holders]))


def is_repeated(holders: Sequence[Holder]) -> bool:
    """Return whether any id means two things.

    Parameters
    ----------
    holders : sequence of Holder
        Files that define the ids.

    Returns
    -------
    bool
        True if so, in one file or in two.
    """
    ids = [holder.ids.dropna() for holder in holders]
    if not ids or pd.concat(ids).is_unique:
        return False
    return bool(_ambiguous(_all(holders)).any())


def set_ambiguous_aside(
    log: ReadLog, one: ReturnFile, ids: pd.Series, holders: Sequence[Holder], words: str
) -> None:
    """Set rows aside whose id means two things.

    Parameters
    ----------
    log : ReadLog
        Gets the problem and the rejects.
    one : ReturnFile
        The file.
    ids : Series of str, shape (n_rows,)
        Its ids.
    holders : sequence of Holder
        Files that may define the ids here.
    words : str
        What an id means, in the plural.
    """
    table = _all(holders)
    twice = table[_ambiguous(table)]
    places = np.flatnonzero(ids.isin(twice["id"]).to_numpy() & ~one.set_aside)
    if not len(places):
        return
    first = str(ids.iloc[places[0]])
    files = sorted(set(twice.loc[twice["id"] == first, "file"]))
    such = "" if may_identify(first) else f", such as '{first}',"
    where = " and ".join(files[:2]) if len(files) > 1 else f"different rows of {files[0]}"
    set_aside_rows(
        log,
        one,
        places,
        "repeated_id",
        f"hang on ids{such} that stand for different {words} in {where}. Ids begin anew in every "
        "return: put the files of each return into a folder of its own.",
        "error",
    )


def nearest(name: str, others: Sequence[str], *, with_days: bool = False) -> np.ndarray:
    """Return which files belong to the same return as a file, as far as places and names show.

    Parameters
    ----------
    name : str
        Name of the file, with the folders, archives and workbooks it lies in.
    others : sequence of str
        Names of the files to choose from.
    with_days : bool
        Whether days in names count; a day may be that of export.

    Returns
    -------
    bool array of shape (n_others,)
        Those with most places in common; of several of them those whose names hold the same numbers
        and terms, if there are any.

    Examples
    --------
    >>> nearest("aut/exclusions.csv", ["aut/pupils.csv", "spr/pupils.csv"]).tolist()
    [True, False]
    >>> pupils = ["pupils_2024_aut.csv", "pupils_2025_spr.csv"]
    >>> nearest("Exclusions spring 2025.csv", pupils).tolist()
    [False, True]
    >>> nearest("exclusions_900002.csv", ["pupils_900001.csv", "pupils_900002.csv"]).tolist()
    [False, True]
    """
    near = _together(name, others)
    if near.sum() > 1:
        label = _label(name, with_days=with_days)
        alike = near & np.array([_label(other, with_days=with_days) == label for other in others])
        near = alike if alike.any() else near
    return near


def of_own_return(name: str, others: Sequence[str]) -> np.ndarray:
    """Return which files may be of the same return as a file, while no id means two things.

    Parameters
    ----------
    name : str
        Name of the file, with the folders, archives and workbooks it lies in.
    others : sequence of str
        Names of the files to choose from.

    Returns
    -------
    bool array of shape (n_others,)
        Those with most places in common, but for those whose names hold other terms or years; all of
        them where each does.

    Examples
    --------
    >>> of_own_return("Exclusions spring 2025.csv", ["census 2024 aut.csv", "census_2025_spr.csv"]).tolist()
    [False, True]
    >>> of_own_return("exclusions_part1.csv", ["census_part1.csv", "census_part2.csv"]).tolist()
    [True, True]
    """
    near = _together(name, others)
    alike = near & np.array([not _differs(name, other) for other in others], dtype=bool)
    return alike if alike.any() else near


def _together(name: str, others: Sequence[str]) -> np.ndarray:
    """Return which files have most folders, archives and workbooks in common with a file."""
    shared = np.array([_places_shared(name, other) for other in others], dtype=np.int64)
    return np.asarray(shared == shared.max(initial=0))


def _differs(name: str, other: str, *, with_years: bool = True) -> bool:
    """Return whether the names of two files hold other terms or years, below the folder that they share.

    A file that has the term or year of its folder is of the folder's return, as all files in it are.
    """
    n_shared = _places_shared(name, other)
    shared = _label(", ".join(_places(name)[:n_shared]))
    left, right = (_label(", ".join(_places(one)[n_shared:])) for one in (name, other))
    kinds = (frozenset(TERMS.values()), YEARS) if with_years else (frozenset(TERMS.values()),)
    return any(
        bool(left & kind)
        and left.isdisjoint(right & kind)
        and right & kind not in (set(), shared & kind)
        for kind in kinds
    )


def may_hang_on(name: str, other: str) -> bool:
    """Return whether rows of one file may hang on those of another, while no id means two things.

    Parameters
    ----------
    name, other : str
        Names of the files, with the folders, archives and workbooks they lie in.

    Returns
    -------
    bool
        False for files in different folders whose names hold other terms or years, and for files whose
        names hold other terms below the folder that they share: the file's own return may be missing.

    Examples
    --------
    >>> may_hang_on("spring/exclusions.csv", "autumn/pupils.csv")
    False
    >>> may_hang_on("exclusions_2025.csv", "pupils_2024.csv")
    True
    >>> may_hang_on("exclusions_2024_spr.csv", "pupils_2023_aut.csv")
    False
    >>> may_hang_on("Autumn 2024/attendance summer term.csv", "Autumn 2024/pupils autumn.csv")
    True
    """
    if _differs(name, other, with_years=False):
        return False
    is_above = all(len(_places(one)) == 1 for one in (name, other))
    return is_above or _may_belong(name, other)


def place_and_label(name: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return what files of one return share: folders, archives and workbooks, and numbers, terms and days.

    Parameters
    ----------
    name : str
        Name of the file, with the folders, archives and workbooks it lies in.

    Returns
    -------
    tuple of (tuple of str, frozenset of str)
        Equal for the tables of one return, while files of one place are named alike.

    Examples
    --------
    >>> place_and_label("aut/pupils_v2.csv") == place_and_label("aut/exclusions_v2.csv")
    True
    """
    *places, last = _places(name)
    return tuple(places), _label(last, with_days=True)


def is_without_pupils(name: str, pupils: Sequence[str], censuses: Sequence[str]) -> bool:
    """Return whether the names of files show that the pupils of a file's own census are missing.

    Parameters
    ----------
    name : str
        Name of the file, with the folders, archives and workbooks it lies in.
    pupils, censuses : sequence of str
        Names of the files with pupils, and of those with censuses.

    Returns
    -------
    bool
        True if a census has the numbers and terms of the file, and all pupils have those of others.

    Examples
    --------
    >>> censuses = ["census_900001.csv", "census_900002.csv"]
    >>> is_without_pupils("exclusions_900002.csv", ["pupils_900001.csv"], censuses)
    True
    >>> is_without_pupils("exclusions_900002.csv", ["pupils.csv"], censuses)
    False
    >>> is_without_pupils("exclusions.csv", ["pupils_900001.csv"], [*censuses, "census.csv"])
    False
    """
    label = _label(name)
    of_pupils, of_censuses = ({_label(one) for one in names} for names in (pupils, censuses))
    is_named = bool(label) and label in of_censuses - of_pupils
    return is_named and of_pupils <= of_censuses - {frozenset()}


def _narrowed(name: str, holders: Sequence[Holder], own: np.ndarray) -> np.ndarray:
    """Return which of some files count: those named alike, if an id means two things without the names.

    None counts where the name holds a number that is of none of them: the file's own return may be missing.
    """
    names = [holder.file.name for holder in holders]
    for with_days in (False, True):
        among: list[int] = np.flatnonzero(own).tolist()
        if not is_repeated([holders[n] for n in among]):
            break
        closer = own & nearest(name, names, with_days=with_days)
        if closer.any() and (closer != own).any():
            own = closer
        elif _is_of_none(name, [names[n] for n in among], with_days=with_days):
            own = np.zeros_like(own)
    return own


def _is_of_none(name: str, others: Sequence[str], *, with_days: bool) -> bool:
    """Return whether the name of a file holds numbers or terms, where the others hold others."""
    label, *labels = (_label(one, with_days=with_days) for one in (name, *others))
    common = frozenset.intersection(*labels)
    own = label - common
    return bool(own) and all(bool(one - common) and own.isdisjoint(one) for one in labels)


def _may_hold(holder: Holder, name: str) -> bool:
    """Return whether nothing shows that a file is of another return than one that defines ids."""
    return _may_belong(name, holder.file.name) and not _differs(name, holder.file.name)


def _may_belong(name: str, other: str) -> bool:
    """Whether nothing shows that two files are of different returns, where ids begin anew in each.

    Files of different folders, or with other terms and years in their names, are of different returns.
    A file that lies above all folders, without a term or year of its own, may be of any.
    """
    if _places_shared(name, other) > 0 or _label(name) == _label(other):
        return True
    is_above, is_beside = (not _folders(one) for one in (name, other))
    return is_above and (not _label(name) or (is_beside and not _label(other)))


def _all(holders: Sequence[Holder]) -> pd.DataFrame:
    parts = [holder.table().assign(file=holder.file.name) for holder in holders]
    columns = ["id", "meaning", "row", "file"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _ambiguous(table: pd.DataFrame) -> pd.Series:
    """Return which rows of a table hold an id that has two meanings in it."""
    once = table.drop_duplicates(["id", "meaning"])
    twice = once.loc[once["id"].duplicated(), "id"]
    return table["id"].isin(twice)


def _written(number: int, holder: Holder) -> pd.Series:
    """Return ids with the number of their file, and what they mean: no two rows share one by chance."""
    return f"{number}|" + holder.ids + "|" + holder.meaning


def _places_shared(name: str, other: str) -> int:
    """Return in how many folders, archives and workbooks two files lie together."""
    pairs = zip(_places(name)[:-1], _places(other)[:-1], strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), _depth(name, other))


def _depth(name: str, other: str) -> int:
    return min(len(_places(name)), len(_places(other))) - 1


def _places(name: str) -> list[str]:
    """Return folders, archives and workbook of a file, and last the file or sheet."""
    return re.split(r"/|\\|, ", name)


def _folders(name: str) -> list[str]:
    """Return the folders of a file; an archive and a workbook lie beside the files of their folder."""
    return [place for place in _places(name)[:-1] if not BUNDLE.search(place)]


def _label(name: str, *, with_days: bool = False) -> frozenset[str]:
    """Return the numbers and terms in a name, but for numbers of parts, and for days unless they count."""
    plain = PART.sub(" ", SECOND_HALF.sub(" ", name))
    plain = DAY.sub(lambda found: _day_in(found, is_kept=with_days), plain)
    words = re.findall(r"[a-z]+|\d+", plain.lower())
    return frozenset(
        TERMS.get(word, word)
        for word in words
        if word.isdigit() or word in TERMS or word in TERMS.values()
    )


def _day_in(found: re.Match[str], *, is_kept: bool) -> str:
    """Return what was found in a name as it is, or where it is a day, one number or a blank for it."""
    text = found[0]
    parts = [text[:4], text[4:6], text[6:]], [text[4:], text[2:4], text[:2]]
    if not text.isdigit():
        written = re.split(r"[-_.]", text)
        parts = (written, written[::-1])
    for year, month, day in filter(_is_day, parts):
        return f" {year}{int(month):02}{int(day):02} " if is_kept else " "
    return text


def _is_day(parts: Sequence[str]) -> bool:
    """Return whether a year, a month and a day of the month are a day."""
    year, month, day = parts
    last = monthrange(int(year), int(month))[1] if year in YEARS and 1 <= int(month) <= 12 else 0
    return 1 <= int(day) <= last
