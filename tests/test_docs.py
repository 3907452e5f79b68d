"""The pages of docs/: generated ones are as the code makes them, and the commands that they show do run."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_la import new_store

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("page", ["features", "tables", "commands", "outcomes"])
def test_a_generated_page_is_as_the_code_makes_it(page: str) -> None:
    # a process of its own: other tests may have registered features
    made = subprocess.run(
        [sys.executable, str(DOCS / f"write_{page}.py")], capture_output=True, text=True, check=True
    )
    assert made.stdout == (DOCS / f"{page}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "page",
    [page for page in sorted(DOCS.glob("*.md")) if ">>> " in page.read_text("utf-8")],
    ids=lambda page: page.stem,
)
def test_examples_on_a_page_give_what_it_shows(page: Path) -> None:
    failed, tried = doctest.testfile(str(page), module_relative=False)
    assert tried
    assert not failed


def test_every_page_is_reached_from_the_first() -> None:
    named = set(
        re.findall(r"^([a-z_]+)(?:/index)?$", (DOCS / "index.md").read_text("utf-8"), flags=re.M)
    )
    assert {page.stem for page in DOCS.glob("*.md")} - {"index"} <= named


def test_the_page_on_own_features_works_as_written(
    extracts: Path, shared: Path, tmp_path: Path
) -> None:
    (tmp_path / "extracts").symlink_to(extracts)
    new_store(shared, tmp_path)
    (tmp_path / "mlflow.db").rename(tmp_path / "own.db")
    text = (DOCS / "own_feature.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) == 3
    (tmp_path / "page.py").write_text("\n".join(blocks), encoding="utf-8")
    made = subprocess.run(
        [sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr[-2000:]
    lines = made.stdout.split("\n")
    assert lines[-3:-1] == ["True", "True"]
    assert (tmp_path / "list" / "index.html").is_file()


def test_the_script_of_the_dictionary_has_no_side_effects() -> None:
    spec = importlib.util.spec_from_file_location("write_features", DOCS / "write_features.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.page().startswith("# Every feature")


def names_in(path: Path) -> dict[str, ast.stmt]:
    """Return what a module defines, and what its classes do as ``Class.name``."""
    made: dict[str, ast.stmt] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            made[node.name] = node
        if isinstance(node, ast.ClassDef):
            made |= {
                f"{node.name}.{one.name}": one
                for one in node.body
                if isinstance(one, ast.FunctionDef)
            }
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        made |= {target.id: node for target in targets if isinstance(target, ast.Name)}
    return made


def test_every_name_in_the_architecture_is_in_the_file_that_it_names() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.(?:py|csv|toml))(?::([\w.]+))?`", text)
    assert len(named) > 60
    root = DOCS.parent
    assert [
        f"{file}:{name}"
        for file, name in named
        if not (root / file).is_file() or (name and name not in names_in(root / file))
    ] == []
