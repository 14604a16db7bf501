"""The verdict on a terminal: at most 24 lines, wrapped by words, ASCII where nothing else is read.

::

    REJECT  demo-display-only
      1 broken · 3 open · 9 hold · 0 warnings
      ✗ recall  video  90.3 → 83.3 %  −7.0  limit −2  lost 93, gained 9 of 1,200
      ? recall  ugc    87.2 → 83.8 %  −3.5  limit −2  label ~2,200 positives
      ! Stated figures: ...
      report: reports/.../report.html

What is broken or open stands first; losses within their limits are a number, and all of it is
listed with ``-v``. Names from data come out inert, and no line is a command to a CI server.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.outputs.short_words import ShortWords, Standing, urgent
from prunegate.report.own_threshold import in_english
from prunegate.report.partly_labelled import labels_in_words
from prunegate.report.production_told import production_lines
from prunegate.report.speech import speech
from prunegate.report.units import CLAIMS
from prunegate.report.warnings import warnings
from prunegate.text.escape import no_command, shorten, visible
from prunegate.text.languages import ENGLISH
from prunegate.text.numbers import plain
from prunegate.verdict.finding import Finding

LINES = 24
"""Of a verdict, what is typed next included."""
_KEPT = 5
"""Lines that whoever prints a verdict adds: its report, and what to type next."""
_ROWS, _WARNINGS, _REASONS = 8, 4, 3
_ALL = 1_000_000
_MARKS = {"fail": "✗", "inconclusive": "?", "waived": "~"}
_ASCII = str.maketrans(
    {
        "✗": "x",
        "→": "->",
        "−": "-",
        "·": "|",
        "≥": ">=",
        "≤": "<=",
        "…": "...",
        "×": "x",
        "’": "'",
        "“": '"',
        "”": '"',
        "–": "-",
        "\u00a0": " ",
    }
)
_LONGEST = 300


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """What can be written on."""

    width: int | None
    """Columns; None: not a terminal, and lines stay whole."""
    encoding: str = "utf-8"

    def shown(self, text: str) -> str:
        """The text in what the terminal can show."""
        text = no_command(plain(text))
        try:
            text.encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            text = text.translate(_ASCII).encode("ascii", "backslashreplace").decode()
        return text

    def wrapped(self, text: str, indent: str) -> list[str]:
        """Lines of whole words, all but the first behind the indent."""
        text = self.shown(text)
        if self.width is None or len(text) <= self.width:
            return [text]
        found = textwrap.wrap(
            text,
            max(self.width, 20),
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
        )
        return [no_command(line) for line in found]


def verdict_lines(
    record: DecisionRecord, terminal: Terminal, *, verbose: bool = False
) -> list[str]:
    """What is said of a verdict under its first line.

    Args:
        record: the decision.
        terminal: where it is written.
        verbose: everything, however long.
    """
    parts = [
        [f"  {_counts(record)}"],
        [f"  {plain(told)}" for told in _told_first(record) if told],
        *_findings(record, terminal, _ALL if verbose else _ROWS),
        *_warned(record, _ALL if verbose else _WARNINGS),
        [f"  {plain(line)}" for line in production_lines(record, speech(ENGLISH))],
    ]
    lines = [line for part in parts for text in part for line in terminal.wrapped(text, "    ")]
    room = LINES - 1 - _KEPT
    if verbose or len(lines) <= room:
        return lines
    return [*lines[: room - 1], terminal.shown("  ... more in the report, and with -v")]


def _told_first(record: DecisionRecord) -> tuple[str, str]:
    """The candidate's own threshold, and how many rows are labelled; empty: nothing to tell."""
    said = speech(ENGLISH)
    return in_english(record), labels_in_words(record, said)


def _counts(record: DecisionRecord) -> str:
    standing = Standing.of(record)
    noun = "warning" if standing.warned == 1 else "warnings"
    waived = f" · {standing.waived} waived" if standing.waived else ""
    return (
        f"{standing.broken} broken · {standing.open} open · {standing.hold} hold{waived} · "
        f"{standing.warned:,} {noun}"
    )


def _findings(record: DecisionRecord, terminal: Terminal, most: int) -> Iterator[Sequence[str]]:
    """A row for whatever does not hold; reasons where no finding gives one."""
    words = ShortWords.for_people(record)
    shown = [f for f in urgent(record.findings) if f.severity == "block"]
    if not shown and record.outcome != "approve":
        yield [f"  {shorten(reason, _LONGEST)}" for reason in record.reasons[:_REASONS]]
    rows = [_row(words, finding) for finding in shown[:most]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
    aligned = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    narrow = terminal.width is not None and any(len(row) > terminal.width for row in aligned)
    if narrow:
        aligned = ["  ".join(cell for cell in row if cell) for row in rows]
    yield [f"  {row}" for row in aligned]
    if len(shown) > most:
        yield [f"  ... and {len(shown) - most:,} more (-v lists them; findings.csv has all)"]


def _row(words: ShortWords, finding: Finding) -> tuple[str, ...]:
    mark = _MARKS.get(finding.status, "?")
    if finding.check == CLAIMS:
        return (f"{mark} stated figures", "", "", "", "", plain(words.to_do(finding)))
    cells = (
        f"{mark} {words.metric(finding)}",
        words.slice(finding.slice),
        words.change(finding),
        words.difference(finding),
        f"limit {words.limit(finding)}",
        words.to_do(finding),
    )
    return tuple(map(plain, cells))


def _warned(record: DecisionRecord, most: int) -> Iterator[Sequence[str]]:
    found = warnings(record, others=most, losses=most if most == _ALL else 0)
    yield [f"  ! warning: {shorten(text, _LONGEST)}" for text in found.others]
    if found.more_others:
        yield [f"  ... and {len(found.more_others):,} more warnings (-v lists them)"]
    yield [f"  ! loss: {visible(text)}" for text in found.losses]
    if found.more_losses:
        noun = "loss" if len(found.more_losses) == 1 else "losses"
        yield [f"  {len(found.more_losses):,} real {noun} within limits (-v lists them)"]
