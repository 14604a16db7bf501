"""One concept, one word: public names, file names and imports of the whole package."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from tests.source import SOURCE, shapes, trees

STANDALONE = "prunegate.audit.bundle.verify_record"
"""Shares no code with the package, on purpose: it repeats concepts, so it repeats their names."""

SHARED = {
    "command": "every file of the command line ends in the command that it defines",
    "main": "the program's entry, and the single-file verifier's",
    **dict.fromkeys(
        ("test", "interval", "against", "test_at_least", "test_at_most"),
        "estimators answer to the same verbs and are called through their module",
    ),
    **dict.fromkeys(
        ("tail_at_least", "tail_at_most", "test_f1", "test_precision"),
        "two methods for one quantity, called through their module",
    ),
}
DOCS = Path(__file__).parents[2] / "docs"
LONGEST = 400
LONGEST_FUNCTION = 50


def module_of(file: str) -> str:
    parts = ("prunegate", *Path(file).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


@cache
def modules() -> dict[str, ast.Module]:
    return {module_of(file): tree for file, tree in trees().items()}


def public_names() -> dict[str, list[str]]:
    homes: dict[str, list[str]] = defaultdict(list)
    for module, tree in modules().items():
        if module == STANDALONE:
            continue
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(module)
    return homes


def test_nothing_is_public_that_nobody_uses() -> None:
    """What only tests call is no part of the program; a page may show it to other programs."""
    places = (*SOURCE.rglob("*.py"), *SOURCE.rglob("*.html*"), *DOCS.rglob("*.md"))
    words: Counter[str] = Counter()
    for path in places:
        words.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    unused = {name: homes for name, homes in public_names().items() if words[name] <= len(homes)}
    assert unused == {}


def imports(nodes: Iterable[ast.AST]) -> set[str]:
    known = modules()
    found = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module in known:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in inside if name in known} or {node.module}
    return found


def test_no_public_name_means_two_things() -> None:
    twice = {n: homes for n, homes in public_names().items() if len(homes) > 1 and n not in SHARED}
    assert twice == {}


def test_the_allow_list_holds_nothing_that_is_not_needed() -> None:
    names = public_names()
    assert [name for name in SHARED if name != "main" and len(names[name]) < 2] == []


def test_no_files_import_each_other_in_a_circle_and_none_the_package_s_face() -> None:
    """Imports within functions and for types alone count, too."""
    graph = {module_of(file): imports(nodes) for file, nodes in shapes().items()}
    TopologicalSorter(graph).prepare()
    assert [name for name, imported in graph.items() if "prunegate" in imported] == []


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    long = {
        str(path.relative_to(SOURCE)): lines
        for path in SOURCE.rglob("*.py")
        if (lines := len(path.read_text("utf-8").splitlines())) > LONGEST
    }
    assert long == {}


def functions(tree: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef]:
    """Those of a file and of its classes, in each of which lies whatever it defines itself."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from functions(node)


def test_no_function_is_too_long_to_be_seen_whole() -> None:
    long = {
        f"{file}: {node.name}": lines
        for file, tree in trees().items()
        for node in functions(tree)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert long == {}
