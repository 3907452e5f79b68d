"""The inclusion dashboard's measures: per school and term, never a league table."""

from riskmodel.inclusion.catalogue import MEASURES, Measure, england
from riskmodel.inclusion.measures import Inclusion, inclusion, sum_by_phase

__all__ = ["MEASURES", "Inclusion", "Measure", "england", "inclusion", "sum_by_phase"]
