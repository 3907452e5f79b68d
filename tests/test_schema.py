"""The tables as they are declared: what fits together, and what the contract of each refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandera.errors import SchemaError, SchemaErrors

from riskmodel.data import TABLES, pandera_schema
from riskmodel.data.schema import as_codes
from riskmodel.data.tables import empty_table
from tests.strategies import small_tables

KINDS = {"pupil", "text", "date", "code", "integer", "number"}
DATED = [name for name, table in TABLES.items() if "recorded_on" in table.names]


def columns(*kinds: str) -> list[tuple[str, str]]:
    """Return table and name of each column of some kinds."""
    return [
        (name, c.name) for name, table in TABLES.items() for c in table.columns if c.kind in kinds
    ]


@pytest.mark.parametrize("name", TABLES)
def test_the_parts_of_a_table_name_columns_that_it_has(name: str) -> None:
    table = TABLES[name]
    assert table.name == name
    assert len(set(table.names)) == len(table.names)
    assert set(table.key) <= set(table.names)
    assert len(set(table.key)) == len(table.key) > 0
    assert set(table.known_when) | set(table.known_when.values()) <= set(table.names)
    assert table.lag_days >= 0
    assert [table[column].name for column in table.names] == table.names


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_described_in_words(name: str) -> None:
    table = TABLES[name]
    assert table.row
    assert all(column.label and column.label[0].isupper() for column in table.columns)
    assert {column.kind for column in table.columns} <= KINDS


@pytest.mark.parametrize("name", DATED)
def test_what_is_recorded_has_a_day_that_it_is_about(name: str) -> None:
    table = TABLES[name]
    assert table[table.event].kind == "date"
    assert not table[table.event].nullable
    assert table["recorded_on"].kind == "date"
    assert all(table[day].kind == "date" for day in table.known_when.values())


@pytest.mark.parametrize("name", sorted(set(TABLES) - set(DATED)))
def test_a_table_that_is_not_recorded_hides_nothing_but_a_language_reported_later(
    name: str,
) -> None:
    assert TABLES[name].event == ""
    later = {"first_language": "first_language_recorded_on"} if name == "pupils" else {}
    assert TABLES[name].known_when == later


@pytest.mark.parametrize(("name", "column"), columns("code"))
def test_a_code_is_one_of_several_each_once(name: str, column: str) -> None:
    allowed = TABLES[name][column].allowed
    assert len(allowed) == len(set(allowed)) >= 2
    if TABLES[name][column].unknown_is_group:
        assert "not_known" in allowed


@pytest.mark.parametrize(("name", "column"), columns("integer", "number"))
def test_a_number_has_a_range(name: str, column: str) -> None:
    one = TABLES[name][column]
    assert one.low < one.high
    assert one.allowed == ()
    assert np.isfinite(one.low) == np.isfinite(one.high)


@pytest.mark.parametrize(("name", "column"), columns("integer"))
def test_a_whole_number_is_never_missing(name: str, column: str) -> None:
    # int64 has no missing value
    assert not TABLES[name][column].nullable
    assert TABLES[name][column].required


@pytest.mark.parametrize("name", TABLES)
def test_what_may_be_left_out_may_be_missing(name: str) -> None:
    for column in TABLES[name].columns:
        if not column.required:
            assert column.nullable or column.unknown_is_group


@pytest.mark.parametrize("name", TABLES)
def test_an_empty_table_and_a_filled_one_keep_the_contract(name: str) -> None:
    filled = small_tables()[name]
    for frame in (empty_table(name), filled):
        pandera_schema(name).validate(frame)
        assert list(frame) == TABLES[name].names
    same = [c.name for c in TABLES[name].columns if c.kind != "pupil"]
    assert filled.dtypes[same].to_dict() == empty_table(name).dtypes[same].to_dict()


FILLED = {name: frame for name, frame in small_tables().items() if len(frame)}


@pytest.mark.parametrize("name", FILLED)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.iloc[:, 1:], "not in dataframe"),
        (lambda frame: frame.iloc[:, ::-1], "out-of-order"),
        (lambda frame: frame.assign(surname="x"), "'surname' not in"),
    ],
    ids=["one too few", "another order", "one too many"],
)
def test_a_table_has_its_columns_and_their_order(name: str, change: Any, words: str) -> None:
    with pytest.raises((SchemaError, SchemaErrors), match=words):
        pandera_schema(name).validate(change(FILLED[name]))


BOUNDED = [
    (name, column)
    for name, column in columns("integer", "number")
    if name in FILLED and np.isfinite(TABLES[name][column].low)
]


@pytest.mark.parametrize(("name", "column"), BOUNDED)
@pytest.mark.parametrize("side", ["low", "high"])
def test_a_number_outside_its_range_breaks_the_contract(name: str, column: str, side: str) -> None:
    border = getattr(TABLES[name][column], side)
    frame = FILLED[name]
    at_border = frame.assign(**{column: np.full(len(frame), border, dtype=frame[column].dtype)})
    pandera_schema(name).validate(at_border)
    beyond = at_border[column] + (-1 if side == "low" else 1)
    with pytest.raises(SchemaError, match="in_range"):
        pandera_schema(name).validate(frame.assign(**{column: beyond}))


@pytest.mark.parametrize(("name", "column"), [(n, c) for n, c in columns("date") if n in FILLED])
def test_a_day_that_must_be_there_breaks_the_contract_where_it_is_not(
    name: str, column: str
) -> None:
    frame = FILLED[name]
    missing = frame.assign(**{column: pd.Series(pd.NaT, index=frame.index, dtype="datetime64[s]")})
    if TABLES[name][column].nullable:
        pandera_schema(name).validate(missing)
    else:
        with pytest.raises(SchemaError, match="null values"):
            pandera_schema(name).validate(missing)


@pytest.mark.parametrize(("name", "column"), [(n, c) for n, c in columns("code") if n in FILLED])
def test_codes_as_text_break_the_contract(name: str, column: str) -> None:
    frame = FILLED[name]
    with pytest.raises(SchemaError, match="type"):
        pandera_schema(name).validate(frame.assign(**{column: frame[column].astype("object")}))


@pytest.mark.parametrize(
    ("values", "allowed", "expected"),
    [
        ([], ["a"], []),
        (["b", "a"], ["a", "b"], ["b", "a"]),
        (["a", "x", None], ["a"], ["a", None, None]),
        (["A", " a"], ["a"], [None, None]),
    ],
)
def test_what_is_no_code_is_missing(
    values: list[str | None], allowed: list[str], expected: list[str | None]
) -> None:
    made = as_codes(pd.Index(values, dtype="str"), allowed)
    assert [None if pd.isna(one) else one for one in made] == expected
    assert list(made.categories) == allowed


@pytest.mark.parametrize("name", ["session", "Pupils"])
def test_there_is_no_other_table(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        pandera_schema(name)
