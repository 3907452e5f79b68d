"""Registers that hold far more absence than the termly totals are reported."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.returns import UPN, read_beside


@pytest.mark.parametrize(
    ("total", "n_days", "end", "n_found"),
    [
        ("2", 4, "20/12/2023", 1),
        ("4", 4, "20/12/2023", 0),  # 4 half-days more
        ("9", 4, "20/12/2023", 0),
        ("6", 5, "20/12/2023", 0),  # not twice as many
        ("2", 4, "31/10/2023", 0),  # the marks come after its end
    ],
)
def test_marks_with_far_more_absence_than_totals_are_reported(
    total: str, n_days: int, end: str, n_found: int, tmp_path: Path
) -> None:
    days = pd.date_range("2023-11-06", periods=n_days).strftime("%Y-%m-%d")
    marks = "".join(f"{UPN},{day},{half},I\n" for day in days for half in ("AM", "PM"))
    files = {
        "marks.csv": "UPN,Date,Session,Mark\n" + marks,
        "totals.csv": f"UPN,Term End,I,M,O\n{UPN},{end},{total},0,0\n",
    }
    problems = read_beside(tmp_path, files).problems
    found = problems.loc[problems["rule"] == "marks_beyond_totals", "message"]
    assert len(found) == n_found
    assert found.str.contains("the registers of 1 pupils hold at least 2 times the absence").all()
