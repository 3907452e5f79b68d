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
        ends in a digest of the whole.

    Examples
    --------
    >>> file_name("../North School")
    '%2E%2E%2FNorth%20School'
    """
    name = re.sub(r"[^A-Za-z0-9_-]", lambda match: _code(match.group()), school)
    digest = hashlib.sha256(school.encode("utf-8")).hexdigest()[:16]
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}-{digest}"


def _code(character: str) -> str:
    """Return the bytes of a character: as many as it needs, so that no two names look alike."""
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8"))
