"""findings.csv: every field of every finding, for a spreadsheet or a script.

The header is the names of ``Finding``'s fields. A value that does not exist is an empty cell.
Text that a spreadsheet would run as a formula gets a leading apostrophe; numbers stay numbers.
"""

from __future__ import annotations

import csv
import dataclasses
import io

from prunegate.audit.record import DecisionRecord
from prunegate.text.escape import visible
from prunegate.verdict.finding import Finding

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render_findings_csv(record: DecisionRecord) -> str:
    """All findings of a record as CSV (RFC 4180 quoting, lines end in a newline)."""
    names = [field.name for field in dataclasses.fields(Finding)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for finding in record.findings:
        writer.writerow([cell(getattr(finding, name)) for name in names])
    return text.getvalue()


def cell(value: str | float | None) -> str:
    """A number as Python's shortest exact form; text inert and never a formula."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{visible(value)}" if value.startswith(_FORMULA) else visible(value)
    return str(value) if isinstance(value, int) else repr(float(value))
