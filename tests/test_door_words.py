"""What the reader says of a file or a value is true, and shows where to look."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.read import Extract, read
from tests.returns import CENSUS, UPN, read_beside


def messages(extract: Extract, rule: str) -> list[str]:
    return extract.problems.loc[extract.problems["rule"] == rule, "message"].tolist()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            f"UPN,Week beginning,Mon AM,Mon PM\n{UPN},2024-10-14,/,\\\n",
            "Its columns are half-days of a week and hold no day: name each for its day, "
            "such as '14/10/2024 AM'.",
        ),
        (
            f"UPN~URN~Category\n{UPN}~900001~SUSP\n",
            "It has one column, and its values seem to be parted by '~'. Use commas.",
        ),
        (
            f'"UPN,URN,Category"\n"{UPN},900001,SUSP"\n',
            "Each line is one value in quotes. Take the quotes around whole lines out.",
        ),
    ],
)
def test_an_unknown_file_is_described_by_what_is_wrong_with_it(
    text: str, words: str, tmp_path: Path
) -> None:
    (message,) = messages(read_beside(tmp_path, {"a.csv": text}), "unknown_file")
    assert words in message
    assert "nearest" not in message
    assert "shares no column" not in message


def test_xml_of_no_return_is_named_as_such(tmp_path: Path) -> None:
    extract = read_beside(tmp_path, {"NCCIS.xml": "<YoungPerson><UPN>1</UPN></YoungPerson>"})
    (problem,) = extract.problems.itertuples()
    assert problem.message == (
        "NCCIS.xml: is XML of no return that is read (School Census, CIN census, SSDA903, Common Transfer "
        "File). Export it as CSV."
    )
    assert problem.severity == "warning"


def test_an_answer_names_its_column(tmp_path: Path) -> None:
    rows = f"{UPN},2012-10-03,2023-09-04,2023-10-05,900001,7,FSM,-\n"
    header = "UPN,DOB,EntryDate,CensusDate,URN,NCyearActual,FSMeligible,YoungCarer\n"
    extract = read_beside(tmp_path, {"flat.csv": header + rows})
    (message,) = extract.problems.loc[extract.problems["row"].notna(), "message"]
    assert message == (
        "flat.csv, row 2: kind 'FSM' is neither yes nor no in column fsmeligible. Write yes or no."
    )


def test_a_row_number_that_a_program_adds_is_no_column_without_a_name(tmp_path: Path) -> None:
    frame = pd.DataFrame({"UPN": [UPN] * 2, "Date": ["2024-01-15", "2024-01-16"], "Session": "AM"})
    text = frame.assign(Mark="I").to_csv()
    extract = read_beside(tmp_path, {"marks.csv": text})
    assert extract.problems.empty
    assert len(extract.tables["sessions"]) == 2
    other = read_beside(tmp_path, {"marks.csv": text.replace("\n1,", "\nMon,")})
    assert len(messages(other, "nameless_column")) == 1


def test_a_column_whose_name_is_not_shown_has_a_number(tmp_path: Path) -> None:
    rows = f"UPN,Category,Start Date,URN,Sessions Bill\n{UPN},SUSP,2024-01-15,900001,2\n"
    extract = read_beside(tmp_path, {"a.csv": rows})
    (message,) = messages(extract, "unread_column")
    assert "and column 5, whose name is not shown, may hold it" in message


def test_nothing_is_missed_in_a_table_of_which_a_file_has_no_rows(tmp_path: Path) -> None:
    header = "UniquePupilNumber,ActivityCode,StartDate,DateVerified,YearOfBirth,MonthOfBirth,"
    rows = header + "CharacteristicCode,NEETStartDate\n"
    rows += f"{UPN},540,2024-09-01,2024-10-01,2007,10,,2024-09-01\n"
    extract = read_beside(tmp_path, {"clients.csv": rows})
    assert not [one for one in messages(extract, "unread_column") if "start_date" in one]


def test_a_section_about_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name, text in CENSUS.items():
        (tmp_path / "data" / name).write_text(text)
    settings = tmp_path / "data" / "riskmodel.toml"
    settings.write_text(
        '[sources.nothing]\nfile = "no such file*.csv"\ntable = "calendar"\n'
        '[sources.nothing.columns]\ndate = "Day"\nterm = "Term"\nhalf_term = "Half"\n'
    )
    extract = read(tmp_path / "data", key_file=tmp_path / "key", settings_file=settings)
    (message,) = messages(extract, "mapping")
    assert "riskmodel.toml, line 1, [sources.nothing]: " in message
    assert "no file has a name like 'no such file*.csv'. Correct the pattern." in message
    notes = extract.files.set_index("file")["note"]
    assert notes["riskmodel.toml"] == (
        "riskmodel.toml: holds settings and no rows. A command reads those of the folder where it runs, or "
        "those that it is given."
    )


def test_a_result_without_a_year_is_told_so(tmp_path: Path) -> None:
    rows = f"UPN,ACADYR,READSCORE\n{UPN},,104\n{UPN},soon,104\n"
    extract = read_beside(tmp_path, {"ks2.csv": rows})
    found = extract.problems.loc[extract.problems["row"].notna(), "message"]
    assert sorted(found) == [
        "ks2.csv, row 2: result_date is missing. Fill it in.",
        "ks2.csv, row 3: result_date 'soon' is no school year. Write it as 2021/2022.",
    ]
