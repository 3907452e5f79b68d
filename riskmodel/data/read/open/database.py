"""Databases that SQLAlchemy reads: each table or view is taken as a file is.

In:  an address such as ``postgresql+psycopg://user@server/extracts``.
Out: one raw frame per table; of a table that cannot be read, why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from riskmodel.data.identity import without_upns
from riskmodel.data.read.open.opened import Opened, unread
from riskmodel.data.read.rows.tidy import as_text
from riskmodel.errors import DataError
from riskmodel.progress import track

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["is_database", "open_database"]


def is_database(source: object) -> bool:
    """Return whether a source is the address of a database.

    Parameters
    ----------
    source : object
        What the user named.

    Returns
    -------
    bool
        True for text with ``://``.

    Examples
    --------
    >>> is_database("postgresql+psycopg://server/extracts"), is_database("extracts")
    (True, False)
    """
    return isinstance(source, str) and "://" in source


def open_database(address: str) -> dict[str, Opened]:
    """Return the tables and views of a database's default schema.

    Parameters
    ----------
    address : str
        SQLAlchemy address. A password in it is never shown.

    Returns
    -------
    dict of str to Opened
        Name → rows, or why they cannot be read.

    Raises
    ------
    DataError
        If the address is wrong, the driver is missing, the server does not answer, or no table can be read.
    """
    import sqlalchemy
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

    try:
        shown = sqlalchemy.make_url(address).render_as_string(hide_password=True)
    except (ArgumentError, ValueError) as error:
        raise DataError(
            "The address of the database cannot be read. Write it as "
            "postgresql+psycopg://server:port/database, with user and password before the server."
        ) from error
    try:
        engine = sqlalchemy.create_engine(address)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise DataError(
            f"{shown}: there is no driver for this kind of database here. Install it, for PostgreSQL "
            "with: pip install psycopg[binary]"
        ) from error
    try:
        with engine.connect() as connection:
            found = sqlalchemy.inspect(connection)
            names = sorted([*found.get_table_names(), *found.get_view_names()])
        tables = {name: _table(engine, name) for name in track(names, "Reading the database")}
    except (SQLAlchemyError, UnicodeError) as error:  # the second: damaged
        reason = _reason(error)
        raise DataError(
            f"{shown}: cannot be read ({reason}). Check the address, the user's rights and the server."
        ) from error
    finally:
        engine.dispose()
    faults = [one.fault for one in tables.values() if one.fault]
    if faults and len(faults) == len(tables):
        raise DataError(f"{shown}: {faults[0]}")
    return tables


def _table(engine: sqlalchemy.Engine, name: str) -> Opened:
    """Return a table or view; one that cannot be read does not stop the others."""
    import sqlalchemy
    from sqlalchemy.exc import SQLAlchemyError

    shown = without_upns(name)
    try:
        with engine.connect() as connection:
            columns = sqlalchemy.Table(
                name, sqlalchemy.MetaData(), autoload_with=connection
            ).columns
            # SQLite checks no types: what a column of days holds may be a number, or a day of another form
            as_held = engine.dialect.name == "sqlite"
            wanted = [
                sqlalchemy.type_coerce(c, sqlalchemy.types.NullType()).label(c.name)
                for c in columns
            ]
            query = sqlalchemy.select(*(wanted if as_held else columns))
            return Opened(shown, pd.read_sql(query, connection).apply(as_text))
    except (SQLAlchemyError, pd.errors.DatabaseError, UnicodeError, ValueError, TypeError) as error:
        words = f"cannot be read ({_reason(error)}). Check the table, and the user's rights to it."
        return unread(shown, f"{shown}: {words}")


def _reason(error: Exception) -> str:
    """Return the first line of what the database said."""
    said = (getattr(one, "orig", None) for one in (error, error.__cause__))
    return str(next(filter(None, said), error)).strip().splitlines()[0]
