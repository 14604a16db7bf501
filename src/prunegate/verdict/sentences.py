"""Words: the sentences of a verdict, and the labels that an open finding still needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from prunegate.counting.partial_counts import PartialCounts
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import Tally
from prunegate.metrics.catalogue import METRICS, Metric
from prunegate.metrics.checks import change_check, is_level
from prunegate.policy.explain import explain_check
from prunegate.policy.schema import Minimum, Policy
from prunegate.text.numbers import plain, upper_bound_share
from prunegate.text.quantities import Quantity
from prunegate.verdict.finding import Finding, NeededFor, Outcome
from prunegate.verdict.quantities import Quantities


def undefined(metric: Metric, counts: SliceCounts, class_label: str | None = None) -> str:
    """Why a metric has no value on a slice."""
    start = f"{metric.phrase} is not defined"
    if isinstance(counts.tally, PartialCounts):
        return f"{start}: rows of the slice that it needs have no label; draw the list again"
    if counts.tally.answers == "labels":
        return f"{start}: a model never chooses one of the slice's classes"
    if counts.tally.answers == "numbers":
        return f"{start}: the sums of the slice give no number"
    if counts.positives in (0, counts.rows):
        kind = "no" if counts.positives == 0 else "only"
        named = f"{kind} positive rows"
        if class_label is not None:
            named = f"{kind} rows of class {class_label}"
        return f"{start}: the slice has {named} ({counts.rows:,} rows in all)"
    chosen = "flags nothing" if class_label is None else f"never chooses class {class_label}"
    return f"{start}: a model {chosen} in the slice"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Further rows of a metric's own kind (positives for recall) that a slice lacks."""

    rows: int | None
    """None: too close to the limit for any number of labels."""
    purpose: NeededFor


def with_need(finding: Finding, counts: SliceCounts, minimum: Minimum, more: Wanted) -> Finding:
    """The finding with the number of labels that would likely settle it.

    Args:
        finding: an open finding.
        counts: its slice.
        minimum: the policy's minimum evidence.
        more: what its evidence still wants.

    Further rows are positives where the metric is about these alone, or where they are what the
    minimum lacks: rows of the one class, or of the rarest where all are judged together.
    """
    answers = counts.tally.answers
    about_positives = finding.metric == "recall" and answers == "decisions"
    classes = answers != "numbers"
    by_positives = about_positives or (classes and counts.positives < minimum.positives)
    held = counts.positives if by_positives else counts.rows
    floor = (minimum.positives if by_positives else minimum.rows) - held
    wanted = more.rows or 0
    if not about_positives:
        wanted = math.ceil(wanted * held / max(finding.n, 1))
    needed = max(wanted, floor)
    if needed <= 0:
        note = finding.note or "too close to the limit to be settled by more data alone"
        return replace(finding, note=note)
    unit: Literal["rows", "positives"] = "positives" if by_positives else "rows"
    purpose: NeededFor = "minimum evidence" if floor >= wanted else more.purpose
    finding = replace(finding, needed=needed, needed_unit=unit, needed_for=purpose)
    asked = request(finding, rarest=answers == "labels")
    return replace(finding, note="; ".join(part for part in (finding.note, asked) if part))


def request(finding: Finding, *, rarest: bool) -> str:
    """What would likely settle an open finding: ``label about 640 more positives``.

    Args:
        finding: an open finding with a number of rows needed.
        rarest: whether positives are the rows of the rarest class.
    """
    metric, needed = METRICS[finding.metric], round_up(finding.needed or 0)
    row = metric.noun.removesuffix("s")
    if finding.needed_unit == "positives":
        row = "row" if finding.class_label is not None or rarest else "positive"
    of = " of the rarest class" if rarest and finding.needed_unit == "positives" else ""
    if finding.needed_unit == "positives" and finding.class_label is not None:
        of = f" of class {finding.class_label}"
    verb = "add" if metric.kind == "mean" else "label"
    return f"{verb} about {needed:,} more {row}{'' if needed == 1 else 's'}{of}"


def round_up(count: int) -> int:
    """Two significant digits, upwards: 637 becomes 640."""
    step = int(10 ** max(0, len(str(count)) - 2))
    return -(-count // step) * step


def reasons(policy: Policy, outcome: Outcome, findings: Sequence[Finding]) -> tuple[str, ...]:
    """Why, in plain words: what failed, then what is open; or that everything holds."""
    blocking = [f for f in findings if f.severity == "block"]
    if outcome == "approve":
        slices = len({f.slice for f in blocking})
        noun = "slice" if slices == 1 else "slices"
        waived = [f for f in blocking if f.status == "waived"]
        if waived:
            held = len(blocking) - len(waived)
            first = f"{held} of {len(blocking)} blocking limits hold; the rest is waived."
            written = _quantities(policy, findings)
            return (first, *(_reason(policy, f, written) for f in waived))
        return (f"All {len(blocking)} blocking limits hold on {slices} {noun}.",)
    if blocking and all(f.status == "waived" for f in blocking):
        return ("Every blocking limit is waived, so nothing is shown to hold.",)
    failed = [f for f in blocking if f.status == "fail"]
    still_open = [f for f in blocking if f.status == "inconclusive"]
    written = _quantities(policy, findings)
    return tuple(_reason(policy, f, written) for f in (*failed, *still_open))


ABSENT = "the policy expects this slice and the data have no row of it"


def absence_reasons(names: Sequence[str]) -> tuple[str, ...]:
    """Why slices that no blocking rule looks at hold an approve back: they are not there."""
    return tuple(f"{name}: {ABSENT}." for name in names)


def _reason(policy: Policy, finding: Finding, written: Quantities) -> str:
    if finding.check == "claims":
        return f"Stated figures: {finding.note}."
    where = _where(finding)
    if finding.candidate is None:
        return f"{where}: {finding.note}."
    figures = f"{where} {_figures(policy, finding, written[finding.metric])}"
    if finding.status == "waived":
        return f"{figures}; {finding.note}."
    if finding.status == "fail" and METRICS[finding.metric].operational and finding.note:
        return f"{figures} ({finding.note})."
    if finding.status == "fail":
        return f"{figures}."
    return f"{figures}; not proven: {finding.note or 'not enough evidence'}."


def _where(finding: Finding) -> str:
    of = "" if finding.class_label is None else f" of class {finding.class_label}"
    where = f"{METRICS[finding.metric].phrase}{of} on {finding.slice}"
    return where[0].upper() + where[1:]


def _quantities(policy: Policy, findings: Sequence[Finding]) -> Quantities:
    return Quantities.of(findings, policy.cost.currency if policy.cost else "")


def _figures(policy: Policy, finding: Finding, quantity: Quantity) -> str:
    """What was found and what is allowed."""
    allowed = explain_check(policy.rules[finding.rule], finding.check, quantity.currency)
    after = quantity.level(finding.candidate)
    if is_level(finding.check):
        return f"is {plain(after)}{_flips(finding)}; the policy asks for {allowed}"
    before = quantity.bare(quantity.level(finding.baseline))  # the second value has the unit too
    if finding.values_at_most:
        before, after = f"at most {plain(before)}", f"at most {plain(after)}"
    return f"went from {plain(before)} to {plain(after)}{_flips(finding)}; allowed: {allowed}"


def _flips(finding: Finding) -> str:
    if finding.lost is None or finding.gained is None:
        return ""
    return f" (lost {finding.lost:,}, gained {finding.gained:,} of {finding.n:,})"


def losing(policy: Policy, findings: Sequence[Finding]) -> tuple[str, ...]:
    """Slices that are shown to have lost something, although no more than the policy allows."""
    written = _quantities(policy, findings)
    return tuple(
        f"{_where(f)} {_figures(policy, f, written[f.metric])}: a real loss (95 % interval of the "
        f"change: {_range(f, written[f.metric])}), within what is allowed."
        for f in findings
        if f.status == "pass" and _is_loss(f)
    )


def _is_loss(finding: Finding) -> bool:
    """Whether a loss is limited, and the whole interval of the change lies on that side of zero."""
    check = change_check(finding.check)
    if check is None or not check.loss:
        return False
    if check.moves == "drop":
        return finding.ci_high is not None and finding.ci_high < 0
    return finding.ci_low is not None and finding.ci_low > 0


def _range(finding: Finding, quantity: Quantity) -> str:
    """Both ends of the interval, with the unit once."""
    low, high = finding.ci_low, finding.ci_high
    if high is None:
        return f"{plain(quantity.change_in_words(low))} to no end"
    start = "no end" if low is None else quantity.bare(quantity.change(low))
    return plain(f"{start} to {quantity.change_in_words(high)}")


def statement(policy: Policy, findings: Sequence[Finding]) -> str:
    """The guarantee of this gate in one sentence, with what is only approximate said."""
    alpha = upper_bound_share(policy.evidence.alpha, digits=3)
    proven = [f for f in findings if f.severity == "block" and f.evidence == "proven"]
    tested = [f for f in proven if f.p_value is not None]
    about = "at most " if all(f.method_kind == "exact" for f in tested) else "about "
    units = "rows" if policy.group is None else f"values of {policy.group}"
    sentence = (
        f"If any slice is really worse than its limit, this gate approves {about}{alpha} of the "
        f"time (independent {units}, fresh data)."
    )
    if any(f.severity == "block" and f.evidence == "point" for f in findings):
        sentence += " Rules with evidence: point carry no such guarantee."
    return sentence


def looked_at(tally: Tally) -> str:
    """How many of all rows were labelled and why that is enough; nothing where every row was."""
    if not isinstance(tally, PartialCounts):
        return ""
    return (
        f" Labels of {tally.labelled:,} of {tally.rows:,} rows were looked at: rows that both "
        "models decide alike say nothing about a change, and what they could say besides is "
        "bounded by random samples of them."
    )
