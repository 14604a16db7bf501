"""The table of attempts: what was removed, how small it became, what it lost, what came of it."""

from __future__ import annotations

from prunegate.criteria import CONTROL
from prunegate.metrics.catalogue import METRICS
from prunegate.search.attempt import Attempt
from prunegate.search.loop import Trace
from prunegate.text.escape import named
from prunegate.text.numbers import NOT_DEFINED, plain, share
from prunegate.verdict.quantities import Quantities

WORDS = {"approve": "passes", "reject": "fails", "inconclusive": "not proven"}


def attempts_table(trace: Trace) -> list[tuple[str, ...]]:
    """The head and a row per attempt, the control last, every cell as text."""
    head = ("", *(f"removed: {name}" for name in trace.varied), METRICS[trace.objective].phrase)
    rows = [(*head, "worst loss", "of its margin", "outcome")]
    rows += [_row(trace, attempt, str(attempt.number)) for attempt in trace.attempts]
    if trace.control is not None:
        rows.append(_row(trace, trace.control, CONTROL))
    return rows


def loss_in_words(attempt: Attempt) -> str:
    """The loss of the worst slice: ``2.3 points of recall on content_type=video``."""
    if attempt.loss is None or attempt.loss_metric is None:
        return NOT_DEFINED
    written = Quantities.of(attempt.findings)[attempt.loss_metric]
    of = f" of class {named(attempt.loss_class)}" if attempt.loss_class else ""
    where = f"{METRICS[attempt.loss_metric].phrase}{of} on {named(attempt.loss_slice or '')}"
    return f"{plain(written.size(attempt.loss))}, {where}"


def _row(trace: Trace, attempt: Attempt, name: str) -> tuple[str, ...]:
    return (
        name,
        *(plain(share(amount)) for amount in attempt.amounts),
        plain(Quantities.of(attempt.findings)[trace.objective].level(attempt.objective)),
        loss_in_words(attempt),
        plain(share(attempt.margin_used, 1.0)),
        _outcome(trace, attempt),
    )


def _outcome(trace: Trace, attempt: Attempt) -> str:
    word = WORDS[attempt.outcome]
    if trace.chosen is not None and attempt.number == trace.chosen.number:
        return f"{word}, chosen"
    if trace.next_up is not None and attempt.number == trace.next_up.number:
        return f"{word}, next step up"
    return word
