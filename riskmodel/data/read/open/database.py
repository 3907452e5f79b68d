"""Databases that SQLAlchemy reads: each table or view is taken as a file is.

In:  an address such as ``postgresql+psycopg://user@server/extracts``.
Out: one raw frame per table.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.rows.tidy import as_text
from riskmodel.errors import DataError
from riskmodel.progress import track

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


def open_database(address: str) -> dict[str, pd.DataFrame]:
    """Return the tables and views of a database's default schema.

    Parameters
    ----------
    address : str
        SQLAlchemy address. A password in it is never shown.

    Returns
    -------
    dict of str to DataFrame
        Name → rows, in the order of their values, as a database gives rows in no order.

    Raises
    ------
    DataError
        If the address is wrong, the driver is missing, or the server does not answer.
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
            return {
                name: pd.read_sql(
                    sqlalchemy.select(
                        sqlalchemy.Table(name, sqlalchemy.MetaData(), autoload_with=connection)
                    ),
                    connection,
                ).apply(as_text)
                for name in track(names, "Reading the database")
            }
    except (SQLAlchemyError, pd.errors.DatabaseError, UnicodeError) as error:  # the last: damaged
        reason = str(getattr(error.__cause__ or error, "orig", error)).strip().splitlines()[0]
        raise DataError(
            f"{shown}: cannot be read ({reason}). Check the address, the user's rights and the server."
        ) from error
    finally:
        engine.dispose()
