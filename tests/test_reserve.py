"""The backtest of places for children never suspended: what they find, what they cost, and the answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskmodel.data.outcomes import OUTCOMES
from riskmodel.errors import HistoryError, RequestError
from riskmodel.evaluation.reserve import SHARES, ReserveBacktest, backtest_reserve
from riskmodel.jobs import Run, measure_reserve
from riskmodel.training.folds import rolling_folds

N, CAPACITY = 1_000, 50

DAYS = pd.to_datetime(["2022-08-01", "2023-02-10", "2023-08-01"])


def lists(n_never: int, seed: int = 0) -> pd.DataFrame:
    """Return three lists: the model foresees the suspended, and nothing of the children never suspended.

    On each list 60 pupils suspended before have a high score, the first 20 of them the outcome; of the
    others, who were never suspended, so many have it.
    """
    random = np.random.default_rng(seed)
    parts = []
    for number, day in enumerate(DAYS):
        label = np.zeros(N)
        label[:20] = 1
        label[60 : 60 + n_never] = 1
        parts.append(
            pd.DataFrame(
                {
                    "pupil_id": [f"{number}-{place:04}" for place in range(N)],
                    "as_of": day,
                    "label": label,
                    "never_suspended": np.arange(N) >= 60,
                    "model": np.where(np.arange(N) < 60, 1.0 - np.arange(N) / N, 0.1 * random.random(N)),
                    "random": random.random(N),
                    "knows": label + 0.1 * random.random(N),
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def found_by_hand(rows: pd.DataFrame, candidate: str, share: float) -> tuple[int, int, int]:
    """Return reserved places, and children found of all and of the never suspended, by loops."""
    places, everybody, never = 0, set(), set()
    for _, one in rows.groupby("as_of"):
        reserve_size = int(share * CAPACITY + 0.5)
        first = one.sort_values("model", ascending=False).head(CAPACITY - reserve_size)
        rest = one[one["never_suspended"] & ~one["pupil_id"].isin(first["pupil_id"])]
        second = rest.sort_values(candidate, ascending=False).head(reserve_size)
        places += len(second)
        for pupil in pd.concat([first, second]).to_dict("records"):
            if pupil["label"] == 1:
                everybody.add(pupil["pupil_id"])
                if pupil["never_suspended"]:
                    never.add(pupil["pupil_id"])
    return places, len(everybody), len(never)


@pytest.mark.parametrize("candidate", ["random", "knows"])
def test_what_a_reserve_finds_is_a_slow_count(candidate: str) -> None:
    rows = lists(6)
    made = backtest_reserve(rows, "model", [candidate], CAPACITY)
    _, bare, bare_never = found_by_hand(rows, candidate, 0)
    assert (made.counts["found"], made.counts["never_found"]) == (bare, bare_never)
    assert (made.counts["with_outcome"], made.counts["never_with_outcome"]) == (3 * 26, 3 * 6)
    assert made.table["share"].tolist() == list(SHARES)
    for row in made.table.to_dict("records"):
        places, found, never = found_by_hand(rows, candidate, row["share"])
        assert row["places"] == places
        assert row["found_change"] == found - bare
        assert row["never_change"] == never - bare_never
        assert row["gain_per_100"] == pytest.approx(100 * (never - bare_never) / places)
        assert row["cost_per_100"] == pytest.approx(100 * (bare - found) / places)


def test_the_largest_reserve_that_pays_is_the_answer() -> None:
    made = backtest_reserve(lists(6), "model", ["random", "knows"], CAPACITY)
    best = made.best()
    assert best is not None
    assert (best["ranked_by"], best["share"]) == ("knows", 0.2)
    assert made.answer().startswith("0.2, ranked by knows: +18 (+")


@pytest.mark.parametrize("seed", range(10))
def test_a_candidate_that_knows_nothing_is_not_worth_a_place(seed: int) -> None:
    made = backtest_reserve(lists(6, seed), "model", ["random"], CAPACITY, random_state=seed)
    assert made.best() is None
    assert made.answer().startswith("0: not worth a place here. The reserve that found most ("), (
        made.answer()
    )
    assert "children found of the never suspended" in made.answer()


def test_a_gain_that_costs_more_beyond_noise_is_not_worth_a_place() -> None:
    rows = lists(4)
    costly = rows["never_suspended"].to_numpy() | (rows.groupby("as_of").cumcount() >= CAPACITY)
    rows["label"] = np.where(costly, rows["label"], 1.0)  # everybody listed has the outcome
    made = backtest_reserve(rows, "model", ["knows"], CAPACITY)
    dear = made.table[made.table["share"] == SHARES[-1]].iloc[0]
    assert dear["never_change_low"] > 0
    assert dear["found_change_high"] < 0
    best = made.best()
    assert best is None or best["share"] < SHARES[-1]


def test_a_gain_of_few_children_is_within_noise() -> None:
    rows = lists(1)
    made = backtest_reserve(rows, "model", ["knows"], CAPACITY)
    assert (made.table["never_change"] == 3).all()
    assert made.best() is None


def test_a_child_on_several_lists_counts_once_and_on_each_list_per_100_places() -> None:
    rows = lists(6)
    rows["pupil_id"] = rows["pupil_id"].str.slice(2)
    made = backtest_reserve(rows, "model", ["knows"], CAPACITY)
    row = made.table.iloc[-1]
    assert row["never_change"] == 6
    assert row["gain_per_100"] == pytest.approx(100 * 18 / row["places"])


def test_whom_a_candidate_cannot_rank_holds_no_place() -> None:
    rows = lists(6)
    rows.loc[rows["label"] == 1, "knows"] = np.nan
    made = backtest_reserve(rows, "model", ["knows"], CAPACITY)
    assert (made.table["never_change"] == 0).all()


def test_the_order_of_rows_changes_nothing() -> None:
    rows = lists(6)
    made = backtest_reserve(rows, "model", ["knows"], CAPACITY)
    mixed = backtest_reserve(rows.sample(frac=1, random_state=1), "model", ["knows"], CAPACITY)
    columns = ["places", "found_change", "never_change"]
    assert made.table[columns].equals(mixed.table[columns])


def test_without_an_outcome_of_such_children_nothing_can_be_found() -> None:
    with pytest.raises(
        HistoryError, match="Nobody on the tested lists had the outcome while never"
    ):
        backtest_reserve(lists(0), "model", ["knows"], CAPACITY)


def test_the_text_ends_with_the_answer() -> None:
    made = backtest_reserve(lists(6), "model", ["random", "knows"], CAPACITY)
    lines = made.text().splitlines()
    assert lines[0] == "3 lists made with what was known then, 50 places."
    assert lines[-1] == made.answer()
    assert len([line for line in lines if line.startswith(("random", "knows"))]) == 2 * len(SHARES)
    assert isinstance(made, ReserveBacktest)


@pytest.fixture
def two_rankers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two outcomes alone rank such places, for the sake of time."""
    pex = replace(OUTCOMES["pex"], reserve_rankers=("first-suspension", "not-known", "pex"))
    monkeypatch.setitem(OUTCOMES, "pex", pex)


@pytest.mark.usefixtures("two_rankers")
def test_the_job_tests_models_of_both_outcomes_on_the_same_days(extracts: Path) -> None:
    made = measure_reserve(
        extracts, Run("pex", tracking="sqlite:///none.db", capacity=20), n_origins=2
    )
    lines = made.text().splitlines()
    assert lines[0] == "SIMULATED DATA. Places for children never suspended on lists for pex."
    assert set(made.backtest.table["ranked_by"]) | set(made.left_out) == {
        "first-suspension",
        "not-known",
        "pex",
    }
    assert "first-suspension" in set(made.backtest.table["ranked_by"])
    assert made.backtest.counts["lists"] == 2
    assert made.backtest.table["places"].tolist()[:3] == [2, 4, 8]
    assert lines[-1].startswith("0: not worth a place here. ")  # 1,200 pupils show nothing


def test_only_the_days_that_are_asked_for_are_origins() -> None:
    days = pd.to_datetime(["2020-01-01", "2021-01-01", "2022-01-01", "2023-01-01"])
    spine = pd.DataFrame(
        [(f"p{number}", day) for day in days for number in range(30)], columns=["pupil_id", "as_of"]
    )

    def label_at(day: pd.Timestamp) -> np.ndarray:
        known = (spine["as_of"] + pd.DateOffset(years=1) <= day).to_numpy()
        return np.where(known, spine.index % 3 == 0, np.nan).astype(float)

    today = pd.Timestamp("2024-01-01")
    folds = rolling_folds(spine, label_at, known_by=today, n_origins=5)
    assert [fold.origin for fold in folds] == list(days[1:])
    some = rolling_folds(spine, label_at, known_by=today, n_origins=5, origins=[days[2]])
    assert [fold.origin for fold in some] == [days[2]]
    assert (spine["as_of"].iloc[some[0].train] < days[2]).all()


def test_an_outcome_without_such_places_is_refused_before_anything_is_read() -> None:
    with pytest.raises(RequestError, match="A list for neet has no places for emerging concern"):
        measure_reserve("nowhere", Run("neet", tracking="sqlite:///none.db"))
