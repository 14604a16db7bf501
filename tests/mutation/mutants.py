"""Mutants: source text with one small change that its tests should notice.

The changes are cosmic-ray's operators (arithmetic, comparisons, boolean words, numbers, loops,
exceptions); a place with several of them is one site, so that no place weighs more than another.
Left out is what no test could tell: annotations, blocks for type checkers only, decorators,
``strict`` of `zip`, identity in place of equality, which is the same for shared values, and an
order in place of equality with a text, which is the same where few texts can be.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator, operator_names

LEFT_OUT = (
    "RemoveDecorator",
    "VariableReplacer",  # these two want names
    "VariableInserter",
    "Eq_Is",
    "NotEq_IsNot",
    "Is_Eq",
    "IsNot_NotEq",
)
_ORDERS = ("Eq_Lt", "Eq_LtE", "Eq_Gt", "Eq_GtE", "NotEq_Lt", "NotEq_LtE", "NotEq_Gt", "NotEq_GtE")
Place = tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """A place in a file that can be changed."""

    path: Path
    start: Place
    """Line (from 1) and column (from 0)."""
    changes: tuple[tuple[str, int], ...]
    """Operators by name, and which of the operator's places in the file this one is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutant:
    """One file with one change."""

    path: Path
    line: int
    difference: str
    """The line before and after."""
    code: CodeType


def sites(path: Path) -> list[Site]:
    """Every place in a file that some operator can change."""
    source = path.read_text(encoding="utf-8")
    changes: dict[Place, list[tuple[str, int]]] = {}
    nodes = list(ast_nodes(get_ast(source)))
    for name, operator in _operators().items():
        found = [span[0] for node in nodes for span in operator.mutation_positions(node)]
        for occurrence, start in enumerate(found):
            changes.setdefault(start, []).append((name, occurrence))
    tree = ast.parse(source)
    inert, texts = list(_inert(tree)), list(_of_texts(tree))
    return [
        Site(path=path, start=start, changes=left)
        for start in sorted(changes)
        if not _within(start, inert)
        if (left := tuple(_telling(changes[start], ordered=not _within(start, texts))))
    ]


def mutant(site: Site, change: tuple[str, int]) -> Mutant | None:
    """The file changed at a site; None: that is no Python, or the same program."""
    source = site.path.read_text(encoding="utf-8")
    name, occurrence = change
    changed = mutate_code(source, _operators()[name], occurrence)
    try:
        with warnings.catch_warnings(action="ignore"):
            code = compile(changed, str(site.path), "exec", dont_inherit=True)
            same = ast.dump(ast.parse(changed)) == ast.dump(ast.parse(source))
    except SyntaxError:
        return None
    if same:
        return None
    lines = difflib.unified_diff(source.splitlines(), changed.splitlines(), n=0, lineterm="")
    told = "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))
    return Mutant(path=site.path, line=site.start[0], difference=told, code=code)


@cache
def _operators() -> Mapping[str, Operator]:
    return {
        name: get_operator(name)()
        for name in sorted(operator_names())
        if not name.endswith(LEFT_OUT)
    }


def _within(start: Place, spans: list[tuple[Place, Place]]) -> bool:
    return any(first <= start < last for first, last in spans)


def _telling(changes: list[tuple[str, int]], *, ordered: bool) -> Iterator[tuple[str, int]]:
    for name, occurrence in changes:
        if ordered or not name.endswith(_ORDERS):
            yield name, occurrence


def _of_texts(tree: ast.Module) -> Iterator[tuple[Place, Place]]:
    """Comparisons with a text that is written there."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(comparators=[ast.Constant(value=str())]):
                yield _span(node)
            case _:
                pass


def _inert(tree: ast.Module) -> Iterator[tuple[Place, Place]]:
    """Where no change can be noticed: annotations, checks of types and of equal lengths."""
    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign():
                yield _span(node.annotation)
            case ast.arg(annotation=ast.expr() as written):
                yield _span(written)
            case ast.FunctionDef(returns=ast.expr() as written):
                yield _span(written)
                yield from map(_span, node.decorator_list)
            case ast.FunctionDef() | ast.ClassDef():
                yield from map(_span, node.decorator_list)
            case ast.keyword(arg="strict"):
                yield _span(node.value)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield _span(node)
            case _:
                pass


def _span(node: ast.expr | ast.stmt) -> tuple[Place, Place]:
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
