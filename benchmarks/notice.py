"""How early outcomes are reached with one list a year, half-termly and fortnightly, with as many places.

``python benchmarks/notice.py --pupils 12000 --places 120 --seeds 0 1 --worlds steady crisis``: for each
simulated LA a model is trained with what was known a year before its last day. Its lists of the year that
follows are made every fortnight, and the schedules choose from them. All pupils are simulated.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import pandas as pd

from riskmodel.cohort import build_spine, default_as_of
from riskmodel.data import Tables
from riskmodel.data.read import read
from riskmodel.evaluation.notice import ONCE_A_YEAR, days_apart, notice_curve
from riskmodel.evaluation.resampling import Resamples
from riskmodel.jobs import Run, train
from riskmodel.labels import label
from riskmodel.model import RiskModel
from riskmodel.simulate import WORLDS, write_simulated

OUTCOME = "pex"

FORTNIGHT, HALF_TERM = 14, 42
"""Days."""


def scored(model: RiskModel, tables: Tables, days: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the scores of the cohort of every day, with the day of each outcome."""
    parts = []
    for day in days:
        made = model.assess(tables, as_of=day, capacity=1).scores[["pupil_id", "risk"]]
        parts.append(made.assign(as_of=day))
    scores = pd.concat(parts, ignore_index=True)
    spine = build_spine(tables, days, OUTCOME)
    events = label(tables, spine, OUTCOME, known_by=days[-1] + pd.DateOffset(years=1))["event_on"]
    frame = spine[["pupil_id", "as_of"]].assign(event_on=events)
    return frame.astype({"pupil_id": "str"}).merge(
        scores.astype({"pupil_id": "str"}), on=["pupil_id", "as_of"]
    )


def measured(folder: Path, store: Path, places: int) -> pd.DataFrame:
    """Return the curve of notice of one LA."""
    extract = read(folder)
    begin = default_as_of(extract.tables, OUTCOME) - pd.DateOffset(years=1)
    run = Run(OUTCOME, tracking=f"sqlite:///{store}", as_of=begin, capacity=places)
    model = train(extract, run, n_origins=2).model
    days = pd.date_range(begin, periods=26, freq=f"{FORTNIGHT}D").as_unit("s")
    frame = scored(model, extract.tables, days)
    schedules = {
        ONCE_A_YEAR: list(days[:1]),
        "half-termly lists": days_apart(list(days), HALF_TERM),
        "fortnightly lists": list(days),
    }
    resamples = Resamples.draw(frame["pupil_id"], 0)
    return notice_curve(frame, "risk", schedules, yearly_places=places, resamples=resamples)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pupils", type=int, default=12_000)
    parser.add_argument("--places", type=int, default=120)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--worlds", nargs="+", default=["steady"], choices=list(WORLDS))
    asked = parser.parse_args()
    for world in asked.worlds:
        for seed in asked.seeds:
            with tempfile.TemporaryDirectory() as folder:
                la = Path(folder) / "la"
                write_simulated(la, pupils=asked.pupils, years=4, seed=seed, world=world)
                curve = measured(la, Path(folder) / "store.db", asked.places)
            sys.stdout.write(f"{world}, seed {seed}\n{curve.round(3).to_string(index=False)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
