"""Every file of a list, whole or not at all; and a list read back.

In:  an assessment and a folder.
Out: ``list.csv``, ``list.xlsx``, ``index.html``, ``schools/``, ``records/``, ``reasons.parquet``,
``audit.json``, ``assessment.json``; ``not_judged.csv`` where registers stopped; ``emerging/`` with the same
files where the list has a second part; a line in the log of lists for each part.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import defaultdict
from pathlib import Path

import pandas as pd

from riskmodel.assess import Assessment, rank
from riskmodel.data import Tables
from riskmodel.data.write import new_folder
from riskmodel.errors import RequestError
from riskmodel.report.list_log import LogTo, record_list
from riskmodel.report.list_page.page import write_pages
from riskmodel.report.parts import EMERGING_FOLDER
from riskmodel.report.records import write_records
from riskmodel.report.workbook.list_identity import ListIdentity
from riskmodel.report.workbook.writing import write_workbook

__all__ = ["read_list", "write_list"]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""First characters by which a spreadsheet may take text for a formula, the full-width ones too."""

NUMBERS = {
    "rank": "int64",
    "selected": "bool",
    "year_group": "Int64",
    "risk": "float64",
    "risk_low": "float64",
    "risk_high": "float64",
}
"""Columns of ``list.csv`` that are no text."""


def write_list(
    assessment: Assessment,
    out: str | Path,
    *,
    previous: pd.DataFrame | None = None,
    log: LogTo | None = None,
    tables: Tables | None = None,
    password: str | None = None,
    emerging: tuple[Assessment, pd.DataFrame | None] | None = None,
) -> Path:
    """Write the list.

    Parameters
    ----------
    assessment : Assessment
        Scores, reasons, audit.
    out : str or Path
        Empty or new folder; filled at the end, in one step.
    previous : DataFrame, optional
        An earlier ranking, for the pupils who are new, rising or falling; ``compared_with`` of the
        assessment's provenance is its day.
    log : LogTo, optional
        Where the list is logged, just before its folder appears. A list without it is not logged.
    tables : Tables, optional
        The LA's facts, for the charts, needs and names of schools of the pages.
    password : str, optional
        Seals the pages; the other files stay open.
    emerging : (Assessment, DataFrame or None), optional
        The part for emerging concern, with the earlier ranking that it is compared with. It becomes a
        whole list of its own in :data:`riskmodel.report.parts.EMERGING_FOLDER`.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    RequestError
        If the folder is not empty, the capacity does not fit the cohort, the log cannot be written, or the
        password is too short.
    """
    parts = [(assessment, rank(assessment, previous=previous))]
    if emerging is not None:
        second, before = emerging
        parts.append((second, rank(second, previous=before)))
    with new_folder(out) as folder:
        made = []
        for (one, ranking), place in zip(parts, (folder, folder / EMERGING_FOLDER), strict=False):
            place.mkdir(exist_ok=True)
            made.append((_write_files(one, ranking, place, tables, password), one))
        if log is not None:
            record_list(log, made)
    return Path(out)


def _write_files(
    assessment: Assessment,
    ranking: pd.DataFrame,
    folder: Path,
    tables: Tables | None,
    password: str | None,
) -> ListIdentity:
    """Write every file of a list, or of a part of it."""
    identity = _write_csv(assessment, ranking, folder / "list.csv")
    if len(assessment.not_judged):
        _defused(assessment.not_judged).to_csv(
            folder / "not_judged.csv", index=False, lineterminator="\r\n"
        )
    write_workbook(assessment, ranking, identity, folder / "list.xlsx")
    write_pages(assessment, ranking, folder, tables=tables, password=password)
    write_records(assessment, folder / "records")
    _write_data(assessment, identity, folder)
    return identity


def read_list(folder: Path) -> tuple[ListIdentity, pd.DataFrame]:
    """Read a list back.

    Parameters
    ----------
    folder : Path
        What :func:`write_list` wrote.

    Returns
    -------
    ListIdentity, DataFrame
        Which list it is; its ranking, every pupil.

    Raises
    ------
    RequestError
        If there is no list, or its ranking is not the one that its identity was made from.
    """
    try:
        facts = json.loads((folder / "assessment.json").read_text(encoding="utf-8"))
        identity = ListIdentity.parse(json.dumps(facts["list"]))
        content = (folder / "list.csv").read_bytes()
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RequestError(
            f"{folder} holds no list that can be read ({error}). Name a folder that 'riskmodel list' "
            "wrote."
        ) from error
    content = _checked(content, identity, folder / "list.csv")
    types = defaultdict(lambda: "str", NUMBERS)
    ranking = pd.read_csv(io.BytesIO(content), dtype=types, keep_default_na=False)
    return identity, _rearmed(ranking)


def _checked(content: bytes, identity: ListIdentity, path: Path) -> bytes:
    """Return the bytes of a ranking, unless they are not those that its identity was made from."""
    if hashlib.sha256(content).hexdigest() != identity.digest:
        raise RequestError(
            f"{path} was changed since the list was made. Put back the file as it was written."
        )
    return content


def _write_csv(assessment: Assessment, ranking: pd.DataFrame, path: Path) -> ListIdentity:
    """Write the ranking; return the identity that its bytes give the list."""
    # line ends of RFC 4180, because only characters of a line end are quoted inside text
    _defused(ranking).to_csv(path, index=False, lineterminator="\r\n")
    return ListIdentity(
        outcome=assessment.outcome,
        as_of=f"{assessment.as_of:%Y-%m-%d}",
        capacity=assessment.capacity,
        rows=int((ranking["band"] != "not listed").sum()),
        model_uri=str(assessment.provenance.get("model_uri", "not registered")),
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _write_data(assessment: Assessment, identity: ListIdentity, folder: Path) -> None:
    """Write the files that programs read: reasons, audit, and what made the list."""
    with (folder / "reasons.parquet").open("wb") as stream:  # Arrow takes any path for UTF-8
        _reasons_frame(assessment).to_parquet(stream, index=False)
    facts = assessment.to_dict() | {"list": json.loads(identity.text())}
    contents = {"audit.json": assessment.audit.to_dict(), "assessment.json": facts}
    for name, content in contents.items():
        text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
        (folder / name).write_text(text, encoding="utf-8")


def _reasons_frame(assessment: Assessment) -> pd.DataFrame:
    """Return pupil, base value and one column per feature; a row adds up to ``logit(risk)``."""
    frame = assessment.explanation.contributions.copy()
    frame.insert(0, "pupil_id", assessment.scores["pupil_id"].astype("str").to_numpy())
    frame.insert(1, "base_value", float(assessment.explanation.base_value))
    return frame


def _rearmed(ranking: pd.DataFrame) -> pd.DataFrame:
    """Return a ranking without the apostrophes that :func:`_defused` put in front."""
    read = ranking.copy()
    for column in read.select_dtypes(include=["str"]).columns:
        text = read[column].astype("str")
        armed = text.str.lstrip("'").str.startswith(FORMULA_STARTS)
        read[column] = text.mask(armed, text.str.slice(1))
    return read


def _defused(ranking: pd.DataFrame) -> pd.DataFrame:
    """Return a ranking in which no text is read as a formula: it gets an apostrophe in front.

    Text that has apostrophes before such a start gets one more, so that :func:`read_list` can take
    away exactly what was added.
    """
    safe = ranking.copy()
    for column in safe.select_dtypes(include=["str", "object", "category"]).columns:
        text = safe[column].astype("str")
        safe[column] = text.mask(text.str.lstrip("'").str.startswith(FORMULA_STARTS), "'" + text)
    return safe
