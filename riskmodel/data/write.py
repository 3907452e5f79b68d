"""Writing: folders and files that appear whole or not at all, tables as JSON.

In:  a folder's name; a file and its content; a table.
Out: a folder or file that is renamed into place at the end; rows ready for JSON.

What is unfinished lies beside it under a name of its own, ``.NAME.unfinished``, and is locked while a
command works there: a command that was killed leaves no lock, and the next one clears away what it left.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from riskmodel.errors import RequestError

__all__ = ["new_folder", "records", "refuse_full", "replace_file"]


@contextmanager
def new_folder(out: str | Path) -> Iterator[Path]:
    """Give a temporary folder that becomes ``out`` if all goes well.

    Parameters
    ----------
    out : str or Path
        Empty or new folder.

    Yields
    ------
    Path
        Temporary folder beside it; gone if the work fails.

    Raises
    ------
    RequestError
        If ``out`` is not an empty or new folder, cannot be written, or another command is writing it.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with new_folder(Path(folder) / "list") as unfinished:
    ...         size = (unfinished / "list.csv").write_text("rank")
    ...     (Path(folder) / "list" / "list.csv").read_text()
    'rank'
    """
    out = Path(out) if Path(out).name else Path(out).resolve()  # "." has no name
    place = out.with_name(f".{out.name}.unfinished")
    try:
        refuse_full(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        place.mkdir(mode=0o700, exist_ok=True)
        with FileLock(place / "lock", timeout=0):
            try:
                refuse_full(out)  # another command may have been quicker
                folder = place / "new"
                shutil.rmtree(folder, ignore_errors=True)  # what a command left that was killed
                folder.mkdir()
                yield folder
                if out.exists():
                    out.rmdir()
                folder.rename(out)
            finally:
                shutil.rmtree(place, ignore_errors=True)
    except Timeout as error:
        raise RequestError(
            f"Another command is writing {out}. Name another folder, or wait until it is done."
        ) from error
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        raise RequestError(
            f"{out} cannot be written ({error.strerror or error}{where}). Choose another folder, or make "
            "room; nothing half-written was left."
        ) from error


def refuse_full(out: Path) -> None:
    """Refuse a folder that holds anything, and a file.

    Parameters
    ----------
    out : Path
        Empty or new folder.

    Raises
    ------
    RequestError
        If ``out`` is neither.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RequestError(f"{out} is not empty. Name a new folder with --out.")


def replace_file(path: Path, content: bytes) -> None:
    """Put a whole new file in the place of the old one; only one command at a time may do so.

    Parameters
    ----------
    path : Path
        The file, there or not; a new one is for its owner alone, an old one keeps its rights.
    content : bytes
        All of it.

    Raises
    ------
    OSError
        If it cannot be written; the old file is as it was.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "log"
    ...     replace_file(file, b"one")
    ...     replace_file(file, b"two")
    ...     file.read_bytes()
    b'two'
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)  # what a command left that was killed
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            shutil.copymode(path, unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table as rows ready for JSON.

    Parameters
    ----------
    frame : DataFrame
        Any table.

    Returns
    -------
    list of dict
        Column → value; missing values are None, dates ``YYYY-MM-DD``.

    Examples
    --------
    >>> records(pd.DataFrame({"group": ["girl"], "recall": [float("nan")]}))
    [{'group': 'girl', 'recall': None}]
    """
    dates = frame.select_dtypes("datetime").columns
    frame = frame.assign(**{name: frame[name].dt.strftime("%Y-%m-%d") for name in dates})
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]
