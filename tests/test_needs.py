"""The school year in which a need was first recorded: its first and last days, leap years included."""

from __future__ import annotations

import pandas as pd
import pytest

from riskmodel.features.facts_as_of import FactsAsOf
from riskmodel.features.needs import send_timing
from tests.strategies import spine_of, table_of


def known_of(found: str, as_of: str, year_groups: tuple[int, int]) -> FactsAsOf:
    """Return what is known of two pupils with one record of SLCN each, of the same day."""
    needs = [
        {"pupil_id": pupil, "provision": "K", "primary_need": "SLCN", "start_date": found}
        for pupil in "AB"
    ]
    today = pd.Timestamp(as_of)
    spine = spine_of(("A", "B"), today).assign(year_group=list(year_groups))
    return FactsAsOf({"send": table_of("send", needs)}, today, spine, register=None)


@pytest.mark.parametrize("as_of", ["2024-02-10", "2024-09-02", "2025-03-01", "2025-08-31"])
@pytest.mark.parametrize("september", [2015, 2018, 2019, 2022, 2023])
@pytest.mark.parametrize(
    ("day", "years_before"), [("08-31", 1), ("09-01", 0), ("09-02", 0), ("12-31", 0)]
)
def test_a_need_is_found_in_the_school_year_of_its_first_record(
    as_of: str, september: int, day: str, years_before: int
) -> None:
    today = pd.Timestamp(as_of)
    years_ago = today.year - (today.month < 9) - september + years_before
    found_in_year_6_and_7 = (6 + years_ago, 7 + years_ago)
    made = send_timing(known_of(f"{september}-{day}", as_of, found_in_year_6_and_7))
    assert made["sen_found_late"].tolist() == [0, 1]
    assert made["slcn_found_late"].tolist() == [0, 1]
