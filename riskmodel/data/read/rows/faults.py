"""Faults of values that their own text does not show: the order of a date, the scale of a score.

In:  a value and what is wrong with it.
Out: text that no rule accepts, from which a message takes the value and the fault apart again.
"""

from __future__ import annotations

import re

__all__ = [
    "BEFORE_BIRTHS",
    "DAY_FIRST",
    "FAR_RECEIPT",
    "FUTURE_YEAR",
    "MONTH_FIRST",
    "NO_ANSWER",
    "NO_ATTAINMENT_8",
    "NO_CENSUS_MONTH",
    "NO_DAYS",
    "NO_END",
    "NO_HALF_DAYS",
    "NO_KEY_STAGE_2",
    "NO_MARK_OF_DIGIT",
    "NO_SCALED_SCORES",
    "NO_SCHOOL_YEAR",
    "NO_YEAR_AT_ENTRY",
    "ON_WEEKENDS",
    "OTHER_FORMAT",
    "SHORT_YEAR",
    "value_and_fault",
]

MONTH_FIRST, DAY_FIRST = " (month first)", " (day first)"
SHORT_YEAR = " (year first or last)"
OTHER_FORMAT = " (not in the declared format)"
NO_ANSWER = " (neither yes nor no in {column})"
NO_KEY_STAGE_2, NO_ATTAINMENT_8 = " (not a key stage 2 score)", " (not an Attainment 8 score)"
NO_SCHOOL_YEAR = " (not a school year)"
NO_SCALED_SCORES, FUTURE_YEAR = " (before scaled scores)", " (in the future)"
NO_CENSUS_MONTH = " (in no census month)"
NO_DAYS = " (days not parted alike)"
NO_MARK_OF_DIGIT = " (a digit alone)"
NO_HALF_DAYS = " (days that are no half-days)"
ON_WEEKENDS = " (marks on weekends)"
FAR_RECEIPT = " (years after all others)"
NO_YEAR_AT_ENTRY = " (no year group at entry)"
BEFORE_BIRTHS = " (before all days of birth)"
NO_END = "closed on no day that is given"
"""What is written behind a value."""

ANSWER = re.compile(r" \(neither yes nor no in (?P<column>\w+)\)$")

WORDS = {
    MONTH_FIRST: "has the month before the day, unlike most dates of its column. Write YYYY-MM-DD.",
    DAY_FIRST: "has the day before the month, unlike most dates of its column. Write YYYY-MM-DD.",
    SHORT_YEAR: "may have the year first or last. Write YYYY-MM-DD.",
    OTHER_FORMAT: "is not in the format of dates that the section declares. Correct one of the two.",
    NO_KEY_STAGE_2: "is no READSCORE or MATSCORE: these go from 80 to 120. Correct it.",
    NO_ATTAINMENT_8: "is no ATT8: that goes from 0 to 90. Correct it.",
    NO_END: "is missing, though the case has a reason for closure. Fill it in.",
    NO_SCALED_SCORES: "is before 2016, when key stage 2 had no scaled scores. Leave the row out.",
    FUTURE_YEAR: "is more than two years after the last census. Correct the year.",
    NO_CENSUS_MONTH: "is in no month of a census: October, January or May. Correct it, or name the column "
    "Term End if terms end on its days.",
    NO_DAYS: "parts some days of marks by a blank and not others. Write two marks for each day.",
    NO_HALF_DAYS: "is a number of days, and no whole number of half-days. Write 0.5 for each half-day.",
    NO_MARK_OF_DIGIT: "holds a digit that is part of no mark, so its half-days are not known. Correct it.",
    ON_WEEKENDS: "has marks on a Saturday or Sunday, unlike the other strings. Correct its start date.",
    NO_YEAR_AT_ENTRY: "gives no year group for the day of entry, and no age can be counted. Correct the row.",
    FAR_RECEIPT: "is more than 5 years after all other days of receipt and census days. Correct it.",
    BEFORE_BIRTHS: "is before all days of birth of the file. Correct it.",
    NO_SCHOOL_YEAR: "is no school year. Write it as 2021/2022.",
}
"""Fault → what is wrong with the value, then what to do."""


def value_and_fault(text: str) -> tuple[str, str]:
    """Return a value as the file has it, and what is wrong with it.

    Parameters
    ----------
    text : str
        A value, perhaps with a fault behind it.

    Returns
    -------
    value : str
        Without the fault.
    words : str
        As they go on from the value; empty where no fault is behind it.

    Examples
    --------
    >>> value_and_fault("01/15/2024" + MONTH_FIRST)[0], value_and_fault("soon")
    ('01/15/2024', ('soon', ''))
    """
    if found := ANSWER.search(text):
        return text[
            : found.start()
        ], f"is neither yes nor no in column {found['column']}. Write yes or no."
    for fault, words in WORDS.items():
        if text.endswith(fault):
            return text.removesuffix(fault), words
    return text, ""
