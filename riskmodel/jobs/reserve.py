"""Would places for children never suspended pay here? Earlier lists with and without them.

In:  extracts; a run whose outcome has such places.
Out: :class:`Reserve`: what they find and cost, ranked by each outcome that may rank them, and an answer.

Every model is the recipe, fitted before each tested list to what was known then.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from riskmodel.cohort import refuse_old_extract, resolve_as_of
from riskmodel.cohort_rules import never_suspended
from riskmodel.data import Tables
from riskmodel.data.outcomes import outcome_of
from riskmodel.data.read import Extract
from riskmodel.errors import DataError, HistoryError, RequestError
from riskmodel.evaluation.reserve import ReserveBacktest, backtest_reserve
from riskmodel.jobs.reading import read_whole
from riskmodel.jobs.rivals import recipe
from riskmodel.jobs.run import Run
from riskmodel.jobs.sample import Sample, make_sample, places_of_lists
from riskmodel.progress import track
from riskmodel.simulate import preset_of
from riskmodel.training.fitting import fit_on

__all__ = ["N_ORIGINS", "Reserve", "measure_reserve"]

logger = logging.getLogger(__name__)

N_ORIGINS = 5
"""Lists that are tested, at most."""


@dataclass(frozen=True, kw_only=True)
class Reserve:
    """What places for children never suspended would have found.

    Attributes
    ----------
    outcome : str
        Outcome of the lists.
    backtest : ReserveBacktest
        Every reserve that was tried.
    left_out : dict of str to str
        Outcome that could not rank the places → why.
    simulated : bool
        Whether the data are.
    """

    outcome: str
    backtest: ReserveBacktest = field(repr=False)
    left_out: dict[str, str]
    simulated: bool

    def text(self) -> str:
        """Return what an analyst reads.

        Returns
        -------
        str
            What was measured, and the answer in the last line.
        """
        banner = "SIMULATED DATA. " if self.simulated else ""
        return "\n".join(
            [
                f"{banner}Places for children never suspended on lists for {self.outcome}.",
                *(f"Not ranked by {name}: {why}" for name, why in self.left_out.items()),
                self.backtest.text(),
            ]
        )


def measure_reserve(
    source: str | Path | Extract, run: Run, *, n_origins: int = N_ORIGINS
) -> Reserve:
    """Test places for children never suspended on earlier lists.

    Parameters
    ----------
    source : str, Path or Extract
        Extracts, or what was read of them.
    run : Run
        Outcome, day, capacity and seed. Nothing is read from its store, and nothing registered.
    n_origins : int
        Lists that are tested, at most.

    Returns
    -------
    Reserve
        Each share of the places, ranked by each outcome.

    Raises
    ------
    DataError
        If the extracts cannot be used.
    HistoryError
        If there is too little history, or nobody had the outcome while never suspended.
    RequestError
        If lists of the outcome have no such places, or the capacity does not fit the lists.
    """
    rankers = outcome_of(run.outcome).reserve_rankers
    if not rankers:
        raise RequestError(f"A list for {run.outcome} has no places for emerging concern.")
    extract = read_whole(source, run.settings.file)
    today = resolve_as_of(extract.tables, run.outcome, run.as_of)
    refuse_old_extract(extract.tables, run.outcome, today)
    own = make_sample(extract.tables, run.outcome, today, n_origins=n_origins)
    if not own.is_out_of_time:
        raise HistoryError(
            "History is too short for a list made earlier, so places for emerging concern cannot be tested."
        )
    rows = _context(extract.tables, own)
    rows["model"] = _scores(own, rows, run.seed)
    left_out: dict[str, str] = {}
    for name in rankers:
        try:
            rows[name] = (
                rows["model"]
                if name == run.outcome
                else _scores_of_another(extract.tables, name, today, rows, run.seed)
            )
        except (DataError, HistoryError) as error:
            left_out[name] = str(error)
    capacity = places_of_lists(own, run.capacity)
    ranked = [name for name in rankers if name in rows]
    return Reserve(
        outcome=run.outcome,
        backtest=backtest_reserve(rows, "model", ranked, capacity, random_state=run.seed),
        left_out=left_out,
        simulated=preset_of(extract.source) is not None,
    )


def _context(tables: Tables, sample: Sample) -> pd.DataFrame:
    """Return what is known of the tested rows besides scores."""
    parts = []
    for fold in sample.folds:
        spine = sample.spine.iloc[fold.test][["pupil_id", "as_of", "share_of_list"]]
        known = never_suspended(tables, spine, fold.origin)
        lost_to = sample.labels["lost_to"].iloc[fold.test].to_numpy()
        parts.append(spine.assign(label=fold.test_label, lost_to=lost_to, never_suspended=known))
    return pd.concat(parts, ignore_index=True)


def _scores_of_another(
    tables: Tables, outcome: str, today: pd.Timestamp, rows: pd.DataFrame, seed: int
) -> pd.Series:
    """Return the scores of the same pupils on the same days by the risk of another outcome."""
    days = rows["as_of"].unique()
    logger.info("Places ranked by the risk of %s", outcome)
    sample = make_sample(tables, outcome, today, n_origins=len(days), origins=days)
    if not sample.is_out_of_time or len(sample.folds) < len(days):
        raise HistoryError("too few had the outcome before the first of the tested lists.")
    return _scores(sample, rows, seed)


def _scores(sample: Sample, rows: pd.DataFrame, seed: int) -> pd.Series:
    """Fit the recipe before each tested list; return the scores of its pupils, missing of others."""
    parts = []
    for fold in track(sample.folds, f"Lists by the risk of {sample.outcome}"):
        logger.info("List of %s", f"{fold.origin:%Y-%m-%d}")
        made = fit_on(
            recipe(sample.X, seed)(), sample.X, sample.spine["pupil_id"], fold
        ).decision_function(sample.X.iloc[fold.test])
        keys = sample.spine.iloc[fold.test][["pupil_id", "as_of"]]
        parts.append(keys.assign(score=np.asarray(made, dtype=float)))
    scores = pd.concat(parts, ignore_index=True)
    return rows[["pupil_id", "as_of"]].merge(scores, on=["pupil_id", "as_of"], how="left")["score"]
