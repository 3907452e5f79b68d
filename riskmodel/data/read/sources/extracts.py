"""Registers, exclusions told to the LA, SEN2, social care, NCCIS, results, the LA's own lists.

In:  one file each, in the layouts most LAs export.
Out: facts, each dated by when the LA could have known it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.data.read.convert import read_dates
from riskmodel.data.read.sources.source import Context, Facts, Source

__all__ = ["SOURCES"]

KINDS = {"early help": "early_help", "youth justice": "youth_justice", "young carer": "young_carer",
         "elective home education": "home_educated", "home education": "home_educated",
         "alternative provision": "alternative_provision"}  # fmt: skip
"""Services of spell lists → kinds of circumstances."""

OUTCOMES = {"Y": "issued", "N": "refused", "W": "withdrawn"}
"""Outcomes of a request for an EHC plan (codes recalled, unverified)."""

SHORT_BREAKS = {"V3", "V4"}
"""Legal status of short breaks in SSDA903: these children are not looked after for good."""

KEY_STAGE_2, ATTAINMENT_8 = (104.0, 7.0), (46.0, 17.0)
"""Mean and spread by which scores are standardised: near the national ones (recalled, unverified)."""


def _registers(frame: pd.DataFrame, context: Context) -> Facts:
    sessions = pd.DataFrame(
        {"pupil_id": frame["pupil_id"], "date": frame["date"], "session": frame["session"],
         "mark": frame["mark"]}
    )  # fmt: skip
    if "received" in frame:
        sessions["recorded_on"] = frame["received"]
    return {"sessions": sessions}


def _exclusions(frame: pd.DataFrame, context: Context) -> Facts:
    suspensions = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "school_id": _school(frame["estab"], context),
            "start_date": frame["startdate"],
            "sessions": frame.get("sessions"),
            "category": frame["category"].astype("str").str.strip().replace({"FIXD": "SUSP"}),
            **{f"reason_{i}": frame.get(f"reason{i}") for i in (1, 2, 3)},
            "recorded_on": frame.get("datenotified"),
        }
    )
    return {"suspensions": suspensions}


def _school(number: pd.Series, context: Context) -> pd.Series:
    text = number.astype("str").str.strip().str.zfill(4)
    return text.map(context.school_of_number).fillna(text)


def _schools(frame: pd.DataFrame, context: Context) -> Facts:
    phase = frame["phaseofeducationname"].astype("str").str.lower()
    kind = frame["typeofestablishmentname"].astype("str").str.lower()
    schools = pd.DataFrame(
        {
            "school_id": frame["urn"].astype("str"),
            "urn": frame["urn"],
            "name": frame["establishmentname"],
            "phase": np.select(
                [phase.str.contains("primary"), phase.str.contains("secondary"), phase.str.contains("16")],
                ["primary", "secondary", "post16"], "all_through",
            ),
            "kind": np.select(
                [kind.str.contains("special"),
                 kind.str.contains("referral|alternative provision")],
                ["special", "AP"], "mainstream",
            ),
            "local_authority": frame["lacode"],
        }
    )  # fmt: skip
    return {"schools": schools}


def _term_dates(frame: pd.DataFrame, context: Context) -> Facts:
    return {
        "calendar": pd.DataFrame(
            {"date": frame["date"], "term": frame["term"].astype("str").str.lower(),
             "half_term": frame["halfterm"]}
        )
    }  # fmt: skip


def _requests(frame: pd.DataFrame, context: Context) -> Facts:
    plans = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "requested_on": frame["receiveddate"],
            "decided_on": frame["requestoutcomedate"],
            "outcome": frame["requestoutcome"].astype("object").map(OUTCOMES),
            "recorded_on": (read_dates(frame["receiveddate"]) + pd.Timedelta(days=1)),
        }
    )
    return {"plans": plans}


def _named_plans(frame: pd.DataFrame, context: Context) -> Facts:
    start, end = read_dates(frame["startdate"]), read_dates(frame["ceasedate"])
    send = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "provision": "E",
            "start_date": start,
            "end_date": end,
            "recorded_on": start + pd.Timedelta(days=1),
            "end_recorded_on": end + pd.Timedelta(days=1),
            "_plan": True,
        }
    )
    return {"send": send}


def _plan_needs(frame: pd.DataFrame, context: Context) -> Facts:
    rank = pd.to_numeric(frame["sentyperank"], errors="coerce")
    needs = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "primary_need": frame["sentype"].where(rank == 1),
            "secondary_need": frame["sentype"].where(rank == 2),
        }
    )
    return {"needs": needs}


def _children_in_need(frame: pd.DataFrame, context: Context) -> Facts:
    parts = [
        _spells(frame, "child_in_need", "cinreferraldate", "cinclosuredate"),
        _spells(frame, "child_protection", "cppstartdate", "cppenddate"),
    ]
    return {"circumstances": pd.concat(part for part in parts if len(part))}


def _spells(frame: pd.DataFrame, kind: str, start: str, end: str) -> pd.DataFrame:
    """Return spells of a kind; the LA itself records both ends the day after."""
    begun = frame[read_dates(frame[start]).notna()] if kind != "child_in_need" else frame
    first, last = read_dates(begun[start]), read_dates(begun[end])
    return pd.DataFrame(
        {
            "pupil_id": begun["pupil_id"],
            "kind": kind,
            "start_date": begun[start],
            "end_date": begun[end],
            "recorded_on": first + pd.Timedelta(days=1),
            "end_recorded_on": last + pd.Timedelta(days=1),
        }
    )


def _episodes(frame: pd.DataFrame, context: Context) -> Facts:
    lasting = frame[~frame["ls"].isin(SHORT_BREAKS)]
    return {"circumstances": _spells(lasting, "looked_after", "decom", "dec")}


def _spell_lists(frame: pd.DataFrame, context: Context) -> Facts:
    service = frame["service"].astype("str").str.strip().str.lower()
    start, end = read_dates(frame["startdate"]), read_dates(frame["enddate"])
    recorded = (
        read_dates(frame["recorded"]) if "recorded" in frame else start + pd.Timedelta(days=30)
    )
    spells = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "kind": service.map(KINDS).fillna(frame["service"]),
            "start_date": frame["startdate"],
            "end_date": frame["enddate"],
            "recorded_on": recorded,
            "end_recorded_on": pd.concat([end + pd.Timedelta(days=1), recorded], axis=1)
            .max(axis=1)
            .where(end.notna()),
        }
    )
    return {"circumstances": spells}


def _nccis(frame: pd.DataFrame, context: Context) -> Facts:
    verified = frame["dateverified"] if "dateverified" in frame else frame["dateascertained"]
    sex = frame["gender"].astype("str").str.strip().where(frame["gender"].isin(["M", "F"]), None)
    destinations = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "activity_code": frame["activitycode"],
            "start_date": frame["startdate"],
            "confirmed_on": verified,
            "recorded_on": verified,
        }
    )
    born = pd.to_datetime(
        {"year": pd.to_numeric(frame["yearofbirth"]), "month": pd.to_numeric(frame["monthofbirth"]),
         "day": 1}, errors="coerce",
    )  # fmt: skip
    pupils = pd.DataFrame(
        {"pupil_id": frame["pupil_id"], "birth_month": born, "sex": sex, "ethnicity": frame["ethnicity"],
         "_day": read_dates(verified)}
    )  # fmt: skip
    return {"destinations": destinations, "pupils": pupils}


def _key_stage_2(frame: pd.DataFrame, context: Context) -> Facts:
    parts = [
        _scores(frame, "KS2", subject, column, KEY_STAGE_2, (7, 10))
        for subject, column in (("reading", "readscore"), ("mathematics", "matscore"))
        if column in frame
    ]
    return {"attainment": pd.concat(parts)}


def _key_stage_4(frame: pd.DataFrame, context: Context) -> Facts:
    return {"attainment": _scores(frame, "KS4", "attainment_8", "att8", ATTAINMENT_8, (8, 22))}


def _scores(
    frame: pd.DataFrame, stage: str, subject: str, column: str, level: tuple[float, float],
    day: tuple[int, int],
) -> pd.DataFrame:  # fmt: skip
    score = (pd.to_numeric(frame[column], errors="coerce") - level[0]) / level[1]
    year = pd.to_numeric(frame["acadyr"], errors="coerce")
    result = pd.to_datetime({"year": year, "month": day[0], "day": day[1]}, errors="coerce")
    return pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "stage": stage,
            "subject": subject,
            "score": score,
            "result_date": result,
            "recorded_on": result + pd.Timedelta(days=30),
        }
    )


SOURCES = (
    Source(name="Register marks", upn="upn", facts=_registers,
           columns=frozenset({"upn", "date", "session", "mark"}),
           aliases={"attendancecode": "mark", "code": "mark", "ampm": "session"}),
    Source(name="Suspensions and exclusions", upn="upn", facts=_exclusions,
           columns=frozenset({"upn", "estab", "category", "startdate"}),
           aliases={"reason": "reason1", "establishmentnumber": "estab"}),
    Source(name="Schools (Get Information about Schools)", facts=_schools,
           columns=frozenset({"urn", "lacode", "phaseofeducationname", "typeofestablishmentname"})),
    Source(name="Term dates", facts=_term_dates, columns=frozenset({"date", "term", "halfterm"})),
    Source(name="Postcode lookup", columns=frozenset({"postcode", "idacidecile"})),
    Source(name="SEN2: requests", upn="upn", facts=_requests,
           columns=frozenset({"upn", "receiveddate", "requestoutcome", "requestoutcomedate"})),
    Source(name="SEN2: named plans", upn="upn", facts=_named_plans,
           columns=frozenset({"upn", "startdate", "ceasedate", "ceasereason"})),
    Source(name="SEN2: needs", upn="upn", facts=_plan_needs,
           columns=frozenset({"upn", "sentype", "sentyperank"})),
    Source(name="CIN census, flat", upn="upn", facts=_children_in_need,
           columns=frozenset({"lachildid", "upn", "cinreferraldate", "cinclosuredate", "cppstartdate"})),
    Source(name="SSDA903: header", columns=frozenset({"child", "upn", "ethnic", "dob"})),
    Source(name="SSDA903: episodes", upn="upn", facts=_episodes,
           columns=frozenset({"child", "decom", "rne", "ls", "dec"})),
    Source(name="Spell list", upn="upn", facts=_spell_lists,
           columns=frozenset({"upn", "service", "startdate", "enddate"})),
    Source(name="NCCIS clients", upn="uniquepupilnumber", facts=_nccis,
           columns=frozenset({"uniquepupilnumber", "activitycode", "startdate", "yearofbirth"})),
    Source(name="Key stage 2 results", upn="upn", facts=_key_stage_2,
           columns=frozenset({"upn", "acadyr", "readscore"})),
    Source(name="Key stage 4 results", upn="upn", facts=_key_stage_4,
           columns=frozenset({"upn", "acadyr", "att8"})),
)  # fmt: skip
"""All but the School Census."""
