"""Rows of one file: converted, checked by the rules, counted, or set aside with a reason."""
