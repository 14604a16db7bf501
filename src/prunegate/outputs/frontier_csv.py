"""frontier.csv: what a search found, the smallest first, for a spreadsheet or a plot."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from prunegate.audit.record import SearchAttempt
from prunegate.outputs.findings_csv import cell
from prunegate.report.frontier import frontier


def render_frontier(
    attempts: Sequence[SearchAttempt], *, objective: str, varied: Sequence[str]
) -> str:
    """One row per attempt on the frontier.

    Args:
        attempts: all attempts.
        objective: the metric that was to be small; names a column.
        varied: the steps that varied; each names a column.
    """
    names = ("outcome", "loss", "loss_metric", "loss_class", "loss_slice", "margin_used")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["attempt", *(f"amount of {name}" for name in varied), objective, *names])
    for attempt in frontier(attempts):
        values = (attempt.number, *attempt.amounts, attempt.objective)
        writer.writerow([*map(cell, values), *(cell(getattr(attempt, name)) for name in names)])
    return text.getvalue()
