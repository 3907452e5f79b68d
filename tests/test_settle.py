"""Rows of one key: merged where equal, in conflict where not, the later received counts from its day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from riskmodel.data import TABLES
from riskmodel.data.read import Extract, read
from riskmodel.data.read.rows.versions import CONFLICTING, KEPT, MERGED, Settled, settle
from tests.returns import PARTS
from tests.strategies import examples, table_of

Stated = tuple[str, float | None, str | None]
"""Day received, half-days, reason."""


def settled(*rows: Stated) -> Settled:
    """Settle rows of one suspension."""
    records: list[dict[str, Any]] = [
        {"sessions": sessions, "reason_1": reason, "recorded_on": day}
        for day, sessions, reason in rows
    ]
    frame = table_of("suspensions", records)
    return settle(TABLES["suspensions"], frame, np.zeros(len(rows), np.int64))


FIRST, SECOND, THIRD = "2024-01-09", "2024-02-09", "2024-03-09"


@pytest.mark.parametrize(
    ("rows", "verdict", "other"),
    [
        ([(FIRST, 2, "DB")], [KEPT], [-1]),
        ([(FIRST, 2, "DB"), (FIRST, 2, "DB")], [KEPT, MERGED], [-1, 0]),
        ([(SECOND, 2, "DB"), (FIRST, 2, "DB")], [MERGED, KEPT], [1, -1]),
        ([(FIRST, 2, "DB"), (SECOND, 3, "DB")], [KEPT, CONFLICTING], [-1, 0]),
        ([(FIRST, 2, "DB"), (FIRST, 3, "DB")], [KEPT, CONFLICTING], [-1, 0]),
        ([(FIRST, 2, "DB"), (SECOND, 2, None)], [KEPT, MERGED], [-1, 0]),  # adds nothing
        ([(FIRST, None, "DB"), (SECOND, 2, None)], [KEPT, KEPT], [-1, -1]),  # adds a value
        ([(FIRST, 2, "DB"), (SECOND, 3, "DB"), (THIRD, 3, None)], [0, 2, 1], [-1, 0, 1]),
        ([(FIRST, 2, "DB"), (SECOND, 3, "DB"), (THIRD, 2, "DB")], [0, 2, 2], [-1, 0, 1]),
        ([(FIRST, 3, "DB"), (FIRST, 2, "DB"), (FIRST, 3, "DB")], [2, 0, 1], [1, -1, 0]),
    ],
)
def test_each_row_is_of_use_equal_to_one_or_contradicts_one(
    rows: list[Stated], verdict: list[int], other: list[int]
) -> None:
    made = settled(*rows)
    assert made.verdict.tolist() == verdict
    assert made.other.tolist() == other
    assert [bool(name) for name in made.column] == [one == CONFLICTING for one in verdict]


def test_a_later_version_keeps_what_it_leaves_empty() -> None:
    made = settled((FIRST, None, "DB"), (SECOND, 2, None), (THIRD, 3, None))
    assert made.rows["sessions"].fillna(-1).tolist() == [-1, 2, 3]
    assert made.rows["reason_1"].tolist() == ["DB", "DB", "DB"]


stated_rows = st.lists(
    st.tuples(
        st.sampled_from([FIRST, SECOND, THIRD]),
        st.sampled_from([None, 2.0, 3.0]),
        st.sampled_from([None, "DB", "PP"]),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=examples(60), deadline=None)
@given(stated_rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_neither_rows_nor_counts(rows: list[Stated], random) -> None:  # type: ignore[no-untyped-def]
    order = random.sample(range(len(rows)), len(rows))
    one, other = settled(*rows), settled(*(rows[i] for i in order))
    pd.testing.assert_frame_equal(
        one.rows.reset_index(drop=True), other.rows.reset_index(drop=True)
    )
    assert sorted(one.verdict) == sorted(other.verdict)


@settings(max_examples=examples(60), deadline=None)
@given(stated_rows)
@example([(SECOND, None, "DB"), (SECOND, 2.0, None), (SECOND, 3.0, None), (SECOND, 3.0, None)])
def test_a_merged_row_holds_nothing_that_its_own_day_does_not_show(rows: list[Stated]) -> None:
    made = settled(*rows)
    held = made.rows.reset_index(drop=True)
    assert held["recorded_on"].is_monotonic_increasing
    assert not held["recorded_on"].duplicated().any()
    for (day, sessions, reason), verdict, other in zip(rows, made.verdict, made.other, strict=True):
        shown = held[held["recorded_on"] <= pd.Timestamp(day)].iloc[-1]
        same = sessions in (None, shown["sessions"]) and reason in (None, shown["reason_1"])
        twin = other >= 0 and made.verdict[other] == CONFLICTING
        assert (verdict == CONFLICTING) or same or (verdict == MERGED and twin)


# ---- the folder with one file per table


def read_files(folder: Path, **files: str) -> Extract:
    folder.mkdir(exist_ok=True)
    for name, text in ({"pupils": "pupil_id,sex\nA,F\nB,M\n"} | files).items():
        (folder / f"{name}.csv").write_text(text)
    extract = read(folder, key_file=folder.parent / "key")
    counts = extract.reconciliation
    assert (counts["rows_read"] == counts[PARTS].sum(axis=1)).all()
    assert counts["rows_conflicting"].sum() == len(extract.conflicts)
    return extract


MARKS = "pupil_id,date,session,mark,recorded_on\n"


def test_a_corrected_mark_counts_from_the_day_after_it_was_received(tmp_path: Path) -> None:
    text = MARKS + "A,2024-01-08,AM,I,2024-01-12\nA,2024-01-08,AM,N,2024-01-09\n"
    extract = read_files(tmp_path / "x", sessions=text)
    marks = extract.tables["sessions"]
    assert marks["mark"].tolist() == ["N", "I"]
    known = [
        extract.tables.unreplaced("sessions", pd.Timestamp(day))["mark"].tolist()[0]
        for day in ("2024-01-12", "2024-01-13")
    ]
    assert known == ["N", "I"]
    (problem,) = extract.problems.itertuples()
    assert (problem.rule, problem.severity, problem.row) == ("conflict", "warning", 2)
    assert "than row 3, another row with the same" in problem.message
    assert "received later and counts from the day after that" in problem.message
    counts = extract.reconciliation.set_index("table").loc["sessions"]
    assert counts[PARTS].tolist() == [1, 0, 0, 1]


def test_a_mark_that_came_again_later_is_merged(tmp_path: Path) -> None:
    text = MARKS + "A,2024-01-08,AM,I,2024-01-12\nA,2024-01-08,AM,I,2024-01-09\n"
    extract = read_files(tmp_path / "x", sessions=text)
    assert extract.tables["sessions"]["recorded_on"].tolist() == [pd.Timestamp("2024-01-09")]
    assert extract.reconciliation["rows_merged"].sum() == 1


@pytest.mark.parametrize(("one", "other"), [("D", "/"), ("N", "I"), ("D", "O"), ("#", "I")])
def test_of_two_marks_of_one_day_the_vaguer_one_gives_way(
    tmp_path: Path, one: str, other: str
) -> None:
    text = MARKS + "".join(f"A,2024-01-08,AM,{mark},2024-01-09\n" for mark in (one, other))
    extract = read_files(tmp_path / "x", sessions=text)
    assert extract.tables["sessions"]["mark"].tolist() == [other]
    assert extract.conflicts.values.tolist() == [["sessions.csv", 2, "mark", "sessions.csv", 3]]


def test_versions_come_back_from_the_files_they_are_written_to(tmp_path: Path) -> None:
    text = MARKS + "A,2024-01-08,AM,N,2024-01-09\nA,2024-01-08,AM,I,2024-01-12\n"
    extract = read_files(tmp_path / "x", sessions=text)
    (tmp_path / "out").mkdir()
    for name, frame in extract.tables.items():
        frame.to_csv(tmp_path / "out" / f"{name}.csv", index=False)
    again = read(tmp_path / "out", key_file=tmp_path / "key")
    assert again.digest == extract.digest


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("second", ["2024-01-10", "2024-03-01"])
def test_a_reinstatement_reported_by_a_second_row_is_kept(
    tmp_path: Path, second: str, order: tuple[int, int]
) -> None:
    rows = [
        "A,S1,2024-01-09,2,PERM,PP,2024-01-10,\n",
        f"A,S1,2024-01-09,2,PERM,PP,{second},2024-03-01\n",
    ]
    text = (
        "pupil_id,school_id,start_date,sessions,category,reason_1,recorded_on,reinstated_on\n"
        + "".join(rows[place] for place in order)
    )
    tables = read_files(tmp_path / "x", suspensions=text).tables
    counts = [
        len(tables.as_known(pd.Timestamp(day))["suspensions"])
        for day in ("2024-03-01", "2024-03-02")
    ]
    assert counts == [1, 0]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_rows_that_differ_only_in_when_an_end_was_known_have_one_order(
    tmp_path: Path, order: tuple[int, int]
) -> None:
    known = ["2023-05-10", "2023-09-10"]
    text = "pupil_id,kind,start_date,end_date,recorded_on,end_recorded_on\n" + "".join(
        f"A,fsm,2023-01-09,2023-05-09,2023-02-01,{known[place]}\n" for place in order
    )
    (spell,) = read_files(tmp_path / "x", circumstances=text).tables["circumstances"].itertuples()
    assert spell.end_recorded_on == pd.Timestamp("2023-05-10")
