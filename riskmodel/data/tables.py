"""The facts an LA holds, and the facts it held on a given day.

In:  one frame per table of :mod:`riskmodel.data.schema`.
Out: :class:`Tables`; ``tables.as_known(as_of)`` drops whatever was recorded on or after ``as_of``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import OPEN, day_number, days_of, whole_days
from riskmodel.data.schema import TABLES
from riskmodel.errors import DataError

__all__ = [
    "Tables",
    "empty_table",
    "incidents_that_count",
    "made_permanent",
    "schools_by_id",
    "upheld",
]


def empty_table(name: str, pupils: pd.CategoricalDtype | None = None) -> pd.DataFrame:
    """Return a table without rows.

    Parameters
    ----------
    name : str
        Table name.
    pupils : CategoricalDtype, optional
        Type of ``pupil_id``; a type without pupils where it is left out.

    Returns
    -------
    DataFrame
        All columns, right types, no rows.

    Examples
    --------
    >>> list(empty_table("calendar"))
    ['date', 'term', 'half_term', 'first_marked_on']
    """
    dtypes: dict[str, object] = {
        "text": "str",
        "date": "datetime64[s]",
        "integer": "int64",
        "number": "float64",
    }
    columns = {}
    for column in TABLES[name].columns:
        dtype = dtypes.get(column.kind)
        if column.kind == "code":
            dtype = pd.CategoricalDtype(list(column.allowed))
        elif column.kind == "pupil":
            dtype = pupils or pd.CategoricalDtype(pd.Index([], dtype="str"))
        columns[column.name] = pd.Series([], dtype=dtype)  # type: ignore[call-overload]
    return pd.DataFrame(columns)


def schools_by_id(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the schools by their id.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        With ``schools``.

    Returns
    -------
    DataFrame
        One row per ``school_id``, which is the index.

    Examples
    --------
    >>> schools = pd.DataFrame({"school_id": ["S1"], "kind": ["AP"]})
    >>> schools_by_id({"schools": schools}).loc["S1", "kind"]
    'AP'
    """
    return tables["schools"].drop_duplicates("school_id").set_index("school_id")


@dataclass(frozen=True)
class Tables(Mapping[str, pd.DataFrame]):
    """The facts an LA holds: a read-only mapping from table name to frame.

    Every ``pupil_id`` column shares one categorical type, whose categories are the pupils of
    ``pupils`` in sorted order; the code of a category is the pupil's number in arrays.

    Rows that share a key are versions of one fact. They follow one another in the order of
    ``recorded_on``; on any day the version recorded last before that day counts.

    Attributes
    ----------
    frames : dict of str to DataFrame
        Tables that the source holds. A table that is not there was not supplied, which is not the
        same as a table without rows.
    """

    frames: dict[str, pd.DataFrame] = field(repr=False)
    _replaced: dict[str, NDArray[np.int64] | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return a table; one that the extracts lack is refused."""
        try:
            return self.frames[name]
        except KeyError:
            raise DataError(
                f"The extracts hold no table '{name}'. Found: {', '.join(sorted(self.frames))}. "
                f"Add {name}.csv or {name}.parquet."
            ) from None

    def __contains__(self, name: object) -> bool:
        """Whether the source holds the table."""
        return name in self.frames

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the tables."""
        return iter(self.frames)

    def __len__(self) -> int:
        """Return the number of tables."""
        return len(self.frames)

    @property
    def pupils(self) -> pd.CategoricalDtype:
        """The shared type of every ``pupil_id``."""
        dtype = self["pupils"]["pupil_id"].dtype
        assert isinstance(dtype, pd.CategoricalDtype)
        return dtype

    def as_known(self, as_of: pd.Timestamp) -> Tables:
        """Return the facts that the LA held before ``as_of``, register marks left out.

        Marks are many and are cut in :class:`riskmodel.features.Register` instead.

        Parameters
        ----------
        as_of : Timestamp
            The as-of date; a fact counts only if ``recorded_on < as_of``.

        Returns
        -------
        Tables
            Rows recorded before ``as_of``. A value that became known later than its row (the end
            of a spell, the decision on a request) is missing if it was not known yet. A roll that goes on
            at its school the day after its reported end is one roll. A permanent exclusion that
            was known to be overturned is not there: like the published figures, nothing counts it.
            Nor is a suspension that was known to be a permanent exclusion from its first day.

        Examples
        --------
        >>> facts = pd.DataFrame({"recorded_on": pd.to_datetime(["2024-01-09", "2024-01-10"])})
        >>> tables = Tables({"attainment": facts})
        >>> len(tables.as_known(pd.Timestamp("2024-01-10"))["attainment"])
        1
        """
        names = [name for name in self if name != "sessions"]
        return Tables({name: _cut(name, self.unreplaced(name, as_of), as_of) for name in names})

    def marks_as_known(
        self, as_of: pd.Timestamp, since: pd.Timestamp | None = None
    ) -> pd.DataFrame:
        """Return the register marks that the LA held before ``as_of``.

        Parameters
        ----------
        as_of : Timestamp
            The as-of date.
        since : Timestamp, optional
            The first school day wanted.

        Returns
        -------
        DataFrame
            Rows of ``sessions`` recorded before it, of each half-day the version that counted.

        Raises
        ------
        DataError
            If the extracts lack registers.
        """
        marks = self.unreplaced("sessions", as_of)
        wanted = (marks["recorded_on"] < as_of).to_numpy()
        return marks[wanted if since is None else wanted & (marks["date"] >= since).to_numpy()]

    def replaced_on(self, name: str) -> NDArray[np.int64] | None:
        """Return when a later version took the place of each row.

        Parameters
        ----------
        name : str
            Table name.

        Returns
        -------
        int array of shape (n_rows,) or None
            Day (since 1970) on which the next version was recorded, ``OPEN`` for the last one; None
            where no two rows are versions of one fact.

        Raises
        ------
        DataError
            If the extracts lack the table.
        """
        if name not in self._replaced:
            self._replaced[name] = _replaced_on(name, self[name])
        return self._replaced[name]

    def unreplaced(self, name: str, as_of: pd.Timestamp | None = None) -> pd.DataFrame:
        """Return a table without the rows whose place a later version had taken.

        Parameters
        ----------
        name : str
            Table name.
        as_of : Timestamp, optional
            Later versions count if recorded before this day; all of them count where left out.

        Returns
        -------
        DataFrame
            At most one row per key is recorded before ``as_of``; later rows are still there.

        Raises
        ------
        DataError
            If the extracts lack the table.

        Examples
        --------
        >>> marks = pd.DataFrame({
        ...     "pupil_id": pd.Categorical(["A", "A"]),
        ...     "date": pd.to_datetime(["2024-01-08"] * 2).as_unit("s"),
        ...     "session": pd.Categorical(["AM", "AM"]),
        ...     "mark": ["N", "I"],
        ...     "recorded_on": pd.to_datetime(["2024-01-09", "2024-01-12"]).as_unit("s"),
        ... })
        >>> tables = Tables({"sessions": marks})
        >>> tables.unreplaced("sessions")["mark"].tolist()
        ['I']
        >>> tables.unreplaced("sessions", pd.Timestamp("2024-01-12"))["mark"].tolist()
        ['N', 'I']
        """
        replaced = self.replaced_on(name)
        if replaced is None:
            return self[name]
        day = OPEN if as_of is None else day_number(as_of)
        return self[name][replaced >= day]

    def latest(self) -> Tables:
        """Return the tables with the last version of each fact only.

        Returns
        -------
        Tables
            One row per key.
        """
        return Tables({name: self.unreplaced(name) for name in self})


def _replaced_on(name: str, frame: pd.DataFrame) -> NDArray[np.int64] | None:
    """Return the day on which the row after each row was recorded, where both have one key."""
    key = TABLES[name].key
    if "recorded_on" not in frame or len(frame) < 2 or not set(key) <= set(frame):
        return None
    alike = np.ones(len(frame) - 1, dtype=bool)
    for column in key:
        values = frame[column]
        codes = values.cat.codes if isinstance(values.dtype, pd.CategoricalDtype) else values
        numbers = codes.to_numpy()
        alike &= numbers[1:] == numbers[:-1]
        if not alike.any():
            return None
    replaced = np.full(len(frame), OPEN)
    replaced[:-1][alike] = whole_days(frame["recorded_on"])[1:][alike]
    return replaced


def _cut(name: str, frame: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    table = TABLES[name]
    if "recorded_on" not in table.names:
        return _without_later(frame, table.known_when, as_of)
    known = frame[(frame["recorded_on"] < as_of).to_numpy()]
    later = {
        column: (~(known[when] < as_of)).to_numpy()
        for column, when in table.known_when.items()
        if column in known
    }
    hidden = {
        column: known[column].mask(mask) for column, mask in later.items() if bool(np.any(mask))
    }
    known = known.assign(**hidden)
    if name == "suspensions":
        return incidents_that_count(known)
    return _joined(known) if name == "enrolments" and "leaving_date" in known else known


def _without_later(
    frame: pd.DataFrame, known_when: Mapping[str, str], as_of: pd.Timestamp
) -> pd.DataFrame:
    """Hide values that were recorded later; a value without a day is never hidden."""
    cut = {
        column: frame[column].mask(frame[when] >= as_of)
        for column, when in known_when.items()
        if column in frame and when in frame and bool((frame[when] >= as_of).any())
    }
    return frame.assign(**cut) if cut else frame


def upheld(suspensions: pd.DataFrame) -> pd.DataFrame:
    """Leave out the permanent exclusions that were overturned.

    Parameters
    ----------
    suspensions : DataFrame
        Rows of ``suspensions``.

    Returns
    -------
    DataFrame
        The rows that count (DfE, suspensions and permanent exclusions in England, methodology).

    Examples
    --------
    >>> facts = pd.DataFrame({"category": ["PERM", "PERM"],
    ...     "start_date": pd.to_datetime(["2024-01-09", "2024-01-09"]),
    ...     "reinstated_on": pd.to_datetime(["2024-02-01", None])})
    >>> upheld(facts).index.tolist()
    [1]
    """
    later = suspensions["reinstated_on"] >= suspensions["start_date"]
    overturned = (suspensions["category"] == "PERM") & later
    return suspensions[~overturned.to_numpy()]


def made_permanent(suspensions: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which suspensions are a permanent exclusion of the pupil, by the same school from the same day.

    The two are one incident: a suspension cannot be converted, and an exclusion after it begins when it has
    ended (DfE, suspension and permanent exclusion guidance). So the exclusion took its place.

    Parameters
    ----------
    suspensions : DataFrame of shape (n_rows, ...)
        ``pupil_id, school_id, start_date, category``.

    Returns
    -------
    bool array of shape (n_rows,)
        False for exclusions and lunchtimes.

    Examples
    --------
    >>> facts = pd.DataFrame({"pupil_id": "A", "school_id": ["1", "1", "2"],
    ...     "start_date": pd.Timestamp("2024-01-09"), "category": ["SUSP", "PERM", "SUSP"]})
    >>> made_permanent(facts).tolist()
    [True, False, False]
    """
    incident = ["pupil_id", "school_id", "start_date"]
    permanent = suspensions.loc[(suspensions["category"] == "PERM").to_numpy(), incident]
    found = (suspensions["category"] == "SUSP").to_numpy(copy=True)
    for name in ("start_date", "pupil_id"):  # few rows are left to compare whole
        found[found] = suspensions.loc[found, name].isin(permanent[name])
    if found.any():
        among = pd.MultiIndex.from_frame(suspensions.loc[found, incident])
        found[found] = among.isin(pd.MultiIndex.from_frame(permanent))
    return found


def incidents_that_count(suspensions: pd.DataFrame) -> pd.DataFrame:
    """Leave out exclusions that were overturned, and suspensions that an exclusion took the place of.

    Parameters
    ----------
    suspensions : DataFrame
        Rows of ``suspensions``.

    Returns
    -------
    DataFrame
        One row per incident. If the exclusion was overturned, the suspension of that day counts.
    """
    kept = upheld(suspensions)
    return kept[~made_permanent(kept)]


def _joined(rolls: pd.DataFrame) -> pd.DataFrame:
    """Join rolls that go on at their school the day after they ended: nobody moved.

    A later return may take an end back (:mod:`riskmodel.data.read.returns.enrolment_spells`). What was
    believed in between stays as it was.
    """
    pupil = rolls["pupil_id"].cat.codes.to_numpy().astype(np.int64)
    entry, leave = (days_of(rolls[day]) for day in ("entry_date", "leaving_date"))
    follows = np.isin(pupil * 10**7 + entry, pupil * 10**7 + leave + 1)
    if not follows.any():
        return rolls
    concerned = np.isin(pupil, pupil[follows])
    some, entry, leave = rolls[concerned], entry[concerned], leave[concerned]
    place = some.groupby(["pupil_id", "school_id", "status"], observed=True).ngroup().to_numpy()
    begins, goes_on = place * 10**7 + entry, place * 10**7 + leave + 1
    order = np.argsort(begins, kind="stable")
    found = np.searchsorted(begins[order], goes_on)
    following = order[np.minimum(found, len(order) - 1)]
    itself = np.arange(len(some))
    followed = (begins[following] == goes_on) & (entry <= leave)
    following = np.where(followed, following, itself)
    # of each chain of rolls the first holds how it began, the last how it ended
    last = following
    while (following[last] != last).any():
        last = following[last]
    is_first = np.ones(len(some), dtype=bool)
    is_first[following[followed]] = False
    ends = [name for name in TABLES["enrolments"].known_when if name in rolls]
    joined = some[is_first].assign(**{name: some[name].iloc[last[is_first]].array for name in ends})
    return pd.concat([rolls[~concerned], joined]).sort_index()
