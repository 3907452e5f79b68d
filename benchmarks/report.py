"""The list page of a whole LA: how long it takes to write, how large it is, how soon it can be used.

``python benchmarks/report.py --scale full`` simulates an LA with 50,000 pupils to score, scores them with
a model trained on a smaller one, and writes the page of the LA and those of its schools. Chromium opens
the LA's page; it is usable when the first search outside the list has found its pupil on the screen. Then
the same for 11,000 rows, for which two public explanation dashboards took 39.8 s and 9.8 s (3.2 MB and
7.4 MB).
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import pandas as pd
from playwright.sync_api import sync_playwright

from riskmodel.assess import rank
from riskmodel.cohort import default_as_of
from riskmodel.jobs import Run, train
from riskmodel.model import RiskModel
from riskmodel.report.list_page.page import write_pages
from riskmodel.simulate import simulate, write_simulated

SIZES = {"small": (8_000, 100), "full": (63_000, 500)}
"""Pupils on roll, of whom about four in five are scored, and places."""

PEERS = (14_000, 500)
"""The same for 11,000 rows."""

TRAINED_ON = 2_500
OPENINGS = 5

SEARCH = """async pupil => {
  const frame = () => new Promise(requestAnimationFrame);
  while (!document.documentElement.classList.contains("live")) await frame();
  const search = document.querySelector("#search");
  search.value = pupil;
  search.dispatchEvent(new Event("input", {bubbles: true}));
  await frame(); await frame();
  if (!document.querySelector("#others tbody").textContent.includes(pupil)) throw Error("not found");
  return performance.now();
}"""


def small_model(folder: Path) -> RiskModel:
    """Return a model trained on a small simulated LA."""
    write_simulated(folder / "extracts", pupils=TRAINED_ON, years=4, seed=3, preset="bcp")
    return train(folder / "extracts", Run("pex", tracking=f"sqlite:///{folder}/mlflow.db")).model


def pages_of(model: RiskModel, pupils: int, capacity: int, out: Path) -> tuple[pd.DataFrame, float]:
    """Simulate, score and write an LA's pages; return the ranking and the seconds of writing."""
    tables = simulate(pupils=pupils, years=2, seed=5).tables
    day = default_as_of(tables, "pex")
    assessment = model.assess(tables, as_of=day, capacity=capacity, provenance={"simulated": True})
    ranking = rank(assessment)
    out.mkdir()
    start = time.perf_counter()
    write_pages(assessment, ranking, out, tables=tables)
    return ranking, time.perf_counter() - start


def usable(page: Path, pupil: str) -> float:
    """Return the seconds from the start of the navigation to the first search result, the median."""
    seconds = []
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        for _ in range(OPENINGS):
            tab = browser.new_page()
            tab.goto(page.as_uri(), wait_until="commit")
            seconds.append(tab.evaluate(SEARCH, pupil) / 1000)
            tab.close()
        browser.close()
    return median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=list(SIZES), default="small")
    pupils, capacity = SIZES[parser.parse_args().scale]
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = small_model(folder)
        _, seconds_of_peers = pages_of(model, *PEERS, folder / "peers")
        ranking, seconds = pages_of(model, pupils, capacity, folder / "pages")
        index = folder / "pages" / "index.html"
        sizes = [page.stat().st_size / 1e6 for page in (folder / "pages" / "schools").iterdir()]
        facts = {
            "pupils": len(ranking),
            "capacity": capacity,
            "schools": len(sizes),
            "seconds": round(seconds, 2),
            "seconds_11000_rows": round(seconds_of_peers, 2),
            "megabytes": round(index.stat().st_size / 1e6, 2),
            "largest_school_megabytes": round(max(sizes), 2),
            "interactive_seconds": round(usable(index, ranking["pupil_id"].iloc[-1]), 2),
        }
    sys.stdout.write(
        f"SIMULATED DATA. {facts['pupils']:,} pupils scored, the top {capacity} in full.\n"
        f"Pages of the LA and of {facts['schools']} schools: {facts['seconds']} s. The LA's page: "
        f"{facts['megabytes']} MB, usable after {facts['interactive_seconds']} s (median of {OPENINGS}).\n"
        f"Pages of 11,000 rows, the top 500 in full: {facts['seconds_11000_rows']} s.\n{json.dumps(facts)}\n"
    )


if __name__ == "__main__":
    main()
