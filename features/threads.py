"""Work shared out over all cores, by threads.

In:  a function that writes its answer to memory of its own, and the items to call it with.
Out: nothing. numpy lets other threads run while it works.
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
    """Call a function with each item, as many at a time as there are cores.

    Parameters
    ----------
    work : callable
        Function to call; it must not write where another call writes. Its errors are raised here.
    items : iterable
        Its arguments, one per call.

    Examples
    --------
    >>> squares = [0, 0, 0]
    >>> on_all_cores(lambda n: squares.__setitem__(n, n * n), range(3))
    >>> squares
    [0, 1, 4]
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        deque(pool.map(work, items), maxlen=0)
