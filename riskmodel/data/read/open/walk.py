"""Every file of a folder, whatever it is, and the name that messages call it.

In:  a folder.
Out: paths in a fixed order; hidden files and the truth of simulated data are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from riskmodel.data.identity import without_upns

__all__ = ["files_in", "is_left_out", "partition_of", "parts_of", "shown_name"]


def files_in(folder: Path) -> Iterator[Path]:
    """Return the files of a folder and the folders in it.

    Parameters
    ----------
    folder : Path
        Where to look.

    Yields
    ------
    Path
        A file; or a folder that is one table in Parquet, a link to a folder, or one that cannot be listed.
    """
    for path in sorted(folder.iterdir()):
        if is_left_out(path.name):
            continue
        if path.is_dir() and not path.is_symlink() and path.suffix.lower() != ".parquet":
            try:
                yield from files_in(path)
            except OSError:
                yield path
        else:
            yield path


def is_left_out(name: str) -> bool:
    """Return whether a file or folder is hidden, or the truth of simulated data.

    Parameters
    ----------
    name : str
        Its own name, without the folder.

    Returns
    -------
    bool
        True for ``truth`` and what begins with a full stop.

    Examples
    --------
    >>> [is_left_out(name) for name in (".marks.csv.crc", "truth", "marks.csv")]
    [True, True, False]
    """
    return name.startswith(".") or name == "truth"


def shown_name(path: Path) -> str:
    r"""Return a path as text that can be printed and written.

    Parameters
    ----------
    path : Path
        Its name may be no UTF-8.

    Returns
    -------
    str
        Bytes that are no UTF-8 as ``\udc..``, and no UPN.

    Examples
    --------
    >>> shown_name(Path("caf\udce9.csv"))
    'caf\\udce9.csv'
    """
    return without_upns(str(path).encode("utf-8", "backslashreplace").decode("utf-8"))


def parts_of(path: Path) -> list[Path]:
    """Return the files of a table in Parquet.

    Parameters
    ----------
    path : Path
        A file, or a folder of parts as Spark writes it.

    Returns
    -------
    list of Path
        Sorted; the file itself where it is one.
    """
    if path.is_file():
        return [path]
    return sorted(
        part for part in path.rglob("*.parquet") if part.is_file() and part.name[0] not in "._"
    )


def partition_of(part: Path, folder: Path) -> dict[str, str | None]:
    """Return the values that the names of folders hold for all rows of a part, as Spark writes them.

    Parameters
    ----------
    part : Path
        A file in the folder.
    folder : Path
        The table.

    Returns
    -------
    dict of str to str or None
        Column → value.

    Examples
    --------
    >>> partition_of(Path("s.parquet/session=AM/part-0.parquet"), Path("s.parquet"))
    {'session': 'AM'}
    """
    names = part.relative_to(folder).parts[:-1]
    pairs = [name.split("=", 1) for name in names if "=" in name]
    return {
        unquote(own): None if value == "__HIVE_DEFAULT_PARTITION__" else unquote(value)
        for own, value in pairs
    }
