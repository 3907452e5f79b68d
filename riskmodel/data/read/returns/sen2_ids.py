"""The tables of SEN2 as COLLECT gives them: each row hangs on a row of another, and at last on a person.

In:  recognised files; persons hold the UPN, every other table an id of the row it hangs on.
Out: the UPN in every table; the outcome of each assessment by its request.

Persons have requests; requests have assessments and active plans; assessments have named plans, and
active plans needs. Ids are scoped to their return as those of the School Census are.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.identity import clean_upns
from riskmodel.data.read.returns.scoping import Holder, scope_ids
from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.sources.source import Context, column

__all__ = ["name_persons"]

LINKS = (
    ("persons", "persontableid", "personbirthdate", ("requests",)),
    ("requests", "requeststableid", "receiveddate", ("assessments", "active plans")),
    ("assessments", "assessmenttableid", "assessmentoutcomedate", ("named plans",)),
    ("active plans", "activeplanstableid", "lastreview", ("needs",)),
)
"""Table, its id, the columns that separate two rows of a person, and the tables that hang on it."""


def name_persons(files: list[ReturnFile], context: Context, log: ReadLog) -> None:
    """Give the rows of all tables of SEN2 the UPN of the person they hang on.

    Parameters
    ----------
    files : list of ReturnFile
        Recognised; their frames get ``upn``, missing where a row hangs on nobody.
    context : Context
        Gets the assessments.
    log : ReadLog
        Gets the rows whose ids mean two things.
    """
    tables = {name: _of(files, name) for link in LINKS for name in (link[0], *link[3])}
    for name, id_, apart, hanging in LINKS:
        users = [one for user in hanging for one in tables[user]]
        holders = [_holder(one, id_, apart) for one in tables[name]]
        scope_ids(holders, users, id_, log, f"{name} of SEN2")
        parts = [one.frame.loc[~one.set_aside, [id_, "upn"]] for one in tables[name]]
        upn = pd.concat(parts).astype({id_: "str"}).drop_duplicates(id_) if parts else None
        for one in users:
            ids = one.frame[id_].astype("str")
            one.frame["upn"] = None if upn is None else ids.map(upn.set_index(id_)["upn"])
    _add_assessments(context, [one.frame[~one.set_aside] for one in tables["assessments"]])


def _of(files: list[ReturnFile], name: str) -> list[ReturnFile]:
    return [one for one in files if one.source.name == f"SEN2 tables: {name}"]


def _holder(one: ReturnFile, id_: str, apart: str) -> Holder:
    frame = one.frame[~one.set_aside]
    day = read_dates(column(frame, apart)).astype("str")
    meaning = clean_upns(frame["upn"].astype("str")) + "|" + day
    return Holder(file=one, ids=frame[id_].astype("str"), meaning=meaning)


def _add_assessments(context: Context, assessments: list[pd.DataFrame]) -> None:
    """Add the outcome of the assessment that each request led to."""
    if not assessments:
        return
    table = pd.concat(assessments).drop_duplicates("requeststableid")
    columns = {"outcome": table["assessmentoutcome"], "day": table["assessmentoutcomedate"]}
    context.assessments = pd.DataFrame(columns).set_axis(table["requeststableid"].astype("str"))
