"""Which school a file means: by URN, LAESTAB, establishment number or name.

In:  the register of schools; the censuses; values of a column of schools.
Out: the URN of each, where one school only can be meant; of a school that converted, the later one.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from riskmodel.data.identity import clean_upns, upn_check_letters
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.sources.source import Context, column, plain

__all__ = [
    "school_key",
    "school_of",
    "schools_by_key",
    "successors",
    "successors_in_censuses",
]

NUMBER = re.compile(r"\d[\d/\- ]*")
"""Digits, as in 3024001, 302/4001 or 302-4001."""

NO_NUMBER = "0000"
"""What the register of schools holds for settings without a number, such as some children's centres."""

LONGEST_GAP = 366
"""Days from the end of a school until one with its number opens that is the same school; chosen."""


def school_key(value: object) -> str:
    """Return what is the same for all ways to write one number or name of a school.

    Parameters
    ----------
    value : object
        As a file holds it.

    Returns
    -------
    str
        Digits, at least four of them; or small letters and digits.

    Examples
    --------
    >>> [school_key(one) for one in (" 302/4001", "12", "4001.0", "St. Mary's  School")]
    ['3024001', '0012', '4001', 'stmarysschool']
    """
    text = re.sub(r"^(\d+)\.0+$", r"\1", str(value).strip())
    if NUMBER.fullmatch(text):
        return re.sub(r"\D", "", text).zfill(4)
    return plain(text)


def schools_by_key(schools: pd.DataFrame, used: pd.Series) -> pd.Series:
    """Return the URN that each key of :func:`school_key` means.

    Parameters
    ----------
    schools : DataFrame
        Rows of Get Information about Schools, with plain column names.
    used : Series of str, shape (n_used,)
        URNs that returns name. Establishment numbers without an LA are those of the LA with most of them.

    Returns
    -------
    Series of str
        Keys that several schools share are left out; of schools of one LA with one number and name, the
        open one counts. A school that converted is the one that it became.
    """
    status = column(schools, "establishmentstatusname").astype("str").str.lower()
    is_open = status.str.startswith("open")
    rows = schools.loc[is_open.sort_values(ascending=False, kind="stable").index]
    urn = rows["urn"].map(school_key)
    la = rows["lacode"].map(school_key).astype("str").str[-3:]
    here = la[urn.isin(used.map(school_key))]
    own = here.mode().iloc[0] if len(here) else la.iloc[0] if la.nunique() == 1 else ""
    number = _numbers(rows)
    name = column(rows, "establishmentname").map(school_key, na_action="ignore").astype("str")
    keys = [urn, la + number, number.where(la == own), name.where(~name.duplicated(keep=False))]
    became = successors(schools).to_dict()
    present = np.array([became.get(one, one) for one in urn], dtype=object)
    found = pd.concat([pd.Series(present, index=key) for key in keys])
    return found[found.index.notna() & ~found.index.duplicated()]


def successors(schools: pd.DataFrame) -> pd.Series:
    """Return the URN of the school that each closed school became.

    A school that converts to an academy closes, and opens with another URN and mostly the same number.

    Parameters
    ----------
    schools : DataFrame
        Rows of Get Information about Schools, with plain column names.

    Returns
    -------
    Series of str
        URN of a closed school → that of the last school of its LA and number, where each opened within a
        year after the one before closed, or these days are not known.
    """
    status = column(schools, "establishmentstatusname").astype("str").str.lower()
    number = _numbers(schools)
    columns = {
        "urn": schools["urn"].map(school_key),
        "number": schools["lacode"].map(school_key).astype("str").str[-3:] + number,
        "is_open": ~status.str.startswith("closed"),
        "opened": read_dates(column(schools, "opendate")),
        "closed": read_dates(column(schools, "closedate")),
    }
    rows = pd.DataFrame(columns)[number.notna()].sort_values(list(columns)[1:])
    gap = (rows["opened"] - rows["closed"].shift()).dt.days
    follows = (rows["number"] == rows["number"].shift()) & ~rows["is_open"].shift(fill_value=True)
    follows &= gap.between(0, LONGEST_GAP) | gap.isna()
    last = rows.groupby((~follows).cumsum())["urn"].transform("last").set_axis(rows["urn"])
    return last[last.index != last]


def _numbers(schools: pd.DataFrame) -> pd.Series:
    """Return the number of each school in its LA; missing for settings that have none, or 0."""
    number = column(schools, "establishmentnumber").map(school_key, na_action="ignore")
    return number.astype("str").where(number != NO_NUMBER)


def successors_in_censuses(returns: pd.DataFrame) -> pd.Series:
    """Return the URN under which the censuses of a school go on, where one number has several in turn.

    Parameters
    ----------
    returns : DataFrame
        Rows of schools in censuses, with plain column names; those without an LA are left out.

    Returns
    -------
    Series of str
        As :func:`successors` returns them.
    """
    if not {"urn", "estab"} <= set(returns):
        return pd.Series(dtype="str")
    day, urn = read_dates(returns["referencedate"]), returns["urn"]
    first, last = (day.groupby(urn).transform(which) for which in ("min", "max"))
    schools = pd.DataFrame(
        {
            "urn": urn,
            "lacode": column(returns, "lea"),
            "establishmentnumber": returns["estab"],
            "establishmentstatusname": "closed",
            "opendate": first,
            "closedate": last + pd.Timedelta(days=1),  # two schools of one census are not one
        }
    )
    return successors(schools.dropna(subset=["urn", "lacode", "opendate"]).drop_duplicates("urn"))


def school_of(values: pd.Series, context: Context) -> pd.Series:
    """Return the school that each value means.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        URNs, LAESTAB, establishment numbers with or without leading zeros, or names.
    context : Context
        Knows the schools.

    Returns
    -------
    Series of shape (n_rows,)
        ``school_id``; where no school or more than one is meant, a number with its leading zeros, or the
        name as it is written. Missing where missing, and where the value is a UPN.
    """
    distinct = values.dropna().drop_duplicates().astype("object")
    keys = distinct.map(school_key)
    text = distinct.astype("str").str.strip()
    found = keys.map(context.school_of_number).astype("object")
    found = found.fillna(keys.where(text.map(lambda one: NUMBER.fullmatch(one) is not None), text))
    found = found.where(upn_check_letters(clean_upns(text)).isna())  # a UPN names a child
    return values.map(dict(zip(distinct, found, strict=True))).astype("object")
