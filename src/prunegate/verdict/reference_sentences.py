"""Words on the reference: why it is not shown to know anything, and what is likely the cause."""

from __future__ import annotations

from prunegate.evidence.reference_sample import ListLacks
from prunegate.stats.order_agreement import OrderAgreement
from prunegate.text.escape import escaped
from prunegate.text.said import joined, said
from prunegate.verdict.advice import request, round_up
from prunegate.verdict.finding import Finding, ReferenceDoubt
from prunegate.verdict.reference_evaluated import Known

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
        what = "score" if isinstance(before, OrderAgreement) else "decision"
        note = said(f"reference.{what}_{'both' if len(constant) == 2 else constant[0]}")
    elif finding.open_because == "unrelated candidate":
        figures = _figures(after, bound=finding.values_are is not None)
        note = _unknowing("candidate", class_alone, figures)
    else:
        figures = _figures(before, bound=finding.values_are is not None)
        note = _unknowing("baseline", class_alone, figures)
    if lacks is not None:
        return joined((note, _further_list(lacks)))
    if finding.needed is None:
        return note
    return joined((note, request(finding, rarest=False)))


def _unknowing(model: str, class_alone: str | None, figures: str) -> str:
    """That a model is not shown to know anything of the labels, or of one class."""
    if class_alone is None:
        return said(f"reference.{model}", figures=figures)
    return said(f"reference.{model}_class", label=escaped(class_alone), figures=figures)


def _figures(before: Known, *, bound: bool) -> str:
    if isinstance(before, OrderAgreement):
        return said("reference.correlation", value=before.value, rows=before.rows)
    return said(
        "reference.right_least" if bound else "reference.right",
        right=before.right / before.rows,
        rows=before.rows,
        chance=before.chance / before.rows,
    )


def if_little_better(rows: int) -> str:
    """How many rows, in all, it takes where those seen are no better than chance."""
    return said("reference.little_better", rows=round_up(rows))


def of_groups(groups: int, weight: int) -> str:
    """Why rows that would show it by themselves do not in their groups.

    Args:
        groups: how many there are.
        weight: as many equal groups as they weigh.
    """
    return said("reference.groups", groups=groups, n=weight)


def _further_list(lacks: ListLacks) -> str:
    of = "" if lacks.class_label is None else "_class"
    label = escaped(lacks.class_label or "")
    parts = (("both", lacks.both), ("neither", lacks.neither))
    rows = [said(f"reference.list_{which}{of}", n=n, label=label) for which, n in parts if n]
    return said("reference.list_lacks", rows=rows, size=lacks.size)


def doubt_sentence(doubt: ReferenceDoubt) -> str:
    """A likely cause in one sentence, with its figures."""
    where = _where(doubt)
    right = "doubt.right_most" if doubt.bounded else "doubt.right"
    now = said(right, right=doubt.right, rows=doubt.rows)
    would = "doubt.would_least" if doubt.bounded else "doubt.would"
    then = said(would, share=doubt.right_if or 0.0)
    if doubt.kind == "one decision":
        return said(
            "doubt.decision", where=where, rows=doubt.rows, decision=escaped(str(doubt.decision))
        )
    if doubt.kind == "unrelated":
        told = {"chance": doubt.chance or 0.0, "mostly": _mostly(doubt)}
        return said("doubt.unrelated", where=where, now=now, **told)
    if doubt.kind == "weaker":
        before, after = doubt.kappas or (0.0, 0.0)
        told = {"before": before, "after": after, "mostly": _mostly(doubt)}
        return said("doubt.kappa", where=where, **told)
    if doubt.kind == "reversed":
        return said("doubt.reversed", where=where, now=now, then=then)
    if doubt.kind == "permuted":
        return _permuted(doubt, where, now, then)
    return _misplaced(doubt, where, now, then)


def _where(doubt: ReferenceDoubt) -> str:
    told = {"place": escaped(doubt.slice), "model": doubt.model}
    if doubt.class_label is None:
        return said("doubt.where", **told)
    return said("doubt.where_class", label=escaped(doubt.class_label), **told)


def _permuted(doubt: ReferenceDoubt, where: str, now: str, then: str) -> str:
    """Which classes are under each other's names."""
    named = doubt.names[:_NAMED]
    names = [said("doubt.name", one=escaped(a), other=escaped(b)) for a, b in named]
    told = {"where": where, "names": names, "now": now, "then": then}
    if more := len(doubt.names) - len(names):
        return said("doubt.permuted_more", more=more, **told)
    return said("doubt.permuted", **told)


def _misplaced(doubt: ReferenceDoubt, where: str, now: str, then: str) -> str:
    order = said(f"doubt.order_{doubt.order or 'file'}")
    if doubt.kind == "reordered":
        return said("doubt.reordered", where=where, now=now, order=order, then=then)
    if doubt.stretch is not None:
        first, last = doubt.stretch
        where = said("doubt.stretch", where=where, first=first, last=last, order=order)
        order = said("doubt.order_there")
    way = "later" if (doubt.offset or 0) > 0 else "earlier"
    told = {"now": now, "n": abs(doubt.offset or 0), "order": order, "then": then}
    return said(f"doubt.shifted_{way}", where=where, **told)


def _mostly(doubt: ReferenceDoubt) -> str:
    often, decision = (doubt.decided or 0) / doubt.rows, escaped(str(doubt.decision))
    return said("doubt.mostly", decision=decision, often=often, rows=doubt.rows)
