"""summary.md: the decision for a merge request; what failed or is open comes first.

At most one MiB, because that is what GitHub and GitLab take; what does not fit is counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from prunegate.audit.record import DecisionRecord
from prunegate.outputs.markdown import code, prose
from prunegate.report import sentences
from prunegate.report.headline import headline
from prunegate.report.units import CLAIMS, Units, metric_name
from prunegate.report.warnings import warnings
from prunegate.text.escape import shorten
from prunegate.text.time import moment, short_code
from prunegate.verdict.finding import Finding

LARGEST = 1024 * 1024
"""Bytes of a summary."""
_SIGNS = {"approve": "✅", "reject": "❌", "inconclusive": "⚠️"}
_MARKS = {"pass": "✅", "fail": "❌", "inconclusive": "⚠️", "waived": "🚫"}
_HEAD = "| | slice | limit | before | after | in words |\n|---|---|---|---|---|---|\n"
_RESERVED = 50_000
"""Bytes kept free for the lines that close a summary."""


def render_summary(record: DecisionRecord, digest: str) -> str:
    """The record as Markdown for a merge request.

    Args:
        record: the decision.
        digest: sha256 of the record's canonical bytes, in hexadecimal.
    """
    units = Units.of(record)
    serious = sentences.serious_first(f for f in record.findings if f.status != "pass")
    rest = [f for f in record.findings if f.status == "pass"]
    page = _Page()
    page.add(_opening(record, units))
    page.table(_rows(serious, units))
    page.fold("Everything that holds", _rows(rest, units))
    page.close(_closing(record, digest))
    return page.text()


def _opening(record: DecisionRecord, units: Units) -> str:
    """The outcome, why, and the figures that matter."""
    head = headline(record, units)
    hidden = len(head.more)
    title = f"{record.outcome.upper()}, {code(record.policy.name)}"
    blocks = (
        [f"## {_SIGNS[record.outcome]} prunegate: {title}"],
        [f"{head.decision} {prose(head.reason)}"],
        [f"- {prose(text)}" for text in (*head.reasons, *head.caveats)],
        [f"- and {hidden} more, in the table"] if hidden else [],
        [f"- **{prose(f.value)}** {prose(f.label)} ({prose(f.detail)})" for f in head.figures],
    )
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _rows(findings: Sequence[Finding], units: Units) -> list[str]:
    return [_row(finding, units) for finding in findings]


def _row(finding: Finding, units: Units) -> str:
    warn = " (warning only)" if finding.severity == "warn" else ""
    cells = (
        f"{_MARKS[finding.status]} {sentences.status(finding)}{warn}",
        code(finding.slice),
        f"{_about(finding)}: {prose(units.limit(finding))}",
        prose(units.level(finding.metric, finding.baseline)),
        prose(units.level(finding.metric, finding.candidate)),
        prose(sentences.finding_sentence(finding, units)),
    )
    return f"| {' | '.join(cells)} |\n"


def _about(finding: Finding) -> str:
    label = finding.class_label if finding.check != CLAIMS else None
    of = "" if label is None else f" of class {code(label)}"
    return f"{prose(metric_name(finding.metric))}{of}"


def _closing(record: DecisionRecord, digest: str) -> str:
    found = warnings(record)
    worth = _listed("Worth knowing", found.others, found.more_others)
    worth += _listed("Real losses, each within what is allowed", found.losses, found.more_losses)
    return (
        f"{worth}{prose(shorten(record.statement, 800))}\n\n"
        f"Report {code(short_code(digest))}, record {code(digest)}, "
        f"{moment(record.created)}.\n"
    )


def _listed(title: str, texts: Sequence[str], more: Sequence[str]) -> str:
    """A titled list that counts what it leaves out; empty without texts."""
    if not texts:
        return ""
    lines = [f"- {prose(shorten(text, 300))}" for text in texts]
    lines += [f"- and {len(more)} more, in the report"] if more else []
    return f"**{title}**\n\n" + "\n".join(lines) + "\n\n"


class _Page:
    """Text that grows to its limit and says what it left out."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0

    def add(self, text: str) -> None:
        """A part that is always there."""
        self._append(f"{text}\n\n")

    def table(self, rows: Sequence[str]) -> None:
        """As many rows as fit, under the head."""
        if not rows:
            return
        self._append(_HEAD)
        for index, row in enumerate(rows):
            if self._size + len(row.encode()) > LARGEST - _RESERVED:
                self._append(
                    f"\n{len(rows) - index} more findings are in findings.csv; this page is full.\n"
                )
                break
            self._append(row)
        self._append("\n")

    def fold(self, title: str, rows: Sequence[str]) -> None:
        """A table that is folded away."""
        if rows:
            self._append(f"<details><summary>{title} ({len(rows)})</summary>\n\n")
            self.table(rows)
            self._append("</details>\n\n")

    def close(self, text: str) -> None:
        """The end, which was kept room for."""
        self._append(text)

    def text(self) -> str:
        """The page."""
        return "".join(self._parts)

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._size += len(text.encode())
