"""Codes written otherwise than in the code set: in other capitals, as words, or in the extended set.

In:  a column of codes.
Out: for each way of writing, the code that is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

import pandas as pd

from riskmodel.data.codes import code_set, codes
from riskmodel.data.columns import Column
from riskmodel.data.read.rows.faults import NO_ANSWER
from riskmodel.data.read.rows.tidy import MISSING, NOTHING

__all__ = [
    "FLAG_NO",
    "FLAG_YES",
    "LABELLED",
    "code_meant",
    "flagged_kind",
    "is_denied",
    "is_flagged",
]

LABELLED = ("marks", "reasons", "activities", "needs", "ethnicities", "circumstances")
"""Code sets whose labels are read as their codes."""

WORDS: dict[str, dict[str, str]] = {
    "sex": dict.fromkeys(("male", "boy", "1"), "M")
    | dict.fromkeys(("female", "girl", "2"), "F")
    | dict.fromkeys(("u", "unknown", "notknown", "indeterminate", "w", "0", "9"), "not_known"),
    "ethnicity": {
        "gypsyroma": "WROM",
        "irishtraveller": "WIRT",
        "whiteirish": "WIRI",
        "informationnotyetobtained": "NOBT",
        "notobtained": "NOBT",
    },
    "session": {"am": "AM", "morning": "AM", "pm": "PM", "afternoon": "PM"},
    "category": dict.fromkeys(
        (
            "fixd",
            "fixed",
            "fixedperiod",
            "fixedterm",
            "fixedperiodexclusion",
            "fixedtermexclusion",
            "suspension",
            "suspended",
        ),
        "SUSP",
    )
    | dict.fromkeys(("permanent", "permanentexclusion", "permanentlyexcluded", "pex"), "PERM")
    | dict.fromkeys(("lunch", "lunchtime", "lunchtimeexclusion", "lunchtimesuspension"), "LNCH"),
    "provision": dict.fromkeys(("none", "nosen", "nosenprovision", "nospecialeducationalneed"), "N")
    | dict.fromkeys(("sensupport", "a", "schoolaction", "p", "schoolactionplus"), "K")
    | dict.fromkeys(
        ("s", "statement", "ehc", "ehcp", "ehcplan", "educationhealthandcareplan"), "E"
    ),
    "leaving_reason": dict.fromkeys(("deceased", "died", "death", "pupildeceased"), "other")
    | dict.fromkeys(
        ("excluded", "permanentlyexcluded", "permanentexclusion", "expelled", "pex"),
        "permanently_excluded",
    )
    | dict.fromkeys(
        ("ehe", "electivehomeeducation", "homeeducation", "homeeducated", "homeschooled"),
        "home_educated",
    )
    | dict.fromkeys(("movedabroad", "emigrated", "movedaway", "movedoutofarea"), "left_area")
    | dict.fromkeys(
        ("transfer", "movedschool", "changedschool", "transfertoanotherschool"), "transferred"
    )
    | dict.fromkeys(("unknown", "notknown", "missing", "cme"), "destination_unknown")
    | {"schoolleaver": "completed", "movedtosecondaryschool": "end_of_phase"},
    "outcome": {"y": "issued", "yes": "issued", "n": "refused", "no": "refused", "w": "withdrawn"},
    "term": {
        f"{short}{rest}": term
        for term in ("autumn", "spring", "summer")
        for short in (term, term[:3])
        for rest in ("", "term", "term1", "term2", "1", "2")
    },
}
"""Column → what stands for a code, in small letters and digits only (legacy and NCCIS codes too;
sex in numbers: recalled, unverified)."""

FLAG_YES = frozenset(["1", "1.0", "y", "yes", "t", "true"])
FLAG_NO = frozenset(["0", "0.0", "n", "no", "f", "false"])
"""Ways to write a flag, in small letters."""


def is_flagged(value: object) -> bool:
    """Return whether a flag is set.

    Parameters
    ----------
    value : object
        Text, a number, a truth value, or nothing.

    Returns
    -------
    bool
        False for a missing value and for words of another meaning.

    Examples
    --------
    >>> [is_flagged(one) for one in ("Yes", True, "1", "no", None)]
    [True, True, True, False, False]
    """
    return str(value).strip().lower() in FLAG_YES


def flagged_kind(
    answers: pd.Series,
    kind: str,
    *,
    yes: Iterable[str] = (),
    no: Iterable[str] = (),
    turned: bool = False,
) -> pd.Series:
    """Return the kind of a circumstance where its flag is set.

    Parameters
    ----------
    answers : Series of shape (n_rows,)
        Flags as a file holds them.
    kind : str
        Kind of circumstance.
    yes, no : iterable of str
        More ways to write that the circumstance is there or not, in small letters.
    turned : bool
        Whether the flag denies the circumstance, as "offer made" denies that there was none.

    Returns
    -------
    Series of str
        The kind; missing where the flag is not set or empty; another answer with its fault behind it,
        which is the name of no kind, so that the reader sets the row aside and reports it.

    Examples
    --------
    >>> flagged_kind(pd.Series(["Yes", "0", None, "maybe"], name="meals"), "fsm").tolist()
    ['fsm', nan, nan, 'maybe (neither yes nor no in meals)']
    """
    written = answers.astype("str").str.strip()
    text = written.str.lower()
    here, not_here = (FLAG_NO, FLAG_YES) if turned else (FLAG_YES, FLAG_NO)
    is_none = text.isna() | text.isin(not_here | set(no) | MISSING | NOTHING | {""})
    fault = NO_ANSWER.format(column=answers.name)
    return (written + fault).where(~text.isin(here | set(yes)), kind).where(~is_none)


def is_denied(answers: pd.Series, no: Iterable[str] = ()) -> pd.Series:
    """Return which answers say that a circumstance is not there.

    Parameters
    ----------
    answers : Series of shape (n_rows,)
        A flag.
    no : iterable of str
        More ways to write no, in small letters.

    Returns
    -------
    Series of bool
        False where nothing is written.

    Examples
    --------
    >>> is_denied(pd.Series(["No", "0", None, "Yes"])).tolist()
    [True, True, False, False]
    """
    return answers.astype("str").str.strip().str.lower().isin(FLAG_NO | set(no))


def code_meant(column: Column, text: str) -> str | None:
    """Return the code that a text stands for, or None.

    Parameters
    ----------
    column : Column
        Of codes.
    text : str
        Without blanks around.

    Returns
    -------
    str or None
        One of the column's codes.

    Examples
    --------
    >>> from riskmodel.data.schema import TABLES
    >>> code_meant(TABLES["suspensions"]["category"], "Fixed period")
    'SUSP'
    """
    in_capitals, in_words = _written(column.name, column.allowed)
    small, word = _forms(text)
    return in_capitals.get(small) or in_words.get(word)


@lru_cache(maxsize=100_000)
def _forms(text: str) -> tuple[str, str]:
    """Return a text in small letters, and with letters and digits only; a decimal of 0 is left out."""
    whole = re.sub(r"^(\d+)\.0+$", r"\1", text)
    return whole.casefold(), _plain(whole)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())


@cache
def _written(name: str, allowed: tuple[str, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the codes by their small letters, and by their words."""
    words = dict(WORDS.get(name, {}))
    for one in LABELLED:
        if allowed == codes(one):
            labels = {_plain(label): str(code) for code, label in code_set(one)["label"].items()}
            words = labels | words
    small = {code.casefold(): code for code in allowed}
    if allowed == codes("ethnicities"):
        extended = code_set("extended_ethnicities")
        small |= {str(code).casefold(): main for code, main in extended["main"].items()}
        plain = map(_plain, extended["label"])
        words |= dict(zip(plain, extended["main"], strict=True))
    return small, {word: code for word, code in words.items() if word and code in allowed}
