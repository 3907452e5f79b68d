"""Logs that are only added to, which can be checked: every entry carries the hash of the one before.

In:  entries, ready for JSON.
Out: a file of JSON lines; what was edited, deleted, inserted or moved in it is found.

The file is replaced whole: a reader, or a command that was killed, finds the log before or after,
never half an entry. Cutting off the newest entries leaves a chain that holds: it is noticed only by
somebody who noted the last hash elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from riskmodel.data.write import replace_file
from riskmodel.errors import RequestError

__all__ = ["append", "read_journal"]

START = "0" * 64
"""What the first entry names as the hash before it."""

LONGEST_WAIT = 60
"""Seconds to wait for another command that is writing to the same log."""

Entry = dict[str, Any]


def append(path: Path, make: Callable[[list[Entry]], Iterable[Entry]]) -> list[Entry]:
    """Add entries to a log, all or none.

    Parameters
    ----------
    path : Path
        The log; made where there is none.
    make : callable
        Gets the entries so far and returns the new ones; nobody else writes meanwhile.

    Returns
    -------
    list of dict
        The new entries as written, with ``number``, ``previous`` and ``hash``.

    Raises
    ------
    RequestError
        If the log was tampered with or is cut off, cannot be written, or is in use by another
        command for too long.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     log = Path(folder) / "log.jsonl"
    ...     new = append(log, lambda before: [{"what": "made"}])
    ...     [(entry["number"], entry["what"]) for entry in read_journal(log)]
    [(1, 'made')]
    """
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=LONGEST_WAIT):
            content = path.read_bytes() if path.exists() else b""
            before = _checked(content, path)
            new = _chained(make(before), before)
            if new:
                lines = "".join(_line(entry) for entry in new)
                replace_file(path, content + lines.encode("utf-8"))
    except Timeout as error:
        raise RequestError(
            f"Another command has held the log {path} for {LONGEST_WAIT} seconds. Try again when it is done."
        ) from error
    except OSError as error:
        raise RequestError(
            f"The log {path} cannot be written ({error.strerror}). Name another with --log."
        ) from error
    return new


def read_journal(path: Path) -> list[Entry]:
    """Read a log and check its chain.

    Parameters
    ----------
    path : Path
        The log.

    Returns
    -------
    list of dict
        Its entries, oldest first.

    Raises
    ------
    RequestError
        If there is no such log, or an entry was edited, deleted, inserted or moved, or the last line
        is cut off; the message names the first line that is wrong.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     log = Path(folder) / "log.jsonl"
    ...     new = append(log, lambda before: [{"what": "made"}])
    ...     read_journal(log) == new
    True
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RequestError(f"The log {path} cannot be read ({error.strerror}).") from error
    return _checked(content, path)


def _checked(content: bytes, path: Path) -> list[Entry]:
    """Return the entries of a log whose chain holds."""
    *lines, rest = content.split(b"\n")
    entries: list[Entry] = []
    previous = START
    for number, line in enumerate(lines, start=1):
        entry = _parsed(line)
        fault = _fault(entry, line, number, previous)
        if fault or entry is None:
            raise RequestError(
                f"{path}, line {number}: {fault}. The {number - 1} entries before it are as they were "
                "written; from here on the log cannot be trusted. Put back a copy that 'riskmodel "
                "verify' accepts, and keep this file as evidence."
            )
        previous = entry["hash"]
        entries.append(entry)
    if rest:
        raise RequestError(
            f"{path}, line {len(lines) + 1}: the last entry is cut off, as by a full disk or a copy that "
            f"was stopped; the {len(entries)} entries before it are as they were written. Put back a "
            "copy, or delete that line if there is none."
        )
    return entries


def _fault(entry: Entry | None, line: bytes, number: int, previous: str) -> str:
    """Return what is wrong with an entry; nothing where it follows the one before it."""
    if entry is None:
        return "this is no entry"
    if line != _line(entry).rstrip("\n").encode("utf-8") or entry["hash"] != _hash(entry):
        return "this entry was edited after it was written"
    if entry["number"] > number:
        return f"this is entry {entry['number']}: one or more before it were deleted or moved"
    if entry["number"] < number:
        return f"this is entry {entry['number']}: it was moved, or others were inserted before it"
    if entry["previous"] != previous:
        return "this entry does not follow the one before it, which was replaced"
    return ""


def _parsed(line: bytes) -> Entry | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):  # the latter for thousands of brackets
        return None
    fits = (
        isinstance(entry, dict)
        and isinstance(entry.get("number"), int)
        and isinstance(entry.get("hash"), str)
    )
    return entry if fits else None


def _chained(entries: Iterable[Entry], before: list[Entry]) -> list[Entry]:
    """Return the new entries numbered and chained to those before."""
    previous, new = before[-1]["hash"] if before else START, []
    for number, content in enumerate(entries, start=len(before) + 1):
        entry = {"number": number, **content, "previous": previous}
        previous = _hash(entry)
        new.append(entry | {"hash": previous})
    return new


def _hash(entry: Entry) -> str:
    content = {name: value for name, value in entry.items() if name != "hash"}
    return hashlib.sha256(_line(content).encode("utf-8")).hexdigest()


def _line(entry: Entry) -> str:
    return json.dumps(entry, ensure_ascii=False, allow_nan=False) + "\n"
