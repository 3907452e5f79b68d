"""Whose row is it: what files must know of each other, and one pseudonym per pupil.

In:  recognised files; schools, census days, postcodes and UPNs stand in files of their own.
Out: the context that all files share; every row with its pupil, names and UPNs dropped.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from riskmodel.data.identity import clean_upns, load_key, pseudonyms
from riskmodel.data.read.returns.referrals import end_missing_referrals
from riskmodel.data.read.returns.scoping import (
    Holder,
    is_repeated,
    may_hang_on,
    nearest,
    scope_ids,
    set_ambiguous_aside,
)
from riskmodel.data.read.returns.sen2_ids import name_persons
from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile, keep_notes, set_aside_rows
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.rows.table import note_upns
from riskmodel.data.read.sources.annex_a import CHILD_ID
from riskmodel.data.read.sources.census_flat import SOURCES as FLAT_CENSUSES
from riskmodel.data.read.sources.census_flat import day_of_census
from riskmodel.data.read.sources.schools import school_of, schools_by_key
from riskmodel.data.read.sources.social_care import CHILDREN_IN_NEED
from riskmodel.data.read.sources.source import NAMES, Context, column, is_there, plain

__all__ = ["PUPILS_ON_ROLL", "gather_context", "identify"]

PUPILS_ON_ROLL = "School Census: pupils on roll"
"""The source whose rows those of other census tables belong to."""

CENSUS_RETURNS = "School Census: returns"

LEAVER_ID = "pupilnolongeronrolltableid"
"""Column with the id of a row of a pupil who is no longer on roll."""

SHORTEST_UPN = 12
"""UN1 to UN7 and the like are shorter and mean nobody."""

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


def gather_context(files: list[ReturnFile], log: ReadLog) -> Context:
    """Gather what one file must know of the others.

    Parameters
    ----------
    files : list of ReturnFile
        Recognised; episodes of the SSDA903 get the UPNs of its header.
    log : ReadLog
        Gets the problems and the rejects.

    Returns
    -------
    Context
        Without the rows of pupils, which :func:`identify` adds.
    """
    context = Context()
    schools = _of(files, "Schools (Get Information about Schools)")
    _add_schools(context, schools, _of(files, CENSUS_RETURNS))
    _scope_censuses(files, log)
    _add_censuses(context, _of(files, CENSUS_RETURNS))
    _add_deciles(context, _of(files, "Postcode lookup"))
    _add_activities(context, _of(files, "Groups of NCCIS activities"))
    _add_children(files, log)
    end_missing_referrals(files, log)
    name_persons(files, context, log)
    return context


def _scope_censuses(files: list[ReturnFile], log: ReadLog) -> None:
    """Make the id of every School Census mean one school and day."""
    holders = []
    for one in files:
        if one.source.name == CENSUS_RETURNS:
            frame = one.frame
            meaning = read_dates(frame["referencedate"]).astype("str") + "|" + _school_of(frame)
            ids = frame["schoolcensustableid"].astype("str")
            holders.append(Holder(file=one, ids=ids, meaning=meaning))
    users = [one for one in files if one.source.name == PUPILS_ON_ROLL]
    scope_ids(holders, users, "schoolcensustableid", log, "schools or census days")


def _school_of(returns: pd.DataFrame) -> pd.Series:
    """Return the school of each census: its URN, else its establishment number."""
    urn = column(returns, "urn").astype("object").where(lambda given: given.notna())
    return urn.fillna(column(returns, "estab")).astype("str")


def _add_schools(context: Context, schools: pd.DataFrame, returns: pd.DataFrame) -> None:
    """Add the school that each number and name means."""
    if len(schools):
        context.school_of_number = schools_by_key(schools, column(returns, "urn").dropna())


def _add_censuses(context: Context, returns: pd.DataFrame) -> None:
    """Add the school and the day of each School Census."""
    if returns.empty:
        return
    columns = {
        "id": returns["schoolcensustableid"].astype("str"),
        "school_id": school_of(_school_of(returns), context),
        "day": read_dates(returns["referencedate"]),
    }
    censuses = pd.DataFrame(columns).dropna(subset=["day"])
    context.censuses = censuses.drop_duplicates("id").set_index("id")


def _add_deciles(context: Context, lookup: pd.DataFrame) -> None:
    """Add the deciles of deprivation of each postcode."""
    if lookup.empty:
        return
    post = lookup["postcode"].astype("str").str.replace(" ", "").str.upper()
    nothing = pd.Series(np.nan, index=lookup.index)
    deciles = {
        f"{name}_decile": pd.to_numeric(
            lookup.get(f"{name}decile", nothing), errors="coerce"
        ).to_numpy()
        for name in ("idaci", "imd")
    }
    context.deciles = pd.DataFrame(deciles, index=post).groupby(level=0).first()


def _add_activities(context: Context, groups: pd.DataFrame) -> None:
    """Add the group of each activity code."""
    if len(groups):
        group = groups["activitygroup"].astype("str").str.strip().str.lower().to_numpy()
        code = groups["activitycode"].astype("str").str.strip()
        context.group_of_activity = pd.Series(group, index=code).groupby(level=0).first()


def _add_children(files: list[ReturnFile], log: ReadLog) -> None:
    """Add the UPN to rows of children whom social care knows by an id, the same in every year's return.

    A child may have no UPN at first, and one in a later year. An id with two UPNs means that of the header
    of the same return.
    """
    headers = [_children(one, "child") for one in files if one.source.name == "SSDA903: header"]
    in_need = [_children(one, "lachildid") for one in files if one.source.name == CHILDREN_IN_NEED]
    for one in files:
        if one.source.name == "SSDA903: episodes":
            _name_children(one, "child", headers, log)
        elif CHILD_ID in one.source.columns:
            own = column(one.frame, "upn").astype("object")
            _name_children(one, CHILD_ID, [*headers, *in_need], log)
            written = own.notna() & (own.astype("str").str.strip().str.len() >= SHORTEST_UPN)
            one.frame["upn"] = own.where(written, one.frame["upn"])


def _children(one: ReturnFile, id_: str) -> Holder:
    """Return the UPN of each child of a file that has one."""
    upn = clean_upns(one.frame["upn"])
    named = (one.frame["upn"].notna() & (upn.str.len() >= SHORTEST_UPN)).to_numpy()
    return Holder(file=one, ids=one.frame[id_].astype("str")[named], meaning=upn[named])


def _name_children(one: ReturnFile, id_: str, headers: list[Holder], log: ReadLog) -> None:
    ids = one.frame[id_].astype("str")
    upns: pd.Series = pd.Series(dtype="object")
    if headers:
        every = pd.concat([holder.table() for holder in headers]).drop_duplicates(["id", "meaning"])
        is_twice = every["id"].duplicated(keep=False)
        own = nearest(one.name, [holder.file.name for holder in headers])
        near = [holder for holder, is_own in zip(headers, own, strict=True) if is_own]
        set_ambiguous_aside(log, one, ids, near, "children")
        inside = pd.concat([holder.table() for holder in near]).drop_duplicates(["id", "meaning"])
        inside = inside[inside["id"].isin(every.loc[is_twice, "id"])]
        inside = inside[~inside["id"].duplicated(keep=False)]
        upns = pd.concat([every[~is_twice], inside]).set_index("id")["meaning"].astype("object")
    one.frame["upn"] = ids.map(upns)


def _of(files: list[ReturnFile], name: str) -> pd.DataFrame:
    parts = [one.frame for one in files if one.source.name == name]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


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
        one.frame["upn"] = _upn_or_name(one.frame)
    former = _former(pupils, log)
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
    if names_pupils or one.source.name == "Suspensions and exclusions":
        checks = one.checks()
        note_upns(upn.where(~upn.astype("str").str.startswith("NO UPN")), checks)
        keep_notes(log, one, checks)


def _pseudonym_of_upn(upn: pd.Series, former: dict[str, str], key: bytes) -> dict[str, str]:
    """Return each UPN as it is written, with the pseudonym of its pupil."""
    distinct = pd.Series(upn.dropna().unique()).astype("str")
    clean = clean_upns(distinct)
    names = pseudonyms(clean.replace(former), key)
    names = names.where((clean.str.len() >= SHORTEST_UPN) & ~_is_placeholder(clean))
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
        for one in users:
            _unlink_other_returns(one, holders, files)
        return
    for one in (*pupils, *users):  # pupils on roll and no longer on roll have ids of their own
        where = "no longer on roll" if LEAVER_ID in map(plain, map(str, one.raw)) else "on roll"
        one.frame["rowid"] = one.frame["rowid"].astype("str") + f" ({where})"
    scope_ids([_rows_of(one) for one in pupils], users, "rowid", log, "pupils or censuses")


def _unlink_other_returns(one: ReturnFile, holders: list[Holder], files: list[ReturnFile]) -> None:
    """Take the id from rows of a file whose pupil is of a census that is not of the file's own return.

    The table of pupils of a return may be missing, and another return's pupils have the same ids.
    """
    if not any(may_hang_on(one.name, holder.file.name) for holder in holders):
        one.frame["rowid"] = None
        return
    censuses = [each for each in files if each.source.name == CENSUS_RETURNS]
    own = nearest(one.name, [each.name for each in censuses])
    mine = [each for each, is_own in zip(censuses, own, strict=True) if is_own]
    if len(mine) == len(censuses):
        return
    ids = pd.concat([each.frame["schoolcensustableid"].astype("str") for each in mine])
    pupils = pd.concat([holder.file.frame for holder in holders])
    others = pupils.loc[~pupils["schoolcensustableid"].astype("str").isin(ids), "rowid"]
    is_other = one.frame["rowid"].astype("str").isin(others.astype("str"))
    one.frame["rowid"] = one.frame["rowid"].astype("object").mask(is_other)


def _rows_of(one: ReturnFile) -> Holder:
    """Return what each id of a file of pupils means; rows set aside have theirs too."""
    frame = one.frame
    meaning = frame["pupil_id"].astype("str") + "|" + frame["schoolcensustableid"].astype("str")
    return Holder(file=one, ids=frame["rowid"].astype("str"), meaning=meaning)


def _upn_or_name(frame: pd.DataFrame) -> pd.Series:
    """Return the UPN, or where there is none both names and day of birth; missing where one is not known."""
    upn = frame["upn"].astype("object")
    parts = {name: column(frame, name) for name in ("surname", "forename", "dob")}
    other = pd.Series("NO UPN", index=frame.index)
    for part in parts.values():
        other = other + "|" + part.astype("str").fillna("")
    is_named = pd.DataFrame({name: is_there(part) for name, part in parts.items()}).all(axis=1)
    nobody = ~is_there(upn) | _is_placeholder(clean_upns(upn))
    return upn.where(~nobody, other.where(is_named))


def _is_placeholder(upns: pd.Series) -> pd.Series:
    """Return which texts stand for many pupils without a UPN: no digit, or the same one again and again."""
    distinct = pd.Series(upns.dropna().unique()).astype("str")
    found = (~distinct.str.contains(r"\d") | (distinct.map(lambda one: len(set(one))) <= 2)) & (
        ~distinct.str.contains("|", regex=False)
    )
    return upns.isin(distinct[found])


def _former(pupils: list[ReturnFile], log: ReadLog) -> dict[str, str]:
    """Return former UPN → the UPN that a pupil has now; one that two pupils had is reported and left out."""
    news: dict[str, set[str]] = {}
    renaming = [one for one in pupils if "formerupn" in one.frame]
    born = _born(pupils) if renaming else pd.DataFrame()
    named = [(one, _renamed(one, born, log)) for one in renaming]
    for _, rows in named:
        for old, new in zip(rows["formerupn"], rows["upn"], strict=True):
            news.setdefault(old, set()).add(new)
    chain = {old: next(iter(new)) for old, new in news.items() if len(new) == 1}
    ends = {old: {_end_of(chain, one) for one in new} for old, new in news.items()}
    for one, rows in named:
        twice = rows[rows["formerupn"].map(lambda old: len(ends[old]) > 1)]
        if len(twice):
            words = (
                "name a former UPN that another pupil names too. Rows with that UPN join to neither"
            )
            log.problems.append(
                _former_fault(one, twice, "former_upn_of_two", words, "the former UPN")
            )
    return {old: next(iter(end)) for old, end in ends.items() if len(end) == 1}


def _born(pupils: list[ReturnFile]) -> pd.DataFrame:
    """Return the days of birth that files give of each present UPN."""
    parts = [
        pd.DataFrame(
            {"formerupn": clean_upns(one.frame["upn"]), "day": read_dates(one.frame["dob"])}
        )
        for one in pupils
        if "dob" in one.frame
    ]
    return pd.concat(parts).dropna().drop_duplicates() if parts else pd.DataFrame()


def _renamed(one: ReturnFile, born: pd.DataFrame, log: ReadLog) -> pd.DataFrame:
    """Return former and present UPN of the rows that have both, and are of one day of birth."""
    former = one.frame[["formerupn", "upn"]].astype("str").apply(clean_upns)
    is_other = former["formerupn"] != former["upn"]
    former = former[(former["formerupn"].str.len() >= SHORTEST_UPN) & is_other]
    if not len(former) or not len(born) or "dob" not in one.frame:
        return former
    own = former.assign(day=read_dates(one.frame["dob"]).loc[former.index]).reset_index(names="row")
    pairs = own.dropna(subset=["day"]).merge(born, on="formerupn", suffixes=("", "_other"))
    is_same = (pairs["day"] == pairs["day_other"]).groupby(pairs["row"]).any()
    another = former.loc[is_same.index[~is_same]]
    if len(another):
        words = "name as their former UPN that of a pupil with another date of birth. The two were not joined"
        log.problems.append(
            _former_fault(one, another, "former_upn_of_another", words, "one of them")
        )
    return former.drop(index=another.index)


def _former_fault(
    one: ReturnFile, rows: pd.DataFrame, rule: str, words: str, which: str
) -> Problem:
    """Return the problem of former UPNs that join nobody, and which of them to correct."""
    number = one.checks().numbers_of(rows.index.to_numpy())[0]
    sentence = f"{one.name}: {len(rows)} rows, the first of them row {number}, {words}."
    return Problem(one.name, rule, f"{sentence} Correct {which} at the school.", severity="error")


def _end_of(chain: dict[str, str], upn: str) -> str:
    """Return the last UPN of a chain; the first in order where the chain is a circle."""
    seen = [upn]
    while seen[-1] in chain and chain[seen[-1]] not in seen:
        seen.append(chain[seen[-1]])
    last = chain.get(seen[-1])
    return min(seen[seen.index(last) :]) if last in seen else seen[-1]


def _set_undated_aside(log: ReadLog, one: ReturnFile, is_dated: pd.Series, words: str) -> None:
    """Set pupils aside whose census has no day: without it none of their facts can be dated."""
    places = np.flatnonzero(~is_dated.to_numpy() & ~one.set_aside)
    if len(places):
        set_aside_rows(log, one, places, "no_census", words, "error")
