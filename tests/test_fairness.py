"""The audit: small groups are not disparities, and nothing small is published."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.evaluation.metrics import wilson_interval
from riskmodel.fairness import Audit, audit_recall, audit_selection, suppress


def test_wilsons_interval_by_hand() -> None:
    # 1 of 2: centre (0.5 + 3.8415/4) / (1 + 3.8415/2) = 0.5, half width 0.4055 (Wilson, 1927)
    low, high = wilson_interval([1, 0], [2, 0])
    assert low[0] == pytest.approx(0.0945, abs=1e-4)
    assert high[0] == pytest.approx(0.9055, abs=1e-4)
    assert np.isnan(low[1])


def test_a_group_without_outcomes_has_no_recall_and_is_too_few_to_tell() -> None:
    groups = pd.DataFrame({"sex": ["Girls"] * 10 + ["Boys"] * 10})
    label = np.r_[np.zeros(10), np.ones(10)]
    table = audit_recall(groups, label, np.ones(20, bool)).set_index("group")
    assert np.isnan(table.loc["Girls", "recall"])
    assert np.isnan(table.loc["Girls", "recall_low"])
    assert table.loc["Girls", "verdict"] == "too few to tell"


def test_one_of_two_children_is_not_a_disparity() -> None:
    groups = pd.DataFrame({"ethnicity": ["Small"] * 2 + ["Large"] * 200})
    label = np.ones(202)
    selected = np.r_[[True, False], np.arange(200) < 10]
    table = audit_recall(groups, label, selected).set_index("group")
    assert table.loc["Small", "verdict"] == "too few to tell"


@pytest.mark.parametrize(("found", "verdict"), [(50, "no evidence"), (10, "disparity")])
def test_a_large_gap_between_large_groups_is_a_disparity(found: int, verdict: str) -> None:
    groups = pd.DataFrame({"sex": ["Girls"] * 100 + ["Boys"] * 100})
    selected = np.r_[np.arange(100) < found, np.arange(100) < 50]
    table = audit_recall(groups, np.ones(200), selected).set_index("group")
    assert table.loc["Girls", "verdict"] == verdict


def test_selection_shares_by_hand() -> None:
    groups = pd.DataFrame({"fsm": ["Eligible"] * 20 + ["Not eligible"] * 80})
    risk = np.r_[np.full(20, 0.3), np.full(80, 0.05)]
    table = audit_selection(groups, np.arange(100) < 10, risk).set_index("group")
    assert table.loc["Eligible", ["n", "listed"]].tolist() == [20, 10]
    assert table.loc["Eligible", "selection_rate"] == 0.5
    assert table.loc["Eligible", "share_of_expected"] == pytest.approx(6 / 10)


def test_not_known_is_a_group() -> None:
    groups = pd.DataFrame({"sex": ["Girls", "not_known"] * 10})
    table = audit_selection(groups, np.arange(20) < 6, np.full(20, 0.1))
    assert "not_known" in set(table["group"])


counts = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 12)).map(lambda t: (t[0] + t[1], t[1])),
    min_size=2, max_size=6,
)  # fmt: skip


@given(counts)
@settings(max_examples=100, deadline=None)
def test_p5_no_small_count_is_shown_nor_found_by_subtraction(rows: list[tuple[int, int]]) -> None:
    n, listed = np.array(rows).T
    table = pd.DataFrame(
        {"characteristic": "c", "group": range(len(rows)), "n": n, "listed": listed}
    )
    public = suppress(table, counts=["n", "listed"], derived=[], within="characteristic")
    hidden = (public["n"] == "c").to_numpy()
    assert ((public["listed"] == "c").to_numpy() == hidden).all()
    assert (listed[~hidden] >= 5).all()
    assert hidden.sum() != 1
    # the attacker knows the totals: what is left for the hidden rows together is not small,
    # unless every row is hidden
    if hidden.any() and not hidden.all():
        assert listed[hidden].sum() >= 5


def test_what_is_published_and_written_is_suppressed() -> None:
    groups = pd.DataFrame({"sex": ["Girls"] * 60 + ["Boys"] * 60 + ["not_known"] * 3})
    selected = np.r_[np.arange(60) < 20, np.arange(60) < 30, [True, False, False]]
    audit = Audit(
        selection=audit_selection(groups, selected, np.full(123, 0.1)), recall=None, note=""
    )
    shown = audit.published()["selection"].set_index("group")
    assert shown.loc["not_known", ["n", "listed", "selection_rate"]].tolist() == ["c", "c", "c"]
    assert (shown["n"] == "c").sum() == 2
    written = audit.to_dict()["selection"]
    assert [row["listed"] for row in written if row["group"] == "not_known"] == ["c"]
