"""Writing: tables as files, and folders that appear whole or not at all.

In:  tables, or a folder's name.
Out: Parquet or CSV files; a folder that is renamed into place at the end.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from riskmodel.data.tables import Tables
from riskmodel.errors import RequestError

__all__ = ["new_folder", "write_tables"]


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes ``out`` if all goes well.

    Parameters
    ----------
    out : Path
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


def write_tables(
    tables: Tables, folder: Path, *, layout: Literal["parquet", "csv"] = "parquet"
) -> None:
    """Write each table as a file.

    Parameters
    ----------
    tables : Tables
        Facts.
    folder : Path
        Folder that exists.
    layout : str
        ``"parquet"`` or ``"csv"``.
    """
    for name, frame in tables.items():
        if layout == "parquet":
            frame.to_parquet(folder / f"{name}.parquet", index=False, compression="zstd")
        else:
            frame.to_csv(folder / f"{name}.csv", index=False, date_format="%Y-%m-%d")
