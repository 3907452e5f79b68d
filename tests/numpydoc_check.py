"""Run numpydoc's validator over every exported name, and three rules of our own; exit 1 for any fault.

All checks but: extended summary and examples and see-also for everything (ES01, EX01, SA01),
and three that are matters of taste (GL01 text on the first line, RT02 named returns, SS05 mood),
plus SS06 and YD01.

Ours: what a module defines without an underscore is in its ``__all__``; an array has its shape; what is
raised, by a function or by the private functions of its module that it calls, is under Raises.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import cached_property
from types import ModuleType

from numpydoc.validate import validate

LEFT_OUT = {"ES01", "EX01", "SA01", "GL01", "RT02", "SS05", "YD01", "RT03", "RT04", "SS06", "SA04"}

COMMANDS = {"riskmodel.cli", "riskmodel.__main__"}
"""Modules of commands, which Typer exports and whose docstrings are their help."""

EXEMPT = {"AttributeError", "KeyError", "AssertionError"}
"""Errors of our own mistakes, or that Python asks of a method."""

SECTION = re.compile(
    r"^(Parameters|Attributes|Returns|Yields)\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", re.M | re.S
)

ARRAY = re.compile(r"^\S.*\b(array|arrays|Series)\b(?!.*\bshape\b)")


def modules() -> Iterator[ModuleType]:
    """Yield every module of the package."""
    package = importlib.import_module("riskmodel")
    yield package
    for info in pkgutil.walk_packages(package.__path__, "riskmodel."):
        yield importlib.import_module(info.name)


def exported() -> Iterator[str]:
    """Yield the full name of every exported function, class, public method and property."""
    for module in modules():
        for name in getattr(module, "__all__", []):
            thing = getattr(module, name)
            if getattr(thing, "__module__", None) != module.__name__ or not callable(thing):
                continue
            yield f"{module.__name__}.{name}"
            if inspect.isclass(thing):
                kinds = (classmethod, staticmethod, property, cached_property)
                yield from (
                    f"{module.__name__}.{name}.{member}"
                    for member, value in vars(thing).items()
                    if not member.startswith("_")
                    and (inspect.isfunction(value) or isinstance(value, kinds))
                )


def named(name: str) -> object:
    """Return the thing of a full name, None for a method."""
    module, _, last = name.rpartition(".")
    return getattr(sys.modules.get(module), last, None)


def faults_of_numpydoc() -> Iterator[str]:
    """Yield one line per fault that numpydoc's validator finds."""
    for name in exported():
        for code, message in validate(name)["errors"]:
            # a dataclass describes its fields once, under Attributes
            if code not in LEFT_OUT and not (code == "PR01" and is_dataclass(named(name))):
                yield f"{name}: {code} {message}"


def faults_of_ours() -> Iterator[str]:
    """Yield one line per name that is not exported, array without shape, or error not named."""
    for module in modules():
        if module.__name__ in COMMANDS:
            continue
        tree = ast.parse(inspect.getsource(module))
        functions = dict(defined(tree))
        names = set(getattr(module, "__all__", []))
        for full, node in functions.items():
            where = f"{module.__name__}.{full}"
            if any(part.startswith("_") for part in full.split(".")):
                continue
            if full.partition(".")[0] not in names:
                yield f"{where}: not in __all__"
            text = ast.get_docstring(node) or ""
            yield from (
                f"{where}: no shape in '{line}'"
                for _, section in SECTION.findall(text)
                for line in section.splitlines()
                if ARRAY.match(line)
            )
            if isinstance(node, ast.ClassDef):
                continue
            raises = text.partition("Raises\n------")[2]
            lacking = raised(full, functions, set()) - EXEMPT
            yield from (
                f"{where}: {error} is not under Raises"
                for error in sorted(lacking)
                if error not in raises
            )


def defined(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    """Yield functions and classes of a module, and their methods, by ``name`` or ``Class.name``."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield node.name, node
            yield from (
                (f"{node.name}.{part.name}", part)
                for part in node.body
                if isinstance(part, ast.FunctionDef)
            )


def raised(
    full: str, functions: dict[str, ast.FunctionDef | ast.ClassDef], seen: set[str]
) -> set[str]:
    """Return the classes of error that a function raises, itself or through others of its module."""
    seen.add(full)
    owner = full.partition(".")[0]
    found = set()
    caught = caught_in(functions[full])
    for node in ast.walk(functions[full]):
        here: set[str] = set()
        if isinstance(node, ast.Raise) and node.exc is not None:
            error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(error, ast.Name) and error.id[0].isupper():
                here.add(error.id)
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).replace("self.", f"{owner}.")
            if isinstance(functions.get(called), ast.FunctionDef) and called not in seen:
                here |= raised(called, functions, seen)
        found |= here - caught.get(node, set())
    return found


def caught_in(function: ast.AST) -> dict[ast.AST, set[str]]:
    """Return the classes of error that are caught around each part of a function."""
    caught: dict[ast.AST, set[str]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Try):
            kinds = [handler.type for handler in node.handlers if handler.type is not None]
            names = {
                part.id for kind in kinds for part in ast.walk(kind) if isinstance(part, ast.Name)
            }
            for part in (inner for one in node.body for inner in ast.walk(one)):
                caught[part] = caught.get(part, set()) | names
    return caught


if __name__ == "__main__":
    lines = [*faults_of_numpydoc(), *faults_of_ours()]
    print("\n".join(lines) or "numpydoc: no faults")
    sys.exit(bool(lines))
