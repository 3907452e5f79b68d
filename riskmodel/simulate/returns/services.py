"""What the LA's own services hold: SEN, social care, early help, youth justice, leavers' destinations.

In:  the tables of a simulated LA and a random generator.
Out: one frame per file.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from riskmodel.data.tables import Tables
from riskmodel.simulate.returns.people import LINKED, upn_of

__all__ = ["nccis", "sen2", "social_care", "spell_lists"]


def sen2(tables: Tables, people: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return requests for plans, the plans and their needs, as SEN2 collects them.

    Parameters
    ----------
    tables : Tables
        A simulated LA.
    people : DataFrame
        From :func:`~.people.make_people`.

    Yields
    ------
    tuple of str and DataFrame
        Name of the file, and its rows.
    """
    plans, send = tables["plans"], tables["send"]
    codes = {"issued": "Y", "refused": "N", "withdrawn": "W"}
    yield (
        "sen2/requests.csv",
        pd.DataFrame(
            {
                "upn": upn_of(people, plans["pupil_id"]),
                "receiveddate": plans["requested_on"],
                "requestoutcomedate": plans["decided_on"],
                "requestoutcome": plans["outcome"].astype("object").map(codes),
            }
        ),
    )
    held = send[send["provision"] == "E"]
    yield (
        "sen2/namedplan.csv",
        pd.DataFrame(
            {
                "upn": upn_of(people, held["pupil_id"]),
                "startdate": held["start_date"],
                "ceasedate": held["end_date"],
                "ceasereason": np.where(held["end_date"].notna(), "2", ""),
            }
        ),
    )
    yield (
        "sen2/senneed.csv",
        pd.DataFrame(
            {
                "upn": upn_of(people, held["pupil_id"]),
                "sentyperank": 1,
                "sentype": held["primary_need"].astype("str"),
            }
        ).drop_duplicates("upn"),
    )


def social_care(
    tables: Tables, people: pd.DataFrame, rng: np.random.Generator
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return the CIN census as a flat file and SSDA903 header and episodes.

    Parameters
    ----------
    tables : Tables
        A simulated LA.
    people : DataFrame
        From :func:`~.people.make_people`.
    rng : Generator
        Source of randomness.

    Yields
    ------
    tuple of str and DataFrame
        Name of the file, and its rows.
    """
    spells = tables["circumstances"]
    who = people.iloc[spells["pupil_id"].cat.codes].reset_index(drop=True)
    linked = (rng.random(len(people)) < LINKED)[spells["pupil_id"].cat.codes]
    upn = who["upn"].where(linked, "")
    start, end = (
        spells[name].dt.strftime("%Y-%m-%d").reset_index(drop=True)
        for name in ("start_date", "end_date")
    )
    kind = spells["kind"].astype("str").reset_index(drop=True)
    cin = kind.isin(["child_in_need", "child_protection"])
    plan = kind == "child_protection"
    yield (
        "cin/cin.csv",
        pd.DataFrame(
            {
                "LAchildID": "DFE" + who["child"].astype("str"),
                "UPN": upn,
                "UPNunknown": np.where(linked, "", "UN1"),
                "PersonBirthDate": who["dob"].dt.strftime("%Y-%m-%d"),
                "CINreferralDate": start,
                "PrimaryNeedCode": "N1",
                "CINclosureDate": end,
                "CPPstartDate": start.where(plan, ""),
                "CPPendDate": end.where(plan, ""),
            }
        )[cin],
    )
    cared = (kind == "looked_after").to_numpy()
    children = who[cared].drop_duplicates("child")
    british = "%d/%m/%Y"
    yield (
        "ssda903/header.csv",
        pd.DataFrame(
            {
                "CHILD": children["child"],
                "SEX": children["sex"].map({"M": "1", "F": "2"}),
                "DOB": children["dob"].dt.strftime(british),
                "ETHNIC": children["ethnicity"],
                "UPN": upn[cared][children.index].where(upn[cared][children.index] != "", "UN4"),
                "MOTHER": "",
                "MC_DOB": "",
            }
        ),
    )
    first = spells["start_date"].dt.strftime(british).reset_index(drop=True)
    last = spells["end_date"].dt.strftime(british).reset_index(drop=True)
    yield (
        "ssda903/episodes.csv",
        pd.DataFrame(
            {
                "CHILD": who["child"],
                "DECOM": first,
                "RNE": "S",
                "LS": "V2",
                "CIN": "N1",
                "PLACE": "U5",
                "PLACE_PROVIDER": "PR1",
                "DEC": last,
                "REC": np.where(last.notna(), "E8", ""),
                "REASON_PLACE_CHANGE": "",
                "HOME_POST": who["postcode"],
                "PL_POST": "",
                "URN": "",
            }
        )[cared],
    )


def spell_lists(tables: Tables, people: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return the LA's own lists: early help and youth justice.

    Parameters
    ----------
    tables : Tables
        A simulated LA.
    people : DataFrame
        From :func:`~.people.make_people`.

    Yields
    ------
    tuple of str and DataFrame
        Name of the file, and its rows.
    """
    spells = tables["circumstances"]
    for kind, name in (("early_help", "Early help"), ("youth_justice", "Youth justice")):
        part = spells[spells["kind"] == kind]
        yield (
            f"{kind}.csv",
            pd.DataFrame(
                {
                    "UPN": upn_of(people, part["pupil_id"]),
                    "Service": name,
                    "Start date": part["start_date"].dt.strftime("%d/%m/%Y"),
                    "End date": part["end_date"].dt.strftime("%d/%m/%Y"),
                    "Recorded": part["recorded_on"].dt.strftime("%d/%m/%Y"),
                }
            ),
        )


def nccis(
    tables: Tables, people: pd.DataFrame, rng: np.random.Generator
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return the monthly client extracts.

    Parameters
    ----------
    tables : Tables
        A simulated LA.
    people : DataFrame
        From :func:`~.people.make_people`.
    rng : Generator
        Source of randomness.

    Yields
    ------
    tuple of str and DataFrame
        Name of the file, and its rows.
    """
    facts = tables["destinations"]
    linked = (rng.random(len(people)) < LINKED)[facts["pupil_id"].cat.codes]
    for day, rows in facts.groupby("confirmed_on").indices.items():
        part, month = facts.iloc[rows], pd.Timestamp(day)  # type: ignore[arg-type]
        who = people.iloc[part["pupil_id"].cat.codes].reset_index(drop=True)
        lapses = part["confirmed_on"] + pd.DateOffset(months=6)
        confirmed = part["confirmed_on"].dt.strftime("%Y-%m-%d").to_numpy()
        yield (
            f"nccis/nccis_{month:%Y_%m}.csv",
            pd.DataFrame(
                {
                    "YoungPersonsID": who["child"],
                    "CohortStatus": "P",
                    "UniquePupilNumber": who["upn"].where(linked[rows], ""),
                    "Gender": who["sex"],
                    "MonthOfBirth": who["dob"].dt.month,
                    "YearOfBirth": who["dob"].dt.year,
                    "Ethnicity": who["ethnicity"],
                    "ActivityCode": part["activity_code"].astype("str").to_numpy(),
                    "StartDate": part["start_date"].dt.strftime("%Y-%m-%d").to_numpy(),
                    "DateAscertained": confirmed,
                    "DateVerified": confirmed,
                    "DueToLapseDate": lapses.dt.strftime("%Y-%m-%d").to_numpy(),
                }
            ),
        )
