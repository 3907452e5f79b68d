"""The log of lists: the person, the day, the model and the data of each list.

In:  a list as it is written, in one part or two.
Out: one entry per part in a log that is only added to and whose chain of hashes can be verified.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from riskmodel.assess import Assessment
from riskmodel.data.journal import append
from riskmodel.report.workbook.list_identity import ListIdentity

__all__ = ["LogTo", "record_list"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTo:
    """The log to which a list is added, and who makes the list.

    Attributes
    ----------
    path : Path
        The log.
    by : str
        Who makes the list.
    at : datetime
        When, with its time zone.
    """

    path: Path
    by: str
    at: datetime


def record_list(log: LogTo, parts: Sequence[tuple[ListIdentity, Assessment]]) -> None:
    """Add a list to the log, all its parts or none.

    Parameters
    ----------
    log : LogTo
        Where, and in whose name.
    parts : sequence of (ListIdentity, Assessment)
        The list, or both its parts: which it is, and what it was made from.

    Raises
    ------
    RequestError
        If the log was tampered with or cannot be written.
    """
    entries = [_entry(log, *one) | _beside(one, parts) for one in parts]
    append(log.path, lambda _: entries)


def _beside(
    one: tuple[ListIdentity, Assessment], parts: Sequence[tuple[ListIdentity, Assessment]]
) -> dict[str, Any]:
    """Return which part of a list this is, and the name of the other; nothing of a whole list."""
    part = one[1].part
    others = [identity.list_id for identity, _ in parts if identity is not one[0]]
    return {} if part is None else {"part": part.name, "other_part": others[0]}


def _entry(log: LogTo, identity: ListIdentity, assessment: Assessment) -> dict[str, Any]:
    """Return what the log keeps of a list: no pupil."""
    origin = assessment.provenance
    kept = ("model_digest", "data_digest", "rows_set_aside")
    return {
        "kind": "list",
        "at": log.at.isoformat(timespec="seconds"),
        "by": log.by.encode("utf-8", "replace").decode("utf-8"),
        "list_id": identity.list_id,
        "list_digest": identity.digest,
        "outcome": identity.outcome,
        "as_of": identity.as_of,
        "capacity": identity.capacity,
        "pupils": len(assessment.scores),
        "model_uri": identity.model_uri,
        **{name: origin.get(name) for name in kept},
        "simulated": bool(origin.get("simulated")),
    }
