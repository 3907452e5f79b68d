"""What a model carries of its making: where it came from, how it did, whom it found.

In:  facts of a training.
Out: :class:`ModelCard`, kept in the model's file and read back strictly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from riskmodel.errors import ModelError

__all__ = ["ModelCard"]

KINDS: dict[str, type | tuple[type, ...]] = {
    "trained": dict,
    "backtest": dict,
    "audit": dict,
    "audit_note": str,
    "settings": dict,
    "notes": list,
    "profile": (dict, type(None)),
}
"""Field of a card → what it may be in a file."""

OPTIONAL = ("settings", "notes", "profile")
"""Fields that a file may lack; a model without a profile cannot be monitored."""


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a model carries of its making; JSON-ready, and without any pupil.

    Attributes
    ----------
    trained : dict
        Where the model came from: day, counts, fingerprints, versions.
    backtest : dict
        From :meth:`riskmodel.evaluation.Backtest.to_dict`.
    audit : dict of str to list of dict
        The published tables of the model's audit, as rows; small counts are suppressed.
    audit_note : str
        How the audit was measured.
    settings : dict
        Settings of the recipe.
    notes : list of str
        What a reader of the backtest must know.
    profile : dict, optional
        Shape of each feature and of the score on the training lists, with which today's are compared.
    """

    trained: dict[str, Any]
    backtest: dict[str, Any] = field(repr=False)
    audit: dict[str, Any] = field(repr=False)
    audit_note: str
    settings: dict[str, Any] = field(repr=False, default_factory=dict)
    notes: list[str] = field(repr=False, default_factory=list)
    profile: dict[str, Any] | None = field(repr=False, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return the card as it is kept in the model's file.

        Returns
        -------
        dict
            JSON-ready.
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> ModelCard:
        """Read what :meth:`to_dict` wrote.

        Parameters
        ----------
        written : mapping
            Field → value.

        Returns
        -------
        ModelCard
            The same.

        Raises
        ------
        ModelError
            If a field is missing, unknown, or of another kind.

        Examples
        --------
        >>> ModelCard.from_dict({"trained": {}, "backtest": {}, "audit": {}, "audit_note": ""}).notes
        []
        >>> ModelCard.from_dict({"trained": {}, "backtest": {}, "audit_note": ""})
        Traceback (most recent call last):
        riskmodel.errors.ModelError: its card is not whole: audit is missing, unknown or of another kind
        """
        wrong = set(written) - set(KINDS)
        for name, kind in KINDS.items():
            is_expected = name in written or name not in OPTIONAL
            if is_expected and not isinstance(written.get(name), kind):
                wrong.add(name)
        if wrong:
            raise ModelError(
                f"its card is not whole: {', '.join(sorted(wrong))} is missing, unknown or of another kind"
            )
        return cls(**written)
