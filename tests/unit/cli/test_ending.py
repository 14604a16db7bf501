"""What ``--fail-on`` makes of a verdict is told where it changes the exit code."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from prunegate.cli.console import ending

FINDING = SimpleNamespace(severity="block", candidate=0.5)


def verdict(outcome: str, code: int, warnings: tuple[str, ...] = ()) -> Any:
    return SimpleNamespace(
        outcome=outcome, exit_code=code, warnings=warnings, allowed_losses=(), findings=(FINDING,)
    )


@pytest.mark.parametrize(
    ("found", "fail_on", "code", "told"),
    [
        (verdict("approve", 0, ("w",)), "warning", 4, "exit code 4, not 0: --fail-on warning"),
        (verdict("approve", 0, ("w", "x")), "warning", 4, "approved with 2 warnings"),
        (verdict("inconclusive", 4), "reject", 0, "exit code 0, not 4: --fail-on reject"),
        (verdict("approve", 0), "warning", 0, ""),
        (verdict("approve", 0, ("w",)), "inconclusive", 0, ""),
        (verdict("reject", 3), "reject", 3, ""),
    ],
)
def test_why_the_exit_code_is_another(
    found: Any, fail_on: str, code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(found, fail_on) == code
    said = capsys.readouterr()
    assert told in said.err
    assert bool(said.err) is bool(told)
    assert said.out == ""
