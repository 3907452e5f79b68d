"""The card of a model: kept whole in its file, and read back strictly."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from riskmodel.card import Lineage, ModelCard
from riskmodel.errors import ModelError

CARD = ModelCard(
    trained=Lineage(trained_as_of="2024-08-01", seed=0),
    backtest={"counts": {"capacity": 25}},
    audit={"groups": [{"characteristic": "sex", "group": "Girls", "recall": 0.4}]},
    audit_note="Measured on 3 earlier lists.",
    settings={"n_trees": 80},
    notes=["Measured on 3 earlier lists."],
    profile={"absence_rate_60_days": {"missing": 0.1}},
)


@pytest.mark.parametrize("card", [CARD, replace(CARD, settings={}, notes=[], profile=None)])
def test_a_card_comes_back_from_the_file_as_it_was(card: ModelCard) -> None:
    assert ModelCard.from_dict(json.loads(json.dumps(card.to_dict()))) == card


def test_a_card_of_a_model_that_was_made_by_hand_may_lack_what_no_list_needs() -> None:
    needed = {
        name: value
        for name, value in CARD.to_dict().items()
        if name not in {"settings", "notes", "profile"}
    }
    assert ModelCard.from_dict(needed) == replace(CARD, settings={}, notes=[], profile=None)


@pytest.mark.parametrize("name", ["trained", "backtest", "audit", "audit_note"])
def test_a_card_without_what_a_list_needs_is_refused(name: str) -> None:
    written = CARD.to_dict()
    del written[name]
    with pytest.raises(ModelError, match=f"its card is not whole: {name} is missing"):
        ModelCard.from_dict(written)


@pytest.mark.parametrize(
    "changed",
    [{"trained": []}, {"audit_note": None}, {"notes": "none"}, {"profile": 3}, {"colour": "red"}],
)
def test_a_field_that_is_unknown_or_of_another_kind_is_refused(changed: dict[str, Any]) -> None:
    (name,) = changed
    with pytest.raises(ModelError, match=f"its card is not whole: {name} is"):
        ModelCard.from_dict(CARD.to_dict() | changed)


OLD = {"trained_as_of": "2023-08-01", "training_rows": 900, "seed": 7, "simulated": True}


def test_the_card_of_an_older_model_is_read_without_what_was_not_kept_then() -> None:
    card = ModelCard.from_dict(
        CARD.to_dict() | {"trained": OLD | {"trained_by": "an older recipe"}}
    )
    assert card.trained == Lineage(
        trained_as_of="2023-08-01", training_rows=900, seed=7, simulated=True
    )
    assert card.to_dict()["trained"] == OLD


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"trained_as_of": None}, "trained_as_of is missing or no day"),
        ({"trained_as_of": "last summer"}, "trained_as_of is missing or no day"),
        ({"seed": None}, "seed is missing or no whole number"),
        ({"seed": "7"}, "seed is missing or no whole number"),
    ],
)
def test_a_model_without_its_day_or_seed_is_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        ModelCard.from_dict(CARD.to_dict() | {"trained": OLD | changed})
