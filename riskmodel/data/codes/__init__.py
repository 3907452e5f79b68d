"""DfE code sets, each a small CSV file that opens with its source.

In:  the name of a code set.
Out: a frame indexed by code, with the years in force where codes changed.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = [
    "ABSENT",
    "ATTENDED",
    "CODE_SETS",
    "IN_SCHOOL",
    "PERSISTENT",
    "POSSIBLE",
    "SEVERE",
    "activity_groups",
    "code_set",
    "codes",
    "marks_of",
]

ATTENDED = ("present", "approved_activity")
ABSENT = ("authorised", "unauthorised")
POSSIBLE = (*ATTENDED, *ABSENT)
"""DfE, Working together to improve school attendance: families of marks that are attendance, absence, and
half-days that a pupil could attend."""

IN_SCHOOL = ("/", "\\")
"""Codes of a morning and of an afternoon in school, on time."""

PERSISTENT, SEVERE = 0.10, 0.50
"""DfE: shares of a pupil's own possible half-days missed from which absence is persistent, severe."""

CODE_SETS = (
    "marks",
    "reasons",
    "activities",
    "needs",
    "ethnicities",
    "extended_ethnicities",
    "circumstances",
)
"""Names of the code sets."""


@cache
def code_set(name: str) -> pd.DataFrame:
    """Return a code set.

    Parameters
    ----------
    name : str
        One of :data:`CODE_SETS`.

    Returns
    -------
    DataFrame
        Indexed by ``code``. ``label`` always; ``family`` (marks), ``group`` (activities),
        ``major`` (ethnicities) or ``main`` (extended ethnicities, the code each rolls up to);
        ``from`` and ``to``, first and last day in force, where known.

    Examples
    --------
    >>> code_set("marks").loc["C2", "family"]
    'authorised'
    """
    source = files("riskmodel.data.codes") / f"{name}.csv"
    with source.open(encoding="utf-8") as stream:
        comments = sum(1 for line in stream if line.startswith("# "))
    with source.open(encoding="utf-8") as stream:
        table = pd.read_csv(stream, skiprows=comments, dtype=str, keep_default_na=False)
    return table.set_index("code")


@cache
def codes(name: str) -> tuple[str, ...]:
    """Return the codes of a code set, in the file's order.

    Parameters
    ----------
    name : str
        As for :func:`code_set`.

    Returns
    -------
    tuple of str
        The codes.
    """
    return tuple(code_set(name).index)


def marks_of(*families: str) -> tuple[str, ...]:
    """Return the attendance codes of some families.

    Parameters
    ----------
    *families : str
        Such as ``"authorised"``; :data:`ABSENT` and :data:`POSSIBLE` are several.

    Returns
    -------
    tuple of str
        The codes, in the order of the code set.

    Examples
    --------
    >>> "I" in marks_of(*ABSENT), "/" in marks_of(*ABSENT)
    (True, False)
    """
    family = code_set("marks")["family"]
    return tuple(family.index[family.isin(families)])


def activity_groups(destinations: pd.DataFrame) -> NDArray[np.object_]:
    """Return the group of each NCCIS position: the LA's own where it has one, else the code set's.

    Parameters
    ----------
    destinations : DataFrame
        With ``activity_code`` and ``group``.

    Returns
    -------
    object array of shape (n_positions,)
        ``"neet"``, ``"not_known"``, ``"education"`` and so on.
    """
    usual = code_set("activities")["group"].reindex(destinations["activity_code"].astype("str"))
    own = destinations["group"].astype("object").to_numpy()
    return np.where(pd.isna(own), usual.to_numpy(dtype=object), own)
