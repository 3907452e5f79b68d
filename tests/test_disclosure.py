"""P5: an attacker with linear programming cannot distinguish a hidden small count from any other.

The attacker knows all tables that were published, the totals, that counts are not negative, and the
rule. For each hidden count below 5 the least and the largest value that fit must leave 0 to 4 open.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from riskmodel.fairness import audit_list, audit_model, cross, suppress_two_way
from riskmodel.fairness.disclosure import hidden_rows, show
from riskmodel.fairness.publishing import hidden_groups

Equation = tuple[dict[int, float], float]


def feasible(
    equations: Iterable[Equation], n: int, cells: Iterable[int]
) -> dict[int, tuple[float, float]]:
    """Return the least and largest value of some of n counts, given what adds up to what."""
    rows = list(equations)
    A, b = np.zeros((len(rows), n)), np.zeros(len(rows))
    for place, (weights, total) in enumerate(rows):
        A[place, list(weights)] = list(weights.values())
        b[place] = total
    found = {}
    for cell in cells:
        ends = []
        for sign in (1, -1):
            cost = np.zeros(n)
            cost[cell] = sign
            answer = linprog(cost, A_eq=A, b_eq=b, bounds=(0, None), method="highs")
            ends.append(np.inf if answer.status == 3 else sign * answer.fun)
        found[cell] = (ends[0], ends[1])
    return found


def is_safe(ends: tuple[float, float]) -> bool:
    return ends[0] <= 1e-6 and ends[1] >= 4 - 1e-6


small = st.integers(0, 7)
count = st.one_of(small, st.integers(0, 60))


@given(st.lists(st.lists(count, min_size=2, max_size=5), min_size=2, max_size=5))
@settings(max_examples=60, deadline=None)
def test_two_way_tables_withstand_linear_programming(rows: list[list[int]]) -> None:
    width = min(map(len, rows))
    grid = np.array([row[:width] for row in rows])
    assume(grid.sum() >= 5)  # a total below 5 has no room; it is shown only where it is asked for
    shown = suppress_two_way(pd.DataFrame(grid)).to_numpy()
    full = np.block([[grid, grid.sum(1, keepdims=True)], [grid.sum(0), grid.sum()]])
    hidden = shown == "c"
    assert (shown[~hidden].astype(int) == full[~hidden]).all()
    assert not ((full < 5) & ~hidden).any()
    height, wide = full.shape
    number = np.arange(full.size).reshape(full.shape)
    equations: list[Equation] = [
        ({int(number[i, j]): 1.0}, float(full[i, j])) for i, j in np.argwhere(~hidden)
    ]
    for line in [*number, *number.T]:
        equations.append(({int(n): 1.0 for n in line[:-1]} | {int(line[-1]): -1.0}, 0.0))
    secret = number[hidden & (full < 5)]
    for ends in feasible(equations, height * wide, map(int, secret)).values():
        assert is_safe(ends)


@given(st.lists(st.tuples(count, count, small, small), min_size=2, max_size=6))
@settings(max_examples=60, deadline=None)
def test_one_way_tables_withstand_linear_programming(rows: list[tuple[int, ...]]) -> None:
    corners = np.array(rows)
    hidden = hidden_rows(corners, np.zeros(len(rows)))
    assert not ((corners < 5).any(axis=1) & ~hidden).any()
    for column in corners.T:
        if column.sum() < 5 or hidden.all():
            continue  # everything is hidden, and the total is known to be small
        # worse than the tables alone: the attacker even knows which hidden counts are not small
        known: list[Equation] = [({int(k): 1.0}, float(column[k])) for k in np.flatnonzero(~hidden)]
        total: Equation = (dict.fromkeys(range(len(column)), 1.0), float(column.sum()))
        large = np.flatnonzero(hidden & (column >= 5))
        shifted = [
            (weights, value - 5 * len(large)) if weights is total[0] else (weights, value)
            for weights, value in [*known, total]
        ]
        secret = np.flatnonzero(hidden & (column < 5))
        for ends in feasible(shifted, len(column), map(int, secret)).values():
            assert is_safe(ends)


def test_one_small_row_takes_the_next_smallest_with_it() -> None:
    counts = np.array([[3, 90], [12, 80], [40, 60]])
    assert hidden_rows(counts, np.zeros(3)).tolist() == [True, False, True] or hidden_rows(
        counts, np.zeros(3)
    ).tolist() == [True, True, False]
    assert hidden_rows(np.array([[30], [40]]), np.zeros(2)).tolist() == [False, False]
    # hidden alone would follow from the total; 3 of 8 known to be 5 or more leaves only 0 to 3
    assert hidden_rows(np.array([[3], [5], [50]]), np.zeros(3)).tolist() == [True, True, True]


@pytest.mark.parametrize(
    ("value", "word"),
    [(0.12345, 0.123), (float("nan"), "z"), (0.0001, "low"), (-0.0001, "low"), (0.0, 0.0)],
)
def test_a_share_is_rounded_and_hidden_low_and_undefined_have_their_own_words(
    value: float, word: object
) -> None:
    table = pd.DataFrame({"n": [7, 3], "share": [value, 0.5]})
    shown = show(table, np.array([False, True]), counts=["n"], figures=["share"])
    assert shown["share"].tolist() == [word, "c"]
    assert shown["n"].tolist() == [7, "c"]


def la(seed: int, n: int = 400) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """Return groups, the finer and crossed ones among them, risk, list and outcome."""
    rng = np.random.default_rng(seed)
    fine = {
        "White British": "White",
        "Irish": "White",
        "Indian": "Asian",
        "Chinese": "Asian",
        "Black African": "Black",
        "not_known": "not_known",
    }
    detailed = rng.choice(list(fine), n, p=[0.5, 0.08, 0.2, 0.04, 0.15, 0.03])
    sen = rng.choice(["No SEN", "SEN support", "EHC plan"], n, p=[0.75, 0.2, 0.05])
    need = np.where(sen == "No SEN", "No SEN", rng.choice(["SEMH", "MLD", "not_known"], n))
    groups = pd.DataFrame(
        {
            "sex": rng.choice(["Girls", "Boys"], n),
            "ethnicity": [fine[word] for word in detailed],
            "ethnicity_detailed": detailed,
            "sen": sen,
            "primary_need": need,
        }
    )
    groups = pd.concat([groups, cross(groups, "sex", "ethnicity")], axis=1)
    risk = rng.beta(1, 4, n)
    return (
        groups,
        risk,
        np.argsort(np.argsort(-risk)) < n // 3,
        (rng.random(n) < risk).astype(float),
    )


def attack(table: pd.DataFrame, truth: pd.DataFrame, column: str) -> list[tuple[float, float]]:
    """Attack one count of a published one-way table, with all that the other rows show of it."""
    keys = list(zip(truth["characteristic"], truth["group"], strict=True))
    at = {key: k for k, key in enumerate(keys)}
    public = {
        (row["characteristic"], row["group"]): row[column] for row in table.to_dict("records")
    }
    equations: list[Equation] = [
        ({at[key]: 1.0}, float(value)) for key, value in public.items() if value != "c"
    ]
    total = float(truth[column][truth["characteristic"] == "sex"].sum())
    for name in truth["characteristic"].unique():
        equations.append(({at[key]: 1.0 for key in keys if key[0] == name}, total))
    majors = {
        "White": ["White British", "Irish"],
        "Asian": ["Indian", "Chinese"],
        "Black": ["Black African"],
        "not_known": ["not_known"],
    }
    for major, parts in majors.items():
        fine = {at[("ethnicity_detailed", part)]: 1.0 for part in parts}
        equations.append((fine | {at[("ethnicity", major)]: -1.0}, 0.0))
        cells = {
            at[key]: 1.0
            for key in keys
            if key[0] == "sex × ethnicity" and key[1].endswith(f" {major}")
        }
        equations.append((cells | {at[("ethnicity", major)]: -1.0}, 0.0))
    for sex in ("Girls", "Boys"):
        cells = {
            at[key]: 1.0 for key in keys if key[0] == "sex × ethnicity" and key[1].startswith(sex)
        }
        equations.append((cells | {at[("sex", sex)]: -1.0}, 0.0))
    equations.append(({at[("primary_need", "No SEN")]: 1.0, at[("sen", "No SEN")]: -1.0}, 0.0))
    secret = [
        at[key] for key in keys if truth[column].iloc[at[key]] < 5 and public.get(key, "c") == "c"
    ]
    return list(feasible(equations, len(keys), secret).values())


@pytest.mark.parametrize("seed", range(6))
def test_the_audit_of_the_list_withstands_linear_programming(seed: int) -> None:
    groups, risk, listed, _ = la(seed)
    made = audit_list(groups, listed, risk)
    (table,) = made.published().values()
    truth = made.selection.assign(not_listed=made.selection["n"] - made.selection["listed"])
    pairs = zip(table["n"], table["listed"], strict=True)
    shown = table.assign(not_listed=[n if n == "c" else n - k for n, k in pairs])
    found = [ends for column in ("listed", "not_listed") for ends in attack(shown, truth, column)]
    assert found
    assert all(map(is_safe, found))


@pytest.mark.parametrize("seed", range(6))
def test_the_audit_of_the_model_withstands_linear_programming(seed: int) -> None:
    groups, risk, _, label = la(seed, 900)
    frame = pd.DataFrame(
        {"pupil_id": range(900), "as_of": pd.Timestamp("2024-01-01"), "label": label, "model": risk}
    )
    made = audit_model(frame, groups, capacity=300)
    table = made.published()["groups"]
    truth = made.groups.assign(
        missed=lambda t: t["positives"] - t["found"], in_vain=lambda t: t["listed"] - t["found"]
    )
    shown = table.assign(
        missed=[
            a if a == "c" else a - b
            for a, b in zip(table["positives"], table["found"], strict=True)
        ],
        in_vain=[
            a if a == "c" else a - b for a, b in zip(table["listed"], table["found"], strict=True)
        ],
    )
    found = [
        ends for column in ("found", "missed", "in_vain") for ends in attack(shown, truth, column)
    ]
    assert found
    assert all(map(is_safe, found))


def test_no_rate_is_shown_whose_count_is_hidden() -> None:
    groups, risk, listed, label = la(1)
    frame = pd.DataFrame(
        {
            "pupil_id": range(400),
            "as_of": pd.Timestamp("2024-01-01"),
            "label": label,
            "model": risk,
            "risk": risk,
            "RONI points": np.round(risk, 1),
        }
    )
    tables = audit_model(frame, groups, capacity=130, practice=["RONI points"]).published()
    tables |= audit_list(groups, listed, risk, near=risk < 0.1).published()
    hidden = tables["groups"][tables["groups"]["rows"] == "c"][["characteristic", "group"]]
    assert len(hidden)
    for name in ("measures", "practice"):
        rows = tables[name].merge(hidden, on=["characteristic", "group"])
        numbers = rows.drop(columns=["characteristic", "group", "verdict"]).drop(
            columns=["measure", "ranker"], errors="ignore"
        )
        assert (numbers == "c").all(axis=None)
    for name in ("selection", "near_line"):
        few = tables[name][tables[name].iloc[:, 2] == "c"]
        assert (
            few.drop(columns=["characteristic", "group", "verdict"], errors="ignore") == "c"
        ).all(axis=None)


def test_a_hidden_crossed_group_looks_like_one_that_is_not_there() -> None:
    groups, risk, listed, _ = la(2)
    made = audit_list(groups, listed, risk)
    shown = made.published()["selection"]
    crossed = shown[shown["characteristic"] == "sex × ethnicity"]
    assert 0 < len(crossed) < (made.selection["characteristic"] == "sex × ethnicity").sum()
    assert not (crossed["n"] == "c").any()


def test_a_crossed_characteristic_without_its_parts_is_hidden_as_any_other() -> None:
    table = pd.DataFrame({"characteristic": "a × b", "group": ["x × p", "x × q", "y × p"]})
    assert hidden_groups(table, [[2], [20], [90]]).tolist() == [True, True, False]
