"""Marks as bytes, and the families in which marks are counted.

In:  the DfE's attendance codes.
Out: families of codes by name, and which bytes of a register belong to each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riskmodel.data.codes import code_set, codes

__all__ = ["FAMILIES", "NO_MARK", "family_lookup"]

NO_MARK = 0
"""Byte of a half-day without a mark; mark number i of the code set is byte i + 1."""


def _families() -> dict[str, tuple[str, ...]]:
    family = code_set("marks")["family"]
    authorised = tuple(family.index[family == "authorised"])
    unauthorised = tuple(family.index[family == "unauthorised"])
    return {
        "possible": tuple(family.index[family != "not_possible"]),
        "absence": authorised + unauthorised,
        "authorised": authorised,
        "unauthorised": unauthorised,
        "illness": ("I", "M"),
        "late": ("L", "U"),
        "excluded": ("E",),
        "part_time": ("C2",),
        "offsite": ("B", "K"),
        "unexplained": ("N", "O"),
        "holiday": ("G",),
        "dual": ("D",),
        "not_possible": tuple(family.index[family == "not_possible"]),
        "marked": tuple(family.index),
        "left_open": ("N",),
        "closed_late": ("U",),
        "educated_elsewhere": ("K",),
    }


FAMILIES = _families()
"""Named groups of marks."""


def family_lookup(name: str) -> NDArray[np.bool_]:
    """Return for each byte whether it is a mark of the family.

    Parameters
    ----------
    name : str
        A key of :data:`FAMILIES`.

    Returns
    -------
    bool array of shape (256,)
        False for :data:`NO_MARK`.
    """
    table = np.zeros(256, dtype=bool)
    table[[codes("marks").index(code) + 1 for code in FAMILIES[name]]] = True
    return table
