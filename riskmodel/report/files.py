"""Every file of a list, whole or not at all.

In:  an assessment and a folder.
Out: ``list.csv``, ``list.xlsx``, ``index.html``, ``schools/``, ``reasons.parquet``, ``audit.json``,
``assessment.json``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from riskmodel.assess import Assessment
from riskmodel.data import Tables
from riskmodel.data.write import new_folder
from riskmodel.ranking import rank
from riskmodel.report.page import write_pages
from riskmodel.report.workbook import write_workbook

__all__ = ["write_list"]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_list(
    assessment: Assessment,
    out: str | Path,
    *,
    previous: pd.DataFrame | None = None,
    tables: Tables | None = None,
    password: str | None = None,
) -> Path:
    """Write the list.

    Parameters
    ----------
    assessment : Assessment
        Scores, reasons, audit.
    out : str or Path
        Empty or new folder; filled at the end, in one step.
    previous : DataFrame, optional
        The ranking before, to say who is new, rising or falling.
    tables : Tables, optional
        The LA's facts, for the charts, needs and names of schools of the pages.
    password : str, optional
        Seals the pages; the other files stay open.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    RequestError
        If the folder is not empty, the capacity does not fit the cohort, or the password is too short.
    """
    ranking = rank(assessment, previous=previous)
    with new_folder(out) as folder:
        _defused(ranking).to_csv(folder / "list.csv", index=False)
        write_workbook(assessment, ranking, folder / "list.xlsx")
        write_pages(assessment, ranking, folder, tables=tables, password=password)
        _reasons_frame(assessment).to_parquet(folder / "reasons.parquet", index=False)
        for name, content in (
            ("audit.json", assessment.audit.to_dict()),
            ("assessment.json", assessment.to_dict()),
        ):
            text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
            (folder / name).write_text(text, encoding="utf-8")
    return Path(out)


def _reasons_frame(assessment: Assessment) -> pd.DataFrame:
    """Return pupil, base value and one column per feature; a row adds up to ``logit(risk)``."""
    frame = assessment.contributions.copy()
    frame.insert(0, "pupil_id", assessment.scores["pupil_id"].astype("str").to_numpy())
    frame.insert(1, "base_value", float(assessment.base_value))
    return frame


def _defused(ranking: pd.DataFrame) -> pd.DataFrame:
    """Keep spreadsheets from reading text as a formula: it gets an apostrophe in front."""
    safe = ranking.copy()
    for column in safe.select_dtypes(include=["str", "object", "category"]).columns:
        text = safe[column].astype("str")
        safe[column] = text.mask(text.str.startswith(FORMULA_STARTS), "'" + text)
    return safe
