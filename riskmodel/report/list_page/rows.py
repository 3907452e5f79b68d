"""The rows of the list page: every pupil scored, with what the page searches, sorts and filters by.

In:  a ranking; the tables, for the names of schools and recorded needs.
Out: one row per pupil of the ranking, in words.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from riskmodel.data import Tables
from riskmodel.data.codes import code_set
from riskmodel.data.sen_provision import provision_before
from riskmodel.data.year_groups import PHASES, phase_of, year_words
from riskmodel.report.list_page.frequency import frequencies, ranges

__all__ = ["FILTERS", "bar_places", "list_rows", "rest_of_cohort", "school_names"]

FILTERS = {
    "school": "School",
    "year": "Year",
    "phase": "Phase",
    "need": "Need",
    "change": "Change",
    "band": "On the list",
}
"""Column of :func:`list_rows` → label of its filter."""

REST_COLUMNS = ("school", "year", "phase", "need", "change", "risk", "range")
"""What the page knows of a pupil who is not shown."""

FIRST_LETTER = ord("?")

NO_NEED, NEED_NOT_KNOWN = "No need on record", "Need not known"
NO_SCHOOL = "No school"
YEAR_NOT_KNOWN, PHASE_NOT_KNOWN = "Year not known", "Phase not known"


def school_names(tables: Tables | None) -> dict[str, str]:
    """Return the names of schools.

    Parameters
    ----------
    tables : Tables, optional
        The LA's facts.

    Returns
    -------
    dict of str to str
        ``school_id`` → name with its number; empty where no names are held.

    Examples
    --------
    >>> school_names(Tables({"schools": pd.DataFrame({"school_id": ["S1"], "name": ["North"]})}))
    {'S1': 'North (S1)'}
    """
    if tables is None or "schools" not in tables or "name" not in tables["schools"]:
        return {}
    schools = tables["schools"].dropna(subset=["name"])
    pairs = zip(schools["school_id"].astype("str"), schools["name"].astype("str"), strict=True)
    return {number: f"{name} ({number})" for number, name in pairs if name}


def list_rows(ranking: pd.DataFrame, tables: Tables | None, *, as_of: pd.Timestamp) -> pd.DataFrame:
    """Put a ranking in words.

    Parameters
    ----------
    ranking : DataFrame
        From :func:`riskmodel.assess.rank`.
    tables : Tables, optional
        The LA's facts.
    as_of : Timestamp
        Needs recorded before it count.

    Returns
    -------
    DataFrame
        ``rank, pupil_id, school_id, school, year, phase, change, band, risk, range`` as texts but for
        the rank, and ``need`` where special educational needs are held. Phase goes by year group.
    """
    school, names = ranking["school_id"].astype("str"), school_names(tables)
    year = ranking["year_group"]
    columns = {
        "rank": ranking["rank"],
        "pupil_id": ranking["pupil_id"].astype("str"),
        "school_id": school,
        "school": school.map(lambda name: names.get(name, name)).mask(school == "", NO_SCHOOL),
        "year": year_words(year).fillna(YEAR_NOT_KNOWN),
        "phase": phase_of(year).map(PHASES).fillna(PHASE_NOT_KNOWN),
        "change": ranking["change"].astype("str"),
        "band": ranking["band"].astype("str"),
        "risk": frequencies(ranking["risk"]),
        "range": ranges(ranking["risk_low"], ranking["risk_high"]),
    }
    if tables is not None and "send" in tables:
        known = Tables({"send": tables["send"]}).as_known(as_of)
        columns["need"] = _needs(known["send"], ranking["pupil_id"], as_of)
    return pd.DataFrame(columns, index=ranking.index)


def _needs(send: pd.DataFrame, pupils: pd.Series, day: pd.Timestamp) -> pd.Series:
    """Return the primary need of each pupil on the day, in words."""
    now = provision_before(send, pupils, as_of=day)
    words = now["primary_need"].astype("str").map(code_set("needs")["label"]).astype("str")
    return words.where(words.notna(), NEED_NOT_KNOWN).mask(now["provision"].isna(), NO_NEED)


def rest_of_cohort(rows: pd.DataFrame) -> dict[str, Any]:
    """Return pupils who are not shown, in few bytes.

    Parameters
    ----------
    rows : DataFrame
        From :func:`list_rows`, in the order of their ranks, no rank left out.

    Returns
    -------
    dict
        ``first``, the rank of the first; ``pupil``, who they are; per column its texts, the most
        frequent first, and one letter per pupil: the letter of text ``n`` is ``chr(63 + n)``.

    Examples
    --------
    >>> rows = {"rank": [3, 4, 5], "pupil_id": ["a", "b", "c"], "year": ["9", "8", "9"]}
    >>> rest_of_cohort(pd.DataFrame(rows))
    {'first': 3, 'pupil': ['a', 'b', 'c'], 'year': [['9', '8'], '?@?']}
    """
    columns = [name for name in REST_COLUMNS if name in rows]
    first = int(rows["rank"].min()) if len(rows) else 0
    return {"first": first, "pupil": rows["pupil_id"].tolist()} | {
        name: _in_letters(rows[name]) for name in columns
    }


def _in_letters(column: pd.Series) -> list[Any]:
    counts = column.value_counts()
    texts = sorted(counts.index, key=lambda text: (-int(counts[text]), text))
    number = pd.Index(texts).get_indexer(pd.Index(column))
    # letters from "?" on need no escape in JSON but the backslash, and the first 64 take one byte
    return [texts, "".join(map(chr, (FIRST_LETTER + number).tolist()))]


def bar_places(shown: pd.DataFrame) -> pd.DataFrame:
    """Return where risks lie on a line as long as the largest upper end shown.

    Parameters
    ----------
    shown : DataFrame
        ``risk``, ``risk_low``, ``risk_high``, 0 to 1.

    Returns
    -------
    DataFrame
        ``at``, ``low``, ``high``, 0 to 100.

    Examples
    --------
    >>> risks = {"risk": [0.2, 0.1], "risk_low": [0.1, 0.05], "risk_high": [0.4, 0.2]}
    >>> bar_places(pd.DataFrame(risks)).to_numpy().tolist()
    [[50.0, 25.0, 100.0], [25.0, 12.5, 50.0]]
    """
    largest = shown["risk_high"].max()
    columns = {"at": "risk", "low": "risk_low", "high": "risk_high"}
    return pd.DataFrame({to: (100 * shown[of] / largest).round(1) for to, of in columns.items()})
