"""The answer of a gate: passed, failed or not judged, with the reason.

In:  what a gate found; or the tags of a version in MLflow, also those of older versions.
Out: :class:`GateAnswer`; the tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from riskmodel.errors import ModelError

__all__ = ["GateAnswer", "Result", "from_tags", "to_tags"]

Result = Literal["passed", "failed", "not judged"]

TAG = "gate."
"""Beginning of the tag of an answer; the code follows."""

PASSED = "passed"

FORMS: dict[str, tuple[Result, bool]] = {
    "failed: ": ("failed", True),
    "not judged, which blocks promotion: ": ("not judged", True),
    "not judged, which does not block promotion: ": ("not judged", False),
    "not applicable: ": ("not judged", False),  # as older versions wrote it
}
"""Beginning of a text, before the reason → result, and whether it blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateAnswer:
    """How a model did at one gate.

    Attributes
    ----------
    code : str
        Stable name of the gate, e.g. ``"smallest_lift"``.
    result : str
        ``"passed"``, ``"failed"`` or ``"not judged"``.
    reason : str
        Why it was not passed; empty where it was.
    value, threshold : float, pair of float or None
        What was measured, and what it had to keep; None where the gate compares no single number.
    is_needed : bool
        Whether a model must be judged by the gate to be promoted. False only where the extracts lack what
        the gate compares with, no group of an audit is large enough to be judged, or a figure lies in its
        range and its interval reaches beyond.

    Raises
    ------
    ValueError
        If the result is no result, a reason is missing, or an answer has a reason that it must not have.

    Examples
    --------
    >>> lift = GateAnswer(code="smallest_lift", result="failed", reason="1.2 is below 2")
    >>> lift.text(), lift.blocks
    ('failed: 1.2 is below 2', True)
    """

    code: str
    result: Result
    reason: str = ""
    value: float | None = None
    threshold: float | tuple[float, float] | None = None
    is_needed: bool = True

    def __post_init__(self) -> None:
        """Refuse a result that is none, and one without its reason."""
        if self.result not in get_args(Result):
            raise ValueError(
                f"The result of gate {self.code} must be one of {', '.join(get_args(Result))}; "
                f"got {self.result!r}."
            )
        if bool(self.reason) == (self.result == PASSED):
            raise ValueError(
                f"Gate {self.code} is {self.result!r} with the reason {self.reason!r}: give a reason "
                "unless it passed."
            )
        if not self.is_needed and self.result != "not judged":
            raise ValueError(
                f"Gate {self.code} was judged ({self.result}), so its answer is needed."
            )

    @property
    def title(self) -> str:
        """The gate in words."""
        return self.code.replace("_", " ")

    @property
    def blocks(self) -> bool:
        """Whether the answer keeps the model from being promoted."""
        return self.result != PASSED and self.is_needed

    def text(self) -> str:
        """Return the answer as people read it and MLflow keeps it.

        Returns
        -------
        str
            The result, whether it blocks, and the reason.

        Examples
        --------
        >>> GateAnswer(code="smallest_lift", result="passed").text()
        'passed'
        """
        if self.result == PASSED:
            return PASSED
        written = {form: start for start, form in reversed(FORMS.items())}
        return written[self.result, self.blocks] + self.reason

    @classmethod
    def from_text(cls, code: str, text: str) -> GateAnswer:
        """Read what :meth:`text` wrote.

        Parameters
        ----------
        code : str
            Gate.
        text : str
            The answer.

        Returns
        -------
        GateAnswer
            The same, without value and threshold.

        Raises
        ------
        ModelError
            If it is no answer.

        Examples
        --------
        >>> GateAnswer.from_text("no_new_disparity", "passed").blocks
        False
        """
        if text == PASSED:
            return cls(code=code, result="passed")
        for start, (result, blocks) in FORMS.items():
            if text.startswith(start) and text != start:
                reason = text.removeprefix(start)
                return cls(code=code, result=result, reason=reason, is_needed=blocks)
        raise ModelError(
            f"Its answer to gate {code} is {text!r}; an answer is passed, failed or not judged, with its "
            "reason. The tag was changed by hand; train again."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the answer with its numbers.

        Returns
        -------
        dict
            JSON-ready: the attributes, ``title`` and ``blocks``.

        Examples
        --------
        >>> GateAnswer(code="smallest_lift", result="passed").to_dict()["title"]
        'smallest lift'
        """
        return asdict(self) | {"title": self.title, "blocks": self.blocks}


def to_tags(answers: Iterable[GateAnswer]) -> dict[str, str]:
    """Return the answers as tags for MLflow.

    Parameters
    ----------
    answers : iterable of GateAnswer
        Answers.

    Returns
    -------
    dict of str to str
        A tag per gate.

    Examples
    --------
    >>> to_tags([GateAnswer(code="smallest_lift", result="passed")])
    {'gate.smallest_lift': 'passed'}
    """
    return {f"{TAG}{answer.code}": answer.text() for answer in answers}


def from_tags(tags: Mapping[str, str]) -> tuple[GateAnswer, ...]:
    """Return the answers that the tags of a version hold.

    Parameters
    ----------
    tags : mapping of str to str
        All tags of a version.

    Returns
    -------
    tuple of GateAnswer
        In the order of the tags; empty where the version was judged by no gate.

    Raises
    ------
    ModelError
        If a tag holds no answer.

    Examples
    --------
    >>> from_tags({"gate.smallest_lift": "failed: 1.2 is below 2", "as_of": "2024-08-01"})[0].reason
    '1.2 is below 2'
    """
    return tuple(
        GateAnswer.from_text(name.removeprefix(TAG), text)
        for name, text in tags.items()
        if name.startswith(TAG)
    )
