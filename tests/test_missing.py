"""What is missing never protects, and a reason is a fact that somebody can act on or ask about."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.assess import Assessment, rank
from riskmodel.data.read import read
from riskmodel.explain import Explanation, Story, reasons_in_words
from riskmodel.explain.history import months_on_record
from riskmodel.explain.subjects import subject_totals
from riskmodel.features import CATALOGUE
from riskmodel.training.boosting import RareOutcomeClassifier
from tests.small_la import SmallLA

NAN = float("nan")

FORBIDDEN = re.compile(
    "No .* results? (?:are|is) known|neighbourhood is not known|: not known|afternoons after a morning"
    "|there (?:are|is) [0-9,]+ other pupil|Is in Year|school year (?:began|is just)"
)
"""What no officer could act on or ask about, or states that something is missing."""


def test_no_text_names_what_is_missing_or_what_nobody_can_act_on(
    small_assessment: Assessment,
) -> None:
    made = small_assessment.explanation
    assert small_assessment.calibrated is not None
    words = reasons_in_words(made, small_assessment.calibrated.typical)
    wording = pd.concat([words[name] for name in words]).loc[lambda text: text != ""]
    assert len(wording) > 1000
    assert wording[wording.str.contains(FORBIDDEN)].tolist() == []
    listed = rank(small_assessment)[
        ["reason_1", "reason_2", "reason_3", "strength_1", "strength_2"]
    ]
    assert not listed.apply(lambda column: column.str.contains(FORBIDDEN)).to_numpy().any()


def test_every_sentence_of_a_list_comes_from_a_known_fact_that_may_be_a_reason(
    small_assessment: Assessment,
) -> None:
    made = small_assessment.explanation
    assert small_assessment.calibrated is not None
    subjects = subject_totals(
        made.contributions, made.features, small_assessment.calibrated.typical
    )
    for wording in (subjects.raising, subjects.protecting, subjects.present):
        pupil, subject = np.nonzero(wording >= 0)
        column = wording[pupil, subject]
        assert len(column)
        assert np.isfinite(made.features.to_numpy(dtype=float)[pupil, column]).all()
        names = made.features.columns[np.unique(column)]
        assert [name for name in names if not CATALOGUE[name].may_be_reason] == []


def test_the_sums_of_the_subjects_still_add_up(
    small_assessment: Assessment, small_story: Story
) -> None:
    made = small_assessment.explanation
    subjects = subject_totals(made.contributions, made.features, None)
    whole = made.base_value + subjects.totals.sum(axis=1)
    np.testing.assert_allclose(whole, made.log_odds, atol=1e-6)
    assert not small_story.reasons["sentence"].str.contains(FORBIDDEN).any()


names = st.lists(st.sampled_from(sorted(CATALOGUE)), min_size=1, max_size=8, unique=True)


@given(names, st.data())
@settings(max_examples=60, deadline=None)
def test_no_strength_and_no_reason_comes_from_what_is_missing(
    names: list[str], data: st.DataObject
) -> None:
    parts = data.draw(st.lists(st.integers(-8, 8), min_size=len(names), max_size=len(names)))
    frame = pd.DataFrame([np.array(parts) / 4], columns=names)
    one = Explanation(
        base_value=-3.0,
        contributions=frame,
        features=pd.DataFrame([[NAN] * len(names)], columns=names),
        log_odds=frame.sum(axis=1).to_numpy() - 3,
    )
    assert (reasons_in_words(one, None) == "").all(axis=None)


@pytest.mark.parametrize(
    ("known", "missing", "is_shown"), [(-0.2, -0.1, True), (-0.1, -0.2, False), (-0.2, 0.1, True)]
)
def test_a_strength_rests_on_what_is_known(known: float, missing: float, is_shown: bool) -> None:
    parts = pd.DataFrame({"ks1_score": [known], "ks2_score": [missing]})
    values = pd.DataFrame({"ks1_score": [1.2], "ks2_score": [NAN]})
    made = subject_totals(parts, values, None)
    assert made.totals.tolist() == [[known + missing]]  # shown or not, it is in the sum
    assert bool(made.protecting[0, 0] >= 0) == is_shown


NEVER = {
    "suspensions_12_months": 0.0,
    "suspensions_ever": 0.0,
    "sessions_lost_12_months": 0.0,
    "days_since_suspension": NAN,
}


@pytest.mark.parametrize(
    ("school", "words"),
    [
        ({"months_at_school": 24.0, "schools_so_far": 1, "year_group": 2}, "Not suspended so far"),
        # the years before the pupil came are not known
        (
            {"months_at_school": 20.0, "schools_so_far": 1, "year_group": 2},
            "Not suspended in the last 12 months",
        ),
        (
            {"months_at_school": 20.0, "schools_so_far": 1, "year_group": 9},
            "Not suspended in the last 12 months",
        ),
        ({"months_at_school": 11.9, "schools_so_far": 1, "year_group": 9}, ""),
        ({"months_at_school": 3.0, "schools_so_far": 1, "year_group": 9}, ""),
        (
            {"months_at_school": 3.0, "schools_so_far": 2, "year_group": 7, "known_half_days": 390},
            "Not suspended in the last 12 months",
        ),
        ({"months_at_school": NAN, "schools_so_far": 0, "year_group": 9}, ""),
    ],
)
def test_no_suspension_is_a_strength_only_as_far_as_the_record_goes_back(
    school: dict[str, float], words: str
) -> None:
    values = pd.DataFrame(NEVER | school, index=[0], dtype=float)
    parts = pd.DataFrame(0.0, index=[0], columns=values.columns).assign(suspensions_ever=-1.0)
    one = Explanation(
        base_value=-3.0, contributions=parts, features=values, log_odds=np.array([-4.0])
    )
    assert reasons_in_words(one, None)["strength_1"].item().split(" (")[0] == words


@pytest.mark.parametrize(
    ("months", "words"),
    [
        (11.0, ""),
        (23.0, "Not suspended in the last 12 months"),
        (24.0, "Not suspended so far"),
    ],
)
def test_no_suspension_so_far_needs_suspensions_since_reception(months: float, words: str) -> None:
    school = {"months_at_school": 24.0, "schools_so_far": 1.0, "year_group": 2.0}
    values = pd.DataFrame(NEVER | school, index=[0], dtype=float)
    parts = pd.DataFrame(0.0, index=[0], columns=values.columns).assign(suspensions_ever=-1.0)
    one = Explanation(
        base_value=-3.0,
        contributions=parts,
        features=values,
        log_odds=np.array([-4.0]),
        months_held={"suspensions": months},
    )
    assert reasons_in_words(one, None)["strength_1"].item().split(" (")[0] == words


@pytest.mark.parametrize(
    ("name", "months", "is_shown"),
    [
        ("moves_12_months", 11.0, False),
        ("moves_12_months", 12.0, True),
        ("moves_24_months", 23.0, False),
        ("moves_24_months", 24.0, True),
        ("mid_year_moves", 60.0, False),
        ("looked_after_ever", 60.0, False),
        ("looked_after_now", 12.0, True),
        ("unauthorised_rate_20_days", 1.0, True),  # the register knows these weeks
    ],
)
def test_nothing_on_record_is_a_strength_only_as_far_as_the_record_goes_back(
    name: str, months: float, is_shown: bool
) -> None:
    values = pd.DataFrame({name: [0.0], "months_at_school": [months]})
    made = subject_totals(pd.DataFrame({name: [-1.0], "months_at_school": [0.0]}), values, None)
    assert bool((made.protecting >= 0).any()) == is_shown


@pytest.mark.parametrize(
    ("name", "held", "is_shown"),
    [
        ("suspensions_ever", {"suspensions": 11.9}, False),
        ("suspensions_12_months", {"suspensions": 1.2}, False),
        ("suspensions_12_months", {"suspensions": 12.0}, True),
        ("suspensions_12_months", {"sessions": 1.2}, True),
        ("absence_spells_12_months", {"sessions": 2.0}, False),
        ("absence_spells_12_months", {"sessions": 12.0}, True),
        ("absence_spells_60_days", {"sessions": 5.0}, True),
        ("absence_spells_12_months", {}, True),
    ],
)
def test_nothing_in_12_months_is_a_strength_only_where_the_data_hold_12_months(
    name: str, held: dict[str, float], is_shown: bool
) -> None:
    values = pd.DataFrame({name: [0.0], "months_at_school": [60.0]})
    parts = pd.DataFrame({name: [-1.0], "months_at_school": [0.0]})
    made = subject_totals(parts, values, None, months_held=held)
    assert bool((made.protecting >= 0).any()) == is_shown


def test_an_assessment_knows_for_how_many_months_its_tables_hold_facts(
    small_assessment: Assessment, small_la: SmallLA
) -> None:
    held = small_assessment.explanation.months_held
    first = read(small_la.extracts).tables["suspensions"]["start_date"].min()
    days = (small_assessment.as_of - first).days
    assert held["suspensions"] == pytest.approx(12 * days / 365)


def test_a_pupil_at_one_school_from_the_start_is_known_for_ever() -> None:
    pupils = pd.DataFrame(
        {
            "months_at_school": [8.0, 26.0, 13.0, 13.0, 1.0, NAN],
            "schools_so_far": [1.0, 1.0, 1.0, 2.0, 1.0, 0.0],
            "year_group": [0.0, 2.0, 2.0, 1.0, 1.0, NAN],
        }
    )
    # 13 months in Year 2: came in Year 1, from nobody knows where
    assert months_on_record(pupils).tolist() == [np.inf, np.inf, 13.0, 13.0, 1.0, 0.0]


def fitted(seed: int) -> tuple[RareOutcomeClassifier, np.ndarray]:
    """Fit to rows in which pupils without a value have the outcome less often."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(600, 4)).round(1).astype(np.float32)
    X[rng.random(X.shape) < 0.2] = np.nan
    chance = np.where(np.isnan(X[:, 0]), 0.02, 1 / (1 + np.exp(1.5 - np.nan_to_num(X[:, 1]))))
    y = (rng.random(600) < chance).astype(int)
    return RareOutcomeClassifier(n_bags=3, n_trees=20, random_state=seed).fit(X, y), X


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_missing_value_never_lowers_the_risk_below_that_of_the_usual_value(seed: int) -> None:
    model, X = fitted(seed)
    usual = np.nanmedian(X, axis=0)
    for column in range(X.shape[1]):
        missing, filled = X.copy(), X.copy()
        missing[:, column], filled[:, column] = np.nan, usual[column]
        lowered = model.decision_function(missing) - model.decision_function(filled)
        assert lowered.min() >= -1e-9


@pytest.mark.parametrize("seed", [0, 1])
def test_contributions_add_up_where_values_are_missing(seed: int) -> None:
    model, X = fitted(seed)
    base_value, parts = model.explain(X)
    np.testing.assert_allclose(
        base_value + parts.sum(axis=1), model.decision_function(X), atol=1e-9
    )
