"""The table of attempts: what was removed, how small it became, what it lost, what came of it."""

from __future__ import annotations

from prunegate.audit.search_record import NotMade
from prunegate.criteria import CONTROL
from prunegate.metrics.catalogue import METRICS
from prunegate.report.search_controls import Draws, beside, beyond_possible, summed_up
from prunegate.search.attempt import Attempt, Tried
from prunegate.search.loop import Trace
from prunegate.text.escape import named
from prunegate.text.numbers import NOT_DEFINED, plain, share
from prunegate.verdict.losses import LEVEL
from prunegate.verdict.quantities import Quantities

WORDS = {"approve": "passes", "reject": "fails", "inconclusive": "not proven"}


def attempts_table(trace: Trace) -> list[tuple[str, ...]]:
    """The head and a row per attempt, then what the choice is held beside; every cell as text."""
    head = ("", *(f"removed: {name}" for name in trace.varied), METRICS[trace.objective].phrase)
    rows = [(*head, "worst loss", "of its margin", "outcome")]
    tried: list[Tried] = [*trace.attempts, *(trace.not_made or ())]
    rows += [
        _row(trace, one, str(one.number)) if isinstance(one, Attempt) else _not_made(one)
        for one in sorted(tried, key=lambda one: one.number)
    ]
    held = beside(trace.draws, trace.other_scope)
    several = len(trace.draws) > 1
    for place, (name, attempt) in enumerate(held, start=1):
        drawn = several and attempt.scope is None
        rows.append(_row(trace, attempt, f"{name} {place}" if drawn else name))
    return rows


def not_made_in_words(trace: Trace) -> list[str]:
    """Why each attempt that could not be made could not."""
    return [f"attempt {one.number} cannot be made: {one.reason}" for one in trace.not_made or ()]


def edge_in_words(trace: Trace) -> list[str]:
    """Where the search ended without an edge: nothing larger was made and failed."""
    chosen = trace.chosen
    if chosen is None or trace.next_up is not None:
        return []
    if trace.at_largest or beyond_possible(chosen, trace.not_made or ()) is not None:
        return [f"more than attempt {chosen.number} removes cannot be removed"]
    told = f"no attempt removed more than attempt {chosen.number} and failed"
    return [f"{told}, so the edge may lie beyond: widen 'amount' of 'vary'"]


def controls_in_words(trace: Trace) -> list[str]:
    """What several draws cost, and whether drawing is as good as what was chosen."""
    if trace.chosen is None or not trace.draws:
        return []
    found = summed_up(trace.draws)
    lines = [_spread_in_words(trace, found)] if found.count > 1 else []
    lines.append(_shown_in_words(trace.chosen.number, found))
    if found.as_good:
        draws = "1 draw that passes is" if found.as_good == 1 else f"{found.as_good} that pass are"
        lines.append(f"{CONTROL} may be as good here: {draws} not shown to lose more")
    return lines


def _shown_in_words(chosen: int, found: Draws) -> str:
    """Which draws lose more than the choice by the paired test, and how sure that is."""
    if not found.tested:
        return f"{CONTROL}: not tested on the rows of attempt {chosen}, so nothing is shown"
    which = ", ".join(map(str, found.shown)) or "none"
    if found.count == 1:
        which = "yes" if found.shown else "no"
    sure = plain(share(1 - LEVEL, 1.0))
    return (
        f"{CONTROL}: shown to lose more than attempt {chosen} on the same rows ({sure}, all "
        f"together): {which}"
    )


def _spread_in_words(trace: Trace, found: Draws) -> str:
    pass_ = "passes" if found.passing == 1 else "pass"
    told = f"{CONTROL}: {found.passing} of {found.count} draws {pass_}"
    spread = found.spread
    if spread is None:
        return told
    values = (spread.least, spread.most, spread.mean)
    if spread.metric is None:
        least, most, mean = (plain(share(value, 1.0)) for value in values)
        return f"{told}; {least} to {most} of the margin used, {mean} on average"
    size = Quantities.of(trace.draws[0].findings)[spread.metric].size
    least, most, mean = (plain(size(value)) for value in values)
    return f"{told}; {least} to {most} lost, {mean} on average"


def loss_in_words(attempt: Attempt) -> str:
    """The loss of the worst slice: ``2.3 points of recall on content_type=video``."""
    if attempt.loss is None or attempt.loss_metric is None:
        return NOT_DEFINED
    written = Quantities.of(attempt.findings)[attempt.loss_metric]
    of = f" of class {named(attempt.loss_class)}" if attempt.loss_class else ""
    where = f"{METRICS[attempt.loss_metric].phrase}{of} on {named(attempt.loss_slice or '')}"
    return f"{plain(written.size(attempt.loss))}, {where}"


def _not_made(one: NotMade) -> tuple[str, ...]:
    amounts = (plain(share(amount)) for amount in one.amounts)
    return (str(one.number), *amounts, *(NOT_DEFINED,) * 3, "cannot be made")


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
    if attempt.same_as is not None:
        return f"{word}, the same weights as attempt {attempt.same_as}"
    if trace.chosen is not None and attempt.number == trace.chosen.number:
        return f"{word}, chosen"
    if trace.next_up is not None and attempt.number == trace.next_up.number:
        return f"{word}, next step up"
    return word
