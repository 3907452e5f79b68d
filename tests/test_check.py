"""The check report: rates worked out by hand, what is undefined, and the files."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data.check import CheckReport, alike_together, check
from riskmodel.data.codes import code_set
from riskmodel.data.read import read
from riskmodel.errors import RequestError
from riskmodel.report.check_page import write_check
from tests.strategies import examples

ROLLS = "pupil_id,school_id,entry_date,leaving_date,status,year_group\n"
SESSIONS = "pupil_id,date,session,mark\n"
SUSPENSIONS = "pupil_id,school_id,start_date,sessions,category\n"

SMALL = {
    "pupils": "pupil_id,sex\nP1,F\nP2,M\nP3,F\nP4,M\nP5,M\n",
    # P1 and P2 are primary, P3 and P4 secondary; P5 is excluded in the autumn and gone in January
    "enrolments": ROLLS + "P1,S1,2022-09-01,,main,3\nP2,S1,2022-09-01,,main,3\n"
    "P3,S2,2022-09-01,,main,8\nP4,S2,2021-09-01,,main,7\nP5,S2,2022-09-01,2022-11-30,main,9\n",
    "suspensions": SUSPENSIONS + "P3,S2,2023-02-01,2,SUSP\nP3,S2,2023-03-01,2,SUSP\n"
    "P5,S2,2022-11-20,,PERM\nP4,S2,2022-05-01,2,SUSP\n",
    "send": "pupil_id,provision,start_date,end_date\nP1,K,2021-09-01,\nP3,E,2021-09-01,2022-12-31\n",
    "circumstances": "pupil_id,kind,start_date\nP2,fsm,2021-09-01\nP3,young_carer,2021-09-01\n",
}
DAYS = [f"2023-07-{day:02d}" for day in range(3, 8)]


def marks(pupil: str, codes: str) -> str:
    """Return one row per code, morning and afternoon in turn."""
    return "".join(
        f"{pupil},{DAYS[i // 2]},{'AM' if i % 2 == 0 else 'PM'},{code}\n"
        for i, code in enumerate(codes)
    )


# P1 misses 1 of 10, P2 none of 9 (# is no possible session), P3 2 of 4, P4 none of 4
SMALL["sessions"] = (
    SESSIONS
    + marks("P1", "I/////////")
    + marks("P2", "/////////#")
    + marks("P3", "OO//")
    + marks("P4", "////")
)

# per 100, in January on roll: 2 primary, 2 secondary
BY_HAND = {
    "pex_primary": 0.0,
    "pex_secondary": 50.0,  # P5 of 2
    "suspensions_primary": 0.0,
    "suspensions_secondary": 100.0,  # 2 of the year of 2; May 2022 is another year
    "absence_primary": 100 / 19,
    "absence_secondary": 25.0,  # 2 of 8
    "unauthorised_secondary": 25.0,
    "persistent_primary": 50.0,  # P1 at exactly 10%
    "persistent_secondary": 50.0,
    "severe_primary": 0.0,
    "severe_secondary": 50.0,  # P3 at exactly 50%
    "sen_support": 25.0,  # P1 of 4
    "ehc_plan": 0.0,  # P3's ended before January
    "fsm": 25.0,
}


def report_on(folder: Path, **tables: str) -> CheckReport:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (SMALL | tables).items():
        (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    return check(read(folder))


def ours(report: CheckReport) -> dict[str, float]:
    labels = code_set("national")["label"]
    codes = {label: str(code) for code, label in labels.items()}
    pairs = zip(report.rates["label"], report.rates["ours"], strict=True)
    return {codes[label]: value for label, value in pairs}


@pytest.fixture
def report(tmp_path: Path) -> CheckReport:
    return report_on(tmp_path / "x")


@pytest.fixture
def warned(tmp_path: Path) -> CheckReport:
    return report_on(tmp_path / "x", pupils=SMALL["pupils"].replace("P1,F", "P1,?"))


def test_many_problems_of_one_kind_are_reported_by_the_first_few() -> None:
    rows = [("late", "warning", f"file {n} is late") for n in range(5)]
    rows += [("no_upn", "error", "a row has no UPN"), ("odd", "warning", "odd")]
    reported = alike_together(pd.DataFrame(rows, columns=["rule", "severity", "message"]))
    assert reported[:3] == ["a row has no UPN", "file 0 is late", "file 1 is late"]
    assert "3 more of the kind 'late'" in reported[3]
    assert reported[4:] == ["odd"]


def test_rates_are_those_worked_out_by_hand(report: CheckReport) -> None:
    assert ours(report) == pytest.approx(BY_HAND)


def test_rates_stand_beside_a_national_figure_with_its_source(report: CheckReport) -> None:
    assert list(report.rates) == ["label", "unit", "ours", "national", "year", "source"]
    assert all(report.rates[name].notna().all() for name in ("national", "year", "source"))
    rows = report.rates[report.rates["label"] == "Permanent exclusions, secondary"]
    assert rows["national"].tolist() == [0.253]  # DfE, 2023/24
    assert rows["year"].tolist() == ["2023/24"]


def test_a_school_year_that_has_only_begun_is_not_compared(tmp_path: Path) -> None:
    autumn = "P1,2023-09-04,AM,O\nP3,2023-09-04,AM,O\n"
    report = report_on(tmp_path / "x", sessions=SMALL["sessions"] + autumn)
    assert ours(report) == pytest.approx(BY_HAND)


def test_one_mistyped_date_does_not_make_another_school_year_the_last(tmp_path: Path) -> None:
    days = pd.date_range("2023-04-03", periods=60).strftime("%Y-%m-%d")
    usual = SMALL["sessions"] + "".join(f"P4,{d},AM,/\nP4,{d},PM,/\n" for d in days)
    mistyped = usual + "P4,2024-07-04,AM,/\n"
    reports = [report_on(tmp_path / n, sessions=s) for n, s in (("x", usual), ("y", mistyped))]
    assert ours(reports[1]) == ours(reports[0])
    assert "far after all others" in reports[1].text()


def test_the_only_school_year_is_compared_though_it_is_not_over(tmp_path: Path) -> None:
    rolls = ROLLS + "P1,S1,2022-09-01,,main,3\nP3,S2,2022-09-01,,main,8\n"
    early = SESSIONS + "P1,2022-09-05,AM,/\nP1,2022-09-05,PM,I\nP3,2022-09-05,AM,/\n"
    one_year = SUSPENSIONS + "P3,S2,2022-10-03,2,SUSP\n"
    report = report_on(tmp_path / "x", enrolments=rolls, sessions=early, suspensions=one_year)
    assert ours(report)["absence_primary"] == pytest.approx(50)
    assert ours(report)["suspensions_secondary"] == pytest.approx(100)


def test_a_rate_without_pupils_is_undefined_not_0(tmp_path: Path) -> None:
    rolls = ROLLS + "P1,S1,2022-09-01,,main,3\nP2,S1,2022-09-01,,main,3\n"
    rates = ours(report_on(tmp_path / "x", enrolments=rolls))
    assert math.isnan(rates["pex_secondary"])
    assert math.isnan(rates["suspensions_secondary"])
    assert "absence_secondary" not in rates
    assert rates["absence_primary"] == pytest.approx(100 / 19)


def test_extracts_without_events_have_no_rates(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "pupils.csv").write_text("pupil_id\nP1\n", encoding="utf-8")
    report = check(read(folder))
    assert not len(report.rates)
    assert "No problems were found." in report.text()


register = st.lists(st.sampled_from("/LIOB#X"), min_size=1, max_size=10)


@settings(max_examples=examples(8), deadline=None)
@given(register, register)
def test_absence_equals_a_slow_reference(first: list[str], second: list[str]) -> None:
    family = code_set("marks")["family"]
    counted = {"present", "approved_activity", "authorised", "unauthorised"}
    missed, possible, persistent, pupils = 0, 0, 0, 0
    for codes in (first, second):
        own = [str(family[code]) for code in codes if family[code] in counted]
        absent = sum(name.endswith("authorised") for name in own)
        missed, possible = missed + absent, possible + len(own)
        pupils += bool(own)
        persistent += bool(own) and absent / len(own) >= 0.1
    sessions = SESSIONS + marks("P1", "".join(first)) + marks("P2", "".join(second))
    with tempfile.TemporaryDirectory() as folder:
        rates = ours(report_on(Path(folder) / "x", sessions=sessions))
    if possible:
        assert rates["absence_primary"] == pytest.approx(100 * missed / possible)
        assert rates["persistent_primary"] == pytest.approx(100 * persistent / pupils)
    else:
        assert "absence_primary" not in rates


def test_text_shows_problems_rows_and_rates(tmp_path: Path) -> None:
    report = report_on(tmp_path / "x", send="pupil_id,provision,start_date\nP1,Q,2021-09-01\n")
    assert report.has_errors
    text = report.text()
    assert "send.csv, row 2: provision 'Q' is not a known code. Use one of N, K, E." in text
    assert "rows_rejected" in text
    assert "Suspensions, secondary" in text


def test_warnings_alone_are_no_errors(warned: CheckReport) -> None:
    assert list(warned.problems["severity"]) == ["warning"]
    assert not warned.has_errors


def test_frame_is_a_copy(warned: CheckReport) -> None:
    copy = warned.frame()
    copy.loc[0, "message"] = "changed"
    assert "changed" not in set(warned.problems["message"])


def test_html_of_a_hostile_value_is_harmless(tmp_path: Path) -> None:
    hostile = "pupil_id,provision,start_date\nP1,<script>alert(1)</script>,2021-09-01\n"
    html = report_on(tmp_path / "x", send=hostile)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_files_hold_what_the_report_holds(report: CheckReport, tmp_path: Path) -> None:
    write_check(report, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "index.html",
        "problems.csv",
        "rejects",
        "conflicts.csv",
        "reconciliation.csv",
        "rates.csv",
        "coverage.csv",
        "linkage.csv",
        "files.csv",
        "concentration.csv",
    }
    written = pd.read_csv(tmp_path / "out" / "reconciliation.csv")
    assert written["rows_read"].tolist() == report.reconciliation["rows_read"].tolist()


def test_a_folder_that_is_not_empty_is_left_alone(report: CheckReport, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(RequestError, match="is not empty. Name a new folder"):
        write_check(report, out)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".out")]
