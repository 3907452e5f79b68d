"""The same kernel on Spark: pupils are split into parts, each part is built by itself.

In:  tables, a spine, and what to make of each part's features.
Out: one row of numbers per spine row, the same to the bit as without Spark.

There are two passes. The first adds up the whole numbers of schools and year groups over the parts
(:mod:`riskmodel.features.peer_counts`); the second builds features with those sums. Each part travels
as Arrow; Spark turns nothing into pandas.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.errors import RequestError
from riskmodel.features.build_local import Peers, build_locally, peers_of, usable_builders
from riskmodel.features.catalogue import BUILDERS, Builder, add_builders

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["build_on_spark", "map_parts"]

PARTS_PER_CORE = 4
"""More parts than cores, so that no core waits long for the last."""

Use = Callable[[pd.DataFrame], NDArray[np.float64]]
"""What is made of the features of a part: one row of numbers per row."""

WHOLE = ("schools", "calendar")
"""Tables that every part gets whole."""


def build_on_spark(tables: Tables, spine: pd.DataFrame) -> pd.DataFrame:
    """Return every feature whose tables are there, built by Spark's workers.

    Parameters
    ----------
    tables : Tables
        The LA's facts, with ``calendar``.
    spine : DataFrame
        ``pupil_id``, ``as_of``, ``school_id``, ``year_group``; checked before.

    Returns
    -------
    DataFrame
        As :func:`riskmodel.features.build`.

    Raises
    ------
    RequestError
        As :func:`map_parts`.
    """
    names = [name for one in usable_builders(tables) for name in one.names]
    made = map_parts(tables, spine, lambda part: part.to_numpy())
    return pd.DataFrame(made, columns=names, copy=False)


def map_parts(tables: Tables, spine: pd.DataFrame, use: Use) -> NDArray[np.float64]:
    """Build features part by part on Spark, and make something of them there.

    Parameters
    ----------
    tables : Tables
        The LA's facts, with ``calendar``.
    spine : DataFrame
        As for :func:`riskmodel.features.build`.
    use : callable
        Features of a part → float array, one row per row of the part; sent to the workers.

    Returns
    -------
    float array of shape (n_rows, n_columns)
        In the order of the spine; of the type that ``use`` returns.

    Raises
    ------
    RequestError
        If PySpark is not installed, or there is no calendar: what is a school day could then depend on
        who is in a part.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise RequestError(
            "PySpark is not installed. Install the extra: pip install 'riskmodel[spark]' (with Java 17)."
        ) from error
    if "sessions" in tables and "calendar" not in tables:
        raise RequestError(
            "The Spark engine needs the table 'calendar'. Add the school days, or build without Spark."
        )
    if spine.empty:
        raise RequestError("The spine has no rows, so there is nothing to build.")
    with warnings.catch_warnings():
        # Spark sees Arrow only, so its warning about versions of pandas does not apply
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers need this environment
        builder = SparkSession.builder.appName("riskmodel")
        return _map_parts(builder.getOrCreate(), tables, spine, use)


def _map_parts(
    session: SparkSession, tables: Tables, spine: pd.DataFrame, use: Use
) -> NDArray[np.float64]:
    days = [pd.Timestamp(day) for day in np.unique(spine["as_of"].to_numpy())]
    own = [one for one in BUILDERS if not one.make.__module__.startswith("riskmodel.")]
    parts = _split(session, tables, spine)
    peers = _collect_peers(
        parts.mapInArrow(_first_pass(days), PEERS)
        .groupBy("day", "kind", "key", "name")
        .sum("value")
        .collect()
    )
    made = parts.mapInArrow(_second_pass(peers, own, use), ROWS).collect()
    parts.unpersist()
    numbers = [np.frombuffer(row["rows"], np.int64) for row in made]
    values = [
        np.frombuffer(row["values"], np.dtype(row["dtype"])).reshape(len(n), -1)
        for n, row in zip(numbers, made, strict=True)
    ]
    order = np.argsort(np.concatenate(numbers))
    return np.concatenate(values)[order]


PEERS = "day long, kind string, key string, name string, value long"
ROWS = "rows binary, values binary, dtype string"


def _split(session: SparkSession, tables: Tables, spine: pd.DataFrame) -> DataFrame:
    """Return a Spark frame with a row per part: its tables and its rows of the spine, as Arrow."""
    n_parts = PARTS_PER_CORE * session.sparkContext.defaultParallelism
    n_parts = max(1, min(n_parts, len(tables.pupils.categories)))
    pieces: list[dict[str, bytes]] = [{} for _ in range(n_parts)]
    numbered = spine.assign(_row=np.arange(len(spine)))
    for name, frame in [*tables.items(), ("spine", numbered)]:
        whole = name in WHOLE
        parts = [_to_arrow(frame)] * n_parts if whole else _by_pupil(frame, tables, n_parts)
        for piece, part in zip(pieces, parts, strict=True):
            piece[name] = part
    rows = [(list(piece), list(piece.values())) for piece in pieces]
    made = session.createDataFrame(rows, "names array<string>, contents array<binary>")
    return made.repartition(n_parts).persist()


def _by_pupil(frame: pd.DataFrame, tables: Tables, n_parts: int) -> Iterable[bytes]:
    """Yield the rows of each part's pupils, as Arrow."""
    part = frame["pupil_id"].cat.codes.to_numpy() % n_parts
    order = np.argsort(part, kind="stable")
    stops = np.searchsorted(part[order], np.arange(n_parts + 1))
    for number in range(n_parts):
        dtype = pd.CategoricalDtype(tables.pupils.categories[number::n_parts])
        taken = frame.take(order[stops[number] : stops[number + 1]]).reset_index(drop=True)
        yield _to_arrow(taken.assign(pupil_id=taken["pupil_id"].astype(dtype)))


def _to_arrow(frame: pd.DataFrame) -> bytes:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _from_arrow(content: bytes) -> pd.DataFrame:
    with pa.ipc.open_stream(content) as reader:
        frame: pd.DataFrame = reader.read_all().to_pandas()
    return frame


def _parts(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[Tables, pd.DataFrame]]:
    for batch in batches:
        for row in batch.to_pylist():
            frames = {
                name: _from_arrow(content)
                for name, content in zip(row["names"], row["contents"], strict=True)
            }
            spine = frames.pop("spine")
            yield Tables(frames), spine


def _first_pass(days: list[pd.Timestamp]) -> Any:
    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for tables, _ in _parts(batches):
            for day, kinds in peers_of(tables, days).items():
                for kind, frame in kinds.items():
                    long = frame.rename_axis("key").reset_index().melt("key", var_name="name")
                    yield pa.RecordBatch.from_pydict(
                        {
                            "day": np.full(len(long), int(day.timestamp()), np.int64),
                            "kind": [kind] * len(long),
                            "key": long["key"].astype("str").tolist(),
                            "name": long["name"].astype("str").tolist(),
                            "value": long["value"].to_numpy(np.int64),
                        }
                    )

    return run


def _collect_peers(rows: list[Any]) -> Peers:
    long = pd.DataFrame(
        [tuple(row) for row in rows], columns=["day", "kind", "key", "name", "value"]
    )
    peers: dict[pd.Timestamp, dict[str, pd.DataFrame]] = {}
    for (day, kind), part in long.groupby(["day", "kind"]):
        frame = part.pivot(index="key", columns="name", values="value").fillna(0).astype(np.int64)
        frame = frame[["pupils", *(name for name in frame if name != "pupils")]]
        if kind == "year_group":
            frame.index = frame.index.astype(np.int64)
        peers.setdefault(pd.Timestamp(cast("int", day), unit="s"), {})[str(kind)] = frame
    return peers


def _second_pass(peers: Peers, own: list[Builder], use: Use) -> Any:
    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        add_builders(own)
        for tables, spine in _parts(batches):
            if spine.empty:
                continue
            rows = spine["_row"].to_numpy(np.int64)
            made = use(build_locally(tables, spine.drop(columns="_row"), peers=peers))
            columns = {
                "rows": [rows.tobytes()],
                "values": [np.ascontiguousarray(made).tobytes()],
                "dtype": [made.dtype.str],
            }
            yield pa.RecordBatch.from_pydict(columns)

    return run
