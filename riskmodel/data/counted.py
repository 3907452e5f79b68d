"""A number with its noun, in the singular or the plural.

In:  a number and a noun.
Out: both as text.
"""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str) -> str:
    """Write a number and what it counts.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        In the singular; its plural ends in s.

    Returns
    -------
    str
        The plural of every number but 1.

    Examples
    --------
    >>> [counted(number, "pupil") for number in (0, 1, 2)]
    ['0 pupils', '1 pupil', '2 pupils']
    """
    return f"{number} {noun if number == 1 else noun + 's'}"
