"""Groups, audit and disclosure control: is the list fair, and can the answer be shown?"""

from riskmodel.fairness.audit import Audit, audit_recall, audit_selection, wilson_interval
from riskmodel.fairness.disclosure import suppress
from riskmodel.fairness.groups import groups_at

__all__ = [
    "Audit",
    "audit_recall",
    "audit_selection",
    "groups_at",
    "suppress",
    "wilson_interval",
]
