"""Facts are fields: no code finds out what a sentence means by its words."""

from __future__ import annotations

import ast
from pathlib import Path

import prunegate

ROOT = Path(prunegate.__file__).parent
ROOMS = ("report", "outputs", "cli", "io", "text")
READS = ("startswith", "endswith", "partition", "rpartition")
ALLOWED = {
    "cli/__init__.py": "module:name of a lazy command",
    "cli/plan_words.py": "STILL BY WORDS: what can never be proven, until Need tells",
    "cli/policy.py": "the suffix of a file's name",
    "outputs/findings_csv.py": "characters that a spreadsheet runs as a formula",
    "report/embedded_record.py": "the element of a page that holds its record",
    "report/flips.py": "magic numbers of picture formats",
    "report/forest.py": "key=value names of slices, which labels share",
    "report/svg.py": "names and values of SVG attributes",
    "report/verify_page.py": "a digest that a page tells in part",
    "report/sentences.py": "key=value; stops; STILL BY WORDS: the request in a note",
    "report/warnings.py": "STILL BY WORDS: which warnings are allowed losses, until records say so",
    "text/escape.py": "Unicode's names of characters",
    "text/quantities.py": "a unit that follows its number without a space",
}


def readers() -> set[str]:
    found = set()
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
            named = {c.func.attr for c in calls if isinstance(c.func, ast.Attribute)}
            if named & set(READS):
                found.add(path.relative_to(ROOT).as_posix())
    return found


def test_only_formats_are_taken_apart() -> None:
    assert readers() == set(ALLOWED)
