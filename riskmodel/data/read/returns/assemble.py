"""From facts of many files to one table each: what came twice is merged, what is implied is derived.

In:  typed facts per table with the file and row they came from.
Out: tables of the schema; which rows of which file are in them, and a verdict on each of the others.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.read.returns.circumstance_spells import circumstance_spells
from riskmodel.data.read.returns.enrolment_spells import enrolment_spells, leaving_reasons
from riskmodel.data.read.returns.presence import with_presence
from riskmodel.data.read.returns.provision import first_plans, latest_fact, provision_spells
from riskmodel.data.read.returns.pupil_rows import pupil_rows
from riskmodel.data.read.returns.row_verdicts import ORIGIN, RowVerdicts, keep_versions
from riskmodel.data.read.returns.term_totals import add_up, one_source_per_term
from riskmodel.data.read.rows.rules import in_order, whole_numbers
from riskmodel.data.read.rows.versions import KEPT, MERGED
from riskmodel.data.read.sources.source import school_year
from riskmodel.data.schema import TABLES, as_codes

__all__ = ["assemble"]


def assemble(
    facts: dict[str, pd.DataFrame], pupils: pd.CategoricalDtype
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, pd.DataFrame]:
    """Build the tables.

    Parameters
    ----------
    facts : dict of str to DataFrame
        Typed rows with ``_file`` and ``_place``.
    pupils : CategoricalDtype
        Everyone there is.

    Returns
    -------
    frames : dict of str to DataFrame
        Tables in the schema's order.
    used : DataFrame
        ``_file``, ``_place`` of the rows that are in a table.
    verdicts : DataFrame
        From :meth:`~riskmodel.data.read.returns.row_verdicts.RowVerdicts.frame`: rows that equal others or
        contradict them.
    """
    verdicts = RowVerdicts()
    typed = {
        name: frame.assign(pupil_id=frame["pupil_id"].astype("str").astype(pupils))
        if "pupil_id" in frame and frame["pupil_id"].dtype != pupils
        else frame
        for name, frame in facts.items()
    }
    needs, possible = typed.pop("needs", None), typed.pop("possible", None)
    if "absence_totals" in typed:
        typed["absence_totals"], possible = one_source_per_term(
            typed["absence_totals"], possible, verdicts
        )
    built = {
        name: BUILD.get(name, keep_versions)(frame, name, verdicts)
        for name, frame in typed.items()
        if name != "send"  # provision_spells decides on all of its rows
    }
    used = []
    if possible is not None and "absence_totals" in built:
        built["absence_totals"] = with_presence(built["absence_totals"], possible)
    if "send" in typed:
        none = typed["send"].iloc[:0]
        built["send"], needs_used = provision_spells(
            typed["send"], none if needs is None else needs, latest_fact(typed), verdicts
        )
        used.append(needs_used)
    if "enrolments" in built:
        built["enrolments"] = leaving_reasons(built["enrolments"], built)
    if "plans" in built and "send" in built:
        built["plans"] = first_plans(built["plans"], typed["send"])
    if "calendar" not in built and "sessions" in built:
        built["calendar"] = _calendar(built["sessions"])
    if "schools" not in built and "enrolments" in built:
        built["schools"] = _schools(built["enrolments"])
    used += [frame[ORIGIN] for frame in built.values() if "_file" in frame]
    frames = {}
    for name in TABLES:
        if name in built:
            frame = whole_numbers(TABLES[name], built[name][TABLES[name].names])
            frames[name] = in_order(TABLES[name], frame)
    return frames, pd.concat(used).astype("int64").drop_duplicates(), verdicts.frame()


def _suspensions(frame: pd.DataFrame, name: str, verdicts: RowVerdicts) -> pd.DataFrame:
    """Keep the versions of each row, and the day on which any row reported the pupil reinstated."""
    key = list(TABLES[name].key)
    reinstated = frame.loc[frame["reinstated_on"] >= frame["start_date"]]
    known = reinstated[["reinstated_on", "recorded_on"]].max(axis=1)
    reinstated = reinstated.assign(reinstated_on=known).sort_values(["reinstated_on", *ORIGIN])
    reinstated = reinstated.drop_duplicates(key)
    verdicts.add(name, reinstated, KEPT)
    first = reinstated[[*key, "reinstated_on"]].astype({"reinstated_on": "datetime64[s]"})
    compared = ["sessions", *[f"reason_{i}" for i in (1, 2, 3)]]
    if frame["school_id"].str.len().nunique() == 1:  # else URNs beside establishment numbers
        compared = ["school_id", *compared]
    made = keep_versions(frame.drop(columns="reinstated_on"), name, verdicts, compared)
    return made.merge(first, on=key, how="left")


def _plans(frame: pd.DataFrame, name: str, verdicts: RowVerdicts) -> pd.DataFrame:
    """Keep of each request the row that holds its decision: every return repeats the request."""
    key = list(TABLES[name].key)
    first = frame.groupby(key, observed=True)["recorded_on"].transform("min")
    return keep_versions(frame.assign(recorded_on=first), name, verdicts)


def _homes(frame: pd.DataFrame, name: str, verdicts: RowVerdicts) -> pd.DataFrame:
    """Keep the first time a pupil is seen in a neighbourhood of another decile.

    A row without a decile changes no home that is known: its postcode is empty, or none of the lookup.
    """
    versions = keep_versions(frame, name, verdicts)
    ordered = versions.sort_values(
        ["pupil_id", "start_date", "recorded_on", *ORIGIN], kind="stable"
    )
    pupil = ordered["pupil_id"].astype("str")
    decile = ordered.groupby("pupil_id", observed=True)["idaci_decile"].ffill().fillna(-1)
    change = (pupil != pupil.shift()) | (decile != decile.shift())
    is_known = ordered["idaci_decile"].notna() | (decile == -1)
    verdicts.add(name, ordered[~change & is_known], MERGED)
    verdicts.add(name, ordered[~is_known], KEPT)
    return ordered[change]


def _calendar(sessions: pd.DataFrame) -> pd.DataFrame:
    """Derive school days from the registers: half-terms are parted by gaps of five days or more.

    That a day was a school day is known when its first mark is. Terms follow from the date alone (to
    December, to Easter, to summer), so that no mark that is recorded later moves another day.
    """
    first_recorded = sessions.groupby("date")["recorded_on"].min()
    days = pd.Series(first_recorded.index, dtype="datetime64[s]")
    year = school_year(days)
    gap = (days.diff() >= pd.Timedelta(days=5)) | (year != year.shift())
    number = gap.cumsum()
    half = number.groupby(year).transform(lambda part: part - part.iloc[0]).clip(0, 5)
    easter = {y: pd.Timestamp(y, 1, 1) + pd.offsets.Easter() for y in days.dt.year.unique()}
    until = days.dt.year.map(easter).astype("datetime64[s]")
    name = np.where(days < until, "spring", "summer")
    name = np.where(days.dt.month >= 9, "autumn", name)
    term = as_codes(name.astype(object), TABLES["calendar"]["term"].allowed)
    return pd.DataFrame(
        {
            "date": days,
            "term": term,
            "half_term": half + 1,
            "first_marked_on": first_recorded.to_numpy(),
        }
    )


def _schools(enrolments: pd.DataFrame) -> pd.DataFrame:
    """List the schools that rolls name, where no register of schools was given."""
    names = pd.Series(sorted(enrolments["school_id"].unique()), dtype="str")
    empty: NDArray[np.object_] = np.full(len(names), None, dtype=object)
    return pd.DataFrame(
        {
            "school_id": names,
            "urn": names,
            "name": pd.array(empty, dtype="str"),
            "phase": as_codes(["all_through"] * len(names), TABLES["schools"]["phase"].allowed),
            "kind": as_codes(["mainstream"] * len(names), TABLES["schools"]["kind"].allowed),
            "local_authority": pd.array(empty, dtype="str"),
        }
    )


BUILD: dict[str, Callable[[pd.DataFrame, str, RowVerdicts], pd.DataFrame]] = {
    "pupils": pupil_rows,
    "enrolments": enrolment_spells,
    "suspensions": _suspensions,
    "absence_totals": add_up,
    "plans": _plans,
    "circumstances": circumstance_spells,
    "neighbourhood": _homes,
}
"""Tables that need more than the versions of each key."""
