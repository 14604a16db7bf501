"""The console: progress on stderr, the verdict on stdout, nothing else.

Progress bars show only on a terminal and never with ``-q``; a CI job's log gets a line a stage.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prunegate.cli.options import AUDIT, ConsoleOptions, Output
from prunegate.io.progress import Progress, silent

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

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

    console = Console(stderr=True, no_color=not output.color, highlight=False)
    if not console.is_terminal:
        yield _line_a_stage()
        return
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


def show_decision(decision: Decision, folder: Path, output: Output) -> None:
    """Print the verdict and, unless quiet, its reasons and where the report lies."""
    from prunegate.audit.canonical import canonical_bytes

    verdict = decision.verdict
    if output.as_json:
        click.echo(canonical_bytes(decision.record).decode())
    to_stderr = output.as_json
    word = verdict.outcome.upper()
    if output.color:
        word = click.style(word, fg=COLORS[verdict.outcome], bold=True)
    lines = [f"{word}  {decision.record.policy.name}"]
    if not output.quiet:
        lines += _details(decision, folder, output.audit)
    click.echo("\n".join(lines), err=to_stderr, color=None if output.color else False)


def _details(decision: Decision, folder: Path, audit: Path) -> list[str]:
    from prunegate.report.warnings import warnings
    from prunegate.text.escape import visible

    verdict = decision.verdict
    lines = [f"  {visible(reason)}" for reason in verdict.reasons[:SHOWN]]
    if len(verdict.reasons) > SHOWN:
        lines.append(f"  ... and {len(verdict.reasons) - SHOWN} more in the report")
    found = warnings(decision.record, others=SHOWN, losses=LOSSES_SHOWN)
    lines += [f"  warning: {text}" for text in (*found.others, *found.losses)]
    if found.more_losses:
        noun = "loss" if len(found.more_losses) == 1 else "losses"
        lines.append(f"  ... and {len(found.more_losses)} more {noun} within limits in the report")
    if found.more_others:
        lines.append(f"  ... and {len(found.more_others)} more warnings in the report")
    lines += [f"  {visible(text)}" for text in _counted(decision)]
    return [*lines, f"  report: {folder / 'report.html'}", *_still_to_sign(decision, folder, audit)]


def on_record(command: str, folder: Path, audit: Path) -> str:
    """A command on a record's folder, to be typed as it stands."""
    where = [] if audit == AUDIT else ["--audit", str(audit)]
    return shlex.join(["prunegate", command, str(folder), *where])


def _still_to_sign(decision: Decision, folder: Path, audit: Path) -> list[str]:
    """Whose word an approval still takes, and what to type next."""
    from prunegate.report.signers import signers
    from prunegate.text.numbers import plain

    asked = signers(decision.record) if decision.verdict.outcome == "approve" else ()
    if not asked:
        return []
    words, first = plain(", ".join(one.words for one in asked)), asked[0].role
    sign = f"{on_record('approve', folder, audit)} --role {shlex.quote(first)}"
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


SHOWN = 8
"""Reasons and warnings printed; the report has them all."""
LOSSES_SHOWN = 3
"""Warnings printed about losses that are real and allowed."""
