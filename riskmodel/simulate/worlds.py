"""Worlds: the mechanisms by which simulated lives differ where the published rates are the same.

In:  the name of a world.
Out: :class:`World`: how strong each mechanism is.

A recipe that is chosen in one world is fitted to that world. All strengths are chosen; none is
published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from riskmodel.errors import RequestError

__all__ = ["STEADY", "UNRECORDED_YEARS", "WORLDS", "World", "WorldName", "world_named"]

WorldName = Literal["steady", "crisis", "contagion", "new_head", "policy"]


@dataclass(frozen=True)
class World:
    """A simulated world.

    Attributes
    ----------
    name : str
        Its name on the command line.
    words : str
        What happens in it, in one sentence.
    shock_chance : float
        Chance that a crisis meets a pupil in a half-term.
    contagion : float
        What a suspension per pupil in the same year group of the same school adds to pressure.
    new_heads : float
        Chance that a school gets a new head in a school year, whose regime halves or doubles
        suspensions and exclusions.
    unrecorded : float
        Share of suspensions that are held inside school, and no longer recorded, in the last
        :data:`UNRECORDED_YEARS` school years.
    """

    name: WorldName
    words: str
    shock_chance: float = 0.0
    contagion: float = 0.0
    new_heads: float = 0.0
    unrecorded: float = 0.0


UNRECORDED_YEARS = 2
"""Last school years of the data under the new guidance, where a world has one; chosen."""

STEADY = World("steady", "Difficulties grow and fade slowly, and schools keep their ways.")

WORLDS: dict[str, World] = {
    world.name: world
    for world in (
        STEADY,
        World(
            "crisis",
            "A crisis breaks attendance and behaviour within weeks; exclusion often comes without "
            "any suspension before it.",
            shock_chance=0.03,
        ),
        World(
            "contagion",
            "Suspensions in a year group of a school unsettle the others in it.",
            contagion=2.0,
        ),
        World(
            "new_head",
            "New heads halve or double the suspensions and exclusions of their schools.",
            new_heads=0.15,
        ),
        World(
            "policy",
            "From a day on, half of the suspensions are held inside school and not recorded.",
            unrecorded=0.5,
        ),
    )
}
"""Every world by its name."""


def world_named(name: str) -> World:
    """Return the world of a name.

    Parameters
    ----------
    name : str
        One of :data:`WORLDS`.

    Returns
    -------
    World
        Its mechanisms.

    Raises
    ------
    RequestError
        If no world has this name.

    Examples
    --------
    >>> world_named("policy").unrecorded
    0.5
    """
    if name not in WORLDS:
        raise RequestError(f"The world must be one of {', '.join(WORLDS)}; got {name!r}.")
    return WORLDS[name]
