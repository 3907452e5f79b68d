"""Write the table reference from the schema: ``python docs/write_tables.py > docs/tables.md``."""

from __future__ import annotations

import sys
from importlib.resources import files

from riskmodel.data.codes import code_set, codes
from riskmodel.data.columns import Column, Table
from riskmodel.data.schema import TABLES

KIND = {
    "pupil": "pseudonym", "text": "text", "date": "day", "code": "code", "integer": "whole number",
    "number": "number",
}  # fmt: skip
MOST_CODES = 12
"""Longer code sets are printed once, at the end of the page."""

CODE_SETS = {
    codes(name): name
    for name in ("marks", "reasons", "needs", "ethnicities", "activities", "circumstances")
}

HEAD = """# Every table

One Parquet or CSV file per table, named after it, is the simplest extract (`riskmodel check FOLDER`); returns
are turned into the same tables ([reading](reading.md)). From `riskmodel.data.schema`; this page:
`python docs/write_tables.py`.

A table may be missing, and so may columns marked *optional*: features that need them are then missing, never
0. Every fact has `recorded_on`, the first day on which the local authority could have known it. Where a file
has no such column, it is filled from the day of the event and the lag given with the table.
"""


def values(column: Column) -> str:
    """Return what a column may hold."""
    if column.kind == "code" and len(column.allowed) > MOST_CODES:
        held = f"[{CODE_SETS[column.allowed]}](#{CODE_SETS[column.allowed]})"
    elif column.kind == "code":
        held = ", ".join(f"`{code}`" for code in column.allowed)
    elif column.low > float("-inf"):
        held = f"{column.low:g} to {column.high:g}"
    else:
        held = ""
    unknown = "anything else becomes `not_known`" if column.unknown_is_group else ""
    return "; ".join(filter(None, [held, column.unit, unknown])) or "–"


def presence(column: Column) -> str:
    """Return whether a column, and its values, must be there."""
    if not column.required:
        return "optional"
    return "may be empty" if column.nullable else "must be there"


def part(table: Table) -> str:
    """Return the part of a table."""
    known = [
        f"`{name}` counts as known only once `{day}` lies before the day of the list."
        for name, day in table.known_when.items()
        if name != day
    ]
    days = "1 day" if table.lag_days == 1 else f"{table.lag_days} days"
    lag = f"Without `recorded_on`: `{table.event}` plus {days}." if table.event else ""
    rows = [
        f"| `{column.name}` | {column.label} | {KIND[column.kind]} | {values(column)} | {presence(column)} |"
        for column in table.columns
    ]
    key = ", ".join(f"`{column}`" for column in table.key)
    versions = " and `recorded_on`" if table.event else ""
    words = " ".join(filter(None, [lag, *known]))
    return "\n".join([
        f"\n## {table.name}\n",
        f"One row per {table.row}; no two rows share {key}{versions}. {words}".strip(),
        "\n| column | what it is | kind | values | |", "|---|---|---|---|---|", *rows,
    ])  # fmt: skip


def code_list(name: str) -> str:
    """Return the part of a code set, with the source that its file opens with."""
    text = (files("riskmodel.data.codes") / f"{name}.csv").read_text(encoding="utf-8")
    source = " ".join(line[2:] for line in text.splitlines() if line.startswith("# "))
    frame = code_set(name).reset_index()
    frame["code"] = "`" + frame["code"] + "`"
    rows = ["| " + " | ".join(row) + " |" for row in frame.itertuples(index=False)]
    return "\n".join([
        f"\n### {name}\n\n{source}\n", "| " + " | ".join(frame.columns) + " |",
        "|" + "---|" * frame.shape[1], *rows,
    ])  # fmt: skip


def page() -> str:
    """Return the page.

    Returns
    -------
    str
        Markdown, one section per table and one per long code set.
    """
    parts = [
        HEAD,
        *map(part, TABLES.values()),
        "\n## Code sets",
        *map(code_list, CODE_SETS.values()),
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
