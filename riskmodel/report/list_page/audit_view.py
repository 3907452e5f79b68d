"""The audit as the list page shows it: verdicts in plain words first, then tables.

In:  an audit.
Out: lines to read; tables of text, small counts suppressed, an interval beside its figure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from riskmodel.fairness import Audit
from riskmodel.fairness.verdicts import DISPARITY, count_verdicts
from riskmodel.report.sentences import AUDIT_TABLES
from riskmodel.report.tables import INTERVAL_OF_VALUE, TextTable, cell_words, frame_table

__all__ = ["audit_table", "audit_tables", "audit_words"]

COLUMNS = {
    "selection": (
        "characteristic",
        "group",
        "n",
        "listed",
        "selection_rate",
        "others",
        "difference",
        "detectable",
        "verdict",
    ),
    "near_line": ("characteristic", "group", "near_line", "share_near_line"),
    "quotas": ("characteristic", "group", "listed_with_quotas", "share_with_quotas"),
    "measures": (
        "characteristic",
        "group",
        "measure",
        "value",
        "others",
        "difference",
        "detectable",
        "verdict",
    ),
    "groups": ("characteristic", "group", "pupils", "pupils_with_outcome", "listed", "found"),
    "practice": (
        "ranker",
        "characteristic",
        "group",
        "gap_before",
        "gap",
        "change",
        "verdict",
    ),
}
"""Columns that the page shows; ``audit.json`` and the workbook hold all."""

LABELS = {
    "n": "Pupils",
    "selection_rate": "Share listed",
    "others": "All others",
    "detectable": "Gap that could be found",
    "near_line": "Just below the line",
    "share_near_line": "Share of those",
    "listed_with_quotas": "Listed then",
    "share_with_quotas": "Share of the list then",
    "value": "Figure",
    "ranker": "Today's practice",
    "gap_before": "Its gap",
    "gap": "The model's gap",
}
"""Column → its head, where its name does not explain it."""

NAMES = {"sen": "SEN", "fsm": "Free school meals", "idaci_fifth": "Deprivation (IDACI)"}
"""Characteristic → its name, where that is short for something."""

PER_HUNDRED = 100


def audit_words(audit: Audit) -> dict[str, list[str]]:
    """Return what the audit found, in sentences.

    Parameters
    ----------
    audit : Audit
        The list's audit.

    Returns
    -------
    dict of str to list of str
        What was looked at → verdicts, disparities by name.
    """
    selection = audit.this_list.published()["selection"]
    disparities = selection[(selection["verdict"] == DISPARITY).to_numpy()].to_dict("records")
    shown = [_in_words(row) for row in disparities if _is_shown(row)]
    hidden = "; ".join(_group(row) for row in disparities if not _is_shown(row))
    more = [f"Listed more or less often than all others, by figures that are suppressed: {hidden}."]
    return {
        "On this list": [count_verdicts(selection), *shown, *(more if hidden else [])],
        "On earlier lists": [*audit.sentences(), audit.note],
    }


def _is_shown(row: dict[Any, Any]) -> bool:
    """Return whether the figures of a disparity are not suppressed."""
    return all(isinstance(row[name], float) for name in ("selection_rate", "others"))


def _group(row: dict[Any, Any]) -> str:
    return f"{_name(row['characteristic'])}, {cell_words(row['group'])}"


def _in_words(row: dict[Any, Any]) -> str:
    """Return a disparity of this list in a sentence."""
    own, others = (f"{PER_HUNDRED * row[name]:.1f} in 100" for name in ("selection_rate", "others"))
    return f"{_group(row)}: {own} are listed, of all others {others}."


def _name(characteristic: str) -> str:
    words = str(characteristic).replace("_", " ")
    return NAMES.get(characteristic, words[:1].upper() + words[1:])


def audit_tables(audit: Audit) -> dict[str, TextTable]:
    """Return the published tables as text.

    Parameters
    ----------
    audit : Audit
        The list's audit.

    Returns
    -------
    dict of str to TextTable
        Title → table. A figure and its interval share a cell.
    """
    return {
        AUDIT_TABLES[name]: audit_table(table, COLUMNS[name])
        for name, table in audit.published().items()
    }


def audit_table(table: pd.DataFrame, columns: Iterable[str]) -> TextTable:
    """Return some columns of a published table of an audit as text.

    Parameters
    ----------
    table : DataFrame
        A published table.
    columns : iterable of str
        The columns, without the ends of intervals; those that the table lacks are left out.

    Returns
    -------
    TextTable
        The characteristic and the group name the row. A figure and its interval share a cell.
    """
    named = table.rename(columns=INTERVAL_OF_VALUE).assign(
        characteristic=table["characteristic"].map(_name).astype("str")
    )
    shown = [name for name in columns if name in named]
    wanted = [one for name in shown for one in (name, f"{name}_low", f"{name}_high")]
    kept = named[[name for name in wanted if name in named]]
    return frame_table(kept, labels=LABELS, heads=shown.index("group") + 1)
