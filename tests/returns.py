"""Shared by the tests of returns: a pupil, small censuses of that pupil, and files beside them.

In:  the text of files.
Out: what the reader makes of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from riskmodel.data import Tables
from riskmodel.data.identity import upn_check_letters
from riskmodel.data.read import Extract, read
from riskmodel.simulate import write_simulated_returns

__all__ = [
    "ARRANGED",
    "BODY",
    "CENSUS",
    "CENSUS_XML",
    "KNOWN",
    "PARTS",
    "PLANS",
    "TERMS",
    "UPN",
    "censuses",
    "ends_on",
    "flat_census",
    "last_days",
    "read_beside",
    "read_files",
    "read_only",
    "write_two_terms",
]


PARTS = ["rows_kept", "rows_merged", "rows_rejected", "rows_conflicting"]
"""Columns of a reconciliation that add up to the rows read."""

BODY = "000000120002"


UPN = str(upn_check_letters(pd.Series(["A" + BODY]))[0]) + BODY


CENSUS = {
    "schoolcensus.csv": "schoolcensustableid,term,year,referencedate,urn\n"
    "1,SPR,2024,2024-Jan-18 00:00:00,900001\n2,AUT,2024,2024-Oct-03 00:00:00,900001\n",
    "pupils.csv": "pupilonrolltableid,schoolcensustableid,upn,dob,gender,entrydate,ncyearactual,"
    f"senprovision\n1,1,{UPN},2012-Oct-03 00:00:00,F,2023-Sep-04 00:00:00,7,N\n"
    f"2,2,{UPN},2012-Oct-03 00:00:00,F,2023-Sep-04 00:00:00,8,N\n",
}


def write_two_terms(folder: Path, *, seed: int) -> Path:
    """Write small simulated returns of autumn and spring, which have every kind of file there is."""
    write_simulated_returns(folder, pupils=120, years=1, seed=seed)
    for other in sorted((folder / "census").iterdir())[2:]:
        shutil.rmtree(other)
    return folder


def read_files(folder: Path, files: dict[str, str]) -> Extract:
    """Read files alone, those of each return in a folder of its own."""
    for name, text in files.items():
        (folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "data" / name).write_text(text)
    return read(folder / "data", key_file=folder / "key")


def read_beside(folder: Path, files: dict[str, str]) -> Extract:
    """Read files beside the small census; its own files have other names here."""
    for name, text in {f"census {n}": t for n, t in CENSUS.items()}.items():
        (folder / name).write_text(text)
    for name, text in files.items():
        (folder / name).write_text(text)
    return read(folder, key_file=folder.parent / f"{folder.name}.key")


CENSUS_XML = f"""<Message xmlns="urn:any"><Header><CollectionDetails><Collection>SC</Collection>
<Term>SPR</Term><ReferenceDate>2024-01-18</ReferenceDate></CollectionDetails>
<Source><URN>900001</URN></Source></Header><Pupils><PupilsOnRoll><PupilOnRoll>
<PupilIdentifiers><UPN>{UPN}</UPN><Surname>Doe</Surname><DOB>2012-10-03</DOB><Sex>F</Sex></PupilIdentifiers>
<PupilCharacteristics><Ethnicity>WBRI</Ethnicity><YoungCarer>S</YoungCarer>
<FSMperiods><FSMperiod><FSMstartDate>2021-09-06</FSMstartDate></FSMperiod></FSMperiods></PupilCharacteristics>
<PupilStatus><EnrolStatus>C</EnrolStatus><EntryDate>2023-09-04</EntryDate><NCyearActual>7</NCyearActual></PupilStatus>
<SpecialEducationalNeeds><SENprovision>K</SENprovision><Anything>
<SENneed><SENtypeRank>1</SENtypeRank><SENtype>SEMH</SENtype></SENneed></Anything></SpecialEducationalNeeds>
<Exclusions><TermlyExclusion><Category>FIXD</Category><Reasons><Reason>DB</Reason><Reason>VA</Reason></Reasons>
<StartDate>2023-10-07</StartDate><Sessions>4</Sessions><SENprovision>E</SENprovision></TermlyExclusion></Exclusions>
<Attendance><TermlyAttendance><SessionDetails>
<SessionDetail><AttendanceReason>I</AttendanceReason><AbsenceSessions>6</AbsenceSessions></SessionDetail>
</SessionDetails></TermlyAttendance></Attendance></PupilOnRoll></PupilsOnRoll>
<PupilsNoLongerOnRoll><PupilNoLongerOnRoll><PupilIdentifiers><UPN>{UPN[:-1]}9</UPN><DOB>2012-11-03</DOB>
<Gender>M</Gender></PupilIdentifiers><PupilStatus><EntryDate>2023-09-04</EntryDate>
<LeavingDate>2023-12-01</LeavingDate></PupilStatus></PupilNoLongerOnRoll></PupilsNoLongerOnRoll>
</Pupils></Message>"""


TERMS = (
    "AUT,2023,2023-Oct-05",
    "SPR,2024,2024-Jan-18",
    "SUM,2024,2024-May-16",
    "AUT,2024,2024-Oct-03",
    "SPR,2025,2025-Jan-16",
)


KNOWN = [pd.Timestamp(day.split(",")[2].replace("-", " ")) + pd.Timedelta(days=35) for day in TERMS]
"""When the LA held each return."""


def censuses(*left: int) -> dict[str, str]:
    """Return five censuses of one pupil, in some of which they are no longer on roll."""
    header = "pupilonrolltableid,schoolcensustableid,upn,dob,gender,entrydate,ncyearactual"
    pupil = f"{UPN},2012-Oct-03 00:00:00,F,2023-Sep-04 00:00:00"
    numbers = range(1, len(TERMS) + 1)
    rows = {i: f"{i},{i},{pupil},{7 + (i > 3 and i not in left)}" for i in numbers}
    lines = {
        "schoolcensus.csv": ["schoolcensustableid,term,year,referencedate,urn"]
        + [f"{i},{term} 00:00:00,900001" for i, term in zip(numbers, TERMS, strict=True)],
        "on.csv": [header] + [rows[i] for i in numbers if i not in left],
        "off.csv": [f"{header.replace('onroll', 'nolongeronroll')},leavingdate"]
        + [f"{rows[i]},2023-Dec-01 00:00:00" for i in left],
    }
    return {name: "\n".join([*text, ""]) for name, text in lines.items()}


def read_only(folder: Path, files: dict[str, str]) -> Tables:
    for name, text in files.items():
        (folder / name).write_text(text)
    return read(folder, key_file=folder.parent / f"{folder.name}.key").tables


PLANS = "UPN,StartDate,CeaseDate,CeaseReason\n"


ARRANGED = "pupilonrolltableid,apsettingtype,entrydate,leavingdate\n"


def ends_on(tables: Tables, kind: str, days: list[str]) -> list[str]:
    """Return the end of the spells of a kind as it was known on each day."""
    ends = []
    for day in days:
        spells = tables.as_known(pd.Timestamp(day))["circumstances"]
        of_kind = spells.loc[spells["kind"] == kind, "end_date"]
        ends.append(" ".join("open" if pd.isna(end) else f"{end:%F}" for end in of_kind))
    return ends


CENSUS_DAYS = ["2023-10-05", "2024-01-18", "2024-05-16", "2024-10-03", "2025-01-16"]
"""Census days; the LA holds a return 35 days later."""


def flat_census(rolls: Mapping[str, list[str]], *more: str) -> str:
    """Return a flat census: who is on which roll, a letter per pupil and a list of letters per day."""
    rows = ["UPN,DOB,EntryDate,CensusDate,URN,NCyearActual", *more]
    for urn, days in rolls.items():
        for day, letters in zip(CENSUS_DAYS, days, strict=False):
            group = 7 + (day > "2024-08")
            rows += [
                f"{UPN[:-1]}{'abcdefghij'.index(who)},2011-10-03,2023-09-04,{day},{urn},{group}"
                for who in letters
            ]
    return "\n".join([*rows, ""])


def last_days(tables: Tables, known: str) -> list[str]:
    """Return school and last day of the spells that had ended, as known on a day."""
    rolls = tables.as_known(pd.Timestamp(known))["enrolments"]
    ended = rolls[rolls["leaving_date"].notna()]
    return sorted(
        f"{s} {d:%F}" for s, d in zip(ended["school_id"], ended["leaving_date"], strict=True)
    )
