"""The simulated LA as an LA receives it: censuses, registers and extracts in their own layouts.

In:  the tables of a simulated LA.
Out: a folder of returns with UPNs, names, codes and dates as each source writes them.

Column names: School Census COLLECT tables of the 2026 return, SSDA903 of 2026 (both as public LA
pipelines read them), NCCIS client records of 2022, SEN2 person-level tables of 2025; layouts that no
national return fixes (registers, suspensions, spell lists, results) are of our own choosing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from riskmodel.data.tables import Tables
from riskmodel.simulate.returns.census import censuses
from riskmodel.simulate.returns.people import make_people
from riskmodel.simulate.returns.reference import schools, term_dates
from riskmodel.simulate.returns.schools import exclusions, registers, results
from riskmodel.simulate.returns.services import nccis, sen2, social_care, spell_lists

__all__ = ["write_returns"]


def write_returns(tables: Tables, folder: Path, *, seed: int) -> dict[str, int]:
    """Write the returns.

    Parameters
    ----------
    tables : Tables
        A simulated LA.
    folder : Path
        An empty folder.
    seed : int
        Seed of what the tables do not hold: serial numbers, days of birth, missing links.

    Returns
    -------
    dict of str to int
        File → rows.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(6)[5])
    people = make_people(tables, rng)
    rows = {}
    for name, frame in _files(tables, people, rng):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            frame.to_parquet(path, index=False)
        else:
            frame.to_csv(path, index=False)
        rows[name] = len(frame)
    return rows


def _files(
    tables: Tables, people: pd.DataFrame, rng: np.random.Generator
) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "schools.csv", schools(tables)
    yield "term_dates.csv", term_dates(tables)
    yield "postcodes.csv", people[["postcode", "idaci_decile", "imd_decile"]].drop_duplicates()
    yield from censuses(tables, people)
    yield from registers(tables, people)
    yield "exclusions.csv", exclusions(tables, people)
    yield from sen2(tables, people)
    yield from social_care(tables, people, rng)
    yield from spell_lists(tables, people)
    yield from nccis(tables, people, rng)
    yield from results(tables, people)
