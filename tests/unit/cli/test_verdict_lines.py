"""The verdict on a terminal: short, whole words, inert, and in letters that it can show."""

from __future__ import annotations

import io
import sys
import time
from dataclasses import replace
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.cli import console
from prunegate.cli.options import ConsoleOptions, echo_color, may_color
from prunegate.cli.verdict_lines import LINES, Terminal, verdict_lines
from prunegate.verdict.finding import Verdict

NAMES = ("rejected", "approved", "hostile", "undefined")
WIDE = Terminal(width=None)


@pytest.mark.parametrize("width", [40, 80, 132, None])
@pytest.mark.parametrize("name", NAMES)
def test_a_verdict_fits_a_screen_and_its_words_stay_whole(
    records: ModuleType, name: str, width: int | None
) -> None:
    record = getattr(records, name)()
    lines = verdict_lines(record, Terminal(width=width))
    assert len(lines) + 1 + 5 <= LINES
    whole = " ".join(verdict_lines(record, WIDE)).split()
    for line in lines:
        assert width is None or len(line) <= max(width, max(map(len, line.split())) + 4)
        assert set(line.split()) <= {*whole, "...", "more", "in", "the", "report,", "and", "with",
                                     "-v"}  # fmt: skip


def test_counts_come_first_then_the_worst(records: ModuleType) -> None:
    counts, worst, *_ = verdict_lines(records.rejected(), WIDE)
    assert counts == "  3 broken · 2 open · 7 hold · 1 warning"
    expected = "✗ recall video 89.1 → 82.1 % −7.0 limit −2 lost 93, gained 9 of 1,200"
    assert " ".join(worst.split()) == expected


def test_losses_are_a_number_and_are_listed_when_asked(records: ModuleType) -> None:
    told = tuple(f"loss {n}" for n in range(40))
    record = replace(records.approved(), warnings=told, allowed_losses=tuple(range(40)))
    short, every = (verdict_lines(record, WIDE, verbose=v) for v in (False, True))
    assert "  40 real losses within limits (-v lists them)" in short
    assert not any("loss 3" in line for line in short)
    assert [f"  ! loss: {text}" for text in told] == every[1:]


@given(st.text(st.characters(), max_size=60))
def test_no_line_is_a_command_or_does_anything(records: ModuleType, text: str) -> None:
    record = records.approved()
    findings = tuple(
        replace(f, slice=text, note=f"::error::{text}", status="fail") for f in record.findings
    )
    warned = (f"::warning::{text}", f"##[error]{text}")
    record = replace(record, findings=findings, warnings=warned, outcome="reject")
    for width in (30, None):
        for line in verdict_lines(record, Terminal(width=width), verbose=True):
            assert not line.lstrip().startswith(("::", "##["))
            assert line.isprintable()


@pytest.mark.parametrize("name", NAMES)
def test_ascii_where_nothing_else_can_be_shown(records: ModuleType, name: str) -> None:
    for line in verdict_lines(getattr(records, name)(), Terminal(width=80, encoding="ascii")):
        assert line.isascii()
    assert Terminal(width=None, encoding="ascii").shown("✗ −7.0 → ≥ 2") == "x -7.0 -> >= 2"
    assert Terminal(width=None, encoding="no such").shown("→") == "->"


@pytest.mark.parametrize(
    ("outcome", "warnings", "candidate", "expected"),
    [
        ("approve", (), 0.9, {"reject": 0, "inconclusive": 0, "warning": 0}),
        ("approve", ("odd", "a loss"), 0.9, {"reject": 0, "inconclusive": 0, "warning": 4}),
        ("approve", ("a loss",), 0.9, {"reject": 0, "inconclusive": 0, "warning": 0}),
        ("inconclusive", (), 0.9, {"reject": 0, "inconclusive": 4, "warning": 4}),
        ("inconclusive", (), None, {"reject": 4, "inconclusive": 4, "warning": 4}),
        ("reject", (), 0.9, {"reject": 3, "inconclusive": 3, "warning": 3}),
    ],
)
def test_what_turns_into_a_failure(
    records: ModuleType,
    outcome: str,
    warnings: tuple[str, ...],
    candidate: float | None,
    expected: dict[str, int],
) -> None:
    """Never 0 when nothing was judged."""
    finding = replace(records.approved().findings[0], candidate=candidate)
    losses = tuple(n for n, text in enumerate(warnings) if text == "a loss")
    verdict = Verdict(
        outcome=outcome, reasons=(), findings=(finding,), slices=(), warnings=warnings,
        allowed_losses=losses, statement="",
    )  # type: ignore[arg-type]  # one of its outcomes  # fmt: skip
    assert {on: console.exit_code(verdict, on) for on in expected} == expected


@pytest.mark.parametrize(
    ("environment", "no_color", "expected"),
    [
        ({}, False, None),
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, False, None),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_who_decides_on_colour(
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    no_color: bool,
    expected: bool | None,
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert echo_color(may_color(no_color)) is expected


class FakeTerminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("quiet", "terminal", "slow", "moves"),
    [(False, True, True, True), (True, True, True, False), (False, False, True, False),
     (False, True, False, False)],
)  # fmt: skip
def test_something_moves_only_on_a_terminal_and_only_where_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, quiet: bool, terminal: bool, slow: bool, moves: bool
) -> None:
    stream = FakeTerminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(console, "AFTER_S", 0.001 if slow else 60.0)
    monkeypatch.setenv("TERM", "xterm")
    with console.busy(ConsoleOptions(quiet=quiet, color=False), "judging ..."):
        for _ in range(200):
            if not moves or "judging" in stream.getvalue():
                break
            time.sleep(0.01)
    assert ("judging" in stream.getvalue()) == moves
