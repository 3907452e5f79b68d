"""Reasons in plain words: what raises a pupil's risk, what protects, and what to ask.

In:  an explanation: exact contributions and the pupils' own values.
Out: reasons and strengths for the list, totals per theme, and the whole story of the pupils asked for.
"""

from riskmodel.explain.explanation import Explanation
from riskmodel.explain.reasons import N_REASONS, N_STRENGTHS, reasons_in_words
from riskmodel.explain.story import Story, compose_story, interactions
from riskmodel.explain.subjects import theme_totals

__all__ = [
    "N_REASONS",
    "N_STRENGTHS",
    "Explanation",
    "Story",
    "compose_story",
    "interactions",
    "reasons_in_words",
    "theme_totals",
]
