"""File names that no file system refuses.

In:  the identifier of a school.
Out: a name of letters, digits, hyphens and underscores.
"""

from __future__ import annotations

import hashlib
import re

__all__ = ["file_name", "safe_name"]

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
        As of :func:`safe_name`. A name with small letters ends in a digest: Windows and macOS take ``s1``
        and ``S1`` for one file.

    Examples
    --------
    >>> file_name("../North School")
    '%2E%2E%2FNorth%20School-56f69ca439b4a977'
    >>> file_name("S0006")
    'S0006'
    """
    return safe_name(school) if school.upper() == school else _with_digest(school)


def safe_name(text: str) -> str:
    """Return a text as a safe file name.

    Parameters
    ----------
    text : str
        Any.

    Returns
    -------
    str
        Letters, digits, ``-`` and ``_``; other characters become their bytes. A long name is cut, and ends
        in a digest of the whole.

    Examples
    --------
    >>> safe_name("a b")
    'a%20b'
    """
    name = _coded(text)
    return name if len(name) <= LONGEST_NAME else _with_digest(text)


def _with_digest(text: str) -> str:
    return f"{_coded(text)[:LONGEST_NAME]}-{hashlib.sha256(text.encode('utf-8')).hexdigest()[:16]}"


def _coded(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", lambda match: _code(match.group()), text)


def _code(character: str) -> str:
    """Return the bytes of a character: as many as it needs, so that no two names look alike."""
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8"))
