"""Problems: one sentence each, the first few shown and all rows kept, nothing reported twice."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from riskmodel.data.read.rows.problems import (
    LONGEST,
    PROBLEM_COLUMNS,
    REJECT_COLUMNS,
    SHOWN,
    Problem,
    RowChecks,
    encoding_warning,
    problems_frame,
)

WORDS = "'{value}' is no code. Correct it."


def checks_of(*values: str, first_row: int = 2, **more: Any) -> RowChecks:
    return RowChecks("send.csv", first_row, pd.DataFrame({"code": list(values)}), **more)


def rows(*bad: int, of: int) -> NDArray[np.bool_]:
    return np.isin(np.arange(of), bad)


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("A date is missing. Add it.", "Add it."),
        ("A date is missing.", ""),
        ("A date is missing", ""),
        ("'x' is no code. Use one of A, B. Or ask.", "Use one of A, B. Or ask."),
        ("The code is 'x'. Correct it.", "Correct it."),
        ("It ends on 2024-09-01. Correct it.", "Correct it."),
        ("2.5 is no whole number. Correct it.", "Correct it."),
        ("a.csv: 3 rows are late. Ask.", "Ask."),
        ("", ""),
    ],
)
def test_what_to_do_is_all_after_the_first_sentence(words: str, remedy: str) -> None:
    assert Problem("send.csv", "rule", words).remedy == remedy


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (None, "It is late."),
        (1, "send.csv, row 1: It is late."),
        (1_000_000, "send.csv, row 1000000: It is late."),
    ],
)
def test_a_problem_of_a_row_names_file_and_row(row: int | None, message: str) -> None:
    assert Problem("send.csv", "rule", "It is late.", row=row).message == message


@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_frame_has_a_row_for_each_problem_and_all_columns(n: int) -> None:
    made = problems_frame([Problem(f"{i}.csv", "rule", "Late. Ask.", row=i) for i in range(n)])
    assert list(made) == PROBLEM_COLUMNS
    assert made["file"].tolist() == [f"{i}.csv" for i in range(n)]
    assert made["remedy"].tolist() == ["Ask."] * n
    assert made["severity"].tolist() == ["warning"] * n


@pytest.mark.parametrize("encoding", ["utf-16", "windows-1252"])
def test_another_encoding_is_a_warning_that_names_it(encoding: str) -> None:
    (found,) = encoding_warning("send.csv", encoding)
    assert found.severity == "warning"
    assert found.message.startswith(f"send.csv: is not UTF-8; it was read as {encoding}.")
    assert found.remedy == "Check names with accents, or export as UTF-8."


@pytest.mark.parametrize(
    ("first_row", "places", "number"),
    [
        (2, None, 4),  # below a header
        (1, None, 3),
        (2, np.array([10, 20, 30]), 32),  # rows of a part of the file
    ],
)
def test_a_row_is_numbered_as_a_person_counts(
    first_row: int, places: NDArray[np.int64] | None, number: int
) -> None:
    checks = checks_of("K", "E", "?", first_row=first_row, places=places)
    checks.note(rows(2, of=3), "unknown_code", "code", WORDS)
    assert checks.problems[0].row == number
    assert checks.rejects()["row"].tolist() == [number]


@pytest.mark.parametrize("set_aside", [True, False])
def test_a_row_is_set_aside_with_an_error_or_kept_with_a_warning(set_aside: bool) -> None:
    checks = checks_of("K", "?")
    checks.note(rows(1, of=2), "unknown_code", "code", WORDS, set_aside=set_aside)
    (problem,) = checks.problems
    assert problem.severity == ("error" if set_aside else "warning")
    assert problem.words == "'?' is no code. Correct it."
    assert checks.kept.tolist() == [True, not set_aside]
    assert len(checks.rejects()) == set_aside


@pytest.mark.parametrize(
    ("column", "show_value", "value"), [("code", True, "?"), ("code", False, ""), ("", True, "")]
)
def test_a_value_is_shown_only_where_it_may_be(column: str, show_value: bool, value: str) -> None:
    checks = checks_of("?")
    checks.note(rows(0, of=1), "rule", column, "[{value}]", show_value=show_value)
    assert checks.problems[0].value == value
    assert checks.problems[0].words == f"[{value}]"


@pytest.mark.parametrize(
    "value",
    ["Smith, John", "Smith", "O'NEILL", "Zoë", "zoë", "A801234500001", "9999999999", "a@b.uk"],
)
def test_a_value_that_may_be_a_name_or_a_number_of_a_child_is_not_shown(value: str) -> None:
    checks = checks_of(value)
    checks.note(rows(0, of=1), "bad_date", "code", "code '{value}' is not a date. Correct it.")
    (problem,) = checks.problems
    assert problem.value == ""
    assert problem.words == "code (not shown) is not a date. Correct it."


def test_a_column_that_the_file_lacks_has_no_value() -> None:
    checks = checks_of("?")
    checks.note(rows(0, of=1), "missing_value", "start_date", "start_date is missing. Fill it in.")
    assert checks.problems[0].column == "start_date"
    assert checks.problems[0].value == ""


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * LONGEST, "x" * LONGEST),
        ("x" * (LONGEST + 1), "x" * LONGEST + "…"),
        ("two\nlines", "two lines"),
        ("  many   blanks\t", "many blanks"),
        ("{value}", "{value}"),
        ("{0} %s \\n", "{0} %s \\n"),
    ],
)
def test_a_value_is_shown_on_one_line_and_taken_literally(value: str, shown: str) -> None:
    checks = checks_of(value)
    checks.note(rows(0, of=1), "rule", "code", "[{value}]")
    assert checks.problems[0].words == f"[{shown}]"


def test_a_hint_is_that_of_its_row() -> None:
    checks = checks_of("a", "b", "c")
    hint = pd.Series(["first", "second", "third"])
    checks.note(rows(0, 2, of=3), "rule", "code", "{value}: {hint}.", hint=hint)
    assert [one.words for one in checks.problems] == ["a: first.", "c: third."]


@pytest.mark.parametrize(
    ("n", "more"), [(1, 0), (SHOWN - 1, 0), (SHOWN, 0), (SHOWN + 1, 1), (3 * SHOWN, 2 * SHOWN)]
)
@pytest.mark.parametrize("set_aside", [True, False])
def test_beyond_the_first_few_rows_only_their_number_is_reported(
    n: int, more: int, set_aside: bool
) -> None:
    checks = checks_of(*["?"] * n)
    checks.note(rows(*range(n), of=n), "unknown_code", "code", WORDS, set_aside=set_aside)
    assert len(checks.problems) == min(n, SHOWN) + (more > 0)
    if more:
        end = "They are in the rejects." if set_aside else "They are not set aside for it."
        last = checks.problems[-1]
        assert last.message == (
            f"send.csv: {more} more rows break the rule unknown_code in code. {end}"
        )
        assert last.row is None
        assert last.severity == checks.problems[0].severity
    assert len(checks.rejects()) == (n if set_aside else 0)


@pytest.mark.parametrize(
    ("column", "reason"), [("code", "late: code"), ("", "late")], ids=["of a column", "of a row"]
)
def test_a_reject_has_its_reason_and_the_whole_row(column: str, reason: str) -> None:
    raw = pd.DataFrame({"code": ["é", None], "n": [1, 2]})
    checks = RowChecks("send.csv", 2, raw)
    checks.note(rows(0, of=2), "late", column, "It is late.")
    (found,) = checks.rejects().to_dict("records")
    assert list(found) == REJECT_COLUMNS
    assert (found["file"], found["row"], found["reason"]) == ("send.csv", 2, reason)
    assert json.loads(found["record"]) == {"code": "é", "n": "1"}


def test_a_row_set_aside_is_noted_for_its_first_fault_alone() -> None:
    checks = checks_of("a", "b", "c")
    checks.note(rows(0, 1, of=3), "first", "code", "It is one.")
    checks.note(rows(1, 2, of=3), "second", "code", "It is two.")
    assert [(one.rule, one.row) for one in checks.problems] == [
        ("first", 2),
        ("first", 3),
        ("second", 4),
    ]
    assert checks.rejects()["reason"].tolist() == ["first: code"] * 2 + ["second: code"]


def test_nothing_wrong_leaves_no_trace() -> None:
    checks = checks_of("K", "E")
    checks.note(rows(of=2), "unknown_code", "code", WORDS)
    assert checks.problems == []
    assert list(checks.rejects()) == REJECT_COLUMNS
    assert checks.rejects().empty


@settings(max_examples=40)
@given(
    st.integers(0, 30),
    st.lists(st.tuples(st.sets(st.integers(0, 29)), st.booleans()), max_size=4),
)
def test_each_row_is_kept_or_in_the_rejects_once(
    n: int, notes: list[tuple[set[int], bool]]
) -> None:
    checks = checks_of(*["?"] * n)
    kept = set(range(n))
    n_shown = 0
    for number, (bad, set_aside) in enumerate(notes):
        new = bad & kept
        checks.note(rows(*bad, of=n), f"rule {number}", "code", WORDS, set_aside=set_aside)
        n_shown += min(len(new), SHOWN) + (len(new) > SHOWN)
        if set_aside:
            kept -= new
    assert set(np.flatnonzero(checks.kept)) == kept
    assert checks.rejects()["row"].tolist() == sorted(set(range(2, n + 2)) - {r + 2 for r in kept})
    assert len(checks.problems) == n_shown
