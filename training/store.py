"""The MLflow store behind an address: reached, or refused in one sentence that gives the reason.

In:  a tracking address.
Out: MLflow pointed at it; its errors, a database's and the disk's as :class:`ModelError`.
"""

from __future__ import annotations

import io
import logging
import os
import warnings
from contextlib import contextmanager, nullcontext, redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import sqlalchemy
from filelock import FileLock
from sqlalchemy.exc import SQLAlchemyError

from riskmodel.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Store"]

SERVERS = ("http", "https")
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
"""Kinds of database that MLflow can keep its store in."""

LONGEST = 250
"""Letters of MLflow's sentences that are passed on, at most; the first is, however long."""

QUIET = {
    # an LA's tool must not report its use to anybody, and MLflow does by default
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # a server that is down is reported at once, not after MLflow's several minutes of trying
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
}
"""Settings of MLflow that are made unless the environment holds others."""


@dataclass(frozen=True, slots=True)
class Store:
    """An MLflow store.

    Attributes
    ----------
    tracking : str
        MLflow tracking address: a server's, or a database's.

    Raises
    ------
    ModelError
        If the address is none, or is that of a database in memory, where nothing would be kept.

    Examples
    --------
    >>> Store("sqlite:///mlflow.db").file.name
    'mlflow.db'
    >>> Store("http://localhost:5000").file is None
    True
    """

    tracking: str = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what is no address of a store."""
        _database_file(self.tracking)

    @property
    def file(self) -> Path | None:
        """The file of an embedded store, there or not; None for a server.

        Raises
        ------
        ModelError
            If the address of the store cannot be read.
        """
        name = _database_file(self.tracking)
        return None if name is None else Path(name).resolve()

    @contextmanager
    def opened(self, *, create: bool = False) -> Iterator[Any]:
        """Give MLflow pointed at the store, silent, and without calling home; translate its errors.

        Parameters
        ----------
        create : bool
            Whether a store may be made in a database that holds none; else it must be there.

        Yields
        ------
        module
            ``mlflow``.

        Raises
        ------
        ModelError
            If there is no store, it does not answer, or it refuses.
        """
        mlflow, errors = _silent_mlflow()
        # MLflow writes to standard error by itself: what matters is printed by the command line
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            with _translated(errors, self.tracking):
                self._reach(create)
                mlflow.set_tracking_uri(self.tracking)
                mlflow.set_registry_uri(self.tracking)
                yield mlflow

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Let one command at a time make what an embedded store lacks; a server sees to that itself.

        Yields
        ------
        None
            While nobody else is inside.

        Raises
        ------
        OSError
            If the folder of the store cannot be written.
        """
        file = self.file
        with nullcontext() if file is None else FileLock(file.with_name(f".{file.name}.lock")):
            yield

    def check_folder(self, location: str) -> None:
        """Refuse an artifact location on this machine that cannot be written.

        Parameters
        ----------
        location : str
            Address of a folder, there or not; a server's own is left to the server.

        Raises
        ------
        ModelError
            If the folder, or the nearest above it that is there, is no folder or is read-only.
        """
        parts = urlsplit(location)
        if parts.scheme not in ("", "file"):
            return
        folder = Path(url2pathname(parts.path))
        nearest = next(place for place in (folder, *folder.parents) if place.exists())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK):
            raise ModelError(
                f"The MLflow store {self.tracking} keeps models in {folder}, but {nearest} is not a "
                "folder that you may write to. Move it away, or name another store with --tracking."
            )

    def _reach(self, create: bool) -> None:
        """Look at a database before MLflow does, which tries for minutes and makes what is missing."""
        if _kind(self.tracking) in SERVERS:
            return
        if self.file is None or self.file.exists():
            tables = self._tables()
            if create and "registered_models" not in tables and "alembic_version" in tables:
                tables = self._tables_being_made()
            is_there = create or "registered_models" in tables
        else:
            is_there = create
        if not is_there:
            raise ModelError(
                f"There is no MLflow store at {self.tracking}. Check the address: 'riskmodel train' makes "
                "a store there, and 'riskmodel promote' puts a model of it to use."
            )

    def _tables_being_made(self) -> list[str]:
        """Wait for another command that may be making the store, and look again."""
        with self.one_at_a_time():
            tables = self._tables()
        if "registered_models" not in tables:  # MLflow would stop half-way
            raise ModelError(
                f"{self.tracking} is the database of another program, such as a search. Name another "
                "with --tracking."
            )
        return tables

    def _tables(self) -> list[str]:
        engine = sqlalchemy.create_engine(self.tracking, poolclass=sqlalchemy.NullPool)
        with engine.connect() as connection:
            return sqlalchemy.inspect(connection).get_table_names()


def _silent_mlflow() -> tuple[Any, tuple[type[Exception], ...]]:
    """Import MLflow without its noise; return it and the errors that it lets through."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        # in a notebook its progress bars ask for a package of their own
        warnings.simplefilter("ignore")
        import mlflow
        from alembic.util import CommandError

    for name in ("mlflow", "alembic", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)
    mistakes = (mlflow.exceptions.MlflowException, CommandError, SQLAlchemyError)
    return mlflow, (*mistakes, OSError, ImportError)


@contextmanager
def _translated(errors: tuple[type[Exception], ...], tracking: str) -> Iterator[None]:
    """Turn the errors of MLflow, of a database and of the disk into one sentence."""
    try:
        yield
    except errors as error:
        reason = _in_short(error)
        advice = (
            "Train and promote a model first."
            if "not found" in reason
            else "Check the address, that it runs and that you may write there."
        )
        raise ModelError(
            f"The MLflow store {tracking} cannot do this: {reason}. {advice}"
        ) from error


def _in_short(error: BaseException) -> str:
    """Return the sentence at the root of an error, without statements and links."""
    root = error
    while (deeper := root.__cause__ or root.__context__) is not None:
        root = deeper
    if isinstance(root, OSError) and root.strerror:  # the network or the disk, wrapped many times
        return f"{root.strerror}{f' ({root.filename})' if root.filename else ''}"
    text = str(getattr(error, "orig", error))
    line = next((text for text in text.splitlines() if text.strip()), type(error).__name__)
    kept, *more = line.strip().split(". ")
    for sentence in more:
        if len(kept) + len(sentence) > LONGEST:
            break
        kept = f"{kept}. {sentence}"
    return kept.rstrip(". ")


def _kind(tracking: str) -> str:
    return tracking.partition("://")[0].partition("+")[0] if "://" in tracking else ""


def _database_file(tracking: str) -> str | None:
    """Return the name of the file of an embedded store; None for a server or its database."""
    kind = _kind(tracking)
    if kind in SERVERS:
        return None
    if kind not in DATABASES:
        raise _no_address(tracking)
    try:
        address = sqlalchemy.make_url(tracking)
    except (SQLAlchemyError, ValueError) as error:
        raise _no_address(tracking) from error
    if kind != "sqlite":
        return None
    name = (address.database or ":memory:").removeprefix("file:")
    if ":memory:" in name or address.query.get("mode") == "memory":
        raise ModelError(
            f"The MLflow store {tracking} is in memory and gone when the command ends. Name a file: "
            "sqlite:///mlflow.db."
        )
    return name


def _no_address(tracking: str) -> ModelError:
    return ModelError(
        f"'{tracking}' is no address of an MLflow store. Write it as sqlite:///FILE, "
        "http://SERVER:PORT or postgresql+psycopg://SERVER:PORT/DATABASE, with user and password before "
        "the server where it asks for them."
    )
