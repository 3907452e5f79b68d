"""How each outcome is labelled, a module per kind; :mod:`riskmodel.labels` is the door."""
