"""Questions worth asking about a pupil, each with the fact that prompted it. Never what to do.

In:  the pupils' own values.
Out: one row per pupil and question.

A question is a row of :data:`QUESTIONS`: the features it needs, a pure function that decides for whom it is
asked, and two texts. Where a feature is not there the question does not apply, and is not asked.
Whether a meeting was held before an exclusion is not in any table, so nothing is asked about it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.counted import counted
from riskmodel.explain.phrases import write_time, write_times, write_value
from riskmodel.features import CATALOGUE

__all__ = ["QUESTIONS", "Question", "ask"]

SPRING = 16
"""Weeks from September after which a change at the end of the school year is near enough to ask."""

SETTLING_MONTHS = 4
"""Months at a school in which a pupil is still new there; chosen."""

AFTERNOONS = 0.5
"""Share of afternoons missed after a morning in school that looks like a timetable; chosen."""

FALL = 0.10
"""Fall of attendance, in four school weeks, worth a question by itself; chosen."""

UNEXPLAINED = 0.05
"""Share of half-days without a reason worth a question: two days of four school weeks."""

ILLNESS = 0.15
"""Share of half-days away for illness or appointments worth a question; chosen."""

LIMIT_WEEKS = 20
"""Weeks from request to EHC plan (Special Educational Needs and Disability Regulations 2014)."""

Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes
    ----------
    code : str
        Stable name.
    needs : tuple of str
        Features without which it does not apply.
    when : callable
        Values of some pupils → for whom it is asked.
    ask : str
        The question.
    because : str
        The fact; ``{feature:how}`` puts in the pupil's value.
    """

    code: str
    needs: tuple[str, ...]
    when: Callable[[pd.DataFrame], Rows]
    ask: str
    because: str


def _where(condition: pd.Series) -> Rows:
    return condition.to_numpy(dtype=bool)


QUESTIONS = (
    Question(
        "need_not_recorded",
        ("suspensions_12_months", "sen_ever"),
        lambda X: _where((X["suspensions_12_months"] > 0) & (X["sen_ever"] == 0)),
        "Could there be a need that nobody has found yet, for example with speech, language and "
        "communication? Has anyone looked?",
        "Suspended {suspensions_12_months:times} in the last 12 months, and no special educational "
        "needs are on record.",
    ),
    Question(
        "semh_alone",
        ("suspensions_12_months", "need_semh_now", "secondary_need_now", "slcn_ever"),
        lambda X: _where(
            (X["suspensions_12_months"] > 0)
            & (X["need_semh_now"] > 0)
            & (X["secondary_need_now"] == 0)
            & (X["slcn_ever"] == 0)
        ),
        "Could a speech, language and communication need lie behind the need that is recorded? Has "
        "anyone looked?",
        "Social, emotional and mental health is the only need on record, and there "
        "{suspensions_12_months:were} in the last 12 months.",
    ),
    Question(
        "need_not_typed",
        ("need_not_typed",),
        lambda X: _where(X["need_not_typed"] > 0),
        "Which need is it?",
        "Special educational needs are recorded without their type.",
    ),
    Question(
        "plan_overdue",
        ("plan_weeks_waited",),
        lambda X: _where(X["plan_weeks_waited"] > LIMIT_WEEKS),
        "What holds up the request for an EHC plan, and what helps until it is decided?",
        "The request has waited {plan_weeks_waited:weeks}; a plan is due within 20 weeks of it.",
    ),
    Question(
        "plan_pending",
        ("plan_weeks_waited",),
        lambda X: _where(X["plan_weeks_waited"].between(0, LIMIT_WEEKS, inclusive="right")),
        "When is the decision on the request for an EHC plan due, and what helps until then?",
        "The request has waited {plan_weeks_waited:weeks}; a plan is due within 20 weeks of it.",
    ),
    Question(
        "plan_refused",
        ("plan_refused_lately", "ehc_plan_now"),
        lambda X: _where((X["plan_refused_lately"] > 0) & (X["ehc_plan_now"] == 0)),
        "What has been put in place since the request for an EHC plan was turned down?",
        "A request was turned down in the last 12 months.",
    ),
    Question(
        "support_ended",
        ("sen_stepped_down",),
        lambda X: _where(X["sen_stepped_down"] > 0),
        "Does the pupil still manage without SEN support?",
        "SEN provision ended in the last 12 months.",
    ),
    Question(
        "social_care_ended",
        ("social_care_ended_lately",),
        lambda X: _where(X["social_care_ended_lately"] > 0),
        "Who keeps in touch with the family now?",
        "Social care support ended in the last 12 months, and there is none now.",
    ),
    Question(
        "transition_to_secondary",
        ("year_group", "weeks_since_september"),
        lambda X: _where((X["year_group"] == 6) & (X["weeks_since_september"] >= SPRING)),
        "Does the next school know what helps this pupil, and has the pupil met someone there?",
        "Year 6 is usually the last at primary school.",
    ),
    Question(
        "choices_for_year_10",
        ("year_group", "weeks_since_september"),
        lambda X: _where((X["year_group"] == 9) & (X["weeks_since_september"] >= SPRING)),
        "Did the pupil have a say in the courses for Year 10, and do they suit?",
        "Year 10 begins in September.",
    ),
    Question(
        "place_after_year_11",
        ("year_group", "weeks_since_september"),
        lambda X: _where((X["year_group"] == 11) & (X["weeks_since_september"] >= SPRING)),
        "Is there a place for September that the pupil wants, and a second choice?",
        "Year 11 ends this summer.",
    ),
    Question(
        "no_september_offer",
        ("no_september_offer_now",),
        lambda X: _where(X["no_september_offer_now"] > 0),
        "Who helps to find a place for September?",
        "No offer under the September Guarantee is on record.",
    ),
    Question(
        "new_at_school",
        ("months_at_school", "came_in_mid_year"),
        lambda X: _where((X["months_at_school"] < SETTLING_MONTHS) & (X["came_in_mid_year"] > 0)),
        "Has what the last school knew arrived, and who helps the pupil to settle?",
        "Came to the present school {months_at_school:long} ago, in mid-year.",
    ),
    Question(
        "part_time_for_long",
        ("part_time_rate_20_days", "part_time_rate_60_days"),
        lambda X: _where(
            (X["part_time_rate_20_days"] > 0)
            & (X["part_time_rate_60_days"] * 3 > X["part_time_rate_20_days"] + 1e-6)
        ),
        "When does the part-time timetable end, and who looks at it until then?",
        "On a part-time timetable for {part_time_rate_60_days:value} of half-days in the last 12 "
        "school weeks, and still in the last 4.",
    ),
    Question(
        "part_time_not_recorded",
        ("afternoons_missed", "part_time_rate_60_days"),
        lambda X: _where(
            (X["afternoons_missed"] >= AFTERNOONS) & ~(X["part_time_rate_60_days"] > 0)
        ),
        "Is the pupil on a part-time timetable that is recorded as absence? When does it end?",
        "Missed {afternoons_missed:value} of afternoons after a morning in school, in the last 12 school "
        "weeks, with no part-time timetable on record.",
    ),
    Question(
        "attendance_fell_first",
        ("absence_change_20_days", "absence_rate_20_days", "suspensions_12_months"),
        lambda X: _where((X["absence_change_20_days"] >= FALL) & (X["suspensions_12_months"] == 0)),
        "What changed for the pupil some weeks ago?",
        "Attendance fell to {absence_rate_20_days:rest} in the last 4 school weeks, and there was no "
        "suspension in the last 12 months.",
    ),
    Question(
        "unexplained_absence",
        ("unexplained_rate_20_days",),
        lambda X: _where(X["unexplained_rate_20_days"] >= UNEXPLAINED),
        "Does anyone know where the pupil was?",
        "Absence with no reason on record, or only an unknown one, was {unexplained_rate_20_days:value} of "
        "half-days in the last 4 school weeks.",
    ),
    Question(
        "illness",
        ("illness_rate_60_days",),
        lambda X: _where(X["illness_rate_60_days"] >= ILLNESS),
        "Is there support for the pupil's health, at school and beyond?",
        "Away for illness or appointments for {illness_rate_60_days:value} of half-days in the last 12 "
        "school weeks.",
    ),
)
"""Every question, needs first."""

_VALUE = re.compile(r"\{(\w+):(\w+)\}")


def ask(features: pd.DataFrame, pupil_id: pd.Series) -> pd.DataFrame:
    """Return the questions about some pupils.

    Parameters
    ----------
    features : DataFrame of shape (n_pupils, n_features)
        Their values.
    pupil_id : Series of shape (n_pupils,)
        The pupils, in the same rows.

    Returns
    -------
    DataFrame
        ``pupil_id, code, question, because``, pupils in their order, needs first.

    Examples
    --------
    >>> ask(pd.DataFrame({"days_of_sunshine": [3.0]}), pd.Series(["P1"])).shape
    (0, 4)
    """
    parts = []
    for number, one in enumerate(QUESTIONS):
        if not all(name in features for name in one.needs):
            continue
        rows = np.flatnonzero(one.when(features))
        facts = features.iloc[rows][list(one.needs)].to_dict("index").values()
        parts.append(
            pd.DataFrame(
                {
                    "row": rows,
                    "number": number,
                    "pupil_id": pupil_id.astype("str").to_numpy()[rows],
                    "code": one.code,
                    "question": one.ask,
                    "because": [_fill(one.because, f) for f in facts],
                }
            )
        )
    columns = ["pupil_id", "code", "question", "because"]
    if not parts:
        return pd.DataFrame(columns=columns, dtype="str")
    found = pd.concat(parts).sort_values(["row", "number"], ignore_index=True)
    return found[columns].astype("str")


def _fill(text: str, facts: Mapping[Hashable, float]) -> str:
    def put(match: re.Match[str]) -> str:
        name, how = match.groups()
        return _HOW[how](float(facts[name]), CATALOGUE[name].unit)

    return _VALUE.sub(put, text)


def _were(value: float, unit: str) -> str:
    return "was 1 suspension" if value == 1 else f"were {value:.0f} suspensions"


def _weeks(value: float, unit: str) -> str:
    """Write whole weeks; no wait is rounded to none, or to the limit that it is past."""
    number = round(value)
    if number == 0:
        return "less than a week"
    words = counted(number, "week")
    return f"more than {words}" if number == LIMIT_WEEKS < value else words


_HOW: dict[str, Callable[[float, str], str]] = {
    "value": write_value,
    "times": lambda value, unit: write_times(value),
    "long": write_time,
    "were": _were,
    "weeks": _weeks,
    "rest": lambda value, unit: f"{1 - value:z.0%}",
}
