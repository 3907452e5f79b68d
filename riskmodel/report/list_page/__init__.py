"""The list page: one for the LA, one per school, with cards, audit and filters."""
