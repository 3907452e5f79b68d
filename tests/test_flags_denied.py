"""A census flag ends where a later census denies it, from the day on which that one is known."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data import Tables
from tests.returns import KNOWN, PARTS, TERMS, UPN, read_files

PUPIL = f"{UPN},2012-10-03,F,2023-09-04"


def collect(*answers: str, school: str = "900001") -> dict[str, str]:
    """Return a census for each answer on whether the pupil is a young carer, in COLLECT's tables."""
    returns = [f"{n},{term},{school}\n" for n, term in enumerate(TERMS[: len(answers)], 1)]
    rows = [f"{n},{n},{PUPIL},7,{answer}\n" for n, answer in enumerate(answers, 1)]
    header = (
        "pupilonrolltableid,schoolcensustableid,upn,dob,gender,entrydate,ncyearactual,youngcarer\n"
    )
    return {
        "returns.csv": "schoolcensustableid,term,year,referencedate,urn\n" + "".join(returns),
        "pupils.csv": header + "".join(rows),
    }


def flat(*answers: str, school: str = "900001") -> dict[str, str]:
    """Return the same for meals as a flat file."""
    days = [term.split(",")[2] for term in TERMS]
    rows = [f"{PUPIL},7,{day},{school},{one}\n" for day, one in zip(days, answers, strict=False)]
    header = "UPN,DOB,Gender,EntryDate,NCyearActual,CensusDate,URN,FSMEligible\n"
    return {f"flat {school}.csv": header + "".join(rows)}


def known_after(tables: Tables, n: int) -> list[bool]:
    """Return whether the flag counts on the day after each of the first returns was known."""
    days = [day + pd.Timedelta(days=1) for day in KNOWN[:n]]
    facts = [(tables.as_known(day)["circumstances"], day) for day in days]
    return [bool((f["end_date"].isna() | (f["end_date"] >= day)).any()) for f, day in facts]


@pytest.mark.parametrize("form", [collect, flat])
@pytest.mark.parametrize(
    ("answers", "counts"),
    [
        (("1", "1", "0"), [True, True, False]),
        (("Yes", "No", "Yes"), [True, False, True]),
        (("1", "", "1"), [True, True, True]),
        (("0", "1", "n"), [False, True, False]),
        (("1", "0", "0", "1", "0"), [True, False, False, True, False]),
    ],
)
def test_a_flag_counts_until_a_later_census_denies_it(
    form: object, answers: tuple[str, ...], counts: list[bool], tmp_path: Path
) -> None:
    assert callable(form)
    extract = read_files(tmp_path, form(*answers))
    assert known_after(extract.tables, len(answers)) == counts
    told = extract.reconciliation
    assert (told[PARTS].sum(axis=1) == told["rows_read"]).all()
    assert not extract.problems["severity"].eq("error").any()


def test_a_denied_flag_ends_the_day_before_the_census_that_denies_it(tmp_path: Path) -> None:
    (spell,) = read_files(tmp_path, flat("1", "0")).tables["circumstances"].itertuples()
    assert [str(day)[:10] for day in (spell.start_date, spell.end_date)] == [
        "2023-10-05",
        "2024-01-17",
    ]
    assert spell.end_recorded_on == KNOWN[1]


def test_days_of_flags_have_the_unit_of_the_table_without_a_denial_too(tmp_path: Path) -> None:
    spells = read_files(tmp_path, flat("1", "1")).tables["circumstances"]
    assert set(map(str, spells.dtypes)) >= {"datetime64[s]"}
    assert not any(str(kind).endswith("[us]") for kind in spells.dtypes)


def test_what_another_school_flags_on_the_same_day_is_not_denied(tmp_path: Path) -> None:
    files = flat("1", "0", "0") | flat("", "1", "0", school="900002")
    assert known_after(read_files(tmp_path, files).tables, 3) == [True, True, False]


def test_a_spell_of_a_list_is_not_ended_by_a_census(tmp_path: Path) -> None:
    carers = {"carers.csv": f"UPN,Young Carer Since\n{UPN},2023-09-20\n"}
    extract = read_files(tmp_path, collect("1", "0", "0") | carers)
    assert known_after(extract.tables, 3) == [True, True, True]


def test_the_order_of_rows_and_files_ends_no_flag_otherwise(tmp_path: Path) -> None:
    files = flat("1", "0", "1", "0") | flat("", "1", "0", school="900002")
    turned: dict[str, str] = {}
    for name, text in files.items():
        header, *rows = text.splitlines(keepends=True)
        turned[f"z{len(turned)} {name}"] = header + "".join(reversed(rows))
    both = []
    for part, held in (("a", files), ("b", turned)):
        (tmp_path / part).mkdir()
        both.append(
            read_files(tmp_path / part, held).tables["circumstances"].drop(columns="pupil_id")
        )
    pd.testing.assert_frame_equal(*both)
