"""DfE code sets, each a small CSV file that opens with its source.

In:  the name of a code set.
Out: a frame indexed by code, with the years in force where codes changed.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import pandas as pd

__all__ = ["code_set", "codes"]


@cache
def code_set(name: str) -> pd.DataFrame:
    """Return a code set.

    Parameters
    ----------
    name : str
        ``"marks"``, ``"reasons"``, ``"activities"``, ``"needs"``, ``"ethnicities"`` or
        ``"circumstances"``.

    Returns
    -------
    DataFrame
        Indexed by ``code``. ``label`` always; ``family`` (marks), ``group`` (activities) or
        ``major`` (ethnicities); ``from`` and ``to``, first and last day in force, where known.

    Examples
    --------
    >>> code_set("marks").loc["C2", "family"]
    'authorised'
    """
    source = files("riskmodel.data.codes") / f"{name}.csv"
    with source.open(encoding="utf-8") as stream:
        comments = sum(1 for line in stream if line.startswith("# "))
    with source.open(encoding="utf-8") as stream:
        table = pd.read_csv(stream, skiprows=comments, dtype=str, keep_default_na=False)
    return table.set_index("code")


def codes(name: str) -> tuple[str, ...]:
    """Return the codes of a code set, in the file's order.

    Parameters
    ----------
    name : str
        As for :func:`code_set`.

    Returns
    -------
    tuple of str
        The codes.
    """
    return tuple(code_set(name).index)
