"""Groups, audit and disclosure control: whether the list is fair, and what can be shown."""

from riskmodel.fairness.audit import Audit, audit_recall, audit_selection
from riskmodel.fairness.disclosure import suppress
from riskmodel.fairness.groups import groups_at

__all__ = [
    "Audit",
    "audit_recall",
    "audit_selection",
    "groups_at",
    "suppress",
]
