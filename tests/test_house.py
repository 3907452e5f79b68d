"""The house itself: one import name, a whole wheel, quick import, honest exports."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import riskmodel
from tests.imports import circle_in, import_graph, our_imports

ROOT = Path(riskmodel.__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = {"features", "training", "evaluation", "fairness"}


def folders_with_init() -> set[str]:
    """Every package by its import name, found in the folders themselves."""
    found = set()
    for top in ("riskmodel", *FOLDERS):
        for init in (ROOT / top).rglob("__init__.py"):
            parts = init.parent.relative_to(ROOT).parts
            name = ".".join(parts if top == "riskmodel" else ("riskmodel", *parts))
            found.add(name)
    return found


def test_package_list_names_every_folder_that_is_a_package() -> None:
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == folders_with_init()


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_each_folder_is_imported_under_the_one_name(name: str) -> None:
    module = importlib.import_module(f"riskmodel.{name}")
    assert module.__name__ == f"riskmodel.{name}"
    assert (ROOT / name / "__init__.py").samefile(str(module.__file__))


def test_wheel_installs_only_riskmodel_and_every_module(tmp_path: Path) -> None:
    import zipfile

    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--wheel-dir",
            str(tmp_path),
            str(ROOT),
        ],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    assert {name.split("/")[0] for name in names} == {"riskmodel"}
    sources = {
        f"riskmodel/{path.relative_to(ROOT / top)}"
        if top == "riskmodel"
        else f"riskmodel/{path.relative_to(ROOT)}"
        for top in ("riskmodel", *FOLDERS)
        for path in (ROOT / top).rglob("*")
        if path.suffix in {".py", ".csv", ".html", ".css", ".js"}
    }
    assert sources <= set(names)


def test_import_loads_no_heavy_library() -> None:
    code = (
        "import sys, riskmodel; "
        "print([m for m in ('pandas', 'sklearn', 'mlflow', 'shap', 'optuna') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("name", riskmodel.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(riskmodel, name).__doc__


def test_no_public_name_is_that_of_a_module() -> None:
    # it would be the function until something imports the module, and the module from then on
    modules = {info.name for info in pkgutil.iter_modules(riskmodel.__path__)}
    assert not modules & set(riskmodel.__all__)


def test_no_module_prints_or_reads_the_environment() -> None:
    guilty = [
        str(path)
        for top in ("riskmodel", *FOLDERS)
        for path in (ROOT / top).rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in ("os.environ[", "os.getenv"))
    ]
    assert guilty == []


def test_modules_state_what_they_are_for() -> None:
    silent = []
    for info in pkgutil.walk_packages(riskmodel.__path__, "riskmodel."):
        if info.name != "riskmodel.__main__" and not importlib.import_module(info.name).__doc__:
            silent.append(info.name)
    assert silent == []


def test_no_module_of_ours_imports_in_a_circle() -> None:
    graph = our_imports(ROOT)
    assert {"riskmodel.features.build", "riskmodel.assess", "riskmodel.cli"} <= set(graph)
    assert "riskmodel.training.calibrated" in graph["riskmodel.assess"]
    assert not any("riskmodel" in imported for imported in graph.values())  # the public names
    assert circle_in(graph) == []


MADE_UP = {
    "house/__init__.py": '__all__ = ["cook"]\nfrom house.kitchen import cook\n',
    "house/kitchen.py": "import house.garden\n\ndef cook(): ...\n",
    "house/garden.py": "",
    "house/attic/__init__.py": "",
    "house/attic/box.py": "import os\n",
    "house/attic/lid.py": "from house.attic.box import hinge\n",
}


@pytest.mark.parametrize(
    ("file", "code", "circle"),
    [
        ("garden", "from house.kitchen import cook", {"house.garden", "house.kitchen"}),
        ("garden", "from house import kitchen", {"house.garden", "house.kitchen"}),
        ("garden", "import house.kitchen as k", {"house.garden", "house.kitchen"}),
        ("garden", "from house import cook", {"house", "house.garden", "house.kitchen"}),
        (
            "garden",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.kitchen import cook",
            {"house.garden", "house.kitchen"},
        ),
        (
            "garden",
            "class Bed:\n    def water(self):\n        from house.kitchen import cook",
            {"house.garden", "house.kitchen"},
        ),
        *[
            ("garden", f"{before}\n\ndef water():\n    {call}", {"house.garden", "house.kitchen"})
            for before, call in [
                ("from importlib import import_module", 'import_module("house.kitchen")'),
                ("import importlib", 'importlib.import_module(name="house.kitchen").cook()'),
                ("from importlib import import_module", 'import_module("house.kitchen", None)'),
                ("", '__import__("house.kitchen")'),
            ]
        ],
        *[
            (
                "attic/box",
                f"{line}\n\ndef lift():\n    {use}",
                {"house.attic.box", "house.attic.lid"},
            )
            for line, use in [
                ("import house.attic", "house.attic.lid.lift()"),
                ("import house.attic as a", "return a.lid"),
                ("from house import attic", "attic.lid.lift()[0].rest()"),
                ("from house import attic as a", "a.lid.lift()"),
            ]
        ],
        ("attic/box", "import house.attic\n\nhouse.attic.key.turn()", set()),
        ("attic/box", "attic.lid.lift()", set()),  # no module has that name here
        ("attic/box", "from house.attic import box", {"house.attic.box"}),
        ("attic/__init__", '__all__ = ["box"]\nfrom house.attic import box', set()),
        ("attic/box", "from house.garden import rose", set()),
        ("attic/box", "from house.attic import key", set()),  # its __init__ imports nothing
    ],
)
def test_a_made_up_circle_is_found_however_it_is_imported(
    tmp_path: Path, file: str, code: str, circle: set[str]
) -> None:
    for name, text in (MADE_UP | {f"house/{file}.py": code}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = circle_in(import_graph({"house": tmp_path / "house"}))
    assert set(found) == circle
    assert found[:1] == found[-1:]


def is_private(name: str) -> bool:
    """Return whether a dotted name has a private part; ``_repr_html_`` and the like are public."""
    return any(part.startswith("_") and not part.endswith("_") for part in name.split("."))


def faults_of(code: str) -> list[str]:
    """Return the names in the code of a test that are private, or of another test file."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in OURS:
            names = [f"{node.module}.{one.name}" for one in node.names]
            found += [name for name in names if is_private(name) or OTHER_TEST.match(name)]
        elif isinstance(node, ast.Attribute) and is_private(node.attr):
            found += [] if ast.unparse(node.value) == "self" else [ast.unparse(node)]
        elif isinstance(node, ast.Constant) and str(node.value).startswith("riskmodel."):
            found += [str(node.value)] if is_private(str(node.value)) else []
    return found


OURS = {"riskmodel", "tests", "benchmarks"}
OTHER_TEST = re.compile(r"tests\.(test_\w+|conftest)\b")


TESTS = sorted(set(Path(__file__).parent.glob("*.py")) - {Path(__file__)})


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_a_test_uses_public_names_and_takes_nothing_from_another_test(path: Path) -> None:
    assert faults_of(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("from riskmodel.data.tables import _cut", "riskmodel.data.tables._cut"),
        ("from riskmodel._odd import cut", "riskmodel._odd.cut"),
        ("from tests.test_report import make", "tests.test_report.make"),
        ("from tests import conftest", "tests.conftest"),
        ("made = attendance._byte('I')", "attendance._byte"),
        ("patch.setattr('riskmodel.data.tables._cut', f)", "riskmodel.data.tables._cut"),
        ("from riskmodel.data import Tables\nTables.x._repr_html_()\nself._y", None),
    ],
)
def test_a_private_name_in_a_test_is_found(code: str, fault: str | None) -> None:
    assert faults_of(code) == ([] if fault is None else [fault])
