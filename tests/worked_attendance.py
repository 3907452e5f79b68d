"""Attendance and numbers of the school, worked out by hand."""

from __future__ import annotations

from tests.worked import SCHOOL_DAYS, UNKNOWN, Worked

__all__ = ["OF_ATTENDANCE"]


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
                261: "I I",  # 1 March 2024, the first day of the last 12 months
                262: "O O",  # the day before
            }
        },
        days=265,
    ),
}

# half-days in the last 10, 20 and 60 school days, in the 261 of the last 12 months, and in the 43 of spring
COUNTS = {
    "absence": (6, 8, 14, 21, 12),
    "authorised": (4, 4, 8, 11, 6),  # I, E, C2, M
    "unauthorised": (2, 4, 6, 10, 6),  # O, U, N, G
    "illness": (4, 4, 4, 7, 4),  # I, M
    "late": (2, 2, 2, 2, 2),  # L, U
    "excluded": (0, 0, 2, 2, 2),
    "part_time": (0, 0, 2, 2, 0),
    "offsite": (0, 0, 0, 2, 0),  # B, K
    "unexplained": (1, 3, 3, 7, 3),  # O, N
    "holiday": (0, 0, 2, 2, 2),
    "closed_late": (1, 1, 1, 1, 1),
    "dual": (0, 0, 1, 1, 0),
    "not_possible": (0, 0, 1, 3, 0),  # D, Y1
    "educated_elsewhere": (0, 0, 0, 1, 0),
}
POSSIBLE = (20, 40, 119, 519, 86)
MARKED = (20, 40, 120, 522, 86)


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
    # B to E have 40 half-days each; C is absent on four of them, B on one
    "sessions": register({"B": {1: "I /"}, "C": {1: "I I", 2: "O O"}, "D": {}, "E": {}}, days=20),
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


TOTALS = {
    "sessions": "",
    "absence_totals": """
        pupil_id term_end   mark sessions recorded_on
        A        2024-12-20 /    100      2025-01-20
        A        2024-12-20 I    6        2025-01-20
        A        2024-12-20 O    4        2025-01-20
        A        2024-12-20 D    2        2025-01-20
        A        2024-07-24 /    40       2024-10-01
        A        2024-07-24 O    10       2024-10-01
        A        2024-05-31 /    60       2024-10-01
        A        2024-03-28 /    90       2024-06-01
        A        2024-03-28 I    10       2024-06-01
        A        2023-12-20 /    120      2024-02-01
        A        2023-12-20 I    2        2024-02-01
        B        2024-12-20 I    5        2025-01-20
        C        2024-02-28 I    9        2024-06-01
        D        2024-12-20 O    7        2025-03-01
        """,
}

OF_ATTENDANCE = [
    Worked("attendance_rates", "A", ATTENDANCE, rates()),
    Worked(
        "termly_totals",
        "A",
        TOTALS,
        {
            "absence_total_last_term": 10,
            "absence_total_rate_last_term": 10 / 110,  # D is no possible half-day
            "absence_total_3_terms": 10 + 10 + 10,
            "absence_total_rate_3_terms": 30 / (110 + 110 + 100),
            "unauthorised_total_last_term": 4,
            "unauthorised_total_rate_last_term": 4 / 110,
            "unauthorised_total_3_terms": 14,
            "unauthorised_total_rate_3_terms": 14 / 320,
            "absence_total_change_year": 10 / 110 - 2 / 122,
        },
    ),
    # absence only: how many half-days were possible is not known
    Worked(
        "termly_totals",
        "B",
        TOTALS,
        {"absence_total_last_term": 5, "absence_total_rate_last_term": UNKNOWN},
    ),
    # the last term ended more than a year ago; the totals came to light on the day
    Worked("termly_totals", "C", TOTALS, {"absence_total_3_terms": UNKNOWN}),
    Worked("termly_totals", "D", TOTALS, {"unauthorised_total_last_term": UNKNOWN}),
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
            "persistent_absence": 0,  # 21 / 519
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
            "absence_spells_12_months": 9,
            "absence_spells_60_days": 6,
            "mean_absence_length": 21 / 9,
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
            "monday_friday_excess": 17 / (210 - 3) - 4 / 312,
            "monday_friday_excess_60_days": 10 / (48 - 1) - 4 / 72,
            "morning_excess": 10 / 260 - 11 / 259,
            "morning_excess_60_days": 6 / 60 - 8 / 59,
            "part_time_ever_12_months": 1,
            "offsite_ever_12_months": 1,
            "dual_ever_12_months": 1,
            "excluded_ever_12_months": 1,
            "authorised_share": 11 / 21,
            "left_open_share": 2 / 21,
            "known_half_days": 522,
            "known_half_days_60_days": 120,
        },
    ),
    Worked(
        "attendance_against_peers",
        "B",
        PEERS,
        {
            "absence_against_year_group": 1 / 40 - 4 / 120,
            "absence_against_year_group_20_days": 1 / 40 - 4 / 120,
            "unauthorised_against_year_group": 0 - 2 / 120,
            "absence_against_school": 1 / 40 - 4 / 120,
        },
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
            "school_absence_rate": 4 / 120,
            "school_absence_rate_20_days": 4 / 120,
            "school_unauthorised_rate": 2 / 120,
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
]
