"""What the writer and the reader of a workbook agree on: columns, decisions, the rows of the list.

In:  a ranking.
Out: the rows of the sheet ``List`` without the columns for decisions; names of all columns.
"""

from __future__ import annotations

import pandas as pd

__all__ = [
    "DECISIONS",
    "DECISION_COLUMNS",
    "FIELDS",
    "FIXED",
    "IDENTITY",
    "LONGEST",
    "SEAL",
    "label_of",
    "sheet_rows",
]

FIXED = (
    "rank",
    "pupil_id",
    "school_id",
    "year_group",
    "risk",
    "risk_low",
    "risk_high",
    "band",
    "change",
    "reasons",
    "strengths",
)
"""Columns of the sheet ``List`` that are as the list has them."""

DECISIONS = {
    "Offer support": "yes",
    "Already supported": "yes",
    "No support needed": "no",
    "Not appropriate": "no",
    "To discuss": "not known",
}
"""What can be decided → whether the pupil is supported."""

DECISION_COLUMNS = (
    "Seen by",
    "Decision",
    "Support offered",
    "Date",
    "Disagreement and why",
    "Not appropriate because",
)
"""Columns of the sheet ``List`` that an officer fills in."""

FIELDS = tuple(name.lower().replace(" ", "_") for name in DECISION_COLUMNS)
"""The columns for decisions, as the log names them."""

SEAL = "Row seal"
"""Header of the hidden column that shows whether a row is as it was written."""

IDENTITY = "Identity of this list: "
"""Beginning of the read-me's last line, and of the document properties: they name the list."""

LONGEST = 2000
"""Characters of a cell; longer names are cut. Excel keeps 32,767 and shows about 1,000."""


def sheet_rows(ranking: pd.DataFrame) -> pd.DataFrame:
    """Return what the sheet ``List`` shows, without the columns for decisions.

    Parameters
    ----------
    ranking : DataFrame
        From :func:`riskmodel.assess.rank`, or as read back from ``list.csv``.

    Returns
    -------
    DataFrame
        Pupils listed or near the line. Reasons are in one cell, a line for each, and so are strengths.

    Examples
    --------
    >>> ranking = pd.DataFrame({name: ["x"] for name in FIXED[:9]} | {"band": "listed", "selected": True})
    >>> parts = {"reason_1": "Suspended twice", "reason_2": "", "strength_1": "Good attendance"}
    >>> sheet_rows(ranking.assign(**parts))[["reasons", "strengths"]].to_numpy().tolist()
    [['• Suspended twice', '• Good attendance']]
    """
    shown = ranking[ranking["band"] != "not listed"].drop(columns="selected")
    for prefix, name in (("reason_", "reasons"), ("strength_", "strengths")):
        parts = [column for column in shown if str(column).startswith(prefix)]
        lines = [_as_lines(row) for row in shown[parts].itertuples(index=False, name=None)]
        shown = shown.drop(columns=parts).assign(**{name: pd.Series(lines, shown.index, dtype=str)})
    for column in shown.select_dtypes("float").columns:
        # ten digits are what every program keeps
        shown[column] = [float(f"{value:.10g}") for value in shown[column]]
    for column in shown.select_dtypes(["str", "object", "category"]).columns:
        shown[column] = shown[column].astype("str").str.slice(0, LONGEST)
    return shown[list(FIXED)].reset_index(drop=True)


def _as_lines(texts: tuple[object, ...]) -> str:
    return "\n".join(f"• {text}" for text in texts if isinstance(text, str) and text)


def label_of(column: str) -> str:
    """Return the header of a column.

    Parameters
    ----------
    column : str
        Name in a frame.

    Returns
    -------
    str
        Words with a capital.

    Examples
    --------
    >>> label_of("pupil_id")
    'Pupil id'
    """
    words = column.replace("_", " ")
    return words[:1].upper() + words[1:]
