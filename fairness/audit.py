"""The audit of a list together with that of its model.

In:  the audit of a list; the published tables of the model's audit.
Out: :class:`Audit`, which an assessment carries.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from riskmodel.data.write import records
from riskmodel.display import html_list
from riskmodel.fairness.list_audit import ListAudit
from riskmodel.fairness.verdicts import DISPARITY, count_verdicts

__all__ = ["Audit"]


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The equality audit of a list and of the model behind it.

    Attributes
    ----------
    this_list : ListAudit
        Of this list; no outcome is needed.
    model : dict of str to DataFrame
        Published tables of the model's audit (:class:`riskmodel.fairness.ModelAudit`), made when it
        was trained; empty where earlier lists could not be tested.
    note : str
        How the model was tested.
    not_judged : int
        Pupils whose registers stopped: they have no score, and no table counts them.
    """

    this_list: ListAudit = field(repr=False)
    model: dict[str, pd.DataFrame] = field(repr=False)
    note: str
    not_judged: int = 0

    def frame(self) -> pd.DataFrame:
        """Return a copy of the selection table.

        Returns
        -------
        DataFrame
            As :attr:`ListAudit.selection`.
        """
        return self.this_list.frame()

    def verdicts(self) -> pd.DataFrame:
        """Return one verdict per group and measure from earlier lists.

        Returns
        -------
        DataFrame
            ``characteristic, group, measure, verdict``; empty where there were no earlier lists.
        """
        columns = ["characteristic", "group", "measure", "verdict"]
        cells = self.model.get("measures")
        return pd.DataFrame(columns=columns) if cells is None else cells[columns].copy()

    def sentences(self) -> list[str]:
        """Return what an officer must know, in sentences.

        Returns
        -------
        list of str
            How many comparisons had each verdict; then each disparity found on earlier lists; and how
            many pupils the audit leaves out.
        """
        left_out = []
        if self.not_judged:
            left_out = [
                f"{self.not_judged:,} more pupils could not be judged, because registers stopped. The tables "
                "do not count them."
            ]
        return [*self._earlier_lists(), *left_out]

    def _earlier_lists(self) -> list[str]:
        verdicts = self.verdicts()
        if verdicts.empty:
            return [
                "Whether lists like this find children of each group equally well is not known yet: "
                "no earlier list could be tested."
            ]
        apart = self.model["measures"][(verdicts["verdict"] == DISPARITY).to_numpy()]
        return [count_verdicts(verdicts), *(_sentence(row) for row in apart.to_dict("records"))]

    def published(self) -> dict[str, pd.DataFrame]:
        """Return all tables with small counts suppressed.

        Returns
        -------
        dict of str to DataFrame
            Those of the list, then those of the model.
        """
        return self.this_list.published() | self.model

    def to_dict(self) -> dict[str, Any]:
        """Return the suppressed tables, JSON-ready.

        Returns
        -------
        dict
            ``note``, ``sentences``, ``not_judged`` and the tables.
        """
        tables = {name: records(table) for name, table in self.published().items()}
        words = {"note": self.note, "sentences": self.sentences()}
        return words | {"not_judged": self.not_judged} | tables

    def _repr_html_(self) -> str:
        return self.this_list._repr_html_() + html_list(
            ["Earlier lists. " + self.note, *self.sentences()]
        )


def _sentence(row: dict[Any, Any]) -> str:
    """Return one disparity in words; numbers only where they can be published."""
    measure = f"{row['characteristic']}, {row['group']}: {row['measure']}".replace("_", " ")
    value, others = row["value"], row["others"]
    if isinstance(value, float) and isinstance(others, float):
        return f"{measure} is {value:.2f}, for all others {others:.2f} (disparity)."
    return f"{measure} differs from that of all others (disparity)."
