"""The workbook: the list with columns for decisions, reasons, audit and a read-me.

In:  an assessment and its ranking.
Out: ``list.xlsx``; text is never read as a formula.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from riskmodel.assess import Assessment
from riskmodel.explain import theme_totals
from riskmodel.report.words import MISUSE, purpose

__all__ = ["DECISIONS", "write_workbook"]

DECISIONS = (
    "Support offered",
    "Already supported",
    "No support needed",
    "Not appropriate",
    "To discuss",
)
DECISION_COLUMNS = ("Seen by", "Decision", "Support offered", "Date", "Notes")


def write_workbook(assessment: Assessment, ranking: pd.DataFrame, path: Path) -> None:
    """Write the workbook.

    Parameters
    ----------
    assessment : Assessment
        For the read-me and the audit.
    ranking : DataFrame
        From :func:`riskmodel.ranking.rank`; pupils listed or near the line are written.
    path : Path
        File.

    Notes
    -----
    Sheets: ``Read me``; ``List``, with columns for decisions; ``Reasons``, for the pupils listed:
    their reasons and strengths and the log-odds of each theme; ``Audit``, in sentences, and a sheet per
    table of the audit.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        lines = [*purpose(assessment), *MISUSE]
        _write_lines(book.add_worksheet("Read me"), lines)
        shown = ranking[ranking["band"] != "not listed"].drop(columns="selected")
        sheet = book.add_worksheet("List")
        _write_frame(sheet, shown, bold)
        _write_risks(sheet, shown, book.add_format({"num_format": "0.0%"}))
        _add_decisions(sheet, shown, bold)
        _write_frame(book.add_worksheet("Reasons"), _reasons(assessment, ranking), bold)
        audit = assessment.audit
        _write_lines(book.add_worksheet("Audit"), [*audit.sentences(), audit.note])
        for name, table in audit.published().items():
            _write_frame(book.add_worksheet(f"Audit {name.replace('_', ' ')}"), table, bold)


def _reasons(assessment: Assessment, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return reasons, strengths and theme totals of the pupils listed."""
    chosen = ranking[ranking["selected"]].reset_index(drop=True)
    totals = theme_totals(assessment).add_suffix(" (log-odds)")
    totals.index = pd.Index(assessment.scores["pupil_id"].astype("str"))
    words = [name for name in chosen if str(name).startswith(("reason_", "strength_"))]
    themes = totals.loc[chosen["pupil_id"]].round(3).reset_index(drop=True)
    return pd.concat([chosen[["rank", "pupil_id", "risk", *words]], themes], axis=1)


def _write_risks(sheet: Any, shown: pd.DataFrame, percent: Any) -> None:
    """Write the risks again, as percentages."""
    for name in ("risk", "risk_low", "risk_high"):
        for row, value in enumerate(shown[name].tolist(), start=1):
            sheet.write_number(row, shown.columns.get_loc(name), value, percent)


def _write_lines(sheet: Any, lines: list[str]) -> None:
    sheet.set_column(0, 0, 110)
    for row, line in enumerate(lines):
        sheet.write_string(row, 0, line)


def _write_frame(sheet: Any, frame: pd.DataFrame, bold: Any) -> None:
    for column, name in enumerate(frame.columns):
        sheet.write_string(0, column, str(name).replace("_", " "), bold)
        for row, value in enumerate(frame[name].tolist(), start=1):
            if isinstance(value, str):
                sheet.write_string(row, column, value)
            elif pd.notna(value):
                sheet.write_number(row, column, value)
    sheet.freeze_panes(1, min(2, frame.shape[1]))
    sheet.autofilter(0, 0, max(1, len(frame)), max(0, frame.shape[1] - 1))
    for column, name in enumerate(frame.columns):
        sheet.set_column(column, column, 44 if str(name).startswith(("reason", "strength")) else 14)


def _add_decisions(sheet: Any, shown: pd.DataFrame, bold: Any) -> None:
    first = shown.shape[1]
    for number, name in enumerate(DECISION_COLUMNS):
        sheet.write_string(0, first + number, name, bold)
    sheet.data_validation(
        1, first + 1, max(1, len(shown)), first + 1, {"validate": "list", "source": list(DECISIONS)}
    )
    sheet.set_column(first, first + len(DECISION_COLUMNS) - 1, 20)
    sheet.autofilter(0, 0, max(1, len(shown)), first + len(DECISION_COLUMNS) - 1)
    sheet.data_validation(
        1, first + 3, max(1, len(shown)), first + 3,
        {"validate": "date", "criteria": ">", "value": date(2000, 1, 1)},
    )  # fmt: skip
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
