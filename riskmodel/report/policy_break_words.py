"""What must be said beside a figure that spans a change of policy.

In:  the breaks that an LA wrote down; the days of lists, or of a dashboard.
Out: sentences, none where nothing spans a break.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pandas as pd

from riskmodel.assess import Assessment
from riskmodel.data.counted import counted
from riskmodel.features import CATALOGUE
from riskmodel.labels import horizon_end
from riskmodel.policy_breaks import PolicyBreak, looks_across
from riskmodel.report.sentences import day_words

__all__ = ["break_words", "breaks_of_dashboard", "breaks_of_list", "breaks_of_lists", "with_breaks"]

SHOWN = 3
"""Features that a sentence names."""


def breaks_of_lists(
    breaks: Iterable[PolicyBreak], lists: Sequence[tuple[pd.Timestamp, pd.Timestamp]]
) -> list[str]:
    """Return what stands beside the figures of tested lists.

    Parameters
    ----------
    breaks : iterable of PolicyBreak
        From the settings.
    lists : sequence of (Timestamp, Timestamp)
        Day of each tested list, and the end of its horizon.

    Returns
    -------
    list of str
        A text for each break, but for those that lie before all that the lists count.
    """
    return [_whole(one, words) for one in breaks if (words := _across_lists(one, lists))]


def _across_lists(one: PolicyBreak, lists: Sequence[tuple[pd.Timestamp, pd.Timestamp]]) -> str:
    across = sum(looks_across(one, day, last) for day, last in lists)
    if across:
        return (
            "Tested lists that count what came before that day together with what came after it: "
            f"{across} of {len(lists)}. Their figures are of neither policy."
        )
    if all(last < one.day for _, last in lists):
        return (
            "All tested lists lie before that day, so no figure here says how the model does since."
        )
    return ""


def breaks_of_list(assessment: Assessment, breaks: Iterable[PolicyBreak]) -> list[str]:
    """Return what stands beside a list.

    Parameters
    ----------
    assessment : Assessment
        The list's assessment.
    breaks : iterable of PolicyBreak
        From the settings.

    Returns
    -------
    list of str
        A text for each break that the list looks across, or that came since the model was trained or in the
        year before it.
    """
    pupils = assessment.scores.assign(as_of=assessment.as_of)
    last = horizon_end(pupils, assessment.outcome).max()
    trained = pd.Timestamp(assessment.provenance.get("trained_as_of", assessment.as_of))
    return [
        _whole(one, _across_list(one, assessment.as_of, trained))
        for one in breaks
        if looks_across(one, assessment.as_of, last) or looks_across(one, trained, assessment.as_of)
    ]


def _across_list(one: PolicyBreak, day: pd.Timestamp, trained: pd.Timestamp) -> str:
    if day < one.day:
        return f"The time that a list of {day_words(day)} looks ahead crosses that day."
    both = (
        f"A list of {day_words(day)} counts what came before that day together with what came after it. "
        if looks_across(one, day, day)
        else ""
    )
    return (
        f"{both}The model was trained with what was known before {day_words(trained)}, mostly or wholly "
        "under the old policy."
    )


def with_breaks(assessment: Assessment, breaks: Iterable[PolicyBreak]) -> Assessment:
    """Return the assessment with what its page must say of policy breaks in its provenance.

    Parameters
    ----------
    assessment : Assessment
        The list's assessment.
    breaks : iterable of PolicyBreak
        From the settings.

    Returns
    -------
    Assessment
        The same one where no break matters to it.
    """
    words = breaks_of_list(assessment, breaks)
    origin = assessment.provenance | {"policy_breaks": words}
    return replace(assessment, provenance=origin) if words else assessment


def break_words(assessment: Assessment) -> list[str]:
    """Return what a list's page says of policy breaks.

    Parameters
    ----------
    assessment : Assessment
        From :func:`with_breaks`.

    Returns
    -------
    list of str
        Texts; none where no break matters to the list.
    """
    return list(assessment.provenance.get("policy_breaks", []))


def breaks_of_dashboard(
    breaks: Iterable[PolicyBreak], first: pd.Timestamp, as_of: pd.Timestamp
) -> list[str]:
    """Return what stands beside the figures of a dashboard.

    Parameters
    ----------
    breaks : iterable of PolicyBreak
        From the settings.
    first, as_of : Timestamp
        Day of the first fact; the day of the dashboard.

    Returns
    -------
    list of str
        A text for each break between the two days.
    """
    return [
        f"{_named(one)} Figures of {_tables(one)} before that day and after it "
        "are not alike: a rise or a fall across it may be the policy."
        for one in breaks
        if first < one.day < as_of
    ]


def _whole(one: PolicyBreak, spans: str) -> str:
    return f"{_named(one)} {spans} {_unlike(one)}"


def _named(one: PolicyBreak) -> str:
    return f"On {day_words(one.day)} a policy changed: {one.what} (from the LA's settings)."


def _tables(one: PolicyBreak) -> str:
    return ", ".join(one.tables).replace("_", " ")


def _unlike(one: PolicyBreak) -> str:
    """Return which features and rivals mean something else since."""
    changed = sorted((CATALOGUE[name] for name in one.features), key=lambda f: not f.may_be_reason)
    labels = [f'"{feature.label}"' for feature in changed]
    if not labels:
        return f"No feature is counted from {_tables(one)}."
    more = ["others"] if len(labels) > SHOWN else []
    rivals = f" So does the ranking by {' and by '.join(one.rivals)}." if one.rivals else ""
    return (
        f"{counted(len(labels), 'feature')} mean something else since: "
        f"{', '.join([*labels[:SHOWN], *more])}.{rivals}"
    )
