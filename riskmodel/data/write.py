"""Writing: folders that appear whole or not at all.

In:  a folder's name.
Out: a folder that is renamed into place at the end.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from riskmodel.errors import RequestError

__all__ = ["new_folder"]


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
