"""Print the figures by which this house is kept: ``python -m tests.house_figures [FOLDER ...]``.

In:  the sources of the product and of its tests, read as syntax trees; nothing is imported or run.
Out: one line per figure with its goal, and which functions fall short (with ``--show``).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.imports import circle_in, our_imports

__all__ = ["Function", "functions", "main", "product_files", "test_files"]

ROOT = Path(__file__).parents[1]
PRODUCT = ("riskmodel", "features", "training", "evaluation", "fairness")
SHORT = 15
"""Lines of a short function, docstring left out."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Function:
    """A function or method of a module.

    Attributes
    ----------
    file : Path
        Where it is defined.
    node : FunctionDef or AsyncFunctionDef
        Its syntax tree.
    is_public : bool
        Whether its name, and the name of its class, start without an underscore.
    raises : bool
        Whether it raises, itself or through a private function of its module.
    """

    file: Path
    node: Definition
    is_public: bool
    raises: bool

    @property
    def docstring(self) -> str:
        """Its docstring, empty where there is none."""
        return ast.get_docstring(self.node) or ""

    @property
    def lines(self) -> int:
        """Its lines without the docstring."""
        return last_line(self.node) - self.node.lineno + 1 - docstring_lines(self.node)


def last_line(node: ast.stmt) -> int:
    """Return the last line of a statement."""
    return node.end_lineno or node.lineno


def docstring_lines(node: ast.Module | ast.ClassDef | Definition) -> int:
    """Return how many lines a docstring takes, 0 where there is none."""
    if ast.get_docstring(node, clean=False) is None:
        return 0
    return last_line(node.body[0]) - node.body[0].lineno + 1


def product_files(folders: tuple[str, ...] = PRODUCT) -> list[Path]:
    """Return the Python files of the product, each once (the links in riskmodel/ are left out)."""
    linked = {ROOT / "riskmodel" / name for name in PRODUCT[1:]}
    files = (file for name in folders for file in sorted((ROOT / name).rglob("*.py")))
    return [file for file in files if not linked & set(file.parents)]


def test_files() -> list[Path]:
    """Return the Python files of the tests."""
    return sorted((ROOT / "tests").rglob("*.py"))


def tree_of(file: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(file.read_text(encoding="utf-8"))


def definitions(body: list[ast.stmt], *, is_public: bool) -> Iterator[tuple[Definition, bool]]:
    """Yield the functions of a module or class with whether they are public; closures are left out."""
    for node in body:
        if isinstance(node, Definition):
            yield node, is_public and not node.name.startswith("_")
        elif isinstance(node, ast.ClassDef):
            yield from definitions(node.body, is_public=is_public and node.name[0] != "_")
        elif isinstance(node, (ast.If, ast.Try)):
            yield from definitions(node.body, is_public=is_public)


def raising(found: list[tuple[Definition, bool]]) -> set[str]:
    """Return names of functions that raise, themselves or through a private one of the module."""
    calls = {
        node.name: {
            getattr(call.func, "id", getattr(call.func, "attr", ""))
            for call in ast.walk(node)
            if isinstance(call, ast.Call)
        }
        for node, _ in found
    }
    raised = {
        node.name
        for node, _ in found
        if any(isinstance(part, ast.Raise) and part.exc is not None for part in ast.walk(node))
    }
    while True:
        private = {name for name in raised if name.startswith("_")}
        more = {name for name, called in calls.items() if called & private} - raised
        if not more:
            return raised
        raised |= more


def functions(file: Path) -> list[Function]:
    """Return the functions and methods of a file."""
    found = list(definitions(tree_of(file).body, is_public=True))
    raised = raising(found)
    return [Function(file, node, public, node.name in raised) for node, public in found]


def code_lines(file: Path) -> int:
    """Return the lines of a file that are not blank."""
    return sum(bool(line.strip()) for line in file.read_text(encoding="utf-8").splitlines())


def share(part: int, whole: int) -> float:
    """Return a percentage; 100 of nothing."""
    return 100 * part / whole if whole else 100.0


def tests_and_raises() -> tuple[float, float]:
    """Return the percentage of tests with parameters, and of errors that are matched."""
    tests = parametrised = errors = matched = 0
    for file in test_files():
        for node in ast.walk(tree_of(file)):
            if isinstance(node, Definition) and node.name.startswith("test"):
                tests += 1
                parametrised += any("parametrize" in ast.unparse(d) for d in node.decorator_list)
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.raises":
                errors += 1
                matched += any(word.arg == "match" for word in node.keywords)
    return share(parametrised, tests), share(matched, errors)


def missing_raises(found: list[Function]) -> list[Function]:
    """Return public functions that raise and do not document it."""
    return [f for f in found if f.is_public and f.raises and "Raises\n---" not in f.docstring]


def figures(folders: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """Return each figure: its name, its value, its goal."""
    files = product_files(folders)
    found = [one for file in files for one in functions(file)]
    public = [one for one in found if one.is_public]
    product = sum(map(code_lines, files)) - sum(docstring_lines(one.node) for one in found)
    tests = sum(map(code_lines, test_files()))
    with_parameters, matched = tests_and_raises()
    skips = sum(file.read_text(encoding="utf-8").count("fmt: skip") for file in files)
    raises = [one for one in public if one.raises]
    documented = len(raises) - len(missing_raises(found))
    examples = sum(">>>" in one.docstring for one in public)
    short = sum(one.lines <= SHORT for one in found)
    return [
        ("functions of at most 15 lines", f"{share(short, len(found)):.1f}%", ">= 75%"),
        ("test lines per product line", f"{tests / product:.2f}", ">= 1.00"),
        ("tests with parameters", f"{with_parameters:.1f}%", ">= 30%"),
        ("errors matched", f"{matched:.1f}%", ">= 95%"),
        ("fmt: skip in product code", str(skips), "<= 20"),
        ("Raises where a public function raises", f"{share(documented, len(raises)):.1f}%", "100%"),
        ("public functions with a doctest", f"{share(examples, len(public)):.1f}%", ">= 40%"),
        ("modules in a circle of imports", str(len(set(circle_in(our_imports(ROOT))))), "0"),
        ("product lines without docstrings of functions", str(product), ""),
    ]


def shortcomings(folders: tuple[str, ...]) -> list[str]:
    """Return a line for each long function, missing Raises and missing example."""
    lines = []
    for file in product_files(folders):
        found = functions(file)
        undocumented = missing_raises(found)
        for one in found:
            place = f"{file.relative_to(ROOT)}:{one.node.lineno} {one.node.name}"
            if one.lines > SHORT:
                lines.append(f"{place}: {one.lines} lines")
            if one in undocumented:
                lines.append(f"{place}: raises, and has no Raises")
            if one.is_public and ">>>" not in one.docstring:
                lines.append(f"{place}: no example")
    return lines


def main(words: list[str]) -> None:
    """Print the figures; folders limit them to a part of the product."""
    folders = tuple(word for word in words if not word.startswith("--")) or PRODUCT
    if "--show" in words:
        print("\n".join(shortcomings(folders)))
    for name, value, goal in figures(folders):
        print(f"{name:40} {value:>8}   {goal}")


if __name__ == "__main__":
    main(sys.argv[1:])
