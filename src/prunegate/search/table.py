"""The table of attempts: what was removed, how small it became, what it lost, what came of it."""

from __future__ import annotations

from prunegate.metrics.catalogue import METRICS
from prunegate.report.inert import named
from prunegate.report.numbers import NOT_DEFINED, share
from prunegate.search.attempt import Attempt
from prunegate.search.hunt import Trace

WORDS = {"approve": "passes", "reject": "fails", "inconclusive": "not proven"}


def table(trace: Trace) -> list[tuple[str, ...]]:
    """The head and a row per attempt, the control last, every cell as text."""
    head = ("", *(f"removed: {name}" for name in trace.varied), METRICS[trace.objective].phrase)
    rows = [(*head, "worst loss", "of its margin", "outcome")]
    rows += [_row(trace, attempt, str(attempt.number)) for attempt in trace.attempts]
    if trace.control is not None:
        rows.append(_row(trace, trace.control, "random"))
    return rows


def loss(attempt: Attempt) -> str:
    """The loss of the worst slice: ``2.3 points of recall on content_type=video``."""
    if attempt.loss is None or attempt.loss_metric is None:
        return NOT_DEFINED
    metric = METRICS[attempt.loss_metric]
    points = metric.share
    size = f"{100 * attempt.loss:.1f} points" if points else f"{attempt.loss:.3g} {metric.unit}"
    of = f" of class {named(attempt.loss_class)}" if attempt.loss_class else ""
    return f"{size.strip()}, {metric.phrase}{of} on {named(attempt.loss_slice or '')}"


def _row(trace: Trace, attempt: Attempt, name: str) -> tuple[str, ...]:
    return (
        name,
        *(share(amount) for amount in attempt.amounts),
        f"{attempt.objective:,.6g}" if attempt.objective < 1e6 else f"{attempt.objective:,.0f}",
        loss(attempt),
        NOT_DEFINED if attempt.margin_used is None else f"{100 * attempt.margin_used:.0f} %",
        _outcome(trace, attempt),
    )


def _outcome(trace: Trace, attempt: Attempt) -> str:
    word = WORDS[attempt.outcome]
    if trace.chosen is not None and attempt.number == trace.chosen.number:
        return f"{word}, chosen"
    if trace.next_up is not None and attempt.number == trace.next_up.number:
        return f"{word}, next step up"
    return word
