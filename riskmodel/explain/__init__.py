"""Reasons in plain words: what raises a pupil's risk, what protects, and what to ask.

In:  an assessment: exact contributions and the pupils' own values.
Out: reasons and strengths for the list, totals per theme, and the whole story of the pupils asked for.
"""

from riskmodel.explain.reasons import N_REASONS, N_STRENGTHS, reasons, word_reasons
from riskmodel.explain.story import Story, interactions, story
from riskmodel.explain.subjects import theme_totals

__all__ = [
    "N_REASONS",
    "N_STRENGTHS",
    "Story",
    "interactions",
    "reasons",
    "story",
    "theme_totals",
    "word_reasons",
]
