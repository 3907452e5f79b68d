"""Tables of text: an interval beside its figure, figures to the right."""

from __future__ import annotations

import pandas as pd
import pytest

from riskmodel.report.tables import cell_words, frame_table, text_table


@pytest.mark.parametrize(
    ("value", "low", "high", "shown"),
    [
        (0.12, 0.08, 0.17, "0.120 (0.080 to 0.170)"),
        (
            0.0,
            0.0,
            0.2,
            "0.000 (0.000 to 0.200)",
        ),  # an end that is the figure itself is still an end
        (1.0, 0.8, 1.0, "1.000 (0.800 to 1.000)"),
        (float("nan"), float("nan"), float("nan"), "–"),
        ("c", "c", "c", "c"),
        ("low", "-0.018", "low", "low (-0.018 to low)"),
        (
            25.0891,
            4.32,
            45.567,
            "25.1 (4.3 to 45.6)",
        ),  # one cell has as many decimal places everywhere
    ],
)
def test_an_interval_is_beside_its_figure(
    value: object, low: object, high: object, shown: str
) -> None:
    frame = pd.DataFrame({"group": ["girl"], "gap": [value], "gap_low": [low], "gap_high": [high]})
    table = frame_table(frame, labels={"group": "Group"})
    assert table.columns == ("Group", "Gap")
    assert table.rows == (("girl", shown),)


@pytest.mark.parametrize(
    ("cells", "is_number"),
    [
        (["1,204", "c"], True),
        (["12.5%", "–"], True),
        (["0.12 (0.08 to 0.17)", "low (-0.02 to low)"], True),
        (["about 1,200", "none"], True),
        (["5 (0.30 per 100)", "c"], True),
        (["c", "c"], True),  # signs alone are where figures would be
        (["", ""], False),
        (["2023/24", "2024/25"], False),
        (["Year 9", "12"], False),
        ([], False),
    ],
)
def test_columns_of_figures_are_known(cells: list[str], is_number: bool) -> None:
    table = text_table(["Who", "What"], [["a", cell] for cell in cells])
    assert table.is_number == (False, is_number)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.12345, "0.123"),
        (-0.12345, "-0.123"),
        (9.99, "9.990"),
        (10.0, "10.0"),
        (-144.56, "-144.6"),
        (0.0, "0.000"),
        (-0.0, "0.000"),
        (-0.0004, "0.000"),  # what is written as nothing has no sign
        (float("nan"), "–"),
        (pd.NaT, "–"),
        (7, "7"),
        ("too_few_to_tell", "too few to tell"),
        ("", ""),
        (pd.Timestamp("2024-09-02"), "2 September 2024"),
        (pd.Timestamp("2024-02-29 13:00"), "29 February 2024"),
    ],
)
def test_a_cell_in_words(value: object, words: str) -> None:
    assert cell_words(value) == words


@pytest.mark.parametrize(
    ("value", "decimals", "words"),
    [
        (0.12345, 1, "0.1"),
        (144.56, 3, "144.560"),
        (float("nan"), 1, "–"),
        (7, 2, "7"),
        (-0.04, 1, "0.0"),
    ],
)
def test_decimal_places_can_be_asked_for(value: object, decimals: int, words: str) -> None:
    assert cell_words(value, decimals=decimals) == words


@pytest.mark.parametrize(
    ("columns", "heads"),
    [
        (["group", "x"], ("Group", "X")),
        (["share_of_list", "x"], ("Share of list", "X")),
        (["a", "a_low", "a_high"], ("A",)),
        (["a", "a_low"], ("A", "A low")),  # one end alone is no interval
        (["value", "low", "high"], ("Value",)),
        (["low", "high"], ("Low", "High")),  # without a value they are columns of their own
        (["known", "x"], ("What is known", "X")),
    ],
)
def test_heads_of_a_frame(columns: list[str], heads: tuple[str, ...]) -> None:
    table = frame_table(
        pd.DataFrame([[0.5] * len(columns)], columns=columns), labels={"known": "What is known"}
    )
    assert table.columns == heads
    assert len(table.rows[0]) == len(heads)


@pytest.mark.parametrize(
    ("heads", "is_number"), [(0, (True, True)), (1, (False, True)), (2, (False, False))]
)
def test_columns_that_name_a_row_are_no_figures(heads: int, is_number: tuple[bool, ...]) -> None:
    table = text_table(["Year", "Count"], [[2023, 5], [2024, 7]], heads=heads)
    assert table.is_number == is_number
    assert table.rows == (("2023", "5"), ("2024", "7"))


@pytest.mark.parametrize("n", [0, 1, 3])
def test_every_row_of_a_frame_is_a_row_of_text(n: int) -> None:
    frame = pd.DataFrame({"group": ["x"] * n, "n": [4] * n})
    assert frame_table(frame).rows == (("x", "4"),) * n
