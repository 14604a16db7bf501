"""Our own code as trees, read once a session for all tests that look at its shape."""

from __future__ import annotations

import ast
import gc
from functools import cache
from pathlib import Path

import prunegate

SOURCE = Path(prunegate.__file__).parent


@cache
def trees() -> dict[str, ast.Module]:
    """The tree of every file by its path below the package."""
    gc.disable()  # millions of nodes, none of them garbage: looking through them takes longer
    try:
        return {
            path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
            for path in sorted(SOURCE.rglob("*.py"))
        }
    finally:
        gc.freeze()
        gc.enable()


@cache
def shapes() -> dict[str, tuple[ast.Call | ast.Compare | ast.ImportFrom, ...]]:
    """The calls, comparisons and imports of every file: each tree is walked once for all laws."""
    wanted = ast.Call | ast.Compare | ast.ImportFrom
    return {
        name: tuple(node for node in ast.walk(tree) if isinstance(node, wanted))
        for name, tree in trees().items()
    }
