"""Words on the reference: why it is not shown to know anything, and what is likely the cause."""

from __future__ import annotations

from prunegate.evidence.reference_sample import ListLacks
from prunegate.stats.order_agreement import OrderAgreement
from prunegate.text.escape import escaped
from prunegate.text.numbers import plain, share
from prunegate.verdict.advice import request, round_up
from prunegate.verdict.finding import Finding, ReferenceDoubt
from prunegate.verdict.reference_evaluated import Known

_ORDERS = {
    "file": "in the order of the table",
    "number": "in the order of the ids' numbers",
    "text": "in the order of the ids as text",
    "backwards": "from the last row to the first",
}
_NAMED = 3
"""Pairs of classes that are named."""


def reference_note(
    finding: Finding,
    before: Known,
    after: Known,
    lacks: ListLacks | None = None,
    class_alone: str | None = None,
    *,
    known_none: bool = False,
) -> str:
    """Why a finding on the reference is open, with the rows it would take.

    Args:
        finding: an open one.
        before: how far the baseline agrees with the labels.
        after: the same of the candidate.
        lacks: rows whose labels a list lacks.
        class_alone: the class, against the rest, that it is about.
        known_none: whether labels show not one row of the rarest class.
    """
    if finding.open_because == "minimum evidence":
        note = "below the policy's minimum evidence"
        if known_none:
            note = "no row is known to be of the rarer class"
    elif finding.open_because == "one decision":
        constant = [n for n, a in (("baseline", before), ("candidate", after)) if a.single]
        both = len(constant) == 2
        if isinstance(before, OrderAgreement):
            who = "both models give" if both else f"the {constant[0]} gives"
            note = f"{who} one score only, as a constant would"
        else:
            who = "both models make" if both else f"the {constant[0]} makes"
            note = f"{who} one decision only, as a constant would"
    elif finding.open_because == "unrelated candidate":
        shown = f"the candidate is not shown to know anything of {_labels(class_alone)}"
        figures = _figures(after, bound=finding.values_are is not None)
        note = f"{shown}, although the baseline is: {figures}"
    else:
        shown = f"the baseline is not shown to know anything of {_labels(class_alone)}"
        note = f"{shown}: {_figures(before, bound=finding.values_are is not None)}"
    if lacks is not None:
        return f"{note}; {_further_list(lacks)}"
    if finding.needed is None:
        return note
    return f"{note}; {request(finding, rarest=False)}"


def _figures(before: Known, *, bound: bool) -> str:
    if isinstance(before, OrderAgreement):
        return (
            f"the rank correlation of its scores with them is {before.value:.2f} on "
            f"{before.rows:,} rows, and chance alone may give as much"
        )
    right = plain(share(before.right / before.rows))
    told = f"{right} of {before.rows:,} rows are right"
    if bound:
        told = f"labels show at least {right} of {before.rows:,} rows to be right"
    return f"{told}, and by chance {plain(share(before.chance / before.rows))} would be"


def if_little_better(rows: int) -> str:
    """How many rows, in all, it takes where those seen are no better than chance."""
    return (
        "rows like those seen would never show it; if the baseline is in truth right on 2 points "
        f"more than chance, about {round_up(rows):,} rows in all would"
    )


def of_groups(groups: int, weight: int) -> str:
    """Why rows that would show it by themselves do not in their groups.

    Args:
        groups: how many there are.
        weight: as many equal groups as they weigh.
    """
    noun = "group" if weight == 1 else "groups"
    return (
        f"rows of their own would show it, but {groups:,} groups as unequal as these weigh no more "
        f"than {weight:,} equal {noun}: label rows of others than the largest"
    )


def _labels(class_alone: str | None) -> str:
    if class_alone is None:
        return "these labels"
    return f"the class {escaped(class_alone)}, which a rule judges by itself"


def _further_list(lacks: ListLacks) -> str:
    parts = ((lacks.both, "that both models flag"), (lacks.neither, "that neither flags"))
    if lacks.class_label is not None:
        named = escaped(lacks.class_label)
        ways = (f"to which both models give {named}", f"to which neither gives {named}")
        parts = ((lacks.both, ways[0]), (lacks.neither, ways[1]))
    told = " and ".join(f"{n:,} more random rows {which}" for n, which in parts if n)
    return (
        f"if labels are like those seen, the list lacks {told} (draw one with 'prunegate label "
        f"--reference {lacks.size}')"
    )


def doubt_sentence(doubt: ReferenceDoubt) -> str:
    """A likely cause in one sentence, with its figures."""
    about = "" if doubt.class_label is None else f" for {escaped(doubt.class_label)}"
    where = f"On {escaped(doubt.slice)} the {doubt.model}{about}"
    now = f"{plain(share(doubt.right))} of {doubt.rows:,} rows are right"
    then = "" if doubt.right_if is None else plain(share(doubt.right_if))
    if doubt.bounded:
        now, then = f"at most {now}", f"at least {then}"
    if doubt.kind == "one decision":
        return (
            f"{where} makes one decision only, on every one of {doubt.rows:,} rows: "
            f"{escaped(str(doubt.decision))}."
        )
    if doubt.kind == "unrelated":
        return _unrelated(doubt, f"{where} is not shown to know anything of these labels", now)
    if doubt.kind == "weaker":
        return _weaker(doubt, f"{where} agrees with the labels far less than the baseline")
    if doubt.kind == "reversed":
        return (
            f"{where} seems to hold the scores of the other class: {now}, and with its decisions "
            f"reversed {then} would be."
        )
    if doubt.kind == "permuted":
        pairs = [f"{escaped(a)} for {escaped(b)}" for a, b in doubt.names[:_NAMED]]
        more = len(doubt.names) - len(pairs)
        told = ", ".join(pairs) + (f" and {more} more" if more else "")
        return (
            f"{where} seems to have its classes permuted ({told}): {now}, and with the names put "
            f"right {then} would be."
        )
    return _misplaced(doubt, where, now, then)


def _misplaced(doubt: ReferenceDoubt, where: str, now: str, then: str) -> str:
    order = _ORDERS[doubt.order or "file"]
    if doubt.kind == "reordered":
        return (
            f"{where} seems to be joined to the labels in the wrong order: {now}, and with the "
            f"decisions taken {order} {then} would be."
        )
    if doubt.stretch is not None:
        first, last = doubt.stretch
        where, order = f"{where}, from row {first:,} to row {last:,} {order},", "there"
    places = abs(doubt.offset or 0)
    way = "later" if (doubt.offset or 0) > 0 else "earlier"
    return (
        f"{where} seems to be off against the labels: {now}, and with the label "
        f"{places} {'row' if places == 1 else 'rows'} {way} {order} {then} would be."
    )


def _unrelated(doubt: ReferenceDoubt, start: str, now: str) -> str:
    by_chance = plain(share(doubt.chance or 0.0))
    return (
        f"{start}, although the baseline is: {now}, and by chance {by_chance} would be; "
        f"{_mostly(doubt)}. Answers that were joined to the ids of other rows would look so, too."
    )


def _weaker(doubt: ReferenceDoubt, start: str) -> str:
    before, after = doubt.kappas or (0.0, 0.0)
    return f"{start}: kappa {after:.2f} against {before:.2f}; {_mostly(doubt)}."


def _mostly(doubt: ReferenceDoubt) -> str:
    often = plain(share((doubt.decided or 0) / doubt.rows))
    return f"its decision is {escaped(str(doubt.decision))} on {often} of {doubt.rows:,} rows"
