"""What the LA's own services hold: SEN, social care, early help, youth justice, leavers' destinations.

In:  the tables of a simulated LA and a random generator.
Out: one frame per file.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.tables import Tables
from riskmodel.simulate.returns.people import LINKED, upn_of

__all__ = ["nccis", "sen2", "social_care", "spell_lists"]

REQUEST_OUTCOMES = {"issued": "Y", "refused": "N", "withdrawn": "W"}
"""Outcome of a request for a plan → code of SEN2."""

ISO, BRITISH = "%Y-%m-%d", "%d/%m/%Y"
"""How the files write dates."""


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
    send = tables["send"]
    held = send[send["provision"] == "E"]
    yield "sen2/requests.csv", _requests(tables["plans"], people)
    yield "sen2/namedplan.csv", _named_plans(held, people)
    yield "sen2/senneed.csv", _plan_needs(held, people)


def _requests(plans: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Return the requests for plans with their outcomes."""
    return pd.DataFrame(
        {
            "upn": upn_of(people, plans["pupil_id"]),
            "receiveddate": plans["requested_on"],
            "requestoutcomedate": plans["decided_on"],
            "requestoutcome": plans["outcome"].astype("object").map(REQUEST_OUTCOMES),
        }
    )


def _named_plans(held: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Return the plans with the days on which they start and cease."""
    return pd.DataFrame(
        {
            "upn": upn_of(people, held["pupil_id"]),
            "startdate": held["start_date"],
            "ceasedate": held["end_date"],
            "ceasereason": np.where(held["end_date"].notna(), "2", ""),
        }
    )


def _plan_needs(held: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Return the primary need of each pupil with a plan."""
    needs = pd.DataFrame(
        {
            "upn": upn_of(people, held["pupil_id"]),
            "sentyperank": 1,
            "sentype": held["primary_need"].astype("str"),
        }
    )
    return needs.drop_duplicates("upn")


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
    number = spells["pupil_id"].cat.codes.to_numpy()
    linked = (rng.random(len(people)) < LINKED)[number]
    who = people.iloc[number].reset_index(drop=True)
    who["upn"] = who["upn"].where(linked, "")
    spells = spells.reset_index(drop=True)
    yield "cin/cin.csv", _children_in_need(spells, who)
    cared = (spells["kind"] == "looked_after").to_numpy()
    yield "ssda903/header.csv", _looked_after(who[cared].drop_duplicates("child"))
    yield "ssda903/episodes.csv", _episodes(spells[cared], who[cared])


def _children_in_need(spells: pd.DataFrame, who: pd.DataFrame) -> pd.DataFrame:
    """Return the children in need and on plans; ``who`` is the pupil of each spell."""
    start, end = (spells[name].dt.strftime(ISO) for name in ("start_date", "end_date"))
    on_plan = spells["kind"] == "child_protection"
    rows = pd.DataFrame(
        {
            "LAchildID": "DFE" + who["child"].astype("str"),
            "UPN": who["upn"],
            "UPNunknown": np.where(who["upn"] != "", "", "UN1"),
            "PersonBirthDate": who["dob"].dt.strftime(ISO),
            "CINreferralDate": start,
            "PrimaryNeedCode": "N1",
            "CINclosureDate": end,
            "CPPstartDate": start.where(on_plan, ""),
            "CPPendDate": end.where(on_plan, ""),
        }
    )
    return rows[on_plan | (spells["kind"] == "child_in_need")]


def _looked_after(children: pd.DataFrame) -> pd.DataFrame:
    """Return the header of SSDA903: one row per looked-after child."""
    return pd.DataFrame(
        {
            "CHILD": children["child"],
            "SEX": children["sex"].map({"M": "1", "F": "2"}),
            "DOB": children["dob"].dt.strftime(BRITISH),
            "ETHNIC": children["ethnicity"],
            "UPN": children["upn"].where(children["upn"] != "", "UN4"),
            "MOTHER": "",
            "MC_DOB": "",
        }
    )


def _episodes(spells: pd.DataFrame, who: pd.DataFrame) -> pd.DataFrame:
    """Return the episodes of SSDA903: one row per spell of care."""
    fixed = {"RNE": "S", "LS": "V2", "CIN": "N1", "PLACE": "U5", "PLACE_PROVIDER": "PR1"}
    return pd.DataFrame(
        {
            "CHILD": who["child"],
            "DECOM": spells["start_date"].dt.strftime(BRITISH),
            **fixed,
            "DEC": spells["end_date"].dt.strftime(BRITISH),
            "REC": np.where(spells["end_date"].notna(), "E8", ""),
            "REASON_PLACE_CHANGE": "",
            "HOME_POST": who["postcode"],
            "PL_POST": "",
            "URN": "",
        }
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
        yield f"{kind}.csv", _spell_list(spells[spells["kind"] == kind], name, people)


def _spell_list(spells: pd.DataFrame, service: str, people: pd.DataFrame) -> pd.DataFrame:
    """Return the spells of one service."""
    return pd.DataFrame(
        {
            "UPN": upn_of(people, spells["pupil_id"]),
            "Service": service,
            "Start date": spells["start_date"].dt.strftime(BRITISH),
            "End date": spells["end_date"].dt.strftime(BRITISH),
            "Recorded": spells["recorded_on"].dt.strftime(BRITISH),
        }
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
    positions = tables["destinations"]
    linked = rng.random(len(people)) < LINKED
    for day, rows in positions.groupby("confirmed_on").indices.items():
        month = pd.Timestamp(day)  # type: ignore[arg-type]
        yield f"nccis/nccis_{month:%Y_%m}.csv", _clients(positions.iloc[rows], people, linked)


def _clients(
    positions: pd.DataFrame, people: pd.DataFrame, linked: NDArray[np.bool_]
) -> pd.DataFrame:
    """Return one month's extract; only ``linked`` people have a UPN in it."""
    number = positions["pupil_id"].cat.codes.to_numpy()
    positions = positions.reset_index(drop=True)
    who = people.iloc[number].reset_index(drop=True)
    confirmed = positions["confirmed_on"].dt.strftime(ISO)
    lapses = positions["confirmed_on"] + pd.DateOffset(months=6)
    return pd.DataFrame(
        {
            "YoungPersonsID": who["child"],
            "CohortStatus": "P",
            "UniquePupilNumber": who["upn"].where(linked[number], ""),
            "Gender": who["sex"],
            "MonthOfBirth": who["dob"].dt.month,
            "YearOfBirth": who["dob"].dt.year,
            "Ethnicity": who["ethnicity"],
            "ActivityCode": positions["activity_code"].astype("str"),
            "StartDate": positions["start_date"].dt.strftime(ISO),
            "DateAscertained": confirmed,
            "DateVerified": confirmed,
            "DueToLapseDate": lapses.dt.strftime(ISO),
        }
    )
