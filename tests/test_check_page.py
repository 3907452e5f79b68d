"""Pages of figures: what a check, a monitoring and a dashboard write of each number, and of none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.data.check import CheckReport
from riskmodel.report.check_page import write_check
from riskmodel.report.dashboard.area import about
from riskmodel.report.monitor_page import monitor_page

COUNTS = {
    "rows_read": 1200,
    "rows_kept": 1190,
    "rows_rejected": 7,
    "rows_merged": 3,
    "rows_conflicting": 0,
}


def rejects_of(files: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {"file": files, "row": range(2, 2 + len(files)), "reason": "x", "record": files},
        dtype="object",
    )


def report_of(**changed: Any) -> CheckReport:
    reconciliation = pd.DataFrame([{"file": "send.csv", "table": "send"} | COUNTS])
    usual = CheckReport(
        problems=pd.DataFrame({"severity": [], "message": []}, dtype="object"),
        rejects=rejects_of([]),
        conflicts=pd.DataFrame(columns=["file", "row", "column", "other_file", "other_row"]),
        reconciliation=reconciliation,
        files=pd.DataFrame(columns=["file", "read_as", "rows", "note"]),
        proposals=(),
        rates=pd.DataFrame(columns=["label", "unit", "ours", "national", "year", "source"]),
        coverage=pd.DataFrame(columns=["school_id", "year", "term", "share"]),
        linkage=pd.DataFrame(columns=["source", "rows", "linked", "share"]),
        concentration=pd.DataFrame(
            columns=["year", "event", "events", "schools", "schools_for_half"]
        ),
    )
    return replace(usual, **changed)


def page_of(report: CheckReport, folder: Path, *, simulated: bool = False) -> str:
    write_check(report, folder, simulated=simulated)
    return (folder / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "files",
    [
        ["send.csv"],
        ["a b.csv", "a_b.csv"],
        ["Sch\u00fcler.csv", "Sch\u00f6ler.csv"],
        ["2023/send.csv", "2024/send.csv", "2023_send.csv"],
        ["a.csv", "a.csv.csv", "a.xlsx"],
        ["../up.csv", "..csv"],
        ["x" * 150 + ".csv", "x" * 150 + "y.csv"],
    ],
)
def test_rows_set_aside_of_two_files_are_never_in_one(files: list[str], tmp_path: Path) -> None:
    page_of(report_of(rejects=rejects_of(files)), tmp_path / "out")
    written = sorted((tmp_path / "out" / "rejects").iterdir())
    kept = [pd.read_csv(path)["file"].tolist() for path in written]
    assert sorted(kept) == sorted([one] for one in files)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("send.csv", "send.csv"),
        ("census.2023.csv", "census.2023.csv"),
        ("send", "send.csv"),
        ("book.xlsx", "book.xlsx.csv"),
        ("a b.csv", "a%20b.csv"),
        ("../up.csv", "%2E%2E%2Fup.csv"),
    ],
)
def test_a_file_of_rows_set_aside_has_a_safe_name(file: str, name: str, tmp_path: Path) -> None:
    page_of(report_of(rejects=rejects_of([file])), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out" / "rejects").iterdir()] == [name]


@pytest.mark.parametrize(
    ("count", "words"),
    [
        ("1,200", "rows were read"),
        ("1,190", "rows were kept"),
        ("7", "rows were set aside, each with its reason"),
        ("3", "rows were merged: another row held the same"),
    ],
)
def test_the_page_counts_what_became_of_all_rows(count: str, words: str, tmp_path: Path) -> None:
    page = page_of(report_of(), tmp_path / "out")
    assert count in page
    assert words in page


@pytest.mark.parametrize(("n", "shown", "more"), [(0, 0, False), (60, 60, False), (61, 60, True)])
def test_at_most_sixty_problems_are_on_the_page(
    n: int, shown: int, more: bool, tmp_path: Path
) -> None:
    problems = pd.DataFrame(
        {"severity": "warning", "message": [f"trouble <{i}>" for i in range(n)]}
    )
    page = page_of(report_of(problems=problems), tmp_path / "out")
    assert page.count("trouble &lt;") == shown
    assert "trouble <" not in page
    assert ("1 more" in page) == more
    assert len(pd.read_csv(tmp_path / "out" / "problems.csv")) == n


@pytest.mark.parametrize(
    ("ours", "national", "texts"),
    [
        (2.345, 1.0, ("2.35", "1.00")),
        (float("nan"), 1.5, ("–", "1.50")),
        (0.0, 0.25, ("0.00", "0.25")),
    ],
)
def test_a_rate_is_beside_englands(
    ours: float, national: float, texts: tuple[str, str], tmp_path: Path
) -> None:
    row = {"label": "Suspensions", "unit": "per 100", "ours": ours, "national": national}
    rates = pd.DataFrame([row | {"year": "2022/23", "source": "DfE"}])
    page = page_of(report_of(rates=rates), tmp_path / "out")
    assert "Suspensions (per 100)" in page
    assert all(text in page for text in texts)


@pytest.mark.parametrize(
    ("share", "cell"),
    [
        (0.0, 'low">0%'),
        (0.499, 'low">50%'),
        (0.5, 'part">50%'),
        (0.899, 'part">90%'),
        (0.9, '">90%'),
        (1.0, '">100%'),
    ],
)
def test_coverage_is_a_cell_per_school_and_term(share: float, cell: str, tmp_path: Path) -> None:
    coverage = pd.DataFrame(
        {
            "school_id": ["S1", "S2", "S1"],
            "year": [2023, 2023, 2023],
            "term": ["spring", "autumn", "autumn"],
            "share": [share, 0.95, 0.97],
        }
    )
    page = page_of(report_of(coverage=coverage), tmp_path / "out")
    assert f"number {cell}" in page
    assert page.index("2023/24 autumn") < page.index("2023/24 spring")


@pytest.mark.parametrize(
    ("year", "label"), [(2023, "2023/24"), (2099, "2099/00"), (1999, "1999/00"), (2008, "2008/09")]
)
def test_school_years_are_written_in_two_digits(year: int, label: str, tmp_path: Path) -> None:
    row = {
        "year": year,
        "event": "suspensions",
        "events": 1200,
        "schools": 9,
        "schools_for_half": 2,
    }
    page = page_of(report_of(concentration=pd.DataFrame([row])), tmp_path / "out")
    assert f"{label}: 2 of 9 schools with Years 7 to 11 issued half of 1,200 suspensions" in page


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_data_are_called_so(simulated: bool, tmp_path: Path) -> None:
    page = page_of(report_of(), tmp_path / "out", simulated=simulated)
    assert ("Simulated data" in page) == simulated


DRIFT = pd.DataFrame(
    {
        "feature": ["fsm_now", "own <b>"],
        "index": [0.5, 0.02],
        "usual": [0.1, 0.01],
        "missing_before": [0.0, 0.123],
        "missing_now": [1.0, 0.5],
        "drifted": [True, False],
    }
)
OUTCOME: dict[str, Any] = {
    "as_of": pd.Timestamp("2023-06-01"),
    "listed": True,
    "supported": "yes",
    "pupils": 1200,
    "expected": 3.26,
    "observed": 4,
    "observed_low": 1.1,
    "observed_high": 10.2,
    "complete": True,
    "same_model": True,
}


def monitored(**changed: Any) -> str:
    usual: dict[str, Any] = {
        "title": "Monitoring",
        "as_of": pd.Timestamp("2024-06-01"),
        "simulated": False,
        "problems": [],
        "breaks": [],
        "drift": DRIFT,
        "outcomes": pd.DataFrame([OUTCOME]),
        "caution": "With care.",
        "advice": ["Nothing asks for it."],
        "retrain": False,
    }
    return monitor_page(**(usual | changed))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "<td>listed</td>"),
        ({"listed": False}, "<td>not listed</td>"),
        ({"same_model": False}, "listed (by another model)"),
        ({}, "1,200"),
        ({}, ">3.3<"),
        ({}, "4 (1 to 10)"),
        ({"observed": pd.NA}, "not known before the horizon is over"),
        ({}, ">yes<"),
        ({"complete": False}, ">not yet<"),
        ({"supported": "not known"}, ">not known<"),
        ({}, ">2023-06-01<"),
    ],
)
def test_what_became_of_a_list_is_one_row(changed: dict[str, Any], words: str) -> None:
    assert words in monitored(outcomes=pd.DataFrame([OUTCOME | changed]))


@pytest.mark.parametrize(
    "words",
    [
        "1 of 2",
        "1 June 2024",
        "0.50",
        "0% → 100%",
        "12% → 50%",
        "own &lt;b&gt;",
        "With care.",
        "Nothing asks for it.",
    ],
)
def test_the_page_of_a_monitoring_holds(words: str) -> None:
    assert words in monitored()


@pytest.mark.parametrize(("n_lists", "rows"), [(0, 0), (1, 2), (2, 4)])
def test_lists_are_counted_once_however_many_rows_they_have(n_lists: int, rows: int) -> None:
    made = [
        OUTCOME | {"as_of": pd.Timestamp(2020 + number, 6, 1), "listed": listed}
        for number in range(n_lists)
        for listed in (True, False)
    ]
    page = monitored(outcomes=pd.DataFrame(made))
    assert page.count("listed</td>") == rows
    assert "earlier lists were followed up" in page


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (0, "none"),
        (1, "c"),
        (4, "c"),
        (5, "about 10"),
        (14, "about 10"),
        (15, "about 20"),
        (99, "about 100"),
        (104, "about 100"),
        (1_250, "about 1,200"),
        (99_900, "about 100,000"),
        (1_234_567, "about 1,200,000"),
    ],
)
def test_rows_are_counted_to_two_figures(rows: int, words: str) -> None:
    assert about(rows) == words


@given(st.integers(5, 10**7))
def test_a_rounded_count_is_near_the_count_and_never_none(rows: int) -> None:
    rounded = int(about(rows).removeprefix("about ").replace(",", ""))
    assert rounded > 0
    assert abs(rounded - rows) <= max(5, 0.06 * rows)
