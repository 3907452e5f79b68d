"""Opening files: Parquet and CSV into raw frames whose values are still to be checked.

In:  a path.
Out: a frame with the file's own columns, and notes on how it was opened.
"""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from riskmodel.errors import DataError

__all__ = ["open_table"]


def open_table(path: Path) -> tuple[pd.DataFrame, str]:
    """Return a file's raw frame.

    Parameters
    ----------
    path : Path
        ``.parquet`` or ``.csv`` (UTF-8, with or without mark, or Windows-1252; comma, semicolon or
        tab). CSV values are text.

    Returns
    -------
    frame : DataFrame
        Raw values; text that repeats comes as categories.
    encoding : str
        ``"utf-8"`` or ``"windows-1252"``.

    Raises
    ------
    DataError
        If the file is empty, truncated, or not what its ending says.
    """
    if path.stat().st_size == 0:
        raise DataError(f"{path.name}: the file is empty (0 bytes). Export it again.")
    try:
        if path.suffix == ".parquet":
            return _to_frame(pyarrow.parquet.read_table(path)), "utf-8"
        return _open_csv(path)
    except (pa.ArrowException, OSError, UnicodeError) as error:
        reason = str(error).splitlines()[0][:160]
        raise DataError(
            f"{path.name}: cannot be read as {path.suffix[1:].upper()}, it may be cut off or damaged "
            f"({reason}). Export it again."
        ) from error


def _open_csv(path: Path) -> tuple[pd.DataFrame, str]:
    content = path.read_bytes()
    encoding = "utf-8"
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError:
        encoding = "windows-1252"
        content = content.decode("cp1252", errors="replace").encode("utf-8")
    header = content.split(b"\n", 1)[0].decode("utf-8-sig")
    delimiter = max(",;\t", key=header.count)
    names = [name.strip().strip('"') for name in header.strip().split(delimiter)]
    table = pyarrow.csv.read_csv(
        io.BytesIO(content),
        read_options=pyarrow.csv.ReadOptions(column_names=names, skip_rows=1),
        parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=False),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string())),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    return _to_frame(table), encoding


def _to_frame(table: pa.Table) -> pd.DataFrame:
    # an index that pandas wrote along is no column of the extract
    names = [name for name in table.column_names if not name.startswith("__index_level_")]
    return table.select(names).to_pandas(ignore_metadata=True, date_as_object=False)
