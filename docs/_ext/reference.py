"""Write a page for each module that exports names, just before Sphinx reads the sources.

In:  ``__all__`` of every module of ``riskmodel``.
Out: ``docs/api/<module>.rst`` (not committed). A name is documented where it lives; packages link to it.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

from sphinx.application import Sphinx

import riskmodel


def exporting() -> list[ModuleType]:
    """Return the modules that export names, the top one first."""
    found = pkgutil.walk_packages(riskmodel.__path__, "riskmodel.")
    modules = [riskmodel, *(importlib.import_module(info.name) for info in found)]
    return [module for module in modules if getattr(module, "__all__", None)]


def first_line(thing: object) -> str:
    """Return the summary of a docstring."""
    return (thing.__doc__ or "").strip().split("\n")[0]


def page(module: ModuleType) -> str:
    """Return the page of a module."""
    name = module.__name__
    things = {exported: getattr(module, exported) for exported in sorted(module.__all__)}
    homes = {exported: getattr(thing, "__module__", name) for exported, thing in things.items()}
    elsewhere = {
        exported: homes[exported] for exported, thing in things.items()
        if callable(thing) and homes[exported] != name and homes[exported].startswith("riskmodel")
    }  # fmt: skip
    here = [exported for exported, thing in things.items()
            if exported not in elsewhere and not isinstance(thing, ModuleType)]  # fmt: skip
    parts = [name, "=" * len(name), "", f".. automodule:: {name}"]
    if here:
        parts += [f"   :members: {', '.join(here)}", "   :member-order: bysource"]
    if elsewhere:
        parts += ["", "Names exported here", "-------------------", ""]
        parts += [
            f"- :py:obj:`~{home}.{exported}`: {first_line(things[exported])}"
            for exported, home in elsewhere.items()
        ]
    return "\n".join(parts) + "\n"


def write_pages(app: Sphinx) -> None:
    """Write the pages and their index, and take away those of modules that are no more."""
    folder = Path(app.srcdir) / "api"
    folder.mkdir(exist_ok=True)
    modules = exporting()
    pages = {f"{module.__name__}.rst": page(module) for module in modules}
    lines = [f"   {module.__name__}" for module in modules]
    pages["index.rst"] = "\n".join(
        ["Every public name", "=================", "",
         "``riskmodel`` itself exports what most need; the modules beneath are for those who build on parts.",
         "",
         ".. toctree::", "   :maxdepth: 1", "", *lines, ""]
    )  # fmt: skip
    for old in folder.glob("*.rst"):
        if old.name not in pages:
            old.unlink()
    for file, text in pages.items():
        path = folder / file
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Ask Sphinx to have the pages written first."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
