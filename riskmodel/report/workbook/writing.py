"""The workbook: the list with columns for decisions, reasons, audit and a read-me.

In:  an assessment, its ranking and its identity.
Out: ``list.xlsx``; text is never read as a formula, and only the columns for decisions can be changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from riskmodel.assess import Assessment
from riskmodel.explain import theme_totals
from riskmodel.report.parts import heading
from riskmodel.report.policy_break_words import break_words
from riskmodel.report.sentences import (
    AUDIT_TABLES,
    MISUSE,
    RANGE,
    change_words,
    day_words,
    purpose,
)
from riskmodel.report.workbook.formats import (
    A3,
    LINE,
    WIDTHS,
    WORDS_WIDTH,
    Formats,
    add_formats,
    finish_sheet,
    row_height,
    write_frame,
)
from riskmodel.report.workbook.layout import (
    DECISION_COLUMNS,
    DECISIONS,
    FIXED,
    IDENTITY,
    SEAL,
    sheet_rows,
)
from riskmodel.report.workbook.list_identity import ListIdentity, row_seals

__all__ = ["write_workbook"]

PROPERTY_LENGTH = 250
"""Characters of a document property; Excel keeps 255."""

READ_ME_WIDTH = 76
"""Characters of the read-me."""

OWN_COLUMNS, OWN_WIDTH = 5, 18
"""Columns to the right of the list that are left open for an officer's own notes, and their width."""

HOW_TO = (
    "One row per pupil on the sheet List. Fill in the last six columns, shaded: who looked, what was "
    "decided, which support was offered, when. Leave empty what has not been looked at.",
    "Where you disagree with the list, write why under 'Disagreement and why'. That is wanted: the "
    "council counts it when it judges the list. No decision changes a later list.",
    "Only those columns, and the five to the right of them for your own notes, can be changed. The sheet "
    "is protected without a password: 'Unprotect sheet' allows sorting. Do not change ranks or risks: a "
    "workbook with changed ones is not taken back.",
    "Send the workbook back to the person who sent it. It may come back partly filled, and more than once.",
)

WHO_FOR = (
    "The council's inclusion officers and the inclusion leads of its schools. It holds confidential facts "
    "about children: store it and send it as you do other case records."
)

RISK_WORDS = (
    "A risk of 10% means: of 100 pupils with a record like this one, the model expects about 10 to have the "
    f"outcome. 'Risk low' and 'risk high' are its range. {RANGE} 'Near the line' marks the pupils just below "
    "the capacity: they differ little from the last ones listed."
)

DROP_DOWN = {
    "validate": "list",
    "source": list(DECISIONS),
    "error_title": "Decision",
    "error_message": "Please choose one from the list.",
}
"""How Excel checks a decision."""

DAYS = {
    "validate": "date",
    "criteria": "between",
    "maximum": "=TODAY()",
    "error_title": "Date",
    "error_message": "Please give a day since the list was made, not in the future, such as 14/10/2025.",
}
"""How Excel checks the day of a decision; the first is the list's own."""


def write_workbook(
    assessment: Assessment, ranking: pd.DataFrame, identity: ListIdentity, path: Path
) -> None:
    """Write the workbook.

    Parameters
    ----------
    assessment : Assessment
        For the read-me and the audit.
    ranking : DataFrame
        From :func:`riskmodel.assess.rank`; pupils listed or near the line are written.
    identity : ListIdentity
        Which list this is.
    path : Path
        File.

    Raises
    ------
    OSError
        If the file cannot be written.

    Notes
    -----
    Sheets: ``Read me``; ``List``, with columns for decisions; ``Reasons``, for the pupils listed:
    their reasons and strengths and the log-odds of each theme; ``Audit``, small counts suppressed.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": False}
    try:
        with xlsxwriter.Workbook(str(path), options) as book:
            _fill(book, assessment, ranking, identity)
    except FileCreateError as error:  # xlsxwriter wraps the error of the disk
        raise error.args[0] from error


def _fill(book: Any, assessment: Assessment, ranking: pd.DataFrame, identity: ListIdentity) -> None:
    formats = add_formats(book)
    _write_read_me(book.add_worksheet("Read me"), assessment, identity, formats)
    _write_list(book.add_worksheet("List"), sheet_rows(ranking), identity, formats)
    _write_reasons(book.add_worksheet("Reasons"), assessment, ranking, formats)
    _write_audit(book.add_worksheet("Audit"), assessment, formats)
    book.get_worksheet_by_name("List").activate()
    text = identity.text()
    for number, start in enumerate(range(0, len(text), PROPERTY_LENGTH), start=1):
        part = text[start : start + PROPERTY_LENGTH]
        book.set_custom_property(f"{IDENTITY}{number}", part, "text")


def _write_read_me(
    sheet: Any, assessment: Assessment, identity: ListIdentity, formats: Formats
) -> None:
    """Write what the list is, how to fill it in, and its identity in the last line."""
    sheet.set_column(0, 0, READ_ME_WIDTH)
    sheet.hide_gridlines(2)
    for row, (text, look) in enumerate(_read_me(assessment, identity)):
        room = 8 if look == "title" else 2
        sheet.set_row(row, row_height([(text, READ_ME_WIDTH)]) + room)
        sheet.write_string(row, 0, text, formats[look])
    finish_sheet(sheet, landscape=False)


def _read_me(assessment: Assessment, identity: ListIdentity) -> list[tuple[str, str]]:
    """Return the lines of the read-me, each with the name of its format."""
    lines = purpose(assessment)
    banner = [line for line in lines if line.startswith("SIMULATED")]
    which = (
        f"List {identity.list_id}, {day_words(assessment.as_of)}, {identity.capacity} places, model "
        f"{identity.model_uri}."
    )
    sections = {
        "What this list is": [
            *lines[len(banner) :],
            RISK_WORDS,
            change_words(assessment),
            *break_words(assessment),
        ],
        "Who it is for": [WHO_FOR],
        "What it must not be used for": MISUSE,
        "How to fill it in": HOW_TO,
        "Which list this is (please leave as it is)": [which],
    }
    parts = [(line, "section") for line in banner]
    parts.append((heading(assessment), "title"))
    for head, texts in sections.items():
        parts += [(head, "section"), *[(text, "text") for text in texts]]
    return [*parts, (IDENTITY + identity.text(), "small")]


def _write_list(sheet: Any, rows: pd.DataFrame, identity: ListIdentity, formats: Formats) -> None:
    """Write the list, the columns for decisions, the hidden seals, and columns for own notes."""
    write_frame(sheet, rows, formats)
    first, last = rows.shape[1], max(1, len(rows))
    seal = first + len(DECISION_COLUMNS)
    _add_decision_columns(sheet, first, last, formats)
    for row, text in enumerate((SEAL, *row_seals(identity.list_id, rows))):
        sheet.write_string(row, seal, text, None if row else formats["head"])
    sheet.set_column(seal, seal, OWN_WIDTH, None, {"hidden": True})
    sheet.set_column(seal + 1, seal + OWN_COLUMNS, OWN_WIDTH, formats["own"])
    _set_heights(sheet, rows, [WIDTHS[name] for name in FIXED])
    _add_checks(sheet, first, last, identity)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, last, seal)
    finish_sheet(sheet, landscape=True, paper=A3)  # the officers write on it


def _add_decision_columns(sheet: Any, first: int, last: int, formats: Formats) -> None:
    """Add empty columns that can be filled in."""
    for column, name in enumerate(DECISION_COLUMNS, start=first):
        sheet.write_string(0, column, name, formats["decision_head"])
        sheet.set_column(column, column, WIDTHS[name])
        for row in range(1, last + 1):
            sheet.write_blank(row, column, None, formats["day" if name == "Date" else "decision"])


def _set_heights(sheet: Any, rows: pd.DataFrame, widths: list[int]) -> None:
    """Make the header two lines high, and each row as high as its text."""
    sheet.set_row(0, 2 * LINE)
    for number, cells in enumerate(rows.itertuples(index=False, name=None), start=1):
        sheet.set_row(number, row_height(list(zip(map(str, cells), widths, strict=True))))


def _add_checks(sheet: Any, first: int, last: int, identity: ListIdentity) -> None:
    """Offer the decisions as a drop-down, and take only days from the list's day to today."""
    decision = first + DECISION_COLUMNS.index("Decision")
    day = first + DECISION_COLUMNS.index("Date")
    from_then = DAYS | {"minimum": pd.Timestamp(identity.as_of).date()}
    sheet.data_validation(1, decision, last, decision, dict(DROP_DOWN))
    sheet.data_validation(1, day, last, day, from_then)


def _write_reasons(
    sheet: Any, assessment: Assessment, ranking: pd.DataFrame, formats: Formats
) -> None:
    """Write reasons, strengths and theme totals of the pupils listed."""
    chosen = ranking[ranking["selected"]].reset_index(drop=True)
    totals = theme_totals(assessment.explanation.contributions).add_suffix(" (log-odds)")
    totals.index = pd.Index(assessment.scores["pupil_id"].astype("str"))
    words = [name for name in chosen if str(name).startswith(("reason_", "strength_"))]
    themes = totals.loc[chosen["pupil_id"]].round(3).reset_index(drop=True)
    table = pd.concat([chosen[["rank", "pupil_id", "risk", *words]], themes], axis=1)
    write_frame(sheet, table, formats)
    _set_heights(sheet, table[words], [WORDS_WIDTH] * len(words))
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(1, len(table)), table.shape[1] - 1)
    finish_sheet(sheet, landscape=True, paper=A3)


def _write_audit(sheet: Any, assessment: Assessment, formats: Formats) -> None:
    """Write the verdicts, then every published table under its title."""
    title = "Is the list fair? Counts below 5, and what would reveal them, are 'c'."
    lines = [title, assessment.audit.note, *assessment.audit.sentences()]
    for row, line in enumerate(lines):
        sheet.write_string(row, 0, line)
    row = len(lines) + 1
    for name, table in assessment.audit.published().items():
        sheet.write_string(row, 0, AUDIT_TABLES[name], formats["table_title"])
        write_frame(sheet, table.map(_spaced), formats, top=row + 1)
        sheet.set_row(row, 2 * LINE)
        sheet.set_row(row + 1, 2 * LINE)
        row += len(table) + 4
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 44)
    finish_sheet(sheet, landscape=True)


def _spaced(value: object) -> object:
    return value.replace("_", " ") if isinstance(value, str) else value
