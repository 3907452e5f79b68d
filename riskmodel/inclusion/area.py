"""The LA as a whole: its profile, how exclusions are spread, exits, what the data cover.

In:  what was counted for the schools.
Out: small frames in which no school is named; counts are not suppressed yet.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import days_of, pupils_of
from riskmodel.data.calendar import academic_year
from riskmodel.data.codes import code_set
from riskmodel.data.coverage import FEWEST
from riskmodel.data.ratio import ratio
from riskmodel.data.schema import TABLES
from riskmodel.data.year_groups import LAST_SECONDARY
from riskmodel.inclusion.facts import Facts
from riskmodel.inclusion.measures import Inclusion

__all__ = ["exits", "profile", "rows_by_year", "spread"]

STEP_SCHOOLS = 3
"""Fewest schools between two points of the curve: fewer would show the events of one school."""

STEP_EVENTS = 5
"""Fewest events between two points."""

KINDS = (
    "early_help",
    "child_in_need",
    "child_protection",
    "looked_after",
    "young_carer",
    "youth_justice",
    "vulnerable",
    "part_time_timetable",
    "alternative_provision",
    "home_educated",
)
"""Circumstances of the profile, where the LA holds them."""

MEASURES_SHOWN = {
    "sen_support": "SEN support",
    "ehc_plan": "EHC plan",
    "fsm": "Eligible for free school meals",
}
"""Measure of the profile → its label."""


def profile(counted: Inclusion) -> pd.DataFrame:
    """Count the pupils of the area on the latest census day, by phase and circumstances.

    Parameters
    ----------
    counted : Inclusion
        Counts by school.

    Returns
    -------
    DataFrame
        ``label, group, count, of``: pupils; ``of`` is the number that ``count`` is a part of. Rows
        of one ``group`` add up to a number that is shown.
    """
    facts = counted.facts
    last = facts.periods["period"].iloc[facts.n_terms - 1]
    now = counted.table[(counted.table["period"] == last).to_numpy()]
    roll = now[(now["measure"] == "roll").to_numpy()]
    total = roll["numerator"].sum()
    rows = [("Pupils on a main roll", "roll", total, np.nan)]
    phase = roll["phase"].where(roll["phase"] != "", "other schools")
    by_phase = roll.groupby(phase)["numerator"].sum()
    rows += [(f"… {name}", "phase", count, total) for name, count in by_phase.items()]
    for name, label in MEASURES_SHOWN.items():
        part = now[(now["measure"] == name).to_numpy()]
        rows.append((label, name, part["numerator"].sum(min_count=1), total))
    rows += _circumstances(facts, total)
    return pd.DataFrame(rows, columns=["label", "group", "count", "of"])


def _circumstances(facts: Facts, total: float) -> list[tuple[str, str, float, float]]:
    """Return the rows of each kind of circumstances that the LA holds."""
    spells = facts.table("circumstances")
    day = int(days_of(facts.periods["census"])[facts.n_terms - 1])
    now = (days_of(spells["start_date"]) <= day) & (days_of(spells["end_date"]) >= day)
    on_roll = np.isin(pupils_of(spells), facts.rolls_on(day)["pupil"])
    labels, rows = code_set("circumstances")["label"], []
    for kind in KINDS:
        inside = (spells["kind"] == kind).to_numpy()
        at_home = kind == "home_educated"  # these pupils are on no roll
        count = float(spells["pupil_id"][now & inside & (on_roll | at_home)].nunique())
        if inside.any():
            rows.append((labels[kind], kind, count, np.nan if at_home else total))
    return rows


def exits(counted: Inclusion) -> pd.DataFrame:
    """Count pupils who came off a roll without a known destination, by year group and school year.

    Parameters
    ----------
    counted : Inclusion
        With the pupils who came off a roll.

    Returns
    -------
    DataFrame
        ``year_group, period, people, pupils``: pupils, and those of the year group on roll in
        January; Reception (0) to Year 11. Of primary and secondary schools, so that nothing is left of
        the totals by phase.
    """
    facts = counted.facts
    ordinary = facts.schools["phase"].isin(["primary", "secondary"]).to_numpy()
    left = _left_unknown(counted)
    left = left[ordinary[left["school"]]]
    parts = []
    for number in range(facts.n_terms, facts.shape[1]):
        on_roll = facts.rolls_on(int(days_of(facts.periods["census"])[number]))
        here = left[(left["year"] == number).to_numpy()].drop_duplicates(["school", "pupil"])
        columns = {
            "year_group": np.arange(LAST_SECONDARY + 1),
            "period": facts.periods["period"].iloc[number],
            "people": _by_year_group(here),
            "pupils": _by_year_group(on_roll[ordinary[on_roll["school"]]]),
        }
        parts.append(pd.DataFrame(columns))
    table = pd.concat(parts, ignore_index=True)
    return table[(table.groupby("year_group")["pupils"].transform("sum") > 0).to_numpy()]


def _left_unknown(counted: Inclusion) -> pd.DataFrame:
    """Return leavers without a known destination, with the position of their school year."""
    left = counted.left[(counted.left["went"] == "unknown").to_numpy()]
    term = counted.facts.term_of(left["day"].to_numpy())
    return left.assign(year=np.where(term >= 0, counted.facts.year_of_term[term], -1))


def _by_year_group(pupils: pd.DataFrame) -> NDArray[np.float64]:
    """Return the number of pupils in each year group, Reception to Year 11."""
    counts = pupils["now"].value_counts().reindex(range(LAST_SECONDARY + 1), fill_value=0)
    return np.asarray(counts, dtype=np.float64)


def spread(counted: Inclusion, shown: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return how suspensions and permanent exclusions are spread over the secondary schools.

    Parameters
    ----------
    counted : Inclusion
        With ``suspensions``.
    shown : DataFrame
        ``measure, period``: totals of the secondary schools that are shown. Others are left
        out, as the spread would reveal them.

    Returns
    -------
    curve : DataFrame
        ``measure, events, all_schools, schools_for_half, schools, share``: over the complete school
        years shown, the ``schools`` that issued most together issued ``share`` (0 to 1) of all.
        Between two points lie at least :data:`STEP_SCHOOLS` schools and :data:`STEP_EVENTS` events,
        so that no point is about one school.
    by_year : DataFrame
        ``measure, period, events, all_schools, schools_for_half``.

    Notes
    -----
    Measures of fewer than :data:`~riskmodel.data.coverage.FEWEST` events are left out.
    """
    columns = ["measure", "events", "all_schools", "schools_for_half"]
    table = counted.table
    years = (table["term"] == "year") & table["complete"] & (table["phase"] == "secondary")
    table = table[years.to_numpy()].merge(shown[["measure", "period"]].drop_duplicates())
    curve, by_year = [], []
    for name in ("suspensions", "exclusions"):
        rows = table[(table["measure"] == name).to_numpy()]
        for period, part in rows.groupby("period"):
            if (half := _half(part)) is not None:
                by_year.append((name, period, *half))
        if (half := _half(rows)) is not None:
            sums = np.cumsum(_issued(rows))
            curve += [
                (name, *half, point, sums[point - 1] / sums[-1] if point else 0.0)
                for point in _points(sums)
            ]
    return (
        pd.DataFrame(curve, columns=[*columns, "schools", "share"]),
        pd.DataFrame(by_year, columns=["measure", "period", *columns[1:]]),
    )


def _issued(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the events of each school, most first."""
    issued = rows.groupby("school_id")["numerator"].sum().to_numpy()
    return np.sort(issued)[::-1]


def _half(rows: pd.DataFrame) -> tuple[int, int, int] | None:
    """Return events, schools, and the fewest schools that issued half; None for too few events."""
    sums = np.cumsum(_issued(rows))
    if not len(sums) or sums[-1] < FEWEST:
        return None
    return int(sums[-1]), len(sums), int(np.searchsorted(sums, sums[-1] / 2) + 1)


def _points(sums: np.ndarray) -> list[int]:
    """Return numbers of schools at which the curve is drawn."""
    points, last = [0], 0.0
    step = max(STEP_SCHOOLS, -(-len(sums) // 10))
    for point in range(step, len(sums) - STEP_SCHOOLS + 1, step):
        if sums[point - 1] - last >= STEP_EVENTS and sums[-1] - sums[point - 1] >= STEP_EVENTS:
            points.append(point)
            last = float(sums[point - 1])
    return [*points, len(sums)]


def rows_by_year(counted: Inclusion) -> pd.DataFrame:
    """Count the facts of each table by school year, and how full the registers are.

    Parameters
    ----------
    counted : Inclusion
        Counts by school.

    Returns
    -------
    DataFrame
        ``table, row, period, rows, share``: facts whose day lies in the year (a spell: that began in
        it); missing where the extracts lack the table. Of ``sessions``, half-days marked of pupils of
        school age, and their share of all half-days of the calendar for the pupils on roll.
    """
    years = counted.facts.periods[counted.facts.n_terms :]
    parts = []
    for name, table in TABLES.items():
        column = table.event or ("date" if name == "calendar" else "")
        if column:
            rows, share = _rows_and_share(counted, years, name, column)
            columns = {"table": name, "row": table.row, "period": years["period"].to_numpy()}
            parts.append(pd.DataFrame(columns | {"rows": rows, "share": share}))
    return pd.concat(parts, ignore_index=True)


def _rows_and_share(
    counted: Inclusion, years: pd.DataFrame, name: str, column: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rows of a table by school year; for registers also how full they are."""
    unknown = np.full(len(years), np.nan)
    tables = counted.facts.tables
    if name == "sessions" and counted.facts.sessions is not None:
        return _registers(counted)
    if name not in tables:
        return unknown, unknown
    year = academic_year(tables[name][column]).to_numpy(dtype=float)
    return np.array([(year == one).sum() for one in years["year"]], dtype=float), unknown


def _registers(counted: Inclusion) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return half-days marked by school year, and their share of the half-days possible."""
    facts = counted.facts
    marked = counted.marks.half_days.sum(axis=(0, 2), dtype=float)[facts.n_terms :]
    if "calendar" not in facts.tables:
        return marked, np.full(len(marked), np.nan)
    days = facts.term_of(days_of(facts.tables["calendar"]["date"].drop_duplicates()))
    school_days = np.bincount(days[days >= 0], minlength=facts.n_terms)
    wanted = np.zeros(len(marked))
    for term, day in enumerate(days_of(facts.periods["census"])[: facts.n_terms]):
        now = facts.rolls_on(int(day))["now"]
        pupils = int(((now >= 0) & (now <= LAST_SECONDARY)).sum())
        wanted[facts.year_of_term[term] - facts.n_terms] += 2 * school_days[term] * pupils
    return marked, np.minimum(1.0, ratio(marked, wanted))
