"""Watch a model in use: today's extract, today's pupils, and what became of earlier lists.

In:  today's extracts, an outcome, its champion; lists that were handed out, decisions.
Out: :class:`Monitoring`: problems first, drift, outcomes of those listed and not, what to do.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.assess import Assessment
from riskmodel.cohort import refuse_old_extract, resolve_as_of
from riskmodel.data import Tables
from riskmodel.data.check import alike_together
from riskmodel.data.outcomes import outcome_of
from riskmodel.data.read import Extract
from riskmodel.data.write import new_folder
from riskmodel.errors import HistoryError, ModelError
from riskmodel.evaluation.drift import SCORE, drift
from riskmodel.evaluation.follow_up import CAUTION, counted_once, outcomes_of_lists
from riskmodel.evaluation.metrics import poisson_interval
from riskmodel.jobs.champion import load_model
from riskmodel.jobs.feedback import read_decisions
from riskmodel.jobs.past_lists import (
    assess_at,
    check_days,
    count_missing,
    read_handed_out,
    rebuilt_lists,
    with_outcome,
)
from riskmodel.jobs.reading import read_whole
from riskmodel.jobs.run import Run
from riskmodel.model import RiskModel
from riskmodel.report.monitor_page import monitor_page
from riskmodel.report.policy_break_words import breaks_of_list

__all__ = ["Monitoring", "monitor"]

logger = logging.getLogger(__name__)

OLD_DAYS = 365
"""Age of a model from which it should be trained again: a full year of outcomes is new."""

NOTHING = "Nothing asks for it: the pupils look as they did"

SHOWN = 10
"""Drifted features named in the text; the page has them all."""

WEIGHTY = 0.1
"""Share of the reasons (mean size of contributions) of drifted features that asks for a retraining."""


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """How a model in use does today.

    Attributes
    ----------
    outcome, version : str
        Which model.
    as_of : Timestamp
        The day.
    simulated : bool
        Whether the model was trained on simulated pupils.
    problems : list of str
        The extract's own problems, worst first; drift may come from them.
    breaks : list of str
        Changes of policy that may be behind drift and outcomes.
    drift : DataFrame
        From :func:`riskmodel.evaluation.drift.drift`, with ``share_of_reasons``; the first row is the score.
    outcomes : DataFrame
        From :func:`riskmodel.evaluation.follow_up.outcomes_of_lists`.
    advice : list of str
        Why to train again, or that nothing asks for it.
    retrain : bool
        Whether to train again.
    """

    outcome: str
    version: str
    as_of: pd.Timestamp
    simulated: bool
    problems: list[str] = field(repr=False)
    breaks: list[str] = field(repr=False)
    drift: pd.DataFrame = field(repr=False)
    outcomes: pd.DataFrame = field(repr=False)
    advice: list[str]
    retrain: bool

    def text(self) -> str:
        """Return what a person reads.

        Returns
        -------
        str
            Problems, drift, outcomes, advice.
        """
        banner = "SIMULATED DATA. " if self.simulated else ""
        drifted = self.drift[self.drift["drifted"]]
        lines = [
            f"{banner}Model {self.version} for {self.outcome} on {self.as_of:%Y-%m-%d}.",
            "Problems of the extract:",
            *[f"  {line}" for line in self.problems or ["none"]],
            *self.breaks,
            f"Drift: {len(drifted)} of {len(self.drift)} (features and score) differ from the training "
            "lists by half as much again as those did among themselves.",
            *[
                f"  {row['feature']}: index {row['index']:.2f}, usually up to {row['usual']:.2f}; "
                f"missing {row['missing_before']:.0%} then, {row['missing_now']:.0%} now"
                for row in drifted.head(SHOWN).to_dict("records")
            ],
            "What became of earlier lists:",
            self.outcomes.to_string(index=False, float_format="{:.1f}".format)
            if len(self.outcomes)
            else "  no list since the model was trained",
            CAUTION,
            "Train again:" if self.retrain else "No reason was found to train again:",
            *[f"  {line}" for line in self.advice],
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return self.outcomes.to_html(index=False) + self.drift.head(20).to_html(index=False)


def monitor(
    source: str | Path | Extract,
    run: Run,
    *,
    lists: tuple[Path, ...] = (),
    decisions: Path | None = None,
    out: Path | None = None,
) -> Monitoring:
    """Compare today's extract with the training data, and earlier lists with what came true.

    Parameters
    ----------
    source : str, Path or Extract
        Extracts, or what was read of them.
    run : Run
        Outcome, whose champion is watched; store and day.
    lists : tuple of Path
        Folders of lists that were handed out; where left out, the champion's lists since its training
        are made again from what was known on their days.
    decisions : Path, optional
        The log that :func:`riskmodel.jobs.feedback.feedback` wrote; the newest decision on each pupil of
        each list counts.
    out : Path, optional
        Empty or new folder for the page and the tables.

    Returns
    -------
    Monitoring
        Problems, drift, outcomes, advice.

    Raises
    ------
    ModelError
        If there is no champion, or it has no profile.
    DataError, HistoryError, RequestError
        If the extract, the day, a list or the decisions cannot be used.
    """
    decided = None if decisions is None else read_decisions(decisions)
    model, _ = load_model(run.registry)
    extract = read_whole(source)
    day = resolve_as_of(extract.tables, run.outcome, run.as_of)
    logger.info("Scoring the cohort of %s", f"{day:%Y-%m-%d}")
    today = _cohort_of_today(model, extract.tables, day)
    drifted = _drift(model, today)
    handed_out = [read_handed_out(folder, model) for folder in lists]
    check_days(handed_out, day)
    past = _past(model, extract.tables, day, handed_out)
    made = Monitoring(
        outcome=run.outcome,
        version=str(run.registry.version_of("champion")),
        as_of=day,
        simulated=model.card.trained.simulated,
        problems=alike_together(extract.problems) + count_missing(handed_out, extract.tables),
        breaks=breaks_of_list(today, run.settings.policy_breaks),
        drift=drifted,
        outcomes=_outcomes(past, decided, run.outcome),
        **_judged(model, extract, day, drifted, past),
    )
    if out is not None:
        _write(made, out)
    return made


def _judged(
    model: RiskModel, extract: Extract, day: pd.Timestamp, drifted: pd.DataFrame, past: pd.DataFrame
) -> dict[str, Any]:
    """Return whether to train again, and why."""
    finished = counted_once(past, model.outcome) if len(past) else past
    has_errors = bool((extract.problems["severity"] == "error").any())
    advice = _advice(model, day, drifted, finished, has_errors)
    return {"advice": advice or [_nothing(finished)], "retrain": bool(advice)}


def _cohort_of_today(model: RiskModel, tables: Tables, day: pd.Timestamp) -> Assessment:
    """Score today's cohort; refuse a day on which nobody is in it."""
    made = assess_at(model, tables, day)
    if made is None:
        refuse_old_extract(tables, model.outcome, day)  # where all registers ended, that is why
        raise HistoryError(
            f"Nobody is in the {model.outcome} cohort of {day:%Y-%m-%d}, so there is nothing to compare "
            "with the training data. Choose a day on which these extracts hold rolls."
        )
    return made


def _past(
    model: RiskModel, tables: Tables, day: pd.Timestamp, handed_out: list[pd.DataFrame]
) -> pd.DataFrame:
    """Return the lists handed out, or those made again, with what became of their pupils."""
    lists = handed_out or rebuilt_lists(model, tables, day)
    frames = [with_outcome(one, tables, model.outcome, day) for one in lists if len(one)]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _outcomes(past: pd.DataFrame, decided: pd.DataFrame | None, outcome: str) -> pd.DataFrame:
    """Return outcomes of those listed, supported and not; no rows where there is no earlier list."""
    if past.empty:
        return pd.DataFrame()
    return outcomes_of_lists(_with_support(past, decided, outcome))


def _drift(model: RiskModel, today: Assessment) -> pd.DataFrame:
    """Return drift of the score and of every feature, with the features' share of the reasons."""
    if model.card.profile is None:
        raise ModelError("The champion keeps no profile of its training data; train it again.")
    X = today.explanation.features.assign(**{SCORE: today.explanation.log_odds})
    table = drift(model.card.profile, X)
    size = today.explanation.contributions.abs().mean()
    table["share_of_reasons"] = table["feature"].map(size / size.sum())
    is_score = table["feature"] == SCORE
    return pd.concat([table[is_score], table[~is_score]], ignore_index=True)


def _with_support(past: pd.DataFrame, decided: pd.DataFrame | None, outcome: str) -> pd.DataFrame:
    """Add whether each pupil was supported, as far as decisions are known."""
    if decided is None:
        return past.assign(supported="not known")
    keys = ["pupil_id", "as_of"]
    table = decided.loc[decided["outcome"] == outcome, [*keys, "supported"]].drop_duplicates(
        keys, keep="last"
    )
    table["as_of"] = pd.to_datetime(table["as_of"], format="%Y-%m-%d").astype("datetime64[s]")
    text = past.assign(pupil_id=past["pupil_id"].astype("str"))
    merged = text.merge(table, on=keys, how="left")
    return merged.assign(supported=merged["supported"].fillna("not known"))


def _advice(
    model: RiskModel,
    day: pd.Timestamp,
    table: pd.DataFrame,
    finished: pd.DataFrame,
    has_errors: bool,
) -> list[str]:
    """Return the reasons to train again; none where nothing asks for it."""
    age = (day - pd.Timestamp(model.card.trained.trained_as_of)).days
    old = f"The model was trained {age} days ago; a year of outcomes is new since."
    return [
        *_drift_advice(table, has_errors),
        *([old] if age >= OLD_DAYS else []),
        *_outcome_advice(finished),
    ]


def _drift_advice(table: pd.DataFrame, has_errors: bool) -> list[str]:
    """Return whether the score or weighty features have drifted."""
    advice = []
    drifted = table[table["drifted"]]
    share = float(drifted["share_of_reasons"].sum())
    if (drifted["feature"] == SCORE).any():
        advice.append("The scores of today's pupils differ from those of the training lists.")
    if share >= WEIGHTY:
        advice.append(f"Features behind {share:.0%} of the reasons have drifted.")
    if advice and has_errors:
        advice.append(
            "First mend the extract: rows were set aside, and drift may come from that alone."
        )
    return advice


def _outcome_advice(finished: pd.DataFrame) -> list[str]:
    """Return whether outcomes of finished lists are not what was expected."""
    if finished.empty:
        return []
    expected, observed = float(finished["risk"].sum()), round(finished["event"].sum())
    low, high = (float(end) for end in poisson_interval(observed))
    if low <= expected <= high:
        return []
    return [
        f"On lists whose horizon is over {expected:.0f} outcomes were expected and {observed} "
        f"happened (95% interval {low:.0f} to {high:.0f}), each counted once."
    ]


def _nothing(finished: pd.DataFrame) -> str:
    """Return that nothing asks for a retraining, and no more than is known."""
    rest = (
        ", and earlier lists came out as expected."
        if len(finished)
        else "; no list has run its time."
    )
    return NOTHING + rest


def _write(made: Monitoring, out: Path) -> None:
    with new_folder(out) as folder:
        page = monitor_page(
            title=f"Monitoring version {made.version}: {outcome_of(made.outcome).words}",
            as_of=made.as_of,
            simulated=made.simulated,
            problems=made.problems,
            breaks=made.breaks,
            drift=made.drift,
            outcomes=made.outcomes,
            caution=CAUTION,
            advice=made.advice,
            retrain=made.retrain,
        )
        (folder / "index.html").write_text(page, encoding="utf-8")
        made.drift.to_csv(folder / "drift.csv", index=False)
        made.outcomes.to_csv(folder / "outcomes.csv", index=False)
