"""Counts behind the published figures, one module per subject."""
