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
from riskmodel.data.tables import Tables
from riskmodel.simulate.behaviour import level_by_stage
from riskmodel.simulate.figures.pupils import PHASES
from riskmodel.simulate.figures.row import Row, published_share
from riskmodel.simulate.needs import NEEDS
from riskmodel.simulate.parameters import (
    Preset,
    parameter,
    parameters_under,
)
from riskmodel.simulate.population import TOP_SCHOOLS
from riskmodel.simulate.records import shares_of_all_reasons
from riskmodel.simulate.shapes import GROUPS

__all__ = ["exclusion_figures", "incident_figures"]

CATEGORIES = {"susp": "SUSP", "pex": "PERM"}
"""Event of a figure → category of the table."""


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
    stage = pupils["stage"].to_numpy()
    size = np.bincount(stage[pupils["on_roll"]], minlength=GROUPS + 1)
    for event, count in counts.items():
        for number, phase in enumerate(PHASES):
            here = (pupils["phase"] == number).to_numpy()
            on_roll = int((here & pupils["on_roll"]).sum())
            yield published_share(f"{event}.{phase}", count[here].sum(), on_roll, preset)
        level = level_by_stage(event, preset)  # type: ignore[arg-type]
        for group in range(1, GROUPS) if event == "susp" else range(7, GROUPS):
            here = stage == group
            yield (f"{event}.year.{group}", 100 * level[group], count[here].sum(), size[group], 100)
        mine = stage >= 0
        total = count[mine].sum()
        ratio = parameter(f"{event}.ratio.male")
        male = parameter("male") / 100
        boys = 100 * ratio * male / (ratio * male + 1 - male)
        yield (f"{event}.share.male", boys, count[mine & pupils["male"]].sum(), total, 100)
        if preset == "england":
            yield published_share(f"{event}.share.fsm", count[mine & pupils["fsm"]].sum(), total)
            for name, letter in (("sen_support", "K"), ("ehc_plan", "E")):
                yield published_share(
                    f"{event}.share.{name}", count[mine & pupils[letter]].sum(), total
                )
        yield from _composition(event, count, pupils, mine)
    for number, phase in enumerate(PHASES[:2]):
        here = (pupils["phase"] == number).to_numpy()
        suspended = int((counts["susp"][here] > 0).sum())
        on_roll = int((here & pupils["on_roll"]).sum())
        if preset == "england":
            yield published_share(f"one_susp.{phase}", suspended, on_roll)
            yield (
                f"susp_per_suspended.{phase}",
                parameter(f"susp_per_suspended.{phase}"),
                counts["susp"][here].sum(),
                suspended,
                1,
            )


def _of_the_year(tables: Tables, pupils: pd.DataFrame) -> pd.DataFrame:
    """Return the suspensions and permanent exclusions of the school year that is counted."""
    facts = tables["suspensions"]
    return facts[(academic_year(facts["start_date"]) == pupils["year"].iloc[0]).to_numpy()]


def _composition(
    event: str, count: NDArray[np.int64], pupils: pd.DataFrame, mine: NDArray[np.bool_]
) -> Iterator[Row]:
    """Count events by type of need and ethnicity; targets by published rates and who there is."""
    here = pupils["on_roll"].to_numpy()
    with_sen = (pupils["K"] | pupils["E"]).to_numpy()
    for name, column, groups, inside, shown in (
        ("need", pupils["need"], NEEDS, with_sen, ("SEMH", "MLD", "SLCN", "ASD")),
        (
            "ethnicity",
            pupils["ethnicity"],
            tuple(parameters_under("ethnicity")),
            mine,
            ("WBRI", "WOTH", "MWBC", "APKN", "BAFR", "BCRB") if event == "susp" else ("WBRI",),
        ),
    ):
        rates = parameters_under(f"{event}.{name}")
        there = {code: int((here & inside & (column == code)).sum()) for code in groups}
        whole = sum(there[code] * rates[code] for code in groups)
        for code in shown:
            target = 100 * there[code] * rates[code] / whole if whole else np.nan
            part = count[inside & mine & (column == code)].sum()
            yield (f"{event}.share.{code}", target, part, count[inside & mine].sum(), 100)
    if event == "pex":
        care = (
            pupils["child_in_need"] | pupils["child_protection"] | pupils["looked_after"]
        ).to_numpy()
        yield (
            "pex.child_in_need",
            1.03 * parameter("pex.secondary") / 0.253,
            count[mine & care].sum(),
            (here & care).sum(),
            100,
        )


def incident_figures(tables: Tables, pupils: pd.DataFrame, preset: Preset) -> Iterator[Row]:
    """Count what suspensions and permanent exclusions were like: when, why, how long, where.

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
    autumn = facts["start_date"].dt.month >= 9
    for event, category in CATEGORIES.items():
        mine = facts["category"] == category
        yield published_share(f"{event}.share.autumn", (mine & autumn).sum(), mine.sum())
        given = [facts.loc[mine, f"reason_{i}"] for i in (1, 2, 3)]
        total = sum(int(reason.notna().sum()) for reason in given)
        for code in ("DB", "VA", "PP") if event == "susp" else ("DB", "DA"):
            target = _reason(event, code, preset)
            yield (
                f"{event}.reason.{code}",
                target,
                sum(int((r == code).sum()) for r in given),
                total,
                100,
            )
    days = facts.loc[facts["category"] == "SUSP", "sessions"] / 2
    for length, target in parameters_under("susp.length").items():
        if length != "10":
            yield (f"susp.length.{length}", target, (days == float(length)).sum(), len(days), 100)
    secondary = tables["schools"].loc[
        (tables["schools"]["phase"] == "secondary").to_numpy(), ["school_id", "local_authority"]
    ]
    if len(secondary) >= 20:
        for event, category in CATEGORIES.items():
            events = facts.loc[facts["category"] == category, "school_id"].value_counts()
            by_school = secondary.assign(n=secondary["school_id"].map(events).fillna(0))
            top = in_all = 0.0
            for _, part in by_school.groupby("local_authority"):
                top += part["n"].nlargest(round(TOP_SCHOOLS * len(part))).sum()
                in_all += part["n"].sum()
            yield published_share(f"top_schools.{event}", top, in_all, preset)


def _reason(event: str, code: str, preset: Preset) -> float:
    shares = shares_of_all_reasons(event, preset)
    return 100 * shares[code] / sum(shares.values())
