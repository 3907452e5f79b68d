"""The audit as the list page shows it: verdicts in plain words first, then tables.

In:  an audit.
Out: lines to read; tables of text, small counts suppressed, an interval beside its figure.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from riskmodel.fairness import Audit
from riskmodel.report.words import AUDIT_TABLES

__all__ = ["audit_tables", "audit_words", "table_cells"]

ENDS = ("_low", "_high")


def audit_words(audit: Audit) -> list[str]:
    """Say what the audit found.

    Parameters
    ----------
    audit : Audit
        The list's audit.

    Returns
    -------
    list of str
        Verdicts, then how they were reached.
    """
    return [*audit.sentences(), audit.note]


def audit_tables(audit: Audit) -> dict[str, dict[str, Any]]:
    """Return the published tables as text.

    Parameters
    ----------
    audit : Audit
        The list's audit.

    Returns
    -------
    dict of str to dict
        Title → ``columns`` and ``rows``. A figure with an interval is one cell: ``0.12 (0.08 to 0.17)``.
    """
    return {AUDIT_TABLES[name]: table_cells(table) for name, table in audit.published().items()}


def table_cells(table: pd.DataFrame) -> dict[str, Any]:
    """Return a table as text.

    Parameters
    ----------
    table : DataFrame
        A figure's interval stands in columns with its name and ``_low`` and ``_high``.

    Returns
    -------
    dict
        ``columns`` and ``rows``; a figure with its interval is one cell, unknown is a dash.
    """
    ends = {f"{name}{end}" for name in table for end in ENDS if f"{name}{ENDS[1]}" in table}
    names = [str(name) for name in table if name not in ends]
    columns = {name: table[name].map(_text) for name in names}
    for name in names:
        if f"{name}{ENDS[1]}" in table:
            low, high = (table[f"{name}{end}"].map(_text) for end in ENDS)
            columns[name] = columns[name].where(
                low == columns[name], columns[name] + " (" + low + " to " + high + ")"
            )
    return {
        "columns": [name.replace("_", " ") for name in names],
        "rows": pd.DataFrame(columns).to_numpy().tolist(),
    }


def _text(value: object) -> str:
    if isinstance(value, float):
        return "–" if pd.isna(value) else f"{value:.3f}"
    return str(value).replace("_", " ")
