"""Deciles of deprivation of each postcode, from the lookups of a folder.

In:  files with a postcode and its deciles in each row.
Out: one row per postcode; rows with a decile that there is not, or that contradict others, are set aside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile, keep_notes
from riskmodel.data.read.rows.convert import read_numbers
from riskmodel.data.read.rows.problems import SHOWN, Problem, RowChecks
from riskmodel.data.read.sources.source import Context, column, is_there, postcode_key

__all__ = ["deciles_of", "note_unknown_postcodes"]

NAMES = ("idaci_decile", "imd_decile")


def deciles_of(lookups: Sequence[ReturnFile], log: ReadLog) -> pd.DataFrame:
    """Return the deciles of each postcode.

    Parameters
    ----------
    lookups : sequence of ReturnFile
        Files with ``postcode`` and ``idacidecile``, perhaps with ``imddecile``.
    log : ReadLog
        Gets the problems and the rejects.

    Returns
    -------
    DataFrame
        Index postcode without blanks; ``idaci_decile``, ``imd_decile``.
    """
    checks = [one.checks(one.frame) for one in lookups]
    parts = [_rows(one).assign(_file=number) for number, one in enumerate(checks)]
    if not parts:
        return pd.DataFrame()
    every = pd.concat(parts, ignore_index=True)
    by_post = every.groupby(every["post"].fillna(""))[list(NAMES)]
    contradicts = every["post"].notna() & (by_post.transform("nunique") > 1).any(axis=1)
    others = _others(every[contradicts], checks)
    for number, (one, checked) in enumerate(zip(lookups, checks, strict=True)):
        of_file = every[every["_file"] == number].index
        checked.note(
            contradicts[of_file].to_numpy(),
            "conflict",
            "",
            "has other deciles than {hint} for the same postcode. Neither counts. Correct the lookup.",
            hint=others.reindex(of_file).reset_index(drop=True),
        )
        keep_notes(log, one, checked)
    return every[~contradicts].groupby("post")[list(NAMES)].first()


def note_unknown_postcodes(addresses: Sequence[ReturnFile], context: Context, log: ReadLog) -> None:
    """Note once how many addresses have a postcode that no lookup has.

    Parameters
    ----------
    addresses : sequence of ReturnFile
        Files with ``postcode`` of pupils, which is not shown.
    context : Context
        Knows the deciles; nothing is noted where there are none.
    log : ReadLog
        Gets the problem.
    """
    if context.deciles.empty:
        return
    n_rows, first = 0, ""
    for one in addresses:
        post = one.frame["postcode"]
        unknown = (is_there(post) & ~postcode_key(post).isin(context.deciles.index)).to_numpy()
        n_rows += int(unknown.sum())
        if unknown.any() and not first:
            first = f"{one.name}, row {one.checks().numbers_of(np.flatnonzero(unknown))[0]}"
    if n_rows:
        words = (
            f"neighbourhood: {n_rows} addresses have a postcode without usable deciles; the first is in "
            f"{first}. The decile known before counts on, else it is missing. Add the postcodes to the "
            "lookup, or correct them."
        )
        log.problems.append(Problem("neighbourhood", "unknown_postcode", words, column="postcode"))


def _rows(checks: RowChecks) -> pd.DataFrame:
    """Return postcodes and deciles; what is no decile is noted, and is missing."""
    frame = checks.raw
    made = {"post": postcode_key(frame["postcode"])}
    for name in NAMES:
        written = column(frame, name.replace("_", ""))
        number = read_numbers(written)
        is_one = number.between(1, 10) & (number % 1 == 0)
        checks.note(
            (is_there(written) & ~is_one).to_numpy(),
            "bad_number",
            name.replace("_", ""),
            f"{name} '{{value}}' is not a whole number from 1 to 10. Correct it.",
        )
        made[name] = number.where(is_one)
    return pd.DataFrame(made).reset_index(drop=True).assign(_place=np.arange(len(frame)))


def _others(rows: pd.DataFrame, checks: Sequence[RowChecks]) -> pd.Series:
    """Return of each row that is shown which other row of its postcode has other deciles, in words."""
    shown = rows.groupby("_file").head(SHOWN)["post"]
    made = {}
    for _, alike in rows[rows["post"].isin(shown)].groupby("post"):
        for place, own in alike.iterrows():
            rest = alike.drop(place)
            differs = (rest[list(NAMES)] != own[list(NAMES)]) & rest[list(NAMES)].notna()
            other = rest.loc[
                differs.any(axis=1).sort_values(ascending=False, kind="stable").index[0]
            ]
            checked = checks[int(other["_file"])]
            (number,) = checked.numbers_of(np.array([other["_place"]], dtype=np.int64))
            made[place] = f"row {number} of {checked.file}"
    return pd.Series(made, dtype="object")
