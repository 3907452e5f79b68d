"""Work shared out over all cores, by threads.

In:  a function that writes its answer to a place of its own, and what it is called with.
Out: nothing; numpy lets other threads run while it works.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["on_all_cores"]

Item = TypeVar("Item")


def on_all_cores(work: Callable[[Item], None], items: Iterable[Item]) -> None:
    """Call a function with each of many items, as many at a time as there are cores.

    Parameters
    ----------
    work : callable
        Must not write where another call writes; what it raises is raised here.
    items : iterable
        What it is called with.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        deque(pool.map(work, items), maxlen=0)
