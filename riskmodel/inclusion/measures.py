"""Every measure of the dashboard, per school and period, with its only comparators.

In:  facts of a day.
Out: one long frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from riskmodel.data import Tables
from riskmodel.inclusion.attendance import Marks, attendance, count_marks
from riskmodel.inclusion.catalogue import MEASURES, england
from riskmodel.inclusion.counts import Counts
from riskmodel.inclusion.exclusions import exclusions, reasons
from riskmodel.inclusion.facts import Facts, make_facts
from riskmodel.inclusion.leavers import leavers
from riskmodel.inclusion.moves import leavings, moves
from riskmodel.inclusion.needs import identified, need_types, plans
from riskmodel.inclusion.provision import provision

__all__ = ["COUNTS", "Inclusion", "inclusion", "sum_by_phase", "with_value"]

COUNTS = ["numerator", "denominator", "people", "pupils"]

KEYS = ["measure", "code", "period", "year", "term", "complete"]


@dataclass(frozen=True, kw_only=True)
class Inclusion:
    """What the dashboard shows, before anything is suppressed: for the analyst's desk only.

    Attributes
    ----------
    table : DataFrame
        One row per school, measure, code and period: ``school_id``, ``phase`` (of the national
        figure, empty where none fits), ``measure``, ``code`` (reason, need; else empty), ``period``,
        ``year``, ``term``, ``complete``, ``numerator``, ``denominator``, ``people`` and ``pupils``
        (behind the two), ``value``, ``comparator`` (England), ``why`` (a value is missing).
    facts : Facts
        What it was counted from.
    marks : Marks
        Half-days by pupil.
    left : DataFrame
        Pupils who came off a roll.
    """

    table: pd.DataFrame
    facts: Facts = field(repr=False)
    marks: Marks = field(repr=False)
    left: pd.DataFrame = field(repr=False)

    def _repr_html_(self) -> str:
        return self.table.to_html(index=False, max_rows=20)


def inclusion(tables: Tables, as_of: pd.Timestamp) -> Inclusion:
    """Count every measure for every school, term and school year.

    Parameters
    ----------
    tables : Tables
        All facts.
    as_of : Timestamp
        Nothing recorded on or after it counts.

    Returns
    -------
    Inclusion
        A school without a row in ``table`` does not exist; one without pupils has rows without values.
    """
    facts = make_facts(tables, as_of)
    marks, left = count_marks(facts), leavings(facts)
    single: dict[str, Counts] = {
        **attendance(facts, marks),
        **exclusions(facts),
        **provision(facts, marks),
        **moves(facts, left),
        **identified(facts),
        **plans(facts),
        **leavers(facts),
    }
    places = _places(facts)
    parts = [_long(places, name, "", counts) for name, counts in single.items()]
    for name, by_code in (("reasons", reasons(facts)), ("needs", need_types(facts))):
        parts += [_long(places, name, code, counts) for code, counts in by_code.items()]
    columns = ["school_id", "phase", *KEYS, *COUNTS, "why"]
    table = with_value(pd.concat(parts, ignore_index=True)[columns])
    return Inclusion(table=table, facts=facts, marks=marks, left=left)


def _places(facts: Facts) -> pd.DataFrame:
    """Return each school with each period, the rows of every measure."""
    n_schools, n_periods = facts.shape
    periods = facts.periods.loc[np.tile(np.arange(n_periods), n_schools), KEYS[2:]]
    return pd.DataFrame(
        {
            "school_id": np.repeat(facts.schools.index.to_numpy(), n_periods),
            "phase": np.repeat(facts.schools["phase"].to_numpy(), n_periods),
            **{str(column): periods[column].to_numpy() for column in periods},
        }
    )


def _long(places: pd.DataFrame, name: str, code: str, counts: Counts) -> pd.DataFrame:
    rows = {column: getattr(counts, column).ravel() for column in [*COUNTS, "why"]}
    return places.assign(measure=name, code=code, **rows)


def with_value(counts: pd.DataFrame) -> pd.DataFrame:
    """Add each row's value and England's figure.

    Parameters
    ----------
    counts : DataFrame
        With ``phase``, ``measure``, ``term``, ``numerator`` and ``denominator``.

    Returns
    -------
    DataFrame
        With ``value`` (in the measure's unit) and ``comparator``, England's figure for a whole year;
        beside a term only where that is the same measure (``Measure.any_period``).

    Examples
    --------
    >>> row = {"phase": "", "measure": "suspensions", "term": "year"}
    >>> counts = pd.DataFrame([row | {"numerator": 3.0, "denominator": 60.0}])
    >>> with_value(counts)["value"].tolist()
    [5.0]
    """
    value = 100 * counts["numerator"] / counts["denominator"]
    value = value.mask((counts["measure"] == "roll").to_numpy(), counts["numerator"])
    cases = counts[["phase", "measure", "term"]].drop_duplicates()
    cases["comparator"] = [
        _comparator(name, phase, is_year=term == "year")
        for phase, name, term in zip(cases["phase"], cases["measure"], cases["term"], strict=True)
    ]
    made = counts.assign(value=value).merge(cases, on=["phase", "measure", "term"], how="left")
    return made.assign(comparator=made["comparator"].astype(float))


def _comparator(name: str, phase: str, *, is_year: bool) -> float:
    row = england(name, phase)
    if row is None or not (is_year or MEASURES[name].any_period):
        return float("nan")
    return float(row["figure"])


def sum_by_phase(table: pd.DataFrame) -> pd.DataFrame:
    """Add up the schools of each phase, as the national figures do.

    Parameters
    ----------
    table : DataFrame
        As ``Inclusion.table``.

    Returns
    -------
    DataFrame
        The same columns but ``school_id``, with ``schools``, the number that have a value. A pupil
        of two schools counts at both, as in the national figures.

    Examples
    --------
    >>> row = {"phase": "primary", "measure": "suspensions", "code": "", "period": "2024/25"}
    >>> row |= {"year": 2024, "term": "year", "complete": True, "people": 1.0, "why": ""}
    >>> schools = [row | {"numerator": n, "denominator": 50.0, "pupils": 50.0} for n in (2.0, 4.0)]
    >>> table = with_value(pd.DataFrame(schools))
    >>> sum_by_phase(table)[["numerator", "denominator", "value", "schools"]].values.tolist()
    [[6.0, 100.0, 6.0, 2.0]]
    """
    keys = ["phase", *KEYS]
    groups = table.groupby(keys, sort=False, observed=True)
    summed = groups[COUNTS].sum(min_count=1)
    summed["schools"] = groups["value"].count()
    summed["why"] = groups["why"].first()
    made = summed.reset_index()
    made["why"] = made["why"].where(made["schools"] == 0, "")
    return with_value(made)
