"""Run numpydoc's validator over every exported name; exit 1 where it finds anything.

All checks but: extended summary and examples and see-also for everything (ES01, EX01, SA01),
and three that are matters of taste (GL01 text on the first line, RT02 named returns, SS05 mood),
plus SS06 and YD01.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass

from numpydoc.validate import validate

LEFT_OUT = {"ES01", "EX01", "SA01", "GL01", "RT02", "SS05", "YD01", "RT03", "RT04", "SS06", "SA04"}


def exported() -> Iterator[str]:
    """Yield the full name of every exported function, class and public method."""
    package = importlib.import_module("riskmodel")
    for info in pkgutil.walk_packages(package.__path__, "riskmodel."):
        module = importlib.import_module(info.name)
        for name in getattr(module, "__all__", []):
            thing = getattr(module, name)
            if getattr(thing, "__module__", None) != info.name or not callable(thing):
                continue
            yield f"{info.name}.{name}"
            if inspect.isclass(thing):
                yield from (
                    f"{info.name}.{name}.{method}"
                    for method, value in vars(thing).items()
                    if not method.startswith("_")
                    and (inspect.isfunction(value) or isinstance(value, classmethod))
                )


def named(name: str) -> object:
    """Return the thing of a full name, None for a method."""
    module, _, last = name.rpartition(".")
    return getattr(sys.modules.get(module), last, None)


def faults() -> list[str]:
    """Return one line per fault."""
    lines = []
    for name in exported():
        for code, message in validate(name)["errors"]:
            # a dataclass tells of its fields once, under Attributes
            if code not in LEFT_OUT and not (code == "PR01" and is_dataclass(named(name))):
                lines.append(f"{name}: {code} {message}")
    return lines


if __name__ == "__main__":
    found = faults()
    print("\n".join(found) or "numpydoc: no faults")
    sys.exit(bool(found))
