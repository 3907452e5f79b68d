"""XML returns: the CIN census, the School Census, SSDA903 and the Common Transfer File, as flat tables.

In:  an XML file; elements are found by their local names, whatever lies around them.
Out: the tables that the same return has as CSV, so that one reader serves both.

Nesting and names of the School Census, CTF and SSDA903 are as third-party programs write and read them;
no official sample was at hand (the CIN census follows its published schema).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.errors import DataError

__all__ = ["open_markup"]

LARGEST = 2 * 10**9
"""Bytes of an XML file that is opened."""

Row = dict[str, str]
Rows = Iterator[tuple[str, Row]]
"""Name of a table, and a row of it."""

PUPIL = (
    "upn",
    "formerupn",
    "surname",
    "forename",
    "dob",
    "sex",
    "ethnicity",
    "language",
    "youngcarer",
    "enrolstatus",
    "entrydate",
    "leavingdate",
    "ncyearactual",
    "senprovision",
)
"""Fields of a pupil in the School Census."""

PARTS = {
    "category": (
        "exclusions",
        (
            "category",
            "startdate",
            "sessions",
            "reason1",
            "reason2",
            "reason3",
            "reinstatementdate",
        ),
    ),
    "fsmstartdate": ("free school meals", ("fsmstartdate", "fsmenddate", "ukcountry")),
    "sentype": ("SEN needs", ("sentyperank", "sentype")),
    "postcode": ("addresses", ("postcode",)),
    "apsettingtype": (
        "placements",
        ("apsettingtype", "placementreason", "entrydate", "leavingdate"),
    ),
    "apreason": ("alternative provision", ("apreason", "prevurn")),
    "supportcode": ("learner support", ("supportcode",)),
}
"""Field by which a part of a pupil is known, whatever its element is called → table, and its fields."""

OLD_NAMES = {"sex": "gender", "ncyearactual": "ncyearleaving", "sessions": "absencesessions"}
"""Field → what it is called in other years, or for leavers."""

ATTENDANCE: dict[str, tuple[str, Row]] = {
    "termlyattendance": ("attendance", {}),
    "summerhalfterm2attendance": (
        "attendance, second half of summer",
        {"summerhalfterm2sessiondetailsonrolltableid": "1"},
    ),
}
"""Element with attendance by code → table, and the column that separates the two."""

POSSIBLE = ("sessionspossible", "termlysessionspossible")
"""Names of the possible half-days of a term."""

CHILD = ("lachildid", "upn", "upnunknown", "personbirthdate")
REFERRAL = (
    "cinreferraldate",
    "primaryneedcode",
    "cinclosuredate",
    "reasonforclosure",
    "referralnfa",
)
PLAN = ("cppstartdate", "cppenddate")


def open_markup(path: Path) -> dict[str, pd.DataFrame]:
    """Return the tables of an XML return.

    Parameters
    ----------
    path : Path
        ``.xml``.

    Returns
    -------
    dict of str to DataFrame
        Tables with plain column names, by what they hold; empty for XML that is something else.

    Raises
    ------
    DataError
        If the file is damaged, too large, of no school, or holds declarations that could do harm.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, iterparse

    if path.stat().st_size > LARGEST:
        raise DataError(f"{path.name}: is larger than {LARGEST / 1e9:.0f} GB. Export it in parts.")
    rows: dict[str, list[Row]] = defaultdict(list)
    try:
        for table, row in _rows(iterparse(path, events=("end",), forbid_dtd=True)):
            rows[table].append(row)
    except DefusedXmlException as error:
        raise DataError(
            f"{path.name}: declares document types or entities, which no return does and which can do "
            "harm. It was not opened. Export it again from the system it comes from."
        ) from error
    except (ParseError, LookupError, ValueError) as error:  # also an encoding that nobody knows
        raise DataError(
            f"{path.name}: cannot be read as XML, it may be cut off ({error}). Export it again."
        ) from error
    except RecursionError as error:
        raise DataError(
            f"{path.name}: its elements lie in each other hundreds deep, as in no return. Export it again."
        ) from error
    if "returns" in rows and not any(one["urn"] for one in rows["returns"]):
        raise DataError(
            f"{path.name}: its header names no school, as in an AP census (alternative provision), which "
            "is not read. Leave it out, or give the returns of the schools."
        )
    frames = {table: pd.DataFrame(part, dtype="str") for table, part in rows.items()}
    return {table: frame.mask(frame == "") for table, frame in frames.items()}


def _rows(events: Any) -> Rows:
    """Return rows as their elements end; an element that was read is let go of."""
    header: Row = {}
    named: set[str] = set()
    for number, (_, element) in enumerate(events):
        name = _local(element)
        if name == "header" and (found := _leaves(element)):
            header = found  # several schools may be in one file, each below a header of its own
        elif name in READERS and len(element):
            reader = _reader(name, header)
            if reader is _census_pupil and "referencedate" in header:
                returns = _return_of(header)
                if returns["schoolcensustableid"] not in named:
                    named.add(returns["schoolcensustableid"])
                    yield "returns", returns
            yield from reader(element, header, number)
            element.clear()


def _reader(name: str, header: Row) -> Callable[[Any, Row, int], Rows]:
    """Return what reads an element: a ``Pupil`` is of a census where the header has a census day."""
    return _census_pupil if name == "pupil" and "referencedate" in header else READERS[name]


def _return_of(header: Row) -> Row:
    number = header.get("urn") or header.get("estab", "")
    return {
        "schoolcensustableid": f"{number} {header['referencedate']}",
        "term": header.get("term", ""),
        "referencedate": header["referencedate"],
        "urn": number,
        "datetime": header.get("datetime", "")[:10],
        "serialno": header.get("serialno", ""),
    }


def _census_pupil(element: Any, header: Row, number: int) -> Rows:
    """Return a pupil of the School Census, and the rows that hang on the pupil."""
    census = _return_of({"referencedate": ""} | header)["schoolcensustableid"]
    row = {"pupilonrolltableid": f"{census} {number}"}
    own = _only(_leaves(element, _is_part), PUPIL) | _possible_sessions(element)
    own["nolongeronroll"] = "1" if _local(element) == "pupilnolongeronroll" else ""
    yield "pupils", row | {"schoolcensustableid": census} | own
    for part in element.iter():
        for key in PARTS.keys() & {_local(child) for child in part if not len(child)}:
            table, fields = PARTS[key]
            for record in _records(part, fields):
                found = _leaves(record) | _reasons(record)
                yield table, row | _only(found, fields)
        if _local(part) in ATTENDANCE:
            table, extra = ATTENDANCE[_local(part)]
            for detail in part.iter():
                if _local(detail) == "sessiondetail":
                    yield (
                        table,
                        row | extra | _only(_leaves(detail), ("attendancereason", "sessions")),
                    )


def _records(part: Any, fields: tuple[str, ...]) -> list[list[Any]]:
    """Return the records that follow each other in an element: each begins where a field comes again."""
    records: list[list[Any]] = [[]]
    for child in part:
        held = {_local(one) for one in records[-1] if (one.text or "").strip() and not len(one)}
        if _local(child) in held.intersection(fields) and (child.text or "").strip():
            records.append([])
        records[-1].append(child)
    return records


def _reasons(record: list[Any]) -> Row:
    """Return the reasons of an exclusion by their rank, where each has an element of its own."""
    texts = (one.text or "" for child in record for one in child.iter() if _local(one) == "reason")
    return {f"reason{i}": text.strip() for i, text in enumerate(texts, 1)}


def _possible_sessions(element: Any) -> Row:
    """Return the possible half-days of the term; the second half of summer has its own, which is not read."""
    terms = [_leaves(part) for part in element.iter() if _local(part) == "termlyattendance"]
    found = [term[name] for term in terms for name in POSSIBLE if name in term]
    return {"termlysessionspossible": found[0] if found else ""}


def _child(element: Any, header: Row, number: int) -> Rows:
    """Return the referrals and plans of a child in the CIN census, or the episodes of one in SSDA903."""
    episodes = [part for part in element.iter() if _is_episode(part)]
    if episodes:
        own = _leaves(element, _is_episode)
        child = own.get("childid") or own.get("child", f"element {number}")
        yield "header", {"child": child} | _only(own, ("upn", "ethnic", "dob", "sex"))
        for episode in episodes:
            found = _leaves(episode)
            yield "episodes", {"child": child} | _only(found, ("decom", "rne", "ls", "dec", "rec"))
        return
    own = _only(_leaves(element, lambda part: _local(part) == "cindetails"), CHILD)
    own["referencedate"] = header.get("referencedate", "")
    for details in element:
        if _local(details) != "cindetails":
            continue
        row = own | _only(_leaves(details, _is_plan), REFERRAL)
        plans = [_leaves(part) for part in details if _is_plan(part)]
        for plan in plans or [{}]:
            yield "referrals", row | _only(plan, PLAN)


def _transferred(element: Any, header: Row, number: int) -> Rows:
    """Return the strings of marks of a pupil in a Common Transfer File, known from the file's day."""
    upn = _leaves(element).get("upn", "")
    for part in element.iter():
        if _local(part) == "attendsessions":
            found = _only(_leaves(part), ("attendancestartdate", "attendancemarks"))
            yield "marks", {"upn": upn, "received": header.get("datetime", "")[:10]} | found


READERS: dict[str, Callable[[Any, Row, int], Rows]] = {
    "child": _child,
    "pupilonroll": _census_pupil,
    "pupilnolongeronroll": _census_pupil,
    "pupil": _transferred,
}
"""Element, in small letters → what reads it."""


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2].lower()


def _is_part(element: Any) -> bool:
    """Whether an element is of a table of its own; needs may lie beside the pupil's own provision."""
    return any(_local(child) in PARTS and _local(child) != "sentype" for child in element)


def _is_plan(element: Any) -> bool:
    return _local(element) == "childprotectionplans"


def _is_episode(element: Any) -> bool:
    return any(_local(child) == "decom" for child in element)


def _leaves(element: Any, passed_over: Callable[[Any], bool] = lambda part: False) -> Row:
    """Return the first text of every leaf in an element, by name; some elements are passed over."""
    found: Row = {}
    for child in element:
        if passed_over(child):
            continue
        text = (child.text or "").strip()
        inner = _leaves(child, passed_over) if len(child) else {_local(child): text}
        for key, text in inner.items():
            if text:
                found.setdefault(key, text)
    return found


def _only(row: Row, names: tuple[str, ...]) -> Row:
    return {name: row.get(name) or row.get(OLD_NAMES.get(name, ""), "") for name in names}
