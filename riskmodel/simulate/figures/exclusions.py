"""Suspensions and permanent exclusions, beside what is published of them.

In:  the tables and pupils of a simulated LA.
Out: one row per published figure: rates, shares of groups, reasons, lengths, schools.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.calendar import academic_year
from riskmodel.data.ratio import ratio
from riskmodel.data.tables import Tables
from riskmodel.simulate.attendance import PHASES
from riskmodel.simulate.behaviour import level_by_stage
from riskmodel.simulate.figures.row import Row, published_share
from riskmodel.simulate.needs import NEEDS
from riskmodel.simulate.parameters import Preset, parameter, parameters_under
from riskmodel.simulate.population import TOP_SCHOOLS
from riskmodel.simulate.records import shares_of_all_reasons
from riskmodel.simulate.shapes import GROUPS, Ints

__all__ = ["exclusion_figures", "incident_figures"]

CATEGORIES = {"susp": "SUSP", "pex": "PERM"}
"""Event of a figure → category of the table."""

ENOUGH_SCHOOLS = 20
"""Fewest secondary schools over which the spread of events is compared; chosen."""


def exclusion_figures(tables: Tables, pupils: pd.DataFrame, preset: Preset) -> Iterator[Row]:
    """Count suspensions and permanent exclusions by phase, year group and group of pupils.

    Parameters
    ----------
    tables : Tables
        A simulated LA.
    pupils : DataFrame
        From :func:`~.pupils.counted_pupils`.
    preset : str
        ``"england"`` or ``"bcp"``.

    Yields
    ------
    Row
        One per published figure.
    """
    facts = _of_the_year(tables, pupils)
    counts = {}
    for event, category in CATEGORIES.items():
        who = facts.loc[(facts["category"] == category).to_numpy(), "pupil_id"]
        counts[event] = np.bincount(who.cat.codes, minlength=len(pupils))
        yield from _rates(event, counts[event], pupils, preset)
        yield from _shares(event, counts[event], pupils, preset)
        yield from _composition(event, counts[event], pupils)
    yield _in_care(counts["pex"], pupils)
    if preset == "england":
        yield from _per_suspended(counts["susp"], pupils)


def _rates(event: str, count: Ints, pupils: pd.DataFrame, preset: Preset) -> Iterator[Row]:
    """Count events per pupil by phase and year group."""
    for number, phase in enumerate(PHASES):
        here = (pupils["phase"] == number).to_numpy()
        on_roll = int((here & pupils["on_roll"]).sum())
        yield published_share(f"{event}.{phase}", count[here].sum(), on_roll, preset)
    stage = pupils["stage"].to_numpy()
    size = np.bincount(stage[pupils["on_roll"]], minlength=GROUPS + 1)
    level = level_by_stage(event, preset)
    for group in range(1, GROUPS) if event == "susp" else range(7, GROUPS):
        events = count[stage == group].sum()
        yield (f"{event}.year.{group}", 100 * level[group], events, size[group], 100)


def _shares(event: str, count: Ints, pupils: pd.DataFrame, preset: Preset) -> Iterator[Row]:
    """Count which part of the events is boys', and that of pupils with free meals or SEN."""
    mine = _counted(pupils)
    ratio, male = parameter(f"{event}.ratio.male"), parameter("male") / 100
    boys = 100 * ratio * male / (ratio * male + 1 - male)
    yield (f"{event}.share.male", boys, count[mine & pupils["male"]].sum(), count[mine].sum(), 100)
    if preset == "england":
        for name, column in (("fsm", "fsm"), ("sen_support", "K"), ("ehc_plan", "E")):
            part = count[mine & pupils[column]].sum()
            yield published_share(f"{event}.share.{name}", part, count[mine].sum())


def _per_suspended(count: Ints, pupils: pd.DataFrame) -> Iterator[Row]:
    """Count pupils with one suspension or more, and suspensions for each of them."""
    for number, phase in enumerate(PHASES[:2]):
        here = (pupils["phase"] == number).to_numpy()
        suspended = int((count[here] > 0).sum())
        yield published_share(f"one_susp.{phase}", suspended, int((here & pupils["on_roll"]).sum()))
        name = f"susp_per_suspended.{phase}"
        yield (name, parameter(name), count[here].sum(), suspended, 1)


def _counted(pupils: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which pupils were in a year group or at a special school in the year."""
    return (pupils["stage"] >= 0).to_numpy()


def _of_the_year(tables: Tables, pupils: pd.DataFrame) -> pd.DataFrame:
    """Return the suspensions and permanent exclusions of the school year that is counted."""
    facts = tables["suspensions"]
    return facts[(academic_year(facts["start_date"]) == pupils["year"].iloc[0]).to_numpy()]


def _composition(event: str, count: Ints, pupils: pd.DataFrame) -> Iterator[Row]:
    """Count events by type of need among pupils with SEN, and by ethnic group."""
    with_sen = (pupils["K"] | pupils["E"]).to_numpy()
    ethnic = ("WBRI", "WOTH", "MWBC", "APKN", "BAFR", "BCRB") if event == "susp" else ("WBRI",)
    for name, inside, groups, shown in (
        ("need", with_sen, NEEDS, ("SEMH", "MLD", "SLCN", "ASD")),
        ("ethnicity", _counted(pupils), tuple(parameters_under("ethnicity")), ethnic),
    ):
        targets = _targets(f"{event}.{name}", groups, pupils.loc[inside & pupils["on_roll"], name])
        mine = inside & _counted(pupils)
        for code in shown:
            part = count[mine & (pupils[name] == code)].sum()
            yield (f"{event}.share.{code}", targets[code], part, count[mine].sum(), 100)


def _targets(prefix: str, groups: tuple[str, ...], members: pd.Series) -> dict[str, float]:
    """Return each group's percentage of all events, by published rates and numbers of members."""
    rates = parameters_under(prefix)
    size = {code: int((members == code).sum()) for code in groups}
    whole = sum(size[code] * rates[code] for code in groups)
    return {code: float(ratio(100 * size[code] * rates[code], whole)) for code in groups}


def _in_care(count: Ints, pupils: pd.DataFrame) -> Row:
    """Count permanent exclusions of children in need, on plans and looked after together."""
    kinds = ["child_in_need", "child_protection", "looked_after"]
    care = pupils[kinds].any(axis=1).to_numpy()
    target = 1.03 * parameter("pex.secondary") / 0.253
    events, on_roll = count[_counted(pupils) & care].sum(), (pupils["on_roll"] & care).sum()
    return ("pex.child_in_need", target, events, on_roll, 100)


def incident_figures(tables: Tables, pupils: pd.DataFrame, preset: Preset) -> Iterator[Row]:
    """Count suspensions and permanent exclusions by term, reason, length and school.

    Parameters
    ----------
    tables : Tables
        A simulated LA.
    pupils : DataFrame
        From :func:`~.pupils.counted_pupils`.
    preset : str
        ``"england"`` or ``"bcp"``.

    Yields
    ------
    Row
        One per published figure.
    """
    facts = _of_the_year(tables, pupils)
    for event, category in CATEGORIES.items():
        mine = facts[(facts["category"] == category).to_numpy()]
        autumn = (mine["start_date"].dt.month >= 9).sum()
        yield published_share(f"{event}.share.autumn", autumn, len(mine))
        yield from _reasons(event, mine, preset)
    days = facts.loc[facts["category"] == "SUSP", "sessions"] / 2
    for length, target in parameters_under("susp.length").items():
        if length != "10":
            yield (f"susp.length.{length}", target, (days == float(length)).sum(), len(days), 100)
    yield from _top_schools(tables["schools"], facts, preset)


def _reasons(event: str, facts: pd.DataFrame, preset: Preset) -> Iterator[Row]:
    """Count how often some reasons are given, of all reasons given."""
    given = facts[["reason_1", "reason_2", "reason_3"]].astype("object").to_numpy()
    total = int(pd.notna(given).sum())
    shares = shares_of_all_reasons(event, preset)
    for code in ("DB", "VA", "PP") if event == "susp" else ("DB", "DA"):
        target = 100 * shares[code] / sum(shares.values())
        yield (f"{event}.reason.{code}", target, int((given == code).sum()), total, 100)


def _top_schools(schools: pd.DataFrame, facts: pd.DataFrame, preset: Preset) -> Iterator[Row]:
    """Count the events of the secondary schools of each LA that issued most."""
    secondary = schools.loc[(schools["phase"] == "secondary").to_numpy()]
    if len(secondary) < ENOUGH_SCHOOLS:
        return
    for event, category in CATEGORIES.items():
        events = facts.loc[facts["category"] == category, "school_id"].value_counts()
        by_school = secondary["school_id"].map(events).fillna(0)
        top = sum(
            part.nlargest(round(TOP_SCHOOLS * len(part))).sum()
            for _, part in by_school.groupby(secondary["local_authority"])
        )
        yield published_share(f"top_schools.{event}", top, by_school.sum(), preset)
