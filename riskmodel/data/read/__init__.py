"""Readers: from what an LA holds to tables, problems, and every row that was set aside."""

from riskmodel.data.read.extract import Extract, read

__all__ = ["Extract", "read"]
