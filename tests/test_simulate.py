"""The simulated LA keeps to the schema, to itself and to its seed, and knows the truth."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskmodel.cohort import build_spine
from riskmodel.data import TABLES, pandera_schema
from riskmodel.data.codes import code_set
from riskmodel.data.read import read
from riskmodel.errors import RequestError
from riskmodel.labels import label
from riskmodel.simulate import (
    Simulated,
    measure,
    preset_of,
    run,
    simulate,
    summarise,
    write_simulated,
)


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
        assert first.tables[name].equals(second.tables[name]), name
    pd.testing.assert_frame_equal(first.truth, second.truth)
    assert not first.tables["suspensions"].equals(other.tables["suspensions"])


@pytest.mark.parametrize(
    ("outcome", "month", "share"),
    [
        ("pex", 8, 0.5),
        ("exit", 8, 0.25),
        ("first-suspension", 8, 0.3),
        ("severe-absence", 3, 0.8),
        ("not-known", 6, 0.1),
    ],
)
def test_true_risks_add_up_to_what_happens(outcome: str, month: int, share: float) -> None:
    """In all, and more than a stated share of the outcomes among the 5% most at risk."""
    made = one_la()
    truth = made.truth[made.truth["outcome"] == outcome]
    days = [
        d for d in pd.DatetimeIndex(truth["as_of"].unique()) if d.month == month and d.year < 2025
    ]
    spine = build_spine(made.tables, days, outcome)
    labels = label(made.tables, spine, outcome, known_by=pd.Timestamp("2025-09-30"))
    keyed = truth.set_index(["pupil_id", "as_of"])["risk"]
    risk = keyed.reindex(
        pd.MultiIndex.from_arrays([spine["pupil_id"].astype("str"), spine["as_of"]])
    )
    known = labels["label"].notna().to_numpy() & risk.notna().to_numpy()
    assert known.mean() > 0.4  # of half of the lists before the winter check it is not known yet
    expected, observed = risk[known].sum(), labels["label"][known].sum()
    # Poisson: a gap of four standard deviations is a false alarm once in 16,000
    assert abs(expected - observed) < 4 * np.sqrt(expected)
    ranked = labels["label"][known].to_numpy()[np.argsort(-risk[known].to_numpy())]
    assert ranked[: len(ranked) // 20].sum() > share * observed


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


def test_writing_and_simulating_give_the_same_las(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "LARGEST_LA", 300)
    made = simulate(pupils=700, years=1, seed=4)
    rows = write_simulated(tmp_path / "x", pupils=700, years=1, seed=4)
    extract = read(tmp_path / "x")
    assert not len(extract.problems[extract.problems["severity"] == "error"])
    assert rows == {name: len(frame) for name, frame in made.tables.items()}
    assert made.tables["schools"]["local_authority"].nunique() == 3
    assert made.tables["pupils"]["pupil_id"].is_unique
    for name, frame in made.tables.items():
        written = extract.tables[name]
        for column in frame:
            ours, theirs = (
                f[column].astype("str").reset_index(drop=True) for f in (frame, written)
            )
            assert ours.equals(theirs), f"{name}, {column}"
    truth = pd.read_parquet(tmp_path / "x" / "truth" / "true_risk.parquet")
    assert truth["risk"].tolist() == made.truth["risk"].tolist()
    assert preset_of(tmp_path / "x") == "england"
    assert preset_of(tmp_path) is None


def test_a_seed_gives_the_same_bytes_whatever_the_number_of_threads(tmp_path: Path) -> None:
    digests = []
    for threads in ("1", "4"):
        out = tmp_path / threads
        code = (
            "from pathlib import Path; from riskmodel.simulate import write_simulated; "
            f"write_simulated(Path({str(out)!r}), pupils=400, years=1, seed=9)"
        )
        env = os.environ | {f"{name}_NUM_THREADS": threads for name in ("OMP", "OPENBLAS", "MKL")}
        subprocess.run([sys.executable, "-c", code], check=True, env=env, capture_output=True)
        files = sorted(path for path in out.rglob("*") if path.is_file())
        digests.append({p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files})
    assert digests[0] == digests[1]
    assert len(digests[0]) == 14


def test_figures_are_counts_that_add_up() -> None:
    figures = measure(one_la().tables, "bcp")
    assert figures.index.is_unique
    both = figures.assign(part=2 * figures["part"], whole=2 * figures["whole"])
    one, two = summarise([figures]), summarise([both])
    np.testing.assert_allclose(one["simulated"], two["simulated"])
    pair = summarise([figures, figures.assign(part=3 * figures["part"])])
    assert (pair["low"] <= pair["simulated"]).all()
    np.testing.assert_allclose(pair["simulated"], 2 * one["simulated"])


def test_what_is_common_is_near_its_published_level_in_one_la() -> None:
    """The whole list, over seeds and more pupils, is benchmarks/calibration.py and docs/calibration.txt."""
    figures = summarise([measure(simulate(pupils=12_000, years=2, seed=6).tables, "england")])
    off = figures.set_index("figure")["off"]
    common = [
        "fsm.primary",
        "fsm.secondary",
        "sen_support",
        "ehc_plan",
        "absence.primary",
        "absence.secondary",
        "persistent.primary",
        "persistent.secondary",
        "susp.secondary",
        "one_susp.secondary",
        "code.secondary.I",
        "code.secondary.O",
    ]
    assert off[common].abs().max() < 0.2
    assert len(figures) >= 60


def test_check_shows_how_a_simulated_folder_compares(
    extracts: Path, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = command("check", extracts)
    assert done.returncode == 0, done.stderr
    assert "SIMULATED DATA, preset bcp" in done.stdout
    assert "susp.secondary" in done.stdout
