"""The check report as files: a page to read, tables to keep, every row set aside.

In:  a check report.
Out: ``index.html``, ``problems.csv``, ``files.csv``, ``conflicts.csv``, ``reconciliation.csv``,
``rates.csv``, ``coverage.csv``, ``linkage.csv``, ``concentration.csv``, ``rejects/``; ``sources.toml``
where a file of an unknown layout may hold facts.
"""

from __future__ import annotations

import re
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.data.check import CheckReport
from riskmodel.data.write import new_folder
from riskmodel.report.charts import bar_length
from riskmodel.report.file_names import safe_name
from riskmodel.report.tables import TextTable, text_table
from riskmodel.report.templates import render

__all__ = ["write_check"]

TABLES = (
    "problems",
    "files",
    "conflicts",
    "reconciliation",
    "rates",
    "coverage",
    "linkage",
    "concentration",
)
"""Parts of the report that are files of their own."""

SHOWN = 60
"""Problems that the page shows."""

WIDTH = 250
"""Pixels of the longest bar of a figure."""

TERMS = ("autumn", "spring", "summer")
"""Terms of a school year, in the order of time."""

LITTLE, MOST = 0.5, 0.9
"""Shares of a term's half-days below which a cell is black, and grey."""


def write_check(report: CheckReport, out: str | Path, *, simulated: bool = False) -> None:
    """Write the report of a check as files.

    Parameters
    ----------
    report : CheckReport
        From :func:`riskmodel.data.check.check`.
    out : str or Path
        Empty or new folder; filled at the end, in one step.
    simulated : bool
        Whether the pupils are simulated; the page states it.

    Raises
    ------
    RequestError
        If the folder is not empty.
    """
    with new_folder(out) as folder:
        for name in TABLES:
            getattr(report, name).to_csv(folder / f"{name}.csv", index=False)
        if report.proposals:
            (folder / "sources.toml").write_text(
                "\n\n".join(report.proposals) + "\n", encoding="utf-8"
            )
        (folder / "rejects").mkdir()
        for file, rows in report.rejects.groupby("file"):
            rows.to_csv(folder / "rejects" / f"{_safe(str(file))}.csv", index=False)
        page = render("check.html", **_contents(report, simulated))
        (folder / "index.html").write_text(page, encoding="utf-8")


def _safe(file: str) -> str:
    """Return a name for the rows set aside of a file; no two files share one."""
    name = file.removesuffix(".csv")
    return name if re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name) else safe_name(name)


def _contents(report: CheckReport, simulated: bool) -> dict[str, Any]:
    """Return what the template shows."""
    messages = report.problems["message"].astype("str").tolist()
    terms, schools = _coverage(report.coverage)
    return {
        "simulated": simulated,
        "tiles": _tiles(report.reconciliation),
        "problems": messages[:SHOWN],
        "more": max(0, len(messages) - SHOWN),
        "rates": [_rate(row) for row in report.rates.to_dict("records")],
        "concentration": [_half(row) for row in report.concentration.to_dict("records")],
        "linkage": _linkage(report.linkage),
        "terms": terms,
        "schools": schools,
        "read_as": _read_as(report.files),
        "files": _files(report.reconciliation),
        "proposals": report.proposals,
    }


def _tiles(counts: pd.DataFrame) -> list[tuple[str, str]]:
    """Return what became of all rows: a count, and its words."""
    words = {
        "rows_read": "rows were read",
        "rows_kept": "rows were kept",
        "rows_merged": "rows were merged: another row held the same",
        "rows_conflicting": "rows contradict another one",
        "rows_rejected": "rows were set aside, each with its reason",
    }
    return [(f"{int(counts[name].sum()):,}", text) for name, text in words.items()]


def _half(row: dict[Any, Any]) -> str:
    """Return how few schools issued half of a year's suspensions or exclusions."""
    return (
        f"{row['year']}/{(int(row['year']) + 1) % 100:02d}: {row['schools_for_half']} of "
        f"{row['schools']} schools with Years 7 to 11 issued half of {row['events']:,} {row['event']}"
    )


def _linkage(table: pd.DataFrame) -> TextTable:
    """Return how many rows of each source join to a pupil."""
    rows = [
        (row["source"], f"{row['rows']:,}", f"{row['linked']:,}", f"{row['share']:.1%}")
        for row in table.to_dict("records")
    ]
    return text_table(["Source", "Rows", "Joined", "Share"], rows)


def _read_as(files: pd.DataFrame) -> TextTable:
    """Return what each file was read as, or why it was not read; those not read first."""
    ordered = files.assign(read=files["read_as"] != "").sort_values(["read", "file"], kind="stable")
    rows = [
        (row["file"], row["read_as"] or "not read", f"{row['rows']:,}", row["note"])
        for row in ordered.to_dict("records")
    ]
    return text_table(["File", "Read as", "Rows", "Why it was not read"], rows)


def _files(counts: pd.DataFrame) -> TextTable:
    """Return what became of the rows of each file that holds any."""
    heads = ["File", "Source", "Read", "Kept", "Set aside", "Merged", "In conflict"]
    shown = counts[counts["rows_read"] > 0]
    rows = [
        [f"{cell:,}" if isinstance(cell, int) else cell for cell in row]
        for row in shown.astype(object).to_numpy().tolist()
    ]
    return text_table(heads, rows)


def _rate(row: dict[Any, Any]) -> dict[str, object]:
    """Return a figure of the extracts and England's, with their bars on one scale."""
    ours, national = float(row["ours"]), float(row["national"])
    largest = max(0.0 if isnan(ours) else ours, national)
    return {
        "label": f"{row['label']} ({row['unit']})",
        "year": row["year"],
        "ours": "–" if isnan(ours) else f"{ours:.2f}",
        "national": f"{national:.2f}",
        "ours_width": bar_length(ours, largest=largest, width=WIDTH),
        "national_width": bar_length(national, largest=largest, width=WIDTH),
    }


def _coverage(table: pd.DataFrame) -> tuple[list[str], list[dict[str, Any]]]:
    """Lay shares out as one row per school and one column per term."""
    if not len(table):
        return [], []
    terms = sorted(set(zip(table["year"], table["term"].astype("str"), strict=True)), key=_in_year)
    wide = table.pivot_table(index="school_id", columns=["year", "term"], values="share")
    schools = [
        {"name": str(name), "cells": [_share(row.get(term)) for term in terms]}
        for name, row in wide.iterrows()
    ]
    return [f"{year}/{(year + 1) % 100:02d} {term}" for year, term in terms], schools


def _in_year(term: tuple[int, str]) -> tuple[int, int]:
    """Return a key that orders terms by time."""
    return term[0], TERMS.index(term[1])


def _share(share: float | None) -> dict[str, str]:
    """Return a share of half-days, and whether it is low."""
    if share is None or isnan(share):
        return {"text": "", "kind": ""}
    return {
        "text": f"{share:.0%}",
        "kind": "low" if share < LITTLE else "part" if share < MOST else "",
    }
