"""Archives: the files in a ZIP or a gzip file, unpacked one at a time and never without bounds.

In:  ``.zip`` or ``.gz``.
Out: each file on disk for as long as it is read, under the name that messages call it.
"""

from __future__ import annotations

import gzip
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from riskmodel.data.identity import without_upns
from riskmodel.data.read.open.walk import is_left_out
from riskmodel.errors import DataError

__all__ = ["ARCHIVES", "members_of"]

ARCHIVES = (".zip", ".gz")

LARGEST, MOST_PACKED = 2 * 10**10, 200
"""Bytes that an archive may unpack to, and how many times its size on disk."""

SMALL = 10**8
"""Bytes up to which an archive may be packed as tightly as it likes."""

MOST_MEMBERS = 10_000
"""Files in an archive."""

BLOCK = 2**20


def members_of(path: Path, name: str) -> Iterator[tuple[str, Path | None]]:
    """Unpack the files of an archive, one after the other.

    Parameters
    ----------
    path : Path
        ``.zip`` or ``.gz``.
    name : str
        What messages call it.

    Yields
    ------
    name : str
        Name of the archive, ``/``, name in the archive; a gzip file has its own name.
    member : Path or None
        Where the file is until the next one is asked for; None for an archive in the archive.

    Raises
    ------
    DataError
        If it is damaged, has a password, or would unpack to more than it should.
    """
    with tempfile.TemporaryDirectory(prefix="riskmodel-") as folder:
        try:
            if path.suffix.lower() == ".gz":
                with gzip.open(path) as packed:
                    yield name, _unpacked(packed, path.stem, Path(folder), path, SMALL)
            else:
                yield from _members(path, name, Path(folder))
        except (zipfile.BadZipFile, OSError, EOFError, zlib.error, NotImplementedError) as error:
            raise DataError(
                f"{name}: cannot be unpacked, it may be cut off or damaged. Export it again."
            ) from error


def _members(path: Path, name: str, folder: Path) -> Iterator[tuple[str, Path | None]]:
    with zipfile.ZipFile(path) as archive:
        members = [
            one
            for one in sorted(archive.infolist(), key=lambda one: one.filename)
            if not one.is_dir() and not any(map(_is_hidden, one.filename.split("/")))
        ]
        if any(one.flag_bits & 1 for one in members):
            raise DataError(f"{name}: has a password. Unpack it, or pack it again without one.")
        if len(members) > MOST_MEMBERS:
            raise DataError(f"{name}: holds {len(members):,} files. Unpack it into the folder.")
        _refuse_bomb(sum(one.file_size for one in members), path)
        left = LARGEST
        for one in members:
            own = f"{name}/{without_upns(one.filename)}"
            if one.filename.lower().endswith(ARCHIVES):
                yield own, None
                continue
            with archive.open(one) as packed:
                target = _unpacked(packed, one.filename, folder, path, left)
            left -= target.stat().st_size
            yield own, target
            target.unlink()


def _is_hidden(part: str) -> bool:
    return part not in (".", "..") and (is_left_out(part) or part == "__MACOSX")


def _unpacked(
    packed: IO[bytes] | gzip.GzipFile, own: str, folder: Path, path: Path, most: int
) -> Path:
    """Write a file of an archive to disk; its own claim of its size is not believed."""
    last = own.rpartition("/")[2]
    plain = re.fullmatch(r"[\w .~$-]{1,100}", last, re.ASCII)
    target = folder / (last if plain else f"member{Path(last).suffix}")
    size = 0
    with target.open("wb") as stream:
        while block := packed.read(BLOCK):
            size += len(block)
            if size > most:
                _refuse_bomb(size, path)
            stream.write(block)
    return target


def _refuse_bomb(size: int, path: Path) -> None:
    packed = max(1, path.stat().st_size)
    if size > LARGEST or (size > SMALL and size / packed > MOST_PACKED):
        raise DataError(
            f"{path.name}: would unpack to {size / 1e9:.1f} GB or more from {packed / 1e6:.1f} MB, which "
            "no extract does. It was not opened. Export it in parts."
        )
