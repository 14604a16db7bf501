"""Our own code as trees, read once a session for all tests that look at its shape."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import prunegate

SOURCE = Path(prunegate.__file__).parent


@cache
def trees() -> dict[str, ast.Module]:
    """The tree of every file by its path below the package."""
    return {
        path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(SOURCE.rglob("*.py"))
    }
