"""Progress of long work: one bar on a terminal, silence elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

__all__ = ["track"]

Item = TypeVar("Item")


def track(items: Iterable[Item], description: str, *, total: int | None = None) -> Iterator[Item]:
    """Yield the items while a bar on standard error shows how far the work is.

    Parameters
    ----------
    items : iterable
        What is worked through.
    description : str
        What the work is, in a few words.
    total : int, optional
        Number of items, where ``items`` has no length.

    Yields
    ------
    object
        The items, unchanged.
    """
    # disable=None: no bar unless standard error is a terminal; 2 s: short work shows none.
    yield from tqdm(items, desc=description, total=total, disable=None, leave=False, delay=0.5)
