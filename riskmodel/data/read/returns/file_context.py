"""What files must know of each other: schools, census days, postcodes, activities and children's ids.

In:  recognised files; each of these facts is in files of its own.
Out: the context that all files share.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.data.identity import clean_upns
from riskmodel.data.read.returns.days_of_returns import (
    give_one_day,
    refuse_far_days,
    refuse_other_years,
    refuse_years_without_cases,
)
from riskmodel.data.read.returns.deciles import deciles_of, note_unknown_postcodes
from riskmodel.data.read.returns.former_upns import SHORTEST_UPN
from riskmodel.data.read.returns.lone_years import settle_lone_years
from riskmodel.data.read.returns.referrals import end_missing_episodes, end_missing_referrals
from riskmodel.data.read.returns.scoping import (
    Holder,
    of_same_return,
    scope_ids,
    set_ambiguous_aside,
)
from riskmodel.data.read.returns.sen2_ids import name_persons
from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile, set_aside_rows
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.sources.annex_a import CHILD_ID
from riskmodel.data.read.sources.census_flat import FLAT_BY_DAY
from riskmodel.data.read.sources.census_flat import SOURCES as FLAT_CENSUSES
from riskmodel.data.read.sources.reference import SCHOOLS
from riskmodel.data.read.sources.schools import (
    school_of,
    schools_by_key,
    successors_in_censuses,
)
from riskmodel.data.read.sources.social_care import CHILDREN_IN_NEED, EPISODES
from riskmodel.data.read.sources.source import Context, column, first_there

__all__ = ["CENSUS_RETURNS", "PUPILS_ON_ROLL", "gather_context"]

PUPILS_ON_ROLL = "School Census: pupils on roll"
"""The source whose rows those of other census tables belong to."""

POSTCODES = "Postcode lookup"
"""The source with the deciles of each postcode."""

CENSUS_RETURNS = "School Census: returns"
"""The source with the school and the day of each census."""

ADDRESSES = "School Census: addresses"
"""The source with the postcodes of pupils."""

CENSUS_MONTHS = {"aut": (9, 10, 11, 12), "spr": (1, 2, 3), "sum": (4, 5, 6, 7)}
"""Term, as the School Census writes it → months in which its census day may lie."""

TERM_OF_MONTH = {month: term for term, months in CENSUS_MONTHS.items() for month in months}

OTHER_TERM = (
    "hold a ReferenceDate that is not in their Term. Day and month may have been taken for each other: write "
    "the census day as YYYY-MM-DD."
)


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
        Without the rows of pupils, which :func:`~riskmodel.data.read.returns.linking.identify` adds.
    """
    context = Context()
    schools = _of(files, SCHOOLS)
    _add_schools(context, schools, _of(files, CENSUS_RETURNS), _urns(files))
    settle_lone_years(files, log)
    _refuse_other_terms(files, log)
    refuse_far_days(files, CENSUS_RETURNS, log)
    give_one_day(files, log)
    refuse_years_without_cases(files, log)
    _scope_censuses(files, log)
    refuse_other_years(files, CENSUS_RETURNS, log)
    _add_censuses(context, _of(files, CENSUS_RETURNS))
    context.deciles = deciles_of([one for one in files if one.source.name == POSTCODES], log)
    note_unknown_postcodes(_with_addresses(files), context, log)
    _add_activities(context, _of(files, "Groups of NCCIS activities"))
    _add_children(files, log)
    end_missing_referrals(files, log)
    end_missing_episodes(files, log)
    name_persons(files, context, log)
    return context


def _refuse_other_terms(files: list[ReturnFile], log: ReadLog) -> None:
    """Take the day from School Censuses that name another term: with it, facts would be known too early."""
    for one in files:
        term = next((name for name in ("term", "censusterm") if name in one.frame), None)
        if one.source.name in (CENSUS_RETURNS, FLAT_BY_DAY) and term is not None:
            terms = one.frame[term].astype("str").str.strip().str.lower().str[:3]
            month = read_dates(one.frame["referencedate"]).dt.month
            is_other = terms.isin(CENSUS_MONTHS) & month.notna()
            is_other &= terms != month.map(TERM_OF_MONTH)
            places = np.flatnonzero(is_other)
            if len(places):
                one.frame["referencedate"] = one.frame["referencedate"].mask(is_other)
                set_aside_rows(log, one, places, "term_and_day", OTHER_TERM, "error")


def _scope_censuses(files: list[ReturnFile], log: ReadLog) -> None:
    """Make the id of every School Census mean one school and day."""
    holders = []
    for one in files:
        if one.source.name == CENSUS_RETURNS:
            frame = one.frame
            meaning = (
                read_dates(frame["referencedate"]).astype("str")
                + "|"
                + first_there(frame, ("urn", "estab")).astype("str")
            )
            ids = frame["schoolcensustableid"].astype("str")
            holders.append(Holder(file=one, ids=ids, meaning=meaning))
    users = [one for one in files if one.source.name == PUPILS_ON_ROLL]
    scope_ids(holders, users, "schoolcensustableid", log, "schools or census days")


def _urns(files: list[ReturnFile]) -> pd.Series:
    """Return the URNs that censuses and rolls name, once for each file."""
    named = [one.frame for one in files if one.source.names_pupils]
    named += [one.frame for one in files if one.source.name == CENSUS_RETURNS]
    return pd.concat([column(frame, "urn").dropna().drop_duplicates() for frame in named])


def _add_schools(
    context: Context, schools: pd.DataFrame, returns: pd.DataFrame, urns: pd.Series
) -> None:
    """Add the school that each number and name means; that of an old URN is the school it became."""
    later = successors_in_censuses(returns)
    if len(schools):
        known = schools_by_key(schools, urns)
        later = pd.concat([known, later.map(lambda one: known.get(one, one))])
        later = later[~later.index.duplicated()]
    context.school_of_number = later


def _add_censuses(context: Context, returns: pd.DataFrame) -> None:
    """Add the school and the day of each School Census."""
    if returns.empty:
        return
    columns = {
        "id": returns["schoolcensustableid"].astype("str"),
        "school_id": school_of(first_there(returns, ("urn", "estab")), context),
        "day": read_dates(returns["referencedate"]),
    }
    censuses = pd.DataFrame(columns).dropna(subset=["day"])
    context.censuses = censuses.drop_duplicates("id").set_index("id")


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
    lists = [one for one in files if CHILD_ID in one.source.columns]
    for one in files:
        if one.source.name == EPISODES:
            _name_children(one, "child", headers, log)
    for one in lists:
        own = column(one.frame, "upn").astype("object")
        _name_children(one, CHILD_ID, [*headers, *in_need], log)
        written = own.notna() & (own.astype("str").str.strip().str.len() >= SHORTEST_UPN)
        one.frame["upn"] = own.where(written, one.frame["upn"])
    _share_upns(lists)


def _share_upns(lists: list[ReturnFile]) -> None:
    """Add the UPN that another list of Annex A gives of the same child, where it gives one only."""
    named = [_children(one, CHILD_ID).table() for one in lists]
    if not named:
        return
    every = pd.concat(named).drop_duplicates(["id", "meaning"])
    upns = every[~every["id"].duplicated(keep=False)].set_index("id")["meaning"]
    for one in lists:
        other = one.frame[CHILD_ID].astype("str").map(upns).astype("object")
        one.frame["upn"] = one.frame["upn"].astype("object").fillna(other)


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
        own = of_same_return(one.name, headers)
        near = [holder for holder, is_own in zip(headers, own, strict=True) if is_own]
        set_ambiguous_aside(log, one, ids, near, "children")
        inside = pd.concat([holder.table() for holder in near]).drop_duplicates(["id", "meaning"])
        inside = inside[inside["id"].isin(every.loc[is_twice, "id"])]
        inside = inside[~inside["id"].duplicated(keep=False)]
        upns = pd.concat([every[~is_twice], inside]).set_index("id")["meaning"].astype("object")
    one.frame["upn"] = ids.map(upns)


def _with_addresses(files: list[ReturnFile]) -> list[ReturnFile]:
    """Return the files of which postcodes of pupils are read."""
    flat = [one for one in files if one.source in FLAT_CENSUSES and "postcode" in one.frame]
    return [*(one for one in files if one.source.name == ADDRESSES), *flat]


def _of(files: list[ReturnFile], name: str) -> pd.DataFrame:
    parts = [one.frame for one in files if one.source.name == name]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
