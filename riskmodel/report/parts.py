"""The two parts of a list in words: known concern, and places for emerging concern.

In:  an assessment that is a part of a list, or the whole.
Out: headings, and what each part holds; nothing where the list is whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from riskmodel.assess import Assessment, ListPart
from riskmodel.data.counted import counted
from riskmodel.data.outcomes import outcome_of

__all__ = ["EMERGING_FOLDER", "Part", "heading", "part_sentences", "parts_of"]

EMERGING_FOLDER = "emerging"
"""Folder of the second part, inside that of the list."""

HEADING = "Pupils who may need support early"

APART = "The two parts are never mixed, and no child is in both."


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a list, as a page shows it.

    Attributes
    ----------
    title : str
        Which part, and its places.
    words : str
        Whom it holds, and by what they are ranked.
    is_here : bool
        Whether the page at hand shows it.
    href : str
        Address of the LA's page of it.
    """

    title: str
    words: str
    is_here: bool
    href: str


def heading(assessment: Assessment) -> str:
    """Return the heading of a list's page and workbook.

    Parameters
    ----------
    assessment : Assessment
        The list's assessment.

    Returns
    -------
    str
        It says whether the list is the part for emerging concern.
    """
    part = assessment.part
    return f"{HEADING}: emerging concern" if part is not None and part.is_emerging else HEADING


def parts_of(assessment: Assessment) -> list[Part]:
    """Return both parts of a list, as its pages show them side by side.

    Parameters
    ----------
    assessment : Assessment
        One of them.

    Returns
    -------
    list of Part
        The known part first; empty where the list is whole.
    """
    part = assessment.part
    if part is None:
        return []
    known, emerging = (counted(places, "place") for places in part.places)
    return [
        Part(
            title=f"Known concern: {known}",
            words=_known(part),
            is_here=not part.is_emerging,
            href="../index.html",
        ),
        Part(
            title=f"Emerging concern: {emerging}",
            words=_emerging(part),
            is_here=part.is_emerging,
            href=f"{EMERGING_FOLDER}/index.html",
        ),
    ]


def part_sentences(assessment: Assessment) -> list[str]:
    """Return what both parts of a list hold, in sentences.

    Parameters
    ----------
    assessment : Assessment
        One of them.

    Returns
    -------
    list of str
        This part first; empty where the list is whole.
    """
    part = assessment.part
    if part is None:
        return []
    this, other = (_known(part), _emerging(part))[:: -1 if part.is_emerging else 1]
    return [f"This is one part of a list in two parts. {this}", f"The other part: {other} {APART}"]


def _known(part: ListPart) -> str:
    """Return whom the known part holds."""
    return (
        f"Of {part.pupils[0]:,} pupils, the {part.places[0]:,} with the highest risk of "
        f"{outcome_of(part.outcome).words}, whether suspended before or not."
    )


def _emerging(part: ListPart) -> str:
    """Return whom the emerging part holds."""
    return (
        f"Of {part.pupils[1]:,} children never suspended who are not in the known part, the "
        f"{part.places[1]:,} with the highest risk of {outcome_of(part.ranked_by).words}."
    )
