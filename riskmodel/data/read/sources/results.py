"""Results of key stages 2 and 4.

In:  one row per pupil; DfE's pupil downloads have their own columns, with a prefix for key stage 4.
Out: standardised scores, known 30 days after the result.
"""

from __future__ import annotations

from typing import TypeAlias

import pandas as pd

from riskmodel.data.read.rows.convert import read_numbers
from riskmodel.data.read.rows.faults import (
    FUTURE_YEAR,
    NO_ATTAINMENT_8,
    NO_KEY_STAGE_2,
    NO_SCALED_SCORES,
    NO_SCHOOL_YEAR,
)
from riskmodel.data.read.rows.tidy import MISSING, NOTHING, tidy_column
from riskmodel.data.read.sources.source import Context, Facts, Source, is_there, last_year

__all__ = ["FIRST_SCALED", "SOURCES"]

Level: TypeAlias = tuple[float, float, int, int, str]

KEY_STAGE_2: Level = (104.0, 7.0, 80, 120, NO_KEY_STAGE_2)
ATTAINMENT_8: Level = (46.0, 17.0, 0, 90, NO_ATTAINMENT_8)
"""Mean and spread by which scores are standardised: near the national ones (recalled, unverified); lowest
and highest score that a pupil can have: DfE, key stage 2 scaled scores; ten slots of nine points; the
fault of others."""

FIRST_SCALED = 2016
"""Year of the first scaled scores: DfE, key stage 2 scaled scores; before, there were levels."""

YEARS_AHEAD = 2
"""Years after the last census from which a result is no later file, but a typing error; chosen."""


def _key_stage_2(frame: pd.DataFrame, context: Context) -> Facts:
    parts = [
        _scores(frame, context, "KS2", subject, column, KEY_STAGE_2, (7, 10))
        for subject, column in (("reading", "readscore"), ("mathematics", "matscore"))
        if column in frame
    ]
    return {"attainment": pd.concat(parts)}


def _key_stage_2_prefixed(frame: pd.DataFrame, context: Context) -> Facts:
    """Take results where every name has the prefix; elsewhere KS2READSCORE is no scaled score."""
    return _key_stage_2(frame.assign(acadyr=frame["ks2acadyr"]), context)


def _both_stages(frame: pd.DataFrame, context: Context) -> Facts:
    """Take the results of both stages, each of its own year."""
    made = (_key_stage_2_prefixed(frame, context), _key_stage_4(frame, context))
    return {"attainment": pd.concat([part["attainment"] for part in made])}


def _key_stage_4(frame: pd.DataFrame, context: Context) -> Facts:
    return {
        "attainment": _scores(frame, context, "KS4", "attainment_8", "att8", ATTAINMENT_8, (8, 22))
    }


def _without_prefix(prefix: str, *names: str) -> dict[str, str]:
    return {f"{prefix}{name}": name for name in names}


def _scores(
    frame: pd.DataFrame,
    context: Context,
    stage: str,
    subject: str,
    column: str,
    level: Level,
    day: tuple[int, int],
) -> pd.DataFrame:
    """Return the scores of a subject; a pupil without one, who was not entered, has no result."""
    frame = frame[is_there(tidy_column(frame[column], MISSING | NOTHING))]
    mean, spread, low, high, fault = level
    points = read_numbers(frame[column])
    score = ((points - mean) / spread).astype("object")
    # a score that nobody can have is no number of the table either, so the row is set aside with it
    score = score.where(points.between(low, high), frame[column].astype("str") + fault)
    year = last_year(frame["acadyr"])
    result = pd.to_datetime({"year": year, "month": day[0], "day": day[1]}, errors="coerce")
    no_year = _fault_of_year(year, stage, context)
    unread = no_year != ""
    written = frame["acadyr"].astype("object").where(is_there(frame["acadyr"]))
    written = written.astype("str") + no_year
    return pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "stage": stage,
            "subject": subject,
            "score": score,
            "result_date": result.astype("object").mask(unread, written)
            if unread.any()
            else result,
            "recorded_on": result.mask(unread) + pd.Timedelta(days=30),
        }
    )


def _fault_of_year(year: pd.Series, stage: str, context: Context) -> pd.Series:
    """Return why no result can be of a year; empty where one can."""
    fault = pd.Series("", index=year.index).mask(year.isna(), NO_SCHOOL_YEAR)
    if stage == "KS2":
        fault = fault.mask(year < FIRST_SCALED, NO_SCALED_SCORES)
    last = context.censuses["day"].max()
    return fault if pd.isna(last) else fault.mask(year > last.year + YEARS_AHEAD, FUTURE_YEAR)


SOURCES = (
    Source(
        name="Key stage 4 results",
        upn="upn",
        facts=_key_stage_4,
        aliases=_without_prefix("ks4", "upn", "acadyr", "att8") | {"attainment8score": "att8"},
        columns=frozenset({"upn", "acadyr", "att8"}),
    ),
    Source(
        name="Key stage 2 results",
        upn="upn",
        facts=_key_stage_2,
        columns=frozenset({"upn", "acadyr", "readscore"}),
    ),
    Source(
        name="Key stage 2 results, prefixed",
        upn="upn",
        facts=_key_stage_2_prefixed,
        aliases=_without_prefix("ks2", "upn", "readscore", "matscore"),
        columns=frozenset({"upn", "ks2acadyr", "readscore"}),
    ),
    Source(
        name="Key stage 2 and 4 results",
        upn="upn",
        facts=_both_stages,
        aliases=_without_prefix("ks2", "upn", "readscore", "matscore")
        | _without_prefix("ks4", "acadyr", "att8")
        | {"attainment8score": "att8"},
        columns=frozenset({"upn", "ks2acadyr", "readscore", "acadyr", "att8"}),
    ),
)
"""Results; key stage 4 first, as its files may hold the pupil's key stage 2 scores beside its own year."""
