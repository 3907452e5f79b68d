"""The tables as contracts that pandera enforces.

In:  the name of a table.
Out: its schema for pandera.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from riskmodel.data.columns import Column
from riskmodel.data.schema import TABLES

if TYPE_CHECKING:
    import pandera.pandas as pa

__all__ = ["pandera_schema"]


def pandera_schema(name: str) -> pa.DataFrameSchema:
    """Return the contract of a table.

    Parameters
    ----------
    name : str
        Table name, a key of :data:`TABLES`.

    Returns
    -------
    pandera.pandas.DataFrameSchema
        Types, ranges, codes and missing values; columns in order, no others.
    """
    import pandera.pandas as pa

    table = TABLES[name]
    return pa.DataFrameSchema(
        {column.name: _pandera_column(column) for column in table.columns},
        strict=True,
        ordered=True,
        name=name,
        description=f"one row per {table.row}",
    )


def _pandera_column(column: Column) -> pa.Column:
    import pandera.pandas as pa

    dtype: object = {
        "pupil": None,
        "text": "str",
        "date": "datetime64[s]",
        "integer": "int64",
        "number": "float64",
        "code": pd.CategoricalDtype(list(column.allowed)),
    }[column.kind]
    checks = []
    if column.kind in {"integer", "number"} and (column.low, column.high) != (
        -float("inf"),
        float("inf"),
    ):
        checks.append(pa.Check.in_range(column.low, column.high))
    return pa.Column(
        dtype,
        checks,
        nullable=column.nullable,
        description=column.label,
        metadata={"unit": column.unit},
    )
