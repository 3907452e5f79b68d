"""The words of a backtest, a monitoring and a feedback: whole, singular and plural, nothing claimed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel.data.outcomes import OUTCOMES, outcome_of
from riskmodel.errors import RequestError
from riskmodel.evaluation import Backtest, compare
from riskmodel.evaluation.list_sums import METRICS
from riskmodel.jobs.feedback import Feedback
from riskmodel.jobs.monitor import Monitoring
from riskmodel.jobs.notes import choice_note, metrics_of, notes_for, row_of
from riskmodel.jobs.past_lists import check_days

DAYS = pd.to_datetime(["2023-06-01", "2024-06-01"])
STATUSES = pd.DataFrame({"status": ["event", "no_event", "too_recent"], "rows": [3, 400, 0]})


@cache
def backtest(n_lists: int = 2, n_positive: int = 6) -> Backtest:
    """Lists of 40 pupils; the first of them have the outcome and the highest risks."""
    rows = []
    for day in DAYS[:n_lists]:
        frame = pd.DataFrame({"pupil_id": np.arange(40), "as_of": day})
        frame["label"] = (frame["pupil_id"] < n_positive).astype(float)
        frame["model"] = -frame["pupil_id"].astype(float)
        frame["RONI points"] = (frame["pupil_id"] % 4).astype(float)
        frame["event_on"] = (day + pd.Timedelta(days=100)) if n_positive else pd.NaT
        frame["event_on"] = frame["event_on"].where(frame["label"] == 1)
        frame["school_id"] = np.where(frame["pupil_id"] % 2, "s", "t")
        frame["never_suspended"] = True
        rows.append(frame.assign(risk=np.linspace(0.5, 0.01, 40)))
    return compare(
        pd.concat(rows, ignore_index=True), rankers=["model", "RONI points"], capacity=10
    )


def notes(made: Backtest, *, out_of_time: bool = True, outcome: str = "pex") -> list[str]:
    return notes_for(outcome, out_of_time, made, STATUSES)


@pytest.mark.parametrize(
    ("n_lists", "words"),
    [
        (1, "Measured on 1 earlier list made with what was known then."),
        (2, "Measured on 2 earlier lists, each made with what was known then."),
    ],
)
def test_the_first_note_states_on_how_many_lists(n_lists: int, words: str) -> None:
    assert notes(backtest(n_lists))[0] == words


@pytest.mark.parametrize("n_lists", [1, 2])
def test_a_short_history_is_reported_and_how_it_was_measured_instead(n_lists: int) -> None:
    first = notes(backtest(n_lists), out_of_time=False)[0]
    assert first.startswith("History is too short for lists made earlier")
    assert "cross-validation over pupils" in first


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_policy_of_the_outcome_follows(outcome: str) -> None:
    first, second = notes(backtest(), outcome=outcome)[1:3]
    assert (first, second) == (backtest().recommendation(), outcome_of(outcome).policy)


def test_only_statuses_with_rows_are_counted() -> None:
    assert notes(backtest())[3] == "Labels (rows): event 3, no event 400."


@pytest.mark.parametrize(
    ("changed", "words", "is_there"),
    [
        ({"positive_pupils": 29}, "With fewer than 30 pupils with the outcome", True),
        ({"positive_pupils": 30}, "With fewer than 30 pupils with the outcome", False),
        ({"smallest_share_of_list": 0.4}, "as few as 40% of a list", True),
        ({"smallest_share_of_list": 1.0}, "Of each list only the pupils", False),
    ],
)
def test_cautions_are_given_where_they_apply(
    changed: dict[str, Any], words: str, is_there: bool
) -> None:
    made = replace(backtest(), counts=backtest().counts | changed)
    assert any(words in note for note in notes(made)) == is_there


@pytest.mark.parametrize("part", ["lead_time", "stability", "schools", "calibration"])
def test_what_was_not_measured_has_no_note_but_the_level(part: str) -> None:
    usual, without = notes(backtest()), notes(replace(backtest(), **{part: None}))
    if part == "calibration":
        assert any("was not judged" in note for note in without)
        assert len(without) == len(usual)
    else:
        assert len(without) == len(usual) - 1


@pytest.mark.parametrize(
    ("slope", "words"),
    [
        ((0.85, 0.6, 1.1), ", slope 0.850 (0.600 to 1.100). "),
        ((0.85, np.nan, np.nan), ", slope 0.850 (no interval). "),
        ((np.nan, np.nan, np.nan), ", slope –. "),
    ],
)
def test_the_slope_of_the_risks_has_its_interval(
    slope: tuple[float, float, float], words: str
) -> None:
    found = backtest().calibration
    assert found is not None
    summary = found.summary.copy()
    summary.loc[summary["measure"] == "slope", ["value", "low", "high"]] = slope
    made = replace(backtest(), calibration=replace(found, summary=summary))
    assert any(words in note for note in notes(made))


@pytest.mark.parametrize(
    ("events", "words"), [(1, "Of 1 pupil, 100% (20% to 100%) were"), (2, "Of 2 pupils, ")]
)
def test_lead_times_count_pupils(events: int, words: str) -> None:
    lead = backtest().lead_time
    assert lead is not None
    row = {"events": events, "ever_listed": 1.0, "ever_listed_low": 0.2, "ever_listed_high": 1.0}
    made = replace(backtest(), lead_time=lead.assign(**row))
    assert any(note.startswith(words) for note in notes(made))


@pytest.mark.parametrize(("days", "ending"), [(np.nan, "before."), (12.0, "; median 12 days.")])
def test_a_median_is_reported_where_there_is_one(days: float, ending: str) -> None:
    lead = backtest().lead_time
    assert lead is not None
    made = replace(backtest(), lead_time=lead.assign(median_days=days))
    (note,) = [note for note in notes(made) if "were on a tested list" in note]
    assert note.endswith(ending)


@pytest.mark.parametrize("value", [np.nan, 0.5])
def test_outcomes_of_the_never_suspended_are_reported_where_there_were_any(value: float) -> None:
    table = backtest().table.assign(recall_never_suspended=value)
    found = [
        n for n in notes(replace(backtest(), table=table)) if "never suspended before the list" in n
    ]
    assert len(found) == (0 if np.isnan(value) else 1)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.1, 0.9, "the lists held 50% (10% to 90%), those of RONI points "),
        (np.nan, 0.9, "the lists held 50%, those of RONI points "),
        (np.nan, np.nan, "the lists held 50%, those of RONI points "),
    ],
)
def test_an_interval_is_reported_where_both_ends_are_known(
    low: float, high: float, words: str
) -> None:
    ends = {"recall_never_suspended_low": low, "recall_never_suspended_high": high}
    table = backtest().table.assign(recall_never_suspended=0.5, **ends)
    assert any(words in note for note in notes(replace(backtest(), table=table)))


@pytest.mark.parametrize(
    ("positives", "precision", "words"),
    [
        (1, 0.25, "with 1 outcome, average precision is 0.250."),
        (7, 0.1234, "with 7 outcomes, average precision is 0.123."),
        (0, np.nan, "with 0 outcomes, average precision is not defined."),
    ],
)
def test_a_choice_is_judged_on_the_newest_list(
    positives: int, precision: float, words: str
) -> None:
    lists = backtest().by_list.assign(positives=positives, average_precision=precision)
    made = replace(backtest(), by_list=lists)
    assert choice_note(made, is_held_out=True).endswith(words)
    assert "on the newest, 2024-06-01, " in choice_note(made, is_held_out=True)
    assert words not in choice_note(made, is_held_out=False)


@pytest.mark.parametrize(
    ("ranker", "name"),
    [
        ("model", "model"),
        ("RONI points", "RONI_points"),
        ("champion's recipe", "champion_s_recipe"),
        ("oracle (latent state)", "oracle_latent_state"),
        ("  odd -- name ", "odd_name"),
    ],
)
def test_a_ranker_has_a_name_that_mlflow_takes(ranker: str, name: str) -> None:
    table = backtest().table.head(1).assign(ranker=ranker)
    assert {key.split(".")[0] for key in metrics_of(table)} == {name}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("metric", METRICS)
def test_a_number_that_is_none_is_not_handed_on(metric: str, value: float) -> None:
    table = backtest().table.head(1).assign(**{metric: value})
    kept = {key.split(".")[1] for key in metrics_of(table)}
    assert metric not in kept
    assert {f"{metric}_low", f"{metric}_high"} <= kept


@pytest.mark.parametrize(("value", "number"), [("a", 1), ("b", 2)])
def test_the_first_row_that_holds_a_value(value: str, number: int) -> None:
    table = pd.DataFrame({"name": ["a", "b", "b"], "number": [1, 2, 3]})
    assert row_of(table, "name", value) == {"name": value, "number": number}


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (["2024-01-01", "2024-01-01"], "Two lists are of 2024-01-01. Name each list once"),
        (["2024-06-02"], "of 2024-06-02 is later than the day of this job, 2024-06-01"),
        (["2024-01-01", "2025-01-01"], "of 2025-01-01 is later"),
    ],
)
def test_lists_of_one_day_or_of_tomorrow_are_refused(days: list[str], words: str) -> None:
    lists = [pd.DataFrame({"as_of": [pd.Timestamp(day)]}) for day in days]
    with pytest.raises(RequestError, match=words):
        check_days(lists, DAYS[1])


@pytest.mark.parametrize("days", [[], ["2024-06-01"], ["2023-01-01", "2024-01-01", "2022-01-01"]])
def test_lists_of_different_days_up_to_today_are_taken(days: list[str]) -> None:
    check_days([pd.DataFrame({"as_of": [pd.Timestamp(day)]}) for day in days], DAYS[1])


DRIFT = pd.DataFrame(
    {
        "feature": [f"f{number}" for number in range(14)],
        "index": 0.5,
        "usual": 0.1,
        "missing_before": 0.0,
        "missing_now": 0.25,
        "drifted": False,
    }
)


def monitoring(**changed: Any) -> Monitoring:
    usual: dict[str, Any] = {
        "outcome": "pex",
        "version": "3",
        "as_of": DAYS[1],
        "simulated": False,
        "problems": [],
        "breaks": [],
        "drift": DRIFT,
        "outcomes": pd.DataFrame(),
        "advice": ["Nothing asks for it."],
        "retrain": False,
    }
    return Monitoring(**(usual | changed))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "Model 3 for pex on 2024-06-01."),
        ({}, "Problems of the extract:\n  none\n"),
        ({"problems": ["a file is old"]}, "Problems of the extract:\n  a file is old\n"),
        ({}, "What became of earlier lists:\n  no list since the model was trained\n"),
        ({"outcomes": pd.DataFrame({"expected": [2.34]})}, "expected\n      2.3\n"),
        ({}, "No reason was found to train again:\n  Nothing asks for it."),
        ({"retrain": True, "advice": ["old", "drifted"]}, "Train again:\n  old\n  drifted"),
    ],
)
def test_a_monitoring_in_words(changed: dict[str, Any], words: str) -> None:
    assert words in monitoring(**changed).text()


@pytest.mark.parametrize("simulated", [True, False])
def test_a_monitoring_of_simulated_data_states_it_first(simulated: bool) -> None:
    text = monitoring(simulated=simulated).text()
    assert text.startswith("SIMULATED DATA. Model 3") == simulated
    assert ("SIMULATED" in text) == simulated


@pytest.mark.parametrize(("drifted", "shown"), [(0, 0), (1, 1), (10, 10), (14, 10)])
def test_at_most_ten_drifted_features_are_named(drifted: int, shown: int) -> None:
    text = monitoring(drift=DRIFT.assign(drifted=np.arange(14) < drifted)).text()
    assert f"Drift: {drifted} of 14 (features and score)" in text
    assert text.count("index 0.50, usually up to 0.10; missing 0% then, 25% now") == shown


@pytest.mark.parametrize(
    ("added", "unchanged", "words"),
    [
        (0, 0, "0 decisions added to d.jsonl; 0 were in it already."),
        (1, 0, "1 decision added to d.jsonl; 0 were in it already."),
        (8, 1, "8 decisions added to d.jsonl; 1 was in it already."),
    ],
)
def test_decisions_are_counted_in_words(added: int, unchanged: int, words: str) -> None:
    made = Feedback(
        log=Path("d.jsonl"), added=added, unchanged=unchanged, coverage={}, notes=["A note."]
    )
    assert made.text() == f"{words}\nA note."


@pytest.mark.parametrize("school", ["all", "<b>s</b>"])
def test_the_coverage_of_a_list_is_shown_and_escaped(school: str) -> None:
    counts = {"listed": 9, "seen": 7, "decided": 6, "supported": 5, "disagreed": 0}
    rows = [{"school_id": name} | counts for name in dict.fromkeys([school, "all"])]
    table = {"abc, pex, 2024-09-02": pd.DataFrame(rows)}
    made = Feedback(log=Path("d.jsonl"), added=0, unchanged=0, coverage=table, notes=[])
    assert (
        "List abc, pex, 2024-09-02:\n  of 9 pupils listed 7 were seen, 6 decided on, "
        in made.text()
    )
    assert "<b>" not in made._repr_html_()
