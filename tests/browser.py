"""Debian's Chromium without a screen, for pages as people open them.

In:  a file.
Out: a browser; a page that has noted every request, error and refusal of its policy; axe-core's faults.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

__all__ = ["WIDE", "NARROW", "axe_faults", "opened", "running"]

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = 1280, 400


@contextmanager
def running() -> Iterator[Browser]:
    """Start Chromium, and end it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser, path: Path, *, width: int = WIDE, javascript: bool = True
) -> Iterator[Page]:
    """Open a file; fail at the end if it asked for anything else, or anything went wrong in it."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        java_script_enabled=javascript,
        locale="en-GB",
        bypass_csp=False,
    )
    page = context.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda entry: wrong.append(entry.text) if entry.type == "error" else None)
    page.goto(path.as_uri())
    yield page
    context.close()
    assert {url.partition("#")[0] for url in asked} == {path.as_uri()}
    assert wrong == []


def axe_faults(page: Page) -> list[str]:
    """Return what axe-core finds against WCAG 2.2 AA and its own good practice."""
    source = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    page.evaluate(source)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    # what passes is of no interest, and to describe it takes a quarter of the time
    asked = "{runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']}"
    found: list[dict[str, Any]] = page.evaluate(
        f"async tags => (await axe.run(document, {asked})).violations", tags
    )
    return [f"{fault['id']}: {node['html'][:200]}" for fault in found for node in fault["nodes"]]
