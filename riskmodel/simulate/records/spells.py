"""Needs and circumstances as spells, each recorded as late as in life.

In:  what was so for every pupil in every year group, and a random generator.
Out: the ``send``, ``plans`` and ``circumstances`` tables.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.simulate.circumstances import SOCIAL
from riskmodel.simulate.needs import NEEDS
from riskmodel.simulate.population import Population
from riskmodel.simulate.records.columns import LAST_DAY, NEVER, Dates, coded
from riskmodel.simulate.shapes import GROUPS, Ints

__all__ = ["circumstances_table", "send_tables"]


def send_tables(
    population: Population, ids: pd.Categorical, first_year: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the ``send`` and ``plans`` tables.

    Parameters
    ----------
    population : Population
        Needs and what is provided by year group.
    ids : Categorical
        Pseudonyms.
    first_year : int
        Calendar year in which the first school year starts.
    rng : Generator
        Source of randomness.

    Returns
    -------
    send, plans : DataFrame
        Spells of SEN support and of plans; a request before every plan, and some refused ones.
    """
    days = _change_days(population, first_year, rng)
    parts = [
        _spells(population.provision == number, days, ids, (20, 120), rng).assign(provision=code)
        for number, code in ((1, "K"), (2, "E"))
    ]
    spells = pd.concat(parts, ignore_index=True)
    need = np.array(NEEDS, dtype=object)[np.maximum(population.need, 0)]
    return _send(spells, need[spells["pupil"]]), _plans(spells, rng)


def _send(spells: pd.DataFrame, need: NDArray[np.object_]) -> pd.DataFrame:
    """Return the ``send`` table; ``need`` is the primary need of each spell."""
    dates = ["start_date", "end_date", "recorded_on", "end_recorded_on"]
    return pd.DataFrame(
        {
            "pupil_id": spells["pupil_id"],
            "provision": coded("send", "provision", spells["provision"]),
            "primary_need": coded("send", "primary_need", need),
            "secondary_need": coded("send", "secondary_need", [None] * len(spells)),
            **{name: spells[name] for name in dates},
        }
    )


def _plans(spells: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return requests for plans: one before every plan, and refused ones after years of support."""
    parts = [_issued(spells, rng), _refused(spells, rng)]
    plans = pd.concat(parts, ignore_index=True)
    plans["outcome"] = coded("plans", "outcome", plans["outcome"])
    plans["recorded_on"] = plans["requested_on"] + pd.Timedelta(days=1)
    plans = plans[plans["requested_on"] <= pd.Timestamp(LAST_DAY)]
    return plans.drop_duplicates(["pupil_id", "requested_on"])


def _issued(spells: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the request that led to each plan."""
    plan = spells[(spells["provision"] == "E") & (spells["group"] > 0)]
    n = len(plan)
    weeks = np.clip(rng.normal(23, 7, n), 12, 60)  # the law asks for 20; fewer than half keep to it
    issued = plan["start_date"].to_numpy()
    requested = issued - (7 * weeks).astype(np.int64).astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "pupil_id": plan["pupil_id"],
            "requested_on": requested,
            "decided_on": requested + _days(30, 60, n, rng),
            "outcome": "issued",
            "plan_on": issued,
        }
    )


def _refused(spells: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return requests that are refused, or not decided by the last day, after support began."""
    support = spells[(spells["provision"] == "K") & (rng.random(len(spells)) < 0.08)]
    n = len(support)
    requested = support["start_date"].to_numpy() + _days(200, 700, n, rng)
    refused_on = requested + _days(30, 60, n, rng)
    decided = refused_on <= LAST_DAY.astype("datetime64[s]")
    return pd.DataFrame(
        {
            "pupil_id": support["pupil_id"],
            "requested_on": requested,
            "decided_on": np.where(decided, refused_on, NEVER),
            "outcome": np.where(decided, "refused", ""),
            "plan_on": np.full(n, NEVER),
        }
    )


def _days(low: int, high: int, n: int, rng: np.random.Generator) -> NDArray[np.timedelta64]:
    """Draw numbers of days, ``high`` left out."""
    return rng.integers(low, high, n).astype("timedelta64[D]")


def circumstances_table(
    population: Population, ids: pd.Categorical, first_year: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the ``circumstances`` table.

    Parameters
    ----------
    population : Population
        Circumstances by year group.
    ids : Categorical
        Pseudonyms.
    first_year : int
        Calendar year in which the first school year starts.
    rng : Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        Spells of free school meals, social care, early help, young carers and youth justice.
    """
    days = _change_days(population, first_year, rng)
    parts = [
        _spells(now, days, ids, (1, 30), rng).assign(kind=kind)
        for kind, now in _status(population, rng).items()
    ]
    spells = pd.concat(parts, ignore_index=True)
    spells["kind"] = coded("circumstances", "kind", spells["kind"])
    return spells


def _status(population: Population, rng: np.random.Generator) -> dict[str, NDArray[np.bool_]]:
    """Return each kind of circumstances by pupil and year group."""
    hardship = 0.7 * population.stress + 0.7 * rng.standard_normal(len(population))
    trouble = 0.8 * population.pressure_mean + 0.6 * rng.standard_normal(len(population))
    return {
        "fsm": population.fsm,
        **{kind: population.social == number for number, kind in enumerate(SOCIAL) if number},
        "early_help": population.early_help,
        # chosen: 1.5% young carers, 1.2% supervised by youth justice in Years 9 to 11
        "young_carer": (hardship > 2.2)[:, None] & (np.arange(GROUPS) >= 4),
        "youth_justice": (trouble > 2.3)[:, None] & (np.arange(GROUPS) >= 9),
    }


def _change_days(population: Population, first_year: int, rng: np.random.Generator) -> Dates:
    """Return the day in each year group on which a pupil's circumstances may change."""
    year = first_year + np.arange(GROUPS)[None, :] - population.first_group[:, None]
    september: Dates = ((year - 1970) * 12 + 8).astype("datetime64[M]").astype("datetime64[D]")
    offset = rng.integers(3, 130, september.shape)  # known by the January census
    offset[:, 0] = 2  # what is so in Reception is so from the first day
    return np.asarray(september + offset.astype("timedelta64[D]"))


def _spells(
    status: NDArray[np.bool_],
    days: Dates,
    ids: pd.Categorical,
    lag: tuple[int, int],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Turn a status by year group into spells that had begun by the last day.

    Returns pupil, index of the first year group, start, end and when both were recorded; an end
    after the last day is not known yet.
    """
    pupil, first, last = _runs(status)
    start, last_day = days[pupil, first].astype("datetime64[s]"), LAST_DAY.astype("datetime64[s]")
    after = days[pupil, np.minimum(last + 1, GROUPS - 1)].astype("datetime64[s]")
    end = after - np.timedelta64(1, "D")
    end = np.where((last == GROUPS - 1) | (end > last_day), NEVER, end)
    recorded = start + _days(*lag, len(start), rng)
    spells = pd.DataFrame(
        {
            "pupil": pupil,
            "pupil_id": ids[pupil],
            "group": first,
            "start_date": start,
            "end_date": end,
            "recorded_on": recorded,
            "end_recorded_on": np.maximum(end + np.timedelta64(lag[0] + 10, "D"), recorded),
        }
    )
    return spells[start <= last_day]


def _runs(status: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
    """Return pupil, first and last year group of each run of year groups in a status."""
    padded = np.pad(status, ((0, 0), (1, 1)))
    pupil, first = np.nonzero(padded[:, 1:-1] & ~padded[:, :-2])
    _, last = np.nonzero(padded[:, 1:-1] & ~padded[:, 2:])
    return pupil, first, last
