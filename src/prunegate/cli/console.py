"""The console: progress on stderr, the verdict on stdout, nothing else.

Progress bars and the spinner show only on a terminal and never with ``-q``; a CI job's log gets a
line a stage. ``NO_COLOR`` and ``FORCE_COLOR`` say whether there is colour, ``--no-color`` decides.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from prunegate.cli.ci import tell_github
from prunegate.cli.options import AUDIT, ConsoleOptions, echo_color, painted
from prunegate.cli.printed_json import echo_record
from prunegate.cli.verdict_options import Output
from prunegate.io.progress import Progress, silent
from prunegate.text.escape import escaped, shell_word, shell_words
from prunegate.verdict.finding import EXIT_CODES, Verdict

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from prunegate.cli.verdict_lines import Terminal
    from prunegate.gate import Decision

COLORS = {"approve": "green", "reject": "red", "inconclusive": "yellow"}


@contextmanager
def progress(output: ConsoleOptions) -> Iterator[Progress]:
    """Yield ``report(stage, done, total)``: a bar a stage on a terminal, else a line."""
    if output.quiet:
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    if not sys.stderr.isatty():
        yield _line_a_stage()
        return
    console = Console(stderr=True, no_color=not output.color, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console) as bars:
        yield _bar_a_stage(bars)


def _line_a_stage() -> Progress:
    seen: set[str] = set()

    def report(stage: str, _done: int, _total: int) -> None:
        if stage not in seen:
            seen.add(stage)
            click.echo(f"  {stage} ...", err=True)

    return report


def _bar_a_stage(bars: Bars) -> Progress:
    from rich.markup import escape

    known = {}

    def report(stage: str, done: int, total: int) -> None:
        if stage not in known:
            known[stage] = bars.add_task(escape(stage), total=total)
        bars.update(known[stage], completed=done, total=total)

    return report


AFTER_S = 1.0
"""How long work may take before anything moves on the terminal."""


@contextmanager
def busy(output: ConsoleOptions, doing: str) -> Iterator[None]:
    """Show a spinner on a terminal while work takes longer than a second.

    Args:
        output: how much is said.
        doing: what is being done.
    """
    if output.quiet or not sys.stderr.isatty():
        yield
        return
    spinner = _Spinner(doing, color=output.color)
    timer = threading.Timer(AFTER_S, spinner.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        spinner.stop()


class _Spinner:
    """Starts in one thread and stops in another, in whichever order."""

    def __init__(self, doing: str, *, color: bool) -> None:
        self._doing, self._color = doing, color
        self._lock = threading.Lock()
        self._stopped = False
        self._status: Any = None

    def start(self) -> None:
        from rich.console import Console

        with self._lock:
            if self._stopped:
                return
            console = Console(stderr=True, no_color=not self._color, highlight=False)
            self._status = console.status(self._doing)
            self._status.start()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._status is not None:
                self._status.stop()


def exit_code(verdict: Verdict, fail_on: str) -> int:
    """The exit code of a verdict, by what is to turn into a failure.

    Args:
        verdict: the verdict.
        fail_on: ``inconclusive``: whatever is no approval; ``reject``: only that, unless nothing
            was judged at all; ``warning``: an approval with a warning too, as inconclusive.
    """
    if fail_on == "warning" and verdict.outcome == "approve":
        others = len(verdict.warnings) - len(verdict.allowed_losses)
        return EXIT_CODES["inconclusive"] if others else verdict.exit_code
    if fail_on == "reject" and verdict.outcome == "inconclusive":
        seen = any(f.severity == "block" and f.candidate is not None for f in verdict.findings)
        return 0 if seen else verdict.exit_code
    return verdict.exit_code


def ending(verdict: Verdict, fail_on: str) -> int:
    """The exit code as ``exit_code`` has it; where ``--fail-on`` made another, stderr says why."""
    code = exit_code(verdict, fail_on)
    if code != verdict.exit_code:
        why = "the verdict is no rejection"
        if code:
            others = len(verdict.warnings) - len(verdict.allowed_losses)
            why = f"approved with {others:,} {'warning' if others == 1 else 'warnings'}"
        click.echo(
            f"exit code {code}, not {verdict.exit_code}: --fail-on {fail_on}, {why}", err=True
        )
    return code


def show_decision(decision: Decision, folder: Path, output: Output) -> None:
    """Print the verdict and, unless quiet, what does not hold and where the report lies."""
    from prunegate.audit.canonical import canonical_bytes

    verdict = decision.verdict
    if output.as_json:
        echo_record(canonical_bytes(decision.record))
    to_stderr = output.as_json
    word = painted(verdict.outcome.upper(), COLORS[verdict.outcome], color=output.color)
    lines = [f"{word}  {decision.record.policy.name}"]
    if not output.quiet:
        lines += _details(decision, folder, output)
    click.echo("\n".join(lines), err=to_stderr, color=echo_color(output.color))
    tell_github(decision.record, folder, output.ci, output.policy)


def _details(decision: Decision, folder: Path, output: Output) -> list[str]:
    from prunegate.cli.verdict_lines import verdict_lines

    terminal = _terminal(sys.stderr if output.as_json else sys.stdout)
    lines = verdict_lines(decision.record, terminal, verbose=output.verbose)
    for text in _counted(decision):
        lines += terminal.wrapped(f"  {text}", "    ")
    report = folder / "report.html"
    signing = _still_to_sign(decision, folder, output.audit)
    if not signing:
        checked = shell_words(["prunegate", "verify", str(report)])
        lines.append(terminal.shown(f"  next: {checked}"))
    ours = [
        f"  report: {escaped(str(report))}",
        *signing,
    ]  # to be copied as they stand: never wrapped
    return [*lines, *map(terminal.shown, ours)]


def _terminal(stream: TextIO) -> Terminal:
    """What a stream can show; without a terminal lines stay whole, unless COLUMNS asks."""
    from prunegate.cli.verdict_lines import Terminal

    wide = stream.isatty() or os.environ.get("COLUMNS", "").isdigit()
    width = shutil.get_terminal_size().columns if wide else None
    return Terminal(width=width, encoding=getattr(stream, "encoding", None) or "utf-8")


def on_record(command: str, folder: Path, audit: Path) -> str:
    """A command on a record's folder, to be typed as it stands."""
    where = [] if audit == AUDIT else ["--audit", str(audit)]
    return shell_words(["prunegate", command, str(folder), *where])


def _still_to_sign(decision: Decision, folder: Path, audit: Path) -> list[str]:
    """Whose word an approval still takes, and what to type next."""
    from prunegate.report.signers import signers
    from prunegate.text.numbers import plain

    asked = signers(decision.record) if decision.verdict.outcome == "approve" else ()
    if not asked:
        return []
    words, first = plain(", ".join(one.words for one in asked)), asked[0].role
    sign = f"{on_record('approve', folder, audit)} --role {shell_word(first)}"
    return [
        f"  before it ships, signed by {words}: {sign} --decision approve --key KEY",
        f"  may it ship: {on_record('status', folder, audit)}",
    ]


def _counted(decision: Decision) -> list[str]:
    """Which attempt this is where it is a further one, and what was sealed where something was."""
    from prunegate.audit.sealed_bar import bar_in_words
    from prunegate.text.numbers import upper_bound_share

    attempt, bar = decision.record.attempt, decision.record.bar
    if attempt is None:
        return []
    lines = []
    if attempt.number > 1:
        level = "" if attempt.reuse == "none" else f", tested at {upper_bound_share(attempt.alpha)}"
        lines.append(f"attempt {attempt.number:,} on this gate set{level}")
    if bar is not None:
        lines.append(f"bar sealed before the run: {bar_in_words(attempt, bar)}")
    return lines
