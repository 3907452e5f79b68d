"""Take the pictures of the documentation: ``python -m docs.take_pictures`` from the repository's folder.

In:  nothing; a simulated LA, its check, a model, a list, its monitoring and a dashboard are made in a scratch
folder.
Out: ``docs/images/*.png``, taken in Chromium; sheets of paper by ``pdftoppm``.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from riskmodel.data.check import check
from riskmodel.data.read import read
from riskmodel.jobs import make_dashboard, monitor, run_demo
from riskmodel.jobs.run import Run
from riskmodel.report.check_page import write_check
from tests.browser import NARROW, WIDE, opened, running

IMAGES = Path(__file__).parent / "images"
PUPILS, SEED = 12_000, 0
TALLEST = 1_700
"""Pixels of a page that a picture shows; a list goes on."""

DOTS_PER_INCH = 70


def shoot(page: Page, name: str) -> None:
    """Take a picture of the page as it is."""
    size = page.viewport_size
    assert size is not None
    height = min(TALLEST, page.evaluate("document.documentElement.scrollHeight"))
    whole = {"x": 0, "y": 0, "width": size["width"], "height": height}
    page.screenshot(path=IMAGES / f"{name}.png", full_page=True, clip=whole)


def shoot_paper(page: Page, name: str, scratch: Path) -> None:
    """Print the page, and take a picture of the first sheet."""
    sheet = scratch / f"{name}.pdf"
    page.pdf(path=sheet, prefer_css_page_size=True)
    options = ["-png", "-r", str(DOTS_PER_INCH), "-f", "1", "-singlefile"]
    subprocess.run(["pdftoppm", *options, sheet, IMAGES / name], check=True)


def shoot_list(browser: Browser, folder: Path, width: int, scratch: Path) -> None:
    """Take the pictures of the LA's page and of a card."""
    with opened(browser, folder / "index.html", width=width) as page:
        shoot(page, f"list_{width}")
        page.get_by_role("tab", name="Equality audit").click()
        shoot(page, f"audit_{width}")
        page.get_by_role("tab", name="The list").click()
        if width == WIDE:
            shoot_paper(page, "list_print", scratch)
        page.locator("#rows tbody a").nth(1).click()
        shoot(page, f"card_{width}")
        if width == WIDE:
            shoot_paper(page, "card_print", scratch)


def shoot_school(browser: Browser, folder: Path, width: int) -> None:
    """Take a picture of the school with most pupils listed."""
    largest = max((folder / "schools").iterdir(), key=lambda path: (path.stat().st_size, path.name))
    with opened(browser, largest, width=width) as page:
        shoot(page, f"school_{width}")


def shoot_dashboard(browser: Browser, folder: Path, width: int) -> None:
    """Take pictures of the inclusion dashboard: the LA's page, and a school's own."""
    largest = max((folder / "schools").iterdir(), key=lambda path: (path.stat().st_size, path.name))
    for path, name in ((folder / "index.html", "dashboard"), (largest, "dashboard_school")):
        with opened(browser, path, width=width) as page:
            shoot(page, f"{name}_{width}")


def shoot_analyst(browser: Browser, demo: Path, scratch: Path, width: int) -> None:
    """Take pictures of the pages for an analyst: check, backtest and monitoring."""
    (backtest,) = demo.rglob("backtest.html")
    pages = {
        "check": scratch / "check" / "index.html",
        "backtest": backtest,
        "monitor": scratch / "monitor" / "index.html",
    }
    for name, path in pages.items():
        with opened(browser, path, width=width) as page:
            shoot(page, f"{name}_{width}")


def make_pages(scratch: Path) -> None:
    """Make every page of a simulated LA."""
    demo = scratch / "demo"
    run_demo(demo, pupils=PUPILS, seed=SEED)
    extract = read(demo / "extracts")
    write_check(check(extract), scratch / "check", simulated=True)
    make_dashboard(str(demo / "extracts"), out=scratch / "dashboard")
    run = Run("pex", tracking=f"sqlite:///{demo / 'mlflow.db'}")
    monitor(extract, run, lists=(demo / "list",), out=scratch / "monitor")


def main() -> None:
    """Make a simulated LA's pages, and take all pictures of them."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, running() as browser:
        scratch = Path(name)
        make_pages(scratch)
        for width in (WIDE, NARROW):
            shoot_list(browser, scratch / "demo" / "list", width, scratch)
            shoot_school(browser, scratch / "demo" / "list", width)
            shoot_dashboard(browser, scratch / "dashboard", width)
            shoot_analyst(browser, scratch / "demo", scratch, width)
    sys.stdout.write("\n".join(sorted(path.name for path in IMAGES.glob("*.png"))) + "\n")


if __name__ == "__main__":
    main()
