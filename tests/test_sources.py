"""Where a gap comes from, and what could be done about it: proxies found, costs shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.errors import RequestError
from riskmodel.evaluation import roc_auc
from riskmodel.fairness import compare_remedies, contribution_gaps, proxies
from riskmodel.fairness.mitigation import balancing_weights

RNG = np.random.default_rng(0)
N = 2000
GIRLS = RNG.random(N) < 0.5
SEX = pd.DataFrame({"sex": np.where(GIRLS, "Girls", "Boys")})
X = pd.DataFrame({"need": RNG.normal(size=N), "stand_in": GIRLS + RNG.normal(0, 0.3, N)})
Y = (RNG.random(N) < 1 / (1 + np.exp(2 - X["need"]))).astype(float).to_numpy()


def fit(X: pd.DataFrame, y: np.ndarray, sample_weight: np.ndarray) -> np.ndarray:
    """Return a risk that leans on the stand-in where it is there, and rises with the weight of girls."""
    lean = 1.5 * X["stand_in"] if "stand_in" in X else 0.0
    girls = float(sample_weight[GIRLS & (y == 1)].mean())
    return np.asarray(1 / (1 + np.exp(2 - X["need"] + lean - (girls - 1) * GIRLS)))


def test_contributions_by_hand() -> None:
    parts = pd.DataFrame({"absence": [1.0] * 5 + [0.0] * 5, "fsm": [0.5] * 5 + [0.5] * 5})
    groups = pd.DataFrame({"g": ["a"] * 5 + ["b"] * 5})
    found = contribution_gaps(parts, groups).set_index(["group", "part"])
    assert found.loc[("a", "absence"), ["mean", "others", "difference"]].tolist() == [1, 0, 1]
    assert found.loc[("b", "absence"), "difference"] == -1
    assert found.loc[("a", "fsm"), "difference"] == 0
    themed = contribution_gaps(parts, groups, themes={"absence": "attendance", "fsm": "context"})
    assert set(themed["part"]) == {"attendance", "context"}


@given(st.lists(st.lists(st.floats(-3, 3), min_size=3, max_size=3), min_size=12, max_size=20))
@settings(max_examples=40, deadline=None)
def test_differences_of_parts_add_up_to_that_of_the_whole(rows: list[list[float]]) -> None:
    parts = pd.DataFrame(rows, columns=["a", "b", "c"])
    group = pd.Series(np.arange(len(rows)) % 2).map({0: "x", 1: "y"})
    found = contribution_gaps(parts, pd.DataFrame({"g": group}))
    whole = parts.sum(axis=1).groupby(group).mean()
    summed = found[found["group"] == "x"]["difference"].sum()
    assert summed == pytest.approx(whole["x"] - whole["y"], abs=1e-9)


def test_the_strongest_proxy_is_named_with_its_auc() -> None:
    table = X.assign(absent=np.where(GIRLS, np.nan, 1.0))
    found = proxies(table, SEX)
    first = found[found["group"] == "Girls"].iloc[:2]
    assert first["feature"].tolist() == ["absent", "stand_in"]  # missing by sex alone decides all
    assert first["auc"].iloc[0] == 1
    slow = roc_auc(GIRLS.astype(float), X["stand_in"])
    assert first["auc"].iloc[1] == pytest.approx(slow)
    assert first["auc_low"].iloc[1] < slow < first["auc_high"].iloc[1]
    need = found[(found["group"] == "Girls") & (found["feature"] == "need")].iloc[0]
    assert need["auc_low"] < 0.5 + 0.03


def test_the_interval_of_an_auc_is_hanley_and_mcneils_from_their_paper() -> None:
    # Hanley and McNeil (1982), the example of 51 abnormal and 58 normal: 0.893 gives 0.032.
    # Here 45 of the abnormal are above all 58 normal, one above 31 and five above none: 2641 of 2958 pairs.
    abnormal = [100.0] * 45 + [30.5] + [-1.0] * 5
    score = pd.DataFrame({"score": [*abnormal, *range(58)]})
    groups = pd.DataFrame({"g": ["abnormal"] * 51 + ["normal"] * 58})
    found = proxies(score, groups).set_index("group").loc["abnormal"]
    assert found["auc"] == pytest.approx(0.893, abs=1e-3)
    error = (found["auc_high"] - found["auc_low"]) / (2 * 1.96)
    assert error == pytest.approx(0.032, abs=1e-3)


def test_small_groups_are_left_out() -> None:
    groups = pd.DataFrame({"g": ["few"] * 4 + ["many"] * (N - 4)})
    assert proxies(X, groups).empty
    assert contribution_gaps(X, groups).empty


def test_each_remedy_is_measured_and_those_by_group_carry_a_caution() -> None:
    made = compare_remedies(
        X, Y, SEX["sex"], fit, capacity=300, drop=["stand_in"], coarsen=["need"]
    )
    table = made.frame().set_index("remedy")
    assert list(table.index) == [
        "as it is",
        "without stand_in",
        "coarser need",
        "reweighed",
        "calibrated by group",
        "places by group",
    ]
    assert table.loc["as it is", ["recall_cost", "gap_change", "changed"]].tolist() == [0, 0, 0]
    assert table.loc["without stand_in", "gap_change"] < 0
    assert table["recall_cost"].tolist() == pytest.approx(
        (table["recall"].iloc[0] - table["recall"]).tolist()
    )
    advised = table[table["caution"] != ""]
    assert list(advised.index) == ["calibrated by group", "places by group"]
    assert advised["caution"].str.contains("legal advice").all()
    assert "places by group" in made._repr_html_()
    assert made.to_dict()["capacity"] == 300


def test_weights_make_outcome_and_group_independent() -> None:
    weight = balancing_weights(Y, SEX["sex"])
    rates = [np.average(Y[side], weights=weight[side]) for side in (GIRLS, ~GIRLS)]
    assert rates[0] == pytest.approx(rates[1])
    assert weight.sum() == pytest.approx(N)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"capacity": 0}, "between 1 and 2000 pupils; got 0"),
        ({"y": np.zeros(N)}, "must be 0 and 1, with some of both"),
        ({"y": np.zeros(3)}, "3 values for 2000 rows"),
        ({"drop": ["hair"]}, "no feature 'hair'"),
        ({"fit": lambda X, y, w: 7 * y}, "one risk between 0 and 1"),
    ],
)
def test_what_does_not_fit_is_reported(change: dict[str, Any], words: str) -> None:
    given_ = {"X": X, "y": Y, "group": SEX["sex"], "fit": fit, "capacity": 300} | change
    with pytest.raises(RequestError, match=words):
        compare_remedies(**given_)


def test_a_feature_without_theme_is_named() -> None:
    with pytest.raises(RequestError, match="'stand_in' has no theme"):
        contribution_gaps(X, SEX, themes={"need": "needs"})
