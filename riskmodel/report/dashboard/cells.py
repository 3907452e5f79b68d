"""What the dashboard hides: small counts, and counts that would reveal them.

In:  counts per measure and period, of one school or of the area.
Out: the same with ``hidden``; values of a hidden row must not reach a page.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.data.year_groups import phase_of
from riskmodel.fairness.disclosure import SMALLEST_SHOWN, hidden_rows, leaves_room
from riskmodel.inclusion.catalogue import HALF_DAYS, MEASURES

__all__ = [
    "FEWEST_SCHOOLS",
    "hide_area",
    "hide_exits",
    "hide_school",
    "total_reveals",
    "revealing_totals",
]

FEWEST_SCHOOLS = 3
"""Schools behind a figure of the area below which it would be a figure of one school."""

KEYS = ["phase", "measure", "code", "period"]

PART_OF, UNIT, ADDS = (
    {name: getattr(measure, field) for name, measure in MEASURES.items()}
    for field in ("part_of", "unit", "adds")
)


def hide_school(table: pd.DataFrame) -> pd.DataFrame:
    """Hide the small counts of one school.

    Parameters
    ----------
    table : DataFrame
        Rows of :attr:`riskmodel.inclusion.Inclusion.table` of one school.

    Returns
    -------
    DataFrame
        With ``hidden``. Breakdowns keep whole school years only: their codes add up within a year,
        and could not be protected across terms too.
    """
    is_breakdown = table["measure"].map(PART_OF) != ""
    kept = table[(~is_breakdown | (table["term"] == "year")).to_numpy()]
    hidden = np.zeros(len(kept), dtype=bool)
    counted = kept["value"].notna().to_numpy()
    hidden[counted] = hidden_rows(_people(kept[counted]), _within(kept[counted]))
    return _with_needs(_with_pupils(kept.assign(hidden=hidden)))


def _with_pupils(rows: pd.DataFrame) -> pd.DataFrame:
    """Hide suspensions where the pupils suspended are hidden, and the other way round."""
    both = rows["measure"].isin(["suspensions", "suspended"])
    keys = pd.MultiIndex.from_frame(rows[["phase", "period"]])
    gone = keys.isin(keys[(both & rows["hidden"]).to_numpy()])
    return rows.assign(hidden=rows["hidden"] | (both & rows["value"].notna() & gone))


def _with_needs(rows: pd.DataFrame) -> pd.DataFrame:
    """Hide the needs of a year where SEN support or plans are hidden: both add up to their total."""
    both = rows["measure"].isin(["sen_support", "ehc_plan"]) & rows["hidden"]
    keys = pd.MultiIndex.from_frame(rows[["phase", "period"]])
    needs = (rows["measure"] == "needs") & rows["value"].notna()
    return rows.assign(hidden=rows["hidden"] | (needs & keys.isin(keys[both.to_numpy()])))


def total_reveals(area: pd.DataFrame, schools: pd.DataFrame, measure: str, period: str) -> bool:
    """Return whether a total over all phases would reveal small hidden counts.

    Parameters
    ----------
    area : DataFrame
        From :func:`hide_area`.
    schools : DataFrame
        From :func:`hide_school`, all schools.
    measure, period : str
        Measure and period of the total.

    Returns
    -------
    bool
        Whether the total minus the phases shown would reveal a small count of a hidden phase, or the
        total minus all schools shown a hidden count of a school.
    """
    rows, pages = (
        table[
            (
                (table["measure"] == measure) & (table["period"] == period) & table["hidden"]
            ).to_numpy()
        ]
        for table in (area, schools)
    )
    phases = rows[["numerator"]].to_numpy()
    behind = pages[pages["phase"].isin(rows["phase"]).to_numpy()]
    is_small = bool((phases < SMALLEST_SHOWN).any())
    return (is_small and not leaves_room(phases)) or not leaves_room(_people(behind))


def revealing_totals(schools: pd.DataFrame) -> pd.MultiIndex:
    """Return totals from which a reader could subtract the shown schools and recover a hidden count.

    Parameters
    ----------
    schools : DataFrame
        From :func:`hide_school`, all schools.

    Returns
    -------
    MultiIndex
        ``phase, measure, code, period`` of each.

    Examples
    --------
    >>> keys = {"phase": "primary", "measure": "suspensions", "code": "", "period": "2023/24"}
    >>> counts = {"numerator": [3.0, 40.0], "people": [3.0, 40.0], "pupils": [200.0, 300.0]}
    >>> schools = pd.DataFrame(counts | {"hidden": [True, False]}).assign(**keys)
    >>> revealing_totals(schools).tolist()  # the total minus 40 would be 3
    [('primary', 'suspensions', '', '2023/24')]
    """
    gone = schools[schools["hidden"].to_numpy()]
    counts = _people(gone).to_numpy()
    groups = gone.groupby(KEYS).indices.values()
    revealing = [rows[0] for rows in groups if not leaves_room(counts[rows])]
    return pd.MultiIndex.from_frame(gone[KEYS])[revealing]


def hide_area(area: pd.DataFrame, schools: pd.DataFrame) -> pd.DataFrame:
    """Hide the small counts of the area, and those that would reveal a school's hidden ones.

    Parameters
    ----------
    area : DataFrame
        From :func:`riskmodel.inclusion.sum_by_phase`.
    schools : DataFrame
        From :func:`hide_school`, all schools.

    Returns
    -------
    DataFrame
        With ``hidden``. A row is also hidden if it is about fewer than :data:`FEWEST_SCHOOLS` schools,
        or if subtracting the schools' pages from it would reveal a hidden count
        (:func:`revealing_totals`).
    """
    reveals = pd.MultiIndex.from_frame(area[KEYS]).isin(revealing_totals(schools))
    # the terms of a year add up to it
    years = pd.MultiIndex.from_frame(area[["phase", "measure", "code", "year"]])
    revealing_years = years[reveals & (area["term"] == "year").to_numpy()]
    reveals |= years.isin(revealing_years) & area["measure"].map(ADDS).to_numpy(dtype=bool)
    few = (area["schools"] < FEWEST_SCHOOLS).to_numpy()
    # a row without people is small, and so is hidden with all that would reveal it
    forced = area["people"].mask((reveals | few) & area["value"].notna().to_numpy(), 0.0)
    return hide_school(area.assign(people=forced))


def hide_exits(table: pd.DataFrame, phases: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hide the small exits of year groups, and those that their phase would reveal.

    Parameters
    ----------
    table : DataFrame
        From :func:`riskmodel.inclusion.area.exits`.
    phases : DataFrame
        The same exits as rows of :func:`hide_area`: the year groups of a phase add up to them.

    Returns
    -------
    rows : DataFrame
        The table with ``hidden``. Year groups of a hidden phase are hidden: they add up to it.
    totals : DataFrame
        ``period, people, pupils, hidden``: all year groups. The total is hidden with either phase:
        subtracting the other would reveal it.
    """
    keys = pd.MultiIndex.from_arrays(
        [phase_of(table["year_group"]), table["period"]], names=["phase", "period"]
    )
    ordinary = phases["phase"].isin(["primary", "secondary"])
    secret = phases[(phases["hidden"] & ordinary).to_numpy()]
    gone = keys.isin(pd.MultiIndex.from_frame(secret[["phase", "period"]]))
    counts = pd.DataFrame({"people": table["people"], "rest": table["pupils"] - table["people"]})
    rows = table.assign(hidden=hidden_rows(counts, keys, gone))
    totals = table.groupby("period", sort=False)[["people", "pupils"]].sum().reset_index()
    small = hidden_rows(totals[["people"]], totals["period"])
    hidden = small | totals["period"].isin(secret["period"]).to_numpy()
    return rows, totals.assign(hidden=hidden)


def _people(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the counts that must not be small: the pupils counted, the others, and all."""
    people, pupils = rows["people"], rows["pupils"]
    alike = rows["measure"].map(UNIT).isin([HALF_DAYS, "pupils"])
    others = (pupils - people).mask(alike.to_numpy(), pupils)
    # more events than pupils, or pupils who left before the census day: nobody is left over
    others = others.where(others >= 0, pupils)
    return pd.DataFrame(
        {"numerator": rows["numerator"], "people": people, "others": others, "pupils": pupils}
    )


def _within(rows: pd.DataFrame) -> pd.Series:
    """Return the group of rows that add up: codes of a year, terms of a year, or the row alone."""
    scope = rows["phase"].astype(str) + "|"
    alone = pd.Series(np.arange(len(rows)), index=rows.index).astype(str)
    part_of = rows["measure"].map(PART_OF)
    adds = rows["measure"].map(ADDS).astype(bool) & (rows["term"] != "year")
    by_code = scope + part_of + "|" + rows["period"]
    by_term = scope + rows["measure"] + "|" + rows["year"].astype(str)
    return alone.mask(adds.to_numpy(), by_term).mask((part_of != "").to_numpy(), by_code)
