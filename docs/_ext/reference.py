"""Write a page for each module that exports names, just before Sphinx reads the sources.

In:  ``__all__`` of every module of ``riskmodel``.
Out: ``docs/api/<module>.rst`` (not committed). A name is documented where it lives; packages link to it.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from pydoc import locate
from types import ModuleType
from typing import Any, get_origin

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
            if exported not in elsewhere and not isinstance(thing, ModuleType)
            and get_origin(thing) is None]  # fmt: skip
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


def lay_out(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Give ``In:`` and ``Out:`` of a module's docstring a line each."""
    if what != "module":
        return
    within = False
    for number, line in enumerate(lines):
        begins = line.startswith(("In: ", "Out: "))
        within = begins or (within and line.startswith(" "))
        if within:
            lines[number] = f"| {line}" if begins else f"  {line}"
    # what follows a block of lines needs an empty one before it
    for number in range(len(lines) - 1, 0, -1):
        before, line = lines[number - 1], lines[number]
        if before.startswith("| ") and line and not line.startswith(("| ", "  ")):
            lines.insert(number, "")


def find(app: Sphinx, env: Any, node: Any, shown: Any) -> Any:
    """Resolve a name by where it is exported; what exists but has no entry of its own stays text.

    A name that does not exist stays missing, and is a warning.
    """
    if node.get("refdomain") != "py":
        return None
    target, module, owner = node["reftarget"], node.get("py:module"), node.get("py:class")
    places = [target, f"{module}.{target}"]
    if owner:
        places += [f"{module}.{owner}.{target}", f"{owner}.{target}"]
    for place in places:
        if (thing := locate(place)) is not None:
            home = f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '')}"
            domain = env.get_domain("py")
            link = domain.resolve_xref(env, node["refdoc"], app.builder, "obj", home, node, shown)
            return shown if link is None else link
        before, _, last = place.rpartition(".")
        if last in getattr(locate(before) if before else None, "__dataclass_fields__", ()):
            return shown
    return None


def setup(app: Sphinx) -> dict[str, Any]:
    """Ask Sphinx to have the pages written first."""
    app.connect("builder-inited", write_pages)
    app.connect("autodoc-process-docstring", lay_out)
    app.connect("missing-reference", find)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
