"""The simulated LA as an LA receives it: censuses, registers and extracts in their own layouts.

In:  the tables of a simulated LA.
Out: a folder of returns with UPNs, names, codes and dates as each source writes them.

Column names: School Census COLLECT tables of the 2026 return, SSDA903 of 2026 (both as public LA
pipelines read them), NCCIS client records of 2022, SEN2 person-level tables of 2025; layouts that no
national return fixes (registers, suspensions, spell lists, results) are of our own choosing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.calendar import academic_year
from riskmodel.data.identity import upn_check_letters
from riskmodel.data.tables import Tables

__all__ = ["CENSUSES", "write_returns"]

CENSUSES = {
    "autumn": ("AUT", 10, "summer", ("spring", "summer")),
    "spring": ("SPR", 1, "autumn", ("summer", "autumn")),
    "summer": ("SUM", 5, "spring", ("autumn", "spring")),
}
"""Census → term code, month, term whose attendance it collects, terms whose exclusions it collects."""

COLLECT_DATE = "%Y-%b-%d %H:%M:%S"
LEGACY_EVERY = 5
"""One school in so many has a system that still writes FIXD for a suspension; chosen."""

LINKED = 0.93
"""Share of social-care and NCCIS records that carry a UPN; chosen."""

Dates = NDArray[np.datetime64]


def write_returns(tables: Tables, folder: Path, *, seed: int) -> dict[str, int]:
    """Write the returns.

    Parameters
    ----------
    tables : Tables
        A simulated LA.
    folder : Path
        An empty folder.
    seed : int
        Seed of what the tables do not hold: serial numbers, days of birth, missing links.

    Returns
    -------
    dict of str to int
        File → rows.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(6)[5])
    people = _people(tables, rng)
    rows = {}
    for name, frame in _files(tables, people, rng):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            frame.to_parquet(path, index=False)
        else:
            frame.to_csv(path, index=False)
        rows[name] = len(frame)
    return rows


def _files(
    tables: Tables, people: pd.DataFrame, rng: np.random.Generator
) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "schools.csv", _schools(tables)
    yield "term_dates.csv", _term_dates(tables)
    yield "postcodes.csv", people[["postcode", "idaci_decile", "imd_decile"]].drop_duplicates()
    yield from _censuses(tables, people, rng)
    yield from _registers(tables, people)
    yield "exclusions.csv", _exclusions(tables, people)
    yield from _sen2(tables, people)
    yield from _social_care(tables, people, rng)
    yield from _spell_lists(tables, people)
    yield from _nccis(tables, people, rng)
    yield from _results(tables, people)


def _people(tables: Tables, rng: np.random.Generator) -> pd.DataFrame:
    """Give every pupil a UPN, a name, a day of birth and a postcode; one row per pupil, in order."""
    pupils = tables["pupils"]
    n = len(pupils)
    first = tables["enrolments"].drop_duplicates("pupil_id").set_index("pupil_id")
    estab = first["school_id"].reindex(pupils["pupil_id"]).str[1:].astype("Int64").fillna(1)
    year = pupils["birth_month"].dt.year + 5
    key = pd.Series(estab.to_numpy(dtype=np.int64) * 100 + year.to_numpy() % 100)
    serial = key.groupby(key).cumcount().to_numpy() + 1
    body = [
        f"000{e % 10000:04d}{y % 100:02d}{s % 1000:03d}"
        for e, y, s in zip(estab, year, serial, strict=True)
    ]
    letters = upn_check_letters(pd.Series([f"A{text}" for text in body], dtype="str"))
    homes = tables["neighbourhood"].drop_duplicates("pupil_id", keep="last").set_index("pupil_id")
    homes = homes.reindex(pupils["pupil_id"])
    decile = homes["idaci_decile"].fillna(10).astype(int).to_numpy()
    return pd.DataFrame(
        {
            "pupil_id": pupils["pupil_id"].to_numpy(),
            "upn": letters.astype("str").to_numpy() + np.array(body, dtype=object),
            "surname": "Simulated",
            "forename": [f"Pupil{i}" for i in range(1, n + 1)],
            "dob": pupils["birth_month"] + pd.to_timedelta(rng.integers(0, 28, n), unit="D"),
            "sex": pupils["sex"].astype("str").to_numpy(),
            "ethnicity": pupils["ethnicity"].astype("str").to_numpy(),
            "language": pupils["first_language"].fillna("NOT").to_numpy(),
            "postcode": [
                f"ZZ{d} {s}AA" for d, s in zip(decile, rng.integers(1, 10, n), strict=True)
            ],
            "idaci_decile": decile,
            "imd_decile": decile,
            "child": np.arange(1, n + 1) + 100_000,
        }
    )


def _upn_of(people: pd.DataFrame, pupils: pd.Series) -> NDArray[np.object_]:
    return people["upn"].to_numpy(object)[pupils.cat.codes.to_numpy()]


def _schools(tables: Tables) -> pd.DataFrame:
    """Return the school register in the columns of Get Information about Schools."""
    schools = tables["schools"]
    kind = schools["kind"].astype("str")
    types = {"mainstream": "Academy converter", "special": "Academy special converter",
             "AP": "Pupil referral unit"}  # fmt: skip
    phases = {"primary": "Primary", "secondary": "Secondary", "all_through": "Not applicable"}
    return pd.DataFrame(
        {
            "URN": schools["urn"],
            "LA (code)": schools["local_authority"],
            "EstablishmentNumber": schools["school_id"].str[1:],
            "EstablishmentName": schools["name"],
            "PhaseOfEducation (name)": schools["phase"].astype("str").map(phases),
            "TypeOfEstablishment (name)": kind.map(types),
        }
    )


def _term_dates(tables: Tables) -> pd.DataFrame:
    calendar = tables["calendar"]
    return pd.DataFrame(
        {
            "Date": calendar["date"].dt.strftime("%d/%m/%Y"),
            "Term": calendar["term"].astype("str").str.title(),
            "Half term": calendar["half_term"],
        }
    )


def _thursday(year: int, month: int) -> pd.Timestamp:
    """Return the census Thursday: the first of October, the third of January and of May."""
    first = pd.Timestamp(year, month, 1)
    day = first + pd.Timedelta(days=(3 - first.weekday()) % 7)
    return day if month == 10 else day + pd.Timedelta(weeks=2)


def _term_spans(tables: Tables) -> dict[tuple[int, str], tuple[pd.Timestamp, pd.Timestamp]]:
    """Return first and last day of every term, by school year and name."""
    calendar = tables["calendar"]
    year = academic_year(calendar["date"]).rename("year")
    spans = calendar.groupby([year, "term"], observed=True)["date"].agg(["min", "max"])
    keys = zip(spans.index.get_level_values(0), spans.index.get_level_values(1), strict=True)
    return {
        (int(y), str(t)): (first, last)
        for (y, t), first, last in zip(keys, spans["min"], spans["max"], strict=True)
    }


def _censuses(
    tables: Tables, people: pd.DataFrame, rng: np.random.Generator
) -> Iterator[tuple[str, pd.DataFrame]]:
    spans = _term_spans(tables)
    names = tables["schools"]["school_id"].to_numpy(object)
    legacy = set(names[LEGACY_EVERY - 1 :: LEGACY_EVERY])
    years = sorted({year for year, _ in spans})
    days = [
        (_thursday(year + (term != "autumn"), CENSUSES[term][1]), year, term)
        for year in years
        for term in CENSUSES
    ]
    for number, (day, year, term) in enumerate(days):
        before = days[number - 1][0] if number else day - pd.DateOffset(months=4)
        folder = f"census/{day.year}_{term}"
        for name, frame in _census(tables, people, spans, (day, before, year, term), legacy):
            yield f"{folder}/{name}.csv", frame


def _census(
    tables: Tables,
    people: pd.DataFrame,
    spans: dict[tuple[int, str], tuple[pd.Timestamp, pd.Timestamp]],
    when: tuple[pd.Timestamp, pd.Timestamp, int, str],
    legacy: set[str],
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return the COLLECT tables of one census."""
    day, before, year, term = when
    code, _, attended, excluded = CENSUSES[term]
    rolls = tables["enrolments"]
    entered = (rolls["entry_date"] <= day).to_numpy()
    now = entered & ~(rolls["leaving_date"] < day).to_numpy()
    left = entered & ((rolls["leaving_date"] < day) & (rolls["leaving_date"] >= before)).to_numpy()
    mark = f"{day.year}{code}"
    schools = tables["schools"]
    yield "schoolcensus", pd.DataFrame({
        "schoolcensustableid": [f"{mark}-{s}" for s in schools["school_id"]], "NativeId": 1,
        "collection": "SC", "term": code, "year": day.year, "referencedate": day.strftime(COLLECT_DATE),
        "estab": schools["school_id"].str[1:], "lea": schools["local_authority"], "urn": schools["urn"],
    })  # fmt: skip
    past = [(year - (name == "summer" or (name == "spring" and term == "autumn")), name)
            for name in excluded]  # fmt: skip
    attended_year = year - (attended == "summer")
    for where, rows in (("on", now), ("off", left)):
        part = rolls[rows].reset_index(drop=True)
        table = "pupilonroll" if where == "on" else "pupilnolongeronroll"
        ids = pd.Series([f"{mark}-{where}-{i}" for i in range(len(part))], dtype="str")
        head = pd.DataFrame({f"{table}tableid": ids, "NativeId": 1})
        span = spans.get((attended_year, attended))
        halves = _summer_halves(tables, span) if term == "autumn" else [span]
        totals = _totals(tables, part, halves[0])
        yield table, _pupil_table(tables, people, part, head, when, where, totals)
        yield f"termlysessiondetails{where}roll", _details(totals, ids, f"{table}tableid")
        if term == "autumn":
            last = _details(_totals(tables, part, halves[1]), ids, f"{table}tableid")
            name = f"summerhalfterm2sessiondetails{where}roll"
            yield name, last.assign(**{f"{name}tableid": range(len(last))})
        spans_past = [spans[key] for key in past if key in spans]
        yield (
            f"termlyexclusions{where}roll",
            _termly_exclusions(tables, part, head, spans_past, legacy),
        )
        if where == "on":
            fsm = "fsmperiodsonroll" if term == "autumn" else "fsmperiod"
            yield fsm, _fsm_periods(tables, part, head, day)
            place = "addressesonroll" if term == "autumn" else "addresses"
            post = people["postcode"].to_numpy(object)[part["pupil_id"].cat.codes]
            yield place, head.assign(postcode=post)
            if term == "spring":
                yield "senneeds", _needs(tables, part, head, day)


def _summer_halves(
    tables: Tables, span: tuple[pd.Timestamp, pd.Timestamp] | None
) -> list[tuple[pd.Timestamp, pd.Timestamp] | None]:
    """Part the summer term at its half-term; the autumn census collects the halves apart."""
    if span is None:
        return [None, None]
    days = tables["calendar"]
    days = days[(days["date"] >= span[0]) & (days["date"] <= span[1])]
    return [(part.iloc[0], part.iloc[-1]) for half in (5, 6)
            if len(part := days.loc[days["half_term"] == half, "date"])]  # fmt: skip


def _details(totals: pd.DataFrame, ids: pd.Series, column: str) -> pd.DataFrame:
    """Return half-days by pupil row and code as COLLECT tables them."""
    rows = totals[~totals["possible"]]
    return pd.DataFrame(
        {
            column: ids[rows["row"]].to_numpy(),
            "NativeId": 1,
            "attendancereason": rows["mark"].to_numpy(),
            "sessions": rows["sessions"].to_numpy(float),
        }
    )


def _pupil_table(
    tables: Tables, people: pd.DataFrame, part: pd.DataFrame, head: pd.DataFrame,
    when: tuple[pd.Timestamp, pd.Timestamp, int, str], where: str, totals: pd.DataFrame,
) -> pd.DataFrame:  # fmt: skip
    day, _, year, term = when
    who = people.iloc[part["pupil_id"].cat.codes].reset_index(drop=True)
    entry = part["entry_date"]
    group = (part["year_group"] + year - academic_year(entry)).astype("int64")
    shown = group.astype("str").where(group > 0, "R")
    possible = totals[totals["possible"]].set_index("row")["sessions"].reindex(part.index)
    mark = f"{day.year}{CENSUSES[term][0]}"
    table = head.assign(
        schoolcensustableid=[f"{mark}-{s}" for s in part["school_id"]],
        upn=who["upn"], formerupn="", surname=who["surname"], forename=who["forename"],
        dob=who["dob"].dt.strftime(COLLECT_DATE), sex=who["sex"],
        entrydate=entry.dt.strftime(COLLECT_DATE), parttime=False,
        termlysessionspossible=possible.to_numpy(), language=who["language"],
    )  # fmt: skip
    if term == "spring":
        table["ethnicity"] = who["ethnicity"]
    if where == "off":
        return table.assign(
            leavingdate=part["leaving_date"].dt.strftime(COLLECT_DATE), ncyearleaving=shown
        )
    provision = _provision(tables, part["pupil_id"], day)
    carers = tables["circumstances"]
    carers = carers[(carers["kind"] == "young_carer") & (carers["start_date"] <= day)]
    table = table.assign(enrolstatus="C", ncyearactual=shown, senprovision=provision)
    if term == "spring":
        table["youngcarer"] = np.where(part["pupil_id"].isin(carers["pupil_id"]), "S", "N")
    return table


def _provision(tables: Tables, pupils: pd.Series, day: pd.Timestamp) -> NDArray[np.object_]:
    spells = tables["send"]
    now = spells[(spells["start_date"] <= day) & ~(spells["end_date"] < day)]
    by_pupil = now.drop_duplicates("pupil_id", keep="last").set_index("pupil_id")["provision"]
    return pupils.map(by_pupil.astype("str")).astype("object").fillna("N").to_numpy(object)


def _totals(
    tables: Tables, part: pd.DataFrame, span: tuple[pd.Timestamp, pd.Timestamp] | None
) -> pd.DataFrame:
    """Return half-days by pupil row and code in a term, and possible ones; only while on this roll."""
    empty = pd.DataFrame({"row": np.zeros(0, int), "mark": pd.array([], dtype="str"),
                          "sessions": np.zeros(0), "possible": np.zeros(0, bool)})  # fmt: skip
    if span is None or not len(part):
        return empty
    sessions = tables["sessions"]
    inside = ((sessions["date"] >= span[0]) & (sessions["date"] <= span[1])).to_numpy()
    marks = sessions.loc[inside, ["pupil_id", "date", "mark"]]
    rows = part[["pupil_id", "entry_date", "leaving_date"]].assign(row=part.index)
    rows = rows.drop_duplicates("pupil_id", keep="last")
    found = marks.merge(rows, on="pupil_id")
    found = found[(found["date"] >= found["entry_date"]) & ~(found["date"] > found["leaving_date"])]
    if found.empty:
        return empty
    counts = found.groupby(["row", "mark"], observed=True).size().rename("sessions").reset_index()
    whole = found.groupby("row").size().rename("sessions").reset_index()
    counts["mark"] = counts["mark"].astype("str")
    return pd.concat(
        [counts.assign(possible=False), whole.assign(mark="", possible=True)], ignore_index=True
    )


def _termly_exclusions(
    tables: Tables, part: pd.DataFrame, head: pd.DataFrame,
    spans: list[tuple[pd.Timestamp, pd.Timestamp]], legacy: set[str],
) -> pd.DataFrame:  # fmt: skip
    facts = tables["suspensions"]
    inside = np.zeros(len(facts), dtype=bool)
    for first, last in spans:
        inside |= ((facts["start_date"] >= first) & (facts["start_date"] <= last)).to_numpy()
    rows = (
        part[["pupil_id", "school_id"]]
        .assign(row=part.index)
        .drop_duplicates(["pupil_id", "school_id"])
    )
    found = facts[inside].merge(rows, on=["pupil_id", "school_id"])
    category = found["category"].astype("str")
    old = (category == "SUSP") & found["school_id"].isin(legacy)
    return pd.DataFrame(
        {
            head.columns[0]: head.iloc[found["row"], 0].to_numpy(),
            "NativeId": 1,
            "startdate": found["start_date"].dt.strftime(COLLECT_DATE),
            "sessions": found["sessions"],
            "category": category.where(~old, "FIXD"),
            **{f"reason{i}": found[f"reason_{i}"] for i in (1, 2, 3)},
            "senprovision": _provision(tables, found["pupil_id"], spans[-1][1]) if spans else "N",
        }
    )


def _fsm_periods(
    tables: Tables, part: pd.DataFrame, head: pd.DataFrame, day: pd.Timestamp
) -> pd.DataFrame:
    spells = tables["circumstances"]
    spells = spells[(spells["kind"] == "fsm") & (spells["start_date"] <= day)]
    rows = part[["pupil_id"]].assign(row=part.index).drop_duplicates("pupil_id")
    found = spells.merge(rows, on="pupil_id")
    ended = found["end_date"].where(found["end_date"] < day)
    return pd.DataFrame(
        {
            head.columns[0]: head.iloc[found["row"], 0].to_numpy(),
            "NativeId": 1,
            "fsmstartdate": found["start_date"].dt.strftime(COLLECT_DATE),
            "fsmenddate": ended.dt.strftime(COLLECT_DATE),
            "ukcountry": "ENG",
        }
    )


def _needs(
    tables: Tables, part: pd.DataFrame, head: pd.DataFrame, day: pd.Timestamp
) -> pd.DataFrame:
    spells = tables["send"]
    now = spells[(spells["start_date"] <= day) & ~(spells["end_date"] < day)]
    rows = part[["pupil_id"]].assign(row=part.index).drop_duplicates("pupil_id")
    found = now.drop_duplicates("pupil_id", keep="last").merge(rows, on="pupil_id")
    return pd.DataFrame(
        {
            head.columns[0]: head.iloc[found["row"], 0].to_numpy(),
            "NativeId": 1,
            "sentyperank": 1.0,
            "sentype": found["primary_need"].astype("str"),
        }
    )


def _registers(tables: Tables, people: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return a daily feed of marks, one file per school year."""
    sessions = tables["sessions"]
    year = academic_year(sessions["date"]).to_numpy(dtype=int)
    upn = pd.Index(people["upn"])
    for first in np.unique(year):
        part = sessions[year == first]
        yield f"registers/marks_{first}.parquet", pd.DataFrame({
            "UPN": pd.Categorical.from_codes(part["pupil_id"].cat.codes, upn),
            "Date": part["date"], "Session": part["session"].astype("str"),
            "Mark": part["mark"].astype("str"), "Received": part["recorded_on"],
        })  # fmt: skip


def _exclusions(tables: Tables, people: pd.DataFrame) -> pd.DataFrame:
    """Return what schools tell the LA within days: suspensions and permanent exclusions."""
    facts = tables["suspensions"]
    return pd.DataFrame(
        {
            "UPN": _upn_of(people, facts["pupil_id"]),
            "Estab": facts["school_id"].str[1:],
            "Category": facts["category"].astype("str"),
            "Start date": facts["start_date"].dt.strftime("%d/%m/%Y"),
            "Sessions": facts["sessions"],
            **{f"Reason {i}": facts[f"reason_{i}"] for i in (1, 2, 3)},
            "Date notified": facts["recorded_on"].dt.strftime("%d/%m/%Y"),
        }
    )


def _sen2(tables: Tables, people: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    plans, send = tables["plans"], tables["send"]
    codes = {"issued": "Y", "refused": "N", "withdrawn": "W"}
    yield "sen2/requests.csv", pd.DataFrame({
        "upn": _upn_of(people, plans["pupil_id"]), "receiveddate": plans["requested_on"],
        "requestoutcomedate": plans["decided_on"],
        "requestoutcome": plans["outcome"].astype("object").map(codes),
    })  # fmt: skip
    held = send[send["provision"] == "E"]
    yield "sen2/namedplan.csv", pd.DataFrame({
        "upn": _upn_of(people, held["pupil_id"]), "startdate": held["start_date"],
        "ceasedate": held["end_date"],
        "ceasereason": np.where(held["end_date"].notna(), "2", ""),
    })  # fmt: skip
    yield "sen2/senneed.csv", pd.DataFrame({
        "upn": _upn_of(people, held["pupil_id"]), "sentyperank": 1,
        "sentype": held["primary_need"].astype("str"),
    }).drop_duplicates("upn")  # fmt: skip


def _social_care(
    tables: Tables, people: pd.DataFrame, rng: np.random.Generator
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return the CIN census as a flat file and SSDA903 header and episodes."""
    spells = tables["circumstances"]
    who = people.iloc[spells["pupil_id"].cat.codes].reset_index(drop=True)
    linked = (rng.random(len(people)) < LINKED)[spells["pupil_id"].cat.codes]
    upn = who["upn"].where(linked, "")
    start, end = (spells[name].dt.strftime("%Y-%m-%d").reset_index(drop=True)
                  for name in ("start_date", "end_date"))  # fmt: skip
    kind = spells["kind"].astype("str").reset_index(drop=True)
    cin = kind.isin(["child_in_need", "child_protection"])
    plan = kind == "child_protection"
    yield "cin/cin.csv", pd.DataFrame({
        "LAchildID": "DFE" + who["child"].astype("str"), "UPN": upn,
        "UPNunknown": np.where(linked, "", "UN1"), "PersonBirthDate": who["dob"].dt.strftime("%Y-%m-%d"),
        "CINreferralDate": start, "PrimaryNeedCode": "N1", "CINclosureDate": end,
        "CPPstartDate": start.where(plan, ""), "CPPendDate": end.where(plan, ""),
    })[cin]  # fmt: skip
    cared = (kind == "looked_after").to_numpy()
    children = who[cared].drop_duplicates("child")
    british = "%d/%m/%Y"
    yield "ssda903/header.csv", pd.DataFrame({
        "CHILD": children["child"], "SEX": children["sex"].map({"M": "1", "F": "2"}),
        "DOB": children["dob"].dt.strftime(british), "ETHNIC": children["ethnicity"],
        "UPN": upn[cared][children.index].where(upn[cared][children.index] != "", "UN4"),
        "MOTHER": "", "MC_DOB": "",
    })  # fmt: skip
    first = spells["start_date"].dt.strftime(british).reset_index(drop=True)
    last = spells["end_date"].dt.strftime(british).reset_index(drop=True)
    yield "ssda903/episodes.csv", pd.DataFrame({
        "CHILD": who["child"], "DECOM": first, "RNE": "S", "LS": "V2", "CIN": "N1", "PLACE": "U5",
        "PLACE_PROVIDER": "PR1", "DEC": last, "REC": np.where(last.notna(), "E8", ""),
        "REASON_PLACE_CHANGE": "", "HOME_POST": who["postcode"], "PL_POST": "", "URN": "",
    })[cared]  # fmt: skip


def _spell_lists(tables: Tables, people: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return the LA's own lists: early help and youth justice."""
    spells = tables["circumstances"]
    for kind, name in (("early_help", "Early help"), ("youth_justice", "Youth justice")):
        part = spells[spells["kind"] == kind]
        yield f"{kind}.csv", pd.DataFrame({
            "UPN": _upn_of(people, part["pupil_id"]), "Service": name,
            "Start date": part["start_date"].dt.strftime("%d/%m/%Y"),
            "End date": part["end_date"].dt.strftime("%d/%m/%Y"),
            "Recorded": part["recorded_on"].dt.strftime("%d/%m/%Y"),
        })  # fmt: skip


def _nccis(
    tables: Tables, people: pd.DataFrame, rng: np.random.Generator
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return the monthly client extracts."""
    facts = tables["destinations"]
    linked = (rng.random(len(people)) < LINKED)[facts["pupil_id"].cat.codes]
    for day, rows in facts.groupby("confirmed_on").indices.items():
        part, month = facts.iloc[rows], pd.Timestamp(day)  # type: ignore[arg-type]
        who = people.iloc[part["pupil_id"].cat.codes].reset_index(drop=True)
        lapses = part["confirmed_on"] + pd.DateOffset(months=6)
        confirmed = part["confirmed_on"].dt.strftime("%Y-%m-%d").to_numpy()
        yield f"nccis/nccis_{month:%Y_%m}.csv", pd.DataFrame({
            "YoungPersonsID": who["child"], "CohortStatus": "P",
            "UniquePupilNumber": who["upn"].where(linked[rows], ""),
            "Gender": who["sex"], "MonthOfBirth": who["dob"].dt.month, "YearOfBirth": who["dob"].dt.year,
            "Ethnicity": who["ethnicity"], "ActivityCode": part["activity_code"].astype("str").to_numpy(),
            "StartDate": part["start_date"].dt.strftime("%Y-%m-%d").to_numpy(),
            "DateAscertained": confirmed, "DateVerified": confirmed,
            "DueToLapseDate": lapses.dt.strftime("%Y-%m-%d").to_numpy(),
        })  # fmt: skip


def _results(tables: Tables, people: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return results: key stage 2 as scaled scores, key stage 4 as Attainment 8."""
    facts = tables["attainment"]
    upn = _upn_of(people, facts["pupil_id"])
    facts = facts.assign(UPN=upn, Year=facts["result_date"].dt.year)
    two = facts[facts["stage"] == "KS2"]
    wide = two.pivot_table(index=["UPN", "Year"], columns="subject", values="score", observed=True)
    scaled = (104 + 7 * wide).round().clip(80, 120).astype(int).reset_index()
    yield (
        "ks2.csv",
        scaled.rename(
            columns={"reading": "READSCORE", "mathematics": "MATSCORE", "Year": "ACADYR"}
        ),
    )
    four = facts[facts["stage"] == "KS4"]
    yield "ks4.csv", pd.DataFrame({
        "UPN": four["UPN"], "ACADYR": four["Year"],
        "ATT8": (46 + 17 * four["score"]).clip(0, 90).round(1),
    })  # fmt: skip
