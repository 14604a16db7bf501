"""Mutants are one change of a program each, where a test could notice it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray", reason="the extra mutation")

from tests.mutation.mutants import mutant, sites

SOURCE = """from typing import TYPE_CHECKING

if TYPE_CHECKING:
    N: int | None = 1 + 1


def f(a: int | None, *, b: int | str = 2) -> int | None:
    x: int | None = 3 if a is None else a
    return [x * u for u, _ in zip([1], [b], strict=True) if not u == 5][0]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "m.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path / "m.py"


def test_every_mutant_is_another_program_on_its_line(path: Path) -> None:
    lines = SOURCE.splitlines()
    for site in sites(path):
        for change in site.changes:
            made = mutant(site, change)
            if made is not None:
                gone, new = made.difference.splitlines()
                assert gone == f"-{lines[site.start[0] - 1]}"
                changed = [*lines]
                changed[site.start[0] - 1] = new[1:]
                assert ast.dump(ast.parse("\n".join(changed))) != ast.dump(ast.parse(SOURCE))


def test_numbers_comparisons_and_arithmetic_are_sites_and_what_cannot_be_noticed_is_not(
    path: Path,
) -> None:
    found = {site.start for site in sites(path) if any(mutant(site, c) for c in site.changes)}
    columns = {line: sorted(column for at, column in found if at == line) for line in (4, 7, 8, 9)}
    text = SOURCE.splitlines()
    assert columns[4] == []
    assert columns[7] == [text[6].index("*"), text[6].rindex("2")]  # the star can be a slash
    assert min(columns[8]) > text[7].index("=")
    assert text[8].index("True") not in columns[9]
    assert {text[8].index("*"), text[8].index("== "), text[8].index("5")} <= set(columns[9])


def test_equality_with_a_text_is_not_turned_into_an_order(tmp_path: Path) -> None:
    source = "def g(a: str, n: int) -> bool:\n    return a == 'x' or n == 3\n"
    (tmp_path / "m.py").write_text(source, encoding="utf-8")
    changed = [
        made.difference.splitlines()[1]
        for site in sites(tmp_path / "m.py")
        for change in site.changes
        if (made := mutant(site, change)) is not None
    ]
    assert any("n <= 3" in line for line in changed)
    assert any("a != 'x'" in line for line in changed)
    assert not any("a <" in line or "a >" in line for line in changed)
