"""What a search leaves behind: attempts.json, frontier.csv, and a page where nothing passed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from prunegate._version import __version__
from prunegate.audit.canonical import digest, plain_json
from prunegate.io.atomic import write_whole
from prunegate.outputs.findings_csv import render_frontier
from prunegate.outputs.markdown import code, prose
from prunegate.policy.load import PolicyFile
from prunegate.report.search_controls import beside
from prunegate.search.attempt import Attempt
from prunegate.search.attempts_table import attempts_table, not_made_in_words
from prunegate.search.loop import Trace

FORMAT = "urn:prunegate:search:v1"
NOTHING_APPROVED = (
    "Nothing was judged on the gate split, and nothing is approved. Every attempt with its "
    "findings is in attempts.json."
)
ATTEMPTS, FRONTIER, SUMMARY = "attempts.json", "frontier.csv", "summary.md"


def document(source: PolicyFile, seed: int, trace: Trace) -> dict[str, Any]:
    """Every attempt with its findings, as plain JSON values; numbers name attempts."""

    def number(attempt: Attempt | None) -> int | None:
        return attempt.number if attempt else None

    found: dict[str, Any] = plain_json(trace)
    return {
        "format": FORMAT,
        "version": __version__,
        "policy": {"name": source.policy.name, "sha256": source.sha256},
        "seed": seed,
        "split": "search",
        **found,
        "chosen": number(trace.chosen),
        "next_up": number(trace.next_up),
        "nearest_miss": number(trace.nearest_miss),
    }


def write_trace(source: PolicyFile, seed: int, trace: Trace, folder: Path) -> str:
    """Write attempts.json and frontier.csv; return the digest of what was tried.

    Raises:
        InputError: the folder cannot be written.
    """
    tried = document(source, seed, trace)
    text = json.dumps(tried, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_whole(folder / ATTEMPTS, text.encode())
    rows = render_frontier(
        trace.attempts,
        objective=trace.objective,
        varied=trace.varied,
        held=beside(trace.draws, trace.other_scope),
        not_made=trace.not_made or (),
    )
    write_whole(folder / FRONTIER, rows.encode())
    return digest(tried)


def write_nothing_passed(source: PolicyFile, trace: Trace, folder: Path) -> None:
    """Write summary.md of a search without a candidate; there is no report, for nothing is judged.

    Raises:
        InputError: the folder cannot be written.
    """
    head, *rows = attempts_table(trace)
    lines = [
        f"## ❌ prunegate: no candidate passes, {code(source.policy.name)}",
        "",
        prose(nothing_passes(trace)),
        "",
        f"| {' | '.join(map(prose, head))} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(map(prose, row))} |" for row in rows),
        "",
        *(f"- {prose(line)}" for line in not_made_in_words(trace)),
        *([""] if trace.not_made else []),
        NOTHING_APPROVED,
    ]
    write_whole(folder / SUMMARY, ("\n".join(lines) + "\n").encode())


def nothing_passes(trace: Trace) -> str:
    """That nothing passed, and what came nearest."""
    near = trace.nearest_miss
    assert near is not None  # noqa: S101  # the callers have found no candidate
    tried = len(trace.attempts)
    start = "The only attempt does not pass" if tried == 1 else f"None of {tried} attempts passes"
    return (
        f"{start} on the search split ({trace.rows:,} rows). The nearest miss is attempt "
        f"{near.number}: {near.reason}"
    )
