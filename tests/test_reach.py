"""How far facts reach, against a slow reference and by hand; what `check` reports of dates far off."""

from __future__ import annotations

import statistics
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.cohort import refuse_old_extract
from riskmodel.data.data_span import data_span
from riskmodel.data.read import read
from riskmodel.errors import RequestError

SCHOOL_DAY = pd.Timestamp("2024-09-02")


def days(*text: str) -> pd.Series:
    return pd.Series(pd.to_datetime(list(text)).astype("datetime64[s]"))


def school_year(n: int = 400) -> list[str]:
    """Return n days, over and over the same 200 days from September on."""
    return [f"{SCHOOL_DAY + pd.Timedelta(days=i % 200):%Y-%m-%d}" for i in range(n)]


def ends(dates: pd.Series) -> list[str]:
    return [f"{day:%Y-%m-%d}" for day in data_span(dates)]


USUAL = ["2024-09-02", "2025-03-20"]


@pytest.mark.parametrize(
    "astray",
    [
        [],
        ["2026-03-20"],
        ["1924-09-02"],
        ["2026-03-20", "2031-01-05", "1999-01-01"],
        ["2025-12-01", "2025-12-02", "2025-12-02"],
    ],
)
def test_a_few_dates_far_from_all_others_move_neither_end(astray: list[str]) -> None:
    assert ends(days(*school_year(), *astray)) == USUAL


@pytest.mark.parametrize(
    ("more", "end"),
    [
        (["2025-06-18"], "2025-06-18"),  # 90 days later: a summer holiday is half as long
        (["2025-06-19"], "2025-03-20"),
        (["2026-03-20"] * 3, "2025-03-20"),
        (["2026-03-20"] * 4, "2026-03-20"),  # more than a handful, where two a day are usual
        (["2025-05-20", "2025-07-20"], "2025-07-20"),  # no gap is long enough
    ],
)
def test_a_date_is_far_off_only_after_a_long_gap_and_if_few_share_it(
    more: list[str], end: str
) -> None:
    assert ends(days(*school_year(), *more)) == ["2024-09-02", end]


def test_a_week_of_registers_after_a_lost_extract_is_no_typing_error() -> None:
    def weeks(first: str, number: int) -> pd.Series:
        return pd.Series(np.repeat(pd.bdate_range(first, periods=number).as_unit("s"), 240))

    marks = pd.concat([weeks("2022-09-05", 570), weeks("2025-09-01", 5)], ignore_index=True)
    assert 5 / 575 < 0.01
    assert ends(marks)[1] == "2025-09-05"
    mistyped = pd.concat([marks, days(*["2035-09-01"] * 100)], ignore_index=True)
    assert ends(mistyped)[1] == "2025-09-05"


def test_of_few_facts_none_is_taken_for_a_typing_error() -> None:
    assert ends(days("2024-07-25", "1993-07-01")) == ["1993-07-01", "2024-07-25"]
    assert ends(days("2024-07-25")) == ["2024-07-25"] * 2
    missing = days("2024-07-25", "2024-07-27", "2024-07-28").mask([False, False, True])
    assert ends(missing) == ["2024-07-25", "2024-07-27"]


def reference(numbers: list[int]) -> tuple[int, int]:
    """Cut at each long gap that has few rows on its far side."""
    first, last = min(numbers), max(numbers)
    present = sorted(set(numbers))
    usual = statistics.median(numbers.count(day) for day in present)

    def few(rows: int) -> bool:
        return rows < len(numbers) / 100 and rows <= max(3, usual / 2)

    for before, after in zip(present, present[1:], strict=False):
        if after - before > 90:
            if few(sum(n <= before for n in numbers)):
                first = after
            if few(sum(n >= after for n in numbers)):
                last = min(last, before)
    return first, last


@given(
    bulk=st.lists(st.integers(0, 300), min_size=1, max_size=5) | st.just(list(range(200))),
    times=st.integers(1, 120),
    others=st.lists(st.integers(-2000, 2000) | st.just(1000), max_size=9),
)
def test_the_span_is_that_of_the_slow_reference_in_any_order(
    bulk: list[int], times: int, others: list[int]
) -> None:
    numbers = np.array(bulk * times + others)
    dates = SCHOOL_DAY.as_unit("s") + pd.to_timedelta(pd.Series(numbers), unit="D")
    found = data_span(dates.astype("datetime64[s]").sample(frac=1, random_state=0))
    wanted = reference(numbers.tolist())
    assert [(day - SCHOOL_DAY).days for day in found] == list(wanted)


def write_suspensions(folder: Path, *more: str) -> Path:
    folder.mkdir()
    rows = [f"P1,S1,{SCHOOL_DAY + pd.Timedelta(days=i):%Y-%m-%d},2,SUSP," for i in range(200)]
    (folder / "pupils.csv").write_text("pupil_id,sex\nP1,F\n", encoding="utf-8")
    header = "pupil_id,school_id,start_date,sessions,category,recorded_on"
    text = "\n".join([header, *rows, *more]) + "\n"
    (folder / "suspensions.csv").write_text(text, encoding="utf-8")
    return folder


def test_check_shows_which_table_has_dates_far_off_and_what_to_do(tmp_path: Path) -> None:
    future = "P1,S1,2024-11-02,2,LNCH,2025-11-02"
    past = "P1,S1,1994-11-02,2,LNCH,2024-11-03"
    problems = read(write_suspensions(tmp_path / "x", future, past)).problems
    assert problems["rule"].tolist() == ["recorded_far_off", "dated_far_off"]
    assert problems["severity"].tolist() == ["warning", "warning"]
    assert problems["column"].tolist() == ["recorded_on", "start_date"]
    assert problems["value"].tolist() == ["2025-11-02", "1994-11-02"]
    assert problems["message"].tolist() == [
        "suspensions: 1 row has recorded_on 2025-11-02, far after all others, which end on "
        "2025-03-21. No default day follows from it. Put right the date at its source.",
        "suspensions: 1 row has start_date 1994-11-02, far before all others, which begin on "
        "2024-09-02. No list begins with it. Put right the date at its source.",
    ]
    assert problems["remedy"].str.endswith("Put right the date at its source.").all()


def test_many_dates_far_off_are_reported_in_one_sentence(tmp_path: Path) -> None:
    more = ["P1,S1,2025-01-03,2,LNCH,2031-01-05", "P1,S1,2025-02-03,2,LNCH,2026-05-01"]
    problems = read(write_suspensions(tmp_path / "x", *more)).problems
    assert problems["rule"].tolist() == ["recorded_far_off"]
    wording = "2 rows have recorded_on from 2026-05-01 to 2031-01-05, far after all others"
    assert wording in problems["message"].iloc[0]


def write_marks(folder: Path, last: str) -> None:
    days = pd.bdate_range(SCHOOL_DAY, last)
    rows = "\n".join(f"P1,{day:%Y-%m-%d},AM,/" for day in days)
    (folder / "sessions.csv").write_text(f"pupil_id,date,session,mark\n{rows}\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("last_mark", "is_reported"), [("2025-05-01", False), ("2025-05-02", True)]
)
def test_suspensions_that_end_six_school_weeks_before_registers_are_reported(
    tmp_path: Path, last_mark: str, is_reported: bool
) -> None:
    # one a day, to 20 March 2025; then 30 or 31 school days of marks
    folder = write_suspensions(tmp_path / "x")
    write_marks(folder, last_mark)
    problems = read(folder).problems
    assert problems["rule"].eq("ends_early").any() == is_reported
    if is_reported:
        (message,) = problems.loc[problems["rule"] == "ends_early", "message"]
        assert "the last is of 2025-03-20, but sessions go on to 2025-05-02" in message
        tables = read(folder).tables
        with pytest.raises(RequestError, match="suspensions end on 2025-03-20, but sessions go on"):
            refuse_old_extract(tables, "pex", pd.Timestamp("2025-05-06"))
        refuse_old_extract(tables, "pex", pd.Timestamp("2025-04-03"))
        assert "Add the newer extract of suspensions;" in message


def test_registers_that_end_long_before_suspensions_are_reported(tmp_path: Path) -> None:
    folder = write_suspensions(tmp_path / "x")
    write_marks(folder, "2025-01-31")
    problems = read(folder).problems
    (message,) = problems.loc[problems["rule"] == "ends_early", "message"]
    assert message.startswith(
        "sessions: the last is of 2025-01-31, but suspensions go on to 2025-03-20"
    )


def test_a_summer_holiday_and_a_single_return_are_no_old_extract(tmp_path: Path) -> None:
    folder = write_suspensions(tmp_path / "x")
    write_marks(folder, "2025-03-20")
    marks = pd.read_csv(folder / "sessions.csv")
    autumn = marks.head(4).assign(date=pd.bdate_range("2025-09-02", periods=4).strftime("%Y-%m-%d"))
    pd.concat([marks, autumn]).to_csv(folder / "sessions.csv", index=False)
    assert not read(folder).problems["rule"].eq("ends_early").any()
    one = pd.read_csv(folder / "suspensions.csv").head(1)
    one.to_csv(folder / "suspensions.csv", index=False)
    assert not read(folder).problems["rule"].eq("ends_early").any()


def test_few_suspensions_may_be_silent_for_long(tmp_path: Path) -> None:
    folder = write_suspensions(tmp_path / "x")
    table = pd.read_csv(folder / "suspensions.csv").iloc[::20]
    table.to_csv(folder / "suspensions.csv", index=False)
    write_marks(folder, "2025-07-18")
    assert not read(folder).problems["rule"].eq("ends_early").any()


def test_nothing_is_reported_of_a_simulated_authority(tiny: Path) -> None:
    rules = read(tiny).problems["rule"]
    assert not rules.isin(["recorded_far_off", "dated_far_off", "ends_early"]).any()
