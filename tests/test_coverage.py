"""Coverage, links and concentration, worked out by hand; and the page that shows them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data import Tables
from riskmodel.data.check import check
from riskmodel.data.coverage import concentration, coverage, linkage
from riskmodel.data.read import read
from riskmodel.report.check_page import write_check

ROLLS = "pupil_id,school_id,entry_date,leaving_date,status,year_group\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.mkdir()
    (path / "pupils.csv").write_text("pupil_id,sex\nP1,F\nP2,M\nP3,F\n")
    (path / "enrolments.csv").write_text(
        ROLLS + "P1,S1,2022-09-01,,main,3\nP2,S1,2022-09-01,,main,3\nP3,<b>S2,2022-09-01,,main,8\n"
    )
    (path / "calendar.csv").write_text(
        "date,term,half_term\n2023-09-04,autumn,1\n2023-09-05,autumn,1\n2024-01-08,spring,3\n"
    )
    days = ["2023-09-04", "2023-09-05", "2024-01-08"]
    marks = [f"P1,{day},{half},/\n" for day in days for half in ("AM", "PM")]
    marks += ["P2,2023-09-04,AM,/\n", "P9,2023-09-04,AM,/\n"]
    (path / "sessions.csv").write_text("pupil_id,date,session,mark\n" + "".join(marks))
    return path


def test_coverage_by_hand(folder: Path) -> None:
    table = coverage(read(folder).tables).set_index(["school_id", "term"])
    assert table.loc[("S1", "autumn"), "share"] == pytest.approx((4 / 4 + 1 / 4) / 2)
    assert table.loc[("S1", "spring"), "share"] == pytest.approx(0.5)
    assert table.loc[("<b>S2", "autumn"), "share"] == 0
    assert table.loc[("S1", "autumn"), "pupils"] == 2
    assert set(table["year"]) == {2023}


def test_nothing_is_reported_without_registers(folder: Path) -> None:
    tables = {name: frame for name, frame in read(folder).tables.items() if name != "sessions"}
    assert coverage(Tables(tables)).empty
    assert concentration(Tables(tables)).empty


def test_linkage_by_hand(folder: Path) -> None:
    table = linkage(read(folder)).set_index("source")
    assert table.loc["sessions"].tolist() == [8, 7, 7 / 8]
    assert table.loc["pupils", "share"] == 1


def test_concentration_by_hand(folder: Path) -> None:
    tables = dict(read(folder).tables)
    schools = ["A"] * 6 + ["B"] * 4 + ["C"] * 2
    rolls = (
        tables["enrolments"].iloc[[0, 0, 0, 0]].assign(school_id=["A", "B", "C", "D"], year_group=8)
    )
    starts = pd.Timestamp("2023-09-04").as_unit("s") + pd.to_timedelta(range(12), unit="D")
    facts = pd.DataFrame(
        {
            "pupil_id": pd.Categorical(["P1"] * 12, tables["pupils"]["pupil_id"].cat.categories),
            "school_id": pd.array(schools, dtype="str"),
            "start_date": starts,
            "category": "SUSP",
            "reinstated_on": pd.NaT,
        }
    )
    made = concentration(Tables(tables | {"enrolments": rolls, "suspensions": facts}))
    assert made.loc[0].tolist() == ["suspensions", 2023, 12, 4, 1, 0.25]
    few = concentration(Tables(tables | {"enrolments": rolls, "suspensions": facts.iloc[:9]}))
    assert few.empty


def test_the_page_escapes_and_keeps_every_reject(folder: Path, tmp_path: Path) -> None:
    report = check(read(folder))
    write_check(report, tmp_path / "out", simulated=True)
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "Simulated data" in page
    assert "&lt;b&gt;S2" in page
    assert "<b>S2" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert "must not be used to rank schools" in page
    (kept,) = (tmp_path / "out" / "rejects").iterdir()
    assert kept.name == "sessions.csv"
    assert len(pd.read_csv(kept)) == len(report.rejects) == 1
