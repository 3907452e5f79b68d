"""Which module imports which, read from syntax trees; nothing is imported or run.

In:  the folders of packages, by import name.
Out: the modules that each module imports, and a circle among them where there is one.

An edge from module A to module B is any of these, wherever in A it is: at the top, under
``TYPE_CHECKING`` or inside a function.

- ``import B``, and ``from B import name`` where B is a module that is no package.
- ``from package import name``: to the submodule of that name, if there is one; to the package's
  ``__init__`` if it lists the name in ``__all__``, or if there is no such submodule.
- ``import_module("B")`` and ``__import__("B")``, where the name is written out.
- ``package.B``, where the package was imported under any name: the submodule is used.

A package's ``__init__`` may import its own submodules. A submodule that takes a name from that
``__init__`` closes a circle. That Python runs the ``__init__`` of a package before its submodules makes
no edge: every package that gathers names would then be a circle.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

__all__ = ["circle_in", "import_graph", "our_imports"]

Graph = dict[str, set[str]]

TOP = ("features", "training", "evaluation", "fairness")
"""Packages of ``riskmodel`` whose folders are at the top of the repository."""


def import_graph(folders: Mapping[str, Path]) -> Graph:
    """Return the modules of some packages, each with those of them that it imports.

    Parameters
    ----------
    folders : mapping of str to Path
        Import name of a package → its folder. Links inside a folder are not followed.

    Returns
    -------
    dict of str to set of str
        Modules by full name; a package stands for its ``__init__``.
    """
    trees = {
        name: ast.parse(file.read_text(encoding="utf-8"))
        for package, folder in folders.items()
        for name, file in _modules(package, folder)
    }
    return {name: set(_imported(name, trees)) for name in trees}


def our_imports(root: Path) -> Graph:
    """Return the import graph of this repository, without what the public names import when used.

    Parameters
    ----------
    root : Path
        The repository.

    Returns
    -------
    dict of str to set of str
        As :func:`import_graph`. ``riskmodel`` itself imports nothing: its names are imported when
        somebody first uses them, and no module of ours does.
    """
    folders = {f"riskmodel.{name}": root / name for name in TOP}
    return import_graph({"riskmodel": root / "riskmodel"} | folders) | {"riskmodel": set()}


def circle_in(graph: Graph) -> list[str]:
    """Return modules of which each imports the next and the last is the first again.

    Parameters
    ----------
    graph : dict of str to set of str
        From :func:`import_graph`.

    Returns
    -------
    list of str
        Empty where there is no circle.
    """
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def _modules(package: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield each module of a folder with its full name."""
    for file in sorted(folder.iterdir()):
        if file.is_dir() and not file.is_symlink():
            yield from _modules(f"{package}.{file.name}", file)
        elif file.name == "__init__.py":
            yield package, file
        elif file.suffix == ".py":
            yield f"{package}.{file.stem}", file


def _imported(importer: str, trees: Mapping[str, ast.Module]) -> Iterator[str]:
    """Yield the modules among some that one of them imports."""
    names = _modules_by_name(trees[importer], trees)
    for node in ast.walk(trees[importer]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in trees)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are forbidden"
            for alias in node.names if node.module in trees else ():
                yield from _homes(importer, str(node.module), alias.name, trees)
        elif isinstance(node, ast.Call):
            yield from (name for name in _imported_by_call(node) if name in trees)
        elif isinstance(node, ast.Attribute):
            root, _, rest = ast.unparse(node).partition(".")
            yield from (name for name in [f"{names.get(root)}.{rest}"] if name in trees)


def _modules_by_name(tree: ast.Module, trees: Mapping[str, ast.Module]) -> dict[str, str]:
    """Return the names that a module gives to other modules, each with the module's full name."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names |= {alias.asname: alias.name} if alias.asname else {top: top}
        elif isinstance(node, ast.ImportFrom):
            full = {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
            names |= {name: module for name, module in full.items() if module in trees}
    return names


def _imported_by_call(node: ast.Call) -> Iterator[str]:
    """Yield the module that ``import_module`` or ``__import__`` is given in so many words."""
    if ast.unparse(node.func).rpartition(".")[2] in {"import_module", "__import__"}:
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)][:1]:
            if isinstance(argument, ast.Constant):
                assert not str(argument.value).startswith("."), "relative imports are forbidden"
                yield str(argument.value)


def _homes(importer: str, module: str, name: str, trees: Mapping[str, ast.Module]) -> Iterator[str]:
    """Yield the modules that ``from module import name`` reaches."""
    is_submodule = f"{module}.{name}" in trees
    if is_submodule:
        yield f"{module}.{name}"
    if not is_submodule or (importer != module and name in _exports(trees[module])):
        yield module


def _exports(tree: ast.Module) -> set[str]:
    """Return the names that a module lists in ``__all__``."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()
