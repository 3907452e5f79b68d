"""From features and labels to a model: folds, recipe, calibration, search, registry."""
