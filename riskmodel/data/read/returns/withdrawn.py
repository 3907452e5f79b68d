"""Rows that their own file marks as withdrawn, cancelled, deleted, refused or a draft.

In:  a file with the source it is of.
Out: the same file without such rows; a warning that counts them and names the column.
"""

from __future__ import annotations

import re

import pandas as pd

from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile, set_aside_more
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.dates import MAY_END, is_date_name
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.rows.words import FLAG_NO, is_flagged
from riskmodel.data.read.sources import exclusions, lists, nccis
from riskmodel.data.read.sources.source import first_there, is_there, plain

__all__ = ["set_withdrawn_aside"]

STATE = re.compile(
    "(record|case|row|entry|current|exclusion|suspension|plan|referral|episode)*(status|state)"
)
"""Plain names of columns that show whether a row still counts; chosen, as all below."""

DECISION = re.compile(
    "(date|of|the|gdc|irp|pdc|governors?|governing|body|board|panel|review|appeal|hearing|committee|"
    "disciplinary|discipline|independent|la|final)*(outcome|decision)s?"
    "(of|the|gdc|irp|pdc|governors?|governing|body|board|panel|review|appeal|hearing|committee|disciplinary|"
    "discipline|independent)*"
)
"""Plain names of columns with what governors or a panel decided on an exclusion."""

FLAG = re.compile(
    "(is|was|date|record|row|entry|exclusion|suspension)*"
    "(cancell?ed|withdrawn|deleted|void|voided|overturned|rescinded|quashed|enteredinerror|inerror|draft|"
    "duplicate)(on|date|flag|yn|ind|indicator)?"
)
"""Plain names of columns that are set, or hold a day, where a row does not count."""

VOID = re.compile(
    r"\b(?:withdrawn|cancell?ed|deleted|void(?:ed)?|overturned|quashed|rescinded|reinstated|annulled|"
    r"in error|duplicate)\b"
)
NEGATED = re.compile(r"\b(?:not|no|never|upheld|declined|refused)\b")
"""Words by which a row does not count; words with which they mean that it does."""

NEVER_BEGAN = frozenset(
    ["draft", "refused", "declined", "rejected", "not accepted", "no further action", "nfa"]
)
"""What a state says whole of a row that came to nothing."""

ENDED = frozenset(["closed", "ended", "ceased", "inactive", "finished", "stepped down"])
"""What a state says whole of a spell that has ended."""

REQUEST = "requestoutcome"
"""Plain name of a column by which a request that was withdrawn or refused is a fact of its own."""

GONE = frozenset(["m", "t", "d", "l", "duplicate", "transferred", "deceased", "left"])
"""CohortStatus of NCCIS, in small letters: a duplicate, or no longer a young person of the LA."""

STANDS = FLAG_NO | {
    "active",
    "agreed",
    "approved",
    "closed",
    "complete",
    "completed",
    "confirmed",
    "current",
    "final",
    "live",
    "not applicable",
    "not overturned",
    "not reinstated",
    "not withdrawn",
    "open",
    "pending",
    "reported",
    "submitted",
    "upheld",
    "yes",
}
"""What the state of an exclusion says whole where it counts."""


def set_withdrawn_aside(log: ReadLog, one: ReturnFile) -> None:
    """Set the rows aside that a column of their file, which no source reads, marks as void.

    Parameters
    ----------
    log : ReadLog
        Gets the problems and the rejects.
    one : ReturnFile
        The file.
    """
    is_exclusions = one.source in exclusions.SOURCES
    read = {*one.source.columns, *one.source.aliases, *one.source.aliases.values()}
    names = {str(n): plain(str(n)) for n in one.raw if plain(str(n)) in one.frame}
    for name, meaning in names.items():
        if meaning in read or not _may_mark(meaning):
            continue
        cells = one.frame[meaning]
        text = cells.astype("str").str.strip().str.lower().where(is_there(cells), "")
        if meaning == "cohortstatus" and one.source in nccis.SOURCES:
            _set_gone_aside(log, one, text.isin(GONE))
        elif FLAG.fullmatch(meaning):
            _set_aside(log, one, name, _flagged(text, one))
        elif is_exclusions and DECISION.fullmatch(meaning):
            _set_aside(log, one, name, _void(text))
            _warn_of_others(log, one, name, text)
        elif STATE.fullmatch(meaning) and not (one.source.names_pupils or REQUEST in one.frame):
            _set_aside(log, one, name, _void(text) | text.isin(NEVER_BEGAN))
            if is_exclusions:
                _warn_of_others(log, one, name, text)
            if one.source in lists.SOURCES:
                _set_undated_aside(log, one, name, text.isin(ENDED))


def _may_mark(meaning: str) -> bool:
    """Return whether a column of this name may mark rows as void: texts of others need not be looked at."""
    forms = (FLAG, DECISION, STATE)
    return meaning == "cohortstatus" or any(form.fullmatch(meaning) for form in forms)


def _void(text: pd.Series) -> pd.Series:
    return text.str.contains(VOID) & ~text.str.contains(NEGATED)


def _flagged(text: pd.Series, one: ReturnFile) -> pd.Series:
    """Return which flags are set; the day on which a pupil was withdrawn may be that of leaving a school."""
    is_day = one.source in exclusions.SOURCES
    return text.map(is_flagged) | _void(text) | (is_day & read_dates(text).notna())


def _set_aside(log: ReadLog, one: ReturnFile, name: str, bad: pd.Series) -> None:
    words = (
        f"do not count by the column '{name}' (withdrawn, cancelled, deleted, refused, a draft or the "
        "like), so nothing was read from them. Correct the column if they count."
    )
    set_aside_more(log, one, bad.to_numpy(dtype=bool), "withdrawn", words)


def _set_gone_aside(log: ReadLog, one: ReturnFile, gone: pd.Series) -> None:
    words = (
        "are of young people who by CohortStatus are a duplicate, transferred, deceased or left (M, T, "
        "D, L), so nothing was read from them."
    )
    set_aside_more(log, one, gone.to_numpy(dtype=bool), "gone", words)


def _set_undated_aside(log: ReadLog, one: ReturnFile, name: str, ended: pd.Series) -> None:
    """Set spells aside that have ended on no day that is given."""
    last = [each for each in map(str, one.frame) if MAY_END.search(each) and is_date_name(each)]
    undated = ~is_there(first_there(one.frame, last))
    words = (
        f"have ended by the column '{name}', on no day that is given, so nothing was read from them. "
        "Fill in the last day."
    )
    set_aside_more(log, one, (ended & undated).to_numpy(dtype=bool), "no_end", words, "error")


def _warn_of_others(log: ReadLog, one: ReturnFile, name: str, text: pd.Series) -> None:
    """Warn of answers that are not known, whose rows count."""
    known = text.isin(STANDS | {""}) | _void(text) | text.isin(NEVER_BEGAN)
    n = int((~known & ~one.set_aside).sum())
    if n:
        words = (
            f"{one.name}: the column '{name}' holds {n} words other than 'upheld' or 'withdrawn'. "
            "It was not read, and these rows count. Take them out if they do not."
        )
        log.problems.append(Problem(one.name, "unread_column", words, column=name))
