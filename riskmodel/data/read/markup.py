"""XML returns, read as hostile files: no entity is expanded, nothing outside is fetched.

In:  the XML of a CIN census.
Out: a raw frame with the columns of the flat file. Elements are known by local name, so that a new
namespace or an unknown element does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.errors import DataError

__all__ = ["open_markup"]

LARGEST = 2 * 10**9
"""Bytes of an XML file that is opened."""

FIELDS = {"LAchildID", "UPN", "UPNunknown", "PersonBirthDate", "CINreferralDate", "PrimaryNeedCode",
          "CINclosureDate", "ReasonForClosure", "CPPstartDate", "CPPendDate"}  # fmt: skip


def open_markup(path: Path) -> pd.DataFrame:
    """Return the rows of an XML return.

    Parameters
    ----------
    path : Path
        ``.xml``.

    Returns
    -------
    DataFrame
        One row per referral and protection plan of a CIN census; no rows and no columns for XML
        that is something else.

    Raises
    ------
    DataError
        If the file is damaged, too large, or holds declarations that could do harm.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, iterparse

    if path.stat().st_size > LARGEST:
        raise DataError(f"{path.name}: is larger than {LARGEST / 1e9:.0f} GB. Export it in parts.")
    try:
        rows = list(_referrals(iterparse(path, events=("end",), forbid_dtd=True)))
    except DefusedXmlException as error:
        raise DataError(
            f"{path.name}: declares document types or entities, which no return does and which can do "
            "harm. It was not opened. Export it again from the system it comes from."
        ) from error
    except ParseError as error:
        raise DataError(
            f"{path.name}: cannot be read as XML, it may be cut off ({error}). Export it again."
        ) from error
    return pd.DataFrame(rows, dtype="str")


def _referrals(events: Any) -> Iterator[dict[str, str | None]]:
    """Return a row per referral, and one more per further protection plan in it."""
    for _, element in events:
        if _local(element) != "Child":
            continue
        own = _texts(element, stop="CINdetails")
        for details in element:
            if _local(details) != "CINdetails":
                continue
            row = own | _texts(details, stop="ChildProtectionPlans")
            plans = [_texts(p, stop="") for p in details if _local(p) == "ChildProtectionPlans"]
            for plan in plans or [{}]:
                yield {name: row.get(name, plan.get(name)) for name in sorted(FIELDS)}
        element.clear()


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _texts(element: Any, *, stop: str) -> dict[str, str]:
    """Return the known fields in an element, those in elements of the stop's name left out."""
    found: dict[str, str] = {}
    for child in element:
        name = _local(child)
        if name == stop:
            continue
        if name in FIELDS and (child.text or "").strip():
            found[name] = child.text.strip()
        found = _texts(child, stop=stop) | found
    return found
