"""Subjects: features added up to what they are about, whose words they get, and proxies of a group."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from riskmodel.errors import RequestError
from riskmodel.explain import Explanation
from riskmodel.explain.composed_sentences import compose_sentences
from riskmodel.explain.phrases import place_of
from riskmodel.explain.reasons import reasons_in_words, write_factor
from riskmodel.explain.subjects import members_of, subject_totals, theme_totals
from riskmodel.fairness import contribution_gaps, proxies
from riskmodel.features import CATALOGUE

NAN = float("nan")
ABSENCE, SEVERE = "absence_rate_20_days", "severe_absence"
SUSPENDED, KS2, FSM = "suspensions_12_months", "ks2_score", "fsm_now"


@pytest.mark.parametrize(
    ("names", "members"),
    [
        ([], {}),
        ([ABSENCE], {"attendance": [0]}),
        ([ABSENCE, SEVERE], {"attendance": [0, 1]}),
        ([SUSPENDED, ABSENCE], {"attendance": [1], "suspensions": [0]}),  # incidents come last
        (["own", ABSENCE, FSM], {"free school meals": [2], "attendance": [1], "own": [0]}),
        (
            ["sen_support_now", SUSPENDED, "ehc_plan_now"],
            {"special educational needs": [0, 2], "suspensions": [1]},
        ),
    ],
)
def test_columns_of_each_subject_in_the_order_of_reading_out(
    names: list[str], members: dict[str, list[int]]
) -> None:
    found = members_of(names)
    assert list(found) == list(members)
    assert {subject: columns.tolist() for subject, columns in found.items()} == members


@given(st.lists(st.sampled_from(sorted(CATALOGUE)), max_size=20, unique=True))
def test_every_column_is_of_one_subject_and_subjects_are_in_order(names: list[str]) -> None:
    members = members_of(names)
    columns = [int(column) for part in members.values() for column in part]
    assert sorted(columns) == list(range(len(names)))
    places = [place_of(names[part[0]]) for part in members.values()]
    assert places == sorted(places)


def wording(name: str, part: float, value: float, typical: float | None = None) -> tuple[int, ...]:
    """Whose words: the column where it raises, protects, is borne; -1 for nobody's."""
    usual = None if typical is None else np.array([typical])
    made = subject_totals(
        pd.DataFrame({name: [part]}), pd.DataFrame({name: [value]}, dtype=float), usual
    )
    assert made.totals.tolist() == [[part]]
    return tuple(int(one[0, 0]) for one in (made.raising, made.protecting, made.present))


@pytest.mark.parametrize(
    ("name", "part", "value", "typical", "expected"),
    [
        (ABSENCE, 1.0, 0.3, 0.1, (0, -1, -1)),
        (ABSENCE, 1.0, 0.05, 0.1, (-1, -1, -1)),  # better than typical never speaks for a risk
        (ABSENCE, -1.0, 0.05, 0.1, (-1, 0, -1)),
        (ABSENCE, -1.0, 0.3, 0.1, (-1, -1, -1)),
        (ABSENCE, 1.0, 0.0, None, (-1, -1, -1)),  # no absence raises nothing
        (ABSENCE, 1.0, NAN, None, (-1, -1, -1)),  # no words for what is not known
        (KS2, 1.0, -1.2, 0.0, (0, -1, -1)),  # here less is worse
        (KS2, 1.0, 1.2, 0.0, (-1, -1, -1)),
        (KS2, -1.0, 1.2, 0.0, (-1, 0, -1)),
        (KS2, 1.0, NAN, 0.0, (-1, -1, -1)),  # what is missing is neither reason
        (KS2, -1.0, NAN, 0.0, (-1, -1, -1)),  # nor strength
        ("days_since_suspension", -1.0, NAN, 90.0, (-1, -1, -1)),
        ("own", -1.0, NAN, None, (-1, -1, -1)),
        ("school_roll", 1.0, 771.0, 300.0, (-1, -1, -1)),  # nobody can act on it
        ("afternoons_missed", 1.0, 1.0, 0.0, (-1, -1, -1)),  # often an unrecorded timetable
        ("afternoons_missed", -1.0, 0.0, 0.1, (-1, -1, -1)),
        ("monday_friday_excess", 1.0, -0.1, 0.0, (-1, -1, -1)),  # what is not there raises nothing
        (
            "known_half_days_60_days",
            1.0,
            0.0,
            110.0,
            (0, -1, -1),
        ),  # somebody can ask for a register
        (FSM, 1.0, 1.0, 0.0, (0, -1, -1)),
        (FSM, -1.0, 0.0, 0.0, (-1, -1, -1)),  # no poverty is no strength
        (SUSPENDED, 1.0, 2.0, 0.0, (0, -1, -1)),
        (SUSPENDED, 1.0, 0.0, 0.0, (-1, -1, -1)),
        (SUSPENDED, -1.0, 0.0, 0.0, (-1, 0, -1)),
        (SUSPENDED, -1.0, 2.0, 5.0, (-1, -1, -1)),  # who was suspended is not praised for it
        ("own", 1.0, 3.0, 5.0, (0, -1, -1)),
        ("own", -1.0, 3.0, 5.0, (-1, 0, -1)),
        ("own", 0.0, 3.0, None, (-1, -1, -1)),
    ],
)
def test_whose_words_a_subject_gets(
    name: str, part: float, value: float, typical: float | None, expected: tuple[int, ...]
) -> None:
    assert wording(name, part, value, typical) == expected


@pytest.mark.parametrize(
    ("parts", "values", "column"),
    [
        ([1.0, 0.5], [0.3, 1.0], 0),
        ([0.5, 1.0], [0.3, 1.0], 1),
        ([1.0, 1.0], [0.3, 1.0], 0),  # of equal ones the first
        ([2.0, 0.5], [0.0, 1.0], 1),  # the stronger has no words
        ([-1.0, 0.5], [0.3, 1.0], 1),
    ],
)
def test_the_strongest_feature_that_has_words_speaks(
    parts: list[float], values: list[float], column: int
) -> None:
    names = [ABSENCE, SEVERE]
    made = subject_totals(
        pd.DataFrame([parts], columns=names), pd.DataFrame([values], columns=names), None
    )
    assert made.totals.tolist() == [[sum(parts)]]
    assert made.raising.tolist() == [[column]]


feature_lists = st.lists(st.sampled_from(sorted(CATALOGUE)), min_size=1, max_size=8, unique=True)


@given(feature_lists, st.data())
@settings(max_examples=40, deadline=None)
def test_subjects_and_themes_add_up_to_all_contributions(
    names: list[str], data: st.DataObject
) -> None:
    n = len(names)
    parts = data.draw(st.lists(st.integers(-8, 8), min_size=n, max_size=n))
    values = data.draw(st.lists(st.sampled_from([0.0, 1.0, 0.3, NAN]), min_size=n, max_size=n))
    contributions = pd.DataFrame([np.array(parts) / 4], columns=names)
    made = subject_totals(contributions, pd.DataFrame([values], columns=names), None)
    whole = float(contributions.to_numpy().sum())
    assert made.totals.sum() == pytest.approx(whole)
    assert float(theme_totals(contributions).to_numpy().sum()) == pytest.approx(whole)


@given(feature_lists, st.data())
@settings(max_examples=40, deadline=None)
def test_every_reason_is_a_whole_sentence_with_a_size(
    names: list[str], data: st.DataObject
) -> None:
    n = len(names)
    parts = data.draw(st.lists(st.integers(-8, 8), min_size=n, max_size=n))
    values = data.draw(st.lists(st.sampled_from([0.0, 1.0, 0.3, NAN]), min_size=n, max_size=n))
    frame = pd.DataFrame([np.array(parts) / 4], columns=names)
    explanation = Explanation(
        base_value=-3.0,
        contributions=frame,
        features=pd.DataFrame([values], columns=names, dtype=float),
        log_odds=frame.sum(axis=1).to_numpy() - 3,
    )
    for name, text in reasons_in_words(explanation, None).iloc[0].items():
        if text:
            assert text[0].isupper() or not text[0].isalpha()
            assert text.endswith(")")
            sizes = ("risk × ", "more than 10 times", "less than a tenth")
            assert any(size in text for size in sizes), (name, text)
            assert "nan" not in text.lower().split()


@pytest.mark.parametrize(
    ("names", "themes"),
    [
        ([ABSENCE, SEVERE], ["attendance"]),
        ([SUSPENDED, ABSENCE, "own"], ["behaviour", "attendance", "other"]),
        (["own", "another"], ["other"]),
    ],
)
def test_themes_are_in_the_order_in_which_they_appear(names: list[str], themes: list[str]) -> None:
    frame = pd.DataFrame([[1.0] * len(names)], columns=names)
    totals = theme_totals(frame)
    assert list(totals.columns) == themes
    assert totals.to_numpy().sum() == len(names)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1.0999, "risk × 1.10"),
        (1.1, "risk × 1.1"),
        (9.96, "risk × 10.0"),
        (1e9, "more than 10 times the risk"),
        (0.1, "risk × 0.10"),
        (0.0999, "less than a tenth of the risk"),
        (0.995, "risk × 0.99"),
        (0.9999, "risk × 0.9999"),
        (1.00004, "risk × 1.00004"),
    ],
)
def test_a_factor_in_words_at_its_borders(factor: float, words: str) -> None:
    assert write_factor(factor) == words


@pytest.mark.parametrize(
    ("change", "sign", "is_shown"),
    [(0.03, 1, True), (0.029, 1, False), (-0.03, -1, True), (-0.029, -1, False), (0.2, -1, False)],
)
def test_a_change_of_three_in_a_hundred_is_worded_where_it_goes_the_way_of_the_risk(
    change: float, sign: int, is_shown: bool
) -> None:
    frame = pd.DataFrame({ABSENCE: [0.2], "absence_change_20_days": [change]})
    found = compose_sentences("absence_change_20_days", frame, sign)[0]
    assert ("80%" in found and f"{1 - 0.2 + change:.0%}" in found) == is_shown


@pytest.mark.parametrize("missing", [0, 3])
def test_the_auc_of_a_proxy_is_scikit_learns_whichever_way_round(missing: int) -> None:
    rng = np.random.default_rng(0)
    girls = np.arange(200) % 2 == 0
    X = pd.DataFrame({"up": rng.normal(size=200) + girls, "down": rng.normal(size=200) - 2 * girls})
    X.loc[: missing - 1, "up"] = np.nan
    found = proxies(X, pd.DataFrame({"sex": np.where(girls, "Girls", "Boys")}))
    for row in found.to_dict("records"):
        value = X[row["feature"]].fillna(-99)
        auc = roc_auc_score(girls, value)
        assert row["auc"] == pytest.approx(max(auc, 1 - auc))
        assert row["auc_low"] <= row["auc"] <= row["auc_high"]
    assert found["feature"].tolist() == ["down", "up"] * 2


@pytest.mark.parametrize(
    ("strongest", "n_features", "n_rows"), [(1, 4, 1), (3, 4, 3), (3, 2, 2), (9, 2, 2)]
)
def test_as_many_proxies_are_named_as_asked_for(
    strongest: int, n_features: int, n_rows: int
) -> None:
    X = pd.DataFrame(np.random.default_rng(1).normal(size=(40, n_features)))
    groups = pd.DataFrame({"g": ["a", "b"] * 20})
    assert len(proxies(X, groups, strongest=strongest)) == 2 * n_rows


@pytest.mark.parametrize(("n", "n_groups"), [(4, 0), (5, 2), (10, 2)])
def test_a_group_needs_five_pupils_inside_and_outside(n: int, n_groups: int) -> None:
    groups = pd.DataFrame({"g": ["a"] * n + ["b"] * 10})
    X = pd.DataFrame({"x": np.arange(n + 10.0)})
    assert proxies(X, groups)["group"].nunique() == n_groups
    assert contribution_gaps(X, groups)["group"].nunique() == n_groups


@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
def test_every_feature_needs_a_theme(names: list[str]) -> None:
    parts = pd.DataFrame({name: np.arange(10.0) for name in names})
    groups = pd.DataFrame({"g": ["x", "y"] * 5})
    with pytest.raises(RequestError, match=f"'{names[-1]}' has no theme. Give a theme for every"):
        contribution_gaps(parts, groups, themes=dict.fromkeys(names[:-1], "t"))
