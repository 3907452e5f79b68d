"""The list page in a real browser: as officers use it, with keyboard, reader and printer."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from riskmodel.assess import Assessment, rank
from riskmodel.data import Tables
from riskmodel.report.file_names import file_name
from riskmodel.report.list_page.page import write_pages
from tests.browser import NARROW, WIDE, axe_faults, opened, running
from tests.lists import HOSTILE, hostile_names, score, simulated_tables

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def tables() -> Tables:
    return simulated_tables()


@pytest.fixture(scope="module")
def assessment(tables: Tables) -> Assessment:
    return score(tables)


@pytest.fixture(scope="module")
def ranking(assessment: Assessment) -> pd.DataFrame:
    before = rank(assessment).sample(frac=1.0, random_state=3)
    before["rank"] = range(1, len(before) + 1)
    return rank(
        assessment, previous=before[before["pupil_id"] != rank(assessment)["pupil_id"].iloc[0]]
    )


@pytest.fixture(scope="module")
def folder(
    assessment: Assessment,
    ranking: pd.DataFrame,
    tables: Tables,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    out = tmp_path_factory.mktemp("pages")
    write_pages(assessment, ranking, out, tables=tables)
    return out


@pytest.fixture(scope="module")
def hostile(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    changed = hostile_names(tables)
    made = score(changed)
    out = tmp_path_factory.mktemp("hostile")
    write_pages(made, rank(made), out, tables=changed)
    return out


@pytest.fixture(scope="module")
def sealed(
    assessment: Assessment, ranking: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("sealed")
    write_pages(assessment, ranking, out, password=PASSWORD)
    return out


@pytest.fixture
def page(browser: Browser, folder: Path) -> Iterator[Page]:
    with opened(browser, folder / "index.html") as made:
        yield made


def expect_shown(page: Page, pupils: list[str]) -> None:
    """Wait until the rows that can be seen are those of these pupils, from top to bottom."""
    expect(page.locator("#rows tbody tr:visible th")).to_have_text(pupils)


def open_card(page: Page, pupil: str) -> Locator:
    """Follow the link of a pupil and wait for their card: the address changes before the page does."""
    page.get_by_role("link", name=pupil).click()
    expect(page.locator("#card h2")).to_have_text(f"Pupil {pupil}")
    return page.locator("#card")


# -------------------------------------------------------------------------------- the list
def test_the_list_opens_with_everybody_shown(page: Page, ranking: pd.DataFrame) -> None:
    shown = ranking[ranking["band"] != "not listed"]
    expect_shown(page, shown["pupil_id"].tolist())
    expect(page.get_by_role("heading", level=1)).to_have_text("Pupils who may need support early")
    expect(page.get_by_role("tabpanel", name="The list")).to_be_visible()
    expect(page.get_by_role("tabpanel", name="Equality audit")).to_be_hidden()


def test_search_finds_the_listed_and_everybody_else(page: Page, ranking: pd.DataFrame) -> None:
    shown = ranking.loc[ranking["band"] != "not listed", "pupil_id"].tolist()
    listed, other = ranking["pupil_id"].iloc[2], ranking["pupil_id"].iloc[200]
    search = page.get_by_role("searchbox", name="Search pupil or school")
    search.fill(listed.lower())
    expect_shown(page, [listed])
    search.fill(other)
    expect_shown(page, [])
    row = page.locator("#others tbody tr").filter(has_text=other)
    expect(row).to_contain_text("201")
    expect(page.get_by_role("status")).to_contain_text("and 1 not on it")
    search.fill("nobody at all")
    expect(page.get_by_role("status")).to_have_text("0 of 33 pupils on the list or near the line.")
    expect(page.locator("#others")).to_be_hidden()
    page.get_by_role("button", name="Clear").click()
    expect_shown(page, shown)


@pytest.mark.parametrize("label", ["School", "Year", "Phase", "Need", "Change", "On the list"])
def test_every_filter_leaves_its_own(page: Page, label: str) -> None:
    choice = page.get_by_label(label, exact=True)
    everybody = page.locator("#rows tbody tr")
    name = choice.get_attribute("data-name")
    values = [option for option in choice.locator("option").all_inner_texts() if option != "All"]
    assert values
    seen = 0
    for value in values:
        choice.select_option(label=value)
        rows = everybody.locator("visible=true")
        assert {row.get_attribute(f"data-{name}") for row in rows.all()} == {value}
        seen += rows.count()
    assert seen == everybody.count()


def test_filters_and_search_work_together(page: Page, ranking: pd.DataFrame) -> None:
    shown = ranking[ranking["band"] != "not listed"]
    school = shown["school_id"].iloc[0]
    page.get_by_label("On the list").select_option(label="near the line")
    page.get_by_role("searchbox").fill(school)
    near = shown[(shown["band"] == "near the line") & (shown["school_id"] == school)]
    expect_shown(page, near["pupil_id"].tolist())
    expect(page.locator("#others")).to_be_hidden()  # nobody outside the list is near the line


def test_columns_sort_both_ways_and_show_it(page: Page, ranking: pd.DataFrame) -> None:
    shown = ranking[ranking["band"] != "not listed"]
    head = page.locator("#rows th[data-key=year]")
    by_year = shown.sort_values(["year_group", "rank"])["pupil_id"].tolist()
    page.get_by_role("button", name="Year", exact=True).click()
    expect_shown(page, by_year)
    expect(head).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("button", name="Year", exact=True).click()
    down = shown.sort_values(["year_group", "rank"], ascending=[False, True])["pupil_id"].tolist()
    expect_shown(page, down)
    expect(head).to_have_attribute("aria-sort", "descending")
    page.get_by_role("button", name="Rank").click()
    expect_shown(page, shown["pupil_id"].tolist())
    assert head.get_attribute("aria-sort") is None


# -------------------------------------------------------------------------------- cards
def test_a_card_holds_the_story_and_leads_back(page: Page, ranking: pd.DataFrame) -> None:
    second = ranking["pupil_id"].iloc[1]
    card = open_card(page, second)
    expect(page.get_by_role("article", name=f"Pupil {second}")).to_be_focused()
    for title in (
        "The story",
        "Attendance by week",
        "Schools, moves and suspensions",
        "Questions to ask",
        "What we do not know",
    ):
        expect(card.get_by_role("heading", name=title)).to_be_visible()
    expect(card.get_by_role("img", name="Attendance by week")).to_be_visible()
    expect(card.get_by_role("img", name="Timeline of three years")).to_be_visible()
    expect(page.locator("#rows")).to_be_hidden()
    card.get_by_role("link", name="Next").click()
    expect(card.get_by_role("heading", level=2)).to_have_text(
        f"Pupil {ranking['pupil_id'].iloc[2]}"
    )
    page.go_back()
    expect(card.get_by_role("heading", level=2)).to_have_text(f"Pupil {second}")
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(page.get_by_role("link", name=second)).to_be_focused()


def test_incidents_come_last_in_a_story(
    page: Page, assessment: Assessment, ranking: pd.DataFrame
) -> None:
    suspended = assessment.explanation.features["suspensions_12_months"].to_numpy() > 0
    ids = assessment.scores["pupil_id"].astype("str")[suspended]
    first = ranking.loc[ranking["selected"] & ranking["pupil_id"].isin(ids), "pupil_id"].iloc[0]
    titles = open_card(page, first).locator("h4").all_inner_texts()
    headings = [title.lower() for title in titles if title.lower() != "everything else"]
    assert headings[-1] == "incidents"
    bars = page.locator("#card .sentences li")
    assert bars.count() == page.locator("#card .sentences .effect rect").count()


def test_a_chart_draws_the_weeks_that_are_known(
    page: Page, tables: Tables, assessment: Assessment, ranking: pd.DataFrame
) -> None:
    from riskmodel.report.list_page.history import weekly_attendance

    first = ranking["pupil_id"].iloc[0]
    weeks = weekly_attendance(tables, [first], as_of=assessment.as_of)
    assert weeks is not None
    open_card(page, first)
    known = weeks.share[0][~pd.isna(weeks.share[0])]
    bars = page.locator("#card rect.bar")
    assert bars.count() == len(known)
    heights = [float(str(bar.get_attribute("height"))) for bar in bars.all()]
    assert max(heights) == pytest.approx(96 * known.max(), abs=1)
    assert page.locator("#card rect.holiday").count() == weeks.is_holiday.sum()


def test_every_link_of_the_card_follows_what_is_filtered(page: Page, ranking: pd.DataFrame) -> None:
    near = ranking.loc[ranking["band"] == "near the line", "pupil_id"].tolist()
    page.get_by_label("On the list").select_option(label="near the line")
    open_card(page, near[0])
    expect(page.locator("#card nav a")).to_have_count(2)  # back and next; nobody is before
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#card h2")).to_have_text(f"Pupil {near[1]}")


def test_weak_reasons_are_marked(browser: Browser, folder: Path, tmp_path: Path) -> None:
    text = (folder / "index.html").read_text(encoding="utf-8")
    block = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert block is not None
    data = json.loads(block[1])
    data["cards"][0]["story"][1][4] = 1
    changed = text.replace(block[1], json.dumps(data).replace("<", "\\u003c"))
    (tmp_path / "index.html").write_text(changed, encoding="utf-8")
    with opened(browser, tmp_path / "index.html") as page:
        page.locator("#rows tbody a").first.click()
        expect(page.locator(".sentences li").nth(1)).to_contain_text(
            "Weak: part of the model, or a small change of the facts"
        )
        expect(page.locator(".sentences small")).to_have_count(1)


# -------------------------------------------------------------------------------- everyone can use it
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_axe_finds_nothing(
    browser: Browser, folder: Path, width: int, ranking: pd.DataFrame
) -> None:
    with opened(browser, folder / "index.html", width=width) as page:
        assert axe_faults(page) == []
        page.get_by_role("searchbox").fill("P000")
        assert axe_faults(page) == []
        for name in ("Equality audit", "About this list"):
            page.get_by_role("tab", name=name).click()
            for closed in page.locator("summary:visible").all():
                closed.click()
            assert axe_faults(page) == []
        page.get_by_role("tab", name="The list").click()
        page.get_by_role("searchbox").fill("")
        open_card(page, ranking["pupil_id"].iloc[0])
        assert axe_faults(page) == []
    school = file_name(str(ranking["school_id"].iloc[0]))
    with opened(browser, folder / "schools" / f"{school}.html", width=width) as page:
        assert axe_faults(page) == []


def test_axe_finds_nothing_on_a_sealed_page(browser: Browser, sealed: Path) -> None:
    with opened(browser, sealed / "index.html") as page:
        assert axe_faults(page) == []


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_nothing_runs_over_the_edge(browser: Browser, hostile: Path, width: int) -> None:
    with opened(browser, hostile / "index.html", width=width) as page:
        for click in (None, "Equality audit", "About this list", "The list"):
            if click:
                page.get_by_role("tab", name=click).click()
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator("#rows tbody a").nth(4).click()
        expect(page.locator("#card")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_keyboard_reaches_everything(page: Page, ranking: pd.DataFrame) -> None:
    names = []
    for _ in range(20):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "(document.activeElement.labels?.[0] || document.activeElement).textContent.trim()"
            )
        )
    first = ranking["pupil_id"].iloc[0]
    assert names[:3] == ["Skip to the list", "The list", "Search pupil or school"]
    assert names.index("Clear") < names.index("Rank") < names.index(first)
    page.get_by_role("tab", name="The list").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Equality audit")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Equality audit")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("link", name=first).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#card")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Back to the list")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#card h2")).to_have_text(f"Pupil {ranking['pupil_id'].iloc[1]}")


def test_without_script_the_list_can_be_read(
    browser: Browser, folder: Path, ranking: pd.DataFrame
) -> None:
    with opened(browser, folder / "index.html", javascript=False) as page:
        expect_shown(page, ranking.loc[ranking["band"] != "not listed", "pupil_id"].tolist())
        expect(page.locator("#tools")).to_be_hidden()
        expect(page.locator("#fairness")).to_be_visible()


# -------------------------------------------------------------------------------- paper
def pdf_text(page: Page, path: Path) -> list[str]:
    """Print to PDF and return the text of each sheet of paper; every one is A4."""
    page.pdf(path=path, prefer_css_page_size=True)
    facts = subprocess.run(["pdfinfo", path], capture_output=True, text=True, check=True).stdout
    assert "(A4)" in facts
    made = subprocess.run(
        ["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True
    )
    return made.stdout.split("\f")[:-1]


def test_the_list_prints_on_a4_with_its_heads_on_every_sheet(
    page: Page, ranking: pd.DataFrame, tmp_path: Path
) -> None:
    sheets = pdf_text(page, tmp_path / "list.pdf")
    text = "\n".join(sheets)
    assert all(pupil in text for pupil in ranking.loc[ranking["selected"], "pupil_id"])
    assert "must not be used to exclude" in text
    assert "Search pupil" not in text
    assert len(sheets) > 1
    for sheet in sheets:
        if any(pupil in sheet for pupil in ranking.loc[ranking["selected"], "pupil_id"]):
            assert "Rank" in sheet


def test_a_card_prints_alone_and_whole(page: Page, ranking: pd.DataFrame, tmp_path: Path) -> None:
    open_card(page, ranking["pupil_id"].iloc[0])
    text = "\n".join(pdf_text(page, tmp_path / "card.pdf"))
    assert f"Pupil {ranking['pupil_id'].iloc[0]}" in text
    assert ranking["pupil_id"].iloc[1] not in text
    events = page.locator("#card .events li").all_text_contents()
    shown = " ".join(text.split())
    assert all(event[:11] in shown for event in events)  # also those that are folded away


# -------------------------------------------------------------------------------- names and passwords
def test_hostile_names_are_text_in_the_browser(browser: Browser, hostile: Path) -> None:
    with opened(browser, hostile / "index.html") as page:
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        for name in HOSTILE:
            found = (
                page.locator("#rows tbody th").filter(has_text=" ".join(name.split())[:40]).first
            )
            expect(found).to_be_visible()
        page.get_by_role("searchbox").fill("<")
        page.get_by_role("searchbox").fill("<s")
        found = page.locator("#others tbody th").filter(has_text="<script>").first
        expect(found).to_be_visible()
        page.get_by_role("searchbox").fill("")
        for number in range(len(HOSTILE)):
            page.goto(f"{(hostile / 'index.html').as_uri()}#pupil-{number + 1}")
            expect(page.locator("#card h2")).to_be_visible()
        assert page.locator("script").count() == 2
        assert page.locator("img").count() == 0
        assert page.locator("h1").count() == 1
        assert page.title() != "taken"


def test_the_policy_stops_what_is_not_the_pages_own(
    browser: Browser, folder: Path, tmp_path: Path
) -> None:
    text = (folder / "index.html").read_text(encoding="utf-8")
    attack = (
        "<script>document.title = 'taken'</script><img src=x onerror=\"document.title='taken'\">"
    )
    (tmp_path / "index.html").write_text(
        text.replace("<footer>", f"{attack}<footer>"), encoding="utf-8"
    )
    context = browser.new_context()
    page = context.new_page()
    page.goto((tmp_path / "index.html").as_uri())
    assert page.title() == "Pupils who may need support early"
    context.close()


def test_a_sealed_page_opens_with_the_right_password_only(
    browser: Browser, sealed: Path, ranking: pd.DataFrame
) -> None:
    with opened(browser, sealed / "index.html") as page:
        password = page.get_by_label("Password")
        expect(password).to_be_focused()
        password.fill("wrong horse battery")
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("status")).to_have_text(
            "That is not the password of this page. Please try again."
        )
        assert ranking["pupil_id"].iloc[0] not in page.content()
        password.fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("#rows")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        expect_shown(page, ranking.loc[ranking["band"] != "not listed", "pupil_id"].tolist())
        open_card(page, ranking["pupil_id"].iloc[0])
        assert axe_faults(page) == []


def test_a_browser_that_cannot_open_a_sealed_page_explains_it(
    browser: Browser, sealed: Path
) -> None:
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(globalThis, 'crypto', {value: {}})")
    page = context.new_page()
    page.goto((sealed / "index.html").as_uri())
    expect(page.get_by_role("status")).to_contain_text("This browser does not offer WebCrypto")
    expect(page.get_by_role("button", name="Open")).to_be_disabled()
    context.close()


# -------------------------------------------------------------------------------- little data
def test_one_pupil_and_no_tables_make_a_page_to_use(
    browser: Browser, assessment: Assessment, tmp_path: Path
) -> None:
    one = replace(
        assessment,
        capacity=1,
        scores=assessment.scores.iloc[:1],
        explanation=assessment.explanation.take(np.arange(1)),
    )
    write_pages(one, rank(one), tmp_path)
    with opened(browser, tmp_path / "index.html") as page:
        page.locator("#rows tbody a").click()
        expect(page.locator("#card")).to_be_focused()
        assert axe_faults(page) == []


def test_a_school_without_listed_pupils_makes_a_page_to_read(
    browser: Browser, tables: Tables, tmp_path: Path
) -> None:
    made = score(tables, capacity=1)
    write_pages(made, rank(made), tmp_path, tables=tables)
    listed = set(rank(made)["school_id"].iloc[:2])
    empty = min(set(made.scores["school_id"]) - listed)
    with opened(browser, tmp_path / "schools" / f"{file_name(empty)}.html") as page:
        expect(page.get_by_text("No pupil of this school is on this list or near")).to_be_visible()
        page.get_by_role("tab", name="About this list").click()
        expect(page.get_by_role("tabpanel", name="About this list")).to_be_visible()
        assert axe_faults(page) == []
