"""The inclusion dashboard as pages: the area, and each school, never a league table."""
