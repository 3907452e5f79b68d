"""Groups, audits, today's practice, where gaps come from, and what can be shown."""

from riskmodel.fairness.audit import Audit
from riskmodel.fairness.disclosure import suppress_two_way
from riskmodel.fairness.groups import GATED, cross, groups_at
from riskmodel.fairness.list_audit import ListAudit, audit_list
from riskmodel.fairness.mitigation import compare_remedies
from riskmodel.fairness.model_audit import ModelAudit, audit_model
from riskmodel.fairness.proxies import contribution_gaps, proxies
from riskmodel.fairness.verdicts import FEWEST_OUTCOMES

__all__ = [
    "FEWEST_OUTCOMES",
    "GATED",
    "Audit",
    "ListAudit",
    "ModelAudit",
    "audit_list",
    "audit_model",
    "compare_remedies",
    "contribution_gaps",
    "cross",
    "groups_at",
    "proxies",
    "suppress_two_way",
]
