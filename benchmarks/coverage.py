"""The range of a risk beside true risks, and expected over observed outcomes, list by list.

``python benchmarks/coverage.py --scale middle --cache FOLDER`` simulates LAs in every world and tests the
recipe on their earlier lists as ``riskmodel train`` does. Each list is calibrated with what was known on
its day. Of the pupils of a list in a band of risk, the mean true risk is compared with the mean range;
bands of fewer than 50 pupils are left out. The pupils whom each list would hold, often fewer than 50, are
compared over all lists and LAs of a world together. A finished cell of world, pupils, seed and outcome is
kept in the folder. All pupils are simulated.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import product, repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from riskmodel.cohort import resolve_as_of
from riskmodel.data.outcomes import outcome_of
from riskmodel.errors import HistoryError
from riskmodel.evaluation.capacity import is_listed
from riskmodel.evaluation.metrics import poisson_interval, wilson_interval
from riskmodel.jobs.past_levels import past_calibrations
from riskmodel.jobs.rivals import recipe
from riskmodel.jobs.sample import Sample, make_sample
from riskmodel.simulate import WORLDS, Simulated, simulate
from riskmodel.training.calibrated import CalibratedEnsemble
from riskmodel.training.ensemble import Ensemble
from riskmodel.training.fitting import fit_on

BANDS = {"pex": (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02), "neet": (0.01, 0.02, 0.05, 0.1)}
"""Ends of the bands of risk, by outcome."""

FEWEST_PUPILS = 50
YEARS = 5

LIST = ["outcome", "world", "pupils", "seed", "as_of"]
"""Columns that name a tested list."""

SCALES = {
    "small": {3_000: (0,)},
    "middle": {12_000: (0, 1, 2)},
    "full": {12_000: (0, 1, 2, 3), 50_000: (4,)},
}
"""Pupils of an LA → seeds, in every world."""

N_ORIGINS = {"small": 3, "middle": 5, "full": 5}
"""Lists tested of each LA, at most."""


class Cell(NamedTuple):
    """An LA that is simulated, and tested in both outcomes."""

    world: Any
    pupils: int
    seed: int
    n_origins: int

    def path(self, cache: Path, outcome: str) -> Path:
        """Return where the rows of an outcome are kept."""
        return cache / f"{outcome}_{self.world}_{self.pupils}_{self.seed}.parquet"


def run(cell: Cell, cache: Path) -> None:
    """Keep risks, ranges, true risks and outcomes of the tested lists of an LA, by outcome."""
    wanted = [outcome for outcome in BANDS if not cell.path(cache, outcome).exists()]
    if not wanted:
        return
    start = time.perf_counter()
    made = simulate(pupils=cell.pupils, years=YEARS, seed=cell.seed, world=cell.world)
    for outcome in wanted:
        rows = tested(made, outcome, cell.n_origins)
        unfinished = cell.path(cache, outcome).with_suffix(".unfinished")
        rows.assign(**cell._asdict(), outcome=outcome).to_parquet(unfinished)
        unfinished.replace(cell.path(cache, outcome))
    sys.stderr.write(f"{cell}: {time.perf_counter() - start:.0f} s\n")


def tested(made: Simulated, outcome: str, n_origins: int) -> pd.DataFrame:
    """Return a row for every pupil of every tested list; none where there are too few outcomes."""
    day = resolve_as_of(made.tables, outcome, None)
    try:
        sample = make_sample(made.tables, outcome, day, n_origins=n_origins)
    except HistoryError as error:
        sys.stderr.write(f"{outcome}: {error}\n")
        return pd.DataFrame()
    if not sample.is_out_of_time:
        return pd.DataFrame()
    fitted = [ensemble_of(sample, number) for number in range(len(sample.folds))]
    parts = [scored(sample, number, fitted[number]) for number in range(len(fitted))]
    rows = pd.concat(parts, ignore_index=True)
    learned = past_calibrations(sample, rows)
    for fold, ensemble in zip(sample.folds, fitted, strict=True):
        calibration, _ = learned[fold.origin]
        whole = CalibratedEnsemble(
            ensemble=ensemble, calibration=calibration.affine, rate=calibration.rate
        )
        risks = whole.score(sample.X.iloc[fold.test].to_numpy(np.float32)).risks()
        rows.loc[rows["as_of"] == fold.origin, list(risks)] = risks.to_numpy()
    truth = made.truth[made.truth["outcome"] == outcome]
    truth = truth.assign(pupil_id=truth["pupil_id"].astype("str"))
    return rows.merge(
        truth[["pupil_id", "as_of", "risk"]].rename(columns={"risk": "truth"}),
        on=["pupil_id", "as_of"],
        how="left",
    )


def ensemble_of(sample: Sample, number: int) -> Ensemble:
    make = recipe(sample.X, 0)
    return fit_on(make(), sample.X, sample.spine["pupil_id"], sample.folds[number]).ensemble_


def scored(sample: Sample, number: int, ensemble: Ensemble) -> pd.DataFrame:
    """Return the rows of a list with their uncalibrated scores."""
    fold = sample.folds[number]
    rows = sample.spine.iloc[fold.test]
    members = ensemble.explain(sample.X.iloc[fold.test].to_numpy(np.float32))[2]
    return pd.DataFrame(
        {
            "pupil_id": rows["pupil_id"].astype("str").to_numpy(),
            "as_of": rows["as_of"].to_numpy(),
            "row": fold.test,
            "label": fold.test_label,
            "model": members.mean(axis=1),
        }
    )


def by_band(rows: pd.DataFrame) -> pd.DataFrame:
    """Return mean risk, range and true risk of each band of each list, and whether the range holds it."""
    rows = rows[rows["truth"].notna()]
    ends = rows["outcome"].map(BANDS)
    band = [np.searchsorted(e, r, side="right") for e, r in zip(ends, rows["risk"], strict=True)]
    keys = [*LIST, "band"]
    means = ["risk", "risk_low", "risk_high", "truth"]
    grouped = rows.assign(band=band).groupby(keys)
    found = grouped[means].mean().assign(n=grouped.size()).reset_index()
    found = found[found["n"] >= FEWEST_PUPILS]
    held = found["truth"].between(found["risk_low"], found["risk_high"])
    return found.assign(held=held, width=found["risk_high"] / found["risk_low"])


def band_words(outcome: str, band: int) -> str:
    ends = (0.0, *BANDS[outcome], 1.0)
    return f"{ends[band]:.2%} to {ends[band + 1]:.2%}"


def coverage(bands: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return the share of lists' bands whose range holds the mean true risk, with Wilson's interval."""
    grouped = bands.groupby(by)
    found = grouped.agg(
        lists=("held", "size"), held=("held", "sum"), risk=("risk", "mean"),
        truth=("truth", "mean"), width=("width", "median"),
    ).reset_index()  # fmt: skip
    low, high = wilson_interval(found["held"], found["lists"])
    return found.assign(coverage=found["held"] / found["lists"], low=low, high=high)


def over_observed(sums: pd.DataFrame) -> pd.DataFrame:
    """Return sums of risks over those of outcomes, with the exact interval, and over true outcomes."""
    low, high = poisson_interval(sums["label"])
    with np.errstate(divide="ignore"):
        return sums.assign(
            ratio=sums["risk"] / sums["label"], low=sums["risk"] / high,
            high=sums["risk"] / low, over_truth=sums["risk"] / sums["truth"],
        )  # fmt: skip


def levels(rows: pd.DataFrame) -> pd.DataFrame:
    """Return expected over observed of each list, with its exact interval, and over true outcomes."""
    rows = rows[rows["label"].notna()]
    sums = rows.groupby(LIST)[["risk", "label", "truth"]].sum().reset_index()
    return over_observed(sums)


def of_listed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return risks over observed and true outcomes of the pupils listed, over all lists of a world.

    The interval is exact where no pupil holds places on several lists.
    """
    rows = rows[rows["truth"].notna() & rows["label"].notna()].reset_index(drop=True)
    lists = rows.groupby(LIST)
    usual = {outcome: outcome_of(outcome).usual_capacity for outcome in BANDS}
    sizes = zip(rows["outcome"], lists["risk"].transform("size"), strict=True)
    places = [usual[outcome](size) for outcome, size in sizes]
    listed = is_listed(rows["risk"], rows["pupil_id"], places, lists=lists.ngroup())
    held = rows[listed].groupby(["outcome", "world"])
    found = held[["risk", "label", "truth"]].sum().assign(places=held.size()).reset_index()
    return over_observed(found)


def slopes(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the slope of the true log-odds on the scores of each list: the mean and the ends over lists.

    ``usual_slope`` of an outcome rests on it.
    """
    rows = rows[rows["truth"].notna()]
    each = rows.groupby(LIST)[["model", "truth"]].apply(true_slope).rename("slope").reset_index()
    grouped = each.groupby(["outcome", "pupils", "world"])["slope"]
    return grouped.agg(["size", "mean", "min", "max"]).reset_index()


def true_slope(scored: pd.DataFrame) -> float:
    """Return the slope of a logistic regression whose outcomes are the true risks."""
    risk = scored["truth"].to_numpy()
    scores = np.tile(scored["model"].to_numpy(), 2)[:, None]
    model = LogisticRegression(C=np.inf)
    model.fit(scores, np.repeat([1, 0], len(risk)), np.concatenate([risk, 1 - risk]))
    return float(model.coef_[0, 0])


def report(rows: pd.DataFrame) -> None:
    """Print the tables and the line of JSON."""
    bands, lists = by_band(rows), levels(rows)
    whole = coverage(bands, ["outcome", "world"])
    parts = coverage(bands, ["outcome", "band"])
    parts["band"] = [band_words(o, b) for o, b in zip(parts["outcome"], parts["band"], strict=True)]
    each = coverage(bands, ["outcome", "world", "band"])
    show = {"index": False, "float_format": "{:.3f}".format, "na_rep": ""}
    sys.stdout.write(
        "SIMULATED DATA. Of the bands of risk of all lists, how many ranges hold the true\n"
    )
    sys.stdout.write(
        "mean risk (lists: bands of lists; 95% intervals: Wilson, as if lists were apart)\n"
    )
    for frame in (whole, parts):
        sys.stdout.write(frame.to_string(**show) + "\n\n")
    sys.stdout.write(
        "Expected over observed outcomes of each list, and over the sum of true risks\n"
    )
    sys.stdout.write(lists.to_string(**show) + "\n\n")
    sys.stdout.write("The same of the pupils listed, over all lists of a world\n")
    sys.stdout.write(of_listed(rows).to_string(**show) + "\n\n")
    sys.stdout.write("Slope of the true log-odds on uncalibrated scores, over lists\n")
    sys.stdout.write(slopes(rows).to_string(**show) + "\n")
    worlds = {
        world: {outcome: keys_of(world, outcome, whole, each, lists) for outcome in BANDS}
        for world in WORLDS
    }
    sys.stdout.write(json.dumps({"worlds": worlds}) + "\n")


def keys_of(world: str, outcome: str, *tables: pd.DataFrame) -> dict[str, Any]:
    """Return the figures of a world and outcome for the line of JSON."""
    whole, each, lists = (
        one[(one["world"] == world) & (one["outcome"] == outcome)] for one in tables
    )
    ratios = lists["ratio"].round(2).replace(np.inf, np.nan)
    return {
        "coverage": round(float(whole["coverage"].iloc[0]), 3) if len(whole) else None,
        "by_band": {
            band_words(outcome, band): round(held, 3)
            for band, held in zip(each["band"], each["coverage"], strict=True)
        },
        "expected_over_observed": [None if np.isnan(one) else one for one in ratios],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--cache", type=Path, help="folder that keeps finished cells")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    cells = [
        Cell(world, pupils, seed, N_ORIGINS[options.scale])
        for pupils, seeds in SCALES[options.scale].items()
        for seed, world in product(seeds, WORLDS)
    ]
    with tempfile.TemporaryDirectory() as temporary:
        cache = options.cache or Path(temporary)
        cache.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(options.workers) as pool:
            list(pool.map(run, cells, repeat(cache)))
        paths = [cell.path(cache, outcome) for cell in cells for outcome in BANDS]
        report(pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True))


if __name__ == "__main__":
    main()
