"""The audit as the list page shows it: verdicts in plain words first, then tables.

In:  an audit.
Out: lines to read; tables of text, small counts suppressed, an interval beside its figure.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from riskmodel.fairness import Audit
from riskmodel.fairness.audit import count_verdicts
from riskmodel.fairness.verdicts import DISPARITY
from riskmodel.report.sentences import AUDIT_TABLES

__all__ = ["audit_tables", "audit_words", "table_cells"]

COLUMNS = {
    "selection": ["characteristic", "group", "n", "listed", "selection_rate", "others", "difference",
                  "detectable", "verdict"],
    "near_line": ["characteristic", "group", "near_line", "share_near_line"],
    "quotas": ["characteristic", "group", "listed_with_quotas", "share_with_quotas"],
    "measures": ["characteristic", "group", "measure", "value", "others", "difference", "detectable",
                 "verdict"],
    "groups": ["characteristic", "group", "pupils", "pupils_with_outcome", "listed", "found"],
    "practice": ["ranker", "characteristic", "group", "gap_before", "gap", "change", "verdict"],
}  # fmt: skip
"""Columns that the page shows; ``audit.json`` and the workbook hold all."""

LABELS = {
    "n": "pupils", "selection_rate": "share listed", "others": "all others",
    "detectable": "gap that could be found", "near_line": "just below the line",
    "share_near_line": "share of those", "listed_with_quotas": "listed then",
    "share_with_quotas": "share of the list then", "value": "figure", "ranker": "today's practice",
    "gap_before": "its gap", "gap": "the model's gap",
}  # fmt: skip
"""Column → its head, where its name does not say it."""

NAMES = {"sen": "SEN", "fsm": "Free school meals", "idaci_fifth": "Deprivation (IDACI)"}
"""Characteristic → its name, where that is short for something."""

PER_HUNDRED = 100

ENDS = {"value": ("low", "high")}
"""Column → its interval, where that is not ``_low`` and ``_high``."""


def audit_words(audit: Audit) -> dict[str, list[str]]:
    """Say what the audit found.

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
    apart = selection[(selection["verdict"] == DISPARITY).to_numpy()].to_dict("records")
    told = [_selected(row) for row in apart if _is_told(row)]
    hidden = "; ".join(_who(row) for row in apart if not _is_told(row))
    more = [f"Listed more or less often than all others, by figures that are suppressed: {hidden}."]
    return {
        "On this list": [count_verdicts(selection), *told, *(more if hidden else [])],
        "On earlier lists": [*audit.sentences(), audit.note],
    }


def _is_told(row: dict[Any, Any]) -> bool:
    return all(isinstance(row[name], float) for name in ("selection_rate", "others"))


def _who(row: dict[Any, Any]) -> str:
    return f"{_name(row['characteristic'])}, {_text(row['group'])}"


def _selected(row: dict[Any, Any]) -> str:
    """Say one disparity of this list."""
    own, others = (f"{PER_HUNDRED * row[name]:.1f} in 100" for name in ("selection_rate", "others"))
    return f"{_who(row)}: {own} are listed, of all others {others}."


def _name(characteristic: str) -> str:
    said = str(characteristic).replace("_", " ")
    return NAMES.get(characteristic, said[:1].upper() + said[1:])


def audit_tables(audit: Audit) -> dict[str, dict[str, Any]]:
    """Return the published tables as text.

    Parameters
    ----------
    audit : Audit
        The list's audit.

    Returns
    -------
    dict of str to dict
        Title → ``columns``, ``heads`` (how many of them name the row) and ``rows``. A figure with an
        interval is one cell: ``0.12 (0.08 to 0.17)``.
    """
    return {
        AUDIT_TABLES[name]: _cells(table, [c for c in COLUMNS[name] if c in table])
        for name, table in audit.published().items()
    }


def _cells(table: pd.DataFrame, names: list[str]) -> dict[str, Any]:
    columns = {name: table[name].map(_text).astype("str") for name in names}
    columns["characteristic"] = table["characteristic"].map(_name).astype("str")
    for name in names:
        low, high = ENDS.get(name, (f"{name}_low", f"{name}_high"))
        if low in table:
            first, last = table[low].map(_text), table[high].map(_text)
            with_range = (
                columns[name] + " (" + first.astype("str") + " to " + last.astype("str") + ")"
            )
            columns[name] = columns[name].where((first == last).to_numpy(), with_range)
    return {
        "columns": [LABELS.get(name, name.replace("_", " ")) for name in names],
        "heads": names.index("group") + 1,
        "rows": pd.DataFrame(columns).to_numpy().tolist(),
    }


def _text(value: object) -> str:
    if isinstance(value, float):
        return "–" if pd.isna(value) else f"{value:.3f}"
    return str(value).replace("_", " ")


def table_cells(table: pd.DataFrame) -> dict[str, Any]:
    """Return any table as text.

    Parameters
    ----------
    table : DataFrame
        A figure's interval stands in columns with its name and ``_low`` and ``_high``.

    Returns
    -------
    dict
        ``columns`` and ``rows``; a figure with its interval is one cell, unknown is a dash.
    """
    with_range = [str(name) for name in table if f"{name}_high" in table]
    ends = {f"{name}{end}" for name in with_range for end in ("_low", "_high")}
    columns = {
        str(name): table[name].map(_text).astype("str") for name in table if name not in ends
    }
    for name in with_range:
        low, high = (table[f"{name}{end}"].map(_text).astype("str") for end in ("_low", "_high"))
        same = (low == columns[name]).to_numpy()
        columns[name] = columns[name].where(same, columns[name] + " (" + low + " to " + high + ")")
    return {
        "columns": [name.replace("_", " ") for name in columns],
        "rows": pd.DataFrame(columns).to_numpy().tolist(),
    }
