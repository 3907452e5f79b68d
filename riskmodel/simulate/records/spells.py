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
from riskmodel.simulate.shapes import GROUPS

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
    parts = []
    for number, provision in ((1, "K"), (2, "E")):
        spells = _spells(population.provision == number, days, ids, (20, 120), rng)
        parts.append(spells.assign(provision=provision))
    spells = pd.concat(parts, ignore_index=True)
    need = np.array(NEEDS, dtype=object)[np.maximum(population.need, 0)]
    send = pd.DataFrame(
        {
            "pupil_id": spells["pupil_id"],
            "provision": coded("send", "provision", spells["provision"]),
            "primary_need": coded("send", "primary_need", need[spells["pupil"]]),
            "secondary_need": coded("send", "secondary_need", [None] * len(spells)),
            **{
                name: spells[name]
                for name in ("start_date", "end_date", "recorded_on", "end_recorded_on")
            },
        }
    )
    return send, _plans(spells, rng)


def _plans(spells: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return requests for plans: one before every plan, and refused ones after years of support."""
    plan = spells[(spells["provision"] == "E") & (spells["group"] > 0)]
    n = len(plan)
    weeks = np.clip(rng.normal(23, 7, n), 12, 60)  # the law asks for 20; fewer than half keep to it
    issued = plan["start_date"].to_numpy()
    requested = issued - (7 * weeks).astype(np.int64).astype("timedelta64[D]")
    decided = requested + rng.integers(30, 60, n).astype("timedelta64[D]")
    support = spells[(spells["provision"] == "K") & (rng.random(len(spells)) < 0.08)]
    asked = support["start_date"].to_numpy() + rng.integers(200, 700, len(support)).astype(
        "timedelta64[D]"
    )
    refused_on = asked + rng.integers(30, 60, len(support)).astype("timedelta64[D]")
    last = LAST_DAY.astype("datetime64[s]")
    known = refused_on <= last
    plans = pd.DataFrame(
        {
            "pupil_id": pd.concat([plan["pupil_id"], support["pupil_id"]], ignore_index=True),
            "requested_on": np.concatenate([requested, asked]),
            "decided_on": np.concatenate([decided, np.where(known, refused_on, NEVER)]),
            "outcome": coded(
                "plans", "outcome", ["issued"] * n + ["refused" if k else "" for k in known]
            ),
            "plan_on": np.concatenate([issued, np.full(len(support), NEVER)]),
        }
    )
    plans["recorded_on"] = plans["requested_on"] + pd.Timedelta(days=1)
    plans = plans[plans["requested_on"] <= pd.Timestamp(last)]
    return plans.drop_duplicates(["pupil_id", "requested_on"])


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
    hardship = 0.7 * population.stress + 0.7 * rng.standard_normal(len(population))
    trouble = 0.8 * population.pressure_mean + 0.6 * rng.standard_normal(len(population))
    late = np.arange(GROUPS) >= 9
    status = {
        "fsm": population.fsm,
        **{kind: population.social == number for number, kind in enumerate(SOCIAL) if number},
        "early_help": population.early_help,
        # chosen: 1.5% young carers, 1.2% supervised by youth justice in Years 9 to 11
        "young_carer": (hardship > 2.2)[:, None] & (np.arange(GROUPS) >= 4),
        "youth_justice": (trouble > 2.3)[:, None] & late,
    }
    parts = [
        _spells(now, days, ids, (1, 30), rng).assign(kind=kind) for kind, now in status.items()
    ]
    spells = pd.concat(parts, ignore_index=True)
    spells["kind"] = coded("circumstances", "kind", spells["kind"])
    return spells


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

    Returns pupil, place of the first year group, start, end and when both were recorded; an end
    after the last day is not known yet.
    """
    padded = np.pad(status, ((0, 0), (1, 1)))
    pupil, first = np.nonzero(padded[:, 1:-1] & ~padded[:, :-2])
    _, last = np.nonzero(padded[:, 1:-1] & ~padded[:, 2:])
    start = days[pupil, first].astype("datetime64[s]")
    after = np.minimum(last + 1, GROUPS - 1)
    end = days[pupil, after].astype("datetime64[s]") - np.timedelta64(1, "D")
    end = np.where((last == GROUPS - 1) | (end > LAST_DAY.astype("datetime64[s]")), NEVER, end)
    begun = start <= LAST_DAY.astype("datetime64[s]")
    recorded = start + rng.integers(*lag, len(start)).astype("timedelta64[D]")
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
    return spells[begun]
