"""Ground floor: what a fact is, how it is read, and what was known when."""

from riskmodel.data.schema import NOT_KNOWN, TABLES, pandera_schema
from riskmodel.data.tables import Tables

__all__ = ["NOT_KNOWN", "TABLES", "Tables", "pandera_schema"]
