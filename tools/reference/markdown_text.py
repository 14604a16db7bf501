"""Markdown that says what it was given: cells, tables, and code that a bar does not break."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def cell(text: str) -> str:
    """Plain words as the content of a cell: one line, nothing in it is taken for markup."""
    words = " ".join(text.split()).replace("``", "`")
    outside = re.split(r"(`[^`]*`)", words)
    return "".join(
        part.replace("|", "\\|")
        if part.startswith("`")
        else re.sub(r"([|<>*_\[\]])", r"\\\1", part)
        for part in outside
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are Markdown already."""
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [f"| {' | '.join(row)} |".replace("  |", " |") for row in rows]
    return "\n".join(lines) + "\n"
