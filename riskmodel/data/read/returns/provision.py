"""SEN provision over time, from what each census saw and from plans, in the order it became known.

In:  census observations, plans and needs as typed facts.
Out: spells of provision; which rows of which file are in them.

Every spell is made of facts that were known when it was recorded, and ends with a fact that was known
when its end was: a later return changes nothing that was known before it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import pupils_of
from riskmodel.data.data_span import APART_DAYS, HANDFUL
from riskmodel.data.read.returns.row_verdicts import ORIGIN, RowVerdicts
from riskmodel.data.read.rows.versions import CONFLICTING, KEPT, MERGED
from riskmodel.data.schema import TABLES, as_codes

__all__ = ["far_plans", "first_plans", "latest_fact", "provision_spells"]

NEED = ["primary_need", "secondary_need"]

DAY = pd.Timedelta(days=1)

LONGEST_REQUEST = pd.Timedelta(days=730)
"""A plan that begins later than this after a request did not come from it."""


def provision_spells(
    facts: pd.DataFrame, needs: pd.DataFrame, latest: pd.Timestamp, verdicts: RowVerdicts
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Build spells of provision.

    Parameters
    ----------
    facts : DataFrame
        Rows of ``send`` with ``_file``, ``_place``; ``_plan`` marks plans of SEN2, the others hold what a
        census saw on its day.
    needs : DataFrame
        ``pupil_id``, ``primary_need``, ``secondary_need``, the census day as ``start_date`` (missing for
        SEN2, whose needs are not dated), ``_file``, ``_place``.
    latest : Timestamp
        From :func:`latest_fact`.
    verdicts : RowVerdicts
        Gets a verdict on each fact that begins no spell.

    Returns
    -------
    spells : DataFrame
        Rows of ``send`` with their origin, one per pupil and first day.
    used : DataFrame
        ``_file``, ``_place`` of the needs.

    Notes
    -----
    The facts of a pupil are taken in the order they became known. A census that sees another provision or
    need than the one before begins a new spell. While a plan of SEN2 runs it is what counts, whatever the
    census calls it; outside that time the census does. A fact about a day before one already recorded is
    passed over, but its need is kept in mind. Needs of SEN2 are known from the day on which the latest
    of all facts became known, and count where no census had stated a need. Of two needs of one rank the
    first in the order of the code set counts.
    """
    plan = _is_plan(facts)
    dated = needs[needs["start_date"].notna()] if "start_date" in needs else needs.iloc[:0]
    undated = needs[~needs.index.isin(dated.index)]
    events = pd.concat(
        [
            _with_needs(facts[~plan], dated, verdicts),
            *_plan_events(facts[plan], verdicts),
            _undated_needs(undated, facts, latest, verdicts),
        ],
        ignore_index=True,
    )
    # a plan ends before the next one begins on the same day
    events = events.sort_values(
        ["pupil_id", "recorded_on", "start_date", "_open", *ORIGIN], kind="stable"
    )
    events = _in_plans(events)
    pupil = pd.Series(pupils_of(events), index=events.index)
    # a need that is stated takes the place of both needs stated before
    n_stated = events["primary_need"].notna().groupby(pupil).cumsum()
    remembered = {
        name: events[name].astype("object").groupby([pupil, n_stated]).ffill() for name in NEED
    }
    events = events.assign(**remembered)
    events["provision"] = events["provision"].astype("object").mask(_runs(events, pupil), "E")
    start = events["start_date"]
    in_time = (start >= start.groupby(pupil).cummax()).to_numpy()
    _judge(events, in_time, verdicts)
    spells = _spells(events[in_time])
    for name in ("provision", *NEED):
        spells[name] = as_codes(spells[name], TABLES["send"][name].allowed)
    return spells, needs[ORIGIN]


def first_plans(plans: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Give each request that ended with a plan the first one that followed.

    Parameters
    ----------
    plans : DataFrame
        Rows of ``plans``.
    facts : DataFrame
        As in :func:`provision_spells`; only plans of SEN2 hold the day they began.

    Returns
    -------
    DataFrame
        The rows with ``plan_on``, missing where no plan began within :data:`LONGEST_REQUEST`.
    """
    starts = facts.loc[_is_plan(facts), ["pupil_id", "start_date"]].sort_values("start_date")
    asked = plans.sort_values("requested_on").drop(columns="plan_on")
    joined = pd.merge_asof(
        asked.assign(_pupil=pupils_of(asked)),
        starts.assign(_pupil=pupils_of(starts))[["_pupil", "start_date"]],
        left_on="requested_on",
        right_on="start_date",
        by="_pupil",
        direction="forward",
        tolerance=LONGEST_REQUEST,
    )
    issued = joined["outcome"] == "issued"
    return joined.assign(plan_on=joined["start_date"].where(issued)).drop(
        columns=["_pupil", "start_date"]
    )


def _is_plan(facts: pd.DataFrame) -> pd.Series:
    if "_plan" not in facts:
        return pd.Series(False, index=facts.index)
    return facts["_plan"].eq(True)


def _judge(events: pd.DataFrame, in_time: NDArray[np.bool_], verdicts: RowVerdicts) -> None:
    """Add a verdict on facts: those that change what holds are of use, others are equal or came too late."""
    place, pupil = np.arange(len(events)), pupils_of(events)
    before = np.maximum.accumulate(np.where(in_time, place, -1))
    before = np.append(-1, before[:-1])[: len(events)]  # the last fact in time before each
    before = np.where((before >= 0) & (pupil[before] == pupil), before, -1)
    codes = np.column_stack([pd.factorize(events[c])[0] for c in ("provision", *NEED)])
    same = (before >= 0) & (codes == codes[before]).all(axis=1)
    late = ~in_time & ~same & (codes[:, 0] != codes[before, 0])
    verdicts.add("send", events[in_time & ~same], KEPT)
    verdicts.add("send", events[late], CONFLICTING, events.iloc[before[late]], "provision")
    rest = same | (~in_time & ~late)
    verdicts.add("send", events[rest], MERGED)


def _judge_repeats(
    rows: pd.DataFrame, keys: list[str], column: str, verdicts: RowVerdicts
) -> NDArray[np.bool_]:
    """Return which rows repeat the key of the one before; add whether they equal the first."""
    repeats = rows.duplicated(keys).to_numpy()
    first = np.maximum.accumulate(np.where(repeats, 0, np.arange(len(rows))))
    codes = pd.factorize(rows[column])[0]
    differs = repeats & (codes != codes[first]) & (codes >= 0)
    verdicts.add("send", rows[differs], CONFLICTING, rows.iloc[first[differs]], column)
    verdicts.add("send", rows[repeats & ~differs], MERGED)
    return repeats


def _with_needs(seen: pd.DataFrame, dated: pd.DataFrame, verdicts: RowVerdicts) -> pd.DataFrame:
    """Return what each census saw, once, with the needs of the same census.

    Of two schools that see a pupil on one day, the one that provides more counts.
    """
    ordered = seen.sort_values(
        ["pupil_id", "start_date", "provision", *ORIGIN],
        ascending=[True, True, False, True, True],
        kind="stable",
    )
    keys = ["pupil_id", "start_date"]
    once = ordered[~_judge_repeats(ordered, keys, "provision", verdicts)].drop(columns=NEED)
    needs = _one_of_each_rank(dated, keys, verdicts)
    return once.merge(needs, on=keys, how="left")


def _one_of_each_rank(needs: pd.DataFrame, keys: list[str], verdicts: RowVerdicts) -> pd.DataFrame:
    """Return a primary and a secondary need per key; each need comes in a row of its own."""
    if needs.empty:
        return needs[[*keys, *NEED]].astype(dict.fromkeys(NEED, "object"))
    found = []
    for name in NEED:
        ordered = needs[needs[name].notna()].sort_values([*keys, name, *ORIGIN], kind="stable")
        once = ordered[~_judge_repeats(ordered, keys, name, verdicts)]
        found.append(once[[*keys, name]].astype({name: "object"}))
    return found[0].merge(found[1], on=keys, how="outer")


def _plan_events(plans: pd.DataFrame, verdicts: RowVerdicts) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the beginnings of plans, and the ends after which no other plan runs on."""
    if plans.empty:
        none = plans.assign(provision="E", _open=1.0)
        return none, none
    keys = ["pupil_id", "start_date"]
    ordered = plans.sort_values([*keys, "end_recorded_on", *ORIGIN], kind="stable")
    # a plan comes in the return of each year; the one in which it had ceased holds the day
    once = ordered[~_judge_repeats(ordered, keys, "end_date", verdicts)]
    pairs = (
        once[["pupil_id", "end_date"]]
        .reset_index(names="row")
        .merge(once[["pupil_id", "start_date", "end_date"]], on="pupil_id", suffixes=("", "_other"))
    )
    covered = (pairs["start_date"] <= pairs["end_date"]) & ~(
        pairs["end_date_other"] <= pairs["end_date"]
    )
    last = once["end_date"].notna() & ~once.index.isin(pairs.loc[covered, "row"])
    ends = once[last].assign(provision="N", _open=0.0)
    ends = ends.assign(start_date=ends["end_date"] + DAY, recorded_on=ends["end_recorded_on"])
    return once.assign(provision="E", _open=1.0), ends


def _undated_needs(
    undated: pd.DataFrame, facts: pd.DataFrame, latest: pd.Timestamp, verdicts: RowVerdicts
) -> pd.DataFrame:
    """Return the needs without a day as events of the day on which the latest fact became known.

    Nothing shows that they were known before. The day is the same for all pupils, so that whether a need
    is known on an earlier day does not depend on what became of the pupil later. A few plans far after
    all other facts, as a typing error makes them, do not move it.
    """
    if undated.empty or facts.empty:
        return undated.iloc[:0].assign(_undated=True)
    day = facts.loc[~far_plans(facts, latest), "recorded_on"].max()
    needs = _one_of_each_rank(undated, ["pupil_id"], verdicts)
    origin = undated.drop_duplicates("pupil_id")[["pupil_id", *ORIGIN]]
    needs = needs.merge(origin, on="pupil_id", how="left")
    return needs.assign(start_date=day, recorded_on=day, provision="E", _undated=True)


def latest_fact(facts: Mapping[str, pd.DataFrame]) -> pd.Timestamp:
    """Return the latest day on which any fact but a plan of SEN2 became known.

    Parameters
    ----------
    facts : mapping of str to DataFrame
        Typed rows by table.

    Returns
    -------
    Timestamp
        Missing where there is no fact with a day.
    """
    days = [
        (part[~_is_plan(part)] if name == "send" else part)["recorded_on"].max()
        for name, part in facts.items()
        if "recorded_on" in part
    ]
    return pd.Series(days, dtype="datetime64[s]").max()


def far_plans(facts: pd.DataFrame, latest: pd.Timestamp) -> pd.Series:
    """Return which plans are known long after all other facts, where these are few.

    Parameters
    ----------
    facts : DataFrame
        As in :func:`provision_spells`.
    latest : Timestamp
        Latest day on which any fact but a plan became known; missing where there is none.

    Returns
    -------
    Series of bool
        All False where more than :data:`~riskmodel.data.data_span.HANDFUL` are.
    """
    is_far = _is_plan(facts) & (facts["recorded_on"] > latest + pd.Timedelta(days=APART_DAYS))
    return is_far & (is_far.sum() <= HANDFUL)


def _in_plans(events: pd.DataFrame) -> pd.DataFrame:
    """Put needs without a day into the plan that begins on their day, or keep them while a plan runs.

    They are left out where a need was known before, and where no plan runs on their day.
    """
    is_undated = events["_undated"].eq(True)
    if not is_undated.any():
        return events
    pupil = pd.Series(pupils_of(events), index=events.index)
    stated = (events["primary_need"].notna() & ~is_undated).groupby(pupil).cumsum()
    counts = is_undated & (stated == 0) & _runs(events, pupil)
    before = events.shift()
    same_day = (pupil == pupil.shift()) & (events["start_date"] == before["start_date"])
    joins = counts & same_day & (before["_open"] == 1)
    filled = joins.shift(-1, fill_value=False)
    after = events[NEED].shift(-1)
    needs = {name: events[name].astype("object").mask(filled, after[name]) for name in NEED}
    return events.assign(**needs)[~is_undated | (counts & ~joins)]


def _runs(events: pd.DataFrame, pupil: pd.Series) -> pd.Series:
    """Whether a plan runs from the day of each event."""
    return events["_open"].groupby(pupil).ffill() == 1


def _spells(events: pd.DataFrame) -> pd.DataFrame:
    """Join equal facts into spells, each ending the day before the next one begins."""
    state = np.column_stack(
        [
            pupils_of(events),
            *[pd.factorize(events[name])[0] for name in ("provision", *NEED)],
        ]
    )
    begins = np.append(True, (np.diff(state, axis=0) != 0).any(axis=1))[: len(events)]
    spells = events[begins]
    pupil = pd.Series(pupils_of(spells), index=spells.index)
    follows = pupil == pupil.shift(-1)
    spells = spells.assign(
        end_date=(spells["start_date"].shift(-1) - DAY).where(follows),
        end_recorded_on=spells["recorded_on"].shift(-1).where(follows),
    )
    spells = spells[(spells["provision"] != "N").to_numpy()]
    # two facts of one day: the second counts from the day after
    nth = spells.groupby(["pupil_id", "start_date"], observed=True).cumcount()
    spells = spells.assign(start_date=spells["start_date"] + pd.to_timedelta(nth, unit="D"))
    ended = spells["end_date"].notna()
    spells["end_date"] = spells[["start_date", "end_date"]].max(axis=1).where(ended)
    spells = spells.drop_duplicates(["pupil_id", "start_date"])
    dates = ["start_date", "end_date", "recorded_on", "end_recorded_on"]
    return spells.astype(dict.fromkeys(dates, "datetime64[s]"))
