"""Every feature worked out by hand, builder by builder, on the facts of six pupils.

The day is Saturday 1 March 2025. Windows are half-open: 365 days before it is 1 March 2024, which counts;
the day itself does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pytest

from riskmodel.data import TABLES, Tables
from riskmodel.features import BUILDERS, CATALOGUE, build
from tests.strategies import PUPILS, small_tables, spine_of, table_of

MONTH, YEAR = 30.4375, 365.25

UNKNOWN = np.nan

SCHOOL_DAYS = [str(day)[:10] for day in pd.bdate_range(end="2025-02-28", periods=260)]
"""52 school weeks up to a Friday: summer, then 87 days of autumn, then 43 of spring."""


def facts(name: str, text: str) -> pd.DataFrame:
    """Return a table written as text: a header, a line per row, ``.`` where a cell is missing.

    A fact is recorded on the day it happens, an end on its own day, unless the text has the column.
    """
    header, *lines = (line.split() for line in text.splitlines() if line.strip())
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    rows = [{key: cell for key, cell in row.items() if cell != "."} for row in rows]
    for row in rows:
        row.setdefault("recorded_on", row.get(TABLES[name].event, ""))
        row.setdefault("end_recorded_on", row.get("end_date", row.get("leaving_date", "NaT")))
    return table_of(name, rows)


@cache
def features(*texts: tuple[str, str]) -> pd.DataFrame:
    """Return the features of the six pupils, with some tables replaced by those of a text."""
    frames = dict(small_tables().frames) | {name: facts(name, text) for name, text in texts}
    return build(Tables(frames), spine_of()).set_index(pd.Index(PUPILS))


def register(pupils: dict[str, dict[int, str]], days: int) -> str:
    """Return marks as text: present, but for some days counted back from the last one, which is 1."""
    lines = ["pupil_id date session mark"]
    for pupil, others in pupils.items():
        for back in range(1, days + 1):
            am, pm = others.get(back, "/ \\").split()
            lines.append(f"{pupil} {SCHOOL_DAYS[-back]} AM {am}")
            lines.append(f"{pupil} {SCHOOL_DAYS[-back]} PM {pm}")
    return "\n".join(lines)


def term(day: str) -> str:
    return "summer" if day < "2024-09" else "autumn" if day < "2025" else "spring"


CALENDAR = "\n".join(["date term half_term", *(f"{day} {term(day)} 1" for day in SCHOOL_DAYS)])

ATTENDANCE = {
    "calendar": CALENDAR,
    "sessions": register(
        {
            "A": {
                1: "I I",
                2: "I I",
                3: "/ O",
                8: "L U",
                15: "N N",
                25: "E E",
                30: "G G",
                45: "C2 C2",
                55: "/ D",
                70: "B K",
                100: "M /",
                150: "Y1 Y1",
                250: "O O",
                251: "O O",
            }
        },
        days=260,
    ),
}

# half-days in the last 10, 20, 60 and 200 school days, and in the 43 days of spring
COUNTS = {
    "absence": (6, 8, 14, 15, 12),
    "authorised": (4, 4, 8, 9, 6),  # I, E, C2, M
    "unauthorised": (2, 4, 6, 6, 6),  # O, U, N, G
    "illness": (4, 4, 4, 5, 4),  # I, M
    "late": (2, 2, 2, 2, 2),  # L, U
    "excluded": (0, 0, 2, 2, 2),
    "part_time": (0, 0, 2, 2, 0),
    "offsite": (0, 0, 0, 2, 0),  # B, K
    "unexplained": (1, 3, 3, 3, 3),  # O, N
    "holiday": (0, 0, 2, 2, 2),
    "closed_late": (1, 1, 1, 1, 1),
    "dual": (0, 0, 1, 1, 0),
    "not_possible": (0, 0, 1, 3, 0),  # D, Y1
    "educated_elsewhere": (0, 0, 0, 1, 0),
}
POSSIBLE = (20, 40, 119, 397, 86)
MARKED = (20, 40, 120, 400, 86)


def rates() -> dict[str, float]:
    windows = ("10_days", "20_days", "60_days", "12_months", "term")
    return {
        f"{family}_rate_{window}": count / whole
        for family, counts in COUNTS.items()
        for window, count, whole in zip(
            windows,
            counts,
            MARKED if family in ("dual", "not_possible", "educated_elsewhere") else POSSIBLE,
            strict=True,
        )
    }


PEERS = {
    "calendar": CALENDAR,
    # B to E have ten half-days each; C is absent on four of them, B on one
    "sessions": register({"B": {1: "I /"}, "C": {1: "I I", 2: "O O"}, "D": {}, "E": {}}, days=5),
    "suspensions": """
        pupil_id school_id start_date sessions category
        A        S         2022-05-01 .        PERM
        A        S         2024-02-29 4        SUSP
        A        S         2024-03-01 4        SUSP
        C        S         2024-11-29 2        SUSP
        C        S         2024-11-30 2        SUSP
        B        S         2025-01-30 6        SUSP
        """,
    "send": """
        pupil_id provision primary_need start_date
        B        K         SLCN         2024-02-01
        C        K         SEMH         2024-02-01
        D        E         ASD          2024-02-01
        F        E         ASD          2024-02-01
        """,
    "circumstances": """
        pupil_id kind start_date
        B        fsm  2024-02-01
        D        fsm  2024-02-01
        E        fsm  2024-02-01
        """,
    "schools": """
        school_id phase     kind
        S         secondary special
        T         secondary AP
        """,
}

# days before 1 March 2025: 731, 730, 365, 183, 91, 30 and 0
SUSPENSIONS = """
    pupil_id school_id start_date sessions category reason_1 reason_2 recorded_on
    A        S         2022-05-01 .        PERM     PA       .        2022-05-01
    A        S         2023-01-01 1        LNCH     BU       .        2023-01-01
    A        S         2023-03-01 2        SUSP     DB       .        2023-03-01
    A        S         2023-03-02 3        SUSP     VP       DB       2023-03-02
    A        S         2024-03-01 4        SUSP     VP       .        2024-03-01
    A        S         2024-08-30 .        SUSP     TH       .        2024-08-30
    A        T         2024-11-30 5        SUSP     PP       DA       2024-11-30
    A        S         2025-01-15 1        LNCH     DB       .        2025-01-15
    A        T         2025-01-30 6        SUSP     DB       .        2025-01-30
    A        T         2025-03-01 8        SUSP     PA       .        2025-02-20
    """

SEND = """
    pupil_id provision primary_need secondary_need start_date end_date
    A        K         MLD          SLCN           2022-03-01 2023-02-28
    A        K         SLCN         .              2023-03-01 2023-08-31
    A        E         SEMH         SLCN           2023-09-01 2024-12-31
    A        N         .            .              2025-01-01 .
    B        E         SEMH         .              2025-01-15 .
    C        K         .            .              2024-09-02 .
    D        K         SEMH         ASD            2024-02-29 .
    """

CIRCUMSTANCES = """
    pupil_id kind              start_date end_date
    A        fsm               2018-01-01 2019-03-03
    A        child_in_need     2023-01-01 2024-03-01
    A        parent_unemployed 2024-06-01 .
    B        fsm               2018-01-01 2019-03-02
    B        child_in_need     2023-01-01 2024-02-29
    C        child_in_need     2023-01-01 2024-12-31
    C        looked_after      2025-01-01 .
    """

ROLLS = """
    pupil_id school_id status year_group entry_date leaving_date leaving_reason
    A        P         main   1          2018-09-03 2023-07-21   home_educated
    A        S         main   6          2023-08-29 2024-02-29   managed_move
    A        T         main   6          2024-03-01 2024-10-31   destination_unknown
    A        V         dual   7          2024-09-10 2024-09-20   .
    A        U         main   7          2025-01-30 .            .
    A        W         dual   7          2025-02-01 .            .
    B        S         main   7          2024-09-02 .            .
    C        S         main   5          2022-09-01 2022-12-31   .
    C        T         main   5          2023-03-02 .            .
    """

PLANS = """
    pupil_id requested_on decided_on outcome plan_on
    A        2023-03-01   2023-06-01 issued  2023-07-19
    A        2024-01-10   2024-03-01 refused .
    A        2024-10-12   .          .       .
    B        2024-01-10   2024-02-29 refused .
    B        2024-10-11   .          .       .
    """

NEIGHBOURHOOD = """
    pupil_id start_date idaci_decile imd_decile
    A        2020-01-01 3            4
    A        2024-06-01 1            .
    B        2025-02-28 .            5
    """

ATTAINMENT = """
    pupil_id stage subject     score result_date
    A        EYFS  all         -0.5  2018-07-01
    A        KS1   reading     0.4   2020-07-01
    A        KS2   reading     -1.0  2024-07-01
    A        KS2   mathematics 0.5   2024-07-01
    A        KS2   grammar     0.2   2024-07-01
    A        KS4   all         1.0   2025-03-01
    """

# a position counts as known for six months after it was confirmed
DESTINATIONS = """
    pupil_id activity_code start_date confirmed_on
    E        619           2024-02-01 2024-12-31
    F        210           2024-03-01 2024-03-01
    F        619           2024-12-01 2024-12-01
    F        330           2025-01-30 2025-01-30
    """


@dataclass(frozen=True)
class Worked:
    """Features of a builder worked out by hand for one pupil."""

    builder: str
    pupil: str
    facts: dict[str, str]
    expected: dict[str, float]


CASES = [
    Worked("attendance_rates", "A", ATTENDANCE, rates()),
    Worked(
        "attendance_changes",
        "A",
        ATTENDANCE,
        {
            # days 21 to 200 have 7 absences in 360 - 3 half-days
            "absence_change_20_days": 8 / 40 - 7 / 357,
            "unauthorised_change_20_days": 4 / 40 - 2 / 357,
            "illness_change_20_days": 4 / 40 - 1 / 357,
            "late_change_20_days": 2 / 40,
            "absence_change_4_weeks": 8 / 40 - 4 / 40,
            "absence_change_year": 14 / 119 - 2 / 120,  # of days 191 to 250
            "absence_change_term": 12 / 86 - 3 / 173,  # autumn: 174 half-days, 1 not possible
            # by ten days, oldest first: 0, 2, 0, 4, 2, 6 of 19 or 20 half-days
            "absence_slope": (-1.5 * 0.1 + 0.5 * 0.2 + 1.5 * 0.1 + 2.5 * 0.3) / 17.5,
            "absence_unevenness": (0.15 / 6 - (0.7 / 6) ** 2) ** 0.5,
            "attendance_dropped": 1,  # 7 / 357 is below 5%, 8 / 40 above 15%
            "persistent_absence": 0,  # 15 / 397
            "severe_absence": 0,
            "persistent_absence_term": 1,  # 12 / 86
            "severe_absence_term": 0,
        },
    ),
    Worked(
        "attendance_streaks",
        "A",
        ATTENDANCE,
        {
            "absence_streak": 5,
            "half_days_since_present": 5,
            "longest_absence_12_months": 5,
            "longest_absence_60_days": 5,
            "absence_spells_12_months": 7,
            "absence_spells_60_days": 6,
            "mean_absence_length": 15 / 7,
            # of 60 mornings 54 were in school, and on day 55 no afternoon was possible
            "afternoons_missed": 2 / 53,
            "weeks_complete": 6 / 12,  # weeks 4, 7, 8, 10, 11 and 12
        },
    ),
    Worked(
        "attendance_patterns",
        "A",
        ATTENDANCE,
        {
            # Fridays are days 1, 6, 11, ..., Mondays 5, 10, 15, ...
            "monday_friday_excess": 11 / (160 - 3) - 4 / 240,
            "monday_friday_excess_60_days": 10 / (48 - 1) - 4 / 72,
            "morning_excess": 7 / 199 - 8 / 198,
            "morning_excess_60_days": 6 / 60 - 8 / 59,
            "part_time_ever_12_months": 1,
            "offsite_ever_12_months": 1,
            "dual_ever_12_months": 1,
            "excluded_ever_12_months": 1,
            "authorised_share": 9 / 15,
            "left_open_share": 2 / 15,
            "known_half_days": 400,
            "known_half_days_60_days": 120,
        },
    ),
    Worked(
        "attendance_against_peers",
        "B",
        PEERS,
        {
            "absence_against_year_group": 1 / 10 - 4 / 30,
            "absence_against_year_group_20_days": 1 / 10 - 4 / 30,
            "unauthorised_against_year_group": 0 - 2 / 30,
            "absence_against_school": 1 / 10 - 4 / 30,
        },
    ),
    Worked(
        "circumstances",
        "A",
        {"circumstances": CIRCUMSTANCES},
        {
            "fsm_ever_6": 1,  # ended 6 * 365 days before
            "social_care_ended_lately": 1,  # ended 365 days before
            "adverse_circumstances": 1,
            "adverse_circumstances_ever": 2,
            "days_since_circumstance": 273,
        },
    ),
    Worked(
        "circumstances",
        "B",
        {"circumstances": CIRCUMSTANCES},
        {"fsm_ever_6": 0, "social_care_ended_lately": 0},  # each ended a day earlier than A's
    ),
    Worked(
        "circumstances",
        "C",
        {"circumstances": CIRCUMSTANCES},
        {"social_care_ended_lately": 0, "adverse_circumstances": 1},  # looked after now
    ),
    Worked(
        "neighbourhood",
        "A",
        {"neighbourhood": NEIGHBOURHOOD},
        {
            "idaci_decile": 1,
            "imd_decile": 4,
            "idaci_change": -2,
            "addresses_so_far": 2,
            "days_since_address": 273,
        },
    ),
    Worked(
        "neighbourhood",
        "B",
        {"neighbourhood": NEIGHBOURHOOD},
        {
            "idaci_decile": UNKNOWN,
            "imd_decile": 5,
            "idaci_change": UNKNOWN,
            "addresses_so_far": 1,
            "days_since_address": 1,
        },
    ),
    Worked(
        "attainment",
        "A",
        {"attainment": ATTAINMENT},
        {
            "eyfs_score": -0.5,
            "ks1_score": 0.4,
            "ks2_score": -0.1,
            "ks4_score": UNKNOWN,  # its result comes on the day
            "ks2_reading": -1.0,
            "ks2_mathematics": 0.5,
            "ks2_reading_behind": 1.5,
            "attainment_change": -0.5,
            "results_missing": 0,
        },
    ),
    Worked(
        "attainment",
        "B",
        {"attainment": ATTAINMENT},
        {"ks2_score": UNKNOWN, "attainment_change": UNKNOWN, "results_missing": 1},
    ),
    Worked(
        "moves",
        "A",
        {"enrolments": ROLLS},
        {
            "year_group": 7,
            "schools_so_far": 4,  # dual rolls do not count
            "moves_12_months": 2,  # 365 and 30 days before
            "moves_24_months": 3,
            "mid_year_moves": 2,  # in March and January
            "mid_year_moves_24_months": 2,
            "managed_moves": 1,
            "months_at_school": 30 / MONTH,
            "came_in_mid_year": 1,
            "dual_roll_now": 1,
            "dual_roll_ever": 1,
            "weeks_since_year_7": 181 / 7,
            "weeks_since_september": 181 / 7,
        },
    ),
    Worked(
        "moves",
        "B",
        {"enrolments": ROLLS},
        {
            "schools_so_far": 1,
            "moves_12_months": 0,  # the first school is no change of school
            "mid_year_moves": 0,
            "came_in_mid_year": 0,
            "dual_roll_ever": 0,
        },
    ),
    Worked(
        "moves",
        "C",
        {"enrolments": ROLLS},
        {"moves_12_months": 0, "moves_24_months": 1, "mid_year_moves_24_months": 1},  # 730 days
    ),
    Worked(
        "moves",
        "F",
        {"enrolments": ROLLS},
        {"schools_so_far": 0, "months_at_school": UNKNOWN, "came_in_mid_year": UNKNOWN},
    ),
    Worked(
        "gaps_between_schools",
        "A",
        {"enrolments": ROLLS},
        {
            "days_without_school": 38 + 90,  # the dual roll at V ended within that at T
            "longest_gap_between_schools": 90,
            "gaps_between_schools": 1,
            "lost_before": 1,
            "left_for_home_education": 1,
        },
    ),
    Worked(
        "gaps_between_schools",
        "C",
        {"enrolments": ROLLS},
        {
            "days_without_school": 60,
            "gaps_between_schools": 0,  # no longer than a summer
            "lost_before": 0,
            "left_for_home_education": 0,
        },
    ),
    Worked(
        "send_history",
        "A",
        {"send": SEND},
        {
            **{name: 0 for name in CATALOGUE if name.startswith("need_") and name.endswith("_now")},
            "sen_support_now": 0,
            "ehc_plan_now": 0,
            "need_not_typed": 0,
            "need_types_so_far": 3,
            "secondary_need_now": 0,
            "semh_without_plan": 0,
            "slcn_ever": 1,
            "semh_ever": 1,
            "sen_ever": 1,
        },
    ),
    Worked(
        "send_history",
        "B",
        {"send": SEND},
        {"sen_support_now": 0, "ehc_plan_now": 1, "need_semh_now": 1, "semh_without_plan": 0},
    ),
    Worked(
        "send_history",
        "C",
        {"send": SEND},
        {"sen_support_now": 1, "need_not_typed": 1, "need_types_so_far": 0, "semh_ever": 0},
    ),
    Worked(
        "send_history",
        "D",
        {"send": SEND},
        {
            "need_semh_now": 1,
            "need_asd_now": 1,
            "secondary_need_now": 1,
            "semh_without_plan": 1,
            "need_types_so_far": 1,
        },
    ),
    Worked(
        "send_timing",
        "A",
        {"send": SEND},
        {
            "sen_years": (365 + 184 + 488) / YEAR,
            "ehc_plan_years": 488 / YEAR,
            "days_since_sen_change": 59,
            "sen_changes": 4,
            "sen_changes_12_months": 1,
            "sen_stepped_down": 1,
            "ehc_plan_ended": 1,
            "sen_found_age_years": 7 - 1096 / YEAR,
            "sen_found_late": 0,  # Year 4
            "slcn_found_late": 0,
            "sen_found_lately": 0,
            "support_before_plan_years": 549 / YEAR,
        },
    ),
    Worked(
        "send_timing",
        "B",
        {"send": SEND},
        {
            "ehc_plan_years": 45 / YEAR,
            "sen_stepped_down": 0,
            "ehc_plan_ended": 0,
            "sen_found_late": 1,
            "slcn_found_late": 0,
            "sen_found_lately": 1,
            "support_before_plan_years": UNKNOWN,
        },
    ),
    Worked("send_timing", "C", {"send": SEND}, {"sen_found_late": 1, "sen_changes_12_months": 1}),
    Worked("send_timing", "D", {"send": SEND}, {"sen_found_late": 0, "sen_changes_12_months": 0}),
    Worked(
        "plan_requests",
        "A",
        {"plans": PLANS},
        {
            "plan_request_pending": 1,
            "plan_weeks_waited": 20,
            "plan_overdue": 0,  # longer than 20 weeks counts
            "plan_refused": 1,
            "plan_refused_lately": 1,  # 365 days before
            "plan_requests": 3,
            "days_since_plan_request": 140,
            "plan_weeks_taken": 20,
        },
    ),
    Worked(
        "plan_requests",
        "B",
        {"plans": PLANS},
        {
            "plan_weeks_waited": 141 / 7,
            "plan_overdue": 1,
            "plan_refused": 1,
            "plan_refused_lately": 0,
            "plan_weeks_taken": UNKNOWN,
        },
    ),
    Worked(
        "plan_requests",
        "C",
        {"plans": PLANS},
        {"plan_request_pending": 0, "plan_weeks_waited": 0, "days_since_plan_request": UNKNOWN},
    ),
    Worked(
        "activity",
        "F",
        {"destinations": DESTINATIONS},
        {
            "jobless_months": 60 / MONTH,
            "jobless_months_12": 60 / MONTH,
            "education_share": 184 / 365,
            "employment_share": 30 / 365,
            "training_share": 0,
            "not_known_share": 91 / 365,  # from 1 September, six months after it was confirmed
            "neet_now": 0,
            "education_now": 0,
            "employment_now": 1,
            "training_now": 0,
            "not_known_now": 0,
            "months_in_activity": 30 / MONTH,
            "activity_changes": 2,
            "jobless_spells": 1,
            "months_observed": (365 - 91) / MONTH,
        },
    ),
    Worked(
        "activity",
        "E",
        {"destinations": DESTINATIONS},
        {
            "jobless_months": 394 / MONTH,
            "jobless_months_12": 365 / MONTH,
            "neet_now": 1,
            "months_in_activity": 394 / MONTH,
            "activity_changes": 0,
            "jobless_spells": 0,  # nothing was known before
        },
    ),
    Worked(
        "activity",
        "A",
        {"destinations": DESTINATIONS},
        {"jobless_months": 0, "education_share": UNKNOWN, "neet_now": UNKNOWN},
    ),
    Worked(
        "school_exclusions",
        "B",
        PEERS,
        {
            # at S are C, D and E; A has left it since, and counts for the school all the same
            "school_suspension_rate": 100 * 3 / 3,
            "school_suspension_rate_3_months": 100 * 1 / 3,
            "school_exclusion_rate": 100 * 1 / 3,
            "school_suspended_share": 1 / 3,
            "year_group_suspended_share": 2 / 5,
        },
    ),
    Worked(
        "school_exclusions",
        "C",
        PEERS,
        {"school_suspension_rate": 100 * 2 / 3, "school_suspension_rate_3_months": 100 * 1 / 3},
    ),
    Worked(
        "school_absence",
        "B",
        PEERS,
        {
            "school_absence_rate": 4 / 30,
            "school_absence_rate_20_days": 4 / 30,
            "school_unauthorised_rate": 2 / 30,
            "school_persistent_share": 1 / 3,
        },
    ),
    Worked("school_absence", "A", PEERS, {"school_absence_rate": UNKNOWN}),  # F has no marks
    Worked(
        "school_needs",
        "B",
        PEERS,
        {"school_sen_support_share": 1 / 3, "school_ehc_plan_share": 1 / 3},
    ),
    Worked("school_poverty", "B", PEERS, {"school_fsm_share": 2 / 3}),
    Worked(
        "school_roll",
        "B",
        PEERS,
        {"school_roll": 3, "in_alternative_provision": 0, "in_special_school": 1},
    ),
    Worked(
        "school_roll",
        "A",
        PEERS,
        {"school_roll": 1, "in_alternative_provision": 1, "in_special_school": 0},
    ),
    Worked(
        "suspension_history",
        "A",
        {"suspensions": SUSPENSIONS},
        {
            "suspensions_1_month": 1,
            "suspensions_3_months": 2,
            "suspensions_6_months": 3,
            "suspensions_12_months": 4,
            "suspensions_24_months": 5,
            "suspensions_ever": 6,
            "sessions_lost_1_month": 6,
            "sessions_lost_3_months": 11,
            "sessions_lost_6_months": 11,  # the length of that of August is missing
            "sessions_lost_12_months": 15,
            "sessions_lost_24_months": 18,
            "sessions_lost_ever": 20,
            "suspensions_this_year": 2,
            "year_limit_used": 11 / 2 / 45,
            "year_limit_near": 0,
            "longest_suspension": 6,
            "last_suspension_length": 6,
            "mean_suspension_length": 20 / 6,
            "lunchtime_12_months": 1,
            "lunchtime_ever": 2,
            "excluded_before": 1,
        },
    ),
    Worked(
        "suspension_history",
        "B",
        {"suspensions": SUSPENSIONS},
        {
            "suspensions_ever": 0,
            "longest_suspension": 0,
            "last_suspension_length": UNKNOWN,
            "mean_suspension_length": UNKNOWN,
            "excluded_before": 0,
        },
    ),
    Worked(
        "suspension_spacing",
        "A",
        {"suspensions": SUSPENSIONS},
        {
            "days_since_suspension": 30,
            "days_since_first_suspension": 731,
            "first_suspension_lately": 0,
            "suspensions_rising": 3 - 1,
            "sessions_lost_rising": 11 - 4,
            # gaps: 1, 365, 182, 92 and 61 days
            "suspension_gap_last": 61,
            "suspension_gap_mean": 701 / 5,
            "suspension_gap_shortening": 701 / 5 - 61,
            "suspension_gap_shortest": 1,
        },
    ),
    Worked(
        "suspension_spacing",
        "B",
        {"suspensions": SUSPENSIONS},
        {
            "days_since_suspension": UNKNOWN,
            "first_suspension_lately": 0,
            "suspension_gap_last": UNKNOWN,
            "suspension_gap_shortest": UNKNOWN,
        },
    ),
    Worked(
        "suspension_reasons",
        "A",
        {"suspensions": SUSPENSIONS},
        {
            "suspensions_violence_12_months": 1,  # permanent exclusions do not count
            "suspensions_verbal_12_months": 1,
            "suspensions_disruption_12_months": 2,
            "suspensions_drugs_12_months": 1,
            "suspensions_other_12_months": 1,
            "suspensions_violence_ever": 1,
            "suspensions_verbal_ever": 3,
            "suspensions_disruption_ever": 4,
            "suspensions_drugs_ever": 1,
            "suspensions_other_ever": 1,
            "suspension_reasons_kinds": 5,
            "suspensions_escalated": 1,
        },
    ),
    Worked(
        "suspension_places",
        "A",
        {"suspensions": SUSPENSIONS},
        {
            "suspended_in_primary": 1,
            "suspensions_in_primary": 4,  # before 1 September 2024
            "suspensions_at_this_school": 2,
            "suspensions_at_other_schools": 4,
            "suspended_after_move": 1,
        },
    ),
    Worked(
        "suspension_places",
        "B",
        {"suspensions": SUSPENSIONS},
        {"suspended_in_primary": 0, "suspensions_at_this_school": 0, "suspended_after_move": 0},
    ),
]

# the six pupils as they are: marks of 28 February and other facts come to light on 1 March, too late
SMALL_LA = [
    ("A", "absence_rate_60_days", 10 / 38),  # 2 excluded and 8 ill of 38 known half-days
    ("A", "absence_rate_10_days", 8 / 18),
    ("A", "absence_streak", 8),  # the unknown last day does not end the streak
    ("A", "half_days_since_present", 8),
    ("A", "severe_absence", 0),
    ("B", "known_half_days", 38),
    ("F", "absence_rate_60_days", UNKNOWN),  # no half-day was possible
    ("F", "part_time_ever_12_months", UNKNOWN),
    ("A", "suspensions_ever", 3),  # that of 26 February was recorded too late
    ("A", "plan_request_pending", 1),  # the refusal of April is not known yet
    ("A", "plan_refused", 0),
    ("C", "fsm_now", 1),  # its end was recorded on 10 March
    ("A", "months_at_school", 28 / MONTH),
]


@pytest.mark.parametrize(("pupil", "name", "expected"), SMALL_LA)
def test_a_fact_counts_once_it_is_recorded(pupil: str, name: str, expected: float) -> None:
    assert features().loc[pupil, name] == pytest.approx(expected, rel=1e-6, nan_ok=True)


def of_a(name: str, table: str, text: str) -> float:
    return float(features((table, text)).loc["A", name])


LEFT = """
    pupil_id school_id status year_group entry_date leaving_date leaving_reason end_recorded_on
    A        S         main   5          2022-09-01 2023-03-31   {reason}       {known}
    A        T         main   5          2023-06-01 .            .              .
    """


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("destination_unknown", "lost_before"),
        ("home_educated", "left_for_home_education"),
        ("managed_move", "managed_moves"),
    ],
)
@pytest.mark.parametrize(("known", "expected"), [("2025-02-28", 1), ("2025-03-01", 0)])
def test_leaving_for_a_reason_counts_once_it_is_known(
    reason: str, name: str, known: str, expected: int
) -> None:
    left = LEFT.format(reason=reason, known=known)
    assert of_a(name, "enrolments", left) == expected
    assert of_a("gaps_between_schools", "enrolments", left) == expected  # 61 days


ESCALATION = """
    pupil_id school_id start_date sessions category reason_1
    A        S         {assault}  2        SUSP     PP
    A        S         {other}    2        {category} DB
    """


@pytest.mark.parametrize(
    ("assault", "other", "category", "expected"),
    [
        ("2024-10-08", "2024-05-01", "SUSP", 1),
        ("2024-10-08", "2024-05-01", "LNCH", 1),
        ("2024-10-08", "2024-05-01", "PERM", 0),
        ("2024-10-08", "2024-10-08", "SUSP", 0),  # nothing came before
        ("2024-03-01", "2023-05-01", "SUSP", 1),
        ("2024-02-29", "2023-05-01", "SUSP", 0),  # more than 365 days ago
    ],
)
def test_an_escalation_is_a_recent_first_assault_after_something_else(
    assault: str, other: str, category: str, expected: int
) -> None:
    text = ESCALATION.format(assault=assault, other=other, category=category)
    assert of_a("suspensions_escalated", "suspensions", text) == expected


@pytest.mark.parametrize(
    ("year_group", "expected"), [(6, UNKNOWN), (7, 1), (11, 1), (pd.NA, UNKNOWN)]
)
def test_results_can_be_missing_from_year_7_only(year_group: int, expected: float) -> None:
    groups = pd.array([year_group] * len(PUPILS), dtype="Int64")
    made = build(small_tables(), spine_of().assign(year_group=groups))
    assert made["results_missing"].iloc[1] == pytest.approx(expected, nan_ok=True)
    weeks = 181 / 7 + 52.18 * (year_group - 7) if expected == 1 else UNKNOWN
    assert made["weeks_since_year_7"].iloc[1] == pytest.approx(weeks, nan_ok=True)


@pytest.mark.parametrize(("half_days", "near"), [(44, 0), (45, 1), (90, 1)])
def test_half_of_the_yearly_limit_is_near(half_days: int, near: int) -> None:
    text = f"""
        pupil_id school_id start_date sessions category
        A        S         2024-08-31 90       SUSP
        A        S         2024-09-01 {half_days} SUSP
        """
    assert of_a("year_limit_used", "suspensions", text) == pytest.approx(half_days / 90)
    assert of_a("year_limit_near", "suspensions", text) == near


ALL_KINDS = next(
    column.allowed for column in TABLES["circumstances"].columns if column.name == "kind"
)

LONG_KINDS = [kind for kind in ALL_KINDS if f"{kind}_spells" in CATALOGUE]

SPELLS = "pupil_id kind start_date end_date end_recorded_on\n" + "\n".join(
    f"""
    A {kind} 2023-01-01 2023-01-31 2023-01-31
    A {kind} 2025-02-01 .          .
    B {kind} 2024-02-29 2025-02-28 2025-02-28
    C {kind} 2024-03-01 2025-03-01 2025-02-20
    """
    for kind in ALL_KINDS
)

SPELL_FEATURES: dict[str, dict[str, float]] = {
    "now": {"A": 1, "B": 0, "C": 1, "D": 0},  # the last day of C's belongs to it
    "ever": {"A": 1, "B": 1, "C": 1, "D": 0},
    "lately": {"A": 1, "B": 0, "C": 1, "D": 0},  # begun 366 and 365 days before
    "months": {"A": (31 + 28) / MONTH, "B": 366 / MONTH, "C": 365 / MONTH, "D": 0},
    "spells": {"A": 2, "B": 1, "C": 1, "D": 0},
}


@pytest.mark.parametrize(
    ("kind", "feature"),
    [
        *[(kind, "now") for kind in ALL_KINDS],
        *[(kind, name) for kind in LONG_KINDS for name in SPELL_FEATURES if name != "now"],
    ],
)
def test_spells_of_a_circumstance_are_counted_as_by_hand(kind: str, feature: str) -> None:
    made = features(("circumstances", SPELLS))[f"{kind}_{feature}"]
    for pupil, expected in SPELL_FEATURES[feature].items():
        assert made[pupil] == pytest.approx(expected), pupil


def test_every_feature_of_every_builder_is_worked_out_by_hand() -> None:
    names = {f"{kind}_now" for kind in ALL_KINDS}
    names |= {f"{kind}_{feature}" for kind in LONG_KINDS for feature in SPELL_FEATURES}
    for one in BUILDERS:
        worked = {
            name for case in CASES if case.builder == one.make.__name__ for name in case.expected
        }
        assert worked <= {*one.names}
        names |= worked
    assert names == {*CATALOGUE}


@pytest.mark.parametrize(
    ("case", "name"),
    [
        pytest.param(case, name, id=f"{case.builder}-{case.pupil}-{name}")
        for case in CASES
        for name in case.expected
    ],
)
def test_a_feature_equals_the_value_worked_out_by_hand(case: Worked, name: str) -> None:
    made = features(*case.facts.items()).loc[case.pupil, name]
    assert float(made) == pytest.approx(case.expected[name], rel=1e-5, abs=1e-7, nan_ok=True)
