"""An analyst's own layout: a section of riskmodel.toml reads a file that nothing else knows."""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from riskmodel.data.check import check
from riskmodel.data.identity import upn_check_letters
from riskmodel.data.read import Extract, propose_mapping, read
from riskmodel.data.read.likeness import name_likeness
from riskmodel.data.read.mapping import read_mappings
from riskmodel.data.settings_file import line_of
from riskmodel.errors import DataError, RequestError
from riskmodel.report.check_page import write_check
from tests.returns import UPN

DAYS = ("01/10/2024", "02/10/2024", "15/10/2024")


def upn(number: int) -> str:
    body = f"80123450{number:04d}"
    return str(upn_check_letters(pd.Series(["A" + body]))[0]) + body


PUPILS = [upn(number) for number in range(1, 7)]

ROLL = "Ref,Pupil UPN,Name,DOB,Gender,Base,Joined,Left\n" + "".join(
    f"{n},{one},Doe {n},03/10/2010,{'Girl' if n % 2 else 'Boy'},900001,04/09/2022,"
    f"{'19/07/2024' if n == 2 else ''}\n"
    for n, one in enumerate(PUPILS)
)
MARKS = "Pupil UPN,When,Half,Att\n" + "".join(
    f"{one},{day},{half},{'/' if half == 'Morning' else 'I'}\n"
    for one in PUPILS
    for day in DAYS
    for half in ("Morning", "Afternoon")
)
SUSPENSIONS = "UPN,From,Kind of exclusion,Days,Base\n" + "".join(
    f"{one},{day},Fixed term,1.5,900001\n" for one in PUPILS[:3] for day in DAYS
)
FILES = {
    "roll 2024-25.csv": ROLL,
    "marks 2024-10.csv": MARKS,
    "exclusions 2024.csv": SUSPENSIONS,
    "young carers.csv": f"UPN,Opened,Closed\n{PUPILS[0]},15/01/2024,\n",
    "sen.csv": f"UPN,Stage,From,To,Need\n{PUPILS[0]},SEN Support,13/09/2022,01/02/2024,SLCN\n"
    f"{PUPILS[2]},EHCP,14/09/2023,,ASD\n",
}

ROLLS = """
[sources.pupils]
file = "roll*.csv"
table = "pupils"
dates = "DD/MM/YYYY"
[sources.pupils.columns]
pupil_id = "Pupil UPN"
birth_month = "DOB"
sex = "Gender"
[sources.pupils.codes.sex]
Girl = "F"
Boy = "M"

[sources.rolls]
file = "roll*.csv"
table = "enrolments"
dates = "DD/MM/YYYY"
[sources.rolls.columns]
pupil_id = "Pupil UPN"
school_id = "Base"
entry_date = "Joined"
leaving_date = "Left"
[sources.rolls.fixed]
status = "main"
"""

SESSIONS = """
[sources.marks]
table = "sessions"
[sources.marks.columns]
pupil_id = "Pupil UPN"
date = "When"
session = "Half"
mark = "Att"
[sources.marks.codes.session]
Morning = "AM"
Afternoon = "PM"
"""


def read_with(folder: Path, files: dict[str, str], settings: str) -> Extract:
    data = folder / "data"
    data.mkdir()
    for name, text in files.items():
        (data / name).write_text(text)
    (folder / "riskmodel.toml").write_text(settings)
    return read(data, key_file=folder / "key", settings_file=folder / "riskmodel.toml")


def test_declared_layouts_are_read_whole(tmp_path: Path) -> None:
    files = {name: FILES[name] for name in ("roll 2024-25.csv", "marks 2024-10.csv")}
    extract = read_with(tmp_path, files, ROLLS + SESSIONS)
    assert extract.problems.empty
    assert extract.reconciliation["rows_kept"].tolist() == [6, 36]
    rolls = extract.tables["enrolments"]
    assert (
        rolls["year_group"].tolist() == [7] * 6
    )  # born in October 2010, entered in September 2022
    assert rolls["leaving_date"].dropna().tolist() == [pd.Timestamp("2024-07-19")]
    assert extract.tables["pupils"]["sex"].value_counts().to_dict() == {
        "F": 3,
        "M": 3,
        "not_known": 0,
    }
    assert set(extract.tables["pupils"]["birth_month"]) == {pd.Timestamp("2010-10-01")}
    marks = extract.tables["sessions"]
    assert set(zip(marks["session"], marks["mark"], strict=True)) == {("AM", "/"), ("PM", "I")}
    assert set(marks["date"].dt.strftime("%d/%m/%Y")) == set(DAYS)


def test_what_is_proposed_reads_every_row_as_it_stands(tmp_path: Path) -> None:
    """From unknown files to tables: only what 'map' wrote is used, nothing is filled in by hand."""
    sections = []
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
        sections.append(propose_mapping(tmp_path / name))
        (tmp_path / name).unlink()
    extract = read_with(tmp_path, FILES, "\n\n".join(sections))
    counts = extract.reconciliation
    assert counts["rows_kept"].sum() == counts["rows_read"].sum() == 6 + 36 + 9 + 1 + 2
    assert extract.problems.empty
    facts = extract.tables["suspensions"]
    assert set(facts["category"]) == {"SUSP"}
    assert set(facts["sessions"]) == {3.0}  # a day and a half
    assert extract.tables["circumstances"]["kind"].tolist() == ["young_carer"]
    send = extract.tables["send"].sort_values("provision")
    assert send[["provision", "primary_need"]].astype("str").to_numpy().tolist() == [
        ["K", "SLCN"],
        ["E", "ASD"],
    ]
    assert send["end_date"].notna().tolist() == [True, False]


def test_no_name_upn_or_birthday_is_in_a_proposal(tmp_path: Path) -> None:
    path = tmp_path / "roll.csv"
    path.write_text(ROLL)
    text = propose_mapping(path)
    assert not [one for one in (*PUPILS, "Doe", "03/10/2010") if one in text]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "no table fits"),
        (
            f"{PUPILS[0]},01/10/2024,AM,/\n{PUPILS[1]},01/10/2024,AM,/\n",
            "Is the first line the header",
        ),
        ("UPN,Date,Session,Mark\n", "is read as 'Register marks' already"),
    ],
)
def test_a_file_without_a_proposal_gets_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "unknown.csv"
    path.write_text(text)
    answer = propose_mapping(path)
    assert words in answer
    assert not [one for one in PUPILS if one in answer]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        propose_mapping(tmp_path / "nothing.csv")


def test_a_date_of_another_format_is_set_aside_and_named(tmp_path: Path) -> None:
    files = {"roll.csv": ROLL.replace("04/09/2022", "09/13/2022", 1)}
    extract = read_with(tmp_path, files, ROLLS)
    (problem,) = extract.problems[extract.problems["row"].notna()].to_dict("records")
    assert problem["row"] == 2
    assert (
        "entry_date '09/13/2022' is not in the format of dates that the section declares."
        in (problem["message"])
    )
    assert problem["value"] == "09/13/2022"
    assert len(extract.rejects) == 1


def test_a_file_that_lacks_a_declared_column_is_named_with_the_line(tmp_path: Path) -> None:
    files = {"roll.csv": ROLL, "marks.csv": MARKS.replace("When", "Day of mark")}
    settings = ROLLS + SESSIONS.replace("[sources.marks]", '[sources.marks]\nfile = "marks*"')
    extract = read_with(tmp_path, files, settings)
    found = extract.problems[extract.problems["rule"] == "mapping"]
    (message,) = found["message"]
    assert "marks.csv" in message
    assert "needs its column 'When'" in message
    assert f"line {line_of(settings, 'sources.marks')}" in message


def test_a_census_counts_before_a_declared_file(tmp_path: Path) -> None:
    census = {
        "returns.csv": "schoolcensustableid,term,year,referencedate,urn\n1,SPR,2024,2024-01-18,900001\n",
        "census.csv": "pupilonrolltableid,schoolcensustableid,upn,dob,gender,entrydate,ncyearactual\n"
        f"1,1,{PUPILS[0]},2010-10-03,F,2022-09-04,8\n",
    }
    extract = read_with(tmp_path, {**census, "roll.csv": ROLL}, ROLLS)
    sexes = extract.tables["pupils"]["sex"].value_counts()
    assert sexes["F"] == 4  # the first is a boy in the roll, and a girl in the census


@pytest.mark.parametrize(
    ("settings", "line", "words"),
    [
        ("[sources.a]\ntabel = 'pupils'\n", 2, "there is no 'tabel'. Did you mean 'table'?"),
        ("[sources.a]\ntable = 'suspension'\n", 2, "Did you mean 'suspensions'?"),
        ("[sources.a]\n", 1, "no table"),
        ("[sources]\na = 3\n", 2, "write the source as a table"),
        (
            "[sources.a]\ntable = 'calendar'\n[sources.a.columns]\ndata = 'Day'\n",
            4,
            "no column 'data'. Did you mean 'date'?",
        ),
        (
            "[sources.a]\ntable = 'calendar'\n[sources.a.columns]\ndate = ' '\n",
            4,
            "names no column of the file",
        ),
        (
            "[sources.a]\ntable = 'calendar'\n[sources.a.columns]\ndate = 'Day'\n",
            3,
            "needs 'term'",
        ),
        (
            "[sources.a]\ntable = 'calendar'\n[sources.a.columns]\ndate = 'Day'\nhalf_term = 'HT'\n"
            "[sources.a.fixed]\nterm = 'fall'\n",
            7,
            "'fall' is no term",
        ),
        (
            "[sources.a]\ntable = 'calendar'\n[sources.a.columns]\ndate = 'Day'\nhalf_term = 'HT'\n"
            "[sources.a.fixed]\nterm = '?'\n",
            7,
            "still to be filled in",
        ),
        (
            "[sources.a]\ntable = 'calendar'\ndates = 'day first'\n[sources.a.columns]\ndate = 'Day'\n"
            "term = 'Term'\nhalf_term = 'HT'\n",
            3,
            "no format of dates",
        ),
        (
            "[sources.a]\ntable = 'calendar'\n[sources.a.columns]\ndate = 'Day'\nterm = 'T'\n"
            "half_term = 'HT'\n[sources.a.codes.term]\nFall = 'fall'\n",
            8,
            "'fall' is no term",
        ),
        (
            "[sources.a]\ntable = 'calendar'\n[sources.a.columns]\ndate = 'Day'\nterm = 'T'\n"
            "half_term = 'HT'\n[sources.a.codes.trem]\nFall = 'autumn'\n",
            7,
            "not among the columns. Did you mean 'term'?",
        ),
    ],
)
def test_a_wrong_section_is_refused_by_line(
    tmp_path: Path, settings: str, line: int, words: str
) -> None:
    path = tmp_path / "riskmodel.toml"
    path.write_text("# gates first\n" + settings)
    with pytest.raises(RequestError) as caught:
        read_mappings(path)
    assert f"riskmodel.toml, line {line + 1}," in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            ('pupil_id = "Pupil UPN"\nschool_id', 'pupil_id = "Ref"\nschool_id'),
            "from another column",
        ),
        (('table = "enrolments"', 'table = "pupils"'), "needs"),
        (('birth_month = "DOB"\n', ""), "nothing gives the year group"),
    ],
)
def test_sections_about_one_file_must_agree(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    settings = ROLLS.replace(*change)
    if words == "needs":  # two sections that make one table
        settings = ROLLS + ROLLS.split("[sources.rolls]")[0].replace(
            "sources.pupils", "sources.again"
        )
        words = "makes the same table"
    with pytest.raises(RequestError, match=words):
        read_with(tmp_path, {"roll.csv": ROLL}, settings)


def test_check_proposes_a_section_for_each_unknown_file(tmp_path: Path) -> None:
    files = {**FILES, "stock.csv": "Item,Price\nchair,3\n"}
    extract = read_with(tmp_path, files, ROLLS)
    report = check(extract)
    write_check(report, tmp_path / "report")
    written = (tmp_path / "report" / "sources.toml").read_text()
    page = (tmp_path / "report" / "index.html").read_text()
    for name in ("marks", "exclusions", "young_carers", "sen"):
        head = f"[sources.{name}]"
        assert head in report.text()
        assert head in written
        assert head in page
    assert "stock" not in written  # no table fits
    assert not [one for one in (*PUPILS, "Doe") if one in page + report.text() + written]
    # and what is proposed is read
    (tmp_path / "riskmodel.toml").write_text(ROLLS + written)
    again = read(
        tmp_path / "data", key_file=tmp_path / "key", settings_file=tmp_path / "riskmodel.toml"
    )
    assert again.files.set_index("file")["read_as"].ne("").sum() == len(FILES)


def test_dates_of_no_declared_format_are_settled_by_their_column(tmp_path: Path) -> None:
    """3 April and 15 January, month first: the column decides, and the reader reports it."""
    marks = "Pupil UPN,When,Half,Att\n" + "".join(
        f"{PUPILS[0]},{day},AM,/\n" for day in ("01/15/2024", "03/04/2024")
    )
    extract = read_with(tmp_path, {"roll.csv": ROLL, "marks.csv": marks}, ROLLS + SESSIONS)
    assert extract.tables["sessions"]["date"].dt.strftime("%d %b").tolist() == ["15 Jan", "04 Mar"]
    assert any("marks.csv" in words for words in extract.problems["message"])


def test_a_day_of_birth_plays_no_other_part_and_is_not_shown(tmp_path: Path) -> None:
    rows = "".join(f"{one},03/10/2010,Doe,F,young carer,15/01/2024\n" for one in PUPILS)
    path = tmp_path / "services.csv"
    path.write_text("UPN,D.O.B.,Name,Gender,Sort of help,Start\n" + rows)
    text = propose_mapping(path)
    assert "2010" not in text
    assert text.count("D.O.B.") == 1  # as the month of birth, or as not used
    assert 'start_date = "Start"' in text or 'entry_date = "Start"' in text


def test_names_under_the_heading_of_a_code_are_not_shown(tmp_path: Path) -> None:
    names = ["Smith", "Smith", "Jones", "Jones", "Patel", "Li"]
    rows = "".join(
        f"{one},{day},AM,{n}\n" for one, n in zip(PUPILS, names, strict=True) for day in DAYS
    )
    path = tmp_path / "shifted.csv"
    path.write_text("UPN,When,Half,Mark\n" + rows)
    text = propose_mapping(path)
    assert not [name for name in names if name in text]


def test_free_text_with_a_name_is_not_proposed_as_a_code(tmp_path: Path) -> None:
    pupils = [upn(number) for number in range(1, 41)]
    # three pupils of forty share the second text, and the third is as common as a code
    texts = ["Fixed Term"] * 17 + ["Martin"] * 3 + ["Fight with Quillan Pemberly"] * 20
    rows = "".join(
        f"{one},{text},1{n % 10}/03/2024,900001,1\n"
        for n, (one, text) in enumerate(zip(pupils, texts, strict=True))
    )
    path = tmp_path / "x.csv"
    path.write_text("Pupil UPN,Exclusion Type,Incident date,Base,Days\n" + rows)
    text = propose_mapping(path)
    assert "Fixed Term" in text
    assert not [name for name in ("Martin", "Quillan", "Pemberly") if name in text]


def test_two_unknown_files_of_one_layout_get_one_section(tmp_path: Path) -> None:
    """A third of another layout gets a section of its own name, for itself alone."""
    other = MARKS.replace("When", "Day of mark")
    files = {"roll.csv": ROLL, "marks 1.csv": MARKS, "marks 2.csv": MARKS, "marks 3.csv": other}
    extract = read_with(tmp_path, files, ROLLS)
    heads = [text.split("\n")[1] for text in extract.proposals]
    assert heads == ["[sources.marks]", "[sources.marks_2]"]
    assert 'file = "marks 3.csv"' in extract.proposals[1]
    settings = ROLLS + "\n\n".join(extract.proposals)
    (tmp_path / "riskmodel.toml").write_text(settings)
    again = read(
        tmp_path / "data", key_file=tmp_path / "key", settings_file=tmp_path / "riskmodel.toml"
    )
    assert (again.files["read_as"] != "").all()


@pytest.mark.parametrize(
    ("heading", "value", "half_days"),
    [("Days", "2", 4.0), ("Sessions (1/2 days)", "2", 2.0), ("Half school days", "2", 2.0)],
)
def test_days_are_counted_twice_and_half_days_are_not(
    tmp_path: Path, heading: str, value: str, half_days: float
) -> None:
    settings = ROLLS + (
        '[sources.s]\ntable = "suspensions"\n[sources.s.columns]\npupil_id = "UPN"\nschool_id = "Base"\n'
        f'start_date = "From"\ncategory = "Kind"\nsessions = "{heading}"\n'
        '[sources.s.codes.sessions]\nhalf = "1"\n'
    )
    text = f"UPN,From,Kind,{heading},Base\n{PUPILS[0]},2024-10-01,SUSP,{value},900001\n"
    text += f"{PUPILS[1]},2024-10-01,SUSP,half,900001\n"
    extract = read_with(tmp_path, {"roll.csv": ROLL, "s.csv": text}, settings)
    assert sorted(extract.tables["suspensions"]["sessions"]) == sorted([half_days, 1.0])


@pytest.mark.parametrize("column", ["To", "Known"])
def test_an_unread_day_of_a_spell_of_provision_sets_its_row_aside(
    tmp_path: Path, column: str
) -> None:
    days = {"From": "04/09/2022", "To": "01/02/2024", "Known": "05/09/2022"} | {
        column: "31/06/2023"
    }
    settings = ROLLS + (
        '[sources.sen]\ntable = "send"\ndates = "DD/MM/YYYY"\n[sources.sen.columns]\npupil_id = "UPN"\n'
        'provision = "Stage"\nstart_date = "From"\nend_date = "To"\nrecorded_on = "Known"\n'
    )
    text = "UPN,Stage,From,To,Known\n" + ",".join([PUPILS[0], "K", *days.values()]) + "\n"
    text += f"{PUPILS[1]},K,04/09/2022,,05/09/2022\n"
    extract = read_with(tmp_path, {"roll.csv": ROLL, "sen.csv": text}, settings)
    assert extract.rejects["row"].tolist() == [2]
    assert len(extract.tables["send"]) == 1


@pytest.mark.parametrize(
    "header",
    ["UPN,School URN,PTT Start,PTT Planned End,Hours", "UPN,Team,Episode Start,Step Down,Worker"],
)
def test_a_list_of_pupils_and_days_is_proposed_as_spells_of_a_kind_to_fill_in(
    tmp_path: Path, header: str
) -> None:
    rows = [[UPN, "900001", f"1{n}/09/2023", f"1{n}/11/2023", f"{n}"] for n in range(8)]
    pd.DataFrame(rows, columns=header.split(",")).to_csv(tmp_path / "list.csv", index=False)
    text = propose_mapping(tmp_path / "list.csv")
    assert 'table = "circumstances"' in text
    assert 'kind = "?"' in text


@given(name=st.text("adeginorslvt", max_size=14))
@example(name="leavingraeson")
@example(name="reasonleaving")
def test_names_are_alike_as_their_spelling_is(name: str) -> None:
    """The quick look at letters and lengths changes no likeness."""
    known = ("leavingreason", "reasonforleaving")
    assume(not any(one in name for one in known))
    best = max(SequenceMatcher(None, one, name).ratio() for one in known)
    assert name_likeness("leaving_reason", name) == (best if best >= 0.75 else 0.0)
