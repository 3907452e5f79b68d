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
from riskmodel.data.schema import TABLES
from riskmodel.inclusion.facts import Facts
from riskmodel.inclusion.measures import Inclusion

__all__ = ["exits", "profile", "rows_by_year", "spread"]

STEP_SCHOOLS = 3
"""Fewest schools between two points of the curve: fewer would show what one school issued."""

STEP_EVENTS = 5
"""Fewest events between two points."""

OLDEST = 11

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


def profile(made: Inclusion) -> pd.DataFrame:
    """Count who lives and learns in the area on the latest census day.

    Parameters
    ----------
    made : Inclusion
        Counts by school.

    Returns
    -------
    DataFrame
        ``label, group, count, of``: pupils; ``of`` is the number that ``count`` is a part of. Rows
        of one ``group`` add up to a number that is shown.
    """
    facts = made.facts
    last = facts.periods["period"].iloc[facts.n_terms - 1]
    now = made.table[(made.table["period"] == last).to_numpy()]
    roll = now[(now["measure"] == "roll").to_numpy()]
    phase = roll["phase"].where(roll["phase"] != "", "other schools")
    total = roll["numerator"].sum()
    rows = [("Pupils on a main roll", "roll", total, np.nan)]
    rows += [
        (f"… {name}", "phase", count, total)
        for name, count in roll.groupby(phase)["numerator"].sum().items()
    ]
    for name, label in (
        ("sen_support", "SEN support"),
        ("ehc_plan", "EHC plan"),
        ("fsm", "Eligible for free school meals"),
    ):
        part = now[(now["measure"] == name).to_numpy()]
        rows.append((label, name, part["numerator"].sum(min_count=1), total))
    rows += _circumstances(facts, total)
    return pd.DataFrame(rows, columns=["label", "group", "count", "of"])


def _circumstances(facts: Facts, total: float) -> list[tuple[str, str, float, float]]:
    spells = facts.table("circumstances")
    day = int(days_of(facts.periods["census"])[facts.n_terms - 1])
    now = (days_of(spells["start_date"]) <= day) & (days_of(spells["end_date"]) >= day)
    on_roll = np.isin(pupils_of(spells), facts.rolls_on(day)["pupil"])
    labels = code_set("circumstances")["label"]
    rows = []
    for kind in KINDS:
        inside = (spells["kind"] == kind).to_numpy()
        if not inside.any():
            continue
        # whoever is educated at home is on no roll
        here = now & inside & (on_roll | (kind == "home_educated"))
        count = float(spells["pupil_id"][here].nunique())
        rows.append((labels[kind], kind, count, np.nan if kind == "home_educated" else total))
    return rows


def exits(made: Inclusion) -> pd.DataFrame:
    """Count pupils who came off a roll without a known destination, by year group and school year.

    Parameters
    ----------
    made : Inclusion
        With the pupils who came off a roll.

    Returns
    -------
    DataFrame
        ``year_group, period, people, pupils``: pupils, and those of the year group on roll in
        January; Reception (0) to Year 11. Of primary and secondary schools, so that what is left of
        the totals by phase is nothing.
    """
    facts = made.facts
    ordinary = facts.schools["phase"].isin(["primary", "secondary"]).to_numpy()
    left = made.left[((made.left["went"] == "unknown") & ordinary[made.left["school"]]).to_numpy()]
    term = facts.term_of(left["day"].to_numpy())
    left = left.assign(year=np.where(term >= 0, facts.year_of_term[term], -1))
    groups, parts = pd.RangeIndex(OLDEST + 1), []
    for number in range(facts.n_terms, facts.shape[1]):
        on_roll = facts.rolls_on(int(days_of(facts.periods["census"])[number]))
        on_roll = on_roll[ordinary[on_roll["school"]]]
        here = left[(left["year"] == number).to_numpy()].drop_duplicates(["school", "pupil"])
        sizes = [
            rows["now"].value_counts().reindex(groups, fill_value=0).to_numpy(dtype=float)
            for rows in (here, on_roll)
        ]
        parts.append(
            pd.DataFrame(
                {
                    "year_group": groups,
                    "period": facts.periods["period"].iloc[number],
                    "people": sizes[0],
                    "pupils": sizes[1],
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    return table[(table.groupby("year_group")["pupils"].transform("sum") > 0).to_numpy()]


def spread(made: Inclusion, shown: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Say how suspensions and permanent exclusions are spread over the secondary schools.

    Parameters
    ----------
    made : Inclusion
        With ``suspensions``.
    shown : DataFrame
        ``measure, period``: totals of the secondary schools that are shown. Nothing is said of
        others, which this would give away.

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
    Left out is what rests on fewer than :data:`~riskmodel.data.coverage.FEWEST` events.
    """
    columns = ["measure", "events", "all_schools", "schools_for_half"]
    table = made.table
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
    """Return events, schools, and the fewest schools that issued half; None of too few events."""
    sums = np.cumsum(_issued(rows))
    if not len(sums) or sums[-1] < FEWEST:
        return None
    return int(sums[-1]), len(sums), int(np.searchsorted(sums, sums[-1] / 2) + 1)


def _points(sums: np.ndarray) -> list[int]:
    """Choose numbers of schools at which the curve is drawn."""
    points, last = [0], 0.0
    step = max(STEP_SCHOOLS, -(-len(sums) // 10))
    for point in range(step, len(sums) - STEP_SCHOOLS + 1, step):
        if sums[point - 1] - last >= STEP_EVENTS and sums[-1] - sums[point - 1] >= STEP_EVENTS:
            points.append(point)
            last = float(sums[point - 1])
    return [*points, len(sums)]


def rows_by_year(made: Inclusion) -> pd.DataFrame:
    """Count the facts of each table by school year, and how full the registers are.

    Parameters
    ----------
    made : Inclusion
        Counts by school.

    Returns
    -------
    DataFrame
        ``table, row, period, rows, share``: facts whose day lies in the year (a spell: that began in
        it); missing where the extracts lack the table. Of ``sessions``, half-days marked of pupils of
        school age, and their share of all half-days of the calendar for the pupils on roll.
    """
    facts, parts = made.facts, []
    years = facts.periods[facts.n_terms :]
    for name, table in TABLES.items():
        column = table.event or ("date" if name == "calendar" else "")
        if not column:
            continue
        rows = np.full(len(years), np.nan)
        share = rows.copy()
        if name == "sessions" and facts.sessions is not None:
            rows, share = _registers(made)
        elif name in facts.tables:
            year = academic_year(facts.tables[name][column]).to_numpy(dtype=float)
            rows = np.array([(year == one).sum() for one in years["year"]], dtype=float)
        parts.append(
            pd.DataFrame(
                {
                    "table": name,
                    "row": table.row,
                    "period": years["period"].to_numpy(),
                    "rows": rows,
                    "share": share,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _registers(made: Inclusion) -> tuple[np.ndarray, np.ndarray]:
    facts = made.facts
    marked = made.marks.half_days.sum(axis=(0, 2), dtype=float)[facts.n_terms :]
    if "calendar" not in facts.tables:
        return marked, np.full(len(marked), np.nan)
    days = facts.term_of(days_of(facts.tables["calendar"]["date"].drop_duplicates()))
    school_days = np.bincount(days[days >= 0], minlength=facts.n_terms)
    wanted = np.zeros(len(marked))
    for term, day in enumerate(days_of(facts.periods["census"])[: facts.n_terms]):
        now = facts.rolls_on(int(day))["now"]
        pupils = int(((now >= 0) & (now <= OLDEST)).sum())
        wanted[facts.year_of_term[term] - facts.n_terms] += 2 * school_days[term] * pupils
    return marked, np.minimum(1.0, marked / np.where(wanted > 0, wanted, np.nan))
