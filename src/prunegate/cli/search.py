"""``prunegate search``: the smallest candidate that passes, and its verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.ci import write_ci_files
from prunegate.cli.options import echo_color, making_options, painted, policy_argument
from prunegate.cli.threads import patient_threads
from prunegate.cli.verdict_options import Output, VerdictCommand, fail_on_option, output_options

if TYPE_CHECKING:
    from prunegate.outputs.staging import Staging
    from prunegate.pipeline.context import Settings
    from prunegate.policy.load import PolicyFile
    from prunegate.search.search import Searched

NOTHING_PASSES = 3
"""Exit code where no candidate passes: the same as a reject's."""


@click.command(
    "search",
    cls=VerdictCommand,
    short_help="Find the smallest candidate that passes, and judge it.",
)
@policy_argument
@making_options
@fail_on_option
@output_options
def command(policy: Path, fail_on: str, output: Output, **settings: Any) -> int:
    """Find how much can be removed until the rules of POLICY stop it, then judge once.

    The policy's search section says which steps vary, between which amounts, and what is to be
    small. Every attempt is judged on the search split by the policy's own rules; the smallest that
    passes goes through one gate on the gate split, whose verdict is the result. A search that was
    stopped is taken up again by the same command.

    Where no candidate passes the exit code is 3 and the nearest miss is named; the output folder
    then holds attempts.json, frontier.csv and summary.md, and nothing is approved.

    \b
    Example:
      prunegate search policies/my-classifier.yaml --out reports/smallest
    """  # noqa: D301  # click's mark is the character itself
    patient_threads()
    from prunegate.outputs.staging import staged
    from prunegate.policy.load import read_policy

    output.signing_key()  # a wrong one is known at once
    source = read_policy(policy)

    from prunegate.search.possible_amounts import require_searchable

    require_searchable(source, pickles=settings["pickles"])  # libraries take seconds to load

    from prunegate.pipeline.context import Settings

    with staged(output.out, output.reports / source.policy.name, force=output.force) as staging:
        chosen = Settings(**settings, command="search")
        return search_and_show(source, chosen, staging, output, fail_on)


def search_and_show(
    source: PolicyFile,
    settings: Settings,
    staging: Staging,
    output: Output,
    fail_on: str = "inconclusive",
) -> int:
    """Search, publish the output folder, print what was found, and return the exit code."""
    from dataclasses import replace

    from prunegate.audit.ledger import Ledger
    from prunegate.cli.console import progress
    from prunegate.errors import PrunegateError
    from prunegate.search.search import decides, prepare_search, search
    from prunegate.search.workfolder import work_folder

    with progress(output) as report, Ledger(output.audit) as ledger:
        bench = prepare_search(source, replace(settings, ledger=ledger, progress=report))
        with work_folder(staging.above, decides(bench)) as work:
            if work.attempts and not output.quiet:
                click.echo(f"  taking up {_attempts(work.attempts)} from {work.folder}", err=True)
            try:
                found = search(bench, work, staging.folder)
            except (KeyboardInterrupt, PrunegateError):
                _say_what_is_kept(work.attempts, work.folder)
                raise
            folder = _publish(source, found, staging, output)
    return _show(source, found, folder, output, fail_on)


def _say_what_is_kept(attempts: int, folder: Path) -> None:
    if attempts:
        told = f"what was done is kept in {folder} ({_attempts(attempts)})"
        click.echo(f"{told}; the same command takes it up", err=True)


def _attempts(count: int) -> str:
    return "1 attempt" if count == 1 else f"{count} attempts"


def _publish(source: PolicyFile, found: Searched, staging: Staging, output: Output) -> Path:
    from prunegate.gate import publish
    from prunegate.search.write import write_nothing_passed

    if found.decision is not None:
        write_ci_files(found.decision.record, staging.folder, output.ci, output.policy)
        return publish(found.decision, staging, output.audit, output.signing_key())
    write_nothing_passed(source, found.trace, staging.folder)
    return staging.publish(found.digest[:12])


def _show(source: PolicyFile, found: Searched, folder: Path, output: Output, fail_on: str) -> int:
    from prunegate.cli.console import ending, show_decision

    if not output.quiet:
        click.echo("\n".join(_table(found)), err=output.as_json)
    if found.decision is not None:
        show_decision(found.decision, folder, output)
        return ending(found.decision.verdict, fail_on)
    _show_nothing(source, found, folder, output)
    return NOTHING_PASSES


def _table(found: Searched) -> list[str]:
    from prunegate.search.attempts_table import (
        attempts_table,
        controls_in_words,
        edge_in_words,
        not_made_in_words,
    )
    from prunegate.text.escape import visible

    rows = attempts_table(found.trace)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    below = [
        *map(visible, not_made_in_words(found.trace)),
        *edge_in_words(found.trace),
        *controls_in_words(found.trace),
    ]
    return [f"  {line}" for line in (*lines, *below)]


def _show_nothing(source: PolicyFile, found: Searched, folder: Path, output: Output) -> None:
    from prunegate.search.write import ATTEMPTS, nothing_passes
    from prunegate.text.escape import visible

    if output.as_json:
        click.echo((folder / ATTEMPTS).read_text(encoding="utf-8"), nl=False)
    word = painted("NO CANDIDATE PASSES", "red", color=output.color)
    lines = [f"{word}  {source.policy.name}"]
    if not output.quiet:
        lines += [f"  {visible(nothing_passes(found.trace))}", f"  attempts: {folder / ATTEMPTS}"]
    click.echo("\n".join(lines), err=output.as_json, color=echo_color(output.color))
