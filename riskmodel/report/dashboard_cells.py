"""What of the dashboard may be shown: small counts, and what would reveal them, are hidden.

In:  counts per measure and period, of one school or of the area.
Out: the same with ``hidden``; values of a hidden row must not reach a page.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.fairness.disclosure import SMALLEST_SHOWN, hidden_rows
from riskmodel.inclusion.catalogue import HALF_DAYS, MEASURES

__all__ = ["FEWEST_SCHOOLS", "hide_area", "hide_school", "leaves_few"]

FEWEST_SCHOOLS = 3
"""Schools behind a figure of the area below which it would be a figure of one school."""

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


def leaves_few(area: pd.DataFrame, measure: str, period: str) -> bool:
    """Say whether a total over all phases would give away small hidden counts.

    Parameters
    ----------
    area : DataFrame
        From :func:`hide_area`.
    measure, period : str
        Whose total.

    Returns
    -------
    bool
        Whether the phases hidden have less than 5 together.
    """
    rows = area[((area["measure"] == measure) & (area["period"] == period)).to_numpy()]
    gone = rows[rows["hidden"].to_numpy()]
    return len(gone) > 0 and float(gone["numerator"].sum()) < SMALLEST_SHOWN


def hide_area(area: pd.DataFrame, schools: pd.DataFrame) -> pd.DataFrame:
    """Hide the small counts of the area, and those that would give away a school's hidden ones.

    Parameters
    ----------
    area : DataFrame
        From :func:`riskmodel.inclusion.sum_by_phase`.
    schools : DataFrame
        From :func:`hide_school`, all schools.

    Returns
    -------
    DataFrame
        With ``hidden``. A row is hidden too if it is about fewer than :data:`FEWEST_SCHOOLS` schools,
        or if the pages of the other schools would leave one hidden count, or hidden counts of less
        than 5 together.
    """
    keys = ["phase", "measure", "code", "period"]
    gone = schools[schools["hidden"].to_numpy()].groupby(keys)["people"].agg(["size", "sum"])
    rows = area.merge(gone.reset_index(), on=keys, how="left")
    one = (rows["size"] == 1) | ((rows["size"] > 1) & (rows["sum"] < SMALLEST_SHOWN))
    few = rows["schools"] < FEWEST_SCHOOLS
    # a row without people is small, and so is hidden with whatever would reveal it
    forced = rows["people"].mask((one | few).to_numpy() & rows["value"].notna().to_numpy(), 0.0)
    made = hide_school(rows.assign(people=forced))
    return made.drop(columns=["size", "sum"])


def _people(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the counts that must not be small: those who are counted, the others, and all."""
    people, pupils = rows["people"], rows["pupils"]
    alike = rows["measure"].map(UNIT).isin([HALF_DAYS, "pupils"])
    others = (pupils - people).mask(alike.to_numpy(), pupils)
    # more events than pupils, or pupils who left before the census day: nobody is left over
    others = others.where(others >= 0, pupils)
    return pd.DataFrame(
        {"numerator": rows["numerator"], "people": people, "others": others, "pupils": pupils}
    )


def _within(rows: pd.DataFrame) -> pd.Series:
    """Name the group of rows that add up: codes of a year, terms of a year, or the row alone."""
    scope = rows["phase"].astype(str) + "|"
    alone = pd.Series(np.arange(len(rows)), index=rows.index).astype(str)
    part_of = rows["measure"].map(PART_OF)
    adds = rows["measure"].map(ADDS).astype(bool) & (rows["term"] != "year")
    by_code = scope + part_of + "|" + rows["period"]
    by_term = scope + rows["measure"] + "|" + rows["year"].astype(str)
    return alone.mask(adds.to_numpy(), by_term).mask((part_of != "").to_numpy(), by_code)
