"""Who is at risk on each day: the spine of pupils and as-of dates.

In:  tables, days, an outcome.
Out: one row per pupil and day, with school and year group as known then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

from riskmodel.cohort_rules import COHORT_RULES
from riskmodel.data import Tables
from riskmodel.data.calendar import academic_year, snapshot_dates
from riskmodel.data.data_span import EVENTS, data_span, missing_extracts, recorded_before
from riskmodel.data.outcomes import HOLIDAY_DAYS, Outcome, outcome_of
from riskmodel.data.stopped_registers import registers_end, since_stopped
from riskmodel.data.year_groups import finishes_school, year_group_on, year_words
from riskmodel.display import html_table
from riskmodel.errors import HistoryError, RequestError

__all__ = [
    "GAP_DAYS",
    "GONE",
    "Cohort",
    "build_spine",
    "default_as_of",
    "describe",
    "judged_and_not",
    "latest_day",
    "not_judged",
    "refuse_old_extract",
    "resolve_as_of",
    "snapshots",
]

AGE_OF_RECEPTION = 4
"""Academic age, in years at the last 31 August, of Reception, which is year group 0."""

GAP_DAYS = 50
"""Longest gap between two rolls that still counts as on roll: a summer holiday and a week."""

GONE = ("completed", "permanently_excluded", "home_educated", "left_area", "other")
"""Reasons for leaving after which no roll of the LA's schools is waited for.

``other`` is among them because it holds deaths, which have no code of their own; that the destination
is unknown is not: those are the children who must not fall off a list.
"""

TERM_ENDS, TERM_BEGINS = (7, 10), (9, 14)
"""Month and day from which on summer term may be over, and until which autumn's extracts may wait."""

SPINE_COLUMNS = ["pupil_id", "as_of", "school_id", "year_group"]

AGE_NOT_KNOWN = "age not known"


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """How many pupils a spine holds: whom a list of each day would choose from.

    Attributes
    ----------
    table : DataFrame
        One row per day: ``as_of``; ``pupils``; ``schools``, missing where a spine names none; then
        the pupils of each year group, ``Year 1`` and so on, and at the end ``age not known``. Counts
        are whole, small ones too: for the analyst's desk.
    """

    table: pd.DataFrame = field(repr=False)

    def frame(self) -> pd.DataFrame:
        """Return a copy of the table.

        Returns
        -------
        DataFrame
            As :attr:`table`.
        """
        return self.table.copy()

    def _repr_html_(self) -> str:
        n = len(self.table)
        return html_table(
            self.table, f"Pupils in the cohort on {n} {'day' if n == 1 else 'days'}, by year group"
        )


def describe(spine: pd.DataFrame) -> Cohort:
    """Count the pupils of a spine by day and year group.

    Parameters
    ----------
    spine : DataFrame
        From :func:`build_spine`.

    Returns
    -------
    Cohort
        One row per day.

    Examples
    --------
    >>> day = pd.Timestamp("2025-06-01")
    >>> spine = pd.DataFrame(
    ...     {"pupil_id": ["a", "b"], "as_of": day, "school_id": ["s", "s"], "year_group": [9, 10]}
    ... )
    >>> describe(spine).table.drop(columns="as_of").values.tolist()
    [[2, 1, 1, 1]]
    """
    school = spine["school_id"].astype("str")
    by_day = spine.assign(school_id=school.where(school != "")).groupby("as_of")
    table = by_day.agg(pupils=("pupil_id", "size"), schools=("school_id", "nunique"))
    table["schools"] = table["schools"].astype("Int64").mask(table["schools"] == 0)
    words = year_words(spine["year_group"]).fillna(AGE_NOT_KNOWN)
    found = year_words(spine["year_group"].drop_duplicates().sort_values()).fillna(AGE_NOT_KNOWN)
    years = pd.crosstab(spine["as_of"], words)[list(found.unique())]
    return Cohort(table=table.join(years).reset_index())


def _data_span(
    tables: Tables, outcome: Outcome, before: pd.Timestamp | None = None
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first day of a fact and the last day one was recorded, typing errors left out.

    Facts recorded on a day or later move the first day of no list before it. They only show how far the
    extracts reach.
    """
    found = [name for name in outcome.facts if name in tables and len(tables[name])]
    if not found:
        raise HistoryError(
            f"The extracts hold no {' or '.join(outcome.facts)}, from which lists for {outcome.name} "
            "start."
        )
    last = max(data_span(tables[name]["recorded_on"])[1] for name in found)
    known = {name: tables[name] for name in found}
    if before is not None:
        known = {
            name: recorded_before(facts, EVENTS[name], before) for name, facts in known.items()
        }
        known = {name: facts for name, facts in known.items() if len(facts)}
    if not known:  # nothing was known yet: too early for any list
        return min(data_span(tables[name]["recorded_on"])[0] for name in found), last
    first = min(data_span(facts[EVENTS[name]])[0] for name, facts in known.items())
    return first, last


def snapshots(tables: Tables, outcome: str, *, before: pd.Timestamp) -> pd.DatetimeIndex:
    """Return the days on which lists can be made.

    Parameters
    ----------
    tables : Tables
        The LA's facts.
    outcome : str
        One of :data:`riskmodel.data.outcomes.OUTCOMES`.
    before : Timestamp
        Last day wanted, included.

    Returns
    -------
    DatetimeIndex
        Half-termly (quarterly after 16), ascending, none without enough facts before it.

    Raises
    ------
    HistoryError
        If there is no such day.
    RequestError
        If the outcome is unknown.
    """
    one = outcome_of(outcome)
    first, _ = _data_span(tables, one, before)
    earliest = first + pd.Timedelta(days=one.history_days)
    found = snapshot_dates(earliest, before, one.snapshot_days)
    if found.empty:
        year_on = earliest + pd.DateOffset(years=1)
        first_list = snapshot_dates(earliest, year_on, one.snapshot_days)[0]
        raise HistoryError(
            f"No list for {outcome} can be made by {before:%Y-%m-%d}. The data start on "
            f"{first:%Y-%m-%d}; the earliest list can be made on {first_list:%Y-%m-%d}, after "
            f"{one.history_days} days of facts. Choose a later day or add earlier extracts."
        )
    return found


def default_as_of(tables: Tables, outcome: str) -> pd.Timestamp:
    """Return the latest snapshot day that the data reach.

    Parameters
    ----------
    tables : Tables
        The LA's facts.
    outcome : str
        One of :data:`riskmodel.data.outcomes.OUTCOMES`.

    Returns
    -------
    Timestamp
        Not later than two weeks after the last recorded fact: lists are made in the holidays.

    Raises
    ------
    RequestError
        If the outcome is unknown.
    HistoryError
        If there are no facts, or none early enough for a snapshot day.
    """
    _, last = _data_span(tables, outcome_of(outcome))
    return snapshots(tables, outcome, before=last + pd.Timedelta(days=HOLIDAY_DAYS))[-1]


def resolve_as_of(tables: Tables, outcome: str, as_of: pd.Timestamp | None) -> pd.Timestamp:
    """Return the day of a job: the one asked for, if the data reach it, else the default.

    A day long after the last fact, or soon after the first, would see months without events in which
    there were only no data.

    Parameters
    ----------
    tables : Tables
        The LA's facts.
    outcome : str
        One of :data:`riskmodel.data.outcomes.OUTCOMES`.
    as_of : Timestamp or None
        From :attr:`~riskmodel.data.outcomes.Outcome.history_days` after the first fact, up to two weeks
        after the last recorded one (after 16: a month and two weeks), or up to 14 September where that
        one is from 10 July on; :func:`default_as_of` where None.

    Returns
    -------
    Timestamp
        The day.

    Raises
    ------
    RequestError
        If the outcome is unknown, or the data begin too late or end too early for the day.
    HistoryError
        If there are no facts, or no day was given and none early enough for a snapshot day.
    """
    if as_of is None:
        return default_as_of(tables, outcome)
    one = outcome_of(outcome)
    first, last = _data_span(tables, one, as_of)
    earliest = first + pd.Timedelta(days=one.history_days)
    if as_of < earliest:
        raise RequestError(
            f"Nothing for {outcome} can be said as of {as_of:%Y-%m-%d}: the data start on "
            f"{first:%Y-%m-%d}, and a list needs {one.history_days} days of facts before it. Name a day "
            f"from {earliest:%Y-%m-%d} on, or add earlier extracts."
        )
    latest = latest_day(last, one.days_beyond_data)
    if as_of > latest:
        raise RequestError(
            f"Nothing for {outcome} can be said as of {as_of:%Y-%m-%d}: the data end on "
            f"{last:%Y-%m-%d}. Name a day up to {latest:%Y-%m-%d}, or add newer extracts; if they are "
            "there, see whether riskmodel check reports dates far after all others."
        )
    return as_of


def latest_day(last: pd.Timestamp, days_beyond_data: int = HOLIDAY_DAYS) -> pd.Timestamp:
    """Return the last day that facts which end on a day can cover.

    Parameters
    ----------
    last : Timestamp
        The day on which the last fact was recorded.
    days_beyond_data : int
        Days after it up to which a list can be made.

    Returns
    -------
    Timestamp
        So many days later, or 14 September where the last fact is from 10 July on.

    Examples
    --------
    >>> [f"{latest_day(pd.Timestamp(last)):%d %B}" for last in ("2025-03-14", "2025-07-18")]
    ['28 March', '14 September']
    """
    latest = last + pd.Timedelta(days=days_beyond_data)
    if last >= pd.Timestamp(last.year, *TERM_ENDS):
        return max(latest, pd.Timestamp(last.year, *TERM_BEGINS))
    return latest


def refuse_old_extract(tables: Tables, outcome: str, day: pd.Timestamp) -> None:
    """Refuse a day on which registers or suspensions have long ended, while the other goes on.

    A list would speak of attendance that nobody recorded, and a training learn that nobody was excluded.
    Only facts recorded before the day decide.

    Parameters
    ----------
    tables : Tables
        The LA's facts.
    outcome : str
        One of :data:`riskmodel.data.outcomes.OUTCOMES`; after 16 neither table is used.
    day : Timestamp
        Day of a list or a training.

    Raises
    ------
    RequestError
        If the outcome is unknown; if one of the two tables ends early
        (:func:`riskmodel.data.data_span.missing_extracts`), more than a holiday before the day; or if
        hardly any register has come for weeks
        (:func:`riskmodel.data.stopped_registers.registers_end`).
    """
    names = [name for name in outcome_of(outcome).facts if name in tables]
    facts = {name: recorded_before(tables[name], EVENTS[name], day) for name in names}
    for name, other, last, now in missing_extracts(facts):
        latest = last + pd.Timedelta(days=HOLIDAY_DAYS)
        if day > latest:
            raise RequestError(
                f"Nothing can be said as of {day:%Y-%m-%d}: {name} end on {last:%Y-%m-%d}, but {other} go on "
                f"to {now:%Y-%m-%d}. Add the newer extract of {name}, or name a day up to {latest:%Y-%m-%d}."
            )
    ended = registers_end(tables, day) if "sessions" in names else None
    if ended is not None:
        last, since = ended
        raise RequestError(
            f"Nothing can be said as of {day:%Y-%m-%d}: registers end on {last:%Y-%m-%d}. Of the school days "
            f"since {since:%Y-%m-%d} hardly any marks are there. Add the newer extract of sessions, or name "
            f"a day up to {last + pd.Timedelta(days=HOLIDAY_DAYS):%Y-%m-%d}."
        )


def build_spine(tables: Tables, as_of: Iterable[pd.Timestamp], outcome: str) -> pd.DataFrame:
    """Return the cohort of each day.

    Parameters
    ----------
    tables : Tables
        The LA's facts.
    as_of : iterable of Timestamp
        Days.
    outcome : str
        One of :data:`riskmodel.data.outcomes.OUTCOMES`, which declares the year groups. From
        enrolments: pupils on a roll, and for :data:`GAP_DAYS` more days those who left it, unless
        gone for good (:data:`GONE`, or Year 11 is over). From destinations: young people with a
        known NCCIS position, of fitting academic age. Without a month of birth their last roll shows
        their year group.

    Returns
    -------
    DataFrame
        ``pupil_id``, ``as_of``, ``school_id``, ``year_group`` (Int64); sorted by day and pupil. After
        16 there is no school (empty), and the year group is 12 or 13, or missing where neither month
        of birth nor rolls are known. Pupils whose registers stopped are left out (:func:`not_judged`).

    Raises
    ------
    DataError
        If the extracts lack the table the cohort comes from.
    RequestError
        If the outcome is unknown or no day was given.
    """
    return _judged(_with_since(tables, as_of, outcome))


def not_judged(tables: Tables, as_of: pd.Timestamp, outcome: str) -> pd.DataFrame:
    """Return the pupils of a day whose registers stopped, so that no list may judge them.

    Parameters
    ----------
    tables : Tables
        The LA's facts.
    as_of : Timestamp
        The day.
    outcome : str
        One of :data:`riskmodel.data.outcomes.OUTCOMES`.

    Returns
    -------
    DataFrame
        As :func:`build_spine`, with ``since``: the first school day without marks
        (:func:`riskmodel.data.stopped_registers.since_stopped`). After 16, and in an LA without
        registers, there are none.

    Raises
    ------
    DataError
        If the extracts lack the table the cohort comes from.
    RequestError
        If the outcome is unknown.
    """
    return _left_out(_with_since(tables, [as_of], outcome))


def judged_and_not(
    tables: Tables, as_of: pd.Timestamp, outcome: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the cohort of a day and the pupils left out of it, whose registers are looked at once.

    Parameters
    ----------
    tables : Tables
        The LA's facts.
    as_of : Timestamp
        The day.
    outcome : str
        One of :data:`riskmodel.data.outcomes.OUTCOMES`.

    Returns
    -------
    spine : DataFrame
        As :func:`build_spine`.
    left_out : DataFrame
        As :func:`not_judged`.

    Raises
    ------
    DataError
        If the extracts lack the table the cohort comes from.
    RequestError
        If the outcome is unknown.
    """
    cohort = _with_since(tables, [as_of], outcome)
    return _judged(cohort), _left_out(cohort)


def _judged(cohort: pd.DataFrame) -> pd.DataFrame:
    goes_on = cohort["since"].isna().to_numpy()
    return cohort.loc[goes_on, SPINE_COLUMNS].reset_index(drop=True)


def _left_out(cohort: pd.DataFrame) -> pd.DataFrame:
    return cohort.dropna(subset=["since"]).reset_index(drop=True)


def _with_since(tables: Tables, as_of: Iterable[pd.Timestamp], outcome: str) -> pd.DataFrame:
    """Return the cohort of each day, with ``since`` when registers stopped, missing where they go on."""
    cohort = _everybody(tables, as_of, outcome)
    if "sessions" in outcome_of(outcome).facts:
        return cohort.assign(since=since_stopped(tables, cohort))
    return cohort.assign(since=pd.Series(pd.NaT, index=cohort.index, dtype="datetime64[s]"))


def _everybody(tables: Tables, as_of: Iterable[pd.Timestamp], outcome: str) -> pd.DataFrame:
    """Return the cohort of each day, with the pupils whose registers stopped."""
    one = outcome_of(outcome)
    of_day = {"enrolments": _school_cohort, "destinations": _post16_cohort}[one.cohort_table]
    days = sorted({pd.Timestamp(day).as_unit("s") for day in as_of})
    if not days:
        raise RequestError("No day was given to make a list on; got an empty list. Give one day.")
    names = {"pupils", one.cohort_table} | ({"enrolments"} & {*tables})
    needed = Tables({name: tables[name] for name in sorted(names)})
    parts = [
        _ruled(tables, one, day, of_day(needed.as_known(day), day, one.year_groups)) for day in days
    ]
    spine = pd.concat(parts, ignore_index=True)[SPINE_COLUMNS]
    # a year group may be missing after 16. No number can stand for that, for any would take part in
    # sums and comparisons unnoticed; Int64 shows whole numbers, and refuses to pass for one
    return spine.astype({"year_group": "Int64"})


def _ruled(tables: Tables, outcome: Outcome, day: pd.Timestamp, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the pupils whom the outcome can still befall."""
    if outcome.cohort_rule is None:
        return rows
    return rows[COHORT_RULES[outcome.cohort_rule](tables, rows, day)]


def _school_cohort(known: Tables, day: pd.Timestamp, years: tuple[int, int]) -> pd.DataFrame:
    rolls = known["enrolments"]
    rolls = rolls[(rolls["entry_date"] < day).to_numpy()]
    rolls = rolls.assign(
        year_group=year_group_on(rolls, day),
        is_dual=rolls["status"] == "dual",
        has_ended=rolls["leaving_date"] < day,
    )
    ended = rolls["has_ended"].to_numpy()
    rolls = pd.concat([rolls[~ended], _between_schools(rolls[ended], day)])
    # one row per pupil: a roll that has not ended, the main one, the latest entry, the school
    rolls = rolls.sort_values(
        ["pupil_id", "has_ended", "is_dual", "entry_date", "school_id"],
        ascending=[True, True, True, False, True],
    ).drop_duplicates("pupil_id")
    rolls = rolls[rolls["year_group"].between(*years)]
    return rolls.assign(as_of=day)[SPINE_COLUMNS]


def _between_schools(ended: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Return the last roll of each pupil who left not long ago, and not for good.

    A child who changes school in summer is on no roll in August, and must stay on the list. Of several
    rolls the main one that was left last shows where the child went.
    """
    window = pd.Timedelta(days=GAP_DAYS)
    latest = ended.groupby("pupil_id", observed=True)["leaving_date"].transform("max")
    soon = (latest >= day - window) & (ended["leaving_date"] >= latest - window)
    left = ended[soon.to_numpy()]
    years_since = academic_year(pd.Series([day])).iloc[0] - academic_year(left["leaving_date"])
    finished = finishes_school(left["year_group"] - years_since, left["leaving_date"])
    left = left.assign(gone=left["leaving_reason"].isin(GONE) | finished)
    last = left.sort_values(
        ["pupil_id", "is_dual", "leaving_date", "gone", "entry_date", "school_id"],
        ascending=[True, True, False, False, False, True],
    ).drop_duplicates("pupil_id")
    return last[~last["gone"].to_numpy(dtype=bool)]


def _post16_cohort(known: Tables, day: pd.Timestamp, years: tuple[int, int]) -> pd.DataFrame:
    positions = known["destinations"]
    pupils = positions.loc[positions["start_date"] < day, "pupil_id"].drop_duplicates()
    year_group = _by_birth(known["pupils"], pupils, day)
    if "enrolments" in known:
        year_group = year_group.fillna(_by_roll(known["enrolments"], pupils, day))
    suits = year_group.between(*years).fillna(True).to_numpy(dtype=bool)
    frame = pd.DataFrame(
        {
            "pupil_id": pupils.to_numpy(),
            "as_of": day,
            "school_id": pd.array([""] * len(pupils), dtype="str"),
            "year_group": year_group.array,
        }
    ).astype({"pupil_id": pupils.dtype})
    return frame[suits].sort_values("pupil_id")


def _by_birth(facts: pd.DataFrame, pupils: pd.Series, day: pd.Timestamp) -> pd.Series:
    """Return the year group of pupils on a day; missing without a month of birth."""
    born = facts.set_index("pupil_id")["birth_month"].reindex(pupils)
    age = academic_year(pd.Series([day])).iloc[0] - academic_year(born) - 1
    return (age - AGE_OF_RECEPTION).astype("Int64")


def _by_roll(rolls: pd.DataFrame, pupils: pd.Series, day: pd.Timestamp) -> pd.Series:
    """Return the year group of pupils on a day by their last roll; missing without one."""
    rolls = rolls[(rolls["entry_date"] < day).to_numpy()]
    last = rolls.sort_values(["entry_date", "year_group"]).drop_duplicates("pupil_id", keep="last")
    year_group = year_group_on(last, day).set_axis(pd.Index(last["pupil_id"]))
    return year_group.reindex(pupils).astype("Int64")
