"""Suspensions of one pupil that overlap are reported: one may correct the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.returns import UPN, read_beside


@pytest.mark.parametrize(
    ("rows", "n_found"),
    [
        (["SUSP,14/10/2024,4", "SUSP,15/10/2024,4"], 1),  # the first day was corrected
        (["SUSP,14/10/2024,10", "PERM,14/10/2024,"], 0),  # made permanent at once
        (["SUSP,14/10/2024,4", "SUSP,16/10/2024,4"], 0),
        (["SUSP,14/10/2024,10", "PERM,15/10/2024,"], 0),  # made permanent while it lasted
        (["SUSP,14/10/2024,4", "LNCH,15/10/2024,1"], 0),
        (["SUSP,14/10/2024,4", "SUSP,15/10/2024,4", "SUSP,16/10/2024,4"], 1),
    ],
)
def test_suspensions_that_overlap_are_reported(
    rows: list[str], n_found: int, tmp_path: Path
) -> None:
    listed = "".join(f"{UPN},900001,{row},PP\n" for row in rows)
    files = {"list.csv": "UPN,URN,Category,Start Date,Sessions,Reason1\n" + listed}
    extract = read_beside(tmp_path, files)
    assert len(extract.tables["suspensions"]) == len(rows)
    found = extract.problems.loc[extract.problems["rule"] == "overlapping_suspensions", "message"]
    assert len(found) == n_found
    assert found.str.contains("1 pupils have two at one school that overlap").all()
