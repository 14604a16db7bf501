"""Partly labelled: how many rows a verdict's labels are of, and which counts they bound.

Where labels cost, most rows have none, and what is counted from those that have one is a bound.
Every place that tells rows, positives or values of such a record has it from here and from
``Units.bounded``, so that no page states one as a fact.
"""

from __future__ import annotations

from prunegate.audit.record import DecisionRecord
from prunegate.report.speech import Speech
from prunegate.verdict.finding import SliceSummary

OVERALL = "overall"


def rows_labelled(record: DecisionRecord) -> tuple[int, int] | None:
    """Rows with a label, and all rows; None where every row has one."""
    labelling = record.labelling
    whole = next((one for one in record.slices if one.slicing == OVERALL), None)
    if labelling is None or whole is None or labelling.labelled >= whole.rows:
        return None
    return labelling.labelled, whole.rows


def rows_doubted(record: DecisionRecord) -> int:
    """Rows that somebody looked at and could not label."""
    if record.labelling is None:
        return 0
    place = next((i for i, one in enumerate(record.slices) if one.slicing == OVERALL), None)
    if place is None:
        return 0
    whole = record.labelling.slices[place]
    return sum(whole.unsure) + sum(one.rows for one in whole.doubted or ())


def labels_in_words(record: DecisionRecord, said: Speech) -> str:
    """``374 of 12,000 rows are labelled``, and how many nobody could; empty where every row is."""
    found = rows_labelled(record)
    if found is None:
        return ""
    labelled, rows = map(said.whole, found)
    told = said.say("evidence.some_labelled", labelled=labelled, n=rows)
    doubted = rows_doubted(record)
    return f"{told}; {said.count('table.doubted', doubted)}" if doubted else told


def partly(record: DecisionRecord, summary: SliceSummary) -> bool:
    """Whether rows of a slice have no label, so that what is counted of labels is a lower bound."""
    if record.labelling is None:
        return False
    place = record.slices.index(summary)
    known = record.labelling.slices[place].labelled
    labelled = sum(summary.cells) if known is None else sum(one.rows for one in known)
    return labelled < summary.rows
