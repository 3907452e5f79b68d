"""From events and traits to the tables an LA holds, each recorded as late as in life.

In:  the population, what happened, and a random generator.
Out: one frame per table, pupils in the order of their categories.
"""

from riskmodel.simulate.records.endings import attainment_table, destinations_table
from riskmodel.simulate.records.incidents import shares_of_all_reasons, suspensions_table
from riskmodel.simulate.records.people import neighbourhood_table, pupils_table
from riskmodel.simulate.records.rolls import enrolments_table, school_names, schools_table
from riskmodel.simulate.records.spells import circumstances_table, send_tables

__all__ = [
    "attainment_table",
    "circumstances_table",
    "destinations_table",
    "enrolments_table",
    "neighbourhood_table",
    "pupils_table",
    "school_names",
    "schools_table",
    "send_tables",
    "shares_of_all_reasons",
    "suspensions_table",
]
