"""The simulated LA keeps to the schema, to itself and to its seed, and knows the truth."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from riskmodel.cohort import build_spine
from riskmodel.data import TABLES, pandera_schema
from riskmodel.data.codes import code_set
from riskmodel.errors import RequestError
from riskmodel.outcomes import label
from riskmodel.simulate import Simulated, simulate


@cache
def one_la() -> Simulated:
    return simulate(pupils=6000, years=4, seed=2, preset="bcp")


@pytest.mark.parametrize("name", sorted(set(TABLES) - {"absence_totals"}))
def test_every_table_keeps_to_the_schema(name: str) -> None:
    frame = one_la().tables[name]
    pandera_schema(name).validate(frame)
    assert len(frame) > 0


@pytest.mark.parametrize("name", ["suspensions", "send", "circumstances", "enrolments", "sessions"])
def test_nothing_is_recorded_before_it_happens(name: str) -> None:
    frame = one_la().tables[name]
    assert (frame["recorded_on"] >= frame[TABLES[name].event]).all()


def test_marks_are_on_school_days_and_in_force() -> None:
    tables = one_la().tables
    sessions = tables["sessions"]
    assert sessions["date"].isin(tables["calendar"]["date"]).all()
    codes = code_set("marks")
    for code in codes.index[codes["from"] != ""]:
        used = sessions.loc[sessions["mark"] == code, "date"]
        assert used.empty or used.min() >= pd.Timestamp(str(codes.loc[code, "from"]))


def test_nobody_is_marked_after_leaving_for_good() -> None:
    tables = one_la().tables
    rolls = tables["enrolments"].groupby("pupil_id", observed=True)["leaving_date"]
    gone = rolls.max()[rolls.count() == rolls.size()]
    last = tables["sessions"].groupby("pupil_id", observed=True)["date"].max().reindex(gone.index)
    assert ((last - gone) <= pd.Timedelta(days=7)).all()


def test_the_excluded_leave_the_roll_soon_after() -> None:
    tables = one_la().tables
    facts = tables["suspensions"]
    excluded = facts[facts["category"] == "PERM"]
    rolls = tables["enrolments"]
    left = rolls[rolls["leaving_reason"] == "permanently_excluded"].set_index("pupil_id")[
        "leaving_date"
    ]
    days = (
        left.reindex(excluded["pupil_id"]).to_numpy() - excluded["start_date"].to_numpy()
    ).astype("timedelta64[D]")
    assert len(excluded) > 20
    assert (days.astype(int) >= 0).all()
    assert (days.astype(int) <= 14).all()


def test_a_seed_gives_the_same_la_and_another_seed_another() -> None:
    first, second, other = (simulate(pupils=200, years=1, seed=s) for s in (1, 1, 2))
    for name in first.tables:
        pd.testing.assert_frame_equal(first.tables[name], second.tables[name])
    pd.testing.assert_frame_equal(first.truth, second.truth)
    assert not first.tables["suspensions"].equals(other.tables["suspensions"])


def test_true_risks_add_up_to_what_happens() -> None:
    made = one_la()
    truth = made.truth[made.truth["outcome"] == "pex"]
    days = [d for d in pd.DatetimeIndex(truth["as_of"].unique()) if d.month == 8 and d.year < 2025]
    spine = build_spine(made.tables, days, "pex")
    labels = label(made.tables, spine, "pex", known_by=pd.Timestamp("2025-09-30"))
    keyed = truth.set_index(["pupil_id", "as_of"])["risk"]
    risk = keyed.reindex(
        pd.MultiIndex.from_arrays([spine["pupil_id"].astype("str"), spine["as_of"]])
    )
    known = labels["label"].notna().to_numpy() & risk.notna().to_numpy()
    expected, observed = risk[known].sum(), labels["label"][known].sum()
    # Poisson: a gap of four standard deviations is a false alarm once in 16,000
    assert abs(expected - observed) < 4 * np.sqrt(expected)
    ranked = labels["label"][known].to_numpy()[np.argsort(-risk[known].to_numpy())]
    assert ranked[: len(ranked) // 20].sum() > 0.5 * observed


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"pupils": 99}, "At least 100 pupils"),
        ({"years": 0}, "from 1 to 12; got 0"),
        ({"years": 13}, "got 13"),
        ({"preset": "mars"}, "england or bcp"),
    ],
)
def test_nonsense_is_refused_in_words(wrong: dict[str, int], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        simulate(**wrong)
