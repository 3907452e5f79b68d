"""What a model carries of its making: where it came from, how it did, whom it found.

In:  facts of a training.
Out: :class:`ModelCard` with its :class:`Lineage`, kept in the model's file and read back strictly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from riskmodel.errors import ModelError

__all__ = ["Lineage", "ModelCard"]

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

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

OPTIONAL = ("settings", "notes", "profile")
"""Fields that a file may lack; a model without a profile cannot be monitored."""


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """Where a model came from; None where the file of an older model does not hold it.

    Attributes
    ----------
    trained_as_of : str
        The day of the training, ``YYYY-MM-DD``: nothing recorded on or after it was used.
    labelled_rows : int
        Rows (a pupil on a day) whose outcome was known.
    training_rows, training_pupils : int
        Rows that the model learned from, and their pupils.
    training_pupils_with_outcome : int
        Pupils who had the outcome.
    training_data_digest : str
        Fingerprint of the extracts.
    evaluated : str
        How the backtest was made.
    simulated : bool
        Whether the pupils were simulated.
    seed : int
        Seed of the run.
    extracts : list of dict
        ``file, table, rows_read, sha256`` of each file that was read.
    versions : dict of str to str
        Package → version.
    """

    trained_as_of: str
    labelled_rows: int | None = None
    training_rows: int | None = None
    training_pupils: int | None = None
    training_pupils_with_outcome: int | None = None
    training_data_digest: str | None = None
    evaluated: str | None = None
    simulated: bool = False
    seed: int
    extracts: list[dict[str, Any]] | None = field(repr=False, default=None)
    versions: dict[str, str] | None = field(repr=False, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return the lineage as it is kept in files.

        Returns
        -------
        dict
            JSON-ready, without what is not known.

        Examples
        --------
        >>> Lineage(trained_as_of="2024-08-01", seed=0).to_dict()
        {'trained_as_of': '2024-08-01', 'simulated': False, 'seed': 0}
        """
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> Lineage:
        """Read what :meth:`to_dict` wrote, of this version or an older one.

        Parameters
        ----------
        written : mapping
            Field → value; a field that is not known today is left out.

        Returns
        -------
        Lineage
            The same.

        Raises
        ------
        ModelError
            If the day is missing or is no day, or the seed is missing or no whole number.

        Examples
        --------
        >>> Lineage.from_dict({"trained_as_of": "2024-08-01", "seed": 0, "colour": "red"}).seed
        0
        """
        day, seed = written.get("trained_as_of"), written.get("seed")
        if not isinstance(day, str) or not DAY.fullmatch(day):
            raise ModelError("its card is not whole: trained_as_of is missing or no day")
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise ModelError("its card is not whole: seed is missing or no whole number")
        return cls(**{one.name: written[one.name] for one in fields(cls) if one.name in written})


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a model carries of its making; JSON-ready, and without any pupil.

    Attributes
    ----------
    trained : Lineage
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

    trained: Lineage
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
        return asdict(self) | {"trained": self.trained.to_dict()}

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
        >>> written = {"trained": {"trained_as_of": "2024-08-01", "seed": 0}, "backtest": {}}
        >>> ModelCard.from_dict(written | {"audit": {}, "audit_note": ""}).notes
        []
        >>> ModelCard.from_dict(written | {"audit_note": ""})
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
        return cls(**(dict(written) | {"trained": Lineage.from_dict(written["trained"])}))
