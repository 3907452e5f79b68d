"""What became of every row of a return: kept, set aside or merged, and each row once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data.read.open.opened import Opened
from riskmodel.data.read.rows.accounts import (
    ReadLog,
    ReturnFile,
    count_rows,
    keep_notes,
    set_aside_rows,
)
from riskmodel.data.read.rows.problems import RowChecks, Severity
from riskmodel.data.read.sources.source import Source

SOURCE = Source(name="Young carers", columns=frozenset({"upn", "youngcarersince"}))


def file_of(n: int, first_row: int = 2) -> ReturnFile:
    raw = pd.DataFrame({"upn": [f"U{i}" for i in range(n)]})
    return ReturnFile(Opened("carers.csv", raw, first_row=first_row), SOURCE, raw)


def places(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


@pytest.mark.parametrize(
    ("aside", "first_row", "numbers", "text"),
    [
        ([0], 2, [2], "1 of 3 rows"),
        ([2, 0], 2, [2, 4], "2 of 3 rows"),
        ([0, 1, 2], 1, [1, 2, 3], "3 of 3 rows"),
    ],
)
def test_rows_set_aside_are_reported_once_and_kept_whole(
    aside: list[int], first_row: int, numbers: list[int], text: str
) -> None:
    log, one = ReadLog(), file_of(3, first_row)
    set_aside_rows(log, one, places(*aside), "not_linked", "name no pupil. Check the numbers.")
    (problem,) = log.problems
    assert problem.message == (
        f"carers.csv: {text} name no pupil. Check the numbers. They are in the rejects."
    )
    assert (problem.file, problem.rule, problem.row) == ("carers.csv", "not_linked", None)
    (rejects,) = log.rejects
    assert rejects["row"].tolist() == numbers
    assert rejects["reason"].tolist() == ["not_linked"] * len(numbers)
    assert np.flatnonzero(one.set_aside).tolist() == sorted(aside)


@pytest.mark.parametrize("severity", ["warning", "error"])
def test_rows_are_set_aside_with_the_severity_asked_for(severity: Severity) -> None:
    log = ReadLog()
    set_aside_rows(log, file_of(1), places(0), "not_linked", "name no pupil.", severity)
    assert log.problems[0].severity == severity


@pytest.mark.parametrize(
    ("used", "aside", "counts"),
    [
        ([], [], (4, 0, 0, 4)),
        ([0, 1, 2, 3], [], (4, 4, 0, 0)),
        ([0, 0, 1], [], (4, 2, 0, 2)),  # several facts of one row
        ([0], [1], (4, 1, 1, 2)),
        ([0, 1], [1], (4, 1, 1, 2)),  # what is set aside is not kept
        ([], [0, 1, 2, 3], (4, 0, 4, 0)),
    ],
)
def test_each_row_is_counted_once(
    used: list[int], aside: list[int], counts: tuple[int, int, int, int]
) -> None:
    log, one = ReadLog(), file_of(4)
    if aside:
        set_aside_rows(log, one, places(*aside), "not_linked", "name no pupil.")
    count_rows(log, one, places(*used), merged=places(*{0, 1, 2, 3} - set(used)))
    assert log.counts == [("carers.csv", "Young carers", *counts, 0)]


@pytest.mark.parametrize(
    ("used", "merged", "conflicting", "aside", "counts"),
    [
        ([0], [1], [2], [3], (4, 1, 1, 1, 1)),
        ([0, 1], [1], [], [], (4, 4, 0, 0, 0)),  # of use and equal to another; nothing to compare
        ([0], [0], [0], [], (4, 3, 0, 0, 1)),  # a row in conflict is counted as that
        ([], [], [0, 0], [0], (4, 3, 1, 0, 0)),
        ([], [], [], [], (4, 4, 0, 0, 0)),  # without a fact that another row could hold
    ],
)
def test_only_rows_proven_equal_are_merged(
    used: list[int], merged: list[int], conflicting: list[int], aside: list[int], counts: tuple[int]
) -> None:
    log, one = ReadLog(), file_of(4)
    if aside:
        set_aside_rows(log, one, places(*aside), "not_linked", "name no pupil.")
    count_rows(log, one, places(*used), places(*merged), places(*conflicting))
    assert tuple(log.counts[0])[2:] == counts


def checks_on(one: ReturnFile, lines: list[int], bad: list[int]) -> RowChecks:
    """Return checks of facts that come from these lines of the file, some of them bad."""
    facts = pd.DataFrame({"kind": ["?"] * len(lines)})
    checks = one.checks(facts, np.array(lines, dtype=np.int64))
    checks.note(np.isin(np.arange(len(lines)), bad), "unknown_code", "kind", "'{value}' is none.")
    return checks


@pytest.mark.parametrize(
    ("lines", "bad", "rows"),
    [
        ([0, 1, 2], [], []),
        ([0, 1, 2], [1], [3]),
        ([2, 0, 1], [0, 1], [4, 2]),
        ([1, 1, 1], [0, 2], [3]),  # three facts of one row
        ([0, 0, 1], [0, 1, 2], [2, 3]),
    ],
)
def test_a_row_of_several_facts_is_set_aside_once(
    lines: list[int], bad: list[int], rows: list[int]
) -> None:
    log, one = ReadLog(), file_of(3)
    keep_notes(log, one, checks_on(one, lines, bad))
    assert len(log.problems) == len(bad)
    found = pd.concat(log.rejects) if log.rejects else pd.DataFrame({"row": [], "record": []})
    assert found["row"].tolist() == rows
    assert found["record"].tolist() == [f'{{"upn":"U{row - 2}"}}' for row in rows]
    assert np.flatnonzero(one.set_aside).tolist() == sorted(row - 2 for row in rows)


def test_a_row_that_was_set_aside_before_does_not_come_again() -> None:
    log, one = ReadLog(), file_of(3)
    set_aside_rows(log, one, places(1), "not_linked", "name no pupil.")
    keep_notes(log, one, checks_on(one, [0, 1], [0, 1]))
    assert [frame["row"].tolist() for frame in log.rejects] == [[3], [2]]


@settings(max_examples=40)
@given(
    st.integers(0, 8).flatmap(
        lambda n: st.tuples(
            st.just(n),
            st.lists(st.integers(0, max(n - 1, 0)), max_size=5 if n else 0),
            st.sets(st.integers(0, max(n - 1, 0)), max_size=5 if n else 0),
            st.lists(st.integers(0, max(n - 1, 0)), max_size=5 if n else 0),
        )
    )
)
def test_rows_read_are_rows_kept_set_aside_and_merged(
    given_: tuple[int, list[int], set[int], list[int]],
) -> None:
    n, used, unlinked, bad = given_
    log, one = ReadLog(), file_of(n)
    if unlinked:
        set_aside_rows(log, one, places(*sorted(unlinked)), "not_linked", "name no pupil.")
    keep_notes(log, one, checks_on(one, bad, list(range(len(bad)))))
    count_rows(log, one, places(*used), merged=places(*set(range(n)) - set(used)))
    ((_, _, read, kept, aside, merged, conflicting),) = log.counts
    assert read == n == kept + aside + merged + conflicting
    assert aside == len(unlinked | set(bad)) == sum(len(frame) for frame in log.rejects)
    assert kept == len(set(used) - unlinked - set(bad))
