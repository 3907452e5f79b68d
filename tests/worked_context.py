"""Context, needs, moves and activity after 16, worked out by hand."""

from __future__ import annotations

from riskmodel.features import CATALOGUE
from tests.worked import MONTH, UNKNOWN, YEAR, Worked

__all__ = ["OF_CONTEXT"]

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

OF_CONTEXT = [
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
            "days_without_school": 90,  # not the 38 days before; the dual roll at V ended within that at T
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
            "days_without_school": 0,
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
]
