"""Training for the second outcome, what a list is compared with."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import dataclass, replace
from io import StringIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from riskmodel.assess import rank
from riskmodel.cohort import build_spine, snapshots
from riskmodel.data import Tables
from riskmodel.data.read import read
from riskmodel.data.read.open.mvad import mvad_path
from riskmodel.errors import ModelError, RequestError
from riskmodel.jobs import Run, Training, make_list, promote, train
from riskmodel.jobs.past_lists import comparison_day, earlier_ranking
from riskmodel.jobs.rivals import ORACLE
from tests.lists import simulated_tables
from tests.small_la import SmallLA, new_store, registered


@dataclass(frozen=True)
class Neet:
    """A model for NEET, trained beside a champion whose files are gone; what was logged meanwhile."""

    run: Run
    training: Training
    logged: str


@pytest.fixture(scope="module")
def neet(
    small_la: SmallLA, larger: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Neet:
    folder = tmp_path_factory.mktemp("neet")
    run = Run("neet", tracking=new_store(shared, folder))
    model = replace(small_la.training.model, outcome="neet")
    first = replace(small_la, training=replace(small_la.training, model=model))
    run.registry.set_champion([registered(first, run, None)])
    shutil.rmtree(folder / "mlartifacts")  # the download fails
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger("riskmodel").addHandler(handler)
    try:
        made = train(larger, run, n_origins=2)
    finally:
        logging.getLogger("riskmodel").removeHandler(handler)
    return Neet(run, made, stream.getvalue())


def test_a_model_for_neet_is_trained_on_the_same_extracts(neet: Neet) -> None:
    made = neet.training
    rankers = set(made.backtest.table["ranker"])
    assert {"model", "tuned ridge", "points score", "RONI points", ORACLE} <= rankers
    assert made.model.outcome == "neet"
    assert "not known" in made.text()
    assert made.text().startswith("SIMULATED DATA")
    best = made.backtest.table.set_index("ranker")["average_precision"]
    assert best["model"] > made.backtest.counts["prevalence"]


def test_a_champion_that_cannot_be_read_fails_the_gate_that_asks_for_it(neet: Neet) -> None:
    (answer,) = (one for one in neet.training.gates if one.code == "not_below_champion")
    assert answer.result == "not judged"
    assert answer.reason.startswith("the champion in use (version 1) cannot be read: ")
    assert "the champion in use (version 1) cannot be read" in neet.logged
    with pytest.raises(
        ModelError,
        match=r"not_below_champion \(not judged, which blocks promotion: the champion in use",
    ):
        promote(neet.run)
    assert neet.run.registry.tags(neet.training.version)["champion"] == "1"


def test_a_list_of_the_day_after_half_term_is_not_compared_with_half_term(
    small_la: SmallLA, tmp_path: Path
) -> None:
    day = pd.Timestamp("2023-11-02").as_unit("s")
    folder = make_list(
        small_la.extracts,
        Run("pex", tracking=small_la.tracking, as_of=day, capacity=40),
        out=tmp_path / "list",
        model_uri="models:/riskmodel-pex/1",
    )
    tables, model = read(small_la.extracts).tables, small_la.training.model
    summer = rank(model.assess(tables, as_of=pd.Timestamp("2023-08-01"), capacity=40))
    change = rank(model.assess(tables, as_of=day, capacity=40), previous=summer)["change"]
    assert pd.read_csv(folder / "list.csv")["change"].tolist() == change.tolist()
    assert {"new", "rising", "falling"} <= set(change)
    facts = json.loads((folder / "assessment.json").read_text(encoding="utf-8"))
    assert facts["provenance"]["compared_with"] == "2023-08-01"
    text = "the same model gives from what was recorded before 1 August 2023."
    for page in (folder / "index.html", *sorted((folder / "schools").iterdir())):
        assert text in page.read_text(encoding="utf-8")
    read_me = openpyxl.load_workbook(folder / "list.xlsx")["Read me"]
    assert any(text in str(cell.value) for cell in read_me["A"])


def test_no_list_is_made_of_a_day_beyond_the_data(small_la: SmallLA, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="2026-08-01.* Name a day up to 2025-09-14"):
        make_list(
            small_la.extracts,
            Run(
                "pex",
                tracking=small_la.tracking,
                as_of=pd.Timestamp("2026-08-01").as_unit("s"),
                capacity=40,
            ),
            out=tmp_path / "list",
            model_uri="models:/riskmodel-pex/1",
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("outcome", ["pex", "neet", "neet-post16"])
def test_a_list_is_compared_with_the_snapshot_day_before_or_at_least_four_weeks_ago(
    outcome: str,
) -> None:
    after_16 = outcome == "neet-post16"
    tables = read(mvad_path()).tables if after_16 else simulated_tables()
    last = pd.Timestamp("1998-01-01" if after_16 else "2026-09-01")
    days = snapshots(tables, outcome, before=last)
    assert len(days) > 8
    for before, day in pairwise(days):
        assert comparison_day(tables, outcome, day) == before
        assert comparison_day(tables, outcome, day + pd.Timedelta(days=27)) == before
        assert comparison_day(tables, outcome, day + pd.Timedelta(days=28)) == day
    assert comparison_day(tables, outcome, days[0] + pd.Timedelta(days=27)) is None


def test_a_list_larger_than_the_earlier_cohort_is_compared_with_it(
    small_la: SmallLA, tmp_path: Path
) -> None:
    day = pd.Timestamp("2024-01-01").as_unit("s")
    tables = read(small_la.extracts).tables
    cohort = build_spine(tables, [day], "pex")
    compared = comparison_day(tables, "pex", day)
    assert compared is not None
    earlier = build_spine(tables, [compared], "pex")
    assert len(cohort) > len(earlier)
    run = Run("pex", tracking=small_la.tracking, as_of=day, capacity=len(cohort))
    folder = make_list(
        small_la.extracts, run, out=tmp_path / "list", model_uri="models:/riskmodel-pex/1"
    )
    change = pd.read_csv(folder / "list.csv", index_col="pupil_id")["change"]
    assert {"new", "rising", "falling"} <= set(change)
    new = set(cohort["pupil_id"]) - set(earlier["pupil_id"])
    assert set(change.index[change == "new"]) == new


def test_where_nobody_was_in_the_earlier_cohort_the_list_is_the_first(small_la: SmallLA) -> None:
    tables, model = read(small_la.extracts).tables, small_la.training.model
    day = pd.Timestamp("2024-01-01").as_unit("s")
    rolls = tables["enrolments"]
    late = Tables({**tables, "enrolments": rolls[(rolls["recorded_on"] >= day).to_numpy()]})
    assert comparison_day(late, "pex", day) is not None
    assert earlier_ranking(model, late, day) is None


def test_a_fault_in_the_earlier_ranking_is_not_taken_for_a_first_list(small_la: SmallLA) -> None:
    tables, model = read(small_la.extracts).tables, small_la.training.model
    day = pd.Timestamp("2024-01-01").as_unit("s")
    lacking = replace(model, features=(*model.features, "shoe_size"))
    with pytest.raises(ModelError, match="do not give, first 'shoe_size'"):
        earlier_ranking(lacking, tables, day)
    # as many bags as no other array of the ensemble has: the fault is numpy's
    calibrated = model.calibrated
    linear = replace(calibrated.ensemble.linear, intercept=np.zeros(3))
    ensemble = replace(calibrated.ensemble, linear=linear)
    broken = replace(model, calibrated=replace(calibrated, ensemble=ensemble))
    with pytest.raises(ValueError, match="could not be broadcast"):
        earlier_ranking(broken, tables, day)
