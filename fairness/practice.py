"""Today's practice beside the model: whether each gap becomes narrower or wider.

In:  the tested lists with a score per ranker; the group of each row.
Out: per ranker and group, its gap before and now, and the change over the same resamples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from riskmodel.data.ratio import ratio
from riskmodel.evaluation.capacity import listed_by
from riskmodel.evaluation.resampling import bounds
from riskmodel.fairness.bootstrap import distinct_pupils, group_totals
from riskmodel.fairness.groups import place_of
from riskmodel.fairness.verdicts import FEWEST_OUTCOMES, LEVEL, NO_EVIDENCE, TOO_FEW, holm

__all__ = ["GAP_COLUMNS", "NARROWER", "WIDER", "compare_gaps"]

NARROWER, WIDER = "narrower", "wider"

GAP_COLUMNS = ("ranker", "characteristic", "group", "pupils_found", "pupils_missed", "before",
               "now", "gap_before", "gap", "change", "change_low", "change_high", "z", "p_value",
               "verdict")  # fmt: skip

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def compare_gaps(
    predictions: pd.DataFrame,
    groups: pd.DataFrame,
    practice: Sequence[str],
    *,
    capacity: int,
    score: str = "model",
    random_state: int = 0,
) -> pd.DataFrame:
    """Compare the model's recall gaps with those of what is done today.

    Parameters
    ----------
    predictions : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of``, ``label`` and a score per ranker.
    groups : DataFrame of shape (n_rows, n_characteristics)
        Group of each row; none missing.
    practice : sequence of str
        Score columns of what is done today.
    capacity : int
        Pupils listed at each ``as_of``.
    score : str
        Score column of the model.
    random_state : int
        Seed.

    Returns
    -------
    DataFrame
        ``ranker, characteristic, group``; ``pupils_found`` and ``pupils_missed`` by the ranker;
        recall ``before`` (the ranker's) and ``now`` (the model's); ``gap_before`` and ``gap``, each
        recall less that of all others; ``change`` (gap less gap before) with a 95% interval over
        resamples of pupils, the same for both, and divided by its standard error, ``z``;
        ``p_value``, two-sided, corrected after Holm over all rows;
        ``verdict``: ``narrower``, ``wider``, ``no evidence`` or ``too few to tell``.

    Notes
    -----
    The change is divided by its standard error over the resamples, or by that of as many pupils of
    whom the two lists find different ones by chance (McNemar), whichever is larger.
    """
    label = predictions["label"].to_numpy(dtype=float)
    pupil, _ = pd.factorize(predictions["pupil_id"])
    listed = listed_by(predictions, (score, *practice), capacity)
    parts = []
    for characteristic in groups if len(practice) else []:
        names, place = place_of(groups[characteristic])
        for ranker, part in _one(
            pupil, place, len(names), label, listed, score, random_state
        ).items():
            parts.append(
                part.assign(ranker=ranker, characteristic=str(characteristic), group=names)
            )
    if not parts:
        return pd.DataFrame(columns=list(GAP_COLUMNS))
    table = pd.concat(parts, ignore_index=True)
    tested = table["z"].notna().to_numpy()
    p_value = np.full(len(table), np.nan)
    p_value[tested] = holm(2 * norm.sf(table["z"].abs().to_numpy()[tested]))
    wider = (table["gap"].abs() > table["gap_before"].abs()).to_numpy()
    verdict = np.select(
        [~tested, ~(p_value < LEVEL), wider], [TOO_FEW, NO_EVIDENCE, WIDER], NARROWER
    )
    return table.assign(p_value=p_value, verdict=verdict.astype(object))[list(GAP_COLUMNS)]


def _one(
    pupil: Ints, place: Ints, n_groups: int, label: Floats, listed: dict[str, NDArray[np.bool_]],
    score: str, random_state: int,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Return the gaps of one characteristic, by ranker."""
    columns = {"positives": label} | {name: label * inside for name, inside in listed.items()}
    totals = group_totals(pupil, place, n_groups, columns, random_state=random_state)
    inside, outside = distinct_pupils(pupil, place, n_groups, label > 0)
    enough = (inside >= FEWEST_OUTCOMES) & (outside >= FEWEST_OUTCOMES)
    own, gap = _gaps(totals[score], totals["positives"])
    tables = {}
    for ranker in listed:
        if ranker == score:
            continue
        before, gap_before = _gaps(totals[ranker], totals["positives"])
        change = gap - gap_before
        low, high = bounds(change)
        differs = (label > 0) & (listed[ranker] != listed[score])
        apart, apart_outside = distinct_pupils(pupil, place, n_groups, differs)
        by_chance = np.sqrt(ratio(apart, inside**2) + ratio(apart_outside, outside**2))
        spread = np.nanstd(np.where(enough, change[1:], 0.0), axis=0)
        z = np.where(enough, change[0] / np.maximum(np.fmax(spread, by_chance), 1e-12), np.nan)
        hit, miss = (label > 0) & listed[ranker], (label > 0) & ~listed[ranker]
        tables[ranker] = pd.DataFrame(
            {"pupils_found": distinct_pupils(pupil, place, n_groups, hit)[0],
             "pupils_missed": distinct_pupils(pupil, place, n_groups, miss)[0],
             "before": before[0], "now": own[0], "gap_before": gap_before[0], "gap": gap[0],
             "change": change[0], "change_low": low, "change_high": high, "z": z}
        )  # fmt: skip
    return tables


def _gaps(found: Floats, positives: Floats) -> tuple[Floats, Floats]:
    """Return recall, and recall less that of all others, for every draw."""
    own = ratio(found, positives)
    rest_found = found.sum(axis=1, keepdims=True) - found
    rest = positives.sum(axis=1, keepdims=True) - positives
    return own, own - ratio(rest_found, rest)
