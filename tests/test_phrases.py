"""Numbers and templates in sentences: borders of units, singular and plural, missing values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.explain.composed_sentences import compose_sentences, may_protect
from riskmodel.explain.phrases import (
    MISSING,
    NONE,
    SOME,
    fill_template,
    phrase_of,
    place_of,
    read_words,
    write_time,
    write_times,
    write_value,
)

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (NAN, "share", "not known"),
        (np.inf, "days", "not known"),
        (0.0, "share", "0%"),
        (0.004, "share", "0%"),
        (-0.001, "share", "0%"),
        (0.126, "share", "13%"),
        (1.0, "share", "100%"),
        (0.0, "yes/no", "no"),
        (0.49, "yes/no", "no"),
        (0.5, "yes/no", "yes"),
        (1.0, "yes/no", "yes"),
        (1.0, "days", "1 day"),
        (2.0, "days", "2 days"),
        (1.5, "days", "1.5 days"),
        (0.0, "days", "0 days"),
        (12.4, "months", "12 months"),
        (-0.04, "months", "0.0 months"),
        (1.0, "half-days", "1 half-day"),
        (7.0, "count", "7"),
        (3.0, "decile", "3"),
        (2.0, "school years", "2"),
        (9.96, "", "10.0"),
    ],
)
def test_a_value_in_its_unit(value: float, unit: str, words: str) -> None:
    assert write_value(value, unit) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0 times"),
        (0.6, "once"),
        (1, "once"),
        (1.4, "once"),
        (1.6, "twice"),
        (2, "twice"),
        (3, "3 times"),
        (12.3, "12 times"),
        (1000, "1000 times"),
    ],
)
def test_how_often(value: float, words: str) -> None:
    assert write_times(value) == words


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0, "days", "1 day"),
        (0.4, "days", "1 day"),
        (1, "days", "1 day"),
        (2, "days", "2 days"),
        (13, "days", "13 days"),
        (14, "days", "2 weeks"),
        (69, "days", "10 weeks"),
        (70, "days", "2 months"),
        (365, "days", "12 months"),
        (729, "days", "24 months"),
        (731, "days", "2 years"),
        (1, "weeks", "7 days"),
        (2, "weeks", "2 weeks"),
        (30, "weeks", "7 months"),
        (1, "months", "4 weeks"),
        (3, "months", "3 months"),
        (24, "months", "2 years"),
        (1, "years", "12 months"),
        (10, "years", "10 years"),
        (-3, "months", "3 months"),
    ],
)
def test_a_length_of_time_in_plain_words(value: float, unit: str, words: str) -> None:
    assert write_time(value, unit) == words


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_a_longer_time_never_sounds_much_shorter(one: int, other: int) -> None:
    def days(words: str) -> float:
        number, unit = words.split()
        return (
            float(number)
            * {"day": 1, "week": 7, "month": 30.4375, "year": 365.25}[unit.removesuffix("s")]
        )

    short, long = sorted((one, other))
    # rounding to the unit: at most half a unit on either side
    assert days(write_time(short, "days")) <= days(write_time(long, "days")) * 1.25 + 1
    assert days(write_time(long, "days")) == pytest.approx(long, rel=0.26, abs=1)


@pytest.mark.parametrize(
    ("template", "unit", "value", "words"),
    [
        ("{value} away", "share", 0.25, "25% away"),
        ("{rest} there", "share", 0.25, "75% there"),
        ("seen {times}", "count", 2.0, "Seen twice"),
        ("for {long}", "days", 20.0, "For 3 weeks"),
        ("up {points}", "share", 0.01, "Up 1 percentage point"),
        ("up {points}", "share", -0.02, "Up 2 percentage points"),
        ("up {points}", "share", 0.001, "Up 1 percentage point"),
        ("{n:move}", "count", 1.0, "1 move"),
        ("{n:move}", "count", 3.0, "3 moves"),
        ("{n:child|children}", "count", 1.0, "1 child"),
        ("{n:child|children}", "count", 2000.0, "2,000 children"),
        ("{n:move}", "count", -4.0, "4 moves"),
        ("the {nth}most", "decile", 1.0, "The most"),
        ("the {nth}most", "decile", 2.0, "The 2nd most"),
        ("the {nth}most", "decile", 3.0, "The 3rd most"),
        ("the {nth}most", "decile", 10.0, "The 10th most"),
        ("no placeholder", "", 1.0, "No placeholder"),
        ("", "", 1.0, ""),
    ],
)
def test_a_template_is_filled_in(template: str, unit: str, value: float, words: str) -> None:
    assert fill_template(template, unit, np.array([value])).tolist() == [words]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (-1.5, "Well below average"),
        (-1.0, "Well below average"),
        (-0.75, "Below average"),
        (-0.5, "Below average"),
        (0.0, "About average"),
        (0.5, "About average"),
        (0.75, "Above average"),
        (1.0, "Above average"),
        (1.5, "Well above average"),
    ],
)
def test_a_standardised_score_has_five_levels(value: float, words: str) -> None:
    assert fill_template("{level}", "standard deviations", np.array([value])).tolist() == [words]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_each_value_has_its_own_sentence_in_its_own_place(values: list[int]) -> None:
    texts = fill_template("{n:move}", "count", np.array(values, float))
    assert texts.tolist() == [f"{n} move{'' if n == 1 else 's'}" for n in values]


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("absence_rate_20_days", 0.004, NONE),
        ("absence_rate_20_days", 0.005, SOME),
        ("suspensions_12_months", 0.0, NONE),
        ("suspensions_12_months", 0.5, SOME),
        ("suspensions_12_months", NAN, MISSING),
        ("fsm_now", 0.49, NONE),
        ("fsm_now", 1.0, SOME),
        ("ks2_score", 0.0, NONE),
        ("ks2_score", 0.01, SOME),
        ("ks2_score", NAN, MISSING),
    ],
)
def test_what_counts_as_something_depends_on_the_unit(name: str, value: float, kind: int) -> None:
    assert phrase_of(name).kinds(np.array([value])).tolist() == [kind]


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        ("own_measure", ["Own measure: 3", "Own measure: 0", ""]),
        ("x", ["X: 3", "X: 0", ""]),
    ],
)
def test_a_feature_of_ones_own_speaks_for_itself(name: str, sentences: list[str]) -> None:
    frame = pd.DataFrame({name: [3.0, 0.0, NAN]})
    assert compose_sentences(name, frame, 1).tolist() == sentences
    assert phrase_of(name).subject == name.replace("_", " ")
    assert phrase_of(name).strength


@pytest.mark.parametrize("name", ["own_measure", "another"])
def test_what_nobody_placed_is_read_out_last(name: str) -> None:
    assert place_of(name) == 90 >= place_of("suspensions_12_months")
    assert place_of(name) == place_of("something_else_of_ones_own")


@pytest.mark.parametrize(
    ("file", "columns"),
    [
        ("sentences.csv", {"feature", "subject", "strength", "some", "none"}),
        ("subjects.csv", {"subject", "place"}),
        ("changes.csv", {"features", "rate", "change", "more", "less"}),
        ("blame_words.csv", {"beginning", "dfe_term"}),
    ],
)
def test_tables_of_words_have_their_columns_and_no_notes(file: str, columns: set[str]) -> None:
    rows = read_words(file)
    assert rows
    assert columns <= set(rows[0])
    assert not [row for row in rows if next(iter(row.values())).startswith("#")]


@pytest.mark.parametrize(
    ("columns", "may"),
    [
        ({}, True),
        ({"suspensions_12_months": 0.0}, True),
        ({"suspensions_12_months": 1.0}, False),
        ({"suspensions_12_months": 0.0, "lunchtime_12_months": 1.0}, False),
        ({"excluded_before": 1.0}, False),
        ({"excluded_ever_12_months": 1.0, "suspensions_12_months": 0.0}, False),
        ({"suspensions_12_months": NAN}, True),
        ({"other": 5.0}, True),
    ],
)
def test_no_incident_may_be_on_record_before_their_lack_protects(
    columns: dict[str, float], may: bool
) -> None:
    assert may_protect(pd.DataFrame(columns, index=[0])).tolist() == [may]


SUSPENDED = [
    "suspensions_12_months",
    "suspensions_ever",
    "sessions_lost_12_months",
    "days_since_suspension",
]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 1, 1, 3], "Suspended once in the last 12 months, 3 days ago, for 1 half-day"),
        ([1, 1, 0, 3], "Suspended once in the last 12 months, 3 days ago"),
        ([1, 1, 4, NAN], "Suspended once in the last 12 months, for 4 half-days"),
        (
            [2, 5, 6, 1],
            "Suspended twice in the last 12 months, 6 half-days in all, most recently 1 day ago",
        ),
        ([3, 3, 0, NAN], "Suspended 3 times in the last 12 months"),
        ([0, 1, 0, 400], "Suspended once so far, 13 months ago"),
        ([0, 2, 0, 800], "Suspended twice so far, most recently 2 years ago"),
        ([0, 0, 0, NAN], None),
    ],
)
def test_suspensions_are_one_line_whatever_is_known(values: list[float], words: str | None) -> None:
    frame = pd.DataFrame([values], columns=SUSPENDED, dtype=float)
    found = compose_sentences("suspensions_12_months", frame, 1)[0]
    alone = compose_sentences("suspensions_12_months", frame[SUSPENDED[:1]], 1)[0]
    assert found == (alone if words is None else words)
    before = frame.assign(excluded_before=1.0)
    if words is not None:
        with_exclusion = compose_sentences("suspensions_12_months", before, 1)[0]
        assert with_exclusion == f"{words}; permanently excluded from a school before"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"sen_support_now": 1, "ehc_plan_now": 0}, "Receives SEN support"),
        ({"sen_support_now": 0, "ehc_plan_now": 1}, "Has an EHC plan"),
        ({"sen_support_now": 1, "ehc_plan_now": 1}, "Has an EHC plan"),
        (
            {"sen_support_now": 1, "ehc_plan_now": 0, "need_asd_now": 1},
            "Receives SEN support; recorded need: autistic spectrum disorder",
        ),
        (
            {"sen_support_now": 0, "ehc_plan_now": 1, "need_asd_now": 0, "need_semh_now": 0},
            "Has an EHC plan",
        ),
    ],
)
def test_provision_is_named_with_its_needs(values: dict[str, Any], words: str) -> None:
    frame = pd.DataFrame(values, index=[0], dtype=float)
    assert compose_sentences("sen_support_now", frame, 1)[0] == words
