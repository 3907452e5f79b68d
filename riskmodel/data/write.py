"""Writing: folders that appear whole or not at all, tables as JSON.

In:  a folder's name; a table.
Out: a folder that is renamed into place at the end; rows ready for JSON.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.errors import RequestError

__all__ = ["new_folder", "records"]


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
        If ``out`` is not an empty or new folder, or cannot be written.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RequestError(f"{out} is not empty. Name a new folder with --out.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise RequestError(
            f"{out} cannot be written ({error.strerror}). Choose another."
        ) from error
    try:
        yield temporary
        if out.exists():
            out.rmdir()
        temporary.chmod(0o755)
        temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


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
    """
    dates = frame.select_dtypes("datetime").columns
    frame = frame.assign(**{name: frame[name].dt.strftime("%Y-%m-%d") for name in dates})
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]
