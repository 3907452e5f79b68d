"""Tables of text: an interval beside its figure, figures to the right."""

from __future__ import annotations

import pandas as pd
import pytest

from riskmodel.report.tables import frame_table, text_table


@pytest.mark.parametrize(
    ("value", "low", "high", "said"),
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
    value: object, low: object, high: object, said: str
) -> None:
    frame = pd.DataFrame({"group": ["girl"], "gap": [value], "gap_low": [low], "gap_high": [high]})
    table = frame_table(frame, labels={"group": "Group"})
    assert table.columns == ("Group", "Gap")
    assert table.rows == (("girl", said),)


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
