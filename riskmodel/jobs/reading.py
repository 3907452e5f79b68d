"""Extracts as a job needs them: every file of facts read, or nothing made of the others.

In:  a source.
Out: what was read; a refusal that names the file which could not be.
"""

from __future__ import annotations

from pathlib import Path

from riskmodel.data.read import Extract, read
from riskmodel.data.settings_file import DEFAULT_FILE
from riskmodel.errors import DataError

__all__ = ["read_whole"]


def read_whole(source: str | Path | Extract, settings_file: str = "") -> Extract:
    """Read extracts for a model, a list or a page, and refuse them where a file could not be read.

    A list made without the marks of one file would judge children on what is left. ``riskmodel check``
    goes on past such a file, and names all of them.

    Parameters
    ----------
    source : str, Path or Extract
        As for :func:`riskmodel.data.read.read`.
    settings_file : str
        Where the analyst's own layouts are declared; ``riskmodel.toml`` of the current folder where empty.

    Returns
    -------
    Extract
        What was read.

    Raises
    ------
    DataError
        If the extracts, or a file of them, cannot be read.
    RequestError
        If the settings cannot be read.
    """
    extract = read(source, settings_file=Path(settings_file or DEFAULT_FILE))
    unread = extract.files.loc[extract.files["read_as"] == "", "file"]
    problems = extract.problems
    faults = problems[(problems["severity"] == "error") & problems["file"].isin(unread)]
    if len(faults):
        n = faults["file"].nunique() - 1
        more = f" {n} more cannot be read; riskmodel check names all." if n else ""
        raise DataError(f"{faults['message'].iloc[0]}{more}")
    return extract
