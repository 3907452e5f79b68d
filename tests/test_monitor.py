"""Monitoring: problems first, drift, and what became of earlier lists."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from riskmodel.cohort import build_spine, snapshots
from riskmodel.data import Tables
from riskmodel.data.read import Extract, read
from riskmodel.data.read.open.mvad import mvad_path
from riskmodel.errors import HistoryError, ModelError, RequestError
from riskmodel.evaluation.drift import SCORE
from riskmodel.evaluation.follow_up import counted_once, outcomes_of_lists
from riskmodel.jobs import Monitoring, Run, make_list, monitor
from riskmodel.jobs.champion import load_model
from riskmodel.jobs.past_lists import (
    assess_at,
    count_missing,
    read_handed_out,
    rebuilt_lists,
    with_outcome,
)
from riskmodel.jobs.record import register
from riskmodel.labels import horizon_end, label
from tests.small_la import SmallLA, new_store

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def watched(small_la: SmallLA, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a store whose champion is recorded as trained two years before the last list."""
    tracking = new_store(shared, tmp_path_factory.mktemp("watched"))
    made = small_la.training
    trained = replace(made.model.card.trained, trained_as_of="2023-06-01")
    model = replace(made.model, card=replace(made.model.card, trained=trained))
    X = pd.DataFrame(np.zeros((2, len(model.features))), columns=list(model.features))
    for outcome in ("pex", "neet"):  # what is asked of the second is only how lists are counted
        named = replace(model, outcome=outcome)
        run = Run(outcome, tracking=tracking)
        number = register(replace(made, model=named), run, None, X)
        run.registry.set_champion([number])
    return tracking


@pytest.fixture(scope="module")
def found(small_la: SmallLA, watched: str) -> Monitoring:
    return monitor(small_la.extracts, Run("pex", tracking=watched))


def test_the_same_la_has_not_drifted_much_and_an_old_model_is_called_old(
    found: Monitoring,
) -> None:
    assert found.drift["feature"].iloc[0] == SCORE
    assert found.drift["drifted"].mean() < 0.1
    assert found.retrain
    assert any("a year of outcomes is new since" in line for line in found.advice)
    assert found.drift["share_of_reasons"].sum() == pytest.approx(1.0)


def test_the_outcomes_of_lists_add_up_to_those_of_the_cohort(
    found: Monitoring, small_la: SmallLA
) -> None:
    tables = read(small_la.extracts).tables
    table = found.outcomes
    assert table["as_of"].nunique() > 4
    assert set(table["supported"]) == {"not known"}
    capacity = small_la.training.backtest.counts["capacity"]
    first = table[table["as_of"] == table["as_of"].min()]
    assert first.loc[first["listed"], "pupils"].item() <= capacity
    spine = build_spine(tables, [pd.Timestamp(first["as_of"].iloc[0])], "pex")
    labels = label(tables, spine, "pex", known_by=found.as_of)
    assert first["observed"].sum() == (labels["label"] == 1).sum()
    assert first["pupils"].sum() == labels["label"].notna().sum()
    assert first["complete"].all()
    last = table[table["as_of"] == table["as_of"].max()]
    assert not last["complete"].any()


def test_a_list_that_was_handed_out_and_decisions_are_read_back(
    small_la: SmallLA, watched: str, tmp_path: Path, command: Command
) -> None:
    day = pd.Timestamp("2023-10-29").as_unit("s")
    folder = make_list(
        small_la.extracts,
        Run("pex", tracking=watched, as_of=day, capacity=15),
        out=tmp_path / "list",
    )
    book = openpyxl.load_workbook(folder / "list.xlsx")
    header = [cell.value for cell in book["List"][1]]
    for row in range(2, 17):
        decision = "Offer support" if row < 11 else "No support needed"
        book["List"].cell(row, header.index("Decision") + 1).value = decision
    book.save(tmp_path / "returned.xlsx")
    answer = command("feedback", "returned.xlsx", "--list", folder)
    assert answer.returncode == 0, answer.stderr
    answer = command(
        "monitor",
        small_la.extracts,
        "--outcome",
        "pex",
        "--tracking",
        watched,
        "--list",
        folder,
        "--decisions",
        "decisions.jsonl",
        "--out",
        tmp_path / "out",
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("SIMULATED DATA.")
    table = pd.read_csv(tmp_path / "out" / "outcomes.csv")
    listed = table[table["listed"]].set_index("supported")
    assert listed["pupils"].sum() <= 15
    assert {"yes", "no"} == set(listed.index)
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "do not say what support did" in page
    assert page.index("The extract first") < page.index("look like those the model learned from")
    assert "Simulated data" in page


def watched_with(
    small_la: SmallLA, watched: str, folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> Monitoring:
    """Monitor a copy of the LA of which the register marks are others."""
    shutil.copytree(small_la.extracts, folder)
    sessions = change(pd.read_parquet(folder / "sessions.parquet"))
    sessions.to_parquet(folder / "sessions.parquet", index=False)
    last = pd.Timestamp("2025-06-01").as_unit("s")
    return monitor(folder, Run("pex", tracking=watched, as_of=last))


def test_an_extract_with_broken_registers_drifts_and_the_report_asks_to_mend_it(
    small_la: SmallLA, watched: str, tmp_path: Path
) -> None:
    def broken(sessions: pd.DataFrame) -> pd.DataFrame:
        marks = sessions["mark"].astype(str).where(sessions.index % 20 > 0, "?!")
        is_new = sessions["date"] >= pd.Timestamp("2024-09-01")
        return sessions.assign(mark=marks.mask(is_new & (sessions.index % 3 == 0), "N"))

    found = watched_with(small_la, watched, tmp_path / "broken", broken)
    assert found.problems
    assert found.drift["drifted"].sum() > 20
    drifted = set(found.drift.loc[found.drift["drifted"], "feature"])
    assert "absence_rate_60_days" in drifted
    assert any("drifted" in line for line in found.advice)
    assert any("First mend the extract" in line for line in found.advice)
    assert found.text().index("Problems of the extract") < found.text().index("Drift:")


def test_an_extract_whose_registers_all_ended_is_refused_with_the_reason(
    small_la: SmallLA, watched: str, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match="(sessions|registers) end on 2024-0[78].*Add the newer"):
        watched_with(
            small_la,
            watched,
            tmp_path / "broken",
            lambda sessions: sessions[sessions["date"] < pd.Timestamp("2024-09-01")],
        )


def test_a_day_beyond_the_data_is_refused(small_la: SmallLA, watched: str, tmp_path: Path) -> None:
    day = pd.Timestamp("2026-08-01").as_unit("s")
    with pytest.raises(RequestError, match="2026-08-01.* Name a day up to 2025-09-14"):
        monitor(small_la.extracts, Run("pex", tracking=watched, as_of=day), out=tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_decisions_that_are_no_log_are_refused_in_words(
    small_la: SmallLA, watched: str, tmp_path: Path
) -> None:
    (tmp_path / "decisions.csv").write_text("pupil_id,supported\nP1,yes\n", encoding="utf-8")
    with pytest.raises(RequestError, match="line 1: this is no entry"):
        monitor(
            small_la.extracts, Run("pex", tracking=watched), decisions=tmp_path / "decisions.csv"
        )


def test_a_missing_champion_or_a_folder_that_is_no_list_is_reported(
    small_la: SmallLA, watched: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="There is no MLflow store at .*riskmodel train"):
        monitor(small_la.extracts, Run("pex", tracking=f"sqlite:///{tmp_path / 'none.db'}"))
    with pytest.raises(RequestError, match="holds no list that can be read"):
        monitor(small_la.extracts, Run("pex", tracking=watched), lists=(tmp_path,))


def handed_out(folder: Path, small_la: SmallLA, watched: str, day: str) -> Path:
    return make_list(
        small_la.extracts,
        Run("pex", tracking=watched, as_of=pd.Timestamp(day).as_unit("s"), capacity=15),
        out=folder,
    )


def test_lists_of_one_day_later_lists_and_changed_lists_are_refused(
    small_la: SmallLA, watched: str, tmp_path: Path
) -> None:
    one = handed_out(tmp_path / "one", small_la, watched, "2023-10-29")
    with pytest.raises(RequestError, match="Two lists are of 2023-10-29"):
        monitor(small_la.extracts, Run("pex", tracking=watched), lists=(one, one))
    early = pd.Timestamp("2023-09-01").as_unit("s")
    with pytest.raises(RequestError, match="later than the day of this job, 2023-09-01"):
        monitor(small_la.extracts, Run("pex", tracking=watched, as_of=early), lists=(one,))
    frame = pd.read_csv(one / "list.csv", dtype={"pupil_id": str})
    frame.assign(selected="no").to_csv(one / "list.csv", index=False)
    with pytest.raises(RequestError, match="changed since the list was made"):
        monitor(small_la.extracts, Run("pex", tracking=watched), lists=(one,))


def test_a_list_of_another_model_and_pupils_who_are_gone_are_reported(
    small_la: SmallLA, watched: str, tmp_path: Path
) -> None:
    one = handed_out(tmp_path / "one", small_la, watched, "2023-10-29")
    facts = json.loads((one / "assessment.json").read_text(encoding="utf-8"))
    facts["provenance"]["training_data_digest"] = "another"
    (one / "assessment.json").write_text(json.dumps(facts), encoding="utf-8")
    made = monitor(small_la.extracts, Run("pex", tracking=watched), lists=(one,))
    assert not made.outcomes["same_model"].any()
    tables = read(small_la.extracts).tables
    champion, _ = load_model(Run("pex", tracking=watched).registry)
    past = with_outcome(read_handed_out(one, champion), tables, "pex", made.as_of)
    assert past["complete"].all()
    assert counted_once(
        past, "pex"
    ).empty  # what another model expected does not count for this one
    some = pd.DataFrame(
        {
            "pupil_id": ["gone", str(tables["pupils"]["pupil_id"].iloc[0])],
            "as_of": pd.Timestamp("2023-10-29"),
        }
    )
    (text,) = count_missing([some], tables)
    assert text.startswith("1 of the 2 pupils of the list of 2023-10-29")


def test_outcomes_after_16_are_counted_when_the_horizon_is_over_and_not_known_before() -> None:
    tables = read(mvad_path()).tables
    day = pd.Timestamp("1996-07-01").as_unit("s")
    for made_on, complete in (("1995-01-01", True), ("1996-01-01", False)):
        spine = build_spine(tables, [pd.Timestamp(made_on).as_unit("s")], "neet-post16")
        one = spine.assign(risk=0.1, listed=True, same_model=True, supported="not known")
        followed = with_outcome(one, tables, "neet-post16", day)
        table = outcomes_of_lists(followed)
        happened = (label(tables, spine, "neet-post16", known_by=day)["label"] == 1).sum()
        assert table["complete"].all() == complete
        if complete:
            assert happened > 0
            assert table["observed"].sum() == happened
        else:
            assert table["observed"].isna().all()
            assert table["observed_high"].isna().all()


def test_only_lists_a_year_apart_are_added_up() -> None:
    days = pd.to_datetime(["2022-06-01", "2023-01-01", "2023-06-01", "2024-06-01"])
    lists = pd.DataFrame(
        {"pupil_id": "a", "as_of": days, "complete": [True, True, True, False], "same_model": True}
    )
    for outcome in ("pex", "neet-post16"):
        assert list(counted_once(lists, outcome)["as_of"]) == [days[0], days[2]]


def test_of_neet_each_pupil_counts_on_the_first_list_of_this_model_whose_winter_is_over() -> None:
    days = pd.to_datetime(["2023-06-01", "2022-06-01", "2021-06-01"])
    lists = pd.DataFrame(
        {
            "pupil_id": ["a", "b", "younger", "a", "b", "a"],
            "as_of": days[[0, 0, 0, 1, 1, 2]],
            "complete": [True, True, False, True, True, True],
            "same_model": [True, True, True, True, True, False],
        }
    )
    counted = counted_once(lists, "neet")
    assert counted["pupil_id"].tolist() == ["a", "b"]
    assert counted["as_of"].tolist() == [days[1], days[1]]


def test_the_winter_of_one_leaving_year_is_not_counted_again_by_each_list_that_waited_for_it(
    small_la: SmallLA, watched: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = read(small_la.extracts).tables
    days = pd.to_datetime(["2022-06-01", "2023-06-01", "2024-06-01"])
    spine = build_spine(tables, days, "neet")
    spine = spine[(horizon_end(spine, "neet") == pd.Timestamp("2025-03-01")).to_numpy()]
    assert set(spine["year_group"]) == {9, 10, 11}
    day = pd.Timestamp("2025-06-01").as_unit("s")
    labels = label(tables, spine, "neet", known_by=day)["label"]
    happened = spine["pupil_id"][(labels == 1).to_numpy()].nunique()
    last = labels[(spine["as_of"] == days[-1]).to_numpy()]
    # more than happened, within chance; three times as many would not be
    risk = (2 * happened + 1) / last.notna().sum()
    spine = spine.assign(risk=risk, listed=False, same_model=True)
    lists = [one.reset_index(drop=True) for _, one in spine.groupby("as_of")]
    module = import_module("riskmodel.jobs.monitor")  # the package has a function of that name
    monkeypatch.setattr(module, "rebuilt_lists", lambda *_: lists)
    found = monitor(small_la.extracts, Run("neet", tracking=watched, as_of=day))
    assert found.outcomes["complete"].all()
    assert found.outcomes["observed"].sum() > 2 * happened > 0
    assert not any("outcomes were expected" in line for line in found.advice)


def with_rolls_from(day: str, small_la: SmallLA) -> Extract:
    """Return the extracts without the rolls that were recorded before a day."""
    extract = read(small_la.extracts)
    rolls = extract.tables["enrolments"]
    kept = rolls[(rolls["recorded_on"] >= pd.Timestamp(day)).to_numpy()]
    return replace(extract, tables=Tables({**extract.tables, "enrolments": kept}))


def test_a_day_without_a_cohort_has_no_list(small_la: SmallLA) -> None:
    model, late = small_la.training.model, with_rolls_from("2024-01-01", small_la).tables
    trained = replace(model.card.trained, trained_as_of="2023-09-01")
    model = replace(model, card=replace(model.card, trained=trained))
    empty, today = (pd.Timestamp(day).as_unit("s") for day in ("2023-10-27", "2024-04-30"))
    assert assess_at(model, late, empty) is None
    lists = rebuilt_lists(model, late, today)
    days = snapshots(late, "pex", before=today)
    assert {one["as_of"].iloc[0] for one in lists} == set(days[days >= pd.Timestamp("2024-01-02")])
    assert min(days) < pd.Timestamp("2024-01-01")


def test_monitoring_a_day_without_a_cohort_is_refused_in_words(
    small_la: SmallLA, watched: str
) -> None:
    day = pd.Timestamp("2023-10-27").as_unit("s")
    extract = with_rolls_from("2024-01-01", small_la)
    with pytest.raises(HistoryError, match="Nobody is in the pex cohort of 2023-10-27"):
        monitor(extract, Run("pex", tracking=watched, as_of=day))
