"""The audits: small groups are not disparities, undefined is never 0, chance seldom alarms."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.errors import RequestError
from riskmodel.evaluation import average_precision
from riskmodel.evaluation.metrics import wilson_interval
from riskmodel.evaluation.resampling import Resamples
from riskmodel.fairness import Audit, audit_list, audit_model
from riskmodel.fairness.bootstrap import distinct_pupils, group_totals
from riskmodel.fairness.model_audit import CELL
from riskmodel.fairness.quotas import share_places
from riskmodel.fairness.rates import compare_precision
from riskmodel.fairness.verdicts import FEWEST_OUTCOMES, fisher_p, level_p

WORDS = {"no evidence", "disparity", "too few to tell"}


def lists(label: Any, score: Any, pupil: Any = None, day: Any = None, **more: Any) -> pd.DataFrame:
    n = len(label)
    return pd.DataFrame(
        {
            "pupil_id": np.arange(n) if pupil is None else pupil,
            "label": np.asarray(label, float),
            "as_of": pd.to_datetime("2024-01-01") if day is None else day,
            "model": score,
        }
        | more
    )


def one(measures: pd.DataFrame, group: str, measure: str = "recall") -> dict[Any, Any]:
    rows = measures[(measures["group"] == group) & (measures["measure"] == measure)]
    return dict(rows.to_dict("records")[0])


# ---- what other public tools got wrong


def test_a_tenfold_gap_from_one_of_two_children_is_too_few_to_tell() -> None:
    # 1 of 2 in the small group, 10 of 200 in the large: 50% against 5%, "10 times"
    label = np.ones(202)
    found = np.r_[[1.0, 0.0], np.arange(200) < 10]
    groups = pd.DataFrame({"ethnicity": ["Small"] * 2 + ["Large"] * 200})
    cell = one(audit_model(lists(label, found), groups, capacity=11).measures, "Small")
    assert cell["ratio"] == pytest.approx(10)
    assert cell["verdict"] == "too few to tell"
    assert (round(cell["low"], 2), round(cell["high"], 2)) == (0.09, 0.91)  # Wilson, 1 of 2


def test_where_everybody_is_in_one_group_no_gap_is_infinite() -> None:
    groups = pd.DataFrame({"young_carer": ["Not a young carer"] * 20})
    made = audit_list(groups, np.arange(20) < 5, np.linspace(0.1, 0.5, 20))
    (row,) = made.selection.to_dict("records")
    assert np.isnan(row["detectable"])
    assert row["verdict"] == "too few to tell"


def test_a_group_without_outcomes_has_no_recall_and_not_0_to_0() -> None:
    groups = pd.DataFrame({"sex": ["Girls"] * 10 + ["Boys"] * 10})
    made = audit_model(lists(np.r_[np.zeros(10), np.ones(10)], np.arange(20)), groups, capacity=12)
    for measure in ("recall", "miss_rate", "average_precision"):
        cell = one(made.measures, "Girls", measure)
        figures = ("value", "low", "high", "difference", "ratio", "p_value", "detectable")
        assert all(np.isnan(cell[name]) for name in figures)
        assert cell["verdict"] == "too few to tell"


# ---- the kernel


def slow_totals(
    pupil: list[int], group: list[int], value: list[int], n_groups: int
) -> dict[tuple[float, ...], float]:
    """Return every total that a resample can give, with its chance: all draws of pupils, one by one."""
    pupils = sorted(set(pupil))
    chances: dict[tuple[float, ...], float] = {}
    for draw in product(pupils, repeat=len(pupils)):
        total = [0.0] * n_groups
        for drawn in draw:
            for p, g, v in zip(pupil, group, value, strict=True):
                total[g] += v * (p == drawn)
        key = tuple(total)
        chances[key] = chances.get(key, 0.0) + len(pupils) ** -len(pupils)
    return chances


def test_resamples_of_kinds_have_the_distribution_of_all_draws_of_pupils() -> None:
    pupil, group, value = [0, 0, 1, 2, 3, 3, 3], [0, 1, 0, 0, 1, 1, 0], [1, 0, 1, 0, 1, 1, 0]
    wanted = slow_totals(pupil, group, value, 2)
    n = 40_000
    found = group_totals(pupil, group, 2, {"v": value}, random_state=0, n_draws=n)["v"]
    assert found[0].tolist() == [2, 2]
    keys, counts = np.unique(found[1:], axis=0, return_counts=True)
    assert {tuple(key) for key in keys} == set(wanted)
    for key, count in zip(keys, counts, strict=True):
        chance = wanted[tuple(key)]
        # five standard errors: a false alarm once in a hundred thousand runs of the test
        assert abs(count / n - chance) < 5 * np.sqrt(chance * (1 - chance) / n)


row_lists = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 2), st.integers(0, 1), st.integers(0, 1)),
    min_size=1,
    max_size=25,
)


@given(row_lists, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_totals_are_sums_and_the_order_of_rows_does_not_matter(
    rows: list[tuple[int, ...]], random: Any
) -> None:
    def totals(some: list[tuple[int, ...]]) -> dict[str, Any]:
        pupil, group, a, b = np.array(some).T
        return group_totals(pupil, group, 3, {"a": a, "b": b}, random_state=1, n_draws=20)

    found = totals(rows)
    for name, place in (("a", 2), ("b", 3)):
        slow = [sum(row[place] for row in rows if row[1] == group) for group in range(3)]
        assert found[name][0].tolist() == slow
    mixed = list(rows)
    random.shuffle(mixed)
    assert all((totals(mixed)[name] == found[name]).all() for name in found)


@given(row_lists)
@settings(max_examples=60, deadline=None)
def test_pupils_are_counted_once_and_those_outside_too(rows: list[tuple[int, ...]]) -> None:
    pupil, group, where, _ = np.array(rows).T
    inside, outside = distinct_pupils(pupil, group, 3, where > 0)
    for number in range(3):
        assert inside[number] == len({p for p, g, w, _ in rows if w and g == number})
        assert outside[number] == len({p for p, g, w, _ in rows if w and g != number})


@given(row_lists, st.data())
@settings(max_examples=60, deadline=None)
def test_average_precision_by_group_equals_the_slow_one(
    rows: list[tuple[int, ...]], data: Any
) -> None:
    pupil, group, label, day = np.array(rows).T
    score = np.array(
        data.draw(st.lists(st.integers(0, 4), min_size=len(rows), max_size=len(rows))), float
    )
    days = pd.Series(pd.to_datetime("2024-01-01") + pd.to_timedelta(day, "D"))
    resamples = Resamples.draw(pd.Series(pupil), 0)
    found = compare_precision(group.astype(str), label, score, days, resamples).set_index("group")
    for name in found.index:
        for column, keep in (("value", group == int(name)), ("others", group != int(name))):
            lists_with = [(day == d) & keep & (label.sum() >= 0) for d in (0, 1)]
            parts = [
                (average_precision(label[k], score[k]), label[k].sum())
                for k in lists_with
                if label[k].any()
            ]
            total = sum(weight for _, weight in parts)
            wanted = sum(value * weight for value, weight in parts) / total if total else np.nan
            assert found.loc[name, column] == pytest.approx(wanted, nan_ok=True)


# ---- verdicts


@pytest.mark.parametrize(("found", "verdict"), [(50, "no evidence"), (10, "disparity")])
def test_a_large_gap_between_large_groups_is_a_disparity(found: int, verdict: str) -> None:
    groups = pd.DataFrame({"sex": ["Girls"] * 100 + ["Boys"] * 100})
    selected = np.r_[np.arange(100) < found, np.arange(100) < 50].astype(float)
    made = audit_model(lists(np.ones(200), selected), groups, capacity=50 + found)
    for group in ("Girls", "Boys"):
        assert one(made.measures, group)["verdict"] == verdict
        assert one(made.measures, group, "miss_rate")["verdict"] == verdict


def test_all_found_of_five_does_not_pass_for_certain() -> None:
    # of 5 all were found, of 40 elsewhere half: no resample of the five differs, yet five are few
    groups = pd.DataFrame({"g": ["five"] * 5 + ["others"] * 40})
    score = np.r_[np.ones(5), np.arange(40) < 20].astype(float)
    cell = one(audit_model(lists(np.ones(45), score), groups, capacity=25).measures, "five")
    assert cell["value"] == 1
    assert cell["p_value"] > 0.05
    assert cell["verdict"] == "too few to tell"  # even the largest possible gap would not be seen


def test_a_p_value_is_never_below_that_of_the_exact_test() -> None:
    # 5 of 5 found against 20 of 400: a normal p-value would be 1e-18, Fisher's is about 1e-6
    groups = pd.DataFrame({"g": ["five"] * 5 + ["others"] * 400})
    score = np.r_[np.ones(5), np.arange(400) < 20].astype(float)
    cell = one(audit_model(lists(np.ones(405), score), groups, capacity=25).measures, "five")
    exact = float(fisher_p(1.0, 0.05, 5, 400))
    assert 1e-8 < exact <= cell["p_value"] < 1e-4
    assert cell["verdict"] == "disparity"


def test_pure_chance_seldom_makes_a_disparity() -> None:
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(30):
        n = 1000
        risk = rng.beta(0.5, 6, n)
        pupil = np.tile(np.arange(n), 2)
        frame = lists(
            np.tile(rng.random(n) < risk, 2),
            np.tile(risk, 2) + rng.normal(0, 0.05, 2 * n),
            pupil,
            np.repeat(pd.to_datetime(["2023-01-01", "2024-01-01"]), n),
            risk=np.tile(risk, 2),
        )
        groups = pd.DataFrame({f"g{k}": np.tile(rng.integers(0, 2 + k, n), 2) for k in range(4)})
        made = audit_model(frame, groups.astype(str), capacity=100)
        alarms += bool((made.measures["verdict"] == "disparity").any())
    assert alarms <= 6  # 5% of 30 are 1.5; more than 6 would come once in a thousand


def test_the_gap_called_detectable_is_found_four_times_in_five() -> None:
    rng = np.random.default_rng(0)
    groups = pd.DataFrame({"sex": ["Girls"] * 150 + ["Boys"] * 150})
    base = audit_model(
        lists(np.ones(300), (np.arange(300) % 2).astype(float)), groups, capacity=150
    )
    gap = one(base.measures, "Girls")["detectable"]
    seen = 0
    for _ in range(60):
        found = np.r_[rng.random(150) < 0.5 - gap / 2, rng.random(150) < 0.5 + gap / 2].astype(
            float
        )
        made = audit_model(lists(np.ones(300), found), groups, capacity=int(found.sum()))
        seen += one(made.measures, "Girls")["verdict"] == "disparity"
    # 80% of 60 are 48, less something for Fisher's caution; fewer than 34 once in ten thousand
    assert 34 <= seen <= 59


def test_pupils_and_not_rows_carry_the_evidence() -> None:
    """The same pupils on ten lists are no more evidence than on one."""
    groups = pd.DataFrame({"sex": ["Girls"] * 8 + ["Boys"] * 30})
    score = np.r_[np.arange(8) < 2, np.arange(30) < 20].astype(float)
    frame = lists(np.ones(38), score)
    many = pd.concat(
        [frame.assign(as_of=pd.Timestamp("2024-01-01") + pd.Timedelta(days=d)) for d in range(10)]
    )
    few = audit_model(frame, groups, capacity=22).measures
    more = audit_model(many, pd.concat([groups] * 10), capacity=22).measures
    for name in ("value", "low", "high", "difference", "difference_low", "p_value", "pupils"):
        assert one(more, "Girls")[name] == pytest.approx(one(few, "Girls")[name], abs=0.02)


def test_exact_tests_by_hand() -> None:
    # Fisher: 3 of 3 against 0 of 3 has chance 1/20, doubled; 0 against 5 events at equal expectation 1/32
    assert fisher_p(1.0, 0.0, 3, 3) == pytest.approx(0.1)
    assert fisher_p(np.nan, 0.5, 3, 3) == 1
    assert level_p(2.0, 2.0, 0, 5) == pytest.approx(2 / 32)


def test_expected_over_observed_finds_risks_that_are_too_low() -> None:
    rng = np.random.default_rng(0)
    label = rng.random(4000) < 0.1
    risk = np.r_[np.full(2000, 0.02), np.full(2000, 0.1)]
    groups = pd.DataFrame({"fsm": ["Eligible"] * 2000 + ["Not eligible"] * 2000})
    made = audit_model(lists(label, risk, risk=risk), groups, capacity=100)
    cell = one(made.measures, "Eligible", "expected_over_observed")
    assert cell["value"] == pytest.approx(40 / label[:2000].sum())
    assert cell["verdict"] == "disparity"


def test_tables_have_their_documented_columns_and_the_three_words() -> None:
    rng = np.random.default_rng(1)
    frame = lists(
        rng.random(300) < 0.2,
        rng.random(300),
        risk=np.full(300, 0.2),
        RONI=np.ones(300),
        nothing=np.full(300, np.nan),
    )
    groups = pd.DataFrame({"a": rng.choice(["x", "y", None], 300), "same": ["one"] * 300})
    made = audit_model(frame, groups, capacity=50, practice=["RONI", "nothing", "absent"])
    assert list(made.measures) == list(CELL)
    assert set(made.measures["verdict"]) <= WORDS
    assert set(made.practice["ranker"]) == {"RONI"}
    assert "not_known" in set(made.measures["group"])
    lone = made.measures[made.measures["characteristic"] == "same"]
    assert lone["value"].notna().all()  # nobody else to compare with
    assert lone["others"].isna().all()
    assert set(lone["verdict"]) == {"too few to tell"}
    assert "too few to tell" in made._repr_html_()


# ---- the list


def test_selection_shares_by_hand() -> None:
    groups = pd.DataFrame({"fsm": ["Eligible"] * 20 + ["Not eligible"] * 80})
    risk = np.r_[np.full(20, 0.3), np.full(80, 0.05)]
    made = audit_list(groups, np.arange(100) < 10, risk, near=np.arange(100) == 20)
    row = made.frame().set_index("group").loc["Eligible"]
    assert row[["n", "listed"]].tolist() == [20, 10]
    assert row["selection_rate"] == 0.5
    assert row["share_of_cohort"] == 0.2
    assert row["share_of_listed"] == 1
    assert row["share_of_expected"] == pytest.approx(6 / 10)
    assert (row["others"], row["difference"]) == (0, 0.5)
    assert np.isnan(row["ratio"])  # 0.5 over nothing is no number
    assert row["verdict"] == "disparity"
    assert made.near_line is not None
    assert made.near_line["near_line"].tolist() == [0, 1]
    assert made.quotas is None


def test_pupils_near_the_line_are_hidden_where_they_show_how_few_are_neither() -> None:
    sizes = {
        "A": (20, 8, 9),
        "B": (400, 40, 14),
        "C": (300, 30, 7),
    }  # in all, listed, near the line
    place = np.concatenate([np.arange(n) for n, *_ in sizes.values()])
    listed, near = (np.repeat([row[k] for row in sizes.values()], [20, 400, 300]) for k in (1, 2))
    made = audit_list(
        pd.DataFrame({"need": np.repeat(list(sizes), [20, 400, 300])}),
        place < listed,
        np.full(720, 0.01),
        near=(place >= listed) & (place < listed + near),
    )
    shown = made.published()["near_line"].set_index("group")["near_line"]
    assert shown["A"] == "c"  # 20 less 8 less 9 is 3


def test_quotas_give_each_school_its_share() -> None:
    assert share_places([1, 1, 1], 2).tolist() == [1, 1, 0]
    assert share_places([0.1] * 10, 10).tolist() == [1] * 10
    score = np.array([5, 4, 3, 2, 1, 0.0])
    groups = pd.DataFrame({"sex": ["Girls"] * 3 + ["Boys"] * 3})
    made = audit_list(
        groups, score > 3, score / 10, school=["north"] * 3 + ["south"] * 3, pupil_id=range(6)
    )
    assert made.selection["listed"].tolist() == [0, 2]
    assert made.quotas is not None
    assert made.quotas["listed_with_quotas"].tolist() == [1, 1]


def test_newcombes_interval_from_his_paper() -> None:
    # Newcombe (1998), Table II, example (a): 56/70 and 48/80, method 10: 0.0524 to 0.3339
    groups = pd.DataFrame({"g": ["a"] * 70 + ["b"] * 80})
    made = audit_list(groups, np.r_[np.arange(70) < 56, np.arange(80) < 48], np.full(150, 0.5))
    row = made.selection.set_index("group").loc["a"]
    assert row["difference_low"] == pytest.approx(0.0524, abs=1e-4)
    assert row["difference_high"] == pytest.approx(0.3339, abs=1e-4)


def test_wilsons_interval_by_hand() -> None:
    # 1 of 2: centre (0.5 + 3.8415/4) / (1 + 3.8415/2) = 0.5, half width 0.4055 (Wilson, 1927)
    low, high = wilson_interval([1, 0], [2, 0])
    assert low[0] == pytest.approx(0.0945, abs=1e-4)
    assert high[0] == pytest.approx(0.9055, abs=1e-4)
    assert np.isnan(low[1])


# ---- today's practice


def test_the_change_from_todays_practice_is_reported() -> None:
    rng = np.random.default_rng(0)
    n = 600
    girls = rng.random(n) < 0.5
    usual = rng.random(n) + 0.6 * ~girls  # today girls are found less often
    frame = lists(np.ones(n), rng.random(n), today=usual)
    groups = pd.DataFrame({"sex": np.where(girls, "Girls", "Boys")})
    made = audit_model(frame, groups, capacity=200, practice=["today"])
    row = made.practice.set_index("group").loc["Girls"]
    assert row["verdict"] == "narrower"
    assert row["gap_before"] < -0.3 < row["gap"]
    assert row["change"] == pytest.approx(row["gap"] - row["gap_before"])
    assert row["change_low"] > 0
    turned = frame.rename(columns={"today": "model", "model": "today"})
    back = audit_model(turned, groups, capacity=200, practice=["today"]).practice.set_index("group")
    assert back.loc["Girls", "verdict"] == "wider"
    same = audit_model(frame.assign(today=frame["model"]), groups, capacity=200, practice=["today"])
    assert set(same.practice["verdict"]) == {"no evidence"}


# ---- bad input


@pytest.mark.parametrize(
    "wrong",
    [
        {"selected": np.zeros(9, bool)},
        {"risk": np.full(9, 1.5)},
        {"risk": np.full(9, np.nan)},
        {"risk": np.ones(8)},
    ],
)
def test_a_list_that_cannot_be_audited_is_refused_in_words(wrong: dict[str, Any]) -> None:
    given_ = {"selected": np.arange(9) < 3, "risk": np.full(9, 0.1)} | wrong
    with pytest.raises(RequestError, match=r"Nobody is listed|between 0 and 1|8 values for 9 rows"):
        audit_list(pd.DataFrame({"sex": ["Girls"] * 9}), **given_)


def test_everybody_listed_leaves_no_gap() -> None:
    groups = pd.DataFrame({"sex": ["Girls", "Boys"] * 20})
    made = audit_list(groups, np.ones(40, bool), np.full(40, 0.2))
    assert made.selection["selection_rate"].tolist() == [1, 1]
    assert set(made.selection["verdict"]) == {"no evidence"}
    model = audit_model(lists(np.arange(40) < 20, np.arange(40)), groups, capacity=100)
    assert one(model.measures, "Girls")["value"] == 1


def test_no_outcomes_yet_and_outcomes_that_are_not_known_are_kept_apart() -> None:
    groups = pd.DataFrame({"sex": ["Girls", "Boys"] * 20})
    made = audit_model(
        lists(np.zeros(40), np.arange(40), risk=np.full(40, 0.1)), groups, capacity=10
    )
    recall = made.measures[made.measures["measure"] == "recall"]
    assert recall["value"].isna().all()
    assert set(recall["verdict"]) == {"too few to tell"}
    unknown = lists(np.r_[np.nan, np.zeros(39)], np.arange(40))
    with pytest.raises(RequestError, match=r"not known yet for 1 rows.*audit_list"):
        audit_model(unknown, groups, capacity=10)
    with pytest.raises(RequestError, match="at least 1 pupil; got 0"):
        audit_model(lists(np.zeros(40), np.arange(40)), groups, capacity=0)


def test_a_group_of_which_nothing_is_known_is_audited_as_such() -> None:
    made = audit_list(pd.DataFrame({"sex": [None] * 30}), np.arange(30) < 8, np.full(30, 0.1))
    assert made.selection["group"].tolist() == ["not_known"]
    assert made.selection["verdict"].tolist() == ["too few to tell"]


# ---- what people read


def test_an_audit_speaks_before_it_shows_tables() -> None:
    groups = pd.DataFrame({"sex": ["Girls"] * 100 + ["Boys"] * 100})
    selected = np.r_[np.arange(100) < 10, np.arange(100) < 50]
    model = audit_model(lists(np.ones(200), selected.astype(float)), groups, capacity=60)
    audit = Audit(
        this_list=audit_list(groups, selected, np.full(200, 0.3)),
        model=model.published(),
        note="One list.",
    )
    sentences = audit.sentences()
    assert sentences[0].startswith("Of 8 comparisons of a group with all others ")
    # precision: every pupil listed had the outcome, so nobody was listed in vain: few, hidden
    assert any(line.startswith("sex, Girls: recall differs") for line in sentences[1:])
    assert audit.to_dict()["sentences"] == sentences
    assert len(audit.verdicts()) == 8
    none = Audit(this_list=audit.this_list, model={}, note="")
    assert "not known yet" in none.sentences()[0]
    assert none.verdicts().empty


def test_fewer_than_five_outcomes_are_too_few_to_tell() -> None:
    assert FEWEST_OUTCOMES == 5
    for n, verdict in ((4, True), (5, False)):
        groups = pd.DataFrame({"g": ["few"] * n + ["others"] * 300})
        score = np.r_[np.zeros(n), np.arange(300) < 290].astype(float)
        cell = one(
            audit_model(lists(np.ones(300 + n), score), groups, capacity=290).measures, "few"
        )
        assert (cell["verdict"] == "too few to tell") == verdict
