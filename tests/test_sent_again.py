"""A School Census that is in the folder twice, as first sent and as sent again, counts once.

In:  two versions of a return, in tables, in XML or flat.
Out: the last one's facts, and each row of the other merged or in conflict.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.read import Extract
from tests.returns import CENSUS_XML, KNOWN, PARTS, UPN, read_files

SECOND, THIRD = f"{UPN[:-1]}3", f"{UPN[:-1]}4"
RETURNS = "schoolcensustableid,term,referencedate,urn\n1,AUT,2023-10-05,900001\n"
SENT = "schoolcensustableid,term,referencedate,urn,serialno,datetime\n1,AUT,2023-10-05,900001,"
ON = "pupilonrolltableid,schoolcensustableid,upn,dob,sex,entrydate,ncyearactual,senprovision\n"
EXCLUDED = "pupilonrolltableid,startdate,sessions,category,reason1\n3,2023-06-05,2,SUSP,PP\n"


def pupils(*rows: str) -> str:
    """Return pupils on roll; a row is a UPN and a provision."""
    numbered = (
        f"{n},1,{row[:13]},2011-01-15,F,2022-09-05,8,{row[14:]}\n" for n, row in enumerate(rows, 1)
    )
    return ON + "".join(numbered)


FIRST = {
    "schoolcensus.csv": RETURNS,
    "pupilonroll.csv": pupils(f"{UPN} N", f"{SECOND} K", f"{THIRD} N"),
    "exclusions.csv": EXCLUDED,
}
AGAIN = {
    "schoolcensus.csv": RETURNS,
    "pupilonroll.csv": pupils(f"{UPN} N", f"{SECOND} E", f"{UPN[:-1]}5 N"),
    "exclusions.csv": EXCLUDED.replace(",2,SUSP", ",4,SUSP"),
}


def both(first: str, again: str, sent: tuple[str, str] | None = None) -> dict[str, str]:
    """Return both versions in folders of these names; a serial number and a day make each header."""
    files: dict[str, str] = {}
    for folder, version, place in ((first, FIRST, 0), (again, AGAIN, 1)):
        files |= {f"{folder}/{name}": text for name, text in version.items()}
        if sent:
            files[f"{folder}/schoolcensus.csv"] = f"{SENT}{sent[place]}\n"
    return files


def facts(extract: Extract) -> tuple[int, list[int], list[str]]:
    """Return how many rolls there are, the lengths of suspensions, and the provisions of pupils with some."""
    tables = extract.tables
    provision = tables["send"].loc[tables["send"]["provision"] != "N", "provision"]
    counts = extract.reconciliation
    assert (counts[PARTS].sum(axis=1) == counts["rows_read"]).all()
    assert counts["rows_conflicting"].sum() == len(extract.conflicts)
    return len(tables["enrolments"]), tables["suspensions"]["sessions"].tolist(), provision.tolist()


def test_of_a_return_that_was_sent_again_the_last_counts(tmp_path: Path) -> None:
    extract = read_files(tmp_path, both("Autumn 2023 v1", "Autumn 2023 v2 sent again"))
    assert facts(extract) == (3, [4], ["E"])
    counts = extract.reconciliation.set_index("file")
    assert counts.loc["Autumn 2023 v1/pupilonroll.csv", PARTS].tolist() == [0, 1, 0, 2]
    assert counts.loc["Autumn 2023 v1/exclusions.csv", PARTS].tolist() == [0, 0, 0, 1]
    (one,) = extract.problems.query("rule == 'sent_again'").to_dict("records")
    assert one["severity"] == "error"
    assert one["message"].startswith(
        "Autumn 2023 v1/pupilonroll.csv: the return of school 900001 for 2023-10-05 is in Autumn 2023 v2"
    )
    assert "Nothing shows which was sent last, so the last by name counts." in one["message"]


@pytest.mark.parametrize(
    "sent", [("1,2023-10-12", "2,2023-10-20"), ("1,", "2,"), (",2023-10-12", ",2023-10-20")]
)
def test_the_header_shows_which_return_was_sent_last(tmp_path: Path, sent: tuple[str, str]) -> None:
    extract = read_files(tmp_path, both("z", "a", sent))
    assert facts(extract) == (3, [4], ["E"])
    (one,) = extract.problems.query("rule == 'sent_again'").to_dict("records")
    assert one["severity"] == "warning"
    assert "The later sent counts." in one["message"]


def test_a_return_that_was_sent_late_counts_from_then(tmp_path: Path) -> None:
    extract = read_files(tmp_path, both("a", "b", ("1,2023-10-12", "2,2023-12-10")))
    facts(extract)
    seen = {
        day: [
            len(extract.tables.as_known(pd.Timestamp(day))[name])
            for name in ("enrolments", "suspensions")
        ]
        for day in ("2023-11-15", "2023-12-15")
    }
    assert seen == {
        "2023-11-15": [2, 0],
        "2023-12-15": [3, 1],
    }  # the pupil of the last alone, and the exclusion


def test_two_equal_returns_are_merged(tmp_path: Path) -> None:
    files = {f"{folder}/{name}": text for folder in ("a", "b") for name, text in FIRST.items()}
    extract = read_files(tmp_path, files)
    assert facts(extract) == (3, [2], ["K"])
    (one,) = extract.problems.query("rule == 'sent_again'").to_dict("records")
    assert (one["severity"], extract.conflicts.empty) == ("warning", True)
    assert "They are equal. 4 rows here are the same there and were merged" in one["message"]


def test_two_parts_of_a_return_are_both_read(tmp_path: Path) -> None:
    files = {
        f"{n}/{name}": text
        for n, upns in enumerate(((UPN, SECOND), (THIRD, f"{UPN[:-1]}5")))
        for name, text in {
            "census.csv": RETURNS,
            "on.csv": pupils(*(f"{u} N" for u in upns)),
        }.items()
    }
    extract = read_files(tmp_path, files)
    assert len(extract.tables["enrolments"]) == 4
    assert extract.problems.query("rule == 'sent_again'").empty


def test_of_an_xml_return_that_was_sent_again_the_last_counts(tmp_path: Path) -> None:
    numbered = CENSUS_XML.replace("<Source>", "<Source><SerialNo>{}</SerialNo>")
    again = numbered.replace("<Sessions>4<", "<Sessions>2<").replace(">2023-10-07<", ">2023-10-09<")
    files = {"z.xml": numbered.format(1), "a.xml": again.format(2)}
    extract = read_files(tmp_path, files)
    suspended = extract.tables["suspensions"]
    assert suspended[["start_date", "sessions"]].values.tolist() == [
        [pd.Timestamp("2023-10-09"), 2]
    ]
    assert extract.tables["absence_totals"].query("mark == 'I'")["sessions"].tolist() == [6]


FLAT = "UPN,DOB,EntryDate,CensusDate,URN,NCyearActual,SENprovision\n"


def test_of_a_flat_census_that_was_sent_again_the_last_counts(tmp_path: Path) -> None:
    rows = [f"{upn},2011-01-15,2022-09-05,2023-10-05,900001,8,N\n" for upn in (UPN, SECOND, THIRD)]
    later = "".join(row.replace("2023-10-05", "2024-01-18") for row in rows)
    files = {
        "census (1).csv": FLAT + "".join(rows) + later,
        "census (10).csv": FLAT + "".join(rows[:2]).replace("8,N", "8,K"),
        "census (9).csv": FLAT + rows[0],
    }
    extract = read_files(tmp_path, files)
    known = extract.tables.as_known(KNOWN[1] - pd.Timedelta(days=1))
    assert known["send"]["provision"].tolist() == ["K", "K"]
    assert len(known["enrolments"]) == 2
    assert len(extract.tables["enrolments"]) == 3
    counts = extract.reconciliation.set_index("file")[PARTS]
    assert counts.loc["census (1).csv"].tolist() == [3, 0, 0, 3]
    assert counts.loc["census (9).csv"].tolist() == [0, 0, 0, 1]


def test_a_later_version_with_more_columns_holds_the_same_rows(tmp_path: Path) -> None:
    row = f"{UPN},2011-01-15,2022-09-05,2023-10-05,900001,8,N"
    files = {"a.csv": f"{FLAT}{row}\n", "b.csv": f"{FLAT[:-1]},Sex\n{row},F\n"}
    extract = read_files(tmp_path, files)
    assert extract.reconciliation.set_index("file").loc["a.csv", PARTS].tolist() == [0, 1, 0, 0]


def test_an_earlier_version_with_more_columns_is_read_beside_the_later(tmp_path: Path) -> None:
    row = f"{UPN},2011-01-15,2022-09-05,2023-10-05,900001,8,N"
    files = {"a.csv": f"{FLAT[:-1]},Sex\n{row},F\n", "b.csv": f"{FLAT}{row}\n"}
    extract = read_files(tmp_path, files)
    assert extract.tables["pupils"]["sex"].tolist() == ["F"]
    (words,) = extract.problems.query("rule == 'sent_again'")["message"]
    assert "Both were read, as they have different columns." in words


def test_a_copy_of_all_returns_is_reported_in_few_sentences(tmp_path: Path) -> None:
    rows = "".join(f"{UPN},2011-01-15,2022-09-05,2023-10-05,90{n:04},8,N\n" for n in range(25))
    extract = read_files(tmp_path, {"a.csv": FLAT + rows, "copy/a.csv": FLAT + rows})
    reported = extract.problems.query("rule == 'sent_again'")["message"]
    assert len(reported) == 21
    assert reported.iloc[-1] == "a.csv: 5 more returns are there twice. Keep the last of each."
