"""Every measure of the dashboard in words, and England's figure for it.

In:  nothing.
Out: :data:`MEASURES`, the declaration that counting, hiding and the pages follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pandas as pd

from riskmodel.data.codes import code_set
from riskmodel.inclusion.needs import WEEKS

__all__ = ["HALF_DAYS", "MEASURES", "Measure", "england"]

HALF_DAYS = "% of half-days"
"""Unit of the measures that count half-days, not pupils."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """One measure in words.

    Attributes
    ----------
    name, title, unit, theme : str
        Its key, heading, unit and part of the page.
    about : str
        What is counted, and of what.
    national : str
        Code of the national figure, followed by ``_`` and the phase; empty where none is published.
    by_phase : bool
        Whether the national figure is by phase.
    any_period : bool
        Whether a term can be compared with England's figure for a year. Not where things add up over the
        year, nor for persistent absence: the shorter the period, the more pupils reach 10%.
    adds : bool
        Whether the terms of a year add up to the year, or nearly so, as few pupils join or leave or
        are suspended in two terms: one hidden term could be worked out.
    part_of : str
        Measures of one such name add up to a whole that is shown.
    """

    name: str
    title: str
    unit: str
    theme: str
    about: str
    national: str = ""
    by_phase: bool = True
    any_period: bool = False
    adds: bool = False
    part_of: str = ""


_ATTENDANCE, _EXCLUSION = "Attendance", "Suspension and exclusion"
_ELSEWHERE, _MOVES = "Part-time and away from school", "On and off the roll"
_SEND, _AFTER, _CONTEXT = "SEND", "After Year 11", "The roll"
_SHARE, _RATE = "% of pupils", "per 100 pupils"


def _after(name: str, title: str, about: str, national: str = "") -> Measure:
    return Measure(
        name=f"leavers_{name}",
        title=title,
        unit=_SHARE,
        theme=_AFTER,
        about=about,
        national=national,
        by_phase=False,
        part_of="leavers",
    )


_ALL = (
    Measure(
        name="attendance",
        any_period=True,
        title="Attendance",
        unit=HALF_DAYS,
        theme=_ATTENDANCE,
        adds=True,
        about="Half-days attended, or spent at an approved activity, of all possible half-days.",
        national="absence",
    ),
    Measure(
        name="persistent",
        title="Persistent absence",
        unit=_SHARE,
        theme=_ATTENDANCE,
        about="Pupils who missed 10% or more of their possible half-days, of all with marks.",
        national="persistent",
    ),
    Measure(
        name="severe",
        title="Severe absence",
        unit=_SHARE,
        theme=_ATTENDANCE,
        about="Pupils who missed half or more of their possible half-days, of all with marks.",
        national="severe",
    ),
    Measure(
        name="suspensions",
        title="Suspensions",
        unit=_RATE,
        theme=_EXCLUSION,
        adds=True,
        about="Suspensions that began in the term, of pupils on roll on the census day. A pupil "
        "suspended twice counts twice.",
        national="suspensions",
    ),
    Measure(
        name="suspended",
        adds=True,
        title="Pupils suspended",
        unit=_RATE,
        theme=_EXCLUSION,
        about="Different pupils suspended, of pupils on roll.",
        national="suspended",
    ),
    Measure(
        name="exclusions",
        title="Permanent exclusions",
        unit=_RATE,
        theme=_EXCLUSION,
        adds=True,
        about="Permanent exclusions that began in the term, of pupils on roll.",
        national="pex",
    ),
    Measure(
        name="part_time",
        title="Pupils on a part-time timetable",
        unit=_RATE,
        theme=_ELSEWHERE,
        about="Pupils with a spell the LA was told of, or a mark C2, at any time in the term, of "
        "pupils on roll.",
    ),
    Measure(
        name="part_time_marks",
        any_period=True,
        title="Half-days on a part-time timetable",
        unit=HALF_DAYS,
        theme=_ELSEWHERE,
        adds=True,
        national="part_time",
        about="Half-days marked C2, of all possible half-days. They count as absence.",
    ),
    Measure(
        name="alternative",
        title="Pupils in alternative provision",
        unit=_RATE,
        theme=_ELSEWHERE,
        about="Pupils on the school's main roll with a spell in alternative provision, or a second "
        "roll there, at any time in the term.",
    ),
    Measure(
        name="offsite",
        any_period=True,
        title="Half-days educated off site",
        unit=HALF_DAYS,
        theme=_ELSEWHERE,
        about="Half-days marked B (education off site) or K (arranged by the LA), of all possible "
        "half-days. They count as attended.",
        adds=True,
        national="offsite",
    ),
    Measure(
        name="dual",
        title="Half-days at another school",
        unit=HALF_DAYS,
        theme=_ELSEWHERE,
        about="Half-days marked D (dual registered, at the other school), of all marked. They count "
        "neither as attended nor as missed.",
        adds=True,
    ),
    Measure(
        name="joined",
        adds=True,
        title="Joined in mid-year",
        unit=_RATE,
        theme=_MOVES,
        about="Pupils who came onto the roll outside August and September, of pupils on roll.",
    ),
    Measure(
        name="left_known",
        adds=True,
        title="Left with a known destination",
        unit=_RATE,
        theme=_MOVES,
        about="Pupils who came off the roll for another school, another area or another stated "
        "reason, of pupils on roll. Not counted: the end of a phase or of Year 11, home education, "
        "permanent exclusion.",
    ),
    Measure(
        name="left_unknown",
        adds=True,
        title="Left without a known destination",
        unit=_RATE,
        theme=_MOVES,
        about="Pupils who came off the roll, with no reason that says where to and on no roll of "
        "the area within 50 days, of pupils on roll.",
    ),
    Measure(
        name="home_educated",
        adds=True,
        title="Left for elective home education",
        unit=_RATE,
        theme=_MOVES,
        about="Pupils who came off the roll for home education, of pupils on roll.",
    ),
    Measure(
        name="sen_support",
        any_period=True,
        title="SEN support",
        unit=_SHARE,
        theme=_SEND,
        about="Pupils with SEN support and no plan on the census day, of pupils on roll.",
        national="sen_support",
    ),
    Measure(
        name="ehc_plan",
        any_period=True,
        title="EHC plans",
        unit=_SHARE,
        theme=_SEND,
        about="Pupils with an EHC plan on the census day, of pupils on roll.",
        national="ehc_plan",
    ),
    Measure(
        name="waiting",
        title=f"Requests for a plan waiting over {WEEKS} weeks",
        unit="% of open requests",
        theme=_SEND,
        about=f"Requests for an EHC plan open for more than {WEEKS} weeks at the end of the term, of "
        "all open then. The LA answers for this wait, not the school.",
    ),
    Measure(
        name="in_time",
        any_period=True,
        title=f"Plans issued within {WEEKS} weeks",
        unit="% of plans issued",
        theme=_SEND,
        national="plans_in_time",
        by_phase=False,
        adds=True,
        about=f"EHC plans issued within {WEEKS} weeks of the request, of all issued. The LA answers "
        "for this wait, not the school; England's figure is for all phases.",
    ),
    _after(
        "education",
        "In education",
        "In education on 31 January after Year 11, followed pupil by "
        "pupil, of all who were on roll in Year 11 in May.",
    ),
    _after("work", "In work or training", "In employment or training on 31 January after Year 11."),
    _after(
        "neet",
        "Not in education, employment or training",
        "NEET on 31 January after Year 11. "
        "England's figure is for academic age 16, the mean of December to February.",
        "neet_16",
    ),
    _after(
        "not_known",
        "Not known",
        "Activity not known, or no record, on 31 January after Year 11. "
        "Not known is not NEET. England's figure is as above.",
        "not_known_16",
    ),
    _after(
        "elsewhere",
        "In custody or re-engagement",
        "In custody or re-engagement provision on 31 January after Year 11.",
    ),
    Measure(
        name="roll",
        title="Pupils on roll",
        unit="pupils",
        theme=_CONTEXT,
        about="Pupils on the main roll on the census day.",
    ),
    Measure(
        name="fsm",
        any_period=True,
        title="Free school meals",
        unit=_SHARE,
        theme=_CONTEXT,
        about="Pupils eligible for free school meals on the census day, of pupils on roll.",
        national="fsm",
    ),
    Measure(
        name="reasons",
        title="Reasons for suspensions",
        unit="% of reasons given",
        theme=_EXCLUSION,
        about="Up to three reasons are given for a suspension; of all given.",
        adds=True,
        part_of="reasons",
    ),
    Measure(
        name="needs",
        title="Primary needs",
        unit="% of pupils with SEN",
        theme=_SEND,
        about="Pupils with SEN support or a plan on the census day, by primary need.",
        part_of="needs",
    ),
)

MEASURES: dict[str, Measure] = {measure.name: measure for measure in _ALL}
"""Every measure by name; ``reasons`` and ``needs`` have one row per ``code``."""


@cache
def england(name: str, phase: str) -> pd.Series | None:
    """Return England's published figure for a measure.

    Parameters
    ----------
    name : str
        A key of :data:`MEASURES`.
    phase : str
        ``"primary"``, ``"secondary"`` or ``"special"``; others have none, unless it is for all.

    Returns
    -------
    Series or None
        ``figure`` for a whole year in the measure's unit, ``year``, ``source``; None where none is
        published.

    Examples
    --------
    >>> england("suspensions", "secondary")["figure"] > england("suspensions", "primary")["figure"]
    True
    >>> england("suspensions", "") is None
    True
    """
    measure, national = MEASURES[name], code_set("national")
    code = f"{measure.national}_{phase}" if measure.by_phase else measure.national
    if code not in national.index:
        return None
    row = national.loc[code]
    figure = float(str(row["national"]))
    # what is published is absence
    return pd.Series(
        {
            "figure": 100 - figure if name == "attendance" else figure,
            "year": row["year"],
            "source": row["source"],
        }
    )
