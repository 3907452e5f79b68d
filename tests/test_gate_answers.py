"""The answer of a gate: whole when it is made, and the same after a way through MLflow's text."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.errors import ModelError
from riskmodel.training.gate_answers import GateAnswer, from_tags, to_tags

RESULTS = st.sampled_from([("passed", True), ("failed", True), ("not judged", True),
                           ("not judged", False)])  # fmt: skip


@st.composite
def gate_answers(draw: st.DrawFn) -> GateAnswer:
    result, is_needed = draw(RESULTS)
    reason = "" if result == "passed" else draw(st.text(min_size=1))
    code = draw(st.text(alphabet="abc_", min_size=1))
    return GateAnswer(code=code, result=result, reason=reason, is_needed=is_needed)


@given(st.lists(gate_answers(), unique_by=lambda answer: answer.code))
def test_tags_give_the_same_answers_back(answers: list[GateAnswer]) -> None:
    assert from_tags({"as_of": "2024-08-01"} | to_tags(answers)) == tuple(answers)


@pytest.mark.parametrize(
    ("result", "is_needed", "blocks"),
    [
        ("passed", True, False),
        ("failed", True, True),
        ("not judged", True, True),
        ("not judged", False, False),
    ],
)
def test_only_a_missing_extract_excuses_an_answer(
    result: Any, is_needed: bool, blocks: bool
) -> None:
    reason = "" if result == "passed" else "why"
    answer = GateAnswer(code="a_gate", result=result, reason=reason, is_needed=is_needed)
    assert answer.blocks == blocks


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("failed: could not be judged, with 2 pupils", "could not be judged, with 2 pupils"),
        ("not applicable: these extracts do not give it", "these extracts do not give it"),
    ],
)
def test_what_older_versions_wrote_is_read_as_it_was_meant(text: str, reason: str) -> None:
    answer = GateAnswer.from_text("a_gate", text)
    assert answer.reason == reason
    assert answer.blocks == text.startswith("failed")


@pytest.mark.parametrize(
    "text", ["", "Passed", "passed: yes", "failed", "failed: ", "not judged: why", " passed"]
)
def test_a_text_that_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(
        ModelError, match="answer to gate a_gate is .* changed by hand; train again"
    ):
        from_tags({"gate.a_gate": text})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"result": "skipped"}, "must be one of passed, failed, not judged; got 'skipped'"),
        ({"reason": ""}, "'failed' with the reason ''"),
        ({"result": "passed"}, "'passed' with the reason 'why'"),
        ({"is_needed": False}, r"was judged \(failed\), so its answer is needed"),
    ],
)
def test_an_answer_that_contradicts_itself_is_refused(changed: Any, words: str) -> None:
    answer = GateAnswer(code="a_gate", result="failed", reason="why")
    with pytest.raises(ValueError, match=words):
        replace(answer, **changed)


def test_an_answer_is_ready_for_json() -> None:
    answer = GateAnswer(
        code="a_gate", result="failed", reason="why", value=3.0, threshold=(0.5, 2.0)
    )
    assert json.loads(json.dumps(answer.to_dict())) == {
        "code": "a_gate", "title": "a gate", "result": "failed", "reason": "why", "value": 3.0,
        "threshold": [0.5, 2.0], "is_needed": True, "blocks": True,
    }  # fmt: skip
