"""The MLflow store behind an address: reached, or told in one sentence why not.

In:  a tracking address.
Out: MLflow pointed at it; its errors, a database's and the disk's as :class:`ModelError`.
"""

from __future__ import annotations

import io
import logging
import os
import warnings
from contextlib import contextmanager, nullcontext, redirect_stderr
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

__all__ = ["check_folder", "embedded_file", "one_at_a_time", "opened"]

SERVERS = ("http", "https")
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
"""Kinds of database that MLflow can keep its store in."""

LONGEST = 250
"""Letters of MLflow's sentences that are passed on, at most; the first is, however long."""


@contextmanager
def opened(tracking: str, *, create: bool = False) -> Iterator[Any]:
    """Give MLflow pointed at the store, silent, and without calling home; translate its errors.

    Parameters
    ----------
    tracking : str
        MLflow tracking address: a server's, or a database's.
    create : bool
        Whether a store may be made in a database that holds none; else it must be there.

    Yields
    ------
    module
        ``mlflow``.

    Raises
    ------
    ModelError
        If the address is none, there is no store, it does not answer, or it refuses.
    """
    # An LA's tool must not report its use to anybody, and MLflow does by default.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    # a server that is down is said at once, not after MLflow's several minutes of trying
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    with warnings.catch_warnings():
        # in a notebook its progress bars ask for a package of their own
        warnings.simplefilter("ignore")
        import mlflow
        from alembic.util import CommandError

    for name in ("mlflow", "alembic", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # MLflow talks on standard error by itself: what matters is said by the command line
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        errors = (
            mlflow.exceptions.MlflowException,
            CommandError,
            SQLAlchemyError,
            OSError,
            ImportError,
        )
        with _translated(errors, tracking):
            _reach(tracking, create)
            mlflow.set_tracking_uri(tracking)
            mlflow.set_registry_uri(tracking)
            yield mlflow


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
    said, *more = line.strip().split(". ")
    for sentence in more:
        if len(said) + len(sentence) > LONGEST:
            break
        said = f"{said}. {sentence}"
    return said.rstrip(". ")


def _reach(tracking: str, create: bool) -> None:
    """Make sure of a database before MLflow does, which tries for minutes and makes what is not there."""
    if _kind(tracking) in SERVERS:
        return
    file = embedded_file(tracking)
    if file is not None and not file.exists() and create:
        return
    if file is None or file.exists():
        tables = _tables(tracking)
        if create and "registered_models" not in tables and "alembic_version" in tables:
            with one_at_a_time(tracking):  # another command may be making it: wait, and look again
                tables = _tables(tracking)
            if "registered_models" not in tables:  # MLflow would stop half-way
                raise ModelError(
                    f"{tracking} is the database of another program, such as a search. Name another with "
                    "--tracking."
                )
        if create or "registered_models" in tables:
            return
    raise ModelError(
        f"There is no MLflow store at {tracking}. Check the address: 'riskmodel train' makes a store "
        "there, and 'riskmodel promote' puts a model of it to use."
    )


def _tables(tracking: str) -> list[str]:
    engine = sqlalchemy.create_engine(tracking, poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        return sqlalchemy.inspect(connection).get_table_names()


def _kind(tracking: str) -> str:
    return tracking.partition("://")[0].partition("+")[0] if "://" in tracking else ""


def embedded_file(tracking: str) -> Path | None:
    """Return the file of an embedded store.

    Parameters
    ----------
    tracking : str
        MLflow tracking address.

    Returns
    -------
    Path or None
        The file, there or not; None for a server.

    Raises
    ------
    ModelError
        If the address is none, or is that of a database in memory, where nothing would be kept.
    """
    kind = _kind(tracking)
    if kind not in (*SERVERS, *DATABASES):
        raise _no_address(tracking)
    if kind in SERVERS:
        return None
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
    return Path(name).resolve()


@contextmanager
def one_at_a_time(tracking: str) -> Iterator[None]:
    """Let one command at a time make what an embedded store lacks; a server sees to that itself.

    Parameters
    ----------
    tracking : str
        MLflow tracking address.

    Yields
    ------
    None
        While nobody else is inside.

    Raises
    ------
    ModelError
        If the address is none.
    OSError
        If the folder of the store cannot be written.
    """
    file = embedded_file(tracking)
    with nullcontext() if file is None else FileLock(file.with_name(f".{file.name}.lock")):
        yield


def _no_address(tracking: str) -> ModelError:
    return ModelError(
        f"'{tracking}' is no address of an MLflow store. Write it as sqlite:///FILE, "
        "http://SERVER:PORT or postgresql+psycopg://SERVER:PORT/DATABASE, with user and password before "
        "the server where it asks for them."
    )


def check_folder(location: str, tracking: str) -> None:
    """Refuse an artifact location on this machine that cannot be written.

    Parameters
    ----------
    location : str
        Address of a folder, there or not; a server's own is left to the server.
    tracking : str
        MLflow tracking address.

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
            f"The MLflow store {tracking} keeps models in {folder}, but {nearest} is not a folder that "
            "you may write to. Move it away, or name another store with --tracking."
        )
