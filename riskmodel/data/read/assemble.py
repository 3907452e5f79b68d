"""From facts of many files to one table each: what came twice is merged, what is implied is derived.

In:  typed facts per table with the file and row they came from.
Out: tables of the schema; which rows of which file are in them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import pupils_of
from riskmodel.data.read.rules import in_order
from riskmodel.data.read.sources.source import school_year
from riskmodel.data.schema import NOT_KNOWN, TABLES, as_codes

__all__ = ["assemble"]

ORIGIN = ["_file", "_place"]

SOON = pd.Timedelta(days=75)
"""A roll that follows within these days, over a summer at most, explains the end of the one before."""


def assemble(
    facts: dict[str, pd.DataFrame], pupils: pd.CategoricalDtype
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
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
    """
    typed = {
        name: frame.assign(pupil_id=frame["pupil_id"].astype("str").astype(pupils))
        if "pupil_id" in frame and frame["pupil_id"].dtype != pupils
        else frame
        for name, frame in facts.items()
    }
    needs = typed.pop("needs", pd.DataFrame({name: [] for name in ("pupil_id", *ORIGIN)}))
    built = {name: BUILD.get(name, _first_of_key)(frame, name) for name, frame in typed.items()}
    if "send" in built:
        built["send"], needs_used = _send(typed["send"], needs)
    else:
        needs_used = needs[ORIGIN].iloc[:0]
    if "enrolments" in built:
        built["enrolments"] = _leaving_reasons(built["enrolments"], built)
    if "plans" in built and "send" in built:
        built["plans"] = _plan_days(built["plans"], built["send"])
    if "calendar" not in built and "sessions" in built:
        built["calendar"] = _calendar(built["sessions"])
    if "schools" not in built and "enrolments" in built:
        built["schools"] = _schools(built["enrolments"])
    used = pd.concat([frame[ORIGIN] for frame in built.values() if "_file" in frame] + [needs_used])
    used = used.astype("int64").drop_duplicates()
    frames = {}
    for name in TABLES:
        if name in built:
            frame = built[name].drop(columns=[c for c in built[name] if str(c).startswith("_")])
            integers = {c.name: "int64" for c in TABLES[name].columns if c.kind == "integer"}
            frames[name] = in_order(TABLES[name], frame[TABLES[name].names].astype(integers))
    return frames, used


def _first_of_key(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Keep the row of each key that was known first."""
    by = [c for c in ("recorded_on",) if c in frame]
    return frame.sort_values([*by, *ORIGIN], kind="stable").drop_duplicates(list(TABLES[name].key))


def _pupils(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Take from each pupil's rows the latest value that is known."""
    ordered = frame.sort_values(["pupil_id", "_day", *ORIGIN], kind="stable")
    columns = TABLES[name].names[1:]
    plain = ordered.assign(
        **{c: ordered[c].astype("object").where(ordered[c] != NOT_KNOWN) for c in columns}
    )
    last = plain.groupby("pupil_id", observed=True)[columns].last()
    row = ordered.drop_duplicates("pupil_id", keep="last").set_index("pupil_id")
    made = row[ORIGIN].join(last).reset_index()
    for column in TABLES[name].columns[1:]:
        if column.kind == "code":
            values = pd.Series(made[column.name]).astype("object")
            filled = values.where(values.notna(), NOT_KNOWN) if column.unknown_is_group else values
            made[column.name] = as_codes(filled, column.allowed)
        elif column.kind == "date":
            made[column.name] = pd.to_datetime(made[column.name]).astype("datetime64[s]")
        else:
            made[column.name] = made[column.name].astype("str")
    return made


def _enrolments(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Join what several censuses say of one spell: known first, ended as last told."""
    key = list(TABLES[name].key)
    ordered = frame.sort_values([*key, "recorded_on", *ORIGIN], kind="stable")
    ended = ordered[ordered["leaving_date"].notna()].drop_duplicates(key)
    first = ordered.drop_duplicates(key)
    last = ended.set_index(key)[["leaving_date", "end_recorded_on", *ORIGIN]]
    made = first.drop(columns=["leaving_date", "end_recorded_on"]).merge(
        last.rename(columns={"_file": "_end_file", "_place": "_end_place"}), on=key, how="left"
    )
    return made


def _leaving_reasons(frame: pd.DataFrame, built: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Say why a spell ended, as far as other facts tell; the census itself does not.

    In this order: a permanent exclusion in the weeks before; the end of Year 11; a next roll soon
    after (the end of a phase in summer, else a transfer); otherwise the destination is not known.
    """
    ordered = frame.sort_values(["pupil_id", "entry_date", "school_id"], kind="stable")
    same = ordered["pupil_id"].astype("str").shift(-1) == ordered["pupil_id"].astype("str")
    gap = ordered["entry_date"].shift(-1).where(same) - ordered["leaving_date"]
    followed = (gap >= pd.Timedelta(days=-7)) & (gap <= SOON)
    group = (
        ordered["year_group"]
        + school_year(ordered["leaving_date"])
        - school_year(ordered["entry_date"])
    )
    summer = ordered["leaving_date"].dt.month.isin([6, 7, 8])
    excluded = np.zeros(len(ordered), dtype=bool)
    if "suspensions" in built:
        facts = built["suspensions"]
        facts = facts[(facts["category"] == "PERM").to_numpy()].sort_values("start_date")
        last = np.full(len(ordered["pupil_id"].cat.categories), np.datetime64("NaT", "s"))
        last[facts["pupil_id"].cat.codes.to_numpy()] = facts["start_date"].to_numpy()
        since = ordered["leaving_date"] - last[ordered["pupil_id"].cat.codes.to_numpy()]
        excluded = ((since >= pd.Timedelta(days=-1)) & (since <= pd.Timedelta(days=60))).to_numpy()
    reason = np.select(
        [ordered["leaving_date"].isna(), excluded, (group >= 11) & summer, followed & summer & (group == 6),
         followed],
        ["", "permanently_excluded", "completed", "end_of_phase", "transferred"],
        "destination_unknown",
    )  # fmt: skip
    return ordered.assign(
        leaving_reason=as_codes(reason, TABLES["enrolments"]["leaving_reason"].allowed)
    )


def _circumstances(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Join spells that several returns tell; the end counts as known when it was first told.

    What a return only flags on its day (``_flag``) begins when it was first told, unless a spell with
    dates of its own had begun before.
    """
    key = list(TABLES[name].key)
    flagged = frame["_flag"].eq(True) if "_flag" in frame else pd.Series(False, index=frame.index)
    ordered = frame.assign(_flag=flagged).sort_values([*key, "recorded_on", *ORIGIN], kind="stable")
    once = ordered[~ordered["_flag"]]
    ended = once[once["end_date"].notna()].drop_duplicates(key).set_index(key)
    ends = ended[["end_date", "end_recorded_on"]]
    made = once.drop_duplicates(key).drop(columns=["end_date", "end_recorded_on"])
    made = made.merge(ends, on=key, how="left")
    first_told = ordered[ordered["_flag"]].drop_duplicates(["pupil_id", "kind"])
    begun = made.groupby(["pupil_id", "kind"], observed=True)["start_date"].min().rename("_begun")
    first_told = first_told.merge(begun.reset_index(), on=["pupil_id", "kind"], how="left")
    first_told = first_told[~(first_told["_begun"] <= first_told["start_date"])]
    return pd.concat([made, first_told], ignore_index=True)


def _homes(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Keep the first time a pupil is seen in a neighbourhood of another decile."""
    ordered = frame.sort_values(["pupil_id", "start_date", "recorded_on", *ORIGIN], kind="stable")
    ordered = ordered.drop_duplicates(list(TABLES[name].key))
    change = (ordered["pupil_id"].astype("str") != ordered["pupil_id"].astype("str").shift()) | (
        ordered["idaci_decile"].fillna(-1) != ordered["idaci_decile"].fillna(-1).shift()
    )
    return ordered[change]


def _send(facts: pd.DataFrame, needs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Build spells of provision from what each census saw, and from plans.

    The census says what was so on a day: a spell begins on the first day it was seen and ends
    before the first day it was not. A change of need begins a new spell, so that no need is known
    before its census. Plans of SEN2 take the place of those the census saw.
    """
    plan = (
        facts["_plan"].fillna(False).astype(bool) if "_plan" in facts else facts["pupil_id"].isna()
    )
    plans, seen = facts[plan], facts[~plan]
    seen = seen.sort_values(["pupil_id", "start_date", *ORIGIN], kind="stable")
    seen = seen.drop_duplicates(["pupil_id", "start_date"])
    dated = needs[needs["start_date"].notna()] if "start_date" in needs else needs
    if len(dated):
        one = dated[dated["primary_need"].notna()].drop_duplicates(["pupil_id", "start_date"])
        seen = seen.drop(columns=["primary_need"]).merge(
            one[["pupil_id", "start_date", "primary_need"]],
            on=["pupil_id", "start_date"],
            how="left",
        )
        needs_used = dated[ORIGIN]
    else:
        needs_used = needs[ORIGIN].iloc[:0]
    pupil = pupils_of(seen)
    need = seen.groupby("pupil_id", observed=True)["primary_need"].ffill()
    need = pd.Series(
        as_codes(need.astype("object"), TABLES["send"]["primary_need"].allowed), index=seen.index
    )
    state = np.column_stack([pupil, seen["provision"].cat.codes, need.cat.codes])
    starts = np.append(True, (np.diff(state, axis=0) != 0).any(axis=1))[: len(seen)]
    runs = seen.assign(primary_need=need)
    runs = runs[starts]
    follows = runs["pupil_id"].astype("str") == runs["pupil_id"].astype("str").shift(-1)
    runs = runs.assign(
        end_date=(runs["start_date"].shift(-1) - pd.Timedelta(days=1)).where(follows),
        end_recorded_on=runs["recorded_on"].shift(-1).where(follows),
    )
    with_plan = runs["pupil_id"].isin(plans["pupil_id"]) & (runs["provision"] == "E")
    runs = runs[(runs["provision"] != "N") & ~with_plan]
    plans = plans.drop_duplicates(["pupil_id", "start_date"]).assign(
        secondary_need=as_codes([None] * len(plans.drop_duplicates(["pupil_id", "start_date"])),
                                TABLES["send"]["secondary_need"].allowed),
    )  # fmt: skip
    made = pd.concat([plans, runs], ignore_index=True)
    for column in ("provision", "primary_need", "secondary_need"):
        made[column] = as_codes(made[column].astype("object"), TABLES["send"][column].allowed)
    made = made.drop_duplicates(["pupil_id", "start_date"])
    unplanned = needs[~needs.index.isin(dated.index)]
    last = _undated_needs(made, unplanned)
    return made.assign(primary_need=last), pd.concat([needs_used, unplanned[ORIGIN]])


def _undated_needs(send: pd.DataFrame, needs: pd.DataFrame) -> pd.Categorical:
    """Fill the need of plans where no census told it; SEN2 does not date needs, so only the last."""
    own = send["primary_need"].astype("object")
    if len(needs):
        told = needs[needs["primary_need"].notna()].drop_duplicates("pupil_id")
        known = (
            send["pupil_id"]
            .astype("str")
            .map(told.set_index(told["pupil_id"].astype("str"))["primary_need"].astype("object"))
        )
        newest = send.groupby("pupil_id", observed=True)["start_date"].transform("max")
        last = (send["start_date"] == newest) & (send["provision"] == "E")
        own = own.where(own.notna() | ~last, known)
    return as_codes(own, TABLES["send"]["primary_need"].allowed)


def _plan_days(plans: pd.DataFrame, send: pd.DataFrame) -> pd.DataFrame:
    """Give each request the first plan that followed it within two years."""
    starts = send.loc[send["provision"] == "E", ["pupil_id", "start_date"]].sort_values(
        "start_date"
    )
    asked = plans.sort_values("requested_on").drop(columns="plan_on")
    code = {name: frame["pupil_id"].cat.codes for name, frame in (("a", asked), ("s", starts))}
    joined = pd.merge_asof(
        asked.assign(_code=code["a"]), starts.assign(_code=code["s"])[["_code", "start_date"]],
        left_on="requested_on", right_on="start_date", by="_code", direction="forward",
        tolerance=pd.Timedelta(days=730),
    )  # fmt: skip
    issued = joined["outcome"] == "issued"
    return joined.assign(plan_on=joined["start_date"].where(issued)).drop(
        columns=["_code", "start_date"]
    )


def _calendar(sessions: pd.DataFrame) -> pd.DataFrame:
    """Derive school days from the registers: half-terms are parted by gaps of five days or more."""
    days = pd.Series(np.unique(sessions["date"].to_numpy()))
    year = school_year(days)
    gap = (days.diff() >= pd.Timedelta(days=5)) | (year != year.shift())
    number = gap.cumsum()
    half = number.groupby(year).transform(lambda part: part - part.iloc[0]).clip(0, 5)
    terms = np.array(["autumn", "spring", "summer"], dtype=object)[(half // 2).to_numpy(dtype=int)]
    term = as_codes(terms, TABLES["calendar"]["term"].allowed)
    return pd.DataFrame({"date": days.astype("datetime64[s]"), "term": term, "half_term": half + 1})


def _schools(enrolments: pd.DataFrame) -> pd.DataFrame:
    """List the schools that rolls name, where no register of schools was given."""
    names = pd.Series(sorted(enrolments["school_id"].unique()), dtype="str")
    empty: NDArray[np.object_] = np.full(len(names), None, dtype=object)
    return pd.DataFrame(
        {
            "school_id": names, "urn": names, "name": pd.array(empty, dtype="str"),
            "phase": as_codes(["all_through"] * len(names), TABLES["schools"]["phase"].allowed),
            "kind": as_codes(["mainstream"] * len(names), TABLES["schools"]["kind"].allowed),
            "local_authority": pd.array(empty, dtype="str"),
        }
    )  # fmt: skip


BUILD: dict[str, Callable[[pd.DataFrame, str], pd.DataFrame]] = {
    "pupils": _pupils,
    "enrolments": _enrolments,
    "circumstances": _circumstances,
    "neighbourhood": _homes,
}
"""Tables that need more than the first row of each key."""
