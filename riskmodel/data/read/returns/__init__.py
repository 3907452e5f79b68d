"""A folder of returns: each file recognised, pupils linked, facts of many files assembled."""
