"""Sphinx: ``make docs``. Warnings are errors; pages need no network."""

from __future__ import annotations

import sys
from pathlib import Path

import riskmodel

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "riskmodel"
author = "the riskmodel authors"
copyright = "2026, the riskmodel authors"
version = release = riskmodel.__version__
language = "en-GB"

extensions = [
    "myst_nb",  # Markdown and notebooks
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "numpydoc",
    "mathml",
    "reference",
    "short_outputs",
]
exclude_patterns = ["_build", "*.txt"]

myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
nitpicky = True  # a name that a docstring refers to exists
nb_execution_mode = "cache"  # notebooks run once, and again when they change
nb_execution_timeout = 1200  # seconds of a cell; a machine that is busy must not fail a build
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_output_stderr = "error"  # a notebook runs in silence
nb_merge_streams = True

autodoc_typehints = "none"  # numpydoc tells types with shapes and units
autodoc_default_options = {  # scikit-learn adds these to every estimator; they say nothing of ours
    "exclude-members": "set_fit_request, set_score_request, set_predict_request",
}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "furo"
html_title = "riskmodel"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
