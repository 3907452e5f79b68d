"""The best rival, and advice: at the capacity first, then in order, and none within noise."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from riskmodel.evaluation import Backtest, compare
from riskmodel.evaluation.best_rival import BestRival, best_rival

CAPACITY, ORDER = "recall_at_capacity", "average_precision"


@cache
def measured() -> Backtest:
    rng = np.random.default_rng(0)
    label = np.r_[np.ones(40), np.zeros(960)]
    frame = pd.DataFrame({"label": label, "pupil_id": np.arange(1000)})
    frame["as_of"] = pd.Timestamp("2024-06-01")
    names = ["model", "tuned ridge", "suspensions last year"]
    scores = {name: label + rng.normal(size=1000) for name in names}
    return compare(frame.assign(**scores), rankers=names, capacity=100)


def changed(metric: str, difference: float, width: float) -> Backtest:
    """Return the backtest with the tuned ridge as the best rival by a metric, by so much."""
    made = measured()
    differences = made.differences.set_index("ranker")
    differences[metric] = [difference, difference + 0.05]
    differences[f"{metric}_low"] = differences[metric] - width
    differences[f"{metric}_high"] = differences[metric] + width
    return replace(made, differences=differences.reset_index())


def both(capacity: tuple[float, float], order: tuple[float, float]) -> str:
    first, second = changed(CAPACITY, *capacity), changed(ORDER, *order)
    columns = [f"{ORDER}{end}" for end in ("", "_low", "_high")]
    differences = first.differences.assign(**{name: second.differences[name] for name in columns})
    return replace(first, differences=differences).recommendation()


@pytest.mark.parametrize(
    ("capacity", "order", "words", "prefers"),
    [
        ((-0.3, 0.1), (0.2, 0.1), "A simpler ranker finds more, beyond noise", True),
        (
            (0.3, 0.1),
            (-0.2, 0.1),
            "The model finds more than the best simpler ranker, beyond noise",
            False,
        ),  # it finds fewer
        ((0.0, 0.1), (-0.2, 0.1), "In the order of all pupils it is better, beyond noise", True),
        ((0.0, 0.1), (0.2, 0.1), "The model orders all pupils better, beyond noise", False),
        (
            (0.0, 0.1),
            (0.0, 0.1),
            "The order of all pupils is no better either, beyond noise.",
            False,
        ),
        ((-0.1, 0.2), (-0.02, 0.1), "A simpler ranker finds about as many, within noise", False),
    ],
)
def test_advice_looks_at_the_capacity_first_and_prefers_nothing_within_noise(
    capacity: tuple[float, float], order: tuple[float, float], words: str, prefers: bool
) -> None:
    text = both(capacity, order)
    assert "simpler ranker" in text.split(":")[0]
    assert words in text
    assert ("Prefer it" in text) == prefers


def test_the_best_of_several_must_be_better_by_more_than_one_alone() -> None:
    def against(n_rivals: int) -> BestRival:
        return BestRival(
            ranker="x",
            n_rivals=n_rivals,
            own=0.4,
            rivals=0.5,
            difference=-0.1,
            low=-0.18,
            high=-0.02,
        )

    assert against(1).is_worse
    assert not against(8).is_worse
    assert not against(1).is_better


def test_the_best_rival_is_the_best_by_the_metric() -> None:
    made = measured()
    names = ["suspensions last year", "tuned ridge", "not there"]
    for metric in (CAPACITY, ORDER):
        best = best_rival(made.table, made.differences, names, metric)
        assert best is not None
        figures = made.table.set_index("ranker")[metric]
        assert best.rivals == pytest.approx(figures[names[:2]].max())
        assert best.own == figures["model"]
        assert best.n_rivals == 2
    assert best_rival(made.table, made.differences, ["not there"], CAPACITY) is None


def test_a_difference_without_an_interval_is_neither_better_nor_worse() -> None:
    best = BestRival(
        ranker="x", n_rivals=2, own=0.4, rivals=0.5, difference=-0.1, low=np.nan, high=np.nan
    )
    assert not best.is_judged
    assert not best.is_better
    assert not best.is_worse
