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
from riskmodel.data.read.returns.provision import first_plans, provision_spells
from riskmodel.data.read.rows.rules import in_order
from riskmodel.data.read.sources.source import school_year
from riskmodel.data.schema import NOT_KNOWN, TABLES, as_codes
from riskmodel.data.year_groups import LAST_PRIMARY, LEAVING_MONTHS, finishes_school, year_group_on

__all__ = ["assemble"]

ORIGIN = ["_file", "_place"]

_LEAVING = TABLES["enrolments"]["leaving_reason"]

DAY = pd.Timedelta(days=1)

SOON = 75
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
    needs = typed.pop("needs", None)
    built = {name: BUILD.get(name, _first_of_key)(frame, name) for name, frame in typed.items()}
    used = []
    if "send" in built:
        none = typed["send"].iloc[:0]
        built["send"], needs_used = provision_spells(
            typed["send"], none if needs is None else needs
        )
        used.append(needs_used)
    if "enrolments" in built:
        built["enrolments"] = _leaving_reasons(built["enrolments"], built)
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
            frame = built[name].drop(columns=[c for c in built[name] if str(c).startswith("_")])
            integers = {c.name: "int64" for c in TABLES[name].columns if c.kind == "integer"}
            frames[name] = in_order(TABLES[name], frame[TABLES[name].names].astype(integers))
    return frames, pd.concat(used).astype("int64").drop_duplicates()


def _first_of_key(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Keep the row of each key that was known first."""
    by = [c for c in ("recorded_on",) if c in frame]
    return frame.sort_values([*by, *ORIGIN], kind="stable").drop_duplicates(list(TABLES[name].key))


def _suspensions(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Keep the row that was known first, and when any row said that the pupil was reinstated."""
    key = list(TABLES[name].key)
    reinstated = frame.loc[frame["reinstated_on"] >= frame["start_date"]]
    reinstated = reinstated[[*key, "reinstated_on", "recorded_on"]]
    reinstated = reinstated.assign(
        reinstated_on=reinstated[["reinstated_on", "recorded_on"]].max(axis=1)
    )
    first = reinstated.groupby(key, observed=True)["reinstated_on"].min().astype("datetime64[s]")
    # of two that were recorded on one day, which one counts follows from what they say
    content = ["sessions", *[f"reason_{i}" for i in (1, 2, 3)], "school_id"]
    ordered = frame.drop(columns="reinstated_on").sort_values(
        ["recorded_on", *content], kind="stable"
    )
    return ordered.drop_duplicates(key).merge(first.reset_index(), on=key, how="left")


def _plans(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Keep of each request the row that says how it was decided: every return tells it again."""
    key = list(TABLES[name].key)
    first = frame.groupby(key, observed=True)["recorded_on"].transform("min")
    by = ["decided_on", "outcome", *ORIGIN]
    ordered = frame.assign(recorded_on=first).sort_values(by, kind="stable")
    return ordered.drop_duplicates(key)


def _pupils(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Take from each pupil's rows the latest value that is known."""
    ordered = frame.sort_values(["pupil_id", "_day", *ORIGIN], kind="stable")
    stated = ordered.groupby(["pupil_id", "first_language"], observed=True)
    since = stated["first_language_recorded_on"].transform("min")
    ordered = ordered.assign(first_language_recorded_on=since)
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
    """Join several censuses' rows of one spell: known from the first, ended from the first that ends it.

    A spell that a later census shows on roll again had not ended. Since the census between was believed
    until then, it goes on as a second spell from the day after (:meth:`Tables.as_known` joins the two).
    """
    key = list(TABLES[name].key)
    marked = frame.assign(_ended=frame["leaving_date"].notna())
    by = [*key, "recorded_on", "_ended", "end_recorded_on", "leaving_date", *ORIGIN]
    ordered = marked.sort_values(by, kind="stable")
    ended, repeats = ordered["_ended"].to_numpy(), ordered.duplicated(key).to_numpy()
    again = repeats & ~ended & np.append(False, ended)[:-1]
    part = pd.Series(np.cumsum(~repeats | again), index=ordered.index)
    ends = ordered[ended].assign(part=part[ended]).drop_duplicates("part").set_index("part")
    ends = ends[["leaving_date", "end_recorded_on", *ORIGIN]].rename(
        columns={"_file": "_end_file", "_place": "_end_place"}
    )
    first = ordered[~repeats | again].assign(part=part, _again=again[~repeats | again])
    made = first.drop(columns=["leaving_date", "end_recorded_on"]).merge(
        ends, left_on="part", right_index=True, how="left"
    )
    made = made.reset_index(drop=True)
    if not made["_again"].any():
        return made
    # each part ends no earlier than it begins, and begins the day after the one before ends
    spell = (~made["_again"]).cumsum()
    days = DAY * made.groupby(spell).cumcount()
    leaving = made[["entry_date", "leaving_date"]].max(axis=1).where(made["leaving_date"].notna())
    leaving = (leaving - days).groupby(spell).cummax() + days
    entry = made["entry_date"].where(~made["_again"], leaving.shift() + DAY)
    years = school_year(entry) - school_year(made["entry_date"])
    return made.assign(
        entry_date=entry.astype("datetime64[s]"),
        leaving_date=leaving.astype("datetime64[s]"),
        year_group=made["year_group"] + years,
    )


def _leaving_reasons(frame: pd.DataFrame, built: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return why each spell ended, as far as other facts show it where no file tells; the census does not.

    In this order: a permanent exclusion in the weeks before; the end of Year 11; a next roll soon
    after (the end of a phase in summer, else a transfer); otherwise the destination is not known. Only
    what was known by the day the end was counts: the reason is known from that day.
    """
    spells = frame.reset_index(drop=True)
    ends = spells[["leaving_date", "end_recorded_on"]].assign(_pupil=pupils_of(spells))
    ends = ends[ends["leaving_date"].notna()].reset_index(names="row")

    def ends_near(facts: pd.DataFrame, day: str, low: int, high: int) -> NDArray[np.bool_]:
        """Whether a fact lies from ``low`` to ``high`` days after the end, and was known with it."""
        others = facts.reindex(columns=[day, "recorded_on", "reinstated_on"])
        others = others.astype({"reinstated_on": "datetime64[s]"}).assign(_pupil=pupils_of(facts))
        # no roll follows itself
        others["_other"] = facts.index if facts is spells else -1
        pairs = ends.merge(others, on="_pupil")
        since = (pairs[day] - pairs["leaving_date"]).dt.days
        found = since.between(low, high) & (pairs["recorded_on"] <= pairs["end_recorded_on"])
        found &= ~(pairs["reinstated_on"] <= pairs["end_recorded_on"])
        found &= pairs["_other"] != pairs["row"]
        return spells.index.isin(pairs.loc[found, "row"])

    followed = ends_near(spells, "entry_date", -7, SOON)
    group = year_group_on(spells, spells["leaving_date"])
    summer = spells["leaving_date"].dt.month.isin(LEAVING_MONTHS)
    excluded = np.zeros(len(spells), dtype=bool)
    if "suspensions" in built:
        facts = built["suspensions"]
        permanent = facts[(facts["category"] == "PERM").to_numpy()]
        excluded = ends_near(permanent, "start_date", -60, 1)
    reason = np.select(
        [
            spells["leaving_date"].isna(),
            excluded,
            finishes_school(group, spells["leaving_date"])
            & summer,  # later, a move in term is a move
            followed & summer & (group == LAST_PRIMARY),
            followed,
        ],
        ["", "permanently_excluded", "completed", "end_of_phase", "transferred"],
        "destination_unknown",
    )
    told = spells["leaving_reason"].astype("object")
    return spells.assign(leaving_reason=as_codes(told.fillna(pd.Series(reason)), _LEAVING.allowed))


def _circumstances(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Join spells that are in several returns; the end counts as known from the first return that has it.

    What a return only flags on its day (``_flag``) begins with the first return that flags it, unless a
    spell with dates of its own had begun before.
    """
    key = list(TABLES[name].key)
    flagged = frame["_flag"].eq(True) if "_flag" in frame else pd.Series(False, index=frame.index)
    by = [*key, "recorded_on", "end_recorded_on", "end_date", *ORIGIN]
    ordered = frame.assign(_flag=flagged).sort_values(by, kind="stable")
    once = ordered[~ordered["_flag"]]
    ended = once[once["end_date"].notna()].drop_duplicates(key).set_index(key)
    ends = ended[["end_date", "end_recorded_on"]]
    made = once.drop_duplicates(key).drop(columns=["end_date", "end_recorded_on"])
    made = made.merge(ends, on=key, how="left")
    return pd.concat([made, _flags(ordered[ordered["_flag"]], made)], ignore_index=True)


def _flags(flags: pd.DataFrame, spells: pd.DataFrame) -> pd.DataFrame:
    """Return the flags that lie in no spell known by then, one at a time for each pupil and kind.

    Where a spell recorded later holds the flag's day, that spell counts from then on: the flag gives way,
    and a flag that is recorded after that counts again.
    """
    if flags.empty:
        return flags
    key = ["pupil_id", "kind"]
    flags = flags.sort_values([*key, "recorded_on", "start_date", *ORIGIN], kind="stable")
    of_spell = [*key, "start_date", "end_date", "recorded_on", "end_recorded_on"]
    pairs = flags.reset_index(names="row")[["row", *key, "start_date", "recorded_on"]].merge(
        spells[of_spell], on=key, suffixes=("", "_spell")
    )
    # an end that was not known yet when the flag was recorded did not count against the spell
    over = (pairs["end_date"] < pairs["start_date"]) & (
        pairs["end_recorded_on"] <= pairs["recorded_on"]
    )
    pairs = pairs[(pairs["start_date_spell"] <= pairs["start_date"]) & ~over]
    before = pairs.loc[pairs["recorded_on_spell"] <= pairs["recorded_on"], "row"]
    later = pairs.groupby("row")["recorded_on_spell"].min().reindex(flags.index)
    left = flags.assign(_until=later.astype("datetime64[s]"))[~flags.index.isin(before)]
    kept = [left.iloc[:0]]
    while len(left):
        kept.append(left.drop_duplicates(key))
        until = left.groupby(key, observed=True)["_until"].transform("first")
        left = left[(left["recorded_on"] >= until).to_numpy()]
    made = pd.concat(kept)
    gives_way = made["_until"].notna()
    made = made.assign(
        end_date=made["start_date"].where(gives_way, made["end_date"]),
        end_recorded_on=made["_until"].where(gives_way, made["end_recorded_on"]),
    )
    return made.drop_duplicates([*key, "start_date"])


def _homes(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Keep the first time a pupil is seen in a neighbourhood of another decile."""
    ordered = frame.sort_values(["pupil_id", "start_date", "recorded_on", *ORIGIN], kind="stable")
    ordered = ordered.drop_duplicates(list(TABLES[name].key))
    change = (ordered["pupil_id"].astype("str") != ordered["pupil_id"].astype("str").shift()) | (
        ordered["idaci_decile"].fillna(-1) != ordered["idaci_decile"].fillna(-1).shift()
    )
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


BUILD: dict[str, Callable[[pd.DataFrame, str], pd.DataFrame]] = {
    "pupils": _pupils,
    "enrolments": _enrolments,
    "suspensions": _suspensions,
    "plans": _plans,
    "circumstances": _circumstances,
    "neighbourhood": _homes,
}
"""Tables that need more than the first row of each key."""
