"""Marks as bytes, and the families in which marks are counted.

In:  the DfE's attendance codes.
Out: the codes of each family, and which bytes of a register belong to it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from riskmodel.data.codes import ABSENT, POSSIBLE, codes, marks_of

__all__ = ["FAMILIES", "NO_MARK", "family_lookup"]

NO_MARK = 0
"""Byte of a half-day without a mark; mark number i of the code set is byte i + 1."""


FAMILIES: Mapping[str, tuple[str, ...]] = {
    "possible": marks_of(*POSSIBLE),
    "absence": marks_of(*ABSENT),
    "authorised": marks_of("authorised"),
    "unauthorised": marks_of("unauthorised"),
    "illness": ("I", "M"),
    "late": ("L", "U"),
    "excluded": ("E",),
    "part_time": ("C2",),
    "offsite": ("B", "K"),
    "unexplained": ("N", "O"),
    "holiday": ("G",),
    "dual": ("D",),
    "not_possible": marks_of("not_possible"),
    "marked": codes("marks"),
    "left_open": ("N",),
    "closed_late": ("U",),
    "educated_elsewhere": ("K",),
}
"""Family of marks → its codes; a code may belong to several."""


def family_lookup(name: str) -> NDArray[np.bool_]:
    """Return for each byte whether it is a mark of a family.

    Parameters
    ----------
    name : str
        A key of :data:`FAMILIES`.

    Returns
    -------
    bool array of shape (256,)
        False for :data:`NO_MARK`.

    Examples
    --------
    >>> [codes("marks")[byte - 1] for byte in np.flatnonzero(family_lookup("illness"))]
    ['I', 'M']
    """
    table = np.zeros(256, dtype=bool)
    table[[codes("marks").index(code) + 1 for code in FAMILIES[name]]] = True
    return table
