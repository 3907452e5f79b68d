"""Lists of which nothing can be used: they are known, so that the reader can explain why.

In:  one row per incident, placement or application, or per pupil with sums of attendance.
Out: nothing.
"""

from __future__ import annotations

from riskmodel.data.read.sources import exclusions, registers, roll
from riskmodel.data.read.sources.source import Source

__all__ = ["SOURCES"]

INCIDENTS = {
    **dict.fromkeys(
        ("behaviourtype", "behaviour", "eventtype", "conducttype", "achievementtype"),
        "incidenttype",
    ),
    **dict.fromkeys(("date", "eventdate", "dateofincident", "behaviourdate"), "incidentdate"),
}

SUMS = {
    **dict.fromkeys(registers.POSSIBLE_NAMES, "possible"),
    **dict.fromkeys(
        ("authorisedabsence", "authorisedabsences", "authabs", "sessionsauthorised"), "authorised"
    ),
    **dict.fromkeys(
        ("unauthorisedabsence", "unauthorisedabsences", "unauthabs", "sessionsunauthorised"),
        "unauthorised",
    ),
}

PROVIDERS = dict.fromkeys(
    ("providername", "approvider", "alternativeprovider", "receivingschool", "hostschool"),
    "provider",
)

STATUSES = dict.fromkeys(
    ("offerstatus", "applicationoutcome", "outcomeofapplication"), "applicationstatus"
)

URNS = dict.fromkeys(("urn", "schoolurn"), "estab")

SOURCES = (
    Source(
        name="Behaviour incidents",
        unused="Incidents are in none of the tables. Suspensions and exclusions are: export them with "
        "UPN, establishment, category and start date.",
        aliases=INCIDENTS,
        columns=frozenset({"upn", "incidenttype", "incidentdate"}),
    ),
    Source(
        name="Attendance summary",
        unused="A termly total needs the attendance code and the last day of the term. Export the marks, "
        "or a column per code with the last day of the term.",
        aliases=SUMS,
        columns=frozenset({"upn", "possible", "authorised", "unauthorised"}),
    ),
    Source(
        name="Placements with a provider",
        unused="Its pupils are placed, not excluded. Declare it as circumstances in [sources.*] of "
        "riskmodel.toml (docs/mapping.md).",
        aliases=exclusions.ALIASES | dict.fromkeys(exclusions.NUMBERS, "estab") | URNS | PROVIDERS,
        columns=frozenset({"upn", "estab", "category", "startdate", "provider", "enddate"}),
    ),
    Source(
        name="Applications for places",
        unused="An application is no roll: it may be refused or withdrawn. Export the roll.",
        aliases=roll.ALIASES | roll.NUMBERS | URNS | STATUSES,
        columns=frozenset({"upn", "yeargroup", "admissiondate", "estab", "applicationstatus"}),
    ),
)
"""Lists that are named in the report, and not read."""
