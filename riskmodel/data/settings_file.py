"""``riskmodel.toml`` as a file: where it lies, what it holds, and in which line a key stands.

In:  a path.
Out: the document as a dictionary; the number of a line, for messages.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from riskmodel.errors import RequestError

__all__ = ["DEFAULT_FILE", "line_of", "read_document"]

DEFAULT_FILE = "riskmodel.toml"
"""Read from the current folder where no other file is named."""

HEADER = re.compile(r"\s*\[([^\[\]]+)\]")
KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[\w.-]+)\s*=""")


def read_document(path: Path) -> dict[str, Any]:
    """Return what a settings file holds.

    Parameters
    ----------
    path : Path
        A file in TOML.

    Returns
    -------
    dict
        Tables and values.

    Raises
    ------
    RequestError
        If the file is not there or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RequestError(
            f"The settings in {path} cannot be read: {error.strerror}. Name the file with --settings, "
            f"or leave the option out and keep {DEFAULT_FILE} in the folder where you are."
        ) from error
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, or numbers without end
        raise RequestError(f"{path} cannot be read as TOML: {error}.") from error


def line_of(text: str, table: str, key: str = "") -> int | None:
    r"""Return the line in which a key of a table stands.

    Parameters
    ----------
    text : str
        The file.
    table : str
        Dotted name of the table, without quotes.
    key : str
        Name of the key, or empty for the head of the table.

    Returns
    -------
    int or None
        From 1; the head of the table, or of the table around it, where the key is not found; None
        where neither is there.

    Examples
    --------
    >>> text = "[gates]\n[sources.marks]\ntable = 'sessions'\n"
    >>> line_of(text, "sources.marks", "table"), line_of(text, "sources.marks.columns")
    (3, 2)
    """
    at: dict[str, int] = {}
    here = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if head := HEADER.match(line):
            here = _bare(head[1])
            at.setdefault(here, number)
        elif name := KEY.match(line):
            at.setdefault(f"{here}\0{_bare(name[1])}", number)
    around, _, last = table.rpartition(".")
    places = (f"{table}\0{key}", f"{table}.{key}", table, f"{around}\0{last}", around)
    return next((at[place] for place in places if place in at), None)


def _bare(name: str) -> str:
    """Return a name without the quotes and blanks around its parts."""
    return re.sub(r"""["']""", "", re.sub(r"\s*\.\s*", ".", name.strip()))
