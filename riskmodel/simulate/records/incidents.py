"""Suspensions and permanent exclusions, with the reasons that schools gave.

In:  the events of every pupil, and a random generator.
Out: the ``suspensions`` table.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.simulate.calendar import SchoolCalendar
from riskmodel.simulate.parameters import Preset, parameters_under
from riskmodel.simulate.records.columns import coded
from riskmodel.simulate.shapes import Ints

__all__ = ["shares_of_all_reasons", "suspensions_table"]

GIVEN = (1.0, 0.25, 0.05)
"""Share of events with a first, second and third reason; chosen."""


def suspensions_table(
    ids: pd.Categorical,
    names: NDArray[np.object_],
    events: dict[str, Ints],
    calendar: SchoolCalendar,
    preset: Preset,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the ``suspensions`` table.

    Parameters
    ----------
    ids : Categorical
        Pseudonyms.
    names : object array of shape (n_schools,)
        ``school_id`` by number.
    events : dict of str to int array of shape (n_events,)
        ``pupil``, ``day`` (number of the school day), ``days`` (0 for permanent), ``school``.
    calendar : SchoolCalendar
        School days.
    preset : str
        ``"england"`` or ``"bcp"``.
    rng : Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        Suspensions and permanent exclusions, recorded 1 to 14 days later.
    """
    n = len(events["pupil"])
    permanent = events["days"] == 0
    reasons = _reasons(permanent, preset, rng)
    start = calendar.days.astype("datetime64[s]")[events["day"]]
    lag = rng.integers(1, 15, n).astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "pupil_id": ids[events["pupil"]],
            "school_id": pd.array(names[events["school"]], dtype="str"),
            "start_date": start,
            "sessions": np.where(permanent, np.nan, 2.0 * events["days"]),
            "category": coded("suspensions", "category", np.where(permanent, "PERM", "SUSP")),
            **reasons,
            "recorded_on": start + lag,
            "reinstated_on": pd.array([pd.NaT] * n, dtype="datetime64[s]"),
        }
    )


def _reasons(
    permanent: NDArray[np.bool_], preset: Preset, rng: np.random.Generator
) -> dict[str, pd.Categorical]:
    """Draw one to three different reasons for each event."""
    reasons = np.full((len(GIVEN), len(permanent)), "", dtype=object)
    for event, rows in (("susp", ~permanent), ("pex", permanent)):
        shares = shares_of_all_reasons(event, preset)
        codes, p = np.array(list(shares), dtype=object), np.array(list(shares.values()))
        for rank, share in enumerate(GIVEN):
            given = rows & (rng.random(len(rows)) < share)
            reasons[rank, given] = codes[rng.choice(len(codes), int(given.sum()), p=p / p.sum())]
    first, second, third = reasons
    second[second == first] = ""
    third[(third == first) | (third == second) | (second == "")] = ""
    names = [f"reason_{rank}" for rank in (1, 2, 3)]
    return {
        name: coded("suspensions", name, given) for name, given in zip(names, reasons, strict=True)
    }


def shares_of_all_reasons(event: str, preset: Preset) -> dict[str, float]:
    """Return shares of reasons; where the preset sets one, the others keep their proportion.

    Parameters
    ----------
    event : str
        ``"susp"`` or ``"pex"``.
    preset : str
        ``"england"`` or ``"bcp"``.

    Returns
    -------
    dict of str to float
        Reason code → percent.

    Examples
    --------
    >>> shares = shares_of_all_reasons("susp", "bcp")
    >>> round(sum(shares.values()), 6), max(shares, key=shares.get)
    (100.0, 'DB')
    """
    national, ours = (parameters_under(f"{event}.reason", name) for name in ("england", preset))
    fixed = {code: value for code, value in ours.items() if value != national[code]}
    rest = sum(value for code, value in national.items() if code not in fixed)
    scale = (100 - sum(fixed.values())) / rest
    return {code: fixed.get(code, value * scale) for code, value in national.items()}
