"""The workbook: the list with columns for decisions, reasons, audit and a read-me.

In:  an assessment, its ranking and its identity.
Out: ``list.xlsx``; text is never read as a formula, and only the columns for decisions can be changed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from riskmodel.assess import Assessment
from riskmodel.explain import theme_totals
from riskmodel.fairness.disclosure import SUPPRESSED
from riskmodel.report.sentences import AUDIT_TABLES, MISUSE, change_words, day_words, purpose
from riskmodel.report.workbook.list_identity import ListIdentity, row_seals

__all__ = ["DECISIONS", "DECISION_COLUMNS", "FIXED", "IDENTITY", "SEAL", "label_of",
           "sheet_rows", "write_workbook"]  # fmt: skip

FIXED = ("rank", "pupil_id", "school_id", "year_group", "risk", "risk_low", "risk_high", "band",
         "change", "reasons", "strengths")  # fmt: skip
"""Columns of the sheet ``List`` that are as the list has them."""

DECISIONS = {
    "Offer support": "yes",
    "Already supported": "yes",
    "No support needed": "no",
    "Not appropriate": "no",
    "To discuss": "not known",
}
"""What can be decided → whether the pupil is supported."""

DECISION_COLUMNS = ("Seen by", "Decision", "Support offered", "Date", "Disagreement and why",
                    "Not appropriate because")  # fmt: skip

SEAL = "Row seal"
"""Header of the hidden column that shows whether a row is as it was written."""

IDENTITY = "Identity of this list: "
"""Beginning of the read-me's line, and of the document properties, that say which list this is."""

PROPERTY_LENGTH = 250
"""Characters of a document property; Excel keeps 255."""

LONGEST = 2000
"""Characters of a cell; longer names are cut. Excel keeps 32,767 and shows about 1,000."""

LINE, MOST_LINES = 14.5, 26
"""Height of a line in points; lines of the highest row, about Excel's limit."""

READ_ME_WIDTH, WORDS_WIDTH, OTHER_WIDTH = 76, 40, 13
"""Characters: the read-me, a reason, any other column."""

OWN_COLUMNS = 5
"""Columns to the right of the list that are left open for an officer's own notes."""

WIDTHS = {
    "rank": 6, "pupil_id": 20, "school_id": 14, "year_group": 7, "risk": 9, "risk_low": 9,
    "risk_high": 9, "band": 11, "change": 9, "reasons": 60, "strengths": 46, "Seen by": 16,
    "Decision": 18, "Support offered": 26, "Date": 12, "Disagreement and why": 30,
    "Not appropriate because": 30,
}  # fmt: skip
"""Characters."""

HOW_TO = (
    "One row per pupil on the sheet List. Fill in the last six columns, shaded: who looked, what was "
    "decided, which support was offered, when. Leave empty what has not been looked at.",
    "Where you see it otherwise than the list does, say so under 'Disagreement and why'. That is wanted: it "
    "is how the list gets better.",
    "Only those columns, and the five to the right of them for your own notes, can be changed. The sheet "
    "is protected without a password: 'Unprotect sheet' allows sorting; do not change ranks or risks, a "
    "workbook with changed ones is not taken back.",
    "Send the workbook back to whoever sent it. It may come back partly filled, and more than once.",
)

RISK_WORDS = (
    "A risk of 10% says: of 100 pupils with a record like this one, about 10 had the outcome. 'Risk low' "
    "and 'risk high' are the range within which the model itself is unsure. 'Near the line' marks the "
    "pupils just below the capacity: they differ little from the last ones listed."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looks:
    """Formats of one workbook."""

    title: Any
    table_title: Any
    section: Any
    text: Any
    small: Any
    head: Any
    decision_head: Any
    cell: Any
    words: Any
    percent: Any
    decimal: Any
    suppressed: Any
    decision: Any
    day: Any


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

    Notes
    -----
    Sheets: ``Read me``; ``List``, with columns for decisions; ``Reasons``, for the pupils listed:
    their reasons and strengths and the log-odds of each theme; ``Audit``, small counts suppressed.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": False}
    try:
        with xlsxwriter.Workbook(str(path), options) as book:
            _fill(book, assessment, ranking, identity)
    except FileCreateError as error:  # xlsxwriter wraps what the disk said
        raise error.args[0] from error


def _fill(book: Any, assessment: Assessment, ranking: pd.DataFrame, identity: ListIdentity) -> None:
    looks = _looks(book)
    _write_read_me(book, assessment, identity, looks)
    _write_list(book, sheet_rows(ranking), identity, looks)
    _write_reasons(book, assessment, ranking, looks)
    _write_audit(book, assessment, looks)
    book.get_worksheet_by_name("List").activate()
    text = identity.text()
    for number, start in enumerate(range(0, len(text), PROPERTY_LENGTH), start=1):
        book.set_custom_property(
            f"{IDENTITY}{number}", text[start : start + PROPERTY_LENGTH], "text"
        )


def sheet_rows(ranking: pd.DataFrame) -> pd.DataFrame:
    """Return what the sheet ``List`` shows, without the columns for decisions.

    Parameters
    ----------
    ranking : DataFrame
        From :func:`riskmodel.assess.rank`, or as read back from ``list.csv``.

    Returns
    -------
    DataFrame
        Pupils listed or near the line; reasons and strengths stand in one cell each, a line for each.
    """
    shown = ranking[ranking["band"] != "not listed"].drop(columns="selected")
    for prefix, name in (("reason_", "reasons"), ("strength_", "strengths")):
        parts = [column for column in shown if str(column).startswith(prefix)]
        lines = [
            "\n".join(f"• {words}" for words in row if isinstance(words, str) and words)
            for row in shown[parts].itertuples(index=False, name=None)
        ]
        shown = shown.drop(columns=parts).assign(**{name: pd.Series(lines, shown.index, dtype=str)})
    for column in shown.select_dtypes("float").columns:
        shown[column] = [
            float(f"{value:.10g}") for value in shown[column]
        ]  # what every program keeps
    for column in shown.select_dtypes(["str", "object", "category"]).columns:
        shown[column] = shown[column].astype("str").str.slice(0, LONGEST)
    return shown[list(FIXED)].reset_index(drop=True)


def label_of(column: str) -> str:
    """Return a column's name as it stands in the header.

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


def _looks(book: Any) -> _Looks:
    base = {"valign": "top", "text_wrap": True}
    head = base | {"bold": True, "bottom": 2, "bg_color": "#E7E7E7", "align": "left", "indent": 1}
    open_cell = base | {
        "locked": False,
        "bg_color": "#FFF8DC",
        "border": 1,
        "border_color": "#BFBFBF",
    }
    cell = base | {"bottom": 1, "bottom_color": "#D9D9D9"}
    make = book.add_format
    return _Looks(
        title=make(base | {"bold": True, "font_size": 16}),
        table_title=make({"bold": True, "font_size": 13}),
        section=make(base | {"bold": True, "font_size": 12, "top": 1}),
        text=make(base),
        small=make(base | {"font_size": 8, "font_color": "#595959"}),
        head=make(head),
        decision_head=make(head | {"bg_color": "#F2DFA0"}),
        cell=make(cell),
        words=make(cell | {"align": "left", "indent": 1}),
        percent=make(cell | {"num_format": "0.0%"}),
        decimal=make(cell | {"num_format": "0.000"}),
        suppressed=make(cell | {"align": "right"}),
        decision=make(open_cell),
        day=make(open_cell | {"num_format": "dd/mm/yyyy"}),
    )


def _write_read_me(
    book: Any, assessment: Assessment, identity: ListIdentity, looks: _Looks
) -> None:
    sheet = book.add_worksheet("Read me")
    sheet.set_column(0, 0, READ_ME_WIDTH)
    sheet.hide_gridlines(2)
    said = purpose(assessment)
    banner = [line for line in said if line.startswith("SIMULATED")]
    parts: list[tuple[str, Any]] = [(line, looks.section) for line in banner]
    parts.append(("Pupils who may need support early", looks.title))
    for head, lines in (
        ("What this list is", [*said[len(banner) :], RISK_WORDS, change_words(assessment)]),
        ("Who it is for", [
            "The council's inclusion officers and the inclusion leads of its schools. It holds "
            "confidential facts about children: store it and send it as you do other case records."]),
        ("What it must not be used for", MISUSE),
        ("How to fill it in", HOW_TO),
        ("Which list this is (please leave as it is)", [
            f"List {identity.list_id}, {day_words(assessment.as_of)}, {identity.capacity} places, model "
            f"{identity.model_uri}."]),
    ):  # fmt: skip
        parts += [(head, looks.section), *[(line, looks.text) for line in lines]]
    parts.append((IDENTITY + identity.text(), looks.small))
    for row, (text, look) in enumerate(parts):
        sheet.set_row(row, _height([(text, READ_ME_WIDTH)]) + (8 if look is looks.title else 2))
        sheet.write_string(row, 0, text, look)
    _finish(sheet, landscape=False)


def _write_list(book: Any, rows: pd.DataFrame, identity: ListIdentity, looks: _Looks) -> None:
    sheet = book.add_worksheet("List")
    _write_frame(sheet, rows, looks)
    first, last = rows.shape[1], max(1, len(rows))
    for column, name in enumerate((*DECISION_COLUMNS, SEAL), start=first):
        sheet.write_string(0, column, name, looks.head if name == SEAL else looks.decision_head)
    for column, name in enumerate(DECISION_COLUMNS, start=first):
        look = looks.day if name == "Date" else looks.decision
        sheet.set_column(column, column, WIDTHS[name])
        for row in range(1, last + 1):
            sheet.write_blank(row, column, None, look)
    seal = first + len(DECISION_COLUMNS)
    for row, text in enumerate(row_seals(identity.list_id, rows), start=1):
        sheet.write_string(row, seal, text)
    sheet.set_column(seal, seal, 18, None, {"hidden": True})
    open_cells = book.add_format({"locked": False, "text_wrap": True, "valign": "top"})
    sheet.set_column(seal + 1, seal + OWN_COLUMNS, 18, open_cells)
    sheet.set_row(0, 2 * LINE)
    widths = [WIDTHS[name] for name in FIXED]
    for number, cells in enumerate(rows.itertuples(index=False, name=None), start=1):
        sheet.set_row(number, _height(list(zip(map(str, cells), widths, strict=True))))
    _add_checks(sheet, first, last, identity)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, last, seal)
    _finish(sheet, landscape=True)
    sheet.set_paper(8)  # A3: the officers write on it


def _add_checks(sheet: Any, first: int, last: int, identity: ListIdentity) -> None:
    """Offer the decisions as a drop-down, and take only days from the list's day to today."""
    decision, day = (
        first + DECISION_COLUMNS.index("Decision"),
        first + DECISION_COLUMNS.index("Date"),
    )
    sheet.data_validation(
        1, decision, last, decision,
        {"validate": "list", "source": list(DECISIONS), "error_title": "Decision",
         "error_message": "Please choose one from the list."},
    )  # fmt: skip
    sheet.data_validation(
        1, day, last, day,
        {"validate": "date", "criteria": "between",
         "minimum": pd.Timestamp(identity.as_of).date(), "maximum": "=TODAY()",
         "error_title": "Date", "error_message": "Please give a day since the list was made, not "
         "in the future, such as 14/10/2025."},
    )  # fmt: skip


def _write_reasons(book: Any, assessment: Assessment, ranking: pd.DataFrame, looks: _Looks) -> None:
    """Write reasons, strengths and theme totals of the pupils listed."""
    chosen = ranking[ranking["selected"]].reset_index(drop=True)
    totals = theme_totals(assessment.explanation.contributions).add_suffix(" (log-odds)")
    totals.index = pd.Index(assessment.scores["pupil_id"].astype("str"))
    words = [name for name in chosen if str(name).startswith(("reason_", "strength_"))]
    themes = totals.loc[chosen["pupil_id"]].round(3).reset_index(drop=True)
    sheet = book.add_worksheet("Reasons")
    table = pd.concat([chosen[["rank", "pupil_id", "risk", *words]], themes], axis=1)
    _write_frame(sheet, table, looks)
    sheet.set_row(0, 2 * LINE)
    for number, texts in enumerate(table[words].itertuples(index=False, name=None), start=1):
        sheet.set_row(number, _height([(str(text), WORDS_WIDTH) for text in texts]))
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(1, len(table)), table.shape[1] - 1)
    _finish(sheet, landscape=True)
    sheet.set_paper(8)


def _write_audit(book: Any, assessment: Assessment, looks: _Looks) -> None:
    sheet = book.add_worksheet("Audit")
    sheet.write_string(
        0, 0, "Is the list fair? Counts below 5, and what would reveal them, are 'c'."
    )
    lines = [assessment.audit.note, *assessment.audit.sentences()]
    for row, line in enumerate(lines, start=1):
        sheet.write_string(row, 0, line)
    row = len(lines) + 2
    for name, table in assessment.audit.published().items():
        sheet.write_string(row, 0, AUDIT_TABLES[name], looks.table_title)
        plain = table.map(
            lambda value: value.replace("_", " ") if isinstance(value, str) else value
        )
        _write_frame(sheet, plain, looks, top=row + 1)
        sheet.set_row(row, 2 * LINE)
        sheet.set_row(row + 1, 2 * LINE)
        row += len(table) + 4
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 44)
    _finish(sheet, landscape=True)


def _write_frame(sheet: Any, frame: pd.DataFrame, looks: _Looks, *, top: int = 0) -> None:
    for column, name in enumerate(frame.columns):
        wide = WORDS_WIDTH if str(name).startswith(("reason", "strength")) else OTHER_WIDTH
        sheet.set_column(column, column, WIDTHS.get(str(name), wide))
        sheet.write_string(top, column, label_of(str(name)), looks.head)
        look = looks.percent if str(name) in {"risk", "risk_low", "risk_high"} else looks.cell
        for row, value in enumerate(frame[name].tolist(), start=top + 1):
            if isinstance(value, str):
                kind = looks.suppressed if value == SUPPRESSED else looks.words
                sheet.write_string(row, column, value[:LONGEST], kind)
            elif isinstance(value, float) and look is looks.cell and pd.notna(value):
                sheet.write_number(row, column, value, looks.decimal)
            elif pd.notna(value):
                sheet.write_number(row, column, value, look)
            else:
                sheet.write_blank(row, column, None, look)


def _height(cells: list[tuple[str, int]]) -> float:
    """Return the height in points in which every cell of a row shows whole, if it can."""
    lines = max(sum(math.ceil(max(1, len(line)) / width) for line in text.split("\n"))
                for text, width in cells)  # fmt: skip
    return LINE * min(MOST_LINES, lines)


def _finish(sheet: Any, *, landscape: bool) -> None:
    """Protect a sheet against slips, and make it print on pages as wide as it is."""
    sheet.protect(
        "", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True}
    )
    sheet.set_landscape() if landscape else sheet.set_portrait()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0 if landscape else 1)
    if landscape:
        sheet.repeat_rows(0)
    sheet.set_footer("&L&A&R&P of &N")
