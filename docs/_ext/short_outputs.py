"""Refuse notebooks that show nothing or too much, once all pages are written.

In:  the notebooks with their outputs, as ``myst_nb`` keeps them beside the pages.
Out: nothing, or an error that names the notebook. What a cell writes to standard error is a warning
of ``myst_nb``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from myst_nb.sphinx_ext import OUTPUT_FOLDER
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

MOST_TEXT = 60_000
"""Characters of all outputs of a notebook but its pictures, at most."""

MOST_PICTURES = 300_000
"""Characters of its pictures as they are stored (base64), at most."""

MOST_ROWS = 13
"""Rows of a table that is shown, its header included, at most."""


def faults_of(notebook: Any) -> list[str]:
    """Return what is wrong with how much a notebook shows."""
    made = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [
        {"text/plain": output.text} if output.output_type == "stream" else output.get("data", {})
        for output in made
    ]
    texts = [
        str(value) for data in shown for kind, value in data.items() if not kind.startswith("image")
    ]
    pictures = sum(len(data.get("image/png", "")) for data in shown)
    tables = [part for text in texts for part in text.split("<table")[1:]]
    found = {
        "it shows nothing": not texts,
        f"its text is longer than {MOST_TEXT:,} characters": sum(map(len, texts)) > MOST_TEXT,
        f"its pictures are longer than {MOST_PICTURES:,} characters": pictures > MOST_PICTURES,
        f"a table has more than {MOST_ROWS} rows": any(
            table.count("<tr") > MOST_ROWS for table in tables
        ),
        "it shows an error": any("Traceback" in text for text in texts),
    }
    return [fault for fault, is_so in found.items() if is_so]


def check_outputs(app: Sphinx, exception: Exception | None) -> None:
    """Stop the build where a notebook shows nothing or too much."""
    if exception is not None or app.builder.name != "html":
        return
    for path in sorted((Path(app.outdir).parent / OUTPUT_FOLDER).rglob("*.ipynb")):
        if faults := faults_of(nbformat.read(path, as_version=4)):
            raise ExtensionError(f"{path.name}: {'; '.join(faults)}")


def setup(app: Sphinx) -> dict[str, Any]:
    """Ask Sphinx to check at its end."""
    app.connect("build-finished", check_outputs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
