"""The dashboard as files: what a page may hold, what it must not, and how the command fails."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel.data import Tables
from riskmodel.data.read import read
from riskmodel.errors import DataError, RequestError
from riskmodel.fairness.disclosure import hidden_rows
from riskmodel.inclusion import inclusion, sum_by_phase
from riskmodel.inclusion.catalogue import MEASURES
from riskmodel.jobs import make_dashboard
from riskmodel.report.charts import number
from riskmodel.report.dashboard.cells import hide_area, hide_school
from riskmodel.report.dashboard.measure_charts import Point, line_chart
from riskmodel.report.dashboard.page import write_dashboard
from tests.strategies import table_of

Run = Callable[..., subprocess.CompletedProcess[str]]
DAY = pd.Timestamp("2025-07-25").as_unit("s")


@pytest.fixture(scope="module")
def pages(extracts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dashboard(extracts, out=tmp_path_factory.mktemp("dashboard") / "out")


def every_page(folder: Path) -> list[Path]:
    """Return the index and the page of every school; some, or nothing is tested."""
    found = sorted(folder.rglob("*.html"))
    assert len(found) > 3
    return found


def one_school(n_pupils: int, suspended: dict[str, int], **school: Any) -> Tables:
    """Return a school whose pupils came in 2022; suspensions by day."""
    ids = tuple(f"P{number:03d}" for number in range(n_pupils))
    who = iter(ids)
    facts = [
        {
            "pupil_id": next(who),
            "school_id": "S",
            "category": "SUSP",
            "start_date": day,
            "sessions": 2,
            "reason_1": "DB",
            "recorded_on": day,
        }
        for day, count in suspended.items()
        for _ in range(count)
    ]
    rolls = [
        {
            "pupil_id": p,
            "school_id": "S",
            "entry_date": "2022-09-01",
            "status": "main",
            "year_group": 7,
            "recorded_on": "2022-09-10",
        }
        for p in ids
    ]
    calendar = [
        {"date": day, "term": term, "half_term": half}
        for day, term, half in (
            ("2023-09-04", "autumn", 1),
            ("2024-01-08", "spring", 3),
            ("2024-04-15", "summer", 5),
            ("2024-07-19", "summer", 6),
        )
    ]
    rows: dict[str, list[dict[str, Any]]] = {
        "pupils": [{"pupil_id": p} for p in ids],
        "enrolments": rolls,
        "suspensions": facts,
        "schools": [{"school_id": "S", "phase": "secondary", "kind": "mainstream"} | school],
        "calendar": calendar,
    }
    return Tables({name: table_of(name, these, ids) for name, these in rows.items()})


def page_of(tables: Tables, folder: Path) -> str:
    write_dashboard(inclusion(tables, pd.Timestamp("2024-08-01").as_unit("s")), folder)
    (page,) = (folder / "schools").iterdir()
    return page.read_text("utf-8")


def numbers_of(page: str, title: str) -> dict[str, list[str]]:
    """Return period → cells of a measure's table of numbers."""
    part = page.split(f"<summary>Numbers: {title}</summary>")[1].split("</table>")[0]
    rows = re.findall(r'<tr[^>]*><th scope="row">(.*?)</th>(.*?)</tr>', part, flags=re.DOTALL)
    return {period: re.findall(r"<td[^>]*>(.*?)</td>", cells) for period, cells in rows}


def test_every_school_has_a_page_with_nothing_of_another_in_its_bytes(
    pages: Path, extracts: Path
) -> None:
    schools = pd.read_parquet(extracts / "schools.parquet")
    assert {path.stem for path in (pages / "schools").iterdir()} == set(schools["school_id"])
    for school, name in zip(schools["school_id"], schools["name"], strict=True):
        text = (pages / "schools" / f"{school}.html").read_text("utf-8")
        assert f"Inclusion at <bdi>{name}</bdi>" in text
        others = schools[schools["school_id"] != school]
        for other, title, urn in zip(
            others["school_id"], others["name"], others["urn"], strict=True
        ):
            assert other not in text
            assert not re.search(rf"{title}\b", text)
            assert urn not in text


def test_a_school_page_does_not_change_with_the_other_schools(
    extracts: Path, pages: Path, tmp_path: Path
) -> None:
    tables = read(extracts).tables
    rolls = tables["enrolments"]
    school = str(rolls["school_id"].iloc[0])
    others = rolls[(rolls["school_id"] != school).to_numpy()]["school_id"].value_counts().index[0]
    facts = tables["suspensions"]
    fewer = facts[(facts["school_id"] != others).to_numpy()]
    made = inclusion(
        Tables(dict(tables) | {"suspensions": fewer}), pd.Timestamp("2025-08-01").as_unit("s")
    )
    same = inclusion(tables, pd.Timestamp("2025-08-01").as_unit("s"))
    write_dashboard(made, tmp_path / "a")
    write_dashboard(same, tmp_path / "b")
    first, second = ((tmp_path / name / "schools" / f"{school}.html").read_bytes() for name in "ab")
    assert first == second


def test_no_pupil_is_on_any_page(pages: Path) -> None:
    for path in every_page(pages):
        assert not re.search(r"P\d{7}", path.read_text("utf-8"))


def test_pages_ask_for_nothing_and_forbid_it(pages: Path) -> None:
    for path in every_page(pages):
        text = path.read_text("utf-8")
        assert "default-src 'none'" in text
        assert not re.search(r"https?://|<script|@import|url\(|src=", text)


def test_the_index_lists_schools_by_identifier_and_names_none_beside_a_number(
    pages: Path, extracts: Path
) -> None:
    text = (pages / "index.html").read_text("utf-8")
    listed = re.findall(r'<a href="schools/(.*?)\.html"', text)
    assert listed == sorted(listed)
    assert "must not be used to rank schools" in text
    before = text.split('id="schools"')[0]
    for school in pd.read_parquet(extracts / "schools.parquet")["school_id"]:
        assert school not in before
    assert all((pages / "schools" / f"{name}.html").is_file() for name in listed)


def test_the_simulated_are_called_simulated(pages: Path, tmp_path: Path) -> None:
    assert all("Simulated data" in path.read_text("utf-8") for path in every_page(pages))
    assert "Simulated" not in page_of(one_school(30, {"2023-10-01": 9}), tmp_path / "out")


def test_a_small_count_is_hidden_and_so_is_what_would_reveal_it(tmp_path: Path) -> None:
    # autumn 3, spring 8, summer 9: the year's 20 less the two shown would leave 3
    tables = one_school(60, {"2023-10-02": 3, "2024-02-01": 8, "2024-05-01": 9})
    found = numbers_of(page_of(tables, tmp_path / "out"), "Suspensions")
    assert found["2023/24"][:3] == ["33.3", "20", "60"]
    assert found["2023/24 autumn"][:3] == ["c", "c", "c"]
    assert found["2023/24 spring"][:3] == ["c", "c", "c"]
    assert found["2023/24 summer"][:3] == ["15.0", "9", "60"]


def test_suspensions_and_pupils_suspended_hide_together(tmp_path: Path) -> None:
    # autumn 3 pupils; spring 8 pupils once each; summer 6 pupils twice: by pupils the summer would
    # be hidden beside the autumn, by suspensions the spring, and each would give away the other
    tables = dict(one_school(60, {"2023-10-02": 3, "2024-02-01": 8, "2024-05-01": 6}))
    again = (
        tables["suspensions"]
        .iloc[-6:]
        .assign(
            start_date=pd.Timestamp("2024-06-03").as_unit("s"),
            recorded_on=pd.Timestamp("2024-06-04").as_unit("s"),
        )
    )
    tables["suspensions"] = pd.concat([tables["suspensions"], again], ignore_index=True)
    page = page_of(Tables(tables), tmp_path / "out")
    for title in ("Suspensions", "Pupils suspended"):
        assert list(numbers_of(page, title)) == ["2023/24"]  # no term is left to show


def test_a_hidden_value_is_nowhere_in_the_page(tmp_path: Path) -> None:
    counts = {"2023-10-02": 3, "2024-02-01": 8, "2024-05-01": 9}
    shown = page_of(one_school(60, counts), tmp_path / "a")
    other = page_of(one_school(60, counts | {"2023-10-02": 4, "2024-02-01": 7}), tmp_path / "b")
    assert shown.replace("a", "") == other.replace(
        "a", ""
    )  # the two differ in what is hidden alone


@pytest.mark.parametrize("n_pupils", [1, 4])
def test_a_school_of_a_few_pupils_shows_no_number(n_pupils: int, tmp_path: Path) -> None:
    page = page_of(one_school(n_pupils, {"2023-10-02": 1}), tmp_path / "out")
    assert "Fewer than 5 pupils are on its main roll" in page
    assert "<svg" not in page
    assert not re.search(r"\d+ \(\d", page)


def test_needs_do_not_reveal_how_many_have_a_plan(tmp_path: Path) -> None:
    # 12 with support and 3 with a plan: the needs add up to 15, which less 12 would be 3
    tables = dict(one_school(60, {"2023-10-02": 9}))
    ids = tuple(tables["pupils"]["pupil_id"].cat.categories)
    spells = [
        {
            "pupil_id": p,
            "provision": "E" if place < 3 else "K",
            "primary_need": "SEMH" if place % 2 else "SLCN",
            "start_date": "2022-10-01",
            "recorded_on": "2022-11-01",
        }
        for place, p in enumerate(ids[:15])
    ]
    page = page_of(Tables(tables | {"send": table_of("send", spells, ids)}), tmp_path / "out")
    assert numbers_of(page, "SEN support")["2023/24"][1] == "12"
    assert "Social, emotional" not in page.split("Primary needs</h4>")[1].split("<h3")[0]
    assert not re.search(r"\b[78] \(", page)


def random_groups(seed: int) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    counts = pd.DataFrame({"people": rng.integers(0, 12, 40).astype(float)})
    return counts, pd.Series(rng.integers(0, 12, 40))


@pytest.mark.parametrize("seed", range(20))
def test_no_total_leaves_a_small_count(seed: int) -> None:
    counts, within = random_groups(seed)
    hidden = hidden_rows(counts, within)
    for value in within.unique():
        rows = (within == value).to_numpy()
        gone = counts["people"].to_numpy()[rows & hidden]
        assert (counts["people"].to_numpy()[rows & ~hidden] >= 5).all()
        assert len(gone) == 0 or (len(gone) > 1 and gone.sum() >= 5) or hidden[rows].all()


def test_the_area_less_the_other_schools_leaves_no_small_count(extracts: Path) -> None:
    made = inclusion(read(extracts).tables, DAY)
    schools = pd.concat([hide_school(rows) for _, rows in made.table.groupby("school_id")])
    area = hide_area(sum_by_phase(made.table), schools)
    shown = area[~area["hidden"] & area["value"].notna()]
    keys = ["phase", "measure", "code", "period"]
    gone = schools[schools["hidden"]].groupby(keys)["people"].agg(["size", "sum"])
    both = shown.set_index(keys).join(gone, how="inner")
    assert len(both)
    assert (both["size"] > 1).all()
    assert (both["sum"] >= 5).all()
    assert (shown["schools"] >= 3).all()
    # nor do the terms of a year leave one term
    adds = area[area["measure"].map(lambda name: MEASURES[name].adds) & (area["term"] != "year")]
    left = adds[adds["hidden"]].groupby(["phase", "measure", "code", "year"]).size()
    terms = adds[adds["value"].notna()].groupby(["phase", "measure", "code", "year"]).size()
    assert ((left > 1) | (left == terms[left.index])).all()


NAMES = [
    '<script>alert("x")</script>',
    "=HYPERLINK(0)",
    "مدرسة النور",
    "Saint " + "Æthelthryth " * 60,
    "A & B's {{ school }}",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_harmless_and_shown(name: str, tmp_path: Path) -> None:
    page = page_of(one_school(30, {"2023-10-02": 9}, name=name), tmp_path / "out")
    index = (tmp_path / "out" / "index.html").read_text("utf-8")
    for text in (page, index):
        assert "<script" not in text
        assert "<bdi>" in text
    heading = Headings.of(page)
    assert heading == f"Inclusion at {name}"


class Headings(HTMLParser):
    """Reads the text of the first heading."""

    text, inside = "", False

    @classmethod
    def of(cls, page: str) -> str:
        reader = cls()
        reader.feed(page)
        return reader.text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside |= tag == "h1"

    def handle_endtag(self, tag: str) -> None:
        self.inside &= tag != "h1"

    def handle_data(self, data: str) -> None:
        self.text += data if self.inside else ""


@pytest.mark.parametrize("school", ["../../etc/x", "a/b c", "é" * 200, "CON?"])
def test_identifiers_become_safe_files_that_the_index_links_to(school: str, tmp_path: Path) -> None:
    tables = dict(one_school(30, {"2023-10-02": 9}))
    for name in ("schools", "enrolments", "suspensions"):
        tables[name] = tables[name].assign(
            school_id=pd.array([school] * len(tables[name]), dtype="str")
        )
    page_of(Tables(tables), tmp_path / "out")
    (path,) = (tmp_path / "out" / "schools").iterdir()
    text = (tmp_path / "out" / "index.html").read_text("utf-8")
    (link,) = re.findall(r'href="schools/(.*?)\.html"', text)
    assert link.replace("%25", "%") == path.stem
    assert len(path.name) < 200


def test_a_closed_school_keeps_its_past(tmp_path: Path) -> None:
    tables = dict(one_school(30, {"2023-10-02": 9}))
    end = pd.Timestamp("2023-12-20").as_unit("s")
    tables["enrolments"] = tables["enrolments"].assign(
        leaving_date=end, end_recorded_on=end + pd.Timedelta(days=1)
    )
    page = page_of(Tables(tables), tmp_path / "out")
    assert "Nobody is on its main roll" in page
    found = numbers_of(page, "Suspensions")
    assert found["2023/24 autumn"][1] == "9"
    assert found["2023/24 summer"][:2] == [
        "–",
        "The extracts hold no suspensions after 2 October 2023.",
    ]


def test_pages_of_schools_without_marks_calendar_or_suspensions_state_it(tmp_path: Path) -> None:
    tables = {
        name: table
        for name, table in one_school(30, {}).items()
        if name in ("pupils", "enrolments", "schools")
    }
    page = page_of(Tables(tables), tmp_path / "out")
    assert "hold no registers" in page
    assert "The extracts hold no table of suspensions." in page
    assert "Pupils on roll" in page


def test_an_alternative_provider_is_compared_with_nobody(pages: Path, tmp_path: Path) -> None:
    page = page_of(
        one_school(30, {"2023-10-02": 9}, kind="AP", phase="all_through"), tmp_path / "out"
    )
    assert "none is for a school like this one" in page
    others = [path.read_text("utf-8") for path in every_page(pages)]
    for words in ('class="reference"', "England, secondary"):
        assert words not in page
        assert any(words in other for other in others)


def test_charts_speak_and_never_bridge_a_gap() -> None:
    points = [
        Point(year="2023/24", value=v, hidden=np.isnan(v), complete=True)
        for v in (1.0, 2.0, float("nan"), 4.0, 5.0)
    ]
    chart = line_chart(points, 3.0)
    assert [len(line.split()) for line in chart.lines] == [2, 2]
    assert [note.text for note in chart.notes] == ["c"]
    for words in ("from 1.0 to 5.0", "highest 5.0", "England: 3.0", "without a value shown: 1"):
        assert words in chart.text
    assert "No value" in line_chart(points[2:3], float("nan")).text


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0], [100.0], [99.9, 95.0], [1e6], [0.004]])
def test_every_point_lies_within_the_chart(values: list[float]) -> None:
    points = [Point(year="2023/24", value=v, hidden=False, complete=True) for v in values]
    chart = line_chart(points, float("nan"))
    assert all(chart.top <= dot.y <= chart.foot for dot in chart.dots)


def test_each_picture_has_a_text_and_each_card_its_numbers(pages: Path) -> None:
    for path in every_page(pages):
        text = path.read_text("utf-8")
        assert len(re.findall(r"<svg", text)) == len(
            re.findall(r'<svg[^>]*role="img" aria-label="[^"]+', text)
        )
        assert text.count('class="card"') == text.count("<details>")
        assert text.count("<h1") == 1
        assert '<html lang="en-GB">' in text


def test_numbers_are_written_for_people() -> None:
    assert [number(v) for v in (0.0, 0.04, 12.34)] == ["0.0", "0.04", "12.3"]


def test_the_command_writes_the_folder_and_refuses_a_full_one(
    command: Run, tmp_path: Path, extracts: Path
) -> None:
    done = command("dashboard", extracts, "--out", "d", "--as-of", "2024-12-01")
    assert done.returncode == 0, done.stderr
    assert "Open d/index.html" in done.stdout
    assert "1 December 2024" in (tmp_path / "d" / "index.html").read_text("utf-8")
    again = command("dashboard", extracts, "--out", "d")
    assert again.returncode == 1
    assert "not empty" in again.stderr
    assert "Traceback" not in again.stderr


def test_no_schools_is_one_plain_sentence(command: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "pupils.csv").write_text("pupil_id,sex\nP1,F\n")
    (folder / "sessions.csv").write_text("pupil_id,date,session,mark\nP1,2024-10-01,AM,/\n")
    done = command("dashboard", folder, "--out", "d")
    assert done.returncode == 1
    assert "holds no school" in done.stderr
    assert "Add enrolments.csv" in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2
    assert not (tmp_path / "d").exists()
    assert list(tmp_path.glob(".d-*")) == []


def test_extracts_without_facts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pupils.csv").write_text("pupil_id,sex\nP1,F\n")
    with pytest.raises(DataError, match="nothing to show"):
        make_dashboard(tmp_path, out=tmp_path / "d")


@pytest.mark.parametrize("day", ["1990-01-01", "2025-12-01", "2099-01-01"])
def test_a_day_beyond_the_facts_is_refused(day: str, extracts: Path, tmp_path: Path) -> None:
    words = "Name a day after the first and up to 20[0-9-]{8}, or add newer extracts"
    with pytest.raises(RequestError, match=words):
        make_dashboard(extracts, out=tmp_path / "d", as_of=pd.Timestamp(day).as_unit("s"))


def test_one_mistyped_date_does_not_move_the_day_of_the_dashboard(
    tiny: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny, tmp_path / "la")
    file = tmp_path / "la" / "enrolments.parquet"  # the table that is recorded last
    rolls = pd.read_parquet(file)
    end = rolls["recorded_on"].max()
    rolls.loc[0, "recorded_on"] = end + pd.Timedelta(days=365)
    rolls.to_parquet(file, index=False)
    folder = make_dashboard(tmp_path / "la", out=tmp_path / "d")
    text = (folder / "index.html").read_text("utf-8")
    day = end + pd.Timedelta(days=1)
    assert f"{day.day} {day:%B %Y}" in text


def test_an_area_of_few_schools_shows_no_phase_as_if_it_were_a_school(
    tiny: Path, tmp_path: Path
) -> None:
    folder = make_dashboard(tiny, out=tmp_path / "d")
    text = (folder / "index.html").read_text("utf-8")
    assert text.count('class="card"') == text.count("<details>")
    schools = pd.read_parquet(tiny / "schools.parquet")
    assert (schools["kind"] == "special").sum() < 3
    after = text.split("Special schools beside England</h2>")[1].split("<h2")[0]
    assert "Fewer than 3 schools" in after
    assert "<svg" not in after


def test_a_profile_does_not_give_away_the_roll_of_a_school_too_small_to_show(
    tmp_path: Path,
) -> None:
    sizes = {"A": 3, "B": 30, "C": 40, "D": 50}
    ids = tuple(f"P{number:03d}" for number in range(sum(sizes.values())))
    at = [school for school, size in sizes.items() for _ in range(size)]
    rows: dict[str, list[dict[str, Any]]] = {
        "pupils": [{"pupil_id": p} for p in ids],
        "enrolments": [
            {
                "pupil_id": p,
                "school_id": school,
                "entry_date": "2022-09-01",
                "status": "main",
                "year_group": 7,
                "recorded_on": "2022-09-10",
            }
            for p, school in zip(ids, at, strict=True)
        ],
        "schools": [
            {
                "school_id": school,
                "phase": "secondary" if school != "D" else "primary",
                "kind": "mainstream",
            }
            for school in sizes
        ],
    }
    tables = Tables({name: table_of(name, these, ids) for name, these in rows.items()})
    write_dashboard(inclusion(tables, pd.Timestamp("2024-08-01").as_unit("s")), tmp_path / "out")
    text = (tmp_path / "out" / "index.html").read_text("utf-8")
    profile = text.split('id="profile"')[1].split("<h2")[0]
    # 73 of secondary schools, or 123 of all, less the other schools' pages would be 3
    assert "50" in profile
    assert not re.search(r"\b(73|123)\b", profile)
    assert "%" not in profile
