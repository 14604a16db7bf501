"""findings.csv: every field of every finding, for a spreadsheet or a script.

The header is the names of ``Finding``'s fields; ``rule`` counts from 1, as the report and JUnit do
(in the record from 0). A value that does not exist is an empty cell.
Text that a spreadsheet would run as a formula gets a leading apostrophe; numbers stay numbers.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence
from dataclasses import fields

from prunegate.audit.record import DecisionRecord
from prunegate.audit.search_record import NotMade, SearchAttempt
from prunegate.cost.projection import Month, Projection
from prunegate.report.frontier_rows import frontier
from prunegate.text.escape import visible
from prunegate.verdict.finding import Finding


def render_frontier(
    attempts: Sequence[SearchAttempt],
    *,
    objective: str,
    varied: Sequence[str],
    held: Sequence[tuple[str, SearchAttempt]] = (),
    not_made: Sequence[NotMade] = (),
) -> str:
    """One row per attempt on the frontier, then one for each that the choice is held beside.

    What could not be made comes last, with nothing but its amounts. ``same_as`` names the attempt
    whose candidate a line is once more.

    Args:
        attempts: all attempts.
        objective: the metric that was to be small; names a column.
        varied: the steps that varied; each names a column.
        held: what the choice is held beside, each with what ``control`` says of it.
        not_made: attempts whose amounts could not be removed; their outcome is ``not_made``.
    """
    names = ("outcome", "loss", "loss_metric", "loss_class", "loss_slice", "margin_used")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [
            "attempt",
            *(f"amount of {name}" for name in varied),
            objective,
            *names,
            "control",
            "same_as",
        ]
    )
    of_search = [("", attempt) for attempt in frontier(attempts)]
    for control, attempt in (*of_search, *held):
        values = (attempt.number, *attempt.amounts, attempt.objective)
        writer.writerow(
            [
                *map(csv_cell, values),
                *(csv_cell(getattr(attempt, name)) for name in names),
                control,
                csv_cell(attempt.same_as),
            ]
        )
    for unmade in not_made:
        cells = map(csv_cell, (unmade.number, *unmade.amounts))
        writer.writerow([*cells, "", "not_made", *("" for _ in names), ""])
    return text.getvalue()


def render_cost_csv(projection: Projection) -> str:
    """Every month of the expected volumes, then of the scenarios; a missing value is empty."""
    names = [field.name for field in fields(Month)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["scenario", "currency", *names])
    courses: list[tuple[str, Sequence[Month]]] = [("expected", projection.months)]
    courses += [(scenario.name, scenario.months) for scenario in projection.scenarios]
    for scenario, months in courses:
        for month in months:
            cells = [getattr(month, name) for name in names]
            writer.writerow(
                [scenario, projection.currency, *("" if c is None else c for c in cells)]
            )
    return text.getvalue()


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render_findings_csv(record: DecisionRecord) -> str:
    """All findings of a record as CSV (RFC 4180 quoting, lines end in a newline)."""
    names = [field.name for field in dataclasses.fields(Finding)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for finding in record.findings:
        shown = dataclasses.replace(finding, rule=finding.rule + 1)
        writer.writerow([csv_cell(getattr(shown, name)) for name in names])
    return text.getvalue()


def csv_cell(value: str | float | None) -> str:
    """A number as Python's shortest exact form; text inert and never a formula."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{visible(value)}" if value.startswith(_FORMULA) else visible(value)
    return str(value) if isinstance(value, int) else repr(float(value))
