"""Ids of rows that begin anew in every return link nothing to another return's pupil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.identity import upn_check_letters
from riskmodel.data.read import Extract, read
from riskmodel.data.read.returns.scoping import nearest
from riskmodel.errors import DataError
from riskmodel.simulate import write_simulated_returns
from tests.returns import CENSUS_XML, PARTS, UPN, read_beside, read_files

OTHER = "000000340005"
OTHER = str(upn_check_letters(pd.Series(["A" + OTHER]))[0]) + OTHER

IDS = ("schoolcensustableid", "pupilonrolltableid", "pupilnolongeronrolltableid")


def number_from_1(folder: Path) -> None:
    """Let the ids of one simulated return begin at 1, each kind by itself."""
    files = {
        path: pd.read_csv(path, dtype="str", keep_default_na=False) for path in folder.iterdir()
    }
    for name in IDS:
        given = pd.concat([f[name] for f in files.values() if name in f]).drop_duplicates()
        numbers = dict(zip(given, map(str, range(1, len(given) + 1)), strict=True))
        for frame in files.values():
            if name in frame:
                frame[name] = frame[name].map(numbers)
    for path, frame in files.items():
        frame.to_csv(path, index=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return simulated returns of the School Census, and what they cannot be read without."""
    path = tmp_path_factory.mktemp("ids") / "unique"
    write_simulated_returns(path, pupils=600, years=1, seed=8, preset="bcp")
    for other in ("cin", "registers", "sen2", "ssda903"):  # with ids of their own
        shutil.rmtree(path / other)
    return path


LAYOUTS = {
    "a folder for each return": "census/{back}/{table}.csv",
    "one folder": "{table}_{back}.csv",
    "numbers of schools": "{table}_{urn}.csv",
    "days of the census": "part 1 {table} {day}10{year}.csv",
    "terms in folders and files": "census/{back}/{table} {back} 202411{file}.csv",
    "the term that a table holds": "census/{back}/{table} {held}.csv",
}
"""Simulated ways to name the files of returns."""


def laid_out(folder: Path, out: Path, layout: str) -> Path:
    """Copy simulated returns, their files named in one of the ways."""
    shutil.copytree(folder, out, ignore=shutil.ignore_patterns("census"))
    for number, back in enumerate(sorted((folder / "census").iterdir())):
        for file, path in enumerate(sorted(back.iterdir()), 10):
            own = path.stem.startswith(("schoolcensus", "pupil"))
            name = LAYOUTS[layout].format(
                back=back.name,
                table=path.stem,
                urn=900001 + number,
                day=10 + number,
                year=2024,
                file=file,
                held=back.name if own else "summer term",
            )
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, out / name)
    return out


@pytest.fixture(scope="module")
def anew(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return simulated returns in which ids begin at 1 in each."""
    path = tmp_path_factory.mktemp("ids") / "anew"
    shutil.copytree(folder, path)
    for one in (path / "census").iterdir():
        number_from_1(one)
    return path


@pytest.fixture(scope="module")
def unique(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Extract:
    extract = read(folder, key_file=tmp_path_factory.getbasetemp() / "ids.key")
    assert len(extract.tables["suspensions"]) > 30
    return extract


@pytest.mark.parametrize("layout", LAYOUTS)
def test_ids_that_begin_at_1_in_every_return_change_no_fact(
    anew: Path,
    unique: Extract,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    layout: str,
) -> None:
    path = laid_out(anew, tmp_path / "again", layout)
    repeated = read(path, key_file=tmp_path_factory.getbasetemp() / "ids.key")
    pd.testing.assert_frame_equal(repeated.tables["suspensions"], unique.tables["suspensions"])
    assert repeated.digest == unique.digest
    assert not len(repeated.rejects[repeated.rejects["reason"] == "repeated_id"])


RETURN = "schoolcensustableid,referencedate,term,urn\n1,{day},X,900001\n"
PUPILS = (
    "pupilonrolltableid,schoolcensustableid,upn,dob,entrydate\n1,1,{upn},2012-10-03,2023-09-04\n"
)
EXCLUDED = "pupilonrolltableid,startdate,category\n1,{day},SUSP\n"


def extract_of(folder: Path, files: dict[str, str]) -> Extract:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    extract = read(folder, key_file=folder.parent / f"{folder.name}.key")
    counts = extract.reconciliation
    assert (counts["rows_read"] == counts[PARTS].sum(axis=1)).all()
    return extract


def two_returns(names: list[str]) -> dict[str, str]:
    """Return two returns of one pupil each, under six names; in the second a pupil was suspended."""
    first, second = "2024-01-18", "2024-05-16"
    texts = [
        RETURN.format(day=first),
        PUPILS.format(upn=UPN),
        RETURN.format(day=second),
        PUPILS.format(upn=OTHER),
        EXCLUDED.format(day="2024-03-01"),
    ]
    return dict(zip(names, texts, strict=True))


@pytest.mark.parametrize(
    "names",
    [
        ["1/c.csv", "1/p.csv", "2/c.csv", "2/p.csv", "2/x.csv"],
        ["c spr 24.csv", "p spr 24.csv", "c sum 24.csv", "p sum 24.csv", "x_24_Summer.csv"],
        ["c/1.csv", "p/1.csv", "c/2.csv", "p/2.csv", "x/2.csv"],
    ],
)
def test_a_fact_joins_to_the_pupil_of_its_own_return(tmp_path: Path, names: list[str]) -> None:
    extract = extract_of(tmp_path, two_returns(names))
    (excluded,) = extract.tables["suspensions"].itertuples()
    pupil = extract.tables["enrolments"].set_index("pupil_id").loc[excluded.pupil_id]
    assert f"{pupil['recorded_on']:%F}" == "2024-06-20"  # of the second return
    assert extract.tables["enrolments"]["recorded_on"].nunique() == 2


def test_a_fact_that_could_be_of_two_pupils_is_set_aside(tmp_path: Path) -> None:
    names = ["1/c.csv", "1/p.csv", "2/c.csv", "2/p.csv", "x.csv"]
    extract = extract_of(tmp_path, two_returns(names))
    assert "suspensions" not in extract.tables or not len(extract.tables["suspensions"])
    (problem,) = extract.problems[extract.problems["rule"] == "repeated_id"].itertuples()
    assert problem.severity == "error"
    assert "such as '1 (on roll)', that stand for different pupils" in problem.message
    assert "in 1/p.csv and 2/p.csv" in problem.message
    assert "put the files of each return into a folder of its own" in problem.message
    assert extract.rejects[["file", "row", "reason"]].values.tolist() == [
        ["x.csv", 2, "repeated_id"]
    ]


def test_a_pupil_row_that_could_be_of_two_censuses_is_set_aside(tmp_path: Path) -> None:
    files = two_returns(["c1.csv", "p1.csv", "c2.csv", "p2.csv", "x.csv"])
    texts = {"all.csv": files["c1.csv"] + files["c2.csv"].split("\n")[1], "p1.csv": files["p1.csv"]}
    others = {"other.csv": "UniquePupilNumber,ActivityCode,StartDate,DateVerified\n"}
    with pytest.raises(DataError, match="different schools or census days in different rows"):
        extract_of(tmp_path, texts | others)


def test_pupils_on_roll_and_leavers_have_ids_of_their_own(tmp_path: Path) -> None:
    left = PUPILS.format(upn=OTHER).replace("onroll", "nolongeronroll")
    files = {
        "c.csv": RETURN.format(day="2024-05-16"),
        "on.csv": PUPILS.format(upn=UPN),
        "off.csv": left.replace("entrydate", "leavingdate,entrydate").replace(
            ",2023", ",2024-03-08,2023"
        ),
        "x.csv": EXCLUDED.format(day="2024-03-01").replace("onroll", "nolongeronroll"),
    }
    tables = extract_of(tmp_path, files).tables
    (excluded,) = tables["suspensions"].itertuples()
    left_on = tables["enrolments"].set_index("pupil_id")["leaving_date"]
    assert f"{left_on[excluded.pupil_id]:%F}" == "2024-03-08"


def test_two_markup_returns_of_one_school_and_day_have_rows_of_their_own(tmp_path: Path) -> None:
    other = CENSUS_XML.replace(UPN, OTHER).replace("<Category>FIXD", "<Category>PERM")
    extract = extract_of(tmp_path, {"a.xml": CENSUS_XML, "b.xml": other})
    facts = extract.tables["suspensions"].set_index("category")["pupil_id"]
    assert facts["SUSP"] != facts["PERM"]


@pytest.mark.parametrize(("census", "n"), [("returns.csv", 0), ("returns_900002.csv", 1)])
def test_a_list_named_as_a_census_without_pupils_joins_to_nobody(
    tmp_path: Path, census: str, n: int
) -> None:
    files = {
        "returns_900001.csv": RETURN.format(day="2024-01-18"),
        "pupils_900001.csv": PUPILS.format(upn=UPN),
        census: RETURN.format(day="2024-05-16").replace("\n1,", "\n7,"),
        "exclusions.csv": "pupilonrolltableid,startdate,sessions,category\n1,2024-01-08,2,SUSP\n",
    }
    extract = extract_of(tmp_path, files)
    assert ("suspensions" in extract.tables) == n
    assert len(extract.problems.query("rule == 'not_linked'")) == 1 - n


# ---- children in care

HEADER = "CHILD,SEX,DOB,ETHNIC,UPN\n17,1,03/10/2012,WBRI,{upn}\n"
EPISODES = "CHILD,DECOM,RNE,LS,DEC\n17,{day},S,V2,\n"
CARED = {
    "c.csv": RETURN.format(day="2024-01-18"),
    "p.csv": PUPILS.format(upn=UPN) + PUPILS.format(upn=OTHER).split("\n")[1].replace("1,1", "2,1"),
}


def test_a_child_in_care_who_gets_a_upn_later_has_it_in_every_return(tmp_path: Path) -> None:
    files = {
        "2023/h.csv": HEADER.format(upn="UN4"),
        "2023/e.csv": EPISODES.format(day="01/06/2022"),
        "2024/h.csv": HEADER.format(upn=UPN),
    }
    extract = extract_of(tmp_path, CARED | files)
    assert len(extract.tables["circumstances"]) == 1


def test_a_number_of_a_child_that_means_two_children_is_refused(tmp_path: Path) -> None:
    files = {
        "2023/h.csv": HEADER.format(upn=OTHER),
        "2023/e.csv": EPISODES.format(day="01/06/2022"),
        "2024/h.csv": HEADER.format(upn=UPN),
        "e.csv": EPISODES.format(day="01/06/2023"),
    }
    extract = extract_of(tmp_path, CARED | files)
    assert extract.tables["circumstances"]["start_date"].tolist() == [pd.Timestamp("2022-06-01")]
    assert extract.rejects["file"].tolist() == ["e.csv"]


@pytest.mark.parametrize(
    ("name", "others", "own"),
    [
        ("a.csv", [], []),
        ("a.csv", ["b.csv"], [True]),
        ("a/x.csv", ["b/y.csv", "c/y.csv"], [True, True]),
        ("x.xlsx, sheet a", ["x.xlsx, sheet b", "y.xlsx, sheet b"], [True, False]),
        ("2024/a/x.csv", ["2024/b/y.csv", "2023/a/y.csv"], [True, False]),
        ("summerhalfterm2 aut 2024.csv", ["p aut 2024.csv", "p sum 2024.csv"], [True, False]),
        ("x 2024.csv", ["p aut 2024.csv", "p spr 2024.csv"], [True, True]),
    ],
)
def test_files_of_one_return_lie_together_or_are_named_alike(
    name: str, others: list[str], own: list[bool]
) -> None:
    assert nearest(name, others).tolist() == own


SPRING = "schoolcensustableid,term,year,referencedate,urn\n9,SPR,2024,2024-01-18,900001\n"
AUTUMN = "schoolcensustableid,term,year,referencedate,urn\n8,AUT,2023,2023-10-05,900001\n"
PUPIL = "pupilonrolltableid,schoolcensustableid,upn,dob,gender,entrydate,ncyearactual\n"
EXCLUSION = "pupilonrolltableid,startdate,category,sessions,reason1\n1,2023-12-04,SUSP,2,DB\n"
BOTH = {
    "aut/schoolcensus.csv": AUTUMN,
    "aut/pupilonroll.csv": PUPIL + f"1,8,{UPN},2012-10-03,F,2023-09-04,7\n",
    "spr/schoolcensus.csv": SPRING,
}
REPEATED = BOTH | {
    "spr/pupilonroll.csv": PUPIL
    + f"1,9,{OTHER},2012-10-03,F,2023-09-04,7\n2,9,{UPN},2012-10-03,F,2023-09-04,7\n",
    "aut/pupilonroll.csv": BOTH["aut/pupilonroll.csv"] + f"4,8,{OTHER},2012-10-03,F,2023-09-04,7\n",
}


def named(files: dict[str, str], autumn: str, spring: str) -> dict[str, str]:
    """Return the files of two returns in one folder, each named for its return."""
    names = {"aut": autumn, "spr": spring}
    parts = {name: name.removesuffix(".csv").split("/") for name in files}
    return {f"census/{parts[n][1]} {names[parts[n][0]]}.csv": text for n, text in files.items()}


@pytest.mark.parametrize(
    ("files", "where"),
    [
        (BOTH, "spr/termlyexclusionsonroll.csv"),
        ({n: t for n, t in BOTH.items() if "spr" not in n}, "spring/exclusions.csv"),
        (
            {n.replace("/", "_"): t for n, t in BOTH.items() if "spr" not in n},
            "exclusions_spr.csv",
        ),
        (
            {
                name: text
                for name, text in named(REPEATED, "900001", "900002").items()
                if name != "census/pupilonroll 900002.csv"
            },
            "census/exclusions 900002.csv",
        ),
        (REPEATED, "sum/termlyexclusionsonroll.csv"),
        ({name.replace("/", "_"): text for name, text in REPEATED.items()}, "sum_exclusions.csv"),
        (named(REPEATED, "2023 900001", "2023 900002"), "census/exclusions 2023 900003.csv"),
        (named(REPEATED, "2023-10-05", "2024-01-18"), "census/exclusions 2024-05-16.csv"),
        (named(REPEATED, "05.10.2023", "18.01.2024"), "census/exclusions_20240516.csv"),
    ],
    ids=[
        "its pupils are missing",
        "all else of it is missing",
        "all else of it is missing, one folder",
        "the pupils of its school are missing",
        "its return is missing",
        "its return is missing, one folder",
        "its school is missing, one folder",
        "its day is missing, one folder",
        "its day is missing, written otherwise",
    ],
)
@pytest.mark.parametrize("number", ["1", "4"])
def test_a_suspension_of_a_return_without_pupils_joins_to_nobody(
    tmp_path: Path, files: dict[str, str], where: str, number: str
) -> None:
    data = tmp_path / "data"
    exclusion = EXCLUSION.replace("\n1,", f"\n{number},")
    for name, text in (files | {where: exclusion}).items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(text)
    extract = read(data, key_file=tmp_path / "key")
    assert "suspensions" not in extract.tables
    assert extract.rejects["file"].tolist() == [where]


def test_children_without_upn_and_name_are_not_made_one(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "schoolcensus.csv").write_text(AUTUMN)
    rows = "1,8,,2012-10-03,F,2023-09-04,7\n2,8,,2012-10-03,M,2022-09-04,7\n"
    (data / "pupilonroll.csv").write_text(PUPIL + rows + f"3,8,{UPN},2012-10-03,F,2023-09-04,7\n")
    extract = read(data, key_file=tmp_path / "key")
    assert len(extract.tables["pupils"]) == 1
    assert extract.rejects["row"].tolist() == [2, 3]
    assert extract.problems["message"].str.contains("2 of 3 rows have no UPN").any()


def test_exclusions_of_one_return_are_found_in_a_folder_of_another_name(tmp_path: Path) -> None:
    """Folders by kind of table, without terms and years, belong to the one return there is."""
    files = {
        "returns/schoolcensus.csv": AUTUMN,
        "pupils/pupilonroll.csv": BOTH["aut/pupilonroll.csv"],
        "exclusions/termlyexclusionsonroll.csv": EXCLUSION,
    }
    for name, text in files.items():
        (tmp_path / "data" / name).parent.mkdir(parents=True)
        (tmp_path / "data" / name).write_text(text)
    extract = read(tmp_path / "data", key_file=tmp_path / "key")
    assert len(extract.tables["suspensions"]) == 1


@pytest.mark.parametrize(("born", "n", "n_reported"), [("2010-02-03", 2, 1), ("2012-10-03", 1, 0)])
def test_a_former_upn_joins_only_pupils_of_one_birthday(
    tmp_path: Path, born: str, n: int, n_reported: int
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "schoolcensus.csv").write_text(AUTUMN)
    header = PUPIL.replace("upn,", "upn,formerupn,")
    rows = f"1,8,{UPN},{OTHER},2012-10-03,F,2023-09-04,7\n2,8,{OTHER},,{born},F,2023-09-04,7\n"
    (data / "pupilonroll.csv").write_text(header + rows)
    extract = read(data, key_file=tmp_path / "key")
    assert len(extract.tables["pupils"]) == n
    assert (extract.problems["rule"] == "former_upn_of_another").sum() == n_reported


def test_a_row_without_an_id_is_of_no_two_pupils(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "schoolcensus.csv").write_text(AUTUMN)
    rows = f",8,{UPN},2012-10-03,F,2023-09-04,7\n,8,{OTHER},2012-10-03,F,2023-09-04,7\n"
    rows += f"1,8,{UPN},2012-10-03,F,2023-09-04,7\n1,8,{OTHER},2012-10-03,F,2023-09-04,7\n"
    (data / "pupilonroll.csv").write_text(PUPIL + rows)
    exclusions = EXCLUSION.replace("\n1,", "\n,") + EXCLUSION.partition("\n")[2]
    (data / "termlyexclusionsonroll.csv").write_text(exclusions)
    extract = read(data, key_file=tmp_path / "key")
    assert extract.rejects["reason"].tolist() == ["repeated_id", "not_linked"]


PADDED = [("{{ab-{}}}", "{{AB-{}}} "), ("{}", "{}  "), ("0a{}", " 0A{}")]
"""Ids of one kind as two tables of a return may write them."""


@pytest.mark.parametrize(("here", "there"), PADDED)
def test_ids_mean_one_row_with_blanks_around_and_in_any_capitals(
    here: str, there: str, tmp_path: Path
) -> None:
    files = {
        "schoolcensus.csv": "schoolcensustableid,term,referencedate,urn\n"
        f"{here.format(1)},AUT,2024-10-03,900001\n",
        "pupils.csv": "pupilonrolltableid,schoolcensustableid,upn,dob,gender,entrydate,ncyearactual\n"
        f"{here.format(11)},{there.format(1)},{UPN},2012-10-03,F,2023-09-04,8\n",
        "exclusions.csv": "pupilonrolltableid,startdate,sessions,category,reason1\n"
        f"{there.format(11)},2024-06-05,2,SUSP,PP\n",
    }
    extract = read_files(tmp_path, files)
    assert extract.reconciliation["rows_rejected"].sum() == 0
    assert extract.tables["suspensions"]["start_date"].dt.strftime("%d %m").tolist() == ["05 06"]


def test_a_list_of_annex_a_with_upns_names_the_children_of_the_others(tmp_path: Path) -> None:
    files = {
        "list 6.csv": "Child Unique ID,UPN,CIN Start Date,CIN Closure Date\n"
        f"A1,{UPN},08/01/2024,\nA2,{UPN},08/02/2023,09/03/2023\nA2,{OTHER},09/02/2022,10/03/2022\n",
        "list 8.csv": "Child Unique ID,Date Started to be Looked After,"
        "Date Ceased to be Looked After\na1 ,05/02/2024,\nA2,06/02/2024,\n",
    }
    (tmp_path / "x").mkdir()
    extract = read_beside(tmp_path / "x", files)
    made = extract.tables["circumstances"].query("kind == 'looked_after'")
    assert made["start_date"].dt.strftime("%d %m %Y").tolist() == ["05 02 2024"]
    # A2 has two UPNs
    assert extract.rejects.query("file == 'list 8.csv'")["row"].tolist() == [3]
