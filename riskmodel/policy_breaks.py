"""Days from which a change of policy makes figures unlike those of before, as the LA wrote them down.

In:  ``[[policy_breaks]]`` of ``riskmodel.toml``; lists, each with the days that it spans.
Out: :class:`PolicyBreak`; which features and rivals change their meaning; how many lists look across.

From some day on, suspensions may be served inside school and no longer be recorded, or a code of absence
may mean something else: the same column then counts other things. No statistic can tell such a day from a
change in the children, so people who know of it write it down.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from riskmodel.data.schema import TABLES
from riskmodel.errors import RequestError
from riskmodel.evaluation.baselines import columns_of_rankers
from riskmodel.features import CATALOGUE

__all__ = ["PolicyBreak", "looks_across", "read_breaks"]

KEYS = {"day", "what", "tables"}

LOOK_BACK = pd.DateOffset(years=1)
"""How far back the longest windows of the features look; what counts everything so far looks further."""


@dataclass(frozen=True)
class PolicyBreak:
    """A day from which a table counts other things than before.

    Attributes
    ----------
    day : Timestamp
        The first day of the new policy.
    what : str
        What changed, in the LA's words; a sentence without its full stop.
    tables : tuple of str
        Tables whose rows mean something else since, from :data:`riskmodel.data.schema.TABLES`.
    """

    day: pd.Timestamp
    what: str
    tables: tuple[str, ...]

    @property
    def features(self) -> list[str]:
        """Names of the features that change their meaning, in the order of the catalogue."""
        return [name for name, one in CATALOGUE.items() if one.source in self.tables]

    @property
    def rivals(self) -> list[str]:
        """Simple rankings that use such features."""
        changed = set(self.features)
        return [name for name, columns in columns_of_rankers().items() if changed & set(columns)]


def looks_across(one: PolicyBreak, day: pd.Timestamp, last: pd.Timestamp) -> bool:
    """Whether a list counts facts of both sides of a break, or facts before it and outcomes after it.

    Parameters
    ----------
    one : PolicyBreak
        The break.
    day : Timestamp
        Day of the list.
    last : Timestamp
        End of its horizon.

    Returns
    -------
    bool
        True where the break lies in the year before the list, or between the list and its horizon.

    Examples
    --------
    >>> held_inside = PolicyBreak(pd.Timestamp("2026-07-01"), "Held inside", ("suspensions",))
    >>> days = pd.to_datetime(["2025-06-01", "2026-06-01", "2027-08-01"])
    >>> [looks_across(held_inside, day, day + pd.DateOffset(years=1)) for day in days]
    [False, True, False]
    """
    return bool(day - LOOK_BACK < one.day <= last)


def read_breaks(entries: Any, where: str) -> tuple[PolicyBreak, ...]:
    """Read the breaks of a settings file.

    Parameters
    ----------
    entries : object
        What stands under ``policy_breaks``.
    where : str
        The file, for messages.

    Returns
    -------
    tuple of PolicyBreak
        In the order of their days.

    Raises
    ------
    RequestError
        If an entry is no table, lacks a key or has another, its day is no day, its text is empty, or a
        table does not exist.

    Examples
    --------
    >>> day = datetime.date(2026, 7, 1)
    >>> entry = {"day": day, "what": "Suspensions held inside school", "tables": ["suspensions"]}
    >>> read_breaks([entry], "riskmodel.toml")[0].rivals
    ['suspensions last year']
    """
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RequestError(
            f"{where}: policy_breaks must be a list of tables, each written below [[policy_breaks]]."
        )
    read = [
        _read(entry, f"{where}, policy break {place}") for place, entry in enumerate(entries, 1)
    ]
    return tuple(sorted(read, key=lambda one: one.day))


def _read(entry: dict[str, Any], where: str) -> PolicyBreak:
    wrong = sorted(set(entry) ^ KEYS)
    if wrong:
        verb = "has no" if wrong[0] in KEYS else "may not hold"
        raise RequestError(
            f"{where} {verb} '{wrong[0]}'. Write day, what and tables, nothing else."
        )
    day, what, tables = entry["day"], entry["what"], entry["tables"]
    if not isinstance(day, datetime.date) or isinstance(day, datetime.datetime):
        raise RequestError(
            f"{where}: the day is {day!r}. Write it without quotes: day = 2026-07-01."
        )
    if not isinstance(what, str) or not what.strip():
        raise RequestError(f'{where}: say what changed, in quotes: what = "…".')
    return PolicyBreak(
        pd.Timestamp(day).as_unit("s"), what.strip().rstrip("."), _known(tables, where)
    )


def _known(tables: Any, where: str) -> tuple[str, ...]:
    """Return the names of tables, all of which must exist."""
    names: Sequence[Any] = tables if isinstance(tables, list) else [tables]
    unknown = [name for name in names if not isinstance(name, str) or name not in TABLES]
    if unknown or not names:
        got = repr(unknown[0]) if unknown else "nothing"
        raise RequestError(
            f"{where}: tables names {got}, which is no table. Use some of {', '.join(TABLES)}."
        )
    return tuple(names)
