"""From facts of many files to one table each: what came twice is merged, what is implied is derived.

In:  typed facts per table with the file and row they came from.
Out: tables of the schema; which rows of which file are in them, and a verdict on each of the others.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import pupils_of
from riskmodel.data.read.returns.presence import with_presence
from riskmodel.data.read.returns.provision import first_plans, provision_spells
from riskmodel.data.read.returns.row_verdicts import ORIGIN, RowVerdicts
from riskmodel.data.read.rows.rules import in_order, repeated
from riskmodel.data.read.rows.versions import CONFLICTING, KEPT, MERGED, WHEN, settle
from riskmodel.data.read.sources.source import school_year
from riskmodel.data.schema import NOT_KNOWN, TABLES, as_codes
from riskmodel.data.year_groups import LAST_PRIMARY, LEAVING_MONTHS, finishes_school, year_group_on

__all__ = ["assemble"]

_LEAVING = TABLES["enrolments"]["leaving_reason"]

DAY = pd.Timedelta(days=1)

SOON = 75
"""A roll that follows within these days, over a summer at most, explains the end of the one before."""


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
    built = {
        name: BUILD.get(name, _versions)(frame, name, verdicts) for name, frame in typed.items()
    }
    used = []
    if possible is not None and "absence_totals" in built:
        built["absence_totals"] = with_presence(built["absence_totals"], possible)
    if "send" in built:
        none = typed["send"].iloc[:0]
        built["send"], needs_used = provision_spells(
            typed["send"], none if needs is None else needs, verdicts
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
    return frames, pd.concat(used).astype("int64").drop_duplicates(), verdicts.frame()


def _versions(
    frame: pd.DataFrame, name: str, verdicts: RowVerdicts, compared: list[str] | None = None
) -> pd.DataFrame:
    """Keep of each key the row received first, and each later one that differs."""
    places, key = repeated(TABLES[name], frame)
    if not len(places):
        return frame
    shared = frame.iloc[places]
    made = settle(TABLES[name], shared, key, compared)
    verdicts.add_settled(name, shared, made)
    single = np.ones(len(frame), dtype=bool)
    single[places] = False
    return pd.concat([frame[single], made.rows], ignore_index=True)


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
    made = _versions(frame.drop(columns="reinstated_on"), name, verdicts, compared)
    return made.merge(first, on=key, how="left")


def _plans(frame: pd.DataFrame, name: str, verdicts: RowVerdicts) -> pd.DataFrame:
    """Keep of each request the row that holds its decision: every return repeats the request."""
    key = list(TABLES[name].key)
    first = frame.groupby(key, observed=True)["recorded_on"].transform("min")
    return _versions(frame.assign(recorded_on=first), name, verdicts)


def _totals(frame: pd.DataFrame, name: str, verdicts: RowVerdicts) -> pd.DataFrame:
    """Add up the totals of two schools, or of two spells at one, for one pupil, term and code."""
    if "_school" not in frame:
        return _versions(frame, name, verdicts)
    of_school = frame["_school"].notna()
    parts = frame[of_school]
    key = list(TABLES[name].key)
    if not parts.duplicated(key).any():
        return _versions(frame, name, verdicts)
    shared = parts.duplicated(key, keep=False).to_numpy()
    some = parts[shared].reset_index(drop=True)
    spell = some.groupby([*key, "_school", "_entry"], observed=True, dropna=False).ngroup()
    made = settle(TABLES[name], some, np.asarray(spell, dtype=np.int64))
    verdicts.add_settled(name, some, made)
    verdicts.add(name, made.rows, np.where(made.verdict[made.held] == KEPT, KEPT, CONFLICTING))
    summed = pd.concat([parts[~shared], _added_up(made.rows, spell, key)], ignore_index=True)
    return _versions(pd.concat([summed, frame[~of_school]], ignore_index=True), name, verdicts)


def _added_up(rows: pd.DataFrame, spell: pd.Series, key: list[str]) -> pd.DataFrame:
    """Return the sums over spells, one row for each day on which one of them became known or changed."""
    before = rows.groupby(spell.loc[rows.index])["sessions"].shift().fillna(0)
    ordered = rows.assign(sessions=rows["sessions"] - before)
    ordered = ordered.sort_values([*key, "recorded_on", *ORIGIN], kind="stable")
    total = ordered.groupby(key, observed=True)["sessions"].cumsum()
    most = int(TABLES["absence_totals"]["sessions"].high)
    return ordered.assign(sessions=total.clip(upper=most)).drop_duplicates(
        [*key, "recorded_on"], keep="last"
    )


def _pupils(frame: pd.DataFrame, name: str, verdicts: RowVerdicts) -> pd.DataFrame:
    """Take from each pupil's rows the latest value that is known.

    Rows of another sex or month of birth than the last one may be of another child: nothing is taken
    from them.
    """
    content = ["birth_month", "sex", "ethnicity", "first_language"]
    by = ["pupil_id", "_day", *(c for c in content if c in frame), *ORIGIN]
    # rows of no day come first, so that a census counts before them
    ordered = frame.sort_values(by, kind="stable", na_position="first")
    stated = ordered.groupby(["pupil_id", "first_language"], observed=True)
    since = stated["first_language_recorded_on"].transform("min")
    ordered = ordered.assign(first_language_recorded_on=since)
    columns = TABLES[name].names[1:]
    plain = ordered.assign(
        **{c: ordered[c].astype("object").where(ordered[c] != NOT_KNOWN) for c in columns}
    )
    another = _contradictions(plain, ["sex", "birth_month"], verdicts)
    last = plain[~another].groupby("pupil_id", observed=True)[columns].last()
    others = [c for c in columns if c not in ("sex", "birth_month") and c not in WHEN]
    differs = _contradictions(plain[~another], others, verdicts)
    same = plain[~another][~differs]
    verdicts.add(name, same[same.duplicated("pupil_id", keep="last")], MERGED)
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


def _contradictions(
    rows: pd.DataFrame, columns: list[str], verdicts: RowVerdicts
) -> NDArray[np.bool_]:
    """Return the rows that differ from the last known value of their pupil; rows are in order."""
    found = np.zeros(len(rows), dtype=bool)
    pupil = pupils_of(rows)
    for column in columns:
        if column not in rows:
            continue
        known = rows[column].notna().to_numpy()
        last = np.full(len(rows.iloc[:0]["pupil_id"].cat.categories), -1)
        last[pupil[known]] = np.flatnonzero(known)  # the last one stays
        other = np.where(last[pupil] >= 0, last[pupil], np.arange(len(rows)))
        values = pd.factorize(rows[column])[0]
        differs = np.flatnonzero(known & (values != values[other]) & ~found)
        found[differs] = True
        verdicts.add("pupils", rows.iloc[differs], CONFLICTING, rows.iloc[other[differs]], column)
    return found


def _enrolments(frame: pd.DataFrame, name: str, verdicts: RowVerdicts) -> pd.DataFrame:
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
    _compare_rolls(ordered, part, ended, again, verdicts)
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


def _compare_rolls(
    rows: pd.DataFrame,
    part: pd.Series,
    ended: NDArray[np.bool_],
    again: NDArray[np.bool_],
    verdicts: RowVerdicts,
) -> None:
    """Add a verdict on each row of a spell after the first, and on those that take an end back."""
    place = np.arange(len(rows))
    number = part.to_numpy()
    is_first = np.append(True, number[1:] != number[:-1])[: len(rows)]
    first = np.maximum.accumulate(np.where(is_first, place, 0))
    ends = np.full(len(rows) + 1, -1)
    ends[number[ended][::-1]] = place[ended][::-1]  # the first row that ends the part stays
    end = ends[number]
    codes = {c: pd.factorize(rows[c])[0] for c in ("status", "year_group", "leaving_date")}
    differs = {c: codes[c] != codes[c][first] for c in ("status", "year_group")}
    differs["leaving_date"] = ended & (codes["leaving_date"] != codes["leaving_date"][end])
    open_ = np.ones(len(rows), dtype=bool)
    verdicts.add(
        "enrolments",
        rows[again],
        CONFLICTING,
        rows.iloc[place[again] - 1],
        "leaving_date",
        is_held=True,
    )
    open_ &= ~again & ~(is_first & ~ended)
    for column, bad in differs.items():
        other = end if column == "leaving_date" else first
        found = open_ & bad
        verdicts.add("enrolments", rows[found], CONFLICTING, rows.iloc[other[found]], column)
        open_ &= ~bad
    gives_end = open_ & (end == place)
    verdicts.add("enrolments", rows[gives_end], KEPT)
    rest = open_ & ~gives_end & ~is_first
    verdicts.add("enrolments", rows[rest], MERGED, rows.iloc[first[rest]])


def _leaving_reasons(frame: pd.DataFrame, built: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return why each spell ended: as its file states it, else as far as other facts show it.

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
    stated = spells["leaving_reason"].astype("object")
    return spells.assign(
        leaving_reason=as_codes(stated.fillna(pd.Series(reason)), _LEAVING.allowed)
    )


def _circumstances(frame: pd.DataFrame, name: str, verdicts: RowVerdicts) -> pd.DataFrame:
    """Join spells that are in several returns; the end counts as known from the first return that has it.

    A return that gives another end, or none any more, is a version of its own: it counts from its day.

    What a return only flags on its day (``_flag``) begins with the first return that flags it, unless a
    spell with dates of its own had begun before.
    """
    key = list(TABLES[name].key)
    flagged = frame["_flag"].eq(True) if "_flag" in frame else pd.Series(False, index=frame.index)
    by = [*key, "recorded_on", "end_recorded_on", "end_date", *ORIGIN]
    ordered = frame.assign(_flag=flagged).sort_values(by, kind="stable")
    made = _with_ends(_versions(ordered[~ordered["_flag"]], name, verdicts), key, verdicts)
    flags = ordered[ordered["_flag"]]
    kept = _flags(flags, made)
    again = ~pd.MultiIndex.from_frame(flags[ORIGIN]).isin(pd.MultiIndex.from_frame(kept[ORIGIN]))
    verdicts.add(name, flags[again], MERGED)
    return pd.concat([made, kept], ignore_index=True)


def _with_ends(spells: pd.DataFrame, key: list[str], verdicts: RowVerdicts) -> pd.DataFrame:
    """Give each version without an end the end that the next version has, and leave that one out."""
    ordered = spells.sort_values([*key, "recorded_on"], kind="stable").reset_index(drop=True)
    follows = ordered.duplicated(key).to_numpy()
    is_open = ordered["end_date"].isna().to_numpy()
    ends = np.flatnonzero(follows & ~is_open & np.append(False, is_open[:-1])[: len(ordered)])
    verdicts.add("circumstances", ordered.iloc[ends], KEPT)
    for name in ("end_date", "end_recorded_on"):
        values = ordered[name].copy()
        values.iloc[ends - 1] = ordered[name].iloc[ends].array
        ordered[name] = values
    return ordered.drop(index=pd.Index(ends)).reset_index(drop=True)


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


def _homes(frame: pd.DataFrame, name: str, verdicts: RowVerdicts) -> pd.DataFrame:
    """Keep the first time a pupil is seen in a neighbourhood of another decile."""
    versions = _versions(frame, name, verdicts)
    ordered = versions.sort_values(
        ["pupil_id", "start_date", "recorded_on", *ORIGIN], kind="stable"
    )
    change = (ordered["pupil_id"].astype("str") != ordered["pupil_id"].astype("str").shift()) | (
        ordered["idaci_decile"].fillna(-1) != ordered["idaci_decile"].fillna(-1).shift()
    )
    verdicts.add(name, ordered[~change], MERGED)
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
    "pupils": _pupils,
    "enrolments": _enrolments,
    "suspensions": _suspensions,
    "absence_totals": _totals,
    "plans": _plans,
    "circumstances": _circumstances,
    "neighbourhood": _homes,
}
"""Tables that need more than the versions of each key."""
