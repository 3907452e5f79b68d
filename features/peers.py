"""Peers: whole numbers of all pupils on a roll on a day, added up by school and by year group.

In:  what was known of everyone on a day.
Out: sums from which a pupil's own numbers can be taken away again. Whole numbers add up to the same
whatever part of the pupils is counted first, so that engines that split the pupils agree to the bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.codes import PERSISTENT
from riskmodel.data.sen_provision import EHC_PLAN, SEN_SUPPORT
from riskmodel.features import windows
from riskmodel.features.register import REGISTER_DAYS

if TYPE_CHECKING:
    from riskmodel.features.facts_as_of import FactsAsOf

__all__ = ["count_peers", "numbers_of", "others"]


def count_peers(known: FactsAsOf) -> dict[str, pd.DataFrame]:
    """Add up the numbers of everyone on a roll.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    dict of str to DataFrame
        ``"school"`` (index: school) and ``"year_group"`` (index: year group): one int64 column per
        number, ``pupils`` first. Numbers whose table is not there are left out.
    """
    if "enrolments" not in known.tables:
        return {}
    numbers, roll = known.numbers, known.roll
    by = {}
    for key in ("school_id", "year_group"):
        once = roll.drop_duplicates(["pupil", key])
        rows = numbers.iloc[once["pupil"].to_numpy()].reset_index(drop=True)
        by[key] = rows.groupby(once[key].to_numpy()).sum()
    school = by["school_id"]
    if "suspensions" in known.tables:
        counts = {
            name: facts["school_id"].value_counts() for name, facts in _incidents(known).items()
        }
        school = school.join(pd.DataFrame(counts), how="outer").fillna(0).astype(np.int64)
    return {"school": school, "year_group": by["year_group"]}


def others(known: FactsAsOf, kind: str) -> dict[str, NDArray[np.float64]]:
    """Return the sums of a pupil's peers, the pupil left out.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day, with its peers.
    kind : str
        ``"school"`` or ``"year_group"``.

    Returns
    -------
    dict of str to float array of shape (n_rows,)
        Number → one value per row of the spine; nan where the school or year group has no roll.
    """
    key = {"school": "school_id", "year_group": "year_group"}[kind]
    wanted = known.spine[key]
    sums = known.sums[kind].reindex(wanted.to_numpy())
    on_roll = known.roll.drop_duplicates(["pupil", key])
    there = pd.MultiIndex.from_arrays([on_roll["pupil"], on_roll[key]])
    counted = pd.MultiIndex.from_arrays([known.rows, wanted]).isin(there)
    own = known.numbers.iloc[known.rows]
    made = {}
    for name in own:
        made[str(name)] = sums[name].to_numpy(dtype=float) - np.where(counted, own[name], 0)
    by_incident = kind == "school" and "suspensions" in known.tables
    for name, facts in (_incidents(known) if by_incident else {}).items():
        pairs = facts.groupby(["pupil_id", "school_id"], observed=True).size()
        mine = known.spine[["pupil_id", "school_id"]].merge(
            pairs.rename("own").reset_index(), on=["pupil_id", "school_id"], how="left"
        )
        made[name] = sums[name].to_numpy(dtype=float) - mine["own"].fillna(0).to_numpy(dtype=float)
    return made


def numbers_of(known: FactsAsOf) -> pd.DataFrame:
    """Return the numbers of every pupil, in the spine or not.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    DataFrame
        One row per pupil number, one int64 column per number.
    """
    everyone = known.everyone
    columns: dict[str, NDArray[np.float64]] = {"pupils": np.ones(len(everyone.rows))}
    if everyone.register is not None:
        absent, possible = (
            everyone.half_days(name, REGISTER_DAYS) for name in ("absence", "possible")
        )
        rate = windows.share(absent, possible)
        columns |= {
            "absent": absent, "possible": possible,
            "unauthorised": everyone.half_days("unauthorised", REGISTER_DAYS),
            "registered": (possible > 0).astype(float), "persistent": (rate >= PERSISTENT).astype(float),
            "absent_lately": everyone.half_days("absence", 20),
            "possible_lately": everyone.half_days("possible", 20),
        }  # fmt: skip
    if "send" in everyone.tables:
        for name, code in (("sen_support", SEN_SUPPORT), ("ehc_plan", EHC_PLAN)):
            columns[name] = (everyone.provision["provision"] == code).to_numpy(dtype=float)
    if "circumstances" in everyone.tables:
        is_fsm = (everyone.tables["circumstances"]["kind"] == "fsm").to_numpy()
        columns["fsm"] = everyone.in_spell("circumstances", is_fsm)
    if "suspensions" in everyone.tables:
        is_suspension = (everyone.tables["suspensions"]["category"] == "SUSP").to_numpy()
        lately = everyone.events("suspensions", "start_date", is_suspension).count(365)
        columns["suspended"] = (lately > 0).astype(float)
    return pd.DataFrame(columns).astype(np.int64)


def _incidents(known: FactsAsOf) -> dict[str, pd.DataFrame]:
    """Return the facts that count for a school, whether or not the pupil is still there."""
    facts = known.tables["suspensions"]
    age = (known.as_of - facts["start_date"]).dt.days
    suspension = (facts["category"] == "SUSP") & (age > 0)
    return {
        "suspensions_3": facts[suspension & (age <= 91)],
        "suspensions_12": facts[suspension & (age <= 365)],
        "exclusions": facts[(facts["category"] == "PERM") & (age > 0)],
    }
