"""Headers that come again below the first: on every page, or of another export put below.

In:  a file as it was opened.
Out: rows of which each value is in the column that the last header above it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.read.open.header import of_nameless
from riskmodel.data.read.open.opened import Opened
from riskmodel.data.read.rows.problems import REJECT_COLUMNS, Problem, records_of
from riskmodel.data.read.rows.tidy import distinct_texts

__all__ = ["names_columns", "with_every_header"]

PUPIL = frozenset(["upn", "uniquepupilnumber", "pupilupn"])
"""Names of the column of UPNs; in a grid the other names are days, which may be others in every header."""

VALUE = re.compile(r"\d{3}")
"""What a UPN or a date holds, and a name of a column seldom does."""


def with_every_header(one: Opened) -> Opened:
    """Return a file with the rows below a further header read by that header.

    Parameters
    ----------
    one : Opened
        Rows as text.

    Returns
    -------
    Opened
        The further headers are set aside, and so are the rows below one that names a column twice. A
        column that only some of the headers name is missing elsewhere. One without a name is a problem.

    Examples
    --------
    >>> rows = [["A1", "X"], ["Mark", "UPN"], ["Y", "B2"]]
    >>> one = with_every_header(Opened("m.csv", pd.DataFrame(rows, columns=["UPN", "Mark"]), first_row=2))
    >>> one.raw.to_numpy().tolist(), one.aside["row"].tolist()
    ([['A1', 'X'], ['B2', 'Y']], [3])
    """
    places = _places(one.raw)
    one = _read_by(one, places) if len(places) else one
    return replace(one, problems=[*one.problems, *of_nameless(one.name, one.raw)])


def names_columns(values: Sequence[object], names: Iterable[str]) -> bool:
    """Return whether a row holds names of columns: that of UPNs, or at least two and half of its values.

    Parameters
    ----------
    values : sequence
        Of one row, blanks too.
    names : iterable of str
        Of the columns; capitals, blanks and punctuation do not matter.

    Returns
    -------
    bool
        True for a row with the name of the column of UPNs, which is no UPN. Else False where one of the
        other values holds a number such as a UPN or a date does.

    Examples
    --------
    >>> names_columns(["Mark", "UPN", "Note", None], ["UPN", "Mark"])
    True
    >>> names_columns(["FSM", "SEN", "A801234500001"], ["UPN", "FSM", "SEN"])
    False
    """
    known = set(map(_folded, names))
    written = [text for text in map(_text, values) if text]
    others = [one for one in written if _folded(one) not in known]
    n = len(written) - len(others)
    if any(_folded(one) in PUPIL for one in written if one not in others):
        return True
    return n >= 2 and n >= len(others) and not any(VALUE.search(one) for one in others)


def _text(value: object) -> str:
    """Return a value on one line; a missing one is empty."""
    return " ".join(value.split()) if isinstance(value, str) else ""


def _folded(name: str) -> str:
    """Return a name in small letters and digits; one that has none stays."""
    return re.sub(r"[\W_]", "", name).lower() or name


def _places(raw: pd.DataFrame) -> NDArray[np.int64]:
    """Return the places of the rows that are headers; rows without a name in them are not looked at."""
    names = list(map(str, raw))
    written = {name.lower() for name in names}
    named = np.zeros(len(raw), dtype=np.int16)
    for place in range(raw.shape[1]):
        texts = distinct_texts(raw.iloc[:, place]).tolist()
        found = [text for text in texts if text.strip().lower() in written]
        if found:
            named += raw.iloc[:, place].isin(found).to_numpy()
            pupil = [text for text in found if _folded(text) in PUPIL]
            named += raw.iloc[:, place].isin(pupil).to_numpy()
    places = np.flatnonzero(named >= 2)
    rows = raw.iloc[places].astype("object").to_numpy().tolist()
    return places[[names_columns(row, names) for row in rows]]


def _read_by(one: Opened, places: NDArray[np.int64]) -> Opened:
    """Return the rows between headers, each read by the last one above it."""
    lines = one.numbers
    rows = np.delete(np.arange(len(one.raw)), places)
    parts, problems, again = [one.raw.iloc[: places[0]]], [], []
    unread = np.zeros(len(one.raw), dtype=bool)
    for start, stop in zip(places, [*places[1:], len(one.raw)], strict=True):
        names = _names(one.raw.iloc[start].tolist(), list(map(str, one.raw)))
        if names == list(map(str, one.raw)):
            again.append(int(lines[start]))
        else:
            problems.append(_other(one.name, names, one.raw, int(lines[start])))
        if len(set(names)) < len(names):
            unread[start + 1 : stop] = True
        else:
            parts.append(one.raw.iloc[start + 1 : stop].set_axis(names, axis=1))
    kept = rows[~unread[rows]]
    is_aside = np.ones(len(one.raw), dtype=bool)
    is_aside[kept] = False
    return replace(
        one,
        raw=_joined(parts),
        lines=lines[kept],
        aside=pd.concat([one.aside, _rejects(one, np.flatnonzero(is_aside), lines)]),
        problems=[*one.problems, *_repeats(one.name, again), *problems],
    )


def _names(values: list[object], first: list[str]) -> list[str]:
    """Return the names in a header, those of the first header as that writes them."""
    known = {_folded(name): name for name in first}
    texts = enumerate(map(_text, values), 1)
    return [known.get(_folded(text), text) or f"column {n}" for n, text in texts]


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return rows one below the other; text that repeats comes as categories again."""
    is_category = {
        name for name in parts[0] if isinstance(parts[0][name].dtype, pd.CategoricalDtype)
    }
    joined = pd.concat([part.astype("str") for part in parts], ignore_index=True)
    return joined.astype({name: "category" for name in joined if name in is_category})


def _rejects(one: Opened, places: NDArray[np.int64], lines: NDArray[np.int64]) -> pd.DataFrame:
    made = {
        "file": one.name,
        "row": lines[places],
        "reason": "header_again",
        "record": records_of(one.raw, places),
    }
    return pd.DataFrame(made)[REJECT_COLUMNS]


def _repeats(name: str, rows: list[int]) -> list[Problem]:
    if not rows:
        return []
    n, they = (
        ("1 row repeats", "It holds")
        if len(rows) == 1
        else (f"{len(rows)} rows repeat", "They hold")
    )
    words = f"{name}: {n} the header, the first in row {rows[0]}. {they} no facts."
    return [Problem(name, "header_again", words)]


def _other(name: str, names: list[str], raw: pd.DataFrame, row: int) -> Problem:
    """Return that a header further down has its columns in another order, or others."""
    if len(set(names)) < len(names):
        words = (
            "is a header that names a column twice, so the rows below were not read. Take one of the "
            "columns out."
        )
        return Problem(name, "header_again", words, severity="error", row=row)
    other = "the columns in another order" if set(names) == set(map(str, raw)) else "other columns"
    words = (
        f"is a header with {other} than the first. The rows below were read by it. Export each table as "
        "a file of its own."
    )
    return Problem(name, "header_again", words, row=row)
