"""The leaderboard: a stranger's classifier on the public tasks, and the figures that judge it."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.leaderboard import imported
from benchmarks.tasks import La, expected_average_precision, judge, lists, tied_mean
from riskmodel.evaluation import average_precision

ROOT = Path(__file__).parents[1]


def leaderboard(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.leaderboard", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_any_classifier_gets_a_line_beside_rivals_and_ceiling(tmp_path: Path) -> None:
    done = leaderboard(
        "--model", "sklearn.naive_bayes:GaussianNB", "--scale", "tiny", "--world", "steady",
        "--outcome", "neet",
        "--cache", str(tmp_path), "--workers", "1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("SIMULATED DATA.")
    for name in ("GaussianNB", "our_recipe", "recorded ceiling", "oracle", "suspensions last year"):
        assert name in done.stdout
    ranked = lists(tmp_path, "neet", [La("steady", 3, 500)])
    assert ranked["_label"].isna().any()  # leavers, and those whose outcome comes later
    assert ranked["_risk"][ranked["_label"].isna()].gt(0).any()


def test_a_pupil_whose_outcome_is_not_known_takes_a_place() -> None:
    """One place in a hundred: the leaver's score is highest, so the list finds nobody."""
    label = np.r_[np.nan, 1.0, np.zeros(98)]
    pupils = pd.DataFrame({"_la": 1, "_label": label, "_risk": 0.01, "suspensions_ever": 0})
    figures = judge(pupils, np.arange(100.0)[::-1], "pex").iloc[0]
    assert (figures["seen_recall"], figures["seen_average_precision"]) == (0.0, 1.0)
    assert judge(pupils, np.roll(np.arange(100.0)[::-1], 1), "pex")["seen_recall"].item() == 1.0


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("sklearn.svm:Nothing", "No classifier at 'sklearn.svm:Nothing'"),
        ("nonsense", "Write module:name"),
        ("sklearn.linear_model:Ridge", "makes a Ridge without fit and predict_proba"),
    ],
)
def test_a_wrong_classifier_is_refused_in_words(path: str, words: str) -> None:
    with pytest.raises(SystemExit, match=words):
        imported(path)


def test_expected_average_precision_of_certain_outcomes_is_average_precision() -> None:
    outcome, score = np.array([1.0, 0.0, 1.0, 0.0, 0.0]), np.array([0.9, 0.8, 0.7, 0.2, 0.1])
    assert expected_average_precision(outcome, score) == pytest.approx(
        average_precision(outcome, score)
    )


def test_expected_average_precision_is_the_mean_over_outcomes() -> None:
    """Every set of outcomes of three pupils, weighted by its chance and its number of outcomes."""
    risk, score = np.array([0.5, 0.2, 0.1]), np.array([3.0, 2.0, 1.0])
    total = 0.0
    for outcome in product([0, 1], repeat=3):
        y = np.array(outcome, dtype=float)
        chance = float(np.prod(np.where(y == 1, risk, 1 - risk)))
        total += chance * y.sum() * (average_precision(y, score) if y.any() else 0.0)
    assert expected_average_precision(risk, score) == pytest.approx(total / risk.sum())


def test_tied_pupils_share_their_risk() -> None:
    assert tied_mean(np.array([0.4, 0.2, 0.1]), np.array([1.0, 1.0, 0.0])).tolist() == (
        pytest.approx([0.3, 0.3, 0.1])
    )
