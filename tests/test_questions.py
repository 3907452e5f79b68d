"""Questions at their borders: asked from where on, with which number, and of nobody unknown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.explain.gaps import find_gaps
from riskmodel.explain.questions import QUESTIONS, Question, ask
from riskmodel.features import CATALOGUE

NAN = float("nan")


def asked(code: str, **features: float) -> list[str]:
    """What prompted one question of one pupil: a sentence, or none."""
    frame = pd.DataFrame(features, index=[0], dtype=float)
    table = ask(frame, pd.Series(["p"]))
    return table["because"][(table["code"] == code).to_numpy()].tolist()


@pytest.mark.parametrize(
    ("code", "features", "is_asked"),
    [
        ("plan_overdue", {"plan_weeks_waited": 20.0}, False),
        ("plan_overdue", {"plan_weeks_waited": 20.01}, True),
        ("plan_pending", {"plan_weeks_waited": 20.0}, True),
        ("plan_pending", {"plan_weeks_waited": 20.01}, False),
        ("plan_pending", {"plan_weeks_waited": 0.01}, True),
        ("plan_pending", {"plan_weeks_waited": 0.0}, False),
        ("new_at_school", {"months_at_school": 3.99, "came_in_mid_year": 1}, True),
        ("new_at_school", {"months_at_school": 4.0, "came_in_mid_year": 1}, False),
        ("unexplained_absence", {"unexplained_rate_20_days": 0.0499}, False),
        ("unexplained_absence", {"unexplained_rate_20_days": 0.05}, True),
        ("part_time_not_recorded", {"afternoons_missed": 1.0, "part_time_rate_60_days": 0.0}, True),
        ("part_time_not_recorded", {"afternoons_missed": 0.49, "part_time_rate_60_days": 0}, False),
        (
            "part_time_not_recorded",
            {"afternoons_missed": 1.0, "part_time_rate_60_days": 0.1},
            False,
        ),
        ("illness", {"illness_rate_60_days": 0.1499}, False),
        ("illness", {"illness_rate_60_days": 0.15}, True),
        ("need_not_recorded", {"suspensions_12_months": 1, "sen_ever": 0}, True),
        ("need_not_recorded", {"suspensions_12_months": 0, "sen_ever": 0}, False),
        ("need_not_recorded", {"suspensions_12_months": 1, "sen_ever": 1}, False),
        ("transition_to_secondary", {"year_group": 6, "weeks_since_september": 15.9}, False),
        ("transition_to_secondary", {"year_group": 6, "weeks_since_september": 16}, True),
        ("transition_to_secondary", {"year_group": 7, "weeks_since_september": 30}, False),
        ("choices_for_year_10", {"year_group": 9, "weeks_since_september": 16}, True),
        ("place_after_year_11", {"year_group": 11, "weeks_since_september": 16}, True),
        ("place_after_year_11", {"year_group": 12, "weeks_since_september": 16}, False),
    ],
)
def test_a_question_is_asked_from_its_border_on(
    code: str, features: dict[str, float], is_asked: bool
) -> None:
    assert bool(asked(code, **features)) == is_asked


@pytest.mark.parametrize(
    ("fall", "is_asked"), [(0.0999, False), (0.10, True), (0.5, True), (-0.5, False), (NAN, False)]
)
def test_a_fall_of_attendance_is_asked_about_from_a_tenth_on(fall: float, is_asked: bool) -> None:
    found = asked(
        "attendance_fell_first",
        absence_change_20_days=fall,
        absence_rate_20_days=0.25,
        suspensions_12_months=0,
    )
    assert bool(found) == is_asked
    if is_asked:
        assert found[0].startswith("Attendance fell to 75% in the last 4 school weeks")


@pytest.mark.parametrize(
    ("weeks", "words"),
    [
        (0.2, "less than a week"),
        (0.6, "1 week"),
        (1.4, "1 week"),
        (1.6, "2 weeks"),
        (19.7, "20 weeks"),
        (20.0, "20 weeks"),
        (20.2, "more than 20 weeks"),  # not "20 weeks; a plan is due within 20 weeks"
        (20.6, "21 weeks"),
        (52.0, "52 weeks"),
    ],
)
def test_how_long_a_request_has_waited(weeks: float, words: str) -> None:
    code = "plan_overdue" if weeks > 20 else "plan_pending"
    assert asked(code, plan_weeks_waited=weeks) == [
        f"The request has waited {words}; a plan is due within 20 weeks of it."
    ]


@pytest.mark.parametrize(
    ("suspensions", "words", "were"),
    [
        (1, "Suspended once in", "there was 1 suspension in"),
        (2, "Suspended twice in", "there were 2 suspensions in"),
        (5, "Suspended 5 times in", "there were 5 suspensions in"),
    ],
)
def test_suspensions_are_counted_in_words(suspensions: int, words: str, were: str) -> None:
    (found,) = asked("need_not_recorded", suspensions_12_months=suspensions, sen_ever=0)
    assert found.startswith(words)
    (alone,) = asked(
        "semh_alone",
        suspensions_12_months=suspensions,
        need_semh_now=1,
        secondary_need_now=0,
        slcn_ever=0,
    )
    assert were in alone


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.code)
def test_a_question_needs_features_that_exist_and_asks_nothing_of_the_unknown(
    question: Question,
) -> None:
    assert set(question.needs) <= set(CATALOGUE)
    assert question.ask.endswith("?")
    assert question.because.endswith(".")
    unknown = pd.DataFrame({name: [NAN] for name in question.needs})
    assert not question.when(unknown).any()
    assert ask(unknown, pd.Series(["p"])).empty


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.code)
def test_a_question_is_left_out_where_the_extracts_lack_a_feature(question: Question) -> None:
    for absent in question.needs:
        features = {name: [1.0] for name in question.needs if name != absent} | {"x": [1.0]}
        assert question.code not in set(ask(pd.DataFrame(features), pd.Series(["p"]))["code"])


@given(st.lists(st.sampled_from([0.0, 10.0, 30.0, NAN]), max_size=6))
def test_pupils_are_in_the_order_given_and_a_request_makes_one_question(
    weeks: list[float],
) -> None:
    names = pd.Series([f"p{number}" for number in range(len(weeks))], dtype="str")
    table = ask(pd.DataFrame({"plan_weeks_waited": np.array(weeks, float)}), names)
    wanted = [name for name, waited in zip(names, weeks, strict=True) if waited > 0]
    assert table["pupil_id"].tolist() == wanted
    assert list(table) == ["pupil_id", "code", "question", "because"]


@pytest.mark.parametrize(
    ("features", "sentences"),
    [
        ({"sen_ever": 0.0}, ["No special educational needs are on record."]),
        ({"sen_ever": 1.0}, []),
        ({"sen_ever": NAN}, []),
        ({"results_missing": 1.0}, ["No key stage 2 results are known."]),
        ({"results_missing": 0.0}, []),
        ({"year_group": NAN}, ["The year group is not known."]),
        ({"year_group": 0.0}, []),  # Reception is a year group
        ({"idaci_decile": NAN}, ["The neighbourhood is not known."]),
        ({"not_known_now": 1.0}, ["What the young person is doing now is not known."]),
        ({"known_half_days_60_days": 1.0}, []),
        (
            {"known_half_days_60_days": NAN},
            ["No attendance marks are known in the last 12 school weeks."],
        ),
        (
            {"known_half_days_60_days": 0.0, "year_group": NAN},
            [
                "No attendance marks are known in the last 12 school weeks.",
                "The year group is not known.",
            ],
        ),
        ({"other": 0.0}, []),
    ],
)
def test_gaps_follow_from_the_features(features: dict[str, float], sentences: list[str]) -> None:
    frame = pd.DataFrame(features, index=[0], dtype=float)
    found = find_gaps(frame, pd.Series(["p"]), as_of=pd.Timestamp("2025-03-01"))
    assert found["sentence"].tolist() == sentences
    assert set(found["pupil_id"]) <= {"p"}
