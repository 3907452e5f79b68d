"""Every page that is written: one look, one strict policy, and everyone can use it."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect

from riskmodel.assess import rank
from riskmodel.data.check import check
from riskmodel.data.read import read
from riskmodel.evaluation import Backtest, compare
from riskmodel.inclusion import inclusion
from riskmodel.report.backtest_page import backtest_page
from riskmodel.report.check_page import write_check
from riskmodel.report.dashboard.page import write_dashboard
from riskmodel.report.list_page.page import write_pages
from riskmodel.report.monitor_page import monitor_page
from riskmodel.report.records import RECORDS, write_records
from riskmodel.report.templates import style_sheet
from riskmodel.training.gate_answers import GateAnswer
from tests.browser import NARROW, WIDE, axe_faults, opened, running
from tests.lists import score, simulated_tables

OUTSIDE_LIST = ("check", "dashboard", "school", "backtest", "monitor", *RECORDS)
"""Pages that are looked at here alone; tests/test_browser.py has the list."""

PAGES = (*OUTSIDE_LIST, "list")
SCHOOL = "S0003"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def pages(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the file of each page, of simulated pupils."""
    folder = tmp_path_factory.mktemp("pages")
    write_check(check(read(tiny)), folder / "check", simulated=True)
    day = pd.Timestamp("2025-07-25").as_unit("s")
    write_dashboard(inclusion(simulated_tables(), day), folder / "dashboard", simulated=True)
    (folder / "list").mkdir()
    listed = score(simulated_tables())
    write_pages(listed, rank(listed), folder / "list", tables=simulated_tables())
    write_records(listed, folder / "records")
    (folder / "backtest.html").write_text(backtest_text(), "utf-8")
    (folder / "monitor.html").write_text(monitor_text(), "utf-8")
    return {
        "list": folder / "list" / "index.html",
        "check": folder / "check" / "index.html",
        "dashboard": folder / "dashboard" / "index.html",
        "school": folder / "dashboard" / "schools" / f"{SCHOOL}.html",
        "backtest": folder / "backtest.html",
        "monitor": folder / "monitor.html",
    } | {name: folder / "records" / f"{name}.html" for name in RECORDS}


@pytest.fixture(scope="module")
def shown(
    browser: Browser, pages: dict[str, Path], request: pytest.FixtureRequest
) -> Iterator[tuple[str, Page]]:
    """Return the name of a page, and the page: opened once for all that is looked at in it."""
    with opened(browser, pages[request.param]) as page:
        yield request.param, page


def backtest_of(n_pupils: int = 300) -> Backtest:
    """Return the backtest of two rankers on three lists of made-up pupils."""
    random = np.random.default_rng(2)
    days = np.repeat(pd.to_datetime(["2024-02-10", "2024-06-01", "2024-10-26"]), n_pupils)
    risk = random.beta(1, 12, len(days))
    label = (random.random(len(days)) < risk).astype(float)
    left = random.random(len(days)) < 0.05
    frame = pd.DataFrame(
        {
            "pupil_id": np.tile(np.arange(n_pupils), 3),
            "as_of": days,
            "label": np.where(left, np.nan, label),
            "lost_to": np.where(left, "another area", None),
            "stays": 0.95,
            "model": risk,
            "risk": risk,
            "RONI points": random.integers(0, 5, len(days)).astype(float),
            "never_suspended": random.random(len(days)) < 0.9,
            "event_on": pd.Series(days).where((label > 0) & ~left) + pd.Timedelta(days=100),
            "school_id": np.tile(np.arange(n_pupils) % 5, 3).astype(str),
            "phase": "secondary",
        }
    )
    return compare(frame, rankers=["model", "RONI points"], capacity=30)


def backtest_text() -> str:
    """Return a page with every chart, and a gate of every answer."""
    gates = [
        GateAnswer(code="tested_out_of_time", result="passed"),
        GateAnswer(code="smallest_lift", result="failed", reason="1.2 is below 2"),
        GateAnswer(code="no_new_disparity", result="not judged", reason="too few", is_needed=False),
    ]
    front = pd.DataFrame(
        {"trial": [1, 4], "average_precision": [0.2, 0.1], "recall_gap": [0.3, 0.1]}
    )
    return backtest_page(
        backtest_of(),
        outcome="pex",
        notes=["A note."],
        gates=gates,
        search=front,
        trained={"simulated": True, "trained_as_of": "2024-08-01", "seed": 0},
    )


def monitor_text() -> str:
    """Return a page with a feature that drifted and one that did not, and a list."""
    drift = pd.DataFrame(
        {
            "feature": ["calibrated log-odds", "suspensions_12_months"],
            "index": [0.02, 0.6],
            "usual": [0.1, 0.2],
            "missing_before": [0.0, 0.1],
            "missing_now": [0.0, 0.4],
            "drifted": [False, True],
        }
    )
    lists = pd.DataFrame(
        {
            "as_of": pd.to_datetime(["2024-08-01"] * 2),
            "listed": [True, False],
            "same_model": [True, False],
            "supported": ["yes", "not known"],
            "pupils": [25, 2302],
            "expected": [2.0, 4.0],
            "observed": [1.0, np.nan],
            "observed_low": [0.0, np.nan],
            "observed_high": [5.6, np.nan],
            "complete": [True, False],
        }
    )
    return monitor_page(
        title="Monitoring version 1",
        as_of=pd.Timestamp("2025-08-01"),
        simulated=True,
        problems=["A problem."],
        breaks=["A break."],
        drift=drift,
        outcomes=lists,
        caution="A caution.",
        advice=["An advice."],
        retrain=True,
    )


# -------------------------------------------------------------------------------- one look
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_the_one_style_sheet_and_allows_no_other(
    pages: dict[str, Path], name: str
) -> None:
    text = pages[name].read_text("utf-8")
    styles = re.findall(r"<style[^>]*>(.*?)</style>", text, flags=re.DOTALL)
    assert styles == [style_sheet()]
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="(.*?)"', text)
    assert policy is not None
    rules = policy[1].split("; ")
    assert rules[0] == "default-src 'none'"
    assert f"style-src 'sha256-{digest}'" in rules
    assert {"base-uri 'none'", "form-action 'none'"} <= set(rules)
    assert any(rule.startswith("script-src") for rule in rules) == (name == "list")
    body = text.split("</style>")[1].split("<script")[0]
    assert not re.search(r"<[^>]+ (style|on\w+)=", body)
    assert not re.search(r"https?://|<link|<img|<iframe|@import|url\(http|src=", body)


@pytest.mark.parametrize("shown", PAGES, indirect=True)
def test_a_page_has_the_same_parts(shown: tuple[str, Page]) -> None:
    name, page = shown
    for landmark in ("banner", "main", "contentinfo"):
        expect(page.get_by_role(landmark)).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("contentinfo")).to_contain_text("Made by riskmodel")
    simulated = page.get_by_role("complementary", name="Simulated data")
    expect(simulated).to_have_count(0 if name in ("list", *RECORDS) else 1)
    assert page.title()


@pytest.mark.parametrize("shown", PAGES, indirect=True)
def test_a_page_prints_on_a4_without_its_links(shown: tuple[str, Page], tmp_path: Path) -> None:
    _, page = shown
    page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    heading = page.get_by_role("heading", level=1).inner_text()
    facts = subprocess.run(
        ["pdfinfo", tmp_path / "page.pdf"], capture_output=True, text=True, check=True
    ).stdout
    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "page.pdf", "-"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "(A4)" in facts
    wording = " ".join(text.split())
    assert heading[:40] in wording
    assert "Made by riskmodel" in wording
    assert "On this page" not in wording


# -------------------------------------------------------------------------------- for everyone
def resized(page: Page, width: int) -> Page:
    """Unfold everything that can be unfolded, in a window of a width."""
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach((more) => { more.open = true; })")
    return page


@pytest.mark.parametrize("shown", OUTSIDE_LIST, indirect=True)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_axe_finds_nothing_and_nothing_runs_over_the_edge(
    shown: tuple[str, Page], width: int
) -> None:
    page = resized(shown[1], width)
    assert axe_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("shown", OUTSIDE_LIST, indirect=True)
def test_the_keyboard_reaches_links_and_what_scrolls(shown: tuple[str, Page]) -> None:
    page = resized(shown[1], NARROW)
    wide = (
        "[...document.querySelectorAll('*')].filter((e) => e.scrollWidth > e.clientWidth + 1 "
        "&& getComputedStyle(e).overflowX === 'auto' && e.tabIndex < 0).length"
    )
    assert page.evaluate(wide) == 0
    link = page.get_by_role("navigation", name="On this page").get_by_role("link")
    if link.count():
        target = link.last.get_attribute("href") or ""
        link.last.focus()
        page.keyboard.press("Enter")
        expect(page.locator(target)).to_be_in_viewport()


# -------------------------------------------------------------------------------- the backtest
def test_each_gate_is_marked_by_its_answer(pages: dict[str, Path]) -> None:
    text = pages["backtest"].read_text("utf-8")
    assert '<span class="verdict">passed</span>' in text
    assert '<span class="verdict blocks">failed: 1.2 is below 2</span>' in text
    assert re.search(
        '<span class="verdict open">not judged, which does not block[^<]*: too few<', text
    )


def test_a_backtest_page_is_the_same_for_the_same_figures(pages: dict[str, Path]) -> None:
    assert backtest_text() == pages["backtest"].read_text("utf-8")


def test_every_chart_of_a_backtest_has_a_name(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["backtest"]) as page:
        charts = page.locator("figure svg")
        names = [chart.get_attribute("aria-label") for chart in charts.all()]
        assert names == page.locator("figcaption").all_inner_texts()
        assert len(names) == 7
