"""Suspensions worked out by hand."""

from __future__ import annotations

from tests.worked import UNKNOWN, Worked

__all__ = ["OF_SUSPENSIONS"]

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

OF_SUSPENSIONS = [
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
