"""File names that no file system refuses.

In:  the identifier of a school.
Out: a name of letters, digits, hyphens and underscores.
"""

from __future__ import annotations

import hashlib
import re

__all__ = ["file_name"]

LONGEST_NAME = 100
"""Characters of a file's name, well below what file systems allow."""


def file_name(school: str) -> str:
    """Return a school's name as a safe file name.

    Parameters
    ----------
    school : str
        ``school_id``.

    Returns
    -------
    str
        Letters, digits, ``-`` and ``_``; other characters become their bytes. A long name is cut, and
        ends in a digest of the whole. So does a name with small letters: Windows and macOS take ``s1``
        and ``S1`` for one file.

    Examples
    --------
    >>> file_name("../North School")
    '%2E%2E%2FNorth%20School-56f69ca439b4a977'
    >>> file_name("S0006")
    'S0006'
    """
    name = re.sub(r"[^A-Za-z0-9_-]", lambda match: _code(match.group()), school)
    digest = hashlib.sha256(school.encode("utf-8")).hexdigest()[:16]
    is_plain = len(name) <= LONGEST_NAME and school.upper() == school
    return name if is_plain else f"{name[:LONGEST_NAME]}-{digest}"


def _code(character: str) -> str:
    """Return the bytes of a character: as many as it needs, so that no two names look alike."""
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8"))
