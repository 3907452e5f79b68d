"""Readers: from what an LA holds to tables, problems, and every row that was set aside."""

from riskmodel.data.read.extract import Extract, read
from riskmodel.data.read.proposal import propose_mapping

__all__ = ["Extract", "propose_mapping", "read"]
