"""A figure of the simulated LA beside the published one.

In:  two counts, and the name of a parameter.
Out: one row of the table that :func:`riskmodel.simulate.measure` returns.
"""

from __future__ import annotations

from riskmodel.simulate.parameters import Preset, parameter

__all__ = ["Row", "published_share"]

Row = tuple[str, float, float, float, float]
"""Figure, target, count, count that it is divided by, factor (100 for per cent)."""


def published_share(name: str, part: float, whole: float, preset: Preset = "england") -> Row:
    """Return a share of the simulated LA with the parameter of the same name.

    Parameters
    ----------
    name : str
        Figure and parameter, as in ``parameters.csv``.
    part, whole : float
        Counts.
    preset : str
        ``"england"`` or ``"bcp"``.

    Returns
    -------
    Row
        In per cent.

    Examples
    --------
    >>> name, target, part, whole, factor = published_share("male", 52, 100)
    >>> factor * part / whole
    52.0
    """
    return (name, parameter(name, preset), part, whole, 100)
