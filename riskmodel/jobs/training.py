"""What a training made: a model with its backtest, its audit and its answers to the gates.

In:  what was measured.
Out: :class:`Training`, as text and as HTML.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from riskmodel.display import html_list
from riskmodel.evaluation import Backtest
from riskmodel.fairness import ModelAudit
from riskmodel.model import RiskModel
from riskmodel.training.gate_answers import GateAnswer
from riskmodel.training.search import Search

__all__ = ["Training"]


@dataclass(frozen=True, kw_only=True)
class Training:
    """What a training made, and all that was measured.

    Attributes
    ----------
    model : RiskModel
        The model.
    backtest : Backtest
        How it ranked beside the baselines.
    gates : tuple of GateAnswer
        How the model did at each gate.
    notes : list of str
        What a reader of the table must know, in plain sentences.
    audit : ModelAudit
        Whom the lists found, by group; small counts are not suppressed here, but are in the model.
    search : Search, optional
        What a search tried.
    version : str or None
        Its number in the registry; None until it is registered.
    """

    model: RiskModel
    backtest: Backtest
    gates: tuple[GateAnswer, ...]
    notes: list[str]
    audit: ModelAudit = field(repr=False)
    search: Search | None = field(repr=False, default=None)
    version: str | None = None

    def text(self) -> str:
        """Return what a person reads after a training run.

        Returns
        -------
        str
            The backtest's table, the notes, and the gates.
        """
        return "\n".join(
            [
                self._headline(),
                *([self.search.text()] if self.search else []),
                self.backtest.text(),
                *self.notes,
                "Gates:",
                *(f"  {answer.code}: {answer.text()}" for answer in self.gates),
            ]
        )

    def _headline(self) -> str:
        banner = "SIMULATED DATA. " if self.model.card.trained.simulated else ""
        return f"{banner}Outcome {self.model.outcome}, version {self.version}, alias challenger."

    def _repr_html_(self) -> str:
        notes = [note for note in self.notes if note != self.backtest.recommendation()]
        passed = [answer.title for answer in self.gates if answer.result == "passed"]
        gates = [f"Gates passed: {', '.join(passed) or 'none'}."]
        gates += [
            f"Gate {answer.title}: {answer.text()}"
            for answer in self.gates
            if answer.result != "passed"
        ]
        lists = [html_list(sentences) for sentences in ([self._headline()], notes, gates)]
        return lists[0] + self.backtest._repr_html_() + lists[1] + lists[2]
