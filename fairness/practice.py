"""Today's practice beside the model: whether the model makes each gap narrower or wider.

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
from riskmodel.fairness.groups import group_codes
from riskmodel.fairness.rates import elsewhere
from riskmodel.fairness.verdicts import FEWEST_OUTCOMES, LEVEL, NO_EVIDENCE, TOO_FEW, holm

__all__ = ["compare_gaps"]

NARROWER, WIDER = "narrower", "wider"

GAP_COLUMNS = (
    "ranker",
    "characteristic",
    "group",
    "pupils_found",
    "pupils_missed",
    "listed_before",
    "listed_now",
    "before",
    "now",
    "gap_before",
    "gap",
    "change",
    "change_low",
    "change_high",
    "z",
    "z_if_none",
    "p_value",
    "verdict",
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


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
        One row per pupil and tested list (:mod:`riskmodel.evaluation.predictions`).
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
        pupils that are ``listed_before`` (by the ranker) and ``listed_now``, with the outcome or not;
        recall ``before`` (the ranker's) and ``now`` (the model's); ``gap_before`` and ``gap``, each
        recall minus that of all others; ``change`` (gap minus gap before) with a 95% interval over
        resamples of pupils, the same for both; ``z``, the change divided by its standard error;
        ``z_if_none``, what ``z`` would be if the model found nobody of the group, and of the others
        as many as the ranker;
        ``p_value``, two-sided, corrected after Holm over all rows;
        ``verdict``: ``narrower``, ``wider``, ``no evidence`` or ``too few to tell``.

    Raises
    ------
    RequestError
        If the capacity is below 1.

    Notes
    -----
    Pupils whose outcome is not known hold their places and are not counted. The standard error of the
    change is that over the resamples. It is at least that of as many pupils of whom the two lists find
    different ones by chance (McNemar).
    """
    known = predictions["label"].notna().to_numpy()
    label = predictions["label"].to_numpy(dtype=float)[known]
    pupil, _ = pd.factorize(predictions["pupil_id"][known])
    by = listed_by(predictions, (score, *practice), capacity)
    listed, groups = {name: inside[known] for name, inside in by.items()}, groups[known]
    now, before = listed[score], {name: listed[name] for name in practice}
    parts = [
        part.assign(ranker=ranker, characteristic=str(name))
        for name in groups
        for ranker, part in _gaps_of(pupil, groups[name], label, now, before, random_state).items()
    ]
    if not parts:
        return pd.DataFrame(columns=list(GAP_COLUMNS))
    return _with_verdicts(pd.concat(parts, ignore_index=True))[list(GAP_COLUMNS)]


def _with_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Return the gaps with p-values, corrected over all of them, and verdicts."""
    tested = table["z"].notna().to_numpy()
    p_value = np.full(len(table), np.nan)
    p_value[tested] = holm(2 * norm.sf(table["z"].abs().to_numpy()[tested]))
    wider = (table["gap"].abs() > table["gap_before"].abs()).to_numpy()
    verdict = np.select(
        [~tested, ~(p_value < LEVEL), wider], [TOO_FEW, NO_EVIDENCE, WIDER], NARROWER
    )
    return table.assign(p_value=p_value, verdict=verdict.astype(object))


def _gaps_of(
    pupil: Ints,
    group: pd.Series,
    label: Floats,
    now: Bools,
    before: dict[str, Bools],
    random_state: int,
) -> dict[str, pd.DataFrame]:
    """Return the gaps of every group of one characteristic, by ranker."""
    names, codes = group_codes(group)
    found = {ranker: label * inside for ranker, inside in before.items()}
    columns = {"positives": label, "now": label * now} | {f"by {k}": v for k, v in found.items()}
    totals = group_totals(pupil, codes, len(names), columns, random_state=random_state)
    gaps = {name: _gaps(totals[name], totals["positives"]) for name in columns}

    def pupils(where: Bools) -> tuple[Ints, Ints]:
        return distinct_pupils(pupil, codes, len(names), where & (label > 0))

    tables = {}
    every, listed_now = pupils(np.ones_like(now)), distinct_pupils(pupil, codes, len(names), now)[0]
    for ranker, inside in before.items():
        lost, by_ranker = pupils(inside != now), gaps[f"by {ranker}"]
        table = _change(gaps["now"], by_ranker, *_chance_error(lost, every))
        of_none = np.zeros_like(by_ranker[0]), by_ranker[1] - by_ranker[0]  # others as before
        none = _change(of_none, by_ranker, *_chance_error((pupils(inside)[0], lost[1]), every))
        tables[ranker] = table.assign(
            group=names,
            pupils_found=pupils(inside)[0],
            pupils_missed=pupils(~inside)[0],
            listed_before=distinct_pupils(pupil, codes, len(names), inside)[0],
            listed_now=listed_now,
            z_if_none=none["z"],
        )
    return tables


def _chance_error(differ: tuple[Ints, Ints], pupils: tuple[Ints, Ints]) -> tuple[Floats, Bools]:
    """Return the standard error of a change by chance alone, and where there are pupils enough."""
    inside, outside = pupils
    error = np.sqrt(ratio(differ[0], inside**2) + ratio(differ[1], outside**2))
    return error, (inside >= FEWEST_OUTCOMES) & (outside >= FEWEST_OUTCOMES)


def _change(
    now: tuple[Floats, Floats], before: tuple[Floats, Floats], by_chance: Floats, enough: Bools
) -> pd.DataFrame:
    """Return recall and gap before and now, and the change in units of its standard error."""
    change = now[1] - before[1]
    low, high = bounds(change)
    spread = np.nanstd(np.where(enough, change[1:], 0.0), axis=0)
    error = np.maximum(np.fmax(spread, by_chance), 1e-12)
    return pd.DataFrame(
        {
            "before": before[0][0],
            "now": now[0][0],
            "gap_before": before[1][0],
            "gap": now[1][0],
            "change": change[0],
            "change_low": low,
            "change_high": high,
            "z": np.where(enough, change[0] / error, np.nan),
        }
    )


def _gaps(found: Floats, positives: Floats) -> tuple[Floats, Floats]:
    """Return recall, and recall minus that of all others, for every draw."""
    own = ratio(found, positives)
    return own, own - ratio(elsewhere(found), elsewhere(positives))
