"""Whose row is it: one pseudonym per pupil, and the pupil of each row that hangs on another.

In:  recognised files, and the context that they share.
Out: every row with its pupil, names and UPNs dropped.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from riskmodel.data.identity import clean_upns, load_key, pseudonyms
from riskmodel.data.read.returns.census_leavers import is_of_leavers
from riskmodel.data.read.returns.file_context import CENSUS_RETURNS, PUPILS_ON_ROLL
from riskmodel.data.read.returns.former_upns import SHORTEST_UPN, former_upns
from riskmodel.data.read.returns.same_names import note_same_names
from riskmodel.data.read.returns.scoping import (
    Holder,
    is_repeated,
    is_without_pupils,
    link_within_returns,
    may_hang_on,
    of_own_return,
    place_and_label,
)
from riskmodel.data.read.returns.without_upn import (
    NO_UPN,
    is_placeholder,
    upn_or_name,
    upns_of_names,
)
from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile, keep_notes, set_aside_more
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.table import note_upns
from riskmodel.data.read.sources.census_flat import SOURCES as FLAT_CENSUSES
from riskmodel.data.read.sources.census_flat import day_of_census
from riskmodel.data.read.sources.exclusions import SOURCES as REPORTED_BY_SCHOOLS
from riskmodel.data.read.sources.source import NAMES, Context

__all__ = ["identify"]

NO_RETURN = (
    "belong to a return whose day is not known. Add the table 'schoolcensus' of that return, with its "
    "ReferenceDate as YYYY-MM-DD."
)

NO_TERM = (
    "name no census day, or no school year and term, that can be read. Write the day as YYYY-MM-DD, or the "
    "school year as 2023/2024 and the term as Autumn, Spring or Summer."
)

NAMING = ("upn", "formerupn", *NAMES)
"""Columns that name a pupil; none goes beyond the door."""


def identify(files: list[ReturnFile], context: Context, key_file: Path, log: ReadLog) -> None:
    """Give every row its pupil: former UPNs joined, names and UPNs dropped at the door.

    Parameters
    ----------
    files : list of ReturnFile
        Recognised; their frames get a ``pupil_id`` in place of UPN and names.
    context : Context
        Gets pupil, census and day of entry of every pupil row.
    key_file : Path
        Key of the pseudonyms.
    log : ReadLog
        Gets the problems and the rejects.

    Raises
    ------
    DataError
        If the key cannot be read or made.
    """
    pupils = [one for one in files if one.source.names_pupils and "upn" in one.frame]
    for one in pupils:
        one.frame["upn"] = upn_or_name(one.frame)
    former = former_upns(pupils, log)
    log.problems += note_same_names(pupils, former)
    former |= upns_of_names(pupils, former, log)
    key = load_key(key_file)
    for one in files:
        if one.source.upn and one.source.upn in one.frame:
            _put_pseudonyms(one, former, key, log)
    for one in files:
        if one.source in FLAT_CENSUSES:
            _set_undated_aside(log, one, day_of_census(one.frame).notna(), NO_TERM)
    _add_rows(context, files, log)


def _put_pseudonyms(one: ReturnFile, former: dict[str, str], key: bytes, log: ReadLog) -> None:
    """Put a pseudonym in the place of the UPN and the names of each row; note malformed UPNs."""
    upn = one.frame[one.source.upn]
    named = _pseudonym_of_upn(upn, former, key)
    one.frame = one.frame.drop(columns=[*({*NAMING, one.source.upn} & set(one.frame))])
    one.frame["pupil_id"] = upn.map(named).astype("str")
    names_pupils = one.source.names_pupils and one.source.upn == "upn"
    if names_pupils or one.source in REPORTED_BY_SCHOOLS:
        checks = one.checks()
        note_upns(upn.where(~upn.astype("str").str.startswith(NO_UPN)), checks)
        keep_notes(log, one, checks)


def _pseudonym_of_upn(upn: pd.Series, former: dict[str, str], key: bytes) -> dict[str, str]:
    """Return each UPN as it is written, with the pseudonym of its pupil."""
    distinct = pd.Series(upn.dropna().unique()).astype("str")
    clean = clean_upns(distinct)
    names = pseudonyms(clean.replace(former), key)
    names = names.where((clean.str.len() >= SHORTEST_UPN) & ~is_placeholder(clean))
    return dict(zip(distinct, names, strict=True))


def _add_rows(context: Context, files: list[ReturnFile], log: ReadLog) -> None:
    """Add pupil, census and day of entry of each pupil row; set rows aside that have no census."""
    pupils = [one for one in files if one.source.name == PUPILS_ON_ROLL and "rowid" in one.frame]
    if not pupils:
        return
    for one in pupils:
        is_dated = one.frame["schoolcensustableid"].astype("str").isin(context.censuses.index)
        _set_undated_aside(log, one, is_dated, NO_RETURN)
    wanted = ["rowid", "pupil_id", "schoolcensustableid", "entrydate"]
    _scope_rows(files, pupils, log)
    table = pd.concat([one.frame.loc[~one.set_aside, wanted] for one in pupils])
    # a row without an id names nobody that others hang on
    table = table.assign(rowid=table["rowid"].astype("str")).dropna(subset=["rowid"])
    table = table.drop_duplicates("rowid").set_index("rowid")
    context.pupil_of_row = table["pupil_id"]
    context.census_of_row = table["schoolcensustableid"].astype("str")
    context.entry_of_row = read_dates(table["entrydate"])


def _scope_rows(files: list[ReturnFile], pupils: list[ReturnFile], log: ReadLog) -> None:
    """Make the id of every pupil row mean one pupil in one census."""
    users = [one for one in files if one.source.name != PUPILS_ON_ROLL and "rowid" in one.frame]
    holders = [_rows_of(one) for one in pupils]
    if not is_repeated(holders):
        wanted = ["schoolcensustableid", "rowid"]
        rows = pd.concat([each.frame[wanted].astype("str") for each in pupils])
        with_pupils = rows["schoolcensustableid"].drop_duplicates()
        for one in users:
            _unlink_other_returns(one, holders, rows, with_pupils, files)
        return
    for is_leaving in (False, True):  # pupils on roll and no longer on roll have ids of their own
        held, hanging = (
            [one for one in part if is_of_leavers(one.raw) == is_leaving]
            for part in (pupils, users)
        )
        for one in (*held, *hanging):
            where = "no longer on roll" if is_leaving else "on roll"
            one.frame["rowid"] = one.frame["rowid"].astype("str") + f" ({where})"
        of_kind = [_rows_of(one) for one in held]
        link_within_returns(of_kind, hanging, "rowid", log, "pupils or censuses")


def _unlink_other_returns(
    one: ReturnFile,
    holders: list[Holder],
    rows: pd.DataFrame,
    with_pupils: pd.Series,
    files: list[ReturnFile],
) -> None:
    """Take the id from rows of a file whose pupil is of a census that is not of the file's own return.

    The table of pupils of a return may be missing, and another return's pupils have the same ids.
    """
    censuses = [each for each in files if each.source.name == CENSUS_RETURNS]
    names = [each.name for each in censuses]
    pupils = [holder.file.name for holder in holders]
    is_apart = not any(may_hang_on(one.name, each) for each in pupils)
    if (
        is_apart
        or is_without_pupils(one.name, pupils, names)
        or _is_of_empty(one, censuses, with_pupils)
    ):
        one.frame["rowid"] = None
        return
    own = of_own_return(one.name, names)
    mine = [each for each, is_own in zip(censuses, own, strict=True) if is_own]
    if len(mine) == len(censuses):
        return
    ids = pd.concat([each.frame["schoolcensustableid"].astype("str") for each in mine])
    is_other = (
        one.frame["rowid"]
        .astype("str")
        .isin(rows.loc[~rows["schoolcensustableid"].isin(ids), "rowid"])
    )
    one.frame["rowid"] = one.frame["rowid"].astype("object").mask(is_other)


def _is_of_empty(one: ReturnFile, censuses: list[ReturnFile], with_pupils: pd.Series) -> bool:
    """Return whether a file is named as a census that has no pupils is, and as none that has some."""
    own = place_and_label(one.name)
    held = [
        each.frame["schoolcensustableid"].astype("str").isin(with_pupils).any()
        for each in censuses
        if place_and_label(each.name) == own
    ]
    return bool(held) and not any(held)


def _rows_of(one: ReturnFile) -> Holder:
    """Return what each id of a file of pupils means; rows set aside have theirs too."""
    frame = one.frame
    meaning = frame["pupil_id"].astype("str") + "|" + frame["schoolcensustableid"].astype("str")
    return Holder(file=one, ids=frame["rowid"].astype("str"), meaning=meaning)


def _set_undated_aside(log: ReadLog, one: ReturnFile, is_dated: pd.Series, words: str) -> None:
    """Set pupils aside whose census has no day: without it none of their facts can be dated."""
    set_aside_more(log, one, ~is_dated.to_numpy(), "no_census", words, "error")
