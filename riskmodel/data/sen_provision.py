"""What SEN provision a pupil has on a day, and for which need.

In:  spells of SEN provision, pupils, a day.
Out: one provision and one pair of needs per pupil.
"""

from __future__ import annotations

import pandas as pd

__all__ = ["EHC_PLAN", "SEN_SUPPORT", "provision_before", "provision_on"]

SEN_SUPPORT, EHC_PLAN = "K", "E"
"""Codes of provision (DfE, School Census, SEN provision)."""

COLUMNS = ["provision", "primary_need", "secondary_need"]


def provision_on(send: pd.DataFrame, pupils: pd.Series, *, day: pd.Timestamp) -> pd.DataFrame:
    """Return the SEN provision and the needs of each pupil on a day.

    A spell counts if it is in force: it has begun by the day and has not ended before it. Its last day
    belongs to it, and a spell whose end is not known goes on. Of several in force an EHC plan outranks
    SEN support, since a plan takes the place of support. Of two of a kind the one begun last counts.
    The needs are those of the spell that counts, also where it states none. A spell of no provision
    (``N``) neither counts nor ends another.

    Parameters
    ----------
    send : DataFrame
        Rows of ``send``. For a list of the day give what was known by then
        (:meth:`riskmodel.data.Tables.as_known`).
    pupils : Series of shape (n_rows,)
        ``pupil_id`` of the pupils asked for; a pupil may come twice.
    day : Timestamp
        The day.

    Returns
    -------
    DataFrame
        Aligned with ``pupils``: ``provision`` (:data:`SEN_SUPPORT`, :data:`EHC_PLAN`, or missing where
        the pupil has none), ``primary_need`` and ``secondary_need``, missing where the spell states none.

    Examples
    --------
    >>> day = pd.to_datetime(["2022-09-01", "2024-09-01"])
    >>> send = pd.DataFrame(
    ...     {"pupil_id": ["a", "a"], "start_date": day, "end_date": pd.NaT, "provision": ["E", "K"],
    ...      "primary_need": ["ASD", "SEMH"], "secondary_need": None}
    ... )
    >>> found = provision_on(send, pd.Series(["a", "b"]), day=pd.Timestamp("2025-01-15"))
    >>> found[["provision", "primary_need"]].fillna("none").values.tolist()
    [['E', 'ASD'], ['none', 'none']]
    """
    in_force = (send["start_date"] <= day) & ~(send["end_date"] < day)
    counts = send["provision"].isin([SEN_SUPPORT, EHC_PLAN])
    spells = send[(in_force & counts).to_numpy()]
    is_plan = (spells["provision"] == EHC_PLAN).to_numpy()
    # no pupil has two spells of one first day, so that the order is whole
    ordered = spells.assign(is_plan=is_plan).sort_values(["is_plan", "start_date"])
    last = ordered.drop_duplicates("pupil_id", keep="last")
    place = pd.Index(last["pupil_id"]).get_indexer(pd.Index(pupils))
    return last[COLUMNS].reset_index(drop=True).reindex(place).set_axis(pupils.index)


def provision_before(send: pd.DataFrame, pupils: pd.Series, *, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the SEN provision and the needs of each pupil for a list of a day.

    As :func:`provision_on`, but a spell that begins on the day does not count yet: like every other fact
    of a list, it must have happened before.

    Parameters
    ----------
    send : DataFrame
        Rows of ``send`` that were known before the day.
    pupils : Series of shape (n_rows,)
        ``pupil_id`` of the pupils asked for; a pupil may come twice.
    as_of : Timestamp
        The day of the list.

    Returns
    -------
    DataFrame
        As :func:`provision_on`.

    Examples
    --------
    >>> send = pd.DataFrame(
    ...     {"pupil_id": ["a"], "start_date": pd.to_datetime(["2025-09-01"]), "end_date": pd.NaT,
    ...      "provision": ["K"], "primary_need": ["SEMH"], "secondary_need": None}
    ... )
    >>> for day in ("2025-09-01", "2025-09-02"):
    ...     found = provision_before(send, pd.Series(["a"]), as_of=pd.Timestamp(day))
    ...     found["provision"].fillna("none").tolist()
    ['none']
    ['K']
    """
    begun = send[(send["start_date"] < as_of).to_numpy()]
    return provision_on(begun, pupils, day=as_of)
